# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks are changed by deltas: added, undone in any order, by several runs, without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws import scp
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.lock_checks import (
    LockPlan,
    problems,
    same_document,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.lock_delta import (
    Standing,
    Wanted,
    difference,
    steps,
    undo,
    want,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.pending import (
    MANAGED,
    Delta,
    Marker,
    from_tags,
    to_tags,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_lockdown import (
    lock,
    rebase,
    seal,
    unlock,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
BOUND = 3600.0

hexadecimal = st.text("0123456789abcdef", min_size=4, max_size=17)
ids = st.frozensets(hexadecimal.map("vpce-0{}".format), min_size=1, max_size=5)
accounts = st.frozensets(
    st.sampled_from(["222222222222", "333333333333", "ou-lab1-workload", "r-lab1"]),
    min_size=1,
    max_size=3,
)
arns = st.lists(
    st.sampled_from([f"arn:aws:iam::{n}:role/break-glass" for n in ("2" * 12, "3" * 12, "*")]),
    max_size=3,
    unique=True,
).map(tuple)
rules = st.builds(
    scp.Rules,
    action_prefixes=st.lists(
        st.sampled_from(scp.ACTION_PREFIXES), min_size=1, max_size=4, unique=True
    ).map(lambda found: tuple(sorted(found))),
    break_glass_arns=arns.map(lambda found: tuple(sorted(found))),
    opt_in_tag=st.none() | st.just(("team", "ai")),
    exclusion_tag=st.booleans(),
)
wishes = st.builds(Wanted, rules=rules, endpoint_ids=ids, targets=accounts)
FOREIGN = {"Sid": "Theirs", "Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}


def examples(*strategies):
    """Hypothesis with as many examples as found every fault that was put into this code on purpose."""
    return lambda test: settings(max_examples=40, deadline=None)(given(*strategies)(test))


@st.composite
def standings(draw):
    """Nothing; a policy of somebody's; a sealed lock of ours, perhaps with somebody's statements."""
    kind = draw(st.sampled_from(["none", "theirs", "ours", "both"]))
    if kind == "none":
        return Standing(name="lock")
    foreign = (FOREIGN,) if kind in ("theirs", "both") else ()
    frame = scp.frame(draw(rules)) if kind in ("ours", "both") else None
    return Standing(
        name="lock",
        policy_id="p-12345678",
        document=scp.Document(
            foreign=foreign, frame=frame, endpoint_ids=draw(ids) if frame else frozenset()
        ),
        tags={MANAGED: "true"} if kind == "ours" else {},
        targets=draw(accounts),
    )


def like(left: Standing, right: Standing) -> bool:
    """The same by meaning."""
    return (
        same_document(left.document, right.document)
        and left.targets == right.targets
        and (left.document is None or dict(left.tags) == dict(right.tags))
    )


def step_of(standing: Standing, wanted: Wanted) -> tuple[Standing, Delta]:
    after = want(standing, wanted)
    return after, difference(standing, after, wanted)


@examples(standings(), wishes)
def test_undo_takes_back_exactly_what_was_added(standing, wanted):
    after, delta = step_of(standing, wanted)
    assert wanted.endpoint_ids <= after.endpoint_ids
    assert wanted.targets <= after.targets
    assert like(undo(after, delta), standing)


@examples(standings(), wishes)
def test_undoing_twice_is_undoing_once(standing, wanted):
    after, delta = step_of(standing, wanted)
    once = undo(after, delta)
    assert like(undo(once, delta), once)


@examples(standings(), wishes)
def test_what_stands_needs_no_delta(standing, wanted):
    after, _ = step_of(standing, wanted)
    again, delta = step_of(after, wanted)
    assert delta.empty
    assert steps(after, again) == []


@examples(standings(), wishes, wishes)
def test_two_runs_lose_nothing_in_either_order(standing, first, second):
    second = replace(second, rules=first.rules)
    one = want(want(standing, first), second)
    other = want(want(standing, second), first)
    assert like(one, other)
    assert first.endpoint_ids | second.endpoint_ids | standing.endpoint_ids == one.endpoint_ids
    assert first.targets | second.targets | standing.targets == one.targets


@examples(standings(), wishes, wishes)
def test_undoing_one_run_keeps_what_another_pending_run_relies_on(standing, first, second):
    second = replace(second, rules=first.rules)
    after, delta = step_of(standing, first)
    both, other = step_of(after, second)
    left = undo(both, delta, [other])
    assert second.endpoint_ids <= left.endpoint_ids
    assert standing.targets <= left.targets
    assert frozenset(other.targets) <= left.targets


@examples(standings(), wishes, wishes)
def test_a_lock_never_stands_without_endpoints(standing, first, second):
    after, delta = step_of(standing, first)
    for left in (
        undo(after, delta),
        unlock(after, run_id=None, endpoint_ids=after.endpoint_ids, targets=frozenset()).desired,
        unlock(after, run_id=None, endpoint_ids=second.endpoint_ids, targets=frozenset()).desired,
    ):
        assert left.document is None or left.frame is None or left.endpoint_ids or not left.targets


@examples(standings(), wishes)
def test_others_statements_stay_as_they_were(standing, wanted):
    after, delta = step_of(standing, wanted)
    if standing.document and standing.document.foreign:
        assert scp.render(after.document)["Statement"][0] == FOREIGN
        assert scp.render(undo(after, delta).document)["Statement"][0] == FOREIGN
        gone = unlock(after, run_id=None, endpoint_ids=frozenset(), targets=after.targets).desired
        assert gone.document is not None
        assert gone.document.foreign == (FOREIGN,)


def plan(standing: Standing, wanted: Wanted, run_id: str = "one", now: datetime = NOW) -> LockPlan:
    return lock(standing, wanted, run_id=run_id, now=now, pending_timeout=BOUND)


@examples(standings(), wishes)
def test_a_marker_says_all_that_undoing_needs(standing, wanted):
    locked = plan(standing, wanted).desired
    undone = unlock(
        locked, run_id="one", endpoint_ids=wanted.endpoint_ids, targets=wanted.targets
    ).desired
    assert like(undone, standing)


@examples(standings(), wishes)
def test_a_sealed_lock_is_left_alone_by_the_next_run_and_by_its_rescue(standing, wanted):
    sealed = seal(plan(standing, wanted).desired, run_id="one", targets=wanted.targets).desired
    again = plan(sealed, wanted, "two")
    assert again.marker is None
    assert steps(sealed, again.desired) == []
    rescued = unlock(sealed, run_id="two", endpoint_ids=wanted.endpoint_ids, targets=wanted.targets)
    assert steps(sealed, rescued.desired) == []
    assert rescued.notes


@examples(standings(), wishes, ids)
def test_a_dead_run_of_the_same_scope_is_resumed_and_undone_with_its_successor(
    standing, wanted, more
):
    more |= {min(wanted.endpoint_ids)}
    left = plan(standing, wanted).desired
    resumed = plan(left, replace(wanted, endpoint_ids=more), "two", NOW + timedelta(minutes=1))
    assert [each.run_id for each in from_tags(resumed.desired.tags)] in (["two"], [])
    assert resumed.desired.endpoint_ids == standing.endpoint_ids | wanted.endpoint_ids | more
    undone = unlock(resumed.desired, run_id="two", endpoint_ids=more, targets=wanted.targets)
    assert like(undone.desired, standing)


def test_a_run_with_other_endpoints_on_the_same_targets_is_at_work_and_not_taken_over():
    first = Wanted(
        rules=scp.Rules(), endpoint_ids=frozenset({"vpce-0a"}), targets=frozenset({"2" * 12})
    )
    second = replace(first, endpoint_ids=frozenset({"vpce-0b"}))
    both = plan(plan(Standing(name="lock"), first).desired, second, "two").desired
    assert {each.run_id for each in from_tags(both.tags)} == {"one", "two"}
    one = seal(both, run_id="one", targets=first.targets).desired
    two = seal(one, run_id="two", targets=first.targets).desired
    assert (two.endpoint_ids, from_tags(two.tags)) == ({"vpce-0a", "vpce-0b"}, [])
    failed = unlock(one, run_id="two", endpoint_ids=second.endpoint_ids, targets=second.targets)
    assert (failed.desired.endpoint_ids, failed.desired.targets) == ({"vpce-0a"}, {"2" * 12})
    ended = unlock(both, run_id="one", endpoint_ids=first.endpoint_ids, targets=first.targets)
    assert "unlocked for all, also where other runs locked it to vpce-0b" in ended.notes[0]


def test_a_marker_of_another_scope_is_undone_only_when_it_is_old():
    base = Wanted(
        rules=scp.Rules(), endpoint_ids=frozenset({"vpce-0a"}), targets=frozenset({"2" * 12})
    )
    other = replace(base, endpoint_ids=frozenset({"vpce-0b"}), targets=frozenset({"3" * 12}))
    left = plan(Standing(name="lock"), base).desired
    young = plan(left, other, "two", NOW + timedelta(minutes=10))
    assert young.desired.targets == {"2" * 12, "3" * 12}
    assert {each.run_id for each in from_tags(young.desired.tags)} == {"one", "two"}
    old = plan(left, other, "two", NOW + timedelta(hours=2))
    assert old.desired.targets == {"3" * 12}
    assert old.desired.endpoint_ids == {"vpce-0b"}
    assert [each.run_id for each in old.undone] == ["one"]
    assert "one" in old.notes[0]


@examples(wishes, wishes, st.booleans())
def test_a_lost_update_is_put_back_by_whoever_overwrote_it(first, second, sealed_before):
    """Two runs read the same document; the second's write, made from its old copy, loses the first's endpoints."""
    second = replace(second, rules=first.rules)
    start = Standing(
        name="lock",
        policy_id="p-12345678",
        document=scp.Document(frame=scp.frame(first.rules), endpoint_ids=frozenset({"vpce-00"})),
        tags={MANAGED: "true"},
        targets=first.targets if sealed_before else frozenset(),
    )
    one, two = plan(start, first, "one"), plan(start, second, "two")
    tags = {**one.desired.tags, **two.desired.tags}
    overwritten = replace(start, document=two.desired.document, tags=tags)
    repaired = rebase(overwritten, two)
    assert first.endpoint_ids | second.endpoint_ids <= repaired.endpoint_ids
    assert same_document(rebase(repaired, one).document, repaired.document)


@examples(wishes)
def test_a_run_being_undone_is_not_put_back(wanted):
    start = Standing(
        name="lock",
        policy_id="p-12345678",
        document=scp.Document(frame=scp.frame(wanted.rules), endpoint_ids=frozenset({"vpce-00"})),
        tags={MANAGED: "true"},
        targets=wanted.targets,
    )
    locked = plan(start, wanted).desired
    undoing = unlock(locked, run_id="one", endpoint_ids=frozenset(), targets=frozenset())
    marked = replace(
        locked, tags={**locked.tags, **to_tags(replace(undoing.undone[0], phase="undoing"))}
    )
    assert rebase(marked, undoing).endpoint_ids == {"vpce-00"}
    other = plan(marked, replace(wanted, targets=frozenset({"9" * 12})), "two")
    assert rebase(replace(marked, document=start.document), other).endpoint_ids >= {"vpce-00"}


def test_sealing_refuses_a_lock_that_someone_loosened():
    wanted = Wanted(
        rules=scp.Rules(), endpoint_ids=frozenset({"vpce-0a"}), targets=frozenset({"2" * 12})
    )
    locked = plan(Standing(name="lock"), wanted).desired
    with pytest.raises(EndpointError, match="no longer attached to 222222222222"):
        seal(replace(locked, targets=frozenset()), run_id="one", targets=wanted.targets)
    edited = replace(locked.document, frame=scp.frame(scp.Rules(action_prefixes=("bedrock",))))
    with pytest.raises(EndpointError, match="changed by someone else"):
        seal(replace(locked, document=edited), run_id="one", targets=wanted.targets)
    lost = replace(locked.document, endpoint_ids=frozenset({"vpce-0f"}))
    sealed = seal(replace(locked, document=lost), run_id="one", targets=wanted.targets)
    assert sealed.desired.endpoint_ids == {"vpce-0a", "vpce-0f"}


def test_an_emergency_needs_neither_ids_nor_a_readable_marker():
    wanted = Wanted(
        rules=scp.Rules(), endpoint_ids=frozenset({"vpce-0a"}), targets=frozenset({"2" * 12})
    )
    locked = plan(Standing(name="lock"), wanted).desired
    broken = replace(locked, tags={**locked.tags, "private-ai-endpoints:delta:one:0": "?"})
    ended = unlock(broken, run_id=None, endpoint_ids=frozenset(), targets=wanted.targets)
    assert ended.desired.document is None
    assert [step.action for step in steps(broken, ended.desired)] == ["delete", "delete"]
    with pytest.raises(EndpointError, match="cannot be read"):
        plan(broken, wanted, "two")


def test_a_policy_that_others_are_attached_to_keeps_its_rules():
    wanted = Wanted(
        rules=scp.Rules(opt_in_tag=("team", "ai")),
        endpoint_ids=frozenset({"vpce-0a"}),
        targets=frozenset({"2" * 12}),
    )
    sealed = seal(
        plan(Standing(name="lock"), wanted).desired, run_id="one", targets=wanted.targets
    ).desired
    other = Wanted(
        rules=scp.Rules(), endpoint_ids=frozenset({"vpce-0b"}), targets=frozenset({"3" * 12})
    )
    (problem,) = problems(plan(sealed, other, "two"), {}, other)
    assert "222222222222" in problem
    assert "roll_out" in problem
    assert problems(plan(sealed, replace(other, rules=wanted.rules), "two"), {}, other) == []
    more = replace(wanted.rules, break_glass_arns=("arn:aws:iam::222222222222:role/x",))
    wider = replace(other, rules=more)
    assert problems(plan(sealed, wider, "two"), {}, wider) == []


def test_limits_are_checked_before_anything_is_written():
    many = frozenset(f"vpce-{number:017x}" for number in range(500))
    wanted = Wanted(rules=scp.Rules(), endpoint_ids=many, targets=frozenset({"2" * 12}))
    found = problems(plan(Standing(name="lock"), wanted), {"2" * 12: 10}, wanted)
    assert len(found) == 2
    assert "10240" in found[0]
    assert "has 10 service control policies" in found[1]


@examples(standings(), wishes)
def test_the_length_is_that_of_what_is_sent(standing, wanted):
    document = want(standing, wanted).document
    sent = scp.text(document)
    assert json.loads(sent) == scp.render(document)
    assert sent == "".join(sent.split())


@examples(st.text(min_size=1, max_size=80), wishes, standings())
def test_a_marker_survives_as_tags(run_id, wanted, standing):
    _, delta = step_of(standing, wanted)
    marker = Marker(run_id=run_id, time="2026-03-01T12:00:00Z", delta=delta)
    tags = to_tags(marker)
    assert from_tags(tags) == [marker]
    assert len(tags) < 20
    for key, value in tags.items():
        assert len(key) <= 128
        assert len(value) <= 256
        assert all(sign.isalnum() or sign in " _.:/=+-@" for sign in key + value)
