# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS phase's plan for Google: tables of what it does and refuses, and what holds for whatever stands there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_dns import (
    answering,
    ordered,
    present,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_dns_back import (
    absent,
    restored,
    staying,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_dns_done import (
    Done,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_dns_problems import (
    deciding_rule,
    problems,
    warnings,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_dns_report import (
    after,
    replaced,
    steps,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_dns_types import (
    Change,
    Entry,
    Holder,
    Record,
    View,
    Wanted,
    policy_name,
    rule_name,
    zone_name,
)

A, B, C = (f"projects/p/global/networks/{name}" for name in "abc")
HOST, OTHER = "aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com"
X, Y = "10.255.0.1", "10.255.0.2"
RUN = "0123456789ab"


def record(name: str, *values: str, type: str = "A", ttl: int = 300) -> Entry:
    """A record set of a zone."""
    return Entry(
        key=f"{name} {type}",
        name=name,
        records=(Record(name=name, type=type, ttl=ttl, values=tuple(sorted(values))),),
    )


def zone(name: str, dns_name: str, *networks: str, entries: Any = (), **more: Any) -> Holder:
    return Holder(
        kind="zone",
        project="p",
        name=name,
        dns_name=dns_name,
        networks=tuple(sorted(networks)),
        entries=ordered(entries),
        **more,
    )


def rule(name: str, *values: str, key: str = "r", bypass: bool = False) -> Entry:
    """A rule of a response policy."""
    sets = () if bypass else (Record(name=name, type="A", ttl=300, values=tuple(sorted(values))),)
    return Entry(key=key, name=name, records=sets, bypass=bypass)


def policy(name: str, *networks: str, entries: Any = (), **more: Any) -> Holder:
    return Holder(
        kind="policy",
        project="p",
        name=name,
        networks=tuple(sorted(networks)),
        entries=ordered(entries),
        **more,
    )


def wanted(hosts: tuple[str, ...] = (HOST,), **options: Any) -> Wanted:
    return Wanted(**{"places": {A: X}, "hosts": hosts, **options})


def carried_out(view: View, changes: list[Change], run: str = RUN) -> View:
    """What stands after the changes; what is new carries the run's label."""
    marked = [
        replace(item, after=replace(item.after, run=run))
        if item.before is None and item.after
        else item
        for item in changes
    ]
    return after(view, marked)


def answer(view: View, network: str, host: str) -> tuple[str, ...] | None:
    """What a name resolves to in a network: by its response policy, then by its zones; None for public DNS."""
    found = deciding_rule(view.policy(network), host)
    if found and not found.bypass:
        return found.addresses()
    suffixes = [
        item
        for item in view.attached("zone", network)
        if host == item.dns_name or host.endswith(f".{item.dns_name}")
    ]
    best = max(suffixes, key=lambda item: len(item.dns_name), default=None)
    return best.addresses(host) if best else None


def test_a_zone_for_each_name_and_address() -> None:
    asked = wanted(hosts=(HOST, OTHER), places={A: X, B: Y, C: X})
    made = [item.after for item in present(View(), asked) if item.after]
    assert {(item.dns_name, item.networks, item.addresses(item.dns_name)) for item in made} == {
        (HOST, (A, C), (X,)),
        (HOST, (B,), (Y,)),
        (OTHER, (A, C), (X,)),
        (OTHER, (B,), (Y,)),
    }
    assert all(item.managed and len(item.entries or ()) == 1 for item in made)
    assert {item.project for item in made} == {"p"}


def test_a_zone_of_the_name_is_adopted_whoever_made_it() -> None:
    theirs = zone("theirs", HOST, A, entries=[record(HOST, Y, ttl=30), record(f"x.{HOST}", Y)])
    (change,) = present(View(holders=(theirs,)), wanted())
    assert change.after == replace(
        theirs, entries=ordered([record(HOST, X, ttl=30), record(f"x.{HOST}", Y)])
    )
    assert replaced(View(holders=(theirs,)), wanted()) == 30
    assert replaced(carried_out(View(holders=(theirs,)), [change]), wanted()) is None
    assert present(carried_out(View(holders=(theirs,)), [change]), wanted()) == []
    (slower,) = present(View(holders=(theirs,)), wanted(ttl=77))
    assert slower.after and slower.after.entry(f"{HOST} A") == record(HOST, X, ttl=77)


DRAINS: dict[str, tuple[list[Holder], int | None]] = {
    "nothing": ([], None),
    "zone of another network": ([zone("z", HOST, B, entries=[record(HOST, Y)])], None),
    "rule before zone": (
        [
            zone("z", HOST, A, entries=[record(HOST, Y, ttl=30)]),
            policy("rpz", A, entries=[rule(HOST, Y)]),
        ],
        300,
    ),
    "zone behind a rule that lets pass": (
        [
            zone("z", HOST, A, entries=[record(HOST, Y, ttl=30)]),
            policy("rpz", A, entries=[rule(HOST, bypass=True)]),
        ],
        30,
    ),
    "wildcard of the whole domain": (
        [zone("z", "googleapis.com", A, entries=[record("*.googleapis.com", Y, ttl=44)])],
        44,
    ),
    "the same address": ([zone("z", HOST, A, entries=[record(HOST, X)])], None),
}


@pytest.mark.parametrize("case", DRAINS)
def test_how_long_clients_hold_what_answers_now(case: str) -> None:
    holders, seconds = DRAINS[case]
    for mode in ("zones", "response_policy"):
        assert replaced(View(holders=tuple(holders)), wanted(mode=mode)) == seconds


def test_other_addresses_of_the_name_go_with_it() -> None:
    theirs = zone(
        "theirs", HOST, A, entries=[record(HOST, X), record(HOST, "fd00::1", type="AAAA")]
    )
    (change,) = present(View(holders=(theirs,)), wanted())
    assert change.after and change.after.entries == (record(HOST, X),)


def test_a_network_joins_the_zone_of_its_address() -> None:
    ours = zone("ours", HOST, A, entries=[record(HOST, X)], managed=True)
    (change,) = present(View(holders=(ours,)), wanted(places={A: X, B: X}))
    assert change.after == replace(ours, networks=(A, B))
    (other,) = present(View(holders=(ours,)), wanted(places={A: X, B: Y}))
    assert other.before is None and other.after and other.after.networks == (B,)
    theirs = replace(ours, managed=False)
    (new,) = present(View(holders=(theirs,)), wanted(places={A: X, B: X}))
    assert new.before is None, "a zone of somebody else gets no networks"


def test_what_a_killed_run_left_is_completed() -> None:
    (made,) = present(View(), wanted())
    assert made.after
    for left in (replace(made.after, networks=(), entries=()), replace(made.after, networks=())):
        (change,) = present(View(holders=(left,)), wanted())
        assert change.after == made.after


def test_home_project() -> None:
    (change,) = present(View(), wanted(home="central"))
    assert change.id.startswith("projects/central/managedZones/")


RPZ = {"mode": "response_policy"}
REFUSED: dict[str, tuple[list[Holder], dict[str, Any], list[str]]] = {
    "peering": ([zone("z", HOST, A, leads="peering", target=B)], {}, ["peering zone", "Detach it"]),
    "rule": (
        [policy("rpz", A, entries=[rule(HOST, Y, key="mine")])],
        {},
        ["mine", Y, "bypassResponsePolicy"],
    ),
    "wildcard": (
        [policy("rpz", A, entries=[rule("*.googleapis.com", Y)])],
        {},
        ["*.googleapis.com"],
    ),
    "shared zone": (
        [zone("z", HOST, A, C, entries=[record(HOST, Y)])],
        {},
        [f"answers for {HOST} in {C} too", "detach"],
    ),
    "shared by ourselves": (
        [zone("z", HOST, A, B, entries=[record(HOST, X)], managed=True)],
        {"places": {A: X, B: Y}},
        [f"in {A} too", "detach"],
    ),
    "routing policy": ([zone("z", HOST, A, entries=[record(HOST)])], {}, ["routing policy"]),
    "name": (
        [zone(zone_name("private-ai", HOST, A, X), HOST, entries=[])],
        {},
        ["was not made by this collection", "zone_prefix"],
    ),
    "shared policy": ([policy("rpz", A, C)], RPZ, [f"in {C} too", "response policy of their own"]),
    "bypass": ([policy("rpz", A, entries=[rule(HOST, bypass=True)])], RPZ, ["mode zones"]),
    "policy's name": (
        [policy(policy_name("private-ai", A))],
        RPZ,
        ["was not made by this collection"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_stands_against_it_is_told(case: str) -> None:
    holders, options, words = REFUSED[case]
    found = problems(View(holders=tuple(holders)), wanted(**options))
    text = "\n".join(error.message for error in found)
    assert found and all(error.fix for error in found)
    for word in words:
        assert word in text, text


def test_an_unknown_network_is_told() -> None:
    (found,) = problems(View(networks={A: False}), wanted())
    assert f"{A} does not exist" in found.message


HARMLESS: dict[str, tuple[list[Holder], dict[str, Any]]] = {
    "rule that leads there": ([policy("rpz", A, entries=[rule(HOST, X)])], {}),
    "rule that lets it pass": (
        [
            policy(
                "rpz",
                A,
                entries=[rule(HOST, bypass=True, key="a"), rule("*.googleapis.com", Y, key="b")],
            )
        ],
        {},
    ),
    "rule of another network": ([policy("rpz", B, entries=[rule(HOST, Y)])], {}),
    "shared zone that is right": ([zone("z", HOST, A, C, entries=[record(HOST, X)])], {}),
    "wildcard beside the name": ([policy("rpz", A, entries=[rule("*.googleapis.com", Y)])], RPZ),
    "public zone": ([zone("z", HOST, leads="public")], {}),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_does_not_matter_is_no_problem(case: str) -> None:
    holders, options = HARMLESS[case]
    assert problems(View(holders=tuple(holders)), wanted(**options)) == []


def test_zones_that_break_other_names_are_told() -> None:
    bare = zone("bare", "googleapis.com", A, entries=[record(HOST, X)])
    (text,) = warnings(View(holders=(bare,)), wanted())
    assert "bare" in text and "other Google APIs" in text
    whole = replace(bare, entries=ordered([record("*.googleapis.com", X)]))
    assert warnings(View(holders=(whole,)), wanted()) == []
    peered = zone("peer", "googleapis.com", A, leads="peering", target=B)
    (text,) = warnings(View(holders=(peered,)), wanted())
    assert B in text and "DNS peering" in text


@pytest.mark.parametrize("mode", ["zones", "response_policy"])
def test_one_answer_cannot_be_each_networks_own(mode: str) -> None:
    held = {
        "zones": zone("both", HOST, A, B, entries=[record(HOST, Y)]),
        "response_policy": policy("both", A, B, entries=[rule(HOST, Y, key="r")]),
    }[mode]
    # What answers already is right for the one, so that nothing would be changed.
    asked = wanted(places={A: X, B: Y}, mode=mode)
    (found, *_) = problems(View(holders=(held,)), asked)
    assert found.resource == held.id
    assert "can give them one address only" in found.message


def test_rules_of_a_policy() -> None:
    held = policy("rpz", A, entries=[rule(HOST, Y, key="mine"), rule("a.example", Y, key="o")])
    (change,) = present(View(holders=(held,)), wanted(hosts=(HOST, OTHER), **RPZ))
    made = change.after
    assert made and made.entry("mine") == rule(HOST, X, key="mine")
    assert made.entry("o") == held.entry("o") and made.at(OTHER)[0].addresses() == (X,)
    assert made.at(OTHER)[0].key == rule_name("private-ai", OTHER)


def test_absent_takes_what_was_made_and_nothing_else() -> None:
    ours = zone("ours", OTHER, A, B, entries=[record(OTHER, X)], managed=True)
    theirs = zone("theirs", HOST, A, entries=[record(HOST, X)])
    left = zone("left", HOST, managed=True, made_for=A)
    elsewhere = zone("else", HOST, C, entries=[record(HOST, X)], managed=True)
    rules = [rule(HOST, X, key=rule_name("private-ai", HOST)), rule("a.example", Y, key="o")]
    rpz = policy("rpz", A, entries=rules)
    view = View(holders=(ours, theirs, left, elsewhere, rpz))
    changes = {item.id: item.after for item in absent(view, wanted())}
    assert changes == {
        ours.id: replace(ours, networks=(B,)),
        left.id: None,
        rpz.id: replace(rpz, entries=(rules[1],)),
    }
    assert staying(view, wanted()) == [theirs]
    assert {item.id: item.after for item in absent(view, wanted(places={A: X, B: X}))}[
        ours.id
    ] is None


def test_what_somebody_did_since_is_theirs() -> None:
    old = zone("z", HOST, A, entries=[record(HOST, Y)])
    view = View(holders=(old,))
    done = Done(run=RUN)
    for change in present(view, wanted(places={A: X})):
        done.add(change)
    made = carried_out(view, list(done.changes.values()))
    moved = replace(made.holders[0], entries=(record(HOST, "10.1.1.1"),))
    assert restored(View(holders=(moved,)), done) == []


def test_a_zone_that_others_use_now_stays() -> None:
    changes = present(View(), wanted())
    done = Done(run=RUN)
    for change in changes:
        done.add(change)
    (made,) = carried_out(View(), changes).holders
    joined = replace(made, networks=(A, C))
    (back,) = restored(View(holders=(joined,)), done)
    assert back.after == replace(joined, networks=(C,))
    assert restored(View(holders=(replace(joined, run="another"),)), done) == []


def test_what_another_run_was_faster_to_make_is_not_this_runs() -> None:
    (change,) = present(View(), wanted())
    assert change.after
    theirs = replace(change.after, run="another")
    done = Done(run=RUN)
    done.add(change)
    done.settle({theirs.id: theirs})
    assert done.empty
    # It was half made, and this run went on with it: that much is this run's.
    half = replace(theirs, networks=())
    done.add(change)
    done.add(Change(before=half, after=theirs))
    done.settle({theirs.id: theirs})
    assert done.changes[theirs.id] == Change(before=half, after=theirs)
    (back,) = restored(View(holders=(theirs,)), done)
    assert back.after == half
    # What this run made itself stays new to it, however often it went on.
    mine = Done(run=RUN)
    mine.add(change)
    mine.add(Change(before=replace(half, run=RUN), after=change.after))
    assert mine.changes[theirs.id].before is None


def test_names_are_legal_however_long() -> None:
    network = f"projects/p/global/networks/{'n' * 63}"
    for name in (
        zone_name("private-ai", f"{'h' * 60}.googleapis.com", network, X),
        policy_name("p" * 20, network),
        rule_name("private-ai", f"{'a-' * 40}a.googleapis.com"),
    ):
        assert len(name) <= 63 and name[0].isalpha() and not name.endswith("-"), name
    assert zone_name("p", HOST, A, X) != zone_name("p", HOST, A, Y)


# What holds for whatever stands there.

networks = st.sets(st.sampled_from([A, B, C]))
addresses = st.sampled_from([X, Y, "10.9.9.9"])
ttls = st.sampled_from([30, 60, 300])


@st.composite
def zones_at(draw: Any, dns_name: str) -> list[Holder]:
    """Zones of one name: no network has two of them."""
    free, found = {A, B, C}, []
    for number in range(draw(st.integers(0, 2))):
        mine = draw(st.sets(st.sampled_from(sorted(free)))) if free else set()
        free -= mine
        records = [record(f"x.{dns_name}", Y)] if draw(st.booleans()) else []
        if draw(st.booleans()):
            records.append(record(dns_name, draw(addresses), ttl=draw(ttls)))
        if draw(st.integers(0, 4)) == 0:
            records.append(record(dns_name, "fd00::1", type="AAAA"))
        name = f"z{number}-{dns_name.split('.')[0]}"
        found.append(zone(name, dns_name, *mine, entries=records, managed=draw(st.booleans())))
    return found


@st.composite
def views(draw: Any) -> View:
    holders = [*draw(zones_at(HOST)), *draw(zones_at(OTHER)), *draw(zones_at("googleapis.com"))]
    free = {A, B, C}
    for number in range(draw(st.integers(0, 2))):
        mine = draw(st.sets(st.sampled_from(sorted(free)))) if free else set()
        free -= mine
        names = draw(st.sets(st.sampled_from([HOST, OTHER, "*.googleapis.com"])))
        rules = [
            rule(name, draw(addresses), key=f"r{n}", bypass=draw(st.booleans()))
            for n, name in enumerate(sorted(names))
        ]
        holders.append(policy(f"rpz{number}", *mine, entries=rules, managed=draw(st.booleans())))
    return View(holders=tuple(sorted(holders, key=lambda item: item.id)))


asked = st.builds(
    Wanted,
    places=st.dictionaries(st.sampled_from([A, B, C]), st.sampled_from([X, Y]), min_size=1),
    hosts=st.sampled_from([(HOST,), (HOST, OTHER)]),
    mode=st.sampled_from(["zones", "response_policy"]),
    ttl=st.one_of(st.none(), ttls),
)


@given(views(), asked)
def test_one_run_converges_and_breaks_nobody(view: View, options: Wanted) -> None:
    if problems(view, options):
        return
    changes = present(view, options)
    then = carried_out(view, changes)
    assert present(then, options) == [] and problems(then, options) == []
    for network in (A, B, C):
        for host in (HOST, OTHER, "storage.googleapis.com", f"x.{HOST}"):
            if network in options.places and host in options.hosts:
                assert answer(then, network, host) == (options.places[network],)
            elif not (network in options.places and host.endswith(options.hosts)):
                assert answer(then, network, host) == answer(view, network, host)
    assert {item.id for item in answering(then, options)} <= {item.id for item in then.holders}
    predicted = {step.resource: step.after for step in steps(changes)}
    assert set(predicted) == {item.id for item in changes}


@given(views(), asked)
def test_undo_brings_back_exactly(view: View, options: Wanted) -> None:
    if problems(view, options):
        return
    changes = present(view, options)
    done = Done(run=RUN)
    for change in changes:
        done.add(change)
    undo = Done.from_json(json.loads(json.dumps(done.to_json())))
    then = carried_out(view, changes)
    back = after(then, restored(then, undo))
    assert back.holders == view.holders
    assert restored(back, undo) == []


@given(asked)
def test_absent_takes_away_all_that_present_made(options: Wanted) -> None:
    then = carried_out(View(), present(View(), options))
    assert after(then, absent(then, options)).holders == ()


@given(views(), asked)
def test_absent_touches_no_other_network(view: View, options: Wanted) -> None:
    then = after(view, absent(view, options))
    assert absent(then, options) == []
    for network in {A, B, C} - set(options.places):
        for host in (HOST, OTHER):
            assert answer(then, network, host) == answer(view, network, host)
