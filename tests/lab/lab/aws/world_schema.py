# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys the `aws:` section of a world file may have, and whether what they name exists.

The schema is documented in tests/lab/worlds/aws.md.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .records import Timing

# A schema is a type, a tuple of types, [item schema], {"*": value schema} for free keys, or a mapping of
# keys; "key!" is required.
_TEXT = str
_TAGS: dict[str, Any] = {"*": str}
_ACCOUNT = re.compile(r"\d{12}")
_RULE = {
    "protocol!": (str, int),
    "from_port": int,
    "to_port": int,
    "cidr": str,
    "ipv6_cidr": str,
    "group": str,
    "prefix_list": str,
    "description": str,
}
_VPC = {
    "id!": str,
    "account!": _ACCOUNT,
    "region!": str,
    "cidr": str,
    "cidrs": [str],
    "ipv6_cidrs": [str],
    "dns_support": bool,
    "dns_hostnames": bool,
    "default": bool,
    "internet_gateway": bool,
    "tags": _TAGS,
    "subnets": [{"id!": str, "cidr!": str, "zone!": str, "ipv6_cidrs": [str], "tags": _TAGS}],
    "route_tables": [
        {
            "id!": str,
            "main": bool,
            "subnets": [str],
            "routes": [{"destination!": str, "target!": str, "blackhole": bool}],
            "tags": _TAGS,
        }
    ],
    "network_acls": [
        {
            "id!": str,
            "default": bool,
            "subnets": [str],
            "tags": _TAGS,
            "entries": [
                {
                    "number!": int,
                    "egress": bool,
                    "protocol": (str, int),
                    "action!": str,
                    "cidr": str,
                    "ipv6_cidr": str,
                    "from_port": int,
                    "to_port": int,
                }
            ],
        }
    ],
    "security_groups": [
        {
            "id!": str,
            "name!": str,
            "description": str,
            "tags": _TAGS,
            "ingress": [_RULE],
            "egress": [_RULE],
        }
    ],
}
_SCHEMA: dict[str, Any] = {
    "timing": {field.name: (int, float) for field in dataclasses.fields(Timing)},
    "accounts": {"*": str},
    "organization": {
        "id!": str,
        "management_account!": _ACCOUNT,
        "root!": str,
        "scp": str,
        "units": [{"id!": str, "name!": str, "parent!": str, "tags": _TAGS}],
        "accounts": [{"id!": _ACCOUNT, "name!": str, "parent!": str, "email": str, "tags": _TAGS}],
        "policies": [
            {
                "id!": str,
                "name!": str,
                "description": str,
                "content!": {"*": object},
                "targets": [str],
                "tags": _TAGS,
            }
        ],
        "detached": [str],
    },
    "principals": [
        {
            "arn!": str,
            "access_key": str,
            "secret_key": str,
            "policies": [{"*": object}],
            "tags": _TAGS,
            "trusted": [str],
            "external_id": str,
        }
    ],
    "regions!": {
        "*": {
            "zones!": {"*": str},
            "services": {
                "*": {
                    "zones": [str],
                    "policy_supported": bool,
                    "ip_address_types": [str],
                    "private_dns_names": [str],
                    "types": [str],
                    "offered": bool,
                }
            },
        }
    },
    "vpcs": [_VPC],
    "peerings": [
        {
            "id!": str,
            "requester!": str,
            "accepter!": str,
            "status": str,
            "routes": bool,
            "tags": _TAGS,
        }
    ],
    "endpoints": [
        {
            "id!": str,
            "vpc!": str,
            "service!": str,
            "type": str,
            "subnets": [str],
            "security_groups": [str],
            "private_dns": bool,
            "policy": (dict, type(None)),
            "ip_address_type": str,
            "state": str,
            "suffix": str,
            "tags": _TAGS,
        }
    ],
    "zones": [
        {
            "id!": str,
            "name!": str,
            "account!": _ACCOUNT,
            "private": bool,
            "comment": str,
            "vpcs": [{"region!": str, "id!": str}],
            "records": [
                {
                    "name!": str,
                    "type!": str,
                    "ttl": int,
                    "values": [str],
                    "alias": {"name!": str, "zone_id!": str},
                }
            ],
            "tags": _TAGS,
        }
    ],
    "prefix_lists": [
        {
            "id!": str,
            "name!": str,
            "account!": _ACCOUNT,
            "region!": str,
            "entries": [str],
            "tags": _TAGS,
        }
    ],
}


def problems(world: Mapping[str, Any]) -> list[str]:
    """Every problem of the world's `aws` section, each with its path; empty when there is none."""
    section = world.get("aws")
    if section is None:
        return ["aws: missing"]
    found = list(_shape("aws", section, _SCHEMA))
    return found or list(_references(world, section))


def _shape(path: str, value: Any, schema: Any) -> Iterator[str]:
    if isinstance(schema, re.Pattern):
        if not isinstance(value, str) or not schema.fullmatch(value):
            yield f"{path}: {value!r} must be a quoted string of twelve digits"
    elif isinstance(schema, list):
        if not isinstance(value, list):
            yield f"{path}: must be a list"
            return
        for index, item in enumerate(value):
            label = item.get("id", index) if isinstance(item, dict) else index
            yield from _shape(f"{path}[{label}]", item, schema[0])
    elif isinstance(schema, dict):
        yield from _mapping(path, value, schema)
    elif schema is not object and (
        not isinstance(value, schema) or (isinstance(value, bool) and not _takes_bool(schema))
    ):
        names = schema if isinstance(schema, tuple) else (schema,)
        yield f"{path}: {value!r} must be {' or '.join(each.__name__ for each in names)}"


def _takes_bool(schema: Any) -> bool:
    return bool in (schema if isinstance(schema, tuple) else (schema,))


def _mapping(path: str, value: Any, schema: dict[str, Any]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be a mapping"
        return
    keys = {key.rstrip("!"): schema[key] for key in schema}
    for key, item in value.items():
        if key in keys or "*" in keys:
            yield from _shape(f"{path}.{key}", item, keys.get(key, keys.get("*")))
        else:
            yield f"{path}.{key}: unknown key (known: {', '.join(sorted(keys))})"
    for key in schema:
        if key.endswith("!") and key[:-1] not in value:
            yield f"{path}.{key[:-1]}: missing"


def _references(world: Mapping[str, Any], aws: Mapping[str, Any]) -> Iterator[str]:
    regions = aws["regions"]
    subnets: dict[str, str] = {}
    seen: set[str] = set()
    for vpc in aws.get("vpcs", []):
        yield from _vpc(vpc, regions, subnets, seen)
    vpcs = {vpc["id"] for vpc in aws.get("vpcs", [])}
    for peering in aws.get("peerings", []):
        for side in ("requester", "accepter"):
            if peering[side] not in vpcs:
                yield f"aws.peerings[{peering['id']}].{side}: no VPC {peering[side]}"
    for endpoint in aws.get("endpoints", []):
        path = f"aws.endpoints[{endpoint['id']}]"
        if endpoint["vpc"] not in vpcs:
            yield f"{path}.vpc: no VPC {endpoint['vpc']}"
        for subnet in endpoint.get("subnets", []):
            if subnets.get(subnet) != endpoint["vpc"]:
                yield f"{path}.subnets: {subnet} is no subnet of {endpoint['vpc']}"
    for zone in aws.get("zones", []):
        for vpc in zone.get("vpcs", []):
            if vpc["id"] not in vpcs:
                yield f"aws.zones[{zone['id']}].vpcs: no VPC {vpc['id']}"
    yield from _organization(aws)
    for principal in aws.get("principals", []):
        if not re.fullmatch(r"arn:aws:iam::\d{12}:(root|(user|role)/.+)", principal["arn"]):
            yield f"aws.principals: {principal['arn']} is no ARN of a user, a role or root"
    vantages = world.get("vantages") or {}
    if isinstance(vantages, list):
        vantages = {str(each.get("name")): each for each in vantages}
    for name, vantage in vantages.items():
        place = (vantage.get("network") or {}).get("aws") or {}
        if place and subnets.get(str(place.get("subnet"))) != place.get("vpc"):
            yield f"vantages.{name}.network.aws: {place.get('subnet')} is no subnet of {place.get('vpc')}"


def _vpc(
    vpc: Mapping[str, Any], regions: Mapping[str, Any], subnets: dict[str, str], seen: set[str]
) -> Iterator[str]:
    path = f"aws.vpcs[{vpc['id']}]"
    if vpc["region"] not in regions:
        yield f"{path}.region: {vpc['region']} is not in aws.regions"
        return
    cidrs = []
    for text in [*vpc.get("cidrs", []), *([vpc["cidr"]] if "cidr" in vpc else [])]:
        try:
            cidrs.append(ipaddress.ip_network(text))
        except ValueError as problem:
            yield f"{path}.cidrs: {problem}"
    if not cidrs:
        yield f"{path}.cidrs: missing"
    for subnet in vpc.get("subnets", []):
        where = f"{path}.subnets[{subnet['id']}]"
        subnets[subnet["id"]] = vpc["id"]
        if subnet["zone"] not in regions[vpc["region"]]["zones"]:
            yield f"{where}.zone: {subnet['zone']} is not a zone of {vpc['region']}"
        try:
            block = ipaddress.ip_network(subnet["cidr"])
        except ValueError as problem:
            yield f"{where}.cidr: {problem}"
            continue
        if not any(
            block.version == each.version and block.subnet_of(each)  # type: ignore[arg-type]
            for each in cidrs
        ):
            yield f"{where}.cidr: {block} lies outside the VPC's {', '.join(map(str, cidrs))}"
    parts = ("subnets", "route_tables", "network_acls", "security_groups")
    for resource in [vpc, *(each for part in parts for each in vpc.get(part, []))]:
        if resource["id"] in seen:
            yield f"{path}: {resource['id']} is used twice"
        seen.add(resource["id"])


def _organization(aws: Mapping[str, Any]) -> Iterator[str]:
    organization = aws.get("organization")
    if organization is None:
        return
    known = {organization["root"]}
    for part in ("units", "accounts"):
        for node in organization.get(part, []):
            if node["parent"] not in known:
                yield f"aws.organization.{part}[{node['id']}].parent: no node {node['parent']} above"
            known.add(node["id"])
    if organization["management_account"] not in known:
        yield "aws.organization.management_account: not among aws.organization.accounts"
    for policy in organization.get("policies", []):
        for target in policy.get("targets", []):
            if target not in known:
                yield f"aws.organization.policies[{policy['id']}].targets: no node {target}"
    for node_id in organization.get("detached", []):
        if node_id not in known:
            yield f"aws.organization.detached: no node {node_id}"
