# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the create phase, applied to a small model of EC2's rules, converges in one run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws import (
    plan_create,
    plan_create_steps,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.catalogue import (
    requested,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.endpoint_policy import (
    FULL_ACCESS,
    Admission,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_create_types import (
    MANAGED_TAG,
    ChangeEndpoint,
    ChangeGroup,
    CreateEndpoint,
    CreateGroup,
    Desired,
    Endpoint,
    ManagedGroup,
    Observed,
    Offer,
    Subnet,
    TagChange,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.security_group import (
    Group,
    Rule,
    https_from,
    permissions,
    rules_of,
)

REGION = "us-east-1"
VPC = "vpc-1"
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"
MANAGEMENT = "com.amazonaws.us-east-1.bedrock"
ZONES = ("a", "b", "c")
# Two subnets in each zone; the second of each also has IPv6.
SUBNETS = {
    f"subnet-{zone}{number}": Subnet(
        id=f"subnet-{zone}{number}", zone=zone, ipv4=True, ipv6=number == 2, owner_id="222222222222"
    )
    for zone in ZONES
    for number in (1, 2)
}
GROUPS = ("sg-1", "sg-2", "sg-3")
OTHER_POLICY = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}
OFFERS = {
    name: Offer(
        name=name,
        zones=frozenset(zones),
        policy_supported=True,
        ip_address_types=frozenset({"ipv4", "dualstack"}),
        private_dns_names=(name,),
    )
    for name, zones in ((MANAGEMENT, "abc"), (RUNTIME, "ab"))
}

tags = st.dictionaries(st.sampled_from(["team", "env", "Name"]), st.sampled_from("xyz"), max_size=3)


@st.composite
def endpoints(draw: st.DrawFn, service: str) -> Endpoint:
    kind = draw(st.sampled_from(["ipv4", "dualstack"]))
    numbers = [1, 2] if kind == "ipv4" else [2]
    zones = draw(st.sets(st.sampled_from(sorted(OFFERS[service].zones)), min_size=1))
    records = ["ipv4"] if kind == "ipv4" else ["ipv4", "dualstack"]
    managed = {MANAGED_TAG: "true"} if draw(st.booleans()) else {}
    return Endpoint(
        id="vpce-" + service.rsplit(".", 1)[1],
        service=service,
        state="available",
        owner_id="222222222222",
        subnet_ids=frozenset(f"subnet-{z}{draw(st.sampled_from(numbers))}" for z in zones),
        security_group_ids=frozenset(draw(st.sets(st.sampled_from(GROUPS), min_size=1))),
        private_dns=draw(st.booleans()),
        ip_address_type=kind,
        dns_record_ip_type=draw(st.sampled_from(records)),
        policy=draw(st.sampled_from([dict(FULL_ACCESS), OTHER_POLICY, None])),
        tags={**draw(tags), **managed, "aws:made": "by"},
        created_at="2026-01-01T00:00:00Z",
    )


def world(*present: Endpoint, groups: tuple[Group, ...] = ()) -> Observed:
    used = {name: SUBNETS[name].zone for item in present for name in item.subnet_ids}
    return Observed(
        vpc_id=VPC,
        region=REGION,
        subnets=SUBNETS,
        offers=OFFERS,
        endpoints=present,
        groups=groups,
        zones_of_used=used,
    )


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    names = draw(st.sets(st.sampled_from([MANAGEMENT, RUNTIME])))
    return world(*(draw(endpoints(name)) for name in sorted(names)))


@st.composite
def wishes(draw: st.DrawFn) -> Desired:
    """What preflight would let through: one subnet per zone, with IPv6 where it is asked for."""
    kind = draw(st.sampled_from([None, "ipv4", "dualstack"]))
    zones = draw(st.sets(st.sampled_from(["b", "c"]))) | {"a"}
    # A dual-stack endpoint that keeps its type only takes subnets with IPv6.
    number = {"ipv4": st.sampled_from([1, 2])}.get(str(kind), st.just(2))
    subnets = tuple(sorted(f"subnet-{zone}{draw(number)}" for zone in zones))
    with_subnets = kind == "dualstack" or draw(st.booleans())
    policy_kind = draw(st.sampled_from(["generated", "custom", "full", "keep"]))
    return Desired(
        vpc_id=VPC,
        services=tuple(requested(draw(st.sampled_from([["bedrock"], [RUNTIME]])), REGION)),
        subnet_ids=subnets if with_subnets else None,
        subnets_filtered=False,
        security_group_ids=draw(st.sampled_from([None, ("sg-1",), ("sg-2", "sg-3")])),
        group=None,
        private_dns=draw(st.sampled_from(["enabled", "disabled", "keep"])),
        ip_address_type=kind,
        policy_kind=policy_kind,
        policy=OTHER_POLICY if policy_kind == "custom" else None,
        admission=Admission(organization_id="o-1"),
        tags=draw(st.one_of(st.none(), tags)),
        purge_tags=draw(st.booleans()),
    )


def plan(desired: Desired, observed: Observed) -> list[Any]:
    goals = plan_create.goals(desired, observed, desired.security_group_ids)
    return plan_create.plan(goals, observed)


def retagged(present: Mapping[str, str], change: TagChange | None) -> dict[str, str]:
    if change is None:
        return dict(present)
    assert not any(key.startswith("aws:") for key in (*change.set, *change.remove))
    left = {key: value for key, value in present.items() if key not in change.remove}
    return {**left, **change.set}


def modified(endpoint: Endpoint, request: Mapping[str, Any]) -> Endpoint:
    """ModifyVpcEndpoint as EC2 does it: everything is checked against what stands before the request."""
    kind = request.get("IpAddressType", endpoint.ip_address_type)
    if kind == "dualstack" != endpoint.ip_address_type:
        assert all(SUBNETS[name].ipv6 for name in endpoint.subnet_ids)
    taken = {SUBNETS[name].zone for name in endpoint.subnet_ids}
    for name in request.get("AddSubnetIds", ()):
        assert SUBNETS[name].zone not in taken, "DuplicateSubnetsInSameZone"
        assert endpoint.ip_address_type == "ipv4" or SUBNETS[name].ipv6
        taken.add(SUBNETS[name].zone)
    assert set(request.get("RemoveSubnetIds", ())) <= endpoint.subnet_ids
    policy = endpoint.policy
    if request.get("ResetPolicy"):
        assert "PolicyDocument" not in request
        policy = dict(FULL_ACCESS)
    elif "PolicyDocument" in request:
        policy = json.loads(json.dumps(request["PolicyDocument"]))
    return replace(
        endpoint,
        subnet_ids=(endpoint.subnet_ids - set(request.get("RemoveSubnetIds", ())))
        | set(request.get("AddSubnetIds", ())),
        security_group_ids=(
            endpoint.security_group_ids - set(request.get("RemoveSecurityGroupIds", ()))
        )
        | set(request.get("AddSecurityGroupIds", ())),
        private_dns=request.get("PrivateDnsEnabled", endpoint.private_dns),
        ip_address_type=kind,
        dns_record_ip_type=request.get("DnsOptions", {}).get(
            "DnsRecordIpType", endpoint.dns_record_ip_type
        ),
        policy=policy,
    )


def applied(observed: Observed, changes: list[Any]) -> Observed:
    present = {item.id: item for item in observed.endpoints}
    for change in changes:
        if isinstance(change, ChangeEndpoint):
            endpoint = present[change.endpoint_id]
            for request in (change.first, change.then):
                if request:
                    endpoint = modified(endpoint, request)
            present[endpoint.id] = replace(endpoint, tags=retagged(endpoint.tags, change.tags))
        else:
            assert isinstance(change, CreateEndpoint)
            wanted = plan_create.new_attributes(change.goal)
            kind = wanted.get("ip_address_type", "ipv4")
            made = Endpoint(
                id="vpce-new-" + change.goal.short,
                service=change.goal.service,
                state="available",
                owner_id="222222222222",
                subnet_ids=frozenset(wanted["subnet_ids"]),
                security_group_ids=frozenset(wanted["security_group_ids"]),
                private_dns=wanted["private_dns_enabled"],
                ip_address_type=kind,
                dns_record_ip_type=wanted.get("dns_record_ip_type", kind),
                policy=json.loads(json.dumps(wanted["policy"])),
                tags=wanted["tags"],
                created_at="2026-01-02T00:00:00Z",
            )
            present[made.id] = made
    return world(*present.values(), groups=observed.groups)


@given(wishes(), worlds())
def test_one_run_converges(desired: Desired, observed: Observed) -> None:
    changes = plan(desired, observed)
    after = applied(observed, changes)
    assert plan(desired, after) == []


@given(wishes(), worlds())
def test_what_a_step_says_is_what_happens(desired: Desired, observed: Observed) -> None:
    changes = plan(desired, observed)
    after = applied(observed, changes)
    for change in changes:
        if not isinstance(change, ChangeEndpoint):
            continue
        (step,) = plan_create_steps.steps(VPC, [change])
        (then,) = (item for item in after.endpoints if item.id == change.endpoint_id)
        shown = {
            "subnet_ids": sorted(then.subnet_ids),
            "security_group_ids": sorted(then.security_group_ids),
            "private_dns_enabled": then.private_dns,
            "ip_address_type": then.ip_address_type,
            "dns_record_ip_type": then.dns_record_ip_type,
            "policy": then.policy,
            "tags": dict(then.tags),
        }
        assert step.after == {key: shown[key] for key in step.after}
        assert step.before.keys() == step.after.keys()
        assert all(step.before[key] != step.after[key] for key in step.after)


@given(worlds())
def test_an_option_left_out_changes_nothing(observed: Observed) -> None:
    desired = Desired(
        vpc_id=VPC,
        services=tuple(requested(["bedrock"], REGION)),
        subnet_ids=None,
        subnets_filtered=False,
        security_group_ids=None,
        group=None,
        private_dns="keep",
        ip_address_type=None,
        policy_kind="keep",
        policy=None,
        admission=Admission(),
        tags=None,
        purge_tags=True,
    )
    assert not [item for item in plan(desired, observed) if isinstance(item, ChangeEndpoint)]


@given(wishes(), worlds())
def test_only_what_this_collection_makes_is_marked(desired: Desired, observed: Observed) -> None:
    before = {item.id: item.managed for item in observed.endpoints}
    for endpoint in applied(observed, plan(desired, observed)).endpoints:
        assert endpoint.managed == before.get(endpoint.id, True)
        if endpoint.id in before:
            assert endpoint.tags["aws:made"] == "by"


rules = st.builds(
    Rule,
    protocol=st.just("tcp"),
    from_port=st.sampled_from([22, 443]),
    to_port=st.just(443),
    kind=st.just("cidr"),
    source=st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"]),
)


@given(
    st.frozensets(rules),
    st.lists(st.sampled_from(["10.1.0.0/16", "10.1.2.3/16", "fd00::/8"]), min_size=1),
    st.one_of(st.none(), tags),
    tags,
)
def test_the_managed_group_admits_exactly_its_sources(
    present: frozenset[Rule],
    cidrs: list[str],
    wanted: dict[str, str] | None,
    worn: dict[str, str],
) -> None:
    group = ManagedGroup(name="g", rules=https_from(cidrs, ["sg-12345678"]))
    base = replace(_plain(), group=group, tags=wanted)
    standing = Group(
        id="sg-1", name="g", vpc_id=VPC, tags={**worn, MANAGED_TAG: "true"}, rules=present
    )
    (change,) = plan_create.plan_group(base, world(groups=(standing,))) or [None]
    if change is None:
        assert standing.rules == group.rules
        return
    assert isinstance(change, ChangeGroup)
    after = replace(standing, rules=change.group.rules, tags=retagged(standing.tags, change.tags))
    assert plan_create.plan_group(base, world(groups=(after,))) == []
    assert MANAGED_TAG in after.tags
    assert rules_of(permissions(after.rules, {})) == after.rules
    assert {rule.to_port for rule in after.rules} == {443}


def test_a_missing_group_is_made_with_its_mark() -> None:
    group = ManagedGroup(name="g", rules=https_from(["10.0.0.0/8"], []))
    (change,) = plan_create.plan_group(replace(_plain(), group=group), world())
    assert isinstance(change, CreateGroup)
    assert change.tags == {MANAGED_TAG: "true"}


def test_a_subnet_swap_inside_a_zone_takes_two_requests() -> None:
    endpoint = _runtime(subnet_ids=frozenset({"subnet-a1", "subnet-b1"}))
    desired = replace(_plain(), subnet_ids=("subnet-a2", "subnet-b1"))
    (change,) = plan(desired, world(endpoint))
    assert change.first == {"RemoveSubnetIds": ["subnet-a1"]}
    assert change.then == {"AddSubnetIds": ["subnet-a2"]}


def test_subnets_move_to_another_zone_in_one_request() -> None:
    endpoint = _runtime(subnet_ids=frozenset({"subnet-a1"}))
    (change,) = plan(replace(_plain(), subnet_ids=("subnet-b1",)), world(endpoint))
    assert change.first == {"RemoveSubnetIds": ["subnet-a1"], "AddSubnetIds": ["subnet-b1"]}
    assert change.then == {}


def test_a_zone_without_the_service_is_left_out() -> None:
    desired = replace(_plain(), subnet_ids=("subnet-a1", "subnet-c1"))
    assert plan_create.chosen_subnets(desired, world(), RUNTIME) == {"subnet-a1"}
    assert plan_create.left_out(desired, world(), RUNTIME) == ["subnet-c1"]


def test_a_filter_keeps_the_subnets_in_use() -> None:
    endpoint = _runtime(subnet_ids=frozenset({"subnet-a2"}))
    desired = replace(_plain(), subnets_filtered=True)
    found = plan_create.chosen_subnets(desired, world(endpoint), RUNTIME)
    assert found == {"subnet-a2", "subnet-b1"}


def test_a_policy_without_names_admits_the_account_of_the_vpc() -> None:
    desired = replace(
        _plain(), policy_kind="generated", admission=Admission(), subnet_ids=("subnet-a1",)
    )
    (change,) = plan(desired, world())
    for statement in plan_create.new_attributes(change.goal)["policy"]["Statement"]:
        assert statement["Condition"] == {
            "StringEquals": {"aws:PrincipalAccount": ["222222222222"]}
        }


def test_the_endpoint_to_keep_works_and_is_ours() -> None:
    ours = _runtime(id="vpce-3", tags={MANAGED_TAG: "true"})
    failed = _runtime(id="vpce-1", tags={MANAGED_TAG: "true"}, state="failed")
    going = _runtime(id="vpce-0", tags={MANAGED_TAG: "true"}, state="deleting")
    named = _runtime(id="vpce-2", private_dns=True)
    found = world(named, failed, going, ours).live(RUNTIME)
    assert [item.id for item in found] == ["vpce-3", "vpce-2", "vpce-1"]


@given(worlds(), st.booleans())
def test_absent_takes_only_what_was_made_here_unless_forced(
    observed: Observed, force: bool
) -> None:
    changes, staying = plan_create_steps.plan_absent(
        observed, [RUNTIME], group_name="g", force=force
    )
    gone = [item.endpoint for item in changes]
    assert all(item.service == RUNTIME and (item.managed or force) for item in gone)
    assert all(not item.managed for item in staying)
    assert len(gone) + len(staying) == len(observed.live(RUNTIME))


def test_absent_without_services_never_takes_what_others_made() -> None:
    observed = world(_runtime(), _runtime(id="vpce-2", tags={MANAGED_TAG: "true"}))
    changes, staying = plan_create_steps.plan_absent(observed, None, group_name="g", force=True)
    assert [item.endpoint.id for item in changes] == ["vpce-2"]
    assert staying == []


def test_the_group_stays_while_an_endpoint_wears_it() -> None:
    group = Group(id="sg-1", name="g", vpc_id=VPC, tags={MANAGED_TAG: "true"}, rules=frozenset())
    ours = _runtime(tags={MANAGED_TAG: "true"})
    other = _runtime(id="vpce-2", service=MANAGEMENT)
    with_other, _ = plan_create_steps.plan_absent(
        world(ours, other, groups=(group,)), None, group_name="g", force=False
    )
    alone, _ = plan_create_steps.plan_absent(
        world(ours, groups=(group,)), None, group_name="g", force=False
    )
    assert len(with_other) == 1
    assert len(alone) == 2


def test_one_token_per_service_and_vpc() -> None:
    one = plan_create.client_token(VPC, RUNTIME, 0)
    assert one == plan_create.client_token(VPC, RUNTIME, 0)
    assert len({one, *(plan_create.client_token(VPC, RUNTIME, n) for n in (1, 2))}) == 3
    assert one != plan_create.client_token(VPC, MANAGEMENT, 0)
    assert len(one) <= 64


def _plain() -> Desired:
    return Desired(
        vpc_id=VPC,
        services=tuple(requested([RUNTIME], REGION)),
        subnet_ids=None,
        subnets_filtered=False,
        security_group_ids=None,
        group=None,
        private_dns="keep",
        ip_address_type=None,
        policy_kind="keep",
        policy=None,
        admission=Admission(organization_id="o-1"),
        tags=None,
        purge_tags=True,
    )


def _runtime(**values: Any) -> Endpoint:
    base = Endpoint(
        id="vpce-1",
        service=RUNTIME,
        state="available",
        owner_id="222222222222",
        subnet_ids=frozenset({"subnet-a1"}),
        security_group_ids=frozenset({"sg-1"}),
        private_dns=False,
        ip_address_type="ipv4",
        dns_record_ip_type="ipv4",
        policy=dict(FULL_ACCESS),
        tags={},
        created_at="2026-01-01T00:00:00Z",
    )
    return replace(base, **values)
