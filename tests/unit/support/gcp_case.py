# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A target on Google in which everything is right, to break one thing at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.validate import Request

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
TARGET = PROJECT = "lab-vertex"
NUMBER, HOST_NUMBER = "500000000001", "500000000009"
NETWORKS = f"projects/{PROJECT}/global/networks"
APP, SPOKE = f"{NETWORKS}/app", f"{NETWORKS}/spoke"
REGIONS = f"projects/{PROJECT}/regions"
APP_A = f"{REGIONS}/us-central1/subnetworks/app-a"
APP_B = f"{REGIONS}/europe-west1/subnetworks/app-b"
SPOKE_A = f"{REGIONS}/us-central1/subnetworks/spoke-a"
ENDPOINT = f"projects/{PROJECT}/global/forwardingRules/pscvertex"
ADDRESSES = {APP: "10.255.30.2", SPOKE: "10.255.31.2"}
GLOBAL = "aiplatform.googleapis.com"
US, EU = f"us-central1-{GLOBAL}", f"europe-west1-{GLOBAL}"
STORAGE = "storage.googleapis.com"
VERTEX_HOSTS = [GLOBAL, US, EU]
HOSTS = [*VERTEX_HOSTS, STORAGE]
PUBLIC = ["203.0.113.95"]
PERIMETER = "accessPolicies/600000000001/servicePerimeters/vertex"
CALLER = f"app@{PROJECT}.iam.gserviceaccount.com"


def subnet(path: str, cidr: str, **changes: Any) -> dict[str, Any]:
    """A subnet for machines, with Private Google Access."""
    return {
        "id": path,
        "name": path.rpartition("/")[2],
        "region": path.split("/")[3],
        "cidr": cidr,
        "secondary": [],
        "private_google_access": True,
        "purpose": "PRIVATE",
        **changes,
    }


def network(path: str, role: str, subnets: list[dict[str, Any]], peer: str) -> dict[str, Any]:
    """A network that is peered with one other."""
    return {
        "id": path,
        "role": role,
        "project": path.split("/")[1],
        "auto": False,
        "subnets": subnets,
        "peerings": [
            {"name": "app-spoke", "network_id": peer, "state": "ACTIVE", "readable": True}
        ],
        "routes": [
            {
                "name": f"default-route-{role}",
                "dest": "0.0.0.0/0",
                "next_hop": f"projects/{PROJECT}/global/gateways/default-internet-gateway",
                "priority": 1000,
            }
        ],
        "dns_policy": None,
    }


def firewall(name: str, action: str, network_id: str = APP, **changes: Any) -> dict[str, Any]:
    """An egress rule towards the endpoint of a network."""
    return {
        "id": f"projects/{PROJECT}/global/firewalls/{name}",
        "name": name,
        "network_id": network_id,
        "direction": "EGRESS",
        "priority": 1000,
        "action": action,
        "protocols": ["tcp:443"],
        "destinations": [f"{ADDRESSES[network_id]}/32"],
        "ranges": [],
        "tags": [],
        "accounts": [],
        "disabled": False,
        "managed": True,
        **changes,
    }


def firewalls() -> list[dict[str, Any]]:
    """What the create phase makes: one that admits, and one that denies behind it, in each network."""
    return [
        rule
        for name, path, ranges in (
            ("app", APP, ["10.30.0.0/16"]),
            ("spoke", SPOKE, ["10.31.0.0/16"]),
        )
        for rule in (
            firewall(f"private-ai-{name}-allow-ranges", "allow", path, ranges=ranges),
            firewall(f"private-ai-{name}-deny", "deny", path, priority=1001, protocols=["all"]),
        )
    ]


def endpoint(path: str = APP, **changes: Any) -> dict[str, Any]:
    """The endpoint of a network."""
    name = "pscvertex" if path == APP else "pscvertexspoke"
    return {
        "id": f"projects/{PROJECT}/global/forwardingRules/{name}",
        "name": name,
        "project": PROJECT,
        "network_id": path,
        "address": ADDRESSES.get(path, "10.255.39.2"),
        "bundle": "all-apis",
        "service_directory_region": "us-central1",
        "labels": {"private-ai-endpoints": "managed"},
        "managed": True,
        "replaced": False,
        **changes,
    }


def record(name: str, *values: str, kind: str = "A") -> dict[str, Any]:
    """A record set."""
    return {"name": name, "type": kind, "ttl": 60, "values": list(values)}


def zone(
    dns_name: str, path: str, records: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    """A private zone of one network; by default with the network's endpoint at its apex."""
    name = f"{dns_name.replace('.', '-')}-{path.rpartition('/')[2]}"
    return {
        "id": f"projects/{PROJECT}/managedZones/{name}",
        "name": name,
        "project": PROJECT,
        "dns_name": dns_name,
        "network_ids": [path],
        "peering_network_id": None,
        "forwarding": [],
        "managed": True,
        "records": [record(dns_name, ADDRESSES[path])] if records is None else records,
        **changes,
    }


def zones() -> list[dict[str, Any]]:
    """One for each name in each network."""
    return [zone(host, path) for path in ADDRESSES for host in HOSTS]


def config(**changes: Any) -> dict[str, Any]:
    """What a perimeter enforces, or tries: Vertex AI in the project, for networks inside."""
    return {
        "resources": [f"projects/{NUMBER}"],
        "restricted_services": [GLOBAL],
        "accessible_services": {"enabled": True, "allowed": ["RESTRICTED-SERVICES", STORAGE]},
        "ingress": [],
        "egress": [],
        "access_levels": [],
        **changes,
    }


def perimeter(**changes: Any) -> dict[str, Any]:
    """An enforced perimeter."""
    return {
        "id": PERIMETER,
        "title": "vertex",
        "type": "PERIMETER_TYPE_REGULAR",
        "holds_project": True,
        **config(),
        "dry_run": None,
        "pending": None,
        **changes,
    }


def ingress(
    *, source: str = "*", identity: str = "ANY_IDENTITY", service: str = GLOBAL, **changes: Any
) -> dict[str, Any]:
    """An ingress rule as the API has it. identity: a kind, or a member."""
    kind = identity.startswith("ANY_")
    key = "resource" if source.startswith(("projects/", "//")) else "accessLevel"
    return {
        "title": "partner",
        "ingressFrom": {
            "sources": [{key: source}],
            **({"identityType": identity} if kind else {"identities": [identity]}),
        },
        "ingressTo": {
            "resources": ["*"],
            "operations": [{"serviceName": service, "methodSelectors": [{"method": "*"}]}],
        },
        **changes,
    }


def binding(role: str = "roles/aiplatform.user", **changes: Any) -> dict[str, Any]:
    """A grant to the application, in the project."""
    return {
        "role": role,
        "members": [f"serviceAccount:{CALLER}"],
        "condition": None,
        "resource": f"projects/{PROJECT}",
        **changes,
    }


def call(**changes: Any) -> dict[str, Any]:
    """A group of logged calls from inside."""
    return {
        "principal": CALLER,
        "operation": "google.cloud.aiplatform.v1.PredictionService.Predict",
        "region": "us-central1",
        "source_ip": "10.30.1.2",
        "network": APP,
        "path": "private",
        "count": 3,
        "error_code": None,
        "probe": False,
        "first": "2026-02-28T00:00:00Z",
        "last": "2026-02-28T01:00:00Z",
        "resource": f"projects/{NUMBER}",
        "violation": None,
        **changes,
    }


def evidence() -> dict[str, Any]:
    """Evidence in which everything is right."""
    return {
        "schema_version": 1,
        "kind": "evidence",
        "cloud": "gcp",
        "target": TARGET,
        "collected_at": "2026-03-01T12:00:00Z",
        "gathered": ["endpoints", "network", "dns", "perimeter", "access", "traffic"],
        "missing": [],
        "region": "",
        "regions": ["us-central1", "europe-west1"],
        "hosts": list(HOSTS),
        "project": {"id": PROJECT, "number": NUMBER},
        "network": network(
            APP,
            "application",
            [subnet(APP_B, "10.30.2.0/24"), subnet(APP_A, "10.30.1.0/24")],
            SPOKE,
        ),
        "spokes": [network(SPOKE, "spoke", [subnet(SPOKE_A, "10.31.1.0/24")], APP)],
        "peers": [],
        "firewalls": firewalls(),
        "endpoints": [endpoint(APP), endpoint(SPOKE)],
        "endpoints_elsewhere": [],
        "zones": zones(),
        "response_policies": [],
        "perimeters": [perimeter()],
        "access": {"bindings": [binding()]},
        "organization_policies": [],
        "logging": {"audit": {GLOBAL: ["DATA_READ", "DATA_WRITE"]}, "exempted": []},
        "traffic": {
            "start": "2026-02-22T12:00:00Z",
            "end": "2026-03-01T12:00:00Z",
            "complete": True,
            "groups": [call()],
        },
    }


_STATUS = {"admitted": 200, "unauthenticated": 401}
_REFUSALS = {
    "denied_perimeter": "Request is prohibited by organization's policy.",
    "denied_identity": "Permission 'aiplatform.endpoints.list' denied.",
}


def connection(address: str, answer: str | None, **changes: Any) -> dict[str, Any]:
    """One connection that verified TLS; with an answer one that reached HTTP."""
    http = {
        "status": _STATUS.get(str(answer), 403),
        "code": None if answer == "admitted" else "PERMISSION_DENIED",
        "message": _REFUSALS.get(str(answer)),
        "request_id": None,
        "answer": answer,
        "ms": 1,
    }
    return {
        "address": address,
        "tcp": {"ok": True, "error": None, "ms": 1},
        "tls": {
            "ok": True,
            "version": "TLSv1.3",
            "names": [],
            "issuer": "C=US, O=Google Trust Services, CN=WR2",
            "not_after": "x",
            "error": None,
            "ms": 1,
        },
        "http": http if answer else None,
        **changes,
    }


def unconnected(address: str, error: str) -> dict[str, Any]:
    """One connection that ended at TCP."""
    return connection(address, None, tcp={"ok": False, "error": error, "ms": 5000}, tls=None)


def observation(
    vantage: str,
    position: str,
    host: str,
    addresses: list[str],
    answer: str | None = "admitted",
    **changes: Any,
) -> dict[str, Any]:
    """What a vantage saw of a host; by name unless `pinned` is given. Only Vertex AI's hosts have a read to call."""
    pinned, vertex = changes.get("pinned"), host in VERTEX_HOSTS
    answers = [] if pinned else [{"type": "A", "address": item, "ttl": 10} for item in addresses]
    return {
        "schema_version": 1,
        "vantage": vantage,
        "position": position,
        "cloud": "gcp",
        "target": TARGET,
        "host": host,
        "port": 443,
        "service": "aiplatform" if vertex else host.split(".")[0],
        "plane": "runtime",
        "action": "aiplatform.endpoints.list" if vertex else None,
        "pinned": None,
        "observed_at": "2026-03-01T12:00:00Z",
        "resolver": {"nameservers": ["169.254.169.254"], "hosts_file": False},
        "dns": {
            "status": "skipped" if pinned else "ok",
            "chain": [],
            "answers": answers,
            "system": [] if pinned else list(addresses),
            "error": None,
            "ms": 1,
        },
        "connections": [connection(item, answer if vertex else None) for item in addresses],
        "principal": CALLER,
        "proxy": [],
        "error": None,
        "attempts": 1,
        **changes,
    }


# name, position, network, subnet
PLACES: tuple[tuple[str, str, str, str], ...] = (
    ("app", "inside", APP, APP_A),
    ("app-eu", "inside", APP, APP_B),
    ("spoke", "spoke", SPOKE, SPOKE_A),
)


def by_name() -> list[dict[str, Any]]:
    """Everyone sees what should be seen under the lock."""
    seen = []
    for host in HOSTS:
        for name, position, path, _subnet in PLACES:
            seen.append(observation(name, position, host, [ADDRESSES[path]]))
        seen.append(observation("outside", "outside", host, PUBLIC, "denied_perimeter"))
        seen.append(observation("canary", "canary", host, [ADDRESSES[APP]]))
    return seen


def pinned() -> list[dict[str, Any]]:
    """Every inside and spoke vantage is let in at its own network's address."""
    return [
        observation(name, position, host, [ADDRESSES[path]], pinned=ADDRESSES[path])
        for host in HOSTS
        for name, position, path, _subnet in PLACES
    ]


def probe_targets() -> list[dict[str, Any]]:
    """Every name, with its read and what is right in which network."""
    return [
        {
            "schema_version": 1,
            "host": host,
            "addresses": sorted(ADDRESSES.values()),
            "networks": {path: [address] for path, address in ADDRESSES.items()},
            "cloud": "gcp",
            "target": TARGET,
            "service": "aiplatform" if host in VERTEX_HOSTS else host.split(".")[0],
            "plane": "runtime",
            "port": 443,
            "probe_action": {
                "name": "aiplatform.endpoints.list",
                "method": "GET",
                "path": f"/v1/projects/{PROJECT}/locations/global/endpoints?pageSize=1",
                "auth": "bearer",
            }
            if host in VERTEX_HOSTS
            else None,
        }
        for host in HOSTS
    ]


def vantages() -> list[dict[str, Any]]:
    """Every place that traffic comes from."""
    return [
        *(
            {"name": name, "position": position, "network": path, "subnet": where}
            for name, position, path, where in PLACES
        ),
        {"name": "outside", "position": "outside"},
        {"name": "canary", "position": "canary"},
    ]


def lock(**changes: Any) -> dict[str, Any]:
    """What the lockdown module says of whom it binds."""
    return {
        "perimeter_id": PERIMETER,
        "scope_id": PERIMETER,
        "projects": [f"projects/{NUMBER}"],
        "restricted_services": [GLOBAL],
        "roll_out": "enforced",
        "enforced": True,
        **changes,
    }


def request(*changes: Callable[[dict[str, Any]], object], **values: Any) -> Request:
    """A request in which everything is right, after these changes to its parts."""
    parts: dict[str, Any] = {
        "evidence": [evidence()],
        "observations": by_name(),
        "probe_targets": probe_targets(),
        "vantages": vantages(),
        "expect": "blocked",
        "fail_on": "never",
        **values,
    }
    for change in changes:
        change(parts)
    return Request(**parts, now=NOW)
