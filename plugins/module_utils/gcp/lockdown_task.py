# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of vertex_lockdown: its options as the core's shapes, what stands, and the plan of what to do about it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ..core.errors import EndpointError, refuse
from ..core.gcp import lock_request, org_policies
from ..core.gcp.lock_checks import Member, problems
from ..core.gcp.lock_record import from_description
from ..core.gcp.lock_standing import Standing
from ..core.gcp.names import network_path, project_of
from ..core.gcp.perimeter import RESTRICTED, Additions
from ..core.gcp.plan_lockdown import (
    DRY_RUN,
    ENFORCED,
    VERTEX,
    LockPlan,
    Wanted,
    lock,
    recover,
    restore,
    seal,
    unlock,
)
from ..core.preview import explanations
from . import org_policies as org_policy_calls
from .client import Connection, gather
from .lockdown_apply import Policy
from .projects import numbers


@dataclass(frozen=True, kw_only=True)
class Task:
    """One call of the module.

    projects: names of those that the lock binds. of: member → its projects and networks.
    supporting: the option organization_policies. numbers: name of a project → projects/NUMBER, and start, others: what
    stands; failures: organisation policies that could not be read. Empty until `resolved`.
    """

    params: Mapping[str, Any]
    run_id: str | None
    now: datetime
    additions: Additions
    projects: tuple[str, ...] = ()
    of: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = field(default_factory=dict)
    supporting: tuple[Mapping[str, Any], ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)
    start: Standing = field(default_factory=lambda: Standing(name=""))
    others: tuple[Standing, ...] = ()
    failures: tuple[EndpointError, ...] = ()

    @property
    def locking(self) -> bool:
        """Whether this is about making a lock."""
        return bool(self.params["state"] == "locked")

    @property
    def wanted(self) -> Wanted:
        """What is to be added."""
        resources = tuple(dict.fromkeys(self.numbers[item] for item in self.projects))
        return Wanted(
            additions=replace(self.additions, resources=resources),
            roll_out=self.params["roll_out"],
            title=self.params["title"] or "",
            policies=self.policies,
        )

    @property
    def policies(self) -> dict[str, Any]:
        """Organisation policies as they are to stand."""
        if not self.locking:
            return {}
        return org_policies.wanted(
            self.supporting, self.numbers, dry_run=self.params["roll_out"] == DRY_RUN
        )

    @property
    def members(self) -> list[Member]:
        """The members by the numbers of their projects."""
        return [
            Member(
                target=target,
                projects={self.numbers[item]: what for item, what in projects.items()},
                networks={path: self.numbers[project_of(path)] for path in networks},
            )
            for target, (projects, networks) in self.of.items()
        ]

    def resolved(self, connection: Connection, policy: Policy, *, predicts: bool) -> Task:
        """With what stands, and the numbers of the projects, which only making or predicting a lock needs.

        predicts: whether this is check mode. Taking a lock away must not hang on whether a project can be read.
        """
        reads: dict[str, Callable[[], Any]] = {"perimeters": lambda: _stands(self, policy)}
        wanted = [
            *self.projects,
            *(item for projects, _networks in self.of.values() for item in projects),
            *(item["project"] for item in self.supporting),
        ]
        if self.locking or (predicts and self.params["state"] == "sealed"):
            reads["numbers"] = lambda: numbers(connection, wanted)
        found = gather(reads)
        start, others = found["perimeters"]
        task = replace(self, others=tuple(others), numbers=found.get("numbers") or {})
        start, failures = task.with_policies(connection, start)
        return replace(task, start=start, failures=tuple(failures))

    def with_policies(
        self, connection: Connection, start: Standing
    ) -> tuple[Standing, list[EndpointError]]:
        """What stands, with the organisation policies that are wanted and those that the record speaks of.

        EndpointError for one that cannot be read, unless a lock is to be taken away: that must not fail by it.
        """
        names = {org_policies.name_of(key) for key in (*self.policies, *_recorded(start))}
        if not names:
            return start, []
        stands, etags, failures = org_policy_calls.read(connection, sorted(names))
        if failures and self.params["state"] in ("locked", "sealed"):
            raise failures[0]
        return replace(start, policies=stands, etags=etags), failures

    def unread(self) -> list[str]:
        """Organisation policies that the record speaks of and that could not be read, when a lock is taken away."""
        return [
            f"an organisation policy could not be read, and stays as it is: {error.message}"
            for error in self.failures
        ]

    def plan(self, start: Standing) -> LockPlan:
        """What to do about what stands."""
        state = self.params["state"]
        if state == "locked":
            return lock(start, self.wanted, run_id=str(self.run_id), now=self.now)
        if not start.exists:
            return _gone(self, start)
        if state == "sealed":
            enforced = self.params["roll_out"] == ENFORCED
            services = self.additions.services if enforced else ()
            return seal(start, run_id=self.run_id, services=services)
        if state == "recovered":
            return recover(
                start,
                run_id=self.run_id,
                now=self.now,
                pending_timeout=self.params["pending_timeout"],
            )
        if state == "unlocked":
            stated = self.params["restricted_services"]
            named = () if stated is None else self.additions.services
            return unlock(start, run_id=self.run_id, services=named)
        return restore(start)

    def again(self, policy: Policy) -> LockPlan:
        """The same after others changed the policy meanwhile, unless the change makes it wrong."""
        start, others = _stands(self, policy)
        made = self.plan(self.with_policies(policy.connection, start)[0])
        if self.locking:
            refuse(problems(made, others, self.members, self.names), "the lock may not be made")
        return made

    @property
    def names(self) -> dict[str, str]:
        """projects/NUMBER → id, of those that were given by it."""
        return {number: name for name, number in self.numbers.items() if not name.isdigit()}


def _stands(task: Task, policy: Policy) -> tuple[Standing, list[Standing]]:
    """Only a lock needs to know of the other perimeters."""
    return policy.read_all() if task.locking else (policy.read(), [])


def _recorded(start: Standing) -> list[str]:
    """Parts of organisation policies in the record; none where it cannot be read, which the plan will say."""
    try:
        return list(from_description(start.description).total.policies)
    except EndpointError:
        return []


def _gone(task: Task, start: Standing) -> LockPlan:
    """A perimeter that is not there locks nobody, and cannot be sealed."""
    if task.params["state"] == "sealed":
        raise EndpointError(
            "it does not exist, so its lock is not sealed",
            resource=start.resource,
            fix="Find out who deleted it, and lock again",
        )
    return LockPlan(
        start=start, desired=start, notes=(f"{start.resource} does not exist: it locks nobody",)
    )


# Options that say what a lock is made of, as if they had been left out.
_UNUSED: Mapping[str, Any] = {
    "accessible_services": None,
    "access_levels": None,
    "explained_callers": [],
    "ingress_policies": None,
    "members": [],
    "organization_policies": None,
    "projects": None,
}


def make_task(params: Mapping[str, Any], name: str, connection: Connection) -> Task:
    """The options as the core's shapes; EndpointError for what they cannot be."""
    policy = name.rpartition("/servicePerimeters/")[0]
    if params["state"] not in ("locked", "sealed"):
        # Taking a lock away uses none of them, and in an emergency must not fail by a mistake in one.
        params = {**params, **_UNUSED}
    explanations(params["explained_callers"] or ())
    restricted = params["restricted_services"]
    if restricted is not None and not restricted:
        raise EndpointError(
            "a lock that restricts no service locks nothing",
            resource="restricted_services",
            fix=f"Name services, or leave it out for {VERTEX}",
        )
    accessible = params["accessible_services"]
    if accessible is not None and not accessible:
        raise EndpointError(
            "networks inside could call no service at all",
            resource="accessible_services",
            fix=f"Name services, or {RESTRICTED} for those that are restricted",
        )
    if params["state"] == "locked" and not params["members"]:
        if params["roll_out"] == ENFORCED and params["require_proof"]:
            raise EndpointError(
                "a lock needs to know whose callers it binds",
                resource="members",
                fix="Name the networks that call Vertex AI, so that their endpoints can be checked, or set "
                "require_proof to false to lock without a proof",
            )
        if not params["projects"]:
            raise EndpointError(
                "a lock needs projects to bind",
                resource="projects",
                fix="Name projects, or members",
            )
    of = {
        str(member["target"]): (
            lock_request.member_projects(member, connection.project),
            tuple(
                network_path(item, member.get("project") or connection.project)
                for item in (member["network"], *(member.get("spoke_networks") or ()))
            ),
        )
        for member in params["members"]
    }
    given = [lock_request.project_name(item, "projects") for item in params["projects"] or ()]
    bound = given or [item for projects, _networks in of.values() for item in projects]
    return Task(
        params=params,
        run_id=params["run_id"] or (uuid.uuid4().hex if params["state"] == "locked" else None),
        now=datetime.now(timezone.utc),
        additions=Additions(
            services=lock_request.services(restricted or [VERTEX], "restricted_services"),
            levels=lock_request.access_levels(params["access_levels"] or (), policy),
            ingress=lock_request.ingress_policies(params["ingress_policies"] or ()),
            accessible=None
            if accessible is None
            else lock_request.services(accessible, "accessible_services", also=RESTRICTED),
        ),
        projects=tuple(dict.fromkeys(bound)),
        of=of,
        supporting=tuple(
            {**item, "project": lock_request.project_name(item["project"], "organization_policies")}
            for item in org_policies.checked(params["organization_policies"] or ())
        ),
    )
