# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets of private DNS zones: `…/privateDnsZones/{zone}/{type}/{name}`, in this order."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from . import stock
from .arm_ids import ArmId
from .control import Control
from .errors import bad_request, conflict, not_found
from .network import NAMESPACE
from .private_dns import RECORD_TYPES, SDK, VERSIONS, record_sets
from .registry import Answer, operation, resource_type, shown
from .state import Resource, State

_ZONES = f"{NAMESPACE}/privateDnsZones"
_NAME = re.compile(r"@|\*|(\*\.)?[a-z0-9_]([a-z0-9_.-]{0,252})?", re.IGNORECASE)
_FIELDS = {
    "A": "aRecords",
    "AAAA": "aaaaRecords",
    "CNAME": "cnameRecord",
    "MX": "mxRecords",
    "PTR": "ptrRecords",
    "SOA": "soaRecord",
    "SRV": "srvRecords",
    "TXT": "txtRecords",
}


def _view(state: State, record: Resource) -> dict[str, Any]:
    del state
    zone = record.id.names[0]
    name = record.id.name
    fqdn = f"{zone}." if name == "@" else f"{name}.{zone}."
    properties = {"metadata": {}, **record.properties, "fqdn": fqdn, "isAutoRegistered": False}
    if not properties["metadata"]:
        del properties["metadata"]
    return {"properties": properties}


def _listed(control: Control) -> Answer:
    """Record sets of one type, or of all."""
    zone = stock.existing_parent(control)
    kind = control.operation.type.short.split("/")[-1]
    every = kind.upper() in ("ALL", "RECORDSETS")
    found = record_sets(control.state, zone) if every else control.state.children(zone.id, kind)
    suffix = control.query.get("$recordsetnamesuffix", "").lower()
    chosen = [each for each in found if not suffix or each.id.name.lower().endswith(suffix)]
    return stock.paged(control, [shown(control.state, each) for each in chosen])


def _get(control: Control) -> Answer:
    record = control.existing()
    if record is None:
        raise not_found(
            "NotFound",
            f"The resource record '{control.id.name}' does not exist in resource group "
            f"'{control.id.resource_group}' of subscription '{control.id.subscription}'.",
        )
    return stock.get(control)


def _kind(control: Control) -> str:
    return control.operation.type.short.split("/")[-1]


def _put(control: Control) -> Answer:
    kind, name = _kind(control), control.id.name
    zone = stock.existing_parent(control)
    control.idle(zone)
    standing = control.existing()
    if not _NAME.fullmatch(name):
        raise bad_request("BadRequest", f"The domain name '{name}.{zone.id.name}' is invalid.")
    properties = dict(control.properties)
    _check(control, kind, properties)
    if standing is None:
        _alone(control, zone, kind)
    made = standing or control.state.add(Resource(control.id, {}))
    made.body = {"properties": properties}
    made.hidden.pop("owner", None)
    return _written(control, made, 200 if standing else 201)


def _written(control: Control, record: Resource, status: int) -> Answer:
    record.touch()
    answer = Answer(status, shown(control.state, record))
    answer.headers["ETag"] = record.etag
    return answer


def _check(control: Control, kind: str, properties: Mapping[str, Any]) -> None:
    """A TTL, and records of the path's type and no other."""
    ttl = properties.get("ttl")
    if ttl is None or not 1 <= ttl <= 2147483647:
        raise bad_request(
            "BadRequest",
            f"The record set '{control.id.name}' must have a TTL between 1 and 2147483647, not "
            f"'{ttl}'.",
        )
    for other, field in _FIELDS.items():
        if other != kind and properties.get(field):
            raise bad_request(
                "BadRequest",
                f"The record set type '{kind}' of the resource does not match the records of type "
                f"'{other}' in the request.",
            )
    if kind in ("A", "AAAA"):
        _check_addresses(kind, properties.get(_FIELDS[kind]) or [])
    if kind == "CNAME":
        target = (properties.get("cnameRecord") or {}).get("cname")
        if not target or control.id.name == "@":
            raise bad_request("BadRequest", "The CNAME record is invalid.")


def _check_addresses(kind: str, records: list[Mapping[str, Any]]) -> None:
    seen = set()
    for each in records:
        text = str(each.get("ipv4Address" if kind == "A" else "ipv6Address") or "")
        try:
            address = ipaddress.ip_address(text)
            right = address.version == (4 if kind == "A" else 6)
        except ValueError:
            right = False
        if not right or text in seen:
            raise bad_request("BadRequest", f"The IP address '{text}' is invalid or given twice.")
        seen.add(text)


def _alone(control: Control, zone: Resource, kind: str) -> None:
    """A CNAME tolerates no other record of its name."""
    name = control.id.name.lower()
    for each in record_sets(control.state, zone):
        other = each.id.types[-1]
        if each.id.name.lower() == name and other != kind and "CNAME" in (kind, other):
            raise conflict(
                "Conflict",
                "The record could not be created because a CNAME record with the same name already "
                f"exists in this zone: '{control.id.name}'.",
            )


def _patch(control: Control) -> Answer:
    """What is given takes the place of what was."""
    record = control.existing()
    if record is None:
        return _get(control)
    properties = {**record.properties, **control.properties}
    _check(control, _kind(control), properties)
    record.body = {"properties": properties}
    record.hidden.pop("owner", None)
    return _written(control, record, 200)


def _delete(control: Control) -> Answer:
    record = control.existing()
    if record is None:
        return Answer(204)
    control.idle(stock.existing_parent(control))
    control.state.remove(record.id)
    return Answer(200)


def _soa_stays(control: Control) -> Answer:
    raise bad_request(
        "BadRequest", f"The SOA record of zone '{control.id.names[0]}' cannot be deleted."
    )


def _register() -> None:
    for kind in RECORD_TYPES:
        type = resource_type(
            f"{_ZONES}/{kind}",
            VERSIONS,
            model=(SDK, "RecordSet"),
            view=_view,
            tracked=False,
            etag="{}",
        )
        operation(type, "GET")(_get)
        operation(type, "LIST")(_listed)
        operation(type, "PUT")(_put)
        operation(type, "PATCH", model=(SDK, "RecordSet"))(_patch)
        operation(type, "DELETE")(_soa_stays if kind == "SOA" else _delete)
    for every in ("ALL", "recordsets"):
        type = resource_type(f"{_ZONES}/{every}", VERSIONS, tracked=False, etag="")
        operation(type, "LIST")(_listed)


_register()


def write_owned(
    state: State,
    zone: Resource,
    label: str,
    address: str,
    ttl: int,
    metadata: dict[str, str],
    owner: str,
) -> None:
    """The A record of a zone group; what stood there is overwritten."""
    id: ArmId = zone.id.child("A", label)
    record = state.find(id) or state.add(Resource(id, {}))
    record.body = {
        "properties": {"metadata": metadata, "ttl": ttl, "aRecords": [{"ipv4Address": address}]}
    }
    record.hidden["owner"] = owner.lower()
    record.touch()


def remove_owned(state: State, zone: Resource, owner: str) -> None:
    """Take out the records that a zone group of this endpoint wrote."""
    for record in state.children(zone.id, "A"):
        if record.hidden.get("owner") == owner.lower():
            state.remove(record.id)
