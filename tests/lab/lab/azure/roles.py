# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Azure's built-in roles, as far as AI accounts and their networks need them.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

from __future__ import annotations

from dataclasses import dataclass

_AI = "Microsoft.CognitiveServices"
_READS = (
    "Microsoft.Authorization/*/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
)


@dataclass(frozen=True)
class Role:
    id: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    built_in: bool = True

    @property
    def tenant_id(self) -> str:
        return f"/providers/Microsoft.Authorization/roleDefinitions/{self.id}"


BUILT_IN = (
    Role("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", ("*",)),
    Role(
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "Contributor",
        ("*",),
        ("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"),
    ),
    Role("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", ("*/read",)),
    Role(
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        "User Access Administrator",
        ("*/read", "Microsoft.Authorization/*"),
    ),
    Role(
        "4d97b98b-1d4f-4787-a291-c67834d212e7",
        "Network Contributor",
        ("Microsoft.Network/*", *_READS),
    ),
    Role(
        "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
        "Private DNS Zone Contributor",
        (
            "Microsoft.Network/privateDnsZones/*",
            "Microsoft.Network/privateDnsOperationResults/*",
            "Microsoft.Network/privateDnsOperationStatuses/*",
            "Microsoft.Network/virtualNetworks/read",
            "Microsoft.Network/virtualNetworks/join/action",
            *_READS,
        ),
    ),
    Role(
        "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68",
        "Cognitive Services Contributor",
        (f"{_AI}/*", "Microsoft.Insights/diagnosticSettings/*", *_READS),
    ),
    Role(
        "a97b65f3-24c7-4388-baec-2e87135dc908",
        "Cognitive Services User",
        (f"{_AI}/*/read", f"{_AI}/accounts/listkeys/action"),
        data_actions=(f"{_AI}/*",),
    ),
    Role(
        "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
        "Cognitive Services OpenAI User",
        (f"{_AI}/*/read", *_READS),
        data_actions=(
            f"{_AI}/accounts/OpenAI/*/read",
            f"{_AI}/accounts/OpenAI/deployments/*/action",
            f"{_AI}/accounts/OpenAI/responses/*",
        ),
    ),
    Role(
        "a001fd3d-188f-4b5d-821b-7da978bf7442",
        "Cognitive Services OpenAI Contributor",
        (f"{_AI}/*/read", f"{_AI}/accounts/deployments/*", *_READS),
        data_actions=(f"{_AI}/accounts/OpenAI/*",),
    ),
    Role(
        "53ca6127-db72-4b80-b1b0-d745d6d5456d",
        "Azure AI User",
        (f"{_AI}/*/read",),
        data_actions=(f"{_AI}/*",),
    ),
    Role(
        "64702f94-c441-49e6-a78b-ef80e0188fee",
        "Azure AI Developer",
        _READS,
        data_actions=(f"{_AI}/accounts/OpenAI/*", f"{_AI}/accounts/ContentSafety/*"),
    ),
    Role(
        "73c42c96-874c-492b-b04d-ab87d138a893",
        "Log Analytics Reader",
        ("*/read", "Microsoft.OperationalInsights/workspaces/search/action"),
        ("Microsoft.OperationalInsights/workspaces/sharedKeys/read",),
    ),
    Role("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", ("*/read",)),
)
