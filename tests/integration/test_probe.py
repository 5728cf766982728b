# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe on the lab's vantages: public and private networks, silence, refusal, many targets at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import INVENTORY, ROOT, Lab

# One lab for most of them: with several workers, they go to the same one.
# Of these half are silent for five seconds.
MANY = 200
SECONDS = 8
SCRIPT = """
import json, socket, sys, time
from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import connection, observe
target = json.loads(sys.argv[1])
address = socket.getaddrinfo(target["host"], 443)[0][4][0]
half = int(sys.argv[2]) // 2
targets = [{**target, "port": 443, "addresses": [address]}] * half
targets += [{**target, "port": 443, "addresses": [f"10.10.{n % 3 + 1}.{n // 3 + 100}"]} for n in range(half)]
vantage = observe.Vantage("app-a", "inside", connection.Means(connection.trust(None), 5.0), 30.0)
started = time.monotonic()
seen = observe.observe(targets, True, vantage)
took = time.monotonic() - started
print(json.dumps({"took": took, "tcp": [entry["connections"][0]["tcp"] for entry in seen]}))
"""


def target(host: str, *addresses: str, **changes: Any) -> dict[str, Any]:
    return {
        "host": host,
        "addresses": list(addresses),
        "cloud": "aws",
        "target": "app-use1",
        "service": host.split(".")[0],
        "plane": "management",
        "probe_action": {
            "name": "bedrock:ListFoundationModels",
            "path": "/foundation-models",
            "auth": "aws4",
            "signing_name": "bedrock",
            "region": "us-east-1",
        },
        **changes,
    }


BEDROCK = target("bedrock.us-east-1.amazonaws.com")
NOWHERE = target("nowhere.us-east-1.amazonaws.com")


def play(hosts: str, name: str, **options: Any) -> dict[str, Any]:
    credentials = {
        "access_key": "{{ vantage_aws_access_key_id }}",
        "secret_key": "{{ vantage_aws_secret_access_key }}",
    }
    return {
        "name": name,
        "hosts": hosts,
        "gather_facts": False,
        "tasks": [
            {
                "name": "Probe",
                "private_ai.endpoints.private_endpoint_probe": {
                    "vantage": "{{ inventory_hostname }}",
                    "position": "{{ vantage_position }}",
                    **credentials,
                    **options,
                },
                "register": "seen",
            },
            {
                "name": "Keep",
                "ansible.builtin.copy": {
                    "content": "{{ seen | to_json }}",
                    "dest": "{{ folder }}/" + name + "-{{ inventory_hostname }}.json",
                    "mode": "0600",
                },
                "delegate_to": "localhost",
                "check_mode": False,
            },
        ],
    }


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results by play and vantage, and the whole output."""
    folder: Path = tmp_path_factory.mktemp("probe")
    playbook = folder / "probe.yml"
    plays = [
        play("app-a:outside", "named", targets=[BEDROCK, NOWHERE], identify=True),
        play("outside", "unsigned", targets=[BEDROCK], access_key="", secret_key=""),
        play("outside", "wrong", targets=[BEDROCK], secret_key="not-the-secret"),
    ]
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    outcome = Lab(folder).run(
        f"ansible-playbook -vvv -i {INVENTORY} {playbook} -e folder={folder} --check"
    )
    assert outcome.code == 0, outcome.output
    results: dict[str, Any] = {
        path.stem: json.loads(path.read_text()) for path in folder.glob("*-*.json")
    }
    return {**results, "output": outcome.output}


def only(result: dict[str, Any], host: str) -> dict[str, Any]:
    (observation,) = (item for item in result["observations"] if item["host"] == host)
    return dict(observation)


def test_open_at_the_start_from_everywhere(seen: dict[str, Any]) -> None:
    for name, position in (("app-a", "inside"), ("outside", "outside")):
        observation = only(seen[f"named-{name}"], BEDROCK["host"])
        assert (observation["vantage"], observation["position"]) == (name, position)
        assert observation["dns"]["status"] == "ok"
        assert observation["resolver"]["nameservers"] == ["192.0.2.53"]
        addresses = [entry["address"] for entry in observation["dns"]["answers"]]
        assert addresses
        assert all(address.startswith("203.0.113.") for address in addresses)
        assert observation["dns"]["system"] == addresses
        for entry in observation["connections"]:
            assert entry["tls"]["ok"]
            assert entry["tls"]["names"] == [BEDROCK["host"]]
            assert entry["http"]["answer"] == "admitted"
        assert observation["principal"] == "arn:aws:iam::222222222222:user/app"


def test_a_name_that_does_not_exist(seen: dict[str, Any]) -> None:
    observation = only(seen["named-app-a"], NOWHERE["host"])
    assert observation["dns"]["status"] == "nxdomain"
    assert observation["connections"] == []


def test_unsigned_and_wrongly_signed_calls_prove_nothing(seen: dict[str, Any]) -> None:
    for name, answer in (("unsigned", "unauthenticated"), ("wrong", "bad_credentials")):
        observation = only(seen[f"{name}-outside"], BEDROCK["host"])
        assert {entry["http"]["answer"] for entry in observation["connections"]} == {answer}
        assert observation["principal"] is None


def test_it_changes_nothing_and_shows_no_secret(seen: dict[str, Any]) -> None:
    assert not any(result["changed"] for name, result in seen.items() if name != "output")
    for secret in ("lab-secret", "not-the-secret"):
        assert secret not in seen["output"]
        assert secret not in json.dumps([seen[name] for name in seen if name != "output"])


def test_a_proxy_is_reported_and_not_used(seen: dict[str, Any], lab: Lab) -> None:
    playbook = lab.path("proxy.yml")
    playbook.write_text(
        yaml.safe_dump(
            [
                {
                    **play("app-a", "proxy", targets=[BEDROCK]),
                    "environment": {
                        "HTTPS_PROXY": "http://somebody:lab-proxy-password@198.51.100.77:3128"
                    },
                }
            ],
            sort_keys=False,
        )
    )
    outcome = lab.run(f"ansible-playbook -i {INVENTORY} {playbook} -e folder={lab.folder}")
    assert outcome.code == 0, outcome.output
    observation = only(json.loads(lab.path("proxy-app-a.json").read_text()), BEDROCK["host"])
    assert observation["proxy"] == [
        {"variable": "HTTPS_PROXY", "host": "198.51.100.77:3128", "bypassed": False}
    ]
    assert observation["connections"][0]["http"]["answer"] == "admitted"
    assert "lab-proxy-password" not in outcome.output + json.dumps(observation)


def test_many_targets_of_which_half_are_silent(lab: Lab) -> None:
    script = lab.path("many.py")
    script.write_text(SCRIPT)
    outcome = lab.run(
        f"PYTHONPATH={ROOT}/playbooks/collections $LAB_RUN/python-app-a {script} '{json.dumps(BEDROCK)}' {MANY}"
    )
    assert outcome.code == 0, outcome.output
    result = json.loads(outcome.output.splitlines()[-1])
    assert sum(entry["ok"] for entry in result["tcp"]) == MANY / 2
    silent = [entry for entry in result["tcp"] if not entry["ok"]]
    assert {entry["error"] for entry in silent} == {"timed out"}
    assert result["took"] < SECONDS
