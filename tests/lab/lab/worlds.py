# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""World files: what exists when the lab starts. The schema is in tests/lab/worlds/README.md."""

from __future__ import annotations

import importlib
import ipaddress
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import lab
from lab.cloud import Vantage

WORLDS = Path(__file__).resolve().parents[1] / "worlds"
DEFAULT = WORLDS / "default.yml"
POSITIONS = ("controller", "inside", "spoke", "outside", "canary")
CONTROLLER = "controller"
_TOP = {"extends", "description", "vantages"}
_VANTAGE = {"name", "address", "position", "internet", "public_address", "network", "environment"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OUTSIDE = ipaddress.IPv4Network("198.51.100.0/24")
_PRIVATE = [
    ipaddress.IPv4Network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
]
_REMOVE = "$remove"


class BadWorld(ValueError):
    """The world file is wrong; `problems` has one line, with its path, for each thing."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class World:
    """A checked world: the whole document, the vantages in order, and the names of its clouds.

    `environments` has for each vantage the variables that a command there gets.
    """

    path: Path
    document: Mapping[str, Any]
    vantages: tuple[Vantage, ...]
    environments: Mapping[str, Mapping[str, str]]
    clouds: tuple[str, ...]


def known_clouds() -> set[str]:
    """Each package inside this one is a cloud."""
    return {each.name for each in pkgutil.iter_modules(lab.__path__) if each.ispkg}


def load(path: Path) -> World:
    """Read, merge and check. Raises BadWorld with every problem at once."""
    document = _read(path, ())
    clouds = sorted(known_clouds() & set(document))
    problems = list(_check(document, clouds))
    for cloud in clouds:
        check: Callable[[Mapping[str, Any]], list[str]]
        check = importlib.import_module(f"lab.{cloud}").check
        problems += check(document)
    if problems:
        raise BadWorld([f"{path}: {problem}" for problem in problems])
    vantages = tuple(_vantage(each) for each in document["vantages"])
    environments = {each["name"]: each.get("environment", {}) for each in document["vantages"]}
    return World(path, document, vantages, environments, tuple(clouds))


def _read(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """A file merged over the one that it extends (a path relative to it)."""
    if path in below:
        raise BadWorld([f"{path}: extends: a circle: {' -> '.join(map(str, (*below, path)))}"])
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except OSError as error:
        raise BadWorld([f"{path}: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadWorld([f"{path}: not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(document, dict):
        raise BadWorld([f"{path}: must be a mapping"])
    if "extends" not in document:
        return document
    base = document.pop("extends")
    if not isinstance(base, str):
        raise BadWorld([f"{path}: extends: must be the path of a world file"])
    merged: dict[str, Any] = merge(_read((path.parent / base).resolve(), (*below, path)), document)
    return merged


def merge(base: Any, over: Any) -> Any:
    """`over` on top of `base`: mappings key by key, lists of identified objects by identity.

    `{$remove: true}` takes a key away, and an object of a list that carries its identity. Everything
    else, lists of plain values included, replaces what was there.
    """
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            if _removed(value):
                merged.pop(key, None)
            elif key in merged:
                merged[key] = merge(merged[key], value)
            else:
                merged[key] = value
        return merged
    if isinstance(base, list) and isinstance(over, list) and _identified(base, over):
        items = {_identity(each): each for each in base}
        for each in over:
            identity = _identity(each)
            if _removed(each):
                items.pop(identity, None)
            else:
                items[identity] = merge(items[identity], each) if identity in items else each
        return list(items.values())
    return over


def _removed(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_REMOVE) is True


def _identity(item: Any) -> Any:
    """What makes an object of a list the same one: its id, ARN, or name (with its type: DNS records)."""
    if not isinstance(item, dict):
        return None
    for key in ("id", "arn"):
        if isinstance(item.get(key), str):
            return item[key]
    return (item["name"], item.get("type")) if isinstance(item.get("name"), str) else None


def _identified(*lists: list[Any]) -> bool:
    for each in lists:
        identities = [_identity(item) for item in each]
        if None in identities or len(set(identities)) != len(identities):
            return False
    return True


def _vantage(entry: Mapping[str, Any]) -> Vantage:
    return Vantage(
        name=entry["name"],
        address=entry["address"],
        position=entry["position"],
        internet=entry.get("internet", True),
        public_address=entry.get("public_address", entry["address"]),
        network=entry.get("network", {}),
    )


def _check(document: Mapping[str, Any], clouds: Sequence[str]) -> Iterator[str]:
    known = known_clouds()
    for key in document:
        if key not in _TOP | known:
            yield f"{key}: unknown key (known: {', '.join(sorted(_TOP | known))})"
    if not isinstance(document.get("description", ""), str):
        yield "description: must be text"
    vantages = document.get("vantages")
    if not isinstance(vantages, list) or not vantages:
        yield "vantages: must be a list of places that traffic comes from"
        return
    taken: dict[tuple[str, Any], str] = {}
    for number, entry in enumerate(vantages):
        if not isinstance(entry, dict):
            yield f"vantages[{number}]: must be a mapping"
            continue
        at = f"vantages[{number}] ({entry.get('name')})"
        yield from (f"{at}.{each}" for each in _check_vantage(entry, clouds))
        for key in ("name", "address"):
            other = taken.setdefault((key, str(entry.get(key))), at)
            if other != at:
                yield f"{at}.{key}: {entry.get(key)} is taken by {other}"
    if ("name", CONTROLLER) not in taken:
        yield f"vantages: none is named {CONTROLLER}: it is where commands run"


def _check_vantage(entry: Mapping[str, Any], clouds: Sequence[str]) -> Iterator[str]:
    for key in entry:
        if key not in _VANTAGE:
            yield f"{key}: unknown key (known: {', '.join(sorted(_VANTAGE))})"
    for key in ("name", "address", "position"):
        if key not in entry:
            yield f"{key}: missing"
    if "name" in entry and not _NAME.fullmatch(str(entry["name"])):
        yield "name: must be lower-case letters, digits and dashes, at most 41, a letter first"
    if "position" in entry and entry["position"] not in POSITIONS:
        yield f"position: must be one of {', '.join(POSITIONS)}, not {entry['position']!r}"
    if not isinstance(entry.get("internet", True), bool):
        yield "internet: must be true or false"
    yield from _check_addresses(entry)
    yield from _check_maps(entry, clouds)


def _check_addresses(entry: Mapping[str, Any]) -> Iterator[str]:
    try:
        address = ipaddress.IPv4Address(entry.get("address", "198.51.100.1"))
        if not any(address in network for network in [*_PRIVATE, _OUTSIDE]):
            yield f"address: {address} is neither private nor in {_OUTSIDE}"
        public = ipaddress.IPv4Address(entry.get("public_address", address))
        needed = "public_address" in entry or entry.get("internet", True)
        if needed and public not in _OUTSIDE:
            yield f"public_address: must be given, in {_OUTSIDE}: {public} is not"
    except ValueError as error:
        yield f"address: {error}"


def _check_maps(entry: Mapping[str, Any], clouds: Sequence[str]) -> Iterator[str]:
    network = entry.get("network", {})
    if not isinstance(network, dict):
        yield "network: must be a mapping from clouds to a place in them"
    else:
        for cloud in network:
            if cloud not in clouds:
                yield f"network.{cloud}: the world has no section {cloud}"
    environment = entry.get("environment", {})
    if not isinstance(environment, dict):
        yield "environment: must be a mapping of variables"
        return
    for name, value in environment.items():
        if not _VARIABLE.fullmatch(str(name)):
            yield f"environment.{name}: no name of a variable"
        if not isinstance(value, str):
            yield f"environment.{name}: must be text"
