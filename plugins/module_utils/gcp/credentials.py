# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that chooses a credential: options, then the environment, then what the machine has.

Option and environment names are those of google.cloud and of AWX. What is given is used or refused, never passed over:
google-auth's own search would go on silently, and then somebody else's rights are used.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import EndpointError, MissingSdk

# Option → names in the environment: google.cloud's, then those that only AWX's credential sets.
ENVIRONMENT = {
    "auth_kind": ("GCP_AUTH_KIND",),
    "service_account_file": ("GCP_SERVICE_ACCOUNT_FILE", "GCE_CREDENTIALS_FILE_PATH"),
    "service_account_contents": ("GCP_SERVICE_ACCOUNT_CONTENTS",),
    "service_account_email": ("GCP_SERVICE_ACCOUNT_EMAIL",),
    "access_token": ("GCP_ACCESS_TOKEN",),
    "scopes": ("GCP_SCOPES",),
    "project": ("GCP_PROJECT", "GCE_PROJECT", "GOOGLE_CLOUD_PROJECT"),
}
KINDS = ("application", "machineaccount", "serviceaccount", "accesstoken")
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TOKEN_URI = "https://oauth2.googleapis.com/token"
_IMPERSONATION_SECONDS = 3600


@dataclass(frozen=True, kw_only=True, repr=False)
class Choice:
    """How to sign in, and as whom after that. values: the options that this kind needs."""

    kind: str
    values: Mapping[str, Any]
    scopes: tuple[str, ...]
    impersonate: str | None = None


def setting(params: Mapping[str, Any], name: str) -> Any:
    """An option, else the first of its names in the environment that is set."""
    if params.get(name):
        return params[name]
    return next((os.environ[key] for key in ENVIRONMENT[name] if os.environ.get(key)), None)


def choose(params: Mapping[str, Any]) -> Choice:
    """Decide how to sign in; sends nothing. EndpointError for an unknown kind, or one whose credential is missing.

    Credentials among the options decide before any in the environment.
    """
    secrets = ("access_token", "service_account_contents", "service_account_file")
    given = {name: params[name] for name in secrets if params.get(name)}
    kind = params.get("auth_kind") or (_implied(given) if given else setting({}, "auth_kind"))
    found = given or {name: value for name in secrets if (value := setting({}, name))}
    kind = kind or _implied(found)
    if kind not in KINDS:
        raise EndpointError(
            f"{kind} is no way to sign in that this collection knows",
            resource="auth_kind",
            fix="Choose one of " + ", ".join(KINDS),
        )
    found = {**{name: value for name in secrets if (value := setting({}, name))}, **given}
    scopes = setting(params, "scopes") or SCOPES
    return Choice(
        kind=kind,
        values=_needed(kind, found, setting(params, "service_account_email")),
        scopes=tuple(_listed(scopes)),
        impersonate=params.get("impersonate_service_account"),
    )


def credential(choice: Choice) -> tuple[Any, str | None]:
    """google-auth's credential and the project that it belongs to, when it says so; sends nothing but for
    `application` on a Google machine. EndpointError, MissingSdk."""
    try:
        auth = importlib.import_module("google.auth")
        importlib.import_module("google.auth.transport.requests")
    except ImportError as error:
        raise MissingSdk(
            f"the Python libraries google-auth and requests are missing: {error}",
            fix="pip install google-auth requests, for the Python that runs this task",
        ) from error
    try:
        made, project = _make(choice, auth)
    except (auth.exceptions.GoogleAuthError, ValueError, OSError) as error:
        raise EndpointError(
            f"no credential of kind {choice.kind}: {str(error).splitlines()[0]}",
            resource="auth_kind",
            code=type(error).__name__,
            fix="Check the file or the contents, or set GOOGLE_APPLICATION_CREDENTIALS",
        ) from error
    if choice.impersonate:
        impersonated = importlib.import_module("google.auth.impersonated_credentials")
        made = impersonated.Credentials(
            source_credentials=made,
            target_principal=choice.impersonate,
            target_scopes=list(choice.scopes),
            lifetime=_IMPERSONATION_SECONDS,
        )
    return made, project


def _make(choice: Choice, auth: Any) -> tuple[Any, str | None]:
    values, scopes = choice.values, list(choice.scopes)
    if choice.kind == "application":
        made, project = auth.default(scopes=scopes)
        return made, project
    if choice.kind == "machineaccount":
        engine = importlib.import_module("google.auth.compute_engine")
        email = values.get("service_account_email") or "default"
        return engine.Credentials(service_account_email=email, scopes=scopes), None
    if choice.kind == "accesstoken":
        oauth2 = importlib.import_module("google.oauth2.credentials")
        return oauth2.Credentials(token=values["access_token"]), None
    account = importlib.import_module("google.oauth2.service_account")
    info = _key(values)
    made = account.Credentials.from_service_account_info(info, scopes=scopes)
    return made, info.get("project_id")


def _key(values: Mapping[str, Any]) -> dict[str, Any]:
    """The service account's key. AWX writes one without token_uri and private_key_id."""
    document = values.get("service_account_contents")
    if not document:
        document = Path(values["service_account_file"]).expanduser().read_text(encoding="utf-8")
    if isinstance(document, (str, bytes)):
        document = json.loads(document)
    if not isinstance(document, Mapping):
        raise ValueError("the key is no JSON object")
    return {"token_uri": TOKEN_URI, **document}


def _needed(kind: str, found: Mapping[str, Any], email: str | None) -> dict[str, Any]:
    if kind == "application":
        return {}
    if kind == "machineaccount":
        return {"service_account_email": email} if email else {}
    names: Sequence[str] = ("access_token",)
    if kind == "serviceaccount":
        names = ("service_account_contents", "service_account_file")
    for name in names:
        if found.get(name):
            return {name: found[name]}
    raise EndpointError(
        f"{kind} needs {' or '.join(names)}",
        resource="auth_kind",
        fix="Set it as an option or in " + " or ".join(ENVIRONMENT[name][0] for name in names),
    )


def _implied(found: Mapping[str, Any]) -> str:
    if found.get("access_token"):
        return "accesstoken"
    return "serviceaccount" if found else "application"


def _listed(value: Any) -> list[str]:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
