# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints that are new under a lock are let through before they are proved, and nothing else changes."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws import scp
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.lock_delta import (
    Standing,
    Wanted,
    want,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.pending import (
    from_tags,
    marker_keys,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_lockdown import (
    LockPlan,
    admit,
    lock,
    seal,
    unlock,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
ids = st.frozensets(st.integers(0, 9).map("vpce-0a00000000000000{}".format), min_size=1, max_size=4)
rules = st.builds(scp.Rules, exclusion_tag=st.booleans())


def wish(endpoints: frozenset[str], how: scp.Rules, target: str = "222222222222") -> Wanted:
    return Wanted(rules=how, endpoint_ids=endpoints, targets=frozenset({target}))


def admitted(standing: Standing, wanted: Wanted) -> LockPlan:
    return admit(standing, wanted, run_id="member", now=NOW)


@given(ids, ids, rules, rules)
def test_only_the_list_of_endpoints_grows(
    old: frozenset[str], new: frozenset[str], before: scp.Rules, asked: scp.Rules
) -> None:
    standing = want(Standing(name="lock"), wish(old, before))
    plan = admitted(standing, wish(new, asked))
    assert plan.desired.endpoint_ids == old | new
    assert scp.same_frame(plan.desired.frame, standing.frame)
    assert plan.desired.targets == standing.targets
    assert (plan.marker is None) == (new <= old)


@given(ids, rules)
def test_nothing_happens_where_no_lock_stands(new: frozenset[str], how: scp.Rules) -> None:
    elsewhere = want(Standing(name="lock"), wish(frozenset({"vpce-0b"}), how, "333333333333"))
    for standing in (Standing(name="lock"), elsewhere):
        assert admitted(standing, wish(new, how)).desired == standing


@given(ids, ids, rules)
def test_it_is_undone_alone_or_with_the_lock_that_took_it_over(
    old: frozenset[str], new: frozenset[str], how: scp.Rules
) -> None:
    standing = want(Standing(name="lock"), wish(old, how))
    let_in = admitted(standing, wish(new, how)).desired
    alone = unlock(let_in, run_id="member", endpoint_ids=new, targets=frozenset())
    assert alone.desired.endpoint_ids == old
    made = lock(let_in, wish(old | new, how), run_id="scope", now=NOW, pending_timeout=3600)
    assert [marker.run_id for marker in from_tags(made.desired.tags)] in ([], ["scope"])
    undone = unlock(made.desired, run_id="scope", endpoint_ids=old | new, targets=frozenset())
    assert undone.desired.endpoint_ids == old
    sealed = seal(made.desired, run_id="scope", targets=frozenset())
    assert sealed.desired.endpoint_ids == old | new
    assert not marker_keys(sealed.desired.tags)
