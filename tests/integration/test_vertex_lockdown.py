# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_lockdown in the lab: it binds outside callers, is undone exactly, survives dead and parallel runs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from .harness import playbook

ROOT = Path(__file__).resolve().parents[2]
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


def play(lab: Any, name: str, *tasks: dict[str, Any]) -> str:
    """A playbook of these tasks; its path."""
    return str(playbook(lab, name, tasks))


def test_runs_at_the_same_time_lose_nothing_and_touch_nothing_else(lab: Any) -> None:
    """Two runs lock one perimeter and a third one another, all at once."""
    wishes = {
        "one": {},
        "two": {"projects": ["lab-other"]},
        "three": {"perimeter": PAYMENTS, "projects": ["lab-payments"]},
    }
    plays = [
        play(lab, name, module(run_id=name, preview_days=0, **wish))
        for name, wish in wishes.items()
    ]
    runs = "".join(
        f'ansible-playbook {path} > {path}.log 2>&1 & pids="$pids $!"\n' for path in plays
    )
    wait = f"for pid in $pids; do wait $pid || {{ cat {' '.join(f'{path}.log' for path in plays)}; exit 1; }}; done"
    # Whoever reads first is held until the others have read, after the first look.
    late = {
        "match": {"operation": "accesscontextmanager.accessPolicies.servicePerimeters.list"},
        "kind": "delay",
        "seconds": 3,
        "count": 4,
    }
    third = {
        **PAID,
        "name": "third",
        "title": "third",
        "status": {"restrictedServices": ["run.googleapis.com"]},
    }
    permissions = {"roles/browser": [AUTOMATION]}
    sections = {"projects": [{"id": "lab-vertex", "number": "500000000001", "bindings": permissions},
                             {"id": "lab-other", "number": "500000000002", "bindings": permissions},
                             {"id": "lab-payments", "number": "500000000003", "bindings": permissions}]}  # fmt: skip
    outcome = lab.tasks(
        LOOK,
        {"ansible.builtin.command": {"argv": ["sh", "-c", f"cd {ROOT}\n{runs} {wait}"]}},
        LOOK,
        undo(),
        LOOK,
        world=world(SHARED_QUIET, third, **sections),
        faults=[late],
    )
    start, all_of_them, locked, opened, end = succeeded(outcome)
    assert all_of_them["rc"] == 0
    # They did meet: Google refused what was planned of an older state.
    assert any(entry["write"] and entry["status"] == 409 for entry in outcome.journal)
    first, then, last = stands(start), stands(locked), stands(end)
    assert sorted(then[PERIMETER]["status"]["resources"]) == [VERTEX, OTHER]
    assert then[PAYMENTS]["status"]["restrictedServices"] == ["storage.googleapis.com", SERVICE]
    # The one that nobody locks is byte for byte the same.
    untouched = f"{POLICY}/servicePerimeters/third"
    assert json.dumps(then[untouched]) == json.dumps(first[untouched])
    assert opened["changed"]
    # The run that came later knows what the earlier one added.
    assert last[PERIMETER] == first[PERIMETER]
    assert last[PAYMENTS] == then[PAYMENTS]


SHARED_QUIET = {**SHARED, "status": {"restrictedServices": ["storage.googleapis.com"]}}
SHARED_QUIET.pop("spec")
SHARED_QUIET.pop("useExplicitDryRunSpec")


def test_a_killed_run_leaves_a_marker_and_is_recovered(lab: Any) -> None:
    path = play(lab, "lock", module(run_id="dead"))
    # Token, perimeters and project, and then the write: it dies while Google is at it.
    words = ["python", "tests/integration/kill_at.py", "4", "all", "ansible-playbook", "-v", path]
    outcome = lab.tasks(
        {"ansible.builtin.command": {"argv": words, "chdir": str(ROOT)}},
        hands("time.sleep(2.5)"),
        undo("recovered", run_id="two", pending_timeout=3600),
        undo("recovered", run_id="two"),
        LOOK,
        undo("recovered", run_id="two"),
        world={"gcp": {**world()["gcp"], "timing": {**TIMING, "policy_operation": 2}}},
    )
    killed, left, young, undone, end, nothing = outcome.results
    assert killed["stdout"].startswith("killed after request"), killed
    assert killed["stdout"].endswith("servicePerimeters.create"), killed
    assert '"dead"' in stands(left)[PERIMETER]["description"]
    assert not young["changed"] and "may be at work" in young["warnings"][0]
    assert undone["changed"] and "run dead" in undone["warnings"][0]
    assert PERIMETER not in stands(end)
    assert not nothing["changed"]


def test_it_says_what_is_wrong_before_any_write(lab: Any) -> None:
    """Each as one clear sentence with its fix, and nothing is written."""
    rule = {
        "ingressFrom": {"identityType": "ANY_IDENTITY"},
        "ingressTo": {"resources": ["*"], "operations": [{}]},
    }
    member = {"target": "lab", "network": "projects/lab-other/global/networks/hub"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"projects": ["500000000003"]}, f"in the perimeter {PAYMENTS} already"),
        ({"projects": ["no-such-project"]}, "project no-such-project"),
        ({"perimeter": "vertex"}, "access_policy"),
        ({"perimeter": "with-dashes", "access_policy": "600000000001"}, "no name of a perimeter"),
        ({"access_policy": "700000000001"}, "not in accessPolicies/700000000001"),
        ({"title": "payments"}, "title of another perimeter"),
        ({"restricted_services": ["aiplatform"]}, "Write it as aiplatform.googleapis.com"),
        ({"restricted_services": ["nonsense.googleapis.com"]}, "not a service that VPC Service Controls supports"),
        ({"restricted_services": []}, "locks nothing"),
        ({"accessible_services": []}, "could call no service"),
        ({"ingress_policies": [rule]}, "has no sources"),
        ({"access_levels": ["office"]}, "does not exist"),
        ({"explained_callers": [{"principal": "x"}]}, "has no reason"),
        ({"projects": None}, "needs projects to bind"),
        ({"require_proof": True}, "whose callers it binds"),
        ({"require_proof": True, "projects": None, "members": [{**member, "network": APP}]}, "there is none"),
        ({"members": [{**member, "network": APP}, {**member, "target": "b"}]}, "which is not in perimeter vertex"),
    ]  # fmt: skip
    browsers = {"roles/browser": [AUTOMATION], "roles/logging.viewer": [AUTOMATION]}
    projects = [{"id": f"lab-{name}", "number": f"50000000000{number}", "bindings": browsers}
                for number, name in ((1, "vertex"), (2, "other"), (3, "payments"))]  # fmt: skip
    outcome = lab.tasks(
        *(module(**options) for options, _ in cases), world=world(projects=projects)
    )
    for result, (options, text) in zip(outcome.results, cases, strict=True):
        assert result.get("failed") and text in result["msg"], (options, result.get("msg"))
        assert "\n" not in result["msg"], result["msg"]
    refused = {"servicePerimeters.create"}  # Google's own judgement of what only Google can know
    assert {name.partition("accessPolicies.")[2] for name in outcome.writes} <= refused


def test_projects_that_nobody_has_looked_at_are_not_bound(lab: Any) -> None:
    """The perimeter holds another team's project: locking Vertex AI there binds that one, too."""
    member = {"target": "lab", "project": "lab-vertex", "network": APP}
    proved = {"require_proof": True, "members": [member], "preview_days": 0}
    outcome = lab.tasks(
        module(**proved),
        module(**proved, projects_without_members=["500000000002"]),
        module(),
        world=world(SHARED),
    )
    refused, answered, unreadable = outcome.results
    assert "projects/500000000002, and no member is in that project" in refused["msg"]
    assert "needs a proof" in answered["msg"]
    # The dry run's records of that project are not ours to read.
    assert "logging.logEntries.list" in unreadable["msg"] and "preview_days" in unreadable["msg"]
    assert outcome.writes == []


def test_denied_permissions_are_named_before_any_write(lab: Any) -> None:
    admins = {"roles/accesscontextmanager.policyAdmin": [AUTOMATION]}
    readers = {"roles/accesscontextmanager.policyReader": [AUTOMATION]}
    policy = {
        "constraint": "vertexai.allowedModels",
        "project": "lab-vertex",
        "denied_values": ["x"],
    }
    viewers = {"roles/orgpolicy.policyAdmin": [], "roles/orgpolicy.policyViewer": [AUTOMATION]}
    cases: list[tuple[dict[str, Any], dict[str, Any], str]] = [
        ({}, {}, "accesscontextmanager.servicePerimeters.list"),
        (readers, {}, "accesscontextmanager.servicePerimeters.create"),
        ({**admins, **viewers}, {"organization_policies": [policy]}, "orgpolicy.policies.create"),
    ]
    for bindings, options, permission in cases:
        organization = {"bindings": {"roles/accesscontextmanager.policyAdmin": [], **bindings}}
        outcome = lab.tasks(module(**options), LOOK, world=world(organization=organization))
        refused, look = outcome.results
        assert permission in refused["msg"], refused
        assert PERIMETER not in stands(look)


def test_a_no_op_makes_two_calls_and_an_emergency_one_read(lab: Any) -> None:
    outcome = lab.tasks(
        module(),
        module(state="sealed"),
        module(run_id="two"),
        undo(run_id="two", projects=["no-such-project"]),
        module(projects=["500000000001"]),
        undo(),
        in_process=False,
        world=world(),
    )
    succeeded(outcome)
    starts = [n for n, entry in enumerate(outcome.journal) if entry["operation"] == "oauth2.token"]
    runs = [
        outcome.journal[start + 1 : end]
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    short = "accesscontextmanager.accessPolicies.servicePerimeters"
    asked = [sorted(entry["operation"] for entry in run) for run in runs]
    assert asked[2] == [f"{short}.list", "cloudresourcemanager.projects.get"]
    assert asked[3] == [f"{short}.get"]
    assert asked[4] == [f"{short}.list"]
    assert asked[5][:2] == [f"{short}.delete", f"{short}.get"]


# Proofs made of evidence, as verification would make them.
PROVE = """
import json, sys
from datetime import datetime, timedelta, timezone
sys.path.insert(0, sys.argv[2] + '/playbooks/collections')
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.contracts import Finding, Scope
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.configuration import config_hash
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.proof import make_proof
evidence = json.loads(sys.argv[1])
seen = Finding(check='c1', title='names resolve', status='pass', severity='critical', cloud='gcp', target='lab',
               resource='lab', expected='', observed='', why='', fix='', checklist=['C1'])
def proof(age=0, scope=sys.argv[3], **changes):
    made = make_proof(scope=Scope(cloud='gcp', id=scope, regions=evidence['regions'], members=['lab']),
                      config_hashes={'lab': config_hash(evidence)}, findings=[seen], vantages=['gcp-app'],
                      principals=[], roll_out='enforced', ttl=3600,
                      now=datetime.now(timezone.utc) - timedelta(seconds=age)).to_json()
    return {**made, **changes}
print(json.dumps({'good': proof(), 'old': proof(7200), 'failed': proof(findings=[{**seen.__dict__, 'status': 'fail'}]),
                  'elsewhere': proof(scope=sys.argv[3] + 's'), 'tagged': proof(roll_out='dry_run')}))
"""


def test_only_a_proof_of_what_stands_now_locks(lab: Any) -> None:
    asked = {
        "project": "lab-vertex",
        "network": APP,
        "spoke_networks": [SPOKE],
        "regions": ["us-central1"],
    }
    member = {"target": "lab", **asked}

    def proved(name: str, **options: Any) -> dict[str, Any]:
        proof = "{{ (result_1.stdout | from_json)." + name + " }}"
        return module(
            **{
                "require_proof": True,
                "projects": None,
                "members": [member],
                "proof": proof,
                **options,
            }
        )

    gather = ["endpoints", "network", "dns"]
    info = {**asked, "target_name": "lab", "gather": gather, "access_policy": POLICY}
    words = ["python", "-c", PROVE, "{{ result_0.evidence | to_json }}", str(ROOT), PERIMETER]
    moved = """
        answer = session.post('https://compute.googleapis.com/compute/v1/projects/lab-vertex/global/firewalls', json={
            'name': 'shut', 'network': 'projects/lab-vertex/global/networks/app', 'direction': 'EGRESS',
            'denied': [{'IPProtocol': 'all'}], 'destinationRanges': ['0.0.0.0/0']})
        assert answer.status_code < 300, answer.text
        time.sleep(0.5)
    """
    bare = {"id": "projects/lab-vertex/global/networks/bare", "subnets": []}
    outcome = lab.tasks(
        {"private_ai.endpoints.vertex_psc_endpoint_info": info},
        {"ansible.builtin.command": {"argv": words}},
        {**proved("good", proof=None), "check_mode": True},
        proved("good", proof=None),
        proved("old"),
        proved("failed"),
        proved("elsewhere"),
        proved("tagged"),
        proved("good", members=[{**member, "regions": ["us-central1", "europe-west1"]}]),
        proved("good", members=[{**member, "network": bare["id"]}]),
        {**proved("good"), "check_mode": True},
        proved("good"),
        undo(),
        hands(moved),
        proved("good"),
        world=world(networks=[*NETWORKS, bare]),
    )
    _, made, conditional, *refusals = outcome.results
    assert made["rc"] == 0, made
    assert all(step["conditional_on"] for step in conditional["steps"]), conditional
    changed, hand = refusals.pop(), refusals.pop()
    assert hand["rc"] == 0, hand
    assert refusals.pop()["changed"]
    locked, accepted = refusals.pop(), refusals.pop()
    for result, text in zip(
        refusals,
        (
            "there is none",
            "it expired at",
            "with status fail",
            "it was made for scope",
            "it was made for roll_out",
            "configuration of lab changed",
            "has no endpoint in its network",
        ),
        strict=True,
    ):
        assert text in result.get("msg", ""), result
    assert [step["conditional_on"] for step in accepted["steps"]] == [None, None], accepted
    assert attributes(accepted["steps"]) == attributes(locked["steps"])
    assert locked["changed"], locked
    assert locked["binds"]["projects"] == ["lab-vertex"]
    assert "configuration of lab changed" in changed["msg"], changed


MODELS = "projects/500000000001/policies/vertexai.allowedModels"
USAGE = "projects/500000000001/policies/gcp.restrictServiceUsage"


def policies(method: str = "", name: str = MODELS, body: Any = None) -> dict[str, Any]:
    """Organisation policies in the hands of the owner; prints those of the project without what changes by itself."""
    code = f"""
        base = 'https://orgpolicy.googleapis.com/v2/'
        if {method!r}:
            ask({method!r}, {name!r}, json.loads({json.dumps(json.dumps(body))}))
        found = ask('GET', 'projects/500000000001/policies').get('policies', [])
        for each in found:
            each.pop('etag')
            for part in ('spec', 'dryRunSpec'):
                for key in ('etag', 'updateTime'):
                    each.get(part, {{}}).pop(key, None)
        perimeters = lambda: {{each.pop('name'): each for each in found}}
    """
    return hands(code)


def test_organisation_policies_support_a_lock_and_are_put_back(lab: Any) -> None:
    allowed = {"allowedValues": ["publishers/google/models/gemini-2.0-flash:predict"]}
    theirs = {"rules": [{"values": {"deniedValues": ["run.googleapis.com"]}}]}
    wishes = [
        {
            "constraint": "constraints/vertexai.allowedModels",
            "project": "lab-vertex",
            "allowed_values": allowed["allowedValues"],
        },
        {
            "constraint": "gcp.restrictServiceUsage",
            "project": "lab-vertex",
            "denied_values": ["run.googleapis.com", "pubsub.googleapis.com"],
            "dry_run": True,
        },
    ]
    lock = {"organization_policies": wishes}
    dry = {**lock, "roll_out": "dry_run", "run_id": "dry"}
    given = [{"name": USAGE, "spec": theirs}]
    later = {
        "name": USAGE,
        "dryRunSpec": {"rules": [{"values": {"deniedValues": ["dns.googleapis.com"]}}]},
    }
    outcome = lab.tasks(
        policies(),
        module(**dry),
        policies(),
        undo(run_id="dry"),
        policies(),
        {**module(**lock), "check_mode": True},
        module(**lock),
        policies(),
        module(**lock),
        module(state="sealed"),
        policies("PATCH", USAGE, {**later, "spec": theirs}),
        undo(),
        policies(),
        LOOK,
        module(
            organization_policies=[
                {"constraint": "nonsense", "project": "lab-vertex", "enforce": True}
            ]
        ),
        module(organization_policies=[{**wishes[0], "enforce": True}]),
        world=world(org_policies=given),
    )
    (start, rehearsed, planned, _, back, predicted, made, stands_, same, sealed, _, opened, end, gone, nonsense,
     both) = outcome.results  # fmt: skip
    first = {USAGE: {"spec": theirs}}
    assert stands(start) == first
    assert rehearsed["changed"] and rehearsed["delta"]["targets"] == []
    assert stands(planned)[MODELS] == {"dryRunSpec": {"rules": [{"values": allowed}]}}
    assert stands(back) == first
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert {step["resource"] for step in made["steps"]} >= {
        f"organization policy {MODELS}",
        f"organization policy {USAGE}",
    }
    denied = {"deniedValues": ["run.googleapis.com", "pubsub.googleapis.com"]}
    assert stands(stands_) == {
        MODELS: {"spec": {"rules": [{"values": allowed}]}},
        USAGE: {"spec": theirs, "dryRunSpec": {"rules": [{"values": denied}]}},
    }
    assert not same["changed"] and sealed["changed"]
    # What somebody changed meanwhile stays.
    assert opened["changed"]
    assert stands(end) == {USAGE: {"spec": theirs, "dryRunSpec": later["dryRunSpec"]}}
    assert PERIMETER not in stands(gone)
    assert "is no constraint" in nonsense["msg"] and "both a list and a switch" in both["msg"]
