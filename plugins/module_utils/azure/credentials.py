# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that chooses a credential: options, then the environment, then what the machine is signed in with.

What is given is used or refused, never passed over: azure-identity's own chain goes on silently when a set is
incomplete, and then somebody else's rights are used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.azure.names import Cloud
from ..core.errors import EndpointError, MissingSdk

# Option → names in the environment, AWX's and azure.azcollection's before azure-identity's.
ENVIRONMENT = {
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "certificate_password": ("AZURE_CLIENT_CERTIFICATE_PASSWORD",),
    "federated_token_file": ("AZURE_FEDERATED_TOKEN_FILE",),
    "ad_user": ("AZURE_AD_USER", "AZURE_USERNAME"),
    "password": ("AZURE_PASSWORD",),
}
# What proves an identity → what must be given with it. In this order, when the environment has several.
_SETS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("secret", ("client_id", "tenant")),
    ("x509_certificate_path", ("client_id", "tenant")),
    ("federated_token_file", ("client_id", "tenant")),
    ("password", ("ad_user",)),
)
# The public client that Azure's own tools sign users in with.
_TOOLS_CLIENT_ID = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


@dataclass(frozen=True, kw_only=True, repr=False)
class Choice:
    """How to sign in. method: secret, x509_certificate_path, federated_token_file, password, cli, msi or default."""

    method: str
    values: Mapping[str, str]


def choose(params: Mapping[str, Any]) -> Choice:
    """Decide how to sign in; sends nothing. EndpointError names what is missing of a partial set."""
    source = params.get("auth_source") or "auto"
    options = {name: params[name] for name in ENVIRONMENT if params.get(name)}
    found = {name: value for name in ENVIRONMENT if (value := environment(ENVIRONMENT[name]))}
    tenant = options.get("tenant") or found.get("tenant", "")
    if source == "cli":
        return Choice(method="cli", values={"tenant": tenant})
    if source == "msi":
        client_id = options.get("client_id") or found.get("client_id", "")
        return Choice(method="msi", values={"client_id": client_id})
    if source == "auto" and set(options) - {"tenant"}:
        return _complete({"tenant": tenant, **options} if tenant else options, _as_option)
    if source == "env" or set(found) - {"tenant", "certificate_password"}:
        return _complete(found, _as_variable)
    return Choice(method="default", values={"tenant": tenant})


def credential(choice: Choice, cloud: Cloud) -> Any:
    """azure-identity's credential for the choice; sends nothing."""
    try:
        from azure import identity
    except ImportError as error:
        raise MissingSdk(
            "the Python library azure-identity is not installed where this task runs",
            fix="Install it there: pip install azure-identity",
        ) from error
    try:
        return _credential(identity, choice, choice.values, cloud.authority)
    except (ValueError, OSError) as error:
        raise EndpointError(
            f"cannot be used: {error}", resource=choice.method, fix="Correct it"
        ) from error


def _credential(identity: Any, choice: Choice, values: Mapping[str, str], authority: str) -> Any:
    if choice.method == "secret":
        return identity.ClientSecretCredential(
            values["tenant"], values["client_id"], values["secret"], authority=authority
        )
    if choice.method == "x509_certificate_path":
        return identity.CertificateCredential(
            values["tenant"],
            values["client_id"],
            values["x509_certificate_path"],
            password=values.get("certificate_password"),
            authority=authority,
        )
    if choice.method == "federated_token_file":
        return identity.WorkloadIdentityCredential(
            tenant_id=values["tenant"],
            client_id=values["client_id"],
            token_file_path=values["federated_token_file"],
            authority=authority,
        )
    if choice.method == "password":
        return identity.UsernamePasswordCredential(
            values.get("client_id", _TOOLS_CLIENT_ID),
            values["ad_user"],
            values["password"],
            tenant_id=values.get("tenant"),
            authority=authority,
        )
    if choice.method == "cli":
        return identity.AzureCliCredential(tenant_id=values["tenant"], process_timeout=30)
    if choice.method == "msi":
        return identity.ManagedIdentityCredential(client_id=values["client_id"] or None)
    return identity.DefaultAzureCredential(authority=authority)


def _complete(given: Mapping[str, str], called: Any) -> Choice:
    """The first set that is complete; EndpointError for the first that is not."""
    begun = [item for item in _SETS if item[0] in given]
    for proof, needed in begun:
        if all(name in given for name in needed):
            return Choice(method=proof, values=given)
    if begun:
        proof, needed = begun[0]
        missing = [name for name in needed if name not in given]
    elif "ad_user" in given:
        proof, missing = "ad_user", ["password"]
    elif "client_id" in given:
        proof = "client_id"
        missing = ["secret", *(["tenant"] if "tenant" not in given else [])]
    else:
        raise EndpointError(
            "auth_source is env, and the environment has no credentials",
            resource="auth_source",
            fix="Set AZURE_TENANT, AZURE_CLIENT_ID and AZURE_SECRET",
        )
    raise EndpointError(
        f"{called(proof)} is given without {' and '.join(called(name) for name in missing)}",
        resource=missing[0],
        fix=f"Give it too, or take {called(proof)} away and sign in otherwise"
        + (" (auth_source: msi for a managed identity)" if proof == "client_id" else ""),
    )


def _as_option(name: str) -> str:
    return name


def _as_variable(name: str) -> str:
    names = ENVIRONMENT[name]
    return next((item for item in names if os.environ.get(item)), " or ".join(names))


def environment(names: tuple[str, ...]) -> str | None:
    """The first of these variables that is set and not empty."""
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
