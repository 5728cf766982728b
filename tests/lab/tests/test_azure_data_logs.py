# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnostic settings, roles, and queries over what data calls leave in a workspace."""

from __future__ import annotations

from typing import Any

import pytest

from lab.azure import sample
from lab.azure.clouds import PUBLIC
from lab.azure.sample import FOUNDRY, INSIDE, OPENAI, USER, WORKSPACE, Lab, error

MODELS = "https://lab-openai.openai.azure.com/openai/models?api-version=2024-10-21"
SETTINGS = "providers/Microsoft.Insights/diagnosticSettings"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
MONITOR, ROLES = "2021-05-01-preview", "2022-04-01"


def ask(lab: Lab, query: str, client: str = sample.OWNER, **more: Any) -> tuple[int, Any]:
    token = lab.token(client, PUBLIC.logs_audience)
    url = f"https://{PUBLIC.logs}/v1/workspaces/{sample.CUSTOMER}/query"
    headers = {"Authorization": f"Bearer {token}"}
    return lab.send("POST", url, {"query": query, **more}, headers=headers)


def rows(lab: Lab, query: str, **more: Any) -> list[dict[str, Any]]:
    status, body = ask(lab, query, **more)
    assert status == 200, body
    (table,) = body["tables"]
    names = [each["name"] for each in table["columns"]]
    return [dict(zip(names, each, strict=True)) for each in table["rows"]]


def assignment(scope: str, number: int, role: str = OPENAI_USER) -> dict[str, Any]:
    definition = f"/subscriptions/{sample.SUBSCRIPTION}/providers/Microsoft.Authorization"
    return {
        "id": f"{scope}/{ASSIGNMENTS}/a0000000-0000-0000-0000-00000000000{number}",
        "properties": {
            "roleDefinitionId": f"{definition}/roleDefinitions/{role}",
            "principalId": sample.USER_OBJECT,
        },
    }


def test_calls_leave_rows_with_masked_addresses() -> None:
    lab = sample.lab(assignment(OPENAI, 1))
    token = lab.token(USER, PUBLIC.cognitive_audience)
    assert lab.send("GET", MODELS, headers={"Authorization": f"Bearer {token}"})[0] == 200
    assert lab.send("GET", MODELS, vantage=INSIDE)[0] == 401
    lab.later(1)
    found = rows(
        lab,
        "AzureDiagnostics | where ResourceProvider == 'MICROSOFT.COGNITIVESERVICES'"
        f" and _ResourceId =~ '{OPENAI}' and TimeGenerated >= ago(1h)"
        " | extend Who = tostring(parse_json(properties_s).objectId)"
        " | summarize Count=count(), First=min(TimeGenerated), Last=max(TimeGenerated)"
        " by Who, CallerIPAddress, OperationName, ResultSignature, Category"
        " | order by ResultSignature asc",
    )
    assert [(each["Who"], each["CallerIPAddress"], each["ResultSignature"]) for each in found] == [
        (sample.USER_OBJECT, "198.51.100.***", "200"),
        ("", "198.51.100.***", "401"),
    ]
    assert found[0]["OperationName"] == "Models_List" and found[0]["Count"] == 1
    assert found[0]["First"].endswith("Z") and found[0]["Category"] == "RequestResponse"


def test_without_a_setting_there_is_no_row_and_without_a_row_no_table() -> None:
    lab = sample.lab()
    foundry = MODELS.replace("lab-openai", "lab-foundry")
    assert lab.send("GET", foundry)[0] == 401
    status, code, _ = error(ask(lab, "AzureDiagnostics | count"))
    inner = ask(lab, "AzureDiagnostics | count")[1]["error"]["innererror"]
    assert (status, code, inner["code"]) == (400, "BadArgumentError", "SemanticError")
    assert inner["innererror"]["code"] == "SEM0100"
    lab.send("GET", MODELS)
    lab.later(1)
    assert rows(lab, "AzureDiagnostics | count") == [{"Count": 1}]
    lab.arm("DELETE", f"{OPENAI}/{SETTINGS}/central", version=MONITOR)
    lab.send("GET", MODELS)
    lab.later(1)
    assert rows(lab, "AzureDiagnostics | count") == [{"Count": 1}]


def test_rows_of_the_world_and_the_timespan() -> None:
    row = {"OperationName": "ChatCompletions_Create", "CallerIPAddress": "203.0.113.***"}
    past = [
        {"account": OPENAI, "workspace": WORKSPACE, "age": age, "row": row} for age in (60, 9000)
    ]
    lab = sample.lab(logs=past)
    assert len(rows(lab, "AzureDiagnostics | project OperationName")) == 2
    assert len(rows(lab, "AzureDiagnostics", timespan="PT1H")) == 1
    assert error(ask(lab, "AzureDiagnostics", timespan="an hour"))[1] == "BadArgumentError"


def test_logs_arrive_with_a_delay() -> None:
    lab = sample.lab(timing={"log_delay": 30})
    lab.send("GET", MODELS)
    lab.later(29)
    assert error(ask(lab, "AzureDiagnostics"))[1] == "BadArgumentError"
    lab.later(1)
    assert len(rows(lab, "AzureDiagnostics")) == 1


def test_who_may_query() -> None:
    lab = sample.lab()
    url = f"https://{PUBLIC.logs}/v1/workspaces/{sample.CUSTOMER}/query"
    body = {"query": "AzureDiagnostics"}
    assert error(lab.send("POST", url, body))[:2] == (401, "AuthorizationRequiredError")
    wrong = {"Authorization": f"Bearer {lab.token()}"}
    assert error(lab.send("POST", url, body, headers=wrong))[:2] == (401, "InvalidTokenError")
    assert error(ask(lab, "AzureDiagnostics", client=USER))[:2] == (403, "InsufficientAccessError")
    right = {"Authorization": f"Bearer {lab.token(audience=PUBLIC.logs_audience)}"}
    other = url.replace(sample.CUSTOMER, sample.TENANT)
    assert error(lab.send("POST", other, body, headers=right))[:2] == (404, "PathNotFoundError")
    reader = assignment(WORKSPACE, 1, "73c42c96-874c-492b-b04d-ab87d138a893")
    lab.add(reader)
    lab.send("GET", MODELS)
    assert ask(lab, "AzureDiagnostics", client=USER)[0] == 200


@pytest.mark.parametrize(
    "query",
    [
        "AzureDiagnostics | where Absent == 1",
        "AzureDiagnostics | join kind=inner Other on X",
        "AzureDiagnostics | where",
        "Absent | take 1",
        "AzureDiagnostics | extend a = nothing(Category)",
        "AzureDiagnostics | where count() > 1",
        "AzureDiagnostics | summarize Category by OperationName",
        "",
    ],
)
def test_queries_that_are_refused(query: str) -> None:
    lab = sample.lab()
    lab.send("GET", MODELS)
    lab.later(1)
    assert error(ask(lab, query))[:2] == (400, "BadArgumentError")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("N >= 2", ["b", "c"]),
        ("N in (1, 3)", ["a", "c"]),
        ("K has 'two' or K == 'one'", ["a", "b"]),
        ("K !has 'two' and K !contains 'hre'", ["a"]),
        ("not(K startswith 'T')", ["a"]),
        ("K =~ 'ONE'", ["a"]),
        ("K in~ ('ONE', 'three')", ["a", "c"]),
        ("N between (2 .. 3)", ["b", "c"]),
        ("TimeGenerated < ago(90m)", ["c"]),
        ("TimeGenerated between (ago(2h) .. now())", ["a", "b", "c"]),
        ("TimeGenerated > datetime(2020-01-01T00:00:00.1234567Z)", ["a", "b", "c"]),
        ("tolower(column_ifexists('Absent', 'x')) == 'x'", ["a", "b", "c"]),
        ("isempty(E)", ["a", "b", "c"]),
        ("toint(tostring(N)) - 1 == 0", ["a"]),
    ],
)
def test_conditions(where: str, expected: list[str]) -> None:
    given = [("a", "one", 1, 30), ("b", "the two of us", 2, 60), ("c", "three", 3, 7000)]
    past = [
        {
            "account": OPENAI,
            "workspace": WORKSPACE,
            "age": age,
            "row": {"Name": name, "K": text, "N": number, "E": ""},
        }
        for name, text, number, age in given
    ]
    lab = sample.lab(logs=past)
    found = rows(lab, f"AzureDiagnostics | where {where} | sort by N asc | project Name")
    assert [each["Name"] for each in found] == expected


def test_aggregations() -> None:
    past = [
        {"account": OPENAI, "workspace": WORKSPACE, "age": 1, "row": {"K": key, "N": number}}
        for key, number in (("x", 1), ("x", 5), ("y", 2))
    ]
    lab = sample.lab(logs=past)
    query = "AzureDiagnostics | summarize count(), max(N), s=sum(N), make_set(N) by K | top 1 by s"
    assert rows(lab, query) == [{"K": "x", "count_": 2, "max_N": 5, "s": 6, "make_set_N": "[1,5]"}]
    assert rows(lab, "AzureDiagnostics | summarize dcount(K)") == [{"dcount_K": 2}]
    assert rows(lab, "AzureDiagnostics | where K == 'z' | summarize n=count()") == [{"n": 0}]
    assert rows(lab, "AzureDiagnostics | distinct K | order by K asc | take 1") == [{"K": "x"}]


def test_diagnostic_settings() -> None:
    lab = sample.lab()
    status, body = lab.arm("GET", f"{OPENAI}/{SETTINGS}", version=MONITOR)
    (only,) = body["value"]
    assert status == 200 and only["properties"]["workspaceId"] == WORKSPACE
    assert [each["category"] for each in only["properties"]["logs"]] == ["Audit", "RequestResponse"]
    assert lab.arm("GET", f"{FOUNDRY}/{SETTINGS}", version=MONITOR) == (200, {"value": []})
    absent = f"{sample.ACCOUNTS}/absent/{SETTINGS}"
    assert error(lab.arm("GET", absent, version=MONITOR))[0] == 404


@pytest.mark.parametrize(
    "properties",
    [
        {"workspace_id": WORKSPACE},
        {"logs": [{"category": "Audit", "enabled": True}]},
        {"workspaceId": WORKSPACE, "logs": [{"category": "Nothing", "enabled": True}]},
        {"workspaceId": WORKSPACE, "logs": [{"category": "Audit", "enabled": False}]},
        {"workspaceId": f"{WORKSPACE}x", "logs": [{"category": "Audit", "enabled": True}]},
    ],
)
def test_wrong_diagnostic_settings(properties: dict[str, Any]) -> None:
    lab = sample.lab()
    id = f"{FOUNDRY}/{SETTINGS}/x"
    assert lab.arm("PUT", id, {"properties": properties}, version=MONITOR)[0] in (400, 404)
    assert lab.arm("GET", f"{FOUNDRY}/{SETTINGS}", version=MONITOR)[1] == {"value": []}


def test_role_assignments_at_above_and_below_a_scope() -> None:
    wide = f"/subscriptions/{sample.SUBSCRIPTION}"
    lab = sample.lab(assignment(OPENAI, 1), assignment(sample.GROUP, 2), assignment(wide, 3))

    def found(scope: str, wanted: str = "") -> list[str]:
        suffix = f"?$filter={wanted}" if wanted else ""
        status, body = lab.arm("GET", f"{scope}/{ASSIGNMENTS}{suffix}", version=ROLES)
        assert status == 200, body
        return sorted(each["name"][-1] for each in body["value"])

    assert found(OPENAI, "atScope()") == ["1", "2", "3"]
    assert found(FOUNDRY, "atScope()") == ["2", "3"]
    assert found(wide, "atScope()") == ["3"] and found(wide) == ["1", "2", "3"]
    assert found(OPENAI, f"principalId eq '{sample.USER_OBJECT}'") == ["1", "2", "3"]
    assert found(OPENAI, "principalId eq 'nobody'") == []
    (first, *_) = lab.arm("GET", f"{OPENAI}/{ASSIGNMENTS}", version=ROLES)[1]["value"]
    assert first["properties"]["scope"] == OPENAI
    assert error(lab.arm("GET", f"{OPENAI}/{ASSIGNMENTS}?$filter=x", version=ROLES))[0] == 400


def test_role_definitions() -> None:
    lab = sample.lab()
    id = f"{OPENAI}/providers/Microsoft.Authorization/roleDefinitions"
    status, body = lab.arm("GET", f"{id}/{OPENAI_USER}", version=ROLES)
    assert status == 200
    assert body["properties"]["roleName"] == "Cognitive Services OpenAI User"
    named = lab.arm("GET", f"{id}?$filter=roleName eq 'Owner'", version=ROLES)[1]["value"]
    assert [each["properties"]["roleName"] for each in named] == ["Owner"]
    assert error(lab.arm("GET", f"{id}/{sample.TENANT}", version=ROLES))[0] == 404


def test_an_assignment_lets_its_principal_read() -> None:
    lab = sample.lab(assignment(OPENAI, 1))
    assert lab.arm("GET", OPENAI, client=USER)[0] == 200
    assert error(lab.arm("GET", FOUNDRY, client=USER))[:2] == (403, "AuthorizationFailed")
