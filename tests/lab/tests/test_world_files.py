# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""World files: loading, merging, and a line for everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lab import worlds

_CONTROLLER = {"name": "controller", "address": "198.51.100.2", "position": "controller"}


@pytest.fixture
def write(tmp_path):
    def write(document, name="world.yml"):
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
        return path

    return write


def _problems(path: Path) -> list[str]:
    with pytest.raises(worlds.BadWorld) as caught:
        worlds.load(path)
    assert all(each.startswith(f"{path}: ") for each in caught.value.problems)
    return [each.removeprefix(f"{path}: ") for each in caught.value.problems]


def test_a_small_world(write):
    inside = {"name": "app", "address": "10.0.0.9", "position": "inside", "internet": False}
    controller = {**_CONTROLLER, "environment": {"KEY": "value"}}
    world = worlds.load(write({"vantages": [controller, inside]}))
    assert [each.name for each in world.vantages] == ["controller", "app"]
    assert world.vantages[0].public_address == "198.51.100.2"
    assert (world.vantages[0].internet, world.vantages[1].internet) == (True, False)
    assert world.environments == {"controller": {"KEY": "value"}, "app": {}}
    assert world.clouds == ()


def test_every_problem_is_listed_with_its_path(write):
    vantages = [
        {"name": "Controller", "address": "198.51.100.2", "position": "above", "colour": "red"},
        {"name": "app", "address": "10.0.0.9", "position": "inside", "internet": "yes"},
        {"name": "app", "address": "10.0.0.9", "position": "inside", "public_address": "10.0.0.9"},
        {
            "address": "8.8.8.8",
            "position": "outside",
            "network": {"moon": {}},
            "environment": {"A-B": 1},
        },
        {"name": "odd", "address": "ten", "position": "inside", "network": [], "environment": []},
        "text",
    ]
    problems = _problems(write({"vantages": vantages, "weather": "fine", "description": 3}))
    found = [each.split(": ")[0] for each in problems]
    assert found == [
        "weather",
        "description",
        "vantages[0] (Controller).colour",
        "vantages[0] (Controller).name",
        "vantages[0] (Controller).position",
        "vantages[1] (app).internet",
        "vantages[1] (app).public_address",
        "vantages[2] (app).public_address",
        "vantages[2] (app).name",
        "vantages[2] (app).address",
        "vantages[3] (None).name",
        "vantages[3] (None).address",
        "vantages[3] (None).public_address",
        "vantages[3] (None).network.moon",
        "vantages[3] (None).environment.A-B",
        "vantages[3] (None).environment.A-B",
        "vantages[4] (odd).address",
        "vantages[4] (odd).network",
        "vantages[4] (odd).environment",
        "vantages[5]",
        "vantages",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not YAML: "),
        ("- a", "must be a mapping"),
        ("vantages: {}", "vantages: must be a list of places that traffic comes from"),
        ("extends: 3", "extends: must be the path of a world file"),
        ("extends: world.yml", "extends: a circle: "),
    ],
)
def test_what_is_no_world_gets_one_line(write, text, says):
    (problem,) = _problems(write(text))
    assert problem.startswith(says)


def test_a_missing_base_is_named(write):
    path = write("extends: no/such.yml")
    with pytest.raises(worlds.BadWorld, match=r"no/such\.yml: No such file or directory"):
        worlds.load(path)


def test_a_world_laid_over_others(write):
    write(
        {"vantages": [_CONTROLLER, {"name": "a", "address": "10.0.0.1", "position": "inside"}]},
        "base.yml",
    )
    write({"extends": "base.yml", "vantages": [{"name": "a", "internet": False}]}, "middle.yml")
    top = {
        "extends": "middle.yml",
        "vantages": [
            {"name": "a", "position": "spoke"},
            {"name": "b", "address": "198.51.100.9", "position": "outside"},
        ],
    }
    world = worlds.load(write(top))
    assert [(each.name, each.position, each.internet) for each in world.vantages] == [
        ("controller", "controller", True),
        ("a", "spoke", False),
        ("b", "outside", True),
    ]


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        ({"a": 1, "b": 2}, {"b": {"$remove": True}}, {"a": 1}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ([1, 2], [3], [3]),
        (
            [{"id": "x", "a": 1}],
            [{"id": "y"}, {"id": "x", "b": 2}],
            [{"id": "x", "a": 1, "b": 2}, {"id": "y"}],
        ),
        ([{"id": "x"}, {"id": "y"}], [{"id": "x", "$remove": True}], [{"id": "y"}]),
        ([{"arn": "x", "a": [1]}], [{"arn": "x", "a": [2]}], [{"arn": "x", "a": [2]}]),
        (
            [{"name": "n", "type": "A", "ttl": 1}],
            [{"name": "n", "type": "AAAA"}],
            [{"name": "n", "type": "A", "ttl": 1}, {"name": "n", "type": "AAAA"}],
        ),
        ([{"id": "x"}], [{"cidr": "c"}], [{"cidr": "c"}]),
        ([{"cidr": "c"}], [{"id": "x"}], [{"id": "x"}]),
        ([{"id": "x", "a": 1}], [], [{"id": "x", "a": 1}]),
        ([{"cidr": "c"}], [], []),
    ],
)
def test_merging(base, over, merged):
    assert worlds.merge(base, over) == merged


_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_values, _values)
def test_merging_twice_is_merging_once_and_changes_no_input(base, over):
    before = repr((base, over))
    once = worlds.merge(base, over)
    assert worlds.merge(once, over) == once
    assert repr((base, over)) == before


@given(_values)
def test_merging_with_itself_changes_nothing(value):
    assert worlds.merge(value, value) == value


def test_the_command_checks_a_world(lab_run, write):
    good = write({"vantages": [_CONTROLLER]}, "good.yml")
    done = lab_run("--check-world", str(good))
    assert (done.returncode, done.stdout) == (0, f"{good}: no problems\n")
    bad = write({"vantages": [_CONTROLLER], "climate": 1, "weather": 2}, "bad.yml")
    done = lab_run("--check-world", str(bad))
    assert (done.returncode, done.stdout) == (65, "")
    assert [each.split(": ")[2] for each in done.stderr.splitlines()] == ["climate", "weather"]


def test_the_default_world_has_no_problems(lab_run):
    done = lab_run("--check-world", str(worlds.DEFAULT))
    assert (done.returncode, done.stderr) == (0, "")


def inventory(name):
    return yaml.safe_load((worlds.WORLDS.parent / "inventory" / name).read_text())


def check_vantages(world, hosts):
    """The vantages of a part of the inventory are the world's."""
    places = {each.name: each.position for each in world.vantages}
    for name, each in hosts.items():
        assert each["vantage_position"] == places[name]
        assert each["ansible_python_interpreter"].endswith(f"/python-{name}")


def test_the_inventories_have_every_vantage():
    world = worlds.load(worlds.DEFAULT)
    files = sorted((worlds.WORLDS.parent / "inventory").glob("*.yml"))
    parts = [inventory(each.name)["vantages"]["hosts"] for each in files]
    for each in parts:
        check_vantages(world, each)
    listed = [name for each in parts for name in each]
    assert sorted([*listed, "controller"]) == sorted(each.name for each in world.vantages)


def test_the_inventory_is_the_default_worlds():
    world = worlds.load(worlds.DEFAULT)
    made = inventory("aws.yml")
    keys = {
        each.get("access_key"): each.get("secret_key")
        for each in world.document["aws"]["principals"]
    }
    shared = made["vantages"]["vars"]
    assert keys[shared["vantage_aws_access_key_id"]] == shared["vantage_aws_secret_access_key"]
    own = [each for each in world.environments.values() if "AWS_ACCESS_KEY_ID" in each]
    assert len(own) == 1 + len(made["vantages"]["hosts"])
    for each in own:
        assert keys[each["AWS_ACCESS_KEY_ID"]] == each["AWS_SECRET_ACCESS_KEY"]
    (target,) = made["bedrock"]["hosts"].values()
    assert set(target["vantages"]) == set(made["vantages"]["hosts"])
    vpcs = {each["id"]: each for each in world.document["aws"]["vpcs"]}
    subnets = [each["id"] for each in vpcs[target["bedrock_vpc_id"]]["subnets"]]
    assert target["bedrock_subnet_ids"] == subnets
    assert set(target["bedrock_spoke_vpcs"]) <= set(vpcs)


def test_the_azure_inventory_is_the_default_worlds():
    world = worlds.load(worlds.DEFAULT)
    made = inventory("azure.yml")
    azure = world.document["azure"]
    resources = {each["id"] for each in azure["resources"]}
    group = made["azure_openai"]
    shared = group["vars"]

    def full(text):
        for name in ("lab_azure_accounts", "lab_azure_networks"):
            text = text.replace("{{ " + name + " }}", shared[name])
        return text

    for each in group["hosts"].values():
        assert full(each["azure_openai_account_id"]) in resources
    network, _, _ = full(shared["azure_openai_subnet_id"]).partition("/subnets/")
    assert network in resources
    assert {full(each) for each in shared["azure_openai_spoke_networks"]} <= resources
    assert set(shared["vantages"]) == set(made["vantages"]["hosts"])
    for name, each in made["vantages"]["hosts"].items():
        place = next(one for one in world.vantages if one.name == name).network.get("azure", {})
        assert each.get("vantage_subnet_id") == place.get("subnet")
        if place:
            assert place["subnet"].startswith(each["vantage_network_id"] + "/subnets/")
    secrets = {each["client_id"]: each["secrets"] for each in azure["principals"]}
    own = [each for each in world.environments.values() if "AZURE_CLIENT_ID" in each]
    assert len(own) == 1 + len(made["vantages"]["hosts"])
    for each in own:
        assert each["AZURE_CLIENT_SECRET"] in secrets[each["AZURE_CLIENT_ID"]]


def test_googles_inventory_is_the_default_worlds():
    world = worlds.load(worlds.DEFAULT)
    made = inventory("gcp.yml")
    gcp = world.document["gcp"]
    (target,) = made["vertex"]["hosts"].values()
    assert set(target["vantages"]) == set(made["vantages"]["hosts"])
    networks = {each["id"] for each in gcp["networks"]}
    assert {target["vertex_network"]} <= networks
    places = {each.name: each.network.get("gcp", {}) for each in world.vantages}
    for name, each in made["vantages"]["hosts"].items():
        assert each.get("vantage_network_id") == places[name].get("network")
        assert each.get("vantage_subnet_id") == places[name].get("subnetwork")
    assert set(gcp["credentials"]) == {"controller", *made["vantages"]["hosts"]}
