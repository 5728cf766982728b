# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_openai_private_dns in the lab: names switch, are predicted, repaired, refused, and switch back."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

NAME = "private_ai.endpoints.azure_openai_private_dns"
SUBSCRIPTION, HUB, AI = (f"5{x}000000-0000-0000-0000-00000000000{x}" for x in "abc")
NETWORKS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/app-network/providers/Microsoft.Network"
APP, SPOKE = f"{NETWORKS}/virtualNetworks/app", f"{NETWORKS}/virtualNetworks/spoke"
ACCOUNTS = f"/subscriptions/{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts"
HOME = f"/subscriptions/{HUB}/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones"
FAMILIES = ("cognitiveservices", "openai", "services.ai")
ZONES = {name: f"{HOME}/privatelink.{name}.azure.com" for name in FAMILIES}
FOUNDRY = [f"lab-foundry.{name}.azure.com" for name in FAMILIES]
FAST = {"dns": 0.2, "endpoint": 0.2, "account": 0.2, "retry_after": 0}


def endpoint(account: str) -> dict[str, Any]:
    connection = {
        "name": "account",
        "properties": {
            "privateLinkServiceId": f"{ACCOUNTS}/{account}",
            "groupIds": ["account"],
        },
    }
    return {
        "id": f"{NETWORKS}/privateEndpoints/{account}",
        "location": "eastus",
        "properties": {
            "subnet": {"id": f"{APP}/subnets/endpoints"},
            "privateLinkServiceConnections": [connection],
        },
    }


def world(*resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"azure": {"timing": FAST, "resources": list(resources), **sections}}


def module(account: str = "lab-foundry", **options: Any) -> dict[str, Any]:
    known = {
        "account_id": f"{ACCOUNTS}/{account}",
        "network_id": APP,
        "zone_subscription_id": HUB,
        "zone_resource_group": "dns",
    }
    return {NAME: {**known, **options}}


def by_id(account: str = "lab-foundry", **options: Any) -> dict[str, Any]:
    return module(account, endpoint_id=f"{NETWORKS}/privateEndpoints/{account}", **options)


def seen(place: str, *hosts: str) -> dict[str, Any]:
    """What hosts resolve to at a vantage: `address host` lines, or `none`."""
    looks = "; ".join(
        f"echo $($LAB_RUN/in-azure-{place} getent ahostsv4 {host} | head -1 || echo none)"
        for host in hosts
    )
    return {"ansible.builtin.shell": looks, "check_mode": False}


def admin(code: str) -> dict[str, Any]:
    """Resource Manager in the hands of somebody else: `arm(method, path, body)`."""
    prelude = textwrap.dedent(
        """
        import json, os, time, requests
        from azure.identity import EnvironmentCredential
        token = EnvironmentCredential().get_token('https://management.azure.com/.default').token
        def arm(method, path, body=None, version='2024-06-01'):
            url = 'https://management.azure.com' + path + '?api-version=' + version
            answer = requests.request(method, url, json=body, headers={'Authorization': 'Bearer ' + token})
            assert answer.status_code < 400, answer.text
            time.sleep(0.5)
            return answer.json() if answer.content else None
        """
    )
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", prelude + textwrap.dedent(code)]},
        "check_mode": False,
    }


LIST_ZONES = admin(
    f"""
    found = arm('GET', '/subscriptions/{HUB}/providers/Microsoft.Network/privateDnsZones')
    print(len(found['value']))
    """
)


def attributes(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (step["resource"], step["action"], key)
        for step in steps
        for key in {**step["before"], **step["after"]}
    }


def private(result: dict[str, Any]) -> bool:
    return all(line.startswith("10.20.2.") for line in result["stdout_lines"])


def public(result: dict[str, Any]) -> bool:
    return all(line.startswith("203.0.113.") for line in result["stdout_lines"])


@pytest.mark.parametrize("mode", ["zone_group", "records"])
def test_names_switch_and_switch_back(lab, mode):
    options = {"mode": mode}
    outcome = lab.tasks(
        {**module(**options), "check_mode": True},
        seen("app", *FOUNDRY),
        module(**options),
        seen("app", *FOUNDRY),
        seen("spoke", *FOUNDRY),
        module(**options),
        module(state="restored", undo="{{ result_2.undo }}"),
        seen("spoke", *FOUNDRY),
        LIST_ZONES,
        module(state="restored", undo="{{ result_2.undo }}"),
        world=world(endpoint("lab-foundry")),
    )
    predicted, before, made, inside, spoke, again, back, after, zones, twice = outcome.results
    assert not made.get("failed"), made["msg"]
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert public(before)
    assert private(inside)
    assert private(spoke)
    assert len({line.split()[0] for line in inside["stdout_lines"]}) == 3
    assert (again["changed"], again["steps"]) == (False, [])
    assert [item["host"] for item in made["probe_targets"]] == FOUNDRY
    assert [zone["id"] for zone in made["zones"]] == list(ZONES.values())
    assert all(zone["networks"] == [APP, SPOKE] for zone in made["zones"])
    assert not back.get("failed"), back["msg"]
    assert back["changed"]
    assert public(after)
    assert zones["stdout"] == "0"
    assert not twice["changed"]
