# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose credentials these are: AWS STS GetCallerIdentity, which no policy can deny.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

import http.client
import re
import socket
from typing import Any, Dict

from . import connection, together
from .reading import Bounded
from .text import plain

_ARN = re.compile(r"<Arn>([^<]+)</Arn>")
_MOST_BYTES = 16 * 1024
_LONGEST_ARN = 2048
# Resolving, connecting, the handshake and the answer: as many waits as a probe of a host has.
_WAITS = 2


def caller(region: str, means: connection.Means, seconds: float | None = None) -> str | None:
    """The ARN that the credentials belong to; None without credentials or when STS is not reached.

    seconds: the longest that it may take.
    """
    if means.credentials is None:
        return None
    host = f"sts.{region}.amazonaws.com"
    action: Dict[str, Any] = {
        "method": "POST",
        "path": "/",
        "headers": {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        "body": "Action=GetCallerIdentity&Version=2011-06-15",
        "auth": "aws4",
        "signing_name": "sts",
        "region": region,
    }
    # The system's resolver knows no end, so all of it runs beside a clock.
    wait = _WAITS * means.timeout if seconds is None else min(_WAITS * means.timeout, seconds)
    (body,) = together.run([lambda: _ask(host, action, means)], wait)
    found = _ARN.search(body) if body else None
    return plain(found.group(1), _LONGEST_ARN) if found else None


def _ask(host: str, action: Dict[str, Any], means: connection.Means) -> str | None:
    try:
        channel = socket.create_connection((host, 443), means.timeout)
        with channel, means.context.wrap_socket(channel, server_hostname=host) as secured:
            secured.sendall(connection.request(host, action, means))
            answer: Any = Bounded(secured, together.now() + means.timeout)
            response = http.client.HTTPResponse(answer, method="POST")
            response.begin()
            body = response.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return body if response.status == 200 else None
