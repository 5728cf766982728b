# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STS: who calls, and sessions of roles that are honoured until they expire."""

from __future__ import annotations

import json
import secrets
import string
from typing import Any

from .errors import AwsError, denied
from .operation import Control, Result, operation
from .records import Caller, Entity

_KEY = string.ascii_uppercase + "234567"


@operation("sts", "GetCallerIdentity", action="")
def get_caller_identity(control: Control) -> Result:
    caller = control.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def _trusts(role: Entity, caller: Caller) -> bool:
    names = {caller.arn, caller.entity.arn, caller.account, f"arn:aws:iam::{caller.account}:root"}
    return "*" in role.trusted or any(each in names for each in role.trusted)


@operation("sts", "AssumeRole", action="")
def assume_role(control: Control) -> Result:
    """Both sides must agree: the caller's policies, and the role's trust with its external id."""
    params, state, caller = control.params, control.state, control.caller
    arn = params["RoleArn"]
    role = state.entities.get(arn)
    refusal = denied(
        "query",
        f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}",
    )
    control.authorize("sts:AssumeRole", arn, {"sts:ExternalId": params.get("ExternalId", "")})
    if role is None or role.kind != "role" or not _trusts(role, caller):
        raise refusal
    if role.external_id and params.get("ExternalId") != role.external_id:
        raise refusal
    if caller.entity.kind == "root":
        raise denied("query", "Roles may not be assumed by root accounts.")
    session = _session(control, role)
    state.callers[session.access_key] = session
    return {
        "Credentials": {
            "AccessKeyId": session.access_key,
            "SecretAccessKey": session.secret_key,
            "SessionToken": session.session_token,
            "Expiration": session.expires,
        },
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
    }


def _session(control: Control, role: Entity) -> Caller:
    params, state = control.params, control.state
    seconds = params.get("DurationSeconds", state.timing.session)
    if control.caller.expires is not None and seconds > 3600:
        # Role chaining: a session may make a session of an hour at most.
        raise AwsError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining",
        )
    name = params["RoleSessionName"]
    return Caller(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}",
        account=role.account,
        user_id=f"{role.unique_id}:{name}",
        entity=role,
        access_key="ASIA" + "".join(secrets.choice(_KEY) for _ in range(16)),
        secret_key=secrets.token_urlsafe(30),
        session_token="IQoJb3JpZ2luX2Vj" + secrets.token_urlsafe(180),
        expires=state.now() + seconds,
        session_policies=(_policy(params["Policy"]),) if params.get("Policy") else (),
        session_tags={each["Key"]: each["Value"] for each in params.get("Tags", ())},
    )


def _policy(text: str) -> dict[str, Any]:
    try:
        policy = json.loads(text)
    except ValueError:
        policy = None
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.")
    return policy
