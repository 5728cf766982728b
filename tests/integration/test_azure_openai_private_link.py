# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_openai_private_link in the lab: prediction, drift in each attribute, adoption, approval, deletion."""

from __future__ import annotations

import json
from typing import Any

from .azure_private_link import (
    ACCOUNTS,
    APP,
    CIDRS,
    ENDPOINT,
    FOUNDRY,
    GROUP,
    HOST,
    MANAGED,
    NETWORK,
    RULES,
    SUBNET,
    ZONE,
    admin,
    endpoint,
    from_vantage,
    linked_zone,
    module,
    parts,
    shape,
    succeeded,
    world,
)


def test_check_mode_predicts_and_a_second_run_reads_little(lab: Any) -> None:
    wish = {"account_id": FOUNDRY, "tags": {"team": "platform"}}
    outcome = lab.tasks(
        {**module(**wish), "check_mode": True, "diff": True},
        {**module(**wish), "diff": True},
        module(**wish),
        world=world(),
    )
    predicted, made, again = succeeded(outcome)
    checking, making, repeating = parts(outcome.journal)
    assert [entry for entry in checking if entry["write"]] == []
    assert [entry for entry in making if entry["write"]] != []
    assert predicted["changed"] and made["changed"] and not again["changed"]
    assert shape(predicted["steps"]) == shape(made["steps"])
    assert again["steps"] == []
    assert predicted["probe_targets"] == []
    assert set(predicted["fqdns"].values()) == {"(known after apply)"}
    assert set(predicted["fqdns"]) == set(made["fqdns"])
    assert "(known after apply)" in predicted["diff"]["after"]
    assert made["diff"]["before"].count("\n") and "deny * * * -> 10.20.2.4" in made["diff"]["after"]
    families = ("cognitiveservices", "openai", "services.ai")
    assert set(made["fqdns"]) == {f"lab-foundry.{name}.azure.com" for name in families}
    assert len(set(made["fqdns"].values())) == 3
    assert [item["host"] for item in made["probe_targets"]] == sorted(made["fqdns"])
    assert all(item["addresses"] == [made["fqdns"][item["host"]]] for item in made["probe_targets"])
    for name in ("endpoint", "fqdns", "probe_targets", "account"):
        assert made[name] == again[name]
    assert made["endpoint"]["connection"]["status"] == "Approved"
    assert made["endpoint"]["tags"] == {"team": "platform", MANAGED: "true"}
    assert made["endpoint"]["location"] == "eastus"
    assert 0 < len(repeating) <= 6
    assert not [entry for entry in repeating if entry["write"]]


def test_the_rules_admit_their_networks_and_leave_the_subnet_alone(lab: Any) -> None:
    other = endpoint(account=FOUNDRY, name="other")
    outcome = lab.tasks(
        module(allowed_cidrs=["10.20.0.0/16"]),
        from_vantage("app", "{{ result_0.fqdns[" + repr(HOST) + "] }}"),
        from_vantage("spoke", "{{ result_0.fqdns[" + repr(HOST) + "] }}"),
        from_vantage("spoke", "10.20.2.5", "lab-foundry.openai.azure.com"),
        module(),
        from_vantage("spoke", "{{ result_0.fqdns[" + repr(HOST) + "] }}"),
        world=world(other),
    )
    made, app, spoke, others, widened, then = succeeded(outcome)
    assert made["changed"] and widened["changed"]
    assert app["stdout"] == "401"
    assert spoke["stdout"] == "000"
    assert others["stdout"] == "401"
    assert then["stdout"] == "401"
    (step,) = widened["steps"]
    assert step["resource"].startswith(f"{RULES}/") and set(step["after"]) == {"rules"}


DRIFTS = {
    "tags": f"""
        body = arm('GET', '{ENDPOINT}')
        body['properties'].pop('resourceGuid', None)
        body['tags'] = {{'team': 'x', 'y': 'z', '{MANAGED}': 'true'}}
        arm('PUT', '{ENDPOINT}', body)
    """,
    "private_endpoint_network_policies": f"""
        body = arm('GET', '{SUBNET}')
        body['properties']['privateEndpointNetworkPolicies'] = 'Disabled'
        arm('PUT', '{SUBNET}', body)
    """,
    "rules": f"""
        body = arm('GET', '{RULES}')
        for rule in body['properties']['securityRules']:
            if rule['properties']['access'] == 'Allow':
                rule['properties'].update(sourceAddressPrefixes=[], sourceAddressPrefix='*')
            else:
                rule['properties']['protocol'] = 'Udp'
        arm('PUT', '{RULES}', body)
    """,
}


def test_drift_in_each_attribute_is_found_and_repaired(lab: Any) -> None:
    wanted = {"tags": {"team": "platform"}}
    tasks = [module(**wanted)]
    for code in DRIFTS.values():
        tasks += [
            admin(code),
            {**module(**wanted), "check_mode": True, "diff": True},
            {**module(**wanted), "diff": True},
            module(**wanted),
        ]
    outcome = lab.tasks(*tasks, world=world())
    results = iter(succeeded(outcome))
    first = next(results)
    assert first["changed"], first
    for attribute in DRIFTS:
        drifted, predicted, repaired, again = (next(results) for _ in range(4))
        assert drifted["rc"] == 0, (attribute, drifted)
        assert predicted["changed"] and repaired["changed"], attribute
        assert not again["changed"], (attribute, again)
        assert shape(predicted["steps"]) == shape(repaired["steps"]), attribute
        assert predicted["diff"] == repaired["diff"], attribute
        (step,) = repaired["steps"]
        assert step["action"] == "update" and set(step["after"]) == {attribute}
        assert again["endpoint"] == first["endpoint"]


def test_a_group_that_was_taken_off_the_subnet_is_made_anew_or_found(lab: Any) -> None:
    take_off = f"""
        body = arm('GET', '{SUBNET}')
        del body['properties']['networkSecurityGroup']
        arm('PUT', '{SUBNET}', body)
    """
    outcome = lab.tasks(module(), admin(take_off), module(), module(), world=world())
    _made, _drifted, repaired, again = succeeded(outcome)
    assert repaired["changed"] and not again["changed"], again
    assert SUBNET in {step["resource"] for step in repaired["steps"]}


KEPT = {
    "routeTable": {"id": f"{NETWORK}/routeTables/hub"},
    "networkSecurityGroup": {"id": f"{NETWORK}/networkSecurityGroups/shared"},
    "natGateway": {"id": f"{NETWORK}/natGateways/out"},
    "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["eastus"]}],
    "privateLinkServiceNetworkPolicies": "Disabled",
    "defaultOutboundAccess": False,
}


def test_a_subnet_keeps_everything_it_has(lab: Any) -> None:
    shared = {
        "id": f"{NETWORK}/networkSecurityGroups/shared",
        "location": "eastus",
        "tags": {"owner": "network"},
        "properties": {
            "securityRules": [
                {
                    "name": "ssh",
                    "properties": {
                        "priority": 100,
                        "direction": "Inbound",
                        "access": "Deny",
                        "protocol": "Tcp",
                        "sourceAddressPrefix": "*",
                        "sourcePortRange": "*",
                        "destinationAddressPrefix": "*",
                        "destinationPortRange": "22",
                    },
                }
            ]
        },
    }
    resources = [
        {"id": f"{NETWORK}/routeTables/hub", "location": "eastus", "properties": {}},
        {"id": f"{NETWORK}/natGateways/out", "location": "eastus", "sku": {"name": "Standard"}},
        shared,
    ]
    furnish = f"""
        body = arm('GET', '{SUBNET}')
        body['properties'].update({KEPT!r})
        arm('PUT', '{SUBNET}', body)
    """
    delegate = f"""
        body = arm('GET', '{SUBNET}')
        body['properties']['delegations'] = [
            {{'name': 'later', 'properties': {{'serviceName': 'Microsoft.Web/serverFarms'}}}}]
        arm('PUT', '{SUBNET}', body)
    """
    show = admin(f"print(json.dumps([arm('GET', '{SUBNET}'), arm('GET', '{shared['id']}')]))")
    outcome = lab.tasks(
        admin(furnish),
        module(subnet_policies="RouteTableEnabled", allowed_cidrs=None),
        admin(delegate),
        show,
        module(),
        show,
        module(state="absent"),
        show,
        world=world(*resources),
    )
    results = succeeded(outcome)
    assert results[4]["changed"]
    befores, afters, lasts = (json.loads(results[n]["stdout"]) for n in (3, 5, 7))
    before, after, last = (each[0] for each in (befores, afters, lasts))
    assert before["properties"]["delegations"] and before["properties"]["routeTable"]
    for document in (before, after, last):
        document.pop("etag")
    assert before["properties"].pop("privateEndpointNetworkPolicies") == "RouteTableEnabled"
    # What both runs asked for.
    assert after["properties"].pop("privateEndpointNetworkPolicies") == "Enabled"
    assert last["properties"].pop("privateEndpointNetworkPolicies") == "Enabled"
    for document in (before, after):
        for each in document["properties"]["delegations"]:
            each.pop("etag", None)
    assert before == after
    rules = [
        [item["name"] for item in each[1]["properties"]["securityRules"]]
        for each in (afters, lasts)
    ]
    assert len(rules[0]) == 3 and rules[1] == ["ssh"]
    assert last["properties"]["networkSecurityGroup"] == KEPT["networkSecurityGroup"]


def test_a_zone_that_is_linked_answers_as_soon_as_the_endpoint_exists(lab: Any) -> None:
    look = {
        "ansible.builtin.shell": f"$LAB_RUN/in-azure-app getent ahostsv4 {HOST} | head -1 || true",
        "check_mode": False,
    }
    outcome = lab.tasks(
        {**module(), "check_mode": True},
        module(),
        look,
        module(),
        world=world(*linked_zone()),
    )
    predicted, made, seen, again = succeeded(outcome)
    assert shape(predicted["steps"]) == shape(made["steps"])
    assert any(step["after"].get("zones") == [ZONE] for step in made["steps"])
    assert seen["stdout"].startswith(made["fqdns"][HOST])
    assert not again["changed"]
    writes = [item for item in outcome.writes if "privateEndpoints" in item]
    assert writes == [
        "Microsoft.Network/privateEndpoints:PUT",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups:PUT",
    ]
    assert len(parts(outcome.journal)[-1]) <= 6


def test_a_run_that_was_killed_before_the_zone_group_is_completed(lab: Any) -> None:
    marks = {MANAGED: "true", "private-ai-endpoints-linked": "true"}
    killed = endpoint(name="pe-lab-openai-app", tags=marks)
    outcome = lab.tasks(module(), module(), world=world(*linked_zone(), killed))
    completed, again = succeeded(outcome)
    assert {"zones"} in [set(step["after"]) for step in completed["steps"]]
    assert not again["changed"]


def test_what_exists_is_adopted_and_not_deleted(lab: Any) -> None:
    somebody = endpoint(tags={"owner": "somebody"})
    bare = {"allowed_cidrs": None}
    outcome = lab.tasks(
        module(**bare),
        module(tags={"team": "x"}, purge_tags=False),
        module(tags={"team": "x"}, purge_tags=False),
        module(state="absent"),
        module(state="absent", force=True),
        module(state="absent", force=True),
        world=world(somebody),
    )
    kept, adopted, again, gone, forced, nothing = succeeded(outcome)
    assert not kept["changed"] and kept["endpoint"]["name"] == "somebody"
    assert adopted["changed"] and not again["changed"]
    assert adopted["endpoint"]["tags"] == {"owner": "somebody", "team": "x"}
    assert somebody["id"] not in {step["resource"] for step in gone["steps"]}
    assert {step["action"] for step in gone["steps"]} <= {"delete", "update"}
    assert any("force: true" in text for text in gone["warnings"])
    assert [step["resource"] for step in forced["steps"]] == [somebody["id"]]
    assert not nothing["changed"] and nothing["endpoint"] is None
    assert "Microsoft.Network/privateEndpoints:PUT" in outcome.writes
    assert len(parts(outcome.journal)[0]) <= 6


def test_an_account_by_its_name_and_everything_away_again(lab: Any) -> None:
    named = {"account_id": "LAB-OPENAI", "resource_group": "AI", "subscription_id": AI_UPPER}
    outcome = lab.tasks(
        module(**named, endpoint_name="pe", endpoint_resource_group="app-network"),
        module(subnet_id=SUBNET.upper().replace("/SUBSCRIPTIONS", "/subscriptions")),
        module(**named, endpoint_name="pe", state="absent"),
        module(**named, endpoint_name="pe", state="absent"),
        admin(
            f"print(len(arm('GET', '{GROUP}/providers/Microsoft.Network/privateEndpoints')['value']),"
            f" len(arm('GET', '{GROUP}/providers/Microsoft.Network/networkSecurityGroups')['value']),"
            f" arm('GET', '{SUBNET}')['properties'].get('networkSecurityGroup'))"
        ),
        world=world(),
    )
    made, again, gone, nothing, left = succeeded(outcome)
    assert made["endpoint"]["name"] == "pe" and not again["changed"], again
    assert gone["changed"] and not nothing["changed"]
    assert left["stdout"] == "0 1 None"


AI_UPPER = ACCOUNTS.split("/")[2].upper()


def test_a_request_waits_for_its_owner(lab: Any) -> None:
    asked = {"approval": "manual", "approval_message": "ticket 4711", "allowed_cidrs": None}
    outcome = lab.tasks(
        module(**asked, wait=False),
        module(**asked, wait=False),
        module(**asked, wait_timeout=1),
        module(allowed_cidrs=None),
        module(**asked),
        world=world(),
    )
    made, again, late, approved, then = outcome.results
    assert made["endpoint"]["connection"]["status"] == "Pending"
    assert made["endpoint"]["connection"]["manual"]
    assert made["changed"] and not again["changed"]
    assert late["failed"] and "is Pending on lab-openai" in late["msg"], late
    assert "az network private-endpoint-connection approve" in late["msg"]
    assert approved["changed"] and approved["endpoint"]["connection"]["status"] == "Approved"
    assert not then["changed"] and "failed" not in {k for k, v in then.items() if v}


def test_addresses_can_be_chosen(lab: Any) -> None:
    chosen = {
        "account_id": FOUNDRY,
        "static_addresses": ["10.20.2.30", "10.20.2.20", "10.20.2.10"],
    }
    outcome = lab.tasks(
        {**module(**chosen), "check_mode": True},
        module(**chosen),
        module(**chosen),
        world=world(),
    )
    predicted, made, again = succeeded(outcome)
    assert made["fqdns"] == predicted["fqdns"] and not again["changed"]
    assert set(made["fqdns"].values()) == set(chosen["static_addresses"])
    assert shape(predicted["steps"]) == shape(made["steps"])


def test_rules_go_when_nobody_is_named(lab: Any) -> None:
    outcome = lab.tasks(module(), module(allowed_cidrs=[]), module(allowed_cidrs=[]), world=world())
    _made, emptied, again = succeeded(outcome)
    (step,) = emptied["steps"]
    assert step["action"] == "delete" and set(step["before"]) == {"rules"} and not again["changed"]


def test_the_ordinary_module_is_the_same(lab: Any) -> None:
    outcome = lab.tasks(module(), module(), in_process=False, world=world())
    made, again = succeeded(outcome)
    assert made["changed"] and not again["changed"]
    assert CIDRS[0] in json.dumps(made["steps"]) and APP in made["endpoint"]["network_id"]
