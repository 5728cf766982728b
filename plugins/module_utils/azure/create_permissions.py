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
from ..core.errors import EndpointError
from .client import AzureError, Connection, settle

# Answers of a scope where it may not be asked.
_UNASKED = ("denied", "missing", "refused")


def rehearse(connection: Connection, changes: Iterable[Change]) -> list[str]:
    """AzureError that names every action that is denied, and its scope; one read for each scope, all at once.

    Returns where it may not be asked, as sentences: there only the write can tell.
    """
    needs = needed(changes)
    answers = settle({scope: partial(_permissions, connection, scope) for _action, scope in needs})
    notes, found = [], {}
    for scope, answer in answers.items():
        if isinstance(answer, EndpointError):
            if not isinstance(answer, AzureError) or answer.kind not in _UNASKED:
                raise answer
            notes.append(
                f"What these credentials may do on {scope} cannot be asked, so that an action that is denied shows "
                f"only when it is tried: {answer.message}"
            )
        found[scope] = None if isinstance(answer, EndpointError) else answer
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
        if (known := found[scope]) is not None and not allows(known, action)
    ]
    if denied:
        denied[0].problems = tuple(error.message for error in denied[1:])
        raise denied[0]
    return notes


def _permissions(connection: Connection, scope: str) -> list[dict[str, Any]]:
    """What is allowed at a scope."""
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    return connection.list(path, resource=scope)
