# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account part of the evidence: settings, names, connections, perimeters, grants, and where its logs go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.azure.names import Cloud, hosts
from ..core.azure.roles import DATA_ROLES, role_guid
from .client import Connection
from .reads import Read, properties, reference

Document = Mapping[str, Any]

_PERIMETERS = "networkSecurityPerimeterConfigurations"
_ACCOUNTS = "Microsoft.CognitiveServices/accounts"


def account_read(connection: Connection, account_id: str) -> Read:
    """The account itself; one that does not exist is an error."""
    return Read(
        part="account",
        resource=account_id,
        action=f"{_ACCOUNTS}/read",
        call=lambda: connection.get(account_id),
    )


def perimeters_read(connection: Connection, account_id: str) -> Read:
    """The perimeters that the account is associated with, and their rules."""
    return Read(
        part="perimeters",
        resource=account_id,
        action=f"{_ACCOUNTS}/{_PERIMETERS}/read",
        call=lambda: connection.list(f"{account_id}/{_PERIMETERS}"),
        tolerant=True,
    )


def access_reads(connection: Connection, account_id: str) -> dict[str, Read]:
    """Who holds a role on the account, inherited ones included, and what custom roles allow."""
    scope = f"{account_id}/providers/Microsoft.Authorization"
    queries = {
        "assignments": ("roleAssignments", "atScope()"),
        "roles": ("roleDefinitions", "type eq 'CustomRole'"),
    }

    def read(kind: str, wanted: str) -> Read:
        return Read(
            part="access",
            resource=account_id,
            action=f"Microsoft.Authorization/{kind}/read",
            call=lambda: connection.list(f"{scope}/{kind}", params={"$filter": wanted}),
        )

    return {name: read(*query) for name, query in queries.items()}


def settings_read(connection: Connection, account_id: str) -> Read:
    """Where the account's logs go."""
    path = f"{account_id}/providers/Microsoft.Insights/diagnosticSettings"
    return Read(
        part="logging",
        resource=account_id,
        action="Microsoft.Insights/diagnosticSettings/read",
        call=lambda: connection.list(path),
    )


def account(
    document: Document | None, perimeters: Iterable[Document] | None, cloud: Cloud
) -> dict[str, Any] | None:
    """The evidence's `account`; None when it could not be read."""
    if document is None:
        return None
    of = properties(document)
    kind, subdomain = str(document.get("kind") or ""), of.get("customSubDomainName")
    acls = of.get("networkAcls") or {}
    return {
        "id": document["id"],
        "name": document["name"],
        "kind": kind,
        "location": document.get("location"),
        "custom_subdomain": subdomain,
        "provisioning_state": of.get("provisioningState"),
        "public_network_access": of.get("publicNetworkAccess") or "Enabled",
        "network_acls": {
            "default_action": acls.get("defaultAction") or "Allow",
            "bypass": acls.get("bypass"),
            "ip_rules": [str(item["value"]) for item in acls.get("ipRules") or ()],
            "virtual_network_rules": [
                str(item["id"]) for item in acls.get("virtualNetworkRules") or ()
            ],
        },
        "disable_local_auth": bool(of.get("disableLocalAuth")),
        "restrict_outbound_network_access": bool(of.get("restrictOutboundNetworkAccess")),
        "tags": dict(document.get("tags") or {}),
        "endpoints": dict(of.get("endpoints") or {}),
        "hosts": sorted(hosts(kind, subdomain or "", cloud).values()),
        "private_endpoint_connections": [
            _connection(item) for item in of.get("privateEndpointConnections") or ()
        ],
        "perimeters": [_perimeter(item) for item in perimeters or ()],
    }


def _connection(item: Document) -> dict[str, Any]:
    of = properties(item)
    state = of.get("privateLinkServiceConnectionState") or {}
    return {
        "id": item["id"],
        "endpoint_id": reference(of.get("privateEndpoint")),
        "status": state.get("status") or "Unknown",
        "description": state.get("description"),
        "actions_required": state.get("actionsRequired"),
        "group_ids": list(of.get("groupIds") or ()),
    }


def _perimeter(item: Document) -> dict[str, Any]:
    of = properties(item)
    perimeter, profile = of.get("networkSecurityPerimeter") or {}, of.get("profile")
    association = of.get("resourceAssociation") or {}
    identifier = str(perimeter.get("id") or item["id"])
    return {
        "id": identifier,
        "name": identifier.rpartition("/")[2],
        "access_mode": association.get("accessMode") or "Enforced",
        "rules": None
        if not profile or profile.get("accessRules") is None
        else [_rule(rule) for rule in profile["accessRules"]],
    }


def _rule(item: Document) -> dict[str, Any]:
    of = properties(item)
    return {
        "name": item.get("name"),
        "direction": of.get("direction") or "Inbound",
        "address_prefixes": list(of.get("addressPrefixes") or ()),
        "subscriptions": [str(entry["id"]) for entry in of.get("subscriptions") or ()],
    }


def access(
    assignments: Iterable[Document] | None, roles: Iterable[Document] | None
) -> dict[str, Any] | None:
    """The evidence's `access`; None when assignments could not be read."""
    if assignments is None:
        return None
    custom = {role_guid(str(item["id"])): properties(item) for item in roles or ()}
    return {"role_assignments": [_assignment(properties(item), custom) for item in assignments]}


def _assignment(of: Document, custom: Mapping[str, Document]) -> dict[str, Any]:
    role_id = str(of["roleDefinitionId"])
    own = custom.get(role_guid(role_id), {})
    return {
        "scope": of["scope"],
        "role": DATA_ROLES.get(role_guid(role_id)) or own.get("roleName"),
        "role_id": role_id,
        "principal_id": of["principalId"],
        "principal_type": of.get("principalType"),
        "condition": of.get("condition"),
        "data_actions": [
            str(action)
            for permission in own.get("permissions") or ()
            for action in permission.get("dataActions") or ()
        ],
    }


def logging(settings: Iterable[Document] | None) -> dict[str, Any] | None:
    """The evidence's `logging`; None when the settings could not be read."""
    if settings is None:
        return None
    return {
        "settings": [
            {
                "id": item.get("id"),
                "name": item.get("name"),
                "workspace_id": properties(item).get("workspaceId"),
                "categories": [
                    str(log.get("category") or log.get("categoryGroup"))
                    for log in properties(item).get("logs") or ()
                    if log.get("enabled")
                ],
            }
            for item in settings
        ]
    }
