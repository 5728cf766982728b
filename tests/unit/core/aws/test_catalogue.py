# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue against botocore's models, and the probe targets that are made from it."""

from __future__ import annotations

import json

import botocore.loaders
import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.catalogue import (
    CATALOGUE,
    PRESETS,
    Service,
    lookup,
    requested,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.probe_targets import (
    probe_targets,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

REGION = "us-east-1"
RUNTIME = "com.amazonaws.us-east-1.bedrock-runtime"
# Endpoint service → botocore's name of it, for those whose read is in a model.
MODELS = {
    "bedrock": "bedrock",
    "bedrock-runtime": "bedrock-runtime",
    "bedrock-agent": "bedrock-agent",
    "bedrock-agent-runtime": "bedrock-agent-runtime",
    "bedrock-data-automation": "bedrock-data-automation",
    "bedrock-agentcore-control": "bedrock-agentcore-control",
    "sagemaker.api": "sagemaker",
}


def test_every_read_has_a_model_to_be_checked_against() -> None:
    plain = {item.short for item in CATALOGUE.values() if item.probe and not item.fips}
    assert plain == set(MODELS)


@pytest.mark.parametrize("short", sorted(MODELS))
def test_reads_are_what_botocore_would_send(short: str) -> None:
    loader = botocore.loaders.create_loader()
    model = loader.load_service_model(MODELS[short], "service-2")
    action = CATALOGUE[short].probe_action(REGION)
    assert action is not None
    prefix, name = action["name"].split(":")
    operation = model["operations"][name]
    assert action["method"] == operation["http"]["method"]
    assert action["path"].split("?")[0] == operation["http"]["requestUri"]
    assert action["signing_name"] == model["metadata"]["signingName"]
    assert prefix == CATALOGUE[short].iam_prefix
    members = model["shapes"][operation["input"]["shape"]]["members"]
    assert not model["shapes"][operation["input"]["shape"]].get("required")
    query = [item.split("=")[0] for item in action["path"].partition("?")[2].split("&") if item]
    assert all(members[item].get("location") == "querystring" for item in query)
    assert set(json.loads(action["body"] or "{}")) <= set(members)
    if model["metadata"]["protocol"] == "json":
        target = f"{model['metadata']['targetPrefix']}.{name}"
        assert action["headers"]["x-amz-target"] == target


@pytest.mark.parametrize("item", CATALOGUE.values(), ids=lambda item: item.short)
def test_full_names_lead_back(item: Service) -> None:
    assert lookup(item.full_name(REGION), REGION) is item
    assert lookup(item.full_name("eu-west-1"), REGION) is None
    assert all(REGION in host for host in item.host_variants(REGION))


def test_presets() -> None:
    assert PRESETS["bedrock"] == ("bedrock", "bedrock-runtime")
    assert set(PRESETS["bedrock"]) < set(PRESETS["bedrock_all"])
    assert not any("fips" in name for name in PRESETS["bedrock_all"])
    assert {CATALOGUE[name].plane for name in PRESETS["sagemaker"]} == {"management", "runtime"}


def test_words_become_services_once() -> None:
    found = requested(["bedrock", "bedrock-runtime", RUNTIME, "sagemaker.api"], REGION)
    assert [item.short for item in found] == ["bedrock", "bedrock-runtime", "sagemaker.api"]
    assert all(item.required for item in found)


@pytest.mark.parametrize("words", [["bedrock_all", "bedrock"], ["bedrock", "bedrock_all"]])
def test_only_the_wide_preset_may_lack_services(words: list[str]) -> None:
    found = {item.short: item.required for item in requested(words, REGION)}
    assert found["bedrock-runtime"]
    assert not found["bedrock-mantle"]


def test_an_unknown_full_name_is_accepted() -> None:
    (found,) = requested(["com.amazonaws.us-east-1.bedrock-next"], REGION)
    assert found.service is None
    assert found.short == "com.amazonaws.us-east-1.bedrock-next"


@pytest.mark.parametrize("word", ["bedrok", "com.amazonaws.eu-west-1.bedrock", "x.y"])
def test_words_that_are_no_service(word: str) -> None:
    with pytest.raises(EndpointError, match="services: .*" + word):
        requested(["bedrock", word], REGION)


def endpoint(service: str, *addresses: str, six: tuple[str, ...] = ()) -> dict[str, object]:
    return {
        "service": service,
        "network_interfaces": [
            {"addresses": [address], "ipv6_addresses": list(six)} for address in addresses
        ],
    }


def test_discovery_wins_over_the_catalogue() -> None:
    names = {RUNTIME: ["b.example.com", "*.b.example.com", "A.example.com."]}
    found = probe_targets("t", REGION, [endpoint(RUNTIME, "10.0.0.2", "10.0.0.1")], names)
    assert [item.host for item in found] == ["a.example.com", "b.example.com"]
    assert found[0].addresses == ["10.0.0.1", "10.0.0.2"]
    assert (found[0].target, found[0].service, found[0].plane) == (
        "t",
        "bedrock-runtime",
        "runtime",
    )
    assert found[0].probe_action is not None


def test_without_discovery_the_catalogue_says_the_host() -> None:
    (found,) = probe_targets("t", REGION, [endpoint(RUNTIME, "10.0.0.1", six=("fd00::1",))], {})
    assert found.host == "bedrock-runtime.us-east-1.amazonaws.com"
    assert found.addresses == ["10.0.0.1", "fd00::1"]


def test_a_wildcard_host_cannot_be_probed() -> None:
    name = CATALOGUE["bedrock-agentcore.gateway"].full_name(REGION)
    assert probe_targets("t", REGION, [endpoint(name, "10.0.0.1")], {}) == []


def test_two_endpoints_of_a_service_share_its_host() -> None:
    both = [endpoint(RUNTIME, "10.0.0.1"), endpoint(RUNTIME, "10.0.0.2")]
    (found,) = probe_targets("t", REGION, both, {})
    assert found.addresses == ["10.0.0.1", "10.0.0.2"]
