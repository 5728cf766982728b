# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: one JSON line per control-plane request, in the order in which they were answered."""

from __future__ import annotations

import datetime
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from lab.cloud import Call, Request

MASK = "********"
# Values under these names are masked. ClientToken and NextToken are no secrets, and tests need them.
_SECRET = re.compile(
    r"secret|passw|private_?key|signing_?key|credential|authorization|assertion|external_?id"
    r"|(session|security|access|refresh|id|identity|bearer)_?token|token_?code|\bsignature\b",
    re.IGNORECASE,
)


def masked(value: Any, name: str = "") -> Any:
    """The same structure without secrets, and with nothing in it that JSON does not know."""
    if isinstance(value, Mapping):
        return {str(key): masked(each, str(key)) for key, each in value.items()}
    if value and _SECRET.search(name):
        return MASK
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each) for each in value]
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


class Journal:
    """Appends to an open file descriptor; each line is one write(), so that readers see whole lines.

    A line has: time (UTC), cloud, host, vantage, operation, principal, parameters, write (the
    operation is one that writes), status (null: never answered), fault (null, or what
    `--faults` did to it), duration (seconds) and authorized (the permissions that were asked for
    and that the principal had, each once).
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def record(
        self, request: Request, call: Call, status: int | None, fault: str | None, duration: float
    ) -> None:
        if self._descriptor is None or call.plane != "control":
            return
        moment = datetime.datetime.fromtimestamp(request.time, datetime.timezone.utc)
        line = {
            "time": moment.isoformat(timespec="microseconds"),
            "cloud": call.cloud,
            "host": request.host,
            "vantage": request.vantage.name,
            "operation": call.operation,
            "principal": call.principal,
            "parameters": masked(call.parameters),
            "write": call.write,
            "status": status,
            "fault": fault,
            "duration": round(duration, 6),
            "authorized": list(dict.fromkeys(call.authorized)),
        }
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")
