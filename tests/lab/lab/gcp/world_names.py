# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The zones, response policies and server policies of a world file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .compute_common import link, see
from .dns_common import authority, check_record
from .records import Resource, ResponsePolicy, Zone
from .state import State, timestamp

_VISIBILITY = "dns#managedZonePrivateVisibilityConfig"


def load(state: State, gcp: Mapping[str, Any]) -> None:
    for each in gcp.get("zones", []):
        _zone(state, each)
    for each in gcp.get("response_policies", []):
        _policy(state, each)
    for each in gcp.get("dns_policies", []):
        _server_policy(state, each)


def _zone(state: State, given: Mapping[str, Any]) -> None:
    _, project, _, name = given["id"].split("/")
    dns_name = given["dns_name"].rstrip(".").lower() + "."
    private = not given.get("public", False)
    resource: Resource = {
        "kind": "dns#managedZone",
        "name": name,
        "dnsName": dns_name,
        "description": given.get("description", ""),
        "id": state.new_id(),
        "creationTime": timestamp(state.now()),
        "nameServers": ["ns-gcp-private.googledomains.com."],
        "visibility": "private" if private else "public",
    }
    if given.get("labels"):
        resource["labels"] = dict(given["labels"])
    if private:
        listed = [
            {"kind": f"{_VISIBILITY}Network", "networkUrl": link(each)}
            for each in given.get("networks", [])
        ]
        resource["privateVisibilityConfig"] = {"kind": _VISIBILITY, "networks": listed}
    if "peering" in given:
        kind = "dns#managedZonePeeringConfig"
        target = {"kind": f"{kind}TargetNetwork", "networkUrl": link(given["peering"])}
        resource["peeringConfig"] = {"kind": kind, "targetNetwork": target}
    zone = Zone(project, resource, authority(dns_name, private))
    zone.records += [_record(each) for each in given.get("records", [])]
    zone.live_records, zone.live = tuple(zone.records), dict(resource)
    state.zones[project, name] = zone


def _record(given: Mapping[str, Any]) -> Resource:
    name = given["name"].rstrip(".").lower() + "."
    made = {
        "name": name,
        "type": given["type"],
        "ttl": given.get("ttl", 300),
        "rrdatas": list(given["values"]),
    }
    return check_record(made, "record")


def _policy(state: State, given: Mapping[str, Any]) -> None:
    _, project, _, name = given["id"].split("/")
    networks = [
        {"kind": "dns#responsePolicyNetwork", "networkUrl": link(each)}
        for each in given.get("networks", [])
    ]
    resource = {
        "kind": "dns#responsePolicy",
        "id": state.new_id(),
        "responsePolicyName": name,
        "description": given.get("description", ""),
        "networks": networks,
    }
    policy = ResponsePolicy(project, resource)
    for each in given.get("rules", []):
        rule: Resource = {
            "kind": "dns#responsePolicyRule",
            "ruleName": each["name"],
            "dnsName": each["dns_name"].rstrip(".").lower() + ".",
        }
        if each.get("bypass"):
            rule["behavior"] = "bypassResponsePolicy"
        else:
            rule["localData"] = {"localDatas": [_record(one) for one in each["records"]]}
        policy.rules[each["name"]] = rule
    policy.live_networks = tuple(see(each["networkUrl"]) for each in networks)
    policy.live_rules = tuple(policy.rules.values())
    state.response_policies[project, name] = policy


def _server_policy(state: State, given: Mapping[str, Any]) -> None:
    _, project, _, name = given["id"].split("/")
    kind = "dns#policyAlternativeNameServerConfig"
    resource: Resource = {
        "kind": "dns#policy",
        "id": state.new_id(),
        "name": name,
        "description": "",
        "enableInboundForwarding": given.get("inbound", False),
        "enableLogging": False,
        "networks": [
            {"kind": "dns#policyNetwork", "networkUrl": link(each)}
            for each in given.get("networks", [])
        ],
    }
    if given.get("name_servers"):
        servers = [
            {"kind": f"{kind}TargetNameServer", "ipv4Address": each}
            for each in given["name_servers"]
        ]
        resource["alternativeNameServerConfig"] = {"kind": kind, "targetNameServers": servers}
    state.server_policies[project, name] = resource
