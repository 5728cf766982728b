# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls that were really made in the lab: who is found on the public path, and what the preview says of them."""

from __future__ import annotations

import textwrap
from typing import Any

APPLICATION = "/subscriptions/5a000000-0000-0000-0000-00000000000a"
AI = "/subscriptions/5c000000-0000-0000-0000-00000000000c"
NETWORKS = f"{APPLICATION}/resourceGroups/app-network/providers/Microsoft.Network/virtualNetworks"
ACCOUNT = f"{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-openai"
CALLER = "02000000-0000-0000-0000-000000000002"
EGRESS = "198.51.100.111"
CALL = """
import json, os, ssl, sys, urllib.error, urllib.parse, urllib.request

def post(url, body, **headers):
    request = urllib.request.Request(url, body, headers)
    try:
        return json.load(urllib.request.urlopen(request, timeout=20))
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode())
        return {}

form = urllib.parse.urlencode({
    "grant_type": "client_credentials",
    "client_id": os.environ["AZURE_CLIENT_ID"],
    "client_secret": os.environ["AZURE_CLIENT_SECRET"],
    "scope": "https://cognitiveservices.azure.com/.default",
})
login = "https://login.microsoftonline.com/" + os.environ["AZURE_TENANT_ID"] + "/oauth2/v2.0/token"
token = post(login, form.encode())["access_token"]
path = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
body = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
bearer = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
print(post("https://lab-openai.openai.azure.com" + path, body, **bearer))
"""


def called(lab: Any, vantage: str) -> dict[str, Any]:
    """A call of the application from a vantage, by whatever path its name leads to."""
    script = lab.path("call.py")
    script.write_text(textwrap.dedent(CALL))
    run = "{{ lookup('ansible.builtin.env', 'LAB_RUN') }}"
    return {"ansible.builtin.command": {"argv": [f"{run}/python-{vantage}", str(script)]}}


def read(**options: Any) -> dict[str, Any]:
    where = {"account_id": ACCOUNT, "network_id": f"{NETWORKS}/app"}
    gather = ["account", "traffic"]
    name = "private_ai.endpoints.azure_openai_private_link_info"
    return {name: {**where, "gather": gather, **options}}


def previewed(source: int, egress: list[str]) -> dict[str, Any]:
    words = f"[result_{source}.evidence] | private_ai.endpoints.impact_preview([], [], {egress})"
    return {"ansible.builtin.set_fact": {"impact": "{{ " + words + " }}"}}


def test_callers_of_the_public_path_are_named_before_the_lock(lab: Any) -> None:
    outcome = lab.tasks(
        called(lab, "azure-app"),
        called(lab, "azure-outside"),
        read(),
        previewed(2, []),
        previewed(2, [EGRESS]),
    )
    assert "usage" in outcome.results[0]["stdout"], outcome.results[0]
    groups = outcome.results[2]["evidence"]["traffic"]["groups"]
    calls = [item for item in groups if not item["probe"]]
    assert {item["path"] for item in calls} == {"public"}
    assert {item["principal"] for item in calls} == {CALLER}
    assert sum(item["count"] for item in calls) == 2
    blocked = outcome.results[3]["ansible_facts"]["impact"]
    assert blocked["status"] == "blocked" and CALLER in blocked["blocking"][0]
    # The address of a proved network, but masked: it may be somebody else's of the same block.
    masked = outcome.results[4]["ansible_facts"]["impact"]
    assert masked["status"] == "unknown" and not masked["blocking"]


def test_calls_by_the_endpoint_are_private_and_refused_ones_are_no_callers(lab: Any) -> None:
    where = {"account_id": ACCOUNT}
    lock = {**where, "require_proof": False}
    outcome = lab.tasks(
        {
            "private_ai.endpoints.azure_openai_private_link": {
                **where,
                "subnet_id": f"{NETWORKS}/app/subnets/endpoints",
                "allowed_cidrs": ["10.20.1.0/24"],
            }
        },
        {
            "private_ai.endpoints.azure_openai_private_dns": {
                **where,
                "network_id": f"{NETWORKS}/app",
            }
        },
        {"private_ai.endpoints.azure_openai_lockdown": lock},
        # The lock reaches the data plane half a second later.
        {"ansible.builtin.pause": {"seconds": 2}},
        called(lab, "azure-app"),
        called(lab, "azure-outside"),
        read(),
        previewed(6, []),
    )
    assert "usage" in outcome.results[4]["stdout"], outcome.results[4]
    assert "Public access is disabled" in outcome.results[5]["stdout"]
    calls = [
        item for item in outcome.results[6]["evidence"]["traffic"]["groups"] if not item["probe"]
    ]
    assert {(item["path"], item["error_code"]) for item in calls} == {
        ("private", None),
        ("public", "403"),
    }
    impact = outcome.results[7]["ansible_facts"]["impact"]
    assert impact["status"] == "clear"
    assert {item["class"] for item in impact["callers"]} == {"private", "refused"}
