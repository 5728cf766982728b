# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens: the token endpoint of OAuth, the Security Token Service, and service accounts' credentials."""

from __future__ import annotations

import re
from typing import Any

from . import iam, keys, tokens
from .errors import GoogleError, denied
from .operation import Control, Result, method
from .records import Account, Principal
from .state import timestamp

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_LONGEST = 3600


class OAuthError(GoogleError):
    """An error in OAuth's own shape."""

    def body(self, service: str) -> dict[str, Any]:
        return {"error": self.reason, "error_description": self.message}


@method("oauth2.token")
def token(control: Control) -> Result:
    """https://developers.google.com/identity/protocols/oauth2/service-account#httprest"""
    state, form = control.state, control.query
    if form.get("grant_type") != JWT_GRANT:
        raise OAuthError(
            400, f"Invalid grant_type: {form.get('grant_type', '')}", "unsupported_grant_type"
        )
    try:
        account, claims = tokens.verify(state, str(form.get("assertion", "")))
    except tokens.BadToken as problem:
        raise OAuthError(400, str(problem), "invalid_grant") from None
    if claims.get("aud") != keys.TOKEN_URI:
        raise OAuthError(400, "Invalid JWT: Failed audience check.", "invalid_grant")
    scopes = frozenset(str(claims.get("scope", "")).split())
    if not scopes:
        raise OAuthError(400, "Invalid OAuth scope or ID token audience provided.", "invalid_scope")
    seconds = state.timing.token_lifetime
    value = tokens.issue(state, tokens.of_account(account), scopes, seconds)
    return {"access_token": value, "expires_in": int(seconds), "token_type": "Bearer"}


@method("oauth2.tokeninfo")
def token_info(control: Control) -> Result:
    found = control.state.tokens.get(str(control.query.get("access_token", "")))
    if found is None or found.expires <= control.state.now():
        raise OAuthError(400, "Invalid Value", "invalid_token")
    return {
        "scope": " ".join(sorted(found.scopes)),
        "expires_in": int(found.expires - control.state.now()),
        "email": found.principal.email,
        "access_type": "online",
    }


@method("sts.token")
def exchange(control: Control) -> Result:
    """A token of another issuer, which the world knows, for one of Google's."""
    state, form = control.state, control.query
    if form.get("grant_type") != EXCHANGE_GRANT:
        raise OAuthError(400, "Invalid value for grant_type.", "invalid_request")
    key = str(form.get("audience", "")), str(form.get("subject_token", ""))
    member = state.federated.get(key)
    if member is None:
        raise OAuthError(400, "The subject token is not valid for this audience.", "invalid_grant")
    found = re.search(r"/projects/(\d+)/", key[0])
    project = state.project(found.group(1)) if found else None
    principal = Principal(member, member, project.id if project else "")
    seconds = state.timing.token_lifetime
    scopes = frozenset(str(form.get("scope", tokens.EVERYTHING)).split())
    return {
        "access_token": tokens.issue(state, principal, scopes, seconds),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": int(seconds),
    }


def _account(control: Control, permission: str) -> Account:
    name = control.path["name"]
    email = name.rpartition("/")[2]
    accounts = control.state.accounts.values()
    account = next(
        (each for each in accounts if email in (each.email, keys.unique_id(each.email))), None
    )
    if account is None or account.disabled:
        raise GoogleError(404, f"Not found; Gaia id not found for email {email}")
    project = f"projects/{account.project}"
    if not iam.is_member(control.caller, account.creators) and not iam.allowed(
        control.state, control.caller, permission, project
    ):
        raise denied("iam", permission, f"{project}/serviceAccounts/{account.email}")
    return account


@method("iamcredentials.projects.serviceAccounts.generateAccessToken")
def generate_access_token(control: Control) -> Result:
    account = _account(control, "iam.serviceAccounts.getAccessToken")
    scopes = frozenset(control.body.get("scope", []))
    if not scopes:
        raise GoogleError(400, "Request contains an invalid argument: scope is required.")
    lifetime = str(control.body.get("lifetime", f"{_LONGEST}s"))
    if not re.fullmatch(r"\d+s", lifetime) or not 0 < int(lifetime[:-1]) <= _LONGEST:
        raise GoogleError(400, f"Invalid lifetime: '{lifetime}'. It may be {_LONGEST}s at most.")
    seconds = float(lifetime[:-1])
    value = tokens.issue(control.state, tokens.of_account(account), scopes, seconds)
    # Whole seconds: google-auth reads no others here.
    expires = timestamp(control.state.now() + seconds).partition(".")[0] + "Z"
    return {"accessToken": value, "expireTime": expires}


@method("iamcredentials.projects.serviceAccounts.getAllowedLocations")
def allowed_locations(control: Control) -> Result:
    """No boundary: google-auth asks in the background, and goes on."""
    if control.path["name"].rpartition("/")[2] not in control.state.accounts:
        raise GoogleError(404, "Requested entity was not found.")
    return {"locations": [], "encodedLocations": "0x0"}
