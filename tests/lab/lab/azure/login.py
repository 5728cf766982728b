# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login hosts: discovery documents, signing keys, and the token endpoint."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from ..cloud import Call, Request, Response
from . import clouds, tokens
from .clouds import Environment
from .errors import json_response
from .login_documents import instances, keys, openid, signed_by
from .state import Principal, State

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ANY_TENANT = ("common", "organizations", "consumers")


class LoginError(Exception):
    """What the token endpoint answers: an OAuth error with Microsoft's number in it."""

    def __init__(self, number: int, message: str, error: str = "invalid_client", status: int = 401):
        super().__init__(message)
        self.number, self.message, self.error, self.status = number, message, error, status

    def response(self) -> Response:
        trace = str(uuid.uuid4())
        text = f"AADSTS{self.number}: {self.message} Trace ID: {trace} Correlation ID: {trace}"
        body = {
            "error": self.error,
            "error_description": text,
            "error_codes": [self.number],
            "trace_id": trace,
            "correlation_id": trace,
        }
        return json_response(self.status, body)


class Login:
    """login.microsoftonline.com and its sovereign twin."""

    def __init__(self, state: State) -> None:
        self._state = state

    def serves(self, host: str) -> bool:
        return clouds.by_login_host(host) is not None

    def parse(self, request: Request) -> Call:
        form: dict[str, str] = {}
        if request.method == "POST":
            form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        path = unquote(request.path)
        kind = "token" if path.endswith("/token") else "discovery"
        return Call(
            cloud="azure",
            plane="control",
            operation=f"login:{kind}",
            principal=form.get("client_id", "anonymous"),
            parameters={"path": path, **form},
            write=False,
            detail=form,
        )

    def answer(self, request: Request, call: Call) -> Response:
        environment = clouds.by_login_host(request.host)
        if environment is None:
            raise ValueError(f"{request.host} is no login host")
        parts = unquote(request.path).strip("/").split("/")
        with self._state.lock:
            try:
                if request.path == "/common/discovery/instance":
                    return json_response(200, instances(request, environment))
                if parts[-1] == "openid-configuration":
                    tenant = self._tenant(parts[0], environment)
                    return json_response(200, openid(tenant, environment))
                if parts[-1] == "keys":
                    return json_response(200, keys())
                if parts[-1] == "token" and request.method == "POST":
                    tenant = self._tenant(parts[0], environment)
                    return json_response(200, self._token(tenant, environment, call.detail))
            except LoginError as error:
                return error.response()
        return json_response(404, {"error": "not_found"})

    def fault(self, _: Call, kind: Literal["throttle", "error"]) -> Response:
        """The login host's own throttling or failure."""
        word = "temporarily_unavailable"
        if kind == "error":
            text = "A transient error has occurred. Please try again."
            return LoginError(90033, text, word, 503).response()
        text = "The server is too busy to handle the request."
        made = LoginError(50196, text, word, 429).response()
        made.headers["Retry-After"] = "1"
        return made

    def _tenant(self, name: str, environment: Environment) -> str:
        tenant = self._state.domains.get(name.lower(), name.lower())
        if self._state.tenants.get(tenant) is environment or name in _ANY_TENANT:
            return tenant
        raise LoginError(
            90002,
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are "
            "signing into the correct cloud. Check with your subscription administrator, this may "
            "happen if there are no active subscriptions for the tenant.",
            "invalid_request",
            400,
        )

    def _token(
        self, tenant: str, environment: Environment, form: Mapping[str, str]
    ) -> dict[str, Any]:
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            principal = self._client(tenant, environment, form)
        elif grant == "password":
            principal = self._user(tenant, form)
        else:
            raise LoginError(
                70003,
                f"The app requested an unsupported grant type '{grant}'.",
                "unsupported_grant_type",
                400,
            )
        audience = _audience(form, environment)
        lifetime = int(self._state.timing.token_lifetime)
        made = {
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": tokens.issue(self._state, principal, audience, environment),
        }
        if grant == "password":
            made["scope"] = form.get("scope", "")
            made["id_token"] = tokens.identity(self._state, principal, form, environment)
            ids = {"uid": principal.object_id, "utid": principal.tenant}
            made["client_info"] = tokens.encode(json.dumps(ids).encode())
        return made

    def _client(self, tenant: str, environment: Environment, form: Mapping[str, str]) -> Principal:
        client = form.get("client_id", "")
        principal = next(
            (
                each
                for each in self._state.principals
                if each.client_id.lower() == client.lower() and each.tenant == tenant
            ),
            None,
        )
        if principal is None:
            raise LoginError(
                700016,
                f"Application with identifier '{client}' was not found in the directory "
                f"'{tenant}'. This can happen if the application has not been installed by the "
                "administrator of the tenant or consented to by any user in the tenant. You may "
                "have sent your authentication request to the wrong tenant.",
                "unauthorized_client",
                400,
            )
        if "client_assertion" in form:
            if form.get("client_assertion_type") != _ASSERTION:
                raise LoginError(
                    50027, "JWT token is invalid or malformed.", "invalid_request", 400
                )
            self._assertion(principal, tenant, environment, form["client_assertion"])
        elif "client_secret" not in form:
            raise LoginError(
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'.",
            )
        elif form["client_secret"] not in principal.secrets:
            raise LoginError(
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{client}'.",
            )
        return principal

    def _assertion(
        self, principal: Principal, tenant: str, environment: Environment, text: str
    ) -> None:
        """A JWT signed with one of the application's certificates, or one of a trusted issuer."""
        header, claims, signed, raw = _parsed(text)
        for issuer, subject, exact in principal.federated:
            if claims.get("iss") == issuer and claims.get("sub") == subject:
                if exact and exact != text:
                    continue
                self._current(claims)
                return
        if "x5t" not in header and "x5t#S256" not in header:
            raise LoginError(
                70021,
                "No matching federated identity record found for presented assertion subject "
                f"'{claims.get('sub')}'.",
                "invalid_client",
                401,
            )
        if not any(signed_by(each, header, signed, raw) for each in principal.certificates):
            raise LoginError(
                700027,
                "The certificate with identifier used to sign the client assertion is not "
                "registered on application. [Reason - The key was not found.]",
            )
        host = f"https://{environment.login}/{tenant}/"
        if not str(claims.get("aud", "")).startswith((host, f"https://{environment.login}/common")):
            raise LoginError(
                700023,
                f"Client assertion audience claim '{claims.get('aud')}' does not match Realm "
                "issuer.",
            )
        if claims.get("iss") != principal.client_id:
            raise LoginError(
                700021,
                "Client assertion application identifier doesn't match 'client_id' parameter.",
            )
        self._current(claims)

    def _current(self, claims: Mapping[str, Any]) -> None:
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= self._state.now():
            raise LoginError(700024, "Client assertion is not within its valid time range.")

    def _user(self, tenant: str, form: Mapping[str, str]) -> Principal:
        name = form.get("username", "").lower()
        for each in self._state.principals:
            known = each.username.lower() == name and tenant in (*_ANY_TENANT, each.tenant)
            if name and known and form.get("password") in each.secrets:
                return each
        raise LoginError(
            50126,
            "Error validating credentials due to invalid username or password.",
            "invalid_grant",
            400,
        )


def _parsed(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Header, claims, what is signed, and the signature of a JWT."""
    try:
        head, payload, signature = text.split(".")
        header, claims = (json.loads(tokens.decode(each)) for each in (head, payload))
        return header, claims, f"{head}.{payload}".encode(), tokens.decode(signature)
    except ValueError:
        raise LoginError(
            50027, "JWT token is invalid or malformed.", "invalid_request", 400
        ) from None


def _audience(form: Mapping[str, str], environment: Environment) -> str:
    """The resource that a v2 scope (`https://host/.default`) or a v1 `resource` asks for."""
    scopes = [
        each
        for each in form.get("scope", form.get("resource", "")).split()
        if each not in ("openid", "profile", "offline_access")
    ]
    if len(scopes) != 1:
        raise LoginError(
            1002012,
            f"The provided value for scope {form.get('scope')} is not valid. Client credential "
            "flows must have a scope value with /.default suffixed to the resource identifier "
            "(application ID URI).",
            "invalid_scope",
            400,
        )
    resource = scopes[0].removesuffix("/.default").removesuffix("/user_impersonation").rstrip("/")
    known = (
        *environment.audiences,
        environment.cognitive_audience,
        environment.logs_audience,
        "https://ai.azure.com",
        f"https://{environment.logs}",
        "https://graph.microsoft.com",
    )
    if resource not in known:
        raise LoginError(
            500011,
            f"The resource principal named {resource} was not found in the tenant. This can "
            "happen if the application has not been installed by the administrator of the tenant "
            "or consented to by any user in the tenant.",
            "invalid_resource",
            400,
        )
    return resource
