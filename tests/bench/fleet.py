# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a world and an inventory of N VPCs, for the benchmark. Usage: fleet.py N FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "222222222222"


def vpc(number: int) -> dict[str, Any]:
    """One small VPC with a subnet and a group for its endpoints."""
    high, low = divmod(number, 250)
    return {
        "id": f"vpc-0f{number:015x}",
        "account": ACCOUNT,
        "region": "us-east-1",
        "cidrs": [f"10.{100 + high}.{low}.0/24"],
        "dns_support": True,
        "dns_hostnames": True,
        "subnets": [
            {
                "id": f"subnet-0f{number:015x}",
                "cidr": f"10.{100 + high}.{low}.0/24",
                "zone": "us-east-1a",
            }
        ],
        "security_groups": [
            {
                "id": f"sg-0f{number:015x}",
                "name": "endpoints",
                "description": "worn by the endpoints",
                "ingress": [
                    {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr": "10.0.0.0/8"}
                ],
            }
        ],
    }


def world(count: int) -> dict[str, Any]:
    """The default world with `count` more VPCs in the workload account."""
    return {
        "extends": str(ROOT / "tests/lab/worlds/default.yml"),
        "aws": {
            "timing": {"endpoint_pending": 0.2},
            "vpcs": [vpc(number) for number in range(count)],
        },
    }


def inventory(count: int) -> dict[str, Any]:
    """One host per VPC, each with its ids."""
    hosts = {
        f"vpc-{number:03d}": {
            "vpc_id": f"vpc-0f{number:015x}",
            "subnet_id": f"subnet-0f{number:015x}",
            "group_id": f"sg-0f{number:015x}",
        }
        for number in range(count)
    }
    return {
        "all": {
            "hosts": hosts,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            },
        }
    }


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "world.yml").write_text(yaml.safe_dump(world(count)))
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory(count)))


if __name__ == "__main__":
    main()
