# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to judge about one target: evidence, observations, and who should have observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .contracts import Position, ProbeTarget


@dataclass(frozen=True, kw_only=True)
class Vantage:
    """A place that traffic comes from.

    subnet, network: ids of the subnet and the network (VPC) that it sits in; None when the inventory does not say.
    principal_tags: tags of the identity that it signs with; None when nobody said, which is not the same as no tags.
    """

    name: str
    position: Position
    subnet: str | None = None
    network: str | None = None
    principal_tags: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One target and everything known about it.

    evidence: the document of its cloud's info module; None when there is none.
    others: evidence of the other targets of the same run (a spoke may be a target of its own).
    observations: of this target, as the probe returned them.
    roll_out: how far the lock is meant to reach (`tagged`, `dry_run`, `enforced`).
    lock: what the cloud's lockdown module said about whom it binds; None when it did not run.
    application_cidrs: where callers may be; empty means the networks of the target and its peers.
    application_subnets: subnets that callers are in; empty means every subnet of the target's network.
    """

    cloud: str
    target: str
    evidence: Mapping[str, Any] | None = None
    others: Sequence[Mapping[str, Any]] = ()
    probe_targets: Sequence[ProbeTarget] = ()
    observations: Sequence[Mapping[str, Any]] = ()
    vantages: Sequence[Vantage] = ()
    roll_out: str = "enforced"
    lock: Mapping[str, Any] | None = None
    application_cidrs: Sequence[str] = ()
    application_subnets: Sequence[str] = ()

    @property
    def document(self) -> Mapping[str, Any]:
        """The evidence, for what comes after the check that there is some."""
        if self.evidence is None:
            raise ValueError(f"{self.target}: judged by evidence that is not there")
        return self.evidence

    def at(self, *positions: str) -> list[Vantage]:
        """The vantages at these positions, those that were expected and those that only reported."""
        return [item for item in self.vantages if item.position in positions]

    def hosts(self) -> list[str]:
        """Every host that was to be probed, is called by the evidence, or was probed, in this order.

        One that nobody looked at is as much in question as one that was seen.
        """
        names = [item.host for item in self.probe_targets]
        evidence = self.evidence or {}
        account = evidence.get("account") or {}
        for known in (evidence.get("hosts"), account.get("hosts")):
            names += [str(name) for name in known or ()]
        names += sorted(str(item["host"]) for item in self.observations)
        return list(dict.fromkeys(names))

    def probe_target(self, host: str) -> ProbeTarget | None:
        """The probe target of a host."""
        return next((item for item in self.probe_targets if item.host == host), None)

    def seen(
        self, vantage: str, host: str, *, pinned: str | None = None
    ) -> Mapping[str, Any] | None:
        """What a vantage last saw of a host, by name or at one pinned address.

        A vantage that could not be reached says so once per host, whatever it was to look at.
        """
        matching = [
            item
            for item in self.observations
            if item["vantage"] == vantage
            and item["host"] == host
            and (item["pinned"] == pinned or (item["error"] and item["pinned"] is None))
        ]
        return max(matching, key=lambda item: str(item["observed_at"]), default=None)

    def lacks(self, *parts: str) -> list[str]:
        """Why these parts of the evidence cannot be relied on, as sentences; empty when they can."""
        if self.evidence is None:
            return ["there is no evidence of this target"]
        reasons = [
            f"{part} was not gathered" for part in parts if part not in self.evidence["gathered"]
        ]
        return reasons + [
            f"{item['action']} failed ({item['code']})"
            for item in self.evidence["missing"]
            if item["part"] in parts
        ]
