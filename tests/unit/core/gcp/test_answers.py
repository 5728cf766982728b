# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where names lead in a network by configuration, and which addresses are right there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.answers import (
    addresses_of,
    predict,
    serves,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.probe_targets import (
    of_evidence,
)

NETWORKS = "projects/p/global/networks"
APP, SPOKE, HUB = f"{NETWORKS}/app", f"{NETWORKS}/spoke", f"{NETWORKS}/hub"
HOST = "us-central1-aiplatform.googleapis.com"
RIGHT, OTHER = "10.255.30.2", "10.255.31.2"


def network(path: str, servers: list[str] | None = None) -> dict[str, Any]:
    policy = {"id": "dns", "name_servers": servers, "inbound": False} if servers else None
    return {"id": path, "dns_policy": policy, "peerings": []}


def record(name: str, *values: str, kind: str = "A") -> dict[str, Any]:
    return {"name": name, "type": kind, "ttl": 60, "values": list(values)}


def zone(dns_name: str, *records: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": f"projects/p/managedZones/{dns_name.replace('.', '-') or 'root'}",
        "dns_name": dns_name,
        "network_ids": [APP],
        "peering_network_id": None,
        "forwarding": [],
        "records": list(records),
        **changes,
    }


def rule(dns_name: str, *values: str, bypass: bool = False) -> dict[str, Any]:
    records = [record(dns_name, *values)] if values else []
    return {"name": f"rule {dns_name}", "dns_name": dns_name, "bypass": bypass, "records": records}


def evidence(
    *zones: dict[str, Any], rules: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    policy = {"id": "projects/p/responsePolicies/rpz", "network_ids": [APP], "rules": rules}
    return {
        "target": "vertex",
        "project": {"id": "p", "number": None},
        "hosts": [HOST],
        "missing": [],
        "network": network(APP),
        "spokes": [network(SPOKE)],
        "peers": [network(HUB)],
        "endpoints": [
            {"network_id": APP, "address": RIGHT, "bundle": "all-apis"},
            {"network_id": SPOKE, "address": OTHER, "bundle": "all-apis"},
        ],
        "zones": list(zones),
        "response_policies": [policy] if rules else [],
        **changes,
    }


EXACT = zone(HOST, record(HOST, RIGHT))
ROOT = zone("", record("*", RIGHT))


@pytest.mark.parametrize(
    ("document", "kind", "addresses", "said"),
    [
        pytest.param(evidence(), "public", (), "no private zone", id="nothing"),
        pytest.param(evidence(EXACT), "private", (RIGHT,), "private zone", id="a zone of its own"),
        pytest.param(
            evidence({**EXACT, "network_ids": [SPOKE]}), "public", (), "no private zone",
            id="a zone of another network",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, OTHER))), "elsewhere", (OTHER,), "no endpoint serves",
            id="the endpoint of another network",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, RIGHT), record(HOST, "fd20::1", kind="AAAA"))),
            "elsewhere", (RIGHT, "fd20::1"), "fd20::1", id="IPv6 leads elsewhere",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, RIGHT, "10.9.9.9"))), "elsewhere",
            ("10.255.30.2", "10.9.9.9"), "10.9.9.9", id="one of two addresses",
        ),
        pytest.param(
            evidence(EXACT, zone("googleapis.com", record("*.googleapis.com", OTHER))), "private",
            (RIGHT,), HOST.replace(".", "-"), id="the longest zone answers",
        ),
        pytest.param(
            evidence(zone(HOST), zone("googleapis.com", record("*.googleapis.com", RIGHT))),
            "elsewhere", (), "does not exist", id="and nobody else, also where it lacks the record",
        ),
        pytest.param(
            evidence(zone("googleapis.com")), "elsewhere", (), "does not exist",
            id="a bare zone above",
        ),
        pytest.param(
            evidence(zone("googleapis.com", record("*.googleapis.com", RIGHT))), "private",
            (RIGHT,), "", id="a wildcard",
        ),
        pytest.param(
            evidence(zone("googleapis.com", record("*.aiplatform.googleapis.com", RIGHT))),
            "elsewhere", (), "does not exist", id="a wildcard of another level",
        ),
        pytest.param(
            evidence(
                zone("googleapis.com", record("*.googleapis.com", RIGHT),
                     record(f"x.{HOST}", "10.9.9.9"))
            ),
            "elsewhere", (), "", id="a name below hides the wildcard",
        ),
        pytest.param(evidence(ROOT), "private", (RIGHT,), "", id="the root zone"),
        pytest.param(
            evidence(
                zone("googleapis.com", record("*.googleapis.com", "googleapis.com.", kind="CNAME"),
                     record("googleapis.com", RIGHT))
            ),
            "private", (RIGHT,), "sends it to googleapis.com", id="an alias",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, "restricted.example.", kind="CNAME"))), "elsewhere",
            (), "public name restricted.example", id="an alias of a public name",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, f"{HOST}.", kind="CNAME"))), "elsewhere", (), "circle",
            id="an alias of itself",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, "text", kind="TXT"))), "elsewhere", (), "no address",
            id="a name without an address",
        ),
        pytest.param(
            evidence(zone(HOST, forwarding=["10.0.0.4"])), "unknown", (), "10.0.0.4",
            id="a forwarding zone",
        ),
        pytest.param(
            evidence(zone(HOST, record(HOST, OTHER)), rules=[rule(HOST, RIGHT)]), "private",
            (RIGHT,), "response policy", id="a rule before the zone",
        ),
        pytest.param(
            evidence(EXACT, rules=[rule("*.googleapis.com", OTHER)]), "elsewhere", (OTHER,),
            "rule *.googleapis.com", id="a wildcard rule before the zone",
        ),
        pytest.param(
            evidence(rules=[rule("*.googleapis.com", OTHER), rule(HOST, RIGHT)]), "private",
            (RIGHT,), "", id="the exact rule before the wildcard",
        ),
        pytest.param(
            evidence(EXACT, rules=[rule("*.googleapis.com", OTHER), rule(HOST, bypass=True)]),
            "private", (RIGHT,), "private zone", id="a rule that lets it pass",
        ),
        pytest.param(
            evidence(EXACT, rules=[rule("storage.googleapis.com", OTHER)]), "private", (RIGHT,),
            "", id="a rule of another name",
        ),
        pytest.param(
            evidence(
                zone(HOST, peering_network_id=HUB),
                zone("googleapis.com", record("*.googleapis.com", OTHER), network_ids=[HUB]),
            ),
            "elsewhere", (OTHER,), f"asks {HUB}", id="a peering zone to an unreachable endpoint",
        ),
        pytest.param(
            evidence(zone(HOST, peering_network_id=HUB)), "public", (), f"asks {HUB}",
            id="a peering zone to a network without a zone",
        ),
        pytest.param(
            evidence(zone(HOST, peering_network_id=APP)), "elsewhere", (), "circle",
            id="a peering zone to itself",
        ),
        pytest.param(
            evidence(EXACT, network=network(APP, ["10.0.0.4"])), "unknown", (), "10.0.0.4",
            id="DNS servers of its own",
        ),
    ],
)  # fmt: skip
def test_where_a_name_leads(
    document: dict[str, Any], kind: str, addresses: tuple[str, ...], said: str
) -> None:
    found = predict(HOST, APP, document)
    assert (found.kind, found.addresses) == (kind, addresses), found
    assert said in found.by


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dns.managedZones.list", "projects/p"),
        ("dns.responsePolicies.list", "projects/p"),
        ("dns.resourceRecordSets.list", EXACT["id"]),
        ("dns.responsePolicyRules.list", "projects/p/responsePolicies/rpz"),
    ],
)
def test_what_could_not_be_read_is_not_taken_for_nothing(action: str, resource: str) -> None:
    missing = [{"part": "dns", "resource": resource, "action": action, "code": "forbidden"}]
    document = evidence(EXACT, rules=[rule("x.example", "10.9.9.9")], missing=missing)
    found = predict(HOST, APP, document)
    assert found.kind == "unknown" and action in found.by
    of_compute = [{**missing[0], "action": "compute.routes.list", "part": "network"}]
    assert predict(HOST, APP, {**document, "missing": of_compute}).kind == "private"


@given(st.sampled_from([APP, SPOKE, HUB]), st.sampled_from([APP, SPOKE, HUB]))
def test_an_endpoint_serves_its_own_network_alone(mine: str, other: str) -> None:
    assert serves({"network_id": mine}, other) == (mine == other)


def test_right_addresses_are_those_of_the_network() -> None:
    document = evidence()
    assert addresses_of(document, APP) == [RIGHT] and addresses_of(document, HUB) == []
    (target,) = of_evidence(document)
    assert target.addresses == [RIGHT, OTHER]
    # Nothing is right in a peer without an endpoint.
    assert target.networks == {APP: [RIGHT], SPOKE: [OTHER], HUB: []}
    assert target.probe_action is not None and "/projects/p/" in target.probe_action["path"]


def test_the_exact_rule_comes_before_a_wildcard_that_is_as_long() -> None:
    rules = [rule("*.googleapis.com", OTHER), rule("a.googleapis.com", RIGHT)]
    assert predict("a.googleapis.com", APP, evidence(rules=rules)).kind == "private"
