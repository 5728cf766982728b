# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a module's options as a request for the create phase, and name all that is wrong in their words at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import EndpointError
from .catalogue import Requested, requested
from .endpoint_policy import (
    MAX_CHARACTERS,
    Admission,
    action_problem,
    model_arns,
    profile_arns,
    profile_problem,
)
from .plan_create_types import OWN_PREFIX, Desired, ManagedGroup
from .security_group import accounts_of, https_from, source_problems


def desired(params: Mapping[str, Any], *, region: str, partition: str) -> Desired:
    """The request behind the options of `bedrock_vpc_endpoint` with state present.

    EndpointError names every option that cannot be meant; nothing was read from the cloud yet.
    """
    services = tuple(requested(params["services"] or (), region))
    problems = _problems(params, services)
    policy, policy_problems = _custom_policy(params)
    refuse([*problems, *policy_problems])
    ids = params["subnet_ids"]
    return Desired(
        vpc_id=params["vpc_id"],
        services=services,
        subnet_ids=None if ids is None else tuple(dict.fromkeys(ids)),
        subnets_filtered=bool(params["subnet_filters"]),
        security_group_ids=_tuple(params["security_group_ids"]),
        group=_group(params),
        private_dns=params["private_dns"],
        ip_address_type=params["ip_address_type"],
        policy_kind=params["endpoint_policy"],
        policy=policy,
        admission=_admission(params, region=region, partition=partition),
        tags=None if params["tags"] is None else {k: str(v) for k, v in params["tags"].items()},
        purge_tags=params["purge_tags"],
    )


def refuse(problems: list[str], code: str | None = None) -> None:
    """One error with all problems; nothing when there is none. A problem starts with `option: `."""
    if not problems:
        return
    first, *others = problems
    raise EndpointError(first, code=code, problems=tuple(others))


def _problems(params: Mapping[str, Any], services: tuple[Requested, ...]) -> list[str]:
    problems = []
    if not services:
        problems.append("services: name at least one service or preset, such as bedrock")
    for option in ("subnet_ids", "security_group_ids"):
        if params[option] is not None and not params[option]:
            problems.append(f"{option}: is empty; leave it out to leave the endpoints as they are")
    cidrs, groups = params["allowed_cidrs"] or (), params["allowed_security_groups"] or ()
    problems += source_problems(cidrs, groups)
    prefixes = {item.service.iam_prefix for item in services if item.service}
    for action in params["extra_actions"] or ():
        problems += filter(None, [action_problem(action, prefixes)])
    for profile in params["inference_profiles"] or ():
        problems += filter(None, [profile_problem(profile)])
    problems += [
        f"model_arns: {arn!r} is not an ARN"
        for arn in params["model_arns"] or ()
        if not arn.startswith("arn:") or arn.count(":") < 5
    ]
    problems += [
        f"account_ids: {account!r} is not twelve digits (quote it in YAML)"
        for account in params["account_ids"] or ()
        if len(account) != 12 or not account.isdigit()
    ]
    problems += [
        f"tags: the key {key} is reserved for this collection"
        for key in params["tags"] or {}
        if key.startswith(OWN_PREFIX)
    ]
    return problems


def _custom_policy(params: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    if params["endpoint_policy"] != "custom":
        extra = params["policy"] is not None
        return None, ["policy: needs endpoint_policy: custom"] if extra else []
    policy = params["policy"]
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except ValueError as error:
            return None, [f"policy: is not JSON: {error}"]
    return policy, policy_problems(policy)


_EXCLUSIVE = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))


def policy_problems(policy: Any) -> list[str]:
    """What EC2 would refuse in an endpoint policy, each as `policy: …`."""
    if not isinstance(policy, dict):
        return ["policy: is not a JSON object"]
    problems = []
    if policy.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        problems.append(f"policy: Version {policy['Version']!r} is not 2012-10-17")
    statements = policy.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        return [*problems, "policy: has no Statement"]
    for number, statement in enumerate(statements, 1):
        problems += _statement_problems(f"policy: statement {number}", statement)
    if len(json.dumps(policy)) > MAX_CHARACTERS:
        problems.append(f"policy: is longer than {MAX_CHARACTERS} characters")
    return problems


def _statement_problems(where: str, statement: Any) -> list[str]:
    if not isinstance(statement, dict):
        return [f"{where} is not an object"]
    problems = []
    if statement.get("Effect") not in ("Allow", "Deny"):
        problems.append(f"{where} has no Effect of Allow or Deny")
    for pair in _EXCLUSIVE:
        if sum(key in statement for key in pair) != 1:
            problems.append(f"{where} needs one of {pair[0]} and {pair[1]}")
    known = {"Sid", "Effect", "Condition", *(key for pair in _EXCLUSIVE for key in pair)}
    problems += [f"{where} has an unknown element {key}" for key in sorted(set(statement) - known)]
    if not isinstance(statement.get("Condition", {}), dict):
        problems.append(f"{where} has a Condition that is not an object")
    return problems


def _group(params: Mapping[str, Any]) -> ManagedGroup | None:
    cidrs, groups = params["allowed_cidrs"] or (), params["allowed_security_groups"] or ()
    if not cidrs and not groups:
        return None
    return ManagedGroup(
        name=params["security_group_name"],
        rules=https_from(cidrs, groups),
        accounts=accounts_of(groups),
    )


def _admission(params: Mapping[str, Any], *, region: str, partition: str) -> Admission:
    arns = list(params["model_arns"] or ())
    arns += model_arns(params["model_ids"] or (), partition=partition, region=region)
    for profile in params["inference_profiles"] or ():
        arns += profile_arns(profile, partition=partition, region=region)
    return Admission(
        organization_id=params["organization_id"],
        organization_paths=tuple(params["organization_paths"] or ()),
        account_ids=tuple(params["account_ids"] or ()),
        resources=tuple(arns),
        extra_actions=tuple(params["extra_actions"] or ()),
    )


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(dict.fromkeys(value))
