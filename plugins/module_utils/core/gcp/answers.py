# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a name leads in a network, by configuration, and which endpoints serve that network.

A response policy decides first, then the private zone with the longest matching name, which answers alone: what it
lacks does not exist, whatever public DNS says. A peering zone hands the question to another network.
https://cloud.google.com/dns/docs/vpc-name-res-order
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .names import project_of

Document = Mapping[str, Any]
Kind = Literal["private", "public", "elsewhere", "unknown"]

_LONGEST_CHAIN = 8
_ADDRESSES = ("A", "AAAA")


@dataclass(frozen=True)
class Prediction:
    """What the configuration says about one name in one network.

    private: at endpoints that serve this network. public: nothing private claims the name. elsewhere: something
    private claims it and leads to other addresses, or nowhere. unknown: it cannot be seen.
    """

    kind: Kind
    addresses: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class _Answer:
    """kind: addresses, nothing (the name or its address does not exist), public, or unknown."""

    kind: Literal["addresses", "nothing", "public", "unknown"]
    addresses: tuple[str, ...]
    by: str


def leading_to(evidence: Document, addresses: Collection[str]) -> list[str]:
    """The zones and response policies that have one of the addresses in a record, by their paths."""
    wanted = set(addresses)
    held = [(zone["id"], zone["records"]) for zone in evidence["zones"]]
    held += [
        (policy["id"], rule["records"])
        for policy in evidence["response_policies"]
        for rule in policy["rules"]
    ]
    return sorted(
        {
            str(name)
            for name, records in held
            if any(wanted & set(record["values"]) for record in records or ())
        }
    )


def covers(pattern: str, host: str) -> bool:
    """Whether a rule or record name is the host or a wildcard above it."""
    return pattern in ("*", host) or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def is_about(zone: str, host: str) -> bool:
    """Whether a zone is of the host, of a suffix of it, or of a name under it. The root zone is of every name."""
    return zone in ("", host) or host.endswith(f".{zone}") or zone.endswith(f".{host}")


def networks(evidence: Document) -> dict[str, Document]:
    """Every network that was looked at, by its path: the application's, those with endpoints of their own, peers."""
    listed = (evidence["network"], *evidence["spokes"], *evidence["peers"])
    return {str(item["id"]): item for item in listed if item}


def served(evidence: Document) -> list[str]:
    """The networks that have to have an endpoint of their own: the application's and the spokes."""
    return [str(item["id"]) for item in (evidence["network"], *evidence["spokes"]) if item]


def serves(endpoint: Document, network_id: str) -> bool:
    """Whether packets from a network reach an endpoint: from its own alone, never over a peering."""
    return str(endpoint["network_id"]) == network_id


def endpoints_of(evidence: Document, network_id: str) -> list[Document]:
    """The endpoints that serve a network."""
    return [item for item in evidence["endpoints"] if serves(item, network_id)]


def addresses_of(evidence: Document, network_id: str) -> list[str]:
    """The addresses of the endpoints that serve a network."""
    return sorted({str(item["address"]) for item in endpoints_of(evidence, network_id)})


def predict(
    host: str, network_id: str, evidence: Document, wanted: Collection[str] | None = None
) -> Prediction:
    """Where `host` leads in a network. wanted: the addresses that are right there; without it, its endpoints'."""
    right = set(addresses_of(evidence, network_id) if wanted is None else wanted)
    answer = _resolve(host, network_id, evidence, ())
    if answer.kind in ("public", "unknown"):
        return Prediction("public" if answer.kind == "public" else "unknown", (), answer.by)
    if answer.kind == "addresses" and set(answer.addresses) <= right:
        return Prediction("private", answer.addresses, answer.by)
    if answer.kind == "addresses":
        by = f"{answer.by} leads to {', '.join(answer.addresses)}, where no endpoint serves {network_id}"
        return Prediction("elsewhere", answer.addresses, by)
    return Prediction("elsewhere", (), answer.by)


def zone_for(host: str, network_id: str, evidence: Document) -> Document | None:
    """The private zone that answers for a name in a network: the longest one."""
    return max(
        (
            zone
            for zone in evidence["zones"]
            if network_id in zone["network_ids"] and _within(host, str(zone["dns_name"]))
        ),
        key=lambda zone: len(str(zone["dns_name"])),
        default=None,
    )


def rule_for(host: str, network_id: str, evidence: Document) -> tuple[Document, Document] | None:
    """The response policy of a network and its rule that decides for a name: the exact one, else the longest."""
    for policy in evidence["response_policies"]:
        if network_id not in policy["network_ids"]:
            continue
        rules = [item for item in policy["rules"] if covers(str(item["dns_name"]), host)]
        exact = [item for item in rules if item["dns_name"] == host]
        found = exact or sorted(rules, key=lambda item: -len(str(item["dns_name"])))
        if found:
            return policy, found[0]
    return None


def _resolve(name: str, network_id: str, evidence: Document, seen: tuple[str, ...]) -> _Answer:
    """seen: the questions on the way here, so that a circle ends."""
    question = f"{name} in {network_id}"
    if question in seen or len(seen) >= _LONGEST_CHAIN:
        return _Answer("nothing", (), f"the question for {name} goes in a circle")
    path = (*seen, question)
    if unread := _unread(f"projects/{project_of(network_id)}", evidence):
        return _Answer("unknown", (), unread)
    network = networks(evidence).get(network_id)
    servers = ((network or {}).get("dns_policy") or {}).get("name_servers") or ()
    if servers:
        by = f"{network_id} asks DNS servers of its own ({', '.join(servers)}), which do not show at Google"
        return _Answer("unknown", (), by)
    for policy in evidence["response_policies"]:
        if network_id in policy["network_ids"] and (unread := _unread(policy["id"], evidence)):
            return _Answer("unknown", (), unread)
    found = rule_for(name, network_id, evidence)
    if found and not found[1]["bypass"]:
        policy, rule = found
        where = f"the rule {rule['name']} of the response policy {policy['id']}"
        return _from_records(rule["records"], name, network_id, evidence, path, where)
    zone = zone_for(name, network_id, evidence)
    if zone is None:
        return _Answer("public", (), f"no private zone for {name} is attached to {network_id}")
    return _from_zone(zone, name, network_id, evidence, path)


def _unread(resource: str, evidence: Document) -> str:
    """What of a resource's DNS could not be read; "" when all of it was."""
    return next(
        (
            f"{item['action']} on {resource} failed: {item['code']}"
            for item in evidence["missing"]
            if item["resource"] == resource and str(item["action"]).startswith("dns.")
        ),
        "",
    )


def _from_zone(
    zone: Document, name: str, network_id: str, evidence: Document, path: tuple[str, ...]
) -> _Answer:
    where = f"private zone {zone['id']}"
    target = zone["peering_network_id"]
    if target:
        answer = _resolve(name, str(target), evidence, path)
        return _Answer(answer.kind, answer.addresses, f"{where} asks {target}: {answer.by}")
    if zone.get("forwarding"):
        by = f"{where} asks other servers ({', '.join(zone['forwarding'])}), which do not show at Google"
        return _Answer("unknown", (), by)
    if unread := _unread(str(zone["id"]), evidence):
        return _Answer("unknown", (), unread)
    records = _at(zone["records"], name, str(zone["dns_name"]))
    if not records:
        by = f"{where} has no record {name}: the name does not exist"
        return _Answer("nothing", (), by)
    return _from_records(records, name, network_id, evidence, path, where)


def _from_records(
    records: Iterable[Document],
    name: str,
    network_id: str,
    evidence: Document,
    path: tuple[str, ...],
    where: str,
) -> _Answer:
    records = list(records)
    found = sorted(
        {str(text) for item in records if item["type"] in _ADDRESSES for text in item["values"]}
    )
    if found:
        return _Answer("addresses", tuple(found), where)
    alias = next((item for item in records if item["type"] == "CNAME"), None)
    if alias is None:
        return _Answer("nothing", (), f"{where} has no address for {name}")
    target = str(alias["values"][0]).rstrip(".").lower()
    answer = _resolve(target, network_id, evidence, path)
    if answer.kind == "public":
        # Something private does claim the name: it leads to Google's public addresses by another name.
        return _Answer("nothing", (), f"{where} sends {name} to the public name {target}")
    return _Answer(answer.kind, answer.addresses, f"{where} sends it to {target}; {answer.by}")


def _at(records: Sequence[Document], name: str, apex: str) -> list[Document]:
    """The records at a name; else those of the closest wildcard above it that no name in between hides."""
    known: dict[str, list[Document]] = {}
    for item in records:
        known.setdefault(str(item["name"]), []).append(item)
    if name in known or any(other.endswith(f".{name}") for other in known):
        return known.get(name, [])
    parent = name
    while parent != apex and "." in parent:
        parent = parent.partition(".")[2]
        if f"*.{parent}" in known:
            return known[f"*.{parent}"]
        if parent != apex and any(
            other == parent or other.endswith(f".{parent}") for other in known
        ):
            return []
    return known.get("*", []) if not apex else []


def _within(host: str, zone: str) -> bool:
    return zone in ("", host) or host.endswith(f".{zone}")
