# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What compute's resources share: links, names, fingerprints, lists and their filters."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .errors import GoogleError, invalid
from .operation import Control, Result, page
from .records import Resource
from .state import State, timestamp

_BASE = "https://www.googleapis.com/compute/v1/"
_LINK = re.compile(r"(?:https?://(?:www|compute)\.googleapis\.com/compute/(?:v1|beta)/)?(.+)")
NAME = r"(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)"
# What auto-mode networks use: https://cloud.google.com/vpc/docs/subnets#ip-ranges
AUTO_MODE = "10.128.0.0/9"


def link(path: str) -> str:
    return _BASE + path


def see(url: str, project: str = "") -> str:
    """The path of a full or partial URL: projects/P/global/networks/N."""
    found = _LINK.fullmatch(url.strip("/"))
    path = found.group(1) if found else url
    if path.startswith(("global/", "regions/")) and project:
        return f"projects/{project}/{path}"
    return path


def fingerprint(value: Any) -> str:
    number = zlib.crc32(json.dumps(value, sort_keys=True).encode())
    return base64.b64encode(number.to_bytes(4, "big") + b"\x00\x00\x00\x2a").decode()


def check_fingerprint(given: str | None, value: Any, name: str) -> None:
    """412 when the client has not seen what stands now."""
    if given != fingerprint(value):
        raise GoogleError(
            412, f"{name} either invalid or resource {_WHAT[name]} have changed", "conditionNotMet"
        )


_WHAT = {"Labels fingerprint": "labels", "Fingerprint": "properties"}


def check_name(name: str) -> None:
    if not re.fullmatch(NAME, name):
        raise invalid(
            f"Invalid value for field 'resource.name': '{name}'. Must be a match of regex '{NAME}'"
        )


def bad(field: str, value: Any, why: str) -> GoogleError:
    return invalid(f"Invalid value for field 'resource.{field}': '{value}'. {why}")


def missing(field: str) -> GoogleError:
    return invalid(f"Required field 'resource.{field}' not specified", "required")


def not_found(path: str) -> GoogleError:
    return GoogleError(404, f"The resource '{path}' was not found", "notFound")


def check_free(state: State, path: str) -> None:
    if path in state.compute:
        raise GoogleError(409, f"The resource '{path}' already exists", "alreadyExists")


def check_labels(labels: Mapping[str, str]) -> None:
    for key, value in labels.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or not re.fullmatch(
            r"[a-z0-9_-]{0,63}", value
        ):
            raise bad(
                "labels",
                f"{{{key}={value}}}",
                "Label keys and values can only contain lowercase letters, numbers, dashes and underscores.",
            )


def of_kind(state: State, prefix: str) -> list[Resource]:
    """The resources whose path is the prefix and a name, by name."""
    found = {
        path: each for path, each in state.compute.items() if path.rpartition("/")[0] == prefix
    }
    return [found[path] for path in sorted(found)]


def everywhere(state: State, kind: str) -> Iterable[tuple[str, Resource]]:
    """All resources of a kind, in whatever project and place."""
    return [(path, each) for path, each in state.compute.items() if path.split("/")[-2] == kind]


def found(control: Control, path: str) -> Resource:
    resource = control.state.compute.get(path)
    if resource is None:
        raise not_found(path)
    return resource


def new(control: Control, kind: str, path: str, body: Mapping[str, Any]) -> Resource:
    return new_resource(control.state, kind, path, body)


def new_resource(state: State, kind: str, path: str, body: Mapping[str, Any]) -> Resource:
    """The resource with what compute adds to each."""
    return {
        "kind": f"compute#{kind}",
        "id": state.new_id(),
        "creationTimestamp": timestamp(state.now()),
        **body,
        "selfLink": link(path),
    }


def listing(control: Control, kind: str, prefix: str) -> Result:
    """One page of a list."""
    items, following = page(
        control, matching(control, of_kind(control.state, prefix)), "maxResults"
    )
    answer: dict[str, Any] = {"kind": f"compute#{kind}List", "id": prefix, "selfLink": link(prefix)}
    if items:
        answer["items"] = items
    return answer | ({"nextPageToken": following} if following else {})


_TERM = re.compile(r"\(?\s*([\w.]+)\s*(=|!=|:|eq|ne)\s*(\"[^\"]*\"|'[^']*'|[^\s()]+)\s*\)?")


def matching(control: Control, items: Sequence[Resource]) -> list[Resource]:
    """The items that the request's filter lets through: comparisons joined by AND."""
    text = str(control.query.get("filter", "")).strip()
    if not text:
        return list(items)
    terms = []
    for part in re.split(r"\s+AND\s+|\)\s*(?=\()", text):
        term = _TERM.fullmatch(part.strip())
        if term is None:
            raise invalid(
                f"Invalid value for field 'filter': '{text}'. Invalid list filter expression."
            )
        terms.append((term.group(1), term.group(2), term.group(3).strip("\"'")))
    return [each for each in items if all(_passes(each, *term) for term in terms)]


def _passes(item: Resource, field: str, operator: str, value: str) -> bool:
    node: Any = item
    for part in field.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    text = "" if node is None else str(node).lower() if isinstance(node, bool) else str(node)
    if operator == ":":
        return node is not None if value == "*" else value in text
    if operator in ("eq", "ne"):
        same = re.fullmatch(value, text) is not None
    else:
        same = text == value or (text.endswith(f"/{value}") and text.startswith("https://"))
    return same == (operator in ("=", "eq"))


def drop(state: State, path: str) -> None:
    state.compute.pop(path, None)


def network(state: State, url: str, project: str) -> str:
    """The path of a network that a field names, which must exist."""
    path = see(url, project)
    if not re.fullmatch(rf"projects/[^/]+/global/networks/{NAME}", path):
        raise bad("network", url, "The URL is malformed.")
    owner = state.project(path.split("/")[1])
    path = f"projects/{owner.id}/global/networks/{path.split('/')[-1]}" if owner else path
    if path not in state.compute:
        raise not_found(path)
    return path


def peers(state: State, network_path: str) -> list[str]:
    """The networks that a network is peered with, the peering being active on both sides."""
    return [
        see(each["network"])
        for each in state.compute[network_path].get("peerings", [])
        if each.get("state") == "ACTIVE" and see(each["network"]) in state.compute
    ]


def ranges(state: State, network_path: str) -> list[tuple[str, str]]:
    """(range, the subnetwork that has it) of a network, secondary ranges too."""
    found = []
    for path, each in everywhere(state, "subnetworks"):
        if see(each["network"]) == network_path:
            found.append((each["ipCidrRange"], path))
            found += [(one["ipCidrRange"], path) for one in each.get("secondaryIpRanges", [])]
    return found


def clash(state: State, network_path: str, address: str) -> str:
    """Why an address cannot be an endpoint's in this network; "" when it can."""
    number = ipaddress.IPv4Address(address)
    if state.compute[network_path].get("autoCreateSubnetworks") and number in ipaddress.ip_network(
        AUTO_MODE
    ):
        return f"The IP address is in {AUTO_MODE}, which auto mode networks reserve."
    for home in (network_path, *peers(state, network_path)):
        for cidr, subnet in ranges(state, home):
            if number in ipaddress.ip_network(cidr):
                return f"The IP address overlaps with the range {cidr} of '{subnet}'."
    for path, each in everywhere(state, "addresses"):
        if "prefixLength" in each and see(each["network"]) == network_path:
            block = ipaddress.ip_network(f"{each['address']}/{each['prefixLength']}", strict=False)
            if number in block:
                return f"The IP address overlaps with the range {block} of '{path}'."
    for path, route in everywhere(state, "routes"):
        if see(route["network"]) == network_path and route.get("destRange") == f"{address}/32":
            return f"The IP address conflicts with the static route '{path}'."
    return ""
