# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the create phase needs to know of one VPC: five reads in one round trip, a second one only when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..core.aws.plan_create_types import GONE, Endpoint, Observed
from . import create_convert as convert
from .client import AwsError, Connection, calling, gather

Filters = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was read: the plan's view, and the endpoints with their interfaces as the evidence shows them."""

    observed: Observed
    documents: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to read. services: full names to ask the Region for; None asks for none. groups: filter, None for none."""

    vpc_id: str
    services: tuple[str, ...] | None
    subnet_filters: Mapping[str, Any]
    with_subnets: bool = True
    group_filter: tuple[str, tuple[str, ...]] | None = None


def observe(connection: Connection, question: Question) -> Snapshot:
    """Read endpoints, interfaces, subnets, security groups and the Region's offers at once."""
    vpc = {"Name": "vpc-id", "Values": [question.vpc_id]}
    reads: dict[str, Callable[[], list[Any]]] = {
        "endpoints": _pages(
            connection,
            "describe_vpc_endpoints",
            [vpc, {"Name": "vpc-endpoint-type", "Values": ["Interface"]}],
        ),
        "interfaces": _pages(
            connection,
            "describe_network_interfaces",
            [vpc, {"Name": "interface-type", "Values": ["vpc_endpoint"]}],
        ),
    }
    if question.with_subnets:
        filters = [vpc, *_filters(question.subnet_filters)]
        reads["subnets"] = _pages(connection, "describe_subnets", filters)
    if question.group_filter:
        name, values = question.group_filter
        filters = [vpc, {"Name": name, "Values": list(values)}]
        reads["groups"] = _pages(connection, "describe_security_groups", filters)
    if question.services:
        reads["offers"] = partial(_offers, connection, question.services)
    found = gather(reads)
    return _snapshot(connection, question, found)


def explain(
    connection: Connection,
    snapshot: Snapshot,
    *,
    subnet_ids: Sequence[str] = (),
    group_ids: Sequence[str] = (),
    vpc: bool = False,
    dns: bool = False,
    zones: bool = False,
) -> Snapshot:
    """The second round trip: where ids that were not found lie, whether the VPC exists, what its DNS allows."""
    vpc_id = snapshot.observed.vpc_id
    reads: dict[str, Callable[[], Any]] = {}
    if vpc:
        reads["vpc"] = _pages(connection, "describe_vpcs", [{"Name": "vpc-id", "Values": [vpc_id]}])
    if subnet_ids:
        filters = [{"Name": "subnet-id", "Values": list(subnet_ids)}]
        reads["subnets"] = _pages(connection, "describe_subnets", filters)
    if group_ids:
        filters = [{"Name": "group-id", "Values": list(group_ids)}]
        reads["groups"] = _pages(connection, "describe_security_groups", filters)
    if dns:
        for name in ("enableDnsSupport", "enableDnsHostnames"):
            reads[name] = _attribute(connection, vpc_id, name)
    if zones:
        reads["zones"] = partial(_zones, connection, vpc_id)
    found = gather(reads)
    observed = snapshot.observed
    return replace(
        snapshot,
        observed=replace(
            observed,
            vpc_exists=bool(found["vpc"]) if "vpc" in found else observed.vpc_exists,
            places={item["SubnetId"]: item["VpcId"] for item in found.get("subnets", ())},
            group_places={item["GroupId"]: item["VpcId"] for item in found.get("groups", ())},
            dns_support=found.get("enableDnsSupport"),
            dns_hostnames=found.get("enableDnsHostnames"),
            zones=found.get("zones", {}),
        ),
    )


def endpoints_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, Endpoint]:
    """The endpoints that exist of those asked for; an unknown id fails a whole request, and then each is asked for."""
    names = sorted(ids)
    try:
        found = _pages(connection, "describe_vpc_endpoints", VpcEndpointIds=names)()
    except AwsError as error:
        if error.kind != "missing":
            raise
        if len(names) == 1:
            return {}
        parts = gather({name: partial(endpoints_by_id, connection, [name]) for name in names})
        return {name: item for part in parts.values() for name, item in part.items()}
    return {item["VpcEndpointId"]: convert.endpoint(item) for item in found}


def live_endpoints(connection: Connection, vpc_id: str, service: str) -> list[Endpoint]:
    """The endpoints of a service in a VPC that are not on their way out, the oldest first."""
    filters = [
        {"Name": "vpc-id", "Values": [vpc_id]},
        {"Name": "service-name", "Values": [service]},
    ]
    found = map(convert.endpoint, _pages(connection, "describe_vpc_endpoints", filters)())
    live = (item for item in found if item.state not in GONE)
    return sorted(live, key=lambda item: (item.created_at, item.id))


_RESULTS = {
    "describe_vpc_endpoints": "VpcEndpoints",
    "describe_network_interfaces": "NetworkInterfaces",
    "describe_subnets": "Subnets",
    "describe_security_groups": "SecurityGroups",
    "describe_vpc_endpoint_services": "ServiceDetails",
    "describe_vpcs": "Vpcs",
}


def _offers(connection: Connection, names: Sequence[str]) -> list[Any]:
    """What the Region offers of these services. A name that it lacks fails the request by names: then a filter asks."""
    operation = "describe_vpc_endpoint_services"
    try:
        return _pages(connection, operation, ServiceNames=list(names))()
    except AwsError as error:
        if error.code != "InvalidServiceName":
            raise
    return _pages(connection, operation, [{"Name": "service-name", "Values": list(names)}])()


def _pages(
    connection: Connection, operation: str, filters: Filters | None = None, **parameters: Any
) -> Callable[[], list[Any]]:
    if filters:
        parameters["Filters"] = filters

    def read() -> list[Any]:
        action = "ec2:" + "".join(word.capitalize() for word in operation.split("_"))
        client = connection.client("ec2")
        found: list[Any] = []
        token: dict[str, str] = {}
        while True:
            with calling(f"region {connection.region}", action):
                answer = getattr(client, operation)(**parameters, **token)
            found += answer.get(_RESULTS[operation], ())
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    return read


def _attribute(connection: Connection, vpc_id: str, name: str) -> Callable[[], bool]:
    def read() -> bool:
        with calling(vpc_id, "ec2:DescribeVpcAttribute"):
            answer = connection.client("ec2").describe_vpc_attribute(VpcId=vpc_id, Attribute=name)
        return bool(answer[name[0].upper() + name[1:]]["Value"])

    return read


def _zones(connection: Connection, vpc_id: str) -> dict[str, str]:
    """The private hosted zones of accounts; the zones that stand for endpoints belong to AWS and go with them."""
    found: dict[str, str] = {}
    token: dict[str, str] = {}
    while True:
        with calling(vpc_id, "route53:ListHostedZonesByVPC"):
            answer = connection.client("route53").list_hosted_zones_by_vpc(
                VPCId=vpc_id, VPCRegion=connection.region, **token
            )
        for zone in answer["HostedZoneSummaries"]:
            if zone["Owner"].get("OwningAccount"):
                found[zone["Name"].rstrip(".").lower()] = zone["HostedZoneId"]
        if not answer.get("NextToken"):
            return found
        token = {"NextToken": answer["NextToken"]}


def _filters(filters: Mapping[str, Any]) -> Filters:
    return [
        {
            "Name": name,
            "Values": [str(item) for item in (value if isinstance(value, list) else [value])],
        }
        for name, value in filters.items()
    ]


def _snapshot(
    connection: Connection, question: Question, found: Mapping[str, list[Any]]
) -> Snapshot:
    interfaces: dict[str, dict[str, Any]] = {
        item["NetworkInterfaceId"]: item for item in found["interfaces"]
    }
    return Snapshot(
        observed=Observed(
            vpc_id=question.vpc_id,
            region=connection.region,
            subnets={item["SubnetId"]: convert.subnet(item) for item in found.get("subnets", ())},
            offers={item["ServiceName"]: convert.offer(item) for item in found.get("offers", ())},
            endpoints=tuple(convert.endpoint(item) for item in found["endpoints"]),
            groups=tuple(convert.group(item) for item in found.get("groups", ())),
            zones_of_used={
                item["SubnetId"]: item["AvailabilityZone"] for item in interfaces.values()
            },
        ),
        documents={
            item["VpcEndpointId"]: convert.document(item, interfaces) for item in found["endpoints"]
        },
    )
