# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The impact preview: whom would this lock cut off, as far as the audit records tell.

Every recorded caller falls into one class. `private` calls came through an endpoint that the lock lists, `proved`
ones from the public address of a member network (its new path is proved before the lock), `refused` ones are denied
already, `probe` ones this collection made itself, `explained` ones somebody answers for with a reason. What is left
blocks: `public`, `service` (made by the cloud on a caller's behalf), `unlisted` (through an endpoint that the lock does
not list), `region` (in a Region that the inventory lacks).

Records that name a `path` instead of an endpoint (Azure) say whether the caller's address is a private one. Where a
mask hides too much of the address, the caller is `ambiguous`: not known to be cut off, and not known to be safe.

Records that name a `network` (Google; empty where none is known) are judged by it: a lock lets in whatever comes from a
project inside it, and what comes from elsewhere is `outside`. A record with a `violation` says what the lock itself
thought of the call, in its dry run or enforced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from .errors import EndpointError
from .masked import may_be, network_of

Class = Literal[
    "private",
    "proved",
    "refused",
    "probe",
    "explained",
    "ambiguous",
    "public",
    "service",
    "unlisted",
    "region",
    "outside",
]

# Recorded errors by which a call was refused, by code or by HTTP status; any other error says that the path works.
DENIALS = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "401", "403"),
        # Google's codes, by name and by number.
        *("PERMISSION_DENIED", "UNAUTHENTICATED", "7", "16"),
    }
)

# Classes that stop a scope until somebody explains them, with what to do.
BLOCKING: dict[str, str] = {
    "public": "prove its network as a target or vantage, or name it in explained_callers with a reason",
    "service": "exempt the service's role as a break-glass ARN, or name it in explained_callers with a reason",
    "unlisted": "add the endpoint's VPC to the inventory, so that the lock lists it",
    "region": "add the Region's endpoints to the inventory: the lock binds all Regions",
    "outside": "bring its project inside the lock, admit it by an ingress rule, or name it in explained_callers with a "
    "reason",
}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Somebody's word that a caller may be cut off, or will not be: shell patterns, and a reason."""

    reason: str
    principal: str = "*"
    operation: str = "*"
    region: str = "*"
    source: str = "*"

    def covers(self, group: Mapping[str, Any]) -> bool:
        """Whether every pattern fits the recorded caller."""
        return all(
            fnmatchcase(str(group.get(key) or ""), pattern)
            for key, pattern in (
                ("principal", self.principal),
                ("operation", self.operation),
                ("region", self.region),
                ("source_ip", self.source),
            )
        )


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What the lock and its members cover.

    endpoints: ids that the lock lists. regions: Regions of the members.
    egress: public addresses by which the member networks leave.
    final: whether all members were looked at. Before that an endpoint that is not listed may be one of theirs.
    projects: ids of the projects inside the lock, where it binds by project.
    """

    endpoints: frozenset[str]
    regions: frozenset[str]
    egress: frozenset[str] = field(default_factory=frozenset)
    final: bool = True
    projects: frozenset[str] = field(default_factory=frozenset)


def explanations(documents: Iterable[Mapping[str, Any]]) -> list[Explanation]:
    """Read `explained_callers`; EndpointError for one without a reason, without a pattern, or with an unknown key."""
    read = []
    for position, document in enumerate(documents):
        unknown = sorted(set(document) - set(Explanation.__dataclass_fields__))
        patterns = {key: str(value) for key, value in document.items() if key != "reason"}
        name = f"explained_callers[{position}]"
        if unknown:
            raise EndpointError(
                f"unknown keys {', '.join(unknown)}",
                resource=name,
                fix="Use principal, operation, region, source and reason",
            )
        if not str(document.get("reason") or "").strip():
            raise EndpointError(
                "has no reason", resource=name, fix="Say why this caller may change"
            )
        if not any(pattern.strip("*") for pattern in patterns.values()):
            raise EndpointError(
                "matches every caller",
                resource=name,
                fix="Name a principal, operation, region or source",
            )
        read.append(Explanation(reason=str(document["reason"]), **patterns))
    return read


def classify(
    group: Mapping[str, Any], reach: Reach, explained: Sequence[Explanation]
) -> tuple[Class, str]:
    """The class of one recorded caller, and the reason in words."""
    answer = _natural_class(group, reach)
    if answer[0] in BLOCKING or answer[0] == "ambiguous":
        for explanation in explained:
            if explanation.covers(group):
                return "explained", explanation.reason
    return answer


def refused(
    since: Iterable[Mapping[str, Any]],
    before: Iterable[Mapping[str, Any]],
    reach: Reach,
    explained: Sequence[Explanation],
) -> list[str]:
    """One sentence for each caller whom a lock refuses though it should not.

    since, before: recorded groups since the lock and before it. A refusal of a public caller is what the lock is for.
    It counts for one who was let in before, where he calls through a listed endpoint or from a member network: for
    others it may be their own permissions that refuse.
    """
    known = {
        (group.get("principal"), group.get("operation"))
        for group in before
        if not _denied(group) and not group.get("probe")
    }
    return [
        f"{group.get('principal') or 'an unnamed principal'} called {group.get('operation')} in {group.get('region')} "
        f"before, and was refused {group.get('count', 1)} times since the lock: {because}."
        for group in since
        if _denied(group)
        and not group.get("probe")
        and (group.get("principal"), group.get("operation")) in known
        and not any(explanation.covers(group) for explanation in explained)
        for kind, because in (
            _natural_class({**group, "error_code": None, "violation": None}, reach),
        )
        if kind in ("private", "proved")
    ]


def _denied(group: Mapping[str, Any]) -> bool:
    violation = group.get("violation")
    if violation:
        # A dry run records the code that it would have answered.
        return not violation.get("dry_run")
    return str(group.get("error_code") or "").removeprefix("Client.") in DENIALS


def _natural_class(group: Mapping[str, Any], reach: Reach) -> tuple[Class, str]:
    if "network" in group:
        return _class_of_network(group, reach)
    if group.get("path"):
        return _class_of_path(group, reach)
    endpoint, region = group.get("vpc_endpoint_id"), str(group.get("region") or "")
    if _denied(group):
        return "refused", f"already answered {group['error_code']}"
    if group.get("probe"):
        return "probe", "made by this collection's own probes"
    if region not in reach.regions:
        return "region", f"{region or 'an unknown Region'} has no target in the inventory"
    if endpoint:
        if endpoint in reach.endpoints:
            return "private", f"through {endpoint}"
        if not reach.final:
            return "private", f"through {endpoint}, which the lock has to list"
        return "unlisted", f"through {endpoint}, which the lock would not list"
    if group.get("invoked_by"):
        return "service", f"made by {group['invoked_by']} over the public path"
    if group.get("source_ip") in reach.egress:
        return "proved", f"from {group['source_ip']}, the public address of a member network"
    return "public", f"from {group.get('source_ip') or 'an unknown address'} over the public path"


def _class_of_path(group: Mapping[str, Any], reach: Reach) -> tuple[Class, str]:
    """The class of a caller whose record tells private from public addresses, perhaps masked ones."""
    source = group.get("source_ip") or "an unknown address"
    if group.get("probe"):
        return "probe", "without credentials, as this collection's own probes call"
    if _denied(group):
        return "refused", f"already answered {group['error_code']}"
    if group["path"] == "private":
        return "private", f"from {source}, a private address"
    if group["path"] == "public":
        egress = [item for item in sorted(reach.egress) if may_be(source, item)]
        whole = network_of(source)
        if not egress:
            return "public", f"from {source} over the public path"
        if whole is not None and whole.num_addresses == 1:
            return "proved", f"from {source}, the public address of a member network"
        return "ambiguous", f"from {source}, which may be {egress[0]} of a member network"
    return "ambiguous", f"from {source}, which may be a private or a public address"


def _class_of_network(group: Mapping[str, Any], reach: Reach) -> tuple[Class, str]:
    """The class of a caller whose record names the network that it called from, where the cloud knows it."""
    network, source = str(group["network"] or ""), group.get("source_ip") or "an unknown address"
    violation = group.get("violation") or {}
    if group.get("probe"):
        return "probe", "made by this collection's own probes"
    if _denied(group):
        return "refused", f"already answered {violation.get('reason') or group['error_code']}"
    if _project(network) in reach.projects:
        if group.get("path") == "private":
            return "private", f"from {source} in {network}, which is inside"
        return "proved", f"from {source} in {network}, which is inside"
    if not network and source in reach.egress:
        return "proved", f"from {source}, the public address of a member network"
    if violation:
        reason = f" ({violation['reason']})" if violation.get("reason") else ""
        return "outside", f"from {source}, and the dry run of the lock would refuse it{reason}"
    if network or group.get("path") == "private":
        return "outside", f"from {source} in {network or 'an unknown network'}, which is not inside"
    return "public", f"from {source} over the public path"


def _project(network: str) -> str:
    """The project of projects/P/global/networks/N; empty for no network."""
    parts = network.split("/")
    return parts[1] if len(parts) > 1 and parts[0] == "projects" else ""


def preview(
    traffic: Mapping[str, Any] | None, reach: Reach, explained: Sequence[Explanation]
) -> dict[str, Any]:
    """The preview as a document: `{status, start, end, why, callers, blocking}`.

    traffic: the `traffic` part of an evidence document, or None when it could not be read.
    status: `clear`, `blocked`, or `unknown` when there are no records to judge, or not all of them could be read.
    callers: each recorded group with its `class` and `because`; blocking: one sentence for each that stops the scope.
    """
    groups = list((traffic or {}).get("groups") or [])
    callers = []
    for group in groups:
        kind, because = classify(group, reach, explained)
        callers.append({**group, "class": kind, "because": because})
    blocking = [_sentence(caller) for caller in callers if caller["class"] in BLOCKING]
    if blocking:
        status, why = (
            "blocked",
            f"{len(blocking)} recorded callers would be cut off and nobody explained them",
        )
    elif traffic is None:
        status, why = "unknown", "the audit records could not be read"
    elif all(caller["class"] == "probe" for caller in callers):
        status, why = (
            "unknown",
            "the audit records of the window name no caller, which proves nothing",
        )
    elif not traffic.get("complete", False):
        status, why = "unknown", "not all audit records of the window could be read"
    elif unclear := [caller for caller in callers if caller["class"] == "ambiguous"]:
        status, why = (
            "unknown",
            f"{len(unclear)} recorded callers have addresses that are masked too far to tell the path",
        )
    else:
        status, why = (
            "clear",
            f"{len(groups)} recorded callers, each private, proved, refused or explained",
        )
    return {
        "status": status,
        "why": why,
        "start": (traffic or {}).get("start"),
        "end": (traffic or {}).get("end"),
        "callers": callers,
        "blocking": blocking,
    }


def _sentence(caller: Mapping[str, Any]) -> str:
    # Not every record of Google names a region.
    place = caller.get("region") or ("an unknown region" if "network" in caller else None)
    return (
        f"{caller.get('principal') or 'an unnamed principal'} called {caller.get('operation')} "
        f"{caller.get('count', 1)} times in {place}, {caller['because']}: {BLOCKING[caller['class']]}."
    )
