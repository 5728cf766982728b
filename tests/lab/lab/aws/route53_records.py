# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route 53: record sets as they travel, and batches of changes that all happen or none does."""

from __future__ import annotations

import copy
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import endpoint_life
from .errors import AwsError
from .records import RecordSet, Zone
from .state import State

_LABEL = re.compile(r"(\*|[a-z0-9_!\"#$%&'()+,/:;<=>?@\[\\\]^`{|}~-]{1,63})")
_LIMIT = 1000  # record values in one batch


def stored(name: str) -> str:
    """A name as the state keeps it: lower case, no trailing dot, * unescaped."""
    return name.lower().removesuffix(".").replace("\\052", "*")


def sent(name: str) -> str:
    """A name as Route 53 answers it."""
    return name.replace("*", "\\052") + "."


def reversed_labels(name: str) -> list[str]:
    """The order in which Route 53 lists names."""
    return list(reversed(name.split(".")))


def check_name(name: str) -> str:
    """The stored form of a domain name; raises InvalidDomainName."""
    plain = stored(name)
    if not plain or len(plain) > 255 or not all(map(_LABEL.fullmatch, plain.split("."))):
        raise AwsError("InvalidDomainName", f"The domain name '{name}' is not valid.")
    return plain


def shown(record: RecordSet) -> dict[str, Any]:
    view: dict[str, Any] = {"Name": sent(record.name), "Type": record.type}
    if record.alias_name:
        view["AliasTarget"] = {
            "HostedZoneId": record.alias_zone_id,
            "DNSName": sent(record.alias_name),
            "EvaluateTargetHealth": record.evaluate_health,
        }
    else:
        view["TTL"] = record.ttl
        view["ResourceRecords"] = [{"Value": each} for each in record.values]
    return view


def changed(state: State, zone: Zone, changes: Sequence[Mapping[str, Any]]) -> list[RecordSet]:
    """The zone's records after a batch; raises InvalidChangeBatch with all that is wrong in it."""
    records = copy.deepcopy(zone.records)
    wrong: list[str] = []
    if sum(len(each["ResourceRecordSet"].get("ResourceRecords", "1")) for each in changes) > _LIMIT:
        wrong.append(f"Number of records limit of {_LIMIT} exceeded.")
    for change in changes:
        given = change["ResourceRecordSet"]
        problem = _form(change) or _place(zone, given)
        if problem:
            wrong.append(problem)
            continue
        record = _record(given)
        problem = _values(state, zone, record) or _apply(zone, records, change["Action"], record)
        if problem:
            wrong.append(problem)
    if not wrong:
        wrong = _whole(records)
    if wrong:
        text = ", ".join(wrong)
        raise AwsError("InvalidChangeBatch", f"[{text}]")
    return records


def _label(given: Mapping[str, Any]) -> str:
    return f"[name='{sent(stored(given['Name']))}', type='{given['Type']}']"


def _form(change: Mapping[str, Any]) -> str:
    given = change["ResourceRecordSet"]
    plain = {"TTL", "ResourceRecords"} & set(given)
    if "AliasTarget" in given and plain:
        found = "more than one"
    elif "AliasTarget" not in given and len(plain) < 2:
        found = "none"
    else:
        return ""
    return (
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], "
        f"or TrafficPolicyInstanceId], but found {found} in Change with [Action="
        f"{change['Action']}, Name={given['Name']}, Type={given['Type']}, SetIdentifier=null]"
    )


def _place(zone: Zone, given: Mapping[str, Any]) -> str:
    name = stored(given["Name"])
    if name != zone.name and not name.endswith(f".{zone.name}"):
        return f"RRSet with DNS name {sent(name)} is not permitted in zone {zone.name}."
    if given["Type"] == "CNAME" and name == zone.name:
        return (
            f"RRSet of type CNAME with DNS name {sent(name)} is not permitted at apex in zone "
            f"{zone.name}."
        )
    return ""


def _record(given: Mapping[str, Any]) -> RecordSet:
    alias = given.get("AliasTarget", {})
    return RecordSet(
        stored(given["Name"]),
        given["Type"],
        given.get("TTL"),
        [each["Value"] for each in given.get("ResourceRecords", ())],
        stored(alias.get("DNSName", "")),
        alias.get("HostedZoneId", ""),
        alias.get("EvaluateTargetHealth", False),
    )


def _values(state: State, zone: Zone, record: RecordSet) -> str:
    if record.alias_name:
        return _alias(state, zone, record)
    if len(set(record.values)) < len(record.values):
        return f"Duplicate Resource Record: '{record.values[0]}'"
    families = {"A": ("IPv4", ipaddress.IPv4Address), "AAAA": ("IPv6", ipaddress.IPv6Address)}
    if record.type in families:
        family, address = families[record.type]
        for value in record.values:
            try:
                address(value)
            except ValueError:
                rdata = f"{record.type}RRDATAIllegal{family}Address".replace("AAAARR", "AAAAR")
                return (
                    f"Invalid Resource Record: 'FATAL problem: {rdata} (Value is not a valid "
                    f"{family} address) encountered with '{value}''"
                )
    return ""


def _alias(state: State, zone: Zone, record: RecordSet) -> str:
    """An alias must name its target's zone, and the target must be there with this type."""
    target = f"{sent(record.alias_name)}, type {record.type} in zone {record.alias_zone_id}"
    if record.alias_zone_id == zone.id:
        inside = record.alias_name == zone.name or record.alias_name.endswith(f".{zone.name}")
        if inside:
            return ""
    for endpoint in state.endpoints.values():
        public = endpoint_life.public_zone(endpoint.region)
        names = {
            name for name, owner in endpoint_life.dns_entries(state, endpoint) if owner == public
        }
        if record.alias_name in names and record.alias_zone_id == public:
            return ""
    regions = {endpoint_life.public_zone(each): each for each in state.regions}
    if record.alias_zone_id not in regions:
        return f"Tried to create an alias that targets {target}, but that target zone was not found"
    suffix = f".{regions[record.alias_zone_id]}.vpce.amazonaws.com"
    if not record.alias_name.endswith(suffix):
        return (
            f"Tried to create an alias that targets {target}, but the alias target name does not "
            "lie within the target zone"
        )
    return f"Tried to create an alias that targets {target}, but that target was not found"


def _apply(zone: Zone, records: list[RecordSet], action: str, record: RecordSet) -> str:
    same = [each for each in records if (each.name, each.type) == (record.name, record.type)]
    label = f"[name='{sent(record.name)}', type='{record.type}']"
    if action == "CREATE" and same:
        return f"Tried to create resource record set {label} but it already exists"
    if action == "DELETE":
        if not same:
            return f"Tried to delete resource record set {label} but it was not found"
        if not _alike(same[0], record):
            return (
                f"Tried to delete resource record set {label} but the values provided do not match "
                "the current values"
            )
        if record.name == zone.name and record.type in ("SOA", "NS"):
            count = "exactly one SOA record" if record.type == "SOA" else "at least one NS record"
            return f"A HostedZone must contain {count} for the zone itself."
        records.remove(same[0])
        return ""
    for each in same:
        records.remove(each)
    records.append(record)
    return ""


def _alike(one: RecordSet, other: RecordSet) -> bool:
    return (one.ttl, sorted(one.values), one.alias_name, one.alias_zone_id) == (
        other.ttl,
        sorted(other.values),
        other.alias_name,
        other.alias_zone_id,
    )


def _whole(records: Sequence[RecordSet]) -> list[str]:
    """What only the outcome shows: a CNAME tolerates no other record of its name."""
    aliases = {each.name for each in records if each.type == "CNAME"}
    return [
        f"RRSet of type {each.type} with DNS name {sent(each.name)} is not permitted because a "
        "conflicting RRSet of type CNAME with the same DNS name already exists in the zone"
        for each in records
        if each.name in aliases and each.type != "CNAME"
    ]
