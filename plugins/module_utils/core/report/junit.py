# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JUnit XML, for a CI system: a suite for each service, a test case for each finding.

What counts against the run is a failure; what is not known is an error where its severity would count, and skipped
otherwise; what somebody accepted is skipped, with his reason. A run that failed for a service is an error of its suite.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from .clean import line

# What XML 1.0 has no way to write.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SEVERITIES: Final = ("critical", "high", "medium", "low", "never")


def junit(document: Mapping[str, Any]) -> str:
    """The XML document, valid by the schema that Jenkins' xUnit plugin publishes."""
    by_target: dict[str, list[Mapping[str, Any]]] = {
        str(target["target"]): [] for target in document["targets"]
    }
    for item in document["findings"]:
        by_target.setdefault(str(item["target"]), []).append(item)
    failures = {str(target["target"]): target["failure"] for target in document["targets"]}
    suites = [
        _suite(index, name, found, failures.get(name), document)
        for index, (name, found) in enumerate(by_target.items())
    ]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
        + "".join(suites)
        + "</testsuites>\n"
    )


def _suite(
    index: int,
    name: str,
    findings: Sequence[Mapping[str, Any]],
    failure: str | None,
    document: Mapping[str, Any],
) -> str:
    cases = [_case(item, str(document["fail_on"])) for item in findings]
    if failure:
        cases.append(
            (
                "error",
                f'<testcase name={_attribute("the run")} classname={_attribute(name)} time="0">'
                f'<error message={_attribute(failure)} type="run">{_text(failure)}</error></testcase>\n',
            )
        )
    counts = {
        kind: sum(found == kind for found, _xml in cases)
        for kind in ("failure", "error", "skipped")
    }
    return (
        f'<testsuite name={_attribute(name)} id="{index}" tests="{len(cases)}" failures="{counts["failure"]}" '
        f'errors="{counts["error"]}" skipped="{counts["skipped"]}" time="0" '
        f'timestamp="{document["made_at"].removesuffix("Z")}" package="private_ai.endpoints">\n'
        + "".join(xml for _kind, xml in cases)
        + "</testsuite>\n"
    )


def _case(item: Mapping[str, Any], fail_on: str) -> tuple[str, str]:
    place = f" from {item['vantage']}" if item["vantage"] else ""
    head = (
        f"<testcase name={_attribute(item['title'] + ': ' + str(item['resource']) + place)} "
        f'classname={_attribute(str(item["target"]) + "." + str(item["check"]))} time="0">'
    )
    kind, body = _body(item, fail_on)
    return kind, f"{head}{body}</testcase>\n"


def _body(item: Mapping[str, Any], fail_on: str) -> tuple[str, str]:
    counts = (
        _SEVERITIES.index(item["severity"]) <= _SEVERITIES.index(fail_on) and fail_on != "never"
    )
    status = item["status"]
    if status == "pass":
        return "pass", ""
    if item["accepted"]:
        said = f"accepted until {item['accepted']['until']}: {item['accepted']['reason']}"
        return "skipped", f"<skipped message={_attribute(said)}/>"
    if status in ("fail", "unknown") and counts:
        kind = "failure" if status == "fail" else "error"
        return kind, (
            f"<{kind} message={_attribute(item['observed'])} type={_attribute(item['severity'])}>"
            f"{_text(_told(item))}</{kind}>"
        )
    said = f"{status} ({item['severity']}): {item['observed']}"
    return "skipped", f"<skipped message={_attribute(said)}/>"


def _told(item: Mapping[str, Any]) -> str:
    names: Iterable[tuple[str, object]] = (
        ("expected", item["expected"]),
        ("observed", item["observed"]),
        ("why", item["why"]),
        ("fix", item["fix"]),
        ("evidence", " ".join(item["evidence"])),
    )
    return "\n".join(f"{name}: {line(value)}" for name, value in names)


def _attribute(value: object) -> str:
    return quoteattr(_FORBIDDEN.sub("", line(value)) or "(nothing that can be shown)")


def _text(value: object) -> str:
    lines = [line(part) for part in str(value).splitlines()]
    return escape(_FORBIDDEN.sub("", "\n".join(lines)))
