# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Google client: which credential, what is sent again and with which requestId, and what an error says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import client, credentials
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.errors import (
    answered,
    failed,
)

PATH = "projects/p/global/addresses"


class Credential:
    """A credential whose tokens are numbered."""

    def __init__(self) -> None:
        self.token, self.valid, self.count = "", False, 0

    def refresh(self, request: Any) -> None:
        self.count += 1
        self.token, self.valid = f"token-{self.count}", True


class Session:
    """Answers from a list; the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.sent = list(answers), []  # type: ignore[var-annotated]

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        self.sent.append((method, url, options))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, document = answer
        made = requests.Response()
        made.status_code = status
        made._content = json.dumps(document).encode()
        return made


def error(code: int, message: str, reason: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
    inner = {"code": code, "message": message, **more}
    if reason:
        inner["errors"] = [{"reason": reason, "message": message}]
    return code, {"error": inner}


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., client.Connection]:
    monkeypatch.setattr(client.time, "sleep", lambda seconds: None)
    return lambda session: client.Connection(
        project="p", tokens=client.Tokens(Credential(), None), session=session
    )


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in credentials.ENVIRONMENT.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("params", "environment", "kind", "values"),
    [
        ({}, {}, "application", {}),
        ({"access_token": "t"}, {}, "accesstoken", {"access_token": "t"}),
        ({}, {"GCP_ACCESS_TOKEN": "t"}, "accesstoken", {"access_token": "t"}),
        (
            {"service_account_contents": "{}"},
            {"GCP_ACCESS_TOKEN": "t", "GCP_AUTH_KIND": "accesstoken"},
            "serviceaccount",
            {"service_account_contents": "{}"},
        ),
        (
            {},
            {"GCE_CREDENTIALS_FILE_PATH": "/k", "GCP_AUTH_KIND": "serviceaccount"},
            "serviceaccount",
            {"service_account_file": "/k"},
        ),
        (
            {"auth_kind": "machineaccount"},
            {"GCP_SERVICE_ACCOUNT_EMAIL": "e"},
            "machineaccount",
            {"service_account_email": "e"},
        ),
        ({"auth_kind": "application"}, {"GCP_ACCESS_TOKEN": "t"}, "application", {}),
    ],
)
def test_the_credential_is_chosen_as_google_cloud_does(
    monkeypatch: pytest.MonkeyPatch,
    params: Mapping[str, Any],
    environment: Mapping[str, str],
    kind: str,
    values: Mapping[str, Any],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    choice = credentials.choose(params)
    assert (choice.kind, dict(choice.values)) == (kind, values)
    assert choice.scopes == credentials.SCOPES


def test_a_kind_without_its_credential_is_refused() -> None:
    with pytest.raises(EndpointError, match="GCP_SERVICE_ACCOUNT_CONTENTS"):
        credentials.choose({"auth_kind": "serviceaccount"})


def test_a_broken_key_is_one_sentence_without_the_key() -> None:
    choice = credentials.choose({"service_account_contents": '{"private_key": "hush"}'})
    with pytest.raises(EndpointError) as raised:
        credentials.credential(choice)
    assert "hush" not in str(raised.value) and "serviceaccount" in str(raised.value)


def test_the_key_that_awx_writes_is_enough_and_may_act_as_another(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "key.json"
    document = {"type": "service_account", "client_email": "a@p.iam", "project_id": "p"}
    path.write_text(json.dumps({**document, "private_key": key.decode()}))
    params = {"service_account_file": str(path)}
    made, project = credentials.credential(credentials.choose(params))
    assert (made.service_account_email, project) == ("a@p.iam", "p")
    connection = client.connect({**params, "impersonate_service_account": "b@p.iam"})
    assert connection.project == "p"
    acting, _project = credentials.credential(
        credentials.choose({**params, "impersonate_service_account": "b@p.iam"})
    )
    assert acting.service_account_email == "b@p.iam"


def test_a_write_is_sent_again_with_the_same_request_id(
    connect: Callable[..., client.Connection],
) -> None:
    session = Session(
        requests.ConnectionError("reset"),
        error(403, "slow down", "rateLimitExceeded"),
        error(400, "not ready", "resourceNotReady"),
        error(503, "later"),
        (200, {"name": "answer"}),
    )
    document = connect(session).write("compute", "POST", PATH, {"name": "a"})
    assert document == {"name": "answer"}
    ids = {options["params"]["requestId"] for _method, _url, options in session.sent}
    assert len(session.sent) == 5 and len(ids) == 1
    assert session.sent[0][1] == f"https://compute.googleapis.com/compute/v1/{PATH}"


@pytest.mark.parametrize(
    "answer", [error(403, "no", "forbidden"), error(403, "q", "quotaExceeded"), error(409, "x")]
)
def test_what_will_not_change_is_not_sent_again(
    connect: Callable[..., client.Connection], answer: Any
) -> None:
    session = Session(answer)
    with pytest.raises(client.GoogleError):
        connect(session).get("compute", PATH)
    assert len(session.sent) == 1


def test_a_refused_token_is_replaced_once(connect: Callable[..., client.Connection]) -> None:
    session = Session(error(401, "expired"), (200, {}))
    connect(session).get("compute", PATH)
    sent = [options["headers"]["Authorization"] for _method, _url, options in session.sent]
    assert sent == ["Bearer token-1", "Bearer token-2"]


def test_a_refused_token_that_was_given_is_told_as_google_told_it() -> None:
    session = Session(error(401, "invalid authentication credentials"))
    given = client.connect({"auth_kind": "accesstoken", "access_token": "given"})
    connection = replace(given, session=session)
    with pytest.raises(client.GoogleError, match=r"invalid authentication credentials.*expired"):
        connection.get("compute", PATH)
    assert len(session.sent) == 1


def test_pages_and_aggregated_lists_are_joined(connect: Callable[..., client.Connection]) -> None:
    session = Session(
        (200, {"items": {"regions/a": {"x": [{"name": "1"}]}}, "nextPageToken": "n"}),
        (200, {"items": {"regions/b": {"x": [{"name": "2"}]}, "regions/c": {"warning": {}}}}),
    )
    found = connect(session).list("compute", "projects/p/aggregated/x")
    assert [item["name"] for item in found] == ["1", "2"]
    assert session.sent[1][2]["params"]["pageToken"] == "n"


def test_an_operation_is_polled_and_its_failure_is_told(
    connect: Callable[..., client.Connection],
) -> None:
    link = "https://www.googleapis.com/compute/v1/projects/p/global/operations/o"
    running = {"kind": "compute#operation", "name": "o", "selfLink": link, "status": "RUNNING"}
    bad = {"errors": [{"code": "QUOTA_EXCEEDED", "message": "Quota exceeded."}]}
    session = Session(
        (200, running),
        (200, {**running, "status": "DONE", "error": bad, "httpErrorStatusCode": 403}),
    )
    with pytest.raises(client.GoogleError, match="Quota exceeded") as raised:
        connect(session).write("compute", "POST", PATH, {}, resource="the address")
    assert raised.value.code == "QUOTA_EXCEEDED" and raised.value.resource == "the address"
    assert session.sent[1][1].endswith("compute.googleapis.com/compute/v1/" + link.split("v1/")[1])


INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            error(403, "Required 'compute.networks.get' permission for 'projects/p'", "forbidden"),
            "denied",
            ["compute.networks.get", "projects/p"],
        ),
        (
            error(
                403,
                "Permission denied",
                details=[
                    {
                        "@type": INFO,
                        "reason": "IAM_PERMISSION_DENIED",
                        "metadata": {"permission": "dns.changes.create"},
                    }
                ],
            ),
            "denied",
            ["dns.changes.create"],
        ),
        (
            error(
                403,
                "Compute Engine API has not been used",
                "accessNotConfigured",
                details=[
                    {
                        "@type": INFO,
                        "reason": "SERVICE_DISABLED",
                        "metadata": {
                            "service": "compute.googleapis.com",
                            "consumer": "projects/12",
                        },
                    }
                ],
            ),
            "disabled",
            ["gcloud services enable compute.googleapis.com --project 12"],
        ),
        (
            error(412, "Constraint constraints/compute.disableX violated", "conditionNotMet"),
            "policy",
            ["compute.disableX", "exception"],
        ),
        (
            error(403, "Request is prohibited by organization's policy", "vpcServiceControls"),
            "policy",
            ["VPC Service Controls"],
        ),
        (error(412, "stale", "conditionNotMet"), "conflict", ["run again"]),
        (error(409, "aborted", status="ABORTED"), "conflict", ["run again"]),
        (error(403, "x", "rateLimitExceeded"), "throttled", ["rateLimitExceeded"]),
        ((502, {}), "server", ["502"]),
    ],
)
def test_errors_are_told_by_their_reason(answer: Any, kind: str, words: list[str]) -> None:
    found = answered(answer[0], answer[1], "thing", "compute GET thing")
    assert found.kind == kind
    for word in words:
        assert word in found.message


def test_a_failed_operation_of_the_newer_services_is_told_by_its_code() -> None:
    found = failed({"done": True, "error": {"code": 10, "message": "busy"}}, "policy", "x")
    assert (found.kind, found.code) == ("conflict", "ABORTED")
