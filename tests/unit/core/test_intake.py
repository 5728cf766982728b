# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes from outside belongs to the cloud that it names, and to no other."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import intake
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.case import Case
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.matrix import networks
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.views import WORDS, view
from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import answers

SEEN: dict[str, Any] = {
    "cloud": "azure",
    "vantage": "app-a",
    "position": "inside",
    "target": "openai",
    "host": "lab-openai.openai.azure.com",
}


def test_an_observation_says_which_cloud_it_is_of() -> None:
    (read,) = intake.observations([SEEN])
    assert read["cloud"] == "azure"
    with pytest.raises(EndpointError, match="lacks cloud"):
        intake.observations([{key: value for key, value in SEEN.items() if key != "cloud"}])


def test_every_class_of_answer_has_words() -> None:
    assert set(answers.CLASSES) <= set(WORDS)


def test_the_networks_of_a_target_are_private_whatever_the_cloud_calls_them() -> None:
    peers = [{"peer_cidrs": ["192.0.2.0/24"]}]
    for name in ("vpc", "network"):
        document = {name: {"cidrs": ["198.51.100.0/24"]}, "peerings": peers}
        found = networks(Case(cloud="azure", target="openai", evidence=document))
        assert found == ["198.51.100.0/24", "192.0.2.0/24"]
    (read,) = intake.observations([{**SEEN, "dns": {"system": ["192.0.2.7"], "status": "ok"}}])
    assert view(read, found).where == "private"
    assert view(read).where == "public"
