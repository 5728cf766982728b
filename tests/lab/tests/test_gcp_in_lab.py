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

# What a vantage sees of Vertex AI: the addresses of its name, and the answer at its name or at an address.
LOOK = """
import json, socket, sys, google.auth
from google.auth.transport.requests import AuthorizedSession
real = socket.getaddrinfo
host = "us-central1-aiplatform.googleapis.com"
found = real(host, 443, socket.AF_INET, socket.SOCK_STREAM)
if len(sys.argv) > 1:
    def pinned(name, *rest, **more):
        return real(sys.argv[1] if name == host else name, *rest, **more)
    socket.getaddrinfo = pinned
credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
url = f"https://{host}/v1/projects/lab-vertex/locations/us-central1/models"
try:
    answer = AuthorizedSession(credentials).get(url, timeout=0.7)
    said = "admitted" if answer.ok else answer.json()["error"]["details"][-1]["reason"]
except Exception as error:
    said = type(error).__name__
print(json.dumps({"addresses": sorted({each[4][0] for each in found}), "answer": said}))
"""

STORY = """
import json, os, subprocess, sys, time
import google.auth
from google.auth.transport.requests import AuthorizedSession
from google.cloud import compute_v1, dns
from googleapiclient import discovery

def look(vantage, *address):
    command = [f"{os.environ['LAB_RUN']}/in-{vantage}", sys.executable, sys.argv[1], *address]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

ADDRESS, PROJECT, NETWORK = sys.argv[2], "lab-vertex", "projects/lab-vertex/global/networks/app"
PLACES = ("gcp-app", "gcp-spoke", "gcp-outside")
seen = {"start": {each: look(each) for each in PLACES}}
scopes = ["https://www.googleapis.com/auth/cloud-platform"]
credentials, _ = google.auth.default(scopes=scopes)
compute_v1.GlobalAddressesClient().insert(project=PROJECT, address_resource=compute_v1.Address(
    name="ip", address=ADDRESS, address_type="INTERNAL", purpose="PRIVATE_SERVICE_CONNECT", network=NETWORK,
)).result(timeout=30)
compute_v1.GlobalForwardingRulesClient().insert(
    project=PROJECT,
    forwarding_rule_resource=compute_v1.ForwardingRule(
        name="pscvertex", I_p_address=f"projects/{PROJECT}/global/addresses/ip", target="all-apis", network=NETWORK
    ),
).result(timeout=30)
seen["without access"] = look("gcp-app", ADDRESS)
compute_v1.SubnetworksClient().set_private_ip_google_access(
    project=PROJECT, region="us-central1", subnetwork="app-a",
    subnetworks_set_private_ip_google_access_request_resource=compute_v1.SubnetworksSetPrivateIpGoogleAccessRequest(
        private_ip_google_access=True
    ),
).result(timeout=30)
seen["pinned"] = {each: look(each, ADDRESS) for each in PLACES}
host = "us-central1-aiplatform.googleapis.com."
network = f"https://www.googleapis.com/compute/v1/{NETWORK}"
made = AuthorizedSession(credentials).post(
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
seen["named"] = {each: look(each) for each in PLACES}
manager = discovery.build("accesscontextmanager", "v1", credentials=credentials, static_discovery=True)
policy = "accessPolicies/600000000001"
config = {"resources": ["projects/500000000001"], "restrictedServices": ["aiplatform.googleapis.com"]}
operation = manager.accessPolicies().servicePerimeters().create(
    parent=policy, body={"name": f"{policy}/servicePerimeters/vertex", "title": "vertex", "status": config}
).execute()
while not operation.get("done"):
    time.sleep(0.05)
    operation = manager.operations().get(name=operation["name"]).execute()
end = time.time() + 10
while look("gcp-outside")["answer"] == "admitted" and time.time() < end:
    time.sleep(0.1)
seen["locked"] = {each: look(each) for each in PLACES}
print(json.dumps(seen))
"""


def test_names_packets_and_answers_follow_the_control_plane(
    tmp_path: Path, lab_run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    look, story, journal = tmp_path / "look.py", tmp_path / "story.py", tmp_path / "journal.jsonl"
    look.write_text(LOOK, encoding="utf-8")
    story.write_text(STORY, encoding="utf-8")
    done = lab_run("--journal", str(journal), "--", sys.executable, str(story), str(look), ADDRESS)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    for each in seen["start"].values():
        assert each["answer"] == "admitted"
        assert all(address.startswith("203.0.113.") for address in each["addresses"])
    assert seen["without access"]["answer"] in ("ConnectTimeout", "ConnectionError")
    assert seen["pinned"]["gcp-app"]["answer"] == "admitted"
    for place in ("gcp-spoke", "gcp-outside"):
        assert seen["pinned"][place]["answer"] in ("ConnectTimeout", "ConnectionError")
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
