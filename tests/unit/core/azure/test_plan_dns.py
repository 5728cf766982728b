# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of Azure's DNS phase: what is made where, what forbids it, and the way back."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_dns import (
    present,
    settled,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_dns_back import (
    absent,
    restored,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_dns_done import (
    Done,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.azure.plan_dns_types import (
    ADDRESS_TYPES,
    ENDPOINT,
    FALL_THROUGH,
    GROUP,
    MANAGED,
    Account,
    Config,
    DnsPlan,
    Endpoint,
    Group,
    Home,
    Host,
    Link,
    LinkChange,
    Network,
    Record,
    View,
    Wanted,
    Zone,
    config_name,
    link_name,
)

SUBSCRIPTION, HUB = "5a000000-0000-0000-0000-00000000000a", "5b000000-0000-0000-0000-00000000000b"
PREFIX = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/app-network/providers/Microsoft.Network"
APP, SPOKE = f"{PREFIX}/virtualNetworks/app", f"{PREFIX}/virtualNetworks/spoke"
PE = f"{PREFIX}/privateEndpoints/lab-foundry"
ACCOUNTS = "/subscriptions/5c/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts"
ACCOUNT, OTHER = f"{ACCOUNTS}/lab-foundry", f"{ACCOUNTS}/lab-openai"
HOME = Home(subscription=HUB, resource_group="dns", explicit=True)
ZONES = ("privatelink.cognitiveservices.azure.com", "privatelink.openai.azure.com")
RUN = "run-1"


def host(zone: str, *addresses: str) -> Host:
    return Host(
        name="lab-foundry." + zone.removeprefix("privatelink."),
        zone=zone,
        record="lab-foundry",
        addresses=addresses,
    )


HOSTS = (host(ZONES[0], "10.20.2.4"), host(ZONES[1], "10.20.2.5"))


def endpoint(**changes) -> Endpoint:
    known = {
        "id": PE,
        "name": "lab-foundry",
        "account_id": ACCOUNT,
        "network_id": APP,
        "status": "Approved",
        "hosts": HOSTS,
    }
    return Endpoint(**{**known, **changes})


def view(*zones: Zone, **changes) -> View:
    known = {
        "endpoint": endpoint(),
        "networks": (Network(id=APP), Network(id=SPOKE, peered=True)),
        "home": HOME,
        "zones": zones,
        "cidrs": ("10.20.0.0/16",),
        "complete": True,
    }
    return View(**{**known, **changes})


def at_home(name: str, **changes) -> Zone:
    return Zone(**{"id": HOME.zone_id(name), "name": name, "records": (), **changes})


def linked(network: str, **changes) -> Link:
    return Link(**{"name": link_name(network), "network_id": network, **changes})


def group(*names: str) -> Group:
    return Group(
        name=GROUP,
        configs=tuple(Config(name=config_name(name), zone_id=HOME.zone_id(name)) for name in names),
    )


def _grouped(zones: dict[str, Zone], before: View, plan: DnsPlan) -> None:
    """Azure's part: records follow the entries of the zone group."""
    old = {item.zone_id for item in (plan.group.before.configs if plan.group.before else ())}
    new = {item.zone_id for item in (plan.group.after.configs if plan.group.after else ())}
    for item in before.endpoint.hosts:
        zone = zones.get(HOME.zone_id(item.zone))
        if zone is None or (zone.id in old) == (zone.id in new):
            continue
        kept = [one for one in zone.records if one not in zone.held(item.record)]
        kept += [one for one in zone.held(item.record) if one.type != "A"]
        if zone.id in new:
            creator = (("creator", "endpoint"),)
            kept.append(Record(name=item.record, type="A", values=item.addresses, metadata=creator))
        zones[zone.id] = replace(zone, records=tuple(kept))


def _recorded(zones: dict[str, Zone], plan: DnsPlan) -> None:
    for change in plan.records:
        zone = zones[change.zone_id]
        kept = [item for item in zone.records if item != change.before]
        if change.after:
            kept = [item for item in kept if (item.name, item.type) != _named(change.after)]
            kept.append(change.after)
        zones[change.zone_id] = replace(zone, records=tuple(kept))


def _named(record: Record) -> tuple[str, str]:
    return record.name, record.type


def applied(before: View, plan: DnsPlan, run: str = RUN) -> tuple[View, Done]:
    """What stands after a plan, as Azure would have it, and what the run says that it changed."""
    done = Done.of(before, run)
    zones = {zone.id: zone for zone in before.zones}
    for change in plan.zones:
        if not change.delete:
            zones[change.zone_id] = Zone(
                id=change.zone_id, name=change.name, managed=True, run=run, records=()
            )
            done.zones.append(change.zone_id)
    if plan.backward and plan.group:
        _grouped(zones, before, plan)
    done.records += plan.records
    _recorded(zones, plan)
    if plan.group:
        done.regroup(before, plan.group)
        if not plan.backward:
            _grouped(zones, before, plan)
    for change in plan.links:
        zone = zones[change.zone_id]
        kept = [link for link in zone.links if link != change.before]
        if change.after:
            made = replace(change.after, run=run) if change.before is None else change.after
            kept.append(made)
            change = LinkChange(zone_id=change.zone_id, before=change.before, after=made)
        done.links.append(change)
        zones[change.zone_id] = replace(zone, links=tuple(kept))
    for change in plan.zones:
        if change.delete:
            assert not zones[change.zone_id].links
            del zones[change.zone_id]
    after = replace(
        before,
        zones=tuple(zones.values()),
        endpoint=replace(
            before.endpoint, group=plan.group.after if plan.group else before.endpoint.group
        ),
    )
    return after, Done.from_json(json.loads(json.dumps(done.to_json())))


def meaning(some: View) -> tuple[object, ...]:
    """What a view says, without the order in which it says it."""
    return some.endpoint.group, {
        zone.id: (frozenset(zone.links), frozenset(zone.records)) for zone in some.zones
    }


ours = ((ENDPOINT, PE), (MANAGED, "true"))
records = st.lists(
    st.builds(
        Record,
        name=st.sampled_from(["lab-foundry", "old-member"]),
        type=st.sampled_from(ADDRESS_TYPES),
        values=st.sampled_from([("10.20.2.4",), ("10.20.2.5",), ("10.9.9.9",)]),
        metadata=st.sampled_from([(), ours]),
    ),
    max_size=3,
    unique_by=_named,
).map(tuple)
links = st.lists(
    st.builds(
        linked,
        st.sampled_from([APP, SPOKE, APP + "2"]),
        managed=st.booleans(),
        registration=st.booleans(),
        policy=st.sampled_from(["Default", FALL_THROUGH]),
    ),
    max_size=3,
    unique_by=lambda item: item.network_id,
).map(tuple)
homes = st.lists(
    st.builds(at_home, st.sampled_from(ZONES), links=links, records=records, managed=st.booleans()),
    max_size=2,
    unique_by=lambda zone: zone.name,
)
# An entry of a zone group stands for the record that Azure keeps.
groups = st.sampled_from([None, group(ZONES[0]), group(*ZONES)])
modes = st.sampled_from(["zone_group", "records"])
policies = st.sampled_from([None, "Default", FALL_THROUGH])


def start(zones: list[Zone], standing: Group | None, mode: str) -> View:
    if mode == "records":
        return view(*zones)
    found = view(*zones, endpoint=endpoint(group=standing))
    kept = {item.zone for item in standing.configs} if standing else set()
    missing = kept - {zone.name for zone in zones}
    return replace(found, zones=(*zones, *(at_home(name) for name in sorted(missing))))


@settings(max_examples=60, deadline=None)
@given(homes, groups, modes, policies)
def test_it_converges_in_one_run(zones, standing, mode, policy):
    before = start(zones, standing, mode)
    wanted = Wanted(mode=mode, policy=policy)
    plan = present(before, wanted)
    assert plan.problems == ()
    after, _ = applied(before, plan)
    again = present(after, wanted)
    assert again.empty, again
    assert again.steps == ()
    for item in HOSTS:
        zone = after.zone(HOME.zone_id(item.zone))
        assert [(one.type, one.values) for one in zone.held(item.record)] == [("A", item.addresses)]
        assert zone.link_to(APP)
        assert zone.link_to(SPOKE)


@settings(max_examples=60, deadline=None)
@given(homes, groups, modes, policies)
def test_undoing_leads_back_to_what_stood(zones, standing, mode, policy):
    # Nobody else's records lead into the network; what happens where they do is shown below.
    before = replace(start(zones, standing, mode), cidrs=())
    after, done = applied(before, present(before, Wanted(mode=mode, policy=policy)))
    plan = restored(after, done)
    back, _ = applied(after, plan)
    assert meaning(back) == meaning(before)
    assert restored(back, done).empty


@settings(max_examples=40, deadline=None)
@given(homes, groups, modes)
def test_what_is_settled_needs_no_change(zones, standing, mode):
    before = start(zones, standing, mode)
    after, _ = applied(before, present(before, Wanted(mode=mode)))
    covered = {item.name for item in HOSTS} if mode == "zone_group" else set()
    first = replace(
        after, complete=False, endpoint=endpoint(covered=frozenset(covered), group=None)
    )
    assert settled(first, Wanted(mode=mode))
    assert not settled(
        replace(first, networks=(*first.networks, Network(id=APP + "9"))), Wanted(mode=mode)
    )
    assert not settled(replace(first, zones=first.zones[1:]), Wanted(mode=mode))


def test_records_beside_a_zone_group_that_is_not_read_yet_are_not_settled():
    before = start([], None, "records")
    after, _ = applied(before, present(before, Wanted(mode="records")))
    first = replace(after, complete=False)
    assert settled(first, Wanted(mode="records"))
    kept = endpoint(covered=frozenset(item.name for item in HOSTS[:1]))
    assert not settled(replace(first, endpoint=kept), Wanted(mode="records"))


def test_a_zone_group_that_keeps_one_of_two_names_is_not_settled():
    after, _ = applied(view(), present(view(), Wanted()))
    for count, known in ((2, True), (1, False), (0, False)):
        covered = frozenset(item.name for item in HOSTS[:count])
        first = replace(after, complete=False, endpoint=endpoint(covered=covered))
        assert settled(first, Wanted()) is known


def test_a_new_spoke_is_one_link_in_each_zone():
    before, _ = applied(view(), present(view(), Wanted()))
    more = replace(before, networks=(*before.networks, Network(id=APP + "3", peered=True)))
    plan = present(more, Wanted())
    assert [change.after.network_id for change in plan.links] == [APP + "3"] * 2
    assert not plan.zones
    assert not plan.records
    assert plan.group is None


def test_a_zone_that_the_network_reads_is_used_where_it_is():
    central = Zone(
        id=f"/subscriptions/{SUBSCRIPTION}/resourceGroups/elsewhere/providers/Microsoft.Network"
        f"/privateDnsZones/{ZONES[1]}",
        name=ZONES[1],
        records=(),
        links=(linked(APP), linked(SPOKE)),
    )
    plan = present(view(central), Wanted())
    assert plan.problems == ()
    assert [change.name for change in plan.zones] == [ZONES[0]]
    assert {item.zone_id for item in plan.group.after.configs if item.zone == ZONES[1]} == {
        central.id
    }
    assert {change.zone_id for change in plan.links} == {HOME.zone_id(ZONES[0])}


def rival(**changes) -> Zone:
    known = {
        "id": f"{PREFIX}/privateDnsZones/{ZONES[1]}",
        "name": ZONES[1],
        "records": (),
        "links": (linked(SPOKE, name="old"),),
    }
    return Zone(**{**known, **changes})


def test_two_zones_of_one_name_are_a_conflict_that_is_explained():
    (text,) = present(view(rival(), at_home(ZONES[1])), Wanted()).problems
    for part in ("app-network/spoke", "link old", rival().id, "link_peered: false"):
        assert part in text
    same = rival(records=(Record(name="lab-foundry", type="A", values=("10.20.2.5",)),))
    plan = present(view(same, at_home(ZONES[1])), Wanted())
    assert plan.problems == ()
    assert SPOKE not in {
        change.after.network_id for change in plan.links if change.zone_id.endswith(ZONES[1])
    }
    assert present(view(rival(), at_home(ZONES[1])), Wanted(links=False)).problems == ()


def test_a_home_that_was_named_wins_over_what_the_network_reads():
    stray = rival(links=(linked(APP, name="stray"),))
    (text,) = present(view(stray, at_home(ZONES[1])), Wanted()).problems
    assert "app-network/app is linked" in text
    assert "link stray" in text
    beside = replace(HOME, explicit=False)
    assert present(view(stray, at_home(ZONES[1]), home=beside), Wanted()).problems == ()


ELSEWHERE = (Account(id=OTHER, hosts=(f"lab-openai.{ZONES[1]}",)),)


def test_linking_is_refused_where_another_account_would_stop_to_resolve():
    (text,) = present(view(accounts=ELSEWHERE), Wanted()).problems
    assert "lab-openai.openai.azure.com" in text
    assert "app-network/app, app-network/spoke" in text
    known = at_home(ZONES[1], records=(Record(name="lab-openai", type="A", values=("10.1.1.1",)),))
    assert present(view(known, accounts=ELSEWHERE), Wanted()).problems == ()
    both = at_home(ZONES[1], links=(linked(APP), linked(SPOKE)))
    assert present(view(both, accounts=ELSEWHERE), Wanted()).problems == ()
    for chosen in (
        Wanted(allow_other_accounts=True),
        Wanted(policy=FALL_THROUGH),
        Wanted(links=False),
    ):
        assert present(view(accounts=ELSEWHERE), chosen).problems == ()
    through = linked(APP, managed=True, policy=FALL_THROUGH)
    falling = view(at_home(ZONES[1], links=(through, linked(SPOKE))), accounts=ELSEWHERE)
    assert present(falling, Wanted()).problems == ()
    (text,) = present(falling, Wanted(policy="Default")).problems
    assert "lab-openai.openai.azure.com" in text
    own = (replace(ELSEWHERE[0], id=ACCOUNT.upper()),)
    assert present(view(accounts=own), Wanted()).problems == ()


def test_an_endpoint_that_is_not_approved_switches_no_name():
    pending = view(endpoint=endpoint(status="Pending"))
    (text,) = present(pending, Wanted()).problems
    assert "Pending" in text


def test_records_beside_a_zone_group_are_refused():
    (text,) = present(
        view(endpoint=endpoint(group=group(ZONES[0]))), Wanted(mode="records")
    ).problems
    assert "zone group" in text


def test_a_member_that_went_leaves_no_record():
    stale = Record(name="old-member", type="A", values=("10.20.2.9",), metadata=ours)
    theirs = replace(stale, name="theirs", metadata=())
    plan = present(view(at_home(ZONES[1], records=(stale, theirs))), Wanted(mode="records"))
    assert [change.before for change in plan.records if change.after is None] == [stale]


def test_an_account_that_got_more_names_gets_more_zones():
    one = view(endpoint=endpoint(hosts=HOSTS[1:]))
    after, _ = applied(one, present(one, Wanted()))
    upgraded = replace(after, endpoint=replace(after.endpoint, hosts=HOSTS))
    plan = present(upgraded, Wanted())
    assert [change.name for change in plan.zones] == [ZONES[0]]
    assert [item.zone for item in plan.group.after.configs] == [ZONES[1], ZONES[0]]
    back = replace(after, endpoint=replace(after.endpoint, hosts=HOSTS[:1]))
    assert [item.zone for item in present(back, Wanted()).group.after.configs] == [ZONES[0]]


def test_what_others_made_is_warned_of_and_left():
    theirs = linked(APP, registration=True, policy=FALL_THROUGH)
    zone = at_home(ZONES[1], links=(theirs,))
    plan = present(view(zone), Wanted(policy="Default"))
    assert theirs.network_id not in {
        change.after.network_id for change in plan.links if change.zone_id == zone.id
    }
    assert len(plan.warnings) == 2
    own = view(networks=(Network(id=APP, dns_servers=("10.20.1.53",)),))
    assert "10.20.1.53" in present(own, Wanted()).warnings[0]


def test_mode_none_changes_nothing():
    assert present(view(), Wanted(mode="none")).empty
    assert settled(view(), Wanted(mode="none"))


def test_absent_takes_away_what_it_made_and_nothing_else():
    for mode in ("zone_group", "records"):
        made, _ = applied(view(), present(view(), Wanted(mode=mode)))
        gone, _ = applied(made, absent(made))
        assert meaning(gone) == (None, {})
        assert absent(gone).empty
    foreign = at_home(
        ZONES[1],
        links=(linked(APP),),
        records=(Record(name="lab-foundry", type="A", values=("10.20.2.5",)),),
    )
    assert absent(view(foreign)).empty
    made, _ = applied(view(foreign), present(view(foreign), Wanted(mode="records")))
    gone, _ = applied(made, absent(made))
    assert meaning(gone) == meaning(view(foreign))


def second(of: View) -> View:
    """The same zones, as the phase of another account sees them."""
    other = endpoint(
        id=PE.replace("foundry", "openai"),
        account_id=OTHER,
        hosts=(
            Host(
                name="lab-openai.openai.azure.com",
                zone=ZONES[1],
                record="lab-openai",
                addresses=("10.20.2.7",),
            ),
        ),
    )
    return replace(of, endpoint=other)


def test_a_zone_that_others_use_stays_linked_and_names_fall_through():
    for mode in ("zone_group", "records"):
        first, done = applied(view(), present(view(), Wanted(mode=mode)))
        shared, _ = applied(second(first), present(second(first), Wanted(mode=mode)), "run-2")
        both = replace(shared, endpoint=first.endpoint)
        for plan in (restored(both, done), absent(both)):
            back, _ = applied(both, plan)
            kept = back.zone(HOME.zone_id(ZONES[1]))
            assert [item.name for item in kept.records] == ["lab-openai"]
            assert {link.policy for link in kept.links} == {FALL_THROUGH}
            assert back.zone(HOME.zone_id(ZONES[0])) is None
            assert "lab-openai" in plan.warnings[0]


def test_a_link_goes_again_although_the_zone_had_records_before():
    hub = Record(name="central", type="A", values=("10.40.0.4",))
    before = view(at_home(ZONES[1], records=(hub,)))
    after, done = applied(before, present(before, Wanted()))
    back, _ = applied(after, restored(after, done))
    assert meaning(back) == meaning(before)
    near = replace(hub, values=("10.20.2.9",))
    before = view(at_home(ZONES[1], records=(near,)))
    after, done = applied(before, present(before, Wanted()))
    back, _ = applied(after, restored(after, done))
    assert {link.policy for link in back.zone(HOME.zone_id(ZONES[1])).links} == {FALL_THROUGH}


def test_undoing_leaves_what_another_run_made():
    after, done = applied(view(), present(view(), Wanted(mode="records")))
    other = replace(
        after,
        zones=tuple(
            replace(
                zone, run="run-2", links=tuple(replace(item, run="run-2") for item in zone.links)
            )
            for zone in after.zones
        ),
    )
    plan = restored(other, done)
    assert not plan.links
    assert not plan.zones


def test_undoing_leaves_what_someone_changed_since():
    zone = at_home(ZONES[1], records=(Record(name="lab-foundry", type="A", values=("10.9.9.9",)),))
    after, done = applied(view(zone), present(view(zone), Wanted(mode="records")))
    theirs = Record(name="lab-foundry", type="A", values=("10.8.8.8",))
    changed = replace(
        after,
        zones=tuple(
            replace(item, records=(theirs,)) if item.name == ZONES[1] else item
            for item in after.zones
        ),
    )
    back, _ = applied(changed, restored(changed, done))
    assert back.zone(zone.id).records == (theirs,)
