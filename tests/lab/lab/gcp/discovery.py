# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Google's discovery documents, as google-api-python-client ships them: methods, parameters, schemas.

A document is read when the first request for its service comes (compute's has five megabytes), and
kept without its prose.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WILD, _REST = "*", "**"
_OUTPUT_ONLY = re.compile(r"\[?output[ -]only\]?", re.IGNORECASE)


@dataclass(frozen=True)
class Method:
    """One method: `id` as in `compute.globalAddresses.insert`, where it lives, and what it takes."""

    id: str
    http: str
    template: tuple[
        tuple[str, str], ...
    ]  # per segment of the path: its literal or "*", its parameter
    verb: str
    parameters: Mapping[str, Mapping[str, Any]]
    request: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    name: str
    version: str
    methods: tuple[Method, ...]
    schemas: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Any]

    def match(self, http: str, path: str) -> tuple[Method, dict[str, str]] | None:
        """The method of a request and the parameters in its path; None when there is none."""
        segments = path.strip("/").split("/")
        tail, _, verb = segments[-1].rpartition(":")
        tries = [(segments, "")]
        if tail:
            tries.insert(0, ([*segments[:-1], tail], verb))
        for ends, wanted in tries:
            for method in self._index.get((http, len(ends), wanted), ()):
                found = _bind(method.template, ends)
                if found is not None:
                    return method, found
            for method in self._deep:
                if method.http == http and method.verb == wanted:
                    found = _bind(method.template, ends)
                    if found is not None:
                        return method, found
        return None

    @functools.cached_property
    def _deep(self) -> list[Method]:
        """Methods whose last parameter takes any number of segments: v1/operations/a/b/c."""
        return [each for each in self.methods if each.template[-1][0] == _REST]

    @functools.cached_property
    def _index(self) -> dict[tuple[str, int, str], list[Method]]:
        index: dict[tuple[str, int, str], list[Method]] = {}
        # Literal segments win over parameters: .../policies:list before .../{policy}.
        for each in sorted(self.methods, key=lambda one: sum(not lit for lit, _ in one.template)):
            index.setdefault((each.http, len(each.template), each.verb), []).append(each)
        return index


def _bind(template: tuple[tuple[str, str], ...], segments: list[str]) -> dict[str, str] | None:
    bound: dict[str, list[str]] = {}
    if template[-1][0] == _REST and len(segments) >= len(template):
        kept = len(template) - 1
        segments = [*segments[:kept], "/".join(segments[kept:])]
    elif len(segments) != len(template):
        return None
    for (literal, parameter), segment in zip(template, segments, strict=True):
        if not segment or literal not in (_WILD, _REST, segment):
            return None
        if parameter:
            bound.setdefault(parameter, []).append(segment)
    return {name: "/".join(parts) for name, parts in bound.items()}


def has(service: str, version: str) -> bool:
    return (_folder() / f"{service}.{version}.json").is_file()


_loading = threading.Lock()


def document(service: str, version: str) -> Document:
    """The document of `compute`, `v1`. Requests that come at once wait for one reading of it."""
    with _loading:
        return _read(service, version)


@functools.cache
def _read(service: str, version: str) -> Document:
    raw = json.loads((_folder() / f"{service}.{version}.json").read_text(encoding="utf-8"))
    base = raw.get("servicePath", "")
    return Document(
        service,
        version,
        tuple(_methods(raw, base)),
        {name: _schema(schema) for name, schema in raw.get("schemas", {}).items()},
        {name: _schema(each) for name, each in raw.get("parameters", {}).items()},
    )


@functools.cache
def _folder() -> Path:
    found = importlib.util.find_spec("googleapiclient")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("google-api-python-client is not installed")
    return Path(found.submodule_search_locations[0]) / "discovery_cache" / "documents"


def _methods(node: Mapping[str, Any], base: str) -> Iterator[Method]:
    for raw in node.get("methods", {}).values():
        parameters = {name: _schema(each) for name, each in raw.get("parameters", {}).items()}
        path, _, verb = (base + raw["path"]).partition(":")
        yield Method(
            raw["id"],
            raw["httpMethod"],
            tuple(_template(path, parameters)),
            verb,
            parameters,
            raw.get("request", {}).get("$ref", ""),
            tuple(raw.get("scopes", ())),
        )
    for each in node.get("resources", {}).values():
        yield from _methods(each, base)


def _template(path: str, parameters: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for segment in path.strip("/").split("/"):
        found = re.fullmatch(r"\{(\+?)(.+)\}", segment)
        if found is None:
            yield segment, ""
            continue
        name = found.group(2)
        pattern = str(parameters[name].get("pattern", "")) if found.group(1) else ""
        parts = pattern.strip("^$").split("/") if pattern else [""]
        # A pattern such as ^accessPolicies/[^/]+$ splits inside its brackets, too: mend that.
        for part in _mended(parts):
            yield _REST if part == ".*" else part if re.fullmatch(r"[\w-]+", part) else _WILD, name


def _mended(parts: list[str]) -> Iterator[str]:
    kept = ""
    for part in parts:
        kept = f"{kept}/{part}" if kept else part
        if kept.count("[") == kept.count("]"):
            yield kept
            kept = ""


_KEPT = ("type", "format", "enum", "$ref", "pattern", "required", "repeated", "location")


def _schema(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without prose; `readOnly` also where only the prose says so."""
    made: dict[str, Any] = {key: raw[key] for key in _KEPT if key in raw}
    if raw.get("readOnly") or _OUTPUT_ONLY.match(raw.get("description", "")):
        made["readOnly"] = True
    if "annotations" in raw:
        made["required_by"] = tuple(raw["annotations"].get("required", ()))
    if "properties" in raw:
        made["properties"] = {name: _schema(each) for name, each in raw["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(raw.get(key), dict):
            made[key] = _schema(raw[key])
    return made
