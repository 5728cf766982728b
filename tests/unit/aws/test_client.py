# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AWS client: options, errors at the edge, and calls at once."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws import client, lockdown
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.waiting import (
    Deadline,
    until,
)

KEYS = {"region": "us-east-1", "access_key": "AKIAEXAMPLE", "secret_key": "hush-hush"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "EC2_REGION", "AWS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


def answered(code: str, message: str = "no", status: int = 400) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
        },
        "CreateVpcEndpoint",
    )


DENIED = (
    "You are not authorized to perform this operation. User: arn:aws:iam::2:user/a is not authorized to perform: "
    "ec2:CreateTags on resource: x with an explicit deny in a service control policy. "
    "Encoded authorization failure message: abcdefg"
)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            answered("UnauthorizedOperation", DENIED),
            "denied",
            ("ec2:CreateTags", "service control policy"),
        ),
        (answered("AccessDenied"), "denied", ("ec2:CreateVpcEndpoint", "Allow")),
        (
            answered("AccessDenied", "because no permissions boundary allows the x action"),
            "denied",
            ("Let the permissions boundary allow ec2:CreateVpcEndpoint",),
        ),
        (answered("ExpiredToken"), "credentials", ("expired", "clock")),
        (answered("AuthFailure"), "credentials", ("does not accept",)),
        (answered("RequestLimitExceeded", status=503), "throttled", ("throttling",)),
        (answered("InternalError", status=500), "server", ("InternalError",)),
        (answered("InvalidVpcID.NotFound"), "missing", ("InvalidVpcID.NotFound",)),
        (answered("InvalidParameter"), "refused", ("InvalidParameter",)),
        (sdk.NoCredentialsError(), "credentials", ("no AWS credentials", "AWS_ACCESS_KEY_ID")),
        (sdk.ProfileNotFound(profile="p"), "credentials", ("profile: ",)),
        (sdk.SSLError(endpoint_url="u", error="e"), "network", ("TLS", "aws_ca_bundle")),
        (sdk.EndpointConnectionError(endpoint_url="u"), "network", ("could not be reached",)),
        (sdk.ReadTimeoutError(endpoint_url="u"), "network", ("could not be reached",)),
        (sdk.ParamValidationError(report="r"), "refused", ("options",)),
    ],
)
def test_errors_leave_the_edge_as_one_sentence(
    error: Exception, kind: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(client.AwsError) as caught, client.calling("vpc-1", "ec2:CreateVpcEndpoint"):
        raise error
    assert caught.value.kind == kind
    assert caught.value.code
    assert all(word in caught.value.message for word in words)
    assert "abcdefg" not in caught.value.message


def test_a_fault_of_our_own_is_not_translated() -> None:
    with pytest.raises(KeyError), client.calling("vpc-1"):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({**KEYS, "profile": "p"}, "exclude each other"),
        ({"region": "us-east-1", "secret_key": "s"}, "access_key: "),
        ({"region": "us-east-1", "access_key": "a"}, "secret_key: "),
        ({"access_key": "a", "secret_key": "s"}, "no AWS Region"),
        ({**KEYS, "region": "not a region"}, "region: "),
        ({"region": "us-east-1", "profile": "nobody"}, "nobody"),
    ],
)
def test_options_that_cannot_be_meant(params: dict[str, Any], words: str) -> None:
    with pytest.raises(EndpointError, match=words):
        client.connect(params)


def test_what_has_one_place_needs_no_region() -> None:
    keys = {"access_key": "a", "secret_key": "s"}
    assert client.connect(keys, home="us-east-1").region == "us-east-1"
    assert client.connect({**keys, "region": "eu-west-1"}, home="us-east-1").region == "eu-west-1"


@pytest.mark.parametrize(
    ("role", "region"),
    [
        (None, "us-east-1"),
        ("arn:aws:iam::111111111111:role/lock", "us-east-1"),
        ("arn:aws-us-gov:iam::111111111111:role/lock", "us-gov-west-1"),
        ("arn:aws-cn:iam::111111111111:role/lock", "cn-northwest-1"),
    ],
)
def test_an_organization_is_where_its_role_is(role: str | None, region: str) -> None:
    assert lockdown.home({"assume_role_arn": role}) == region


def test_older_names_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EC2_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY", "AKIAOLD")
    monkeypatch.setenv("AWS_SECRET_KEY", "old")
    connection = client.connect({})
    assert connection.region == "eu-west-1"
    assert connection.keys == {"aws_access_key_id": "AKIAOLD", "aws_secret_access_key": "old"}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANEW")
    assert client.connect({}).keys is None


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])
def test_temporary_keys_as_awx_injects_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv(name, "brief")
    connection = client.connect({"region": "us-east-1"})
    assert connection.session.get_credentials().token == "brief"


def test_a_connection_does_not_show_its_keys() -> None:
    assert "hush" not in repr(client.connect(KEYS))


def test_clients_are_made_once_and_say_who_they_are() -> None:
    connection = client.connect(KEYS)
    made = client.gather({str(n): lambda: connection.client("ec2") for n in range(8)})
    assert len({id(item) for item in made.values()}) == 1
    assert client.USER_AGENT in connection.client("ec2").meta.config.user_agent_extra
    assert connection.client("ec2", region="eu-west-1").meta.region_name == "eu-west-1"
    assert connection.partition() == "aws"


def test_calls_run_at_once() -> None:
    barrier = threading.Barrier(4, timeout=5)
    assert client.gather({str(n): barrier.wait for n in range(4)}).keys() == {"0", "1", "2", "3"}


def test_the_first_failure_tells_of_the_others() -> None:
    def fail(text: str) -> None:
        raise EndpointError(text)

    with pytest.raises(EndpointError) as caught:
        client.gather({"a": lambda: fail("one"), "b": lambda: 1, "c": lambda: fail("two")})
    assert caught.value.message == "one.\n- two."
    outcomes = client.settle({"a": lambda: fail("one"), "b": lambda: 1})
    assert outcomes["b"] == 1 and isinstance(outcomes["a"], EndpointError)


def test_a_wait_ends_and_says_what_for() -> None:
    began = time.monotonic()
    with pytest.raises(EndpointError, match=r"waited 0\.3 seconds: vpce-1 is pending"):
        until(Deadline(0.3), "endpoints", lambda: "vpce-1 is pending")
    assert 0.25 < time.monotonic() - began < 2


def test_a_wait_asks_at_once() -> None:
    asked = []
    until(Deadline(0), "endpoints", lambda: asked.append(1) or "")
    assert asked == [1]
