# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a filter's documentation says of its options is what its function takes."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

FILTERS = sorted(
    path.stem for path in (Path(__file__).resolve().parents[3] / "plugins/filter").glob("*.py")
)


def load(name: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    module = importlib.import_module(
        f"ansible_collections.private_ai.endpoints.plugins.filter.{name}"
    )
    return module.FilterModule().filters()[name], yaml.safe_load(module.DOCUMENTATION)


@pytest.mark.parametrize("name", FILTERS)
def test_options_are_the_parameters(name: str) -> None:
    function, documented = load(name)
    first, *others = inspect.signature(function).parameters.values()
    options = dict(documented["options"])
    assert options.pop("_input")["required"] is True and first.default is first.empty
    assert [each.name for each in others] == list(options)
    for each in others:
        option = options[each.name]
        needed = each.default is each.empty
        assert option.get("required", False) is needed, each.name
        if not needed:
            empty = {"list": (), "dict": None}.get(option["type"])
            assert option["default"] == each.default or (
                not option["default"] and each.default == empty
            ), each.name


@pytest.mark.parametrize("name", FILTERS)
def test_positional_names_begin_the_parameters(name: str) -> None:
    function, documented = load(name)
    order = list(inspect.signature(function).parameters)[1:]
    said = [part.strip() for part in str(documented.get("positional") or "").split(",") if part]
    assert order[: len(said)] == said
