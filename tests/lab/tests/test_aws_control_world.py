# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS section of a world: what is accepted, and how a mistake is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws import check, sample

WORLDS = Path(__file__).resolve().parents[1] / "worlds"


def test_the_worlds_that_ship_are_in_order() -> None:
    assert check(sample.world()) == []
    for path in WORLDS.glob("*.yml"):
        assert check(yaml.safe_load(path.read_text())) == [], path


def test_the_documented_keys_are_the_ones_that_are_known() -> None:
    """Every key of the example in aws.md passes; only its elided ids and references do not exist."""
    text = re.search(r"```yaml\n(.*?)```", (WORLDS / "aws.md").read_text(), re.DOTALL)
    assert text
    found = check(yaml.safe_load(text.group(1)))
    assert found
    assert not [each for each in found if "unknown key" in each or "must be" in each]


def broken(path: list[Any], value: Any) -> dict[str, Any]:
    world = sample.world()
    node: Any = world["aws"]
    for key in path[:-1]:
        node = node[key]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return world


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["colour"], "red", "aws.colour: unknown key"),
        (["regions"], None, "aws.regions: missing"),
        (["timing"], {"endpoint_pending": "long"}, "aws.timing.endpoint_pending: 'long' must be"),
        (["vpcs", 0, "account"], 222222222222, "must be a quoted string of twelve digits"),
        (["vpcs", 0, "region"], "mars-1", "mars-1 is not in aws.regions"),
        (["vpcs", 0, "cidr"], "ten", "does not appear to be an IPv4 or IPv6 network"),
        (["vpcs", 0, "subnets", 0, "zone"], "us-east-1z", "us-east-1z is not a zone"),
        (["vpcs", 0, "subnets", 0, "cidr"], "10.99.0.0/24", "lies outside the VPC's"),
        (["vpcs", 1, "id"], sample.VPC, "is used twice"),
        (
            ["peerings", 0, "accepter"],
            "vpc-1",
            "aws.peerings[pcx-0ab0000000000000b].accepter: no VPC",
        ),
        (["endpoints", 0, "subnets"], [sample.SPOKE_SUBNET], "is no subnet of"),
        (["principals", 0, "arn"], "app", "no ARN of a user, a role or root"),
        (["organization", "management_account"], "999999999999", "not among"),
        (["organization", "units", 0, "parent"], "r-none", "no node r-none above"),
    ],
)
def test_a_mistake_is_named_with_its_place(path: list[Any], value: Any, words: str) -> None:
    found = check(broken(path, value))
    assert any(words in each for each in found), found
