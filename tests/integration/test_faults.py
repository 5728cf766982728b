# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever goes wrong with a write, and wherever: the modules converge, or say why not and converge when run again."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import botocore.session
import pytest

from . import aws_subjects, azure_subjects, gcp_subjects
from .conftest import ROOT, Lab
from .harness import Case, Subject, at_once, cases, live

CODE = ROOT / "plugins/module_utils"
SUBJECTS = [*aws_subjects.SUBJECTS, *azure_subjects.SUBJECTS, *gcp_subjects.SUBJECTS]
READS = ("Describe", "List", "Get")


@pytest.mark.parametrize("case", [*cases(SUBJECTS)], ids=str)
def test_each_write_goes_wrong(lab: Lab, case: Case) -> None:
    live(lab, case)


def test_no_write_of_aws_is_left_out() -> None:
    """Every writing operation that the code names, as botocore's method or as a whole string, is struck above."""
    text = " ".join(path.read_text() for path in (CODE / "aws").glob("*.py"))
    named = {*re.findall(r"\b[a-z]+_[a-z_]+\b", text), *re.findall(r'"([A-Z]\w+)"', text)}
    session = botocore.session.Session()
    called = set()
    for service in ("ec2", "route53", "organizations"):
        for name in session.get_service_model(service).operation_names:
            if not name.startswith(READS) and named & {name, botocore.xform_name(name)}:
                called.add(f"{service}:{name}")
    assert called == {name for subject in aws_subjects.SUBJECTS for name in subject.writes}


def test_no_write_of_azure_is_left_out() -> None:
    """Every function that sends a PUT, PATCH or DELETE is listed with its operations, and these are struck above."""
    assert senders("azure", "PUT", "PATCH", "DELETE") == set(azure_subjects.CALLS)


def test_no_write_of_google_is_left_out() -> None:
    """As for Azure; what Google makes and changes by POST, too, but for the questions that are asked by it."""
    found = senders("gcp", "POST", "PUT", "PATCH", "DELETE")
    assert found == {*gcp_subjects.CALLS, *gcp_subjects.ASKING}


def senders(cloud: str, *methods: str) -> set[str]:
    """The functions of a cloud's code that send one of these, by file and name."""
    return {
        f"{path.stem}.{function.name}"
        for path in (CODE / cloud).glob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        if any(
            isinstance(node, ast.Call)
            and any(
                getattr(part, "value", "") in methods
                for argument in node.args
                for part in ast.walk(argument)
            )
            for node in ast.walk(function)
        )
    }


OTHERS: list[Any] = [
    *((subject, {}) for subject in SUBJECTS),
    (aws_subjects.ENDPOINTS, {"tags": aws_subjects.CHANGE["tags"], "endpoint_policy": "full"}),
    (azure_subjects.PRIVATE_LINK, {"tags": azure_subjects.CHANGE["tags"]}),
    (gcp_subjects.ENDPOINTS, {"labels": gcp_subjects.CHANGE["labels"]}),
]


@pytest.mark.parametrize(("subject", "changes"), OTHERS, ids=str)
def test_two_first_runs_at_once_make_one_set(
    lab: Lab, subject: Subject, changes: dict[str, Any]
) -> None:
    outcome = at_once(lab, subject, changes)
    assert outcome.code == 0, outcome.output
    found, wanted = json.loads(outcome.output.splitlines()[-1]), subject.acts[0].after
    if not changes:
        assert found == {**found, **wanted}
    assert {key: len(found[key]) for key in wanted} == {key: len(wanted[key]) for key in wanted}
    assert outcome.writes.count(subject.meets) > 1, "the runs did not meet"
