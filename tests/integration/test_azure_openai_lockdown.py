# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_openai_lockdown in the lab: it binds outside callers, is undone exactly, survives dead and parallel runs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAME = "private_ai.endpoints.azure_openai_lockdown"
NETWORKS = (
    "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network/providers"
    "/Microsoft.Network"
)
ACCOUNT = (
    "/subscriptions/5c000000-0000-0000-0000-00000000000c/resourceGroups/ai/providers"
    "/Microsoft.CognitiveServices/accounts/lab-openai"
)
APP, SPOKE = f"{NETWORKS}/virtualNetworks/app", f"{NETWORKS}/virtualNetworks/spoke"
ENDPOINT = f"{NETWORKS}/privateEndpoints/openai"
ZONE = f"{NETWORKS}/privateDnsZones/privatelink.openai.azure.com"
HOST = "lab-openai.openai.azure.com"
TAG = "private-ai-endpoints:lock"
TAGS = {"workload": "assistant"}


def connection(account: str = ACCOUNT) -> dict[str, Any]:
    return {
        "name": "account",
        "properties": {"privateLinkServiceId": account, "groupIds": ["account"]},
    }


def link(name: str, network: str) -> dict[str, Any]:
    return {
        "id": f"{ZONE}/virtualNetworkLinks/{name}",
        "location": "global",
        "properties": {"virtualNetwork": {"id": network}, "registrationEnabled": False},
    }


PE = {
    "id": ENDPOINT,
    "location": "eastus",
    "properties": {
        "subnet": {"id": f"{APP}/subnets/endpoints"},
        "privateLinkServiceConnections": [connection()],
    },
}
PENDING = {
    **PE,
    "properties": {
        "subnet": {"id": f"{APP}/subnets/endpoints"},
        "manualPrivateLinkServiceConnections": [connection()],
    },
}
DNS = [
    {"id": ZONE, "location": "global"},
    link("app", APP),
    link("spoke", SPOKE),
    {
        "id": f"{ENDPOINT}/privateDnsZoneGroups/default",
        "properties": {
            "privateDnsZoneConfigs": [{"name": "openai", "properties": {"privateDnsZoneId": ZONE}}]
        },
    },
]
AZURE: dict[str, Any] = {
    "timing": {"account": 0.3, "access_propagation": 0.3, "retry_after": 0},
    "resources": [PE, *DNS],
}
WORLD = {"azure": AZURE}
MEMBER = {"target": "openai", "network_id": APP}
LOCK: dict[str, Any] = {
    "account_id": ACCOUNT,
    "members": [MEMBER],
    "require_proof": False,
    "run_id": "one",
}


def module(**options: Any) -> dict[str, Any]:
    return {NAME: {**LOCK, **options}}


def emergency() -> dict[str, Any]:
    return {NAME: {"account_id": ACCOUNT, "state": "unlocked"}}


def call(place: str, after: float = 0.6) -> dict[str, Any]:
    """A call of the account without credentials at a vantage; prints status and text of the answer."""
    code = f"""
        import time, urllib.error, urllib.request
        time.sleep({after})
        try:
            answer = urllib.request.urlopen('https://{HOST}/openai/models?api-version=2024-10-21', timeout=5)
            print(answer.status)
        except urllib.error.HTTPError as error:
            print(error.code, error.read().decode())
    """
    words = ["sh", "-c", 'exec "$LAB_RUN/python-$0" -c "$1"', place, textwrap.dedent(code)]
    return {"ansible.builtin.command": {"argv": words}}


def hands(
    method: str = "GET", body: Any = None, path: str = ACCOUNT, version: str = "2025-06-01"
) -> dict[str, Any]:
    """Resource Manager in the hands of somebody else; prints the resource as it stands then, once it is settled."""
    code = f"""
        import json, time
        from azure.identity import EnvironmentCredential
        from azure.core.pipeline import Pipeline
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy
        from azure.core.pipeline.transport import RequestsTransport
        from azure.core.rest import HttpRequest
        scope = 'https://management.azure.com/.default'
        pipeline = Pipeline(RequestsTransport(), [BearerTokenCredentialPolicy(EnvironmentCredential(), scope)])
        url = 'https://management.azure.com{path}?api-version={version}'
        def send(method, body=None):
            answer = pipeline.run(HttpRequest(method, url, json=body)).http_response
            assert answer.status_code < 300, answer.text()
            return answer.json()
        if {method!r} != 'GET':
            send({method!r}, json.loads({json.dumps(json.dumps(body))}))
        while True:
            found = send('GET')
            if found['properties'].get('provisioningState', 'Succeeded') == 'Succeeded':
                break
            time.sleep(0.1)
        print(json.dumps(found))
    """
    return {"ansible.builtin.command": {"argv": ["python", "-c", textwrap.dedent(code)]}}


LOOK = hands()


def looked(result: dict[str, Any]) -> dict[str, Any]:
    """What decides about callers, and the tags."""
    assert result["rc"] == 0, result
    found = json.loads(result["stdout"])
    properties = found["properties"]
    return {
        "public": properties["publicNetworkAccess"],
        "acls": properties.get("networkAcls"),
        "local": properties.get("disableLocalAuth"),
        "tags": found.get("tags") or {},
    }


def attributes(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (step["resource"], step["action"], key)
        for step in steps
        for key in {**step["before"], **step["after"]}
    }


def test_a_lock_from_prediction_to_its_end(lab):
    outcome = lab.tasks(
        {**module(require_proof=True), "check_mode": True},
        {**module(state="sealed"), "check_mode": True},
        module(require_proof=True),
        call("azure-outside", 0),
        LOOK,
        module(),
        call("azure-outside"),
        call("azure-app", 0),
        call("azure-spoke", 0),
        LOOK,
        module(),
        module(state="sealed"),
        LOOK,
        module(run_id="two"),
        module(state="unlocked", run_id="two"),
        emergency(),
        LOOK,
        call("azure-outside"),
        emergency(),
        world=WORLD,
    )
    (predicted, sealing, refused, before, start, made, outside, inside, spoke, pending, same,
     sealed, clean, again, rescue, opened, end, after, twice) = outcome.results  # fmt: skip
    assert all(step["conditional_on"] for step in predicted["steps"])
    assert [step["action"] for step in sealing["steps"]] == ["update"]
    assert "there is none" in refused["msg"]
    assert before["stdout"].startswith("401")
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert made["pending"]["run_id"] == "one"
    assert made["delta"]["targets"] == [ACCOUNT]
    assert outside["stdout"].startswith("403")
    assert "Public access is disabled" in outside["stdout"]
    assert inside["stdout"].startswith("401")
    assert spoke["stdout"].startswith("401")
    assert looked(pending)["public"] == "Disabled"
    assert looked(pending)["acls"]["defaultAction"] == "Deny"
    assert looked(pending)["tags"][TAG].startswith("pending ")
    assert not same["changed"]
    assert [step["action"] for step in sealed["steps"]] == ["update"]
    assert looked(clean)["tags"][TAG].startswith("sealed ")
    assert (again["changed"], again["pending"], rescue["changed"]) == (False, None, False)
    assert opened["changed"]
    assert after["stdout"].startswith("401")
    ended, began = looked(end), looked(start)
    assert (ended["public"], ended["tags"]) == (began["public"], began["tags"])
    assert ended["acls"]["defaultAction"] == "Allow"
    assert not twice["changed"]


# A proof made of evidence, as verification would make it.
PROVE = """
import json, sys
from datetime import datetime, timedelta, timezone
sys.path.insert(0, sys.argv[2] + '/playbooks/collections')
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.configuration import config_hash
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.contracts import Finding, Scope
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.proof import make_proof
evidence = json.loads(sys.argv[1])
seen = Finding(check='c1', title='names resolve', status='pass', severity='critical', cloud='azure', target='openai',
               resource='openai', expected='', observed='', why='', fix='', checklist=['C1'])
scope = Scope(cloud='azure', id=evidence['account']['id'].upper(), regions=['eastus'], members=['openai'])
def proof(age=0, **changes):
    made = make_proof(scope=scope, config_hashes={'openai': config_hash(evidence)}, findings=[seen],
                      vantages=['azure-app'], principals=[], roll_out='enforced', ttl=3600,
                      now=datetime.now(timezone.utc) - timedelta(seconds=age)).to_json()
    return {**made, **changes}
print(json.dumps({'good': proof(), 'old': proof(7200), 'failed': proof(findings=[{**seen.__dict__, 'status': 'fail'}]),
                  'elsewhere': proof(scope={**scope.__dict__, 'id': evidence['account']['id'] + '-other'})}))
"""


def test_only_a_proof_of_what_stands_now_locks(lab):
    def proved(name: str, **options: Any) -> dict[str, Any]:
        proof = "{{ (result_1.stdout | from_json)." + name + " }}"
        return module(**{"require_proof": True, "proof": proof, **options})

    gather = ["account", "network", "endpoints", "dns"]
    info = {"account_id": ACCOUNT, "network_id": APP, "target_name": "openai", "gather": gather}
    words = ["python", "-c", PROVE, "{{ result_0.evidence | to_json }}", str(ROOT)]
    record = ZONE + "/A/lab-openai"
    moved = {"properties": {"TTL": 60, "aRecords": [{"ipv4Address": "10.20.2.99"}]}}
    outcome = lab.tasks(
        {"private_ai.endpoints.azure_openai_private_link_info": info},
        {"ansible.builtin.command": {"argv": words}},
        proved("old"),
        proved("failed"),
        proved("elsewhere"),
        proved("good", members=[MEMBER, {"target": "spoke", "network_id": SPOKE}]),
        {**proved("good", account_id=ACCOUNT.upper()), "check_mode": True},
        hands("PUT", moved, path=record, version="2024-06-01"),
        proved("good"),
        proved("good", require_proof=False),
        world=WORLD,
    )
    _, made, *refusals = outcome.results
    assert made["rc"] == 0, made
    locked = refusals.pop()
    changed = refusals.pop(-2)
    assert changed["rc"] == 0, changed
    accepted = refusals.pop(-2)
    assert [step["conditional_on"] for step in accepted["steps"]] == [None, None], accepted
    for result, text in zip(
        refusals,
        (
            "it expired at",
            "with status fail",
            "it was made for scope",
            "spoke has no approved endpoint",
            "configuration of openai changed",
        ),
        strict=True,
    ):
        assert text in result.get("msg", ""), result
    assert locked["changed"], locked


def test_every_setting_is_put_back_as_others_left_it(lab):
    theirs = {
        "publicNetworkAccess": "Enabled",
        "networkAcls": {
            "defaultAction": "Deny",
            "ipRules": [{"value": "203.0.113.7"}],
            "virtualNetworkRules": [],
        },
    }
    more = [{"value": "203.0.113.200"}, {"value": "203.0.113.9"}]
    options = {"ip_rules": ["203.0.113.9/32"], "disable_local_auth": True, "bypass": "None"}
    outcome = lab.tasks(
        hands("PATCH", {"properties": theirs, "tags": {"team": "ai"}}),
        module(**options),
        LOOK,
        {**module(**options, run_id="two", restrict_outbound_network_access=True,
                  allowed_fqdns=["Search.example.net"]), "check_mode": True},
        hands("PATCH", {"properties": {"networkAcls": {"defaultAction": "Deny", "ipRules": more}}}),
        module(state="unlocked"),
        LOOK,
        module(**options),
        module(state="sealed"),
        hands("PATCH", {"properties": {"networkAcls": {"defaultAction": "Deny", "ipRules": more}}}),
        module(state="restored"),
        LOOK,
        world=WORLD,
    )  # fmt: skip
    (_, made, locked, wider, _, undone, back, _, _, _, restored, exact) = outcome.results
    assert made["delta"]["targets"] == [ACCOUNT]
    assert (looked(locked)["public"], looked(locked)["local"]) == ("Disabled", True)
    assert looked(locked)["acls"]["ipRules"] == [{"value": "203.0.113.9"}]
    assert looked(locked)["tags"]["team"] == "ai"
    assert wider["account"]["allowed_fqdns"] == ["search.example.net"]
    assert undone["changed"], undone
    assert looked(back)["public"] == "Enabled"
    assert not looked(back)["local"]
    rules = {item["value"] for item in looked(back)["acls"]["ipRules"]}
    assert rules == {"203.0.113.7", "203.0.113.200"}
    assert looked(back)["tags"] == {"team": "ai"}
    assert restored["changed"], restored
    assert {item["value"] for item in looked(exact)["acls"]["ipRules"]} == rules
    assert looked(exact)["tags"] == {"team": "ai"}


def test_an_emergency_works_from_another_controller(lab):
    """Another machine with the same rights: nothing of the first one's is there but the account."""
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": [emergency()],
        }
    ]
    lab.path("emergency.json").write_text(json.dumps(play))
    variables = "AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_SUBSCRIPTION_ID"
    script = f"""
        cd {ROOT}
        for name in {variables}; do eval "pass=\\"$pass $name=\\$$name\\""; done
        export HOME={lab.folder}/elsewhere; mkdir "$HOME"
        exec "$LAB_RUN/in-azure-outside" env $pass ansible-playbook {lab.path("emergency.json")}
    """
    outcome = lab.tasks(
        module(),
        module(state="sealed"),
        call("azure-outside"),
        {"ansible.builtin.command": {"argv": ["sh", "-c", script]}},
        call("azure-outside"),
        world=WORLD,
    )
    _, _, refused, elsewhere, admitted = outcome.results
    assert refused["stdout"].startswith("403")
    assert elsewhere["rc"] == 0, elsewhere
    assert admitted["stdout"].startswith("401")


def test_a_killed_run_leaves_a_marker_and_is_recovered(lab):
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": [module(run_id="dead")],
        }
    ]
    lab.path("lock.json").write_text(json.dumps(play))
    # Discovery, token, account, perimeters, PATCH: it dies while the account is at its write, and nobody is told how.
    words = ["python", "tests/integration/kill_at.py", "5", "all", "ansible-playbook", "-v"]
    killed_run = {
        "ansible.builtin.command": {
            "argv": [*words, str(lab.path("lock.json"))],
            "chdir": str(ROOT),
        }
    }
    world = {"azure": {**AZURE, "timing": {**AZURE["timing"], "account": 3}}}
    outcome = lab.tasks(
        killed_run,
        LOOK,
        call("azure-outside"),
        module(state="recovered", run_id="two", pending_timeout=3600),
        module(state="recovered", run_id="two"),
        LOOK,
        call("azure-outside"),
        module(state="recovered", run_id="two"),
        world=world,
    )
    killed, left, refused, young, undone, end, admitted, nothing = outcome.results
    assert killed["stdout"].startswith("killed after request"), killed
    assert killed["stdout"].endswith("accounts:PATCH"), killed
    assert looked(left)["tags"][TAG].endswith(" dead")
    assert refused["stdout"].startswith("403")
    assert not young["changed"]
    assert "may be at work" in young["warnings"][0]
    assert undone["changed"]
    assert "run dead" in undone["warnings"][0]
    assert (looked(end)["public"], looked(end)["tags"]) == ("Enabled", TAGS)
    assert admitted["stdout"].startswith("401")
    assert not nothing["changed"]


def test_runs_at_the_same_time_lose_nothing(lab):
    """Two runs close the account and somebody tags it, all at once; whoever sealed it last can open it."""
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": [module(run_id="{{ run }}")],
        }
    ]
    lab.path("parallel.json").write_text(json.dumps(play))
    runs = "".join(
        f'ansible-playbook {lab.path("parallel.json")} -e run={run} > {lab.path(run)} 2>&1 & pids="$pids $!"\n'
        for run in ("one", "two", "three")
    )
    wait = f"for pid in $pids; do wait $pid || {{ cat {lab.folder}/one {lab.folder}/two; exit 1; }}; done"
    script = f"cd {ROOT}\n{runs} {wait}"
    late = [
        {
            "match": {"operation": "Microsoft.CognitiveServices/accounts:GET"},
            "kind": "delay",
            "seconds": 2,
            "count": 3,
        }
    ]
    outcome = lab.tasks(
        {"ansible.builtin.command": {"argv": ["sh", "-c", script]}},
        LOOK,
        {**emergency(), "check_mode": True},
        emergency(),
        LOOK,
        world=WORLD,
        faults=late,
    )
    runs_, locked, _, _, end = outcome.results
    assert runs_["rc"] == 0, runs_
    assert looked(locked)["public"] == "Disabled"
    assert (looked(end)["public"], looked(end)["tags"]) == ("Enabled", TAGS)


def test_an_account_without_an_approved_endpoint_stays_open(lab):
    outcome = lab.tasks(module(), LOOK, world={"azure": {"resources": [PENDING]}})
    refused, stands = outcome.results
    assert "openai is Pending" in refused["msg"]
    assert looked(stands)["public"] == "Enabled"
    assert outcome.writes == []


def test_denied_permission_names_the_action(lab):
    principal = {
        "client_id": "c1000000-0000-0000-0000-000000000001",
        "object_id": "01000000-0000-0000-0000-000000000001",
        "tenant": "7e000000-0000-0000-0000-000000000001",
        "secrets": ["lab-azure-secret"],
        "permissions": [{"scope": "/", "actions": ["*/read"]}],
    }
    outcome = lab.tasks(module(), world={"azure": {**AZURE, "principals": [principal]}})
    assert "Microsoft.CognitiveServices/accounts/write" in outcome.results[0]["msg"]


def test_it_is_the_same_as_an_ordinary_module(lab):
    outcome = lab.tasks(module(), emergency(), in_process=False, world=WORLD)
    made, gone = outcome.results
    assert made["changed"], made
    assert gone["changed"], gone
