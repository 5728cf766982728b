# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloud DNS: changes of record sets, all of one change or none, and the record sets by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import dns_common as common
from .dns_zones import zone_of
from .errors import GoogleError, invalid
from .operation import Control, Result, method, page
from .records import Resource, Zone
from .state import timestamp

_SHOWN = ("name", "type", "ttl", "rrdatas")


def _key(record: Resource) -> tuple[str, str]:
    return record["name"], record["type"]


def _same(one: Resource, other: Resource) -> bool:
    return (
        _key(one) == _key(other)
        and one["ttl"] == other["ttl"]
        and sorted(one["rrdatas"]) == sorted(other["rrdatas"])
    )


def _apply(
    zone: Zone, additions: Sequence[Resource], deletions: Sequence[Resource]
) -> list[Resource]:
    """The records after a change; raises before anything is changed."""
    if "peeringConfig" in zone.resource or "forwardingConfig" in zone.resource:
        raise invalid("Resource record sets cannot be changed in a peering or forwarding zone.")
    records = list(zone.records)
    for each in deletions:
        found = next((one for one in records if _same(one, each)), None)
        if found is None:
            if any(_key(one) == _key(each) for one in records):
                raise common.unmet(f"deletions[{each['name']}][{each['type']}]")
            what = f"change.deletions[{each['name']}][{each['type']}]"
            message = f"The 'entity.{what}' resource named '{each['name']} ({each['type']})' does not exist."
            raise GoogleError(404, message, "notFound")
        records.remove(found)
    for each in additions:
        name, kind = _key(each)
        if name != zone.dns_name and not name.endswith(f".{zone.dns_name}"):
            raise common.bad(f"change.additions[{name}][{kind}].name", name)
        at_name = [one for one in records if one["name"] == name]
        if any(one["type"] == kind for one in at_name):
            message = f"The resource 'entity.change.additions[{name}][{kind}]' named '{name} ({kind})' already exists"
            raise GoogleError(409, message, "alreadyExists")
        if at_name and ("CNAME" in (kind, *(one["type"] for one in at_name))):
            what = f"entity.change.additions[{name}][{kind}]"
            message = (
                f"The resource record set '{what}' is invalid because it conflicts with a CNAME."
            )
            raise GoogleError(400, message, "cnameResourceRecordSetConflict")
        records.append(each)
    authority = [
        one for one in records if one["name"] == zone.dns_name and one["type"] in ("NS", "SOA")
    ]
    if len(authority) != 2:
        raise invalid(
            "The resource record set cannot be deleted: a zone needs its SOA and NS at the apex."
        )
    return records


@method("dns.changes.create")
def create(control: Control) -> Result:
    zone = zone_of(control)
    common.authorize(control, "changes.create", f"managedZones/{zone.resource['name']}")
    deletions = [
        common.check_record(each, f"change.deletions[{number}]")
        for number, each in enumerate(control.body.get("deletions", []))
    ]
    additions = [
        common.check_record(each, f"change.additions[{number}]")
        for number, each in enumerate(control.body.get("additions", []))
    ]
    if not deletions and not additions:
        raise common.required("change")
    if additions:
        common.authorize(
            control, "resourceRecordSets.create", f"managedZones/{zone.resource['name']}"
        )
    if deletions:
        common.authorize(
            control, "resourceRecordSets.delete", f"managedZones/{zone.resource['name']}"
        )
    zone.records = _apply(zone, additions, deletions)
    return _change(control, zone, additions, deletions)


def _change(
    control: Control, zone: Zone, additions: Sequence[Resource], deletions: Sequence[Resource]
) -> Resource:
    state = control.state
    made: Resource = {
        "kind": "dns#change",
        "id": str(len(zone.changes) + 1),
        "startTime": timestamp(state.now()),
        "status": "pending",
        "additions": list(additions),
        "deletions": list(deletions),
    }
    zone.changes.append(made)

    def end() -> None:
        made["status"] = "done"

    state.after(state.timing.dns_pending, end)
    common.bind_zone(state, zone)
    return made


@method("dns.changes.get")
def get(control: Control) -> Result:
    common.authorize(control, "changes.get")
    for each in zone_of(control).changes:
        if each["id"] == control.path["changeId"]:
            return each
    raise common.not_found("changeId", control.path["changeId"])


@method("dns.changes.list")
def list_(control: Control) -> Result:
    common.authorize(control, "changes.list")
    items, following = page(control, list(reversed(zone_of(control).changes)), "maxResults", 100)
    answer: dict[str, Any] = {"kind": "dns#changesListResponse", "changes": items}
    return answer | ({"nextPageToken": following} if following else {})


@method("dns.resourceRecordSets.list")
def list_records(control: Control) -> Result:
    zone = zone_of(control)
    common.authorize(control, "resourceRecordSets.list", f"managedZones/{zone.resource['name']}")
    name, kind = control.query.get("name"), control.query.get("type")
    records = [
        each
        for each in sorted(zone.records, key=_key)
        if name in (None, each["name"]) and kind in (None, each["type"])
    ]
    items, following = page(control, records, "maxResults", 100)
    answer: dict[str, Any] = {"kind": "dns#resourceRecordSetsListResponse", "rrsets": items}
    return answer | ({"nextPageToken": following} if following else {})


def _one(control: Control, zone: Zone) -> Resource:
    name, kind = control.path["name"], control.path["type"]
    for each in zone.records:
        if _key(each) == (name, kind):
            return each
    raise common.not_found("name", f"{name} ({kind})")


@method("dns.resourceRecordSets.get")
def get_record(control: Control) -> Result:
    common.authorize(control, "resourceRecordSets.get")
    return _one(control, zone_of(control))


@method("dns.resourceRecordSets.create")
def create_record(control: Control) -> Result:
    zone = zone_of(control)
    common.authorize(control, "resourceRecordSets.create", f"managedZones/{zone.resource['name']}")
    record = common.check_record(dict(control.body), "resourceRecordSet")
    zone.records = _apply(zone, [record], [])
    _change(control, zone, [record], [])
    return record


@method("dns.resourceRecordSets.patch")
def patch_record(control: Control) -> Result:
    zone = zone_of(control)
    common.authorize(control, "resourceRecordSets.update", f"managedZones/{zone.resource['name']}")
    before = _one(control, zone)
    record = common.check_record(
        {**{key: before[key] for key in _SHOWN}, **control.body}, "resourceRecordSet"
    )
    zone.records = _apply(zone, [record], [before])
    _change(control, zone, [record], [before])
    return record


@method("dns.resourceRecordSets.delete")
def delete_record(control: Control) -> Result:
    zone = zone_of(control)
    common.authorize(control, "resourceRecordSets.delete", f"managedZones/{zone.resource['name']}")
    before = _one(control, zone)
    zone.records = _apply(zone, [], [before])
    _change(control, zone, [], [before])
    return {}
