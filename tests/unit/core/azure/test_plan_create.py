# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the create phase, applied to a small model of Azure's rules, converges in one run."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure import (
    names,
    plan_create,
    plan_create_report,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.arm_id import (
    ArmId,
    same,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_create_permissions import (
    allows,
    needed,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_create_problems import (
    problems,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_create_request import (
    desired as read_options,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_create_rules import (
    Rule,
    before_ours,
    own,
    rule_names,
    wanted,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_create_types import (
    LINKED_TAG,
    MANAGED_TAG,
    POLICIES,
    Account,
    Approve,
    AttachZones,
    ChangeEndpoint,
    ChangeRules,
    ChangeSubnet,
    Connection,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
    Desired,
    Endpoint,
    Group,
    LinkedZone,
    Member,
    Observed,
    Subnet,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

APP = "/subscriptions/a/resourceGroups/net/providers/Microsoft.Network"
SUBNET = f"{APP}/virtualNetworks/app/subnets/endpoints"
ACCOUNT = "/subscriptions/c/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/x"
ENDPOINT = f"{APP}/privateEndpoints/pe-x-app"
GROUP = f"{APP}/networkSecurityGroups/shared"
TABLE, GATEWAY = f"{APP}/routeTables/app", f"{APP}/natGateways/app"
PUBLIC = names.cloud("AzureCloud")
OPTIONS: dict[str, Any] = {
    "account_id": ACCOUNT,
    "resource_group": None,
    "subnet_id": SUBNET,
    "endpoint_name": None,
    "endpoint_resource_group": None,
    "location": None,
    "tags": None,
    "purge_tags": True,
    "subnet_policies": None,
    "allowed_cidrs": None,
    "security_group_name": None,
    "rule_priority": 100,
    "approval": "automatic",
    "approval_message": None,
    "static_addresses": None,
    "linked_zones": "zone_group",
    "dns_zone_ids": None,
}

tags = st.dictionaries(st.sampled_from(["team", "env", "Name"]), st.sampled_from("xyz"), max_size=3)
statuses = st.sampled_from(["Approved", "Pending"])


def wish(**options: Any) -> Desired:
    return read_options({**OPTIONS, **options}, subscription_id="s")


def account(kind: str = "OpenAI", *connections: Connection) -> Account:
    return Account(
        id=ACCOUNT,
        name="x",
        kind=kind,
        location="swedencentral",
        subdomain="x",
        state="Succeeded",
        public_access="Enabled",
        connections=connections,
    )


def subnet(policies: str = "Disabled", group_id: str = "", **more: Any) -> Subnet:
    fields: dict[str, Any] = {
        "id": SUBNET,
        "prefixes": ("10.0.0.0/24",),
        "policies": policies,
        "group_id": group_id,
        "delegations": (),
        "endpoint_ids": (),
        "used": 0,
        "others": 0,
        "state": "Succeeded",
        "route_table_id": TABLE,
        "nat_gateway_id": GATEWAY,
    }
    return Subnet(**{**fields, **more})


def endpoint(kind: str = "OpenAI", **more: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "id": ENDPOINT,
        "name": "pe-x-app",
        "location": "eastus",
        "tags": {},
        "subnet_id": SUBNET,
        "account_id": ACCOUNT,
        "state": "Succeeded",
        "status": "Approved",
        "description": "",
        "manual": False,
        "message": "",
        "nic_id": f"{APP}/networkInterfaces/nic",
        "zoned": False,
        "members": tuple(
            Member(name=name, group="account", address=f"10.0.0.{number + 4}", fqdns=(host,))
            for number, (name, host) in enumerate(
                zip(names.members(kind), names.hosts(kind, "x", PUBLIC).values(), strict=True)
            )
        ),
    }
    return Endpoint(**{**fields, **more})


def connected(present: Endpoint) -> Connection:
    return Connection(
        id=f"{ACCOUNT}/privateEndpointConnections/one",
        endpoint_id=present.id,
        status=present.status,
        description="",
        actions_required="",
    )


foreign_rules = st.builds(
    Rule,
    name=st.sampled_from(["ssh", "all", "mine"]),
    priority=st.sampled_from([100, 101, 102, 300, 4096]),
    direction=st.sampled_from(["Inbound", "Outbound"]),
    access=st.sampled_from(["Allow", "Deny"]),
    protocol=st.sampled_from(["Tcp", "*"]),
    sources=st.just(("*",)),
    destinations=st.sampled_from([("*",), ("10.0.0.0/24",), ("10.9.0.0/24",)]),
    ports=st.sampled_from([("443",), ("*",), ("22",), ("400-500",)]),
)


@st.composite
def groups(draw: st.DrawFn, endpoint_id: str = ENDPOINT) -> Group | None:
    if draw(st.booleans()):
        return None
    rules = draw(
        st.lists(foreign_rules, max_size=3, unique_by=(lambda r: r.name, lambda r: r.priority))
    )
    if draw(st.booleans()):
        mine = wanted(ArmId.parse(endpoint_id), ["10.7.0.0/16"], ["10.0.0.9"], rules, 100)
        rules += mine[: draw(st.integers(1, 2))]
    return Group(
        id=GROUP,
        name="shared",
        tags=draw(st.sampled_from([{}, {MANAGED_TAG: "true"}])),
        rules=tuple(rules),
        subnet_ids=(SUBNET,),
        interface_ids=(),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Observed:
    kind = draw(st.sampled_from(["OpenAI", "AIServices", "FormRecognizer"]))
    present = None
    if draw(st.booleans()):
        marks = draw(
            st.sampled_from([{}, {MANAGED_TAG: "true"}, {MANAGED_TAG: "true", LINKED_TAG: "true"}])
        )
        present = endpoint(
            kind,
            tags={**draw(tags), **marks},
            status=draw(statuses),
            state=draw(st.sampled_from(["Succeeded", "Succeeded", "Failed"])),
            zoned=draw(st.booleans()),
        )
    group = draw(groups())
    zones = tuple(
        LinkedZone(
            id=f"/subscriptions/b/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/{name}",
            name=name,
        )
        for name in names.zones(kind, PUBLIC).values()
    )
    return Observed(
        account=account(kind, *([connected(present)] if present else [])),
        subnet=subnet(draw(st.sampled_from(sorted(POLICIES))), group.id if group else ""),
        endpoint=present,
        group=group,
        location="eastus",
        zones=draw(st.sampled_from([(), zones])),
    )


@st.composite
def wishes(draw: st.DrawFn) -> Desired:
    cidrs = st.lists(st.sampled_from(["10.1.0.0/16", "10.2.3.0/24", "10.4.5.6"]), min_size=1)
    return wish(
        tags=draw(st.one_of(st.none(), tags)),
        purge_tags=draw(st.booleans()),
        allowed_cidrs=draw(st.one_of(st.none(), st.just([]), cidrs)),
        subnet_policies=draw(st.sampled_from([None, "Enabled", "NetworkSecurityGroupEnabled"])),
        approval=draw(st.sampled_from(["automatic", "manual"])),
        linked_zones=draw(st.sampled_from(["zone_group", "none"])),
        rule_priority=draw(st.sampled_from([100, 2000, 4095])),
    )


def applied(observed: Observed, changes: Sequence[Any]) -> Observed:
    """Azure, as far as these changes go: priorities are unique, a subnet PUT is whole, an endpoint gets addresses."""
    for change in changes:
        present, group, net, owner = (
            observed.endpoint,
            observed.group,
            observed.subnet,
            observed.account,
        )
        assert owner is not None and net is not None
        if isinstance(change, CreateEndpoint):
            manual = change.desired.approval == "manual"
            made = endpoint(
                owner.kind, tags=dict(change.tags), status="Pending" if manual else "Approved"
            )
            observed = replace(
                observed,
                endpoint=made,
                account=replace(owner, connections=(*owner.connections, connected(made))),
            )
        elif isinstance(change, ChangeEndpoint):
            assert present is not None
            worn = dict(change.tags.after) if change.tags else present.tags
            state = "Succeeded" if change.repair else present.state
            observed = replace(observed, endpoint=replace(present, tags=worn, state=state))
        elif isinstance(change, Approve):
            assert present is not None
            approved = tuple(replace(item, status="Approved") for item in owner.connections)
            observed = replace(
                observed,
                endpoint=replace(present, status="Approved"),
                account=replace(owner, connections=approved),
            )
        elif isinstance(change, AttachZones):
            assert present is not None and same(change.endpoint_id, present.id)
            observed = replace(observed, endpoint=replace(present, zoned=True))
        elif isinstance(change, CreateGroup):
            assert group is None and change.location
            made_group = Group(
                id=str(change.id),
                name=change.id.name,
                tags=change.tags,
                rules=(),
                subnet_ids=(),
                interface_ids=(),
            )
            observed = replace(observed, group=made_group)
        elif isinstance(change, ChangeRules):
            assert group is not None and same(group.id, change.group_id)
            rules = {item.name: item for item in group.rules}
            for rule in change.set:
                taken = {
                    (item.priority, item.direction)
                    for name, item in rules.items()
                    if name != rule.name
                }
                assert (rule.priority, rule.direction) not in taken, "SecurityRuleConflict"
                rules[rule.name] = rule
            for rule in change.delete:
                del rules[rule.name]
            observed = replace(observed, group=replace(group, rules=tuple(rules.values())))
        elif isinstance(change, ChangeSubnet):
            policies = net.policies if change.policies is None else change.policies
            assert POLICIES[net.policies] <= POLICIES[policies], "weakened"
            group_id = net.group_id if change.group_id is None else change.group_id
            observed = replace(
                observed,
                subnet=replace(net, policies=policies, group_id=group_id),
                group=replace(group, subnet_ids=(SUBNET,)) if group and group_id else group,
            )
    return observed


def all_of(desired: Desired, observed: Observed) -> tuple[Observed, list[Any]]:
    """One run: the endpoint first, then what needs its addresses, as the module does it."""
    changes = plan_create.plan(desired, observed)
    first = [item for item in changes if not isinstance(item, (ChangeRules, ChangeSubnet))]
    after = applied(observed, first)
    again = replace(observed, endpoint=after.endpoint)
    later = [
        item
        for item in plan_create.plan(desired, again)
        if isinstance(item, (ChangeRules, ChangeSubnet))
    ]
    return applied(after, later), [*first, *later]


@given(wishes(), worlds())
def test_one_run_converges(desired: Desired, observed: Observed) -> None:
    after, _changes = all_of(desired, observed)
    # Zones are only looked for while the endpoint lacks them.
    assert plan_create.plan(desired, after) == []


@given(wishes(), worlds())
def test_the_prediction_has_the_shape_of_what_happens(desired: Desired, observed: Observed) -> None:
    predicted = plan_create_report.steps(plan_create.plan(desired, observed))
    _after, changes = all_of(desired, observed)
    happened = plan_create_report.steps(changes)

    def shape(steps: Sequence[Any]) -> set[tuple[str, str, str]]:
        return {(s.resource, s.action, name) for s in steps for name in (*s.after, "")}

    assert shape(predicted) == shape(happened)
    assert all(s.action == "create" or s.before != s.after for s in happened)


@given(wishes(), worlds())
def test_nothing_of_others_is_touched(desired: Desired, observed: Observed) -> None:
    after, _changes = all_of(desired, observed)
    assert after.endpoint is not None
    before = observed.endpoint
    if before:
        assert after.endpoint.managed == before.managed
        if desired.tags is None or not desired.purge_tags:
            assert set(before.tags) <= set(after.endpoint.tags)
    mine = set(rule_names(ArmId.parse(ENDPOINT)))
    if observed.group and after.group:
        kept = [item for item in observed.group.rules if item.name not in mine]
        assert [item for item in after.group.rules if item.name not in mine] == kept
    for rule in own(ArmId.parse(ENDPOINT), after.group.rules if after.group else ()):
        if desired.cidrs is not None:
            assert set(rule.destinations) == set(after.endpoint.addresses)


@given(wishes(), worlds())
def test_the_managed_rules_admit_exactly_the_networks(desired: Desired, observed: Observed) -> None:
    after, _changes = all_of(desired, observed)
    rules = own(ArmId.parse(ENDPOINT), after.group.rules if after.group else ())
    if desired.cidrs is None:
        return
    if not desired.cidrs:
        assert rules == []
        return
    allow, deny = sorted(rules, key=lambda item: item.priority)
    assert (allow.access, deny.access) == ("Allow", "Deny")
    assert {ipaddress.ip_network(item) for item in allow.sources} == {
        ipaddress.ip_network(item) for item in desired.cidrs
    }
    assert allow.ports == ("443",) and deny.ports == deny.sources == ("*",)
    assert after.subnet and same(after.subnet.group_id, after.group.id if after.group else "")


@given(worlds())
def test_an_option_left_out_changes_nothing(observed: Observed) -> None:
    if observed.endpoint:
        observed = replace(observed, endpoint=replace(observed.endpoint, state="Succeeded"))
    changes = plan_create.plan(wish(approval="manual", linked_zones="none"), observed)
    assert all(isinstance(item, CreateEndpoint) for item in changes)
    assert bool(changes) == (observed.endpoint is None)


@given(wishes(), worlds(), st.booleans())
def test_absent_removes_what_present_made_and_no_more(
    desired: Desired, observed: Observed, force: bool
) -> None:
    after, _changes = all_of(desired, observed)
    changes, staying = plan_create.plan_absent(desired, after, force=force)
    assert after.endpoint is not None
    kinds = {type(item) for item in changes}
    gone = DeleteEndpoint in kinds
    assert gone == (after.endpoint.managed or force)
    assert (staying is None) == gone
    mine = set(rule_names(ArmId.parse(ENDPOINT)))
    for change in changes:
        if isinstance(change, ChangeRules):
            assert {item.name for item in change.delete} <= mine and change.set == ()
        if isinstance(change, DeleteGroup):
            assert change.group.managed
            assert {item.name for item in change.group.rules} <= mine
        if isinstance(change, ChangeSubnet):
            assert change.group_id == "" and change.policies is None
            assert DeleteGroup in kinds
    if observed.group is None and after.group is not None:
        assert DeleteGroup in kinds


def test_zones_that_are_linked_come_with_the_endpoint_and_only_then() -> None:
    zones = (LinkedZone(id="/z", name="privatelink.openai.azure.com"),)
    fresh = Observed(account=account(), subnet=subnet(), location="eastus", zones=zones)
    create, attach = plan_create.plan(wish(), fresh)
    assert isinstance(create, CreateEndpoint) and LINKED_TAG in create.tags
    assert isinstance(attach, AttachZones) and same(attach.endpoint_id, ENDPOINT)
    assert LINKED_TAG not in plan_create.plan(wish(linked_zones="none"), fresh)[0].tags
    killed = endpoint(tags={MANAGED_TAG: "true", LINKED_TAG: "true"})
    assert killed.lacks_zones and not replace(killed, zoned=True).lacks_zones


@pytest.mark.parametrize(
    ("present", "asked", "value"),
    [
        ("Disabled", "NetworkSecurityGroupEnabled", "NetworkSecurityGroupEnabled"),
        ("RouteTableEnabled", "NetworkSecurityGroupEnabled", "Enabled"),
        ("Enabled", "NetworkSecurityGroupEnabled", None),
        ("NetworkSecurityGroupEnabled", "RouteTableEnabled", "Enabled"),
        ("SomethingNewer", "Enabled", None),
    ],
)
def test_policies_are_never_weakened(present: str, asked: str, value: str | None) -> None:
    assert plan_create.policies(wish(subnet_policies=asked), subnet(present)) == value


def test_a_rule_that_is_decided_before_ours_is_named() -> None:
    broad = Rule(
        name="vnet",
        priority=100,
        direction="Inbound",
        access="Allow",
        protocol="*",
        sources=("VirtualNetwork",),
        destinations=("VirtualNetwork",),
        ports=("*",),
    )
    mine = wanted(ArmId.parse(ENDPOINT), ["10.1.0.0/16"], ["10.0.0.4"], [broad], 100)
    assert [item.priority for item in mine] == [101, 102]
    assert before_ours([broad], mine) == [broad]
    for harmless in (
        replace(broad, destinations=("10.9.0.0/24",)),
        replace(broad, ports=("22",)),
        replace(broad, direction="Outbound"),
        replace(broad, protocol="Udp"),
        replace(broad, priority=3000),
    ):
        assert before_ours([harmless], mine) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"account_id": "x"}, ["resource_group: is missing"]),
        ({"account_id": SUBNET}, ["account_id: ", "Microsoft.CognitiveServices/accounts/<name>"]),
        ({"subnet_id": ACCOUNT}, ["subnet_id: ", "/subnets/<name>"]),
        ({"allowed_cidrs": ["10.0.0.0/33"]}, ["allowed_cidrs: 10.0.0.0/33 is no network"]),
        ({"allowed_cidrs": ["10.0.0.1/16"]}, ["did you mean 10.0.0.0/16"]),
        ({"allowed_cidrs": ["fd00::/8"]}, ["is IPv6"]),
        ({"static_addresses": ["ten"]}, ["static_addresses: ten is no IPv4 address"]),
        ({"tags": {"private-ai-endpoints-x": "y"}}, ["reserved"]),
        ({"endpoint_name": "-x"}, ["endpoint_name: -x"]),
        ({"approval_message": "x" * 141}, ["longer than 140"]),
        ({"rule_priority": 4096}, ["rule_priority: "]),
        ({"dns_zone_ids": ["z"]}, ["dns_zone_ids: "]),
        ({"subnet_id": "s", "allowed_cidrs": ["x"]}, ["subnet_id: ", "allowed_cidrs: x"]),
    ],
)
def test_options_that_cannot_be_meant(options: Mapping[str, Any], words: Sequence[str]) -> None:
    with pytest.raises(EndpointError) as caught:
        wish(**options)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_names_and_places_that_are_left_out() -> None:
    request = wish(account_id="X.y", resource_group="g", location="East US")
    assert request.account.key.startswith("/subscriptions/s/resourcegroups/g/")
    assert request.endpoint.name == "pe-X.y-app"
    assert str(request.endpoint.group) == "/subscriptions/a/resourceGroups/net"
    assert request.location == "eastus"
    assert request.policies is None
    assert wish(allowed_cidrs=["10.0.0.0/8"]).policies == "NetworkSecurityGroupEnabled"


DENYING = Rule(
    name="deny-all",
    priority=4000,
    direction="Inbound",
    access="Deny",
    protocol="*",
    sources=("*",),
    destinations=("*",),
    ports=("*",),
)
SHARED = Group(
    id=GROUP, name="shared", tags={}, rules=(DENYING,), subnet_ids=(SUBNET,), interface_ids=()
)
NEW = Observed(account=account(), subnet=subnet(), location="eastus")
OLD = Observed(
    account=account("OpenAI", connected(endpoint())), subnet=subnet(), endpoint=endpoint()
)


@pytest.mark.parametrize(
    ("observed", "options", "words"),
    [
        (replace(NEW, account=None), {}, ["account_id: ", "does not exist"]),
        (replace(NEW, account=None, subnet=None), {}, ["account_id: ", "subnet_id: "]),
        (
            replace(NEW, account=replace(account(), subdomain="")),
            {},
            ["no custom subdomain", "--custom-domain"],
        ),
        (replace(NEW, account=replace(account(), state="Deleting")), {}, ["Deleting"]),
        (
            replace(NEW, subnet=subnet(delegations=("Microsoft.Web/serverFarms",))),
            {},
            ["delegated to Microsoft.Web/serverFarms"],
        ),
        (
            replace(NEW, subnet=subnet(id=f"{APP}/virtualNetworks/app/subnets/GatewaySubnet")),
            {},
            ["GatewaySubnet is reserved"],
        ),
        (
            replace(NEW, subnet=subnet(prefixes=("10.0.0.0/29",), used=3)),
            {},
            ["0 free addresses", "SubnetIsFull"],
        ),
        (
            replace(
                NEW, account=account("AIServices"), subnet=subnet(prefixes=("10.0.0.0/29",), used=1)
            ),
            {},
            ["2 free addresses", "takes 3"],
        ),
        (
            replace(NEW, taken=endpoint(account_id=ACCOUNT + "other")),
            {},
            ["endpoint_name: ", "another account"],
        ),
        (NEW, {"location": "westus"}, ["location: westus is not where", "eastus"]),
        (NEW, {"static_addresses": ["10.0.0.9", "10.0.0.10"]}, ["has 2 addresses", "takes 1"]),
        (NEW, {"static_addresses": ["10.0.1.9"]}, ["does not lie in the subnet"]),
        (NEW, {"static_addresses": ["10.0.0.3"]}, ["kept by Azure"]),
        (NEW, {"static_addresses": ["10.0.0.255"]}, ["kept by Azure"]),
        (OLD, {"static_addresses": ["10.0.0.9"]}, ["10.0.0.4", "cannot be changed"]),
        (
            replace(
                OLD,
                account=account(
                    "OpenAI", replace(connected(endpoint()), status="Rejected", description="no")
                ),
            ),
            {},
            ["is Rejected: no", "Approve the connection again"],
        ),
        (
            replace(OLD, account=account(), endpoint=endpoint(status="Disconnected")),
            {},
            ["is Disconnected", "state: absent"],
        ),
        (
            replace(
                NEW, subnet=subnet(group_id=GROUP, endpoint_ids=(ENDPOINT + "2",)), group=SHARED
            ),
            {"allowed_cidrs": ["10.0.0.0/8"]},
            ["pe-x-app2", "deny-all", "subnet_policies: NetworkSecurityGroupEnabled"],
        ),
    ],
)
def test_every_reason_not_to_begin(
    observed: Observed, options: Mapping[str, Any], words: Sequence[str]
) -> None:
    found = problems(wish(**options), observed)
    text = "\n".join(f"{item.resource}: {item.what} ({item.code}). {item.fix}" for item in found)
    assert all(word in text for word in words), text
    assert len(found) == len([word for word in words if word.endswith("_id: ")] or [1])


@pytest.mark.parametrize(
    ("observed", "options"),
    [
        (NEW, {}),
        (NEW, {"static_addresses": ["10.0.0.4"], "location": "East US"}),
        (OLD, {"static_addresses": ["10.0.0.4"]}),
        (replace(OLD, account=account()), {}),
        # What stands in a subnet may have been delegated since.
        (replace(OLD, subnet=subnet(delegations=("x",), prefixes=("10.0.0.0/29",), used=3)), {}),
        (
            replace(
                NEW, subnet=subnet(group_id=GROUP, endpoint_ids=(ENDPOINT + "2",)), group=SHARED
            ),
            {"allowed_cidrs": ["10.0.0.0/8"], "subnet_policies": "NetworkSecurityGroupEnabled"},
        ),
        (
            replace(
                NEW,
                subnet=subnet("Enabled", group_id=GROUP, endpoint_ids=(ENDPOINT + "2",)),
                group=SHARED,
            ),
            {"allowed_cidrs": ["10.0.0.0/8"]},
        ),
    ],
)
def test_what_is_no_reason(observed: Observed, options: Mapping[str, Any]) -> None:
    assert problems(wish(**options), observed) == []


@given(wishes(), worlds())
def test_every_write_is_asked_for_where_it_happens(desired: Desired, observed: Observed) -> None:
    changes = plan_create.plan(desired, observed)
    needs = needed(changes)
    actions = {action for action, _scope in needs}
    assert len(needs) == len(set(needs)) >= len({type(item) for item in changes})
    assert all(ArmId.parse(scope) for _action, scope in needs)
    if any(isinstance(item, CreateEndpoint) for item in changes):
        approval = "Microsoft.CognitiveServices/accounts/PrivateEndpointConnectionsApproval/action"
        assert (approval in actions) == (desired.approval == "automatic")
        assert ("Microsoft.Network/virtualNetworks/subnets/join/action", SUBNET) in needs
    for item in changes:
        if isinstance(item, ChangeSubnet):
            assert ("Microsoft.Network/virtualNetworks/subnets/write", SUBNET) in needs
            assert ("Microsoft.Network/routeTables/join/action", TABLE) in needs
            assert ("Microsoft.Network/natGateways/join/action", GATEWAY) in needs
        if isinstance(item, CreateGroup):
            # It does not exist yet, so that its resource group is asked.
            assert not any(same(scope, str(item.id)) for _action, scope in needs)


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ([{"actions": ["*"], "notActions": []}], True),
        ([{"actions": ["Microsoft.Network/*"]}], True),
        ([{"actions": ["microsoft.network/privateendpoints/WRITE"]}], True),
        ([{"actions": ["*/read"]}], False),
        ([{"actions": ["*"], "notActions": ["Microsoft.Network/*/write"]}], False),
        ([{"actions": ["*"], "notActions": ["*/write"]}, {"actions": ["*/write"]}], True),
        ([], False),
    ],
)
def test_permissions_are_read_as_azure_means_them(
    permissions: Sequence[Mapping[str, Any]], allowed: bool
) -> None:
    assert allows(permissions, "Microsoft.Network/privateEndpoints/write") == allowed
