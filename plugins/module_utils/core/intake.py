# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes from outside, made safe to judge: evidence, observations and vantages have every key that checks read."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from .case import Vantage
from .contracts import SCHEMA_VERSION, ProbeTarget
from .errors import EndpointError

_POSITIONS = ("inside", "spoke", "outside", "canary")
_OBSERVATION_NEEDS = ("cloud", "vantage", "position", "target", "host")
_DNS: Mapping[str, Any] = {
    "status": "skipped",
    "chain": [],
    "answers": [],
    # The smallest TTL, and who answered; None and nobody where an older probe looked.
    "ttl": None,
    "servers": [],
    "system": [],
    "error": None,
    "ms": 0,
}
_RESOLVER: Mapping[str, Any] = {"nameservers": [], "hosts_file": False, "hosts_addresses": []}
_TLS: Mapping[str, Any] = {
    "version": None,
    "names": [],
    "subject": None,
    "issuer": None,
    "not_after": None,
    "chain": [],
    "chain_complete": False,
    "error": None,
}
_EVIDENCE_NEEDS = {"cloud": str, "target": str, "gathered": list, "missing": list}
_AGAIN = "Pass the result of this collection's own modules, unchanged"


def observations(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Observations with every key, the latest of each look; EndpointError names the one that cannot be read.

    Keys that a vantage without a look has no value for (unreachable: no answers, no connections) may be absent.
    """
    read = [_observation(item, f"observations[{index}]") for index, item in enumerate(documents)]
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in read:
        key = tuple(item[name] for name in ("target", "vantage", "host", "pinned"))
        if key not in latest or item["observed_at"] >= latest[key]["observed_at"]:
            latest[key] = item
    return list(latest.values())


def _observation(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    _version(item, where)
    lacking = [key for key in _OBSERVATION_NEEDS if not item.get(key)]
    if lacking:
        raise EndpointError(f"lacks {', '.join(lacking)}", resource=where, fix=_AGAIN)
    if item["position"] not in _POSITIONS:
        raise EndpointError(
            f"has the position {item['position']!r}",
            resource=where,
            fix="Set vantage_position to " + ", ".join(_POSITIONS),
        )
    return {
        "port": 443,
        "service": item["host"],
        "plane": "runtime",
        "action": None,
        "principal": None,
        **item,
        "observed_at": str(item.get("observed_at") or ""),
        "pinned": item.get("pinned") or None,
        "error": item.get("error") or None,
        "not_connected": _count(item.get("not_connected"), where),
        "proxy": [
            {"bypassed": False, **entry} for entry in _mappings(item.get("proxy"), f"{where}.proxy")
        ],
        "resolver": {**_RESOLVER, **_mapping(item.get("resolver"), f"{where}.resolver")},
        "dns": _dns(item.get("dns"), f"{where}.dns"),
        "connections": [
            _connection(entry)
            for entry in _mappings(item.get("connections"), f"{where}.connections")
        ],
    }


def _dns(given: Any, where: str) -> dict[str, Any]:
    read = {**_DNS, **_mapping(given, where)}
    read["answers"] = _mappings(read["answers"], f"{where}.answers")
    for answer in read["answers"]:
        if not answer.get("address"):
            raise EndpointError("has an answer without an address", resource=where, fix=_AGAIN)
    for key in ("chain", "system", "servers"):
        if not isinstance(read[key], list):
            raise EndpointError(f"has a {key} that is no list", resource=where, fix=_AGAIN)
    return read


def _mapping(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given or {}, Mapping):
        raise EndpointError("is no mapping", resource=where, fix=_AGAIN)
    return dict(given or {})


def _mappings(given: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(given or [], list):
        raise EndpointError("is no list", resource=where, fix=_AGAIN)
    return [_mapping(entry, f"{where}[{index}]") for index, entry in enumerate(given or [])]


def _count(given: Any, where: str) -> int:
    if not isinstance(given or 0, int):
        raise EndpointError("has a not_connected that is no number", resource=where, fix=_AGAIN)
    return int(given or 0)


def _connection(entry: Mapping[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {"tcp": {"ok": False, "error": None}, "tls": None, "http": None}
    parts.update({key: entry.get(key) for key in ("tls", "http")})
    parts["tcp"] = entry.get("tcp") or parts["tcp"]
    if parts["tls"] is not None:
        parts["tls"] = {"ok": False, **_TLS, **parts["tls"]}
    http = parts["http"]
    if http is not None:
        parts["http"] = {"status": None, "code": None, "message": None, "answer": None, **http}
    return {"address": str(entry.get("address")), **parts}


def evidence(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Evidence documents; EndpointError for another kind or version of document, and for two of one target."""
    read: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(documents):
        where = f"evidence[{index}]"
        _version(item, where)
        if item.get("kind") != "evidence":
            raise EndpointError("is not an evidence document", resource=where, fix=_AGAIN)
        lacking = [
            key for key, kind in _EVIDENCE_NEEDS.items() if not isinstance(item.get(key), kind)
        ]
        if lacking:
            raise EndpointError(f"lacks {', '.join(lacking)}", resource=where, fix=_AGAIN)
        if item["target"] in read:
            raise EndpointError(
                f"is a second document of {item['target']}",
                resource=where,
                fix="Pass one evidence document per target",
            )
        read[str(item["target"])] = dict(item)
    return list(read.values())


def probe_targets(documents: Sequence[Mapping[str, Any]]) -> list[ProbeTarget]:
    """Probe targets, each host of a target once."""
    read = [ProbeTarget.from_json(dict(item)) for item in documents]
    return list({(item.target, item.host): item for item in read}.values())


def vantages(
    documents: Sequence[Mapping[str, Any]], target: str, seen: Sequence[Mapping[str, Any]]
) -> list[Vantage]:
    """The vantages of a target: those expected (the inventory's word counts), then those that only reported."""
    known: dict[str, Vantage] = {}
    for item in documents:
        if item.get("target") in (None, "", target):
            tags = item.get("principal_tags")
            known[str(item["name"])] = Vantage(
                name=str(item["name"]),
                position=item["position"],
                subnet=item.get("subnet"),
                network=item.get("network"),
                principal_tags={str(k): str(v) for k, v in tags.items()}
                if tags is not None
                else None,
            )
    for item in seen:
        name = str(item["vantage"])
        known.setdefault(name, Vantage(name=name, position=item["position"]))
    return list(known.values())


def cidrs(values: Sequence[str], option: str) -> list[str]:
    """Networks in CIDR notation; EndpointError names the option and the value that is none."""
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            raise EndpointError(
                str(error), resource=option, fix="Write networks as 10.10.0.0/16"
            ) from error
    return list(values)


def _version(item: Mapping[str, Any], where: str) -> None:
    version = item.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise EndpointError(
            f"has schema_version {version}, this release reads {SCHEMA_VERSION}",
            resource=where,
            fix="Make it again with this release of the collection",
        )
