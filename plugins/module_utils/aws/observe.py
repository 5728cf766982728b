# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what AWS's control planes say about one VPC and its AI endpoints: the evidence.

Everything that hangs on nothing is read at once, then what hangs on that: at most three rounds, however many endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..core.aws.catalogue import CATALOGUE
from ..core.contracts import SCHEMA_VERSION
from ..core.proof import timestamp
from ..core.window import window
from . import observe_dns, observe_endpoints, observe_enforcement, observe_network, observe_traffic
from .client import Connection, connect
from .reads import Read, Reader

PARTS = ("network", "endpoints", "dns", "enforcement", "traffic")
DEFAULT_PARTS = ("network", "endpoints", "dns")
ALL_REGIONS = "all"
_LONGEST = timedelta(days=90)


def observe(
    connection: Mapping[str, Any] | Connection,
    *,
    vpc_id: str,
    target: str | None = None,
    gather: Sequence[str] = DEFAULT_PARTS,
    organizations_role_arn: str | None = None,
    traffic_days: float = 7,
    traffic_start: str | None = None,
    traffic_regions: Sequence[str] = (),
    traffic_max_pages: int = 40,
) -> dict[str, Any]:
    """The evidence document of one VPC (see the module bedrock_vpc_endpoint_info for its keys).

    connection: the AWS connection options of a module (region, access_key, …, assume_role_arn), or what `connect`
    made of them.
    target: the inventory's name for the VPC; its id when there is none.
    gather: which of PARTS to read.
    organizations_role_arn: role of the management (or delegated) account for `enforcement`; None uses `connection`
    without its assumed role.
    traffic_start: ISO 8601; instead of traffic_days.
    traffic_regions: besides the connection's own; ALL_REGIONS stands for every Region enabled for the account.
    traffic_max_pages: of 50 events, for each Region.

    A part that the credentials may not read is an entry of `missing`, naming the action; a VPC that does not exist,
    credentials that AWS rejects, or a network failure raise EndpointError.
    """
    used = connection if isinstance(connection, Connection) else connect(connection)
    start, end = window(
        traffic_days,
        traffic_start,
        longest=_LONGEST,
        kept="CloudTrail's event history keeps 90 days",
    )
    reader = Reader()
    found = _Found(used, reader, vpc_id, frozenset(gather))
    found.read()
    evidence = found.evidence(target or vpc_id, [part for part in PARTS if part in gather], end)
    if "enforcement" in gather:
        chosen = (
            used.assuming(organizations_role_arn) if organizations_role_arn else used.without_role()
        )
        evidence["enforcement"] = observe_enforcement.enforcement(
            reader, lambda: chosen.client("organizations"), evidence["account_id"]
        )
    if "traffic" in gather:
        evidence["traffic"] = observe_traffic.traffic(
            reader,
            used,
            regions=_regions(reader, found, used.region, traffic_regions),
            sources=event_sources(),
            start=start,
            end=end,
            max_pages=traffic_max_pages,
        )
    return evidence


def _regions(reader: Reader, found: _Found, own: str, further: Sequence[str]) -> list[str]:
    """Where to look for audit records: an empty list when the account's Regions could not be listed."""
    named = [region for region in further if region != ALL_REGIONS]
    if ALL_REGIONS in further:
        enabled = reader.all({"regions": observe_traffic.regions_read(found.ec2)})["regions"]
        if enabled is None:
            return []
        named += enabled
    return list(dict.fromkeys([own, *named]))


def event_sources() -> list[str]:
    """CloudTrail's event sources of the catalogue's services."""
    return sorted({f"{item.iam_prefix}.amazonaws.com" for item in CATALOGUE.values()})


class _Found:
    """The reads of one VPC, round by round, and the document made of them."""

    def __init__(
        self, connection: Connection, reader: Reader, vpc_id: str, gather: frozenset[str]
    ) -> None:
        self.connection, self.reader, self.vpc_id, self.gather = connection, reader, vpc_id, gather
        self.ec2 = connection.client("ec2")
        self.answers: dict[str, Any] = {}
        self.network = observe_network.network({}, vpc_id)
        self.endpoints: list[Mapping[str, Any]] = []
        self.zones: dict[str, str] = {}
        self.seen_in: dict[str, set[str]] = {}

    def read(self) -> None:
        """All rounds."""
        self._first_round()
        self._second_round()
        self._third_round()

    def _first_round(self) -> None:
        reads = {"vpc": observe_network.vpc_read(self.ec2, self.vpc_id)}
        if "network" in self.gather:
            reads.update(observe_network.reads(self.ec2, self.vpc_id))
        if "endpoints" in self.gather:
            region = self.connection.region
            reads.update(observe_endpoints.reads(self.ec2, self.vpc_id, region))
        if "dns" in self.gather:
            route53 = self.connection.client("route53")
            reads["zones"] = observe_dns.zones_read(route53, self.vpc_id, self.connection.region)
        self.answers = self.reader.all(reads)
        self.network = observe_network.network(self.answers, self.vpc_id)

    def _second_round(self) -> None:
        own = self.answers.get("endpoints")
        self.endpoints = observe_endpoints.ai_endpoints(own, self.connection.region)
        offered = {item["ServiceName"] for item in self.answers.get("services") or ()}
        reads = observe_endpoints.further_reads(self.ec2, self.endpoints, offered)
        reads.update(self._zone_reads({self.vpc_id: self.answers.get("zones")}))
        reads.update(self._peer_reads())
        self.answers.update(self.reader.all(reads))

    def _third_round(self) -> None:
        """What peers turned out to have."""
        theirs = observe_endpoints.ai_endpoints(
            self.answers.get("peer endpoints"), self.connection.region
        )
        reads: dict[str, Read] = {}
        if theirs:
            further = observe_endpoints.further_reads(self.ec2, theirs, set())
            if "interfaces" in further:
                reads["peer interfaces"] = further["interfaces"]
        listed = {
            name.removeprefix("peer zones "): answer
            for name, answer in self.answers.items()
            if name.startswith("peer zones ")
        }
        reads.update(self._zone_reads(listed))
        self.answers.update(self.reader.all(reads))
        self.endpoints = [*self.endpoints, *theirs]

    def _zone_reads(self, listed: Mapping[str, Any]) -> dict[str, Read]:
        """Reads of the zones that these VPCs are associated with and that were not read yet."""
        fresh: dict[str, str] = {}
        for vpc_id, summaries in listed.items():
            for zone_id, name in observe_dns.relevant(summaries).items():
                self.seen_in.setdefault(zone_id, set()).add(vpc_id)
                if zone_id not in self.zones:
                    fresh[zone_id] = name
        self.zones.update(fresh)
        if not fresh:
            return {}
        return observe_dns.zone_reads(self.connection.client("route53"), fresh)

    def _peer_reads(self) -> dict[str, Read]:
        """Endpoints and zones of active peers; endpoints only where the same credentials can see them."""
        vpc = self.answers["vpc"] or {}
        peers = [item for item in self.network["peerings"] if item["status"] == "active"]
        near = sorted(
            item["peer_vpc_id"]
            for item in peers
            if item["peer_region"] in (None, self.connection.region)
            and item["peer_account_id"] == vpc.get("OwnerId")
        )
        reads: dict[str, Read] = {}
        if near and "endpoints" in self.gather:
            reads["peer endpoints"] = observe_endpoints.endpoints_read(self.ec2, near, "peers")
        if peers and "dns" in self.gather:
            route53 = self.connection.client("route53")
            for item in peers:
                reads[f"peer zones {item['peer_vpc_id']}"] = observe_dns.zones_read(
                    route53,
                    item["peer_vpc_id"],
                    item["peer_region"] or self.connection.region,
                    "peers",
                )
        return reads

    def evidence(self, target: str, gathered: list[str], now: datetime) -> dict[str, Any]:
        """The document, without enforcement and traffic."""
        answers = self.answers
        interfaces = {
            item["NetworkInterfaceId"]: item
            for key in ("interfaces", "peer interfaces")
            for item in answers.get(key) or ()
        }
        vpc = observe_network.vpc(answers["vpc"], self.vpc_id, answers)
        offered = [*(answers.get("services") or ()), *(answers.get("other_services") or ())]
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "evidence",
            "cloud": "aws",
            "target": target,
            "collected_at": timestamp(now),
            "account_id": vpc["owner_id"] or self.connection.identity()["account_id"],
            "region": self.connection.region,
            "partition": self.connection.partition(),
            "gathered": gathered,
            "missing": self.reader.missing,
            "vpc": vpc,
            **self.network,
            "endpoints": [observe_endpoints.endpoint(item, interfaces) for item in self.endpoints],
            "security_groups": observe_endpoints.security_groups(
                answers.get("groups"), answers.get("rules")
            ),
            "services": observe_endpoints.services(offered),
            "zones": observe_dns.zones(self.zones, answers, self.seen_in, self.connection.region),
            "enforcement": None,
            "traffic": None,
        }
