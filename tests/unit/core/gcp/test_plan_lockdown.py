# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A perimeter's lock: what is added, what undoing takes out, and what others have there stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.lock_record import (
    HEAD,
    Delta,
    Record,
    from_description,
    text_of,
    with_record,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.lock_standing import (
    Standing,
    creation,
    patch,
    standing,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.lock_steps import steps
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.perimeter import (
    Additions,
    digest,
    merge,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_lockdown import (
    DRY_RUN,
    ENFORCED,
    VERTEX,
    LockPlan,
    Wanted,
    lock,
    recover,
    restore,
    seal,
    unlock,
)

NAME = "accessPolicies/1/servicePerimeters/vertex"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ADD = Additions(resources=("projects/1",), services=(VERTEX,))
WANTED = Wanted(additions=ADD)
DRY = Wanted(additions=ADD, roll_out=DRY_RUN)
THEIRS = {"resources": ["projects/9"], "restrictedServices": ["storage.googleapis.com"]}
PLANS = {"resources": ["projects/9"], "restrictedServices": ["pubsub.googleapis.com"]}
NEW = Standing(name=NAME, exists=False)


def there(**changes: Any) -> Standing:
    return Standing(name=NAME, title="Theirs", **{"status": dict(THEIRS), **changes})


def locked(start: Standing, wanted: Wanted = WANTED, run_id: str = "one") -> LockPlan:
    return lock(start, wanted, run_id=run_id, now=NOW)


def sealed(start: Standing, wanted: Wanted = WANTED) -> Standing:
    return seal(locked(start, wanted).desired, run_id="one").desired


def content(found: Standing) -> tuple[Any, ...]:
    """What decides about callers and what others wrote; nothing of a perimeter that does not exist."""
    if not found.exists:
        return ()
    return (found.status, found.spec, found.description, found.title)


# The plan.


@pytest.mark.parametrize(
    ("start", "wanted", "status", "spec"),
    [
        (NEW, WANTED, {"resources": ["projects/1"], "restrictedServices": [VERTEX]}, None),
        (NEW, DRY, {}, {"resources": ["projects/1"], "restrictedServices": [VERTEX]}),
        (there(), WANTED, merge(THEIRS, ADD), None),
        (there(), DRY, THEIRS, merge(THEIRS, ADD)),
        # Another team's dry run gets the same, and is not enforced.
        (there(spec=PLANS), WANTED, merge(THEIRS, ADD), merge(PLANS, ADD)),
        (there(spec=PLANS), DRY, THEIRS, merge(PLANS, ADD)),
        # What is enforced already is not taken back.
        (there(status=merge(THEIRS, ADD)), DRY, merge(THEIRS, ADD), None),
    ],
)
def test_a_lock_is_what_stands_and_the_additions(
    start: Standing, wanted: Wanted, status: Any, spec: Any
) -> None:
    made = locked(start, wanted).desired
    assert (made.status, made.spec) == (status, spec)


def test_a_dry_run_refuses_nobody_and_a_lock_somebody() -> None:
    assert locked(there(), DRY).to_json()["targets"] == []
    assert locked(there()).to_json()["targets"] == [NAME]
    assert locked(there()).to_json()["previous"]["status"] == THEIRS
    inside = there(status=merge(THEIRS, ADD))
    level = Wanted(additions=replace(ADD, levels=("accessPolicies/1/accessLevels/office",)))
    assert locked(inside, level).to_json()["targets"] == []


def test_our_own_dry_run_ends_when_all_of_it_is_enforced_and_comes_back_when_that_is_undone() -> (
    None
):
    start = there(description="Text")
    planned = sealed(start, DRY)
    made = locked(planned)
    assert (made.desired.spec, made.desired.status) == (None, merge(THEIRS, ADD))
    back = unlock(made.desired, run_id="one").desired
    assert (back.status, back.spec) == (planned.status, planned.spec)
    end = unlock(seal(made.desired, run_id="one").desired, run_id=None).desired
    assert content(end) == content(start)


def test_a_dry_run_of_ours_into_which_others_put_something_is_not_ended() -> None:
    planned = sealed(there(), DRY)
    more = {**(planned.spec or {}), "accessLevels": ["accessPolicies/1/accessLevels/theirs"]}
    made = locked(replace(planned, spec=more)).desired
    assert made.spec == more
    assert "accessLevels" not in made.status
    end = unlock(made, run_id=None).desired
    assert end.spec == {**THEIRS, "accessLevels": more["accessLevels"]}
    assert end.status == THEIRS


def test_a_dry_run_of_ours_ends_with_the_lock_also_when_others_changed_what_is_enforced() -> None:
    planned = sealed(there(), DRY)
    theirs = {**THEIRS, "resources": ["projects/9", "projects/8"]}
    end = unlock(replace(planned, status=theirs), run_id=None).desired
    assert (end.status, end.spec) == (theirs, None)
    assert locked(replace(planned, status=theirs)).desired.spec is None


def test_a_perimeter_of_ours_is_deleted_unless_others_use_it() -> None:
    for wanted in (WANTED, DRY):
        assert not unlock(sealed(NEW, wanted), run_id=None).desired.exists
        assert not unlock(locked(NEW, wanted).desired, run_id="one").desired.exists
    made = sealed(NEW)
    joined = replace(made, status=merge(made.status, Additions(resources=("projects/8",))))
    end = unlock(joined, run_id=None).desired
    assert (end.exists, end.status, end.description) == (True, {"resources": ["projects/8"]}, "")
    described = replace(made, description=f"Whose is this?\n{made.description}")
    assert unlock(described, run_id=None).desired.exists


def test_a_later_run_takes_over_what_an_earlier_one_left() -> None:
    first = locked(
        there(), Wanted(additions=Additions(resources=("projects/1",), services=(VERTEX,)))
    )
    later = Wanted(additions=Additions(resources=("projects/2",), services=(VERTEX,)))
    second = locked(first.desired, later, "two")
    assert second.notes and second.desired.status["resources"] == [
        "projects/9",
        "projects/1",
        "projects/2",
    ]
    assert unlock(second.desired, run_id="one").desired == second.desired
    assert content(unlock(second.desired, run_id="two").desired) == content(there())


@pytest.mark.parametrize(("age", "undone"), [(10, False), (100, True)])
def test_what_a_dead_run_left_is_undone_once_it_is_old(age: int, undone: bool) -> None:
    left = locked(there(), run_id="dead").desired
    made = recover(left, run_id="two", now=NOW + timedelta(seconds=age), pending_timeout=60)
    assert (content(made.desired) == content(there())) == undone
    assert made.notes
    mine = recover(left, run_id="dead", now=NOW + timedelta(days=1), pending_timeout=0)
    assert mine.desired == left


@pytest.mark.parametrize("gone", ["resources", "restrictedServices"])
def test_a_lock_that_others_took_apart_is_not_sealed(gone: str) -> None:
    made = locked(there()).desired
    with pytest.raises(EndpointError, match="took away"):
        seal(replace(made, status={**made.status, gone: THEIRS[gone]}), run_id="one")


def test_an_emergency_opens_without_a_record_only_what_is_named() -> None:
    lost = replace(sealed(there()), description="From a template")
    kept = unlock(lost, run_id=None)
    assert kept.desired == lost and "restricted_services" in kept.notes[0]
    opened = unlock(lost, run_id=None, services=(VERTEX,)).desired
    assert opened.status["restrictedServices"] == THEIRS["restrictedServices"]
    assert opened.description == "From a template"


def test_an_emergency_opens_with_a_record_that_cannot_be_read() -> None:
    made = sealed(there(description="Text"))
    for line in (
        f"{HEAD} {{",
        f"{HEAD} {{}}",
        f"{HEAD} []",
        f"{made.description}\n{made.description}",
    ):
        broken = replace(made, description=f"Text\n{line}")
        for call in (
            lambda found: locked(found),
            lambda found: seal(found, run_id=None),
            lambda found: restore(found),
            lambda found: unlock(found, run_id="one"),
        ):
            with pytest.raises(EndpointError, match="cannot be read"):
                call(broken)
        opened = unlock(broken, run_id=None)
        assert VERTEX not in opened.desired.status["restrictedServices"]
        assert HEAD not in opened.desired.description
        assert opened.notes


def test_restoring_also_ends_a_dry_run_that_others_changed() -> None:
    planned = sealed(there(), DRY)
    touched = replace(planned, spec={**(planned.spec or {}), "accessLevels": ["x"]})
    assert unlock(touched, run_id=None).desired.spec is not None
    assert content(restore(touched).desired) == content(there())
    assert restore(there()).desired == there()


@pytest.mark.parametrize("allowed", [None, ["RESTRICTED-SERVICES"]])
def test_accessible_services_are_switched_back_only_where_the_lock_switched_them(
    allowed: list[str] | None,
) -> None:
    status = dict(THEIRS)
    if allowed is not None:
        status["vpcAccessibleServices"] = {"enableRestriction": True, "allowedServices": allowed}  # type: ignore[assignment]
    wanted = Wanted(additions=replace(ADD, accessible=("RESTRICTED-SERVICES", VERTEX)))
    made = locked(there(status=status), wanted)
    assert made.desired.status["vpcAccessibleServices"] == {
        "enableRestriction": True,
        "allowedServices": ["RESTRICTED-SERVICES", VERTEX],
    }
    assert made.delta.status.switched == (allowed is None)
    assert unlock(made.desired, run_id="one").desired.status == status


# What is written.


def test_a_request_names_what_changes_and_nothing_else() -> None:
    start = standing({"name": NAME, "title": "t", "status": THEIRS, "etag": "e"})
    assert set(patch(start, locked(start).desired)) == {"status", "description"}
    planned = locked(start, DRY).desired
    assert set(patch(start, planned)) == {"spec", "useExplicitDryRunSpec", "description"}
    assert patch(planned, replace(planned, spec=None)) == {
        "spec": None,
        "useExplicitDryRunSpec": False,
    }
    assert patch(start, start) == {}
    made = creation(locked(NEW, DRY).desired)
    assert made["useExplicitDryRunSpec"] and "status" not in made and made["title"] == "vertex"
    assert "spec" not in creation(locked(NEW).desired)


# For whatever stands, whatever is wanted, and whatever others do meanwhile.

_RESOURCES = st.lists(
    st.sampled_from([f"projects/{n}" for n in range(1, 6)]), unique=True, max_size=4
)
_SERVICES = st.lists(
    st.sampled_from([VERTEX, *(f"{name}.googleapis.com" for name in ("storage", "run", "pubsub"))]),
    unique=True,
    max_size=3,
)
_LEVELS = st.lists(st.sampled_from(["one", "two"]), unique=True, max_size=2)
_RULES = st.lists(
    st.sampled_from(["user:a@x.org", "user:b@x.org"]).map(
        lambda who: {"ingressFrom": {"identities": [who]}, "ingressTo": {"resources": ["*"]}}
    ),
    unique_by=str,
    max_size=2,
)
_ACCESSIBLE = st.none() | _SERVICES.map(
    lambda listed: {"enableRestriction": True, "allowedServices": listed}
)


@st.composite
def configs(draw: st.DrawFn) -> dict[str, Any]:
    found = {
        "resources": draw(_RESOURCES),
        "restrictedServices": draw(_SERVICES),
        "accessLevels": draw(_LEVELS),
        "ingressPolicies": draw(_RULES),
        "egressPolicies": draw(_RULES),
        "vpcAccessibleServices": draw(_ACCESSIBLE),
    }
    return {name: value for name, value in found.items() if value}


_STANDING = st.builds(
    Standing,
    name=st.just(NAME),
    title=st.just("Theirs"),
    description=st.sampled_from(["", "Text", "Two\nlines", "ends with a newline\n"]),
    status=configs(),
    spec=st.none() | configs(),
)
_ADDITIONS = st.builds(
    Additions,
    resources=_RESOURCES.filter(bool).map(tuple),
    services=_SERVICES.filter(bool).map(tuple),
    levels=_LEVELS.map(tuple),
    ingress=_RULES.map(tuple),
    accessible=st.none() | _SERVICES.filter(bool).map(tuple),
)
_WANTED = st.builds(Wanted, additions=_ADDITIONS, roll_out=st.sampled_from([DRY_RUN, ENFORCED]))


@given(_STANDING | st.just(NEW), st.lists(_WANTED, min_size=1, max_size=4), st.booleans())
def test_undoing_restores_what_stood(start: Standing, runs: list[Wanted], seals: bool) -> None:
    found = start
    for number, wanted in enumerate(runs):
        found = locked(found, wanted, str(number)).desired
        if seals:
            found = seal(found, run_id=None).desired
    assert content(unlock(found, run_id=None).desired) == content(start)
    assert content(restore(found).desired) == content(start)


@given(_STANDING | st.just(NEW), _WANTED, _WANTED)
def test_undoing_one_run_goes_back_to_the_one_before(
    start: Standing, first: Wanted, second: Wanted
) -> None:
    before = sealed(start, first)
    made = locked(before, second, "two")
    undone = unlock(made.desired, run_id="two").desired
    # The order of a list means nothing, and the second run's may be another one.
    assert digest(undone.status) == digest(before.status)
    assert (undone.spec is None) == (before.spec is None)
    assert digest(undone.spec or {}) == digest(before.spec or {})
    assert from_description(undone.description).kept == from_description(before.description).kept


@given(_STANDING | st.just(NEW), _WANTED, st.booleans())
def test_a_second_plan_is_empty(start: Standing, wanted: Wanted, seals: bool) -> None:
    made = locked(start, wanted).desired
    if seals:
        made = seal(made, run_id="one").desired
    again = locked(made, wanted)
    assert again.desired == made
    assert steps(made, again.desired) == []


@given(_STANDING, _WANTED, configs())
def test_what_others_add_meanwhile_stays(
    start: Standing, wanted: Wanted, more: dict[str, Any]
) -> None:
    """Somebody adds what neither stood before nor is ours."""
    made = locked(start, wanted).desired
    extra = {
        key: [
            item
            for item in more.get(key) or ()
            if item not in {*(made.status.get(key) or ()), *((made.spec or {}).get(key) or ())}
        ]
        for key in ("resources", "restrictedServices", "accessLevels")
    }
    theirs = _as_additions(extra)
    joined = replace(
        made,
        status=merge(made.status, theirs),
        spec=None if made.spec is None else merge(made.spec, theirs),
    )
    end = unlock(joined, run_id=None).desired
    assert end.status == merge(start.status, theirs)
    if start.spec is not None:
        assert end.spec == merge(start.spec, theirs)
    assert end.description == start.description


def _as_additions(config: dict[str, Any]) -> Additions:
    return Additions(
        resources=tuple(config.get("resources") or ()),
        services=tuple(config.get("restrictedServices") or ()),
        levels=tuple(config.get("accessLevels") or ()),
    )


@given(_STANDING, _WANTED)
def test_what_others_plan_is_never_enforced(start: Standing, wanted: Wanted) -> None:
    made = locked(start, wanted).desired
    expected = start.status if wanted.roll_out == DRY_RUN else merge(start.status, wanted.additions)
    assert made.status == expected
    if start.spec is not None:
        assert made.spec == merge(start.spec, wanted.additions)


@given(_STANDING, _WANTED, _WANTED)
def test_the_record_reads_back_beside_any_text(
    start: Standing, first: Wanted, second: Wanted
) -> None:
    made = locked(sealed(start, first), second, "two")
    record = from_description(made.desired.description)
    assert record.run == made.run
    assert with_record(made.desired.description, Record()) == start.description
    assert text_of(made.desired.description) == start.description
    assert Delta.from_json(record.kept.to_json()) == record.kept
