# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys the `gcp:` section of a world file may have, and whether what they name exists.

The schema is documented in tests/lab/worlds/gcp.md.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .records import Timing

# A schema is a type, a tuple of types, a pattern, [item schema], {"*": value schema} for free keys, or a mapping
# of keys; "key!" is required.
_NUMBER = re.compile(r"\d{6,15}")
_NETWORK = re.compile(
    r"projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/global/networks/[a-z]([-a-z0-9]*[a-z0-9])?"
)
_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_LABELS: dict[str, Any] = {"*": str}
_BINDINGS = {"*": [str]}
_RECORD = {"name!": str, "type!": str, "ttl": int, "values!": [str]}
_FREE: dict[str, Any] = {"*": object}
_SCHEMA: dict[str, Any] = {
    "timing": {field.name: (int, float) for field in dataclasses.fields(Timing)},
    "organization": {"id!": _NUMBER, "bindings": _BINDINGS},
    "projects!": [
        {
            "id!": _ID,
            "number!": _NUMBER,
            "name": str,
            "disabled_services": [str],
            "bindings": _BINDINGS,
            "audit": {"*": [str]},
        }
    ],
    "roles": {"*": [str]},
    "service_accounts": [{"id!": str, "project": str, "creators": [str], "disabled": bool}],
    "credentials": {"*": str},
    "federated": [{"audience!": str, "subject_token!": str, "member!": str}],
    "networks": [
        {
            "id!": _NETWORK,
            "auto": bool,
            "subnets": [
                {
                    "name!": str,
                    "region!": str,
                    "range!": str,
                    "private_google_access": bool,
                    "secondary": {"*": str},
                }
            ],
            "routes": [{"name!": str, "*": object}],
            "firewalls": [{"name!": str, "*": object}],
        }
    ],
    "peerings": [{"name": str, "networks!": [_NETWORK], "state": str}],
    "endpoints": [
        {
            "name!": str,
            "project": str,
            "network!": _NETWORK,
            "address!": str,
            "address_name": str,
            "bundle": str,
            "labels": _LABELS,
            "service_directory_region": str,
            "rule": bool,
        }
    ],
    "zones": [
        {
            "id!": re.compile(r"projects/[^/]+/managedZones/[^/]+"),
            "dns_name!": str,
            "description": str,
            "public": bool,
            "networks": [_NETWORK],
            "peering": _NETWORK,
            "records": [_RECORD],
            "labels": _LABELS,
        }
    ],
    "response_policies": [
        {
            "id!": re.compile(r"projects/[^/]+/responsePolicies/[^/]+"),
            "description": str,
            "networks": [_NETWORK],
            "rules": [{"name!": str, "dns_name!": str, "bypass": bool, "records": [_RECORD]}],
        }
    ],
    "dns_policies": [
        {
            "id!": re.compile(r"projects/[^/]+/policies/[^/]+"),
            "networks": [_NETWORK],
            "name_servers": [str],
            "inbound": bool,
        }
    ],
    "access_policies": [
        {
            "id!": _NUMBER,
            "title": str,
            "levels": [{"name!": str, "*": object}],
            "perimeters": [{"name!": str, "*": object}],
        }
    ],
    "org_policies": [{"name!": str, "spec": _FREE, "dryRunSpec": _FREE}],
    "buckets": [{"name!": str, "project!": _ID}],
    "log_entries": [
        {
            "project!": _ID,
            "method!": str,
            "caller_ip!": str,
            "caller_network": str,
            "agent": str,
            "principal": str,
            "service": str,
            "resource": str,
            "age": (int, float),
            "perimeter": str,
            "dry_run": bool,
            "reason": str,
            "direction": str,
        }
    ],
    "failures": [{"operation!": str, "code!": str, "message!": str, "status": int, "count": int}],
}


def problems(world: Mapping[str, Any]) -> list[str]:
    """Every problem of the world's `gcp` section, each with its path; empty when there is none."""
    section = world.get("gcp")
    if section is None:
        return ["gcp: missing"]
    found = list(_shape("gcp", section, _SCHEMA))
    return found or list(_references(world, section))


def _shape(path: str, value: Any, schema: Any) -> Iterator[str]:
    if isinstance(schema, re.Pattern):
        if not isinstance(value, str) or not schema.fullmatch(value):
            yield f"{path}: {value!r} must be text like {schema.pattern}"
    elif isinstance(schema, list):
        if not isinstance(value, list):
            yield f"{path}: must be a list"
            return
        for index, item in enumerate(value):
            label = (item.get("id") or item.get("name", index)) if isinstance(item, dict) else index
            yield from _shape(f"{path}[{label}]", item, schema[0])
    elif isinstance(schema, dict):
        yield from _mapping(path, value, schema)
    elif schema is not object and (
        not isinstance(value, schema) or (isinstance(value, bool) and schema is not bool)
    ):
        names = schema if isinstance(schema, tuple) else (schema,)
        yield f"{path}: {value!r} must be {' or '.join(each.__name__ for each in names)}"


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


def _references(world: Mapping[str, Any], gcp: Mapping[str, Any]) -> Iterator[str]:
    projects = {each["id"] for each in gcp.get("projects", [])}
    subnets: dict[str, dict[str, str]] = {}
    for network in gcp.get("networks", []):
        yield from _network(network, projects, subnets)
    for index, peering in enumerate(gcp.get("peerings", [])):
        if len(peering["networks"]) != 2:
            yield f"gcp.peerings[{index}].networks: must be two"
        yield from _known(f"gcp.peerings[{index}].networks", peering["networks"], subnets)
    for each in gcp.get("endpoints", []):
        path = f"gcp.endpoints[{each['name']}]"
        yield from _known(f"{path}.network", [each["network"]], subnets)
        yield from _address(f"{path}.address", each["address"])
    for kind in ("zones", "response_policies", "dns_policies"):
        for each in gcp.get(kind, []):
            path = f"gcp.{kind}[{each['id']}]"
            if each["id"].split("/")[1] not in projects:
                yield f"{path}.id: no project {each['id'].split('/')[1]}"
            yield from _known(f"{path}.networks", each.get("networks", []), subnets)
            yield from _known(
                f"{path}.peering", [each["peering"]] if "peering" in each else [], subnets
            )
    for kind in ("buckets", "log_entries"):
        for index, each in enumerate(gcp.get(kind, [])):
            if each["project"] not in projects:
                yield f"gcp.{kind}[{index}].project: no project {each['project']}"
    yield from _people(world, gcp, projects)
    yield from _places(world, subnets)


def _network(
    network: Mapping[str, Any], projects: set[str], subnets: dict[str, dict[str, str]]
) -> Iterator[str]:
    path = f"gcp.networks[{network['id']}]"
    project = network["id"].split("/")[1]
    if project not in projects:
        yield f"{path}.id: no project {project}"
    mine = subnets.setdefault(network["id"], {})
    taken: list[ipaddress.IPv4Network] = []
    for each in network.get("subnets", []):
        where = f"{path}.subnets[{each['name']}]"
        for cidr in [each["range"], *each.get("secondary", {}).values()]:
            try:
                block = ipaddress.IPv4Network(cidr)
            except ValueError as problem:
                yield f"{where}.range: {problem}"
                continue
            if any(block.overlaps(other) for other in taken):
                yield f"{where}.range: {block} overlaps another range of the network"
            taken.append(block)
        mine[f"projects/{project}/regions/{each['region']}/subnetworks/{each['name']}"] = each[
            "range"
        ]


def _known(path: str, given: list[str], networks: Mapping[str, Any]) -> Iterator[str]:
    for each in given:
        if each not in networks:
            yield f"{path}: no network {each}"


def _address(path: str, text: str) -> Iterator[str]:
    try:
        if not ipaddress.IPv4Address(text).is_private:
            yield f"{path}: {text} is not private"
    except ValueError as problem:
        yield f"{path}: {problem}"


def _people(world: Mapping[str, Any], gcp: Mapping[str, Any], projects: set[str]) -> Iterator[str]:
    emails = {each["id"] for each in gcp.get("service_accounts", [])}
    for each in gcp.get("service_accounts", []):
        owner = each.get("project") or each["id"].partition("@")[2].partition(".")[0]
        if owner not in projects:
            yield f"gcp.service_accounts[{each['id']}]: no project {owner}"
    vantages = {each.get("name") for each in world.get("vantages") or [] if isinstance(each, dict)}
    for vantage, email in gcp.get("credentials", {}).items():
        if vantage not in vantages:
            yield f"gcp.credentials.{vantage}: no vantage {vantage}"
        if email not in emails:
            yield f"gcp.credentials.{vantage}: no service account {email}"


_PLACE = {
    "network!": _NETWORK,
    "subnetwork": str,
    "tags": [str],
    "service_account": str,
    "external_address": bool,
}


def _places(world: Mapping[str, Any], subnets: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for vantage in world.get("vantages") or []:
        network = vantage.get("network") if isinstance(vantage, dict) else None
        if not isinstance(network, dict) or "gcp" not in network:
            continue
        place, path = network["gcp"], f"vantages.{vantage.get('name')}.network.gcp"
        found = list(_shape(path, place, _PLACE))
        yield from found
        if found:
            continue
        yield from _known(f"{path}.network", [place["network"]], subnets)
        inside = subnets.get(place["network"], {})
        subnet = place.get("subnetwork")
        if subnet and subnet not in inside:
            yield f"{path}.subnetwork: {subnet} is no subnetwork of {place['network']}"
        elif subnet and ipaddress.ip_address(vantage["address"]) not in ipaddress.ip_network(
            inside[subnet]
        ):
            yield f"{path}.subnetwork: {vantage['address']} is not in {inside[subnet]}"
