# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe targets: client names only, each with the addresses of its own member."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.probe_targets import (
    of_evidence,
    probe_targets,
)

ACCOUNT = (
    "/subscriptions/5c/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-foundry"
)
NETWORK = (
    "/subscriptions/5a/resourceGroups/app-network/providers/Microsoft.Network/virtualNetworks/app"
)


def member(address: str, *fqdns: str) -> dict[str, Any]:
    return {"member": "default", "group_id": "account", "fqdns": list(fqdns), "address": address}


def endpoint(*members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    connection = {
        "account_id": ACCOUNT.upper(),
        "status": "Approved",
        **changes.pop("connection", {}),
    }
    return {
        "id": "pe",
        "network_id": NETWORK.lower(),
        "members": list(members),
        "connection": connection,
        **changes,
    }


FOUNDRY = endpoint(
    member("10.20.2.4", "lab-foundry.cognitiveservices.azure.com"),
    member("10.20.2.5", "Lab-Foundry.privatelink.openai.azure.com."),
    member("10.20.2.6", "lab-foundry.services.ai.azure.com"),
)


def test_three_names_have_three_addresses_and_are_asked_without_credentials() -> None:
    found = probe_targets("foundry", [FOUNDRY])
    assert [(item.host, item.service, item.addresses) for item in found] == [
        ("lab-foundry.cognitiveservices.azure.com", "cognitiveservices", ["10.20.2.4"]),
        ("lab-foundry.openai.azure.com", "openai", ["10.20.2.5"]),
        ("lab-foundry.services.ai.azure.com", "services.ai", ["10.20.2.6"]),
    ]
    assert {(item.cloud, item.target, item.plane, item.port) for item in found} == {
        ("azure", "foundry", "runtime", 443)
    }
    assert all(item.probe_action and "auth" not in item.probe_action for item in found)


@pytest.mark.parametrize("suffix", ["azure.us", "azure.cn"])
def test_other_clouds_have_other_suffixes(suffix: str) -> None:
    (found,) = probe_targets("x", [endpoint(member("10.0.0.4", f"a.openai.{suffix}"))])
    assert (found.host, found.service) == (f"a.openai.{suffix}", "openai")


def test_a_second_endpoint_adds_its_address_and_a_strange_name_is_left_out() -> None:
    more = endpoint(member("10.21.2.4", "lab-foundry.openai.azure.com", "vault.example.net"))
    found = {item.host: item.addresses for item in probe_targets("foundry", [FOUNDRY, more])}
    assert found["lab-foundry.openai.azure.com"] == ["10.20.2.5", "10.21.2.4"]
    assert "vault.example.net" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {"connection": {"status": "Pending"}},
        {"connection": {"account_id": ACCOUNT + "-other"}},
        {"network_id": NETWORK + "-other"},
    ],
)
def test_only_an_approved_endpoint_of_this_account_in_this_network_counts(
    changes: dict[str, Any],
) -> None:
    document = {
        "target": "foundry",
        "peerings": [],
        "account": {"id": ACCOUNT, "hosts": ["lab-foundry.openai.azure.com"]},
        "network": {"id": NETWORK},
        "endpoints": [FOUNDRY],
    }
    assert len(of_evidence(document)) == 3
    (only,) = of_evidence(
        {**document, "endpoints": [{**endpoint(**changes), "members": FOUNDRY["members"]}]}
    )
    assert (only.host, only.addresses) == ("lab-foundry.openai.azure.com", [])
