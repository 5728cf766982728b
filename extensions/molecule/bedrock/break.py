# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches private DNS of a VPC's first endpoint off. Arguments: Region, VPC."""

import sys

import boto3

region, vpc = sys.argv[1:]
login = {
    "aws_access_key_id": "AKIALABAPPADMIN00000",
    "aws_secret_access_key": "lab-secret-app-admin",
}
ec2 = boto3.client("ec2", region_name=region, **login)
found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
interfaces = sorted(e["VpcEndpointId"] for e in found if e["VpcEndpointType"] == "Interface")
ec2.modify_vpc_endpoint(VpcEndpointId=interfaces[0], PrivateDnsEnabled=False)
