# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way a request goes: azure-core's pipeline with this collection's token, retries and user agent.

It differs from the one of the SDK's management clients in three things: PATCH is sent again like PUT, since Resource
Manager merges it; a subscription that lacks a resource provider is never changed behind the caller's back; and all
threads share one token. Those clients, which take seconds to import, are not needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

USER_AGENT = "ansible-private_ai.endpoints"
RETRIES = 7
CONNECT_SECONDS, READ_SECONDS = 10, 60
_METHODS = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE", "POST"})
_EARLY_SECONDS = 300


class Tokens:
    """One token per scope, asked for once however many threads need it."""

    def __init__(self, credential: Any) -> None:
        self._credential = credential
        self._kept: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, scope: str) -> str:
        """A token that is valid for some minutes more. The credential's own exceptions."""
        with self._lock:
            token, ends = self._kept.get(scope, ("", 0.0))
            if ends < time.time() + _EARLY_SECONDS:
                fresh = self._credential.get_token(scope)
                token, ends = fresh.token, fresh.expires_on
                self._kept[scope] = (token, ends)
            return token


def make(credential: Any, scope: str) -> Any:
    """A pipeline; opens no connection."""
    from azure.core.exceptions import ServiceRequestError
    from azure.core.pipeline import Pipeline, policies
    from azure.core.pipeline.transport import RequestsTransport

    tokens = Tokens(credential)

    class Patience(policies.SansIOHTTPPolicy[Any, Any]):
        """Every method is sent again, unless the caller says otherwise."""

        def on_request(self, request: Any) -> None:
            request.context.options.setdefault("retry_on_methods", _METHODS)

    class Authorization(policies.SansIOHTTPPolicy[Any, Any]):
        """Puts the token on each request; only over TLS."""

        def on_request(self, request: Any) -> None:
            wanted = request.context.options.pop("token_scope", scope)
            if not request.http_request.url.lower().startswith("https://"):
                raise ServiceRequestError("a token is only sent over https")
            request.http_request.headers["Authorization"] = f"Bearer {tokens.get(wanted)}"

    return Pipeline(
        RequestsTransport(connection_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS),
        [
            policies.RequestIdPolicy(),
            policies.UserAgentPolicy(user_agent=USER_AGENT, user_agent_use_env=False),
            policies.ProxyPolicy(),
            policies.ContentDecodePolicy(),
            policies.RedirectPolicy(permit_redirects=False),
            # Before the retries: a sign-in that fails was tried again by azure-identity itself.
            Authorization(),
            Patience(),
            policies.RetryPolicy(
                retry_total=RETRIES,
                retry_status=RETRIES,
                retry_connect=RETRIES,
                retry_read=RETRIES,
                retry_backoff_factor=0.4,
                retry_backoff_max=20,
            ),
            policies.SensitiveHeaderCleanupPolicy(),
        ],
    )


def send(
    pipeline: Any, method: str, url: str, body: Any, headers: Mapping[str, str], scope: str
) -> tuple[int, Mapping[str, str], Any]:
    """Send one request; status, headers in lower case, and the document (None when there is none)."""
    from azure.core.exceptions import DecodeError
    from azure.core.rest import HttpRequest

    request = HttpRequest(method, url, headers={"Accept": "application/json", **headers}, json=body)
    try:
        answer = pipeline.run(request, token_scope=scope).http_response
    except DecodeError as error:
        # A proxy's page, mostly: it has a status all the same.
        return int(getattr(error.response, "status_code", None) or 0), {}, None
    named = {key.lower(): value for key, value in answer.headers.items()}
    try:
        document = answer.json() if answer.content else None
    except ValueError:
        document = None
    return int(answer.status_code), named, document


def url(base: str, path: str, api_version: str | None, params: Mapping[str, str]) -> str:
    """A URL from a path or a URL, with its parameters."""
    whole = path if "://" in path else base + path
    query = {**params, **({"api-version": api_version} if api_version else {})}
    if not query:
        return whole
    return whole + ("&" if "?" in whole else "?") + urlencode(query)
