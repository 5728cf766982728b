# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small Google world for the simulator's own tests, and Google's real clients, which talk to it without a network."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import google.auth.transport.requests
import requests
import requests.adapters
from google.oauth2 import service_account

from ..cloud import Request, Vantage
from . import Gcp, keys
from .state import State
from .tokens import EVERYTHING
from .world import load

ORGANIZATION, POLICY = "organizations/400000000001", "accessPolicies/600000000001"
APP_NETWORK = "projects/lab-vertex/global/networks/app"
SPOKE_NETWORK = "projects/lab-vertex/global/networks/spoke"
SUBNET = "projects/lab-vertex/regions/us-central1/subnetworks/app-a"
SPOKE_SUBNET = "projects/lab-vertex/regions/us-central1/subnetworks/spoke-a"
ADMIN, APP, VIEWER = (
    f"{name}@lab-vertex.iam.gserviceaccount.com" for name in ("admin", "app", "viewer")
)
OTHER = "batch@lab-other.iam.gserviceaccount.com"

WORLD: Mapping[str, Any] = {
    "gcp": {
        "organization": {
            "id": "400000000001",
            "bindings": {"roles/owner": [f"serviceAccount:{ADMIN}"]},
        },
        "projects": [
            {
                "id": "lab-vertex",
                "number": "500000000001",
                "bindings": {
                    "roles/viewer": [f"serviceAccount:{VIEWER}"],
                    "roles/logging.viewer": [f"serviceAccount:{VIEWER}"],
                    "roles/aiplatform.user": [f"serviceAccount:{APP}", f"serviceAccount:{OTHER}"],
                    "roles/storage.admin": [f"serviceAccount:{APP}"],
                },
                "audit": {"aiplatform.googleapis.com": ["DATA_READ"]},
            },
            {"id": "lab-other", "number": "500000000002"},
            {"id": "lab-payments", "number": "500000000003"},
            {"id": "lab-empty", "number": "500000000004", "disabled_services": ["compute"]},
        ],
        "service_accounts": [
            {"id": ADMIN},
            {"id": APP, "creators": [f"serviceAccount:{VIEWER}"]},
            {"id": VIEWER},
            {"id": OTHER},
        ],
        "networks": [
            {
                "id": APP_NETWORK,
                "subnets": [
                    {
                        "name": "app-a",
                        "region": "us-central1",
                        "range": "10.30.1.0/24",
                        "private_google_access": True,
                        "secondary": {"pods": "10.40.0.0/16"},
                    }
                ],
                "routes": [{"name": "host", "destRange": "10.9.9.1/32", "nextHopIp": "10.30.1.2"}],
            },
            {
                "id": SPOKE_NETWORK,
                "subnets": [
                    {
                        "name": "spoke-a",
                        "region": "us-central1",
                        "range": "10.31.1.0/24",
                        "private_google_access": True,
                    }
                ],
            },
            {"id": "projects/lab-vertex/global/networks/auto", "auto": True},
        ],
        "peerings": [{"networks": [APP_NETWORK, SPOKE_NETWORK]}],
        "access_policies": [
            {
                "id": "600000000001",
                "levels": [
                    {
                        "name": "office",
                        "title": "office",
                        "basic": {"conditions": [{"ipSubnetworks": ["198.51.100.10/32"]}]},
                    }
                ],
                "perimeters": [
                    {
                        "name": "payments",
                        "title": "payments",
                        "perimeterType": "PERIMETER_TYPE_REGULAR",
                        "status": {
                            "resources": ["projects/500000000003"],
                            "restrictedServices": ["storage.googleapis.com"],
                        },
                    }
                ],
            }
        ],
        "buckets": [{"name": "lab-vertex-data", "project": "lab-vertex"}],
    }
}


def vantage(
    name: str, address: str, network: str = "", subnetwork: str = "", **more: Any
) -> Vantage:
    """A place in a network, or in the internet when `network` is empty."""
    place = {"gcp": {"network": network, "subnetwork": subnetwork, **more}} if network else {}
    if "external_address" not in more and network:
        place["gcp"]["external_address"] = False
    position = "inside" if network else "outside"
    return Vantage(name, address, position, True, "198.51.100.200" if network else address, place)


INSIDE = vantage("gcp-app", "10.30.1.10", APP_NETWORK, SUBNET, tags=["app"])
IN_SPOKE = vantage("gcp-spoke", "10.31.1.10", SPOKE_NETWORK, SPOKE_SUBNET)
OUTSIDE = vantage("outside", "198.51.100.10")


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = float(int(time.time()))

    def __call__(self) -> float:
        return self.time


def world(**sections: Any) -> dict[str, Any]:
    """The sample world with some sections of `gcp` replaced."""
    made = copy.deepcopy({key: dict(value) for key, value in WORLD.items()})
    made["gcp"].update(sections)
    return made


def state(clock: Clock | None = None, **sections: Any) -> State:
    return load(world(**sections), clock)


class Wire(requests.adapters.BaseAdapter):
    """Carries requests to a cloud in this process, from a vantage, to where its resolver says or to `dial`."""

    def __init__(self, cloud: Gcp, place: Vantage = OUTSIDE, dial: str = "") -> None:
        super().__init__()
        self._cloud = cloud
        self._place = place
        self._dial = dial

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_: Any
    ) -> requests.Response:
        url = urlsplit(str(request.url))
        host = str(url.hostname)
        address = self._dial
        if not address:
            found = self._cloud.resolve(self._place, host, "A")
            if found is None or not found.addresses:
                raise requests.ConnectionError(f"{host} does not resolve")
            address = found.addresses[0]
        body = request.body or b""
        arrived = Request(
            self._place,
            address,
            host,
            str(request.method),
            url.path,
            url.query,
            {name.lower(): str(value) for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else bytes(body),
            self._cloud.state.now(),
        )
        answer = self._cloud.answer(arrived, self._cloud.parse(arrived))
        made = requests.Response()
        made.status_code, made.request, made.url = answer.status, request, str(request.url)
        made.headers.update(answer.headers)
        made._content = answer.body
        return made

    def close(self) -> None:
        """Nothing is open."""


def credentials(cloud: Gcp, email: str) -> service_account.Credentials:
    account = cloud.state.accounts[email]
    document = keys.key_file(email, account.project, account.number)
    made: service_account.Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
        document, scopes=[EVERYTHING]
    )
    return made


def session(
    cloud: Gcp, email: str = ADMIN, place: Vantage = OUTSIDE, dial: str = ""
) -> google.auth.transport.requests.AuthorizedSession:
    """google-auth's own session, which gets its tokens from the lab's token endpoint."""
    plain = requests.Session()
    plain.mount("https://", Wire(cloud, place))
    made = google.auth.transport.requests.AuthorizedSession(  # type: ignore[no-untyped-call]
        credentials(cloud, email), auth_request=google.auth.transport.requests.Request(plain)
    )
    made.mount("https://", Wire(cloud, place, dial))
    return made


def anonymous(cloud: Gcp, place: Vantage = OUTSIDE, dial: str = "") -> requests.Session:
    made = requests.Session()
    made.mount("https://", Wire(cloud, place, dial))
    return made
