# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public host names of AWS that the lab knows, and which service answers at each.

Beside the fixed tables, every private DNS name of an endpoint service that a Region's catalogue offers
is a public host too: that is what the endpoint's name overrides.
https://docs.aws.amazon.com/general/latest/gr/bedrock.html and .../sagemaker.html, botocore's rule sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .iam_patterns import glob
from .state import State

# botocore's service -> host templates (R is the Region) that exist in every Region here.
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("bedrock.R.amazonaws.com", "bedrock-fips.R.amazonaws.com"),
    "bedrock-runtime": ("bedrock-runtime.R.amazonaws.com", "bedrock-runtime-fips.R.amazonaws.com"),
    "bedrock-agent": ("bedrock-agent.R.amazonaws.com",),
    "bedrock-agent-runtime": ("bedrock-agent-runtime.R.amazonaws.com",),
    "bedrock-data-automation": (
        "bedrock-data-automation.R.amazonaws.com",
        "bedrock-data-automation-fips.R.amazonaws.com",
    ),
    "bedrock-data-automation-runtime": (
        "bedrock-data-automation-runtime.R.amazonaws.com",
        "bedrock-data-automation-runtime-fips.R.amazonaws.com",
    ),
    "bedrock-agentcore": ("bedrock-agentcore.R.amazonaws.com",),
    "bedrock-mantle": ("bedrock-mantle.R.api.aws",),
    "bedrock-agentcore-control": ("bedrock-agentcore-control.R.amazonaws.com",),
    "sagemaker": ("api.sagemaker.R.amazonaws.com", "api-fips.sagemaker.R.amazonaws.com"),
    "sagemaker-runtime": (
        "runtime.sagemaker.R.amazonaws.com",
        "runtime-fips.sagemaker.R.amazonaws.com",
    ),
    "sagemaker-featurestore-runtime": ("featurestore-runtime.sagemaker.R.amazonaws.com",),
    "sagemaker-metrics": ("metrics.sagemaker.R.amazonaws.com",),
}
# Variants that AWS's tables do not list: they exist where an endpoint service names them.
_WHERE_OFFERED: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("bedrock.R.api.aws",),
    "bedrock-runtime": ("bedrock-runtime.R.api.aws",),
    "bedrock-agent": ("bedrock-agent-fips.R.amazonaws.com", "bedrock-agent.R.api.aws"),
    "bedrock-agent-runtime": (
        "bedrock-agent-runtime-fips.R.amazonaws.com",
        "bedrock-agent-runtime.R.api.aws",
    ),
    "sagemaker": ("api.sagemaker.R.api.aws",),
    "sagemaker-runtime": ("runtime.sagemaker.R.api.aws",),
}
# The endpoint service (suffix) whose interfaces answer for a data-plane service.
_ENDPOINT_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("bedrock", "bedrock-fips"),
    "bedrock-runtime": ("bedrock-runtime", "bedrock-runtime-fips"),
    "bedrock-agent": ("bedrock-agent", "bedrock-agent-fips"),
    "bedrock-agent-runtime": ("bedrock-agent-runtime", "bedrock-agent-runtime-fips"),
    "bedrock-data-automation": ("bedrock-data-automation", "bedrock-data-automation-fips"),
    "bedrock-data-automation-runtime": (
        "bedrock-data-automation-runtime",
        "bedrock-data-automation-runtime-fips",
    ),
    "bedrock-agentcore": ("bedrock-agentcore",),
    "bedrock-mantle": ("bedrock-mantle",),
    "bedrock-agentcore-control": ("bedrock-agentcore-control",),
    "sagemaker": ("sagemaker.api", "sagemaker.api-fips"),
    "sagemaker-featurestore-runtime": ("sagemaker.featurestore-runtime",),
    "sagemaker-metrics": ("sagemaker.metrics",),
    "sagemaker-runtime": ("sagemaker.runtime", "sagemaker.runtime-fips"),
}
_REGIONAL_CONTROL = (
    "ec2.R.amazonaws.com",
    "ec2-fips.R.amazonaws.com",
    "ec2.R.api.aws",
    "sts.R.amazonaws.com",
    "sts-fips.R.amazonaws.com",
    "access-analyzer.R.amazonaws.com",
    "access-analyzer-fips.R.amazonaws.com",
    "access-analyzer.R.api.aws",
    "cloudtrail.R.amazonaws.com",
    "cloudtrail-fips.R.amazonaws.com",
)
_GLOBAL_CONTROL = (
    "sts.amazonaws.com",
    "iam.amazonaws.com",
    "route53.amazonaws.com",
    "route53-fips.amazonaws.com",
    "organizations.us-east-1.amazonaws.com",
    "organizations-fips.us-east-1.amazonaws.com",
)


@dataclass(frozen=True)
class DataHost:
    """A host of a simulated data plane. `service` is botocore's name of the service."""

    host: str
    service: str
    region: str


def data_host(state: State, host: str) -> DataHost | None:
    """The simulated data plane behind a host: a public name or an endpoint's own name."""
    for region in state.regions:
        for service in _ALWAYS:
            if host in _in(region, _ALWAYS[service]) or (
                host in _in(region, _WHERE_OFFERED.get(service, ()))
                and _is_offered(state, region, host)
            ):
                return DataHost(host, service, region)
            for name in endpoint_service_names(service, region):
                offered = state.services[region].get(name)
                if offered and host.endswith(f".{offered.domain}"):
                    return DataHost(host, service, region)
    return None


def endpoint_service_names(service: str, region: str) -> tuple[str, ...]:
    """Full names of the endpoint services that lead to a data-plane service."""
    return tuple(f"com.amazonaws.{region}.{each}" for each in _ENDPOINT_SUFFIXES[service])


def is_public(state: State, host: str) -> bool:
    """Whether the public DNS knows this host."""
    return host in _GLOBAL_CONTROL or any(
        host in _in(region, _REGIONAL_CONTROL)
        or any(host in _in(region, templates) for templates in _ALWAYS.values())
        or _is_offered(state, region, host)
        for region in state.regions
    )


def _in(region: str, templates: Sequence[str]) -> list[str]:
    return [each.replace("R", region, 1) for each in templates]


def _is_offered(state: State, region: str, host: str) -> bool:
    """Whether an endpoint service of the Region has this as a private DNS name."""
    services = state.services.get(region, {}).values()
    return any(glob(name, host) for each in services for name in each.private_dns_names)


def is_amazons(name: str) -> bool:
    """Whether a name lies in a domain that AWS answers for, known or not."""
    return f".{name}".endswith((".amazonaws.com", ".api.aws", ".sagemaker.aws"))


def public_addresses(host: str) -> tuple[str, ...]:
    """Two stable IPv4 addresses of a public host, in 203.0.113.64 to .253."""
    digest = hashlib.sha256(host.encode()).digest()
    first = digest[0] % 95
    return tuple(f"203.0.113.{64 + offset}" for offset in (first, 95 + first))


def public_ipv6(host: str) -> tuple[str, ...]:
    """The IPv6 address of a dual-stack host; other hosts have none."""
    if not host.endswith(".api.aws"):
        return ()
    digest = hashlib.sha256(host.encode()).hexdigest()
    return (f"2001:db8:53::{digest[:4].lstrip('0') or '0'}",)
