# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether AWS allows a call: identity policies, SCPs up the tree and the endpoint's policy.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
An explicit Deny anywhere wins. Then every level of the organisation must allow, the endpoint's policy
when the call came through one, the session's policy when it has one, and the identity's policies.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .iam_conditions import Context, holds
from .iam_patterns import arn_matches, glob
from .records import Caller
from .state import State

PolicyKind = Literal["identity", "session", "scp", "endpoint"]
Document = Mapping[str, Any]

_NAMES: dict[PolicyKind, str] = {
    "identity": "identity-based policy",
    "session": "session policy",
    "scp": "service control policy",
    "endpoint": "VPC endpoint policy",
}


@dataclass(frozen=True)
class Decision:
    """The outcome. `policy_kind` and `message` are None and "" when the call is allowed."""

    allowed: bool
    explicit_deny: bool = False
    policy_kind: PolicyKind | None = None
    message: str = ""


def decide(
    state: State, principal: Caller, action: str, resource: str, context: Mapping[str, Any]
) -> Decision:
    """Decide one action on one resource (`*` for an action that has no resources).

    `context` holds condition keys as `principal_context` and the caller made them; the endpoint that
    the call came through is found by its `aws:SourceVpce`.
    """
    with state.lock:
        state.settle()
        return _decide(state, principal, action, resource, Context(context))


def decide_all(
    state: State,
    principal: Caller,
    action: str,
    resources: Sequence[str],
    context: Mapping[str, Any],
) -> Decision:
    """Decide one action that needs every one of several resources: the first refusal wins."""
    for resource in resources:
        decision = decide(state, principal, action, resource, context)
        if not decision.allowed:
            return decision
    return Decision(True)


def _decide(
    state: State, principal: Caller, action: str, resource: str, context: Context
) -> Decision:
    layers = list(_layers(state, principal, context))

    def denies(document: Document) -> bool:
        return _speaks(document, "Deny", principal, action, resource, context)

    def allows(document: Document) -> bool:
        return _speaks(document, "Allow", principal, action, resource, context)

    for kind, documents in layers:
        for document in documents:
            if denies(document):
                phrase = f"with an explicit deny in {_article(kind)} {_NAMES[kind]}"
                arn = _policy_arn(state, document) if kind == "scp" else ""
                phrase += f": {arn}" if arn else ""
                return Decision(False, True, kind, _message(principal, action, resource, phrase))
    for kind, documents in layers:
        if kind == "identity" and principal.entity.kind == "root":
            continue  # an account's root user needs no identity policy
        if not any(allows(document) for document in documents):
            phrase = f"because no {_NAMES[kind]} allows the {action} action"
            return Decision(False, False, kind, _message(principal, action, resource, phrase))
    return Decision(True)


def _layers(
    state: State, principal: Caller, context: Context
) -> Iterable[tuple[PolicyKind, Sequence[Document]]]:
    """The groups of policies of which each must allow; an SCP group for every level of the tree."""
    organization = state.organization
    if organization is not None and not principal.entity.service_linked:
        for level in organization.effective(principal.account) or ():
            yield "scp", level
    for endpoint_id in context.get("aws:SourceVpce"):
        if endpoint_id in state.endpoints:
            yield "endpoint", [state.endpoints[endpoint_id].policy]
    if principal.session_policies:
        yield "session", principal.session_policies
    yield "identity", principal.entity.policies


def _article(kind: PolicyKind) -> str:
    return "an" if kind == "identity" else "a"


def _message(principal: Caller, action: str, resource: str, phrase: str) -> str:
    # Actions without resources are answered without "on resource".
    on = f" on resource: {resource}" if resource != "*" else ""
    return f"User: {principal.arn} is not authorized to perform: {action}{on} {phrase}"


def _policy_arn(state: State, document: Document) -> str:
    """The ARN that AWS appends since 2026 when the policy is of the caller's own organisation.

    https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
    What binds has no identity of its own here: a policy that is gone or was edited since is not named.
    """
    organization = state.organization
    if organization is None:
        return ""
    for policy in organization.policies.values():
        if json.loads(policy.text) == document:
            owner = "aws" if policy.aws_managed else organization.management_account
            return (
                f"arn:aws:organizations::{owner}:policy/{organization.id}"
                f"/service_control_policy/{policy.id}"
            )
    return ""


def _speaks(
    document: Document,
    effect: str,
    principal: Caller,
    action: str,
    resource: str,
    context: Context,
) -> bool:
    """Whether a statement of this effect in the document applies to the call."""
    versioned = context.with_variables(document.get("Version") == "2012-10-17")
    statements = document.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        if (
            statement.get("Effect") == effect
            and _names_principal(statement, principal)
            and _names_action(statement, action)
            and _names_resource(statement, resource, versioned)
            and holds(statement.get("Condition") or {}, versioned)
        ):
            return True
    return False


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _names_action(statement: Document, action: str) -> bool:
    def named(element: str) -> bool:
        return any(glob(each, action, ignore_case=True) for each in _listed(statement[element]))

    return named("Action") if "Action" in statement else not named("NotAction")


def _names_resource(statement: Document, resource: str, context: Context) -> bool:
    lookup = context.variable if context.variables else None

    def named(element: str) -> bool:
        return any(arn_matches(each, resource, lookup) for each in _listed(statement[element]))

    if "Resource" in statement:
        return named("Resource")
    # A trust or endpoint policy may leave the resource out altogether.
    return not named("NotResource") if "NotResource" in statement else True


def _names_principal(statement: Document, principal: Caller) -> bool:
    """Identity policies and SCPs name no principal and speak to whoever they are attached to."""
    if "NotPrincipal" in statement:
        return not _is_among(statement["NotPrincipal"], principal)
    if "Principal" in statement:
        return _is_among(statement["Principal"], principal)
    return True


def _is_among(named: Any, principal: Caller) -> bool:
    if isinstance(named, str):
        return named == "*"
    mine = {
        "*",
        principal.arn,
        principal.entity.arn,
        principal.account,
        f"arn:aws:iam::{principal.account}:root",
    }
    return any(each in mine for each in _listed(named.get("AWS", [])))


def principal_context(state: State, principal: Caller, region: str) -> dict[str, Any]:
    """The condition keys that follow from who calls and where: add the network's and the request's.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    entity = principal.entity
    context: dict[str, Any] = {
        "aws:PrincipalArn": entity.arn,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": {"user": "User", "role": "AssumedRole", "root": "Account"}[
            entity.kind
        ],
        "aws:PrincipalIsAWSService": False,
        "aws:ViaAWSService": False,
        "aws:RequestedRegion": region,
        "aws:SecureTransport": True,
        "aws:userid": principal.user_id,
        "aws:CurrentTime": _iso(state.now()),
        "aws:EpochTime": int(state.now()),
        **{f"aws:PrincipalTag/{key}": value for key, value in principal.tags.items()},
    }
    if entity.kind == "user":
        context["aws:username"] = entity.name
    if principal.expires is not None:
        context["aws:TokenIssueTime"] = _iso(principal.expires - state.timing.session)
    organization = state.organization
    if organization is not None and organization.path(principal.account):
        context["aws:PrincipalOrgID"] = organization.id
        context["aws:PrincipalOrgPaths"] = [organization.path_string(principal.account)]
    return context


def network_context(state: State, endpoint_id: str, address: str) -> dict[str, Any]:
    """The condition keys of the way in: through an endpoint (its id), or publicly ("").

    `address` is the caller's: private through an endpoint, public otherwise.
    """
    if endpoint_id:
        endpoint = state.endpoints[endpoint_id]
        return {
            "aws:SourceVpce": endpoint_id,
            "aws:SourceVpc": endpoint.vpc_id,
            "aws:VpcSourceIp": address,
        }
    return {"aws:SourceIp": address}


def _iso(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
