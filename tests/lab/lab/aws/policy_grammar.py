# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grammar of IAM's policy language, as IAM Access Analyzer reports breaches of it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

PolicyKind = Literal["scp", "resource", "identity"]
Path = tuple[str | int, ...]
SCP_LIMIT = 10240


@dataclass(frozen=True)
class Problem:
    """One finding: severity as Access Analyzer names it, its issue code, and where it is."""

    severity: str  # ERROR, SECURITY_WARNING, WARNING, SUGGESTION
    code: str
    detail: str
    path: Path = ()


_OPERATORS = {
    *(
        f"{kind}{negated}Equals"
        for kind in ("String", "Numeric", "Date", "Arn")
        for negated in ("", "Not")
    ),
    *("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"),
    *(f"{kind}{way}" for kind in ("Numeric", "Date") for way in ("LessThan", "GreaterThan")),
    *(f"{kind}{way}Equals" for kind in ("Numeric", "Date") for way in ("LessThan", "GreaterThan")),
    *("ArnLike", "ArnNotLike", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
}
_ELEMENTS = {"Sid", "Effect", "Condition"} | {
    f"{prefix}{name}" for prefix in ("", "Not") for name in ("Principal", "Action", "Resource")
}
_ACTION = re.compile(r"\*|[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
_KEY = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9-]+([/:].+)?")


def problems(text: str, kind: PolicyKind) -> list[Problem]:
    """Everything that is wrong with a policy document, errors first."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return [Problem("ERROR", "JSON_SYNTAX_ERROR", f"Fix the JSON syntax error: {error}")]
    if not isinstance(document, dict):
        return [Problem("ERROR", "JSON_SYNTAX_ERROR", "The policy must be a JSON object.")]
    found = list(_document(document, kind))
    if kind == "scp" and len(text) > SCP_LIMIT:
        detail = f"The policy has {len(text)} characters, more than the quota of {SCP_LIMIT}."
        found.append(Problem("ERROR", "POLICY_SIZE_EXCEEDS_SCP_QUOTA", detail))
    return sorted(found, key=lambda each: each.severity != "ERROR")


def errors(text: str, kind: PolicyKind) -> list[Problem]:
    """Only what makes a service refuse the document."""
    return [each for each in problems(text, kind) if each.severity == "ERROR"]


def _document(document: Mapping[str, Any], kind: PolicyKind) -> Iterator[Problem]:
    for key in set(document) - {"Version", "Id", "Statement"}:
        detail = f"The policy element {key} is not valid."
        yield Problem("ERROR", "INVALID_POLICY_ELEMENT", detail, (key,))
    version = document.get("Version")
    if version is None:
        yield Problem("WARNING", "MISSING_VERSION", "Add the Version element with 2012-10-17.")
    elif version not in ("2012-10-17", "2008-10-17"):
        yield Problem(
            "ERROR", "INVALID_VERSION", f"The version {version} is not valid.", ("Version",)
        )
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        yield Problem("ERROR", "MISSING_STATEMENT", "Add a Statement element to the policy.")
        return
    if not statements:
        yield Problem(
            "SUGGESTION", "EMPTY_ARRAY_STATEMENT", "There is no statement.", ("Statement",)
        )
    sids = [each.get("Sid") for each in statements if isinstance(each, dict) and each.get("Sid")]
    if len(set(sids)) < len(sids):
        detail = "Duplicate statement IDs are not supported for this policy type."
        yield Problem("ERROR", "UNIQUE_SIDS_REQUIRED", detail, ("Statement",))
    for index, statement in enumerate(statements):
        path: Path = ("Statement", index)
        if isinstance(statement, dict):
            yield from _statement(statement, kind, path)
        else:
            yield Problem("ERROR", "INVALID_POLICY_ELEMENT", "A statement must be an object.", path)


def _statement(statement: Mapping[str, Any], kind: PolicyKind, path: Path) -> Iterator[Problem]:
    for key in set(statement) - _ELEMENTS:
        detail = f"The policy element {key} is not valid."
        yield Problem("ERROR", "INVALID_POLICY_ELEMENT", detail, (*path, key))
    if "Effect" not in statement:
        yield Problem("ERROR", "MISSING_EFFECT", "Add an Effect element to the statement.", path)
    elif statement["Effect"] not in ("Allow", "Deny"):
        detail = f"The effect {statement['Effect']} is not valid. Use Allow or Deny."
        yield Problem("ERROR", "INVALID_EFFECT", detail, (*path, "Effect"))
    yield from _one_of(statement, "Action", path, required=True)
    yield from _one_of(statement, "Resource", path, required=kind != "resource")
    yield from _principal(statement, kind, path)
    for name in ("Action", "NotAction"):
        for action in _listed(statement.get(name)):
            if not isinstance(action, str) or not _ACTION.fullmatch(action):
                detail = f"The action {action} is not valid: it must be service:action or *."
                yield Problem("ERROR", "INVALID_ACTION", detail, (*path, name))
    for name in ("Resource", "NotResource"):
        for resource in _listed(statement.get(name)):
            yield from _resource(resource, (*path, name))
    yield from _conditions(statement.get("Condition", {}), (*path, "Condition"))


def _one_of(
    statement: Mapping[str, Any], name: str, path: Path, *, required: bool
) -> Iterator[Problem]:
    given = [each for each in (name, f"Not{name}") if each in statement]
    if len(given) == 2:
        detail = f"The elements {name} and Not{name} cannot be in one statement."
        yield Problem("ERROR", "UNSUPPORTED_ELEMENT_COMBINATION", detail, path)
    elif required and not given:
        detail = f"Add a {name} or Not{name} element to the statement."
        yield Problem("ERROR", f"MISSING_{name.upper()}", detail, path)
    elif given and not _listed(statement[given[0]]):
        detail = f"The {given[0]} element is empty."
        yield Problem("SUGGESTION", f"EMPTY_ARRAY_{name.upper()}", detail, (*path, given[0]))


def _principal(statement: Mapping[str, Any], kind: PolicyKind, path: Path) -> Iterator[Problem]:
    given = [each for each in ("Principal", "NotPrincipal") if each in statement]
    if kind == "scp" and given:
        detail = "SCPs do not support specifying principals. Remove the Principal or NotPrincipal element."
        yield Problem("ERROR", "SCP_SYNTAX_ERROR_PRINCIPAL", detail, (*path, given[0]))
    elif kind == "identity" and given:
        detail = "An identity policy does not support the Principal element."
        yield Problem("ERROR", "UNSUPPORTED_PRINCIPAL", detail, (*path, given[0]))
    elif kind == "resource" and not given:
        detail = "Add a Principal element to the policy statement."
        yield Problem("ERROR", "MISSING_PRINCIPAL", detail, path)
    elif given == ["NotPrincipal"] and statement.get("Effect") == "Allow":
        detail = "Using Allow with NotPrincipal can be overly permissive."
        yield Problem(
            "SECURITY_WARNING", "ALLOW_WITH_NOT_PRINCIPAL", detail, (*path, "NotPrincipal")
        )


def _resource(resource: Any, path: Path) -> Iterator[Problem]:
    if resource == "*":
        return
    parts = resource.split(":", 5) if isinstance(resource, str) else []
    if not parts or parts[0] != "arn":
        detail = f"The resource {resource} must start with arn: or be *."
        yield Problem("ERROR", "INVALID_ARN_PREFIX", detail, path)
    elif len(parts) < 6:
        detail = f"The resource {resource} must have six colon-separated parts."
        yield Problem("ERROR", "MISSING_ARN_FIELD", detail, path)
    elif parts[1] not in ("aws", "aws-cn", "aws-us-gov", "*", "${aws:partition}"):
        detail = f"The partition {parts[1]} does not support this."
        yield Problem("ERROR", "INVALID_PARTITION", detail, path)


def _conditions(conditions: Any, path: Path) -> Iterator[Problem]:
    if not isinstance(conditions, dict):
        yield Problem("ERROR", "INVALID_POLICY_ELEMENT", "Condition must be an object.", path)
        return
    for operator, keys in conditions.items():
        here = (*path, operator)
        base = (
            operator.rpartition(":")[2]
            if operator.startswith(("ForAnyValue:", "ForAllValues:"))
            else operator
        )
        if base == "NullIfExists":
            detail = "The condition operator Null cannot have IfExists."
            yield Problem("ERROR", "NULL_WITH_IF_EXISTS", detail, here)
        elif base.removesuffix("IfExists") not in _OPERATORS:
            detail = f"The condition operator {operator} is not valid."
            yield Problem("ERROR", "INVALID_CONDITION_OPERATOR", detail, here)
        if not isinstance(keys, dict):
            detail = "A condition operator holds an object of keys and values."
            yield Problem("ERROR", "INVALID_POLICY_ELEMENT", detail, here)
            continue
        for key, values in keys.items():
            yield from _condition_key(base, key, values, (*here, key))


def _condition_key(operator: str, key: str, values: Any, path: Path) -> Iterator[Problem]:
    if not _KEY.fullmatch(key):
        detail = f"The condition key {key} is not valid: it must be prefix:name."
        yield Problem("ERROR", "INVALID_CONDITION_KEY_FORMAT", detail, path)
    for value in _listed(values):
        if isinstance(value, (dict, list)) or value is None:
            yield Problem("ERROR", "DATA_TYPE_MISMATCH", f"The value of {key} must be text.", path)
        elif operator.startswith("Bool") and str(value).lower() not in ("true", "false"):
            detail = f"The value {value} of {key} must be true or false."
            yield Problem("ERROR", "TYPE_MISMATCH_BOOLEAN", detail, path)
        elif "IpAddress" in operator:
            yield from _address(key, str(value), path)
        elif operator.startswith("Null") and str(value).lower() not in ("true", "false"):
            detail = f"The value {value} of Null must be true or false."
            yield Problem("ERROR", "TYPE_MISMATCH_BOOLEAN", detail, path)


def _address(key: str, value: str, path: Path) -> Iterator[Problem]:
    try:
        block = ipaddress.ip_network(value, strict=False)
    except ValueError:
        detail = f"The value {value} must be an IP address or a CIDR range."
        yield Problem("ERROR", "TYPE_MISMATCH_IP_RANGE", detail, path)
        return
    if key.lower() == "aws:sourceip" and block.is_private:
        detail = f"aws:SourceIp works only for public addresses; {value} never matches."
        yield Problem("WARNING", "PRIVATE_IP_ADDRESS", detail, path)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
