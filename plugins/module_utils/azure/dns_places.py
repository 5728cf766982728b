# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the DNS phase reads and writes: the endpoint's side, and the zones' home with credentials of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..core.azure.arm_id import ArmId
from ..core.azure.plan_dns_types import Home
from ..core.errors import EndpointError
from .client import CONNECTION_SPEC, AzureError, Connection, connect, settle

# Another set of credentials: the module's option zone_credentials.
CREDENTIALS_SPEC: dict[str, Any] = {
    name: {key: value for key, value in CONNECTION_SPEC[name].items() if key != "aliases"}
    for name in (
        "tenant",
        "client_id",
        "secret",
        "x509_certificate_path",
        "certificate_password",
        "federated_token_file",
        "auth_source",
    )
}


@dataclass(frozen=True, kw_only=True)
class Places:
    """main: credentials of the endpoint's side. zones: those of the home's subscription, the same unless given."""

    main: Connection
    zones: Connection
    home_subscription: str | None

    def of(self, resource_id: str) -> Connection:
        """The credentials for a zone."""
        parsed = ArmId.read(resource_id)
        subscription = parsed.subscription if parsed else ""
        return self.in_subscription(subscription)

    def in_subscription(self, subscription: str) -> Connection:
        """The credentials for zones of a subscription."""
        if self.home_subscription and subscription.lower() == self.home_subscription.lower():
            return self.zones
        return self.main

    def subscriptions(self, known: Iterable[str]) -> dict[str, Connection]:
        """All subscriptions that can be reached, and those that are known to matter, each with its credentials."""
        calls = {"main": partial(self.main.list, "/subscriptions")}
        if self.zones is not self.main:
            calls["zones"] = partial(self.zones.list, "/subscriptions")
        found = {name: self.in_subscription(name) for name in known if name}
        for side, answer in settle(calls).items():
            if isinstance(answer, EndpointError):
                # Who may not list subscriptions may still work in those that are named.
                if kept_from_us(answer):
                    continue
                raise answer
            for item in answer:
                name = str(item["subscriptionId"]).lower()
                if name not in found:
                    found[name] = self.zones if side == "zones" else self.main
        return found


def kept_from_us(answer: EndpointError) -> bool:
    """Whether these credentials are not to know, which no second try would change."""
    return isinstance(answer, AzureError) and (
        answer.kind in ("denied", "missing", "refused")
        or answer.code == "InvalidAuthenticationTokenTenant"
    )


def places(params: Mapping[str, Any]) -> Places:
    """The credentials that the options give; sends nothing."""
    main = connect(params)
    given = {name: value for name, value in (params.get("zone_credentials") or {}).items() if value}
    subscription = params.get("zone_subscription_id")
    if not given:
        return Places(main=main, zones=main, home_subscription=subscription)
    own = {
        **dict.fromkeys(CONNECTION_SPEC),
        "tenant": params.get("tenant"),
        "cloud_environment": params.get("cloud_environment"),
        **given,
        "subscription_id": subscription,
    }
    return Places(main=main, zones=connect(own), home_subscription=subscription)


def home(params: Mapping[str, Any], network_id: str) -> Home:
    """Where zones are made: what the options name, else beside the network, which is known before the endpoint is."""
    beside = ArmId.parse(network_id)
    subscription = params.get("zone_subscription_id")
    return Home(
        subscription=str(subscription or beside.subscription),
        resource_group=str(params.get("zone_resource_group") or beside.resource_group),
        explicit=bool(subscription or params.get("zone_resource_group")),
    )
