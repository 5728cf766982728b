# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask EC2 whether these credentials may make the changes of a plan, before the first one is made.

A DryRun request is authorised and then ends: nothing is written, and a missing permission is found before half of the
plan is done. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..core.aws.plan_create_types import (
    Change,
    ChangeEndpoint,
    ChangeGroup,
    CreateEndpoint,
    CreateGroup,
    DeleteEndpoint,
    DeleteGroup,
)
from ..core.aws.security_group import DESCRIPTION, permissions
from ..core.contracts import KNOWN_AFTER_APPLY
from .client import AwsError, Connection, calling, gather
from .create_apply import modification, request
from .create_group import tag_list

Request = tuple[str, dict[str, Any]]


def rehearse(connection: Connection, vpc_id: str, changes: Iterable[Change]) -> None:
    """Try one request of each kind that the plan needs on each resource; AwsError names every action that is denied.

    Policies tell resources apart, above all by their tags.
    """
    requests = (item for change in changes for item in reversed(_requests(vpc_id, change)))
    calls: dict[str, Callable[[], None]] = {
        f"{operation} {_resource(parameters)}": partial(
            _try, connection, vpc_id, operation, parameters
        )
        for operation, parameters in requests
    }
    # A single request is its own rehearsal.
    if len(calls) > 1:
        gather(calls)


def _resource(parameters: Mapping[str, Any]) -> str:
    """What a request changes; empty for one that creates."""
    for name in ("Resources", "VpcEndpointIds"):
        if name in parameters:
            return " ".join(parameters[name])
    return str(parameters.get("VpcEndpointId") or parameters.get("GroupId") or "")


def _try(connection: Connection, vpc_id: str, operation: str, parameters: dict[str, Any]) -> None:
    action = "ec2:" + "".join(word.capitalize() for word in operation.split("_"))
    try:
        with calling(vpc_id, action):
            getattr(connection.client("ec2"), operation)(DryRun=True, **parameters)
    except AwsError as error:
        # Only permissions are in question: what else EC2 may find wrong depends on changes that are not made yet.
        if error.kind in ("denied", "credentials", "network"):
            raise


def _requests(vpc_id: str, change: Change) -> list[Request]:
    if isinstance(change, CreateEndpoint):
        parameters = request(vpc_id, change.goal)
        if KNOWN_AFTER_APPLY in parameters["SecurityGroupIds"]:
            del parameters["SecurityGroupIds"]
        return [("create_vpc_endpoint", parameters)]
    if isinstance(change, ChangeEndpoint):
        found = _tagging(change.endpoint_id, change.tags)
        parameters = dict(change.first or change.then)
        groups = parameters.get("AddSecurityGroupIds", ())
        if KNOWN_AFTER_APPLY in groups:
            del parameters["AddSecurityGroupIds"]
        if change.first or change.then:
            found.append(("modify_vpc_endpoint", modification(change, parameters)))
        return found
    if isinstance(change, DeleteEndpoint):
        return [("delete_vpc_endpoints", {"VpcEndpointIds": [change.endpoint.id]})]
    if isinstance(change, DeleteGroup):
        return [("delete_security_group", {"GroupId": change.group_id})]
    if isinstance(change, CreateGroup):
        tags = {"ResourceType": "security-group", "Tags": tag_list(change.tags)}
        parameters = {
            "GroupName": change.group.name,
            "Description": DESCRIPTION,
            "VpcId": vpc_id,
            "TagSpecifications": [tags],
        }
        return [("create_security_group", parameters)]
    return [*_tagging(change.group_id, change.tags), *_rules(change)]


def _rules(change: ChangeGroup) -> list[Request]:
    found = []
    for operation, rules in (
        ("authorize_security_group_ingress", change.group.rules - change.before),
        ("revoke_security_group_ingress", change.before - change.group.rules),
    ):
        if rules:
            listed = permissions(rules, change.group.accounts)
            found.append((operation, {"GroupId": change.group_id, "IpPermissions": listed}))
    return found


def _tagging(resource_id: str, tags: Any) -> list[Request]:
    found: list[Request] = []
    if tags and tags.set:
        found.append(("create_tags", {"Resources": [resource_id], "Tags": tag_list(tags.set)}))
    if tags and tags.remove:
        keys = [{"Key": key} for key in tags.remove]
        found.append(("delete_tags", {"Resources": [resource_id], "Tags": keys}))
    return found
