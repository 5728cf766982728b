# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What resolves to what, from where."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from lab.aws import endpoint_life, sample
from lab.aws.names import resolve
from lab.aws.records import RecordSet, Zone
from lab.aws.sample import ENDPOINT, IN_SPOKE, INSIDE, OUTSIDE, SPOKE, VPC
from lab.aws.state import State
from lab.cloud import DnsAnswer, Vantage

HOST = "bedrock.us-east-1.amazonaws.com"
LAB = ipaddress.ip_network("203.0.113.0/24")


def ask(state: State, vantage: Vantage, name: str, qtype: str = "A") -> DnsAnswer:
    answer = resolve(state, vantage, name, qtype)
    assert answer is not None
    return answer


def private(state: State) -> tuple[str, ...]:
    return tuple(each.address for each in state.endpoint_interfaces(state.endpoints[ENDPOINT]))


def is_public(answer: DnsAnswer) -> bool:
    return bool(answer.addresses) and all(
        ipaddress.ip_address(each) in LAB for each in answer.addresses
    )


@pytest.mark.parametrize(
    "name",
    [
        HOST,
        "bedrock-fips.us-east-1.amazonaws.com",
        "bedrock-runtime.us-west-2.amazonaws.com",
        "bedrock-mantle.us-east-1.api.aws",
        "bedrock-agent.us-east-1.amazonaws.com",
        "bedrock-agent-runtime.us-east-1.amazonaws.com",
        "api.sagemaker.us-east-1.amazonaws.com",
        "runtime.sagemaker.us-east-1.amazonaws.com",
        "runtime-fips.sagemaker.us-east-1.amazonaws.com",
        "abc.studio.us-east-1.sagemaker.aws",
        "ec2.us-east-1.amazonaws.com",
        "ec2.us-east-1.api.aws",
        "sts.amazonaws.com",
        "sts.us-west-2.amazonaws.com",
        "route53.amazonaws.com",
        "organizations.us-east-1.amazonaws.com",
        "access-analyzer.us-east-1.amazonaws.com",
        "cloudtrail.us-east-1.amazonaws.com",
    ],
)
def test_the_public_view(name: str) -> None:
    state = sample.state()
    answer = ask(state, OUTSIDE, name)
    assert answer.status == "ok" and is_public(answer)
    assert answer == ask(state, OUTSIDE, name)
    six = ask(state, OUTSIDE, name, "AAAA")
    assert six.status == ("ok" if name.endswith("api.aws") else "nodata")


def test_unknown_names() -> None:
    state = sample.state()
    for name in (
        "bedrock.eu-north-9.amazonaws.com",
        "nothing.api.aws",
        "vpce-1.vpce.amazonaws.com",
    ):
        assert ask(state, OUTSIDE, name).status == "nxdomain"
    # No table of AWS has it, and no endpoint service names it.
    assert ask(state, OUTSIDE, "bedrock.us-east-1.api.aws").status == "nxdomain"
    for name in ("example.com", "amazonaws.com.example", "openai.azure.com"):
        assert resolve(state, OUTSIDE, name, "A") is None
        assert resolve(state, INSIDE, name, "A") is None


def test_a_dual_stack_name_exists_where_an_endpoint_service_names_it() -> None:
    name = "bedrock.us-east-1.api.aws"
    settings: dict[str, Any] = {"bedrock": {"private_dns_names": [HOST, name]}}
    regions = {"us-east-1": {**sample.WORLD["aws"]["regions"]["us-east-1"], "services": settings}}
    state = sample.state(regions=regions)
    assert is_public(ask(state, OUTSIDE, name))
    assert ask(state, INSIDE, name).addresses == private(state)
    assert ask(state, INSIDE, name, "AAAA").status == "nodata"


def test_private_dns_overrides_in_its_own_vpc_only() -> None:
    state = sample.state()
    assert ask(state, INSIDE, HOST).addresses == private(state)
    assert ask(state, INSIDE, HOST, "AAAA") == DnsAnswer("nodata", (), (), 60)
    assert ask(state, INSIDE, f"x.{HOST}").status == "nxdomain"
    assert is_public(ask(state, INSIDE, "bedrock-fips.us-east-1.amazonaws.com"))
    for elsewhere in (IN_SPOKE, OUTSIDE):
        assert is_public(ask(state, elsewhere, HOST))


@pytest.mark.parametrize("attribute", ["dns_support", "dns_hostnames"])
def test_without_the_vpcs_attributes_there_is_no_private_answer(attribute: str) -> None:
    state = sample.state()
    setattr(state.vpcs[VPC], attribute, False)
    assert is_public(ask(state, INSIDE, HOST))
    zone(state, VPC, RecordSet("inside.example", "A", 60, ["10.10.1.9"]), name="example")
    assert resolve(state, INSIDE, "inside.example", "A") is None


def test_private_dns_follows_the_endpoints_life() -> None:
    clock = sample.Clock()
    state = sample.state(clock)
    endpoint = state.endpoints[ENDPOINT]
    endpoint.private_dns_enabled = False
    endpoint_life.make_pending(state, endpoint)
    assert ask(state, INSIDE, HOST).addresses == private(state)
    clock.time += state.timing.endpoint_pending
    assert is_public(ask(state, INSIDE, HOST))
    endpoint.private_dns_enabled = True
    endpoint_life.make_available(state, endpoint)
    assert ask(state, INSIDE, HOST).addresses == private(state)
    endpoint_life.begin_delete(state, endpoint)
    assert is_public(ask(state, INSIDE, HOST))


def own_name(state: State, zone: str = "") -> str:
    endpoint = state.endpoints[ENDPOINT]
    label = f"{endpoint.id}-{endpoint.suffix}{zone and '-' + zone}"
    return f"{label}.bedrock.us-east-1.vpce.amazonaws.com"


def test_an_endpoints_own_names_resolve_everywhere_to_private_addresses() -> None:
    state = sample.state()
    names = [name for name, _ in endpoint_life.dns_entries(state, state.endpoints[ENDPOINT])]
    assert own_name(state) in names
    for vantage in (INSIDE, IN_SPOKE, OUTSIDE):
        assert ask(state, vantage, own_name(state)).addresses == private(state)
        by_zone = [ask(state, vantage, own_name(state, f"us-east-1{each}")) for each in "ab"]
        assert tuple(each.addresses[0] for each in by_zone) == private(state)
    assert ask(state, OUTSIDE, own_name(state, "us-east-1c")).status == "nxdomain"
    assert ask(state, OUTSIDE, own_name(state).replace("bedrock", "kms")).status == "nxdomain"
    endpoint_life.begin_delete(state, state.endpoints[ENDPOINT])
    assert ask(state, OUTSIDE, own_name(state)).status == "nxdomain"


def test_dotted_services_have_their_labels_in_the_hosts_order() -> None:
    service = sample.state().services["us-east-1"]["com.amazonaws.us-east-1.sagemaker.api"]
    assert service.domain == "api.sagemaker.us-east-1.vpce.amazonaws.com"


@pytest.mark.parametrize(
    ("record_type", "four", "six"),
    [
        ("ipv4", "ok", "nodata"),
        ("dualstack", "ok", "ok"),
        ("ipv6", "nodata", "ok"),
        ("service-defined", "ok", "ok"),
    ],
)
def test_records_by_address_type(record_type: str, four: str, six: str) -> None:
    state = sample.state()
    endpoint = state.endpoints[ENDPOINT]
    endpoint.ip_address_type, endpoint.dns_record_ip_type = "dualstack", record_type
    for number, interface in enumerate(state.endpoint_interfaces(endpoint)):
        interface.ipv6_address = f"2001:db8:10::{number + 1}"
    for name in (HOST, own_name(state)):
        assert ask(state, INSIDE, name).status == four
        assert ask(state, INSIDE, name, "AAAA").status == six
    if six == "ok":
        assert "2001:db8:10::2" in ask(state, INSIDE, HOST, "AAAA").addresses


def zone(state: State, vpc: str, *records: RecordSet, name: str = HOST) -> Zone:
    made = Zone(f"Z{len(state.zones)}", name, "222222222222", True, "ref", records=list(records))
    made.live_vpcs, made.live_records = (("us-east-1", vpc),), tuple(records)
    state.zones[made.id] = made
    return made


def alias(state: State, name: str = HOST, target: str = "") -> RecordSet:
    target_zone = endpoint_life.public_zone("us-east-1")
    return RecordSet(name, "A", alias_name=target or own_name(state), alias_zone_id=target_zone)


def test_a_private_zone_with_an_alias_serves_the_spoke() -> None:
    state = sample.state()
    made = zone(state, SPOKE, alias(state))
    assert ask(state, IN_SPOKE, HOST) == DnsAnswer("ok", (), private(state), 60)
    assert ask(state, IN_SPOKE, HOST, "AAAA").status == "nodata"
    assert is_public(ask(state, OUTSIDE, HOST))
    # The zone's name does not exist below its apex, whatever the public DNS says.
    assert ask(state, IN_SPOKE, f"x.{HOST}").status == "nxdomain"
    made.live_vpcs = ()
    assert is_public(ask(state, IN_SPOKE, HOST))


def test_an_alias_to_a_deleted_endpoint_is_empty() -> None:
    state = sample.state()
    zone(state, SPOKE, alias(state))
    endpoint_life.begin_delete(state, state.endpoints[ENDPOINT])
    assert ask(state, IN_SPOKE, HOST) == DnsAnswer("nodata", (), (), 60)


def test_an_alias_ignores_the_vpcs_other_zones() -> None:
    state = sample.state()
    zone(state, SPOKE, alias(state))
    zone(state, SPOKE, RecordSet(own_name(state), "A", 60, ["10.9.9.9"]), name="vpce.amazonaws.com")
    assert ask(state, IN_SPOKE, own_name(state)).addresses == ("10.9.9.9",)
    assert ask(state, IN_SPOKE, HOST).addresses == private(state)


def test_an_alias_within_its_own_zone() -> None:
    state = sample.state()
    made = zone(state, SPOKE, RecordSet("a.example", "A", 60, ["10.20.1.5"]), name="example")
    made.live_records += (
        RecordSet("b.example", "A", alias_name="a.example", alias_zone_id=made.id),
    )
    assert ask(state, IN_SPOKE, "b.example").addresses == ("10.20.1.5",)


def test_the_longest_matching_zone_answers_alone() -> None:
    state = sample.state()
    zone(
        state,
        SPOKE,
        RecordSet("s3.us-east-1.amazonaws.com", "A", 60, ["10.1.1.1"]),
        name="amazonaws.com",
    )
    # A broad zone hides every other name of the domain.
    assert ask(state, IN_SPOKE, HOST).status == "nxdomain"
    assert ask(state, IN_SPOKE, "us-east-1.amazonaws.com").status == "nodata"
    zone(state, SPOKE, alias(state))
    assert ask(state, IN_SPOKE, HOST).addresses == private(state)
    assert ask(state, INSIDE, HOST).addresses == private(state)
    zone(state, VPC, name="amazonaws.com")
    assert ask(state, INSIDE, HOST).addresses == private(state)
    assert ask(state, INSIDE, "sts.amazonaws.com").status == "nxdomain"


def test_cnames_are_followed_and_shown() -> None:
    state = sample.state()
    zone(
        state,
        SPOKE,
        RecordSet("ai.example", "CNAME", 30, [f"{own_name(state)}."]),
        RecordSet("two.example", "CNAME", 300, ["ai.example"]),
        RecordSet("gone.example", "CNAME", 300, ["nowhere.example.org"]),
        RecordSet("loop.example", "CNAME", 300, ["loop.example"]),
        name="example",
    )
    chain = (("two.example", "ai.example"), ("ai.example", own_name(state)))
    assert ask(state, IN_SPOKE, "two.example") == DnsAnswer("ok", chain, private(state), 30)
    gone = ask(state, IN_SPOKE, "gone.example")
    assert (gone.status, gone.addresses) == ("nxdomain", ())
    assert ask(state, IN_SPOKE, "loop.example").status == "nodata"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.example", ("10.0.0.1",)),
        ("x.example", ("10.0.0.9",)),
        ("x.y.example", ("10.0.0.9",)),
        ("b.a.example", ()),
        ("example", ()),
    ],
)
def test_wildcards(name: str, expected: tuple[str, ...]) -> None:
    state = sample.state()
    records = [
        RecordSet("a.example", "A", 60, ["10.0.0.1"]),
        RecordSet("*.example", "A", 60, ["10.0.0.9"]),
    ]
    zone(state, SPOKE, *records, name="example")
    assert ask(state, IN_SPOKE, name).addresses == expected


def test_a_vantage_in_an_unknown_subnet_has_the_public_view() -> None:
    state = sample.state()
    lost = sample.vantage("lost", "10.10.9.9", "subnet-0unknown")
    assert is_public(ask(state, lost, HOST))
