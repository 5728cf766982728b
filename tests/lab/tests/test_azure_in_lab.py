# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's data plane in a running lab: real names, sockets and certificates follow the control plane."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What one vantage sees of a host: its addresses, and the answer without credentials.
LOOK = """
import json, socket, sys, urllib.error, urllib.request
host = sys.argv[1]
try:
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    addresses = sorted({each[4][0] for each in found})
except OSError:
    addresses = []
try:
    url = f"https://{host}/openai/models?api-version=2024-10-21"
    answer = urllib.request.urlopen(url, timeout=2).status
except urllib.error.HTTPError as error:
    answer = json.load(error)["error"]["message"] if error.code == 403 else error.code
except OSError as error:
    answer = type(getattr(error, "reason", error)).__name__
print(json.dumps({"addresses": addresses, "answer": answer}))
"""

STORY = """
import json, os, subprocess, sys, time, urllib.parse, urllib.request
look = sys.argv[1]
app = "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network"
hub = "/subscriptions/5b000000-0000-0000-0000-00000000000b/resourceGroups/dns"
ai = "/subscriptions/5c000000-0000-0000-0000-00000000000c/resourceGroups/ai"
networks = f"{app}/providers/Microsoft.Network/virtualNetworks"
account = f"{ai}/providers/Microsoft.CognitiveServices/accounts/lab-openai"
endpoint = f"{app}/providers/Microsoft.Network/privateEndpoints/lab-openai"
zone = f"{hub}/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com"

def token():
    given = {
        "grant_type": "client_credentials",
        "client_id": os.environ["AZURE_CLIENT_ID"],
        "client_secret": os.environ["AZURE_CLIENT_SECRET"],
        "scope": "https://management.azure.com/.default",
    }
    tenant = os.environ["AZURE_TENANT_ID"]
    url = f"https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
    return json.load(urllib.request.urlopen(url, urllib.parse.urlencode(given).encode()))["access_token"]

held = token()

def arm(method, id, version, body=None):
    sent = json.dumps(body).encode() if body is not None else None
    url = f"https://management.azure.com{id}?api-version={version}"
    headers = {"Authorization": f"Bearer {held}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, sent, headers, method=method)
    return json.loads(urllib.request.urlopen(request).read() or b"null")

def put(id, version, body):
    arm("PUT", id, version, body)
    for _ in range(100):
        made = arm("GET", id, version)
        if made["properties"]["provisioningState"] == "Succeeded":
            return made
        time.sleep(0.05)
    raise SystemExit(f"{id} is not done")

def seen(*vantages, host="lab-openai.openai.azure.com"):
    made = {}
    for each in vantages:
        command = [f"{os.environ['LAB_RUN']}/python-{each}", look, host]
        made[each] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return made

everybody = ("azure-app", "azure-spoke", "azure-outside")
story = {"open": seen(*everybody)}
link = {"privateLinkServiceId": account, "groupIds": ["account"]}
put(endpoint, "2024-05-01", {"location": "eastus", "properties": {
    "subnet": {"id": f"{networks}/app/subnets/endpoints"},
    "privateLinkServiceConnections": [{"name": "account", "properties": link}]}})
story["endpoint"] = seen(*everybody)
put(zone, "2024-06-01", {"location": "global"})
put(f"{zone}/virtualNetworkLinks/app", "2024-06-01", {"location": "global", "properties": {
    "virtualNetwork": {"id": f"{networks}/app"}, "registrationEnabled": False}})
story["link"] = seen("azure-app")
put(f"{endpoint}/privateDnsZoneGroups/default", "2024-05-01", {"properties": {
    "privateDnsZoneConfigs": [{"name": "openai", "properties": {"privateDnsZoneId": zone}}]}})
story["private"] = seen(*everybody)
arm("PATCH", account, "2025-09-01", {"properties": {"publicNetworkAccess": "Disabled"}})
for _ in range(100):
    story["locked"] = seen(*everybody)
    # The switch is thrown between two of the three looks as often as not: both publics must have seen it.
    if all(story["locked"][each]["answer"] != 401 for each in ("azure-spoke", "azure-outside")):
        break
story["foundry"] = seen("azure-app", host="lab-foundry.services.ai.azure.com")
print(json.dumps(story))
"""
DISABLED = "Public access is disabled. Please configure private endpoint."


def is_public(seen: Any) -> bool:
    return all(each.startswith("203.0.113.") for each in seen["addresses"]) and seen["addresses"]


def test_names_packets_and_answers_follow_the_control_plane(
    tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    look, story = tmp_path / "look.py", tmp_path / "story.py"
    look.write_text(LOOK, encoding="utf-8")
    story.write_text(STORY, encoding="utf-8")
    done = lab_run("--", sys.executable, str(story), str(look))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    private = {"addresses": ["10.20.2.4"], "answer": 401}
    for moment in ("open", "endpoint"):
        assert all(is_public(each) and each["answer"] == 401 for each in seen[moment].values())
    assert seen["link"]["azure-app"] == {"addresses": [], "answer": "gaierror"}
    assert seen["private"]["azure-app"] == seen["locked"]["azure-app"] == private
    for vantage in ("azure-spoke", "azure-outside"):
        assert is_public(seen["private"][vantage]) and is_public(seen["locked"][vantage])
        assert seen["private"][vantage]["answer"] == 401
        assert seen["locked"][vantage]["answer"] == DISABLED
    assert seen["foundry"]["azure-app"]["answer"] == 401
