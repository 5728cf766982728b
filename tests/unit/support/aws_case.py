# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A target on AWS in which everything is right, to break one thing at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import Request

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
REGION = "us-east-1"
ACCOUNT, MANAGEMENT, ORGANIZATION = "222222222222", "111111111111", "o-labprivate1"
APP_VPC, SPOKE_VPC, PEERING = "vpc-0a", "vpc-0b", "pcx-0ab"
CALLER = f"arn:aws:iam::{ACCOUNT}:user/app"
MODELS, RUNTIME = f"bedrock.{REGION}.amazonaws.com", f"bedrock-runtime.{REGION}.amazonaws.com"
ADDRESSES = {
    MODELS: ["10.10.1.5", "10.10.2.5", "10.10.3.5"],
    RUNTIME: ["10.10.1.6", "10.10.2.6"],
}
READS = {MODELS: "bedrock:ListFoundationModels", RUNTIME: "bedrock:ListAsyncInvokes"}
SERVICES = {MODELS: "bedrock", RUNTIME: "bedrock-runtime"}
INSIDE = {"app-a": "subnet-a", "app-b": "subnet-b", "app-c": "subnet-c"}
BOUND_POLICY = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["bedrock:List*", "bedrock:Get*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
        }
    ]
}


def endpoint(identifier: str, host: str, subnets: list[str], **changes: Any) -> dict[str, Any]:
    """An available endpoint with private DNS."""
    return {
        "id": identifier,
        "service": f"com.amazonaws.{REGION}.{SERVICES[host]}",
        "type": "Interface",
        "state": "available",
        "vpc_id": APP_VPC,
        "subnet_ids": subnets,
        "security_group_ids": ["sg-endpoints"],
        "private_dns_enabled": True,
        "ip_address_type": "ipv4",
        "dns_record_ip_type": "ipv4",
        "policy": copy.deepcopy(BOUND_POLICY),
        "network_interfaces": [
            {
                "id": f"eni-{identifier}-{index}",
                "subnet_id": subnets[index],
                "az": f"{REGION}{subnets[index][-1]}",
                "addresses": [address],
                "ipv6_addresses": [],
            }
            for index, address in enumerate(ADDRESSES[host])
        ],
        "dns_entries": [
            {"name": f"{identifier}.{SERVICES[host]}.vpce.amazonaws.com", "zone_id": "Z1"}
        ],
        "tags": {},
        "last_error": None,
        "created_at": None,
        **changes,
    }


def zone(host: str, endpoint_id: str, vpcs: list[str]) -> dict[str, Any]:
    """A private zone with an alias to an endpoint."""
    return {
        "id": f"Z{endpoint_id}",
        "name": host,
        "vpcs": [{"id": vpc, "region": REGION} for vpc in vpcs],
        "records": [
            {
                "name": host,
                "type": "A",
                "ttl": None,
                "values": [],
                "alias": {
                    "name": f"{endpoint_id}.{SERVICES[host]}.vpce.amazonaws.com",
                    "zone_id": "Z1",
                },
            }
        ],
    }


def rule(cidr: str | None, **changes: Any) -> dict[str, Any]:
    """A security group's ingress rule for TCP 443."""
    return {
        "id": "sgr-1",
        "egress": False,
        "protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr": cidr,
        "cidr_v6": None,
        "prefix_list_id": None,
        "group_id": None,
        "description": None,
        **changes,
    }


def lock_statement(**condition: Any) -> dict[str, Any]:
    """The Deny that locks; keyword arguments replace its condition."""
    return {
        "Sid": "Lock",
        "Effect": "Deny",
        "Action": ["bedrock:*", "sagemaker:*"],
        "Resource": "*",
        "Condition": condition
        or {
            "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-models", "vpce-runtime"]},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
            "ArnNotLikeIfExists": {
                "aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/break-glass"]
            },
        },
    }


def enforcement(*statements: dict[str, Any]) -> dict[str, Any]:
    """An organisation whose account has these statements in effect."""
    full = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    full_access = {
        "id": "p-FullAWSAccess",
        "name": "FullAWSAccess",
        "content": {"Statement": [full]},
    }
    return {
        "organization_id": ORGANIZATION,
        "management_account_id": MANAGEMENT,
        "account_id": ACCOUNT,
        "scp_enabled": True,
        "path": [
            {"id": "r-1", "type": "ROOT", "name": "Root", "policies": [full_access]},
            {
                "id": ACCOUNT,
                "type": "ACCOUNT",
                "name": "app",
                "policies": [
                    full_access,
                    {"id": "p-lock", "name": "lock", "content": {"Statement": list(statements)}},
                ],
            },
        ],
    }


def call(**changes: Any) -> dict[str, Any]:
    """A group of recorded calls through an endpoint."""
    return {
        "principal": CALLER,
        "principal_type": "IAMUser",
        "operation": "InvokeModel",
        "event_source": "bedrock.amazonaws.com",
        "region": REGION,
        "vpc_endpoint_id": "vpce-runtime",
        "invoked_by": None,
        "error_code": None,
        "source_ip": "10.10.1.10",
        "count": 3,
        "first_seen": "2026-02-28T00:00:00Z",
        "last_seen": "2026-02-28T01:00:00Z",
        **changes,
    }


def evidence() -> dict[str, Any]:
    """Evidence in which everything is right."""
    allow_all = {"number": 100, "protocol": "-1", "action": "allow", "cidr": "0.0.0.0/0"}
    entries = [
        {**allow_all, "egress": way, "from_port": None, "to_port": None} for way in (True, False)
    ]
    zones = [f"{REGION}{letter}" for letter in "abc"]
    return {
        "schema_version": 1,
        "kind": "evidence",
        "cloud": "aws",
        "target": "app-use1",
        "collected_at": "2026-03-01T12:00:00Z",
        "account_id": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "gathered": ["network", "endpoints", "dns", "enforcement", "traffic"],
        "missing": [],
        "vpc": {
            "id": APP_VPC,
            "cidrs": ["10.10.0.0/16"],
            "ipv6_cidrs": [],
            "dns_support": True,
            "dns_hostnames": True,
            "owner_id": ACCOUNT,
        },
        "subnets": [
            {
                "id": f"subnet-{letter}",
                "cidr": f"10.10.{index}.0/24",
                "ipv6_cidrs": [],
                "az": f"{REGION}{letter}",
                "az_id": f"use1-az{index}",
                "route_table_id": "rtb-1",
                "network_acl_id": "acl-1",
                "tags": {},
            }
            for index, letter in enumerate("abc", start=1)
        ],
        "route_tables": [
            {
                "id": "rtb-1",
                "routes": [
                    {"destination": "10.10.0.0/16", "target": "local", "state": "active"},
                    {"destination": "10.20.0.0/16", "target": PEERING, "state": "active"},
                ],
            }
        ],
        "network_acls": [{"id": "acl-1", "entries": entries}],
        "peerings": [
            {
                "id": PEERING,
                "status": "active",
                "vpc_id": APP_VPC,
                "peer_vpc_id": SPOKE_VPC,
                "peer_account_id": ACCOUNT,
                "peer_region": REGION,
                "peer_cidrs": ["10.20.0.0/16"],
            }
        ],
        "endpoints": [
            endpoint("vpce-models", MODELS, ["subnet-a", "subnet-b", "subnet-c"]),
            endpoint("vpce-runtime", RUNTIME, ["subnet-a", "subnet-b"]),
        ],
        "security_groups": [
            {
                "id": "sg-endpoints",
                "name": "endpoints",
                "is_default": False,
                "vpc_id": APP_VPC,
                "tags": {},
                "rules": [rule("10.10.0.0/16"), rule("10.20.0.0/16", id="sgr-2")],
            }
        ],
        "services": [
            {
                "name": f"com.amazonaws.{REGION}.{SERVICES[host]}",
                "private_dns_names": [host],
                "availability_zones": zones if host == MODELS else zones[:2],
                "policy_supported": True,
                "ip_address_types": ["ipv4"],
            }
            for host in (MODELS, RUNTIME)
        ],
        "zones": [
            zone(MODELS, "vpce-models", [SPOKE_VPC]),
            zone(RUNTIME, "vpce-runtime", [SPOKE_VPC]),
        ],
        "enforcement": enforcement(lock_statement()),
        "traffic": {
            "start": "2026-02-22T12:00:00Z",
            "end": "2026-03-01T12:00:00Z",
            "complete": True,
            "groups": [call()],
        },
    }


def connection(address: str, answer: str | None, **changes: Any) -> dict[str, Any]:
    """One connection that reached HTTP."""
    code = {"admitted": None, None: None}.get(answer, "AccessDeniedException")
    http = {"status": 200 if answer == "admitted" else 403, "code": code, "message": None}
    return {
        "address": address,
        "tcp": {"ok": True, "error": None, "ms": 1},
        "tls": {
            "ok": True,
            "version": "TLSv1.3",
            "names": [],
            "issuer": "C=US, O=Amazon, CN=Amazon RSA 2048 M02",
            "not_after": "x",
            "error": None,
            "ms": 1,
        },
        "http": {**http, "request_id": None, "answer": answer, "ms": 1} if answer else None,
        **changes,
    }


def unconnected(address: str, error: str) -> dict[str, Any]:
    """One connection that ended at TCP."""
    return connection(address, None, tcp={"ok": False, "error": error, "ms": 5000}, tls=None)


def observation(
    vantage: str,
    position: str,
    host: str,
    addresses: list[str],
    answer: str | None = "admitted",
    **changes: Any,
) -> dict[str, Any]:
    """What a vantage saw of a host; by name unless `pinned` is given."""
    pinned = changes.get("pinned")
    answers = [] if pinned else [{"type": "A", "address": item, "ttl": 60} for item in addresses]
    return {
        "schema_version": 1,
        "vantage": vantage,
        "position": position,
        "cloud": "aws",
        "target": "app-use1",
        "host": host,
        "port": 443,
        "service": SERVICES[host],
        "plane": "management" if host == MODELS else "runtime",
        "action": READS[host],
        "pinned": None,
        "observed_at": "2026-03-01T12:00:00Z",
        "resolver": {"nameservers": ["10.10.0.2"], "hosts_file": False},
        "dns": {
            "status": "skipped" if pinned else "ok",
            "chain": [],
            "answers": answers,
            "system": [] if pinned else list(addresses),
            "error": None,
            "ms": 1,
        },
        "connections": [connection(item, answer) for item in addresses],
        "principal": CALLER if answer != "unauthenticated" else None,
        "proxy": [],
        "error": None,
        "attempts": 1,
        **changes,
    }


PUBLIC = ["203.0.113.20"]


def by_name() -> list[dict[str, Any]]:
    """Everyone sees what should be seen under the lock."""
    seen = []
    for host, addresses in ADDRESSES.items():
        seen += [observation(name, "inside", host, addresses) for name in INSIDE]
        seen.append(observation("spoke-a", "spoke", host, addresses))
        seen.append(observation("outside", "outside", host, PUBLIC, "denied_scp"))
        seen.append(observation("canary", "canary", host, addresses))
    return seen


def pinned() -> list[dict[str, Any]]:
    """Every inside and spoke vantage is admitted at every address."""
    return [
        observation(name, position, host, [address], pinned=address)
        for host, addresses in ADDRESSES.items()
        for address in addresses
        for name, position in [*((item, "inside") for item in INSIDE), ("spoke-a", "spoke")]
    ]


def probe_targets() -> list[dict[str, Any]]:
    """Both hosts with their reads."""
    return [
        {
            "schema_version": 1,
            "host": host,
            "addresses": addresses,
            "cloud": "aws",
            "target": "app-use1",
            "service": SERVICES[host],
            "plane": "management" if host == MODELS else "runtime",
            "port": 443,
            "probe_action": {"name": READS[host], "method": "GET", "path": "/"},
        }
        for host, addresses in ADDRESSES.items()
    ]


def vantages() -> list[dict[str, Any]]:
    """Every place that traffic comes from."""
    listed = [
        {"name": name, "position": "inside", "subnet": subnet} for name, subnet in INSIDE.items()
    ]
    listed.append({"name": "spoke-a", "position": "spoke", "network": SPOKE_VPC})
    listed.append({"name": "outside", "position": "outside"})
    listed.append({"name": "canary", "position": "canary"})
    return listed


def request(*changes: Callable[[dict[str, Any]], object], **values: Any) -> Request:
    """A request in which everything is right, after these changes to its parts."""
    parts: dict[str, Any] = {
        "evidence": [evidence()],
        "observations": by_name(),
        "probe_targets": probe_targets(),
        "vantages": vantages(),
        "expect": "blocked",
        "fail_on": "never",
        **values,
    }
    for change in changes:
        change(parts)
    return Request(**parts, now=NOW)
