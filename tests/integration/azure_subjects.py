# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writing modules of Azure, as the harness takes them."""

from __future__ import annotations

from typing import Any

from .azure_private_link import APP, FOUNDRY, HUB, OPENAI, SPOKE, SUBNET, ZONE, endpoint
from .harness import Act, Subject

TIMING = {
    "operation": 0.02,
    "endpoint": 0.02,
    "account": 0.02,
    "dns": 0.02,
    "access_propagation": 0.02,
    "retry_after": 0,
}
NETWORK, COGNITIVE = "Microsoft.Network", "Microsoft.CognitiveServices"
ZONES = f"{NETWORK}/privateDnsZones"
RECORDS, LINKS = f"{ZONES}/A", f"{ZONES}/virtualNetworkLinks"
GROUPS = f"{NETWORK}/privateEndpoints/privateDnsZoneGroups"
# Every call in the code that writes, by file and function, and the operations that it is there for.
CALLS: dict[str, set[str]] = {
    "create_apply.create_endpoint": {f"{NETWORK}/privateEndpoints:PUT"},
    "create_apply.change_endpoint": {f"{NETWORK}/privateEndpoints:PUT"},
    "create_apply.approve": {f"{COGNITIVE}/accounts/privateEndpointConnections:PUT"},
    "create_apply.attach_zones": {f"{GROUPS}:PUT"},
    "create_apply.create_group": {f"{NETWORK}/networkSecurityGroups:PUT"},
    "create_apply.change_rules": {f"{NETWORK}/networkSecurityGroups/securityRules:PUT"},
    "create_apply.change_subnet": {f"{NETWORK}/virtualNetworks/subnets:PUT"},
    "create_apply.delete": {
        f"{NETWORK}/privateEndpoints:DELETE",
        f"{NETWORK}/networkSecurityGroups:DELETE",
        f"{NETWORK}/networkSecurityGroups/securityRules:DELETE",
    },
    "dns_apply._zone": {f"{ZONES}:PUT"},
    "dns_apply._record": {f"{RECORDS}:PUT"},
    "dns_apply._group": {f"{GROUPS}:PUT"},
    "dns_apply._link": {f"{LINKS}:PUT", f"{LINKS}:PATCH"},
    "dns_apply._delete": {
        f"{ZONES}:DELETE",
        f"{RECORDS}:DELETE",
        f"{GROUPS}:DELETE",
        f"{LINKS}:DELETE",
    },
    "lockdown_apply.write": {f"{COGNITIVE}/accounts:PATCH"},
}


def of(*files: str) -> list[str]:
    """The operations of these files."""
    return sorted(
        {name for call, names in CALLS.items() if call.split(".")[0] in files for name in names}
    )


OWN = "pe-lab-openai-app"
RULES = "private-ai-app-endpoints"
CREATE: dict[str, Any] = {
    "account_id": OPENAI,
    "subnet_id": SUBNET,
    "allowed_cidrs": ["10.20.0.0/16"],
    "tags": {"team": "x", "old": "z"},
}
CHANGE = {**CREATE, "allowed_cidrs": ["10.21.0.0/16"], "tags": {"team": "y"}}
THEIRS = {"account_id": FOUNDRY, "subnet_id": SUBNET}
LINKED = [
    {"id": ZONE, "location": "global"},
    {
        "id": f"{ZONE}/virtualNetworkLinks/app",
        "location": "global",
        "properties": {"virtualNetwork": {"id": APP}, "registrationEnabled": False},
    },
]
CLOSED = f"{RULES} Allow<10.20.0.0/16 Deny<*"
PRIVATE_LINK = Subject(
    module="private_ai.endpoints.azure_openai_private_link",
    writes=of("create_apply"),
    acts=[
        Act(
            options=CREATE,
            after={
                "endpoints": [f"{OWN} Succeeded Approved zones=1 old=z team=x"],
                "groups": ["app", CLOSED],
                "subnet": [f"{RULES} NetworkSecurityGroupEnabled"],
                "zones": ["privatelink.openai.azure.com app=Default lab-openai:1"],
            },
        ),
        Act(
            options=CHANGE,
            after={
                "endpoints": [f"{OWN} Succeeded Approved zones=1 team=y"],
                "groups": ["app", f"{RULES} Allow<10.21.0.0/16 Deny<*"],
            },
        ),
        Act(options={**CHANGE, "allowed_cidrs": []}, after={"groups": ["app", RULES]}),
        Act(
            options={**THEIRS, "approval": "manual", "wait": False},
            after={
                "lock": ["lab-foundry Enabled - open Pending", "lab-openai Enabled - open Approved"]
            },
        ),
        Act(
            options=THEIRS,
            after={
                "lock": [
                    "lab-foundry Enabled - open Approved",
                    "lab-openai Enabled - open Approved",
                ]
            },
        ),
        Act(
            options={**THEIRS, "state": "absent"},
            after={"endpoints": [f"{OWN} Succeeded Approved zones=1 team=y"]},
        ),
        Act(
            options={"account_id": OPENAI, "subnet_id": SUBNET, "state": "absent"},
            after={
                "endpoints": [],
                "groups": ["app"],
                "subnet": ["- NetworkSecurityGroupEnabled"],
                "zones": ["privatelink.openai.azure.com app=Default"],
            },
        ),
    ],
    world={"azure": {"timing": TIMING, "resources": LINKED}},
    cloud="azure",
    meets=f"{NETWORK}/privateEndpoints:PUT",
)

NAMES: dict[str, Any] = {
    "account_id": OPENAI,
    "network_id": APP,
    "zone_subscription_id": HUB,
    "zone_resource_group": "dns",
}
# What another run made, which left a link of another account's zone to be switched back.
EARLIER = ZONE.replace(".openai.", ".cognitiveservices.")
RUN = {"private-ai-endpoints-managed": "true", "private-ai-endpoints-run": "earlier"}
UNDO = {
    "schema_version": 1,
    "account_id": OPENAI,
    "endpoint_id": endpoint(name=OWN)["id"],
    "network_id": APP,
    "run": "earlier",
    "hosts": [],
    "known": {},
    "zones": [],
    "records": [],
    "group": None,
    "links": [
        {
            "zone_id": EARLIER,
            "before": None,
            "after": {"name": "spoke", "network_id": SPOKE, "managed": True, "run": "earlier"},
        }
    ],
}
EMPTY = "privatelink.cognitiveservices.azure.com"
BOTH = "privatelink.openai.azure.com app={0} spoke={0} lab-openai:1"
DNS = Subject(
    module="private_ai.endpoints.azure_openai_private_dns",
    writes=of("dns_apply"),
    acts=[
        Act(
            options=NAMES,
            after={
                "endpoints": [f"{OWN} Succeeded Approved zones=1"],
                "zones": [f"{EMPTY} spoke=Default", BOTH.format("Default")],
            },
        ),
        Act(
            options={"zone_subscription_id": HUB, "state": "restored", "undo": UNDO},
            after={"zones": [EMPTY, BOTH.format("Default")]},
        ),
        Act(
            options={**NAMES, "state": "absent"},
            after={"endpoints": [f"{OWN} Succeeded Approved zones=0"], "zones": [EMPTY]},
        ),
        Act(
            options={**NAMES, "mode": "records"},
            after={"zones": [EMPTY, BOTH.format("Default")]},
        ),
        Act(
            options={**NAMES, "mode": "records", "resolution_policy": "NxDomainRedirect"},
            after={"zones": [EMPTY, BOTH.format("NxDomainRedirect")]},
        ),
        Act(options={**NAMES, "state": "absent"}, after={"zones": [EMPTY]}),
    ],
    world={
        "azure": {
            "timing": TIMING,
            "resources": [
                endpoint(name=OWN),
                {"id": EARLIER, "location": "global"},
                {
                    "id": f"{EARLIER}/virtualNetworkLinks/spoke",
                    "location": "global",
                    "tags": RUN,
                    "properties": {"virtualNetwork": {"id": SPOKE}, "registrationEnabled": False},
                },
            ],
        }
    },
    cloud="azure",
    meets=f"{ZONES}:PUT",
    width=2,
)

LOCK: dict[str, Any] = {
    "account_id": OPENAI,
    "members": [{"target": "app", "network_id": APP}],
    "require_proof": False,
    "run_id": "one",
}
OPEN = {"account_id": OPENAI, "state": "unlocked"}
OTHER = "lab-foundry Enabled - open"
LOCKDOWN = Subject(
    module="private_ai.endpoints.azure_openai_lockdown",
    writes=of("lockdown_apply"),
    acts=[
        Act(options=LOCK, after={"lock": [OTHER, "lab-openai Disabled Deny pending Approved"]}),
        Act(
            options={**LOCK, "state": "sealed"},
            after={"lock": [OTHER, "lab-openai Disabled Deny sealed Approved"]},
        ),
        Act(
            options={**LOCK, "run_id": "two", "disable_local_auth": True},
            after={"lock": [OTHER, "lab-openai Disabled Deny pending keyless Approved"]},
        ),
        Act(
            options={**OPEN, "run_id": "two"},
            after={"lock": [OTHER, "lab-openai Disabled Deny sealed Approved"]},
        ),
        Act(options=OPEN, after={"lock": [OTHER, "lab-openai Enabled Allow open Approved"]}),
    ],
    world={"azure": {"timing": TIMING, "resources": [endpoint(name=OWN)]}},
    cloud="azure",
    meets=f"{COGNITIVE}/accounts:PATCH",
)

SUBJECTS = [PRIVATE_LINK, DNS, LOCKDOWN]

# A first run of all of them, one after the other, in a world that has nothing yet.
FIRST_RUN: list[dict[str, Any]] = [
    {PRIVATE_LINK.module: CREATE},
    {DNS.module: NAMES},
    {
        LOCKDOWN.module: {key: value for key, value in LOCK.items() if key != "run_id"},
        "register": "locked",
    },
    {
        LOCKDOWN.module: {
            "account_id": OPENAI,
            "state": "sealed",
            "run_id": "{{ locked.run_id }}",
        }
    },
]
AFTER_FIRST_RUN = {
    "endpoints": [f"{OWN} Succeeded Approved zones=1 old=z team=x"],
    "groups": ["app", f"{RULES} Allow<10.20.0.0/16 Deny<*"],
    "subnet": [f"{RULES} NetworkSecurityGroupEnabled"],
    "zones": [BOTH.format("Default")],
    "lock": [OTHER, "lab-openai Disabled Deny sealed Approved"],
}
