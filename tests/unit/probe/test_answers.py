# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The class of an answer, by texts as the clouds write them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.probe import answers

USER = "arn:aws:iam::222222222222:user/app"
DENIED = f"User: {USER} is not authorized to perform: bedrock:ListFoundationModels "
SCP = DENIED + "with an explicit deny in a service control policy"
NO_POLICY = DENIED + "because no {} allows the bedrock:ListFoundationModels action"


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (200, None, None, "admitted"),
        (204, None, None, "admitted"),
        (403, "AccessDeniedException", SCP, "denied_scp"),
        (
            403,
            "AccessDeniedException",
            SCP + ": arn:aws:organizations::111111111111:policy/o-a/service_control_policy/p-b",
            "denied_scp",
        ),
        # A missing permission in an SCP is no lock.
        (403, "AccessDeniedException", NO_POLICY.format("service control policy"), "denied_other"),
        (
            403,
            "AccessDeniedException",
            NO_POLICY.format("VPC endpoint policy"),
            "denied_endpoint_policy",
        ),
        (
            403,
            "AccessDeniedException",
            DENIED + "with an explicit deny in a VPC endpoint policy",
            "denied_endpoint_policy",
        ),
        (
            403,
            "AccessDeniedException",
            NO_POLICY.format("identity-based policy"),
            "denied_identity",
        ),
        (403, "AccessDenied", NO_POLICY.format("permissions boundary"), "denied_identity"),
        (403, "AccessDenied", NO_POLICY.format("session policy"), "denied_identity"),
        (
            403,
            "AccessDeniedException",
            DENIED + "with an explicit deny in a resource control policy",
            "denied_other",
        ),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            "denied_other",
        ),
        (403, "AccessDeniedException", None, "denied_other"),
        (403, None, None, "denied_other"),
        (401, None, None, "denied_other"),
        (
            403,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
            "unauthenticated",
        ),
        (403, "ExpiredTokenException", "The security token included is expired", "bad_credentials"),
        (
            403,
            "UnrecognizedClientException",
            "The security token is invalid.",
            "bad_credentials",
        ),
        (403, "InvalidSignatureException", None, "bad_credentials"),
        (400, "ThrottlingException", "Rate exceeded", "throttled"),
        (429, None, None, "throttled"),
        (400, "ValidationException", None, "invalid_request"),
        (404, "ResourceNotFoundException", None, "invalid_request"),
        (500, None, None, "server_error"),
        (503, "ServiceUnavailableException", None, "server_error"),
        (302, None, None, "other"),
    ],
)
def test_class_of_an_aws_answer(
    status: int, code: str | None, message: str | None, expected: str
) -> None:
    assert answers.classify("aws", status, code, message) == expected
    assert expected in answers.CLASSES


DISABLED = "Public access is disabled. Please configure private endpoint."
FIREWALL = "Access denied due to Virtual Network/Firewall rules."
UNAPPROVED = "Traffic is not from an approved private endpoint."


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (200, None, None, "admitted"),
        (401, "401", "Access denied due to invalid subscription key.", "admitted"),
        (401, None, None, "admitted"),
        (404, "404", "Resource not found", "admitted"),
        (403, "403", DISABLED, "denied_public_access"),
        (403, "AccessDenied", FIREWALL, "denied_network_rules"),
        (403, "403", UNAPPROVED, "denied_unapproved_endpoint"),
        (403, "403", "The principal lacks the required data action.", "denied_other"),
        (403, None, None, "denied_other"),
        # A text without its status refuses nobody.
        (400, "400", DISABLED, "invalid_request"),
        (429, "429", "Rate limit is exceeded.", "throttled"),
        (503, None, None, "server_error"),
        (302, None, None, "other"),
    ],
)
def test_class_of_an_azure_answer(
    status: int, code: str | None, message: str | None, expected: str
) -> None:
    assert answers.classify("azure", status, code, message) == expected
    assert expected in answers.CLASSES


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, "admitted"), (401, "denied_other"), (404, "invalid_request"), (500, "server_error")],
)
def test_a_cloud_without_rules_is_told_by_status(status: int, expected: str) -> None:
    assert answers.classify("elsewhere", status, "AccessDenied", SCP) == expected


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (
            {"x-amzn-errortype": "AccessDeniedException:http://internal.amazon.com/"},
            json.dumps({"message": "no"}),
            ("AccessDeniedException", "no"),
        ),
        (
            {},
            json.dumps(
                {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "n"}
            ),
            ("AccessDeniedException", "n"),
        ),
        (
            {},
            "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>bad</Message></Error></ErrorResponse>",
            ("InvalidClientTokenId", "bad"),
        ),
        (
            {},
            json.dumps({"error": {"code": "403", "message": DISABLED}}),
            ("403", DISABLED),
        ),
        ({}, json.dumps({"error": "no", "message": "text"}), (None, "text")),
        ({}, "<html>gateway</html>", (None, None)),
        ({}, "[1]", (None, None)),
        ({}, "", (None, None)),
    ],
)
def test_error_code_and_text(
    headers: dict[str, str], body: str, expected: tuple[str | None, str | None]
) -> None:
    assert answers.code_and_message(headers, body) == expected


def test_the_caller_is_named_in_a_refusal() -> None:
    role = "arn:aws:sts::222222222222:assumed-role/app/session"
    assert answers.principal_in(SCP) == USER
    assert answers.principal_in(SCP.replace(USER, role)) == role
    assert answers.principal_in("Rate exceeded") is None
    assert answers.principal_in(None) is None


def google(code: int, status: str, reason: str | None = None, **more: Any) -> str:
    """An error of one of Google's newer APIs."""
    error: dict[str, Any] = {"code": code, "status": status, "message": "no", **more}
    if reason:
        kind = "type.googleapis.com/google.rpc.{}"
        error["details"] = [
            {"@type": kind.format("PreconditionFailure"), "violations": [{"type": "X"}]},
            {"@type": kind.format("ErrorInfo"), "reason": reason, "domain": "googleapis.com"},
        ]
    return json.dumps({"error": error})


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, "{}", "admitted"),
        (403, google(403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED"), "denied_perimeter"),
        (
            403,
            json.dumps({"error": {"code": 403, "errors": [{"reason": "vpcServiceControls"}]}}),
            "denied_perimeter",
        ),
        (403, google(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"), "denied_identity"),
        (403, google(403, "PERMISSION_DENIED", "SERVICE_DISABLED"), "denied_other"),
        (403, google(403, "PERMISSION_DENIED"), "denied_other"),
        # The words of a perimeter in somebody else's mouth are no refusal by one.
        (403, "<html>vpcServiceControls SECURITY_POLICY_VIOLATED</html>", "denied_other"),
        (401, google(401, "UNAUTHENTICATED", "CREDENTIALS_MISSING"), "unauthenticated"),
        (401, google(401, "UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"), "bad_credentials"),
        (
            403,
            json.dumps({"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}),
            "throttled",
        ),
        (429, google(429, "RESOURCE_EXHAUSTED"), "throttled"),
        (404, "<html>Not Found</html>", "invalid_request"),
        (503, google(503, "UNAVAILABLE"), "server_error"),
    ],
)
def test_class_of_a_google_answer(status: int, body: str, expected: str) -> None:
    code, message = answers.code_and_message({}, body)
    assert answers.classify("gcp", status, code, message) == expected
    assert expected in answers.CLASSES
