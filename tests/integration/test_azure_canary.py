# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A caller of an Azure account on the public path: named before the lock, missed under it, working again after it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from .conftest import AZURE_INVENTORY, Lab
from .story import Chapter, Story

APPLICATION = "02000000-0000-0000-0000-000000000002"
WORLD = {
    "vantages": [
        {
            "name": "azure-canary",
            "address": "198.51.100.60",
            "position": "canary",
            "internet": True,
        }
    ]
}
# One completion, as the application that was never told of the endpoint.
BATCH = """
import json, sys, urllib.request
from azure.identity import ClientSecretCredential

tenant, client, secret = (
    "7e000000-0000-0000-0000-000000000001", "c2000000-0000-0000-0000-000000000002", "lab-azure-application"
)
token = ClientSecretCredential(tenant, client, secret).get_token("https://cognitiveservices.azure.com/.default").token
url = "https://lab-openai.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
body = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
try:
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10)
except urllib.error.HTTPError as error:
    sys.exit(f"{error.code} {error.read().decode()}")
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Every run by its name."""
    told = Story(lab := Lab(tmp_path_factory.mktemp("azure_canary")))
    script = lab.path("batch.py")
    script.write_text(BATCH)
    canary = {
        "vantage_position": "canary",
        "vantage_canary_command": ["{{ ansible_playbook_python }}", str(script)],
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}/python-azure-canary",
    }
    more = lab.path("more.yml")
    more.write_text(yaml.safe_dump({"vantages": {"hosts": {"azure-canary": canary}}}))
    both = f"{AZURE_INVENTORY} -i {more} --limit lab-openai:vantages"
    settings: dict[str, Any] = {
        "vantages": ["azure-app", "azure-spoke", "azure-outside", "azure-canary"],
        "azure_openai_soak_seconds": 0,
        # Logs mask addresses, and the canary leaves by one of the same 256.
        "azure_openai_egress_addresses": [],
    }
    call = f"$LAB_RUN/in-azure-canary python {script}"
    told.do(call)
    told.tell("stopped", both, "lockdown.yml", **settings)
    wrong = {"principal": APPLICATION, "reason": "is said to have moved"}
    told.tell("undone", both, "lockdown.yml", **settings, azure_openai_explained_callers=[wrong])
    told.do(call)
    told.tell("open", both, "verify.yml", **settings, private_endpoint_expect="private")
    return told.read(world=WORLD)


def test_the_preview_stops_the_account_and_names_the_caller(story: dict[str, Chapter]) -> None:
    run = story["stopped"]
    assert run.code != 0
    assert f"{APPLICATION} called ChatCompletions_Create" in run.failures["lab-openai"]
    callers = run.report["targets"][0]["preview"]["callers"]
    assert {item["class"] for item in callers if item["principal"] == APPLICATION} == {"public"}
    assert not any("accounts:PATCH" in name for name in run.writes)


def test_explained_wrongly_the_soak_sees_it_fail_and_undoes_the_lock(
    story: dict[str, Chapter],
) -> None:
    run = story["undone"]
    assert run.code != 0
    failure = run.failures["lab-openai"]
    assert "azure-canary (canary) cannot do what it does: exit code 1: 403" in failure
    # Which is said only after the canary did its work once more.
    assert "The lock was undone, and calls are admitted again." in failure
    assert [name for name in run.writes if "accounts" in name] == [
        "Microsoft.CognitiveServices/accounts:PATCH"
    ] * 2


def test_the_values_from_before_are_back(story: dict[str, Chapter]) -> None:
    run = story["open"]
    (target,) = run.report["targets"]
    seen = {row["vantage"]: f"{row['where']} {row['outcome']}" for row in target["matrix"]}
    assert seen["azure-outside"] == "public admitted"
    assert seen["azure-app"] == seen["azure-spoke"] == "private admitted"
