# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2: VPC endpoints. Every refusal of CreateVpcEndpoint and ModifyVpcEndpoint that AWS is known for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import endpoint_life
from .ec2_common import Facts, Kind, invalid, required, specified_tags, tag_list
from .ec2_endpoint_checks import (
    check_address_type,
    check_private_dns,
    groups_of,
    policy_of,
    record_type_of,
    service_named,
    usable_subnets,
)
from .ec2_network import VPC
from .ec2_tables import ROUTE_TABLE
from .errors import AwsError
from .iam_request import Need, route53_keys, tags_at_creation
from .network import Endpoint, Route, Service, Vpc
from .operation import Control, Result, operation
from .state import new_id

QUOTA = 50  # interface endpoints per VPC


def _endpoints(control: Control) -> Iterable[Endpoint]:
    return [
        each
        for each in control.state.endpoints.values()
        if each.account == control.account and each.region == control.region
    ]


def _facts(_: Control, endpoint: Endpoint) -> Facts:
    return {
        "vpc-endpoint-id": [endpoint.id],
        "vpc-id": [endpoint.vpc_id],
        "service-name": [endpoint.service],
        "service-region": [endpoint.region],
        "vpc-endpoint-state": [endpoint.state],
        "vpc-endpoint-type": [endpoint.type],
        "ip-address-type": [endpoint.ip_address_type],
    }


def shown(control: Control, endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as DescribeVpcEndpoints gives it."""
    interface = endpoint.type == "Interface"
    groups = control.state.security_groups
    error = endpoint.last_error
    return {
        "VpcEndpointId": endpoint.id,
        "VpcEndpointType": endpoint.type,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service,
        "ServiceRegion": endpoint.region,
        "State": endpoint.state,
        "PolicyDocument": endpoint.policy_text,
        "RouteTableIds": endpoint.route_table_ids,
        "SubnetIds": endpoint.subnet_ids,
        "Groups": [
            {"GroupId": each, "GroupName": groups[each].name}
            for each in endpoint.security_groups
            if each in groups
        ],
        "IpAddressType": endpoint.ip_address_type,
        "DnsOptions": {"DnsRecordIpType": endpoint.dns_record_ip_type} if interface else None,
        "PrivateDnsEnabled": endpoint.private_dns_enabled,
        "RequesterManaged": False,
        "NetworkInterfaceIds": endpoint.interface_ids,
        "DnsEntries": [
            {"DnsName": name, "HostedZoneId": zone}
            for name, zone in endpoint_life.dns_entries(control.state, endpoint)
        ],
        "CreationTimestamp": endpoint.created_at,
        "OwnerId": endpoint.account,
        "LastError": {"Code": error[0], "Message": error[1]} if error else None,
        "Tags": tag_list(endpoint.tags),
    }


ENDPOINT = Kind[Endpoint](
    "vpce",
    "VpcEndpointIds",
    "VpcEndpoints",
    "InvalidVpcEndpointId.NotFound",
    "The Vpc Endpoint Id '{}' does not exist",
    _endpoints,
    lambda endpoint: endpoint.id,
    _facts,
    lambda endpoint: endpoint.tags,
    shown,
    "InvalidVpcEndpointId.Malformed",
)


@operation("ec2", "DescribeVpcEndpoints")
def describe_vpc_endpoints(control: Control) -> Result:
    return ENDPOINT.describe(control)


def _create_arns(control: Control) -> Sequence[str]:
    params = control.params
    return [
        control.arn("vpc", params.get("VpcId", "")),
        control.arn("vpc-endpoint", "*"),
        *(control.arn("subnet", each) for each in params.get("SubnetIds", ())),
        *(control.arn("security-group", each) for each in params.get("SecurityGroupIds", ())),
        *(control.arn("route-table", each) for each in params.get("RouteTableIds", ())),
    ]


def _create_needs(control: Control) -> Iterable[Need]:
    """The dependent actions that the service authorization reference lists."""
    params = control.params
    yield from tags_at_creation(control.operation, params, control.arn("vpc-endpoint", "*"))
    yield Need("ec2:DescribeVpcs")
    if params.get("SubnetIds"):
        yield Need("ec2:DescribeSubnets")
    if params.get("SecurityGroupIds"):
        yield Need("ec2:DescribeSecurityGroups")
    # AWS's own zone, of which nobody knows the id before.
    if params.get("VpcEndpointType") == "Interface" and params.get("PrivateDnsEnabled", True):
        vpc = {"VPCId": params.get("VpcId", ""), "VPCRegion": control.region}
        keys = route53_keys("AssociateVPCWithHostedZone", {"VPC": vpc})
        yield Need("route53:AssociateVPCWithHostedZone", "arn:aws:route53:::hostedzone/*", keys)


@operation("ec2", "CreateVpcEndpoint", resources=_create_arns, dependents=_create_needs)
def create_vpc_endpoint(control: Control) -> Result:
    params = control.params
    tags = specified_tags(control, "vpc-endpoint")
    if (made := _made_before(control)) is not None:
        return _created(control, made)
    vpc = VPC.find(control, required(control, "VpcId"))
    service = service_named(control, required(control, "ServiceName"))
    kind = params.get("VpcEndpointType", "Gateway")
    if kind not in service.types:
        offered = ", ".join(service.types)
        raise invalid(
            f"Endpoint type ({kind}) does not match available service types ([{offered}])."
        )
    policy_text = params.get("PolicyDocument") or endpoint_life.FULL_ACCESS_TEXT
    policy = policy_of(service, policy_text)
    if "SubnetConfigurations" in params:
        raise AwsError("UnsupportedOperation", "The lab does not simulate SubnetConfigurations.")
    make = _gateway if kind == "Gateway" else _interface
    endpoint = make(control, vpc, service)
    endpoint.policy, endpoint.policy_text, endpoint.tags = policy, policy_text, tags
    control.state.endpoints[endpoint.id] = endpoint
    if token := params.get("ClientToken"):
        key = (control.account, "CreateVpcEndpoint", token)
        control.state.client_tokens[key] = (_request_text(params), endpoint.id)
    return _created(control, endpoint)


def _created(control: Control, endpoint: Endpoint) -> Result:
    # The create call capitalises the state; the describe call does not.
    view = shown(control, endpoint)
    view["State"] = endpoint.state.capitalize()
    return {"VpcEndpoint": view, "ClientToken": control.params.get("ClientToken")}


def _request_text(params: Mapping[str, Any]) -> str:
    return json.dumps({k: v for k, v in params.items() if k != "DryRun"}, sort_keys=True)


def _made_before(control: Control) -> Endpoint | None:
    """The endpoint that a call with the same ClientToken made, when it still exists."""
    token = control.params.get("ClientToken")
    if not token:
        return None
    if len(token) > 64:
        raise AwsError("InvalidParameterValue", "ClientToken must be at most 64 ASCII characters.")
    made = control.state.client_tokens.get((control.account, "CreateVpcEndpoint", token))
    if made is None:
        return None
    if made[0] != _request_text(control.params):
        raise AwsError(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request.",
        )
    return control.state.endpoints.get(made[1])


def _gateway(control: Control, vpc: Vpc, service: Service) -> Endpoint:
    params = control.params
    for name, label in (
        ("SubnetIds", "Subnet IDs are"),
        ("SecurityGroupIds", "Security group IDs are"),
        ("PrivateDnsEnabled", "Private DNS is"),
    ):
        if params.get(name):
            raise invalid(f"{label} only supported for Interface type VPC Endpoint.")
    endpoint = _new(control, vpc, service, "Gateway")
    for table_id in params.get("RouteTableIds", ()):
        table = ROUTE_TABLE.find(control, table_id)
        table.routes.append(Route(f"pl-{secrets.token_hex(4)}", endpoint.id))
        endpoint.route_table_ids.append(table.id)
    endpoint.state = "available"
    return endpoint


def _interface(control: Control, vpc: Vpc, service: Service) -> Endpoint:
    params, state = control.params, control.state
    if params.get("RouteTableIds"):
        raise invalid("Route table IDs are only supported for Gateway type VPC Endpoint.")
    mine = [
        each
        for each in state.endpoints.values()
        if each.vpc_id == vpc.id and each.type == "Interface"
    ]
    if len(mine) >= QUOTA:
        raise AwsError(
            "VpcEndpointLimitExceeded", f"Maximum number of VPC endpoints reached for {vpc.id}."
        )
    endpoint = _new(control, vpc, service, "Interface")
    endpoint.ip_address_type = params.get("IpAddressType", "ipv4")
    endpoint.dns_record_ip_type = record_type_of(params, endpoint.ip_address_type)
    check_address_type(service, endpoint.ip_address_type)
    subnets = usable_subnets(control, vpc, service, endpoint, params.get("SubnetIds", ()))
    endpoint.security_groups = groups_of(control, vpc, params.get("SecurityGroupIds", ()))
    if not endpoint.security_groups:
        endpoint.security_groups = [state.default_group(vpc.id).id]
    wants_dns = params.get("PrivateDnsEnabled", bool(service.private_dns_names))
    if wants_dns:
        check_private_dns(control, vpc, service)
    endpoint.private_dns_enabled = wants_dns
    endpoint_life.add_interfaces(state, endpoint, subnets)
    endpoint_life.make_pending(state, endpoint)
    return endpoint


def _new(control: Control, vpc: Vpc, service: Service, kind: str) -> Endpoint:
    return Endpoint(
        id=new_id("vpce", control.state.endpoints),
        vpc_id=vpc.id,
        account=vpc.account,
        region=vpc.region,
        service=service.name,
        type=kind,
        state="pending",
        policy={},
        policy_text="",
        private_zone_id="Z" + secrets.token_hex(10).upper(),
        suffix=endpoint_life.new_suffix(),
        created_at=control.state.now(),
    )


def _modify_arns(control: Control) -> Sequence[str]:
    params = control.params
    named = {
        "subnet": [*params.get("AddSubnetIds", ()), *params.get("RemoveSubnetIds", ())],
        "security-group": [
            *params.get("AddSecurityGroupIds", ()),
            *params.get("RemoveSecurityGroupIds", ()),
        ],
        "route-table": [
            *params.get("AddRouteTableIds", ()),
            *params.get("RemoveRouteTableIds", ()),
        ],
    }
    return [
        control.arn("vpc-endpoint", params["VpcEndpointId"]),
        *(control.arn(kind, each) for kind, ids in named.items() for each in ids),
    ]


@operation("ec2", "ModifyVpcEndpoint", resources=_modify_arns)
def modify_vpc_endpoint(control: Control) -> Result:
    """Check everything first: a refused call changes nothing."""
    params, state = control.params, control.state
    endpoint = ENDPOINT.find(control, params["VpcEndpointId"])
    if endpoint.state in ("deleting", "deleted", "failed", "rejected"):
        raise AwsError(
            "InvalidVpcEndpoint.State",
            f"The Vpc Endpoint {endpoint.id} is in the state {endpoint.state}.",
        )
    if endpoint.type == "Gateway":
        return _modify_gateway(control, endpoint)
    vpc = state.vpcs[endpoint.vpc_id]
    service = endpoint_life.service_of(state, endpoint)
    policy = _changed_policy(params, service)
    if params.get("AddRouteTableIds") or params.get("RemoveRouteTableIds"):
        raise invalid("Route table IDs are only supported for Gateway type VPC Endpoint.")
    address_type = params.get("IpAddressType", endpoint.ip_address_type)
    if address_type != endpoint.ip_address_type:
        check_address_type(service, address_type)
        for subnet_id in endpoint.subnet_ids:
            if address_type != "ipv4" and not state.subnets[subnet_id].ipv6_cidrs:
                raise invalid(f"The subnet {subnet_id} does not have an IPv6 CIDR block.")
    keeps = endpoint.dns_record_ip_type if address_type == endpoint.ip_address_type else ""
    record_type = record_type_of(params, address_type, keeps)
    removed = params.get("RemoveSubnetIds", ())
    for subnet_id in removed:
        if subnet_id not in endpoint.subnet_ids:
            raise invalid(f"The subnet {subnet_id} is not associated with {endpoint.id}.")
    added = usable_subnets(control, vpc, service, endpoint, params.get("AddSubnetIds", ()))
    groups = _changed_groups(control, vpc, endpoint)
    dns = params.get("PrivateDnsEnabled", endpoint.private_dns_enabled)
    if dns and not endpoint.private_dns_enabled:
        check_private_dns(control, vpc, service, endpoint.id)
    # All is checked: now change.
    if policy is not None:
        endpoint.policy_text, endpoint.policy = policy
    endpoint.security_groups = groups
    for interface in state.endpoint_interfaces(endpoint):
        interface.security_groups = list(groups)
    slow = bool(added or removed) or dns != endpoint.private_dns_enabled
    slow = slow or address_type != endpoint.ip_address_type
    _change_addresses(control, endpoint, address_type)
    endpoint.dns_record_ip_type = record_type
    if not dns:
        endpoint.private_dns_live = False
    endpoint.private_dns_enabled = dns
    endpoint_life.remove_interfaces(state, endpoint, removed)
    endpoint_life.add_interfaces(state, endpoint, added)
    if slow:
        endpoint_life.make_pending(state, endpoint)
    return {"Return": True}


def _change_addresses(control: Control, endpoint: Endpoint, address_type: str) -> None:
    if address_type == endpoint.ip_address_type:
        return
    endpoint.ip_address_type = address_type
    for interface in control.state.endpoint_interfaces(endpoint):
        subnet = control.state.subnets[interface.subnet_id]
        six = address_type != "ipv4"
        interface.ipv6_address = control.state.free_ipv6(subnet) if six else ""


def _changed_policy(
    params: Mapping[str, Any], service: Service
) -> tuple[str, Mapping[str, Any]] | None:
    if params.get("ResetPolicy"):
        if params.get("PolicyDocument"):
            raise AwsError(
                "InvalidParameterCombination",
                "The parameters PolicyDocument and ResetPolicy may not be specified together.",
            )
        return endpoint_life.FULL_ACCESS_TEXT, endpoint_life.FULL_ACCESS
    if text := params.get("PolicyDocument"):
        return text, policy_of(service, text)
    return None


def _changed_groups(control: Control, vpc: Vpc, endpoint: Endpoint) -> list[str]:
    added = groups_of(control, vpc, control.params.get("AddSecurityGroupIds", ()))
    removed = control.params.get("RemoveSecurityGroupIds", ())
    for group_id in removed:
        if group_id not in endpoint.security_groups:
            raise invalid(f"The security group {group_id} is not associated with {endpoint.id}.")
    kept = [each for each in endpoint.security_groups if each not in removed]
    groups = list(dict.fromkeys([*kept, *added]))
    if not groups:
        raise invalid("A VPC endpoint must have at least one security group.")
    return groups


def _modify_gateway(control: Control, endpoint: Endpoint) -> Result:
    params, state = control.params, control.state
    policy = _changed_policy(params, endpoint_life.service_of(state, endpoint))
    for name in ("AddSubnetIds", "RemoveSubnetIds", "AddSecurityGroupIds", "PrivateDnsEnabled"):
        if params.get(name):
            raise invalid(f"{name} is only supported for Interface type VPC Endpoint.")
    tables = [ROUTE_TABLE.find(control, each) for each in params.get("AddRouteTableIds", ())]
    if policy is not None:
        endpoint.policy_text, endpoint.policy = policy
    for table in tables:
        table.routes.append(Route(f"pl-{secrets.token_hex(4)}", endpoint.id))
        endpoint.route_table_ids.append(table.id)
    for table_id in params.get("RemoveRouteTableIds", ()):
        table = ROUTE_TABLE.find(control, table_id)
        table.routes = [each for each in table.routes if each.target != endpoint.id]
        endpoint.route_table_ids = [each for each in endpoint.route_table_ids if each != table_id]
    return {"Return": True}


def _delete_arns(control: Control) -> Sequence[str]:
    return [control.arn("vpc-endpoint", each) for each in control.params["VpcEndpointIds"]]


@operation("ec2", "DeleteVpcEndpoints", resources=_delete_arns)
def delete_vpc_endpoints(control: Control) -> Result:
    """What cannot be deleted is in Unsuccessful; the call itself answers 200."""
    failed = []
    for endpoint_id in control.params["VpcEndpointIds"]:
        endpoint = control.state.endpoints.get(endpoint_id)
        mine = endpoint is not None and endpoint.account == control.account
        if endpoint is None or not mine or endpoint.region != control.region:
            failed.append(
                {
                    "ResourceId": endpoint_id,
                    "Error": {
                        "Code": "InvalidVpcEndpoint.NotFound",
                        "Message": f"The Vpc Endpoint Id '{endpoint_id}' does not exist",
                    },
                }
            )
        elif endpoint.state != "deleting":
            endpoint_life.begin_delete(control.state, endpoint)
    return {"Unsuccessful": failed}
