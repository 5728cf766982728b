# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Azure client: which credential, which URL, what is sent again, and what an error says."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import requests
import urllib3
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from ansible_collections.private_ai.endpoints.plugins.module_utils.azure import (
    client,
    credentials,
    operation,
    pipeline,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.azure.errors import answered
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.names import cloud
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.waiting import Deadline

PRINCIPAL = {"tenant": "t", "client_id": "c", "secret": "hush-hush"}
VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"
BUSY = {"error": {"code": "AnotherOperationInProgress", "message": "busy"}}

Answer = tuple[int, Mapping[str, str], Any]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in credentials.ENVIRONMENT.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name in ("AZURE_SUBSCRIPTION_ID", "AZURE_CLOUD_ENVIRONMENT", "ANSIBLE_AZURE_AUTH_SOURCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(operation, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(operation, "LONGEST_PAUSE", 0.02)
    return iter(())


class Credential:
    """Gives a token and counts how often."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[str] = []
        self.error = error

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.asked += scopes
        if self.error:
            raise self.error
        return AccessToken("token", int(time.time()) + 3600)


class Azure:
    """Answers what it is told, in order; the last answer for ever."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[requests.PreparedRequest] = []

    def send(self, adapter: Any, request: Any, **_options: Any) -> Any:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, headers, document = answer
        body = b"" if document is None else json.dumps(document).encode()
        raw = urllib3.HTTPResponse(
            io.BytesIO(body),
            headers={"Content-Type": "application/json", **headers},
            status=status,
            preload_content=False,
        )
        return adapter.build_response(request, raw)

    def sent(self) -> list[str]:
        return [f"{item.method} {str(item.url).split('azure.com')[1]}" for item in self.requests]


Start = Callable[..., tuple[Azure, client.Connection]]


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Start:
    def start(
        *answers: Answer | Exception, credential: Any = None
    ) -> tuple[Azure, client.Connection]:
        double = Azure(*answers)
        monkeypatch.setattr(
            requests.adapters.HTTPAdapter,
            "send",
            lambda adapter, request, **options: double.send(adapter, request, **options),
        )
        where = cloud("AzureCloud")
        used = credential or Credential()
        return double, client.Connection(
            cloud=where,
            subscription_id="s",
            credential=used,
            pipeline=pipeline.make(used, where.scope),
        )

    return start


@pytest.mark.parametrize(
    ("params", "method"),
    [
        (PRINCIPAL, "secret"),
        ({"tenant": "t", "client_id": "c", "x509_certificate_path": "/p"}, "x509_certificate_path"),
        ({"tenant": "t", "client_id": "c", "federated_token_file": "/p"}, "federated_token_file"),
        ({"ad_user": "u", "password": "p"}, "password"),
        ({"auth_source": "cli"}, "cli"),
        ({"auth_source": "msi", "client_id": "c"}, "msi"),
        ({"tenant": "t"}, "default"),
        ({}, "default"),
    ],
)
def test_the_options_choose(params: dict[str, Any], method: str) -> None:
    assert credentials.choose(params).method == method


@pytest.mark.parametrize(
    "names",
    [
        ("AZURE_TENANT", "AZURE_CLIENT_ID", "AZURE_SECRET"),
        ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
        ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_SECRET"),
    ],
)
def test_awx_and_azure_identity_names_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for name in names:
        monkeypatch.setenv(name, f"of-{name}")
    choice = credentials.choose({})
    assert choice.method == "secret"
    assert choice.values == {
        "tenant": f"of-{names[0]}",
        "client_id": f"of-{names[1]}",
        "secret": f"of-{names[2]}",
    }
    # Options come first, and are not completed from the environment.
    assert credentials.choose(PRINCIPAL).values == PRINCIPAL
    with pytest.raises(EndpointError, match="client_id"):
        credentials.choose({"secret": "s"})


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"tenant": "t", "client_id": "c"}, "secret: client_id is given without secret"),
        ({"client_id": "c", "secret": "s"}, "tenant: secret is given without tenant"),
        ({"tenant": "t", "secret": "s"}, "client_id: "),
        ({"tenant": "t", "x509_certificate_path": "/p"}, "client_id: "),
        ({"ad_user": "u"}, "password: "),
        ({"password": "p"}, "ad_user: "),
        ({"auth_source": "env"}, "AZURE_SECRET"),
        ({**PRINCIPAL, "cloud_environment": "AzureGermanCloud"}, "cloud_environment: "),
        ({**PRINCIPAL, "tenant": "no tenant!"}, "secret: cannot be used"),
    ],
)
def test_a_partial_set_is_refused_and_names_what_is_missing(
    params: dict[str, Any], words: str
) -> None:
    with pytest.raises(EndpointError, match=words) as caught:
        client.connect(params)
    assert "hush" not in caught.value.message


def test_a_partial_environment_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "c")
    monkeypatch.setenv("AZURE_TENANT_ID", "t")
    with pytest.raises(
        EndpointError, match="AZURE_CLIENT_ID is given without AZURE_SECRET or AZURE_CLIENT_SECRET"
    ):
        client.connect({})


def test_a_connection_does_not_show_its_secret() -> None:
    connection = client.connect(PRINCIPAL)
    assert "hush" not in repr(connection)
    assert "hush" not in repr(credentials.choose(PRINCIPAL))


@pytest.mark.parametrize(
    ("name", "authority", "manager", "scope"),
    [
        (None, "login.microsoftonline.com", "management.azure.com", "management.azure.com"),
        (
            "azureusgovernment",
            "login.microsoftonline.us",
            "management.usgovcloudapi.net",
            "management.core.usgovcloudapi.net",
        ),
        (
            "AzureChinaCloud",
            "login.chinacloudapi.cn",
            "management.chinacloudapi.cn",
            "management.chinacloudapi.cn",
        ),
    ],
)
def test_sovereign_clouds(
    monkeypatch: pytest.MonkeyPatch, name: str | None, authority: str, manager: str, scope: str
) -> None:
    if name:
        monkeypatch.setenv("AZURE_CLOUD_ENVIRONMENT", name)
    connection = client.connect({**PRINCIPAL, "subscription_id": "s"})
    assert connection.cloud.authority == authority
    assert connection.cloud.scope == f"https://{scope}/.default"
    assert connection.url(VNET, None, None).startswith(f"https://{manager}/subscriptions/s/")
    assert connection.subscription() == "s"


@pytest.mark.parametrize(
    ("path", "version"),
    [
        (VNET, "microsoft.network"),
        (
            VNET.replace("virtualNetworks", "PRIVATEDNSZONES") + "/A/x",
            "microsoft.network/privatednszones",
        ),
        (VNET + "/providers/Microsoft.Insights/diagnosticSettings", "microsoft.insights"),
        ("/subscriptions", "microsoft.resources"),
    ],
)
def test_the_version_follows_the_provider(path: str, version: str) -> None:
    assert client.version_of(path) == client.API_VERSIONS[version]


def test_a_link_that_carries_its_version_keeps_it() -> None:
    assert client.version_of("https://management.azure.com/x/providers/A.B/c?api-version=1") is None


def test_all_pages_are_read(azure: Start) -> None:
    more = "https://management.azure.com/next?api-version=2&$skiptoken=x"
    double, connection = azure(
        (200, {}, {"value": [{"name": "a"}], "nextLink": more}),
        (200, {}, {"value": [{"name": "b"}]}),
    )
    assert [item["name"] for item in connection.list(VNET + "/subnets")] == ["a", "b"]
    assert double.sent()[1] == "GET /next?api-version=2&$skiptoken=x"
    assert double.requests[0].headers["Authorization"] == "Bearer token"
    assert client.Connection and pipeline.USER_AGENT in double.requests[0].headers["User-Agent"]


def test_threads_share_one_token_and_scopes_do_not(azure: Start) -> None:
    credential = Credential()
    _double, connection = azure((200, {}, {"name": "v"}), credential=credential)
    client.gather({str(n): lambda: connection.get(VNET) for n in range(8)})
    assert credential.asked == ["https://management.azure.com/.default"]
    connection.rest("POST", "https://x.azure.com/q", {}, scope="https://x.azure.com/.default")
    assert credential.asked[1:] == ["https://x.azure.com/.default"]


def test_what_does_not_exist(azure: Start) -> None:
    gone = (404, {}, {"error": {"code": "ResourceNotFound", "message": "v was not found"}})
    _double, connection = azure(gone)
    assert connection.find(VNET) is None
    with pytest.raises(client.AzureError, match="v was not found") as caught:
        connection.get(VNET)
    assert caught.value.kind == "missing" and caught.value.code == "ResourceNotFound"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_throttling_and_lost_connections_are_tried_again(azure: Start, method: str) -> None:
    double, connection = azure(
        (429, {"Retry-After": "0"}, None),
        requests.ConnectionError("reset"),
        (200, {}, {"name": "v"}),
    )
    connection.write(method, VNET, {"a": 1}) if method != "GET" else connection.get(VNET)
    assert len(double.requests) == 3


def test_a_write_waits_for_another_one_and_for_its_own_end(azure: Start) -> None:
    monitor = {"Azure-AsyncOperation": "https://management.azure.com/op?api-version=1"}
    double, connection = azure(
        (409, {}, BUSY),
        (201, monitor, {"properties": {"provisioningState": "Updating"}}),
        (200, {}, {"status": "InProgress"}),
        (200, {}, {"status": "Succeeded"}),
        (200, {}, {"name": "v", "properties": {"provisioningState": "Succeeded"}}),
    )
    assert connection.write("PUT", VNET, {"x": 1}, etag='W/"1"')["name"] == "v"
    verbs = [line.split("?")[0] for line in double.sent()]
    path = VNET.removeprefix("")
    assert verbs == [f"PUT {path}", f"PUT {path}", "GET /op", "GET /op", f"GET {path}"]
    assert double.requests[1].headers["If-Match"] == 'W/"1"'
    assert "If-Match" not in double.requests[4].headers


def test_busy_inside_an_operation_is_tried_again_and_a_failure_is_told(azure: Start) -> None:
    monitor = {"Azure-AsyncOperation": "https://management.azure.com/op?api-version=1"}
    failed = {
        "status": "Failed",
        "error": {"code": "SubnetIsFull", "message": "no address is left"},
    }
    double, connection = azure(
        (200, monitor, {}),
        (200, {}, {"status": "Failed", **BUSY}),
        (200, monitor, {}),
        (200, {}, failed),
    )
    with pytest.raises(client.AzureError, match="no address is left") as caught:
        connection.write("PUT", VNET, {})
    assert caught.value.code == "SubnetIsFull"
    assert [item.method for item in double.requests] == ["PUT", "GET", "PUT", "GET"]


def test_operations_without_a_monitor(azure: Start) -> None:
    double, connection = azure(
        (202, {"Location": "https://management.azure.com/later?api-version=1"}, None),
        (202, {}, None),
        (204, {}, None),
    )
    assert connection.write("DELETE", VNET) is None
    assert [item.method for item in double.requests] == ["DELETE", "GET", "GET"]
    double, connection = azure(
        (200, {}, {"properties": {"provisioningState": "Accepted"}}),
        (200, {}, {"properties": {"provisioningState": "Failed"}}),
    )
    with pytest.raises(client.AzureError, match="provisioning ended as failed"):
        connection.write("PATCH", VNET, {})


def test_a_wait_has_a_bound(azure: Start) -> None:
    monitor = {"Azure-AsyncOperation": "https://management.azure.com/op?api-version=1"}
    _double, connection = azure((201, monitor, {}), (200, {}, {"status": "InProgress"}))
    with pytest.raises(EndpointError, match="wait_timeout") as caught:
        connection.write("PUT", VNET, {}, deadline=Deadline(0.2))
    assert caught.value.code == "Timeout"


def test_a_changed_resource_is_not_overwritten(azure: Start) -> None:
    _double, connection = azure(
        (412, {}, {"error": {"code": "PreconditionFailed", "message": "x"}})
    )
    with pytest.raises(client.AzureError) as caught:
        connection.write("PUT", VNET, {}, etag="1")
    assert caught.value.changed_meanwhile and not caught.value.busy


def test_many_operations_take_as_long_as_the_slowest(azure: Start) -> None:
    monitor = {"Azure-AsyncOperation": "https://management.azure.com/op?api-version=1"}
    _double, connection = azure(
        (201, monitor, {}), (201, monitor, {}), (200, {}, {"status": "Succeeded", "name": "v"})
    )
    begun = [connection.begin("PUT", VNET, {}) for _unused in range(2)]
    assert [item.wait()["name"] for item in begun] == ["v", "v"]


DENIED = (
    "The client 'c' with object id 'o' does not have authorization to perform action "
    "'Microsoft.Network/privateEndpoints/write' over scope '/subscriptions/s/resourceGroups/g' or the scope is invalid."
)

HELD = (
    "The client 'c' with object id 'o' has permission to perform action "
    "'Microsoft.Network/privateEndpoints/write' on scope '/subscriptions/s/resourceGroups/g'; however, "
)


@pytest.mark.parametrize(
    ("code", "rest", "action", "fix"),
    [
        (
            "LinkedAuthorizationFailed",
            "it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' "
            "on the linked scope(s) '/subscriptions/s/n' (respectively) or the linked scope(s) are invalid.",
            "Microsoft.Network/virtualNetworks/subnets/join/action",
            "join/action on /subscriptions/s/n",
        ),
        (
            "LinkedAuthorizationFailed",
            "the current tenant 't' is not authorized to access linked subscription 'u'.",
            None,
            "another tenant",
        ),
        (
            "DenyAssignmentAuthorizationFailed",
            "the access is denied because of the deny assignment with name 'locked' and Id 'd' at scope '/s'.",
            None,
            "who placed it",
        ),
    ],
)
def test_what_the_client_may_do_is_not_named_as_lacking(
    code: str, rest: str, action: str | None, fix: str
) -> None:
    called = "Microsoft.Network/privateEndpoints/write"
    document = {"error": {"code": code, "message": HELD + rest}}
    error = answered(403, document, "endpoint", action=called)
    assert error.kind == "denied" and error.action == action
    assert f"permission denied for {called}" not in error.message
    assert fix in error.fix


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "words"),
    [
        (
            403,
            "AuthorizationFailed",
            DENIED,
            "denied",
            ("Microsoft.Network/privateEndpoints/write", "/subscriptions/s/resourceGroups/g"),
        ),
        (401, "ExpiredAuthenticationToken", "expired", "credentials", ("tenant",)),
        (404, "ResourceGroupNotFound", "no g", "missing", ("no g",)),
        (429, "TooManyRequests", "slow", "throttled", ("forks",)),
        (409, "AnotherOperationInProgress", "busy", "conflict", ("busy",)),
        (400, "AccountProvisioningStateInvalid", "busy", "conflict", ("busy",)),
        (500, "InternalServerError", "oops", "server", ("status page",)),
        (400, "InvalidRequestFormat", "bad", "refused", ("bad",)),
        (409, "MissingSubscriptionRegistration", "no", "conflict", ("az provider register",)),
        (403, "RequestDisallowedByPolicy", "policy p", "refused", ("exemption",)),
    ],
)
def test_errors_leave_the_edge_as_one_sentence(
    status: int, code: str, message: str, kind: str, words: tuple[str, ...]
) -> None:
    error = answered(status, {"error": {"code": code, "message": message}}, "endpoint")
    assert error.kind == kind and error.code == code
    assert all(word in error.message for word in words)
    assert "\n" not in error.message
    assert error.as_result()["error"]["action"] == error.action


def test_details_are_told() -> None:
    document = {"error": {"code": "A", "message": "Failed.", "details": [{"message": "Because."}]}}
    assert "Failed: Because (A)." in answered(400, document, None).message


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            CredentialUnavailableError(message="DefaultAzureCredential failed\nattempted:\n\tmany"),
            "credentials",
            "no Azure credential works here",
        ),
        (
            ClientAuthenticationError("AADSTS7000215: Invalid client secret provided. Trace: x"),
            "credentials",
            "AADSTS7000215",
        ),
        (ServiceRequestError("no route"), "network", "could not be reached"),
    ],
)
def test_signing_in_fails_as_one_sentence(
    azure: Start, error: Exception, kind: str, words: str
) -> None:
    _double, connection = azure((200, {}, {}), credential=Credential(error))
    with pytest.raises(client.AzureError, match=words) as caught:
        connection.get(VNET, resource="network")
    assert caught.value.kind == kind and caught.value.message.startswith("network: ")
    assert "\n" not in caught.value.message


def test_a_page_that_is_no_json_is_told_by_its_status(azure: Start) -> None:
    _double, connection = azure((403, {"Content-Type": "text/html"}, "<html>"))
    with pytest.raises(client.AzureError, match="HTTP 403"):
        connection.get(VNET)


def test_no_provider_is_registered_behind_the_callers_back(azure: Start) -> None:
    unknown = {
        "error": {
            "code": "MissingSubscriptionRegistration",
            "message": "not registered to use namespace 'Microsoft.Network'",
        }
    }
    double, connection = azure((409, {}, unknown))
    with pytest.raises(client.AzureError, match="az provider register"):
        connection.write("PUT", VNET, {})
    assert [item.method for item in double.requests] == ["PUT"]


def test_calls_run_at_once() -> None:
    barrier = threading.Barrier(4, timeout=5)
    assert client.gather({str(n): barrier.wait for n in range(4)}).keys() == {"0", "1", "2", "3"}
