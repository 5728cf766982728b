# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Bedrock agent: Bedrock itself calls the model, under the agent's service role, from AWS's side.

Such a call comes through no endpoint, so a lock refuses it unless the role is exempt. With a service role
aws:ViaAWSService is false: only calls on with the caller's own credentials make it true.
https://docs.aws.amazon.com/bedrock/latest/userguide/agents-permission.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
An account has the lab's agent when the world gives it a role with the agents' name prefix.
"""

from __future__ import annotations

import uuid

from . import foundation, iam, trail
from .errors import AwsError
from .records import Caller, Entity
from .state import State

ROLE_PREFIX = "AmazonBedrockExecutionRoleForAgents_"
_SERVICE = "bedrock.amazonaws.com"
_SESSION = 3600.0


def role_of(state: State, account: str) -> Entity | None:
    """The service role of the account's agent; None when the account has no agent."""
    return next(
        (
            each
            for each in state.entities.values()
            if each.account == account and each.kind == "role" and each.name.startswith(ROLE_PREFIX)
        ),
        None,
    )


def call_model(state: State, role: Entity, region: str) -> bool:
    """Let Bedrock invoke the agent's model under its role; False when AWS refuses. Leaves an event."""
    name = f"BedrockAgents-{foundation.AGENT_ID}"
    caller = Caller(
        arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{name}",
        account=role.account,
        user_id=f"{role.unique_id}:{name}",
        entity=role,
        access_key="",
        secret_key="",
        expires=state.now() + _SESSION,
    )
    model = foundation.MODELS[0].id
    decision = iam.decide(
        state,
        caller,
        "bedrock:InvokeModel",
        foundation.model_arn(region, model),
        iam.principal_context(state, caller, region),
    )
    error = None if decision.allowed else AwsError("AccessDeniedException", decision.message, 403)
    trail.record(
        state,
        trail.Observed(
            caller=caller,
            source="bedrock",
            name="InvokeModel",
            region=region,
            address=_SERVICE,
            request_id=str(uuid.uuid4()),
            invoked_by=_SERVICE,
            error=error,
            parameters={"modelId": model},
        ),
    )
    return decision.allowed
