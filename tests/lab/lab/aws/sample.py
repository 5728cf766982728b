# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small AWS world for the simulator's own tests, and real boto clients that talk to it without a network."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.config
import botocore.session

from ..cloud import Call, Request, Response, Vantage
from .state import State
from .world import load

FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
AGENT_ROLE = "arn:aws:iam::222222222222:role/AmazonBedrockExecutionRoleForAgents_lab"
APP = "arn:aws:iam::222222222222:user/app"
ADMIN = "arn:aws:iam::111111111111:user/admin"
VPC, SPOKE = "vpc-0a00000000000000a", "vpc-0b00000000000000b"
SUBNET_A, SUBNET_B = "subnet-0a0000000000000a1", "subnet-0a0000000000000b1"
SPOKE_SUBNET = "subnet-0b0000000000000a1"
APP_GROUP, ENDPOINT_GROUP = "sg-0a0000000000000a9", "sg-0a0000000000000e1"
ENDPOINT = "vpce-0a0000000000000e1"

WORLD: Mapping[str, Any] = {
    "aws": {
        "organization": {
            "id": "o-labprivate1",
            "management_account": "111111111111",
            "root": "r-lab1",
            "units": [{"id": "ou-lab1-workload", "name": "workload", "parent": "r-lab1"}],
            "accounts": [
                {"id": "111111111111", "name": "management", "parent": "r-lab1"},
                {"id": "222222222222", "name": "app", "parent": "ou-lab1-workload"},
            ],
        },
        "principals": [
            {
                "arn": APP,
                "access_key": "AKIALABAPPLICATION00",
                "secret_key": "app-secret",
                "policies": [FULL],
            },
            {"arn": AGENT_ROLE, "policies": [FULL]},
            {
                "arn": ADMIN,
                "access_key": "AKIALABADMIN00000000",
                "secret_key": "admin-secret",
                "policies": [FULL],
            },
        ],
        "regions": {
            "us-east-1": {"zones": {"us-east-1a": "use1-az1", "us-east-1b": "use1-az2"}},
            "us-west-2": {"zones": {"us-west-2a": "usw2-az1"}},
        },
        "vpcs": [
            {
                "id": VPC,
                "account": "222222222222",
                "region": "us-east-1",
                "cidr": "10.10.0.0/16",
                "dns_hostnames": True,
                "subnets": [
                    {"id": SUBNET_A, "cidr": "10.10.1.0/24", "zone": "us-east-1a"},
                    {"id": SUBNET_B, "cidr": "10.10.2.0/24", "zone": "us-east-1b"},
                ],
                "security_groups": [
                    {"id": APP_GROUP, "name": "application"},
                    {
                        "id": ENDPOINT_GROUP,
                        "name": "endpoints",
                        "ingress": [
                            {
                                "protocol": "tcp",
                                "from_port": 443,
                                "to_port": 443,
                                "cidr": "10.0.0.0/8",
                            }
                        ],
                        "egress": [],
                    },
                ],
            },
            {
                "id": SPOKE,
                "account": "222222222222",
                "region": "us-east-1",
                "cidr": "10.20.0.0/16",
                "dns_hostnames": True,
                "subnets": [{"id": SPOKE_SUBNET, "cidr": "10.20.1.0/24", "zone": "us-east-1a"}],
            },
        ],
        "peerings": [{"id": "pcx-0ab0000000000000b", "requester": VPC, "accepter": SPOKE}],
        "endpoints": [
            {
                "id": ENDPOINT,
                "vpc": VPC,
                "service": "bedrock",
                "subnets": [SUBNET_A, SUBNET_B],
                "security_groups": [ENDPOINT_GROUP],
            }
        ],
    }
}


def vantage(name: str, address: str, subnet: str = "", groups: Sequence[str] = ()) -> Vantage:
    """A place in a subnet, or in the internet when `subnet` is empty."""
    place = {"aws": {"subnet": subnet, "security_groups": list(groups)}} if subnet else {}
    position = "inside" if subnet else "outside"
    public = "198.51.100.200" if subnet else address
    return Vantage(name, address, position, True, public, place)


INSIDE = vantage("app-a", "10.10.1.10", SUBNET_A, [APP_GROUP])
INSIDE_B = vantage("app-b", "10.10.2.10", SUBNET_B, [APP_GROUP])
IN_SPOKE = vantage("spoke-a", "10.20.1.10", SPOKE_SUBNET)
OUTSIDE = vantage("outside", "198.51.100.10")
VANTAGES = (INSIDE, INSIDE_B, IN_SPOKE, OUTSIDE)


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.time = float(int(time.time()))

    def __call__(self) -> float:
        return self.time


def world(**sections: Any) -> dict[str, Any]:
    """The sample world with some sections of `aws` replaced."""
    made = copy.deepcopy({key: dict(value) for key, value in WORLD.items()})
    made["aws"].update(sections)
    return made


def state(clock: Clock | None = None, **sections: Any) -> State:
    """The state of the sample world with some sections of `aws` replaced."""
    return load(world(**sections), VANTAGES, clock)


class Plane(Protocol):
    """What takes requests: the data planes, the control planes, or all of AWS."""

    def parse(self, request: Request) -> Call: ...

    def answer(self, request: Request, call: Call) -> Response: ...


def request_of(
    prepared: botocore.awsrequest.AWSPreparedRequest, source: Vantage, address: str
) -> Request:
    """What the lab's front makes of a request that botocore would send."""
    url = urlsplit(prepared.url)
    body: Any = prepared.body or b""
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    headers["host"] = url.netloc
    return Request(
        source,
        address,
        url.hostname or "",
        prepared.method,
        url.path or "/",
        url.query,
        headers,
        body if isinstance(body, bytes) else body.encode(),
        time.time(),
    )


@functools.cache
def _session() -> Any:
    # One for all: it keeps the models it has read.
    return botocore.session.get_session()


class _Raw:
    """The part of urllib3's response that botocore reads streams from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Any:
        yield self._body

    def read(self, *_: Any) -> bytes:
        return self._body


def client(
    plane: Plane,
    service: str,
    source: Vantage,
    address: str = "203.0.113.64",
    *,
    region: str = "us-east-1",
    access_key: str = "AKIALABAPPLICATION00",
    secret_key: str = "app-secret",
    endpoint_url: str | None = None,
    token: str | None = None,
) -> Any:
    """A boto client whose requests go straight to `plane`, as if sent to `address` by `source`."""
    made = _session().create_client(
        service,
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        aws_session_token=token,
        endpoint_url=endpoint_url,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )

    def send(request: Any, **_: Any) -> Any:
        arrived = request_of(request, source, address)
        response = plane.answer(arrived, plane.parse(arrived))
        headers: Any = botocore.awsrequest.HeadersDict(response.headers)
        raw: Any = _Raw(response.body)
        return botocore.awsrequest.AWSResponse(request.url, response.status, headers, raw)

    made.meta.events.register("before-send", send)
    return made
