# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint services that a Region offers unless the world says otherwise.

Names and private DNS names: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .network import Service

ALL_ADDRESS_TYPES = ("ipv4", "dualstack", "ipv6")

# Suffix of com.amazonaws.<region>.<suffix> -> host (R is the Region).
_COMMON = {
    "bedrock": "bedrock.R.amazonaws.com",
    "bedrock-fips": "bedrock-fips.R.amazonaws.com",
    "bedrock-runtime": "bedrock-runtime.R.amazonaws.com",
    "bedrock-runtime-fips": "bedrock-runtime-fips.R.amazonaws.com",
    "bedrock-mantle": "bedrock-mantle.R.api.aws",
    "bedrock-agent": "bedrock-agent.R.amazonaws.com",
    "bedrock-agent-runtime": "bedrock-agent-runtime.R.amazonaws.com",
    "bedrock-data-automation": "bedrock-data-automation.R.amazonaws.com",
    "bedrock-data-automation-fips": "bedrock-data-automation-fips.R.amazonaws.com",
    "bedrock-data-automation-runtime": "bedrock-data-automation-runtime.R.amazonaws.com",
    "bedrock-data-automation-runtime-fips": "bedrock-data-automation-runtime-fips.R.amazonaws.com",
    "bedrock-agentcore": "bedrock-agentcore.R.amazonaws.com",
    "bedrock-agentcore-control": "bedrock-agentcore-control.R.amazonaws.com",
    "bedrock-agentcore.gateway": "*.gateway.bedrock-agentcore.R.amazonaws.com",
    "sagemaker.api": "api.sagemaker.R.amazonaws.com",
    "sagemaker.runtime": "runtime.sagemaker.R.amazonaws.com",
    "sagemaker.runtime-fips": "runtime-fips.sagemaker.R.amazonaws.com",
    "sagemaker.featurestore-runtime": "featurestore-runtime.sagemaker.R.amazonaws.com",
    "sagemaker.metrics": "metrics.sagemaker.R.amazonaws.com",
    "ec2": "ec2.R.amazonaws.com",
    "kms": "kms.R.amazonaws.com",
    "logs": "logs.R.amazonaws.com",
    "sts": "sts.R.amazonaws.com",
}
# Suffix of aws.sagemaker.<region>.<suffix>.
_SAGEMAKER_UI = ("studio", "notebook", "experiments", "partner-app", "mlflow")
_GATEWAYS = ("s3", "dynamodb")
# Only full access: a custom endpoint policy is refused.
_FULL_ACCESS_ONLY = frozenset({"experiments", "partner-app"})
# DescribeVpcEndpointServices names all address types for these; the rest is IPv4.
_DUAL_STACK = frozenset({"bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"})


def catalogue(
    region: str, zones: tuple[str, ...], overrides: Mapping[str, Mapping[str, Any]]
) -> dict[str, Service]:
    """All services of a Region by full name.

    overrides: full or short service name -> {zones, policy_supported, ip_address_types, private_dns_names,
    offered}; an unknown name adds a service.
    """
    offered: dict[str, dict[str, Any]] = {}
    for suffix, host in _COMMON.items():
        offered[f"com.amazonaws.{region}.{suffix}"] = {
            "private_dns_names": (host.replace("R", region),),
            "ip_address_types": ALL_ADDRESS_TYPES if suffix in _DUAL_STACK else ("ipv4",),
        }
    for suffix in _SAGEMAKER_UI:
        offered[f"aws.sagemaker.{region}.{suffix}"] = {
            "private_dns_names": (f"*.{suffix}.{region}.sagemaker.aws",),
            "policy_supported": suffix not in _FULL_ACCESS_ONLY,
        }
    for suffix in _GATEWAYS:
        offered[f"com.amazonaws.{region}.{suffix}"] = {
            "private_dns_names": (),
            "types": ("Gateway",),
        }
    for name, override in overrides.items():
        full = name if "." in name and region in name else f"com.amazonaws.{region}.{name}"
        changes = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in override.items()
        }
        if changes.pop("offered", True):
            offered[full] = {**offered.get(full, {"private_dns_names": ()}), **changes}
        else:
            offered.pop(full, None)
    return {
        name: Service(
            name=name,
            id="vpce-svc-0" + hashlib.sha256(name.encode()).hexdigest()[:16],
            region=region,
            **{"zones": zones, **settings},
        )
        for name, settings in offered.items()
    }
