# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what Google says about one project's Vertex AI and the networks that it is called from: the evidence.

Everything that hangs on nothing is read at once, then what hangs on that: a few rounds, however many networks, zones
and peers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.contracts import SCHEMA_VERSION
from ..core.gcp.names import project_of
from ..core.proof import timestamp
from . import observe_access, observe_dns, observe_network, observe_perimeter, observe_traffic
from .client import Connection
from .observe_request import Asked, asked
from .reads import Read, Reader

PARTS = ("endpoints", "network", "dns", "perimeter", "access", "traffic")
DEFAULT_PARTS = ("endpoints", "network", "dns", "perimeter", "access")
# A peering zone leads to a network, whose peering zone may lead on, once.
_DNS_ROUNDS = 4


def read(
    connection: Connection, options: Mapping[str, Any], parts: Sequence[str] = DEFAULT_PARTS
) -> dict[str, Any]:
    """The evidence document of one target (see the module vertex_psc_endpoint_info for its keys).

    options: those of that module: `project`, `network`, `spoke_networks`, `regions`, `extra_hosts`, `access_policy`,
    `zone_project`, `target_name`, `traffic_days`, `traffic_start`, `traffic_max_entries`; only `network` has to be
    there. parts: which of PARTS to read. The project and its networks are always read, since everything hangs on them.

    A part that the credentials may not read is an entry of `missing`, naming the permission; a network that does not
    exist, credentials that Google rejects, or a network failure raise EndpointError.
    """
    found = _Found(connection, asked(connection, options, parts))
    found.read()
    return found.evidence()


class _Found:
    """The reads of one target, round by round, and the document made of them."""

    def __init__(self, connection: Connection, asked: Asked) -> None:
        self.connection, self.asked = connection, asked
        self.reader = Reader()
        self.answers: dict[str, Any] = {}
        self.peers: list[str] = []
        self.chain: list[str] = []

    def read(self) -> None:
        """All rounds."""
        self._run(self._first_round())
        self._run(self._second_round())
        self._run(self._third_round())
        for _round in range(_DNS_ROUNDS):
            reads = self._dns_round()
            if not reads:
                break
            self._run(reads)

    def _run(self, reads: Mapping[str, Read]) -> None:
        self.answers.update(self.reader.all(reads))

    def _first_round(self) -> dict[str, Read]:
        """What can be asked for by the names that were given."""
        asked, connection, parts = self.asked, self.connection, self.asked.parts
        homes = observe_network.homes(asked.networks)
        projects = list(dict.fromkeys([asked.project, *homes]))
        reads = {"project": observe_perimeter.number_read(connection, asked.project, "project")}
        for path in asked.networks:
            reads[f"network {path}"] = observe_network.network_read(connection, path)
        for name in projects:
            reads |= self._lists(name, home=name in homes)
        if asked.zone_project and asked.zone_project not in projects and "dns" in parts:
            reads |= observe_dns.list_reads(connection, asked.zone_project, "dns")
        if "perimeter" in parts:
            reads |= self._perimeter_reads(homes)
        if parts & {"access", "traffic"}:
            # Who may call and what is kept of it are in one document.
            part = "access" if "access" in parts else "logging"
            resource = f"projects/{asked.project}"
            reads["policy"] = observe_access.policy_read(connection, resource, part)
        if "traffic" in parts:
            reads |= observe_traffic.traffic_reads(
                connection, asked.project, asked.start, asked.end, asked.most
            )
        return reads

    def _lists(self, project: str, *, home: bool, part: str | None = None) -> dict[str, Read]:
        """The lists of a project. home: whether a network is in it."""
        parts, connection = self.asked.parts, self.connection
        kinds = ["rules"] if "endpoints" in parts else []
        if home and "network" in parts:
            kinds += ["subnets", "routes", "firewalls"]
        reads = observe_network.list_reads(connection, project, kinds, part)
        if "dns" in parts:
            reads |= observe_dns.list_reads(connection, project, part or "dns")
        return {name: read for name, read in reads.items() if name not in self.answers}

    def _perimeter_reads(self, homes: Iterable[str]) -> dict[str, Read]:
        asked, connection = self.asked, self.connection
        reads = {
            f"project {name}": observe_perimeter.number_read(connection, name)
            for name in homes
            if name != asked.project
        }
        if asked.access_policy:
            name = asked.access_policy
            reads["perimeters"] = observe_perimeter.perimeters_read(connection, name)
        name = asked.project
        reads["constraints"] = observe_perimeter.organization_policies_read(connection, name)
        return reads

    def _second_round(self) -> dict[str, Read]:
        """What the networks and the project turned out to have around them."""
        asked, connection, answers = self.asked, self.connection, self.answers
        listed = [
            path
            for own in asked.networks
            for path in observe_network.peers_of(answers[f"network {own}"])
        ]
        self.peers = [path for path in dict.fromkeys(listed) if path not in asked.networks]
        reads = self._dns_round()
        if asked.parts & {"network", "endpoints", "dns"}:
            for path in self.peers:
                reads[f"network {path}"] = observe_network.network_read(connection, path, "peers")
                # A peer that the target's names lead to is not only somebody else's.
                reads = self._lists(project_of(path), home=True, part="peers") | reads
        parent = str((answers["project"] or {}).get("parent") or "")
        if "perimeter" in asked.parts and not asked.access_policy and answers["project"]:
            reads["perimeters"] = observe_perimeter.looked_for_read(
                connection, asked.project, parent
            )
        if "access" in asked.parts and parent:
            reads["ancestors"] = observe_perimeter.ancestors_read(connection, parent)
        return reads

    def _third_round(self) -> dict[str, Read]:
        """What the project inherits, and the contents of zones."""
        self.chain = list(self.answers.get("ancestors") or ())
        reads = {
            f"policy {name}": observe_access.policy_read(self.connection, name, "inherited")
            for name in self.chain
        }
        return reads | self._dns_round()

    def _dns_round(self) -> dict[str, Read]:
        """Contents of zones and policies that were found since, and lists of projects that peering zones lead to."""
        if "dns" not in self.asked.parts:
            return {}
        own, all_seen = self._seen(self.asked.networks), self._seen(self._near())
        connection, hosts = self.connection, self.asked.hosts
        reads: dict[str, Read] = {}
        # What only peers see is somebody else's: the target's own names do not hang on it.
        for part, networks in (("peers", all_seen), ("dns", own)):
            reads |= observe_dns.content_reads(connection, self.answers, networks, hosts, part)
            for path in networks:
                reads |= observe_dns.list_reads(connection, project_of(path), part)
        return {name: read for name, read in reads.items() if name not in self.answers}

    def _seen(self, networks: Iterable[str]) -> list[str]:
        """These networks, and those that their peering zones lead to."""
        found = list(networks)
        for path in found:
            for _project, zone in observe_dns.zones_of(self.answers, [path], self.asked.hosts):
                target = observe_dns.peering_of(zone)
                if target and target not in found:
                    found.append(target)
        return found

    def _near(self) -> list[str]:
        """The networks that were asked for and the peers that could be read."""
        return [*self.asked.networks, *self._readable()]

    def _readable(self) -> list[str]:
        return [path for path in self.peers if self.answers.get(f"network {path}")]

    def _numbers(self) -> dict[str, str]:
        """Numbers of the target's projects, as far as they could be read."""
        found = {self.asked.project: observe_perimeter.number_of(self.answers["project"])}
        for name, answer in self.answers.items():
            if name.startswith("project "):
                found[name.partition(" ")[2]] = observe_perimeter.number_of(answer)
        return {name: number for name, number in found.items() if number}

    def _network(self, path: str, role: str) -> dict[str, Any]:
        readable = {name for name in self._near() if self.answers.get(f"network {name}")}
        document = self.answers.get(f"network {path}")
        made = observe_network.network(path, role, document, self.answers, readable)
        return {
            **made,
            # Perimeters know a network by its project's number; null where that was not asked for or not allowed.
            "project_number": self._numbers().get(project_of(path)),
            "dns_policy": observe_dns.server_policy(self.answers, path),
        }

    def _access(self) -> dict[str, Any] | None:
        own = self.answers.get("policy")
        if own is None or "access" not in self.asked.parts:
            return None
        inherited = {name: self.answers.get(f"policy {name}") for name in self.chain}
        return observe_access.access({f"projects/{self.asked.project}": own, **inherited})

    def evidence(self) -> dict[str, Any]:
        """The document."""
        asked, answers = self.asked, self.answers
        peers, near = self._readable(), self._near()
        numbers, seen = self._numbers(), self._seen(near)
        number = numbers.get(asked.project)
        if "perimeter" in asked.parts and number is None:
            # Perimeters name projects by their number.
            self.reader.repeat("project", "perimeter")
        traffic = logging = None
        if "traffic" in asked.parts:
            logging = observe_access.logging(answers["policy"])
            self.reader.repeat("access", "logging")
            traffic = observe_traffic.traffic(
                self.reader, answers, asked.project, asked.start, asked.end
            )
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "evidence",
            "cloud": "gcp",
            "target": asked.target,
            "collected_at": timestamp(asked.end),
            "gathered": [part for part in PARTS if part in asked.parts],
            "missing": self.reader.listed(),
            "region": "",
            "regions": list(asked.regions),
            "hosts": list(asked.hosts),
            "project": {"id": asked.project, "number": number},
            "network": self._network(asked.network, "application"),
            "spokes": [self._network(path, "spoke") for path in asked.spokes],
            "peers": [self._network(path, "peer") for path in sorted(peers)],
            "firewalls": observe_network.firewalls(answers, near),
            "endpoints": observe_network.endpoints(answers, near),
            "endpoints_elsewhere": observe_network.elsewhere(answers, near),
            "zones": observe_dns.zones(answers, seen, asked.hosts),
            "response_policies": observe_dns.response_policies(answers, seen, asked.hosts),
            "perimeters": observe_perimeter.perimeters(
                answers.get("perimeters"), numbers.values(), number, asked.networks
            ),
            "access": self._access(),
            "organization_policies": observe_perimeter.organization_policies(
                answers.get("constraints")
            ),
            "logging": logging,
            "traffic": traffic,
        }
