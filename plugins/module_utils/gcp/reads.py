# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that may be denied: all at once, and what could not be read is said instead of left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.errors import EndpointError
from ..withheld import Reads
from .client import Connection
from .errors import GoogleError

# Answers that say "not for you": a permission, an API that is not enabled, a perimeter that the caller is outside of.
_WITHHELD = ("denied", "disabled", "policy")


@dataclass(frozen=True, kw_only=True)
class Read:
    """One read. part: of the evidence. resource: what it is about. action: what Google calls the permission.

    tolerant: also what Google refuses or does not find is only missing; for what others own.
    """

    part: str
    resource: str
    action: str
    call: Callable[[], Any]
    tolerant: bool = False


class Reader(Reads[Read]):
    """What was missing: `[{part, resource, action, code, message}]`."""

    def note(self, part: str, resource: str, action: str, code: str, message: str) -> None:
        """Something that is missing although nothing was refused; each once."""
        self.keep(_entry(part, resource, action, code, message))

    def repeat(self, part: str, other: str) -> None:
        """What is missing of one part is missing of the other one, too, which is in the same document."""
        for entry in [item for item in self.missing if item["part"] == part]:
            self.keep({**entry, "part": other})

    def listed(self) -> list[dict[str, Any]]:
        """What was missing, in an order that does not hang on which read ended first."""
        return sorted(
            self.missing, key=lambda item: (item["part"], item["resource"], item["action"])
        )

    def lacking(self, read: Read, error: EndpointError) -> dict[str, Any]:
        """See the base class."""
        kinds = (*_WITHHELD, "refused", "missing") if read.tolerant else _WITHHELD
        if not isinstance(error, GoogleError) or error.kind not in kinds:
            raise error
        # An error without a permission in it names the request instead.
        known = error.action if error.action and " " not in error.action else read.action
        return _entry(read.part, read.resource, known, str(error.code), error.what)


def _entry(part: str, resource: str, action: str, code: str, message: str) -> dict[str, Any]:
    return {
        "part": part,
        "resource": resource,
        "action": action,
        "code": code,
        "message": message,
    }


def all_of(
    connection: Connection, service: str, path: str, key: str = "items", size: int = 500
) -> Callable[[], list[dict[str, Any]]]:
    """A call that reads a whole collection of compute or dns in as few requests as it takes."""
    return lambda: connection.list(service, path, key, params={"maxResults": size}, resource=path)
