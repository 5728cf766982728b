# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask Azure what these credentials may do where the changes of a plan are made, before the first one is made."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from ..core.azure.plan_create_permissions import allows, needed
from ..core.azure.plan_create_types import Change
from .client import AzureError, Connection, gather


def rehearse(connection: Connection, changes: Iterable[Change]) -> None:
    """AzureError that names every action that is denied, and its scope; one read for each scope, all at once."""
    needs = needed(changes)
    found = gather({scope: partial(_permissions, connection, scope) for _action, scope in needs})
    denied = [
        AzureError(
            f"permission denied for {action}",
            kind="denied",
            action=action,
            resource=scope,
            code="AuthorizationFailed",
            fix=f"Give these credentials a role that allows {action} on {scope}; a new assignment takes some minutes",
        )
        for action, scope in needs
        if found[scope] is not None and not allows(found[scope], action)
    ]
    if denied:
        denied[0].problems = tuple(error.message for error in denied[1:])
        raise denied[0]


def _permissions(connection: Connection, scope: str) -> list[dict[str, Any]] | None:
    """What is allowed at a scope; None when it may not be asked, so that only the write can tell."""
    try:
        return connection.list(f"{scope}/providers/Microsoft.Authorization/permissions")
    except AzureError as error:
        if error.kind not in ("denied", "missing", "refused"):
            raise
        return None
