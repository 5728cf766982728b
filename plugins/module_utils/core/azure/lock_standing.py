# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account as its lock sees it: read from Resource Manager's JSON, and written back as one PATCH of what differs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contracts import Step
from ..errors import EndpointError
from .lock_record import Record, from_tags
from .lock_settings import ALLOW, DENY, DISABLED, ENABLED, NAMES, Settings, plain

# Setting → property of the account; the rest are properties of its networkAcls.
_PROPERTIES = {
    "public_network_access": "publicNetworkAccess",
    "disable_local_auth": "disableLocalAuth",
    "restrict_outbound_network_access": "restrictOutboundNetworkAccess",
    "allowed_fqdns": "allowedFqdnList",
}
_ACLS = ("default_action", "bypass", "ip_rules")
_PRIVATE = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One account.

    state: of its provisioning. connections: endpoint's id → status. acls: networkAcls as they were read, so that what
    a lock does not know of them is not lost.
    """

    account_id: str
    name: str
    settings: Settings
    tags: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    state: str = "Succeeded"
    location: str = ""
    custom_subdomain: str | None = None
    connections: Mapping[str, str] = field(default_factory=dict)
    acls: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resource(self) -> str:
        """What steps and errors call it."""
        return f"account {self.name}"


def standing(document: Mapping[str, Any]) -> Standing:
    """Read an account as Resource Manager returns it."""
    properties = document.get("properties") or {}
    acls = properties.get("networkAcls") or {}
    return Standing(
        account_id=str(document["id"]),
        name=str(document["name"]),
        settings=Settings(
            public_network_access=_word(properties.get("publicNetworkAccess"), ENABLED, DISABLED),
            default_action=_word(acls.get("defaultAction"), ALLOW, DENY),
            bypass=_word(acls.get("bypass"), "None", "AzureServices"),
            ip_rules=tuple(
                sorted({_canonical(str(item["value"])) for item in acls.get("ipRules") or ()})
            ),
            disable_local_auth=bool(properties.get("disableLocalAuth")),
            restrict_outbound_network_access=bool(properties.get("restrictOutboundNetworkAccess")),
            allowed_fqdns=names(properties.get("allowedFqdnList") or ()),
        ),
        tags=dict(document.get("tags") or {}),
        etag=document.get("etag"),
        state=str(properties.get("provisioningState") or ""),
        location=str(document.get("location") or ""),
        custom_subdomain=properties.get("customSubDomainName"),
        connections=dict(map(_connection, properties.get("privateEndpointConnections") or ())),
        acls=acls,
    )


def _word(value: Any, *known: str) -> str:
    """A word as Azure spells it, in whatever case it was written; the first one for none."""
    text = str(value or known[0])
    return next((word for word in known if word.lower() == text.lower()), text)


def _connection(item: Mapping[str, Any]) -> tuple[str, str]:
    inner = item.get("properties") or {}
    endpoint = (inner.get("privateEndpoint") or {}).get("id") or item.get("id")
    return str(endpoint), str(
        (inner.get("privateLinkServiceConnectionState") or {}).get("status") or "unknown"
    )


def patch(start: Standing, desired: Standing) -> dict[str, Any]:
    """The body of the one PATCH that makes `desired` of `start`; empty when nothing differs.

    Network rules and tags are sent whole, since Azure replaces either whole.
    """
    before, after = start.settings, desired.settings
    changed = [name for name in NAMES if getattr(before, name) != getattr(after, name)]
    properties = {
        _PROPERTIES[name]: plain(getattr(after, name)) for name in changed if name in _PROPERTIES
    }
    if any(name in _ACLS for name in changed):
        acls = {name: value for name, value in start.acls.items() if value is not None}
        acls.update(
            defaultAction=after.default_action,
            ipRules=[{"value": item} for item in after.ip_rules],
            virtualNetworkRules=list(start.acls.get("virtualNetworkRules") or ()),
        )
        # Not every kind of account knows it: sent only where it stands already, or changes.
        if "bypass" in changed:
            acls["bypass"] = after.bypass
        properties["networkAcls"] = acls
    body: dict[str, Any] = {"properties": properties} if properties else {}
    if dict(start.tags) != dict(desired.tags):
        body["tags"] = dict(desired.tags)
    return body


def steps(start: Standing, desired: Standing, *, conditional_on: str | None = None) -> list[Step]:
    """What turns `start` into `desired`: the settings, and what is kept about them."""
    found = []
    before, after = start.settings.to_json(), desired.settings.to_json()
    changed = [name for name in NAMES if before[name] != after[name]]
    if changed:
        found.append(
            Step(
                resource=start.resource,
                action="update",
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
                conditional_on=conditional_on,
            )
        )
    if dict(start.tags) != dict(desired.tags):
        kept, keeps = _readable(start.tags).to_json(), _readable(desired.tags).to_json()
        found.append(
            Step(
                resource=f"previous values of {start.resource}",
                action="delete" if not keeps else "update" if kept else "create",
                before=kept,
                after=keeps,
                conditional_on=conditional_on,
            )
        )
    return found


def _readable(tags: Mapping[str, str]) -> Record:
    """A record that cannot be read is about to be taken away, and shown as an empty one."""
    try:
        return from_tags(tags)
    except EndpointError:
        return Record()


def networks(values: Iterable[str]) -> tuple[str, ...]:
    """IP rules, sorted, each once; EndpointError for what Azure refuses as one."""
    found = set()
    for value in values:
        try:
            rule = _network(value)
        except ValueError as error:
            raise _no_rule(value, f"is no IPv4 address or network: {error}") from error
        network = ipaddress.IPv4Network(rule)
        if network.prefixlen == 31 or any(network.overlaps(private) for private in _PRIVATE):
            raise _no_rule(value, "is private, or a network of two addresses")
        found.add(rule)
    return tuple(sorted(found))


def _no_rule(value: str, what: str) -> EndpointError:
    return EndpointError(
        f"{value} {what}",
        resource="ip_rules",
        fix="Write public addresses as 203.0.113.7 and public networks as 203.0.113.0/24. Private networks come in "
        "through the endpoint",
    )


def _canonical(value: str) -> str:
    """A rule that stands already, whatever is in it."""
    try:
        return _network(value)
    except ValueError:
        return value


def _network(value: str) -> str:
    """A network of one address is written as the address."""
    network = ipaddress.IPv4Network(value.strip(), strict=False)
    return str(network.network_address) if network.prefixlen == 32 else str(network)


def names(values: Iterable[str]) -> tuple[str, ...]:
    """Host names, in lower case, sorted, each once."""
    return tuple(sorted({str(item).strip().rstrip(".").lower() for item in values}))
