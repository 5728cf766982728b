# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a world and an inventory of N Google projects, for the benchmark. Usage: gcp_fleet.py N FOLDER (N < 100).

Each project has an application network and a spoke that is peered with it, and clients that use two of Vertex AI's
names: two endpoints, and four zones with a record each.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-central1"
AUTOMATION = "serviceAccount:automation@lab-vertex.iam.gserviceaccount.com"
ROLES = ("browser", "compute.networkAdmin", "servicedirectory.editor", "dns.admin")


def project(number: int) -> str:
    return f"bench-{number:03d}"


def networks(number: int) -> dict[str, str]:
    """Path of each network → the address that its endpoint is to have."""
    home = f"projects/{project(number)}/global/networks"
    return {f"{home}/app": f"10.255.{number}.2", f"{home}/spoke": f"10.254.{number}.2"}


def world(count: int) -> dict[str, Any]:
    """The default world with `count` more projects, in which nothing is private yet."""
    numbers = range(count)
    return {
        "extends": str(ROOT / "tests/lab/worlds/default.yml"),
        "gcp": {
            "projects": [
                {
                    "id": project(number),
                    "number": f"7000000000{number:02d}",
                    "name": project(number),
                    "bindings": {f"roles/{role}": [AUTOMATION] for role in ROLES},
                }
                for number in numbers
            ],
            "networks": [
                {
                    "id": path,
                    "subnets": [
                        {
                            "name": f"subnet-{place}",
                            "region": REGION,
                            "range": f"10.{60 + place}.{number}.0/24",
                        }
                    ],
                }
                for number in numbers
                for place, path in enumerate(networks(number))
            ],
            "peerings": [
                {"name": f"{project(number)}-spoke", "networks": list(networks(number))}
                for number in numbers
            ],
        },
    }


def inventory(count: int) -> dict[str, Any]:
    """One host for each project, with its networks and the names that clients use."""
    hosts = {
        project(number): {
            "project": project(number),
            "networks": [
                {"network": path, "address": address} for path, address in networks(number).items()
            ],
        }
        for number in range(count)
    }
    return {
        "all": {
            "hosts": hosts,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "region": REGION,
                "names": ["aiplatform.googleapis.com", f"{REGION}-aiplatform.googleapis.com"],
            },
        }
    }


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    if not 0 < count < 100:
        sys.exit(f"bench: projects of Google: 1 to 99, not {count}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "world.yml").write_text(yaml.safe_dump(world(count)))
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory(count)))


if __name__ == "__main__":
    main()
