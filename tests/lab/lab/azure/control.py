# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handler of Resource Manager gets: the request, the caller, and the ways to change the state."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import access, arm_ids
from .arm_ids import ArmId
from .clouds import Environment
from .errors import ArmError, bad_request, conflict, not_found, precondition_failed
from .registry import TYPES, Answer, Operation, shown
from .state import Principal, Resource, Running, State

Finish = Callable[[], None]


@dataclass(frozen=True)
class Control:
    """One authenticated request whose body has passed its model. Handlers hold the lock.

    `at_start` is set while a world is loaded: the same handlers run, everybody may do everything,
    and what takes time is done at once.
    """

    state: State
    caller: Principal
    environment: Environment
    operation: Operation
    id: ArmId
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]
    at_start: bool = False

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("properties", {})
        return properties

    # -- what stands --------------------------------------------------------------------------

    def existing(self) -> Resource | None:
        return self.state.find(self.id)

    def resource(self) -> Resource:
        """The resource that the request names. Raises Azure's 404."""
        found = self.existing()
        if found is None:
            raise missing(self.id)
        return found

    def referenced(self, id: str, type: str) -> Resource:
        """A resource that the body names. Raises InvalidResourceReference unless it exists."""
        try:
            parsed = arm_ids.parse(id)
        except ValueError:
            raise bad_request(
                "LinkedInvalidPropertyId",
                f"Property id '{id}' at path 'properties' is invalid. Expect fully qualified "
                "resource Id that start with '/subscriptions/{subscriptionId}' or "
                "'/providers/{resourceProviderNamespace}/'.",
            ) from None
        found = self.state.find(parsed)
        if found is None or found.id.type.lower() != type.lower():
            raise bad_request(
                "InvalidResourceReference",
                f"Resource {id} referenced by resource {self.id} was not found. Please make sure "
                "that the referenced resource exists, and that both resources are in the same "
                "region.",
            )
        return found

    # -- permission ---------------------------------------------------------------------------

    def may(self, action: str, scope: ArmId | str) -> bool:
        return self.at_start or access.allowed(self.state, self.caller, action, str(scope))

    def authorize(self, action: str, scope: ArmId | str) -> None:
        """Raise AuthorizationFailed unless the caller may do the action there."""
        if not self.may(action, scope):
            raise access.denied(self.caller, action, str(scope))

    def authorize_linked(self, action: str, scope: ArmId | str) -> None:
        """Raise LinkedAuthorizationFailed unless the caller may do the action on what the body names."""
        if not self.may(action, scope):
            raise access.denied_linked(
                self.caller, self.operation.action, str(self.id), action, str(scope)
            )

    # -- change -------------------------------------------------------------------------------

    def begin(
        self,
        resource: Resource,
        seconds: float,
        finish: Finish | None = None,
        *,
        status: int = 200,
        state: str = "Updating",
        also: tuple[Resource, ...] = (),
        body: bool = True,
    ) -> Answer:
        """Start a long-running write of a resource and answer it.

        Meanwhile the resource is in provisioning state `state`, it and `also` are busy. `finish`
        makes the change that takes the time; an ArmError of it fails the operation.
        """
        running = Running(str(uuid.uuid4()), str(resource.id), started=self.state.now())
        self.state.running[running.id] = running
        fresh = "live" not in resource.hidden and (status == 201 or state == "Creating")
        resource.hidden["live"] = resource.works and not fresh and state != "Deleting"
        resource.state = state
        for each in (resource, *also):
            each.busy = running.id

        def end() -> None:
            self._end(running, resource, also, finish)

        if self.at_start:
            end()
            if running.error:
                raise bad_request(running.error["code"], running.error["message"])
            return Answer(status, None)
        answer = Answer(status, shown(self.state, resource) if body else None)
        answer.headers = self.status_headers(running, resource, location=not body or status == 202)
        self.state.after(seconds, end)
        return answer

    def _end(
        self,
        running: Running,
        resource: Resource,
        also: tuple[Resource, ...],
        finish: Finish | None,
    ) -> None:
        """What happens when the time of an operation has come."""
        for each in (resource, *also):
            each.busy = ""
        try:
            self._stored_failure()
            if finish is not None:
                finish()
        except ArmError as error:
            running.status, running.error = "Failed", error.body()
            resource.state = "Failed"
        else:
            running.status = "Succeeded"
            resource.state = "Succeeded"
            resource.hidden["live"] = True
        resource.touch()

    def _stored_failure(self) -> None:
        """Raise the failure that the world has in store for this operation, once."""
        for failure in self.state.failures:
            if failure.operation == self.operation.name and arm_ids.same(failure.id, str(self.id)):
                self.state.failures.remove(failure)
                raise ArmError(500, failure.code, failure.message)

    def status_headers(
        self, running: Running, resource: Resource, *, location: bool
    ) -> dict[str, str]:
        """Where a long-running operation is polled."""
        type = TYPES[resource.id.type.lower()]
        base = f"https://{self.environment.arm}/subscriptions/{resource.id.subscription}"
        place = str(resource.body.get("location", "eastus")).replace(" ", "").lower()
        version = self.query.get("api-version", "")

        def url(path: str) -> str:
            where = path.replace("locations/", f"locations/{place}/")
            return f"{base}/providers/{type.namespace}/{where}/{running.id}?api-version={version}"

        retry = f"{self.state.timing.retry_after}"
        headers = {"Azure-AsyncOperation": url(type.statuses), "Retry-After": retry}
        if location:
            headers["Location"] = url(type.results)
        return headers

    def delete(
        self,
        resource: Resource,
        seconds: float,
        finish: Finish | None = None,
        *,
        also: tuple[Resource, ...] = (),
    ) -> Answer:
        """Start a long-running delete: 202, and the resource is gone at its end."""

        def gone() -> None:
            if finish is not None:
                finish()
            self.state.remove(resource.id)

        return self.begin(
            resource, seconds, gone, status=202, state="Deleting", also=also, body=False
        )

    def idle(self, *resources: Resource) -> None:
        """Raise 409 AnotherOperationInProgress when one of these is being written."""
        for resource in resources:
            if resource.busy:
                uri = (
                    f"https://{self.environment.arm}/subscriptions/{resource.id.subscription}"
                    f"/providers/{resource.id.namespace}/locations/"
                    f"{resource.body.get('location', 'eastus')}/operations/{resource.busy}"
                    f"?api-version={self.query.get('api-version', '')}"
                )
                raise conflict(
                    "AnotherOperationInProgress",
                    "Another operation on this or dependent resource is in progress. To retrieve "
                    f"status of the operation use uri: {uri}",
                )

    def check_etag(self, resource: Resource | None) -> None:
        """Raise 412 unless If-Match and If-None-Match hold."""
        current = TYPES[self.id.type.lower()].etag.format(resource.etag) if resource else ""
        match = self.headers.get("if-match", "")
        none_match = self.headers.get("if-none-match", "")
        if match and (resource is None or not _matches(match, resource.etag)):
            raise precondition_failed("If-Match", match, str(self.id), current)
        if none_match and resource is not None and _matches(none_match, resource.etag):
            raise precondition_failed("If-None-Match", none_match, str(self.id), current)


def _matches(header: str, etag: str) -> bool:
    values = [each.strip().removeprefix("W/").strip('"') for each in header.split(",")]
    return "*" in values or etag in values


def missing(id: ArmId) -> ArmError:
    """404 for a resource that is not there."""
    short = "/".join(f"{kind}/{name}" for kind, name in zip(id.types, id.names, strict=False))
    if id.parent is not None and id.namespace.lower() == "microsoft.network":
        return not_found("NotFound", f"Resource {id} not found.")
    return not_found(
        "ResourceNotFound",
        f"The Resource '{id.namespace}/{short}' under resource group '{id.resource_group}' was not "
        "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
