# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public host names of the lab's Azure, and the account behind each of an account's names.

https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from .clouds import ENVIRONMENTS, Environment
from .state import Resource, State

ACCOUNTS = "Microsoft.CognitiveServices/accounts"
FAMILIES = ("openai", "cognitiveservices", "services.ai")  # as Environment.suffixes has them
MEMBERS = ("default", "secondary", "third")
_OWN_DOMAINS = (
    ".azure.com",
    ".azure.us",
    ".azure.cn",
    ".azure.net",
    ".azure.io",
    ".loganalytics.io",
    ".loganalytics.us",
    ".microsoftonline.com",
    ".microsoftonline.us",
    ".usgovcloudapi.net",
    ".windows.net",
)


@dataclass(frozen=True)
class DataHost:
    """A client's name of an account: its first label, the family of its suffix, and the cloud."""

    host: str
    label: str
    family: str
    environment: Environment

    @property
    def alias(self) -> str:
        """The privatelink name that public DNS leads through once there is an endpoint."""
        return f"{self.label}.privatelink.{self.host.partition('.')[2]}"


def data_host(host: str) -> DataHost | None:
    """What a name of the form LABEL.SUFFIX says, whether or not there is such an account."""
    label, _, suffix = host.partition(".")
    for environment in ENVIRONMENTS.values():
        for family, known in zip(FAMILIES, environment.suffixes, strict=True):
            if label and suffix == known:
                return DataHost(host, label, family, environment)
    return None


def families_of(kind: str) -> tuple[str, ...]:
    """Which name families an account of a kind has."""
    if kind.lower() == "openai":
        return ("openai",)
    if kind.lower() == "aiservices":
        return ("cognitiveservices", "openai", "services.ai")
    return ("cognitiveservices",)


def hosts_of(state: State, account: Resource) -> dict[str, str]:
    """The account's names by family; none without a custom subdomain."""
    label = str(account.properties.get("customSubDomainName") or "").lower()
    if not label:
        return {}
    environment = state.environment_of(account.id.subscription)
    suffixes = dict(zip(FAMILIES, environment.suffixes, strict=True))
    return {each: f"{label}.{suffixes[each]}" for each in families_of(str(account.body["kind"]))}


def link_members(state: State, account: Resource) -> list[tuple[str, str]]:
    """What an endpoint's interface shows of the account: (member, host) for each address, in order."""
    return list(zip(MEMBERS, hosts_of(state, account).values(), strict=False))


def account_of(state: State, name: DataHost) -> Resource | None:
    """The account that answers at a name."""
    for account in accounts(state):
        if hosts_of(state, account).get(name.family) == name.host:
            return account
    return None


def accounts(state: State) -> Iterator[Resource]:
    return state.of_type(ACCOUNTS)


def control_hosts() -> Iterator[str]:
    """Login, Resource Manager and the query API of each cloud."""
    for each in ENVIRONMENTS.values():
        yield from (each.login, each.arm, each.logs)


def is_azures(name: str) -> bool:
    """Whether a name lies in a domain that Azure answers for, known or not."""
    return f".{name}".endswith(_OWN_DOMAINS)


def public_address(host: str) -> str:
    """The stable IPv4 address of a public host, in 203.0.113.16 to .47."""
    return f"203.0.113.{16 + hashlib.sha256(host.encode()).digest()[0] % 32}"
