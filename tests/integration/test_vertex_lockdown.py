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
