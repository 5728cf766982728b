# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run of azure_openai_lockdown against an account in memory: conflicts, lost answers, and who else writes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils import waiting
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure import lockdown
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.dns_places import Places
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.errors import answered
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import Context
from ansible_collections.private_ai.endpoints.plugins.modules.azure_openai_lockdown import SPEC

ID = "/subscriptions/5c/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-openai"
ENDPOINT = "/subscriptions/5a/resourceGroups/n/providers/Microsoft.Network/privateEndpoints/pe"


class Cloud:
    """One account. before_write: what others do, once each, between this run's read and its write."""

    subscription_id = "5c"

    def __init__(self, **properties: Any) -> None:
        connection = {
            "properties": {
                "privateEndpoint": {"id": ENDPOINT},
                "privateLinkServiceConnectionState": {"status": "Approved"},
            }
        }
        self.document: dict[str, Any] = {
            "id": ID,
            "name": "lab-openai",
            "location": "eastus",
            "tags": {"team": "ai"},
            "properties": {
                "provisioningState": "Succeeded",
                "customSubDomainName": "lab-openai",
                "publicNetworkAccess": "Enabled",
                "privateEndpointConnections": [connection],
                **properties,
            },
        }
        self.version = 1
        self.merges_tags = False
        self.perimeters: list[dict[str, Any]] = []
        self.before_write: list[Callable[[Cloud], None]] = []
        self.lost = 0
        self.reads: list[str] = []
        self.writes: list[Mapping[str, Any]] = []

    @property
    def public(self) -> str:
        return str(self.document["properties"]["publicNetworkAccess"])

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.document["tags"])

    def get(self, path: Any, **_unused: Any) -> dict[str, Any]:
        self.reads.append(str(path))
        return {**copy.deepcopy(self.document), "etag": f'"{self.version}"'}

    def list(self, path: str, **_unused: Any) -> list[dict[str, Any]]:
        self.reads.append(path)
        return self.perimeters

    def merge(self, body: Mapping[str, Any]) -> None:
        self.document["properties"].update(body.get("properties", {}))
        if "tags" in body:
            kept = self.document["tags"] if self.merges_tags else {}
            merged = {**kept, **body["tags"]}
            self.document["tags"] = {
                name: value for name, value in merged.items() if value is not None
            }
        self.version += 1

    def begin(self, _method: str, _path: Any, body: Any, *, etag: str, **_unused: Any) -> Any:
        if self.before_write:
            self.before_write.pop(0)(self)
        self.writes.append(body)
        if etag != f'"{self.version}"':
            raise answered(412, {"error": {"code": "PreconditionFailed", "message": "x"}}, "a")
        self.merge(body)
        if self.lost:
            self.lost -= 1
            raise answered(412, {"error": {"code": "PreconditionFailed", "message": "x"}}, "a")
        return self

    def wait(self) -> dict[str, Any]:
        return self.get(ID)


def params(**options: Any) -> dict[str, Any]:
    defaults = {name: entry.get("default") for name, entry in SPEC.argument_spec.items()}
    return {**defaults, "account_id": ID, "require_proof": False, **options}


@pytest.fixture
def go(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    monkeypatch.setattr(waiting, "FIRST", 0.001)

    def run(cloud: Cloud, *, check: bool = False, **options: Any) -> dict[str, Any]:
        here = Places(main=cloud, zones=cloud, home_subscription=None)  # type: ignore[arg-type]
        monkeypatch.setattr(lockdown, "places", lambda _params: here)
        context = Context(check_mode=check, diff=True)
        result = lockdown.run(params(**options), context)
        return {**result, "warnings": context.warnings}

    return run


Go = Callable[..., dict[str, Any]]


def test_a_lock_from_prediction_to_its_end(go: Go) -> None:
    cloud = Cloud()
    predicted = go(cloud, check=True, run_id="one")
    assert cloud.writes == []
    made = go(cloud, run_id="one")
    assert [step["after"].keys() for step in predicted["steps"]] == [
        step["after"].keys() for step in made["steps"]
    ]
    assert (cloud.public, len(cloud.writes)) == ("Disabled", 1)
    assert made["delta"]["targets"] == [ID]
    assert made["pending"]["run_id"] == "one"
    assert made["binds"]["scope_id"] == ID.lower()
    sealed = go(cloud, state="sealed", run_id="one")
    assert [step["action"] for step in sealed["steps"]] == ["update"]
    cloud.reads.clear()
    again = go(cloud, run_id="two")
    assert (again["changed"], again["pending"], again["delta"]["targets"]) == (False, None, [])
    assert len(cloud.reads) == 2
    opened = go(cloud, state="unlocked")
    assert (opened["changed"], cloud.public, cloud.tags) == (True, "Enabled", {"team": "ai"})
    assert not go(cloud, state="unlocked")["changed"]
    assert not go(cloud, state="restored")["changed"]


def test_an_account_is_found_by_name_and_group(go: Go) -> None:
    cloud = Cloud()
    made = go(cloud, check=True, account_id="lab-openai", resource_group="ai")
    assert cloud.reads[0] == ID
    assert made["binds"]["account_id"] == ID


def test_a_write_whose_answer_was_lost_is_this_runs_own(go: Go) -> None:
    cloud = Cloud()
    cloud.lost = 1
    made = go(cloud, run_id="one")
    assert (made["changed"], len(cloud.writes)) == (True, 1)
    assert made["pending"]["run_id"] == "one"
    assert made["steps"][0]["before"]["public_network_access"] == "Enabled"


def test_what_others_wrote_meanwhile_is_planned_anew(go: Go) -> None:
    def tag(cloud: Cloud) -> None:
        cloud.merge({"tags": {**cloud.tags, "by": "others"}})

    cloud = Cloud()
    cloud.before_write = [tag]
    go(cloud, run_id="one")
    assert (cloud.public, cloud.tags["by"], len(cloud.writes)) == ("Disabled", "others", 2)
    go(cloud, state="unlocked", run_id="one")
    assert (cloud.public, cloud.tags) == ("Enabled", {"team": "ai", "by": "others"})


def test_two_runs_at_once_end_as_one(go: Go) -> None:
    cloud = Cloud()
    cloud.before_write = [lambda other: other.before_write.clear() or go(other, run_id="first")]
    second = go(cloud, run_id="second")
    assert "run first" in second["warnings"][0]
    assert (second["changed"], second["pending"]["run_id"]) == (True, "second")
    # What the first run says now has no effect: the second answers for both.
    assert not go(cloud, state="sealed", run_id="first")["changed"]
    assert not go(cloud, state="unlocked", run_id="first")["changed"]
    assert cloud.public == "Disabled"
    go(cloud, state="unlocked", run_id="second")
    assert (cloud.public, cloud.tags) == ("Enabled", {"team": "ai"})


def test_an_account_that_others_never_stop_writing_is_given_up(go: Go) -> None:
    cloud = Cloud()
    cloud.before_write = [lambda other: other.merge({})] * 20
    with pytest.raises(EndpointError, match="others changed it 6 times"):
        go(cloud, run_id="one")


def test_tags_that_are_merged_are_taken_away_by_name(go: Go) -> None:
    cloud = Cloud()
    cloud.merges_tags = True
    go(cloud, run_id="one")
    go(cloud, state="unlocked", run_id="one")
    assert (cloud.public, cloud.tags) == ("Enabled", {"team": "ai"})


def test_a_killed_run_is_recovered(go: Go) -> None:
    cloud = Cloud()
    go(cloud, run_id="dead")
    young = go(cloud, state="recovered", pending_timeout=3600)
    assert (young["changed"], cloud.public) == (False, "Disabled")
    assert "may be at work" in young["warnings"][0]
    undone = go(cloud, state="recovered")
    assert (undone["changed"], cloud.public, cloud.tags) == (True, "Enabled", {"team": "ai"})
    assert "run dead" in undone["warnings"][0]


def test_an_account_that_is_being_written_is_waited_for(
    go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(provisioningState="Accepted")
    with pytest.raises(EndpointError, match=r"waited 0 seconds.*still Accepted"):
        go(cloud, run_id="one", wait_timeout=0)
    assert cloud.writes == []
    assert go(cloud, check=True, run_id="one")["changed"]


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"privateEndpointConnections": []}, "there is none"),
        (
            {
                "privateEndpointConnections": [
                    {
                        "properties": {
                            "privateEndpoint": {"id": ENDPOINT},
                            "privateLinkServiceConnectionState": {"status": "Pending"},
                        }
                    }
                ]
            },
            "pe is Pending",
        ),
        ({"customSubDomainName": None}, "no custom subdomain"),
        ({"provisioningState": "Failed"}, "provisioning failed"),
    ],
)
def test_it_refuses_to_lock_callers_out(go: Go, properties: dict[str, Any], text: str) -> None:
    cloud = Cloud(**properties)
    with pytest.raises(EndpointError, match=text):
        go(cloud, run_id="one")
    assert cloud.writes == []
    # Without a proof a prediction is conditional on it; with an emergency nothing is in the way.
    predicted = go(cloud, check=True, run_id="one", require_proof=True, members=[{"target": "a"}])
    assert all(step["conditional_on"] for step in predicted["steps"])
    assert not go(cloud, state="unlocked")["changed"]


def test_too_many_tags_are_counted_before_anything_is_written(go: Go) -> None:
    cloud = Cloud()
    cloud.document["tags"] = {f"tag{number}": "x" for number in range(49)}
    with pytest.raises(EndpointError, match="has 51 tags, and Azure allows 50"):
        go(cloud, run_id="one")
    assert cloud.writes == []


def test_a_perimeter_is_a_warning(go: Go) -> None:
    cloud = Cloud()
    inner = {
        "networkSecurityPerimeter": {"id": "/perimeters/p"},
        "resourceAssociation": {"accessMode": "Enforced"},
    }
    cloud.perimeters = [{"name": "p.assoc", "properties": inner}]
    assert "perimeter /perimeters/p (access mode Enforced)" in go(cloud)["warnings"][0]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"require_proof": True}, "whose callers"),
        ({"require_proof": True, "members": [{"target": "a"}]}, "there is none"),
        ({"account_id": "lab-openai"}, "needs resource_group"),
        ({"account_id": ENDPOINT}, "is not the resource id"),
        ({"ip_rules": ["10.0.0.0/8 or so"]}, "no IPv4"),
        ({"allowed_fqdns": ["a"], "restrict_outbound_network_access": False}, "allowed_fqdns"),
    ],
)
def test_bad_input_is_named_before_any_write(go: Go, options: dict[str, Any], text: str) -> None:
    cloud = Cloud()
    with pytest.raises(EndpointError, match=text):
        go(cloud, **options)
    assert cloud.writes == []
