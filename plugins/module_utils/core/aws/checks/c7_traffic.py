# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C7: the audit records show no call over the public path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Status
from . import common

_PRIVATE_ONLY = "every recorded call came through a known endpoint"
_SHOWN = 10

# What LookupEvents never returns, by the service that it is called on: these are data events, which a trail or
# event data store must be told to log.
# https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
DATA_EVENTS: Mapping[str, str] = {
    "bedrock-runtime": "ApplyGuardrail, GetAsyncInvoke, StartAsyncInvoke, InvokeModelWithBidirectionalStream",
    "bedrock-agent-runtime": "InvokeAgent, InvokeInlineAgent, InvokeFlow, Retrieve, RetrieveAndGenerate",
    "bedrock-mantle": "CreateInference",
    "sagemaker.runtime": "InvokeEndpoint, InvokeEndpointAsync, InvokeEndpointWithResponseStream",
}
_REFUSED = ("AccessDenied", "Unauthorized")

Group = Mapping[str, Any]


def _judge(case: Case) -> Iterator[Judgement]:
    reasons = case.lacks("traffic")
    traffic = case.document["traffic"] if case.evidence else None
    if not reasons and traffic is None:
        reasons = ["no audit records were read"]
    if traffic is None or reasons:
        yield common.lacking(reasons, case.target, _PRIVATE_ONLY)
    else:
        yield from _groups(case, traffic)
    for service in sorted({str(item["service"]) for item in common.own_endpoints(case)}):
        short = common.short_name(case, service).removesuffix("-fips")
        if short in DATA_EVENTS:
            yield Judgement(
                status="unknown",
                severity="medium",
                resource=service,
                expected=_PRIVATE_ONLY,
                observed=f"{DATA_EVENTS[short]}: data events, which CloudTrail's LookupEvents does not return",
                fix="Switch on data events of this service in a trail or an event data store, and search there for "
                "events without vpcEndpointId",
            )


def _groups(case: Case, traffic: Mapping[str, Any]) -> Iterator[Judgement]:
    known = {str(item["id"]) for item in common.all_endpoints(case)}
    served: list[Group] = []
    refused: list[Group] = []
    for group in traffic["groups"]:
        code = str(group["error_code"] or "")
        # What the probes of this collection did says how it is, not who uses it.
        if not group.get("probe"):
            (refused if any(word in code for word in _REFUSED) else served).append(group)
    public = [item for item in served if not item["vpc_endpoint_id"] and not item["invoked_by"]]
    foreign = [
        item for item in served if item["vpc_endpoint_id"] and item["vpc_endpoint_id"] not in known
    ]
    service = [item for item in served if not item["vpc_endpoint_id"] and item["invoked_by"]]
    window = f"{traffic['start']} to {traffic['end']}"
    if public:
        yield _said(case, "fail", f"{window}: over the public path: {_listed(public)}")
    if foreign:
        yield _said(
            case,
            "fail",
            f"{window}: through endpoints that this evidence does not know: {_listed(foreign)}",
        )
    if service:
        yield _said(
            case,
            "warn",
            f"{window}: started by AWS services, outside every network: {_listed(service)}",
            fix="See whether these are yours; under a lock they need an exemption (a service's own role), or they stop",
        )
    if public or foreign:
        return
    # Refused calls prove that records are kept, and nothing about calls that were served.
    if not served:
        seen = f" but {sum(item['count'] for item in refused)} refused ones" if refused else ""
        yield _said(case, "unknown", f"{window}: no calls were recorded{seen}")
    elif not traffic["complete"]:
        yield _said(
            case,
            "unknown",
            f"{window}: the records were read in part only",
            fix="Raise traffic_max_pages or shorten the window",
        )
    elif not service:
        yield _said(
            case,
            "pass",
            f"{window}: {sum(item['count'] for item in served)} calls (management events)",
        )


def _said(case: Case, status: Status, observed: str, *, fix: str | None = None) -> Judgement:
    return Judgement(
        status=status,
        resource=f"account {case.document['account_id']}",
        severity="medium" if status == "unknown" else None,
        expected=_PRIVATE_ONLY,
        observed=observed,
        fix=fix,
    )


def _listed(groups: Sequence[Group]) -> str:
    ordered = sorted(groups, key=lambda item: (-int(item["count"]), str(item["principal"])))
    texts = [
        f"{item['count']} × {item['operation']} in {item['region']} by {item['principal']} from {item['source_ip']}"
        + (f" ({item['vpc_endpoint_id']})" if item["vpc_endpoint_id"] else "")
        + (f" (for {item['invoked_by']})" if item["invoked_by"] else "")
        for item in ordered[:_SHOWN]
    ]
    more = len(ordered) - _SHOWN
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")


CHECK = Check(
    id="aws_c7_traffic",
    cloud=common.CLOUD,
    title="Audit records show no call over the public path",
    severity="critical",
    why="Configuration says what should happen; the audit records say what did, and by whom.",
    fix="Find the callers that are named and give them a private path, before a lock cuts them off",
    needs="traffic of the evidence",
    judge=_judge,
    references=(common.DOCS_CLOUDTRAIL, "NIST SP 800-53 AU-6"),
    checklist=("C7",),
    of_lock=True,
)
