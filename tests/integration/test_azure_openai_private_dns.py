# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""azure_openai_private_dns in the lab: names switch, are predicted, repaired, refused, and switch back."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

NAME = "private_ai.endpoints.azure_openai_private_dns"
SUBSCRIPTION, HUB, AI = (f"5{x}000000-0000-0000-0000-00000000000{x}" for x in "abc")
NETWORKS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/app-network/providers/Microsoft.Network"
APP, SPOKE = f"{NETWORKS}/virtualNetworks/app", f"{NETWORKS}/virtualNetworks/spoke"
ACCOUNTS = f"/subscriptions/{AI}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts"
HOME = f"/subscriptions/{HUB}/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones"
FAMILIES = ("cognitiveservices", "openai", "services.ai")
ZONES = {name: f"{HOME}/privatelink.{name}.azure.com" for name in FAMILIES}
FOUNDRY = [f"lab-foundry.{name}.azure.com" for name in FAMILIES]
FAST = {"dns": 0.2, "endpoint": 0.2, "account": 0.2, "retry_after": 0}


def endpoint(account: str) -> dict[str, Any]:
    connection = {
        "name": "account",
        "properties": {
            "privateLinkServiceId": f"{ACCOUNTS}/{account}",
            "groupIds": ["account"],
        },
    }
    return {
        "id": f"{NETWORKS}/privateEndpoints/{account}",
        "location": "eastus",
        "properties": {
            "subnet": {"id": f"{APP}/subnets/endpoints"},
            "privateLinkServiceConnections": [connection],
        },
    }


def world(*resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"azure": {"timing": FAST, "resources": list(resources), **sections}}


def module(account: str = "lab-foundry", **options: Any) -> dict[str, Any]:
    known = {
        "account_id": f"{ACCOUNTS}/{account}",
        "network_id": APP,
        "zone_subscription_id": HUB,
        "zone_resource_group": "dns",
    }
    return {NAME: {**known, **options}}


def by_id(account: str = "lab-foundry", **options: Any) -> dict[str, Any]:
    return module(account, endpoint_id=f"{NETWORKS}/privateEndpoints/{account}", **options)


def seen(place: str, *hosts: str) -> dict[str, Any]:
    """What hosts resolve to at a vantage: `address host` lines, empty where nothing does."""
    looks = "; ".join(
        f"echo $($LAB_RUN/in-azure-{place} getent ahostsv4 {host} | head -1)" for host in hosts
    )
    return {"ansible.builtin.shell": looks, "check_mode": False}


def admin(code: str) -> dict[str, Any]:
    """Resource Manager in the hands of somebody else: `arm(method, path, body)`."""
    prelude = textwrap.dedent(
        """
        import json, os, time, requests
        from azure.identity import EnvironmentCredential
        token = EnvironmentCredential().get_token('https://management.azure.com/.default').token
        def arm(method, path, body=None, version='2024-06-01'):
            url = 'https://management.azure.com' + path + '?api-version=' + version
            answer = requests.request(method, url, json=body, headers={'Authorization': 'Bearer ' + token})
            assert answer.status_code < 400, answer.text
            time.sleep(0.5)
            return answer.json() if answer.content else None
        """
    )
    return {
        "ansible.builtin.command": {"argv": ["python", "-c", prelude + textwrap.dedent(code)]},
        "check_mode": False,
    }


LIST_ZONES = admin(
    f"""
    found = arm('GET', '/subscriptions/{HUB}/providers/Microsoft.Network/privateDnsZones')
    print(len(found['value']))
    """
)


def attributes(steps: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {
        (step["resource"], step["action"], key)
        for step in steps
        for key in {**step["before"], **step["after"]}
    }


def private(result: dict[str, Any]) -> bool:
    return all(line.startswith("10.20.2.") for line in result["stdout_lines"])


def public(result: dict[str, Any]) -> bool:
    return all(line.startswith("203.0.113.") for line in result["stdout_lines"])


@pytest.mark.parametrize("mode", ["zone_group", "records"])
def test_names_switch_and_switch_back(lab, mode):
    options = {"mode": mode}
    outcome = lab.tasks(
        {**module(**options), "check_mode": True},
        seen("app", *FOUNDRY),
        module(**options),
        seen("app", *FOUNDRY),
        seen("spoke", *FOUNDRY),
        module(**options),
        module(state="restored", undo="{{ result_2.undo }}"),
        seen("spoke", *FOUNDRY),
        LIST_ZONES,
        module(state="restored", undo="{{ result_2.undo }}"),
        world=world(endpoint("lab-foundry")),
    )
    predicted, before, made, inside, spoke, again, back, after, zones, twice = outcome.results
    assert not made.get("failed"), made["msg"]
    assert attributes(predicted["steps"]) == attributes(made["steps"])
    assert public(before)
    assert private(inside)
    assert private(spoke)
    assert len({line.split()[0] for line in inside["stdout_lines"]}) == 3
    assert (again["changed"], again["steps"]) == (False, [])
    assert [item["host"] for item in made["probe_targets"]] == FOUNDRY
    assert [zone["id"] for zone in made["zones"]] == list(ZONES.values())
    assert all(zone["networks"] == [APP, SPOKE] for zone in made["zones"])
    assert not back.get("failed"), back["msg"]
    assert back["changed"]
    assert public(after)
    assert zones["stdout"] == "0"
    assert not twice["changed"]


def zone(name: str, home: str = HOME) -> dict[str, Any]:
    return {"id": f"{home}/privatelink.{name}.azure.com", "location": "global"}


def link(zone_id: str, network: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{zone_id}/virtualNetworkLinks/{network.rpartition('/')[2]}",
        "location": "global",
        "tags": properties.pop("tags", {}),
        "properties": {
            "virtualNetwork": {"id": network},
            "registrationEnabled": False,
            **properties,
        },
    }


def group(account: str, *names: str) -> dict[str, Any]:
    return {
        "id": f"{NETWORKS}/privateEndpoints/{account}/privateDnsZoneGroups/default",
        "properties": {
            "privateDnsZoneConfigs": [
                {"name": name, "properties": {"privateDnsZoneId": ZONES[name]}} for name in names
            ]
        },
    }


def a_record(zone_id: str, name: str, address: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": f"{zone_id}/A/{name}",
        "properties": {"ttl": 10, "aRecords": [{"ipv4Address": address}], **properties},
    }


def standing(account: str, *names: str, networks: tuple[str, ...] = (APP, SPOKE)) -> list[Any]:
    """Everything as it should be, made by somebody else."""
    return [
        endpoint(account),
        *(zone(name) for name in names),
        *(link(ZONES[name], network) for name in names for network in networks),
        group(account, *names),
    ]


def asked(outcome: Any) -> list[str]:
    """Requests to Resource Manager, tokens apart."""
    return [item for item in outcome.reads + outcome.writes if not item.startswith("login")]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("account", "names"), [("lab-openai", ("openai",)), ("lab-foundry", FAMILIES)]
)
def test_a_no_op_reads_two_and_two_for_each_zone(lab, account, names, named):
    """Also without the endpoint's id, when it has the name that azure_openai_private_link gives it."""
    resources = standing(account, *names)
    if not named:
        usual = f"privateEndpoints/pe-{account}-app"
        resources = [
            {**item, "id": item["id"].replace(f"privateEndpoints/{account}", usual)}
            for item in resources
        ]
    task = by_id(account) if named else module(account)
    outcome = lab.tasks(task, world=world(*resources))
    (result,) = outcome.results
    assert (result["changed"], result.get("msg")) == (False, None)
    assert outcome.writes == []
    assert len(asked(outcome)) <= 2 + 2 * len(names), asked(outcome)
    assert all(item["addresses"] for item in result["probe_targets"])


def test_a_spoke_that_came_later_is_one_write(lab):
    outcome = lab.tasks(
        {**module("lab-openai"), "check_mode": True},
        module("lab-openai"),
        seen("spoke", "lab-openai.openai.azure.com"),
        module("lab-openai"),
        world=world(*standing("lab-openai", "openai", networks=(APP,))),
    )
    predicted, linked, spoke, again = outcome.results
    assert attributes(predicted["steps"]) == attributes(linked["steps"])
    assert len(outcome.writes) == 1, outcome.writes
    assert private(spoke)
    assert not again["changed"]


def test_drift_is_found_and_repaired(lab):
    record = f"{ZONES['openai']}/A/lab-foundry"
    outcome = lab.tasks(
        module(),
        admin(
            f"""
            arm('PUT', '{record}', {{'properties': {{'ttl': 10, 'aRecords': [{{'ipv4Address': '10.9.9.9'}}]}}}})
            arm('PUT', '{record}'.replace('/A/', '/AAAA/'),
                {{'properties': {{'ttl': 10, 'aaaaRecords': [{{'ipv6Address': 'fd00::9'}}]}}}})
            arm('DELETE', '{ZONES["cognitiveservices"]}/A/lab-foundry')
            for link in arm('GET', '{ZONES["services.ai"]}/virtualNetworkLinks')['value']:
                arm('DELETE', link['id'])
            """
        ),
        {**module(), "check_mode": True},
        module(),
        seen("app", *FOUNDRY),
        seen("spoke", *FOUNDRY),
        module(),
        module(state="absent"),
        LIST_ZONES,
        world=world(endpoint("lab-foundry")),
    )
    _, broken, predicted, repaired, inside, spoke, again, gone, zones = outcome.results
    assert broken["rc"] == 0, broken
    assert not repaired.get("failed"), repaired["msg"]
    assert attributes(predicted["steps"]) == attributes(repaired["steps"])
    assert len(repaired["steps"]) == 5
    assert private(inside)
    assert private(spoke)
    assert not again["changed"]
    assert not gone.get("failed"), gone["msg"]
    assert zones["stdout"] == "0"


def test_zones_that_the_network_reads_already_are_used(lab):
    theirs = f"{NETWORKS}/privateDnsZones"
    mine = f"{theirs}/privatelink.openai.azure.com"
    outcome = lab.tasks(
        module("lab-openai"),
        module("lab-openai"),
        seen("spoke", "lab-openai.openai.azure.com"),
        LIST_ZONES,
        world=world(endpoint("lab-openai"), zone("openai", theirs), link(mine, APP)),
    )
    made, again, spoke, zones = outcome.results
    assert [item["id"] for item in made["zones"]] == [mine]
    assert [step["action"] for step in made["steps"]] == ["create", "create"]
    assert not again["changed"]
    assert private(spoke)
    assert zones["stdout"] == "0"


def test_a_second_zone_of_one_name_is_explained_before_any_write(lab):
    theirs = f"{NETWORKS}/privateDnsZones"
    outcome = lab.tasks(
        module("lab-openai"),
        world=world(
            endpoint("lab-openai"),
            zone("openai"),
            zone("openai", theirs),
            link(f"{theirs}/privatelink.openai.azure.com", SPOKE),
        ),
    )
    text = outcome.results[0]["msg"]
    for part in ("app-network/spoke is linked to", theirs, "by link spoke", "Delete that link"):
        assert part in text, text
    assert outcome.writes == []


def test_other_accounts_are_not_cut_off(lab):
    both = ("lab-openai.openai.azure.com", "lab-foundry.openai.azure.com")
    outcome = lab.tasks(
        module("lab-foundry"),
        seen("app", *both),
        module("lab-openai", link_networks=False),
        seen("app", *both),
        module("lab-foundry", link_networks=False),
        module("lab-foundry"),
        module("lab-openai"),
        seen("app", *both),
        module(state="restored", undo="{{ result_5.undo }}"),
        seen("app", *both),
        module("lab-foundry"),
        module("lab-openai"),
        seen("app", *both),
        world=world(endpoint("lab-foundry"), endpoint("lab-openai")),
    )
    refused, before, ready, still, _, first, second, inside, back, half, *rest = outcome.results
    assert both[0] in refused["msg"]
    assert "link_networks" in refused["msg"]
    assert refused["changed"] is False
    assert public(before)
    assert ready["changed"]
    assert public(still)
    assert first["changed"]
    assert not second["changed"]
    assert private(inside)
    assert not back.get("failed"), back["msg"]
    assert half["stdout_lines"][0].startswith("10.20.2."), half
    assert half["stdout_lines"][1].startswith("203.0.113."), half
    again, other, inside = rest
    assert again["changed"]
    assert not other["changed"]
    assert private(inside)


@pytest.mark.parametrize("mode", ["zone_group", "records"])
def test_absent_leaves_what_it_did_not_make(lab, mode):
    central = a_record(ZONES["openai"], "central", "10.40.0.4")
    outcome = lab.tasks(
        module("lab-openai", mode=mode),
        {**module("lab-openai", mode=mode, state="absent"), "check_mode": True},
        module("lab-openai", mode=mode, state="absent"),
        seen("app", "lab-openai.openai.azure.com"),
        module("lab-openai", mode=mode, state="absent"),
        admin(
            f"""
            names = [item['name'] for item in arm('GET', '{ZONES["openai"]}/ALL')['value']]
            links = [item['name'] for item in arm('GET', '{ZONES["openai"]}/virtualNetworkLinks')['value']]
            print(sorted(names), links)
            """
        ),
        world=world(endpoint("lab-openai"), zone("openai"), central, link(ZONES["openai"], SPOKE)),
    )
    made, predicted, gone, after, again, left = outcome.results
    assert not made.get("failed"), made["msg"]
    assert attributes(predicted["steps"]) == attributes(gone["steps"])
    assert public(after)
    assert not again["changed"]
    assert left["stdout"].startswith("['@', 'central']")
    assert "'spoke'" in left["stdout"]


def test_absent_works_when_the_endpoint_is_gone(lab):
    outcome = lab.tasks(
        module("lab-openai", mode="records"),
        admin(f"arm('DELETE', '{NETWORKS}/privateEndpoints/lab-openai', version='2024-05-01')"),
        module("lab-openai", mode="records", state="absent"),
        LIST_ZONES,
        world=world(endpoint("lab-openai")),
    )
    _, deleted, gone, zones = outcome.results
    assert deleted["rc"] == 0, deleted
    assert not gone.get("failed"), gone["msg"]
    assert zones["stdout"] == "0"


def test_an_endpoint_that_does_not_exist_yet_is_predicted_and_otherwise_refused(lab):
    outcome = lab.tasks({**module(), "check_mode": True}, module(), world=world())
    predicted, refused = outcome.results
    assert {step["action"] for step in predicted["steps"]} == {"create"}
    assert len(predicted["steps"]) == 3 + 1 + 6
    assert "azure_openai_private_link" in refused["msg"]
    assert outcome.writes == []


def test_bad_input_is_one_sentence_with_the_fix(lab):
    nowhere = f"{NETWORKS}/virtualNetworks/nowhere"
    outcome = lab.tasks(
        module("lab-unknown"),
        module(network_id=nowhere),
        module(network_id="app"),
        module(networks=[nowhere]),
        module(zone_resource_group="nowhere"),
        module(zone_credentials={"client_id": "c3000000-0000-0000-0000-000000000003"}),
        module(state="restored", undo={"run": "x"}),
        {NAME: {"account_id": f"{ACCOUNTS}/lab-foundry"}},
        world=world(endpoint("lab-foundry")),
    )
    texts = [result["msg"] for result in outcome.results]
    for text, part in zip(
        texts,
        [
            "lab-unknown",
            "Correct network_id",
            "network_id",
            "networks: app-network/nowhere",
            "zone_resource_group: nowhere",
            "secret",
            "undo",
            "endpoint_id",
        ],
        strict=True,
    ):
        assert part in text, text
    assert outcome.writes == []


def principal(number: int, *permissions: dict[str, Any]) -> dict[str, Any]:
    return {
        "client_id": f"c{number}000000-0000-0000-0000-00000000000{number}",
        "object_id": f"0{number}000000-0000-0000-0000-00000000000{number}",
        "tenant": "7e000000-0000-0000-0000-000000000001",
        "secrets": ["lab-azure-secret" if number == 1 else f"lab-azure-secret-{number}"],
        "permissions": list(permissions),
    }


def test_zones_of_a_hub_have_credentials_of_their_own(lab):
    network = {"scope": f"/subscriptions/{SUBSCRIPTION}", "actions": ["*"]}
    accounts = {"scope": f"/subscriptions/{AI}", "actions": ["*/read"]}
    join = {
        "scope": f"/subscriptions/{HUB}",
        "actions": ["Microsoft.Network/privateDnsZones/join/action"],
    }
    hub = {"scope": f"/subscriptions/{HUB}", "actions": ["*"]}
    links = {
        "scope": f"/subscriptions/{SUBSCRIPTION}",
        "actions": ["Microsoft.Network/virtualNetworks/join/action"],
    }
    own = {
        "tenant": "7e000000-0000-0000-0000-000000000001",
        "client_id": principal(3)["client_id"],
        "secret": "lab-azure-secret-3",
    }
    principals = [principal(1, network, accounts, join), principal(3, hub, links)]
    options = {"zone_credentials": own}
    outcome = lab.tasks(
        module(),
        module(**options),
        seen("spoke", *FOUNDRY),
        module(**options),
        module(**options, state="restored", undo="{{ result_1.undo }}"),
        world=world(endpoint("lab-foundry"), principals=principals),
    )
    denied, made, spoke, again, back = outcome.results
    assert "Microsoft.Network/privateDnsZones" in denied["msg"], denied["msg"]
    assert not made.get("failed"), made["msg"]
    assert private(spoke)
    assert not again["changed"]
    assert not back.get("failed"), back["msg"]
    assert "lab-azure-secret-3" not in outcome.output


def test_a_zone_that_cannot_be_seen_is_explained_and_nothing_is_left_of_the_change(lab):
    theirs = f"/subscriptions/{AI}/resourceGroups/ai/providers/Microsoft.Network/privateDnsZones"
    rights = [{"scope": f"/subscriptions/{item}", "actions": ["*"]} for item in (SUBSCRIPTION, HUB)]
    outcome = lab.tasks(
        module("lab-openai"),
        LIST_ZONES,
        world=world(
            endpoint("lab-openai"),
            zone("openai", theirs),
            link(f"{theirs}/privatelink.openai.azure.com", SPOKE),
            principals=[principal(1, *rights)],
        ),
    )
    failed, zones = outcome.results
    assert "cannot see" in failed["msg"], failed["msg"]
    assert SPOKE in failed["msg"]
    assert "switched back" in failed["msg"]
    assert zones["stdout"] == "0"


def test_fall_through_is_chosen_and_taken_back(lab):
    both = ("lab-openai.openai.azure.com", "lab-foundry.openai.azure.com")
    policy = {"resolution_policy": "NxDomainRedirect"}
    outcome = lab.tasks(
        module("lab-openai", **policy),
        seen("app", *both),
        module("lab-openai"),
        module("lab-openai", resolution_policy="Default"),
        module("lab-openai", resolution_policy="Default", allow_other_accounts=True),
        seen("app", both[1]),
        module("lab-openai", state="restored", undo="{{ result_4.undo }}"),
        seen("app", both[1]),
        world=world(endpoint("lab-foundry"), endpoint("lab-openai")),
    )
    made, through, again, refused, strict, broken, back, restored = outcome.results
    assert not made.get("failed"), made["msg"]
    assert "falls through" in made["warnings"][0]
    assert through["stdout_lines"][0].startswith("10.20.2.")
    assert through["stdout_lines"][1].startswith("203.0.113.")
    assert not again["changed"]
    assert both[1] in refused["msg"]
    assert [step["after"] for step in strict["steps"]] == [{"resolution_policy": "Default"}] * 2
    assert broken["stdout"] == ""
    assert back["changed"]
    assert public(restored)


@pytest.mark.parametrize("mode", ["zone_group", "records"])
def test_half_a_change_is_switched_back(lab, mode):
    rights = {
        "scope": "/",
        "actions": ["*"],
        "not_actions": ["Microsoft.Network/privateDnsZones/virtualNetworkLinks/write"],
    }
    outcome = lab.tasks(
        module(mode=mode),
        seen("app", *FOUNDRY),
        LIST_ZONES,
        world=world(endpoint("lab-foundry"), principals=[principal(1, rights)]),
    )
    failed, inside, zones = outcome.results
    assert "virtualNetworkLinks/write" in failed["msg"]
    assert "switched back" in failed["msg"]
    assert public(inside)
    assert zones["stdout"] == "0"


def test_a_run_whose_answers_were_lost_knows_what_it_made(lab):
    """The first answer to each write is lost; what the run returns switches all of it back."""
    faults = [
        {"match": {"operation": f"Microsoft.Network/{name}:PUT"}, "kind": "lost", "nth": 1}
        for name in ("privateDnsZones", "privateDnsZones/virtualNetworkLinks", "privateDnsZones/A")
    ]
    outcome = lab.tasks(
        module(mode="records"),
        seen("app", *FOUNDRY),
        module(mode="records"),
        module(mode="records", state="restored", undo="{{ result_0.undo }}"),
        seen("app", *FOUNDRY),
        world=world(endpoint("lab-foundry")),
        faults=faults,
    )
    made, inside, again, back, after = outcome.results
    assert not made.get("failed"), made["msg"]
    assert len([entry for entry in outcome.journal if entry["fault"]]) == len(faults)
    assert private(inside)
    assert not again["changed"]
    assert not back.get("failed"), back["msg"]
    assert public(after)


def test_two_runs_at_once_converge(lab):
    play = lab.path("both.yml")
    play.write_text(
        textwrap.dedent(
            f"""
            - hosts: all
              gather_facts: false
              connection: local
              vars: {{ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"}}
              tasks:
                - {NAME}:
                    account_id: "{ACCOUNTS}/lab-foundry"
                    network_id: "{APP}"
                    zone_subscription_id: "{HUB}"
                    zone_resource_group: dns
                    mode: records
            """
        )
    )
    outcome = lab.run(
        f"ansible-playbook -i one,two, {play} && ansible-playbook -i three, {play}",
        world=world(endpoint("lab-foundry")),
    )
    assert outcome.code == 0, outcome.output
    assert "failed=0" in outcome.output
    third = next(line for line in outcome.output.splitlines() if line.startswith("three"))
    assert "changed=0" in third


def test_other_peoples_dns_is_left_alone(lab):
    outcome = lab.tasks(
        module(mode="none"),
        world=world(
            endpoint("lab-foundry"),
            {
                "id": APP,
                "location": "eastus",
                "properties": {
                    "addressSpace": {"addressPrefixes": ["10.20.0.0/16"]},
                    "dhcpOptions": {"dnsServers": ["10.20.1.53"]},
                    "subnets": [
                        {"name": "app", "properties": {"addressPrefix": "10.20.1.0/24"}},
                        {"name": "endpoints", "properties": {"addressPrefix": "10.20.2.0/24"}},
                    ],
                },
            },
        ),
    )
    (result,) = outcome.results
    assert not result["changed"]
    assert len(result["probe_targets"]) == 3
    assert "10.20.1.53" in result["warnings"][0]
    assert outcome.writes == []


def test_it_is_the_same_as_an_ordinary_module(lab):
    outcome = lab.tasks(
        module("lab-openai"),
        module("lab-openai", state="absent"),
        in_process=False,
        world=world(endpoint("lab-openai")),
    )
    made, gone = outcome.results
    assert made["changed"], made
    assert gone["changed"], gone
