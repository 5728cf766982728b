# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_private_dns in the lab: names switch, are predicted, adopted, refused, and switch back."""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any

import pytest

from .harness import ENVIRONMENT

NAME = "private_ai.endpoints.vertex_private_dns"
PROJECT = "projects/lab-vertex"
APP, SPOKE = f"{PROJECT}/global/networks/app", f"{PROJECT}/global/networks/spoke"
HOST, REGIONAL = "aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com"
HERE, THERE = "10.255.30.2", "10.255.31.2"
AUTOMATION = "serviceAccount:automation@lab-vertex.iam.gserviceaccount.com"
WHOLE: dict[str, Any] = {
    "networks": [{"network": APP, "address": HERE}, {"network": SPOKE, "address": THERE}],
    "regions": ["us-central1"],
}


def world(**sections: Any) -> dict[str, Any]:
    """The default world, quick, with these sections of Google's."""
    return {"gcp": {"timing": {"dns_pending": 0.05, "dns_serve": 0.05}, **sections}}


def module(**options: Any) -> dict[str, Any]:
    """A task on the application's network."""
    address = options.pop("address", HERE)
    return {NAME: {"networks": [{"network": APP, "address": address}], **options}}


def somebody(code: str) -> dict[str, Any]:
    """Cloud DNS in the hands of the project's owner: `ask(method, path, body)`."""
    prelude = """
        import json, os, time
        from google.auth.transport.requests import AuthorizedSession
        from google.oauth2 import service_account
        key = os.environ['LAB_RUN'] + '/gcp/admin@lab-vertex.iam.gserviceaccount.com.json'
        scopes = ['https://www.googleapis.com/auth/cloud-platform']
        session = AuthorizedSession(service_account.Credentials.from_service_account_file(key, scopes=scopes))
        def ask(method, path, body=None):
            answer = session.request(method, 'https://dns.googleapis.com/dns/v1/projects/lab-vertex/' + path, json=body)
            assert answer.status_code < 400, answer.text
            return answer.json() if answer.content else {}
        def sets(zone):
            found = ask('GET', f'managedZones/{zone}/rrsets')['rrsets']
            return [item for item in found if item['type'] not in ('NS', 'SOA')]
        def short(networks):
            return sorted(item['networkUrl'].split('/')[-1] for item in networks)
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(code)
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", source]},
        "check_mode": False,
        "diff": False,
    }


LOOK = somebody(
    """
    found = {'zones': {}, 'policies': {}}
    for zone in ask('GET', 'managedZones')['managedZones']:
        held = [[one['name'], one['type'], one['ttl'], one['rrdatas']] for one in sets(zone['name'])]
        networks = short(zone['privateVisibilityConfig']['networks'])
        found['zones'][zone['name']] = [zone['dnsName'], networks, held]
    for policy in ask('GET', 'responsePolicies')['responsePolicies']:
        name, rules = policy['responsePolicyName'], []
        for rule in ask('GET', f'responsePolicies/{name}/rules')['responsePolicyRules']:
            local = rule.get('localData', {}).get('localDatas', [])
            rules.append([rule['dnsName'], [one['rrdatas'] for one in local]])
        found['policies'][name] = [short(policy['networks']), sorted(rules)]
    print(json.dumps(found, sort_keys=True))
    """
)


def stands(result: dict[str, Any]) -> dict[str, Any]:
    """What LOOK saw."""
    found: dict[str, Any] = json.loads(result["stdout"])
    return found


def resolve(place: str, host: str = HOST) -> dict[str, Any]:
    """What a name resolves to at a vantage, a moment after the last change."""
    code = f"import socket; print(sorted({{i[4][0] for i in socket.getaddrinfo('{host}', 443, socket.AF_INET)}}))"
    return {"ansible.builtin.shell": f'sleep 0.2; $LAB_RUN/in-{place} python -c "{code}"'}


def succeeded(outcome: Any) -> list[dict[str, Any]]:
    """The results, none of which is a failure."""
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


def since_token(journal: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The requests of the task of that number, without the one for a token that each begins with."""
    starts = [n for n, entry in enumerate(journal) if entry["operation"] == "oauth2.token"]
    ends = [*starts[1:], len(journal)]
    return journal[starts[number] + 1 : ends[number]]


def test_names_switch_are_predicted_and_switch_back(lab: Any) -> None:
    task = {NAME: WHOLE}
    back = {NAME: {"state": "restored", "undo": "{{ made.undo }}"}}
    outcome = lab.tasks(
        {**task, "check_mode": True, "diff": True},
        {**task, "diff": True},
        {"ansible.builtin.set_fact": {"made": "{{ result_1 }}"}},
        task,
        resolve("gcp-app"),
        resolve("gcp-app", REGIONAL),
        resolve("gcp-spoke"),
        resolve("gcp-app", "storage.googleapis.com"),
        resolve("gcp-outside"),
        {**back, "check_mode": True},
        back,
        back,
        LOOK,
        resolve("gcp-app"),
        world=world(),
    )
    results = succeeded(outcome)
    predicted, made, _fact, again, app, regional, spoke, storage, outside = results[:9]
    foretold, restored, twice, left, after = results[9:]
    assert predicted["changed"] and made["changed"] and not again["changed"], again
    assert shape(predicted["steps"]) == shape(made["steps"]) and predicted["diff"] == made["diff"]
    assert predicted["zones"] == made["zones"] == again["zones"] and len(made["zones"]) == 4
    assert predicted["probe_targets"] == made["probe_targets"] == again["probe_targets"]
    assert made["probe_targets"][0]["networks"] == {APP: [HERE], SPOKE: [THERE]}
    assert made["drain_until"] is None and not again["undo"]["changes"]
    assert app["stdout"] == regional["stdout"] == f"['{HERE}']"
    assert spoke["stdout"] == f"['{THERE}']"
    assert "203.0.113" in storage["stdout"] and "203.0.113" in outside["stdout"]
    repeated = since_token(outcome.journal, 2)
    assert not [entry for entry in repeated if entry["write"]]
    assert len([entry for entry in repeated if entry["host"] == "dns.googleapis.com"]) <= 1 + 4
    assert shape(foretold["steps"]) == shape(restored["steps"])
    assert restored["changed"] and not twice["changed"], twice
    assert stands(left) == {"zones": {}, "policies": {}}
    assert "203.0.113" in after["stdout"]


def test_the_ordinary_module_does_the_same(lab: Any) -> None:
    outcome = lab.tasks(module(), module(), in_process=False, world=world())
    made, again = succeeded(outcome)
    assert made["changed"] and not again["changed"]


def zone(name: str, dns_name: str, *networks: str, values: Any = (), **more: Any) -> dict[str, Any]:
    """A zone of somebody else, with these addresses at its apex."""
    records = [{"name": dns_name, "type": "A", "ttl": 30, "values": list(values)}] if values else []
    return {
        "id": f"{PROJECT}/managedZones/{name}",
        "dns_name": dns_name,
        "networks": list(networks),
        "records": records,
        **more,
    }


def policy(*rules: dict[str, Any], networks: Any = (APP,), name: str = "rpz") -> dict[str, Any]:
    """A response policy of somebody else."""
    return {
        "id": f"{PROJECT}/responsePolicies/{name}",
        "networks": list(networks),
        "rules": list(rules),
    }


def rule(name: str, *values: str) -> dict[str, Any]:
    """A rule of it, which lets the name pass where it has no addresses."""
    made: dict[str, Any] = {"name": "theirs", "dns_name": name}
    if not values:
        return {**made, "bypass": True}
    return {**made, "records": [{"name": name, "type": "A", "ttl": 300, "values": list(values)}]}


def test_a_zone_that_stands_is_adopted_and_an_address_moves_in_one_change(lab: Any) -> None:
    theirs = zone("theirs", HOST, APP, SPOKE, values=[HERE])
    theirs["records"].append({"name": f"x.{HOST}", "type": "A", "ttl": 30, "values": ["10.0.0.1"]})
    both = [{"network": name, "address": HERE} for name in (APP, SPOKE)]
    moved = [{**item, "address": "10.255.30.3"} for item in both]
    kept = ["x.aiplatform.googleapis.com.", "A", 30, ["10.0.0.1"]]
    outcome = lab.tasks(
        {NAME: {"networks": both}},
        {NAME: {"networks": moved}},
        {NAME: {"networks": moved, "replaced_addresses": [HERE]}},
        {NAME: {"networks": moved, "replaced_addresses": ["10.9.9.9"]}},
        resolve("gcp-app"),
        resolve("gcp-spoke"),
        module(state="absent"),
        LOOK,
        {NAME: {"networks": moved, "ttl": 20}},
        {NAME: {"state": "restored", "undo": "{{ result_1.undo }}"}},
        {NAME: {"state": "restored", "undo": "{{ result_8.undo }}"}},
        {NAME: {"state": "restored", "undo": "{{ result_1.undo }}"}},
        LOOK,
        world=world(zones=[theirs]),
    )
    results = succeeded(outcome)
    adopted, switched, resumed, others, app, spoke, gone, left = results[:8]
    slower, held, undone, back, then = results[8:]
    assert not adopted["changed"] and adopted["zones"][0]["managed"] is False
    assert switched["changed"] and app["stdout"] == spoke["stdout"] == "['10.255.30.3']"
    (step,) = switched["steps"]
    assert (step["resource"], step["action"]) == (theirs["id"], "update")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", switched["drain_until"])
    assert not resumed["changed"] and resumed["drain_until"], (
        "a run that was killed has to be waited for"
    )
    assert resumed["drain_until"] <= switched["drain_until"] and others["drain_until"] is None
    assert not gone["changed"] and "was not created by this collection" in gone["warnings"][0]
    apex = [f"{HOST}.", "A", 30, ["10.255.30.3"]]
    assert stands(left)["zones"]["theirs"] == [f"{HOST}.", ["app", "spoke"], [apex, kept]]
    assert slower["changed"] and slower["drain_until"] is None
    assert not held["changed"], "what somebody changed since is theirs"
    assert undone["changed"] and back["changed"]
    assert stands(then)["zones"]["theirs"][2] == [[f"{HOST}.", "A", 30, [HERE]], kept]
    writes = [entry for entry in outcome.journal if entry["write"]]
    assert [entry["operation"] for entry in writes] == ["dns.changes.create"] * 4


def test_a_name_never_stops_to_resolve(lab: Any) -> None:
    outcome = lab.tasks(module(), module(state="absent"), world=world())
    succeeded(outcome)
    assert outcome.writes == [
        "dns.managedZones.create",
        "dns.changes.create",
        "dns.managedZones.patch",
        "dns.managedZones.patch",
        "dns.changes.create",
        "dns.managedZones.delete",
    ]


def test_rules_of_response_policies(lab: Any) -> None:
    task = {NAME: {**WHOLE, "mode": "response_policy"}}
    theirs = policy({**rule("other.example.", "10.0.0.1"), "name": "other"}, rule(HOST, "10.0.0.2"))
    outcome = lab.tasks(
        {**task, "check_mode": True},
        task,
        task,
        resolve("gcp-app"),
        resolve("gcp-app", REGIONAL),
        resolve("gcp-spoke"),
        LOOK,
        {NAME: {"state": "restored", "undo": "{{ result_1.undo }}"}},
        LOOK,
        task,
        {NAME: {**WHOLE, "state": "absent"}},
        LOOK,
        world=world(response_policies=[theirs]),
    )
    results = succeeded(outcome)
    predicted, made, again, app, regional, spoke, seen, back, before, _again, gone, left = results
    assert shape(predicted["steps"]) == shape(made["steps"]) and not again["changed"]
    assert predicted["policies"] == made["policies"] == again["policies"]
    assert made["drain_until"] is not None and made["zones"] == []
    assert (
        app["stdout"] == regional["stdout"] == f"['{HERE}']" and spoke["stdout"] == f"['{THERE}']"
    )
    assert len(stands(seen)["policies"]) == 2 and len(stands(seen)["policies"]["rpz"][1]) == 3
    assert len(since_token(outcome.journal, 2)) <= 1 + 2
    old = {"rpz": [["app"], [[f"{HOST}.", [["10.0.0.2"]]], ["other.example.", [["10.0.0.1"]]]]]}
    assert back["changed"] and stands(before)["policies"] == old
    moved = [[f"{HOST}.", [[HERE]]], ["other.example.", [["10.0.0.1"]]]]
    assert gone["changed"] and stands(left)["policies"] == {"rpz": [["app"], moved]}


def test_a_network_joins_and_what_was_made_goes_alone(lab: Any) -> None:
    both = [{"network": name, "address": HERE} for name in (APP, SPOKE)]
    outcome = lab.tasks(
        module(),
        {NAME: {"networks": both}},
        {NAME: {"state": "restored", "undo": "{{ result_0.undo }}"}},
        LOOK,
        resolve("gcp-spoke"),
        {NAME: {"networks": both}},
        {NAME: {"networks": both, "state": "absent"}, "check_mode": True},
        {NAME: {"networks": both, "state": "absent"}},
        {NAME: {"networks": both, "state": "absent"}},
        LOOK,
        world=world(),
    )
    results = succeeded(outcome)
    _first, joined, back, left, spoke, _again, foretold, gone, twice, then = results
    (step,) = joined["steps"]
    assert (step["action"], step["after"]) == ("update", {"networks": [APP, SPOKE]})
    assert back["changed"] and [item[1] for item in stands(left)["zones"].values()] == [["spoke"]]
    assert spoke["stdout"] == f"['{HERE}']"
    assert shape(foretold["steps"]) == shape(gone["steps"]) and not twice["changed"]
    assert stands(then)["zones"] == {}


def without(*permissions: str) -> dict[str, Any]:
    """A world in which the playbooks lack permissions."""
    role = f"{PROJECT}/roles/partial"
    rights = ["dns.*", "resourcemanager.projects.get", *(f"-{name}" for name in permissions)]
    bindings = {role: [AUTOMATION], "roles/dns.admin": []}
    return {
        "roles": {role: rights},
        "projects": [{"id": "lab-vertex", "number": "500000000001", "bindings": bindings}],
    }


DISABLED = {
    "projects": [{"id": "lab-vertex", "number": "500000000001", "disabled_services": ["dns"]}]
}
PEERED = {
    "id": f"{PROJECT}/managedZones/peer",
    "dns_name": HOST,
    "networks": [SPOKE],
    "peering": APP,
}
RPZ = {"mode": "response_policy"}
# A network for each thing that stands against it, all in one world.
N = [f"{PROJECT}/global/networks/n{number}" for number in range(4)]
OBSTACLES = {
    "networks": [{"id": name} for name in N],
    "zones": [PEERED, zone("shared", REGIONAL, N[0], N[1], values=[THERE])],
    "response_policies": [
        policy(rule(HOST, THERE)),
        policy(rule("*.googleapis.com", "199.36.153.8"), networks=[N[0], N[1]], name="wild"),
        policy(rule(HOST), networks=[N[2]], name="passing"),
    ],
}


def at(*networks: str, **options: Any) -> dict[str, Any]:
    """The options for these networks."""
    return {"networks": [{"network": name, "address": HERE} for name in networks], **options}


BAD: dict[str, tuple[dict[str, Any], list[tuple[dict[str, Any], list[str]]]]] = {
    "obstacles": (
        OBSTACLES,
        [
            (
                at(APP, SPOKE),
                [
                    "responsePolicies/rpz",
                    "theirs",
                    THERE,
                    "before any zone does",
                    "bypassResponsePolicy",
                    "managedZones/peer",
                    "peering zone",
                    "Detach it",
                ],
            ),
            (at(N[0], regions=["us-central1"]), ["*.googleapis.com", "mode response_policy"]),
            (at(N[0], regions=["us-central1"]), ["managedZones/shared", "networks/n1 too"]),
            (at(N[0], **RPZ), ["responsePolicies/wild", "networks/n1 too"]),
            (at(N[2], **RPZ), ["responsePolicies/passing", "Use mode zones"]),
            (at(f"{PROJECT}/global/networks/none"), ["networks/none does not exist"]),
            ({"networks": [{"network": APP}]}, ["has no address"]),
            (
                {"networks": [{"network": APP, "address": "10.0.0.0/8"}], "ttl": 0},
                ["'10.0.0.0/8' is no IPv4 address", "ttl: 0 is out of range"],
            ),
            (at(APP, regions=["Iowa!"]), ["'Iowa!' is no region of Google"]),
            ({"state": "restored", "undo": {"a": 1}}, ["undo: it is not what this module"]),
        ],
    ),
    "api": (DISABLED, [(at(APP), ["dns.googleapis.com is not enabled", "gcloud services enable"])]),
    "permissions": (
        without(
            "dns.managedZones.create",
            "dns.networks.bindPrivateDNSZone",
            "dns.networks.bindDNSResponsePolicy",
        ),
        [
            (
                at(APP),
                [
                    "permission denied for dns.managedZones.create",
                    "permission denied for dns.networks.bindPrivateDNSZone",
                ],
            ),
            (at(APP, **RPZ), ["permission denied for dns.networks.bindDNSResponsePolicy"]),
        ],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_sentence_before_any_write(lab: Any, case: str) -> None:
    sections, tries = BAD[case]
    outcome = lab.tasks(*({NAME: options} for options, _words in tries), world=world(**sections))
    for (options, words), result in zip(tries, outcome.results, strict=True):
        assert result.get("failed"), (options, result)
        for word in words:
            assert word in result["msg"], result["msg"]
        assert result["error"]["fix"] and "Traceback" not in result["msg"]
    assert outcome.writes == []


def test_zones_that_break_other_names_are_told(lab: Any) -> None:
    bare = zone("bare", "googleapis.com", APP)
    spoke = {**PEERED, "dns_name": "googleapis.com"}
    outcome = lab.tasks({NAME: WHOLE}, {NAME: WHOLE}, world=world(zones=[bare, spoke]))
    for result in succeeded(outcome):
        text = "\n".join(result["warnings"])
        assert "managedZones/bare" in text and "other Google APIs fail" in text
        assert "DNS peering" in text and APP in text


def test_a_failure_halfway_is_switched_back(lab: Any) -> None:
    broken = {"match": {"operation": "dns.managedZones.patch"}, "kind": "error", "count": 8}
    theirs = zone("theirs", REGIONAL, APP, values=["10.0.0.9"])
    outcome = lab.tasks(
        module(regions=["us-central1"]),
        LOOK,
        module(regions=["us-central1"]),
        world=world(zones=[theirs]),
        faults=[broken],
        environment=ENVIRONMENT,
    )
    failed, left, again = outcome.results
    assert failed["failed"] and "What this run had changed was switched back" in failed["msg"]
    assert failed["error"]["code"] and failed["error"]["action"] and failed["error"]["fix"]
    apex = [f"{REGIONAL}.", "A", 30, ["10.0.0.9"]]
    assert stands(left)["zones"] == {"theirs": [f"{REGIONAL}.", ["app"], [apex]]}
    assert again["changed"] and not again.get("failed"), again


def test_a_zone_that_cannot_be_seen_is_told(lab: Any) -> None:
    hidden = {**zone("hidden", HOST, APP, values=["10.0.0.9"])}
    hidden["id"] = "projects/lab-other/managedZones/hidden"
    outcome = lab.tasks(module(), LOOK, world=world(zones=[hidden]))
    failed, left = outcome.results
    assert failed["failed"] and "managedZones/" in failed["msg"], failed
    assert "in a project that this run does not look through" in failed["msg"], failed["msg"]
    assert stands(left)["zones"] == {}
