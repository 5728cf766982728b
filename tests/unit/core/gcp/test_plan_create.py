# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the create phase, applied to a small model of Google's rules, converges in one run."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp import (
    names,
    plan_create,
    plan_create_report,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.addresses import (
    clash,
    free,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_create_problems import (
    problems,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_create_request import (
    desired as read_options,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_create_request import (
    suggestion,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.plan_create_types import (
    LABEL,
    MANAGED,
    Address,
    Change,
    CreateAddress,
    CreateRule,
    DeleteAddress,
    DeleteFirewall,
    DeleteRule,
    Desired,
    Network,
    Observed,
    Rule,
    SetAccess,
    SetFirewall,
    SetLabels,
    mark,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.gcp.probe_targets import (
    probe_targets,
)

NETWORKS = [f"projects/p/global/networks/{name}" for name in ("app", "spoke")]
SUBNET = "projects/p/regions/r1/subnetworks/a"
OPTIONS: dict[str, Any] = {
    "networks": [{"network": NETWORKS[0]}],
    "bundle": "all-apis",
    "labels": None,
    "purge_labels": True,
    "service_directory_region": None,
    "private_google_access_subnets": None,
    "allowed_cidrs": None,
    "allowed_tags": None,
    "allowed_service_accounts": None,
    "firewall_priority": 1000,
    "remove_replaced": False,
    "project": None,
}
RANGES = {"10.30.0.0/16": "a subnet", "10.255.255.0/24": "another one"}


def wish(**options: Any) -> Desired:
    return read_options({**OPTIONS, **options}, "p")


def rule(name: str, address: str, **more: Any) -> Rule:
    fields: dict[str, Any] = {
        "project": "p",
        "name": name,
        "network": NETWORKS[0],
        "address": address,
        "bundle": "all-apis",
        "region": "us-central1",
        **more,
    }
    return Rule(**fields)


def own(name: str, address: str, family: str = "pscapp", **more: Any) -> Rule:
    return rule(name, address, description=mark(family), labels={LABEL: MANAGED}, **more)


def nothing() -> Observed:
    return Observed(
        networks={path: Network(path=path, ranges=RANGES) for path in NETWORKS},
        subnets={SUBNET: False},
    )


def applied(observed: Observed, changes: Iterable[Change]) -> Observed:
    """What stands after the changes, by Google's rules: they are refused here as Google refuses them."""
    rules = {item.id: item for item in observed.rules}
    addresses = {item.id: item for item in observed.addresses}
    firewalls = {item.id: item for item in observed.firewalls}
    subnets = dict(observed.subnets)
    for change in changes:
        if isinstance(change, CreateAddress):
            item, network = change.address, observed.networks[change.address.network]
            assert item.id not in addresses and network
            assert not clash(network, addresses.values(), item.address)
            addresses[item.id] = item
        elif isinstance(change, CreateRule):
            made = change.rule
            held = addresses[f"projects/{made.project}/global/addresses/{change.address_name}"]
            assert made.id not in rules and not held.used and held.network == made.network
            assert held.address == made.address
            rules[made.id] = replace(made, region=made.region or "us-central1")
            addresses[held.id] = replace(held, used=True)
        elif isinstance(change, SetLabels):
            rules[change.rule.id] = replace(change.rule, labels=dict(change.labels))
        elif isinstance(change, SetAccess):
            subnets[change.subnet] = True
        elif isinstance(change, SetFirewall):
            assert (change.firewall.id in firewalls) == (change.before is not None)
            firewalls[change.firewall.id] = change.firewall
        elif isinstance(change, DeleteFirewall):
            del firewalls[change.firewall.id]
        elif isinstance(change, DeleteRule):
            gone = rules.pop(change.rule.id)
            for item in list(addresses.values()):
                if (item.network, item.address) == (gone.network, gone.address):
                    addresses[item.id] = replace(item, used=False)
        elif isinstance(change, DeleteAddress):
            assert not addresses[change.address.id].used
            del addresses[change.address.id]
    return replace(
        observed,
        rules=tuple(rules.values()),
        addresses=tuple(addresses.values()),
        firewalls=tuple(firewalls.values()),
        subnets=subnets,
    )


numbers = st.sampled_from([None, "10.9.9.1", "10.9.9.2", "10.9.9.3"])
bundles = st.sampled_from(["all-apis", "vpc-sc"])
labels = st.none() | st.dictionaries(st.sampled_from(["team", "env"]), st.sampled_from("xyz"))
sources = st.none() | st.lists(st.sampled_from(["10.1.0.0/16", "10.2.0.0/16"]), unique=True)
wishes = st.builds(
    lambda numbers, bundle, labels, purge, cidrs, tags, subnets: wish(
        networks=[
            {"network": path, "address": number}
            for path, number in zip(NETWORKS, numbers, strict=False)
        ],
        bundle=bundle,
        labels=labels,
        purge_labels=purge,
        allowed_cidrs=cidrs,
        allowed_tags=tags,
        private_google_access_subnets=subnets,
    ),
    st.lists(numbers, min_size=1, max_size=2),
    bundles,
    labels,
    st.booleans(),
    sources,
    st.none() | st.just(["app"]),
    st.none() | st.just([SUBNET]),
)


@settings(deadline=None)
@given(st.lists(wishes, min_size=1, max_size=4), st.booleans())
def test_any_series_of_wishes_converges_each_in_one_run(
    series: list[Desired], foreign: bool
) -> None:
    observed = nothing()
    if foreign:
        theirs = rule("theirs", "10.9.9.1", labels={"env": "q"})
        held = Address(
            project="p", name="theirs", network=NETWORKS[0], address="10.9.9.1", used=True
        )
        observed = replace(observed, rules=(theirs,), addresses=(held,))
    for desired in series:
        if problems(desired, observed):
            continue
        observed = applied(observed, plan_create.plan(desired, observed))
        assert plan_create.plan(desired, observed) == []
        # Whatever went before, the old ones go only when told, and then all of them.
        told = replace(desired, remove_replaced=True)
        then = applied(observed, plan_create.plan(told, observed))
        assert plan_create.plan(told, then) == []
        for item in desired.wishes:
            assert plan_create.chosen(item, then) and not plan_create.replaced(item, then)
    left = applied(observed, plan_create.plan_absent(wish(networks=_both()), observed))
    assert [item.name for item in left.rules] == (["theirs"] if foreign else [])
    assert [item.name for item in left.addresses] == (["theirs"] if foreign else [])
    assert not left.firewalls


def _both() -> list[dict[str, str]]:
    return [{"network": path} for path in NETWORKS]


@settings(deadline=None)
@given(wishes)
def test_a_run_that_was_killed_anywhere_is_completed(desired: Desired) -> None:
    changes = plan_create.plan(desired, nothing())
    whole = applied(nothing(), changes)
    for number in range(len(changes)):
        part = applied(nothing(), changes[:number])
        # Killed between a rule and its labels.
        part = replace(part, rules=tuple(replace(item, labels={}) for item in part.rules))
        done = applied(part, plan_create.plan(desired, part))
        assert plan_create.plan(desired, done) == []
        for item in desired.wishes:
            found = plan_create.chosen(item, done)
            assert found and found.labels[LABEL] == MANAGED
        assert sorted(item.id for item in done.rules) == sorted(item.id for item in whole.rules)
        assert sorted(item.id for item in done.addresses) == sorted(
            item.id for item in whole.addresses
        )


def test_nothing_that_is_replaced_goes_in_the_run_that_makes_the_new_one() -> None:
    observed = replace(nothing(), rules=(own("pscapp", "10.9.9.1"),))
    desired = wish(networks=[{"network": NETWORKS[0], "address": "10.9.9.2"}], remove_replaced=True)
    changes = plan_create.plan(desired, observed)
    assert [type(item) for item in changes] == [CreateAddress, CreateRule]
    after = applied(observed, changes)
    # Nor in a further round of that run.
    assert plan_create.plan(plan_create.of_this_run(desired, observed), after) == []
    (removed,) = [item for item in plan_create.plan(desired, after) if isinstance(item, DeleteRule)]
    assert removed.rule.name == "pscapp"


def test_the_firewall_covers_old_and_new_until_the_old_one_goes() -> None:
    observed = replace(nothing(), rules=(own("pscapp", "10.9.9.1"),))
    desired = wish(
        networks=[{"network": NETWORKS[0], "address": "10.9.9.2"}], allowed_cidrs=["10.1.0.0/16"]
    )
    after = applied(observed, plan_create.plan(desired, observed))
    assert {item.destinations for item in after.firewalls} == {("10.9.9.1/32", "10.9.9.2/32")}
    told = replace(desired, remove_replaced=True)
    last = applied(after, plan_create.plan(told, after))
    assert {item.destinations for item in last.firewalls} == {("10.9.9.2/32",)}


@pytest.mark.parametrize(
    ("text", "good"),
    [("psc-vertex", "pscvertex"), ("P" * 30, "p" * 20), ("9lives", "psc9lives"), ("--", "psc")],
)
def test_a_suggested_name_is_good(text: str, good: str) -> None:
    assert suggestion(text) == good
    assert wish(networks=[{"network": NETWORKS[0], "endpoint_name": good}]).wishes[0].name == good


@settings(deadline=None)
@given(st.lists(st.integers(0, 255), max_size=20), st.booleans())
def test_a_chosen_address_is_free(blocks: list[int], auto: bool) -> None:
    known = {f"10.255.{number}.0/24": "x" for number in blocks} | RANGES
    network = Network(path=NETWORKS[0], auto=auto, ranges=known)
    found = free(network, (), {"192.168.255.1"})
    assert found and found != "192.168.255.1"
    number = ipaddress.ip_address(found)
    assert not any(number in ipaddress.ip_network(cidr) for cidr in known)
    assert not auto or number not in ipaddress.ip_network("10.128.0.0/9")


def test_all_options_that_cannot_be_are_named_at_once() -> None:
    with pytest.raises(EndpointError) as raised:
        wish(
            networks=[{"network": NETWORKS[0], "endpoint_name": "a-b"}, {"network": "/x/y"}],
            labels={"Team": "x"},
            allowed_cidrs=["10.1.2.3/16"],
        )
    for word in ("Use ab", "/x/y", "Team=x", "10.1.2.3/16"):
        assert word in raised.value.message


def test_a_report_predicts_what_a_run_returns() -> None:
    desired = wish(networks=_both(), labels={"team": "x"}, service_directory_region="us-central1")
    changes = plan_create.plan(desired, nothing())
    told: dict[str, Any] = {
        "target": "t",
        "project": None,
        "regions": ["us-central1"],
        "extra_hosts": [],
    }
    before = plan_create_report.report(desired, nothing(), changes, **told)
    after = plan_create_report.report(desired, applied(nothing(), changes), [], **told)
    assert before == after
    assert [item["host"] for item in after["probe_targets"]] == [
        "aiplatform.googleapis.com",
        "us-central1-aiplatform.googleapis.com",
    ]


def test_host_names_and_what_is_read_of_them() -> None:
    hosts = names.host_names(["us-central1", "eu"], ["Storage.googleapis.com."])
    assert hosts == [
        "aiplatform.googleapis.com",
        "us-central1-aiplatform.googleapis.com",
        "eu-aiplatform.googleapis.com",
        "storage.googleapis.com",
    ]
    places = {"b": ["10.9.9.2"], "a": ["10.9.9.1"]}
    targets = {item.host: item for item in probe_targets("t", "p", hosts, places)}
    action = targets["us-central1-aiplatform.googleapis.com"].probe_action
    assert action and "/locations/us-central1/" in action["path"] and action["auth"] == "bearer"
    assert targets["storage.googleapis.com"].addresses == ["10.9.9.1", "10.9.9.2"]
    assert targets["storage.googleapis.com"].networks == {"a": ["10.9.9.1"], "b": ["10.9.9.2"]}
    assert targets["storage.googleapis.com"].probe_action is None
    for bad in (["us_central1"], ["x-aiplatform"]):
        with pytest.raises(EndpointError):
            names.host_names(bad)
    with pytest.raises(EndpointError, match="prediction"):
        names.host_names([], ["1.us-central1-5.prediction.vertexai.goog"])
