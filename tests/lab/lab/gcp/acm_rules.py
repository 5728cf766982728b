# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Google refuses in the configuration of a perimeter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .acm import wrong
from .perimeter import BRIDGE, SUPPORTED
from .records import AccessPolicy, Resource
from .state import State

_PROJECT = re.compile(r"projects/(\d+)")
_NETWORK = re.compile(r"//compute\.googleapis\.com/(projects/[^/]+/global/networks/[^/]+)")
_MEMBER = re.compile(r"(user|serviceAccount|group|principal|principalSet):.+")
_LARGEST = 6000  # attributes of all perimeters of a policy


def check_config(state: State, policy: AccessPolicy, perimeter: Resource, part: str) -> None:
    config = perimeter.get(part, {})
    for each in config.get("resources", []):
        _check_resource(state, each)
    for each in config.get("restrictedServices", []):
        if each not in SUPPORTED:
            raise wrong(
                f"'{each}' in restricted_services is not a service that VPC Service Controls supports."
            )
    if perimeter.get("perimeterType") == BRIDGE:
        for field in ("restrictedServices", "accessLevels", "ingressPolicies", "egressPolicies"):
            if config.get(field):
                raise wrong(f"The field '{field}' must be empty for a perimeter bridge.")
    for each in config.get("accessLevels", []):
        _check_level(policy, each)
    _check_accessible(config)
    for rule in config.get("ingressPolicies", []):
        _check_ingress(state, policy, perimeter["name"], config, rule)
    for rule in config.get("egressPolicies", []):
        _check_from(perimeter["name"], "EgressFrom", rule.get("egressFrom", {}))
    size = sum(
        len(config.get(field, [])) for field in ("resources", "restrictedServices", "accessLevels")
    )
    if size > _LARGEST:
        raise wrong(f"The policy may have {_LARGEST} attributes at most.")


def _check_resource(state: State, given: str) -> None:
    project, network = _PROJECT.fullmatch(given), _NETWORK.fullmatch(given)
    if project is None and network is None:
        raise wrong(
            f"Invalid resource '{given}'. Resources must be projects/{{project_number}} or "
            "//compute.googleapis.com/projects/{project_id}/global/networks/{name}."
        )
    if project is not None and not any(
        each.number == project.group(1) for each in state.projects.values()
    ):
        raise wrong(
            f"The project '{given}' does not exist or does not belong to the organization of the policy."
        )
    if network is not None and network.group(1) not in state.compute:
        raise wrong(f"The network '{given}' does not exist.")


def _check_level(policy: AccessPolicy, name: str) -> None:
    if name not in policy.levels:
        raise wrong(f"The access level '{name}' does not exist in {policy.name}.")


def _check_accessible(config: Resource) -> None:
    accessible = config.get("vpcAccessibleServices", {})
    if accessible.get("allowedServices") and not accessible.get("enableRestriction"):
        raise wrong("allowed_services must be empty unless enable_restriction is true.")
    for each in accessible.get("allowedServices", []):
        if each != "RESTRICTED-SERVICES" and each not in SUPPORTED:
            raise wrong(f"'{each}' in allowed_services is not a supported service.")


def _bad_rule(name: str, where: str, why: str) -> Exception:
    return wrong(f"Invalid Directional Policies set in Perimeter '{name}': Error in {where}: {why}")


def _check_from(name: str, where: str, given: Resource) -> None:
    if given.get("identities") and given.get("identityType") not in (
        None,
        "IDENTITY_TYPE_UNSPECIFIED",
    ):
        raise _bad_rule(name, where, "identities and identity_type cannot both be set.")
    for each in given.get("identities", []):
        if not _MEMBER.fullmatch(each):
            raise _bad_rule(name, where, f"The identity '{each}' is not valid.")


def _check_ingress(
    state: State, policy: AccessPolicy, name: str, config: Resource, rule: Resource
) -> None:
    given = rule.get("ingressFrom", {})
    _check_from(name, "IngressFrom", given)
    for source in given.get("sources", []):
        level, resource = source.get("accessLevel"), source.get("resource")
        if level and level != "*":
            _check_level(policy, level)
        if resource == "*":
            raise _bad_rule(name, "IngressFrom", "'*' is not allowed as a resource.")
        if resource:
            _check_resource(state, resource)
    for each in rule.get("ingressTo", {}).get("resources", []):
        if each != "*" and each not in config.get("resources", []):
            raise _bad_rule(
                name,
                "IngressTo",
                f"'{each}' is defined in `IngressTo.resources`, but it is not present in "
                "`ServicePerimeterConfig.resources`. Only resources protected by this Service Perimeter can "
                "be put in IngressTo.resources.",
            )


def check_membership(perimeter: Resource, others: Sequence[Resource], part: str) -> None:
    """A project or network is in one regular perimeter at most; in a bridge only beside one."""
    mine = set(members(perimeter, part))
    regular = [each for each in others if each.get("perimeterType") != BRIDGE]
    if perimeter.get("perimeterType") == BRIDGE:
        homeless = mine - {one for each in regular for one in members(each, part)}
        if homeless:
            raise wrong(
                "A project is in a Service Perimeter Bridge but no regular Service Perimeter."
            )
        return
    for each in regular:
        shared = sorted(mine & set(members(each, part)))
        if shared:
            raise wrong(
                f"Resource '{shared[0]}' cannot be in more than one regular Service Perimeter: it is in "
                f"'{each['name']}' and '{perimeter['name']}'."
            )


def members(perimeter: Resource, part: str) -> Iterable[str]:
    """The resources in force, or those of the dry run, which is the same where none is explicit."""
    if part == "spec" and not perimeter.get("useExplicitDryRunSpec"):
        part = "status"
    resources: list[str] = perimeter.get(part, {}).get("resources", [])
    return resources
