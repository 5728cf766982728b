# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundles of several runs as one, and a bundle as a text."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.bundle import Item, seal
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.merged import (
    Merged,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.merged import (
    merge as merge_at,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.offline import (
    read_bundle,
    read_bundles,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.packed import (
    PREFIX,
    pack,
    unpack,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.rejudge import sealed
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.report.document import build
from ansible_collections.private_ai.endpoints.tests.unit.support import report_case as runs

AWS, AZURE = runs.aws_run(runs.aws_admitted), runs.azure_run()


def bundle(*remembered: dict[str, Any], **header: Any) -> dict[str, Any]:
    return sealed(remembered, header={"job": "verify", **header}, now=runs.NOW)


def merge(bundles: list[dict[str, Any]], expected: dict[str, str]) -> Merged:
    return merge_at(bundles, expected, now=runs.NOW)


def document(remembered: list[dict[str, Any]]) -> dict[str, Any]:
    return build(remembered, job="verify", check_mode=False, now=runs.NOW, fail_on="high")


def test_two_runs_report_as_one() -> None:
    parts = merge([bundle(AZURE), bundle(AWS)], {"app-use1": "aws", "foundry": "azure"})
    assert document(parts.runs) == document([AWS, AZURE])
    assert [item["targets"] for item in parts.sources] == [["foundry"], ["app-use1"]]
    assert all(item["same"] for item in parts.judgements)
    assert parts.jobs == "verify"


def test_what_is_merged_can_be_sealed_and_merged_again() -> None:
    parts = merge([bundle(AZURE), bundle(AWS)], {})
    again = merge([bundle(*parts.runs)], {})
    assert document(again.runs) == document([AZURE, AWS])


def test_a_target_that_no_bundle_holds_has_failed() -> None:
    parts = merge([bundle(AZURE)], {"app-use1": "aws", "foundry": "azure"})
    made = document(parts.runs)
    assert [item["target"] for item in made["targets"]] == ["app-use1", "foundry"]
    assert "no bundle holds it" in made["targets"][0]["failure"]
    assert made["targets"][0]["cloud"] == "aws"
    assert not made["ok"]
    assert made["verdict"]["status"] == "unknown"


def test_a_target_of_two_bundles_is_refused() -> None:
    with pytest.raises(EndpointError, match="two bundles"):
        merge([bundle(AWS, AZURE), bundle(AWS)], {})


def test_the_same_bundle_twice_counts_once() -> None:
    parts = merge([bundle(AWS), bundle(AZURE), bundle(AWS)], {})
    assert [run["target"] for run in parts.runs] == ["app-use1", "foundry"]
    assert [item["targets"] for item in parts.sources] == [["app-use1"], ["foundry"]]
    assert len(parts.judgements) == 2


def test_a_folder_of_folders_has_all_their_bundles(tmp_path: Path) -> None:
    for name, made in (("101", bundle(AWS)), ("102", bundle(AZURE))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bundle.json").write_text(json.dumps(made))
    (tmp_path / "103").mkdir()
    assert read_bundles(str(tmp_path)) == [bundle(AWS), bundle(AZURE)]
    assert read_bundles(str(tmp_path / "102")) == [bundle(AZURE)]
    assert read_bundles(str(tmp_path / "102/bundle.json")) == [bundle(AZURE)]
    assert read_bundles(pack(bundle(AZURE))) == [bundle(AZURE)]
    with pytest.raises(EndpointError, match="cannot be read"):
        read_bundles(str(tmp_path / "103"))


def resealed(made: dict[str, Any], kind: str, change: Callable[[dict[str, Any]], Any]) -> Any:
    """A bundle made anew after its entries of a kind were changed."""
    entries = copy.deepcopy(made["entries"])
    for entry in entries:
        if entry["kind"] == kind:
            change(entry["content"])
    return seal(Item(kind=x["kind"], name=x["name"], content=x["content"]) for x in entries)


def test_a_judgement_that_is_another_one_now_fails_its_target() -> None:
    forged = resealed(
        bundle({**AWS, "failure": None}), "decision", lambda content: content.update(verdict="pass")
    )
    parts = merge([forged, bundle(AZURE)], {})
    made = document(parts.runs)
    assert {item["target"]: bool(item["failure"]) for item in made["targets"]} == {
        "app-use1": True,
        "foundry": False,
    }
    assert "the verdict was pass and is fail" in made["targets"][0]["failure"]


def test_a_failure_that_was_taken_out_is_found_again() -> None:
    forged = resealed(bundle(AWS), "plan", lambda content: content.update(failure=None))
    (run,) = merge([forged], {}).runs
    assert "the expectation blocked is not met" in run["failure"]
    # What a run in check mode saw decided nothing there, and does not here.
    (predicted,) = merge([bundle({**AWS, "failure": None}, check_mode=True)], {}).runs
    assert predicted["failure"] is None


@pytest.mark.parametrize("results", [{}, {"blocked": {"findings": []}}])
def test_a_target_that_was_not_judged_has_failed(results: dict[str, Any]) -> None:
    made = bundle({**AZURE, "results": results})
    (run,) = merge([made], {}).runs
    assert run["failure"] == (
        f"foundry: bundle {made['seal']} holds no judgement of it, so that nothing is known."
    )


def test_what_was_judged_too_long_ago_has_failed() -> None:
    made = bundle(AZURE)
    day = timedelta(hours=24)

    def failure(later: timedelta, max_age: timedelta | None, *bundles: dict[str, Any]) -> Any:
        (run,) = merge_at(bundles or [made], {}, now=runs.NOW + later, max_age=max_age).runs
        return run["failure"]

    assert failure(day, day) is None
    assert failure(day * 400, None) is None
    said = failure(day + timedelta(minutes=1), day)
    assert said == (
        f"foundry: bundle {made['seal']} says what was judged at 2026-03-01T12:00:00Z, and now it is"
        " 2026-03-02T12:01:00Z: more than the 24 hours that may lie between (max_age)."
    )
    # Of the future it is no younger than a clock may be wrong.
    assert failure(timedelta(minutes=-5), day) is None
    said = failure(timedelta(minutes=-6), day)
    assert "was judged at 2026-03-01T12:00:00Z, and now it is only 2026-03-01T11:54:00Z" in said
    assert failure(day * -9, None) is None
    # Nothing gets younger by being merged.
    anew = sealed(merge([made], {}).runs, header={"job": "report"}, now=runs.NOW + day)
    assert "2026-03-01T12:00:00Z" in failure(day * 1.5, day, anew)


def test_a_prediction_stays_one() -> None:
    assert merge([bundle(AWS), bundle(AZURE, check_mode=True)], {}).prediction


def test_a_bundle_that_was_tampered_with_is_refused() -> None:
    changed = copy.deepcopy(bundle(AWS))
    changed["entries"][1]["content"]["failure"] = None
    with pytest.raises(EndpointError, match="tampered"):
        merge([changed, bundle(AZURE)], {})


def test_a_bundle_comes_through_as_a_text() -> None:
    made = bundle(AWS)
    assert unpack(pack(made)) == made
    assert read_bundle(pack(made))["seal"] == made["seal"]
    later = sealed([AWS], header={"job": "verify"}, now=runs.NOW + timedelta(days=0))
    assert pack(later) == pack(made)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_text_that_is_not_whole_is_refused(data: st.DataObject) -> None:
    text = pack(bundle(AWS))
    cut = data.draw(st.integers(len(PREFIX), len(text) - 1))
    with pytest.raises(EndpointError, match="cannot be unpacked"):
        unpack(text[:cut])


def test_what_is_no_bundle_is_refused() -> None:
    with pytest.raises(EndpointError, match="is not a sealed bundle"):
        read_bundle(pack({"kind": "something else"}))
