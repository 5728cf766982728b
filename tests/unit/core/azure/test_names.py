# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of accounts: what a kind answers to, in which cloud, and where its records belong."""

from __future__ import annotations

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure import names
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

PUBLIC = names.cloud("AzureCloud")


@pytest.mark.parametrize(
    ("kind", "hosts", "zones"),
    [
        ("OpenAI", ["x.openai.azure.com"], ["privatelink.openai.azure.com"]),
        (
            "AIServices",
            ["x.cognitiveservices.azure.com", "x.openai.azure.com", "x.services.ai.azure.com"],
            [
                "privatelink.cognitiveservices.azure.com",
                "privatelink.openai.azure.com",
                "privatelink.services.ai.azure.com",
            ],
        ),
        (
            "SpeechServices",
            ["x.cognitiveservices.azure.com"],
            ["privatelink.cognitiveservices.azure.com"],
        ),
    ],
)
def test_each_kind_has_its_names_zones_and_members(
    kind: str, hosts: list[str], zones: list[str]
) -> None:
    assert list(names.hosts(kind, "X", PUBLIC).values()) == hosts
    assert list(names.zones(kind, PUBLIC).values()) == zones
    assert len(names.members(kind)) == len(hosts)
    assert [names.zone_of(host, PUBLIC) for host in hosts] == zones


def test_an_account_without_custom_subdomain_has_no_name() -> None:
    assert names.hosts("OpenAI", "", PUBLIC) == {}


@pytest.mark.parametrize(
    ("cloud", "host", "zone"),
    [
        ("AzureUSGovernment", "x.openai.azure.us", "privatelink.openai.azure.us"),
        (
            "AzureChinaCloud",
            "x.cognitiveservices.azure.cn",
            "privatelink.cognitiveservices.azure.cn",
        ),
    ],
)
def test_sovereign_clouds_have_their_own_suffixes(cloud: str, host: str, zone: str) -> None:
    where = names.cloud(cloud.lower())
    assert names.zone_of(host, where) == zone
    assert names.zone_of(host, PUBLIC) is None
    assert names.privatelink_name(host, where) == "x." + zone
    assert names.client_name(f"X.{zone}.") == host
    assert names.record_of("x." + zone, where) == "x"
    assert names.all_zones(where)[zone]


def test_an_unknown_cloud_is_refused() -> None:
    with pytest.raises(EndpointError, match="AzureUSGovernment"):
        names.cloud("AzureGermanCloud")
