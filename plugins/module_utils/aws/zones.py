# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Route 53: private hosted zones, their records and tags, with each account's own credentials."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..core.aws.plan_dns_types import MANAGED, VPC, Record, Spoke, Zone, comment
from ..waiting import Deadline, until
from .client import AwsError, Connection, calling

_TAGS_AT_ONCE = 10
GONE = frozenset(
    ("NoSuchHostedZone", "VPCAssociationNotFound", "VPCAssociationAuthorizationNotFound")
)


def by_vpc(connection: Connection, vpc_id: str, region: str) -> list[Zone]:
    """The private zones that a VPC is associated with, whoever owns them; without records."""
    found: list[Zone] = []
    token: dict[str, str] = {}
    while True:
        answer = ask(
            connection,
            vpc_id,
            "list_hosted_zones_by_vpc",
            VPCId=vpc_id,
            VPCRegion=region,
            **token,
        )
        found += [
            Zone(
                id=_bare(item["HostedZoneId"]),
                name=plain(item["Name"]),
                account=item["Owner"].get("OwningAccount", ""),
                service=item["Owner"].get("OwningService", ""),
                vpcs=frozenset((vpc_id,)),
            )
            for item in answer["HostedZoneSummaries"]
        ]
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


def by_name(connection: Connection, account: str, name: str, vpc_id: str) -> list[Zone]:
    """An account's private zones of exactly this name; those whose comment says so are of `vpc_id`'s endpoints."""
    found: list[Zone] = []
    start: dict[str, str] = {"DNSName": name}
    while True:
        answer = ask(connection, name, "list_hosted_zones_by_name", **start)
        for item in answer["HostedZones"]:
            if plain(item["Name"]) != name:
                return found
            config = item.get("Config") or {}
            if config.get("PrivateZone"):
                ours = config.get("Comment") == comment(vpc_id)
                found.append(
                    Zone(
                        id=_bare(item["Id"]),
                        name=name,
                        account=account,
                        vpc_id=vpc_id if ours else "",
                    )
                )
        if not answer.get("IsTruncated"):
            return found
        start = {"DNSName": answer["NextDNSName"], "HostedZoneId": answer["NextHostedZoneId"]}


def tags(connection: Connection, zone_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Zone id → tags, ten zones a request."""
    ids = sorted(set(zone_ids))
    found: dict[str, dict[str, str]] = {}
    for start in range(0, len(ids), _TAGS_AT_ONCE):
        answer = ask(
            connection,
            "hosted zones",
            "list_tags_for_resources",
            ResourceType="hostedzone",
            ResourceIds=ids[start : start + _TAGS_AT_ONCE],
        )
        for item in answer["ResourceTagSets"]:
            found[_bare(item["ResourceId"])] = {tag["Key"]: tag["Value"] for tag in item["Tags"]}
    return found


def records(connection: Connection, zone: Zone) -> tuple[Record, ...]:
    """All record sets of a zone."""
    found: list[Record] = []
    start: dict[str, str] = {}
    while True:
        answer = ask(
            connection, named(zone), "list_resource_record_sets", HostedZoneId=zone.id, **start
        )
        found += [_record(item) for item in answer["ResourceRecordSets"]]
        if not answer["IsTruncated"]:
            return tuple(found)
        start = {
            key: answer[name]
            for key, name in (
                ("StartRecordName", "NextRecordName"),
                ("StartRecordType", "NextRecordType"),
                ("StartRecordIdentifier", "NextRecordIdentifier"),
            )
            if answer.get(name)
        }


def standing(connection: Connection, zone: Zone) -> Zone | None:
    """A zone with its VPCs and records; None when it is gone."""
    try:
        answer = ask(connection, named(zone), "get_hosted_zone", Id=zone.id)
        return replace(
            zone,
            vpcs=frozenset(item["VPCId"] for item in answer.get("VPCs") or ()),
            records=records(connection, zone),
        )
    except AwsError as error:
        if error.code in GONE:
            return None
        raise


def create(connection: Connection, name: str, home: Spoke, vpc_id: str) -> tuple[Zone, str]:
    """Create a zone with its first VPC; the zone and the change to wait for. A lost response makes no second zone."""
    reference = f"private-ai-endpoints {uuid.uuid4().hex}"
    about = f"hosted zone {name}"
    try:
        answer = ask(
            connection,
            about,
            "create_hosted_zone",
            Name=name,
            CallerReference=reference,
            VPC=place(home),
            HostedZoneConfig={"Comment": comment(vpc_id), "PrivateZone": True},
        )
    except AwsError as error:
        if error.code != "HostedZoneAlreadyExists":
            raise
        # The reference is new, so it was this very request, whose response got lost.
        found = [item for item in by_name(connection, home.account, name, vpc_id) if item.vpc_id]
        if not found:
            raise
        return replace(found[-1], vpcs=frozenset((home.vpc_id,))), ""
    zone = Zone(
        id=_bare(answer["HostedZone"]["Id"]),
        name=name,
        account=home.account,
        vpc_id=vpc_id,
        vpcs=frozenset((home.vpc_id,)),
    )
    return zone, str(answer["ChangeInfo"]["Id"])


def tag(connection: Connection, zone: Zone, vpc_id: str) -> None:
    """Mark a zone as ours."""
    ask(
        connection,
        named(zone),
        "change_tags_for_resource",
        ResourceType="hostedzone",
        ResourceId=zone.id,
        AddTags=[{"Key": MANAGED, "Value": "true"}, {"Key": VPC, "Value": vpc_id}],
    )


def change_records(
    connection: Connection, zone: Zone, *, upsert: Iterable[Record], remove: Iterable[Record]
) -> str:
    """Write and take away record sets, all or nothing; the change to wait for."""
    changes = [
        *({"Action": "DELETE", "ResourceRecordSet": _record_set(item)} for item in remove),
        *({"Action": "UPSERT", "ResourceRecordSet": _record_set(item)} for item in upsert),
    ]
    if not changes:
        return ""
    answer = ask(
        connection,
        named(zone),
        "change_resource_record_sets",
        HostedZoneId=zone.id,
        ChangeBatch={"Changes": changes},
    )
    return str(answer["ChangeInfo"]["Id"])


def delete(connection: Connection, zone: Zone, held: Iterable[Record]) -> None:
    """Delete a zone and its records."""
    extra = [item for item in held if item.type not in ("NS", "SOA")]

    def call() -> dict[str, Any]:
        change_records(connection, zone, upsert=(), remove=extra)
        return ask(connection, named(zone), "delete_hosted_zone", Id=zone.id)

    tolerant(call)


def wait_insync(changes: Iterable[tuple[Connection, str]], deadline: Deadline) -> None:
    """Wait until all changes have reached Route 53's servers."""
    waiting = {change: connection for connection, change in changes if change}

    def done() -> str:
        for change, connection in list(waiting.items()):
            answer = ask(connection, change, "get_change", Id=_bare(change))
            if answer["ChangeInfo"]["Status"] == "INSYNC":
                del waiting[change]
        return ", ".join(f"{_bare(change)} is not INSYNC" for change in sorted(waiting))

    until(deadline, "changes of hosted zones", done)


def plain(name: str) -> str:
    """A DNS name as people write it: lower case, no trailing dot, `*` for Route 53's escaped one."""
    return name.rstrip(".").lower().replace("\\052", "*")


def _record(item: Mapping[str, Any]) -> Record:
    target = item.get("AliasTarget")
    return Record(
        name=plain(item["Name"]),
        type=item["Type"],
        alias=(plain(target["DNSName"]), target["HostedZoneId"]) if target else None,
        values=tuple(sorted(value["Value"] for value in item.get("ResourceRecords") or ())),
        ttl=item.get("TTL"),
    )


def _record_set(record: Record) -> dict[str, Any]:
    if record.alias:
        name, zone_id = record.alias
        target = {"DNSName": name, "HostedZoneId": zone_id, "EvaluateTargetHealth": False}
        return {"Name": record.name, "Type": record.type, "AliasTarget": target}
    return {
        "Name": record.name,
        "Type": record.type,
        "TTL": record.ttl,
        "ResourceRecords": [{"Value": value} for value in record.values],
    }


def place(spoke: Spoke) -> dict[str, str]:
    """A VPC as Route 53 takes it."""
    return {"VPCRegion": spoke.region, "VPCId": spoke.vpc_id}


def named(zone: Zone) -> str:
    """A zone, for people."""
    return f"hosted zone {zone.id} ({zone.name})"


def _bare(identifier: str) -> str:
    return identifier.rpartition("/")[2]


def ask(connection: Connection, about: str, operation: str, **request: Any) -> dict[str, Any]:
    """One request; `about` is what an error names."""
    words = {"vpc": "VPC"}
    action = "".join(words.get(word, word.capitalize()) for word in operation.split("_"))
    with calling(about, f"route53:{action}"):
        answer: dict[str, Any] = getattr(connection.client("route53"), operation)(**request)
    return answer


def tolerant(call: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """None when what it is about is gone."""
    try:
        return call()
    except AwsError as error:
        if error.code in GONE:
            return None
        raise
