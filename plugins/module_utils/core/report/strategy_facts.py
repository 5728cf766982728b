# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What evidence says in a word about an aspect of a cloud's strategy; a reader of documents, not a judge of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from .clean import line

Evidence: TypeAlias = Mapping[str, Any]


def _list(values: Iterable[object], what: str) -> str:
    listed = sorted({line(item, 120) for item in values})
    shown = ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
    return f"{what}: {shown}" if listed else ""


def _texts(*texts: str) -> list[str]:
    return [text for text in texts if text]


def _last(value: object) -> str:
    return str(value).rstrip("/").rpartition("/")[2]


def _gathered(evidence: Evidence, part: str) -> bool:
    return part in (evidence.get("gathered") or ())


def _aws_mechanism(evidence: Evidence) -> list[str]:
    if not _gathered(evidence, "endpoints"):
        return []
    found = evidence.get("endpoints") or []
    if not found:
        return ["No interface endpoint in the VPC."]
    up = sum(str(item.get("state")).lower() == "available" for item in found)
    return [f"{len(found)} interface endpoints, {up} of them available."]


def _aws_services(evidence: Evidence) -> list[str]:
    services = {_service(item.get("service")) for item in evidence.get("endpoints") or []}
    return _texts(_list(services, "Endpoints for"))


def _service(name: object) -> str:
    parts = str(name).split(".")
    return ".".join(parts[3:]) if len(parts) > 3 else str(name)


def _aws_dns(evidence: Evidence) -> list[str]:
    found = evidence.get("endpoints") or []
    on = sum(bool(item.get("private_dns_enabled")) for item in found)
    zones = [item["name"] for item in evidence.get("zones") or []]
    own = f"Private DNS is on at {on} of {len(found)} endpoints." if found else ""
    return _texts(own, _list(zones, "Private zones"))


def _aws_enforcement(evidence: Evidence) -> list[str]:
    found = evidence.get("enforcement")
    if not found:
        return []
    if not found.get("organization_id"):
        return ["The account is in no organisation, so that no service control policy can bind it."]
    on = "on" if found.get("scp_enabled") else "OFF"
    return [f"Organisation {found['organization_id']}, service control policies are {on}."]


def _azure_mechanism(evidence: Evidence) -> list[str]:
    if not _gathered(evidence, "endpoints"):
        return []
    found = evidence.get("endpoints") or []
    if not found:
        return ["The account has no private endpoint that could be seen."]
    states = {str((item.get("connection") or {}).get("status")) for item in found}
    return [
        f"{_list((_last(item['id']) for item in found), 'Private endpoints')} ({', '.join(sorted(states))})."
    ]


def _azure_services(evidence: Evidence) -> list[str]:
    account = evidence.get("account") or {}
    return _texts(_list(account.get("hosts") or [], "Host names of the account"))


def _azure_dns(evidence: Evidence) -> list[str]:
    if not _gathered(evidence, "dns"):
        return []
    zones = evidence.get("zones") or []
    links = sum(len(item.get("links") or []) for item in zones)
    if not zones:
        return ["No privatelink zone was found."]
    return [f"{_list((item['name'] for item in zones), 'Zones')}; {links} links to networks."]


def _azure_enforcement(evidence: Evidence) -> list[str]:
    account = evidence.get("account") or {}
    if not account:
        return []
    rules = account.get("network_acls") or {}
    return [
        f"publicNetworkAccess {account.get('public_network_access')}, default action {rules.get('default_action')}, "
        f"{len(rules.get('ip_rules') or [])} address rules; local keys "
        f"{'off' if account.get('disable_local_auth') else 'on'}."
    ]


def _gcp_mechanism(evidence: Evidence) -> list[str]:
    if not _gathered(evidence, "endpoints"):
        return []
    found = evidence.get("endpoints") or []
    if not found:
        return ["No Private Service Connect endpoint for Google APIs."]
    where = [f"{item['address']} in {_last(item['network_id'])}" for item in found]
    return [_list(where, "Private Service Connect endpoints") + "."]


def _gcp_services(evidence: Evidence) -> list[str]:
    return _texts(_list(evidence.get("hosts") or [], "Hosts"))


def _gcp_dns(evidence: Evidence) -> list[str]:
    if not _gathered(evidence, "dns"):
        return []
    zones = [item["dns_name"] for item in evidence.get("zones") or []]
    policies = [_last(item["id"]) for item in evidence.get("response_policies") or []]
    found = _texts(_list(zones, "Private zones"), _list(policies, "Response policies"))
    return found or ["No private zone and no response policy."]


def _gcp_enforcement(evidence: Evidence) -> list[str]:
    if not _gathered(evidence, "perimeter"):
        return []
    found = evidence.get("perimeters") or []
    return [_perimeter(item) for item in found] or ["No service perimeter holds the project."]


def _perimeter(item: Evidence) -> str:
    restricted = _list(item.get("restricted_services") or [], "enforced for")
    dry_run = "; a dry run is set" if item.get("dry_run") else ""
    return f"Perimeter {line(_last(item['id']), 120)}: {restricted or 'enforces nothing'}{dry_run}."


# (cloud, aspect) → sentences of one evidence document; empty where that says nothing.
FACTS: Final[Mapping[tuple[str, str], Callable[[Evidence], list[str]]]] = {
    ("aws", "mechanism"): _aws_mechanism,
    ("aws", "services"): _aws_services,
    ("aws", "dns"): _aws_dns,
    ("aws", "enforcement"): _aws_enforcement,
    ("azure", "mechanism"): _azure_mechanism,
    ("azure", "services"): _azure_services,
    ("azure", "dns"): _azure_dns,
    ("azure", "enforcement"): _azure_enforcement,
    ("gcp", "mechanism"): _gcp_mechanism,
    ("gcp", "services"): _gcp_services,
    ("gcp", "dns"): _gcp_dns,
    ("gcp", "enforcement"): _gcp_enforcement,
}
