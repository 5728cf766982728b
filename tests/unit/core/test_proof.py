# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proof is refused as soon as anything that it hangs on differs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.configuration import (
    config_hash,
    matters,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.contracts import Scope
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.proof import check_proof
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import validate
from ansible_collections.private_ai.endpoints.tests.unit.support import aws_case as aws

SCOPE = Scope(cloud="aws", id="scope-1", regions=[aws.REGION], members=["app-use1"])


def proof(**values: Any) -> dict[str, Any]:
    result = validate(aws.request(scope={"id": "scope-1"}, expect="private", **values))
    return result["proof"]


def check(document: dict[str, Any], **changes: Any) -> None:
    asked: dict[str, Any] = {
        "scope": SCOPE,
        "config_hashes": {"app-use1": config_hash(aws.evidence())},
        "roll_out": "enforced",
        "now": aws.NOW + timedelta(minutes=5),
        **changes,
    }
    check_proof(document, **asked)


def test_a_fresh_proof_is_accepted() -> None:
    check(proof())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"now": aws.NOW + timedelta(hours=2)}, "expired"),
        ({"now": aws.NOW - timedelta(hours=1)}, "future"),
        ({"roll_out": "tagged"}, "roll_out"),
        ({"config_hashes": {"app-use1": "sha256:other"}}, "changed after"),
        ({"config_hashes": {}}, "was not read"),
        ({"scope": Scope(cloud="aws", id="scope-2", regions=[], members=["app-use1"])}, "scope-1"),
        (
            {"scope": Scope(cloud="aws", id="scope-1", regions=[], members=["app-use1", "app-2"])},
            "does not cover app-2",
        ),
        ({"scope": Scope(cloud="aws", id="scope-1", regions=[], members=[])}, "no members"),
    ],
)
def test_a_proof_of_something_else_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(EndpointError, match=said):
        check(proof(), **changes)


def test_a_pinned_proof_locks_nothing() -> None:
    with pytest.raises(EndpointError, match="names of app-use1"):
        check(proof(observations=aws.pinned(), pinned=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item["findings"][0].update(status="fail"),
        lambda item: item["findings"][0].update(status="unknown"),
        lambda item: item.update(vantages=[]),
        lambda item: item.update(expires_at="soon"),
        lambda item: item.update(schema_version=2),
        lambda item: item.pop("config_hash"),
        lambda item: item.update(extra=1),
    ],
)
def test_a_changed_proof_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    document = proof()
    change(document)
    with pytest.raises(EndpointError):
        check(document)


@pytest.mark.parametrize(
    "change",
    [
        lambda doc: doc["endpoints"][0].update(private_dns_enabled=False),
        lambda doc: doc["endpoints"][0]["subnet_ids"].pop(),
        lambda doc: doc["endpoints"][0]["network_interfaces"][0].update(addresses=["10.10.1.9"]),
        lambda doc: doc["endpoints"][0]["policy"]["Statement"].pop(),
        lambda doc: doc["endpoints"].pop(),
        lambda doc: doc["security_groups"][0]["rules"].pop(),
        lambda doc: doc["network_acls"][0]["entries"].pop(),
        lambda doc: doc["route_tables"][0]["routes"].pop(),
        lambda doc: doc["zones"].pop(),
        lambda doc: doc["zones"][0]["vpcs"].pop(),
        lambda doc: doc["vpc"].update(dns_support=False),
        lambda doc: doc["peerings"].pop(),
    ],
)
def test_what_callers_depend_on_is_in_the_digest(change: Callable[[dict[str, Any]], Any]) -> None:
    document = aws.evidence()
    change(document)
    assert config_hash(document) != config_hash(aws.evidence())


def test_what_they_do_not_depend_on_is_not() -> None:
    document = aws.evidence()
    document["endpoints"][0].update(tags={"a": "b"}, created_at="2026-01-01", state="Available")
    document["security_groups"][0]["rules"][0].update(description="why", id="sgr-9")
    document["security_groups"].append({**document["security_groups"][0], "id": "sg-unrelated"})
    document["collected_at"] = "2027-01-01T00:00:00Z"
    document["enforcement"] = document["traffic"] = None
    document["zones"].append({**document["zones"][0], "id": "Z9", "name": "internal.example.com"})
    document["endpoints"].append({**document["endpoints"][0], "vpc_id": "vpc-other"})
    assert config_hash(document) == config_hash(aws.evidence())


def test_half_the_evidence_has_no_digest() -> None:
    document = aws.evidence()
    document["gathered"].remove("dns")
    with pytest.raises(EndpointError, match="dns was not gathered"):
        config_hash(document)


@given(st.randoms(use_true_random=False))
def test_the_order_of_lists_does_not_change_the_digest(random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            mixed = [shuffled(inner) for inner in value]
            random.shuffle(mixed)
            return mixed
        return value

    document = aws.evidence()
    assert config_hash(shuffled(copy.deepcopy(document))) == config_hash(document)


def test_zones_that_matter() -> None:
    assert all(
        map(matters, ("com", "amazonaws.com.", "bedrock.us-east-1.amazonaws.com", "api.aws"))
    )
    assert not any(map(matters, ("example.com", "internal", "notamazonaws.com", "myaws")))
