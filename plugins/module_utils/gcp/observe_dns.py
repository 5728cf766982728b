# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS part of the evidence: what the networks' resolvers are told about the hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.gcp.answers import covers, is_about
from ..core.gcp.names import path_of
from ..core.gcp.plan_create_types import LABEL, MANAGED
from .client import Connection
from .reads import Read, all_of

Document = Mapping[str, Any]

_LISTS: Mapping[str, tuple[str, str, str]] = {
    "zones": ("managedZones", "managedZones", "dns.managedZones.list"),
    "policies": ("responsePolicies", "responsePolicies", "dns.responsePolicies.list"),
    "servers": ("policies", "policies", "dns.policies.list"),
}


def list_reads(connection: Connection, project: str, part: str = "dns") -> dict[str, Read]:
    """Zones, response policies and server policies of a project."""
    return {
        f"{kind} {project}": Read(
            part=part,
            resource=f"projects/{project}",
            action=action,
            call=all_of(connection, "dns", f"projects/{project}/{path}", key),
            tolerant=part == "peers",
        )
        for kind, (path, key, action) in _LISTS.items()
    }


def content_reads(
    connection: Connection,
    answers: Mapping[str, Any],
    networks: Iterable[str],
    hosts: Sequence[str],
    part: str = "dns",
) -> dict[str, Read]:
    """Records of the zones and rules of the policies that these networks see, and that can be about the hosts."""
    networks = list(networks)
    reads = {}
    for project, zone in zones_of(answers, networks, hosts):
        path = f"projects/{project}/managedZones/{zone['name']}"
        if peering_of(zone) is None:
            reads[f"records {path}"] = Read(
                part=part,
                resource=path,
                action="dns.resourceRecordSets.list",
                call=all_of(connection, "dns", f"{path}/rrsets", "rrsets"),
                tolerant=part == "peers",
            )
    for project, policy in policies_of(answers, networks):
        path = f"projects/{project}/responsePolicies/{policy['responsePolicyName']}"
        reads[f"rules_of {path}"] = Read(
            part=part,
            resource=path,
            action="dns.responsePolicyRules.list",
            call=all_of(connection, "dns", f"{path}/rules", "responsePolicyRules"),
            tolerant=part == "peers",
        )
    return reads


def zones_of(
    answers: Mapping[str, Any], networks: Iterable[str], hosts: Sequence[str]
) -> list[tuple[str, Document]]:
    """The private zones, with their project, that one of the networks sees and that can be about one of the hosts."""
    known = set(networks)
    return [
        (project, zone)
        for project, zone in _listed(answers, "zones")
        if zone.get("visibility") == "private"
        and known & set(networks_of(zone))
        and any(is_about(plain(zone["dnsName"]), host) for host in hosts)
    ]


def policies_of(answers: Mapping[str, Any], networks: Iterable[str]) -> list[tuple[str, Document]]:
    """The response policies, with their project, of one of the networks."""
    known = set(networks)
    return [
        (project, policy)
        for project, policy in _listed(answers, "policies")
        if known & set(_paths(policy.get("networks")))
    ]


def zones(
    answers: Mapping[str, Any], networks: Iterable[str], hosts: Sequence[str]
) -> list[dict[str, Any]]:
    """`zones` of the evidence."""
    found = []
    for project, zone in zones_of(answers, networks, hosts):
        path = f"projects/{project}/managedZones/{zone['name']}"
        labels = zone.get("labels") or {}
        found.append(
            {
                "id": path,
                "name": str(zone["name"]),
                "project": project,
                "dns_name": plain(zone["dnsName"]),
                "network_ids": networks_of(zone),
                "peering_network_id": peering_of(zone),
                "forwarding": _targets(zone.get("forwardingConfig")),
                "managed": labels.get(LABEL) == MANAGED,
                "records": _records(answers.get(f"records {path}") or ()),
            }
        )
    return sorted(found, key=lambda item: str(item["id"]))


def response_policies(
    answers: Mapping[str, Any], networks: Iterable[str], hosts: Sequence[str]
) -> list[dict[str, Any]]:
    """`response_policies` of the evidence, with those of their rules that can be about one of the hosts."""
    found: list[dict[str, Any]] = []
    for project, policy in policies_of(answers, networks):
        path = f"projects/{project}/responsePolicies/{policy['responsePolicyName']}"
        rules = [
            {
                "name": str(item["ruleName"]),
                "dns_name": plain(item["dnsName"]),
                "bypass": item.get("behavior") == "bypassResponsePolicy",
                "records": _records((item.get("localData") or {}).get("localDatas") or ()),
            }
            for item in answers.get(f"rules_of {path}") or ()
            if any(covers(plain(item["dnsName"]), host) for host in hosts)
        ]
        found.append(
            {
                "id": path,
                "network_ids": _paths(policy.get("networks")),
                "rules": sorted(rules, key=lambda item: str(item["name"])),
            }
        )
    return sorted(found, key=lambda item: str(item["id"]))


def server_policy(answers: Mapping[str, Any], network: str) -> dict[str, Any] | None:
    """`dns_policy` of a network: the servers that it asks instead of Google's."""
    for project, policy in _listed(answers, "servers"):
        if network in _paths(policy.get("networks")):
            return {
                "id": f"projects/{project}/policies/{policy['name']}",
                "name_servers": _targets(policy.get("alternativeNameServerConfig")),
                "inbound": bool(policy.get("enableInboundForwarding")),
            }
    return None


def networks_of(zone: Document) -> list[str]:
    """The networks that see a zone."""
    return _paths((zone.get("privateVisibilityConfig") or {}).get("networks"))


def peering_of(zone: Document) -> str | None:
    """The network whose view a peering zone gives; None for any other zone."""
    target = ((zone.get("peeringConfig") or {}).get("targetNetwork") or {}).get("networkUrl")
    return path_of(str(target)) if target else None


def plain(name: Any) -> str:
    """A DNS name as it is compared."""
    return str(name).rstrip(".").lower()


def _listed(answers: Mapping[str, Any], kind: str) -> list[tuple[str, Document]]:
    return [
        (name.partition(" ")[2], item)
        for name, listed in answers.items()
        if name.startswith(f"{kind} ")
        for item in listed or ()
    ]


def _paths(networks: Any) -> list[str]:
    return sorted(path_of(str(item["networkUrl"])) for item in networks or ())


def _targets(config: Any) -> list[str]:
    listed = (config or {}).get("targetNameServers") or ()
    known = (
        item.get("ipv4Address") or item.get("ipv6Address") or item.get("domainName")
        for item in listed
    )
    return sorted(str(item) for item in known if item)


def _records(items: Iterable[Document]) -> list[dict[str, Any]]:
    found = [
        {
            "name": plain(item["name"]),
            "type": str(item["type"]),
            "ttl": int(item.get("ttl") or 0),
            "values": sorted(str(value) for value in item.get("rrdatas") or ()),
        }
        for item in items
    ]
    return sorted(found, key=lambda item: (str(item["name"]), str(item["type"])))
