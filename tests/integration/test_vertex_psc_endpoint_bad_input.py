# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input to vertex_psc_endpoint: one clear sentence that names what is wrong and the fix, before any write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from .conftest import Lab, Outcome

NAME = "private_ai.endpoints.vertex_psc_endpoint"
ORGANIZATION = "400000000001"
VERTEX, OFF, CLOSED, SHUT, LEAST, BLIND = (
    f"projects/lab-{name}" for name in ("vertex", "off", "closed", "shut", "least", "blind")
)
APP, SPOKE, AUTO, BUSY = (
    f"{VERTEX}/global/networks/{name}" for name in ("app", "spoke", "auto", "busy")
)
AUTOMATION = "serviceAccount:automation@lab-vertex.iam.gserviceaccount.com"
CONSTRAINT = "compute.disablePrivateServiceConnectCreationForConsumers"
TOKEN = "ya29.bad-input-made-this-up"
# Project → its number. In each of them stands a network of the name app.
NUMBERS = {OFF: "11", CLOSED: "12", SHUT: "13", LEAST: "14", BLIND: "15"}
# What the playbooks may do in the projects above: everything an endpoint takes, all but some of it, next to nothing.
WHOLE = [
    "compute.*",
    "dns.managedZones.*",
    "servicedirectory.*",
    "resourcemanager.projects.get",
    "orgpolicy.*.get",
]
LACKING = [
    "compute.globalForwardingRules.pscCreate",
    "compute.globalAddresses.createInternal",
    "servicedirectory.namespaces.create",
    "compute.firewalls.create",
    "compute.subnetworks.setPrivateIpGoogleAccess",
]
IN_LEAST = f"{LEAST}/regions/us-central1/subnetworks/app-a"
RIGHTS = {
    LEAST: [*WHOLE, *(f"-{name}" for name in LACKING)],
    BLIND: ["resourcemanager.projects.get", "compute.networks.get"],
}


def number(project: str) -> str:
    return f"5000000000{NUMBERS[project]}"


def policy(holder: str, **rule: Any) -> dict[str, Any]:
    """An organisation policy of a project or an organisation."""
    return {"name": f"{holder}/policies/{CONSTRAINT}", "spec": {"rules": [rule]}}


def project(path: str) -> dict[str, Any]:
    name = path.partition("/")[2]
    return {
        "id": name,
        "number": number(path),
        "name": name,
        "disabled_services": ["compute"] if path == OFF else [],
        "bindings": {f"{path}/roles/endpoints": [AUTOMATION]},
    }


SUBNET = {"name": "app-a", "region": "us-central1", "range": "10.33.1.0/24"}
WORLD: dict[str, Any] = {
    "gcp": {
        "timing": {"operation": 0.05},
        "projects": [project(path) for path in NUMBERS],
        "roles": {f"{path}/roles/endpoints": RIGHTS.get(path, WHOLE) for path in NUMBERS},
        "networks": [
            {"id": AUTO, "auto": True},
            {
                "id": BUSY,
                "subnets": [
                    {
                        **SUBNET,
                        "name": "busy-a",
                        "range": "10.32.1.0/24",
                        "secondary": {"pods": "10.40.0.0/16"},
                    }
                ],
                "routes": [
                    {"name": "appliance", "destRange": "10.9.9.1/32", "nextHopIp": "10.32.1.2"}
                ],
                "firewalls": [
                    {
                        "name": "private-ai-busy-deny",
                        "direction": "EGRESS",
                        "denied": [{"IPProtocol": "tcp"}],
                        "destinationRanges": ["192.0.2.0/24"],
                    }
                ],
            },
            *({"id": f"{path}/global/networks/app", "subnets": [SUBNET]} for path in NUMBERS),
        ],
        "endpoints": [
            {
                "name": "theirs",
                "network": BUSY,
                "address": "10.255.40.2",
                "service_directory_region": "europe-west1",
            },
        ],
        "org_policies": [
            policy(f"projects/{number(CLOSED)}", values={"deniedValues": ["GOOGLE_APIS"]}),
            policy(f"projects/{number(SHUT)}", denyAll=True),
        ],
    }
}
# The same constraint, set by the organisation and inherited.
ALLOWED = policy(f"organizations/{ORGANIZATION}", values={"allowedValues": ["SERVICE_PRODUCERS"]})


@dataclass(frozen=True)
class Bad:
    """says: what the sentence must have. wish: of the network, which is APP. options: the module's others."""

    says: tuple[str, ...]
    wish: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def task(self) -> dict[str, Any]:
        networks = self.options.get("networks") or [
            {"network": APP, "endpoint_name": "pscvertex", **self.wish}
        ]
        return {NAME: {**self.options, "networks": networks}}


def bad(*says: str, options: Mapping[str, Any] | None = None, **wish: Any) -> Bad:
    return Bad(says, wish, options or {})


def app_of(path: str) -> str:
    return f"{path}/global/networks/app"


CASES: dict[str, Bad] = {
    "dashes": bad("'psc-vertex'", "no dashes", "Use pscvertex", endpoint_name="psc-vertex"),
    "21 characters": bad("1 to 20", f"Use {'p' * 20}.", endpoint_name="p" * 21),
    "a digit first": bad("a letter first", "Use psc9vertex", endpoint_name="9vertex"),
    "upper case": bad("lowercase", "Use pscvertex", endpoint_name="PscVertex"),
    "the address's name": bad("address_name: 'My_IP'", "Use my-ip", address_name="My_IP"),
    "somebody else's name": bad(
        "endpoint_name: ", "theirs exists and belongs to", "Use theirs2", endpoint_name="theirs"
    ),
    "inside a subnet": bad(
        "10.30.1.9", "10.30.1.0/24", "subnetworks/app-a", "outside", address="10.30.1.9"
    ),
    "inside a secondary range": bad(
        "10.40.3.4", "10.40.0.0/16", "subnetworks/busy-a", network=BUSY, address="10.40.3.4"
    ),
    "inside a peer's subnet": bad("10.31.1.0/24", "subnetworks/spoke-a", address="10.31.1.9"),
    "a route's": bad("10.9.9.1/32", "routes/appliance", network=BUSY, address="10.9.9.1"),
    "an auto mode network's": bad(
        "10.130.0.1", "10.128.0.0/9", "auto mode", network=AUTO, address="10.130.0.1"
    ),
    "another endpoint's": bad(
        "10.255.40.2 is the address of",
        "forwardingRules/theirs, whose bundle is all-apis",
        network=BUSY,
        address="10.255.40.2",
        bundle="vpc-sc",
    ),
    "a range for an address": bad("no single IPv4", "10.255.255.1", address="10.255.0.0/24"),
    "no such network": bad(
        "networks/none does not exist",
        "Check its project and name",
        network=f"{VERTEX}/global/networks/none",
    ),
    "no such project": bad("lab-nowhere", network="projects/lab-nowhere/global/networks/app"),
    "no network's path": bad(
        "'app/eu' is not a path", "projects/PROJECT/global/networks/NAME", network="app/eu"
    ),
    "one network twice": bad(
        f"{APP} is named twice",
        "Give each network once",
        options={"networks": [{"network": APP}, {"network": APP, "endpoint_name": "other"}]},
    ),
    "no such subnet": bad(
        "subnetworks/none does not exist",
        options={"private_google_access_subnets": ["regions/us-central1/subnetworks/none"]},
    ),
    "another region of Service Directory": bad(
        "us-central1 is not the region of",
        "forwardingRules/theirs, europe-west1",
        "Leave it out or set europe-west1",
        network=BUSY,
        options={"service_directory_region": "us-central1"},
    ),
    "somebody else's firewall rule": bad(
        "firewalls/private-ai-busy-deny exists",
        "Rename or remove",
        network=BUSY,
        options={"allowed_cidrs": ["10.32.0.0/16"]},
    ),
    "no region": bad("'Iowa!' is no region", "us-central1", options={"regions": ["Iowa!"]}),
    "a name of another domain": bad(
        "no name under googleapis.com",
        "Leave it out",
        options={"extra_hosts": ["1.us-central1-2.prediction.vertexai.goog"]},
    ),
    "a range with bits behind": bad(
        "allowed_cidrs: '10.30.0.1/16'", options={"allowed_cidrs": ["10.30.0.1/16"]}
    ),
    "a label": bad("labels: Team=A", "lowercase", options={"labels": {"Team": "A"}}),
    "compute is not enabled": bad(
        "compute.googleapis.com is not enabled",
        "gcloud services enable compute.googleapis.com",
        network=app_of(OFF),
    ),
    "permissions to write": bad(
        *(f"permission denied for {name}" for name in LACKING),
        f"{LEAST}: ",
        f"{IN_LEAST}: ",
        "Give these credentials a role",
        network=app_of(LEAST),
        options={"allowed_cidrs": ["10.0.0.0/8"], "private_google_access_subnets": [IN_LEAST]},
    ),
    "a permission to read": bad(
        "permission denied for compute.globalForwardingRules.list",
        BLIND,
        "Give these credentials a role",
        network=app_of(BLIND),
    ),
    "an organisation policy that denies endpoints": bad(
        CONSTRAINT, "GOOGLE_APIS", CLOSED, "Ask who keeps", network=app_of(CLOSED)
    ),
    "an organisation policy that denies everything": bad(CONSTRAINT, SHUT, network=app_of(SHUT)),
    "a token that Google does not take": bad(
        "Check the credentials", options={"auth_kind": "accesstoken", "access_token": TOKEN}
    ),
    "no key file": bad(
        "/nowhere.json",
        options={"auth_kind": "serviceaccount", "service_account_file": "/nowhere.json"},
    ),
    "an account that is not to be impersonated": bad(
        "iam.serviceAccounts.getAccessToken",
        options={"impersonate_service_account": "admin@lab-vertex.iam.gserviceaccount.com"},
    ),
    "several mistakes": bad(
        "'psc-app' cannot be",
        "'10.300.0.1' is no single IPv4 address",
        "labels: ",
        options={
            "networks": [
                {"network": APP, "endpoint_name": "psc-app"},
                {"network": SPOKE, "address": "10.300.0.1"},
            ],
            "labels": {"private-ai-endpoints": "managed"},
        },
    ),
}
INHERITED = {
    "the organisation allows others only": bad(CONSTRAINT, VERTEX, "Ask who keeps"),
    "also in check mode": bad(CONSTRAINT, VERTEX, "Ask who keeps"),
}
# World → what is wrong in it.
WORLDS: dict[str, tuple[dict[str, Any], dict[str, Bad]]] = {
    "projects": (WORLD, CASES),
    "organization": ({"gcp": {"org_policies": [ALLOWED]}}, INHERITED),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """World → the results of its mistakes, which were all made in one lab."""
    return {
        name: Lab(tmp_path_factory.mktemp(name)).tasks(
            *(
                {**item.task, "check_mode": case.endswith("check mode")}
                for case, item in cases.items()
            ),
            world=world,
        )
        for name, (world, cases) in WORLDS.items()
    }


@pytest.mark.parametrize(
    ("world", "case"), [(world, case) for world, (_, cases) in WORLDS.items() for case in cases]
)
def test_a_mistake_is_one_clear_sentence(told: dict[str, Outcome], world: str, case: str) -> None:
    cases = WORLDS[world][1]
    result = told[world].results[list(cases).index(case)]
    assert result.get("failed"), result
    for text in cases[case].says:
        assert text in result["msg"], result["msg"]
    assert result["error"]["resource"] and result["error"]["fix"], result
    said = json.dumps(result)
    assert "Traceback" not in said and TOKEN not in said


@pytest.mark.parametrize("world", WORLDS)
def test_nothing_is_written(told: dict[str, Outcome], world: str) -> None:
    assert told[world].writes == []
