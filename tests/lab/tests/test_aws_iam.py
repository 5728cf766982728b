# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy engine against AWS's documented semantics."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.aws import sample
from lab.aws.iam import Decision, decide, decide_all, network_context, principal_context
from lab.aws.iam_conditions import OPERATORS, Context, holds
from lab.aws.iam_patterns import arn_matches, glob
from lab.aws.records import Caller, Entity
from lab.aws.sample import ADMIN, APP, ENDPOINT
from lab.aws.state import State

POSITIVE = sorted(each for each in OPERATORS if "Not" not in each and each != "Null")
NEGATED = sorted(each for each in OPERATORS if "Not" in each)
VALUES = st.lists(st.sampled_from(["a", "b", "A", "*", "a*", "1", "10.0.0.0/8"]), min_size=1)
ROLE = "arn:aws:iam::222222222222:role/app"

# (operator, policy values, request values or None for an absent key, holds)
TABLE: list[tuple[str, Any, Any, bool]] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", "a", None, True),
    ("StringNotEquals", "a", ["a", "b"], False),
    ("StringEquals", "a", ["a", "b"], True),
    ("StringNotEqualsIfExists", "a", None, True),
    ("StringNotEqualsIfExists", "a", "a", False),
    ("StringEqualsIfExists", "a", None, True),
    ("StringEqualsIfExists", "a", "b", False),
    ("StringEqualsIgnoreCase", "a", "A", True),
    ("StringNotEqualsIgnoreCase", "a", "A", False),
    ("StringLike", "a?c*", "abcdef", True),
    ("StringLike", "a.c", "abc", False),
    ("StringLike", "[ab]", "a", False),
    ("StringNotLike", "a*", "abc", False),
    ("ArnLike", "arn:aws:iam::*:role/break-*", "arn:aws:iam::1:role/break-glass", True),
    ("ArnEquals", "arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
    ("ArnLike", "arn:aws:iam::*", "arn:aws:iam::1:role/x", True),
    ("ArnLike", "arn:*:role/x", "arn:aws:iam::1:role/x", False),
    ("ArnLike", "arn:aws:iam::1:role/*", "no arn", False),
    ("ArnNotLike", "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/x", False),
    ("ArnNotLike", "arn:aws:iam::1:role/x", None, True),
    ("ArnNotLikeIfExists", "arn:aws:iam::1:role/x", "arn:aws:iam::1:role/y", True),
    ("Bool", "false", False, True),
    ("Bool", "true", False, False),
    ("Bool", "false", None, False),
    ("BoolIfExists", "false", None, True),
    ("NumericLessThan", "5", 4, True),
    ("NumericLessThanEquals", "5", 5, True),
    ("NumericGreaterThan", "5", 5, False),
    ("NumericEquals", "5", "5.0", True),
    ("NumericNotEquals", "5", "5.0", False),
    ("NumericEquals", "5", "five", False),
    ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", True),
    ("DateLessThan", "2026-01-01T00:00:00Z", "1767225600", False),
    ("DateLessThan", "1767225601", "2026-01-01T00:00:00Z", True),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", "10.0.0.1", "10.0.0.1", True),
    ("IpAddress", "2001:db8::/32", "10.0.0.1", False),
    ("NotIpAddress", "10.0.0.0/8", "10.1.2.3", False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("Null", "true", None, True),
    ("Null", "true", [], True),
    ("Null", "true", "a", False),
    ("Null", "false", "a", True),
    ("Null", "false", None, False),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a"], None, True),
    ("ForAllValues:StringEquals", ["a"], [], True),
    ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a"], ["b", "c"], False),
    ("ForAnyValue:StringEquals", ["a"], None, False),
    ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", ["a"], None, False),
    ("ForAnyValue:StringLike", ["o-1/r-1/ou-1/*"], ["o-1/r-1/ou-1/ou-2/"], True),
    ("ForAnyValue:StringLikeIfExists", ["a"], None, True),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "expected"), TABLE)
def test_operators(operator: str, wanted: Any, found: Any, expected: bool) -> None:
    keys = {} if found is None else {"aws:Key": found}
    assert holds({operator: {"AWS:kEY": wanted}}, Context(keys)) is expected


@given(st.sampled_from(POSITIVE), VALUES)
def test_a_positive_operator_fails_and_a_negated_one_holds_on_an_absent_key(
    operator: str, wanted: list[str]
) -> None:
    absent = Context({})
    assert not holds({operator: {"k": wanted}}, absent)
    assert holds({f"{operator}IfExists": {"k": wanted}}, absent)
    assert holds({f"ForAllValues:{operator}": {"k": wanted}}, absent)
    for negated in NEGATED:
        assert holds({negated: {"k": wanted}}, absent)
        assert not holds({f"ForAnyValue:{negated}": {"k": wanted}}, absent)


@given(st.sampled_from(NEGATED), VALUES, st.sampled_from(["a", "A", "b", "1", "10.2.3.4"]))
def test_a_negated_operator_is_the_opposite_of_its_positive_one(
    negated: str, wanted: list[str], value: str
) -> None:
    positive = negated.replace("Not", "")
    context = Context({"k": value})
    assert holds({negated: {"k": wanted}}, context) != holds({positive: {"k": wanted}}, context)


def test_blocks_and_keys_are_all_needed_and_unknown_operators_are_an_error() -> None:
    context = Context({"a": "1", "b": "2"})
    assert holds({"StringEquals": {"a": "1", "b": "2"}}, context)
    assert not holds({"StringEquals": {"a": "1", "b": "3"}}, context)
    assert not holds({"StringEquals": {"a": "1"}, "StringLike": {"b": "3*"}}, context)
    with pytest.raises(ValueError, match="StringMatches"):
        holds({"StringMatches": {"a": "1"}}, context)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("${aws:username}", True),
        ("${aws:UserName}", True),
        ("x${aws:username}", False),
        ("${aws:absent}", False),
        ("${aws:absent, 'app'}", True),
        ("${*}", False),
    ],
)
def test_policy_variables(pattern: str, expected: bool) -> None:
    keys = {"k": "app", "aws:username": "app"}
    for operator in ("StringEquals", "StringLike"):
        assert holds({operator: {"k": pattern}}, Context(keys)) is expected
        # Policies of the older version take them literally.
        assert not holds({operator: {"k": pattern}}, Context(keys, variables=False))


def test_a_variables_value_is_no_wildcard() -> None:
    keys = {"k": "anything", "aws:username": "*"}
    assert not holds({"StringLike": {"k": "${aws:username}"}}, Context(keys))
    assert glob("a${*}b", "a*b", lambda _: None) and not glob("a${*}b", "axb", lambda _: None)


@given(st.text("ab:*?", max_size=6), st.text("ab:", max_size=6))
def test_glob_matches_what_fnmatch_matches(pattern: str, text: str) -> None:
    from fnmatch import fnmatchcase

    assert glob(pattern, text) == fnmatchcase(text, pattern)


def test_a_wildcard_does_not_span_the_parts_of_an_arn() -> None:
    arn = "arn:aws:bedrock:us-east-1::foundation-model/x:0"
    assert arn_matches("arn:aws:bedrock:*::foundation-model/*", arn)
    assert arn_matches("arn:aws:bedrock", arn)
    assert arn_matches("*", arn) and arn_matches("*", "*")
    assert not arn_matches("arn:aws:bedrock:*:foundation-model/x:0", arn)
    assert not arn_matches("arn:aws:bedrock:*", "*")


def allow(action: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def deny(action: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, **more), "Effect": "Deny"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def caller_of(state: State, arn: str = APP, *policies: dict[str, Any]) -> Caller:
    found = next(each for each in state.callers.values() if each.arn == arn)
    if policies:
        entity = dataclasses.replace(found.entity, policies=policies)
        return dataclasses.replace(found, entity=entity)
    return found


def ask(
    state: State,
    caller: Caller,
    action: str = "bedrock:ListFoundationModels",
    resource: str = "*",
    **context: Any,
) -> Decision:
    keys = {**principal_context(state, caller, "us-east-1"), **context}
    return decide(state, caller, action, resource, keys)


@pytest.mark.parametrize(
    ("statements", "allowed", "explicit"),
    [
        ([allow()], True, False),
        ([allow("bedrock:*")], True, False),
        ([allow("BEDROCK:list*")], True, False),
        ([allow("bedrock:Get*")], False, False),
        ([], False, False),
        ([allow(), deny("bedrock:ListFoundationModel?")], False, True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True, False),
        ([{"Effect": "Allow", "NotAction": "bedrock:*", "Resource": "*"}], False, False),
        ([allow(Resource="arn:aws:bedrock:*:*:*")], False, False),
        (
            [allow(), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}],
            False,
            True,
        ),
        ([allow(Condition={"Bool": {"aws:SecureTransport": "true"}})], True, False),
        ([allow(Condition={"Null": {"aws:PrincipalOrgID": "true"}})], False, False),
    ],
)
def test_identity_policies(statements: list[dict[str, Any]], allowed: bool, explicit: bool) -> None:
    state = sample.state()
    decision = ask(state, caller_of(state, APP, document(*statements)))
    assert (decision.allowed, decision.explicit_deny) == (allowed, explicit)
    assert decision.policy_kind == (None if allowed else "identity")
    if not allowed:
        start = f"User: {APP} is not authorized to perform: bedrock:ListFoundationModels "
        assert decision.message == start + (
            "with an explicit deny in an identity-based policy"
            if explicit
            else "because no identity-based policy allows the bedrock:ListFoundationModels action"
        )


def bind(state: State, **at: list[dict[str, Any]]) -> None:
    """Put these SCPs in force: level (with _ for -) -> documents in place of FullAWSAccess."""
    assert state.organization is not None and state.organization.binding is not None
    changed = {key.strip("_").replace("_", "-"): tuple(value) for key, value in at.items()}
    state.organization.binding = {**state.organization.binding, **changed}


@pytest.mark.parametrize("level", ["r_lab1", "ou_lab1_workload", "_222222222222"])
def test_every_level_of_the_tree_must_allow(level: str) -> None:
    state = sample.state()
    caller = caller_of(state)
    assert ask(state, caller).allowed
    bind(state, **{level: []})
    decision = ask(state, caller)
    assert (decision.policy_kind, decision.explicit_deny) == ("scp", False)
    assert decision.message.endswith(
        "because no service control policy allows the bedrock:ListFoundationModels action"
    )
    bind(state, **{level: [document(allow("s3:*")), document(allow("bedrock:*"))]})
    assert ask(state, caller).allowed
    bind(state, **{level: [document(allow(), deny("bedrock:*"))]})
    assert (ask(state, caller).policy_kind, ask(state, caller).explicit_deny) == ("scp", True)


def test_scps_bind_neither_the_management_account_nor_service_linked_roles() -> None:
    state = sample.state()
    bind(state, r_lab1=[document(deny())])
    assert ask(state, caller_of(state, ADMIN)).allowed
    assert not ask(state, caller_of(state)).allowed
    linked = "arn:aws:iam::222222222222:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    assert ask(state, session(linked)).allowed
    assert not ask(state, session(ROLE)).allowed


def session(role: str, **more: Any) -> Caller:
    entity = Entity(role, role.split(":")[4], "AROALAB", (sample.FULL,))
    arn = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/one"
    made = Caller(arn, entity.account, "AROALAB:one", entity, "ASIA", "s", "t", expires=9e9)
    return dataclasses.replace(made, **more)


def test_root_needs_no_identity_policy_but_is_bound_by_scps() -> None:
    state = sample.state()
    root = Entity("arn:aws:iam::222222222222:root", "222222222222", "222222222222")
    caller = Caller(root.arn, root.account, root.unique_id, root, "AKIA", "s")
    assert ask(state, caller).allowed
    bind(state, _222222222222=[document(deny())])
    assert ask(state, caller).policy_kind == "scp"


LOCK = {
    "StringNotEqualsIfExists": {"aws:SourceVpce": [ENDPOINT]},
    "BoolIfExists": {"aws:ViaAWSService": "false"},
    "ArnNotLikeIfExists": {"aws:PrincipalArn": ["arn:aws:iam::222222222222:role/break-glass"]},
}


@pytest.mark.parametrize(
    ("caller", "context", "allowed"),
    [
        (session(ROLE), {}, False),
        (session(ROLE), {"aws:SourceVpce": ENDPOINT}, True),
        (session(ROLE), {"aws:SourceVpce": "vpce-0another"}, False),
        (session(ROLE), {"aws:ViaAWSService": True}, True),
        (session("arn:aws:iam::222222222222:role/break-glass"), {}, True),
    ],
)
def test_the_lockdowns_scp(caller: Caller, context: dict[str, Any], allowed: bool) -> None:
    state = sample.state()
    statement = deny(["bedrock:*", "sagemaker:*"], Condition=LOCK)
    bind(state, _222222222222=[document(allow()), document(statement)])
    assert ask(state, caller, **context).allowed is allowed
    assert ask(state, caller, action="s3:ListBucket", **context).allowed


PRINCIPALS = [
    ("*", True),
    ({"AWS": "*"}, True),
    ({"AWS": ["222222222222"]}, True),
    ({"AWS": "arn:aws:iam::222222222222:root"}, True),
    ({"AWS": ROLE}, True),
    ({"AWS": "arn:aws:sts::222222222222:assumed-role/app/one"}, True),
    ({"AWS": "111111111111"}, False),
    ({"Service": "bedrock.amazonaws.com"}, False),
]


@pytest.mark.parametrize(("principal", "named"), PRINCIPALS)
def test_principals_of_endpoint_policies(principal: Any, named: bool) -> None:
    state = sample.state()
    through = network_context(state, ENDPOINT, "10.10.1.10")
    endpoint = state.endpoints[ENDPOINT]
    endpoint.policy = document(allow(Principal=principal))
    decision = ask(state, session(ROLE), **through)
    assert (decision.allowed, decision.policy_kind) == (named, None if named else "endpoint")
    endpoint.policy = document(allow(NotPrincipal=principal))
    assert ask(state, session(ROLE), **through).allowed is not named
    # The public way does not ask the endpoint.
    assert ask(state, session(ROLE), **network_context(state, "", "198.51.100.1")).allowed


def test_the_endpoint_policy_binds_by_organisation_paths_and_tags() -> None:
    state = sample.state()
    condition = {
        "StringEquals": {"aws:PrincipalOrgID": "o-labprivate1", "aws:PrincipalTag/team": "ai"},
        "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-labprivate1/r-lab1/ou-lab1-*"},
    }
    policy = document(allow(Principal="*", Condition=condition))
    state.endpoints[ENDPOINT].policy = policy
    tagged = session(ROLE, session_tags={"team": "ai"})
    assert ask(state, tagged, **{"aws:SourceVpce": ENDPOINT}).allowed
    assert not ask(state, session(ROLE), **{"aws:SourceVpce": ENDPOINT}).allowed
    stranger = session("arn:aws:iam::999999999999:role/x", session_tags={"team": "ai"})
    assert not ask(state, stranger, **{"aws:SourceVpce": ENDPOINT}).allowed


def test_session_policies_only_take_away() -> None:
    state = sample.state()
    narrow = session(ROLE, session_policies=(document(allow("s3:*")),))
    decision = ask(state, narrow)
    assert decision.policy_kind == "session"
    assert "because no session policy allows" in decision.message


EFFECTS = st.sampled_from(["Allow", "Deny", "none"])


@given(EFFECTS, EFFECTS, EFFECTS)
def test_a_deny_anywhere_wins_and_every_layer_must_allow(
    identity: str, scp: str, endpoint: str
) -> None:
    state = sample.state()
    documents = {
        "Allow": document(allow(Principal="*")),
        "Deny": document(allow(Principal="*"), deny(Principal="*")),
        "none": document(),
    }
    bind(state, _222222222222=[documents[scp]])
    state.endpoints[ENDPOINT].policy = documents[endpoint]
    caller = caller_of(state, APP, documents[identity])
    decision = ask(state, caller, **{"aws:SourceVpce": ENDPOINT})
    layers = [identity, scp, endpoint]
    assert decision.allowed == all(each == "Allow" for each in layers)
    assert decision.explicit_deny == ("Deny" in layers)


@given(st.sampled_from(TABLE), st.booleans())
def test_adding_a_deny_never_allows_more(row: tuple[str, Any, Any, bool], allowed: bool) -> None:
    operator, wanted, found, _ = row
    state = sample.state()
    statements = [allow()] if allowed else []
    extra = deny(Condition={operator: {"k": wanted}})
    context = {} if found is None else {"k": found}
    before = ask(state, caller_of(state, APP, document(*statements)), **context)
    after = ask(state, caller_of(state, APP, document(*statements, extra)), **context)
    assert before.allowed or not after.allowed


def test_the_first_resource_that_is_refused_is_named() -> None:
    state = sample.state()
    arns = [f"arn:aws:bedrock:{region}::foundation-model/m" for region in ("a-1", "b-1")]
    caller = caller_of(state, APP, document(allow(Resource=arns[0])))
    decision = decide_all(state, caller, "bedrock:InvokeModel", arns, {})
    assert f"on resource: {arns[1]} because no identity-based" in decision.message


def test_the_context_says_who_calls() -> None:
    state = sample.state()
    user = principal_context(state, caller_of(state), "us-east-1")
    assert user["aws:PrincipalArn"] == APP
    assert user["aws:PrincipalOrgPaths"] == ["o-labprivate1/r-lab1/ou-lab1-workload/"]
    assert user["aws:username"] == "app" and "aws:TokenIssueTime" not in user
    role = principal_context(state, session(ROLE), "us-west-2")
    assert (role["aws:PrincipalArn"], role["aws:RequestedRegion"]) == (ROLE, "us-west-2")
    assert "aws:TokenIssueTime" in role and "aws:username" not in role
    stranger = principal_context(state, session("arn:aws:iam::9:role/x"), "us-east-1")
    assert "aws:PrincipalOrgID" not in stranger
    through = network_context(state, ENDPOINT, "10.10.1.10")
    assert (through["aws:SourceVpc"], "aws:SourceIp" in through) == (sample.VPC, False)
