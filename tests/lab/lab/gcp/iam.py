# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what: the bindings of a project, and those it inherits from its organisation.

https://cloud.google.com/iam/docs/roles-permissions. Of the predefined roles there are those below; a
world may define others. `*` in a permission stands for any text, a minus before it takes it away again.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from .records import Principal, Resource
from .state import State

_READ = ("*.get", "*.list", "*.getIamPolicy", "*.search", "-logging.privateLogEntries.list")
ROLES: dict[str, tuple[str, ...]] = {
    "roles/owner": ("*",),
    "roles/editor": (
        "compute.*",
        "dns.*",
        "aiplatform.*",
        "storage.*",
        "servicedirectory.*",
        *_READ,
    ),
    "roles/viewer": ("*.get", "*.list", "-logging.privateLogEntries.list"),
    "roles/browser": (
        "resourcemanager.*.get",
        "resourcemanager.*.list",
        "resourcemanager.*.getIamPolicy",
    ),
    "roles/iam.securityReviewer": (
        "*.list",
        "*.getIamPolicy",
        "-logging.privateLogEntries.list",
    ),
    "roles/compute.networkAdmin": (
        "compute.addresses.*",
        "compute.globalAddresses.*",
        "compute.globalForwardingRules.*",
        "compute.firewalls.get",
        "compute.firewalls.list",
        "compute.networks.*",
        "compute.subnetworks.*",
        "compute.routes.*",
        "compute.globalOperations.*",
        "compute.regionOperations.*",
        "compute.regions.*",
        "compute.projects.get",
        "servicedirectory.*.get",
        "servicedirectory.*.list",
    ),
    "roles/compute.networkViewer": ("compute.*.get", "compute.*.list"),
    "roles/compute.viewer": ("compute.*.get", "compute.*.list"),
    "roles/compute.networkUser": (
        "compute.networks.use",
        "compute.subnetworks.use",
        "compute.networks.get",
    ),
    "roles/compute.securityAdmin": (
        "compute.firewalls.*",
        "compute.networks.get",
        "compute.networks.list",
        "compute.networks.updatePolicy",
        "compute.globalOperations.*",
    ),
    "roles/servicedirectory.editor": ("servicedirectory.*",),
    "roles/dns.admin": ("dns.*", "compute.networks.get", "compute.networks.list"),
    "roles/dns.reader": ("dns.*.get", "dns.*.list"),
    "roles/dns.peer": ("dns.networks.targetWithPeeringZone",),
    "roles/accesscontextmanager.policyAdmin": (
        "accesscontextmanager.*",
        "resourcemanager.organizations.get",
    ),
    "roles/accesscontextmanager.policyEditor": (
        "accesscontextmanager.accessLevels.*",
        "accesscontextmanager.policies.*",
        "accesscontextmanager.servicePerimeters.*",
    ),
    "roles/accesscontextmanager.policyReader": (
        "accesscontextmanager.*.get",
        "accesscontextmanager.*.list",
    ),
    "roles/orgpolicy.policyAdmin": ("orgpolicy.*",),
    "roles/orgpolicy.policyViewer": ("orgpolicy.*.get", "orgpolicy.*.list"),
    "roles/logging.viewer": ("logging.logEntries.list", "logging.logs.list"),
    "roles/logging.privateLogViewer": (
        "logging.logEntries.list",
        "logging.logs.list",
        "logging.privateLogEntries.list",
        "resourcemanager.projects.get",
    ),
    "roles/resourcemanager.projectIamAdmin": (
        "resourcemanager.projects.get",
        "resourcemanager.projects.getIamPolicy",
        "resourcemanager.projects.setIamPolicy",
    ),
    "roles/resourcemanager.organizationViewer": ("resourcemanager.organizations.get",),
    "roles/aiplatform.user": ("aiplatform.*.get", "aiplatform.*.list", "aiplatform.endpoints.*"),
    "roles/aiplatform.viewer": ("aiplatform.*.get", "aiplatform.*.list"),
    "roles/aiplatform.admin": ("aiplatform.*",),
    "roles/storage.admin": ("storage.*",),
    "roles/storage.objectViewer": ("storage.objects.get", "storage.objects.list"),
    "roles/iam.serviceAccountTokenCreator": (
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.signJwt",
        "iam.serviceAccounts.get",
    ),
}


def allowed(state: State, principal: Principal, permission: str, resource: str) -> bool:
    """Whether the principal has the permission on projects/P or organizations/N."""
    return any(
        _grants(permissions_of(state, binding["role"]), permission)
        for binding in _bindings(state, resource)
        if is_member(principal, binding.get("members", ()))
    )


def _grants(patterns: Iterable[str], permission: str) -> bool:
    return f"-{permission}" not in patterns and any(
        fnmatch.fnmatchcase(permission, pattern) for pattern in patterns
    )


def permissions_of(state: State, role: str) -> tuple[str, ...]:
    return state.roles.get(role) or ROLES.get(role, ())


def is_member(principal: Principal | None, members: Iterable[str]) -> bool:
    for member in members:
        if member == "allUsers" or (
            principal and member in (principal.member, "allAuthenticatedUsers")
        ):
            return True
        kind, _, domain = member.partition(":")
        if principal and kind == "domain" and principal.email.endswith(f"@{domain}"):
            return True
    return False


def _bindings(state: State, resource: str) -> Iterable[Resource]:
    kind, _, name = resource.partition("/")
    if kind == "projects":
        project = state.project(name)
        if project is None:
            return
        yield from project.policy.get("bindings", [])
        resource = project.parent
    if resource == state.organization:
        yield from state.organization_policy.get("bindings", [])
