# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AI services of AWS that are reached through interface endpoints: names, hosts, planes, and one cheap read each.

Discovery wins over this page: what DescribeVpcEndpointServices says about hosts and zones replaces it. Names:
https://docs.aws.amazon.com/bedrock/latest/userguide/vpc-interface-endpoints.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/interface-vpc-endpoint.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..contracts import Plane
from ..errors import EndpointError


@dataclass(frozen=True, kw_only=True)
class Read:
    """A signed request that changes nothing, costs nothing and needs no argument.

    name: its IAM action; path: with `{region}` nowhere; body: as sent.
    """

    name: str
    method: str
    path: str
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Service:
    """One endpoint service.

    short: what users write. full, hosts, dual_stack_hosts: with `{region}` in them. iam_prefix: of its actions.
    signing_name: the service name in a SigV4 signature. fips: whether it is the FIPS variant of another service.
    probe: None where the service has no read that needs no resource.
    """

    short: str
    full: str
    iam_prefix: str
    plane: Plane
    hosts: tuple[str, ...]
    dual_stack_hosts: tuple[str, ...] = ()
    signing_name: str = "bedrock"
    fips: bool = False
    probe: Read | None = None

    def full_name(self, region: str) -> str:
        """`com.amazonaws.us-east-1.bedrock-runtime`."""
        return self.full.format(region=region)

    def host_names(self, region: str) -> tuple[str, ...]:
        """The hosts that clients call without asking for a variant."""
        return tuple(host.format(region=region) for host in self.hosts)

    def host_variants(self, region: str) -> tuple[str, ...]:
        """Also the dual-stack hosts. FIPS hosts belong to a service of their own."""
        return tuple(host.format(region=region) for host in (*self.hosts, *self.dual_stack_hosts))

    def probe_action(self, region: str) -> dict[str, Any] | None:
        """The read as a probe target carries it, complete enough to sign and send it."""
        if self.probe is None:
            return None
        return {
            "name": self.probe.name,
            "method": self.probe.method,
            "path": self.probe.path,
            "headers": dict(self.probe.headers),
            "body": self.probe.body,
            "auth": "aws4",
            "signing_name": self.signing_name,
            "region": region,
        }


@dataclass(frozen=True, kw_only=True)
class Requested:
    """A service that a user asked for. required: False when a preset brought it and the Region may lack it."""

    name: str
    short: str
    service: Service | None
    required: bool = True


_MODELS = Read(name="bedrock:ListFoundationModels", method="GET", path="/foundation-models")
_INVOKES = Read(name="bedrock:ListAsyncInvokes", method="GET", path="/async-invoke?maxResults=1")
_JSON = (("content-type", "application/json"),)
_AGENTS = Read(
    name="bedrock:ListAgents",
    method="POST",
    path="/agents/",
    body='{"maxResults":1}',
    headers=_JSON,
)
_SESSIONS = Read(name="bedrock:ListSessions", method="POST", path="/sessions/?maxResults=1")
_PROJECTS = Read(
    name="bedrock:ListDataAutomationProjects",
    method="POST",
    path="/data-automation-projects/",
    body='{"maxResults":1}',
    headers=_JSON,
)
_RUNTIMES = Read(
    name="bedrock-agentcore:ListAgentRuntimes", method="POST", path="/runtimes/?maxResults=1"
)
_ENDPOINTS = Read(
    name="sagemaker:ListEndpoints",
    method="POST",
    path="/",
    body='{"MaxResults":1}',
    headers=(
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "SageMaker.ListEndpoints"),
    ),
)


def _bedrock(
    short: str, plane: Plane, probe: Read | None = None, *, prefix: str = "bedrock"
) -> Service:
    return Service(
        short=short,
        full="com.amazonaws.{region}." + short,
        iam_prefix=prefix,
        plane=plane,
        hosts=(short + ".{region}.amazonaws.com",),
        dual_stack_hosts=(short + ".{region}.api.aws",),
        signing_name=prefix,
        fips=short.endswith("-fips"),
        probe=probe,
    )


def _sagemaker(short: str, plane: Plane, host: str, probe: Read | None = None) -> Service:
    return Service(
        short=short,
        full="com.amazonaws.{region}." + short,
        iam_prefix="sagemaker",
        plane=plane,
        hosts=(host + ".sagemaker.{region}.amazonaws.com",),
        dual_stack_hosts=(host + ".sagemaker.{region}.api.aws",),
        signing_name="sagemaker",
        fips=short.endswith("-fips"),
        probe=probe,
    )


def _sagemaker_ui(name: str) -> Service:
    return Service(
        short="sagemaker." + name,
        full="aws.sagemaker.{region}." + name,
        iam_prefix="sagemaker",
        plane="runtime",
        hosts=("*." + name + ".{region}.sagemaker.aws",),
        signing_name="sagemaker",
    )


_SERVICES = (
    _bedrock("bedrock", "management", _MODELS),
    _bedrock("bedrock-fips", "management", _MODELS),
    _bedrock("bedrock-runtime", "runtime", _INVOKES),
    _bedrock("bedrock-runtime-fips", "runtime", _INVOKES),
    Service(
        short="bedrock-mantle",
        full="com.amazonaws.{region}.bedrock-mantle",
        iam_prefix="bedrock-mantle",
        plane="runtime",
        hosts=("bedrock-mantle.{region}.api.aws",),
        signing_name="bedrock-mantle",
    ),
    _bedrock("bedrock-agent", "management", _AGENTS),
    _bedrock("bedrock-agent-runtime", "runtime", _SESSIONS),
    _bedrock("bedrock-data-automation", "management", _PROJECTS),
    _bedrock("bedrock-data-automation-fips", "management", _PROJECTS),
    _bedrock("bedrock-data-automation-runtime", "runtime"),
    _bedrock("bedrock-data-automation-runtime-fips", "runtime"),
    _bedrock("bedrock-agentcore", "runtime", prefix="bedrock-agentcore"),
    _bedrock("bedrock-agentcore-control", "management", _RUNTIMES, prefix="bedrock-agentcore"),
    Service(
        short="bedrock-agentcore.gateway",
        full="com.amazonaws.{region}.bedrock-agentcore.gateway",
        iam_prefix="bedrock-agentcore",
        plane="runtime",
        hosts=("*.gateway.bedrock-agentcore.{region}.amazonaws.com",),
        signing_name="bedrock-agentcore",
    ),
    _sagemaker("sagemaker.api", "management", "api", _ENDPOINTS),
    _sagemaker("sagemaker.runtime", "runtime", "runtime"),
    _sagemaker("sagemaker.runtime-fips", "runtime", "runtime-fips"),
    _sagemaker("sagemaker.featurestore-runtime", "runtime", "featurestore-runtime"),
    _sagemaker("sagemaker.metrics", "runtime", "metrics"),
    *map(_sagemaker_ui, ("studio", "notebook", "experiments", "partner-app", "mlflow")),
)

CATALOGUE: Mapping[str, Service] = MappingProxyType({item.short: item for item in _SERVICES})

# The FIPS variants cost as much as any endpoint and serve few: they are asked for by name.
PRESETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bedrock": ("bedrock", "bedrock-runtime"),
        "bedrock_all": tuple(
            item.short for item in _SERVICES if "bedrock" in item.short and not item.fips
        ),
        "sagemaker": ("sagemaker.api", "sagemaker.runtime"),
    }
)
# Of this preset, what the Region does not offer is left out instead of refused.
_BEST_EFFORT = frozenset({"bedrock_all"})


def lookup(full_name: str, region: str) -> Service | None:
    """The catalogue's entry for a full service name; None for a service that it does not know."""
    for item in _SERVICES:
        if item.full_name(region) == full_name:
            return item
    return None


def short_name(full_name: str, region: str) -> str:
    """What users write for a service; the full name itself when the catalogue does not know it."""
    known = lookup(full_name, region)
    return known.short if known else full_name


def requested(names: Iterable[str], region: str) -> list[Requested]:
    """Presets, short names and full names as services, each once, in the order asked for.

    A preset and a short name may be the same word (`bedrock`): the preset wins, since it holds the service.
    EndpointError for a word that is none of them, and for a full name of another Region.
    """
    found: dict[str, Requested] = {}
    problems: list[str] = []
    for name in names:
        if name in PRESETS:
            for short in PRESETS[name]:
                _add(found, CATALOGUE[short], region, required=name not in _BEST_EFFORT)
        elif name in CATALOGUE:
            _add(found, CATALOGUE[name], region, required=True)
        elif "." not in name or not name.startswith(("com.", "aws.", "cn.")):
            problems.append(f"{name!r} is neither a preset nor a service that the catalogue knows")
        elif region not in name.split("."):
            problems.append(f"{name} is not a service of the Region {region}")
        else:
            known = lookup(name, region)
            if known:
                _add(found, known, region, required=True)
            else:
                found.setdefault(name, Requested(name=name, short=name, service=None))
    if problems:
        raise EndpointError(
            "; ".join(problems),
            resource="services",
            fix="Use "
            + ", ".join(sorted({*PRESETS, *CATALOGUE}))
            + f", or a full name such as com.amazonaws.{region}.bedrock-runtime",
        )
    return list(found.values())


def _add(found: dict[str, Requested], item: Service, region: str, *, required: bool) -> None:
    name = item.full_name(region)
    required = required or (name in found and found[name].required)
    found[name] = Requested(name=name, short=item.short, service=item, required=required)


def probe_hosts(full_name: str, region: str, private_dns_names: Sequence[str]) -> tuple[str, ...]:
    """The hosts of a service that can be probed: what discovery says, else the catalogue's; no wildcard names."""
    known = lookup(full_name, region)
    names = tuple(private_dns_names) or (known.host_names(region) if known else ())
    return tuple(sorted(name.rstrip(".").lower() for name in names if not name.startswith("*")))
