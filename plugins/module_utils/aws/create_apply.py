# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write endpoints: begin everything that is independent at once, then wait for all of it together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from ..core.aws.endpoint_policy import FULL_ACCESS
from ..core.aws.plan_create import client_token, new_attributes
from ..core.aws.plan_create_types import (
    DEAD,
    GONE,
    ChangeEndpoint,
    CreateEndpoint,
    DeleteEndpoint,
    Endpoint,
    Goal,
)
from ..core.aws.policy_compare import same
from ..core.canonical import canonical_json
from ..core.errors import EndpointError
from ..waiting import Deadline, until
from .client import AwsError, Connection, calling, gather
from .create_group import change_tags, tag_list
from .create_observe import endpoints_by_id, live_endpoints

# EC2 remembers a token for as long as a day; so often can the same endpoint be made and deleted in that time.
GENERATIONS = 50
# How long an endpoint may be invisible that this run just made; and that another run made with the first token, or with
# a later one, which exists only after deletions and makes an old endpoint the likelier reason.
SETTLE_SECONDS = 60
APPEAR_SECONDS = (5.0, 1.0)
# https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html
CONFLICT_SECONDS = 300
_CONFLICT = "conflicting DNS domain"


def create(
    connection: Connection,
    vpc_id: str,
    changes: Sequence[CreateEndpoint],
    deadline: Deadline,
) -> list[str]:
    """Make all endpoints at once and return their ids; does not wait until they are available.

    An endpoint that another run made in the meantime counts as made: the caller plans again and sees what differs.
    """
    made = gather(
        {
            item.goal.service: partial(_create, connection, vpc_id, item.goal, deadline)
            for item in changes
        }
    )
    return list(made.values())


def change(
    connection: Connection, vpc_id: str, changes: Sequence[ChangeEndpoint], deadline: Deadline
) -> None:
    """Modify all endpoints at once; where a change takes two requests, wait for all before the second."""
    gather(
        {item.endpoint_id: partial(_first, connection, vpc_id, item, deadline) for item in changes}
    )
    second = [item for item in changes if item.then]
    if second:
        wait_available(connection, [item.endpoint_id for item in second], deadline)
        gather(
            {
                item.endpoint_id: partial(_modify, connection, vpc_id, item, item.then, deadline)
                for item in second
            }
        )


def delete(connection: Connection, vpc_id: str, changes: Sequence[DeleteEndpoint]) -> None:
    """Begin to delete all endpoints in one request."""
    ids = [item.endpoint.id for item in changes]
    with calling(", ".join(ids), "ec2:DeleteVpcEndpoints"):
        answer = connection.client("ec2").delete_vpc_endpoints(VpcEndpointIds=ids)
    for item in answer.get("Unsuccessful") or ():
        error = item.get("Error") or {}
        if "NotFound" in str(error.get("Code")):
            continue
        raise EndpointError(
            str(error.get("Message")), resource=item.get("ResourceId"), code=error.get("Code")
        )


def wait_available(connection: Connection, ids: Iterable[str], deadline: Deadline) -> None:
    """Wait for all endpoints together; EndpointError when one fails, with AWS's reason."""
    waiting = set(ids)

    def done() -> str:
        if not waiting:
            return ""
        found = endpoints_by_id(connection, waiting)
        _refuse_dead(found.values())
        waiting.difference_update(
            name for name, endpoint in found.items() if endpoint.state == "available"
        )
        return ", ".join(
            f"{name} is {found[name].state if name in found else 'not visible yet'}"
            for name in sorted(waiting)
        )

    until(deadline, "endpoints", done)


def wait_gone(connection: Connection, ids: Iterable[str], deadline: Deadline) -> None:
    """Wait until none of the endpoints is there."""

    def done() -> str:
        found = endpoints_by_id(connection, ids)
        left = {name: item.state for name, item in found.items() if item.state != "deleted"}
        return ", ".join(f"{name} is {state}" for name, state in sorted(left.items()))

    until(deadline, "endpoints", done)


def request(vpc_id: str, goal: Goal) -> dict[str, Any]:
    """CreateVpcEndpoint's parameters, but for the token."""
    wanted = new_attributes(goal)
    found: dict[str, Any] = {
        "VpcEndpointType": "Interface",
        "VpcId": vpc_id,
        "ServiceName": goal.service,
        "SubnetIds": wanted["subnet_ids"],
        "SecurityGroupIds": wanted["security_group_ids"],
        # Left out, it would be on.
        "PrivateDnsEnabled": wanted["private_dns_enabled"],
        "TagSpecifications": [
            {"ResourceType": "vpc-endpoint", "Tags": tag_list(wanted["tags"])},
        ],
    }
    if not same(wanted["policy"], FULL_ACCESS):
        found["PolicyDocument"] = canonical_json(wanted["policy"])
    if goal.ip_address_type:
        found["IpAddressType"] = goal.ip_address_type
        found["DnsOptions"] = {"DnsRecordIpType": goal.ip_address_type}
    return found


def modification(change: ChangeEndpoint, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """ModifyVpcEndpoint's parameters."""
    found = {"VpcEndpointId": change.endpoint_id, **parameters}
    if "PolicyDocument" in found:
        found["PolicyDocument"] = canonical_json(found["PolicyDocument"])
    return found


def _create(connection: Connection, vpc_id: str, goal: Goal, deadline: Deadline) -> str:
    resource = f"{vpc_id}/{goal.short}"
    for generation in range(GENERATIONS):
        parameters = request(vpc_id, goal) | {
            "ClientToken": client_token(vpc_id, goal.service, generation)
        }
        try:
            made = _patiently(connection, "create_vpc_endpoint", resource, parameters, deadline)
            endpoint = made["VpcEndpoint"]
        except AwsError as error:
            if error.code != "IdempotentParameterMismatch":
                raise
            # The token stands for an endpoint that differs: another run's, or one that was deleted since.
            patience = APPEAR_SECONDS[min(generation, 1)]
            found = _appeared(connection, vpc_id, goal.service, deadline, patience)
            if found:
                return found
            continue
        if endpoint["State"].lower() not in GONE and _visible(
            connection, endpoint["VpcEndpointId"], deadline
        ):
            return str(endpoint["VpcEndpointId"])
    raise EndpointError(
        "EC2 still remembers the tokens of all endpoints that were made here and deleted",
        resource=resource,
        code="IdempotentParameterMismatch",
        fix="Run again tomorrow, or create the endpoint by hand: it will be adopted",
    )


def _appeared(
    connection: Connection, vpc_id: str, service: str, deadline: Deadline, patience: float
) -> str | None:
    """The endpoint that another run made; it may take a moment to be seen."""
    for _unused in deadline.ticks(at_most=patience):
        found = live_endpoints(connection, vpc_id, service)
        if found:
            return found[0].id
    return None


def _visible(connection: Connection, endpoint_id: str, deadline: Deadline) -> bool:
    """False when EC2 answered a token with an endpoint that is no more."""
    for _unused in deadline.ticks(at_most=SETTLE_SECONDS):
        found = endpoints_by_id(connection, [endpoint_id]).get(endpoint_id)
        if found:
            return found.state not in GONE
    return False


def _first(connection: Connection, vpc_id: str, change: ChangeEndpoint, deadline: Deadline) -> None:
    if change.first:
        _modify(connection, vpc_id, change, change.first, deadline)
    if change.tags:
        change_tags(connection, change.endpoint_id, f"{vpc_id}/{change.short}", change.tags)


def _modify(
    connection: Connection,
    vpc_id: str,
    change: ChangeEndpoint,
    parameters: Mapping[str, Any],
    deadline: Deadline,
) -> None:
    _patiently(
        connection,
        "modify_vpc_endpoint",
        f"{vpc_id}/{change.short} ({change.endpoint_id})",
        modification(change, parameters),
        deadline,
    )


def _patiently(
    connection: Connection,
    operation: str,
    resource: str,
    parameters: Mapping[str, Any],
    deadline: Deadline,
) -> dict[str, Any]:
    """Call, and call again while the names of a deleted endpoint still conflict; EC2 frees them after minutes."""
    action = "ec2:" + "".join(word.capitalize() for word in operation.split("_"))
    last: AwsError | None = None
    for _unused in deadline.ticks(at_most=CONFLICT_SECONDS):
        try:
            with calling(resource, action):
                answer: dict[str, Any] = getattr(connection.client("ec2"), operation)(**parameters)
                return answer
        except AwsError as error:
            if _CONFLICT not in error.what:
                raise
            last = error
    if last:
        last.fix = "Find the endpoint or the private hosted zone that has the name in this VPC, and delete it"
        raise last
    raise EndpointError("no time was left", resource=resource, code="Timeout")


def _refuse_dead(endpoints: Iterable[Endpoint]) -> None:
    for endpoint in endpoints:
        if endpoint.state in DEAD:
            raise EndpointError(
                f"became {endpoint.state}"
                + (f": {endpoint.last_error}" if endpoint.last_error else ""),
                resource=f"{endpoint.id} ({endpoint.service})",
                code=endpoint.last_error.partition(":")[0] or endpoint.state,
                fix="Remove what AWS names, delete the endpoint (state: absent) and run again",
            )
