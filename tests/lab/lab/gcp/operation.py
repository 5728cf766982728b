# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of methods that the control planes have, and what a handler of one gets."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from . import iam
from .errors import GoogleError, denied, invalid
from .records import Principal, Project
from .state import State

Result = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Control:
    """One authenticated request that fits its discovery document. Handlers hold the lock."""

    state: State
    caller: Principal
    service: str
    version: str
    method: str
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    source_address: str

    @property
    def project(self) -> Project:
        """The project in the path; one that the caller may not even see does not exist for it."""
        return self.find_project(self.path["project"])

    def find_project(self, name: str) -> Project:
        found = self.state.project(name)
        if found is not None:
            return found
        if self.service == "compute":
            raise GoogleError(404, f"The resource 'projects/{name}' was not found")
        if self.service == "dns":
            raise GoogleError(403, "Permission denied.", "forbidden")
        raise denied(self.service, "resourcemanager.projects.get", f"projects/{name}")

    def authorize(self, permission: str, resource: str, shown: str = "") -> None:
        """Raise the refusal that names the permission unless the caller has it on projects/P."""
        if not iam.allowed(self.state, self.caller, permission, resource):
            raise denied(self.service, permission, shown or resource)


Handler = Callable[[Control], Result | None]
METHODS: dict[str, Handler] = {}
_READS = re.compile(
    r"\.(get\w*|list\w*|aggregatedList|search\w*|testIamPermissions|lookup\w*|wait|generate\w+|sign\w+|token\w*|unknown|"
    r"userinfo)$"
)


def method(*ids: str) -> Callable[[Handler], Handler]:
    """Register the handler of one or more methods, by their ids in the discovery document."""

    def register(handler: Handler) -> Handler:
        for each in ids:
            METHODS[each] = handler
        return handler

    return register


def is_write(method_id: str) -> bool:
    """Whether a method changes anything (a token that is made is no change)."""
    return not _READS.search(method_id)


def page(
    control: Control, items: Sequence[T], size_name: str, default: int = 500
) -> tuple[list[T], str]:
    """One page of a list by the request's size and pageToken, and the token of the next or ""."""
    start, token = 0, control.query.get("pageToken") or control.body.get("pageToken") or ""
    if token:
        try:
            start = int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("page:"))
        except ValueError:
            raise invalid(f"Invalid value for field 'pageToken': '{token}'.") from None
    size = control.query.get(size_name) or control.body.get(size_name) or default
    end = start + max(int(size), 1)
    following = base64.urlsafe_b64encode(f"page:{end}".encode()).decode()
    return list(items[start:end]), following if end < len(items) else ""
