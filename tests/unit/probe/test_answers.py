# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The class of an answer, by texts as AWS writes them."""

from __future__ import annotations

import json

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
def test_class_of_an_answer(
    status: int, code: str | None, message: str | None, expected: str
) -> None:
    assert answers.classify(status, code, message) == expected
    assert expected in answers.CLASSES


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
