# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The enforcement part of the evidence: every service control policy in effect for the account, up to the root.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import AwsError
from .reads import Read, Reader, pages

_PART = "enforcement"
_SCP = "SERVICE_CONTROL_POLICY"
# Deeper than an organisation can be: a root, five levels of units, the account.
_DEEPEST = 10


def enforcement(reader: Reader, organizations: Any, account_id: str) -> dict[str, Any] | None:
    """The evidence's `enforcement`; None when something could not be read, which `reader.missing` then names.

    organizations: a callable that makes the client, since assuming its role may itself be denied.
    """
    described = reader.one(
        _read(
            "organizations:DescribeOrganization", account_id, lambda: _organization(organizations())
        )
    )
    if described is None:
        return None
    if not described:
        return {
            "organization_id": None,
            "management_account_id": None,
            "account_id": account_id,
            "scp_enabled": False,
            "path": [],
        }
    return _walk(reader, organizations(), account_id, described)


def _read(action: str, about: str, call: Any) -> Read:
    return Read(part=_PART, action=action, about=about, call=call, tolerant=True)


def _organization(client: Any) -> dict[str, Any]:
    """The organisation; empty when the account is in none."""
    try:
        return dict(client.describe_organization()["Organization"])
    except client.exceptions.AWSOrganizationsNotInUseException:
        return {}


def _walk(
    reader: Reader, client: Any, account_id: str, organization: Mapping[str, Any]
) -> dict[str, Any] | None:
    first = reader.all(
        {
            "roots": _read(
                "organizations:ListRoots",
                organization["Id"],
                lambda: pages(client, "list_roots", "Roots"),
            ),
            "path": _read(
                "organizations:ListParents", account_id, lambda: _path(client, account_id)
            ),
        }
    )
    if first["roots"] is None or first["path"] is None:
        return None
    nodes: list[dict[str, str]] = first["path"]
    attached = reader.all(
        {
            node["id"]: _read(
                "organizations:ListPoliciesForTarget",
                node["id"],
                lambda node=node: pages(
                    client, "list_policies_for_target", "Policies", TargetId=node["id"], Filter=_SCP
                ),
            )
            for node in nodes
        }
    )
    if any(value is None for value in attached.values()):
        return None
    names = {item["Id"]: item["Name"] for listed in attached.values() for item in listed}
    contents = reader.all(
        {
            policy: _read(
                "organizations:DescribePolicy",
                policy,
                lambda policy=policy: json.loads(
                    client.describe_policy(PolicyId=policy)["Policy"]["Content"]
                ),
            )
            for policy in sorted(names)
        }
    )
    if any(value is None for value in contents.values()):
        return None
    root: Mapping[str, Any] = next(
        (item for item in first["roots"] if item["Id"] == nodes[0]["id"]), {}
    )
    return {
        "organization_id": organization["Id"],
        "management_account_id": organization["MasterAccountId"],
        "account_id": account_id,
        "scp_enabled": any(
            item["Type"] == _SCP and item["Status"] == "ENABLED"
            for item in root.get("PolicyTypes", ())
        ),
        "path": [
            {
                **node,
                "name": root.get("Name", node["id"]) if node["type"] == "ROOT" else node["id"],
                "policies": [
                    {"id": item["Id"], "name": item["Name"], "content": contents[item["Id"]]}
                    for item in sorted(attached[node["id"]], key=lambda item: str(item["Id"]))
                ],
            }
            for node in nodes
        ],
    }


def _path(client: Any, account_id: str) -> list[dict[str, str]]:
    """The nodes from the root down to the account."""
    nodes = [{"id": account_id, "type": "ACCOUNT"}]
    while nodes[0]["type"] != "ROOT":
        if len(nodes) > _DEEPEST:
            raise AwsError(
                f"no root within {_DEEPEST} levels above", kind="refused", resource=account_id
            )
        parent = client.list_parents(ChildId=nodes[0]["id"])["Parents"][0]
        nodes.insert(0, {"id": parent["Id"], "type": parent["Type"]})
    return nodes
