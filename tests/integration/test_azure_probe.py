# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The probe on the lab's Azure vantages: what an account answers before its lock and under it, without credentials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import AZURE_INVENTORY, Lab
from .test_azure_openai_lockdown import ACCOUNT, APP, HOST, LOCK, NAME, WORLD

VANTAGES = "azure-app:azure-spoke:azure-outside"
INFO = "private_ai.endpoints.azure_openai_private_link_info"
UNTIL = {"answers": ["denied_public_access"], "timeout": 30, "interval": 0.5}


def looks(name: str, hosts: str = VANTAGES, **options: Any) -> dict[str, Any]:
    """A play in which every vantage probes the account and keeps what it saw as NAME-VANTAGE.json."""
    probe = {
        "targets": "{{ hostvars.localhost.info.probe_targets }}",
        "vantage": "{{ inventory_hostname }}",
        "position": "{{ vantage_position }}",
        **options,
    }
    return {
        "hosts": hosts,
        "gather_facts": False,
        "tasks": [
            {"private_ai.endpoints.private_endpoint_probe": probe, "register": "seen"},
            {
                "ansible.builtin.copy": {
                    "content": "{{ seen.observations | to_json }}",
                    "dest": "{{ folder }}/" + name + "-{{ inventory_hostname }}.json",
                    "mode": "0600",
                },
                "delegate_to": "localhost",
            },
        ],
    }


def here(*tasks: dict[str, Any]) -> dict[str, Any]:
    python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return {"hosts": "localhost", "gather_facts": False, "vars": python, "tasks": list(tasks)}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Observations by play and vantage."""
    folder: Path = tmp_path_factory.mktemp("azure-probe")
    info = {INFO: {"account_id": ACCOUNT, "network_id": APP, "target_name": "openai"}}
    plays = [
        here({**info, "register": "info"}),
        looks("pinned", "azure-app:azure-spoke", pinned=True),
        looks("open", identify=True),
        here({NAME: LOCK}),
        looks("refused", "azure-outside", repeat_until=UNTIL),
        looks("locked"),
    ]
    playbook = folder / "probe.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    lab = Lab(folder)
    outcome = lab.run(
        f"ansible-playbook -i {AZURE_INVENTORY} {playbook} -e folder={folder}", world=WORLD
    )
    assert outcome.code == 0, outcome.output
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*-azure-*.json")}


def answers(observations: list[dict[str, Any]]) -> set[tuple[str, int, str]]:
    """Address, status and class of each answer."""
    return {
        (entry["address"], entry["http"]["status"], entry["http"]["answer"])
        for item in observations
        for entry in item["connections"]
    }


@pytest.mark.parametrize("vantage", ["azure-app", "azure-spoke"])
def test_private_networks_are_admitted_before_and_after(seen: dict[str, Any], vantage: str) -> None:
    (pinned,) = seen[f"pinned-{vantage}"]
    assert pinned["pinned"].startswith("10.20.2.")
    for name in ("pinned", "open", "locked"):
        assert answers(seen[f"{name}-{vantage}"]) == {(pinned["pinned"], 401, "admitted")}


def test_outside_is_admitted_and_then_refused(seen: dict[str, Any]) -> None:
    (before,) = seen["open-azure-outside"]
    (address,) = before["dns"]["system"]
    assert address.startswith("203.0.113.")
    assert answers([before]) == {(address, 401, "admitted")}
    for name in ("refused", "locked"):
        assert answers(seen[f"{name}-azure-outside"]) == {(address, 403, "denied_public_access")}
    (connection,) = seen["locked-azure-outside"][0]["connections"]
    assert connection["tls"]["ok"]
    assert "Please configure private endpoint" in connection["http"]["message"]


def test_nobody_signs_and_nobody_is_named(seen: dict[str, Any]) -> None:
    for observations in seen.values():
        for item in observations:
            assert (item["cloud"], item["host"], item["principal"]) == ("azure", HOST, None)
            assert item["action"] == "azure_openai:ListModels"
