# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that talks to Google: options as google.cloud has them, one credential, one HTTP session.

REST with google-auth's credentials, not the clients of google-cloud-*: importing compute_v1 takes over a second, its
client retries nothing but some reads, and cloud-dns has no visibility, no response policies and no patch. Google's own
JSON is read and sent back as it is. google-auth's AuthorizedSession is not used either: there each thread asks for a
token of its own, and one more in the background asks where the account may be used from.
"""

from __future__ import annotations

import importlib
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import EndpointError
from ..together import WORKERS, gather, settle
from ..waiting import Deadline
from .credentials import choose, credential, setting
from .errors import GoogleError, answered, no_token, unreachable
from .operation import Operation

__all__ = [
    "BASES",
    "CONNECTION_SPEC",
    "Connection",
    "GoogleError",
    "Operation",
    "connect",
    "gather",
    "preload",
    "settle",
]

# What every module of this cloud takes (documentation: plugins/doc_fragments/gcp.py).
CONNECTION_SPEC: dict[str, Any] = {
    "auth_kind": {
        "type": "str",
        "choices": ["application", "machineaccount", "serviceaccount", "accesstoken"],
    },
    "service_account_file": {"type": "path"},
    "service_account_contents": {"type": "jsonarg", "no_log": True},
    "service_account_email": {"type": "str"},
    "access_token": {"type": "str", "no_log": True},
    "scopes": {"type": "list", "elements": "str"},
    "project": {"type": "str"},
    "impersonate_service_account": {"type": "str"},
}

BASES = {
    "compute": "https://compute.googleapis.com/compute/v1/",
    "dns": "https://dns.googleapis.com/dns/v1/",
    "accesscontextmanager": "https://accesscontextmanager.googleapis.com/v1/",
    "orgpolicy": "https://orgpolicy.googleapis.com/v2/",
    "cloudresourcemanager": "https://cloudresourcemanager.googleapis.com/v3/",
    "logging": "https://logging.googleapis.com/v2/",
    "iamcredentials": "https://iamcredentials.googleapis.com/v1/",
}
USER_AGENT = "ansible-private_ai.endpoints"
TRIES = 8
FIRST_PAUSE, GROWTH, LONGEST_PAUSE = 0.4, 2.0, 20.0
WRITE_SECONDS = 900.0
_TIMEOUT = (10, 60)


def preload() -> None:
    """Import the SDK; starts no thread and opens no connection.

    Meant for the top of an action plugin's file: a missing SDK is not an error there, since only the tasks that need
    it should fail. They do, in `connect`.
    """
    for name in (
        "google.auth.transport.requests",
        "google.oauth2.service_account",
        "google.auth.impersonated_credentials",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            return


class Tokens:
    """One token, asked for once however many threads need it."""

    def __init__(self, credential: Any, request: Any) -> None:
        self._credential, self._request = credential, request
        self._lock = threading.Lock()

    @property
    def renewable(self) -> bool:
        """Whether Google gives another one. Not for a token that was given as it is, without what renews it."""
        return getattr(self._credential, "refresh_token", "") is not None

    def get(self, refused: str | None = None) -> str:
        """A valid token. refused: one that Google did not accept, so that a new one is asked for. GoogleError."""
        from google.auth import exceptions

        with self._lock:
            if not self._credential.valid or self._credential.token == refused:
                try:
                    self._credential.refresh(self._request)
                except exceptions.GoogleAuthError as error:
                    raise no_token(error) from error
            return str(self._credential.token)


@dataclass(frozen=True, kw_only=True, repr=False)
class Connection:
    """A credential; sends requests to any of Google's services and projects. Safe across threads.

    project: of what is given by name; None when nothing says it.
    """

    project: str | None
    tokens: Tokens
    session: Any

    def rest(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        resource: str | None = None,
    ) -> dict[str, Any]:
        """Send one request and return its document. GoogleError for an answer of 4xx or 5xx.

        service: a key of BASES. path: what follows its base. resource: for the error; without it the path. Sent again,
        with the same parameters, while the answer is that it may work later, so that a write may have been done before
        the answer that says so: 409 and 412 are for the caller to read and compare.
        """
        about = resource or path
        action = f"{service} {method} {path}"
        pause = FIRST_PAUSE
        tries = 0
        while True:
            tries += 1
            try:
                return self._send(BASES[service] + path, method, body, params, about, action)
            except GoogleError as error:
                if not error.again or tries == TRIES:
                    raise
            time.sleep(pause)
            pause = min(pause * GROWTH, LONGEST_PAUSE)

    def get(self, service: str, path: str, **options: Any) -> dict[str, Any]:
        """Read one resource."""
        return self.rest(service, "GET", path, **options)

    def find(self, service: str, path: str, **options: Any) -> dict[str, Any] | None:
        """Read one resource; None when it does not exist."""
        try:
            return self.get(service, path, **options)
        except GoogleError as error:
            if error.kind != "missing":
                raise
            return None

    def list(
        self, service: str, path: str, key: str = "items", **options: Any
    ) -> list[dict[str, Any]]:
        """Read all pages of a collection, in the field `key`. An aggregated list is flattened."""
        found: list[dict[str, Any]] = []
        params = dict(options.pop("params", None) or {})
        while True:
            document = self.rest(service, "GET", path, params=params, **options)
            part = document.get(key) or []
            if isinstance(part, Mapping):
                kind = path.rpartition("/")[2]
                part = [item for place in part.values() for item in place.get(kind) or ()]
            found += part
            if not document.get("nextPageToken"):
                return found
            params["pageToken"] = document["nextPageToken"]

    def begin(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        deadline: Deadline | None = None,
        params: Mapping[str, Any] | None = None,
        resource: str | None = None,
        request_id: bool = True,
    ) -> Operation:
        """Begin a write; `wait()` of what it returns waits for its operation.

        request_id: whether this method of compute takes one, with which a repeated request does nothing twice.
        """
        known = dict(params or {})
        if service == "compute" and request_id:
            known["requestId"] = str(uuid.uuid4())
        about = resource or path
        document = self.rest(service, method, path, body, params=known, resource=about)
        return Operation(
            document,
            read=lambda where: self.get(service, where, resource=about),
            resource=about,
            action=f"{service} {method} {path}",
            deadline=deadline or Deadline(WRITE_SECONDS),
        )

    def write(
        self, service: str, method: str, path: str, body: Any = None, **options: Any
    ) -> Mapping[str, Any]:
        """`begin` and wait."""
        return self.begin(service, method, path, body, **options).wait()

    def own_project(self) -> str:
        """The project of names without a path; EndpointError when nothing says it."""
        if not self.project:
            raise EndpointError(
                "no project is set",
                resource="project",
                fix="Set the option project or GCP_PROJECT, or give the whole path: projects/PROJECT/...",
            )
        return self.project

    def _send(
        self,
        url: str,
        method: str,
        body: Any,
        params: Mapping[str, Any] | None,
        resource: str,
        action: str,
    ) -> dict[str, Any]:
        token = self.tokens.get()
        answer = self._once(url, method, body, params, token, resource, action)
        if answer.status_code == 401 and self.tokens.renewable:
            # Revoked, or expired by a clock that is not ours: once more with another one.
            fresh = self.tokens.get(refused=token)
            answer = self._once(url, method, body, params, fresh, resource, action)
        try:
            document = answer.json() if answer.content else {}
        except ValueError:
            document = {}
        if answer.status_code >= 300:
            raise answered(answer.status_code, document, resource, action)
        return dict(document)

    def _once(
        self,
        url: str,
        method: str,
        body: Any,
        params: Mapping[str, Any] | None,
        token: str,
        resource: str,
        action: str,
    ) -> Any:
        import requests

        try:
            return self.session.request(
                method,
                url,
                json=body,
                params=params,
                headers={"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT},
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise unreachable(error, resource, action) from error


def connect(params: Mapping[str, Any]) -> Connection:
    """Read the connection options of a module (CONNECTION_SPEC); sends nothing, but for application credentials of a
    Google machine.

    EndpointError: an unknown kind, a credential that is missing or broken. MissingSdk: no google-auth.
    """
    made, own = credential(choose(params))
    import requests
    from google.auth.transport.requests import Request

    session = requests.Session()
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))
    return Connection(
        project=setting(params, "project") or own,
        tokens=Tokens(made, Request(session=session)),
        session=session,
    )
