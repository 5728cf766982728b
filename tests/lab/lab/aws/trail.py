# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CloudTrail event that a call leaves.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
Data events are kept too, marked as such: they are never in LookupEvents.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import AwsError
from .records import Caller, TrailEvent
from .state import State

# Operations that CloudTrail logs only as data events, which are off unless a trail asks for them.
# https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
DATA_EVENTS = frozenset(
    {
        ("bedrock", "ApplyGuardrail"),
        ("bedrock", "GetAsyncInvoke"),
        ("bedrock", "InvokeAgent"),
        ("bedrock", "InvokeFlow"),
        ("bedrock", "InvokeInlineAgent"),
        ("bedrock", "InvokeModelWithBidirectionalStream"),
        ("bedrock", "ListAsyncInvokes"),
        ("bedrock", "Rerank"),
        ("bedrock", "Retrieve"),
        ("bedrock", "RetrieveAndGenerate"),
        ("bedrock", "RetrieveAndGenerateStream"),
        ("bedrock", "StartAsyncInvoke"),
        ("bedrock-mantle", "CreateInference"),
        ("sagemaker", "InvokeEndpoint"),
        ("sagemaker", "InvokeEndpointAsync"),
        ("sagemaker", "InvokeEndpointWithResponseStream"),
    }
)
_READ_ONLY = ("Get", "List", "Describe", "InvokeModel", "Converse", "CountTokens", "Retrieve")
# CloudTrail's own words for the services' codes.
_CODES = {"AccessDeniedException": "AccessDenied"}


@dataclass(frozen=True)
class Observed:
    """What CloudTrail sees of one call.

    `source` is the IAM prefix of the service (bedrock), `address` the caller's address, `invoked_by` the
    service that called on the caller's behalf ("" for nobody), `parameters` what may be shown.
    """

    caller: Caller
    source: str
    name: str
    region: str
    address: str
    request_id: str
    host: str = ""
    user_agent: str = ""
    endpoint_id: str = ""
    invoked_by: str = ""
    error: AwsError | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[tuple[str, str], ...] = ()


def record(state: State, call: Observed) -> TrailEvent:
    """Keep the event of a call that just happened, and return it."""
    now, caller = state.now(), call.caller
    management = (call.source, call.name) not in DATA_EVENTS
    event_id = str(uuid.uuid4())
    detail: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": _identity(state, call),
        "eventTime": _iso(now),
        "eventSource": f"{call.source}.amazonaws.com",
        "eventName": call.name,
        "awsRegion": call.region,
        "sourceIPAddress": call.invoked_by or call.address,
        "userAgent": call.invoked_by or call.user_agent,
        "requestParameters": dict(call.parameters) or None,
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": event_id,
        "readOnly": call.name.startswith(_READ_ONLY),
        "eventType": "AwsApiCall",
        "managementEvent": management,
        "recipientAccountId": caller.account,
        "eventCategory": "Management" if management else "Data",
    }
    if call.error is not None:
        detail["errorCode"] = _CODES.get(call.error.code, call.error.code)
        detail["errorMessage"] = call.error.message
    if call.endpoint_id:
        detail["vpcEndpointId"] = call.endpoint_id
        detail["vpcEndpointAccountId"] = state.endpoints[call.endpoint_id].account
    if call.host:
        detail["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": call.host,
        }
    event = TrailEvent(
        id=event_id,
        time=now,
        account=caller.account,
        region=call.region,
        name=call.name,
        source=f"{call.source}.amazonaws.com",
        username=_username(caller),
        access_key="" if call.invoked_by else caller.access_key,
        read_only=bool(detail["readOnly"]),
        resources=call.resources,
        detail=detail,
        management=management,
    )
    state.trail.append(event)
    return event


def _username(caller: Caller) -> str:
    """LookupEvents' Username: the user, or the session's name for a role."""
    if caller.entity.kind == "root":
        return "root"
    return caller.arn.rsplit("/", 1)[-1]


def _identity(state: State, call: Observed) -> dict[str, Any]:
    caller, entity = call.caller, call.caller.entity
    kind = {"user": "IAMUser", "role": "AssumedRole", "root": "Root"}[entity.kind]
    identity: dict[str, Any] = {
        "type": kind,
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key,
    }
    if entity.kind == "user":
        identity["userName"] = entity.name
    if entity.kind == "role":
        issued = (caller.expires or state.now()) - state.timing.session
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": entity.unique_id,
                "arn": entity.arn,
                "accountId": entity.account,
                "userName": entity.name,
            },
            "attributes": {"creationDate": _iso(issued), "mfaAuthenticated": "false"},
        }
    if call.invoked_by:
        identity["invokedBy"] = call.invoked_by
    return identity


def _iso(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
