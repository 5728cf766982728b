# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the `aws:` section of a world file, already checked, to the state that the lab starts with."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..cloud import Vantage
from . import endpoint_life
from .network import (
    AclEntry,
    Endpoint,
    Interface,
    NetworkAcl,
    Peering,
    PrefixList,
    Route,
    RouteTable,
    Rule,
    SecurityGroup,
    Subnet,
    Vpc,
)
from .records import Caller, Entity, RecordSet, Timing, Zone
from .services import catalogue
from .state import State, new_id
from .tree import FULL_ACCESS, FULL_ACCESS_TEXT, SCP, Node, Organization, OrgPolicy

Section = Mapping[str, Any]


def load(
    world: Section, vantages: Sequence[Vantage], clock: Callable[[], float] | None = None
) -> State:
    """The state of a world; `clock` replaces time.time() in tests."""
    aws = world["aws"]
    state = State(timing=Timing(**aws.get("timing", {})))
    if clock is not None:
        state.clock = clock
    state.accounts.update(aws.get("accounts", {}))
    for region, settings in aws["regions"].items():
        state.regions[region] = dict(settings["zones"])
        state.services[region] = catalogue(
            region, tuple(settings["zones"]), settings.get("services", {})
        )
    if "organization" in aws:
        state.organization = _organization(aws["organization"])
        for account in aws["organization"].get("accounts", []):
            state.accounts[account["id"]] = account["name"]
    for principal in aws.get("principals", []):
        _principal(state, principal)
    for each in aws.get("prefix_lists", []):
        state.prefix_lists[each["id"]] = PrefixList(
            each["id"],
            each["name"],
            each["region"],
            each["account"],
            list(each.get("entries", [])),
            dict(each.get("tags", {})),
        )
    for vpc in aws.get("vpcs", []):
        _vpc(state, vpc)
    for vantage in vantages:
        if place := vantage.network.get("aws"):
            _vantage(state, vantage, place)
    for peering in aws.get("peerings", []):
        _peering(state, peering)
    for zone in aws.get("zones", []):
        _zone(state, zone)
    for endpoint in aws.get("endpoints", []):
        _endpoint(state, endpoint)
    return state


def _organization(given: Section) -> Organization:
    made = Organization(given["id"], given["management_account"])
    made.policies[FULL_ACCESS] = OrgPolicy(
        FULL_ACCESS,
        "FullAWSAccess",
        FULL_ACCESS_TEXT,
        "Allows access to every operation",
        aws_managed=True,
    )
    made.nodes[given["root"]] = Node(given["root"], "ROOT", "Root")
    for unit in given.get("units", []):
        made.nodes[unit["id"]] = Node(
            unit["id"],
            "ORGANIZATIONAL_UNIT",
            unit["name"],
            unit["parent"],
            tags=dict(unit.get("tags", {})),
        )
    for account in given.get("accounts", []):
        made.nodes[account["id"]] = Node(
            account["id"],
            "ACCOUNT",
            account["name"],
            account["parent"],
            account.get("email", f"{account['name']}@example.com"),
            tags=dict(account.get("tags", {})),
        )
    detached = given.get("detached", [])
    made.attachments = {each: [] if each in detached else [FULL_ACCESS] for each in made.nodes}
    for policy in given.get("policies", []):
        made.policies[policy["id"]] = OrgPolicy(
            policy["id"],
            policy["name"],
            json.dumps(policy["content"]),
            policy.get("description", ""),
            tags=dict(policy.get("tags", {})),
        )
        for target in policy.get("targets", []):
            made.attachments[target].append(policy["id"])
    if given.get("scp", "enabled") == "enabled":
        made.policy_types[SCP] = "ENABLED"
    else:
        made.attachments = {each: [] for each in made.nodes}
    made.binding = made.snapshot()
    return made


def _principal(state: State, given: Section) -> None:
    arn = given["arn"]
    account = arn.split(":")[4]
    kind = arn.split(":", 5)[5].split("/", 1)[0]
    digest = hashlib.sha256(arn.encode()).hexdigest().upper()[:17]
    unique = account if kind == "root" else {"user": "AIDA", "role": "AROA"}[kind] + digest
    entity = Entity(
        arn,
        account,
        unique,
        tuple(given.get("policies", [])),
        dict(given.get("tags", {})),
        tuple(given.get("trusted", [])),
        given.get("external_id", ""),
    )
    state.entities[arn] = entity
    state.accounts.setdefault(account, account)
    if "access_key" in given:
        key = given["access_key"]
        state.callers[key] = Caller(arn, account, unique, entity, key, given["secret_key"])


def _vpc(state: State, given: Section) -> None:
    vpc = Vpc(
        given["id"],
        given["account"],
        given["region"],
        [*given.get("cidrs", []), *([given["cidr"]] if "cidr" in given else [])],
        list(given.get("ipv6_cidrs", [])),
        given.get("dns_support", True),
        given.get("dns_hostnames", False),
        given.get("default", False),
        dict(given.get("tags", {})),
    )
    state.vpcs[vpc.id] = vpc
    for each in given.get("subnets", []):
        state.subnets[each["id"]] = Subnet(
            each["id"],
            vpc.id,
            vpc.account,
            vpc.region,
            each["cidr"],
            each["zone"],
            state.zone_id(vpc.region, each["zone"]),
            list(each.get("ipv6_cidrs", [])),
            dict(each.get("tags", {})),
        )
    _route_tables(state, vpc, given)
    _network_acls(state, vpc, given)
    groups = list(given.get("security_groups", []))
    if not any(each["name"] == "default" for each in groups):
        groups.append({"id": new_id("sg"), "name": "default"})
    for each in groups:
        _security_group(state, vpc, each)


def _route_tables(state: State, vpc: Vpc, given: Section) -> None:
    tables = list(given.get("route_tables", []))
    if not any(each.get("main") for each in tables):
        routes = []
        if given.get("internet_gateway", True):
            routes.append({"destination": "0.0.0.0/0", "target": new_id("igw")})
        tables.append({"id": new_id("rtb"), "main": True, "routes": routes})
    for each in tables:
        made = RouteTable(
            each["id"],
            vpc.id,
            vpc.account,
            vpc.region,
            each.get("main", False),
            [Route(cidr, "local") for cidr in [*vpc.cidrs, *vpc.ipv6_cidrs]],
            {subnet: new_id("rtbassoc") for subnet in each.get("subnets", [])},
            new_id("rtbassoc") if each.get("main") else "",
            dict(each.get("tags", {})),
        )
        made.routes += [
            Route(route["destination"], route["target"], route.get("blackhole", False))
            for route in each.get("routes", [])
            if route["target"] != "local"
        ]
        state.route_tables[made.id] = made


def _network_acls(state: State, vpc: Vpc, given: Section) -> None:
    lists = list(given.get("network_acls", []))
    if not any(each.get("default") for each in lists):
        lists.append({"id": new_id("acl"), "default": True})
    claimed = {subnet for each in lists for subnet in each.get("subnets", [])}
    for each in lists:
        subnets = list(each.get("subnets", []))
        if each.get("default"):
            subnets += [one.id for one in state.vpc_subnets(vpc.id) if one.id not in claimed]
        allow_all = [
            {"number": 100, "egress": egress, "action": "allow", "cidr": "0.0.0.0/0"}
            for egress in (False, True)
        ]
        entries = each.get("entries", allow_all if each.get("default") else [])
        state.network_acls[each["id"]] = NetworkAcl(
            each["id"],
            vpc.id,
            vpc.account,
            vpc.region,
            each.get("default", False),
            [_acl_entry(entry) for entry in entries],
            {subnet: new_id("aclassoc") for subnet in subnets},
            dict(each.get("tags", {})),
        )


def _acl_entry(given: Section) -> AclEntry:
    numbers = {"tcp": "6", "udp": "17", "icmp": "1"}
    protocol = str(given.get("protocol", "-1"))
    return AclEntry(
        given["number"],
        given.get("egress", False),
        numbers.get(protocol, protocol),
        given["action"] == "allow",
        given.get("cidr", ""),
        given.get("ipv6_cidr", ""),
        given.get("from_port"),
        given.get("to_port"),
    )


def _security_group(state: State, vpc: Vpc, given: Section) -> None:
    group = SecurityGroup(
        given["id"],
        given["name"],
        given.get("description", f"{given['name']} VPC security group"),
        vpc.id,
        vpc.account,
        vpc.region,
        tags=dict(given.get("tags", {})),
    )
    own = [{"protocol": "-1", "group": group.id}] if group.default else []
    for rule in given.get("ingress", own):
        _rule(group, rule, egress=False)
    for rule in given.get("egress", [{"protocol": "-1", "cidr": "0.0.0.0/0"}]):
        _rule(group, rule, egress=True)
    state.security_groups[group.id] = group


def _rule(group: SecurityGroup, given: Section, *, egress: bool) -> None:
    protocol = {"6": "tcp", "17": "udp"}.get(str(given["protocol"]), str(given["protocol"]))
    from_port = -1 if protocol == "-1" else given.get("from_port", -1)
    to_port = -1 if protocol == "-1" else given.get("to_port", from_port)
    rule = Rule(
        new_id("sgr"),
        egress,
        protocol,
        from_port,
        to_port,
        given.get("cidr", ""),
        given.get("ipv6_cidr", ""),
        given.get("prefix_list", ""),
        given.get("group", ""),
        given.get("description", ""),
    )
    group.rules[rule.id] = rule


def _vantage(state: State, vantage: Vantage, place: Section) -> None:
    subnet = state.subnets[place["subnet"]]
    interface = Interface(
        new_id("eni"),
        subnet.id,
        subnet.vpc_id,
        subnet.account,
        subnet.region,
        vantage.address,
        list(place.get("security_groups") or [state.default_group(subnet.vpc_id).id]),
        description=vantage.name,
        mac=":".join(["0a", *(f"{byte:02x}" for byte in secrets.token_bytes(5))]),
    )
    state.interfaces[interface.id] = interface


def _peering(state: State, given: Section) -> None:
    peering = Peering(
        given["id"],
        given["requester"],
        given["accepter"],
        given.get("status", "active"),
        dict(given.get("tags", {})),
    )
    state.peerings[peering.id] = peering
    if not given.get("routes", True):
        return
    for near, far in (
        (peering.requester, peering.accepter),
        (peering.accepter, peering.requester),
    ):
        for table in state.route_tables.values():
            if table.vpc_id == near:
                known = {each.destination for each in table.routes}
                table.routes += [
                    Route(cidr, peering.id) for cidr in state.vpcs[far].cidrs if cidr not in known
                ]


def _zone(state: State, given: Section) -> None:
    zone = Zone(
        given["id"],
        given["name"].rstrip(".").lower(),
        given["account"],
        given.get("private", True),
        caller_reference=f"world-{given['id']}",
        comment=given.get("comment", ""),
        vpcs=[(each["region"], each["id"]) for each in given.get("vpcs", [])],
        tags=dict(given.get("tags", {})),
    )
    zone.records = authority_records(zone)
    for each in given.get("records", []):
        alias = each.get("alias") or {}
        zone.records.append(
            RecordSet(
                each["name"].rstrip(".").lower(),
                each["type"],
                None if alias else each.get("ttl", 300),
                list(each.get("values", [])),
                alias.get("name", "").rstrip(".").lower(),
                alias.get("zone_id", ""),
            )
        )
    zone.live_vpcs, zone.live_records = tuple(zone.vpcs), tuple(zone.records)
    state.zones[zone.id] = zone


def authority_records(zone: Zone) -> list[RecordSet]:
    """The NS and SOA records that every hosted zone is born with."""
    servers = [f"ns-{number}.awsdns-00.{top}." for number, top in _NAME_SERVERS]
    soa = f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    return [RecordSet(zone.name, "NS", 172800, servers), RecordSet(zone.name, "SOA", 900, [soa])]


_NAME_SERVERS = ((0, "com"), (512, "net"), (1024, "org"), (1536, "co.uk"))


def _endpoint(state: State, given: Section) -> None:
    vpc = state.vpcs[given["vpc"]]
    name = given["service"]
    policy = given.get("policy") or endpoint_life.FULL_ACCESS
    endpoint = Endpoint(
        id=given["id"],
        vpc_id=vpc.id,
        account=vpc.account,
        region=vpc.region,
        service=name if vpc.region in name else f"com.amazonaws.{vpc.region}.{name}",
        type=given.get("type", "Interface"),
        state="available",
        policy=policy,
        policy_text=json.dumps(policy),
        security_groups=list(given.get("security_groups") or [state.default_group(vpc.id).id]),
        private_dns_enabled=given.get("private_dns", True),
        private_zone_id="Z" + secrets.token_hex(10).upper(),
        ip_address_type=given.get("ip_address_type", "ipv4"),
        suffix=given.get("suffix") or endpoint_life.new_suffix(),
        created_at=state.now(),
        tags=dict(given.get("tags", {})),
    )
    state.endpoints[endpoint.id] = endpoint
    subnets = [state.subnets[each] for each in given.get("subnets", [])]
    endpoint_life.add_interfaces(state, endpoint, subnets)
    endpoint_life.make_available(state, endpoint)
    if given.get("state", "available") != "available":
        endpoint.state = given["state"]
        endpoint.private_dns_live = False
        for interface in state.endpoint_interfaces(endpoint):
            interface.live = False
