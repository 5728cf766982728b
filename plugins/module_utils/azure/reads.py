# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that may be denied: all at once, and what could not be read is said instead of left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import EndpointError
from ..withheld import Reads
from .errors import AzureError


@dataclass(frozen=True, kw_only=True)
class Read:
    """One read. part: of the evidence. resource: what it is about. action: what Azure calls the permission.

    tolerant: also what Azure refuses or does not find is only missing; for what others own.
    """

    part: str
    resource: str
    action: str
    call: Callable[[], Any]
    tolerant: bool = False


class Reader(Reads[Read]):
    """What was missing: `[{part, resource, action, code, message}]`."""

    def lacking(self, read: Read, error: EndpointError) -> dict[str, Any]:
        """See the base class."""
        kinds = ("denied", "refused", "missing") if read.tolerant else ("denied",)
        if not isinstance(error, AzureError) or error.kind not in kinds:
            raise error
        return {
            "part": read.part,
            "resource": read.resource,
            "action": error.action or read.action,
            "code": error.code,
            "message": error.what,
        }


def properties(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of an ARM document."""
    found: Mapping[str, Any] = document.get("properties") or {}
    return found


def reference(value: Any) -> str | None:
    """The id in a reference to another resource."""
    return str(value["id"]) if value and value.get("id") else None


def both(document: Mapping[str, Any], one: str, many: str) -> list[str]:
    """The values of a property that Azure has once for one value and once for several."""
    found = [document[one]] if document.get(one) else []
    return [str(item) for item in [*found, *(document.get(many) or ())]]
