# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_openai_private_link when things go wrong: others who write, operations that fail at their end or are late.

Requests that fail or are lost, and first runs at once: test_faults.py.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .azure_private_link import (
    APP,
    ENDPOINT,
    FOUNDRY,
    NETWORK,
    OPENAI,
    RULES,
    admin,
    module,
    succeeded,
    world,
)

NAMES = [
    "private-ai-pe-lab-openai-app-12cdd8b1-allow",
    "private-ai-pe-lab-openai-app-12cdd8b1-deny",
]


def play(lab: Any, name: str, **options: Any) -> str:
    path = lab.path(f"{name}.yml")
    task = {"name": name, **module(**options)}
    facts = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    path.write_text(
        yaml.safe_dump(
            [
                {
                    "name": name,
                    "hosts": "localhost",
                    "gather_facts": False,
                    "vars": facts,
                    "tasks": [task],
                }
            ]
        )
    )
    return str(path)


def test_two_accounts_in_one_subnet_at_once(lab: Any) -> None:
    plays = [play(lab, "openai"), play(lab, "foundry", account_id=FOUNDRY)]
    check = [play(lab, "openai-again"), play(lab, "foundry-again", account_id=FOUNDRY)]
    first = " & ".join(f"ansible-playbook {path}" for path in plays)
    then = " && ".join(f"ansible-playbook {path}" for path in check)
    outcome = lab.run(f"{first} & wait; echo SECOND; {then}", world=world())
    assert outcome.code == 0, outcome.output
    first_runs, second_runs = outcome.output.split("SECOND")
    assert first_runs.count("failed=0") == 2, first_runs
    assert second_runs.count("changed=0") == 2, second_runs


def test_a_network_that_is_being_written_is_waited_for(lab: Any) -> None:
    touch = f"""
        body = arm('GET', '{APP}/subnets/app')
        body['properties']['privateEndpointNetworkPolicies'] = 'Enabled'
        ask('PUT', 'https://management.azure.com{APP}/subnets/app?api-version=2024-05-01', body)
    """
    busy = {"timing": {"operation": 8.0, "endpoint": 0.1, "retry_after": 0}}
    outcome = lab.tasks(admin(touch), module(allowed_cidrs=None), world={"azure": busy})
    _touched, made = succeeded(outcome)
    assert made["changed"]
    refused = [entry for entry in outcome.journal if entry["status"] == 409]
    assert refused, "the network was not busy"


@pytest.mark.parametrize("times", [1, 2])
def test_an_operation_that_fails_at_its_end_is_made_again_or_told(lab: Any, times: int) -> None:
    failure = {
        "operation": "Microsoft.Network/privateEndpoints:PUT",
        "id": ENDPOINT,
        "code": "SubnetIsFull",
        "message": "Subnet endpoints is full.",
    }
    outcome = lab.tasks(
        module(allowed_cidrs=None),
        module(allowed_cidrs=None),
        module(allowed_cidrs=None),
        world=world(failures=[failure] * times),
    )
    first, second, third = outcome.results
    assert not third.get("failed") and not third["changed"], third
    if times == 1:
        assert not first.get("failed") and first["changed"] and not second["changed"]
        return
    assert first["failed"] and "Subnet endpoints is full (SubnetIsFull)" in first["msg"]
    assert ENDPOINT in first["msg"]
    (step,) = second["steps"]
    assert step["after"] == {"provisioning_state": "Succeeded"}


def test_an_operation_that_fails_for_others_is_made_again(lab: Any) -> None:
    failures = [
        {
            "operation": "Microsoft.Network/networkSecurityGroups/securityRules:PUT",
            "id": f"{RULES}/securityRules/{name}",
            "code": "AnotherOperationInProgress",
            "message": "Another operation is in progress.",
        }
        for name in NAMES
    ]
    outcome = lab.tasks(module(), module(), world=world(failures=failures))
    made, again = succeeded(outcome)
    assert made["changed"] and not again["changed"]
    writes = [item for item in outcome.writes if "securityRules" in item]
    assert len(writes) == 4


def test_a_wait_has_a_bound_and_the_next_run_goes_on(lab: Any) -> None:
    slow = {"timing": {"operation": 0.05, "endpoint": 4.0, "retry_after": 0}}
    outcome = lab.tasks(module(wait_timeout=1), module(), module(), world={"azure": slow})
    late, made, again = outcome.results
    assert late["failed"] and "Timeout" in late["msg"] and ENDPOINT in late["msg"]
    assert not made.get("failed") and not again["changed"]
    writes = [item for item in outcome.writes if item.endswith("privateEndpoints:PUT")]
    assert len(writes) == 1
    assert NETWORK in ENDPOINT and OPENAI in made["account"]["id"]
