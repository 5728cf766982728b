# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A write that Google finishes later: begun with 200, polled with a bound, and failed only then, or done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..core.errors import EndpointError
from ..waiting import Deadline
from .errors import failed

Read = Callable[[str], Mapping[str, Any]]


class Operation:
    """One write under way. `wait` returns the operation's document at its end, or what the write answered at once.

    read: sends a GET for a path under the service's base.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        read: Read,
        resource: str,
        action: str,
        deadline: Deadline,
    ) -> None:
        self._document = document
        self._read = read
        self.resource, self.action = resource, action
        self._deadline = deadline

    def wait(self) -> Mapping[str, Any]:
        """Wait until it is done. GoogleError when it failed, EndpointError at the deadline."""
        path = _path(self._document)
        if path is None:
            return self._document
        for _unused in self._deadline.ticks():
            if _done(self._document):
                break
            self._document = self._read(path)
        if not _done(self._document):
            raise EndpointError(
                f"waited {self._deadline.seconds:g} seconds, and the operation {self._document.get('name')} still runs",
                resource=self.resource,
                code="Timeout",
                fix="Raise wait_timeout and run again: the run goes on where this one stopped",
            )
        if self._document.get("error"):
            raise failed(self._document, self.resource, self.action)
        return self._document


def _path(document: Mapping[str, Any]) -> str | None:
    """Where the operation is read; None for an answer that is none."""
    if document.get("kind") == "compute#operation":
        # The link names www.googleapis.com, which may be out of reach where compute.googleapis.com is not.
        return "projects/" + str(document["selfLink"]).partition("/projects/")[2]
    name = str(document.get("name") or "")
    return name if name.startswith("operations/") else None


def _done(document: Mapping[str, Any]) -> bool:
    return document.get("status") == "DONE" or bool(document.get("done"))
