# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: ARM actions over scopes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import ArmError
from .state import Permission, Principal, State

EVERYTHING = (Permission("/", ("*",)),)


def allowed(state: State, principal: Principal, action: str, scope: str) -> bool:
    """Whether one of the principal's permissions, by the world or by a role assignment, has the action."""
    return permits((*principal.permissions, *assigned(state, principal)), action, scope)


def sees(state: State, principal: Principal, subscription: str) -> bool:
    """Whether the principal may do anything in a subscription, or in something below it.

    https://learn.microsoft.com/azure/azure-portal/get-subscription-tenant-id
    """
    id = f"/subscriptions/{subscription}"
    return any(
        each.actions and (_below(id, each.scope) or _below(each.scope, id))
        for each in (*principal.permissions, *assigned(state, principal))
    )


def permits(permissions: Iterable[Permission], action: str, scope: str) -> bool:
    """Whether one of these permissions has the action at the scope."""
    return any(
        _below(scope, each.scope)
        and _any(each.actions, action)
        and not _any(each.not_actions, action)
        for each in permissions
    )


def assigned(state: State, principal: Principal) -> tuple[Permission, ...]:
    """Permissions by role assignments; `Microsoft.Authorization` puts the source of them here."""
    source = state.extra.get("assigned permissions")
    return tuple(source(principal)) if source else ()


def _below(scope: str, above: str) -> bool:
    return (scope.rstrip("/").lower() + "/").startswith(above.rstrip("/").lower() + "/")


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(
        re.fullmatch(re.escape(each).replace(r"\*", ".*"), action, re.IGNORECASE)
        for each in patterns
    )


def denied(principal: Principal, action: str, scope: str) -> ArmError:
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' does not have "
        f"authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. "
        "If access was recently granted, please refresh your credentials.",
    )


def denied_linked(
    principal: Principal, action: str, scope: str, linked: str, linked_scope: str
) -> ArmError:
    return ArmError(
        403,
        "LinkedAuthorizationFailed",
        f"The client '{principal.client_id}' with object id '{principal.object_id}' has permission "
        f"to perform action '{action}' on scope '{scope}'; however, it does not have permission to "
        f"perform action(s) '{linked}' on the linked scope(s) '{linked_scope}' (respectively) or "
        "the linked scope(s) are invalid.",
    )
