# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit entries become groups of callers by path, and a window that was not read whole says so."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.traffic import (
    groups,
    path_of,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp import observe_traffic
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.errors import GoogleError
from ansible_collections.private_ai.endpoints.plugins.module_utils.gcp.reads import Reader

NETWORK = "projects/p/global/networks/app"
METHOD = "google.cloud.aiplatform.v1.PredictionService.Predict"
PERIMETER = "accessPolicies/6/servicePerimeters/vertex"
START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
END = START + datetime.timedelta(days=1)


def entry(address: str = "10.30.1.2", second: int = 0, **payload: Any) -> dict[str, Any]:
    metadata = {"callerIp": address, **payload.pop("request", {})}
    return {
        "timestamp": f"2026-03-01T12:00:{second:02d}.5Z",
        "resource": {"type": "audited_resource", "labels": {"project_id": "p"}},
        "protoPayload": {
            "serviceName": "aiplatform.googleapis.com",
            "methodName": METHOD,
            "resourceName": "projects/5/locations/us-central1/endpoints/4",
            "authenticationInfo": {"principalEmail": "app@p.iam.gserviceaccount.com"},
            "requestMetadata": metadata,
            **payload,
        },
    }


def violation(**metadata: Any) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.cloud.audit.VpcServiceControlAuditMetadata",
        "violationReason": "NO_MATCHING_ACCESS_LEVEL",
        "ingressViolations": [{"servicePerimeter": PERIMETER}],
        **metadata,
    }


@pytest.mark.parametrize(
    ("address", "network", "path"),
    [
        ("private", "", "private"),
        ("gce-internal-ip", "", "private"),
        ("gcp-internal-ip", NETWORK, "private"),
        ("10.30.1.2", NETWORK, "private"),
        ("172.16.0.9", "", "private"),
        ("fd20::1", "", "private"),
        ("203.0.113.9", "", "public"),
        ("2001:4860::1", "", "public"),
        ("203.0.113.9", NETWORK, "ambiguous"),
        ("", "", "ambiguous"),
        ("somewhere", "", "ambiguous"),
        ("203.0.113.0", "", "public"),
    ],
)
def test_the_path_of_an_address(address: str, network: str, path: str) -> None:
    assert path_of(address, network) == path


def test_a_group_says_who_called_what_from_where() -> None:
    network = {"callerNetwork": f"//compute.googleapis.com/{NETWORK}"}
    (group,) = groups([entry(second=3, request=network), entry(second=1, request=network)])
    assert group == {
        "principal": "app@p.iam.gserviceaccount.com",
        "operation": METHOD,
        "region": "us-central1",
        "source_ip": "10.30.1.2",
        "network": NETWORK,
        "path": "private",
        "count": 2,
        "error_code": None,
        "probe": False,
        "first": "2026-03-01T12:00:01.5Z",
        "last": "2026-03-01T12:00:03.5Z",
        "resource": "projects/5/locations/us-central1/endpoints/4",
        "violation": None,
    }


def test_refusals_and_probes_are_told_apart() -> None:
    refused = entry("203.0.113.9", status={"code": 7, "message": "no"}, metadata=violation())
    planned = entry("203.0.113.9", metadata=violation(dryRun=True))
    probe = entry(
        "203.0.113.9", request={"callerSuppliedUserAgent": "private_ai.endpoints,gzip(gfe)"}
    )
    missing = entry("203.0.113.9", status={"code": 5}, metadata={"@type": "something.else"})
    found = groups([refused, planned, probe, missing])
    by_violation = {
        (item["violation"] or {}).get("dry_run"): item for item in found if item["violation"]
    }
    assert by_violation[False]["violation"] == {
        "perimeter": PERIMETER,
        "reason": "NO_MATCHING_ACCESS_LEVEL",
        "dry_run": False,
    }
    assert by_violation[False]["error_code"] == "PERMISSION_DENIED"
    assert by_violation[True]["violation"]["dry_run"] is True
    others = {(item["probe"], item["error_code"]) for item in found if not item["violation"]}
    assert others == {(True, None), (False, "NOT_FOUND")}


def test_a_caller_without_email_and_an_entry_without_a_place() -> None:
    subject = {"principalSubject": "principal://iam.googleapis.com/x"}
    (group,) = groups([entry(authenticationInfo=subject, resourceName="projects/5")])
    assert (group["principal"], group["region"]) == ("principal://iam.googleapis.com/x", "")
    (nobody,) = groups([entry(authenticationInfo={})])
    assert nobody["principal"] is None


@given(
    st.lists(st.tuples(st.sampled_from(["10.0.0.1", "203.0.113.9"]), st.integers(0, 59))),
    st.randoms(),
)
def test_every_entry_is_counted_once_in_whatever_order(
    calls: list[tuple[str, int]], random: Any
) -> None:
    entries = [entry(address, second) for address, second in calls]
    found = groups(entries)
    assert sum(item["count"] for item in found) == len(entries)
    assert groups(random.sample(entries, len(entries))) == found
    assert [item["count"] for item in found] == sorted(
        (item["count"] for item in found), reverse=True
    )


class Connection:
    """Pages of entries, and an answer to what may be read."""

    def __init__(
        self, pages: list[list[dict[str, Any]]], held: Any = ("logging.privateLogEntries.list",)
    ) -> None:
        self.pages, self.held, self.bodies = pages, held, []  # type: ignore[var-annotated]

    def rest(
        self, service: str, method: str, path: str, body: Any = None, **options: Any
    ) -> dict[str, Any]:
        if path.endswith(":testIamPermissions"):
            if isinstance(self.held, Exception):
                raise self.held
            return {"permissions": list(self.held)} if self.held else {}
        assert (service, method, path) == ("logging", "POST", "entries:list")
        self.bodies.append(body)
        number = int(body.get("pageToken", 0))
        more = {"nextPageToken": str(number + 1)} if number + 1 < len(self.pages) else {}
        return {"entries": self.pages[number], **more} if self.pages[number] else more


def observed(connection: Any, most: int = 100) -> tuple[Any, list[dict[str, Any]]]:
    reader = Reader()
    answers = reader.all(observe_traffic.traffic_reads(connection, "p", START, END, most))
    return observe_traffic.traffic(reader, answers, "p", START, END), reader.listed()


def test_all_pages_are_read_also_behind_an_empty_one() -> None:
    connection = Connection([[entry()], [], [entry("203.0.113.9")]])
    found, missing = observed(connection)
    assert found["complete"] is True and missing == []
    assert {item["path"] for item in found["groups"]} == {"private", "public"}
    assert (found["start"], found["end"]) == ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
    body = connection.bodies[0]
    assert body["resourceNames"] == ["projects/p"] and body["orderBy"] == "timestamp desc"
    # The second that has begun belongs to the window.
    assert 'timestamp<"2026-03-02T00:00:01Z"' in body["filter"]


def test_a_limit_makes_it_incomplete_and_exactly_as_many_do_not() -> None:
    found, _ = observed(Connection([[entry()], [entry("203.0.113.9")]]), most=1)
    assert found["complete"] is False and len(found["groups"]) == 1
    found, _ = observed(Connection([[entry()]]), most=1)
    assert found["complete"] is True


def test_entries_that_are_left_out_silently_are_missing() -> None:
    found, missing = observed(Connection([[entry("203.0.113.9")]], held=()))
    assert found is None
    assert [(item["part"], item["action"]) for item in missing] == [
        ("traffic", "logging.privateLogEntries.list")
    ]


def test_whether_they_are_left_out_has_to_be_known() -> None:
    error = GoogleError(
        "not enabled", kind="disabled", action="x POST y", resource="p", code="SERVICE_DISABLED"
    )
    found, missing = observed(Connection([[entry()]], held=error))
    assert found is None and missing[0]["code"] == "SERVICE_DISABLED"
    assert missing[0]["action"] == "logging.privateLogEntries.list"


def test_any_other_failure_is_raised() -> None:
    error = GoogleError("no answer", kind="network", action="x", resource="p", code="Timeout")
    with pytest.raises(GoogleError, match="no answer"):
        observed(Connection([[entry()]], held=error))
