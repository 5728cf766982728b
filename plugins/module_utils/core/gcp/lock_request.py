# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a lock as the core's shapes; EndpointError for what they cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import EndpointError, refuse
from .names import DOMAIN, network_path, project_of

_POLICY = re.compile(r"(?:accessPolicies/)?(?P<number>\d+)")
_FULL = re.compile(r"accessPolicies/\d+/servicePerimeters/[A-Za-z][A-Za-z0-9_]{0,49}")
_SHORT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}")
_SERVICE = re.compile(rf"[a-z][a-z0-9-]*\.{re.escape(DOMAIN)}")
_LEVEL = re.compile(
    r"(?:accessPolicies/(?P<policy>\d+)/accessLevels/)?(?P<name>[A-Za-z][A-Za-z0-9_]{0,49})"
)
_PROJECT = re.compile(r"(?:projects/)?(?P<name>[a-z0-9.:-]+)")
_FROM = {"identities", "identityType", "sources"}
_TO = {"operations", "resources", "roles"}


def perimeter_name(perimeter: str, access_policy: str | None) -> str:
    """accessPolicies/N/servicePerimeters/X, from the whole or from its parts."""
    text = perimeter.strip()
    policy = None
    if access_policy is not None:
        found = _POLICY.fullmatch(access_policy.strip())
        if not found:
            raise EndpointError(
                f"{access_policy!r} is no access policy",
                resource="access_policy",
                fix="Give its number, as accessPolicies/123456789012",
            )
        policy = f"accessPolicies/{found['number']}"
    if _FULL.fullmatch(text):
        if policy and not text.startswith(f"{policy}/"):
            raise EndpointError(
                f"{text} is not in {policy}",
                resource="access_policy",
                fix="Leave access_policy out, or name the perimeter's own",
            )
        return text
    if not _SHORT.fullmatch(text):
        raise EndpointError(
            f"{perimeter!r} is no name of a perimeter",
            resource="perimeter",
            fix="Use a letter, then letters, digits and underscores, 50 at most; or the whole name, "
            "accessPolicies/N/servicePerimeters/NAME",
        )
    if policy is None:
        raise EndpointError(
            "the access policy of this perimeter is not given",
            resource="access_policy",
            fix="Set access_policy, or give the perimeter as accessPolicies/N/servicePerimeters/NAME",
        )
    return f"{policy}/servicePerimeters/{text}"


def project_name(text: str, option: str) -> str:
    """The id or number of a project, from itself or its path."""
    found = _PROJECT.fullmatch(str(text).strip())
    if not found:
        raise EndpointError(
            f"{text!r} is no project",
            resource=option,
            fix="Give its id, its number, or projects/ID",
        )
    return str(found["name"])


def services(values: Iterable[str], option: str, *, also: str = "") -> tuple[str, ...]:
    """Names of services, each once."""
    found = tuple(dict.fromkeys(str(item).strip() for item in values))
    refuse(
        [
            f"{option}: {item!r} is no service of Google. Write it as aiplatform.googleapis.com"
            for item in found
            if not _SERVICE.fullmatch(item) and item != also
        ],
        "services are named wrongly",
    )
    return found


def access_levels(values: Iterable[str], policy: str) -> tuple[str, ...]:
    """Access levels of the perimeter's policy, by their full names."""
    found = []
    for item in values:
        parsed = _LEVEL.fullmatch(str(item).strip())
        if not parsed:
            raise EndpointError(
                f"{item!r} is no access level",
                resource="access_levels",
                fix="Give its name, or accessPolicies/N/accessLevels/NAME",
            )
        if parsed["policy"] and f"accessPolicies/{parsed['policy']}" != policy:
            raise EndpointError(
                f"{item} is not in the perimeter's {policy}",
                resource="access_levels",
                fix="Use a level of the same access policy",
            )
        found.append(f"{policy}/accessLevels/{parsed['name']}")
    return tuple(dict.fromkeys(found))


def ingress_policies(values: Iterable[Any]) -> tuple[dict[str, Any], ...]:
    """Ingress rules in the API's form, each with something that it admits."""
    values = list(values)
    refuse(
        [text for number, rule in enumerate(values) for text in _rule(number, rule)],
        "ingress rules are wrong",
    )
    return tuple(dict(rule) for rule in values)


def _rule(number: int, rule: Any) -> list[str]:
    name = f"ingress_policies[{number}]"
    if not isinstance(rule, Mapping):
        return [
            f"{name}: it is no dictionary. Write it as the API has it: ingressFrom and ingressTo"
        ]
    source, target = rule.get("ingressFrom") or {}, rule.get("ingressTo") or {}
    unknown = [
        *sorted(set(rule) - {"ingressFrom", "ingressTo", "title"}),
        *sorted(set(source) - _FROM),
        *sorted(set(target) - _TO),
    ]
    found = []
    if unknown:
        found.append(f"{name}: unknown {', '.join(unknown)}. Write it as the API has it")
    if not source.get("sources"):
        found.append(
            f"{name}: ingressFrom has no sources, so the rule admits nobody. Name an accessLevel or a resource"
        )
    if bool(source.get("identities")) == bool(source.get("identityType")):
        found.append(
            f"{name}: ingressFrom needs either identities or identityType. Name whom the rule admits"
        )
    if not target.get("operations") or not target.get("resources"):
        found.append(
            f"{name}: ingressTo has no operations or no resources, so the rule admits nothing. Name both"
        )
    return found


def member_projects(member: Mapping[str, Any], own: str | None) -> dict[str, str]:
    """Projects that a member's callers and calls are in: id or number → what it is for, in words."""
    networks = [network_path(member["network"], member.get("project") or own)]
    networks += [
        network_path(item, member.get("project") or own)
        for item in member.get("spoke_networks") or ()
    ]
    found: dict[str, str] = {}
    if member.get("project"):
        found[project_name(member["project"], "members")] = "its Vertex AI"
    for network in networks:
        found.setdefault(project_of(network), f"its network {network}")
    return found
