# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_lockdown in the lab: it binds outside callers, is undone exactly, survives dead and parallel runs."""

from __future__ import annotations

import json
import textwrap
from typing import Any

NAME = "private_ai.endpoints.vertex_lockdown"
POLICY = "accessPolicies/600000000001"
PERIMETER = f"{POLICY}/servicePerimeters/vertex"
PAYMENTS = f"{POLICY}/servicePerimeters/payments"
APP, SPOKE = (f"projects/lab-vertex/global/networks/{name}" for name in ("app", "spoke"))
VERTEX, OTHER, THEIRS = (f"projects/50000000000{number}" for number in (1, 2, 3))
SERVICE = "aiplatform.googleapis.com"
HEAD = "private_ai.endpoints:"
AUTOMATION = "serviceAccount:automation@lab-vertex.iam.gserviceaccount.com"
BATCH = "batch@lab-other.iam.gserviceaccount.com"
TIMING = {"operation": 0.05, "policy_operation": 0.1, "perimeter_propagation": 0.2}
ENDPOINTS = [
    {"name": "pscvertex", "network": APP, "address": "10.255.30.2"},
    {"name": "pscvertexspoke", "network": SPOKE, "address": "10.255.31.2"},
]
# Machines without an external address reach endpoints only from subnets with Private Google Access.
NETWORKS = [
    {
        "id": f"projects/lab-vertex/global/networks/{network}",
        "subnets": [
            {"name": name, "region": region, "range": cidr, "private_google_access": True}
            for name, region, cidr in subnets
        ],
    }
    for network, subnets in (
        (
            "app",
            [("app-a", "us-central1", "10.30.1.0/24"), ("app-b", "europe-west1", "10.30.2.0/24")],
        ),
        ("spoke", [("spoke-a", "us-central1", "10.31.1.0/24")]),
    )
]
PAID: dict[str, Any] = {
    "name": "payments",
    "title": "payments",
    "perimeterType": "PERIMETER_TYPE_REGULAR",
    "status": {"resources": [THEIRS], "restrictedServices": ["storage.googleapis.com"]},
}
LOCK: dict[str, Any] = {
    "perimeter": PERIMETER,
    "projects": ["lab-vertex"],
    "require_proof": False,
    "run_id": "one",
}


def world(*perimeters: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The default world, quick, with another team's perimeter and these, and these sections of Google's."""
    policy = {"id": "600000000001", "title": "default policy", "perimeters": [PAID, *perimeters]}
    return {
        "gcp": {
            "timing": TIMING,
            "access_policies": [policy],
            "endpoints": ENDPOINTS,
            "networks": NETWORKS,
            **sections,
        }
    }


def module(**options: Any) -> dict[str, Any]:
    return {NAME: {**LOCK, **options}}


def undo(state: str = "unlocked", **options: Any) -> dict[str, Any]:
    """What works in an emergency: the perimeter, and nothing else."""
    return {NAME: {"perimeter": PERIMETER, "state": state, **options}}


def hands(code: str = "", where: str = POLICY) -> dict[str, Any]:
    """Access Context Manager in the hands of the organisation's owner; prints all perimeters as they stand then."""
    prelude = f"""
        import json, os, time
        from google.auth.transport.requests import AuthorizedSession
        from google.oauth2 import service_account
        key = os.environ['LAB_RUN'] + '/gcp/admin@lab-vertex.iam.gserviceaccount.com.json'
        scopes = ['https://www.googleapis.com/auth/cloud-platform']
        session = AuthorizedSession(service_account.Credentials.from_service_account_file(key, scopes=scopes))
        base = 'https://accesscontextmanager.googleapis.com/v1/'
        def ask(method, path, body=None, **params):
            answer = session.request(method, base + path, json=body, params=params)
            assert answer.status_code < 400, answer.text
            found = answer.json()
            while found.get('name', '').startswith('operations/') and not found.get('done'):
                time.sleep(0.05)
                found = session.get(base + found['name']).json()
            assert 'error' not in found, found
            return found
        def perimeters():
            return {{each['name']: each for each in ask('GET', '{where}/servicePerimeters')['servicePerimeters']}}
    """
    source = (
        textwrap.dedent(prelude) + textwrap.dedent(code) + "\nprint(json.dumps(perimeters()))\n"
    )
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", source]},
        "check_mode": False,
        "diff": False,
    }


LOOK = hands()


def stands(result: dict[str, Any]) -> dict[str, Any]:
    """All perimeters that LOOK saw, without their etags."""
    assert result["rc"] == 0, result
    found: dict[str, Any] = json.loads(result["stdout"])
    return {
        name: {key: value for key, value in each.items() if key != "etag"}
        for name, each in found.items()
    }


def call(place: str, address: str = "", after: float = 0.4) -> dict[str, Any]:
    """A call with the application's token from a vantage; prints status and text of the answer."""
    code = f"""
        import socket, sys, time
        time.sleep({after})
        if {address!r}:
            known = socket.getaddrinfo
            socket.getaddrinfo = lambda host, *rest, **more: known(
                {address!r} if host.endswith('aiplatform.googleapis.com') else host, *rest, **more)
        import google.auth
        from google.auth.transport.requests import AuthorizedSession
        session = AuthorizedSession(google.auth.default(['https://www.googleapis.com/auth/cloud-platform'])[0])
        answer = session.get('https://us-central1-aiplatform.googleapis.com/v1/projects/lab-vertex/locations/'
                             'us-central1/endpoints', timeout=5)
        print(answer.status_code, answer.text)
    """
    words = ["sh", "-c", 'exec "$LAB_RUN/python-$0" -c "$1"', place, textwrap.dedent(code)]
    return {"ansible.builtin.command": {"argv": words}, "check_mode": False}


def attributes(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (step["resource"], step["action"], key)
        for step in steps
        for key in {**step["before"], **step["after"]}
    }


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


def test_a_lock_from_prediction_to_its_end(lab: Any) -> None:
    outcome = lab.tasks(
        LOOK,
        {**module(), "check_mode": True, "diff": True},
        {**module(state="sealed"), "check_mode": True},
        call("gcp-outside", after=0),
        {**module(), "diff": True},
        call("gcp-outside"),
        call("gcp-app", "10.255.30.2", 0),
        LOOK,
        module(),
        module(state="sealed"),
        LOOK,
        module(run_id="two"),
        undo(run_id="two"),
        undo("recovered"),
        undo(),
        LOOK,
        call("gcp-outside"),
        undo(),
        world=world(),
    )
    (start, predicted, sealing, before, made, outside, inside, pending, same, sealed, clean, again, nothing, none,
     opened, end, after, twice) = succeeded(outcome)  # fmt: skip
    assert [step["action"] for step in sealing["steps"]] == ["update"]
    assert before["stdout"].startswith("200")
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert predicted["diff"]["after"].replace(predicted["run_id"], "") == made["diff"][
        "after"
    ].replace(made["run_id"], "")
    assert made["pending"]["run_id"] == "one"
    assert made["delta"]["targets"] == [PERIMETER]
    assert made["binds"]["projects"] == ["lab-vertex"]
    assert made["binds"]["enforced"]
    assert outside["stdout"].startswith("403"), outside
    assert "SECURITY_POLICY_VIOLATED" in outside["stdout"]
    assert inside["stdout"].startswith("200"), inside
    assert stands(pending)[PERIMETER]["status"] == {
        "resources": [VERTEX],
        "restrictedServices": [SERVICE],
    }
    assert '"pending"' in stands(pending)[PERIMETER]["description"]
    assert not same["changed"]
    assert [step["action"] for step in sealed["steps"]] == ["update"]
    assert '"sealed"' in stands(clean)[PERIMETER]["description"]
    assert (again["changed"], again["pending"]) == (False, None)
    assert not nothing["changed"] and not none["changed"]
    assert opened["changed"]
    assert stands(end) == stands(start)
    assert after["stdout"].startswith("200")
    assert not twice["changed"]


# What another team has: a perimeter with a project of its own, a text, an order, and a dry run of things to come.
THEIR_TEXT = "Analytics.\nAsk team-data before you change it."
SHARED: dict[str, Any] = {
    "name": "vertex",
    "title": "Shared",
    "description": THEIR_TEXT,
    "perimeterType": "PERIMETER_TYPE_REGULAR",
    "status": {
        "resources": [OTHER],
        "restrictedServices": ["storage.googleapis.com", "bigquery.googleapis.com"],
        "egressPolicies": [
            {
                "egressFrom": {"identityType": "ANY_IDENTITY"},
                "egressTo": {
                    "operations": [
                        {
                            "serviceName": "storage.googleapis.com",
                            "methodSelectors": [{"method": "*"}],
                        }
                    ],
                    "resources": [THEIRS],
                },
            }
        ],
    },
    "spec": {
        "resources": [OTHER],
        "restrictedServices": ["storage.googleapis.com", "pubsub.googleapis.com"],
    },
    "useExplicitDryRunSpec": True,
}


def test_another_teams_perimeter_is_extended_and_left_as_it_was(lab: Any) -> None:
    level = {
        "name": "office",
        "title": "office",
        "basic": {"conditions": [{"ipSubnetworks": ["198.51.100.10/32"]}]},
    }
    rule = {
        "ingressFrom": {
            "identities": [f"serviceAccount:{BATCH}"],
            "sources": [{"accessLevel": f"{POLICY}/accessLevels/office"}],
        },
        "ingressTo": {
            "operations": [{"serviceName": SERVICE, "methodSelectors": [{"method": "*"}]}],
            "resources": ["*"],
        },
    }
    more = {
        "access_levels": ["office"],
        "ingress_policies": [rule],
        "accessible_services": ["RESTRICTED-SERVICES", "storage.googleapis.com"],
        "preview_days": 0,
    }
    # Meanwhile its owners restrict one more service, write a line, and go on with their dry run.
    meanwhile = f"""
        found = perimeters()[{PERIMETER!r}]
        found['status']['restrictedServices'].append('run.googleapis.com')
        found['spec']['restrictedServices'].append('run.googleapis.com')
        ask('PATCH', {PERIMETER!r}, {{**found, 'description': found['description'] + '\\nSeen.'}},
            updateMask='status,spec,description')
    """
    shared = world(SHARED)
    shared["gcp"]["access_policies"][0]["levels"] = [level]
    outcome = lab.tasks(
        LOOK,
        {**module(**more), "check_mode": True},
        module(**more),
        LOOK,
        module(**more),
        module(state="sealed"),
        hands(meanwhile),
        undo(),
        LOOK,
        module(perimeter="vertex", access_policy="600000000001", **more),
        undo("restored"),
        LOOK,
        world=shared,
    )
    start, predicted, made, locked, same, sealed, changed, opened, end, _, restored, exact = (
        succeeded(outcome)
    )
    first, mine = stands(start), stands(locked)
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert not same["changed"] and sealed["changed"]
    theirs, now = first[PERIMETER], mine[PERIMETER]
    for part in ("status", "spec"):
        assert now[part]["resources"] == [OTHER, VERTEX]
        assert now[part]["restrictedServices"] == [*theirs[part]["restrictedServices"], SERVICE]
        assert now[part]["ingressPolicies"] == [rule]
        assert now[part]["accessLevels"] == [f"{POLICY}/accessLevels/office"]
        assert now[part]["vpcAccessibleServices"] == {
            "enableRestriction": True,
            "allowedServices": ["RESTRICTED-SERVICES", "storage.googleapis.com"],
        }
    assert now["status"]["egressPolicies"] == theirs["status"]["egressPolicies"]
    assert now["useExplicitDryRunSpec"]
    assert now["description"].startswith(THEIR_TEXT + "\n")
    assert now["title"] == "Shared"
    assert made["perimeter"]["dry_run"]["restricted_services"][-1] == SERVICE
    assert opened["changed"] and changed["rc"] == 0
    # What they did meanwhile stays, and nothing of ours.
    for part in ("status", "spec"):
        theirs[part]["restrictedServices"].append("run.googleapis.com")
    theirs["description"] += "\nSeen."
    assert stands(end) == first
    assert restored["changed"]
    assert stands(exact) == first
    assert {name: each for name, each in mine.items() if name != PERIMETER} == {
        PAYMENTS: first[PAYMENTS]
    }


def test_a_dry_run_records_and_is_enforced_once_every_caller_is_explained(lab: Any) -> None:
    dry = {"roll_out": "dry_run", "require_proof": True, "run_id": "dry"}
    explained = [
        {
            "principal": "app@lab-vertex*",
            "operation": "*ListEndpoints",
            "reason": "moves inside tomorrow",
        }
    ]
    outcome = lab.tasks(
        {**module(**dry), "check_mode": True},
        module(**dry),
        module(state="sealed", run_id="dry"),
        module(**dry),
        call("gcp-outside", after=0.5),
        call("gcp-outside", after=0),
        call("gcp-app", "10.255.30.2", 0),
        LOOK,
        {**module(), "check_mode": True},
        module(),
        LOOK,
        {**module(explained_callers=explained), "check_mode": True},
        module(explained_callers=explained),
        LOOK,
        call("gcp-outside"),
        undo(run_id="one"),
        LOOK,
        module(preview_days=0),
        module(state="sealed"),
        undo(),
        LOOK,
        world=world(),
    )
    (predicted, made, sealed, same, admitted, _, _, planned, warned, refused, unchanged, may, enforced, locked, outside,
     undone, back, _, _, opened, end) = outcome.results  # fmt: skip
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert (made["delta"]["targets"], made["binds"]["enforced"]) == ([], False)
    assert sealed["changed"] and not same["changed"]
    assert admitted["stdout"].startswith("200"), admitted
    config = {"resources": [VERTEX], "restrictedServices": [SERVICE]}
    assert stands(planned)[PERIMETER]["spec"] == config
    assert not stands(planned)[PERIMETER].get("status")
    # With a principal, a method and a count.
    for text in (
        "app@lab-vertex.iam.gserviceaccount.com",
        "ListEndpoints",
        "2 times",
        "198.51.100.14",
    ):
        assert text in refused["msg"], refused
    assert not refused["changed"] and stands(unchanged) == stands(planned)
    assert any("2 times" in text for text in warned["warnings"]), warned
    assert attributes(may["steps"]) == attributes(enforced["steps"])
    found = stands(locked)[PERIMETER]
    assert (found["status"], found.get("spec"), found.get("useExplicitDryRunSpec")) == (
        config,
        None,
        False,
    )
    assert enforced["delta"]["targets"] == [PERIMETER]
    assert outside["stdout"].startswith("403")
    # Undoing the run goes back to the dry run, and unlocking to before that.
    assert undone["changed"]
    assert stands(back)[PERIMETER]["spec"] == config and not stands(back)[PERIMETER].get("status")
    assert opened["changed"]
    assert PERIMETER not in stands(end)
