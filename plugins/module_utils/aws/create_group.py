# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the managed security group: every request may have taken effect before, by another run or a lost response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.aws.plan_create_types import (
    MANAGED_TAG,
    ChangeGroup,
    CreateGroup,
    DeleteGroup,
    ManagedGroup,
    TagChange,
)
from ..core.aws.security_group import DESCRIPTION, Rule, permissions, rules_of
from ..core.errors import EndpointError
from ..waiting import Deadline
from .client import AwsError, Connection, calling
from .create_convert import tags_of

# A new group is not known everywhere at once.
SETTLE_SECONDS = 20
_RACES = frozenset(
    {"InvalidPermission.Duplicate", "InvalidPermission.NotFound", "InvalidGroup.NotFound"}
)


def create_group(
    connection: Connection, vpc_id: str, change: CreateGroup, deadline: Deadline
) -> str:
    """Make the group, or take the one that another run made in the meantime, and return its id."""
    name = change.group.name
    resource = f"{vpc_id}/security-group/{name}"
    client = connection.client("ec2")
    try:
        with calling(resource, "ec2:CreateSecurityGroup"):
            group_id = client.create_security_group(
                GroupName=name,
                Description=DESCRIPTION,
                VpcId=vpc_id,
                TagSpecifications=[
                    {"ResourceType": "security-group", "Tags": tag_list(change.tags)}
                ],
            )["GroupId"]
    except AwsError as error:
        if error.code != "InvalidGroup.Duplicate":
            raise
        group_id = _named(connection, vpc_id, name, resource, deadline)
    converge_rules(connection, group_id, resource, change.group, deadline)
    return str(group_id)


def change_group(
    connection: Connection, vpc_id: str, change: ChangeGroup, deadline: Deadline
) -> None:
    """Make its rules and tags as asked for."""
    resource = f"{vpc_id}/security-group/{change.name}"
    if change.tags:
        change_tags(connection, change.group_id, resource, change.tags)
    if change.before != change.group.rules:
        converge_rules(connection, change.group_id, resource, change.group, deadline)


def delete_group(
    connection: Connection, vpc_id: str, change: DeleteGroup, deadline: Deadline
) -> None:
    """Delete it; the interfaces of deleted endpoints hold it for a while."""
    resource = f"{vpc_id}/security-group/{change.name}"
    last: AwsError | None = None
    for _unused in deadline.ticks(at_most=120):
        try:
            with calling(resource, "ec2:DeleteSecurityGroup"):
                connection.client("ec2").delete_security_group(GroupId=change.group_id)
            return
        except AwsError as error:
            if error.code == "InvalidGroup.NotFound":
                return
            if error.code != "DependencyViolation":
                raise
            last = error
    raise EndpointError(
        f"{change.group_id} is still used by something that this collection did not make",
        resource=resource,
        code=last.code if last else None,
        fix="Take the group off what else wears it or names it in a rule, and run again",
    )


def converge_rules(
    connection: Connection, group_id: str, resource: str, group: ManagedGroup, deadline: Deadline
) -> None:
    """Add what is missing, then take away what is too much; read again after a race."""
    last: AwsError | None = None
    for _unused in deadline.ticks(at_most=SETTLE_SECONDS):
        try:
            present = _rules(connection, group_id, resource)
            if present is None:
                continue
            _write(connection, group_id, resource, group, present)
            return
        except AwsError as error:
            if error.code not in _RACES:
                raise
            last = error
    raise last or EndpointError(
        f"{group_id} was made and is not found", resource=resource, fix="Run again"
    )


def change_tags(connection: Connection, resource_id: str, resource: str, change: TagChange) -> None:
    """Set and remove tags of any EC2 resource."""
    client = connection.client("ec2")
    if change.set:
        with calling(resource, "ec2:CreateTags"):
            client.create_tags(Resources=[resource_id], Tags=tag_list(change.set))
    if change.remove:
        with calling(resource, "ec2:DeleteTags"):
            client.delete_tags(
                Resources=[resource_id], Tags=[{"Key": key} for key in change.remove]
            )


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """A mapping as EC2's tag list."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _named(
    connection: Connection, vpc_id: str, name: str, resource: str, deadline: Deadline
) -> str:
    """The group that already has the name, if this collection made it."""
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": [name]}]
    for _unused in deadline.ticks(at_most=SETTLE_SECONDS):
        found = _describe(connection, filters, resource)
        if found and MANAGED_TAG in tags_of(found[0]):
            return str(found[0]["GroupId"])
        if found:
            break
    raise EndpointError(
        f"{vpc_id} has a group named {name} that this collection did not create",
        resource="security_group_name",
        code="InvalidGroup.Duplicate",
        fix="Choose another name, or give the group in security_group_ids",
    )


def _rules(connection: Connection, group_id: str, resource: str) -> frozenset[Rule] | None:
    found = _describe(connection, [{"Name": "group-id", "Values": [group_id]}], resource)
    return rules_of(found[0].get("IpPermissions") or ()) if found else None


def _describe(connection: Connection, filters: list[dict[str, Any]], resource: str) -> list[Any]:
    with calling(resource, "ec2:DescribeSecurityGroups"):
        answer = connection.client("ec2").describe_security_groups(Filters=filters)
    return list(answer["SecurityGroups"])


def _write(
    connection: Connection,
    group_id: str,
    resource: str,
    group: ManagedGroup,
    present: Iterable[Rule],
) -> None:
    client = connection.client("ec2")
    missing, surplus = group.rules - frozenset(present), frozenset(present) - group.rules
    # Callers that stay admitted must not notice: first add, then take away.
    if missing:
        with calling(resource, "ec2:AuthorizeSecurityGroupIngress"):
            client.authorize_security_group_ingress(
                GroupId=group_id, IpPermissions=permissions(missing, group.accounts)
            )
    if surplus:
        with calling(resource, "ec2:RevokeSecurityGroupIngress"):
            client.revoke_security_group_ingress(
                GroupId=group_id, IpPermissions=permissions(surplus, group.accounts)
            )
