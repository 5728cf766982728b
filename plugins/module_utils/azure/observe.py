# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what Azure says about one AI account and the network that it is reached from: the evidence.

Everything that hangs on nothing is read at once, then what hangs on that: at most four rounds, however many endpoints,
peers and zones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..core.azure.arm_id import ArmId, key
from ..core.contracts import SCHEMA_VERSION
from ..core.errors import EndpointError
from ..core.proof import timestamp
from ..core.window import window
from . import observe_account, observe_dns, observe_endpoints, observe_network, observe_traffic
from .client import Connection
from .dns_places import Places
from .reads import Read, Reader

PARTS = ("account", "network", "endpoints", "dns", "access", "traffic")
DEFAULT_PARTS = ("account", "network", "endpoints", "dns", "access")
_LONGEST = timedelta(days=730)


def observe(
    connection: Connection,
    *,
    account_id: str,
    network_id: str | None = None,
    subnet_id: str | None = None,
    target: str | None = None,
    gather: Sequence[str] = DEFAULT_PARTS,
    places: Places | None = None,
    traffic_days: float = 7,
    traffic_start: str | None = None,
    traffic_max_rows: int = 5000,
) -> dict[str, Any]:
    """The evidence document of one account (see the module azure_openai_private_link_info for its keys).

    network_id: the network that callers are in; without it the one of `subnet_id`.
    target: the inventory's name for the account; its id when there is none.
    gather: which of PARTS to read. The account and the network are always read, since everything hangs on them.
    places: where zones are looked for, with credentials of their own; None uses `connection` everywhere.
    traffic_start: ISO 8601; instead of traffic_days.

    A part that the credentials may not read is an entry of `missing`, naming the permission; an account or network
    that does not exist, credentials that Azure rejects, or a network failure raise EndpointError.
    """
    account = ArmId.parse(
        account_id, option="account_id", kind="Microsoft.CognitiveServices/accounts"
    )
    start, end = window(
        traffic_days,
        traffic_start,
        longest=_LONGEST,
        kept="A workspace keeps its logs for at most two years",
    )
    found = _Found(
        connection,
        places or Places(main=connection, zones=connection, home_subscription=None),
        account_id=str(account),
        network_id=_network_id(network_id, subnet_id),
        gather=frozenset(gather),
    )
    found.read()
    evidence = found.evidence(target or account_id, [part for part in PARTS if part in gather], end)
    if "traffic" in gather:
        evidence["traffic"] = observe_traffic.traffic(
            found.reader,
            connection,
            evidence=evidence,
            start=start,
            end=end,
            max_rows=traffic_max_rows,
        )
    return evidence


def account_id(params: Mapping[str, Any], subscription_id: str | None) -> str:
    """The account's resource id, from the option `account_id` that may hold its name."""
    given = str(params["account_id"])
    if given.startswith("/"):
        return given
    if not params["resource_group"] or not subscription_id:
        raise EndpointError(
            "an account that is given by its name needs resource_group and subscription_id",
            resource="account_id",
            fix="Set both, or give its whole resource id",
        )
    group = ArmId(subscription=subscription_id, resource_group=params["resource_group"])
    return str(group.resource("Microsoft.CognitiveServices", "accounts", given))


def _network_id(network_id: str | None, subnet_id: str | None) -> str:
    if network_id:
        parsed = ArmId.parse(
            network_id, option="network_id", kind="Microsoft.Network/virtualNetworks"
        )
        return str(parsed)
    if not subnet_id:
        raise EndpointError("neither network_id nor subnet_id is given", resource="network_id")
    kind = "Microsoft.Network/virtualNetworks/subnets"
    return str(ArmId.parse(subnet_id, option="subnet_id", kind=kind).parent)


class _Found:
    """The reads of one account, round by round, and the document made of them."""

    def __init__(
        self,
        connection: Connection,
        places: Places,
        *,
        account_id: str,
        network_id: str,
        gather: frozenset[str],
    ) -> None:
        self.connection, self.places = connection, places
        self.account_id, self.network_id, self.gather = account_id, network_id, gather
        self.reader = Reader()
        self.answers: dict[str, Any] = {}
        self.account: dict[str, Any] | None = None
        self.network: dict[str, Any] = {}
        self.peerings: list[dict[str, Any]] = []
        self.peers: list[dict[str, Any]] = []
        self.raw_endpoints: dict[str, Mapping[str, Any]] = {}
        self.zones: dict[str, str] = {}

    def read(self) -> None:
        """All rounds."""
        self._first_round()
        self._second_round()
        self._third_round()
        self._fourth_round()

    def _run(self, reads: Mapping[str, Read]) -> None:
        self.answers.update(self.reader.all(reads))

    def _first_round(self) -> None:
        """What can be asked for by the ids that were given."""
        connection, account_id = self.connection, self.account_id
        reads = {
            "account": observe_account.account_read(connection, account_id),
            "network": observe_network.network_read(connection, self.network_id),
        }
        if "account" in self.gather:
            reads["perimeters"] = observe_account.perimeters_read(connection, account_id)
        if "endpoints" in self.gather:
            reads["endpoints"] = observe_endpoints.endpoints_read(connection, self.network_id)
        if "dns" in self.gather:
            reads |= observe_dns.zones_reads(self.places, self._zone_homes())
            reads["subscriptions"] = observe_dns.subscriptions_read(self.places, self._zone_homes())
        if "access" in self.gather:
            reads |= observe_account.access_reads(connection, account_id)
        if "traffic" in self.gather:
            reads["settings"] = observe_account.settings_read(connection, account_id)
        self._run(reads)
        answers = self.answers
        self.account = observe_account.account(
            answers["account"], answers.get("perimeters"), connection.cloud
        )
        self.network = observe_network.network(answers["network"], self.network_id)
        self.peerings = observe_network.peerings(answers["network"])

    def _zone_homes(self) -> list[str]:
        """Subscriptions whose zones must be readable; others are looked at where that is allowed."""
        own = ArmId.parse(self.network_id).subscription
        home = self.places.home_subscription
        return [own.lower(), *([home.lower()] if home else [])]

    def _second_round(self) -> None:
        """What the network, the account and the endpoints turned out to have."""
        connection = self.connection
        reads: dict[str, Read] = {}
        if "network" in self.gather:
            reads |= observe_network.filter_reads(connection, self.network["subnets"])
            reads |= observe_network.peer_reads(connection, self.peerings)
        if "endpoints" in self.gather:
            own = observe_endpoints.of_account(self.answers["endpoints"], self.account_id)
            self._keep(own)
            reads |= observe_endpoints.detail_reads(connection, own, "endpoints")
            reads |= observe_endpoints.elsewhere_reads(connection, self.account, own)
        if "dns" in self.gather:
            reads |= self._elsewhere_zones()
            reads |= self._zone_contents()
        self._run(reads)

    def _keep(self, endpoints: Sequence[Mapping[str, Any]]) -> None:
        self.raw_endpoints.update({key(item["id"]): item for item in endpoints})

    def _elsewhere_zones(self) -> dict[str, Read]:
        known = self._zone_homes()
        others = [name for name in self.answers["subscriptions"] if name not in known]
        return observe_dns.zones_reads(self.places, others, tolerant=True)

    def _zone_contents(self, further: Mapping[str, str] | None = None) -> dict[str, Read]:
        """Links and records of the zones that were found since the last round."""
        listed = [
            item
            for name, answer in self.answers.items()
            if name.startswith("zones ")
            for item in answer or ()
        ]
        zones = {**observe_dns.relevant(listed, self.connection.cloud), **(further or {})}
        fresh = {name: zone for name, zone in zones.items() if name not in self.zones}
        self.zones |= fresh
        return observe_dns.zone_reads(self.places, fresh)

    def _third_round(self) -> None:
        """What endpoints and zones elsewhere turned out to have."""
        self._peers()
        elsewhere = [
            answer
            for name, answer in self.answers.items()
            if name.startswith("endpoint ") and answer
        ]
        own = observe_endpoints.of_account(elsewhere, self.account_id)
        self._keep(own)
        reads = observe_endpoints.detail_reads(self.connection, own, "peers")
        if "dns" in self.gather:
            reads |= self._zone_contents(observe_dns.of_groups(self._endpoints()))
        if "network" in self.gather:
            reads |= self._peer_filters()
        self._run(reads)

    def _fourth_round(self) -> None:
        """Zones that only the zone groups of endpoints elsewhere name."""
        if "dns" in self.gather:
            self._run(self._zone_contents(observe_dns.of_groups(self._endpoints())))

    def _peers(self) -> None:
        for peering in self.peerings:
            document = self.answers.get(f"peer {peering['peer_network_id']}")
            peering["peer_readable"] = bool(document)
            if document:
                self.peers.append(observe_network.network(document, peering["peer_network_id"]))

    def _peer_filters(self) -> dict[str, Read]:
        """Security groups and route tables of peers' subnets that hold an endpoint of this account."""
        holding = {key(item["subnet_id"]) for item in self._endpoints()}
        subnets = [
            subnet
            for peer in self.peers
            for subnet in peer["subnets"]
            if key(subnet["id"]) in holding
        ]
        return observe_network.filter_reads(self.connection, subnets, "peers")

    def _endpoints(self) -> list[dict[str, Any]]:
        return [
            observe_endpoints.endpoint(item, self.account_id, self.answers)
            for item in self.raw_endpoints.values()
        ]

    def _filters(self, kind: str) -> list[Mapping[str, Any]]:
        return [
            answer
            for name, answer in self.answers.items()
            if name.startswith(f"{kind} ") and answer
        ]

    def evidence(self, target: str, gathered: list[str], now: datetime) -> dict[str, Any]:
        """The document, without traffic."""
        answers = self.answers
        groups, tables = self._filters("networkSecurityGroups"), self._filters("routeTables")
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "evidence",
            "cloud": "azure",
            "target": target,
            "collected_at": timestamp(now),
            "subscription_id": ArmId.parse(self.account_id).subscription,
            "region": self.network["location"] or (self.account or {}).get("location"),
            "environment": self.connection.cloud.name,
            "gathered": gathered,
            "missing": self.reader.missing,
            "account": self.account,
            "network": self.network,
            "peerings": self.peerings,
            "peers": self.peers,
            "security_groups": [observe_network.security_group(item) for item in groups],
            "route_tables": [observe_network.route_table(item) for item in tables],
            "endpoints": self._endpoints(),
            "zones": [observe_dns.zone(zone, answers) for zone in self.zones.values()],
            "access": observe_account.access(answers.get("assignments"), answers.get("roles")),
            "logging": observe_account.logging(answers.get("settings")),
            "traffic": None,
        }
