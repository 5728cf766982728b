# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the lab's Google, in words that do not depend on ids, seen by plain requests of its REST interfaces.

As a script it prints that as JSON; the action plugin `look` returns it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import requests
from google.auth.transport.requests import Request
from google.oauth2 import service_account

PROJECT = "lab-vertex"
ACCESS_POLICY = "600000000001"
COMPUTE = f"https://compute.googleapis.com/compute/v1/projects/{PROJECT}"
DNS = f"https://dns.googleapis.com/dns/v1/projects/{PROJECT}"
PERIMETERS = (
    f"https://accesscontextmanager.googleapis.com/v1/accessPolicies/{ACCESS_POLICY}"
    "/servicePerimeters"
)
OWN, MARK = "private-ai-endpoints", "private_ai.endpoints:"


class Google:
    """Google's REST interfaces, as the owner of the organisation."""

    def __init__(self) -> None:
        key = f"{os.environ['LAB_RUN']}/gcp/admin@{PROJECT}.iam.gserviceaccount.com.json"
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        made = service_account.Credentials.from_service_account_file(key, scopes=scopes)
        self.session = requests.Session()
        made.refresh(Request(session=self.session))
        self.session.headers["Authorization"] = f"Bearer {made.token}"

    def get(self, url: str) -> dict[str, Any]:
        answer = self.session.get(url, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    def list(self, url: str, key: str = "items") -> list[dict[str, Any]]:
        return list(self.get(url).get(key) or ())


def last(link: str) -> str:
    return link.rpartition("/")[2]


def own(labels: dict[str, str] | None) -> list[str]:
    """Labels that are not this collection's marks."""
    return [f"{key}={value}" for key, value in sorted((labels or {}).items()) if OWN not in key]


def endpoints(google: Google) -> list[str]:
    """`name network address bundle labels` of each forwarding rule."""
    return sorted(
        " ".join(
            [
                item["name"],
                last(item["network"]),
                item["IPAddress"],
                item["target"],
                *own(item.get("labels")),
            ]
        )
        for item in google.list(f"{COMPUTE}/global/forwardingRules")
    )


def addresses(google: Google) -> list[str]:
    """`name network address` of each reserved address."""
    found = google.list(f"{COMPUTE}/global/addresses")
    return sorted(f"{item['name']} {last(item['network'])} {item['address']}" for item in found)


def firewalls(google: Google) -> list[str]:
    """`name <range,… >destination,…` of each rule."""
    return sorted(
        f"{item['name']} <{','.join(item.get('sourceRanges') or ())}"
        f" >{','.join(item.get('destinationRanges') or ())}"
        for item in google.list(f"{COMPUTE}/global/firewalls")
    )


def access(google: Google) -> list[str]:
    """The subnets that have Private Google Access."""
    found = google.get(f"{COMPUTE}/aggregated/subnetworks")["items"]
    return sorted(
        item["name"]
        for place in found.values()
        for item in place.get("subnetworks") or ()
        if item.get("privateIpGoogleAccess")
    )


def _networks(found: Iterable[dict[str, Any]]) -> str:
    return ",".join(sorted(last(item["networkUrl"]) for item in found)) or "-"


def zones(google: Google) -> list[str]:
    """`dns-name networks name:type=values…` of each private zone."""
    lines = []
    for item in google.list(f"{DNS}/managedZones", "managedZones"):
        sets = google.list(f"{DNS}/managedZones/{item['name']}/rrsets", "rrsets")
        records = [
            f"{each['name']}:{each['type']}={','.join(each['rrdatas'])}"
            for each in sets
            if each["type"] not in ("NS", "SOA")
        ]
        networks = _networks((item.get("privateVisibilityConfig") or {}).get("networks") or ())
        lines.append(" ".join([item["dnsName"], networks, *sorted(records)]))
    return sorted(lines)


def policies(google: Google) -> list[str]:
    """`networks name=values…` of each response policy."""
    lines = []
    for item in google.list(f"{DNS}/responsePolicies", "responsePolicies"):
        path = f"{DNS}/responsePolicies/{item['responsePolicyName']}/rules"
        rules = [
            f"{each['dnsName']}={','.join(one['rrdatas'][0] for one in each['localData']['localDatas'])}"
            for each in google.list(path, "responsePolicyRules")
        ]
        lines.append(" ".join([_networks(item.get("networks") or ()), *sorted(rules)]))
    return sorted(lines)


def perimeters(google: Google) -> list[str]:
    """`name enforced(projects services) dry-run(…)? pending?` of each perimeter."""
    lines = []
    for item in google.list(PERIMETERS, "servicePerimeters"):
        words = [last(item["name"]), _config("enforced", item.get("status"))]
        if item.get("useExplicitDryRunSpec"):
            words.append(_config("dry-run", item.get("spec")))
        note = str(item.get("description") or "").partition(MARK)[2]
        words += ["pending"] if '"pending"' in note else []
        lines.append(" ".join(words))
    return sorted(lines)


def _config(word: str, config: dict[str, Any] | None) -> str:
    held = config or {}
    parts = [sorted(held.get(key) or ()) for key in ("resources", "restrictedServices")]
    return f"{word}({';'.join(','.join(part) for part in parts)})"


def look() -> dict[str, list[str]]:
    """Everything, by kind; each kind sorted."""
    google = Google()
    return {
        "endpoints": endpoints(google),
        "addresses": addresses(google),
        "firewalls": firewalls(google),
        "access": access(google),
        "zones": zones(google),
        "policies": policies(google),
        "perimeters": perimeters(google),
    }


if __name__ == "__main__":
    print(json.dumps(look()))
