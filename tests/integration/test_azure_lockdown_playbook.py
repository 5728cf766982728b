# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main job on Azure, in one lab from wide open to torn down again: predicted, run, repeated, widened, unlocked."""

from __future__ import annotations

import json

import pytest

from .conftest import AZURE_INVENTORY, Lab
from .story import Chapter, Story, cells, changes

AI = "/subscriptions/5c000000-0000-0000-0000-00000000000c/resourceGroups/ai"
ACCOUNTS = f"{AI}/providers/Microsoft.CognitiveServices/accounts"
FOUNDRY = ("cognitiveservices", "openai", "services.ai")
# As it stands before somebody adds the spoke.
NARROW = {"azure_openai_spoke_networks": [], "vantages": ["azure-app", "azure-outside"]}
# Usage: DELETE or PUT, what becomes of the peering of application and spoke, in both directions.
PEER = """
import json, sys, time, urllib.request
from azure.identity import EnvironmentCredential

token = EnvironmentCredential().get_token("https://management.azure.com/.default").token
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
group = "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network"
networks = f"{group}/providers/Microsoft.Network/virtualNetworks"
for here, there in (("app", "spoke"), ("spoke", "app")):
    path = f"{networks}/{here}/virtualNetworkPeerings/to-{there}"
    remote = {"allowVirtualNetworkAccess": True, "remoteVirtualNetwork": {"id": f"{networks}/{there}"}}
    body = json.dumps({"properties": remote}).encode() if sys.argv[1] == "PUT" else None
    url = f"https://management.azure.com{path}?api-version=2024-05-01"
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method=sys.argv[1]))
    time.sleep(1)
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Every chapter by its name."""
    told = Story(lab := Lab(tmp_path_factory.mktemp("azure")))
    peer = lab.path("peer.py")
    peer.write_text(PEER)
    soak = {"azure_openai_soak_seconds": 1}
    shown = {**soak, "private_endpoint_report_in_check_mode": True}
    told.tell("predicted", AZURE_INVENTORY, "lockdown.yml --check --diff", **shown)
    told.tell("locked", AZURE_INVENTORY, "lockdown.yml", **soak)
    told.tell("again", AZURE_INVENTORY, "lockdown.yml", **soak)
    told.tell("predicted_again", AZURE_INVENTORY, "lockdown.yml --check", **shown)
    told.tell("refused_teardown", AZURE_INVENTORY, "teardown.yml")
    for name in ("lab-openai", "lab-foundry"):
        told.tell(f"unlocked_{name}", "/dev/null", f"unlock.yml -e scope={ACCOUNTS}/{name}")
    told.tell("torn_down", AZURE_INVENTORY, "teardown.yml")
    told.tell("verified", AZURE_INVENTORY, "verify.yml", private_endpoint_expect="open")
    one = "--limit lab-openai:vantages"
    told.do(f"python {peer} DELETE")
    told.tell("narrow", AZURE_INVENTORY, f"lockdown.yml {one}", **soak, **NARROW)
    told.do(f"python {peer} PUT")
    told.tell("widened", AZURE_INVENTORY, f"lockdown.yml {one}", **soak)
    return told.read()


def test_check_mode_writes_nothing_and_predicts_the_run(story: dict[str, Chapter]) -> None:
    predicted = story["predicted"]
    assert predicted.code == 0, predicted.output
    assert predicted.writes == []
    assert changes(predicted)
    assert changes(predicted) == changes(story["locked"])
    for step in predicted.report["steps"]:
        assert bool(step["conditional_on"]) == (step["phase"] != "create"), step


def test_afterwards_both_accounts_are_reached_only_privately(story: dict[str, Chapter]) -> None:
    locked = story["locked"]
    assert locked.code == 0, locked.output
    assert all(target["summary"]["expectation_met"] for target in locked.report["targets"])
    seen = cells(locked)
    # Three vantages, one host of the one account and three of the other.
    assert len(seen) == 12
    for (vantage, _), cell in seen.items():
        outside = vantage == "azure-outside"
        assert cell == ("public denied_public_access" if outside else "private admitted"), seen


def test_an_ai_services_account_has_three_names_on_three_addresses(
    story: dict[str, Chapter],
) -> None:
    matrix = next(
        target["matrix"]
        for target in story["locked"].report["targets"]
        if target["target"] == "lab-foundry"
    )
    inside = {row["host"]: row["cell"] for row in matrix if row["vantage"] == "azure-app"}
    assert set(inside) == {f"lab-foundry.{family}.azure.com" for family in FOUNDRY}
    assert len(set(inside.values())) == 3


def test_the_order_of_the_writes(story: dict[str, Chapter]) -> None:
    writes = [name.partition("/")[2] for name in story["locked"].writes]
    endpoint, links = writes.index("privateEndpoints:PUT"), "privateDnsZones/virtualNetworkLinks"
    lock = writes.index("accounts:PATCH")
    group = writes.index("privateEndpoints/privateDnsZoneGroups:PUT")
    assert endpoint < group < writes.index(f"{links}:PUT") < lock
    # Both are locked, then both are sealed.
    assert writes[lock:].count("accounts:PATCH") == 4


def test_a_second_run_changes_nothing(story: dict[str, Chapter]) -> None:
    for name in ("again", "predicted_again"):
        chapter = story[name]
        assert chapter.code == 0, chapter.output
        assert chapter.output.count(" changed=0 ") == 2
        assert chapter.writes == []
        assert chapter.report["steps"] == []
    assert cells(story["again"]) == cells(story["locked"])


def test_no_secret_in_output_or_report(story: dict[str, Chapter]) -> None:
    for chapter in story.values():
        assert "lab-azure-secret" not in chapter.output
        assert "lab-azure-secret" not in json.dumps(chapter.report)


def test_teardown_refuses_while_the_accounts_let_nobody_else_in(story: dict[str, Chapter]) -> None:
    refused = story["refused_teardown"]
    assert refused.code != 0
    assert "unlock.yml" in refused.output
    assert refused.writes == []


@pytest.mark.parametrize("name", ["lab-openai", "lab-foundry"])
def test_unlock_needs_an_account_and_nothing_else(story: dict[str, Chapter], name: str) -> None:
    unlocked = story[f"unlocked_{name}"]
    assert unlocked.code == 0, unlocked.output
    assert unlocked.writes == ["Microsoft.CognitiveServices/accounts:PATCH"]


def test_teardown_takes_names_away_before_endpoints(story: dict[str, Chapter]) -> None:
    down = story["torn_down"]
    assert down.code == 0, down.output
    zones = down.writes.index("Microsoft.Network/privateDnsZones:DELETE")
    assert zones < down.writes.index("Microsoft.Network/privateEndpoints:DELETE")
    assert "Microsoft.Network/networkSecurityGroups:DELETE" in down.writes


def test_then_it_is_as_open_as_it_was(story: dict[str, Chapter]) -> None:
    assert set(cells(story["verified"]).values()) == {"public admitted"}


def test_a_spoke_that_is_added_later_is_linked_by_one_write(story: dict[str, Chapter]) -> None:
    narrow, widened = story["narrow"], story["widened"]
    assert narrow.code == 0, narrow.output
    assert widened.code == 0, widened.output
    assert widened.writes == ["Microsoft.Network/privateDnsZones/virtualNetworkLinks:PUT"]
    assert cells(widened)["azure-spoke", "lab-openai.openai.azure.com"] == "private admitted"
