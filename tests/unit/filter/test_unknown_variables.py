# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Misspelt variables are named."""

from __future__ import annotations

from ansible_collections.private_ai.endpoints.plugins.filter.unknown_variables import (
    unknown_variables,
)

SPECS = {
    "create": {"options": {"bedrock_subnet_ids": {"type": "list"}}},
    "dns": {"options": {"bedrock_spoke_vpcs": {"type": "list"}}},
    "unlock": {},
}


def test_known_variables_pass() -> None:
    names = ["bedrock_subnet_ids", "bedrock_spoke_vpcs", "azure_openai_name"]
    assert unknown_variables(names, SPECS, "bedrock_") == []


def test_a_misspelt_variable_is_named_with_the_likely_one() -> None:
    (sentence,) = unknown_variables(["bedrock_subnet_id"], SPECS, "bedrock_")
    assert "bedrock_subnet_id is no variable" in sentence
    assert "Did you mean bedrock_subnet_ids?" in sentence


def test_a_far_one_is_named_alone() -> None:
    (sentence,) = unknown_variables(["bedrock_xyz"], SPECS, "bedrock_")
    assert "Did you mean" not in sentence
