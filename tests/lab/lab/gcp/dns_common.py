# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Cloud DNS's resources share: errors, names, record sets, networks, and when they bind."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

from .compute_common import link, see
from .errors import GoogleError, invalid
from .operation import Control
from .records import Resource, ResponsePolicy, Zone
from .state import State, timestamp

TYPES = frozenset(
    [
        "A",
        "AAAA",
        "CAA",
        "CNAME",
        "DNSKEY",
        "DS",
        "HTTPS",
        "IPSECVPNKEY",
        "MX",
        "NAPTR",
        "NS",
        "PTR",
        "SOA",
        "SPF",
        "SRV",
        "SVCB",
        "TLSA",
        "TXT",
    ]
)
_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_DNS_NAME = re.compile(
    r"(?=.{2,254}$)(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+", re.IGNORECASE
)


def required(name: str) -> GoogleError:
    return invalid(f"The 'entity.{name}' parameter is required but was missing.", "required")


def bad(name: str, value: Any) -> GoogleError:
    return invalid(f"Invalid value for 'entity.{name}': '{value}'")


def not_found(kind: str, name: str) -> GoogleError:
    message = f"The 'parameters.{kind}' resource named '{name}' does not exist."
    return GoogleError(404, message, "notFound")


def exists(kind: str, name: str) -> GoogleError:
    message = f"The resource 'entity.{kind}' named '{name}' already exists"
    return GoogleError(409, message, "alreadyExists")


def unmet(what: str) -> GoogleError:
    return GoogleError(412, f"Precondition not met for 'entity.change.{what}'", "conditionNotMet")


def check_name(kind: str, name: Any, field: str = "name") -> None:
    if not name:
        raise required(f"{kind}.{field}")
    if not _NAME.fullmatch(str(name)):
        raise bad(f"{kind}.{field}", name)


def check_dns_name(field: str, name: Any) -> None:
    if not name:
        raise required(field)
    if not _DNS_NAME.fullmatch(str(name)):
        raise bad(field, name)


def authorize(control: Control, permission: str, resource: str = "") -> None:
    project = f"projects/{control.project.id}"
    control.authorize(
        f"dns.{permission}", project, f"{project}/{resource}" if resource else project
    )


def networks(control: Control, given: Iterable[Resource], field: str, kind: str) -> list[Resource]:
    """The networks that a zone or policy names, each of which must exist, with their kind."""
    made = []
    for number, each in enumerate(given):
        url = each.get("networkUrl", "")
        path = see(url, control.project.id)
        if not url.startswith("https://") or path not in control.state.compute:
            raise bad(f"{field}.networks[{number}].networkUrl", url)
        project = control.state.project(path.split("/")[1])
        if project is not None:
            what = (
                "DNSResponsePolicy" if kind.startswith("dns#responsePolicy") else "PrivateDNSZone"
            )
            control.authorize(f"dns.networks.bind{what}", f"projects/{project.id}", path)
        made.append({"kind": kind, "networkUrl": link(path)})
    return made


def check_record(record: Resource, field: str) -> Resource:
    """The record set as Cloud DNS keeps it, or the error that it deserves."""
    name, kind = record.get("name", ""), record.get("type", "")
    check_dns_name(f"{field}.name", name)
    if kind not in TYPES:
        raise bad(f"{field}.type", kind)
    data = list(record.get("rrdatas", []))
    if not data and not record.get("routingPolicy"):
        raise required(f"{field}.rrdata")
    for number, value in enumerate(data):
        if not _fits(kind, value):
            raise bad(f"{field}.rrdata[{number}]", value)
    if kind == "CNAME" and len(data) > 1:
        raise bad(f"{field}.rrdata", data)
    ttl = record.get("ttl", 0)
    if ttl < 0:
        raise bad(f"{field}.ttl", ttl)
    return {
        "kind": "dns#resourceRecordSet",
        "name": name.lower(),
        "type": kind,
        "ttl": ttl,
        "rrdatas": data,
        "signatureRrdatas": [],
    }


def _fits(kind: str, value: str) -> bool:
    try:
        if kind == "A":
            ipaddress.IPv4Address(value)
        elif kind == "AAAA":
            ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return kind != "CNAME" or bool(_DNS_NAME.fullmatch(value))


def authority(dns_name: str, private: bool) -> list[Resource]:
    """The NS and SOA records that a zone is born with."""
    server = "ns-gcp-private.googledomains.com." if private else "ns-cloud-a1.googledomains.com."
    soa = f"{server} cloud-dns-hostmaster.google.com. 1 21600 3600 259200 300"
    return [
        {
            "kind": "dns#resourceRecordSet",
            "name": dns_name,
            "type": "NS",
            "ttl": 21600,
            "rrdatas": [server],
            "signatureRrdatas": [],
        },
        {
            "kind": "dns#resourceRecordSet",
            "name": dns_name,
            "type": "SOA",
            "ttl": 21600,
            "rrdatas": [soa],
            "signatureRrdatas": [],
        },
    ]


def bind_zone(state: State, zone: Zone) -> None:
    """Let the resolvers know the zone as it is now: pending, then done, then served."""
    records, resource = tuple(dict(each) for each in zone.records), dict(zone.resource)

    def serve() -> None:
        zone.live_records, zone.live = records, resource

    state.after(state.timing.dns_pending + state.timing.dns_serve, serve)


def bind_policy(state: State, policy: ResponsePolicy) -> None:
    listed = tuple(see(each["networkUrl"]) for each in policy.resource.get("networks", []))
    rules = tuple(dict(each) for each in policy.rules.values())

    def serve() -> None:
        policy.live_networks, policy.live_rules = listed, rules

    state.after(state.timing.dns_pending + state.timing.dns_serve, serve)


def operation(
    control: Control, zone: Zone, kind: str, before: Resource, after: Resource
) -> Resource:
    """The operation of a zone's patch or update: pending, and done after a while."""
    state = control.state
    made: Resource = {
        "kind": "dns#operation",
        "id": state.new_id(),
        "startTime": timestamp(state.now()),
        "status": "pending",
        "user": control.caller.email,
        "type": kind,
        "zoneContext": {"oldValue": before, "newValue": after},
    }
    zone.operations.append(made)

    def end() -> None:
        made["status"] = "done"

    state.after(state.timing.dns_pending, end)
    return made
