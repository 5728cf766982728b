# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writing modules of Google, as the harness takes them."""

from __future__ import annotations

from typing import Any

from . import gcp_lock_subject as lock
from .harness import Act, Subject

TIMING = {
    "operation": 0.02,
    "dns_pending": 0.02,
    "dns_serve": 0.02,
    "policy_operation": 0.02,
    "perimeter_propagation": 0.02,
    "org_policy_propagation": 0.02,
}
PROJECT = "projects/lab-vertex"
APP, SPOKE = f"{PROJECT}/global/networks/app", f"{PROJECT}/global/networks/spoke"
SUBNET = f"{PROJECT}/regions/us-central1/subnetworks/app-a"
RULES, ADDRESSES, FIREWALLS = (
    f"compute.{kind}" for kind in ("globalForwardingRules", "globalAddresses", "firewalls")
)
# Every call in the code that writes, by file and function, and the operations that it is there for.
CALLS: dict[str, set[str]] = {
    "create_apply._create_address": {f"{ADDRESSES}.insert"},
    "create_apply._create_rule": {f"{RULES}.insert"},
    "create_apply._set_labels": {f"{RULES}.setLabels"},
    "create_apply._set_access": {"compute.subnetworks.setPrivateIpGoogleAccess"},
    "create_apply._set_firewall": {f"{FIREWALLS}.insert", f"{FIREWALLS}.update"},
    "create_apply._delete": {f"{RULES}.delete", f"{ADDRESSES}.delete", f"{FIREWALLS}.delete"},
    "dns_apply._create": {"dns.managedZones.create", "dns.responsePolicies.create"},
    "dns_apply._fill": {"dns.changes.create"},
    "dns_apply._rules": {"dns.responsePolicyRules.create", "dns.responsePolicyRules.update"},
    "dns_apply._attach": {"dns.managedZones.patch", "dns.responsePolicies.patch"},
    "dns_apply._gone": {
        "dns.managedZones.delete",
        "dns.responsePolicies.delete",
        "dns.responsePolicyRules.delete",
    },
    **lock.CALLS,
}
# Calls that send a POST and change nothing.
ASKING = {
    "create_permissions._ask",
    "observe_access.policy_read",
    "observe_traffic.traffic_reads",
    "log_entries.newest",
}


def of(*files: str) -> list[str]:
    """The operations of these files."""
    return sorted(
        {name for call, names in CALLS.items() if call.split(".")[0] in files for name in names}
    )


HERE, THERE, MOVED = "10.255.30.2", "10.255.31.2", "10.255.30.3"
CREATE: dict[str, Any] = {
    "networks": [
        {"network": APP, "endpoint_name": "pscvertex", "address": HERE},
        {"network": SPOKE, "endpoint_name": "pscspoke", "address": THERE},
    ],
    "labels": {"team": "x", "old": "z"},
    "allowed_cidrs": ["10.30.0.0/16"],
    "private_google_access_subnets": [SUBNET],
}
CHANGE = {**CREATE, "labels": {"team": "y"}, "allowed_cidrs": ["10.31.0.0/16"]}
MOVE = {**CHANGE, "networks": [{**CREATE["networks"][0], "address": MOVED}, CREATE["networks"][1]]}


def _firewalls(cidr: str, here: str = f"{HERE}/32") -> list[str]:
    return [
        f"private-ai-app-allow-ranges <{cidr} >{here}",
        f"private-ai-app-deny < >{here}",
        f"private-ai-spoke-allow-ranges <{cidr} >{THERE}/32",
        f"private-ai-spoke-deny < >{THERE}/32",
    ]


IN_SPOKE = f"pscspoke spoke {THERE} all-apis"
MADE = {
    "endpoints": [f"{IN_SPOKE} old=z team=x", f"pscvertex app {HERE} all-apis old=z team=x"],
    "addresses": [f"pscspoke-ip spoke {THERE}", f"pscvertex-ip app {HERE}"],
    "firewalls": _firewalls("10.30.0.0/16"),
    "access": ["app-a"],
}
ENDPOINTS = Subject(
    module="private_ai.endpoints.vertex_psc_endpoint",
    writes=of("create_apply"),
    acts=[
        Act(options=CREATE, after=MADE),
        Act(
            options=CHANGE,
            after={
                "endpoints": [f"{IN_SPOKE} team=y", f"pscvertex app {HERE} all-apis team=y"],
                "firewalls": _firewalls("10.31.0.0/16"),
            },
        ),
        Act(
            options=MOVE,
            after={
                "endpoints": [
                    f"{IN_SPOKE} team=y",
                    f"pscvertex app {HERE} all-apis team=y",
                    f"pscvertex2 app {MOVED} all-apis team=y",
                ],
                "firewalls": _firewalls("10.31.0.0/16", f"{HERE}/32,{MOVED}/32"),
            },
        ),
        Act(
            options={**MOVE, "remove_replaced": True},
            after={
                "endpoints": [f"{IN_SPOKE} team=y", f"pscvertex2 app {MOVED} all-apis team=y"],
                "addresses": [f"pscspoke-ip spoke {THERE}", f"pscvertex2-ip app {MOVED}"],
                "firewalls": _firewalls("10.31.0.0/16", f"{MOVED}/32"),
            },
        ),
        Act(
            options={"networks": CREATE["networks"], "state": "absent"},
            after={"endpoints": [], "addresses": [], "firewalls": []},
        ),
    ],
    world={"gcp": {"timing": TIMING}},
    cloud="gcp",
    meets=f"{ADDRESSES}.insert",
    # A rule to admit and one to deny, in each network.
    width=2,
)

HOST = "aiplatform.googleapis.com"
NAMES: dict[str, Any] = {
    "networks": [{"network": APP, "address": HERE}, {"network": SPOKE, "address": THERE}]
}
MOVED_NAMES = {"networks": [{"network": APP, "address": MOVED}, NAMES["networks"][1]]}
RPZ = {"mode": "response_policy"}
# What an earlier run made, and another one is told to switch back.
EARLIER: dict[str, Any] = {
    "id": f"{PROJECT}/managedZones/earlier",
    "dns_name": "storage.googleapis.com.",
    "networks": [SPOKE],
    "description": "private_ai.endpoints: " + SPOKE,
    "labels": {"private-ai-endpoints": "managed", "private-ai-endpoints-run": "earlier"},
    "records": [{"name": "storage.googleapis.com.", "type": "A", "ttl": 60, "values": [THERE]}],
}
UNDO = {
    "schema_version": 1,
    "run": "earlier",
    "changes": [
        {
            "before": None,
            "after": {
                "kind": "zone",
                "project": "lab-vertex",
                "name": "earlier",
                "dns_name": "storage.googleapis.com",
                "networks": [SPOKE],
                "entries": [
                    {
                        "key": "storage.googleapis.com A",
                        "name": "storage.googleapis.com",
                        "bypass": False,
                        "records": [
                            {
                                "name": "storage.googleapis.com",
                                "type": "A",
                                "ttl": 60,
                                "values": [THERE],
                            }
                        ],
                    }
                ],
                "managed": True,
            },
        }
    ],
}
OLD_ZONE = f"storage.googleapis.com. spoke storage.googleapis.com.:A={THERE}"


def _zone(network: str, address: str) -> str:
    return f"{HOST}. {network} {HOST}.:A={address}"


DNS = Subject(
    module="private_ai.endpoints.vertex_private_dns",
    writes=of("dns_apply"),
    acts=[
        Act(
            options=NAMES,
            after={"zones": [_zone("app", HERE), _zone("spoke", THERE), OLD_ZONE]},
        ),
        Act(
            options={"state": "restored", "undo": UNDO},
            after={"zones": [_zone("app", HERE), _zone("spoke", THERE)]},
        ),
        Act(
            options=MOVED_NAMES,
            after={"zones": [_zone("app", MOVED), _zone("spoke", THERE)]},
        ),
        Act(options={**NAMES, "state": "absent"}, after={"zones": []}),
        Act(
            options={**NAMES, **RPZ},
            after={"policies": [f"app {HOST}.={HERE}", f"spoke {HOST}.={THERE}"]},
        ),
        Act(
            options={**MOVED_NAMES, **RPZ},
            after={"policies": [f"app {HOST}.={MOVED}", f"spoke {HOST}.={THERE}"]},
        ),
        Act(options={**NAMES, "state": "absent"}, after={"policies": []}),
    ],
    world={"gcp": {"timing": TIMING, "zones": [EARLIER]}},
    cloud="gcp",
    meets="dns.managedZones.create",
    width=2,
)

SUBJECTS = [ENDPOINTS, DNS, lock.LOCKDOWN]

# A first run of all of them, one after the other, in a world that has nothing yet.
FIRST_RUN: list[dict[str, Any]] = [
    {ENDPOINTS.module: CREATE},
    {DNS.module: NAMES},
    *lock.FIRST_RUN,
]
AFTER_FIRST_RUN: dict[str, list[str]] = {
    **MADE,
    "zones": [_zone("app", HERE), _zone("spoke", THERE)],
    "policies": [],
    **lock.AFTER_FIRST_RUN,
}
