# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lock AI services to endpoints, seal the lock, or take it away: the run of the module bedrock_lockdown."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ..core import permissions
from ..core import steps as step_list
from ..core.aws import scp
from ..core.aws.lock_checks import LockPlan, problems
from ..core.aws.lock_delta import Standing, Wanted, steps
from ..core.aws.plan_lockdown import admit, describe_binding, lock, recover, seal, unlock
from ..core.aws.scp_analysis import too_broad
from ..core.contracts import KNOWN_AFTER_APPLY
from ..core.errors import EndpointError, refuse
from ..module import Context
from . import lockdown_members
from .client import AwsError, Connection, calling, connect, gather
from .lockdown_apply import apply
from .organization import SCP, Organization

# Where AWS Organizations is in each partition: https://docs.aws.amazon.com/general/latest/gr/ao.html
_HOMES = {"aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}
# States that add to what stands.
_ADDING = ("locked", "admitted")
UNPROVED = "a proof that every member of the scope is reached only through its endpoints"

_FORMS = {
    "targets": (
        re.compile(r"r-[0-9a-z]{4,32}|\d{12}|ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}"),
        "the id of a root, an organizational unit or an account",
    ),
    "vpc_endpoint_ids": (re.compile(r"vpce-[0-9a-f]{8,17}"), "the id of a VPC endpoint"),
    "break_glass_arns": (
        re.compile(r"arn:[\w*-]+:(iam|sts)::(\d{12}|\*):.+"),
        "the ARN of an IAM identity, or a pattern of one",
    ),
    "accounts_without_members": (re.compile(r"\d{12}"), "the id of an account"),
    "action_prefixes": (re.compile(r"[a-z][a-z0-9-]*"), "the part of IAM actions before the colon"),
}


def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do what `state` asks; see the module's documentation for options and result."""
    wanted = _wanted(params, context)
    # In an emergency nobody looks for a Region; what is added is looked at in one.
    connection = connect(params, home=None if params["state"] in _ADDING else home(params))
    organization = Organization(connection)
    now = datetime.now(timezone.utc)
    standing = organization.standing(params["policy_name"])
    owner = organization.owner(standing)
    run_id = params["run_id"] or (uuid.uuid4().hex if params["state"] in _ADDING else None)
    binds = describe_binding(wanted, owner.get("MasterAccountId"), owner.get("Id"))
    task = _Task(params=params, wanted=wanted, run_id=run_id, now=now)
    made = task.plan(_as_predicted(task, context, standing))
    listed = steps(made.start, made.desired)
    if params["state"] in _ADDING and listed:
        _may_lock(task, context, connection, organization, made)
        if params["state"] == "locked" and not _proved(task, context, binds):
            listed = steps(made.start, made.desired, conditional_on=UNPROVED)
    after = made.desired
    if listed and not context.check_mode:
        made, after = apply(organization, made, task.again)
        listed = steps(made.start, made.desired)
    for note in [*made.notes, *_unserved(task, made)]:
        context.warn(note)
    return step_list.result(
        listed,
        with_diff=context.diff,
        run_id=run_id,
        policy_id=_policy_id(made, after),
        policy=scp.render(after.document) if after.document else None,
        targets=sorted(after.targets),
        pending=made.marker.to_json() if made.marker else None,
        delta=made.delta.to_json() if made.delta else None,
        binds=binds,
    )


def home(params: Mapping[str, Any]) -> str:
    """Where the organization is, by the partition of the role that is entered; else that of commercial Regions."""
    role = str(params.get("assume_role_arn") or "")
    return _HOMES.get(":".join(role.split(":")[1:2]), "us-east-1")


@dataclass
class _Task:
    """One call of the module. members: as they stand now, once they were read."""

    params: Mapping[str, Any]
    wanted: Wanted
    run_id: str | None
    now: datetime
    members: lockdown_members.Members | None = None

    def plan(self, standing: Standing) -> LockPlan:
        """What to do about what stands."""
        state = self.params["state"]
        wanted = self.wanted
        if state == "sealed":
            return seal(standing, run_id=self.run_id, targets=wanted.targets)
        if state == "recovered":
            return recover(standing, wanted.targets)
        if state == "unlocked":
            return unlock(
                standing,
                run_id=self.run_id,
                endpoint_ids=wanted.endpoint_ids,
                targets=wanted.targets,
            )
        if state == "admitted":
            return admit(standing, wanted, run_id=str(self.run_id), now=self.now)
        return lock(
            standing,
            wanted,
            run_id=str(self.run_id),
            now=self.now,
            pending_timeout=self.params["pending_timeout"],
        )

    def again(self, standing: Standing) -> LockPlan:
        """The same after others changed it meanwhile, unless the change makes it wrong."""
        made = self.plan(standing)
        if self.params["state"] in _ADDING:
            refuse(problems(made, {}, self.wanted), "the lock may not be made")
        return made


def _as_predicted(task: _Task, context: Context, standing: Standing) -> Standing:
    """Sealing in check mode follows a lock that was only predicted: what would stand after it."""
    wanted = task.wanted
    if not (context.check_mode and task.params["state"] == "sealed" and task.run_id):
        return standing
    if not (wanted.endpoint_ids and wanted.targets):
        return standing
    timeout = task.params["pending_timeout"]
    return lock(standing, wanted, run_id=task.run_id, now=task.now, pending_timeout=timeout).desired


def _wanted(params: Mapping[str, Any], context: Context) -> Wanted:
    """The options as the core's shape; EndpointError with all that is wrong with them."""
    found = [
        f"{name}: {item!r} is not {meaning}"
        for name, (form, meaning) in _FORMS.items()
        for item in params[name]
        if not form.fullmatch(item) and not (context.check_mode and item == KNOWN_AFTER_APPLY)
    ]
    found += [
        f"break_glass_arns: {item} leaves open who is exempt, so the lock would count for nothing. Name roles or users"
        for item in params["break_glass_arns"]
        if too_broad(item)
    ]
    tag = params["opt_in_tag"]
    if params["state"] in _ADDING:
        found += _missing(params)
    refuse(found, "the options are not right")
    return Wanted(
        rules=scp.Rules(
            action_prefixes=tuple(sorted(set(params["action_prefixes"]))),
            break_glass_arns=tuple(sorted(set(params["break_glass_arns"]))),
            opt_in_tag=(
                (tag["key"], tag["value"]) if tag and params["roll_out"] == "tagged" else None
            ),
            exclusion_tag=params["exclusion_tag"],
        ),
        endpoint_ids=frozenset(params["vpc_endpoint_ids"]),
        targets=frozenset(params["targets"]),
    )


def _missing(params: Mapping[str, Any]) -> list[str]:
    """A lock without these would refuse everybody, bind nobody, or be made blindly."""
    needed = {
        "vpc_endpoint_ids": "name the endpoints that calls may come through; without any, everybody is refused",
        "targets": "name the root, units or accounts to lock",
        "action_prefixes": "name the services to lock",
        "members": "name the VPCs whose callers the lock binds, so that their endpoints can be checked",
    }
    found = [f"{name}: {fix}" for name, fix in needed.items() if not params[name]]
    if params["roll_out"] == "tagged" and not params["opt_in_tag"]:
        found.append("opt_in_tag: roll_out tagged needs the tag that principals opt in with")
    return found


def _may_lock(
    task: _Task,
    context: Context,
    connection: Connection,
    organization: Organization,
    made: LockPlan,
) -> None:
    """EndpointError with every reason why this lock may not be made, whatever is proved."""
    about = organization.describe()
    management = str(about.get("MasterAccountId"))
    targets = sorted(task.wanted.targets)
    if about.get("FeatureSet") != "ALL":
        raise EndpointError(
            "the organization has consolidated billing only, so it has no service control policies",
            resource=f"organization {about.get('Id')}",
            fix="Enable all features of AWS Organizations",
        )
    found = gather(
        {
            "members": lambda: lockdown_members.read(task.params),
            "counts": lambda: organization.count_at(made.desired.targets - made.start.targets),
            "malformed": lambda: _malformed(connection, context, made),
        }
    )
    task.members = found["members"]
    if management in targets:
        context.warn(
            f"targets: {management} is the management account, which no service control policy binds"
        )
    refused = [
        *lockdown_members.unread(task.members, require_proof=task.params["require_proof"]),
        *problems(made, found["counts"], task.wanted),
        *lockdown_members.endpoint_problems(task.members, sorted(task.wanted.endpoint_ids)),
        *lockdown_members.target_problems(task.members, targets, organization, management),
        *found["malformed"],
        *_unproved(task, organization, made, management),
    ]
    refuse(refused, "the lock may not be made")


def _unserved(task: _Task, made: LockPlan) -> list[str]:
    """Services that this lock cuts off everywhere: as far as the endpoints that it admits stand already."""
    binds = made.delta is not None and made.delta.binds
    if not (task.members and binds) or KNOWN_AFTER_APPLY in task.wanted.endpoint_ids:
        return []
    return lockdown_members.unserved(task.members, task.wanted.rules.action_prefixes)


def _unproved(
    task: _Task, organization: Organization, made: LockPlan, management: str
) -> list[str]:
    """Accounts that a lock would bind and the proof says nothing about. Who opts in by a tag answers for himself."""
    binds = made.delta is not None and made.delta.binds
    if (
        not (task.members and binds and task.params["require_proof"])
        or task.wanted.rules.opt_in_tag
    ):
        return []
    answered_for = task.params["accounts_without_members"]
    targets = sorted(task.wanted.targets)
    return lockdown_members.unproved_accounts(
        task.members, targets, organization, answered_for, management
    )


def _proved(task: _Task, context: Context, binds: Mapping[str, Any]) -> bool:
    """Whether the proof allows the lock. A prediction may lack it, since what it would prove may not exist yet."""
    if not task.params["require_proof"]:
        return True
    try:
        lockdown_members.check(task.params, task.members, binds, task.now)
    except EndpointError as error:
        if not context.check_mode:
            raise
        if task.params["proof"] is not None:
            context.warn(f"as things stand, {error.message}")
        return False
    return True


def _malformed(connection: Connection, context: Context, made: LockPlan) -> list[str]:
    """What IAM Access Analyzer says about the policy before it is attached."""
    document = made.desired.document
    if document is None or KNOWN_AFTER_APPLY in document.endpoint_ids:
        return []
    try:
        with calling("the policy's validation", "access-analyzer:ValidatePolicy"):
            pages = connection.client("accessanalyzer").get_paginator("validate_policy")
            found = [
                finding
                for page in pages.paginate(policyDocument=scp.text(document), policyType=SCP)
                for finding in page["findings"]
            ]
    except AwsError as error:
        if error.kind != "denied":
            raise
        permissions.advise(error, "bedrock_lockdown", {})
        context.warn(f"the policy is not validated before it is attached: {error.message}")
        return []
    for finding in found:
        if finding["findingType"] in ("SECURITY_WARNING", "WARNING"):
            context.warn(f"{finding['issueCode']}: {finding['findingDetails']}")
    return [
        f"policy: {finding['findingDetails']} ({finding['issueCode']})"
        for finding in found
        if finding["findingType"] == "ERROR"
    ]


def _policy_id(made: LockPlan, after: Standing) -> str | None:
    if after.document is None:
        return None
    return after.policy_id or made.start.policy_id or KNOWN_AFTER_APPLY
