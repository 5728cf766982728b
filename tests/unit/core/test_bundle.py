# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sealed bundle: the same verdicts offline, and no change that is not named."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.bundle import (
    Item,
    opened,
    seal,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.offline import (
    read_bundle,
    validate_bundle,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.rejudge import (
    rejudged,
    sealed,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import Refused
from ansible_collections.private_ai.endpoints.tests.unit.support import report_case as runs

SCHEMA = Path(__file__).resolve().parents[3] / "docs/schema/bundle-1.schema.json"


def bundle(*remembered: dict[str, Any]) -> dict[str, Any]:
    made = sealed(remembered, header={"job": "verify"}, now=runs.NOW)
    # As it comes back from a file.
    document: dict[str, Any] = json.loads(json.dumps(made))
    return document


def test_the_same_is_decided_again() -> None:
    made = bundle(runs.aws_run(), runs.azure_run())
    again, compared = rejudged(made, made["seal"])
    assert [run["target"] for run in again] == ["app-use1", "foundry"]
    assert [(item["verdict"], item["same"]) for item in compared] == [("pass", True)] * 2
    result = validate_bundle(made)
    assert result["summary"]["verdict"] == "pass"
    assert result["findings"] == [
        item
        for run in (runs.aws_run(), runs.azure_run())
        for item in run["results"]["blocked"]["findings"]
    ]


def test_what_failed_then_fails_again() -> None:
    with pytest.raises(Refused) as caught:
        validate_bundle(bundle(runs.aws_run(runs.aws_admitted), runs.azure_run()))
    assert "does not pass" in caught.value.message
    assert "app-use1 blocked: fail, as recorded" in caught.value.message
    assert all(item["same"] for item in caught.value.result["judgements"])


def test_an_acceptance_counts_as_on_the_day() -> None:
    signed = [
        {
            "check": "aws_m1_public_access",
            "resource": host,
            "reason": "signed",
            "until": "2026-03-01",
            "status": "fail",
        }
        for host in runs.aws.ADDRESSES
    ]
    made = bundle({**runs.aws_run(runs.aws_admitted, accepted=signed), "failure": None})
    result = validate_bundle(made)
    assert result["summary"]["verdict"] == "pass"
    assert not result["summary"]["expectation_met"]


@pytest.mark.parametrize(
    "changes", [{"failure": "the soak failed"}, {"results": {}}], ids=["failed", "not judged"]
)
def test_a_target_whose_run_failed_does_not_pass(changes: dict[str, Any]) -> None:
    whole, other = runs.aws_run(), {**runs.aws_run(), "target": "other", **changes}
    assert validate_bundle(bundle(whole))["summary"]["verdict"] == "pass"
    with pytest.raises(Refused, match="other: "):
        validate_bundle(bundle(whole, other))


def test_each_document_is_kept_once() -> None:
    run = runs.aws_run()
    run["results"]["private"] = copy.deepcopy(run["results"]["blocked"])
    kinds = [entry["kind"] for entry in bundle(run)["entries"]]
    assert kinds.count("evidence") == 1
    assert kinds.count("observations") == 1
    assert kinds.count("decision") == 2


def test_it_fits_its_schema() -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(bundle(runs.aws_run()))


def test_it_comes_from_a_file_or_its_folder(tmp_path: Path) -> None:
    made = bundle(runs.aws_run())
    (tmp_path / "bundle.json").write_text(json.dumps(made))
    assert read_bundle(str(tmp_path)) == read_bundle(str(tmp_path / "bundle.json")) == made
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(EndpointError, match="not a sealed bundle"):
        read_bundle(str(tmp_path))
    with pytest.raises(EndpointError, match="cannot be read"):
        read_bundle(str(tmp_path / "missing"))


def chain() -> dict[str, Any]:
    return seal(
        Item(kind="evidence", name=f"t{number}", content={"n": number}) for number in range(4)
    )


def drop(document: dict[str, Any], place: int) -> None:
    del document["entries"][place]


def swap(document: dict[str, Any]) -> None:
    entries = document["entries"]
    entries[1], entries[2] = entries[2], entries[1]


def put(key: str, value: Any) -> Any:
    return lambda document: document["entries"][2].update({key: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("content", {"n": 9}), "entry 2 (evidence t2): its content was changed"),
        (put("name", "t9"), "entry 2 (evidence t9): its name, kind, digest or place was changed"),
        (put("kind", "plan"), "entry 2 (plan t2): its name, kind, digest or place was changed"),
        (put("sha256", "sha256:00"), "entry 2 (evidence t2): its content was changed"),
        (lambda item: drop(item, 1), "entry 1 (evidence t2) says that it is entry 2"),
        (lambda item: drop(item, 0), "entry 0 (evidence t1) says that it is entry 1"),
        (lambda item: drop(item, 3), "entries at the end were removed or added"),
        (swap, "entry 1 (evidence t2) says that it is entry 2"),
        (lambda item: item.update(seal="sha256:00"), "the seal is not the link of the last entry"),
    ],
)
def test_what_was_tampered_with_is_named(change: Any, said: str) -> None:
    document = chain()
    assert len(opened(document)) == 4
    change(document)
    with pytest.raises(EndpointError) as caught:
        opened(document)
    assert "tampered" in caught.value.message
    assert said in caught.value.message


def test_a_bundle_made_anew_has_another_seal() -> None:
    document = chain()
    opened(document, document["seal"])
    forged = seal(
        Item(kind="evidence", name=f"t{number}", content={"n": number + 1}) for number in range(4)
    )
    opened(forged)
    with pytest.raises(EndpointError, match="this is another bundle, or was made anew"):
        opened(forged, document["seal"])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=5), st.data())
def test_no_change_of_any_content_goes_unseen(contents: list[Any], data: st.DataObject) -> None:
    document = seal(Item(kind="evidence", name="t", content=item) for item in contents)
    assert [item.content for item in opened(document)] == contents
    place = data.draw(st.integers(0, len(contents) - 1))
    other = data.draw(values.filter(lambda item: json.dumps(item) != json.dumps(contents[place])))
    document["entries"][place]["content"] = other
    with pytest.raises(EndpointError, match=rf"entry {place} \(evidence t\): its content"):
        opened(document)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "not a sealed bundle"),
        ({"kind": "bundle", "schema_version": 2}, "schema_version 2"),
        ({"kind": "bundle", "schema_version": 1, "entries": []}, "holds no entries"),
        ({"kind": "bundle", "schema_version": 1, "entries": [{"index": 0}]}, "entry 0 lacks kind"),
    ],
)
def test_what_is_no_bundle_is_refused(document: Any, said: str) -> None:
    with pytest.raises(EndpointError, match=said):
        opened(document)
