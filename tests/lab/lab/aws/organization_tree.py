# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizations: reading the tree of roots, units and accounts."""

from __future__ import annotations

from typing import Any

from .errors import AwsError
from .operation import Control, Result
from .organizations import arn_of, listed, managed, org
from .tree import Node, Organization


@org("ListParents", "ChildId")
def list_parents(control: Control) -> Result:
    organization, wanted = managed(control), control.params["ChildId"]
    node = organization.nodes.get(wanted)
    if node is None or not node.parent:
        raise AwsError(
            "ChildNotFoundException",
            "You specified an organizational unit (OU) or account that doesn't exist.",
        )
    parent = organization.nodes[node.parent]
    return listed(control, "Parents", [{"Id": parent.id, "Type": parent.type}])


def _children(organization: Organization, parent: str, kind: str) -> list[Node]:
    node = organization.nodes.get(parent)
    if node is None or node.type == "ACCOUNT":
        raise AwsError("ParentNotFoundException", "You specified a root or OU that doesn't exist.")
    return [
        each for each in organization.nodes.values() if (each.parent, each.type) == (parent, kind)
    ]


@org("ListChildren", "ParentId")
def list_children(control: Control) -> Result:
    kind = control.params["ChildType"]
    found = _children(managed(control), control.params["ParentId"], kind)
    return listed(control, "Children", [{"Id": each.id, "Type": kind} for each in found])


def _account(organization: Organization, node: Node) -> dict[str, Any]:
    return {
        "Id": node.id,
        "Arn": arn_of(organization, node),
        "Name": node.name,
        "Email": node.email,
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "INVITED" if node.id == organization.management_account else "CREATED",
        "JoinedTimestamp": node.joined,
    }


@org("ListAccounts")
def list_accounts(control: Control) -> Result:
    organization = managed(control)
    found = [each for each in organization.nodes.values() if each.type == "ACCOUNT"]
    return listed(control, "Accounts", [_account(organization, each) for each in found])


@org("ListAccountsForParent", "ParentId")
def list_accounts_for_parent(control: Control) -> Result:
    organization = managed(control)
    found = _children(organization, control.params["ParentId"], "ACCOUNT")
    return listed(control, "Accounts", [_account(organization, each) for each in found])


@org("DescribeAccount", "AccountId")
def describe_account(control: Control) -> Result:
    organization, wanted = managed(control), control.params["AccountId"]
    node = organization.nodes.get(wanted)
    if node is None or node.type != "ACCOUNT":
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return {"Account": _account(organization, node)}


def _unit(organization: Organization, node: Node) -> dict[str, Any]:
    return {"Id": node.id, "Arn": arn_of(organization, node), "Name": node.name}


@org("ListOrganizationalUnitsForParent", "ParentId")
def list_organizational_units_for_parent(control: Control) -> Result:
    organization = managed(control)
    found = _children(organization, control.params["ParentId"], "ORGANIZATIONAL_UNIT")
    return listed(control, "OrganizationalUnits", [_unit(organization, each) for each in found])


@org("DescribeOrganizationalUnit", "OrganizationalUnitId")
def describe_organizational_unit(control: Control) -> Result:
    organization, wanted = managed(control), control.params["OrganizationalUnitId"]
    node = organization.nodes.get(wanted)
    if node is None or node.type != "ORGANIZATIONAL_UNIT":
        raise AwsError(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit (OU) that doesn't exist.",
        )
    return {"OrganizationalUnit": _unit(organization, node)}
