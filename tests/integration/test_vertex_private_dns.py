# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vertex_private_dns in the lab: names switch, are predicted, adopted, refused, and switch back."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest

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
            return [item for item in ask('GET', f'managedZones/{zone}/rrsets')['rrsets'] if item['type'] not in ('NS', 'SOA')]
        def zones(name):
            return [item['name'] for item in ask('GET', 'managedZones')['managedZones'] if item['dnsName'] == name + '.']
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
        networks = [item['networkUrl'].split('/')[-1] for item in zone['privateVisibilityConfig']['networks']]
        found['zones'][zone['name']] = [
            zone['dnsName'], sorted(networks), [[one['name'], one['type'], one['ttl'], one['rrdatas']] for one in sets(zone['name'])]]
    for policy in ask('GET', 'responsePolicies')['responsePolicies']:
        name = policy['responsePolicyName']
        rules = ask('GET', f'responsePolicies/{name}/rules')['responsePolicyRules']
        networks = [item['networkUrl'].split('/')[-1] for item in policy['networks']]
        found['policies'][name] = [sorted(networks), sorted(
            [rule['dnsName'], [one['rrdatas'] for one in rule.get('localData', {}).get('localDatas', [])]] for rule in rules)]
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
