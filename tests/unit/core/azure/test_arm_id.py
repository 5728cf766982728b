# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resource ids: read, written, compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.arm_id import (
    ArmId,
    same,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n"
words = st.text("abcXYZ019-_.", min_size=1, max_size=8)


@given(words, words, words, st.lists(st.tuples(words, words), min_size=1, max_size=3))
def test_an_id_is_written_as_it_was_read(
    subscription: str, group: str, provider: str, path: list[tuple[str, str]]
) -> None:
    tail = "".join(f"/{kind}/{name}" for kind, name in path)
    text = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}{tail}"
    parsed = ArmId.parse(text)
    assert str(parsed) == text
    assert parsed.name == path[-1][1]
    assert ArmId.parse(text.upper()).key == parsed.key
    assert str(parsed.child("a", "b").parent) == text
    assert same(text.swapcase(), text + "/")


def test_parts_and_neighbours() -> None:
    subnet = ArmId.parse(SUBNET, kind="microsoft.network/virtualnetworks/subnets")
    assert subnet.kind == "Microsoft.Network/virtualNetworks/subnets"
    assert str(subnet.parent) == SUBNET.removesuffix("/subnets/n")
    assert str(subnet.parent.parent) == "/subscriptions/s/resourceGroups/g"
    assert subnet.group.name == "g"
    endpoint = subnet.resource("Microsoft.Network", "privateEndpoints", "pe")
    assert (
        str(endpoint)
        == "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe"
    )
    assert ArmId.parse("/subscriptions/s").name == "s"


@pytest.mark.parametrize(
    "text",
    ["", "n", "subscriptions/s", "/subscriptions//x", SUBNET + "/", SUBNET + "/odd", "/a/b/c/d"],
)
def test_what_is_no_id_of_that_kind(text: str) -> None:
    kind = "Microsoft.Network/virtualNetworks"
    with pytest.raises(EndpointError, match=r"subnet_id: .*<name>"):
        ArmId.parse(text, option="subnet_id", kind=kind)


def test_nothing_is_only_the_same_as_nothing() -> None:
    assert same(None, "") and not same(None, SUBNET)
