# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's own SDKs, unmodified, whose requests go straight to a simulated cloud: for the simulator's tests."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.privatedns import PrivateDnsManagementClient
from requests.adapters import HTTPAdapter

from ..cloud import Call, Request, Vantage
from . import Azure
from .clouds import PUBLIC, Environment


class Adapter(HTTPAdapter):
    """What `requests` sends by; remembers each call in `calls`."""

    def __init__(self, cloud: Azure, vantage: Vantage) -> None:
        super().__init__()
        self._cloud = cloud
        self._vantage = vantage
        self.calls: list[tuple[Call, int]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        url = urlsplit(str(request.url))
        body = request.body or b""
        arrived = Request(
            self._vantage,
            "203.0.113.20",
            str(url.hostname),
            str(request.method),
            url.path or "/",
            url.query,
            {name.lower(): str(value) for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else body,
            time.time(),
        )
        call = self._cloud.parse(arrived)
        answer = self._cloud.answer(arrived, call)
        self.calls.append((call, answer.status))
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body),
            headers=answer.headers,
            status=answer.status,
            preload_content=False,
        )
        return self.build_response(request, raw)

    def operations(self, *, write: bool | None = None) -> list[str]:
        """The names of the operations so far, without tokens and polling."""
        return [
            call.operation
            for call, _ in self.calls
            if "peration" not in call.operation
            and not call.operation.startswith("login:")
            and write in (None, call.write)
        ]


class Sdk:
    """A service principal with its management clients."""

    def __init__(
        self,
        cloud: Azure,
        vantage: Vantage,
        *,
        tenant: str,
        client_id: str,
        secret: str,
        environment: Environment = PUBLIC,
    ) -> None:
        self.adapter = Adapter(cloud, vantage)
        self.environment = environment
        self.credential = ClientSecretCredential(
            tenant,
            client_id,
            secret,
            authority=environment.login,
            transport=self.transport(),
            retry_total=0,
        )

    def transport(self) -> RequestsTransport:
        session = requests.Session()
        session.mount("https://", self.adapter)
        return RequestsTransport(session=session, session_owner=False)

    @property
    def _options(self) -> Mapping[str, Any]:
        return {
            "transport": self.transport(),
            "base_url": f"https://{self.environment.arm}",
            "credential_scopes": [f"https://{self.environment.arm}/.default"],
            "retry_total": 0,
            "polling_interval": 0.001,
        }

    def network(self, subscription: str) -> NetworkManagementClient:
        return NetworkManagementClient(self.credential, subscription, **self._options)

    def dns(self, subscription: str) -> PrivateDnsManagementClient:
        return PrivateDnsManagementClient(self.credential, subscription, **self._options)
