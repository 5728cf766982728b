# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clouds that have scenarios, and what a cloud's templates may name beside a target's number and name."""

from __future__ import annotations

import hashlib


def _aws(number: int, _name: str) -> dict[str, str]:
    return {"account": f"2222222222{number}"}


def _azure(number: int, name: str) -> dict[str, str]:
    """A subscription for each target. rule: how the collection calls an endpoint's rules, so that it finds them."""
    subscription = f"/subscriptions/5a000000-0000-0000-0000-0000000000{number}"
    network = f"{subscription}/resourceGroups/network/providers/Microsoft.Network"
    other = network.replace("/network/", "/ai/")
    endpoint = f"{network}/privateEndpoints/pe"
    zone = "privateDnsZones/privatelink.openai.azure.com"
    return {
        "subscription": subscription,
        "network": network,
        "endpoint": endpoint,
        "zone": f"{network}/{zone}",
        "other_zone": f"{other}/{zone}",
        "account": f"{subscription}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-{name}",
        "rule": f"private-ai-pe-{hashlib.sha256(endpoint.lower().encode()).hexdigest()[:8]}",
    }


def _gcp(number: int, name: str) -> dict[str, str]:
    """A project and a perimeter for each target, in one organization and access policy."""
    project = f"lab-{name}"
    return {
        "project": project,
        "project_number": f"6000000000{number}",
        "app": f"projects/{project}/global/networks/app",
        "spoke": f"projects/{project}/global/networks/spoke",
        "subnets": f"projects/{project}/regions/us-central1/subnetworks",
        "zones": f"projects/{project}/managedZones",
        "perimeter": f"p{number}",
        "caller": f"app@{project}.iam.gserviceaccount.com",
        "blind": f"blind@{project}.iam.gserviceaccount.com",
    }


VALUES = {"aws": _aws, "azure": _azure, "gcp": _gcp}
