# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the DNS phase: what is switched, in which order of zones, and what forbids it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_dns import (
    absent,
    present,
    restored,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_dns_conflicts import (
    wanted_records,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_dns_types import (
    ENDPOINT_OWNER,
    Alias,
    DnsPlan,
    Done,
    Endpoint,
    Host,
    Record,
    Spoke,
    View,
    Zone,
    record_from,
    record_to,
)

APP, OWN, OTHER = "vpc-0a", "222222222222", "333333333333"
ALIAS = Alias(name="vpce-01-x.bedrock.us-east-1.vpce.amazonaws.com", zone_id="Z1", types=("A",))
NAMES = ("bedrock.us-east-1.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com")


def host(name: str, types: tuple[str, ...] = ("A",)) -> Host:
    return Host(
        name=name, zone=name.removeprefix("*."), record=name, alias=replace(ALIAS, types=types)
    )


def endpoint(number: int = 0, **changes) -> Endpoint:
    known = {
        "id": f"vpce-0{number}",
        "short": NAMES[number].partition(".")[0],
        "state": "available",
        "private_dns": False,
        "managed": True,
        "hosts": (host(NAMES[number]),),
    }
    return Endpoint(**{**known, **changes})


SPOKE = Spoke(vpc_id="vpc-0b", region="us-east-1", account=OWN)
FAR = Spoke(vpc_id="vpc-0c", region="us-west-2", account=OTHER)


BOTH = (endpoint(0), endpoint(1))


def view(*zones: Zone, endpoints=BOTH, spokes=(SPOKE,)) -> View:
    return View(
        vpc_id=APP,
        region="us-east-1",
        account=OWN,
        endpoints=tuple(endpoints),
        spokes=tuple(spokes),
        zones=zones,
    )


def applied(before: View, plan: DnsPlan) -> tuple[View, Done]:
    """What stands after a plan, and what it changed, as AWS would have it."""
    done = Done(vpc_id=before.vpc_id)
    switched = {item.endpoint_id: item.enabled for item in plan.endpoints}
    for item in plan.endpoints:
        done.private_dns[item.endpoint_id] = not item.enabled
    zones = {zone.id: zone for zone in before.zones}
    for index, change in enumerate(plan.zones):
        zone_id = change.zone_id or f"ZNEW{index}"
        named = {"zone_id": zone_id, "name": change.name, "zone_account": change.account}
        if change.delete:
            del zones[zone_id]
            continue
        if change.zone_id is None:
            zones[zone_id] = Zone(
                id=zone_id,
                name=change.name,
                account=change.account,
                vpc_id=before.vpc_id,
                tagged=True,
                vpcs=frozenset((change.home.vpc_id,)),
                records=(Record(name=change.name, type="SOA"),),
            )
            done.created.append(named)
        zone = zones[zone_id]
        touched = {(item.name, item.type) for item in (*change.upsert, *change.remove)}
        if change.zone_id and touched:
            held = [item for item in zone.records if (item.name, item.type) in touched]
            done.records.append(
                {
                    **named,
                    "before": [record_to(item) for item in held],
                    "after": [record_to(item) for item in change.upsert],
                }
            )
        kept = [item for item in zone.records if (item.name, item.type) not in touched]
        for spoke in change.associate if change.zone_id else ():
            done.associated.append(
                {
                    **named,
                    "vpc_id": spoke.vpc_id,
                    "region": spoke.region,
                    "account": spoke.account,
                }
            )
        vpcs = zone.vpcs | {spoke.vpc_id for spoke in change.associate}
        zones[zone_id] = replace(
            zone,
            tagged=zone.tagged or change.tag,
            vpcs=vpcs - {spoke.vpc_id for spoke in change.disassociate},
            records=(*kept, *change.upsert),
        )
    after = replace(
        before,
        endpoints=tuple(
            replace(item, private_dns=switched.get(item.id, item.private_dns))
            for item in before.endpoints
        ),
        zones=tuple(zones.values()),
    )
    return after, Done.from_json(done.to_json())


def ours(number: int = 0, **changes) -> Zone:
    known = {
        "id": f"ZOURS{number}",
        "name": NAMES[number],
        "account": OWN,
        "vpc_id": APP,
        "tagged": True,
        "vpcs": frozenset((SPOKE.vpc_id,)),
        "records": (*wanted_records(host(NAMES[number])), Record(name=NAMES[number], type="NS")),
    }
    return Zone(**{**known, **changes})


records = st.lists(
    st.builds(
        Record,
        name=st.just(NAMES[0]),
        type=st.sampled_from(["A", "AAAA", "CNAME"]),
        alias=st.sampled_from([(ALIAS.name, ALIAS.zone_id), ("vpce-old.example", "Z2")]),
    ),
    max_size=2,
    unique_by=lambda item: item.type,
).map(tuple)
zones_of_ours = st.none() | st.builds(
    lambda held, vpcs, tagged: ours(records=held, vpcs=vpcs, tagged=tagged),
    records,
    st.frozensets(st.sampled_from([SPOKE.vpc_id, FAR.vpc_id])),
    st.booleans(),
)
views = st.builds(
    lambda zone, spokes, on, types: view(
        *([zone] if zone else []),
        endpoints=(
            endpoint(0, private_dns=on, hosts=(host(NAMES[0], types),)),
            endpoint(1, private_dns=not on),
        ),
        spokes=spokes,
    ),
    zones_of_ours,
    st.lists(st.sampled_from([SPOKE, FAR]), unique=True),
    st.booleans(),
    st.sampled_from([("A",), ("A", "AAAA"), ("AAAA",)]),
)


@settings(max_examples=80, deadline=None)
@given(views, st.booleans())
def test_it_converges_in_one_run(before, enabled):
    plan = present(before, private_dns=enabled)
    assert plan.problems == ()
    after, _ = applied(before, plan)
    again = present(after, private_dns=enabled)
    assert again.steps == ()
    assert again.endpoints == ()
    assert again.zones == ()
    for spoke in before.spokes:
        assert all(
            any(zone.name == name and spoke.vpc_id in zone.vpcs for zone in after.zones)
            for name in NAMES
        )


@settings(max_examples=80, deadline=None)
@given(views, st.booleans())
def test_undoing_leads_back_to_what_stood(before, enabled):
    plan = present(before, private_dns=enabled)
    after, done = applied(before, plan)
    back, _ = applied(after, restored(after, done))
    assert back.endpoints == before.endpoints
    assert {zone.id for zone in back.zones} == {zone.id for zone in before.zones}
    for old, new in zip(before.zones, back.zones, strict=True):
        assert new.vpcs == old.vpcs
        assert set(new.records) == set(old.records)
    assert restored(back, done).steps == ()


def test_undoing_leaves_what_someone_changed_since():
    plan = present(view(ours(records=())), private_dns=True)
    after, done = applied(view(ours(records=())), plan)
    theirs = Record(name=NAMES[0], type="A", values=("10.9.9.9",), ttl=60)
    changed = replace(
        after,
        zones=tuple(
            replace(zone, records=(theirs,)) if zone.id == "ZOURS0" else zone
            for zone in after.zones
        ),
    )
    back, _ = applied(changed, restored(changed, done))
    assert next(zone for zone in back.zones if zone.id == "ZOURS0").records == (theirs,)


def test_a_zone_lies_in_an_account_that_has_one_of_its_vpcs():
    both = present(view(spokes=(FAR, SPOKE)), private_dns=True).zones[0]
    assert (both.account, both.home, both.associate) == (OWN, SPOKE, (FAR,))
    far = present(view(spokes=(FAR,)), private_dns=True).zones[0]
    assert (far.account, far.home, far.associate) == (OTHER, FAR, ())


def test_a_wildcard_host_is_a_wildcard_record_in_the_zone_below_it():
    wild = endpoint(0, hosts=(host("*.gateway.bedrock-agentcore.us-east-1.amazonaws.com"),))
    (change,) = present(view(endpoints=(wild,)), private_dns=True).zones
    assert change.name == "gateway.bedrock-agentcore.us-east-1.amazonaws.com"
    assert change.upsert[0].name == "*.gateway.bedrock-agentcore.us-east-1.amazonaws.com"


def override(**changes) -> Zone:
    known = {
        "id": "ZTHEIRS",
        "name": NAMES[0],
        "account": OWN,
        "vpcs": frozenset((SPOKE.vpc_id,)),
        "records": (Record(name=NAMES[0], type="A", values=("10.9.9.9",), ttl=60),),
    }
    return Zone(**{**known, **changes})


def problem(*zones: Zone, **changes) -> str:
    found = present(view(*zones, **changes), private_dns=True).problems
    assert len(found) == 1, found
    return found[0]


def test_what_excludes_a_zone_in_a_spoke_is_named():
    assert "ZTHEIRS" in problem(override())
    assert "own" in problem(override(service=ENDPOINT_OWNER, account="", records=None))
    assert "vpc-0f" in problem(override(vpc_id="vpc-0f", tagged=True))
    assert "vpc-0a is the VPC of the endpoints" in problem(spokes=(replace(SPOKE, vpc_id=APP),))


def test_a_zone_of_somebody_that_says_the_same_is_left_as_it_is():
    same = override(records=wanted_records(host(NAMES[0])))
    plan = present(view(same), private_dns=True)
    assert plan.problems == ()
    assert [change.name for change in plan.zones] == [NAMES[1]]


def test_what_excludes_private_dns_in_the_vpc_is_named():
    here = frozenset((APP,))
    assert "overrides private DNS" in problem(override(vpcs=here))
    twice = override(vpcs=here, service=ENDPOINT_OWNER, account="", records=None)
    assert "another endpoint" in problem(twice)
    live = endpoint(0, private_dns=True)
    assert present(view(twice, endpoints=(live,)), private_dns=True).problems == ()
    assert present(view(override(vpcs=here)), private_dns=False).problems == ()


def test_a_parent_zone_is_a_warning():
    parent = override(name="us-east-1.amazonaws.com", records=None)
    plan = present(view(parent), private_dns=True)
    assert plan.problems == ()
    assert len(plan.warnings) == 1
    assert "us-east-1.amazonaws.com" in plan.warnings[0]
    assert present(view(replace(parent, name="example.com")), private_dns=True).warnings == ()


def test_a_broken_endpoint_is_named():
    assert "is failed" in problem(endpoints=(endpoint(0, state="failed"),))


def test_absent_takes_away_only_what_this_collection_made():
    foreign = endpoint(1, private_dns=True, managed=False)
    before = view(
        ours(), override(name=NAMES[1]), endpoints=(endpoint(0, private_dns=True), foreign)
    )
    plan = absent(before)
    assert [change.endpoint_id for change in plan.endpoints] == ["vpce-00"]
    assert [(change.zone_id, change.delete) for change in plan.zones] == [("ZOURS0", True)]
    assert "vpce-01" in plan.warnings[0]
    after, _ = applied(before, plan)
    assert absent(after).steps == ()


def test_absent_refuses_to_delete_a_record_that_it_did_not_write():
    extra = Record(name="x." + NAMES[0], type="TXT", values=('"mine"',), ttl=60)
    (text,) = absent(view(ours(records=(extra,)))).problems
    assert "TXT" in text


@given(records)
def test_records_survive_as_json(held):
    assert tuple(record_from(record_to(item)) for item in held) == held
