# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that talks to Azure: options as azure.azcollection has them, one credential, one pipeline.

Documents are Resource Manager's own JSON, read and sent back as they are, so that nothing that this release does not
know is lost on the way. The SDK is imported inside functions, so that a controller without it can load this file;
`preload` imports it ahead of time, once, for the workers that are forked later.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.azure.arm_id import ArmId
from ..core.azure.names import PUBLIC, Cloud, cloud
from ..core.errors import EndpointError
from ..together import gather, settle
from ..waiting import Deadline
from . import pipeline
from .credentials import choose, credential, environment
from .errors import AzureError, answered, calling, translate
from .operation import Operation

__all__ = [
    "API_VERSIONS",
    "CONNECTION_SPEC",
    "AzureError",
    "Connection",
    "Operation",
    "calling",
    "connect",
    "gather",
    "preload",
    "settle",
    "translate",
]

# What every module of this cloud takes (documentation: plugins/doc_fragments/azure.py).
CONNECTION_SPEC: dict[str, Any] = {
    "subscription_id": {"type": "str"},
    "tenant": {"type": "str", "aliases": ["tenant_id"]},
    "client_id": {"type": "str"},
    "secret": {"type": "str", "aliases": ["client_secret"], "no_log": True},
    "x509_certificate_path": {"type": "path"},
    "certificate_password": {"type": "str", "no_log": True},
    "federated_token_file": {"type": "path", "no_log": False},
    "ad_user": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "auth_source": {"type": "str", "choices": ["auto", "cli", "env", "msi"]},
    "cloud_environment": {"type": "str"},
}

# Provider, in lower case → the version of its API that this collection speaks.
API_VERSIONS = {
    "microsoft.network": "2024-05-01",
    "microsoft.network/privatednszones": "2024-06-01",
    "microsoft.cognitiveservices": "2025-06-01",
    "microsoft.authorization": "2022-04-01",
    "microsoft.insights": "2021-05-01-preview",
    "microsoft.operationalinsights": "2023-09-01",
    "microsoft.resources": "2022-12-01",
}
_WRITE_SECONDS = 900.0
_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def preload() -> None:
    """Import the SDK; starts no thread and opens no connection.

    Meant for the top of an action plugin's file: a missing SDK is not an error there, since only the tasks that need
    it should fail. They do, in `connect`.
    """
    for name in ("azure.identity", "azure.core.pipeline.transport", "azure.core.rest"):
        try:
            importlib.import_module(name)
        except ImportError:
            return


@dataclass(frozen=True, kw_only=True, repr=False)
class Connection:
    """A credential in one cloud; sends requests in any subscription. Safe across threads.

    subscription_id: where a name without an id is looked for; None when nothing says it.
    """

    cloud: Cloud
    subscription_id: str | None
    credential: Any
    pipeline: Any

    def rest(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        api_version: str | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        scope: str | None = None,
        resource: str | None = None,
        action: str | None = None,
    ) -> Any:
        """Send one request and return its document. AzureError for an answer of 4xx or 5xx.

        path: a resource id with what follows it, or a whole URL. api_version: without it, the one of API_VERSIONS for
        the path's provider. scope: of the token, when it is not Resource Manager's. resource: for the error; without
        it the path. action: what it needs, where the path does not say so.
        """
        url = self.url(path, api_version, params)
        return self._send(method, url, body, headers, scope, resource or _shown(path), action)[2]

    def get(self, path: str | ArmId, **options: Any) -> dict[str, Any]:
        """Read one resource."""
        return dict(self.rest("GET", str(path), **options))

    def find(self, path: str | ArmId, **options: Any) -> dict[str, Any] | None:
        """Read one resource; None when it does not exist."""
        try:
            return self.get(path, **options)
        except AzureError as error:
            if error.kind != "missing":
                raise
            return None

    def list(self, path: str | ArmId, **options: Any) -> list[dict[str, Any]]:
        """Read all pages of a collection."""
        document = self.rest("GET", str(path), **options)
        found = list(document.get("value") or ())
        options.pop("params", None)
        while document.get("nextLink"):
            document = self.rest("GET", document["nextLink"], **options)
            found += document.get("value") or ()
        return found

    def begin(
        self,
        method: str,
        path: str | ArmId,
        body: Any = None,
        *,
        deadline: Deadline | None = None,
        etag: str | None = None,
        new: bool = False,
        resource: str | None = None,
        api_version: str | None = None,
    ) -> Operation:
        """Begin a PUT, PATCH or DELETE; `wait()` of what it returns gives the resource as it stands afterwards.

        etag: only when the resource still is what was read (If-Match). new: only when it does not exist
        (If-None-Match). A write that is in the way of this one is waited for.
        """
        conditions = {"If-Match": etag} if etag else {}
        if new:
            conditions["If-None-Match"] = "*"
        about = resource or _shown(str(path))

        def send(method: str, url: str, body: Any) -> tuple[int, Mapping[str, str], Any]:
            return self._send(method, url, body, conditions, None, about)

        def read(method: str, url: str, body: Any) -> tuple[int, Mapping[str, str], Any]:
            return self._send(method, url, body, None, None, about)

        return Operation(
            send=send,
            read=read,
            method=method,
            url=self.url(str(path), api_version, None),
            body=body,
            resource=about,
            action=action_of(method, str(path)),
            deadline=deadline or Deadline(_WRITE_SECONDS),
        )

    def write(self, method: str, path: str | ArmId, body: Any = None, **options: Any) -> Any:
        """`begin` and wait."""
        return self.begin(method, path, body, **options).wait()

    def subscription(self) -> str:
        """The subscription of names without an id; EndpointError when nothing says it."""
        if not self.subscription_id:
            raise EndpointError(
                "no subscription is set",
                resource="subscription_id",
                fix="Set the option subscription_id or AZURE_SUBSCRIPTION_ID, or give the whole resource id",
            )
        return self.subscription_id

    def url(self, path: str, api_version: str | None, params: Mapping[str, str] | None) -> str:
        """The whole URL of a resource id or of a URL, with its version and parameters."""
        return pipeline.url(
            self.cloud.resource_manager, path, api_version or version_of(path), params or {}
        )

    def _send(
        self,
        method: str,
        url: str,
        body: Any,
        headers: Mapping[str, str] | None,
        scope: str | None,
        resource: str,
        action: str | None = None,
    ) -> tuple[int, Mapping[str, str], Any]:
        action = action or action_of(method, url)
        with calling(resource, action):
            status, answer, document = pipeline.send(
                self.pipeline, method, url, body, headers or {}, scope or self.cloud.scope
            )
        if status >= 400:
            raise answered(status, document, resource, action=action)
        return status, answer, document


def connect(params: Mapping[str, Any]) -> Connection:
    """Read the connection options of a module (CONNECTION_SPEC); sends nothing.

    EndpointError: an unknown cloud, a partial set of credentials. MissingSdk: no azure-identity.
    """
    chosen = params.get("cloud_environment") or environment(("AZURE_CLOUD_ENVIRONMENT",))
    where = cloud(chosen or PUBLIC)
    made = credential(choose({**params, "auth_source": _source(params)}), where)
    return Connection(
        cloud=where,
        subscription_id=params.get("subscription_id") or environment(("AZURE_SUBSCRIPTION_ID",)),
        credential=made,
        pipeline=pipeline.make(made, where.scope),
    )


def version_of(path: str) -> str | None:
    """The API version for a path, by the last provider in it; None when the URL has one, or none is known."""
    if "api-version=" in path:
        return None
    lowered = path.split("?", 1)[0].lower()
    _unused, found, rest = lowered.rpartition("/providers/")
    if not found:
        return None if "://" in path else API_VERSIONS["microsoft.resources"]
    parts = rest.split("/")
    return API_VERSIONS.get("/".join(parts[:2])) or API_VERSIONS.get(parts[0])


def action_of(method: str, path: str) -> str:
    """What a request needs, as roles name it: `Microsoft.Network/privateEndpoints/write`."""
    parts = path.split("?", 1)[0].rstrip("/").split("/")
    lowered = [part.lower() for part in parts]
    if "providers" not in lowered:
        return (
            f"{parts[2] if '://' in path else 'Microsoft.Resources'}/{_VERBS.get(method, 'action')}"
        )
    start = len(parts) - lowered[::-1].index("providers")
    kinds = [parts[start], *parts[start + 1 :: 2]]
    return "/".join([*kinds, _VERBS.get(method, "action")])


def _source(params: Mapping[str, Any]) -> str:
    named = params.get("auth_source") or environment(("ANSIBLE_AZURE_AUTH_SOURCE",)) or "auto"
    if named not in CONNECTION_SPEC["auth_source"]["choices"]:
        raise EndpointError(
            f"{named} is no way to sign in that this collection knows",
            resource="auth_source",
            fix="Choose one of " + ", ".join(CONNECTION_SPEC["auth_source"]["choices"]),
        )
    return named


def _shown(path: str) -> str:
    return path.split("?", 1)[0]
