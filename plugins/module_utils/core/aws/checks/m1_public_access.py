# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M1, C3: the public path is refused, by the organisation, to everyone that the lock is meant for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...case import Case, Vantage
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ...views import WORDS, View
from ..answers import is_up
from ..binding import Binding, Lock, binding, lock_from
from ..catalogue import lookup
from ..scp_analysis import Deny, denies, lock_of, unprotected_tagging
from . import common

_LOCKED = (
    "a service control policy in effect denies every call that does not come through the endpoints"
)
_REFUSED = (
    "a signed call by a principal that the lock binds is refused with an explicit deny in an SCP"
)
_DEFAULT_PREFIXES = ("bedrock",)


def _judge(case: Case) -> Iterator[Judgement]:
    configured, seen = list(_configured(case)), list(_seen(case))
    # Either way of knowing is enough: what the other leaves unknown is reported, but does not count against C3.
    called = [item for item in seen if item.proves]
    yield from _excuse(configured, called)
    yield from _excuse(seen, configured)


def _excuse(judgements: list[Judgement], by: list[Judgement]) -> Iterator[Judgement]:
    excused = bool(by) and all(item.status == "pass" for item in by)
    for item in judgements:
        yield replace(item, excused=True) if excused and item.status == "unknown" else item


def prefixes(case: Case) -> list[str]:
    """The IAM prefixes of the services that the target has endpoints for, or was to be probed for."""
    region = str(case.document["region"]) if case.evidence else ""
    names = {str(item["service"]) for item in common.own_endpoints(case)}
    names |= {service for host in case.hosts() if (service := common.service_of(case, host))}
    known = [lookup(name, region) for name in names]
    return sorted({item.iam_prefix for item in known if item}) or list(_DEFAULT_PREFIXES)


def _configured(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("enforcement")
    if not reasons and case.evidence and case.document["enforcement"] is None:
        reasons = ["the organisation was not read"]
    if reasons:
        yield common.lacking(reasons, case.target, _LOCKED)
        return
    enforcement: Mapping[str, Any] = case.document["enforcement"]
    account = str(enforcement["account_id"])
    general = _nothing_binds(enforcement)
    if general:
        yield _said("fail", f"account {account}", general)
        return
    for prefix in prefixes(case):
        yield from _prefix(case, enforcement, prefix)


def _nothing_binds(enforcement: Mapping[str, Any]) -> str | None:
    if not enforcement["organization_id"]:
        return (
            "the account is in no organisation, so no SCP can bind it (identity policies bind one principal each, "
            "and the account's administrators can remove them)"
        )
    if enforcement["account_id"] == enforcement["management_account_id"]:
        return "this is the management account, which no SCP binds"
    if not enforcement["scp_enabled"]:
        return "the policy type SERVICE_CONTROL_POLICY is not enabled at the organisation's root"
    return None


def _prefix(case: Case, enforcement: Mapping[str, Any], prefix: str) -> Iterator[Judgement]:
    resource = f"{prefix}:* in account {enforcement['account_id']}"
    found = denies(enforcement, prefix)
    counting = [item for item in found if not item.useless]
    if not counting:
        almost = "; ".join(
            f"{item.where} does not count: {', '.join(item.useless)}" for item in found
        )
        yield _said("fail", resource, almost or "no SCP in effect denies these calls")
        return
    deny = counting[0]
    if deny.opt_in and case.roll_out != "tagged":
        yield _said(
            "fail",
            resource,
            f"{deny.where} binds only principals tagged {'='.join(deny.opt_in)}",
            fix="Move on to roll_out: enforced with private_ai.endpoints.bedrock_lockdown",
        )
        return
    if deny.exclusion:
        yield from _exclusion(enforcement, resource, deny, deny.exclusion)
    if deny.opt_in:
        by_choice = f"{deny.where}, for principals tagged {'='.join(deny.opt_in)} only"
        yield _said("warn", resource, by_choice)
    else:
        yield _endpoints_listed(case, resource, counting, prefix)


def _exclusion(
    enforcement: Mapping[str, Any], resource: str, deny: Deny, exclusion: tuple[str, str]
) -> Iterator[Judgement]:
    tag, value = exclusion
    open_to = unprotected_tagging(enforcement, tag, value)
    if open_to:
        yield _said(
            "fail",
            resource,
            f"{deny.where} exempts principals tagged {tag}, and nothing denies "
            f"{', '.join(open_to)} with that tag: whoever may tag exempts himself",
            fix="Run private_ai.endpoints.bedrock_lockdown with exclusion_tag: true, which protects the tag, or "
            "without it",
        )


def _endpoints_listed(case: Case, resource: str, found: list[Deny], prefix: str) -> Judgement:
    """Whether every Deny in effect lets the target's own endpoints through."""
    region, vpc = str(case.document["region"]), str(case.document["vpc"]["id"])
    own = [
        str(item["id"])
        for item in common.own_endpoints(case)
        if is_up(item)
        and getattr(lookup(str(item["service"]), region), "iam_prefix", None) == prefix
    ]
    shut = [
        f"{item.where} also denies calls through {endpoint}"
        for item in found
        for endpoint in own
        if not item.lets_in(endpoint, vpc)
    ]
    if shut:
        return _said(
            "fail",
            resource,
            "; ".join(shut),
            fix="Run private_ai.endpoints.bedrock_lockdown, which adds the target's endpoints to the policy's list",
        )
    known = {str(item["id"]) for item in common.all_endpoints(case)}
    listed = {endpoint for item in found for endpoint in item.endpoint_ids if "*" not in endpoint}
    note = "; ".join(item.where for item in found)
    if listed - known:
        note += f"; it also lists {', '.join(sorted(listed - known))}, which this evidence does not know"
    if listed and not listed & known and not any(item.vpc_ids for item in found):
        return _said(
            "fail", resource, "none of the endpoints in its list is there any more: " + note
        )
    return _said("pass", resource, "by configuration: " + note)


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
            fix="Name a host with vantage_position: outside in the target's vantages, with credentials "
            "that the lock binds",
            proves=common.BLOCKED,
        )


def _outside(case: Case, vantage: Vantage, host: str) -> Judgement:
    seen = case.seen(vantage.name, host)
    target = case.probe_target(host)
    reads = bool(target.probe_action) if target else bool(seen and seen["action"])
    proves = common.BLOCKED if reads else frozenset[str]()
    read = common.look(case, vantage, host)
    if seen is None or read is None:
        return common.unseen(host, vantage, _REFUSED, proves)

    def judge(status: Status, observed: str, severity: Severity | None = None) -> Judgement:
        return Judgement(
            status=status,
            resource=host,
            vantage=vantage.name,
            expected=_REFUSED,
            observed=observed,
            severity=severity,
            excused=not reads,
            proves=proves,
        )

    if not reads:
        return judge(
            "unknown", f"{read.told()}; the service has no read that could be called", "medium"
        )
    bound = _binding(case, vantage, seen["principal"])
    return judge(*_verdict(read, bound))


def _verdict(read: View, bound: Binding) -> tuple[Status, str]:
    public = [call for call in read.calls if call.address in read.addresses]
    if read.where != "public" or not public:
        return "unknown", f"{read.told()}: the public path was not tried"
    outcomes = {call.outcome for call in public}
    if "admitted" in outcomes:
        if bound.status == "exempt":
            return "unknown", f"{read.told()}, which says nothing: {bound.reason}"
        return "fail", f"{read.told()}; {bound.reason}"
    if outcomes != {"denied_scp"}:
        other = ", ".join(sorted(WORDS[item] for item in outcomes - {"denied_scp"}))
        return "unknown", f"{read.told()}: {other} is not the lock's refusal"
    if bound.status == "bound":
        return "pass", f"{read.told()}; {bound.reason}"
    return (
        "unknown",
        f"{read.told()}, which is not the lock's doing or not known to be: {bound.reason}",
    )


def _binding(case: Case, vantage: Vantage, principal: str | None) -> Binding:
    """Whether every description of the lock binds the principal: what the lockdown said, and what stands."""
    results = [binding(principal, vantage.principal_tags, lock) for lock in _locks(case, principal)]
    for status in ("exempt", "unknown"):
        for result in results:
            if result.status == status:
                return result
    return results[0]


def _locks(case: Case, principal: str | None) -> list[Lock]:
    locks = [lock_from(case.lock)] if case.lock else []
    enforcement = (case.evidence or {}).get("enforcement")
    if enforcement:
        for prefix in prefixes(case):
            counting = [item for item in denies(enforcement, prefix) if not item.useless]
            if counting:
                locks.append(lock_of(enforcement, counting[0]))
        if not locks:
            locks.append(Lock(management_account_id=enforcement["management_account_id"]))
    return locks or [Lock()]


CHECK = Check(
    id="aws_m1_public_access",
    cloud=common.CLOUD,
    title="The public path is refused",
    severity="critical",
    why="As long as the public path is open, any credentials of the account reach the models from any network: "
    "the private endpoint is an offer, not a rule. An identity policy alone does not count: it binds one "
    "principal, and administrators of the account can remove it.",
    fix="Run playbooks/lockdown.yml, which proves the private path first and then applies the service control policy "
    "(private_ai.endpoints.bedrock_lockdown)",
    needs="enforcement of the evidence, or signed observations from outside vantages",
    judge=_judge,
    references=(common.DOCS_SCP, "NIST SP 800-53 SC-7"),
    misconfiguration="M1",
    checklist=("C3",),
    of_lock=True,
)
