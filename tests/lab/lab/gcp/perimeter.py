# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""VPC Service Controls: what the perimeters, as they bind now, say of a request.

https://cloud.google.com/vpc-service-controls/docs/ingress-egress-rules. Every request is judged twice: by the
enforced configurations, and by those of the dry run, which only leave entries in the log.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from ..cloud import Request
from . import audit
from .errors import GoogleError, error_info
from .operation import Control
from .records import Principal, Project, Resource
from .state import State
from .way import Way, way_in

# What the vpc-sc bundle and the restricted VIP serve, of the services that have hosts here.
SUPPORTED = frozenset(
    f"{name}.googleapis.com"
    for name in [
        "accesscontextmanager",
        "aiplatform",
        "artifactregistry",
        "bigquery",
        "cloudbuild",
        "cloudfunctions",
        "cloudkms",
        "cloudresourcemanager",
        "compute",
        "container",
        "dataflow",
        "dataproc",
        "discoveryengine",
        "dns",
        "iam",
        "iamcredentials",
        "logging",
        "monitoring",
        "notebooks",
        "oauth2",
        "orgpolicy",
        "pubsub",
        "run",
        "secretmanager",
        "servicedirectory",
        "storage",
        "sts",
        "vision",
    ]
)
BRIDGE = "PERIMETER_TYPE_BRIDGE"


@dataclass(frozen=True)
class Access:
    """One request to the data or the configuration of a project."""

    principal: Principal
    project: Project
    service: str  # aiplatform.googleapis.com
    method: str
    way: Way


@dataclass(frozen=True)
class Violation:
    perimeter: str
    reason: str
    direction: str  # ingress or egress
    uid: str
    dry_run: bool


def judge(state: State, access: Access, dry_run: bool) -> Violation | None:
    """The first perimeter that refuses the request, or None."""
    for perimeter, config in _configs(state, dry_run):
        reason, direction = _egress(state, access, config, dry_run), "egress"
        if not reason:
            reason, direction = _ingress(state, access, config, dry_run), "ingress"
        if reason:
            return Violation(
                perimeter["name"], reason, direction, secrets.token_urlsafe(40), dry_run
            )
    return None


def _configs(state: State, dry_run: bool) -> Iterable[tuple[Resource, Resource]]:
    for perimeter in state.binding:
        if perimeter.get("perimeterType") == BRIDGE:
            continue
        if not dry_run:
            yield perimeter, perimeter.get("status", {})
        elif perimeter.get("useExplicitDryRunSpec"):
            yield perimeter, perimeter.get("spec", {})


def _holds_source(config: Resource, access: Access, state: State) -> bool:
    """Whether the network that the request came from lies inside."""
    project = state.projects.get(access.way.project)
    resources = config.get("resources", [])
    return access.way.network in resources or (
        project is not None and f"projects/{project.number}" in resources
    )


def _ingress(state: State, access: Access, config: Resource, dry_run: bool) -> str:
    target = f"projects/{access.project.number}"
    if target not in config.get("resources", []):
        return ""
    if access.service not in config.get("restrictedServices", []):
        return ""
    if _holds_source(config, access, state) or _bridged(state, access, dry_run):
        return ""
    if any(level_holds(state, name, access) for name in config.get("accessLevels", [])):
        return ""
    if any(_ingress_rule(state, rule, access) for rule in config.get("ingressPolicies", [])):
        return ""
    return (
        "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER" if access.way.place else "NO_MATCHING_ACCESS_LEVEL"
    )


def _egress(state: State, access: Access, config: Resource, dry_run: bool) -> str:
    if not access.way.place or not _holds_source(config, access, state):
        return ""
    accessible = config.get("vpcAccessibleServices", {})
    if accessible.get("enableRestriction"):
        allowed = set(accessible.get("allowedServices", []))
        if "RESTRICTED-SERVICES" in allowed:
            allowed |= set(config.get("restrictedServices", []))
        if access.service not in allowed:
            return "SERVICE_NOT_ALLOWED_FROM_VPC"
    if f"projects/{access.project.number}" in config.get("resources", []):
        return ""
    if access.service not in config.get("restrictedServices", []):
        return ""
    if _bridged(state, access, dry_run):
        return ""
    if any(_egress_rule(rule, access) for rule in config.get("egressPolicies", [])):
        return ""
    return "RESOURCES_NOT_IN_SAME_SERVICE_PERIMETER"


def _bridged(state: State, access: Access, dry_run: bool) -> bool:
    source = state.projects.get(access.way.project)
    if source is None:
        return False
    both = {f"projects/{source.number}", f"projects/{access.project.number}"}
    part = "spec" if dry_run else "status"
    return any(
        both <= set((each.get(part) or each.get("status", {})).get("resources", []))
        for each in state.binding
        if each.get("perimeterType") == BRIDGE
    )


def level_holds(state: State, name: str, access: Access) -> bool:
    """Whether the request satisfies an access level of the basic kind."""
    policy = state.access_policies.get("/".join(name.split("/")[:2]))
    level = policy.levels.get(name, {}) if policy else {}
    basic = level.get("basic", {})
    verdicts = [_condition(state, each, access) for each in basic.get("conditions", [])]
    if basic.get("combiningFunction") == "OR":
        return any(verdicts)
    return bool(verdicts) and all(verdicts)


def _condition(state: State, condition: Resource, access: Access) -> bool:
    holds = True
    if condition.get("ipSubnetworks"):
        number = ipaddress.ip_address(access.way.address)
        holds = any(number in ipaddress.ip_network(each) for each in condition["ipSubnetworks"])
    if condition.get("members"):
        holds = holds and access.principal.member in condition["members"]
    if condition.get("regions") or condition.get("devicePolicy"):
        holds = False  # the lab knows neither countries nor devices
    for name in condition.get("requiredAccessLevels", []):
        holds = holds and level_holds(state, name, access)
    return holds != bool(condition.get("negate"))


def _ingress_rule(state: State, rule: Resource, access: Access) -> bool:
    given = rule.get("ingressFrom", {})
    if not _identity(given, access):
        return False
    if not any(_source(state, each, access) for each in given.get("sources", [])):
        return False  # a rule without sources admits nothing
    return _to(rule.get("ingressTo", {}), access)


def _source(state: State, source: Resource, access: Access) -> bool:
    level, resource = source.get("accessLevel"), source.get("resource")
    if level:
        return level == "*" or level_holds(state, level, access)
    project = state.projects.get(access.way.project)
    return bool(resource) and (
        resource == access.way.network
        or (project is not None and resource == f"projects/{project.number}")
    )


def _egress_rule(rule: Resource, access: Access) -> bool:
    return _identity(rule.get("egressFrom", {}), access) and _to(rule.get("egressTo", {}), access)


def _identity(given: Resource, access: Access) -> bool:
    member = access.principal.member
    kind = given.get("identityType", "")
    if kind == "ANY_IDENTITY":
        return True
    if kind in ("ANY_USER_ACCOUNT", "ANY_SERVICE_ACCOUNT"):
        return member.startswith("user:" if kind == "ANY_USER_ACCOUNT" else "serviceAccount:")
    return member in given.get("identities", [])


def _to(given: Resource, access: Access) -> bool:
    resources = given.get("resources", [])
    if "*" not in resources and f"projects/{access.project.number}" not in resources:
        return False
    for operation in given.get("operations", []):
        if operation.get("serviceName") not in ("*", access.service):
            continue
        selectors = operation.get("methodSelectors", [])
        short = access.method.rpartition(".google.cloud.")[2]
        if operation["serviceName"] == "*" or any(
            each.get("method") in ("*", access.method, ".".join(short.split(".")[-2:]))
            for each in selectors
        ):
            return True
    return False


def refusal(access: Access, violation: Violation) -> GoogleError:
    kind = "type.googleapis.com/google.rpc.PreconditionFailure"
    details = [
        {
            "@type": kind,
            "violations": [{"type": "VPC_SERVICE_CONTROLS", "description": violation.uid}],
        },
        error_info(
            "SECURITY_POLICY_VIOLATED",
            "googleapis.com",
            uid=violation.uid,
            service=access.service,
            consumer=f"projects/{access.project.number}",
        ),
    ]
    message = (
        "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: "
        f"{violation.uid}"
    )
    return GoogleError(403, message, "vpcServiceControls", "PERMISSION_DENIED", details)


def enforce(state: State, access: Access, resource: str, agent: str = "") -> None:
    """Leave the entries of both judgements, and raise the refusal of the enforced one. agent: the client's name."""
    call = audit.call_of(access, resource, agent)
    enforced = judge(state, access, dry_run=False)
    planned = judge(state, access, dry_run=True)
    if planned is not None:
        audit.policy_entry(state, access.project, call, planned)
    if enforced is not None:
        audit.policy_entry(state, access.project, call, enforced)
        raise refusal(access, enforced)


def guard(control: Control, request: Request) -> None:
    """The same for control planes, where a perimeter restricts them and the request is for a project."""
    project = control.state.project(control.path.get("project", ""))
    service = f"{control.service}.googleapis.com"
    if project is None or not _restricted(control.state, service):
        return
    way = way_in(control.state, request)
    access = Access(control.caller, project, service, control.method, way)
    agent = request.headers.get("user-agent", "")
    enforce(control.state, access, f"projects/{project.number}", agent)


def _restricted(state: State, service: str) -> bool:
    return any(
        service in each.get(part, {}).get("restrictedServices", [])
        or each.get(part, {}).get("vpcAccessibleServices", {}).get("enableRestriction")
        for each in state.binding
        for part in ("status", "spec")
    )
