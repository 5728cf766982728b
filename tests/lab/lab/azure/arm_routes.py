# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a path and a method to an operation with its api-version, or to what Azure answers instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arm_ids import RESOURCES, ArmId
from .errors import ArmError, bad_request, not_found
from .registry import (
    OPERATIONS,
    TYPES,
    Operation,
    ResourceType,
    canonical,
    method_of,
    supported,
)


def table_key(id: ArmId, method: str) -> tuple[str, str]:
    """Where the table has what a request wants."""
    if not id.types and id.namespace != RESOURCES:
        return f"{RESOURCES}/subscriptions/providers".lower(), "GET"
    return id.type.lower(), method_of(id, method)


def operation_name(id: ArmId | None, method: str) -> tuple[str, bool]:
    """The name for journal and faults, and whether it is a write, also of what does not exist."""
    if id is None:
        return f"unknown:{method}", False
    type, key = table_key(id, method)
    found = OPERATIONS.get((type, key))
    if found is not None:
        return found.name, found.write
    return f"{canonical(id).type}:{key}", method in ("PUT", "PATCH", "DELETE")


def find(
    id: ArmId, method: str, query: Mapping[str, str], given: dict[str, Any] | None
) -> Operation:
    """The operation of a request with its api-version. Raises what Azure answers otherwise."""
    version = query.get("api-version", "")
    if not version:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    type_name, key = table_key(id, method)
    found = OPERATIONS.get((type_name, key))
    type = found.type if found else TYPES.get(type_name)
    if type is None:
        raise _unknown_type(id, version)
    if version not in type.api_versions:
        raise _wrong_version(type, version, (given or {}).get("location"))
    if found is None:
        raise ArmError(
            405,
            "MethodNotAllowed" if id.namespace == RESOURCES else "HttpMethodNotSupported",
            f"The HTTP method '{method}' is not supported at scope '{id}'.",
        )
    return found


def _unknown_type(id: ArmId, version: str) -> ArmError:
    namespaces = {each.namespace.lower(): each.namespace for each in TYPES.values()}
    if id.namespace.lower() not in namespaces:
        return not_found(
            "InvalidResourceNamespace", f"The resource namespace '{id.namespace}' is invalid."
        )
    known = sorted(
        {
            each
            for type in TYPES.values()
            if type.namespace.lower() == id.namespace.lower()
            and type.short.split("/")[0].lower() == id.types[0].lower()
            for each in type.api_versions
        },
        reverse=True,
    )
    said = f" The supported api-versions are '{','.join(known)}'." if known else ""
    return not_found(
        "InvalidResourceType",
        f"The resource type '{'/'.join(id.types)}' could not be found in the namespace "
        f"'{id.namespace}' for api version '{version}'.{said}",
    )


def _wrong_version(type: ResourceType, version: str, location: Any) -> ArmError:
    if type.namespace == RESOURCES:
        return bad_request(
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are "
            f"'{supported(type)}'.",
        )
    if location:
        return bad_request(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '{location}' and API version "
            f"'{version}' for type '{type.short}'. The supported api-versions are "
            f"'{supported(type)}'. The supported locations are '{', '.join(type.locations)}'.",
        )
    return not_found(
        "InvalidResourceType",
        f"The resource type '{type.short}' could not be found in the namespace '{type.namespace}' "
        f"for api version '{version}'. The supported api-versions are '{supported(type)}'.",
    )
