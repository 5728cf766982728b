# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS Organizations: what stands about one service control policy, and the writes that change it.

Calls that meet another change in progress are tried again, within a bound: Organizations allows one at a time.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_UpdatePolicy.html
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ..core.aws import scp
from ..core.aws.lock_delta import Standing
from ..core.errors import EndpointError
from .client import AwsError, Connection, calling, gather

SCP = "SERVICE_CONTROL_POLICY"
DESCRIPTION = "Calls to AI services only through private endpoints. Managed by private_ai.endpoints"
# Seconds that one write waits for others to end, and that a policy type takes to be enabled.
PATIENCE = 120.0
_ARN = re.compile(r"arn:[\w-]+:organizations::(\d{12}):policy/(o-[a-z0-9]{10,32})/.+")
_BUSY = frozenset(
    (
        "ConcurrentModificationException",
        "ConcurrentModification",
        "PolicyChangesInProgressException",
        "TooManyRequestsException",
        "FinalizingOrganizationException",
    )
)

T = TypeVar("T")


class AlreadyThere(Exception):
    """Somebody made the policy meanwhile: read again and plan again."""


class Organization:
    """The organisation that a connection's credentials administer."""

    def __init__(self, connection: Connection) -> None:
        self._client = connection.client("organizations")
        self._about: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        """`Id`, `MasterAccountId`, `FeatureSet` and more of the organisation."""
        if not self._about:
            found = self._call("the organization", "DescribeOrganization")
            self._about = dict(found["Organization"])
        return self._about

    def root(self) -> dict[str, Any]:
        """`Id` and `PolicyTypes` of the one root."""
        roots = self._pages("the organization's root", "ListRoots", "Roots")
        if not roots:
            raise EndpointError(
                "AWS Organizations shows no root to these credentials",
                resource="the organization",
                fix="Use credentials of the management account or of a delegated administrator",
            )
        return dict(roots[0])

    def standing(self, name: str) -> Standing:
        """What stands about the policy of this name, and about its type.

        A policy that is attached somewhere is of an enabled type: disabling a type detaches all its policies.
        https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html
        """
        found = Standing(name=name)
        if policy_id := self.find(name):
            try:
                found = self.read(name, policy_id)
            except AwsError as error:
                if error.code != "PolicyNotFoundException":  # deleted between the two reads
                    raise
        return found if found.targets else replace(found, policy_type=policy_type(self.root()))

    def owner(self, standing: Standing) -> dict[str, Any]:
        """`Id` and `MasterAccountId`, as the policy's ARN says them, else as `describe`.

        arn:aws:organizations::<management account>:policy/<organization>/service_control_policy/<policy>
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html
        """
        found = _ARN.fullmatch(standing.arn)
        return {"Id": found[2], "MasterAccountId": found[1]} if found else self.describe()

    def find(self, name: str) -> str | None:
        """The id of the service control policy of this name; names are unique in an organisation."""
        for item in self._pages(name, "ListPolicies", "Policies", Filter=SCP):
            if item["Name"] == name:
                return str(item["Id"])
        return None

    def read(self, name: str, policy_id: str) -> Standing:
        """Content, tags and targets of one policy; its type is not asked for."""
        about = f"service control policy {name}"
        found = gather(
            {
                "policy": lambda: self._call(about, "DescribePolicy", PolicyId=policy_id),
                "targets": lambda: self._pages(
                    about, "ListTargetsForPolicy", "Targets", PolicyId=policy_id
                ),
                "tags": lambda: self._pages(
                    about, "ListTagsForResource", "Tags", ResourceId=policy_id
                ),
            }
        )
        return Standing(
            name=name,
            policy_id=policy_id,
            document=scp.read(json.loads(found["policy"]["Policy"]["Content"])),
            tags={item["Key"]: item["Value"] for item in found["tags"]},
            targets=frozenset(item["TargetId"] for item in found["targets"]),
            arn=str(found["policy"]["Policy"]["PolicySummary"]["Arn"]),
        )

    def count_at(self, targets: Iterable[str]) -> dict[str, int]:
        """How many service control policies are attached to each target. EndpointError for one that does not exist."""
        found = gather({target: partial(self._at, target) for target in targets})
        return {target: len(policies) for target, policies in found.items()}

    def _at(self, target: str) -> list[dict[str, Any]]:
        about = f"targets: {target}"
        return self._pages(about, "ListPoliciesForTarget", "Policies", TargetId=target, Filter=SCP)

    def parents(self, account_id: str) -> list[str]:
        """The ids above an account, up to the root."""
        path: list[str] = []
        child = account_id
        while not child.startswith("r-"):
            above = self._pages(f"account {account_id}", "ListParents", "Parents", ChildId=child)
            child = str(above[0]["Id"])
            path.append(child)
        return path

    def accounts_under(self, target: str) -> dict[str, str]:
        """Id → name of every account that a policy at this target binds, closed ones left out."""
        about = f"targets: {target}"
        if target.isdigit():
            account = self._call(about, "DescribeAccount", AccountId=target)["Account"]
            return _open([account])
        inside = self._pages(about, "ListAccountsForParent", "Accounts", ParentId=target)
        units = self._pages(
            about, "ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=target
        )
        below = gather({unit["Id"]: partial(self.accounts_under, unit["Id"]) for unit in units})
        return {
            **_open(inside),
            **{key: name for found in below.values() for key, name in found.items()},
        }

    def enable_type(self) -> None:
        """Switch service control policies on at the root, and wait until they are."""
        root_id = self.root()["Id"]
        try:
            self._write(
                "policy type SERVICE_CONTROL_POLICY",
                "EnablePolicyType",
                RootId=root_id,
                PolicyType=SCP,
            )
        except AwsError as error:
            if error.code != "PolicyTypeAlreadyEnabledException":
                raise
        deadline = time.monotonic() + PATIENCE
        while (status := policy_type(self.root())) != "ENABLED":
            if time.monotonic() > deadline:
                raise EndpointError(
                    f"still {status} after {PATIENCE:.0f} seconds",
                    resource="policy type SERVICE_CONTROL_POLICY",
                    fix="Wait until AWS Organizations shows it enabled, and run again",
                )
            time.sleep(0.5)

    def create(self, standing: Standing) -> str:
        """Create the policy with its tags, in one request; its id. AlreadyThere when the name is taken."""
        try:
            answer = self._write(
                f"service control policy {standing.name}",
                "CreatePolicy",
                Name=standing.name,
                Type=SCP,
                Description=DESCRIPTION,
                Content=scp.text(standing.document or scp.Document()),
                Tags=_tags(standing.tags),
            )
        except AwsError as error:
            if error.code == "DuplicatePolicyException":
                raise AlreadyThere from error
            raise
        return str(answer["Policy"]["PolicySummary"]["Id"])

    def update(self, standing: Standing) -> None:
        """Write the content."""
        self._write(
            f"service control policy {standing.name}",
            "UpdatePolicy",
            PolicyId=standing.policy_id,
            Content=scp.text(standing.document or scp.Document()),
        )

    def tag(self, standing: Standing, tags: Mapping[str, str]) -> None:
        """Set tags of the policy, all in one request."""
        if tags:
            self._write(
                f"service control policy {standing.name}",
                "TagResource",
                ResourceId=standing.policy_id,
                Tags=_tags(tags),
            )

    def untag(self, standing: Standing, keys: Iterable[str]) -> None:
        """Remove tags of the policy."""
        if gone := sorted(keys):
            self._write(
                f"service control policy {standing.name}",
                "UntagResource",
                ResourceId=standing.policy_id,
                TagKeys=gone,
            )

    def attach(self, standing: Standing, targets: Iterable[str]) -> None:
        """Attach to targets, one after the other; Organizations refuses changes at the same time."""
        for target in sorted(targets):
            self._tolerate(
                "DuplicatePolicyAttachmentException",
                f"attachment of {standing.name} to {target}",
                "AttachPolicy",
                PolicyId=standing.policy_id,
                TargetId=target,
            )

    def detach(self, standing: Standing, targets: Iterable[str]) -> None:
        """Detach from targets."""
        for target in sorted(targets):
            self._tolerate(
                "PolicyNotAttachedException",
                f"attachment of {standing.name} to {target}",
                "DetachPolicy",
                PolicyId=standing.policy_id,
                TargetId=target,
            )

    def delete(self, standing: Standing) -> None:
        """Delete the policy. AlreadyThere when somebody attached it meanwhile."""
        try:
            self._tolerate(
                "PolicyNotFoundException",
                f"service control policy {standing.name}",
                "DeletePolicy",
                PolicyId=standing.policy_id,
            )
        except AwsError as error:
            if error.code == "PolicyInUseException":
                raise AlreadyThere from error
            raise

    def _tolerate(self, code: str, about: str, operation: str, **request: Any) -> None:
        try:
            self._write(about, operation, **request)
        except AwsError as error:
            if error.code != code:
                raise

    def _write(self, about: str, operation: str, **request: Any) -> dict[str, Any]:
        return patiently(lambda: self._call(about, operation, **request))

    def _call(self, about: str, operation: str, **request: Any) -> dict[str, Any]:
        method = getattr(self._client, _method(operation))
        with calling(about, f"organizations:{operation}"):
            answer: dict[str, Any] = method(**request)
        return answer

    def _pages(self, about: str, operation: str, key: str, **request: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            answer = self._call(about, operation, **request, **token)
            items += answer[key]
            if not answer.get("NextToken"):
                return items
            token = {"NextToken": answer["NextToken"]}


def policy_type(root: Mapping[str, Any]) -> str:
    """The status of service control policies at a root; DISABLED when it is not listed."""
    for item in root.get("PolicyTypes") or ():
        if item["Type"] == SCP:
            return str(item["Status"])
    return "DISABLED"


def patiently(call: Callable[[], T], patience: float = PATIENCE) -> T:
    """Try again while another change is in progress, at most `patience` seconds."""
    deadline = time.monotonic() + patience
    pause = 0.3
    while True:
        try:
            return call()
        except AwsError as error:
            if error.code not in _BUSY or time.monotonic() + pause > deadline:
                raise
        # Not the same for all who wait, or they would meet again.
        time.sleep(pause * random.uniform(0.5, 1.5))
        pause = min(pause * 2, 8.0)


def _open(accounts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        str(item["Id"]): str(item.get("Name") or item["Id"])
        for item in accounts
        if item.get("State", item.get("Status")) not in ("SUSPENDED", "PENDING_CLOSURE")
    }


def _method(operation: str) -> str:
    from botocore import xform_name

    return str(xform_name(operation))


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
