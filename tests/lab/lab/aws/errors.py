# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as AWS words them: one exception, and each protocol's names for the common ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal


class AwsError(Exception):
    """An answer that is an error: code and message as AWS gives them, HTTP status, modelled fields."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields: Mapping[str, Any] = fields


CredentialFault = Literal["missing", "unknown_key", "signature", "expired", "scope", "skew"]

_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)
_EC2_INVALID = "AWS was not able to validate the provided access credentials"
_INVALID_TOKEN = "The security token included in the request is invalid."
_EXPIRED_TOKEN = "The security token included in the request is expired"

# (code, message) of each credential fault, by protocol family. A message of None takes the detail.
_CREDENTIALS: Mapping[str, Mapping[str, tuple[str, str | None]]] = {
    "ec2": {
        "missing": ("AuthFailure", _EC2_INVALID),
        "unknown_key": ("AuthFailure", _EC2_INVALID),
        "signature": ("AuthFailure", _EC2_INVALID),
        "scope": ("AuthFailure", _EC2_INVALID),
        "skew": ("AuthFailure", _EC2_INVALID),
        "expired": ("RequestExpired", "Request has expired."),
    },
    "query": {
        "missing": ("MissingAuthenticationToken", "Request is missing Authentication Token"),
        "unknown_key": ("InvalidClientTokenId", _INVALID_TOKEN),
        "signature": ("SignatureDoesNotMatch", _MISMATCH),
        "scope": ("SignatureDoesNotMatch", None),
        "skew": ("SignatureDoesNotMatch", None),
        "expired": ("ExpiredToken", _EXPIRED_TOKEN),
    },
    "json": {
        "missing": ("MissingAuthenticationTokenException", "Missing Authentication Token"),
        "unknown_key": ("UnrecognizedClientException", _INVALID_TOKEN),
        "signature": ("InvalidSignatureException", _MISMATCH),
        "scope": ("InvalidSignatureException", None),
        "skew": ("InvalidSignatureException", None),
        "expired": ("ExpiredTokenException", _EXPIRED_TOKEN),
    },
}
_FAMILY = {"rest-xml": "query", "rest-json": "json"}
_CREDENTIAL_STATUS = {"ec2": 401, "query": 403, "json": 400, "rest-xml": 403, "rest-json": 403}


class CredentialError(Exception):
    """A request whose signature or credentials AWS refuses, before it knows the protocol's words."""

    def __init__(self, fault: CredentialFault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault: CredentialFault = fault
        self.detail = detail


def credential_error(protocol: str, problem: CredentialError) -> AwsError:
    """What a service of this protocol answers to refused credentials."""
    code, message = _CREDENTIALS[_FAMILY.get(protocol, protocol)][problem.fault]
    status = 400 if code == "RequestExpired" else _CREDENTIAL_STATUS[protocol]
    return AwsError(code, message if message is not None else problem.detail, status)


def denied(protocol: str, message: str) -> AwsError:
    """What a service of this protocol answers when the caller may not do it."""
    if protocol == "ec2":
        return AwsError(
            "UnauthorizedOperation",
            f"You are not authorized to perform this operation. {message}",
            403,
        )
    if protocol in ("query", "rest-xml"):
        return AwsError("AccessDenied", message, 403)
    return AwsError("AccessDeniedException", message, 403 if protocol == "rest-json" else 400)


def unknown_operation(protocol: str, action: str, version: str) -> AwsError:
    if protocol == "ec2":
        return AwsError("InvalidAction", f"The action {action} is not valid for this web service.")
    if protocol == "query":
        return AwsError("InvalidAction", f"Could not find operation {action} for version {version}")
    status = 404 if protocol.startswith("rest") else 400
    return AwsError("UnknownOperationException", f"Unknown operation: {action}", status)


class Violation:
    """One breach of a request's model: where, and which constraint."""

    def __init__(self, path: str, kind: str, value: Any = None, constraint: Any = None) -> None:
        self.path = path
        self.kind = kind  # missing, unknown, type, enum, min, max, pattern
        self.value = value
        self.constraint = constraint

    def sentence(self) -> str:
        """The breach in the words of AWS's shared request validator."""
        member = self.path[:1].lower() + self.path[1:]
        if self.kind == "missing":
            return f"Value at '{member}' failed to satisfy constraint: Member must not be null"
        rule = {
            "enum": f"Member must satisfy enum value set: [{_listed(self.constraint)}]",
            "min": f"Member must have value or length greater than or equal to {self.constraint}",
            "max": f"Member must have value or length less than or equal to {self.constraint}",
            "pattern": f"Member must satisfy regular expression pattern: {self.constraint}",
            "type": f"Member must be of type {self.constraint}",
            "unknown": "Member is not known",
        }[self.kind]
        return f"Value '{self.value}' at '{member}' failed to satisfy constraint: {rule}"


def _listed(values: Any) -> str:
    return ", ".join(values) if isinstance(values, (list, tuple)) else str(values)


def invalid_request(service: str, violations: Sequence[Violation]) -> AwsError:
    """What a service answers to a request that its own model refuses."""
    first = violations[0]
    if service == "ec2":
        return _invalid_ec2(first)
    count = len(violations)
    sentences = "; ".join(each.sentence() for each in violations)
    message = f"{count} validation error{'s' * (count > 1)} detected: {sentences}"
    if service == "organizations":
        reason = {
            "missing": "INPUT_REQUIRED",
            "enum": "INVALID_ENUM",
            "pattern": "INVALID_PATTERN",
            "min": "MIN_LENGTH_EXCEEDED",
            "max": "MAX_LENGTH_EXCEEDED",
        }.get(first.kind)
        if reason:
            text = "You provided a value that does not match the required pattern."
            detail = text if reason == "INVALID_PATTERN" else message
            return AwsError("InvalidInputException", detail, Reason=reason)
        return AwsError("SerializationException", message)
    if service == "route53":
        return AwsError("InvalidInput", message)
    if service == "sts":
        return AwsError("ValidationError", message)
    if service == "cloudtrail" and first.path == "MaxResults":
        return AwsError("InvalidMaxResultsException", "A max results value of 1 to 50 is required.")
    if service == "accessanalyzer":
        return AwsError("ValidationException", message, reason="fieldValidationFailed")
    return AwsError("ValidationException", message)


def _invalid_ec2(first: Violation) -> AwsError:
    if first.kind == "missing":
        return AwsError("MissingParameter", f"The request must contain the parameter {first.path}")
    if first.kind == "unknown":
        return AwsError("UnknownParameter", f"The parameter {first.path} is not recognized")
    hint = ""
    if first.kind in ("min", "max"):
        direction = "greater" if first.kind == "min" else "less"
        hint = f" Expecting a value {direction} than or equal to {first.constraint}."
    return AwsError(
        "InvalidParameterValue",
        f"Value ({first.value}) for parameter {first.path} is invalid.{hint}",
    )
