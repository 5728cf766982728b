# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_psc_endpoint in the lab: prediction, drift, adoption, replacement, faults, deletion."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

from .harness import playbook

NAME = "private_ai.endpoints.vertex_psc_endpoint"
PROJECT = "projects/lab-vertex"
APP, SPOKE = f"{PROJECT}/global/networks/app", f"{PROJECT}/global/networks/spoke"
RULE, ADDRESS = f"{PROJECT}/global/forwardingRules", f"{PROJECT}/global/addresses"
FIREWALL = f"{PROJECT}/global/firewalls"
SUBNET = f"{PROJECT}/regions/us-central1/subnetworks/app-a"
MANAGED = {"private-ai-endpoints": "managed"}
CIDRS = ["10.30.0.0/16"]
# Everything that can be asked for.
WHOLE: dict[str, Any] = {
    "networks": [
        {"network": APP, "endpoint_name": "pscvertex", "address": "10.255.30.2"},
        {"network": SPOKE},
    ],
    "labels": {"team": "platform"},
    "allowed_cidrs": ["10.30.0.0/16", "10.31.0.0/16"],
    "private_google_access_subnets": [SUBNET],
    "service_directory_region": "us-central1",
    "regions": ["us-central1"],
}


def world(**sections: Any) -> dict[str, Any]:
    """The default world, quick, with these sections of Google's."""
    return {"gcp": {"timing": {"operation": 0.05}, **sections}}


def module(**options: Any) -> dict[str, Any]:
    """A task on the application's network."""
    wish = {"network": APP, "endpoint_name": "pscvertex"}
    wish |= {key: options.pop(key) for key in ("address", "address_name") if key in options}
    return {NAME: {"networks": [wish], **options}}


def somebody(code: str) -> dict[str, Any]:
    """compute in the hands of the project's owner: `ask(method, path, body)`, done when it returns."""
    prelude = """
        import json, os, time
        from google.auth.transport.requests import AuthorizedSession
        from google.oauth2 import service_account
        key = os.environ['LAB_RUN'] + '/gcp/admin@lab-vertex.iam.gserviceaccount.com.json'
        scopes = ['https://www.googleapis.com/auth/cloud-platform']
        session = AuthorizedSession(service_account.Credentials.from_service_account_file(key, scopes=scopes))
        def ask(method, path, body=None):
            answer = session.request(method, 'https://compute.googleapis.com/compute/v1/' + path, json=body)
            assert answer.status_code < 400, answer.text
            found = answer.json()
            while found.get('kind') == 'compute#operation' and found['status'] != 'DONE':
                time.sleep(0.05)
                found = session.get('https://compute.googleapis.com/compute/v1/projects/' +
                                    found['selfLink'].partition('/projects/')[2]).json()
            assert 'error' not in found, found
            return found
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(code)
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", source]},
        "check_mode": False,
        "diff": False,
    }


LOOK = somebody(
    f"""
    kinds = ('forwardingRules', 'addresses', 'firewalls')
    found = {{kind: ask('GET', '{PROJECT}/global/' + kind).get('items', []) for kind in kinds}}
    print(json.dumps({{kind: [item['name'] for item in found[kind]] for kind in kinds}}))
    """
)


def stands(result: dict[str, Any]) -> dict[str, list[str]]:
    """What LOOK saw."""
    found: dict[str, list[str]] = json.loads(result["stdout"])
    return found


def from_vantage(place: str, address: str) -> dict[str, Any]:
    """The status that a vantage gets from an address, 000 when nothing answers."""
    host = "us-central1-aiplatform.googleapis.com"
    return {
        "ansible.builtin.shell": f"$LAB_RUN/in-{place} curl -s -m 2 -o /dev/null -w '%{{http_code}}' "
        f"--resolve {host}:443:{address} https://{host}/v1/projects/lab-vertex/locations/us-central1/models || true"
    }


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    """The results, none of which is a failure: a failed task has not changed anything either."""
    failed = [item for item in outcome.results if item.get("failed")]
    assert not failed, failed
    results: list[dict[str, Any]] = outcome.results
    return results


def shape(steps: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Steps, as a prediction is compared."""
    return sorted(
        (
            step["resource"],
            step["action"],
            json.dumps([step["before"], step["after"]], sort_keys=True),
        )
        for step in steps
    )


def asked(entries: list[dict[str, Any]]) -> list[str]:
    """The operations of Google's control planes, without the one request for a token."""
    return [entry["operation"] for entry in entries if entry["operation"] != "oauth2.token"]


def since_token(journal: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The requests of the task of that number: each task asks for a token first."""
    starts = [n for n, entry in enumerate(journal) if entry["operation"] == "oauth2.token"]
    ends = [*starts[1:], len(journal)]
    return journal[starts[number] : ends[number]]


def test_check_mode_predicts_exactly_and_a_second_run_reads_three_lists(lab: Any) -> None:
    task = {NAME: WHOLE}
    outcome = lab.tasks(
        {**task, "check_mode": True, "diff": True}, {**task, "diff": True}, task, world=world()
    )
    predicted, made, again = succeeded(outcome)
    assert predicted["changed"] and made["changed"] and not again["changed"], again
    assert shape(predicted["steps"]) == shape(made["steps"]) and predicted["diff"] == made["diff"]
    assert predicted["endpoints"] == made["endpoints"] == again["endpoints"]
    assert predicted["probe_targets"] == made["probe_targets"]
    checking, _making, repeating = (since_token(outcome.journal, n) for n in range(3))
    assert not [entry for entry in checking + repeating if entry["write"]]
    assert 0 < len(asked(repeating)) <= 3, asked(repeating)
    app, spoke = made["endpoints"]
    assert (app["name"], app["address"]) == ("pscvertex", "10.255.30.2")
    assert (spoke["name"], spoke["address"]) == ("pscspoke", "10.255.255.1")
    assert app["labels"] == {"team": "platform", **MANAGED} and app["managed"]
    assert [item["host"] for item in made["probe_targets"]] == sorted(made["hosts"])


def test_one_network_needs_at_most_three_reads_for_everything(lab: Any) -> None:
    task = module(
        labels={"a": "b"},
        allowed_cidrs=CIDRS,
        private_google_access_subnets=[SUBNET],
        bundle="vpc-sc",
    )
    outcome = lab.tasks(task, task, world=world())
    _made, again = succeeded(outcome)
    assert not again["changed"], again
    assert len(asked(since_token(outcome.journal, 1))) <= 3


def test_the_ordinary_module_does_the_same(lab: Any) -> None:
    outcome = lab.tasks(module(), module(), in_process=False, world=world())
    made, again = succeeded(outcome)
    assert made["changed"] and not again["changed"]


def test_the_firewall_admits_the_application_and_nobody_else(lab: Any) -> None:
    access = [SUBNET, f"{PROJECT}/regions/europe-west1/subnetworks/app-b"]
    task = {"allowed_cidrs": ["10.30.1.0/24"], "private_google_access_subnets": access}
    at = "10.255.30.2"
    outcome = lab.tasks(
        module(address=at, **task),
        from_vantage("gcp-app", at),
        from_vantage("gcp-app-eu", at),
        module(address=at, **{**task, "allowed_cidrs": CIDRS}),
        from_vantage("gcp-app-eu", at),
        module(address=at, allowed_cidrs=[]),
        LOOK,
        world=world(),
    )
    made, near, far, wider, then, gone, left = succeeded(outcome)
    assert made["changed"] and near["stdout"] == "401" and far["stdout"] == "000"
    assert wider["changed"] and then["stdout"] == "401"
    (step,) = wider["steps"]
    assert step["after"] == {"ranges": CIDRS}
    assert gone["changed"] and stands(left)["firewalls"] == []


DRIFTS = {
    "labels": f"""
        rule = ask('GET', '{RULE}/pscvertex')
        ask('POST', '{RULE}/pscvertex/setLabels',
            {{'labelFingerprint': rule['labelFingerprint'], 'labels': {{'team': 'x', 'more': 'y'}}}})
    """,
    "private_google_access": f"""
        ask('POST', '{SUBNET}/setPrivateIpGoogleAccess', {{'privateIpGoogleAccess': False}})
    """,
    "priority": f"ask('PATCH', '{FIREWALL}/private-ai-app-deny', {{'priority': 3000}})",
    "disabled": f"ask('PATCH', '{FIREWALL}/private-ai-app-allow-ranges', {{'disabled': True}})",
}


def test_drift_in_each_attribute_is_found_and_repaired(lab: Any) -> None:
    task = module(
        labels={"team": "platform"}, allowed_cidrs=CIDRS, private_google_access_subnets=[SUBNET]
    )
    tasks = [task]
    for code in DRIFTS.values():
        tasks += [somebody(code), {**task, "check_mode": True}, task, task]
    results = iter(succeeded(lab.tasks(*tasks, world=world())))
    first = next(results)
    for attribute in DRIFTS:
        _drifted, predicted, repaired, again = (next(results) for _ in range(4))
        assert repaired["changed"] and not again["changed"], (attribute, again)
        assert shape(predicted["steps"]) == shape(repaired["steps"])
        (step,) = repaired["steps"]
        assert set(step["after"]) == {attribute}
        assert again["endpoints"] == first["endpoints"]


def test_another_address_or_bundle_stands_beside_the_old_one_until_told(lab: Any) -> None:
    moved = {"address": "10.255.30.3", "allowed_cidrs": CIDRS}
    outcome = lab.tasks(
        module(address="10.255.30.2", allowed_cidrs=CIDRS),
        module(**moved, remove_replaced=True),
        LOOK,
        {**module(**moved, remove_replaced=True), "check_mode": True},
        module(**moved, remove_replaced=True),
        module(**moved, remove_replaced=True),
        LOOK,
        module(bundle="vpc-sc", allowed_cidrs=CIDRS),
        LOOK,
        world=world(),
    )
    first, beside, both, predicted, removed, again, one, bundle, two = succeeded(outcome)
    assert first["endpoints"][0]["name"] == "pscvertex"
    assert beside["endpoints"][0]["name"] == "pscvertex2"
    assert [item["name"] for item in beside["replaced"]] == ["pscvertex"]
    assert stands(both)["forwardingRules"] == ["pscvertex", "pscvertex2"]
    assert shape(predicted["steps"]) == shape(removed["steps"])
    actions = {step["resource"]: step["action"] for step in removed["steps"]}
    assert actions[f"{RULE}/pscvertex"] == actions[f"{ADDRESS}/pscvertex-ip"] == "delete"
    assert removed["replaced"] == [] and not again["changed"]
    assert stands(one)["forwardingRules"] == ["pscvertex2"]
    assert stands(one)["addresses"] == ["pscvertex2-ip"]
    assert bundle["endpoints"][0]["bundle"] == "vpc-sc"
    assert len(stands(two)["forwardingRules"]) == 2


SOMEBODYS = {
    "endpoints": [
        {"name": "theirs", "network": APP, "address": "10.255.40.2", "labels": {"a": "b"}}
    ]
}


def test_what_exists_is_adopted_and_never_deleted(lab: Any) -> None:
    outcome = lab.tasks(
        module(),
        module(labels={"team": "platform"}, purge_labels=False),
        module(state="absent"),
        LOOK,
        world=world(**SOMEBODYS),
    )
    adopted, labelled, kept, left = succeeded(outcome)
    assert not adopted["changed"], adopted
    (endpoint,) = adopted["endpoints"]
    assert (endpoint["name"], endpoint["managed"]) == ("theirs", False)
    assert labelled["endpoints"][0]["labels"] == {"a": "b", "team": "platform"}
    assert not kept["changed"] and kept["warnings"]
    assert stands(left)["forwardingRules"] == ["theirs"]


def test_an_address_that_is_reserved_is_taken_and_stays(lab: Any) -> None:
    reserved = {"name": "x", "network": APP, "address": "10.255.40.2", "address_name": "mine"}
    outcome = lab.tasks(
        module(address="10.255.40.2"),
        module(state="absent"),
        LOOK,
        world=world(endpoints=[{**reserved, "rule": False}]),
    )
    made, gone, left = succeeded(outcome)
    assert [step["resource"] for step in made["steps"]] == [f"{RULE}/pscvertex"]
    assert gone["changed"] and stands(left) == {
        "forwardingRules": [],
        "addresses": ["mine"],
        "firewalls": [],
    }


def test_absent_removes_everything_that_was_made(lab: Any) -> None:
    absent = {NAME: {"networks": WHOLE["networks"], "state": "absent"}}
    outcome = lab.tasks(
        {NAME: WHOLE}, {**absent, "check_mode": True}, absent, absent, LOOK, world=world()
    )
    _made, predicted, gone, again, left = succeeded(outcome)
    assert shape(predicted["steps"]) == shape(gone["steps"]) and not again["changed"]
    assert stands(left) == {"forwardingRules": [], "addresses": [], "firewalls": []}


WRITES = [
    "compute.globalAddresses.insert",
    "compute.globalForwardingRules.insert",
    "compute.globalForwardingRules.setLabels",
    "compute.subnetworks.setPrivateIpGoogleAccess",
    "compute.firewalls.insert",
]


@pytest.mark.parametrize("kind", ["throttle", "error", "reset", "lost"])
def test_a_fault_on_every_write_is_survived(lab: Any, kind: str) -> None:
    task = {NAME: WHOLE}
    faults = [{"match": {"operation": name}, "kind": kind, "nth": 1} for name in WRITES]
    outcome = lab.tasks(task, task, LOOK, world=world(), faults=faults)
    made, again, left = succeeded(outcome)
    assert made["changed"] and not again["changed"], again
    assert {entry["operation"] for entry in outcome.journal if entry["fault"]} == set(WRITES)
    assert sorted(stands(left)["forwardingRules"]) == ["pscspoke", "pscvertex"]
    assert sorted(stands(left)["addresses"]) == ["pscspoke-ip", "pscvertex-ip"]


def test_an_operation_that_fails_later_is_told(lab: Any) -> None:
    failure = {
        "operation": "compute.globalForwardingRules.insert",
        "code": "QUOTA_EXCEEDED",
        "message": "Quota 'PSC_GOOGLE_APIS_FORWARDING_RULES_PER_VPC' exceeded.",
        "status": 403,
        "count": 2,
    }
    outcome = lab.tasks(module(), module(), LOOK, world=world(failures=[failure]))
    first, second, left = outcome.results
    assert first["failed"] and "PSC_GOOGLE_APIS_FORWARDING_RULES_PER_VPC" in first["msg"]
    assert first["error"]["code"] == "QUOTA_EXCEEDED" and first["error"]["fix"]
    assert second["changed"] and not second.get("failed"), second
    assert stands(left)["addresses"] == ["pscvertex-ip"]


def test_first_runs_at_the_same_time_make_one_set(lab: Any) -> None:
    plays = [playbook(lab, f"run{number}", [{NAME: WHOLE}]) for number in range(2)]
    runs = "\n".join(f'ansible-playbook {play} & pids="$pids $!"' for play in plays)
    held = {
        "match": {"operation": "compute.globalAddresses.insert", "write": True},
        "kind": "delay",
        "seconds": 4,
        "count": 1,
    }
    show = {"ansible.builtin.debug": {"msg": "{{ seen.stdout }}"}}
    third = playbook(lab, "third", [{**LOOK, "register": "seen"}, show])
    script = f"{runs}\nfor pid in $pids; do wait $pid || exit 1; done\nansible-playbook {third}"
    outcome = lab.run(script, world=world(), faults=[held])
    assert outcome.code == 0, outcome.output
    made = [
        entry for entry in outcome.journal if entry["operation"] == "compute.globalAddresses.insert"
    ]
    assert len(made) >= 3, "the runs did not meet"
    for names in (("pscspoke", "pscvertex"), ("pscspoke-ip", "pscvertex-ip")):
        assert all(name in outcome.output for name in names)
    assert "pscvertex2" not in outcome.output and "pscspoke2" not in outcome.output
