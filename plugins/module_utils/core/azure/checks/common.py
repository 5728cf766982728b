# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several checks of Azure ask of a case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import seen_checks
from ...case import Case, Vantage
from ...checks import Judgement
from ...views import View
from ..answers import addresses_of, connected_peerings, hosts_of, in_reach
from ..arm_id import ArmId, key, same
from ..names import PUBLIC, client_name, cloud
from ..names import hosts as account_hosts

CLOUD = "azure"
PRIVATE, BLOCKED = seen_checks.PRIVATE, seen_checks.BLOCKED
lacking, unseen = seen_checks.lacking, seen_checks.unseen

_LEARN = "https://learn.microsoft.com/azure/"
DOCS_NETWORK = _LEARN + "ai-services/cognitive-services-virtual-networks"
DOCS_ENDPOINT = _LEARN + "private-link/private-endpoint-overview"
DOCS_DNS = _LEARN + "private-link/private-endpoint-dns"
DOCS_POLICIES = _LEARN + "private-link/disable-private-endpoint-network-policy"
DOCS_RULES = _LEARN + "virtual-network/network-security-groups-overview"
DOCS_PEERING = _LEARN + "virtual-network/virtual-network-peering-overview"
DOCS_LINKS = _LEARN + "dns/private-dns-virtual-network-links"
DOCS_PERIMETER = _LEARN + "private-link/network-security-perimeter-transition"
DOCS_ROLES = _LEARN + "ai-services/openai/how-to/role-based-access-control"
DOCS_KEYS = _LEARN + "ai-services/disable-local-auth"
DOCS_ARM = _LEARN + "azure-resource-manager/management/create-private-link-access-portal"
DOCS_LOGS = _LEARN + "ai-services/openai/how-to/monitor-openai"

Endpoint = Mapping[str, Any]


def endpoints(case: Case) -> list[Endpoint]:
    """Every endpoint that connects the account, wherever it sits; empty without evidence."""
    return list(case.document["endpoints"]) if case.evidence else []


def reachable_networks(case: Case) -> set[str]:
    """Keys of the networks whose endpoints the application can reach: its own, and those that it is peered with."""
    peers = {key(item["peer_network_id"]) for item in connected_peerings(case.document)}
    return peers | {key(case.document["network"]["id"])}


def own_endpoints(case: Case) -> list[Endpoint]:
    """The account's endpoints in the application's network, or without one there those in peers of it."""
    return in_reach(case.document) if case.evidence else []


def expected_hosts(case: Case) -> list[str]:
    """Every name that clients of the account use, by its kind; without an account what was to be probed."""
    account = (case.evidence or {}).get("account")
    if not account or not account["custom_subdomain"]:
        return case.hosts()
    where = cloud(str(case.document.get("environment") or PUBLIC))
    names = account_hosts(str(account["kind"]), str(account["custom_subdomain"]), where)
    return list(dict.fromkeys([*names.values(), *case.hosts()]))


def has_own(case: Case, host: str) -> bool:
    """Whether an endpoint in reach answers a host; true as long as no evidence says that none does."""
    if case.lacks("endpoints", "network"):
        return True
    name = client_name(host)
    return any(name in hosts_of(item) for item in own_endpoints(case))


def expected_addresses(case: Case, host: str, *, anywhere: bool = False) -> set[str]:
    """Where a host must resolve to: the addresses of its endpoints that stand now, else the probe target's.

    anywhere: endpoints of networks that the application does not reach count too, as they do for a spoke of its own.
    """
    name = client_name(host)
    chosen = endpoints(case) if anywhere else own_endpoints(case)
    found = {address for item in chosen for address in addresses_of(item, name)}
    target = case.probe_target(host)
    if not found and target:
        found = set(target.addresses)
    return found


def private_cidrs(case: Case) -> list[str]:
    """The networks whose addresses count as private besides the private ranges: they may use public ones inside."""
    if case.evidence is None:
        return []
    peers = [cidr for item in case.document["peerings"] for cidr in item["peer_cidrs"]]
    return [*case.document["network"]["cidrs"], *peers]


def application_cidrs(case: Case) -> list[str]:
    """Where callers may be: as the option says, else the network and the peers that it is connected to."""
    if case.application_cidrs:
        return list(case.application_cidrs)
    peers = [cidr for item in connected_peerings(case.document) for cidr in item["peer_cidrs"]]
    return [*case.document["network"]["cidrs"], *peers]


def look(case: Case, vantage: Vantage, host: str) -> View | None:
    """What a vantage saw of a host by name; None when it reported nothing."""
    return seen_checks.look(case, vantage, host, private_cidrs(case))


def resolution(case: Case, vantage: Vantage, host: str, *, anywhere: bool) -> Judgement:
    """Whether a vantage resolves a host, in every answer, to the endpoint's addresses only."""
    wanted = expected_addresses(case, host, anywhere=anywhere)
    return seen_checks.resolution(look(case, vantage, host), vantage, host, wanted)


def words(case: Case, fixes: Mapping[str, str], otherwise: str) -> seen_checks.Words:
    """What Azure says of its calls, for the judgements that are the same in every cloud."""
    return seen_checks.Words(
        addresses=lambda host, _vantage: expected_addresses(case, host),
        cidrs=tuple(private_cidrs(case)),
        fixes=fixes,
        otherwise=otherwise,
        admitted="a call",
    )


def no_endpoint(case: Case, expected: str) -> Judgement:
    """Unknown, since the account has no endpoint in reach that could be judged."""
    return Judgement(
        status="unknown",
        resource=case.target,
        expected=expected,
        observed="the account has no private endpoint in this network or a peer of it",
        fix="Create the endpoint (playbooks/create.yml)",
    )


def short(resource_id: str) -> str:
    """A resource's name, for a sentence."""
    parsed = ArmId.read(resource_id)
    return parsed.name if parsed else resource_id


def group(case: Case, group_id: str | None) -> Mapping[str, Any] | None:
    """A network security group of the evidence."""
    return next(
        (
            item
            for item in case.document["security_groups"]
            if group_id and same(item["id"], group_id)
        ),
        None,
    )
