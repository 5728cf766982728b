# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reads that a no-op needs, for each VPC of an inventory, with the bare SDK. Usage: bare_reads.py FILE."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import yaml


def main() -> None:
    hosts = yaml.safe_load(Path(sys.argv[1]).read_text())["all"]["hosts"]
    ec2 = boto3.client("ec2", region_name="us-east-1")

    def read(vpc_id: str) -> None:
        by_vpc = [{"Name": "vpc-id", "Values": [vpc_id]}]
        ec2.describe_vpc_endpoints(Filters=by_vpc)
        ec2.describe_subnets(Filters=by_vpc)
        ec2.describe_security_groups(Filters=by_vpc)
        ec2.describe_network_interfaces(Filters=by_vpc)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(read, [host["vpc_id"] for host in hosts.values()]))


if __name__ == "__main__":
    main()
