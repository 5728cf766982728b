# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that may be denied: all at once, and what could not be read is said instead of left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import EndpointError
from ..together import settle
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


@dataclass
class Reader:
    """Runs reads, and collects what was missing: `[{part, resource, action, code, message}]`."""

    missing: list[dict[str, Any]] = field(default_factory=list)

    def all(self, reads: Mapping[str, Read]) -> dict[str, Any]:
        """Run all reads at once; one that is withheld gives None. Any other failure is raised, the first in order."""
        outcomes = settle({name: read.call for name, read in reads.items()})
        answers: dict[str, Any] = {}
        for name, outcome in outcomes.items():
            if isinstance(outcome, EndpointError):
                self._note(reads[name], outcome)
                answers[name] = None
            else:
                answers[name] = outcome
        return answers

    def note(self, part: str, resource: str, action: str, code: str, message: str) -> None:
        """Something that is missing although nothing was refused; each once."""
        entry = {
            "part": part,
            "resource": resource,
            "action": action,
            "code": code,
            "message": message,
        }
        if entry not in self.missing:
            self.missing.append(entry)

    def repeat(self, part: str, other: str) -> None:
        """What is missing of one part is missing of the other one, too, which is in the same document."""
        for entry in [item for item in self.missing if item["part"] == part]:
            self.note(**{**entry, "part": other})

    def listed(self) -> list[dict[str, Any]]:
        """What was missing, in an order that does not hang on which read ended first."""
        return sorted(
            self.missing, key=lambda item: (item["part"], item["resource"], item["action"])
        )

    def _note(self, read: Read, error: EndpointError) -> None:
        kinds = (*_WITHHELD, "refused", "missing") if read.tolerant else _WITHHELD
        if not isinstance(error, GoogleError) or error.kind not in kinds:
            raise error
        # An error without a permission in it names the request instead.
        known = error.action if error.action and " " not in error.action else read.action
        self.note(read.part, read.resource, known, str(error.code), error.what)


def all_of(
    connection: Connection, service: str, path: str, key: str = "items", size: int = 500
) -> Callable[[], list[dict[str, Any]]]:
    """A call that reads a whole collection of compute or dns in as few requests as it takes."""
    return lambda: connection.list(service, path, key, params={"maxResults": size}, resource=path)
