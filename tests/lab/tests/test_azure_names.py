# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What resolves to what, from where, in the lab's Azure."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from lab.azure import sample
from lab.azure.sample import (
    APP,
    ENDPOINT,
    FOUNDRY,
    IN_OTHER,
    IN_SPOKE,
    INSIDE,
    NETWORK,
    OPENAI,
    OTHER,
    OUTSIDE,
    SPOKE,
    Lab,
)
from lab.cloud import DnsAnswer, Vantage

HOST = "lab-openai.openai.azure.com"
ALIAS = "lab-openai.privatelink.openai.azure.com"
ZONE = f"{NETWORK}/privateDnsZones/privatelink.openai.azure.com"
PUBLIC = ipaddress.ip_network("203.0.113.0/24")


def zone(name: str = ZONE.rpartition("/")[2]) -> dict[str, Any]:
    return {"id": f"{NETWORK}/privateDnsZones/{name}", "location": "global"}


def link(network: str, policy: str = "", zone_id: str = ZONE) -> dict[str, Any]:
    properties: dict[str, Any] = {"virtualNetwork": {"id": network}, "registrationEnabled": False}
    if policy:
        properties["resolutionPolicy"] = policy
    name = network.rpartition("/")[2]
    return {
        "id": f"{zone_id}/virtualNetworkLinks/{name}",
        "location": "global",
        "properties": properties,
    }


def record(name: str, *addresses: str, zone_id: str = ZONE, cname: str = "") -> dict[str, Any]:
    if cname:
        properties: dict[str, Any] = {"ttl": 30, "cnameRecord": {"cname": cname}}
        return {"id": f"{zone_id}/CNAME/{name}", "properties": properties}
    listed = [{"ipv4Address": each} for each in addresses]
    return {"id": f"{zone_id}/A/{name}", "properties": {"ttl": 10, "aRecords": listed}}


def ask(lab: Lab, vantage: Vantage, name: str = HOST, qtype: str = "A") -> DnsAnswer:
    answer = lab.cloud.resolve(vantage, name, qtype)
    assert answer is not None
    return answer


def is_public(answer: DnsAnswer) -> bool:
    return bool(answer.addresses) and all(
        ipaddress.ip_address(each) in PUBLIC for each in answer.addresses
    )


@pytest.mark.parametrize(
    "name",
    [
        HOST,
        "lab-foundry.openai.azure.com",
        "lab-foundry.cognitiveservices.azure.com",
        "lab-foundry.services.ai.azure.com",
        "login.microsoftonline.com",
        "management.azure.com",
        "api.loganalytics.azure.com",
        "login.microsoftonline.us",
        "management.usgovcloudapi.net",
    ],
)
def test_the_public_view(name: str) -> None:
    lab = sample.lab()
    for vantage in (OUTSIDE, INSIDE):
        answer = ask(lab, vantage, name)
        assert answer.status == "ok" and is_public(answer) and answer.chain == ()
        assert answer == ask(lab, vantage, name)
    assert ask(lab, OUTSIDE, name, "AAAA").status == "nodata"


def test_names_without_an_account_do_not_exist() -> None:
    lab = sample.lab()
    for name in (
        "absent.openai.azure.com",
        "lab-openai.cognitiveservices.azure.com",
        ALIAS,
        "absent.privatelink.openai.azure.com",
        "openai.azure.com",
    ):
        assert ask(lab, OUTSIDE, name).status == "nxdomain", name
    for name in ("example.com", "bedrock.us-east-1.amazonaws.com"):
        assert lab.cloud.resolve(OUTSIDE, name, "A") is None
        assert lab.cloud.resolve(INSIDE, name, "A") is None


def test_an_endpoint_makes_the_public_name_an_alias() -> None:
    lab = sample.lab(sample.endpoint())
    for vantage in (OUTSIDE, INSIDE, IN_SPOKE):
        answer = ask(lab, vantage)
        assert answer.chain == ((HOST, ALIAS),) and is_public(answer)
    assert is_public(ask(lab, OUTSIDE, ALIAS))
    assert ask(lab, OUTSIDE, "lab-foundry.openai.azure.com").chain == ()


def test_only_an_approved_connection_makes_the_alias() -> None:
    lab = sample.lab(sample.endpoint(manual=True))
    assert ask(lab, OUTSIDE).chain == ()
    (waiting,) = lab.state.children(OPENAI, "privateEndpointConnections")
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    assert lab.arm("PUT", str(waiting.id), body)[0] == 202
    lab.later(5)
    assert ask(lab, OUTSIDE).chain == ((HOST, ALIAS),)
    assert lab.arm("DELETE", str(waiting.id))[0] == 202
    lab.later(5)
    assert ask(lab, OUTSIDE).chain == ()


def test_a_linked_zone_answers_in_its_networks_only() -> None:
    lab = sample.lab(sample.endpoint(), zone(), link(APP), record("lab-openai", "10.20.2.4"))
    expected = DnsAnswer("ok", ((HOST, ALIAS),), ("10.20.2.4",), 10)
    assert ask(lab, INSIDE) == expected
    assert ask(lab, INSIDE, HOST, "AAAA").status == "nodata"
    assert is_public(ask(lab, IN_SPOKE)) and is_public(ask(lab, OUTSIDE))
    lab.add(link(SPOKE))
    assert ask(lab, IN_SPOKE) == expected


def test_a_linked_zone_without_the_record_breaks_the_name() -> None:
    lab = sample.lab(zone(), link(APP))
    assert is_public(ask(lab, INSIDE)), "without an endpoint the public name has no alias"
    lab.add(sample.endpoint())
    assert ask(lab, INSIDE) == DnsAnswer("nxdomain", ((HOST, ALIAS),), (), 60)
    assert is_public(ask(lab, OUTSIDE))
    other = sample.endpoint(
        f"{NETWORK}/privateEndpoints/foundry", FOUNDRY, f"{OTHER}/subnets/endpoints"
    )
    lab.add(other)
    foundry = "lab-foundry.openai.azure.com"
    assert ask(lab, INSIDE, foundry).status == "nxdomain" and is_public(ask(lab, IN_OTHER, foundry))


def test_a_link_may_fall_back_to_public_dns() -> None:
    lab = sample.lab(sample.endpoint(), zone(), link(APP, "NxDomainRedirect"))
    answer = ask(lab, INSIDE)
    assert answer.chain == ((HOST, ALIAS),) and is_public(answer)
    lab.add(record("lab-openai", "10.20.2.4"))
    assert ask(lab, INSIDE).addresses == ("10.20.2.4",)


def test_the_longest_zone_wins() -> None:
    longer = f"{NETWORK}/privateDnsZones/{ALIAS}"
    lab = sample.lab(
        sample.endpoint(),
        *(zone(), link(APP), record("lab-openai", "10.20.2.4")),
        *(zone(ALIAS), link(APP, zone_id=longer), record("@", "10.20.2.9", zone_id=longer)),
    )
    assert ask(lab, INSIDE).addresses == ("10.20.2.9",)


def test_a_zone_of_the_clients_name_hides_the_public_chain() -> None:
    shadow = f"{NETWORK}/privateDnsZones/openai.azure.com"
    lab = sample.lab(
        *(zone("openai.azure.com"), link(APP, zone_id=shadow)),
        record("lab-openai", "10.20.2.7", zone_id=shadow),
    )
    assert ask(lab, INSIDE).addresses == ("10.20.2.7",)
    assert ask(lab, INSIDE, "lab-foundry.openai.azure.com").status == "nxdomain"
    assert is_public(ask(lab, INSIDE, "lab-foundry.services.ai.azure.com"))


def test_records_of_every_kind() -> None:
    own = f"{NETWORK}/privateDnsZones/corp.example"
    lab = sample.lab(
        *(zone("corp.example"), link(APP, zone_id=own)),
        record("a.deep", "10.20.2.8", "10.20.2.9", zone_id=own),
        record("*.wild", "10.20.2.10", zone_id=own),
        record("ai", zone_id=own, cname=HOST),
        record("loop", zone_id=own, cname="loop.corp.example"),
    )
    assert ask(lab, INSIDE, "a.deep.corp.example").addresses == ("10.20.2.8", "10.20.2.9")
    assert ask(lab, INSIDE, "deep.corp.example").status == "nodata"
    assert ask(lab, INSIDE, "x.y.wild.corp.example").addresses == ("10.20.2.10",)
    assert ask(lab, INSIDE, "none.corp.example").status == "nxdomain"
    assert ask(lab, INSIDE, "corp.example").status == "nodata"
    alias = ask(lab, INSIDE, "ai.corp.example")
    assert alias.chain == (("ai.corp.example", HOST),) and is_public(alias)
    assert ask(lab, INSIDE, "loop.corp.example").status == "nxdomain"
    assert lab.cloud.resolve(OUTSIDE, "ai.corp.example", "A") is None


def with_servers(*servers: str) -> dict[str, Any]:
    return {"id": APP, "properties": {"dhcpOptions": {"dnsServers": list(servers)}}}


@pytest.mark.parametrize(
    ("servers", "resolvers", "private"),
    [
        (("168.63.129.16",), [], True),
        (("10.22.1.4",), [], False),
        (("10.22.1.4",), [{"address": "10.22.1.4", "network": OTHER}], False),
        (("10.22.1.4",), [{"address": "10.22.1.4", "network": SPOKE}], True),
        (("10.9.9.9", "10.22.1.4"), [{"address": "10.22.1.4", "network": SPOKE}], True),
    ],
)
def test_custom_dns_servers(
    servers: tuple[str, ...], resolvers: list[dict[str, str]], private: bool
) -> None:
    lab = sample.lab(
        with_servers(*servers),
        *(sample.endpoint(), zone(), link(APP), link(SPOKE), record("lab-openai", "10.20.2.4")),
        resolvers=resolvers,
    )
    assert (ask(lab, INSIDE).addresses == ("10.20.2.4",)) is private


def test_a_zone_group_keeps_the_records_of_every_family() -> None:
    families = ("cognitiveservices", "openai", "services.ai")
    zones = {each: f"{NETWORK}/privateDnsZones/privatelink.{each}.azure.com" for each in families}
    group = {
        "id": f"{ENDPOINT}/privateDnsZoneGroups/default",
        "properties": {
            "privateDnsZoneConfigs": [
                {"name": each.replace(".", "-"), "properties": {"privateDnsZoneId": id}}
                for each, id in zones.items()
            ]
        },
    }
    lab = sample.lab(
        *(zone(each.rpartition("/")[2]) for each in zones.values()),
        *(link(APP, zone_id=each) for each in zones.values()),
        sample.endpoint(account_id=FOUNDRY),
        group,
    )
    found = [ask(lab, INSIDE, f"lab-foundry.{each}.azure.com") for each in families]
    assert all(len(each.addresses) == 1 and len(each.chain) == 1 for each in found)
    assert {each.addresses[0] for each in found} == {"10.20.2.4", "10.20.2.5", "10.20.2.6"}
    assert lab.arm("DELETE", ENDPOINT, version=sample.NETWORK_VERSION)[0] == 202
    lab.later(5)
    assert is_public(ask(lab, INSIDE, "lab-foundry.openai.azure.com"))
