# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Google costs in the lab, this collection's way and google.cloud's. Usage: gcp_measure.py COUNT FOLDER.

Each way gets a lab of its own that starts from the same open networks, and the same playbook several times: in check
mode, to create, where nothing is to do, after somebody deleted one DNS record of each project, in check mode again and
for real, and after somebody detached one zone of each project from its network. In the first lab google.cloud's reading
modules then look at what this collection made, unmodified; when one of them sees something else than what is there, the
benchmark fails.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from gcp_fleet import REGION, networks
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account
from ways import in_labs, look, run, seen, table, ways_of

THEIRS = "google.cloud"
WAYS = ways_of("gcp", THEIRS)
# Step → what the playbook gets, and what the table says.
STEPS = {
    "predicting": (("--check", "--diff"), "check mode, before anything is made"),
    "first": ((), "first run"),
    "second": ((), "second run"),
    "noticing": (("--check", "--diff"), "check mode, after one record of each project was deleted"),
    "repairing": ((), "run after one record of each project was deleted"),
    "attaching": ((), "run after one zone of each project was detached from its network"),
}
STRUCK = f"{REGION}-aiplatform.googleapis.com."


def inside(name: str, folder: Path, results: Path) -> None:
    """In the lab of one way: run its playbook for each step, look, and write down what that took."""
    records = Records(folder)
    found: dict[str, Any] = {}
    for step, (extra, _title) in STEPS.items():
        if step == "noticing":
            records.delete()
        if step == "attaching":
            records.detach()
        found[step] = {**run(WAYS[name], folder, *extra), "records": records.count()}
    look(WAYS[name], folder)
    results.write_text(json.dumps(found))


class Records:
    """The A records that the networks of all projects see, through Cloud DNS's API."""

    def __init__(self, folder: Path) -> None:
        hosts = yaml.safe_load((folder / "inventory.yml").read_text())["all"]["hosts"]
        self.projects = list(hosts)
        account = service_account.Credentials.from_service_account_file(
            os.environ["GOOGLE_APPLICATION_CREDENTIALS"],
            scopes=["https://www.googleapis.com/auth/cloud-platform"],
        )
        self.session = AuthorizedSession(account)

    def count(self) -> int:
        """How many there are, each as often as there are networks that see it."""
        return sum(
            len(self._records(project, zone)) * len(_seen_by(zone))
            for project in self.projects
            for zone in self._zones(project)
        )

    def delete(self) -> None:
        """One of each project: that of the regional name in the application's network."""
        for project, zone in self._struck():
            deletions = self._records(project, zone)
            self._ask("POST", project, f"/{zone['name']}/changes", {"deletions": deletions})

    def detach(self) -> None:
        """The zone of that record from its network."""
        for project, zone in self._struck():
            nobody: dict[str, Any] = {"privateVisibilityConfig": {"networks": []}}
            self._ask("PATCH", project, f"/{zone['name']}", nobody)

    def _struck(self) -> list[tuple[str, dict[str, Any]]]:
        """Project and zone."""
        apps = [next(iter(networks(number))) for number in range(len(self.projects))]
        return [
            (project, zone)
            for project, app in zip(self.projects, apps, strict=True)
            for zone in self._zones(project)
            if zone["dnsName"] == STRUCK and any(link.endswith(app) for link in _seen_by(zone))
        ]

    def _zones(self, project: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", project).get("managedZones", [])
        return found

    def _records(self, project: str, zone: dict[str, Any]) -> list[dict[str, Any]]:
        listed = self._ask("GET", project, f"/{zone['name']}/rrsets")["rrsets"]
        return [item for item in listed if item["type"] == "A"]

    def _ask(self, method: str, project: str, path: str = "", body: Any = None) -> dict[str, Any]:
        url = f"https://dns.googleapis.com/dns/v1/projects/{project}/managedZones{path}"
        answer = self.session.request(method, url, json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _seen_by(zone: dict[str, Any]) -> list[str]:
    known = zone.get("privateVisibilityConfig", {}).get("networks", [])
    return [item["networkUrl"] for item in known]


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    found = in_labs(__file__, WAYS, folder)
    for step, (_extra, title) in STEPS.items():
        table(f"{title}: {count} projects, 5 forks", step, found)
    seen(folder, THEIRS)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
