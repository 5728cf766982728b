# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether packets arrive: routes, peerings, network ACLs and security groups, each broken by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.aws import endpoint_life, sample
from lab.aws.network import AclEntry, NetworkAcl, Peering, PrefixList, Route, Rule
from lab.aws.packets import EPHEMERAL, acl_allows, admitted, endpoint_at, next_change
from lab.aws.sample import (
    APP_GROUP,
    ENDPOINT,
    ENDPOINT_GROUP,
    IN_SPOKE,
    INSIDE,
    INSIDE_B,
    OUTSIDE,
    SPOKE,
    SPOKE_SUBNET,
    SUBNET_A,
    SUBNET_B,
    VPC,
)
from lab.aws.state import State
from lab.cloud import Vantage


def addresses(state: State) -> list[str]:
    """The endpoint's addresses in subnet A and in subnet B."""
    return [each.address for each in state.endpoint_interfaces(state.endpoints[ENDPOINT])]


def seen(state: State, vantage: Vantage) -> list[bool]:
    reached = admitted(state, vantage)
    return [each in reached for each in addresses(state)]


BOTH, NEITHER = [True, True], [False, False]


@pytest.mark.parametrize(
    ("vantage", "expected"),
    [(INSIDE, BOTH), (INSIDE_B, BOTH), (IN_SPOKE, BOTH), (OUTSIDE, NEITHER)],
)
def test_the_sample_world(vantage: Vantage, expected: list[bool]) -> None:
    assert seen(sample.state(), vantage) == expected


def rule(
    egress: bool = False, protocol: str = "tcp", ports: tuple[int, int] = (443, 443), **peer: str
) -> Rule:
    return Rule("sgr-1", egress, protocol, *ports, **peer)


def only(state: State, group: str, *rules: Rule) -> None:
    """Replace the rules of one direction (that of the first rule) of a group."""
    kept = state.security_groups[group].rules
    for key in [key for key, each in kept.items() if each.egress == rules[0].egress]:
        del kept[key]
    kept.update({f"sgr-{number}": each for number, each in enumerate(rules)})


@pytest.mark.parametrize(
    ("ingress", "inside", "spoke"),
    [
        (rule(cidr="10.10.0.0/16"), BOTH, NEITHER),
        (rule(cidr="10.10.1.10/32"), BOTH, NEITHER),
        (rule(cidr="0.0.0.0/0"), BOTH, BOTH),
        (rule(cidr="10.0.0.0/8", ports=(80, 80)), NEITHER, NEITHER),
        (rule(cidr="10.0.0.0/8", ports=(0, 65535)), BOTH, BOTH),
        (rule(cidr="10.0.0.0/8", protocol="udp"), NEITHER, NEITHER),
        (rule(cidr="10.0.0.0/8", protocol="6"), BOTH, BOTH),
        (rule(cidr="10.0.0.0/8", protocol="-1", ports=(-1, -1)), BOTH, BOTH),
        (rule(ipv6_cidr="::/0"), NEITHER, NEITHER),
        (rule(group_id=APP_GROUP), BOTH, NEITHER),
        (rule(group_id=ENDPOINT_GROUP), NEITHER, NEITHER),
        (rule(prefix_list_id="pl-1"), NEITHER, BOTH),
        (rule(prefix_list_id="pl-absent"), NEITHER, NEITHER),
    ],
)
def test_the_endpoints_groups_let_in(ingress: Rule, inside: list[bool], spoke: list[bool]) -> None:
    state = sample.state()
    state.prefix_lists["pl-1"] = PrefixList("pl-1", "spokes", "us-east-1", "1", ["10.20.0.0/16"])
    only(state, ENDPOINT_GROUP, ingress)
    assert (seen(state, INSIDE), seen(state, IN_SPOKE)) == (inside, spoke)


@pytest.mark.parametrize(
    ("egress", "expected"),
    [
        (rule(True, cidr="10.10.1.0/24"), [True, False]),
        (rule(True, group_id=ENDPOINT_GROUP), BOTH),
        (rule(True, cidr="0.0.0.0/0", ports=(80, 80)), NEITHER),
    ],
)
def test_the_clients_own_groups_let_out(egress: Rule, expected: list[bool]) -> None:
    state = sample.state()
    only(state, APP_GROUP, egress)
    assert seen(state, INSIDE) == expected
    # The endpoint's own egress says nothing: groups are stateful.
    assert not any(each.egress for each in state.security_groups[ENDPOINT_GROUP].rules.values())


def test_a_client_wears_what_its_interface_wears_now() -> None:
    state = sample.state()
    only(state, ENDPOINT_GROUP, rule(group_id=APP_GROUP))
    worn = next(each for each in state.interfaces.values() if each.address == INSIDE.address)
    worn.security_groups = [state.default_group(VPC).id]
    assert seen(state, INSIDE) == NEITHER


def test_a_vantage_is_found_by_subnet_and_address() -> None:
    # Two VPCs may use the same addresses.
    state = sample.state()
    twin = sample.vantage("twin", INSIDE.address, SPOKE_SUBNET)
    assert admitted(state, twin) == frozenset()
    lost = sample.vantage("lost", "10.10.1.99", SUBNET_A)
    assert admitted(state, lost) == frozenset()


def test_one_group_that_admits_is_enough() -> None:
    state = sample.state()
    only(state, ENDPOINT_GROUP, rule(cidr="192.0.2.0/24"))
    assert seen(state, INSIDE) == NEITHER
    for interface in state.endpoint_interfaces(state.endpoints[ENDPOINT])[:1]:
        interface.security_groups.append(state.default_group(VPC).id)
    default = state.default_group(VPC).rules
    default["sgr-x"] = rule(cidr="10.10.0.0/16")
    assert seen(state, INSIDE) == [True, False]


def acl(state: State, subnet: str, *entries: AclEntry) -> NetworkAcl:
    """Give a subnet a network ACL of its own."""
    state.network_acl_of(subnet).subnets.pop(subnet)
    made = NetworkAcl("acl-own", VPC, "1", "us-east-1", False, list(entries), {subnet: "assoc"})
    state.network_acls[made.id] = made
    return made


def entry(
    number: int,
    egress: bool,
    allow: bool = True,
    ports: tuple[int, int] | None = None,
    cidr: str = "0.0.0.0/0",
    protocol: str = "6",
) -> AclEntry:
    start, end = ports or (None, None)
    return AclEntry(number, egress, protocol, allow, cidr, "", start, end)


HTTPS, HIGH = (443, 443), (1024, 65535)
SERVER_SIDE = [
    # (ingress and egress entries of the endpoint's subnet B, whether A gets through to B)
    ([entry(100, False, ports=HTTPS), entry(100, True, ports=HIGH)], True),
    ([entry(100, False, ports=HTTPS)], False),
    ([entry(100, True, ports=HIGH)], False),
    ([entry(100, False, ports=HTTPS), entry(100, True, ports=EPHEMERAL)], True),
    ([entry(100, False, ports=HTTPS), entry(100, True, ports=(1024, 40000))], False),
    ([entry(100, False, ports=HTTPS), entry(100, True, ports=HTTPS)], False),
    ([entry(100, False, ports=HTTPS, protocol="17"), entry(100, True)], False),
    ([entry(100, False, protocol="-1"), entry(100, True, protocol="-1")], True),
    ([entry(90, False, False, HTTPS), entry(100, False), entry(100, True)], False),
    ([entry(110, False, False, HTTPS), entry(100, False), entry(100, True)], True),
    ([entry(100, False, cidr="10.10.1.0/24"), entry(100, True, cidr="10.10.1.0/24")], True),
    ([entry(100, False, cidr="10.20.0.0/16"), entry(100, True)], False),
    ([entry(90, True, False, (50000, 50000)), entry(100, True), entry(100, False)], False),
]


@pytest.mark.parametrize(("entries", "expected"), SERVER_SIDE)
def test_the_network_acl_of_the_endpoints_subnet(entries: list[AclEntry], expected: bool) -> None:
    state = sample.state()
    acl(state, SUBNET_B, *entries)
    assert seen(state, INSIDE) == [True, expected]
    # Inside one subnet no network ACL is asked.
    assert seen(state, INSIDE_B)[1]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(100, True, ports=HTTPS), entry(100, False, ports=HIGH)], True),
        ([entry(100, True, ports=HTTPS), entry(100, False, ports=HTTPS)], False),
        ([entry(100, False)], False),
        ([entry(100, True)], False),
        ([], False),
    ],
)
def test_the_network_acl_of_the_clients_subnet(entries: list[AclEntry], expected: bool) -> None:
    state = sample.state()
    acl(state, SUBNET_A, *entries)
    assert seen(state, INSIDE) == [True, expected]


RULES = st.lists(
    st.builds(
        entry,
        st.integers(1, 9),
        st.just(True),
        st.booleans(),
        st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda each: (min(each), max(each))),
    ),
    max_size=5,
    unique_by=lambda each: each.number,
)


GAP = [entry(1, True, ports=(0, 10)), entry(2, True, ports=(13, 30))]


@example(GAP, 5, 10)
@given(RULES, st.integers(0, 30), st.integers(0, 10))
def test_an_acl_allows_a_range_when_it_allows_every_port(
    entries: list[AclEntry], start: int, size: int
) -> None:
    made = NetworkAcl("acl-1", VPC, "1", "us-east-1", False, entries)

    def first(port: int) -> bool:
        for each in sorted(entries, key=lambda one: one.number):
            assert each.from_port is not None and each.to_port is not None
            if each.from_port <= port <= each.to_port:
                return each.allow
        return False

    ports = (start, start + size)
    every = all(first(port) for port in range(ports[0], ports[1] + 1))
    assert acl_allows(made, True, "10.0.0.1", ports) == every
    assert not acl_allows(made, False, "10.0.0.1", ports)


def routes(state: State, subnet: str) -> list[Route]:
    return state.route_table_of(subnet).routes


def drop_peering_route(state: State, subnet: str) -> None:
    table = state.route_table_of(subnet)
    table.routes = [each for each in table.routes if not each.target.startswith("pcx-")]


BREAKS: list[tuple[str, Callable[[State], object]]] = [
    ("no route there", lambda s: drop_peering_route(s, SPOKE_SUBNET)),
    ("no route back", lambda s: drop_peering_route(s, SUBNET_A)),
    ("peering deleted", lambda s: setattr(peering(s), "status", "deleted")),
    ("peering pending", lambda s: setattr(peering(s), "status", "pending-acceptance")),
    ("peering with another VPC", lambda s: setattr(peering(s), "requester", "vpc-0other")),
    ("blackhole", lambda s: setattr(pcx_route(s), "blackhole", True)),
    (
        "more specific elsewhere",
        lambda s: routes(s, SPOKE_SUBNET).append(Route("10.10.0.0/20", "nat-1")),
    ),
]


def peering(state: State) -> Peering:
    return next(iter(state.peerings.values()))


def pcx_route(state: State) -> Route:
    return next(each for each in routes(state, SPOKE_SUBNET) if each.target.startswith("pcx-"))


@pytest.mark.parametrize(("name", "break_it"), BREAKS)
def test_a_spoke_needs_routes_both_ways_and_an_active_peering(
    name: str, break_it: Callable[[State], object]
) -> None:
    state = sample.state()
    break_it(state)
    assert seen(state, IN_SPOKE) == NEITHER, name
    assert seen(state, INSIDE) == BOTH


def test_the_longest_prefix_wins_and_a_subnets_own_table_counts() -> None:
    state = sample.state()
    routes(state, SPOKE_SUBNET).append(Route("10.0.0.0/8", "nat-1"))
    assert seen(state, IN_SPOKE) == BOTH
    pcx_route(state).destination = "10.10.1.0/24"
    assert seen(state, IN_SPOKE) == [True, False]


def test_routes_by_prefix_list() -> None:
    state = sample.state()
    state.prefix_lists["pl-1"] = PrefixList("pl-1", "hub", "us-east-1", "1", ["10.10.2.0/24"])
    pcx_route(state).destination = "pl-1"
    assert seen(state, IN_SPOKE) == [False, True]


def test_the_endpoint_must_be_up() -> None:
    clock = sample.Clock()
    state = sample.state(clock)
    endpoint = state.endpoints[ENDPOINT]
    one, two = state.endpoint_interfaces(endpoint)
    two.live = False
    assert seen(state, INSIDE) == [True, False]
    endpoint_life.make_pending(state, endpoint)
    # What worked goes on working while a change is pending.
    assert seen(state, INSIDE) == [True, False]
    assert next_change(state) == clock.time + state.timing.endpoint_pending
    clock.time += state.timing.endpoint_pending
    assert seen(state, INSIDE) == BOTH
    assert next_change(state) is None
    endpoint_life.begin_delete(state, endpoint)
    assert admitted(state, INSIDE) == frozenset()
    assert endpoint_at(state, one.address) is None


def test_other_interfaces_are_not_reached() -> None:
    state = sample.state()
    assert admitted(state, INSIDE) == frozenset(addresses(state))
    assert state.vpcs[SPOKE].id == SPOKE
    assert endpoint_at(state, INSIDE.address) is None
    found = endpoint_at(state, addresses(state)[1])
    assert found is not None and found.id == ENDPOINT
