# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A write that Azure finishes later: begun, polled with a bound, sent again while somebody else is writing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.errors import EndpointError
from ..waiting import Deadline
from .errors import AzureError, answered

# Without Retry-After. Azure's own default of 30 seconds would be most of a run.
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 0.5, 1.5, 10.0
# How long another writer is waited for.
BUSY_SECONDS = 300.0
_DONE = frozenset({"succeeded", "failed", "canceled", "cancelled"})

# Sends one request: method, URL, body → status, headers in lower case, document.
Send = Callable[[str, str, Any], tuple[int, Mapping[str, str], Any]]


class Operation:
    """One write under way. `wait` returns the resource as it stands afterwards; None after a DELETE or an empty answer.

    send: with the resource's own headers, for the write. read: without them, for polling.
    """

    def __init__(
        self,
        *,
        send: Send,
        read: Send,
        method: str,
        url: str,
        body: Any,
        resource: str,
        action: str,
        deadline: Deadline,
    ) -> None:
        self._send, self._read = send, read
        self._method, self._url, self._body = method, url, body
        self.resource, self.action = resource, action
        self._deadline = deadline
        self._busy_until = time.monotonic() + min(BUSY_SECONDS, deadline.left())
        self._begin()

    def wait(self) -> Any:
        """Wait until it is done. AzureError when it failed, EndpointError at the deadline."""
        while True:
            try:
                return self._finish(self._deadline)
            except AzureError as error:
                if not error.busy or time.monotonic() > self._busy_until:
                    raise
            time.sleep(min(2.0, self._deadline.left()))
            self._begin()

    def _begin(self) -> None:
        """Send the write, again while another one is in its way."""
        pause = FIRST_PAUSE
        while True:
            try:
                self._status, self._headers, self._document = self._send(
                    self._method, self._url, self._body
                )
                return
            except AzureError as error:
                if not error.busy or time.monotonic() + pause > self._busy_until:
                    raise
            time.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_PAUSE)

    def _finish(self, deadline: Deadline) -> Any:
        monitor = self._headers.get("azure-asyncoperation")
        if monitor:
            return self._by_operation(monitor, deadline)
        location = self._headers.get("location")
        if self._status == 202 and location:
            return self._by_location(location, deadline)
        if self._method in ("PUT", "PATCH"):
            return self._by_state(deadline)
        return self._document

    def _by_operation(self, url: str, deadline: Deadline) -> Any:
        headers = self._headers
        for pause in self._pauses(deadline):
            _wait(headers, pause, deadline)
            _status, headers, document = self._read("GET", url, None)
            state = str((document or {}).get("status", "")).lower()
            if state == "succeeded":
                return None if self._method == "DELETE" else self._final()
            if state in _DONE:
                raise answered(
                    0,
                    document if (document or {}).get("error") else None,
                    self.resource,
                    f"the operation ended as {state}",
                    self.action,
                )
        raise self._late()

    def _by_location(self, url: str, deadline: Deadline) -> Any:
        headers = self._headers
        for pause in self._pauses(deadline):
            _wait(headers, pause, deadline)
            status, headers, _document = self._read("GET", url, None)
            if status != 202:
                return None if self._method == "DELETE" else self._final()
        raise self._late()

    def _by_state(self, deadline: Deadline) -> Any:
        document, headers = self._document, self._headers
        for pause in self._pauses(deadline):
            state = _provisioning(document)
            if state in ("", "succeeded"):
                return document
            if state in _DONE:
                raise AzureError(
                    f"its provisioning ended as {state}",
                    kind="refused",
                    action=self.action,
                    resource=self.resource,
                    code="ProvisioningState" + state.capitalize(),
                    fix="Look at its activity log in Azure, then run again",
                )
            _wait(headers, pause, deadline)
            _status, headers, document = self._read("GET", self._url, None)
        raise self._late()

    def _final(self) -> Any:
        _status, self._headers, document = self._read("GET", self._url, None)
        return document

    def _pauses(self, deadline: Deadline) -> Iterable[float]:
        pause = FIRST_PAUSE
        yield pause
        while deadline.left():
            pause = min(pause * GROWTH, LONGEST_PAUSE)
            yield pause

    def _late(self) -> EndpointError:
        return EndpointError(
            f"{self._method} is not finished",
            resource=self.resource,
            code="Timeout",
            fix="Raise wait_timeout and run again: the run goes on where this one stopped",
        )


def _wait(headers: Mapping[str, str], pause: float, deadline: Deadline) -> None:
    asked = headers.get("retry-after", "")
    seconds = float(asked) if asked.isdigit() and int(asked) else pause
    time.sleep(min(seconds, deadline.left()))


def _provisioning(document: Any) -> str:
    properties = document.get("properties") if isinstance(document, Mapping) else None
    state = properties.get("provisioningState") if isinstance(properties, Mapping) else ""
    return str(state or "").lower()
