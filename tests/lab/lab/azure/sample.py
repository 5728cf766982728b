# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Azure world for the simulator's own tests, and a caller that talks to it without a network."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import worlds
from ..cloud import Request, Response, Vantage
from . import Azure, tokens
from . import check as check_world
from .clouds import PUBLIC
from .state import Principal, Resource, State
from .world import load, put

TENANT = "7e000000-0000-0000-0000-000000000001"
SUBSCRIPTION = "5c000000-0000-0000-0000-00000000000c"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ai"
OWNER, USER = "c1000000-0000-0000-0000-000000000001", "c2000000-0000-0000-0000-000000000002"
USER_OBJECT = "02000000-0000-0000-0000-000000000002"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
ACCOUNTS = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts"
OPENAI, FOUNDRY = f"{ACCOUNTS}/lab-openai", f"{ACCOUNTS}/lab-foundry"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/central"
CUSTOMER = "77000000-0000-0000-0000-000000000007"
APP, SPOKE, OTHER = (f"{NETWORK}/virtualNetworks/{each}" for each in ("app", "spoke", "other"))
ENDPOINT = f"{NETWORK}/privateEndpoints/openai"
AI_VERSION, NETWORK_VERSION = "2025-09-01", "2024-05-01"
START = 1_790_000_000.0


def _network(id: str, cidr: str, *subnets: str) -> dict[str, Any]:
    return {
        "id": id,
        "location": "eastus",
        "properties": {
            "addressSpace": {"addressPrefixes": [cidr]},
            "subnets": [
                {"name": name, "properties": {"addressPrefix": prefix}}
                for name, _, prefix in (each.partition("=") for each in subnets)
            ],
        },
    }


def _peering(near: str, far: str) -> dict[str, Any]:
    return {
        "id": f"{near}/virtualNetworkPeerings/to-{far.rpartition('/')[2]}",
        "properties": {"allowVirtualNetworkAccess": True, "remoteVirtualNetwork": {"id": far}},
    }


def account(id: str, kind: str = "OpenAI", **properties: Any) -> dict[str, Any]:
    """An account of a world."""
    given = {"customSubDomainName": id.rpartition("/")[2], **properties}
    chosen = {key: value for key, value in given.items() if value is not None}
    return {
        "id": id,
        "location": "eastus",
        "kind": kind,
        "sku": {"name": "S0"},
        "properties": chosen,
    }


def deployment(account_id: str, name: str = "gpt-4o") -> dict[str, Any]:
    model = {"format": "OpenAI", "name": name, "version": "2024-11-20"}
    return {
        "id": f"{account_id}/deployments/{name}",
        "sku": {"name": "Standard", "capacity": 10},
        "properties": {"model": model},
    }


def endpoint(
    id: str = ENDPOINT,
    account_id: str = OPENAI,
    subnet: str = f"{APP}/subnets/endpoints",
    *,
    manual: bool = False,
) -> dict[str, Any]:
    """A private endpoint of a world; a manual connection waits for approval."""
    link = {
        "name": "account",
        "properties": {"privateLinkServiceId": account_id, "groupIds": ["account"]},
    }
    side = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    return {"id": id, "location": "eastus", "properties": {"subnet": {"id": subnet}, side: [link]}}


def setting(account_id: str, *categories: str) -> dict[str, Any]:
    """A diagnostic setting that sends categories to the workspace."""
    return {
        "id": f"{account_id}/providers/Microsoft.Insights/diagnosticSettings/central",
        "properties": {
            "workspaceId": WORKSPACE,
            "logs": [{"category": each, "enabled": True} for each in categories],
        },
    }


def world() -> dict[str, Any]:
    """Two accounts and three networks, two of them peered; nobody has an endpoint yet."""
    return {
        "azure": {
            "tenants": [{"id": TENANT}],
            "subscriptions": [{"id": SUBSCRIPTION, "tenant": TENANT}],
            "principals": [
                {
                    "client_id": OWNER,
                    "object_id": "01000000-0000-0000-0000-000000000001",
                    "tenant": TENANT,
                    "secrets": ["owner"],
                },
                {
                    "client_id": USER,
                    "object_id": USER_OBJECT,
                    "tenant": TENANT,
                    "secrets": ["user"],
                    "permissions": [],
                },
            ],
            "resource_groups": [{"id": GROUP, "location": "eastus"}],
            "resources": [
                _network(APP, "10.20.0.0/16", "app=10.20.1.0/24", "endpoints=10.20.2.0/24"),
                _network(SPOKE, "10.21.0.0/16", "app=10.21.1.0/24"),
                _network(OTHER, "10.22.0.0/16", "app=10.22.1.0/24", "endpoints=10.22.2.0/24"),
                _peering(APP, SPOKE),
                _peering(SPOKE, APP),
                account(OPENAI),
                deployment(OPENAI),
                account(FOUNDRY, "AIServices"),
                {
                    "id": WORKSPACE,
                    "location": "eastus",
                    "properties": {"customerId": CUSTOMER},
                },
                setting(OPENAI, "Audit", "RequestResponse"),
            ],
        }
    }


def _vantage(name: str, address: str, position: str, public: str, subnet: str = "") -> Vantage:
    network = {"azure": {"subnet": subnet}} if subnet else {}
    return Vantage(name, address, position, True, public, network)


INSIDE = _vantage("app", "10.20.1.20", "inside", "198.51.100.111", f"{APP}/subnets/app")
IN_SPOKE = _vantage("spoke", "10.21.1.10", "spoke", "198.51.100.112", f"{SPOKE}/subnets/app")
IN_OTHER = _vantage("other", "10.22.1.10", "inside", "198.51.100.113", f"{OTHER}/subnets/app")
OUTSIDE = _vantage("outside", "198.51.100.12", "outside", "198.51.100.12")


@dataclass
class Clock:
    """Time that stands still until a test moves it."""

    time: float = START

    def __call__(self) -> float:
        return self.time


def request(
    method: str,
    url: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    vantage: Vantage = OUTSIDE,
    address: str = "203.0.113.20",
) -> Request:
    """What the lab's front makes of a call."""
    host, _, rest = url.removeprefix("https://").partition("/")
    path, _, query = f"/{rest}".partition("?")
    sent = b"" if body is None else json.dumps(body).encode()
    given = {name.lower(): value for name, value in (headers or {}).items()}
    return Request(vantage, address, host, method, path, query, given, sent, time.time())


@dataclass
class Lab:
    """A cloud with a clock of its own."""

    cloud: Azure
    clock: Clock = field(default_factory=Clock)

    @property
    def state(self) -> State:
        return self.cloud.state

    def later(self, seconds: float) -> None:
        self.clock.time += seconds

    def add(self, *entries: Mapping[str, Any]) -> Resource:
        """Write resources as a world does; returns the last one."""
        for each in entries:
            put(self.state, each)
        made = self.state.find(str(entries[-1]["id"]))
        assert made is not None
        return made

    def principal(self, client_id: str) -> Principal:
        return next(each for each in self.state.principals if each.client_id == client_id)

    def token(self, client_id: str = OWNER, audience: str = PUBLIC.audiences[0]) -> str:
        return tokens.issue(self.state, self.principal(client_id), audience, PUBLIC)

    def send(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        vantage: Vantage = OUTSIDE,
        address: str = "203.0.113.20",
    ) -> tuple[int, Any]:
        """A request as the lab's front hands it over; the status and the parsed body."""
        response = self.raw(method, url, body, headers=headers, vantage=vantage, address=address)
        return response.status, json.loads(response.body) if response.body else None

    def raw(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        vantage: Vantage = OUTSIDE,
        address: str = "203.0.113.20",
    ) -> Response:
        made = request(method, url, body, headers=headers, vantage=vantage, address=address)
        return self.cloud.answer(made, self.cloud.parse(made))

    def arm(
        self,
        method: str,
        id: str,
        body: Any = None,
        *,
        version: str = AI_VERSION,
        client: str = OWNER,
        **more: Any,
    ) -> tuple[int, Any]:
        """A call of Resource Manager as one of the world's principals."""
        headers = {"Authorization": f"Bearer {self.token(client)}", **more.pop("headers", {})}
        joint = "&" if "?" in id else "?"
        url = f"https://management.azure.com{id}{joint}api-version={version}"
        return self.send(method, url, body, headers=headers, **more)


def lab(*resources: Mapping[str, Any], **sections: Any) -> Lab:
    """The sample world with more resources (or others in place of those with their id)."""
    made = worlds.merge(world(), {"azure": {"resources": list(resources), **sections}})
    problems = check_world(made)
    assert not problems, problems
    clock = Clock()
    return Lab(Azure(load(made, (), clock)), clock)


def error(answer: tuple[int, Any]) -> tuple[int, str, str]:
    """Status, code and message of a refusal."""
    status, body = answer
    return status, body["error"]["code"], body["error"]["message"]
