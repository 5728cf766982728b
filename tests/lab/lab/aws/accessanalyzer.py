# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM Access Analyzer: ValidatePolicy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import AwsError
from .operation import Control, Result, operation, page
from .policy_grammar import PolicyKind, Problem, problems

_KINDS: Mapping[str, PolicyKind] = {
    "IDENTITY_POLICY": "identity",
    "RESOURCE_POLICY": "resource",
    "SERVICE_CONTROL_POLICY": "scp",
}
_REFERENCE = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
    "#access-analyzer-reference-policy-checks"
)


@operation("accessanalyzer", "ValidatePolicy")
def validate_policy(control: Control) -> Result:
    kind = _KINDS.get(control.params["policyType"])
    if kind is None:
        raise AwsError(
            "ValidationException",
            f"The lab does not validate {control.params['policyType']}.",
            reason="notSupported",
        )
    text = control.params["policyDocument"]
    found = [_finding(each, text) for each in problems(text, kind)]
    bad = AwsError("ValidationException", "The next token is invalid.", reason="other")
    shown, token = page(
        found, control.params.get("maxResults"), control.params.get("nextToken"), bad=bad
    )
    return {"findings": list(shown), "nextToken": token}


def _finding(problem: Problem, text: str) -> dict[str, Any]:
    slug = f"{problem.severity.lower().replace('_', '-')}-{problem.code.lower().replace('_', '-')}"
    path = [{"index": each} if isinstance(each, int) else {"value": each} for each in problem.path]
    start = max(text.find(json.dumps(problem.path[-1])), 0) if problem.path else 0
    return {
        "findingType": problem.severity,
        "issueCode": problem.code,
        "findingDetails": problem.detail,
        "learnMoreLink": f"{_REFERENCE}-{slug}",
        "locations": [
            {
                "path": path,
                "span": {"start": _position(text, start), "end": _position(text, len(text))},
            }
        ],
    }


def _position(text: str, offset: int) -> dict[str, int]:
    before = text[:offset]
    return {
        "line": before.count("\n") + 1,
        "column": offset - (before.rfind("\n") + 1),
        "offset": offset,
    }
