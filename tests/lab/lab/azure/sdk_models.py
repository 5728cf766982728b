# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SDK's own models, read from its source: what a body may hold, and of which type.

Importing `azure.mgmt.network.models` takes two thirds of a second; reading the few classes that a
body needs takes milliseconds. Both generations of Azure's code generator are understood: classes of
`rest_field`s, and classes with an `_attribute_map`.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["text", "integer", "number", "boolean", "any", "list", "map", "model", "enum"]


@dataclass(frozen=True)
class Type:
    """What a property holds; `of` is the type of items, `name` that of a model or an enum."""

    kind: Kind
    of: Type | None = None
    name: str = ""


@dataclass(frozen=True)
class Field:
    key: str
    type: Type
    read_only: bool


@dataclass(frozen=True)
class Package:
    """Source text of the models and the enums of one management SDK."""

    models: str
    enums: str

    def start(self, model: str) -> int:
        """Where a model's class begins, -1 when there is none."""
        found = self.models.find(f"\nclass {model}(")
        return found + 1 if found >= 0 else -1


_ANY = Type("any")
_SIMPLE = {
    "str": Type("text"),
    "int": Type("integer"),
    "float": Type("number"),
    "bool": Type("boolean"),
    "long": Type("integer"),
}


@functools.cache
def package(name: str) -> Package:
    """The sources of `azure.mgmt.network` and the like."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise LookupError(f"{name} is not installed")
    folder = Path(spec.origin).parent / "models"
    found = [each for each in ("_models.py", "_models_py3.py") if (folder / each).is_file()]
    models = (folder / found[0]).read_text(encoding="utf-8")
    enums = next(folder.glob("*_enums.py")).read_text(encoding="utf-8")
    return Package(models, enums)


def _class(source: str, start: int) -> ast.ClassDef:
    end = source.find("\nclass ", start + 1)
    tree = ast.parse(source[start : end if end >= 0 else len(source)])
    node = tree.body[0]
    if not isinstance(node, ast.ClassDef):
        raise TypeError("no class where one was found")
    return node


@functools.cache
def fields(package_name: str, model: str) -> Mapping[str, Field]:
    """The properties of a model by lower-case name, those of its bases included."""
    source = package(package_name)
    node = _class(source.models, source.start(model))
    found: dict[str, Field] = {}
    for base in node.bases:
        # `_serialization.Model` is the generator's own base, whatever models there are of that name.
        name = base.id if isinstance(base, ast.Name) else ""
        if name and source.start(name) >= 0:
            found |= fields(package_name, name)
    maps: dict[str, dict[str, Any]] = {}
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.value, ast.Call):
            field = _rest_field(item, item.value)
            found[field.key.lower()] = field
        elif isinstance(item, ast.Assign):
            target = getattr(item.targets[0], "id", "")
            if target in ("_attribute_map", "_validation"):
                maps[target] = ast.literal_eval(item.value)
    for attribute, entry in maps.get("_attribute_map", {}).items():
        rules = maps.get("_validation", {}).get(attribute, {})
        key = entry["key"].replace("\\.", ".")
        found[key.lower()] = Field(key, _old_type(entry["type"]), rules.get("readonly", False))
    return found


def _rest_field(item: ast.AnnAssign, call: ast.Call) -> Field:
    given = {each.arg: each.value for each in call.keywords}
    own = item.target.id if isinstance(item.target, ast.Name) else ""
    key = ast.literal_eval(given["name"]) if "name" in given else own
    visibility = ast.literal_eval(given["visibility"]) if "visibility" in given else None
    return Field(key, _new_type(item.annotation), visibility == ["read"])


def _new_type(node: ast.expr) -> Type:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Type("model", name=node.value.split(".")[-1])
    if isinstance(node, ast.Name):
        return _SIMPLE.get(node.id, _ANY)
    if isinstance(node, ast.Attribute):
        return Type("text") if node.attr in ("datetime", "date", "timedelta") else _ANY
    if not isinstance(node, ast.Subscript):
        return _ANY
    outer = node.value.id if isinstance(node.value, ast.Name) else ""
    inner = node.slice
    if outer == "Optional":
        return _new_type(inner)
    if outer.lower() == "list":
        return Type("list", _new_type(inner))
    if outer.lower() == "dict" and isinstance(inner, ast.Tuple):
        return Type("map", _new_type(inner.elts[1]))
    if outer == "Union" and isinstance(inner, ast.Tuple):
        names = [each.value for each in inner.elts if isinstance(each, ast.Constant)]
        if names:
            return Type("enum", name=str(names[0]).split(".")[-1])
    if outer == "Literal":
        return Type("text")
    return _ANY


def _old_type(text: str) -> Type:
    if text.startswith("["):
        return Type("list", _old_type(text[1:-1]))
    if text.startswith("{"):
        return Type("map", _old_type(text[1:-1]))
    if text in _SIMPLE:
        return _SIMPLE[text]
    return Type("text") if text in ("iso-8601", "rfc-1123", "duration") else _old_model(text)


def _old_model(text: str) -> Type:
    return _ANY if text == "object" else Type("model", name=text)


@functools.cache
def enum_values(package_name: str, name: str) -> tuple[str, ...]:
    """The values of an enum, () when there is no such enum."""
    source = package(package_name).enums
    start = source.find(f"\nclass {name}(")
    if start < 0:
        return ()
    return tuple(
        item.value.value
        for item in _class(source, start + 1).body
        if isinstance(item, ast.Assign)
        and isinstance(item.value, ast.Constant)
        and isinstance(item.value.value, str)
    )


@functools.cache
def has_model(package_name: str, name: str) -> bool:
    return package(package_name).start(name) >= 0
