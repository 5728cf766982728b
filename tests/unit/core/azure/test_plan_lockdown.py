# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of an account: undone exactly, whatever stood before and whatever others do meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.lock_record import (
    HEAD,
    Record,
    Run,
    from_tags,
    is_own,
    to_tags,
    with_record,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.lock_settings import (
    NAMES,
    Settings,
    difference,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.lock_standing import (
    Standing,
    networks,
    patch,
    standing,
    steps,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_lockdown import (
    LockPlan,
    Wanted,
    lock,
    recover,
    restore,
    seal,
    unlock,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
ID = "/subscriptions/5c/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/lab-openai"

addresses = st.frozensets(st.integers(1, 9).map("203.0.113.{}".format), max_size=5).map(
    lambda found: tuple(sorted(found))
)
hosts = st.frozensets(st.sampled_from(["a.example", "b.example", "c.example"])).map(
    lambda found: tuple(sorted(found))
)
values: dict[str, st.SearchStrategy[Any]] = {
    "public_network_access": st.sampled_from(["Enabled", "Disabled", "SecuredByPerimeter"]),
    "default_action": st.sampled_from(["Allow", "Deny"]),
    "bypass": st.sampled_from(["None", "AzureServices"]),
    "ip_rules": addresses,
    "disable_local_auth": st.booleans(),
    "restrict_outbound_network_access": st.booleans(),
    "allowed_fqdns": hosts,
}
states = st.builds(Settings, **values)
wishes = st.builds(
    Wanted,
    public_network_access=st.sampled_from(["Disabled", "Enabled"]),
    **{
        name: st.none() | values[name]
        for name in NAMES
        if name not in ("public_network_access", "default_action")
    },
)
others_tags = st.dictionaries(
    st.text(min_size=1, max_size=20).filter(lambda name: not is_own(name)),
    st.text(max_size=20),
    max_size=4,
)
accounts = st.builds(
    Standing,
    account_id=st.just(ID),
    name=st.just("lab-openai"),
    settings=states,
    tags=others_tags,
)
OPEN = Standing(account_id=ID, name="lab-openai", settings=Settings())


def examples(*strategies: Any) -> Any:
    return lambda test: settings(max_examples=40, deadline=None)(given(*strategies)(test))


def plan(start: Standing, wanted: Wanted, run_id: str = "one", now: datetime = NOW) -> LockPlan:
    return lock(start, wanted, run_id=run_id, now=now)


def meanwhile(start: Standing, by_others: dict[str, Any]) -> Standing:
    return replace(start, settings=replace(start.settings, **by_others))


@examples(accounts, wishes)
def test_undoing_a_lock_gives_back_what_stood(start: Standing, wanted: Wanted) -> None:
    locked = plan(start, wanted).desired
    assert locked.settings == wanted.of(start.settings)
    assert unlock(locked, run_id="one").desired == start
    assert unlock(locked, run_id=None).desired == start
    assert restore(locked).desired == start
    recovered = recover(locked, run_id="two", now=NOW, pending_timeout=0)
    assert recovered.desired == start
    assert bool(recovered.notes) == (locked != start)


@examples(accounts, wishes)
def test_a_sealed_lock_is_opened_from_its_tags_alone(start: Standing, wanted: Wanted) -> None:
    sealed = seal(plan(start, wanted).desired, run_id="one").desired
    assert sealed.settings == wanted.of(start.settings)
    assert from_tags(sealed.tags).run is None
    assert unlock(sealed, run_id="one").desired == sealed
    assert recover(sealed, run_id="two", now=NOW, pending_timeout=0).desired == sealed
    assert unlock(sealed, run_id=None).desired == start
    assert restore(sealed).desired == start


@examples(accounts, wishes, wishes)
def test_the_next_run_changes_nothing_and_keeps_the_first_values(
    start: Standing, wanted: Wanted, more: Wanted
) -> None:
    sealed = seal(plan(start, wanted).desired, run_id="one").desired
    again = plan(sealed, wanted, "two")
    assert (again.desired, again.run, again.delta.empty) == (sealed, None, True)
    assert steps(sealed, again.desired) == []
    assert patch(sealed, again.desired) == {}
    wider = plan(sealed, more, "three").desired
    assert unlock(wider, run_id="three").desired == sealed
    both = seal(wider, run_id="three").desired
    assert both.settings == more.of(wanted.of(start.settings))
    assert unlock(both, run_id=None).desired == start
    assert restore(both).desired == start


@examples(accounts, wishes, st.fixed_dictionaries({}, optional=values))
def test_what_others_changed_meanwhile_stays(
    start: Standing, wanted: Wanted, by_others: dict[str, Any]
) -> None:
    locked = plan(start, wanted).desired
    touched = meanwhile(locked, by_others)
    undone = unlock(touched, run_id="one").desired.settings
    for name in NAMES:
        before, made, now = (
            getattr(item.settings, name) for item in (start, locked, touched)
        )  # fmt: skip
        if made == before:
            expected = now
        elif isinstance(now, tuple):
            expected = tuple(
                sorted((set(now) - (set(made) - set(before))) | (set(before) - set(made)))
            )
        else:
            expected = before if now == made else now
        assert getattr(undone, name) == expected, name
    exact = restore(touched).desired.settings
    changed = from_tags(locked.tags).total.changes
    for name in NAMES:
        held = start.settings if name in changed else touched.settings
        assert getattr(exact, name) == getattr(held, name)


@examples(accounts, wishes, wishes)
def test_a_dead_run_is_taken_over_and_undone_with_its_successor(
    start: Standing, wanted: Wanted, other: Wanted
) -> None:
    left = plan(start, wanted, "dead").desired
    resumed = plan(left, other, "two", NOW + timedelta(minutes=1))
    assert resumed.desired.settings == other.of(start.settings)
    assert bool(resumed.notes) == (left != start)
    assert unlock(resumed.desired, run_id="dead").desired == resumed.desired
    assert unlock(resumed.desired, run_id="two").desired == start
    same = plan(left, wanted, "dead", NOW + timedelta(minutes=1))
    assert same.desired == left


@examples(accounts, wishes)
def test_one_patch_says_all_and_nothing_else(start: Standing, wanted: Wanted) -> None:
    """Sent to an account that merges properties and replaces rules and tags, it makes what was planned."""
    document = arm(start)
    read = standing(document)
    made = plan(read, wanted)
    body = patch(read, made.desired)
    document["properties"].update(body.get("properties", {}))
    document["tags"] = body.get("tags", document["tags"])
    after = standing(document)
    assert (after.settings, after.tags) == (made.desired.settings, made.desired.tags)
    assert bool(body) == (read != made.desired)
    if "networkAcls" in body.get("properties", {}):
        rules = body["properties"]["networkAcls"]["virtualNetworkRules"]
        assert rules == [{"id": "subnet", "state": "Succeeded"}]


def arm(start: Standing) -> dict[str, Any]:
    now = start.settings
    return {
        "id": ID,
        "name": start.name,
        "tags": dict(start.tags),
        "properties": {
            "publicNetworkAccess": now.public_network_access,
            "networkAcls": {
                "defaultAction": now.default_action,
                "bypass": None if now.bypass == "None" else now.bypass,
                "ipRules": [{"value": item} for item in now.ip_rules],
                "virtualNetworkRules": [{"id": "subnet", "state": "Succeeded"}],
            },
            "disableLocalAuth": now.disable_local_auth,
            "restrictOutboundNetworkAccess": now.restrict_outbound_network_access,
            "allowedFqdnList": list(now.allowed_fqdns),
        },
    }


@examples(
    accounts,
    wishes,
    st.text(min_size=1, max_size=300).filter(lambda text: text.isprintable()),
    st.booleans(),
)
def test_a_record_survives_as_tags(
    start: Standing, wanted: Wanted, run_id: str, upper: bool
) -> None:
    delta = difference(start.settings, wanted.of(start.settings))
    record = Record(kept=delta, run=Run(run_id=run_id, time="2026-03-01T12:00:00Z", delta=delta))
    tags = with_record(start.tags, record)
    assert {name: tags[name] for name in start.tags} == start.tags
    assert from_tags({n.upper() if upper else n: value for n, value in tags.items()}) == record
    for name, value in to_tags(record).items():
        assert len(name) <= 512
        assert len(value) <= 256
        assert not set(name) & set("<>%&\\?/")
    assert with_record(tags, Record()) == start.tags


def test_defaults_that_azure_leaves_out_are_no_difference() -> None:
    bare = standing({"id": ID, "name": "lab-openai", "properties": {"networkAcls": None}})
    assert bare.settings == Settings()
    body = patch(bare, plan(bare, Wanted()).desired)
    assert set(body) == {"properties", "tags"}
    assert body["properties"] == {
        "publicNetworkAccess": "Disabled",
        "networkAcls": {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []},
    }
    assert set(body["tags"]) == {HEAD, f"{HEAD}:0"}


def test_it_says_whom_it_cut_off() -> None:
    def targets(before: Settings, wanted: Wanted) -> Any:
        return plan(replace(OPEN, settings=before), wanted).to_json()["targets"]

    closed = Settings(public_network_access="Disabled", default_action="Deny")
    firewall = Settings(default_action="Deny", ip_rules=("203.0.113.7",))
    assert targets(Settings(), Wanted()) == [ID]
    assert targets(firewall, Wanted()) == [ID]
    assert targets(Settings(), Wanted(public_network_access="Enabled")) == [ID]
    assert targets(firewall, Wanted(public_network_access="Enabled", ip_rules=())) == [ID]
    assert targets(firewall, Wanted(public_network_access="Enabled")) == []
    assert targets(closed, Wanted(disable_local_auth=True)) == []
    assert targets(closed, Wanted()) == []
    # Somebody else closed half of it, which let nobody in already.
    assert targets(replace(closed, default_action="Allow"), Wanted()) == []
    made = plan(OPEN, Wanted()).to_json()
    assert made["previous"] == {"public_network_access": "Enabled", "default_action": "Allow"}


def test_steps_name_settings_and_what_is_kept() -> None:
    locked = plan(OPEN, Wanted()).desired
    change, kept = steps(OPEN, locked, conditional_on="a proof")
    assert (change.resource, change.action, change.conditional_on) == (
        "account lab-openai",
        "update",
        "a proof",
    )
    assert change.after == {"public_network_access": "Disabled", "default_action": "Deny"}
    assert (kept.action, kept.after["pending"]) == ("create", "one")
    (sealing,) = steps(locked, seal(locked, run_id="one").desired)
    assert (sealing.action, sealing.before["pending"], sealing.after["pending"]) == (
        "update",
        "one",
        None,
    )
    assert [step.action for step in steps(locked, OPEN)] == ["update", "delete"]


def test_sealing_refuses_a_lock_that_someone_loosened() -> None:
    locked = plan(OPEN, Wanted()).desired
    with pytest.raises(EndpointError, match="others changed public_network_access"):
        seal(meanwhile(locked, {"public_network_access": "Enabled"}), run_id="one")
    other = seal(locked, run_id="two")
    assert other.desired == locked
    assert "run one" in other.notes[0]
    assert from_tags(seal(locked, run_id=None).desired.tags).run is None


def test_a_young_marker_is_left_alone_where_that_is_asked_for() -> None:
    locked = plan(OPEN, Wanted()).desired
    later = NOW + timedelta(seconds=60)
    young = recover(locked, run_id="two", now=later, pending_timeout=61)
    assert (young.desired, young.run and young.run.run_id) == (locked, "one")
    assert "may be at work" in young.notes[0]
    assert recover(locked, run_id="two", now=later, pending_timeout=60).desired == OPEN
    assert recover(locked, run_id="one", now=later, pending_timeout=0).desired == locked


def test_an_emergency_needs_no_readable_tags() -> None:
    locked = plan(replace(OPEN, tags={"team": "ai"}), Wanted()).desired
    broken = replace(locked, tags={**locked.tags, f"{HEAD}:0": "?"})
    for attempt in (
        lambda: plan(broken, Wanted(), "two"),
        lambda: restore(broken),
        lambda: unlock(broken, run_id="one"),
    ):
        with pytest.raises(EndpointError, match="cannot be read"):
            attempt()
    opened = unlock(broken, run_id=None)
    assert (opened.desired.settings, opened.desired.tags) == (Settings(), {"team": "ai"})
    assert "cannot be read" in opened.notes[0]
    assert [step.action for step in steps(broken, opened.desired)] == ["update", "delete"]


def test_what_this_collection_did_not_close_is_opened_only_when_said_so() -> None:
    closed = meanwhile(OPEN, {"public_network_access": "Disabled"})
    left = unlock(closed, run_id=None)
    assert left.desired == closed
    assert "not by this collection" in left.notes[0]
    assert unlock(closed, run_id=None, open_all=True).desired == OPEN
    assert unlock(OPEN, run_id=None, open_all=True).desired == OPEN
    # It was closed before: unlocking ends the lock, and says that the account is closed all the same.
    ended = unlock(plan(closed, Wanted()).desired, run_id=None)
    assert ended.desired == closed
    assert "stays closed" in ended.notes[0]


def test_ip_rules_are_compared_by_meaning() -> None:
    assert networks(["203.0.113.7/32", " 203.0.113.7", "203.0.113.9/24"]) == (
        "203.0.113.0/24",
        "203.0.113.7",
    )
    for value in ("2001:db8::1", "10.20.0.0/16", "203.0.113.6/31", "anywhere", "0.0.0.0/0"):
        with pytest.raises(EndpointError, match=f"ip_rules: {value} is"):
            networks([value])
