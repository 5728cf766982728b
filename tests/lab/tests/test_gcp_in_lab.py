# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Google over the lab's real network: Google's own clients change things, and names, packets and answers follow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
ADDRESS = "10.255.30.2"

# What a vantage sees of Vertex AI with a token: the addresses of its name, and the answer at its name or at an address.
LOOK = """
import json, socket, sys, urllib.error, urllib.request
real = socket.getaddrinfo
host = "us-central1-aiplatform.googleapis.com"
found = real(host, 443, socket.AF_INET, socket.SOCK_STREAM)
patience = 3 if len(sys.argv) > 2 else 20
if len(sys.argv) > 2:
    socket.getaddrinfo = lambda name, *rest, **more: real(sys.argv[2], *rest, **more)
url = f"https://{host}/v1/projects/lab-vertex/locations/us-central1/models"
asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {sys.argv[1]}"})
try:
    urllib.request.urlopen(asked, timeout=patience)
    said = "admitted"
except urllib.error.HTTPError as error:
    said = json.load(error)["error"]["details"][-1]["reason"]
except OSError as error:
    said = "silence" if "timed out" in str(error) else repr(error)
print(json.dumps({"addresses": sorted({each[4][0] for each in found}), "answer": said}))
"""

STORY = """
import json, os, subprocess, sys, time
import google.auth
from google.auth import impersonated_credentials
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import dns
from googleapiclient import discovery

scopes = ["https://www.googleapis.com/auth/cloud-platform"]
credentials, _ = google.auth.default(scopes=scopes)
application = impersonated_credentials.Credentials(
    credentials, "app@lab-vertex.iam.gserviceaccount.com", scopes, lifetime=600
)
application.refresh(Request())
session = AuthorizedSession(credentials)

def start(vantage, *address):
    command = [f"{os.environ['LAB_RUN']}/in-{vantage}", sys.executable, sys.argv[1], application.token, *address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

def look(*address, places=("gcp-app", "gcp-spoke", "gcp-outside")):
    started = {each: start(each, *address) for each in places}
    return {each: json.loads(process.communicate()[0]) for each, process in started.items()}

def compute(path, body):
    base = "https://compute.googleapis.com/compute/v1/projects/lab-vertex/"
    operation = session.post(base + path, json=body).json()
    while operation["status"] != "DONE":
        time.sleep(0.05)
        operation = session.get(operation["selfLink"]).json()

ADDRESS, PROJECT, NETWORK = sys.argv[2], "lab-vertex", "projects/lab-vertex/global/networks/app"
seen = {"start": look()}
compute("global/addresses", {
    "name": "ip", "address": ADDRESS, "network": NETWORK,
    "addressType": "INTERNAL", "purpose": "PRIVATE_SERVICE_CONNECT",
})
compute("global/forwardingRules", {
    "name": "pscvertex", "target": "all-apis", "network": NETWORK,
    "IPAddress": f"projects/{PROJECT}/global/addresses/ip",
})
seen["without access"] = look(ADDRESS, places=["gcp-app"])
compute("regions/us-central1/subnetworks/app-a/setPrivateIpGoogleAccess", {"privateIpGoogleAccess": True})
seen["pinned"] = look(ADDRESS)
host = "us-central1-aiplatform.googleapis.com."
network = f"https://www.googleapis.com/compute/v1/{NETWORK}"
made = session.post(
    f"https://dns.googleapis.com/dns/v1/projects/{PROJECT}/managedZones",
    json={
        "name": "vertex", "dnsName": host, "description": "", "visibility": "private",
        "privateVisibilityConfig": {"networks": [{"networkUrl": network}]},
    },
)
made.raise_for_status()
zone = dns.Client(project=PROJECT, credentials=credentials).zone("vertex", host)
changes = zone.changes()
changes.add_record_set(zone.resource_record_set(host, "A", 300, [ADDRESS]))
changes.create()
while changes.status != "done":
    time.sleep(0.05)
    changes.reload()
time.sleep(0.5)
seen["named"] = look()
manager = discovery.build("accesscontextmanager", "v1", credentials=credentials, static_discovery=True)
policy = "accessPolicies/600000000001"
config = {"resources": ["projects/500000000001"], "restrictedServices": ["aiplatform.googleapis.com"]}
operation = manager.accessPolicies().servicePerimeters().create(
    parent=policy, body={"name": f"{policy}/servicePerimeters/vertex", "title": "vertex", "status": config}
).execute()
while not operation.get("done"):
    time.sleep(0.05)
    operation = manager.operations().get(name=operation["name"]).execute()
time.sleep(1.2)
seen["locked"] = look()
print(json.dumps(seen))
"""

# The real compute client, with the operations that it waits for itself.
CLIENT = """
from google.cloud import compute_v1 as c
network = "projects/lab-vertex/global/networks/app"
address = c.Address(
    name="ip", address="10.255.30.2", address_type="INTERNAL", purpose="PRIVATE_SERVICE_CONNECT", network=network
)
c.GlobalAddressesClient().insert(project="lab-vertex", address_resource=address).result(timeout=60)
rules = c.GlobalForwardingRulesClient()
rule = c.ForwardingRule(name="pscvertex", I_p_address="10.255.30.2", target="all-apis", network=network)
try:
    rules.insert(project="lab-vertex", forwarding_rule_resource=rule).result(timeout=60)
except Exception as error:
    print(type(error).__name__, error.code, "QUOTA" in str(error))
rules.insert(project="lab-vertex", forwarding_rule_resource=rule).result(timeout=60)
print([each.name for each in rules.list(project="lab-vertex")])
"""


def test_the_compute_client_waits_for_its_operations(
    tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    failure = {
        "operation": "compute.globalForwardingRules.insert",
        "code": "QUOTA_EXCEEDED",
        "message": "Quota exceeded.",
        "status": 403,
    }
    path = world(tmp_path, {"failures": [failure]})
    done = lab_run("--world", str(path), "--", sys.executable, "-c", CLIENT, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Forbidden 403 True", "['pscvertex']"]


def test_names_packets_and_answers_follow_the_control_plane(
    tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    look, story, journal = tmp_path / "look.py", tmp_path / "story.py", tmp_path / "journal.jsonl"
    look.write_text(LOOK, encoding="utf-8")
    story.write_text(STORY, encoding="utf-8")
    done = lab_run(
        "--journal", str(journal), "--", sys.executable, str(story), str(look), ADDRESS, timeout=180
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    for each in seen["start"].values():
        assert each["answer"] == "admitted"
        assert all(address.startswith("203.0.113.") for address in each["addresses"])
    assert seen["without access"]["gcp-app"]["answer"] == "silence"
    assert seen["pinned"]["gcp-app"]["answer"] == "admitted"
    for place in ("gcp-spoke", "gcp-outside"):
        assert seen["pinned"][place]["answer"] == "silence"
        assert seen["named"][place] == seen["start"][place]
        assert seen["locked"][place]["answer"] == "SECURITY_POLICY_VIOLATED"
    assert seen["named"]["gcp-app"] == {"addresses": [ADDRESS], "answer": "admitted"}
    assert seen["locked"]["gcp-app"] == seen["named"]["gcp-app"]
    lines = [json.loads(each) for each in journal.read_text(encoding="utf-8").splitlines()]
    writes = [each["operation"] for each in lines if each["write"]]
    assert writes == [
        "compute.globalAddresses.insert",
        "compute.globalForwardingRules.insert",
        "compute.subnetworks.setPrivateIpGoogleAccess",
        "dns.managedZones.create",
        "dns.changes.create",
        "accesscontextmanager.accessPolicies.servicePerimeters.create",
    ]
    assert "assertion" not in journal.read_text(encoding="utf-8")


def test_each_vantage_has_the_key_of_its_account(
    lab_run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    script = """
import json, os, subprocess
def who(*command):
    code = "import json, os; print(json.load(open(os.environ['GOOGLE_APPLICATION_CREDENTIALS']))['client_email'])"
    return subprocess.run([*command, "python", "-c", code], capture_output=True, text=True).stdout.strip()
run = os.environ["LAB_RUN"]
files = sorted(os.listdir(f"{run}/gcp"))
print(json.dumps([who(), who(f"{run}/in-gcp-app"), who(f"{run}/in-outside"), files]))
"""
    done = lab_run("--", sys.executable, "-c", script)
    assert done.returncode == 0, done.stderr
    controller, inside, outside, files = json.loads(done.stdout)
    assert controller == "automation@lab-vertex.iam.gserviceaccount.com"
    assert inside == "app@lab-vertex.iam.gserviceaccount.com"
    assert outside == ""  # it has no account, and does not see the controller's
    assert f"{controller}.json" in files


def world(tmp_path: Path, change: Any) -> Path:
    default = CHECKOUT / "tests/lab/worlds/default.yml"
    path = tmp_path / "world.yml"
    path.write_text(yaml.safe_dump({"extends": str(default), "gcp": change}), encoding="utf-8")
    return path


def test_a_world_file_is_checked(
    tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    wrong = {
        "colour": "red",
        "projects": [{"id": "lab-more", "number": 5}],
        "timing": {"operation": "slow"},
        "networks": [{"id": "app"}],
    }
    done = lab_run("--check-world", str(world(tmp_path, wrong)))
    assert done.returncode == 65
    said = [line.partition("world.yml: ")[2] for line in done.stderr.splitlines()]
    assert [each.partition(": ")[0] for each in sorted(said)] == [
        "gcp.colour",
        "gcp.networks[app].id",
        "gcp.projects[lab-more].number",
        "gcp.timing.operation",
    ]


def test_what_a_world_names_must_exist(
    tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    network = "projects/lab-vertex/global/networks/none"
    wrong = {
        "endpoints": [{"name": "psc", "network": network, "address": "203.0.113.5000"}],
        "zones": [
            {"id": "projects/lab-vertex/managedZones/z", "dns_name": "a.b.", "networks": [network]}
        ],
        "credentials": {"moon": "nobody@lab-vertex.iam.gserviceaccount.com"},
        "buckets": [{"name": "theirs", "project": "lab-moon-1"}],
    }
    done = lab_run("--check-world", str(world(tmp_path, wrong)))
    assert done.returncode == 65
    for part in (
        "gcp.endpoints[psc].network: no network",
        "gcp.endpoints[psc].address: ",
        "gcp.zones[projects/lab-vertex/managedZones/z].networks: no network",
        "gcp.credentials.moon: no vantage moon",
        "gcp.credentials.moon: no service account",
        "gcp.buckets[1].project: no project lab-moon-1",
    ):
        assert part in done.stderr
