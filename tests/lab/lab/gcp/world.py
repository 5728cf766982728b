# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the `gcp:` section of a world file, already checked, to the state that the lab starts with."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from . import world_logs, world_names
from .compute_common import fingerprint, link, new_resource
from .records import AccessPolicy, Account, Failure, Project, Resource, Timing
from .state import State

Section = Mapping[str, Any]


def load(world: Section, clock: Callable[[], float] | None = None) -> State:
    """The state of a world; `clock` replaces time.time() in tests."""
    gcp = world["gcp"]
    state = State(timing=Timing(**gcp.get("timing", {})))
    if clock is not None:
        state.clock = clock
    organization = gcp.get("organization", {})
    state.organization = f"organizations/{organization['id']}" if organization else ""
    state.organization_policy = {"bindings": _bindings(organization)}
    for each in gcp.get("projects", []):
        state.projects[each["id"]] = _project(each, state.organization)
    for email, account in accounts(world).items():
        state.accounts[email] = account
    state.roles = {name: tuple(granted) for name, granted in gcp.get("roles", {}).items()}
    for each in gcp.get("federated", []):
        state.federated[each["audience"], each["subject_token"]] = each["member"]
    state.buckets = {each["name"]: each["project"] for each in gcp.get("buckets", [])}
    for each in gcp.get("networks", []):
        _network(state, each)
    for each in gcp.get("peerings", []):
        _peering(state, each)
    for each in gcp.get("endpoints", []):
        _endpoint(state, each)
    world_names.load(state, gcp)
    for each in gcp.get("access_policies", []):
        _access_policy(state, each)
    state.binding = copy.deepcopy(state.perimeters())
    for each in gcp.get("org_policies", []):
        state.org_policies[each["name"]] = {"etag": "CLbk", **copy.deepcopy(each)}
    state.org_binding = copy.deepcopy(state.org_policies)
    state.failures = [Failure(**each) for each in gcp.get("failures", [])]
    for each in gcp.get("log_entries", []):
        state.log.append(world_logs.entry(state, each))
    return state


def accounts(world: Section) -> dict[str, Account]:
    """The service accounts by email, numbered in their order, which chooses their keys."""
    return {
        each["id"]: Account(
            each["id"],
            each.get("project") or each["id"].partition("@")[2].partition(".")[0],
            number,
            list(each.get("creators", [])),
            each.get("disabled", False),
        )
        for number, each in enumerate(world["gcp"].get("service_accounts", []))
    }


def _bindings(given: Section) -> list[Resource]:
    return [
        {"role": role, "members": list(members)}
        for role, members in given.get("bindings", {}).items()
    ]


def _project(given: Section, organization: str) -> Project:
    policy: Resource = {"bindings": _bindings(given)}
    if given.get("audit"):
        policy["auditConfigs"] = [
            {"service": service, "auditLogConfigs": [{"logType": kind} for kind in kinds]}
            for service, kinds in given["audit"].items()
        ]
    return Project(
        given["id"],
        given["number"],
        organization,
        given.get("name", given["id"]),
        {
            each if "." in each else f"{each}.googleapis.com"
            for each in given.get("disabled_services", [])
        },
        policy,
    )


def _network(state: State, given: Section) -> None:
    path = given["id"]
    project = path.split("/")[1]
    auto = given.get("auto", False)
    network = new_resource(state, "network", path, {"name": path.rpartition("/")[2]})
    network |= {
        "autoCreateSubnetworks": auto,
        "mtu": 1460,
        "routingConfig": {"routingMode": "GLOBAL"},
        "subnetworks": [],
    }
    state.compute[path] = network
    for each in given.get("subnets", []):
        region = f"projects/{project}/regions/{each['region']}"
        subnet_path = f"{region}/subnetworks/{each['name']}"
        body = {
            "name": each["name"],
            "network": link(path),
            "region": link(region),
            "ipCidrRange": each["range"],
            "gatewayAddress": each["range"].rpartition(".")[0] + ".1",
            "privateIpGoogleAccess": each.get("private_google_access", False),
            "purpose": "PRIVATE",
            "stackType": "IPV4_ONLY",
        }
        if each.get("secondary"):
            body["secondaryIpRanges"] = [
                {"rangeName": name, "ipCidrRange": cidr} for name, cidr in each["secondary"].items()
            ]
        subnet = new_resource(state, "subnetwork", subnet_path, body)
        subnet["fingerprint"] = fingerprint(subnet)
        state.compute[subnet_path] = subnet
        network["subnetworks"].append(link(subnet_path))
    _rules(state, path, project, given)


def _rules(state: State, path: str, project: str, given: Section) -> None:
    internet = {
        "name": f"default-route-{path.rpartition('/')[2]}",
        "destRange": "0.0.0.0/0",
        "priority": 1000,
        "nextHopGateway": link(f"projects/{project}/global/gateways/default-internet-gateway"),
    }
    for kind, items in (
        ("route", [internet, *given.get("routes", [])]),
        ("firewall", given.get("firewalls", [])),
    ):
        for each in items:
            place = f"projects/{project}/global/{kind}s/{each['name']}"
            defaults: Resource = {"network": link(path), "priority": 1000}
            if kind == "firewall":
                defaults |= {"direction": "INGRESS", "disabled": False}
            state.compute[place] = new_resource(
                state, kind, place, {**defaults, **copy.deepcopy(each)}
            )


def _peering(state: State, given: Section) -> None:
    one, other = given["networks"]
    for near, far in ((one, other), (other, one)):
        state.compute[near].setdefault("peerings", []).append(
            {
                "name": given.get("name", f"{near.rpartition('/')[2]}-{far.rpartition('/')[2]}"),
                "network": link(far),
                "state": given.get("state", "ACTIVE"),
                "stateDetails": "Connected.",
                "autoCreateRoutes": True,
                "exchangeSubnetRoutes": True,
                "exportCustomRoutes": False,
                "importCustomRoutes": False,
                "exportSubnetRoutesWithPublicIp": True,
                "importSubnetRoutesWithPublicIp": False,
            }
        )


def _endpoint(state: State, given: Section) -> None:
    """An address and the forwarding rule that uses it, unless the world wants the address alone."""
    network = given["network"]
    project = given.get("project") or network.split("/")[1]
    address_name = given.get("address_name", f"{given['name']}-ip")
    path = f"projects/{project}/global/addresses/{address_name}"
    labels = dict(given.get("labels", {}))
    address = {
        "name": address_name,
        "address": given["address"],
        "addressType": "INTERNAL",
        "purpose": "PRIVATE_SERVICE_CONNECT",
        "network": link(network),
        "status": "RESERVED",
        "labels": labels,
        "labelFingerprint": fingerprint(labels),
    }
    state.compute[path] = new_resource(state, "address", path, address)
    if not given.get("rule", True):
        return
    bundle = given.get("bundle", "all-apis")
    rule_path = f"projects/{project}/global/forwardingRules/{given['name']}"
    region = given.get("service_directory_region", "us-central1")
    rule = {
        "name": given["name"],
        "IPAddress": given["address"],
        "IPProtocol": "TCP",
        "target": bundle,
        "network": link(network),
        "networkTier": "PREMIUM",
        "labels": labels,
        "labelFingerprint": fingerprint(labels),
        "serviceDirectoryRegistrations": [
            {"namespace": "goog-psc-default", "serviceDirectoryRegion": region}
        ],
        "pscConnectionId": state.new_id(),
    }
    state.compute[rule_path] = new_resource(state, "forwardingRule", rule_path, rule)
    state.compute[path] |= {"status": "IN_USE", "users": [link(rule_path)]}


def _access_policy(state: State, given: Section) -> None:
    name = f"accessPolicies/{given['id']}"
    policy = AccessPolicy(name, state.organization, given.get("title", "default policy"))
    for each in given.get("levels", []):
        full = f"{name}/accessLevels/{each['name']}"
        policy.levels[full] = {**copy.deepcopy(each), "name": full}
    for each in given.get("perimeters", []):
        full = f"{name}/servicePerimeters/{each['name']}"
        policy.perimeters[full] = {**copy.deepcopy(each), "name": full}
    state.access_policies[name] = policy
