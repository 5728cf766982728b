# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as Azure Resource Manager words them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..cloud import Response


class ArmError(Exception):
    """An error answer: `{"error": {"code", "message", "details"}}` with a status and headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        target: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)
        self.headers = dict(headers or {})
        self.target = target
        self.extra = dict(extra or {})

    def body(self) -> dict[str, Any]:
        """What stands under `error`, in answers and in failed operations."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target:
            body["target"] = self.target
        if self.details:
            body["details"] = [dict(each) for each in self.details]
        return {**body, **self.extra}

    def response(self) -> Response:
        return json_response(self.status, {"error": self.body()}, self.headers)


def json_response(
    status: int, body: Any = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer; no body at all when `body` is None."""
    if body is None:
        return Response(status, dict(headers or {}))
    given = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache"}
    return Response(status, {**given, **(headers or {})}, json.dumps(body).encode())


def bad_request(code: str, message: str, **more: Any) -> ArmError:
    return ArmError(400, code, message, **more)


def conflict(code: str, message: str, **more: Any) -> ArmError:
    return ArmError(409, code, message, **more)


def not_found(code: str, message: str, **more: Any) -> ArmError:
    return ArmError(404, code, message, **more)


def precondition_failed(header: str, given: str, resource: str, current: str) -> ArmError:
    """412 for a conditional header that does not hold; the DNS provider has words of its own."""
    if "/privatednszones/" in resource.lower():
        message = (
            f"The condition '{given}' in the {header} header was not satisfied. The current was "
            f"'{current}'."
        )
    elif header == "If-None-Match":
        message = f"Resource {resource} already exists."
    else:
        message = (
            f"Etag provided in if-match header {given} does not match etag "
            f"{current or 'null'} of resource {resource} in NRP data store."
        )
    return ArmError(412, "PreconditionFailed", message)
