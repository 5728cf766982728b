# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of the DNS phase changed, as plain JSON, so that exactly that can be switched back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .arm_id import key
from .plan_dns_types import (
    Config,
    Group,
    GroupChange,
    Link,
    LinkChange,
    Record,
    RecordChange,
    View,
)


@dataclass(kw_only=True)
class Done:
    """One run's changes; zones, links and records with what stood before.

    run: what is in the tags of the zones and links it made. hosts: (zone, record) of the account's names, to tell them
    from others' when the endpoint is gone. known: zone id, in lower case → names that it had records for before.
    """

    account_id: str = ""
    endpoint_id: str = ""
    network_id: str = ""
    run: str = ""
    hosts: tuple[tuple[str, str], ...] = ()
    known: dict[str, list[str]] = field(default_factory=dict)
    zones: list[str] = field(default_factory=list)
    records: list[RecordChange] = field(default_factory=list)
    group: GroupChange | None = None
    links: list[LinkChange] = field(default_factory=list)

    @classmethod
    def of(cls, view: View, run: str) -> Done:
        """Nothing done yet, for the endpoint of a view."""
        return cls(
            account_id=view.endpoint.account_id,
            endpoint_id=view.endpoint.id,
            network_id=view.endpoint.network_id,
            run=run,
            hosts=tuple((host.zone, host.record) for host in view.endpoint.hosts),
            known={
                key(zone.id): sorted({item.name for item in zone.records or ()})
                for zone in view.zones
            },
        )

    @property
    def empty(self) -> bool:
        """Whether the run changed nothing."""
        return not (self.zones or self.records or self.group or self.links)

    def regroup(self, view: View, change: GroupChange) -> None:
        """Remember a change of the zone group, and the records that it takes over: they would go with it again."""
        first = self.group.before if self.group else change.before
        self.group = dataclasses.replace(change, before=first)
        known = {(key(item.zone_id), item.after.name) for item in self.records if item.after}
        had = {key(item.zone_id) for item in (change.before.configs if change.before else ())}
        for config in change.after.configs if change.after else ():
            zone = view.zone(config.zone_id)
            if zone is None or key(zone.id) in had:
                continue
            for name, record in self.hosts:
                held = [item for item in zone.held(record) if item.type == "A"]
                if name == zone.name and held and (key(zone.id), record) not in known:
                    same = RecordChange(zone_id=zone.id, before=held[0], after=held[0])
                    self.records.append(same)

    def to_json(self) -> dict[str, Any]:
        """What the module returns as `undo`."""
        return {
            "schema_version": 1,
            "account_id": self.account_id,
            "endpoint_id": self.endpoint_id,
            "network_id": self.network_id,
            "run": self.run,
            "hosts": [{"zone": zone, "record": record} for zone, record in self.hosts],
            "known": dict(sorted(self.known.items())),
            "zones": sorted(self.zones),
            "records": [_pair(item) for item in self.records],
            "group": _pair(self.group) if self.group else None,
            "links": [_pair(item) for item in self.links],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Done:
        """Read what `to_json` wrote; KeyError, TypeError or ValueError for anything else."""
        if document["schema_version"] != 1:
            raise ValueError(f"schema_version {document['schema_version']}")
        group = document["group"]
        return cls(
            account_id=str(document["account_id"]),
            endpoint_id=str(document["endpoint_id"]),
            network_id=str(document["network_id"]),
            run=str(document["run"]),
            hosts=tuple((str(item["zone"]), str(item["record"])) for item in document["hosts"]),
            known={str(name): list(names) for name, names in document["known"].items()},
            zones=[str(item) for item in document["zones"]],
            records=[
                RecordChange(
                    zone_id=str(item["zone_id"]),
                    before=_record(item["before"]),
                    after=_record(item["after"]),
                )
                for item in document["records"]
            ],
            group=group
            and GroupChange(
                endpoint_id=str(group["endpoint_id"]),
                before=_group(group["before"]),
                after=_group(group["after"]),
            ),
            links=[
                LinkChange(
                    zone_id=str(item["zone_id"]),
                    before=item["before"] and Link(**item["before"]),
                    after=item["after"] and Link(**item["after"]),
                )
                for item in document["links"]
            ],
        )


def _pair(change: RecordChange | GroupChange | LinkChange) -> dict[str, Any]:
    return dataclasses.asdict(change)


def _record(document: Mapping[str, Any] | None) -> Record | None:
    if document is None:
        return None
    return Record(
        name=str(document["name"]),
        type=str(document["type"]),
        ttl=int(document["ttl"]),
        values=tuple(str(item) for item in document["values"]),
        metadata=tuple((str(name), str(value)) for name, value in document["metadata"]),
    )


def _group(document: Mapping[str, Any] | None) -> Group | None:
    if document is None:
        return None
    configs = (
        Config(name=str(item["name"]), zone_id=str(item["zone_id"])) for item in document["configs"]
    )
    return Group(name=str(document["name"]), configs=tuple(configs))
