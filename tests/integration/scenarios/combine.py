# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several cells of one cloud laid over one target, and which of them can be.

hidden/<cloud>.yml lists the pairs that cannot: each with the reason why nobody could see one fault beneath the other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import yaml

from build import HERE, Scenario, cells, load

GOOD = "good"


@dataclass(frozen=True)
class Combination:
    """Faults of one cloud that one target has at once; a single one is what the others are compared with."""

    cloud: str
    faults: tuple[str, ...]

    @property
    def title(self) -> str:
        """For people."""
        return " + ".join(self.faults)


def hidden(cloud: str) -> dict[frozenset[str], str]:
    """Pairs that are not laid together, and why. ValueError for one that names no cell, or has no reason."""
    path = HERE / "hidden" / f"{cloud}.yml"
    listed: list[dict[str, Any]] = yaml.safe_load(path.read_text()) if path.exists() else []
    found: dict[frozenset[str], str] = {}
    known = set(cells(cloud))
    for item in listed:
        pairs = [frozenset((item["beneath"], each)) for each in item["of"]]
        for pair in pairs:
            if len(pair) != 2 or pair - known or not item["because"]:
                raise ValueError(f"{path}: {sorted(pair)} are not two cells with a reason")
            found[pair] = item["because"]
    return found


def possible(cloud: str, size: int) -> list[Combination]:
    """Every combination of so many faults in which none is physically hidden."""
    kept = set(hidden(cloud))
    faults = [name for name in cells(cloud) if name != GOOD]
    return [
        Combination(cloud, each)
        for each in combinations(faults, size)
        if not kept & {frozenset(pair) for pair in combinations(each, 2)}
    ]


def draw(clouds: list[str], count: int, seed: int) -> list[Combination]:
    """So many pairs and triples over all clouds, by turns; the same ones for the same seed and cells."""
    chance = random.Random(seed)
    found: list[Combination] = []
    for index, cloud in enumerate(sorted(clouds)):
        share = count // len(clouds) + (index < count % len(clouds))
        pairs, triples = possible(cloud, 2), possible(cloud, 3)
        found += chance.sample(pairs, min(len(pairs), share - share // 2))
        found += chance.sample(triples, min(len(triples), share // 2))
    return found


def targets(listed: list[Combination]) -> dict[Combination, Scenario]:
    """A target for each combination of one cloud, and for each fault in them alone."""
    cloud = listed[0].cloud
    alone = sorted({fault for each in listed for fault in each.faults})
    every = [*(Combination(cloud, (fault,)) for fault in alone), *listed]
    numbers = free_numbers(cloud)
    if len(numbers) < len(every):
        raise ValueError(f"{cloud}: {len(every)} targets are more than one world holds")
    return {
        each: _target(each, f"f{number}", number)
        for each, number in zip(every, numbers, strict=False)
    }


def free_numbers(cloud: str) -> list[int]:
    """Numbers of targets that stand nowhere in the templates, so that what a target is named after can be told."""
    paths = [*(HERE / "base" / cloud).iterdir(), *(HERE / "cells" / cloud).iterdir()]
    text = "\n".join(path.read_text() for path in paths)
    return [number for number in range(30, 100) if str(number) not in text]


def _target(each: Combination, name: str, number: int) -> Scenario:
    parts = [load(each.cloud, fault, name, number) for fault in each.faults]
    said = {
        "title": each.title,
        "worlds": [layer for part in parts for layer in part.worlds],
        "variables": {k: v for part in parts for k, v in part.said.get("variables", {}).items()},
        "outside": {k: v for part in parts for k, v in part.said.get("outside", {}).items()},
    }
    return Scenario(each.cloud, name, number, said)
