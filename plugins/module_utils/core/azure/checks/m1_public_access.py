# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M1, C3: the account refuses the public path, to everyone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...contracts import Status
from ...views import LOCK_REFUSALS, WORDS, View
from . import common

_LOCKED = "publicNetworkAccess is Disabled, and no perimeter lets the internet in"
_REFUSED = "a call on the public path is refused with HTTP 403 (public access is disabled)"
_FIREWALL = "denied_network_rules"
# A rule of at most this many bits admits so much of the internet that it is no firewall.
_WIDE_PREFIX = 8


def _judge(case: Case) -> Iterator[Judgement]:
    configured, seen = list(_configured(case)), list(_seen(case))
    # Either way of knowing is enough: what the other leaves unknown is reported, but does not count against C3.
    yield from _excuse(configured, seen)
    yield from _excuse(seen, configured)


def _excuse(judgements: list[Judgement], by: list[Judgement]) -> Iterator[Judgement]:
    excused = bool(by) and all(item.status == "pass" for item in by)
    for item in judgements:
        yield replace(item, excused=True) if excused and item.status == "unknown" else item


def _configured(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("account")
    if not reasons and case.document["account"] is None:
        reasons = ["the account was not read"]
    if reasons:
        yield common.lacking(reasons, case.target, _LOCKED)
        return
    account = case.document["account"]
    for entry in case.document["missing"]:
        if entry["part"] == "perimeters":
            yield _said(
                "warn",
                str(account["id"]),
                f"whether a perimeter lets callers in could not be read: {entry['action']} failed ({entry['code']})",
                fix="Read the account's perimeters with credentials that may",
            )
    for perimeter in account["perimeters"]:
        yield _perimeter(account, perimeter)
    enforced = [item for item in account["perimeters"] if _mode(item) == "enforced"]
    if not enforced:
        yield _account(account)


def _mode(perimeter: Mapping[str, Any]) -> str:
    return str(perimeter["access_mode"]).lower()


def _account(account: Mapping[str, Any]) -> Judgement:
    resource, acls = str(account["id"]), account["network_acls"]
    disabled = str(account["public_network_access"]).lower() in ("disabled", "securedbyperimeter")
    deny = str(acls["default_action"]).lower() == "deny"
    if disabled:
        note = "" if deny else "; its network rules would admit everyone if that were switched on"
        return _said(
            "pass",
            resource,
            f"by configuration: publicNetworkAccess is {account['public_network_access']}{note}",
        )
    if not deny:
        return _said("fail", resource, "publicNetworkAccess is Enabled for all networks")
    rules = [str(item) for item in acls["ip_rules"]]
    wide = [item for item in rules if _is_wide(item)]
    if wide:
        return _said("fail", resource, f"its network rules admit {', '.join(wide)}")
    admitted = [*rules, *(common.short(item) for item in acls["virtual_network_rules"])]
    return _said(
        "warn",
        resource,
        "publicNetworkAccess is Enabled, and only its network rules refuse"
        + (f", which admit {', '.join(admitted)} on the public path" if admitted else ""),
    )


def _is_wide(cidr: str) -> bool:
    try:
        return ipaddress.ip_network(cidr, strict=False).prefixlen <= _WIDE_PREFIX
    except ValueError:
        return True


def _perimeter(account: Mapping[str, Any], perimeter: Mapping[str, Any]) -> Judgement:
    """With a perimeter its inbound rules admit, whatever the account's own setting is."""
    resource = f"{account['id']} in perimeter {perimeter['name']}"
    mode = str(perimeter["access_mode"])
    if perimeter["rules"] is None:
        return _said(
            "warn",
            resource,
            f"its rules ({mode}) could not be read, and they can admit callers on the public path",
            fix="Read the perimeter's rules with credentials that may, or look at them in its profile",
        )
    inbound = [item for item in perimeter["rules"] if str(item["direction"]).lower() == "inbound"]
    prefixes = [str(cidr) for item in inbound for cidr in item["address_prefixes"]]
    wide = [cidr for cidr in prefixes if _is_wide(cidr)]
    if wide:
        return _said(
            "fail",
            resource,
            f"an inbound rule ({mode}) admits {', '.join(wide)}",
            fix="Narrow the inbound access rules of the perimeter's profile, by its owner",
        )
    others = [*prefixes, *(str(name) for item in inbound for name in item["subscriptions"])]
    if others:
        admitted = ", ".join(others)
        return _said(
            "warn", resource, f"inbound rules ({mode}) admit {admitted} on the public path"
        )
    return _said("pass", resource, f"by configuration: no inbound rule ({mode})")


def _said(status: Status, resource: str, observed: str, *, fix: str | None = None) -> Judgement:
    return Judgement(status=status, resource=resource, expected=_LOCKED, observed=observed, fix=fix)


def _seen(case: Case) -> Iterator[Judgement]:
    outside = case.at("outside")
    for host in case.hosts():
        for vantage in outside:
            yield _outside(case, vantage, host)
    if not outside or not case.hosts():
        yield Judgement(
            status="unknown",
            resource=case.target,
            expected=_REFUSED,
            observed="no outside vantage" if not outside else "no host was probed",
            fix="Name a host with vantage_position: outside in the target's vantages",
            proves=common.BLOCKED,
        )


def _outside(case: Case, vantage: Vantage, host: str) -> Judgement:
    read = common.look(case, vantage, host)
    if read is None:
        return common.unseen(host, vantage, _REFUSED, common.BLOCKED)
    status, note = _verdict(read)
    return Judgement(
        status=status,
        resource=host,
        vantage=vantage.name,
        expected=_REFUSED,
        observed=read.told() + note,
        proves=common.BLOCKED,
    )


def _verdict(read: View) -> tuple[Status, str]:
    public = {call.outcome for call in read.calls if call.address in read.addresses}
    if read.where != "public" or not public:
        return "unknown", ": the public path was not tried"
    if "admitted" in public:
        return "fail", ""
    if "denied_unapproved_endpoint" in public:
        return "fail", ": it came by an endpoint that nobody approved, not by the public path"
    if not public <= LOCK_REFUSALS["azure"]:
        other = ", ".join(sorted(WORDS[item] for item in public - LOCK_REFUSALS["azure"]))
        return "unknown", f": {other} is not the account's refusal"
    if _FIREWALL in public:
        return "pass", ", which is weaker: network rules refuse, and public access itself is on"
    return "pass", ""


CHECK = Check(
    id="azure_m1_public_access",
    cloud=common.CLOUD,
    title="The public path is refused",
    severity="critical",
    why="As long as public access is on, any key or token of the account works from any network: the private "
    "endpoint is an offer, not a rule.",
    fix="Run playbooks/lockdown.yml, which proves the private path first and then switches public access off "
    "(private_ai.endpoints.azure_openai_lockdown)",
    needs="account of the evidence, or observations from outside vantages",
    judge=_judge,
    references=(common.DOCS_NETWORK, common.DOCS_PERIMETER, "NIST SP 800-53 SC-7"),
    misconfiguration="M1",
    checklist=("C3",),
    of_lock=True,
)
