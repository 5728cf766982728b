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

from . import connection

_ARN = re.compile(r"<Arn>([^<]+)</Arn>")
_MOST_BYTES = 16 * 1024


def caller(region: str, means: connection.Means) -> str | None:
    """The ARN that the credentials belong to; None without credentials or when STS is not reached."""
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
    try:
        channel = socket.create_connection((host, 443), means.timeout)
        with channel, means.context.wrap_socket(channel, server_hostname=host) as secured:
            secured.sendall(connection.request(host, action, means))
            response = http.client.HTTPResponse(secured, method="POST")
            response.begin()
            body = response.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return None
    found = _ARN.search(body) if response.status == 200 else None
    return found.group(1) if found else None
