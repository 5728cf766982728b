# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an AI account refuses: kinds, subdomains and network rules that cannot be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from .control import Control
from .errors import ArmError, bad_request, conflict
from .hosts import accounts
from .state import Resource

SDK = "azure.mgmt.cognitiveservices"
VERSIONS = (
    *("2017-04-18", "2021-04-30", "2021-10-01", "2022-03-01", "2022-10-01", "2022-12-01"),
    *("2023-05-01", "2023-10-01-preview", "2024-04-01-preview", "2024-06-01-preview"),
    *("2024-10-01", "2025-04-01-preview", "2025-06-01", "2025-07-01-preview", "2025-09-01"),
    "2025-10-01-preview",
)
KINDS = (
    *("OpenAI", "AIServices", "CognitiveServices", "ComputerVision", "ContentSafety"),
    *("CustomVision.Prediction", "CustomVision.Training", "Face", "FormRecognizer"),
    *("HealthInsights", "ImmersiveReader", "SpeechServices", "TextAnalytics", "TextTranslation"),
)
# The SDK's models call these text; the provider knows the words.
_WORDS = {
    "publicNetworkAccess": ("Enabled", "Disabled", "SecuredByPerimeter"),
    "defaultAction": ("Allow", "Deny"),
    "bypass": ("None", "AzureServices"),
}
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.IGNORECASE)
_SERVICE = "Microsoft.CognitiveServices"


def check_account(control: Control) -> None:
    """A PUT names a kind and a SKU that exist."""
    kind = control.body.get("kind")
    if kind not in KINDS:
        raise bad_request(
            "InvalidApiSetId",
            f"The account type '{kind}' is either invalid or unavailable in given region.",
        )
    sku = (control.body.get("sku") or {}).get("name")
    if not sku:
        raise bad_request("InvalidRequest", "The account has no SKU: 'sku.name' is required.")
    if not re.fullmatch(r"[FSPE]\d{1,2}|DC0", sku):
        raise bad_request(
            "InvalidResourceProperties", f"The SKU '{sku}' is invalid for account type '{kind}'."
        )


def idle(control: Control, account: Resource) -> None:
    """Raise what a write gets while the account is still at the last one."""
    if account.state in ("Succeeded", "Failed"):
        return
    if control.operation.method == "PATCH":
        raise bad_request(
            "AccountProvisioningStateInvalid", f"Account {account.id} in state {account.state}"
        )
    raise conflict(
        "RequestConflict",
        "Another operation is being performed on the parent resource "
        f"'{account.id}'. Please try again later.",
    )


def check_linkable(account: Resource) -> None:
    """An endpoint cannot be made for an account that is at a write."""
    if account.state not in ("Succeeded", "Failed"):
        raise bad_request(
            "AccountProvisioningStateInvalid",
            "Call to Microsoft.CognitiveServices/accounts failed. Error message: Account "
            f"{account.id} in state {account.state}",
        )


def check_words(given: Mapping[str, Any], path: str = "properties") -> dict[str, Any]:
    """The properties with Azure's spelling of the words that they may be; refuses others."""
    made = dict(given)
    for name, words in _WORDS.items():
        if name not in given:
            continue
        known = {each.lower(): each for each in words}
        if str(given[name]).lower() not in known:
            raise bad_request(
                "InvalidRequestContent",
                "The request content was invalid and could not be deserialized: 'Error converting "
                f"value \"{given[name]}\". Path '{path}.{name}'.'.",
            )
        made[name] = known[str(given[name]).lower()]
    return made


def check_kind(kind: str, before: str) -> None:
    """A kind stays what it is, but that an OpenAI account may become an AI Services account, and back."""
    if {kind, before} - {"OpenAI", "AIServices"} and kind != before:
        raise bad_request(
            "InvalidResourceProperties",
            f"The kind of the account cannot be changed from '{before}' to '{kind}'.",
        )


def check_subdomain(
    control: Control, properties: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """A custom subdomain is set once, unique among all accounts, and needed for network rules."""
    label = str(properties.get("customSubDomainName") or "")
    standing = str(before.get("customSubDomainName") or "")
    if standing and label.lower() != standing.lower():
        raise bad_request(
            "SubDomainNameChangeNotAllowed",
            f"The custom subdomain name '{standing}' of the account cannot be changed.",
        )
    if not label:
        if properties.get("networkAcls"):
            raise bad_request(
                "BadRequest",
                "CustomSubDomainName is required when Virtual Network rules are set.",
            )
        return
    if not _LABEL.fullmatch(label):
        raise bad_request(
            "InvalidResourceProperties", f"The custom subdomain name '{label}' is invalid."
        )
    if not standing and _is_taken(control, label.lower()):
        raise conflict(
            "CustomDomainInUse",
            f"Please pick a different name. The subdomain name '{label}' is not available as it's "
            "already used by a resource. If the resource using the name was deleted in the last 48 "
            "hours, you may need to purge the deleted resource.",
        )


def _is_taken(control: Control, label: str) -> bool:
    if label in control.state.extra.get("deleted subdomains", ()):
        return True
    return any(
        str(each.properties.get("customSubDomainName") or "").lower() == label
        for each in accounts(control.state)
        if each.id.key != control.id.key
    )


def check_network_rules(control: Control, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The network rules as the account keeps them: every list is there, and every rule can be."""
    given = check_words(properties["networkAcls"] or {}, "properties.networkAcls")
    addresses = [_address(str(each.get("value") or "")) for each in given.get("ipRules") or ()]
    rules = [_subnet_rule(control, each) for each in given.get("virtualNetworkRules") or ()]
    made = {
        "defaultAction": given.get("defaultAction") or "Allow",
        "ipRules": [{"value": each} for each in addresses],
        "virtualNetworkRules": rules,
    }
    if given.get("bypass"):
        made["bypass"] = given["bypass"]
    return made


def _address(value: str) -> str:
    """An address or a range of public addresses; ranges of one or two are to be given singly."""
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError:
        raise _bad_address(value, "it is neither an IPv4 address nor a CIDR range") from None
    if network.is_private and not _is_lab(network):
        raise _bad_address(value, "private IP ranges are not supported")
    if "/" in value and network.prefixlen >= 31:
        raise _bad_address(value, "prefix sizes /31 and /32 are not supported")
    return value


def _is_lab(network: ipaddress.IPv4Network) -> bool:
    """The documentation ranges are the lab's public internet."""
    return any(
        network.subnet_of(ipaddress.IPv4Network(each))
        for each in ("198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24")
    )


def _bad_address(value: str, why: str) -> ArmError:
    return bad_request("InvalidIpRule", f"The IP rule '{value}' is invalid: {why}.")


def _subnet_rule(control: Control, rule: Mapping[str, Any]) -> dict[str, Any]:
    subnet = control.referenced(
        str(rule.get("id") or ""), "Microsoft.Network/virtualNetworks/subnets"
    )
    control.authorize_linked(
        "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action", subnet.id
    )
    services = [
        str(each.get("service", "")) for each in subnet.properties.get("serviceEndpoints") or ()
    ]
    if _SERVICE not in services and not rule.get("ignoreMissingVnetServiceEndpoint"):
        network = subnet.id.parent
        raise bad_request(
            "SubnetsHaveNoServiceEndpointsConfigured",
            f"Subnets {subnet.id.name} of virtual network {network} do not have ServiceEndpoints "
            f"for {_SERVICE} resources configured. Add {_SERVICE} to subnet's ServiceEndpoints "
            f"collection before trying to ACL {_SERVICE} resources to these subnets.",
        )
    return {
        "id": str(subnet.id),
        "ignoreMissingVnetServiceEndpoint": bool(rule.get("ignoreMissingVnetServiceEndpoint")),
        "state": "Succeeded",
    }
