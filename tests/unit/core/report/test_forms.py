# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of the report: valid by their schemas, and whatever anybody said stays text in all of them."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from markdown_it import MarkdownIt

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.rejudge import sealed
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.document import build
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.render import files
from ansible_collections.private_ai.endpoints.tests.unit.support import report_case as runs

ROOT = Path(__file__).resolve().parents[4]
JUNIT = etree.XMLSchema(etree.parse(str(ROOT / "tests/schema/junit.xsd")))
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "docs/schema/report-1.schema.json").read_text())
)
WRONG = runs.azure_run(runs.azure_without_zone)
RIGHT = runs.aws_run()
SIGNED = {"check": "azure_m2_names", "resource": "x", "reason": "y", "until": "2026-12-31"}

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "</style></script><h1>owned</h1><!--",
    "]]><failure/><![CDATA[",
    "&lt;b&gt; &amp; &#x3c;script&#x3e;",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x9b2J",
    "one\ntwo\r\nthree\tfour\u2028five",
    "\u202egnirts a\u202c \u200b\ufeff\u0000\ud800",
    "| cell | [link](http://evil) ![x](http://evil/x.png) <http://evil> `code` **bold** @team #1",
    "{{ lookup('pipe', 'id') }} {% for x in y %}",
    "n" * 10_000,
    "-----BEGIN PRIVATE KEY-----\nabc",
]


def made(remembered: list[dict[str, Any]], **values: Any) -> dict[str, str]:
    options = {
        "job": "verify",
        "check_mode": False,
        "now": runs.NOW,
        "fail_on": "high",
        **values,
    }
    bundle = sealed(remembered, header={"job": "verify"}, now=runs.NOW)
    document = build(remembered, **{"seal": bundle["seal"], **options})
    return files(document, remembered, bundle)


def spoiled(text: str) -> dict[str, Any]:
    """A run in which everything that comes from outside says this."""
    run = copy.deepcopy(WRONG)
    result = run["results"]["blocked"]
    run["failure"] = text
    run["steps"]["create"][0]["resource"] = text
    run["scope"] = {"id": text}
    run["preview"] = {"status": text, "why": text, "blocking": [text]}
    for item in result["findings"]:
        item.update(
            dict.fromkeys(("resource", "observed", "expected", "why", "fix", "title"), text)
        )
        item["references"] = [text]
        item["vantage"] = item["vantage"] and text
    for row in result["matrix"]:
        row.update(host=text, vantage=text, cell=text, outcome=text)
    for item in result["observations"]:
        item.update(vantage=text, host=text, error=text)
    run["evidence"]["account"]["hosts"] = [text]
    result["text"] = ""
    run["target"] = text
    return run


class Tags(HTMLParser):
    """Every element and attribute of a page, and its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[tuple[str, tuple[str, ...]]] = set()
        self.values: list[str] = []
        self.text: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add((tag, tuple(name for name, _value in attrs)))
        self.values += [value or "" for name, value in attrs if name in ("href", "src", "id")]
        self.scripts += tag == "script"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def tags(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    parser.close()
    return parser


CALM = (
    tags(made([WRONG, RIGHT])["report.html"]).found
    | tags(made([spoiled("plain"), spoiled("calm")], accepted=[SIGNED])["report.html"]).found
)


def intact(text: str) -> None:
    """Every form is whole, has no element that the same report without this text lacks, and no control character."""
    forms = made([spoiled(text), RIGHT], accepted=[{**SIGNED, "reason": text.strip() or "x"}])
    page = tags(forms["report.html"])
    assert page.found <= CALM
    assert page.scripts == 1
    assert all(
        value.startswith(("#", "data:,")) or re.fullmatch(r"[a-z-]*", value)
        for value in page.values
    )
    assert JUNIT.validate(etree.fromstring(forms["junit.xml"].encode())), JUNIT.error_log
    findings = json.loads(forms["findings.json"])
    assert not list(SCHEMA.iter_errors(findings))
    rendered = MarkdownIt("commonmark").enable("table").render(forms["report.md"])
    kinds = {tag for tag, _names in tags(rendered).found}
    assert kinds <= {
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
    }
    for name in ("report.html", "summary.txt", "report.md", "junit.xml"):
        bare = forms[name].replace("\n", "").replace("\u200b", "")
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ud800-\udfff]", bare), (
            name
        )
        forms[name].encode()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(text: str) -> None:
    intact(text)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(min_size=1, max_size=40).filter(lambda text: bool(text.strip()))
    | st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=4).map("".join)
)
def test_any_text_stays_text(text: str) -> None:
    intact(text)


def test_a_table_row_in_markdown_keeps_its_columns() -> None:
    forms = made([spoiled("a | b \\| c \\\\| d"), RIGHT])
    for block in forms["report.md"].split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("| ")]
        columns = {len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}
        assert len(columns) <= 1, block


def test_a_long_name_is_cut_where_it_is_shown_and_whole_in_the_data() -> None:
    forms = made([spoiled("n" * 10_000)])
    assert "n" * 2_001 not in forms["report.html"]
    assert "more characters)" in forms["report.html"]
    assert "n" * 10_000 in forms["findings.json"]


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
AZURE = "4" * 52 + "JQQJ99BAACYeBjFXJ3w3AAABACOG" + "AzCa" + "abcdefgh"
SECRETS = [
    ("Authorization: Bearer {}", "abcdefghijklmnopqrstuvwxyz123456"),
    ("token {} expired", JWT),
    ("client_secret={}", "Q~8Q8Qabcdefghijklmnop"),
    ('{{"api-key": "{}"}}', "0123456789abcdef0123456789abcdef"),
    ("key {} is wrong", AZURE),
    ("https://user:{}@proxy.example/", "hunter2hunter2"),
    ("got {}", "ya29.a0AfH6SMBabcdefghijklmnopqrstuvwx"),
    ("aws_secret_access_key = {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA"),
    ("-----BEGIN PRIVATE KEY-----\n{}", "MIIEowIBAAKCAQEA"),
    ("https://x.blob.core.windows.net/a?sv=2022&sig={}&x=1", "abcdef%2Fghijkl%3D"),
]


@pytest.mark.parametrize(("around", "secret"), SECRETS, ids=range(len(SECRETS)))
def test_no_secret_in_any_form(around: str, secret: str) -> None:
    said = around.format(secret)
    run = copy.deepcopy(WRONG)
    run["failure"] = f"the call failed: {said}"
    for item in run["results"]["blocked"]["findings"]:
        item["observed"] = said
    run["results"]["blocked"]["observations"][0]["error"] = said
    run["results"]["blocked"]["text"] = said
    run["evidence"]["account"]["description"] = said
    run["steps"]["create"][0]["after"] = {"x": said}
    for name, content in made([run]).items():
        assert "hidden" in content, name
        assert secret not in content, name


def test_what_the_page_needs_is_in_the_page() -> None:
    page = made([WRONG, RIGHT])["report.html"]
    assert not re.search(r"""(?:src|href)=["'](?!#|data:,)""", page)
    assert "default-src 'none'" in page
    assert "url(" not in page and "@import" not in page
    assert 'lang="en"' in page
    assert page.count("<h1") == 1


def test_junit_counts_what_it_holds() -> None:
    root = etree.fromstring(made([WRONG, RIGHT])["junit.xml"].encode())
    assert JUNIT.validate(root), JUNIT.error_log
    for suite in root:
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        for kind, attribute in (
            ("failure", "failures"),
            ("error", "errors"),
            ("skipped", "skipped"),
        ):
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{kind}"))
    suites = {suite.get("name"): suite for suite in root}
    assert int(suites["foundry"].get("failures")) > 0
    assert int(suites["app-use1"].get("failures")) == 0


def test_junit_fails_where_the_run_does() -> None:
    quiet = etree.fromstring(made([WRONG], fail_on="never")["junit.xml"].encode())
    assert not quiet.findall(".//failure")
    assert len(quiet.findall(".//error")) == 1


def test_the_json_fits_its_schema() -> None:
    before = json.loads(made([RIGHT])["findings.json"])
    for remembered in ([WRONG, RIGHT], [], [{"target": "app", "failure": "typo"}]):
        document = json.loads(made(remembered, baseline=before, accepted=[SIGNED])["findings.json"])
        assert not list(SCHEMA.iter_errors(document))
    del document["verdict"]
    assert list(SCHEMA.iter_errors(document))


def test_a_pull_request_takes_the_markdown() -> None:
    many = [{**spoiled("[" * 300), "target": f"target-{number}"} for number in range(30)]
    assert len(made(many)["report.md"]) < 65_536
