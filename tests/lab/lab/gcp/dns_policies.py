# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloud DNS: response policies and their rules, and server policies; a network has one of each at most."""

from __future__ import annotations

import copy
from typing import Any

from . import dns_common as common
from .errors import GoogleError, invalid
from .operation import Control, Result, method, page
from .records import Resource, ResponsePolicy

_NETWORK = "dns#responsePolicyNetwork"


def _policy(control: Control) -> ResponsePolicy:
    name = control.path["responsePolicy"]
    found = control.state.response_policies.get((control.project.id, name))
    if found is None:
        raise common.not_found("responsePolicy", name)
    return found


def _networks(control: Control, body: Resource, mine: ResponsePolicy | None) -> None:
    if "networks" not in body:
        return
    body["networks"] = common.networks(control, body["networks"], "responsePolicy", _NETWORK)
    wanted = {each["networkUrl"] for each in body["networks"]}
    for policy in control.state.response_policies.values():
        taken = {each["networkUrl"] for each in policy.resource.get("networks", [])}
        if policy is not mine and wanted & taken:
            network = sorted(wanted & taken)[0]
            name = policy.resource["responsePolicyName"]
            message = f"Network '{network}' is already bound to the response policy '{name}'."
            raise GoogleError(409, message, "conflict")


@method("dns.responsePolicies.create")
def create(control: Control) -> Result:
    body = copy.deepcopy(dict(control.body))
    name = body.get("responsePolicyName")
    common.check_name("responsePolicy", name, "responsePolicyName")
    common.authorize(control, "responsePolicies.create", f"responsePolicies/{name}")
    if (control.project.id, name) in control.state.response_policies:
        raise common.exists("responsePolicy", str(name))
    _networks(control, body, None)
    resource = {"kind": "dns#responsePolicy", "id": control.state.new_id(), "networks": [], **body}
    policy = ResponsePolicy(control.project.id, resource)
    control.state.response_policies[control.project.id, str(name)] = policy
    common.bind_policy(control.state, policy)
    return resource


@method("dns.responsePolicies.get")
def get(control: Control) -> Result:
    common.authorize(control, "responsePolicies.get")
    return _policy(control).resource


@method("dns.responsePolicies.list")
def list_(control: Control) -> Result:
    common.authorize(control, "responsePolicies.list")
    policies = control.state.response_policies.values()
    mine = [each.resource for each in policies if each.project == control.project.id]
    items, following = page(control, mine, "maxResults", 100)
    answer: dict[str, Any] = {"responsePolicies": items}
    return answer | ({"nextPageToken": following} if following else {})


@method("dns.responsePolicies.patch", "dns.responsePolicies.update")
def change(control: Control) -> Result:
    policy = _policy(control)
    common.authorize(control, "responsePolicies.update")
    body = copy.deepcopy(dict(control.body))
    if (
        body.get("responsePolicyName", policy.resource["responsePolicyName"])
        != policy.resource["responsePolicyName"]
    ):
        raise common.bad("responsePolicy.responsePolicyName", body["responsePolicyName"])
    _networks(control, body, policy)
    policy.resource.update(body)
    common.bind_policy(control.state, policy)
    return {"responsePolicy": policy.resource}


@method("dns.responsePolicies.delete")
def delete(control: Control) -> Result | None:
    policy = _policy(control)
    name = policy.resource["responsePolicyName"]
    common.authorize(control, "responsePolicies.delete", f"responsePolicies/{name}")
    if policy.resource.get("networks"):
        raise GoogleError(
            400,
            f"The resource named '{name}' cannot be deleted because it is being used by one or more 'networks'.",
            "resourceInUse",
        )
    if policy.rules:
        raise GoogleError(
            400,
            f"The resource named '{name}' cannot be deleted because it contains one or more 'response policy rules'.",
            "containerNotEmpty",
        )
    del control.state.response_policies[control.project.id, name]
    return None


def _check_rule(body: Resource) -> Resource:
    common.check_name("responsePolicyRule", body.get("ruleName"), "ruleName")
    common.check_dns_name("responsePolicyRule.dnsName", body.get("dnsName"))
    body["dnsName"] = body["dnsName"].lower()
    if ("localData" in body) == (body.get("behavior") == "bypassResponsePolicy"):
        raise invalid(
            "A response policy rule needs either localData or the behavior bypassResponsePolicy."
        )
    if "localData" in body:
        local = body["localData"].get("localDatas", [])
        if not local:
            raise common.required("responsePolicyRule.localData.localDatas")
        checked = [
            common.check_record(each, f"responsePolicyRule.localData.localDatas[{n}]")
            for n, each in enumerate(local)
        ]
        for each in checked:
            if each["name"] != body["dnsName"]:
                raise common.bad("responsePolicyRule.localData.localDatas.name", each["name"])
        body["localData"] = {"localDatas": checked}
    return {"kind": "dns#responsePolicyRule", **body}


@method("dns.responsePolicyRules.create")
def create_rule(control: Control) -> Result:
    policy = _policy(control)
    common.authorize(control, "responsePolicyRules.create")
    rule = _check_rule(copy.deepcopy(dict(control.body)))
    if rule["ruleName"] in policy.rules:
        raise common.exists("responsePolicyRule", rule["ruleName"])
    if any(each["dnsName"] == rule["dnsName"] for each in policy.rules.values()):
        raise GoogleError(
            409,
            f"The resource 'entity.responsePolicyRule' with DNS name '{rule['dnsName']}' already exists",
            "alreadyExists",
        )
    policy.rules[rule["ruleName"]] = rule
    common.bind_policy(control.state, policy)
    return rule


def _rule(control: Control, policy: ResponsePolicy) -> Resource:
    name = control.path["responsePolicyRule"]
    if name not in policy.rules:
        raise common.not_found("responsePolicyRule", name)
    return policy.rules[name]


@method("dns.responsePolicyRules.get")
def get_rule(control: Control) -> Result:
    common.authorize(control, "responsePolicyRules.get")
    return _rule(control, _policy(control))


@method("dns.responsePolicyRules.list")
def list_rules(control: Control) -> Result:
    common.authorize(control, "responsePolicyRules.list")
    items, following = page(control, list(_policy(control).rules.values()), "maxResults", 100)
    answer: dict[str, Any] = {"responsePolicyRules": items}
    return answer | ({"nextPageToken": following} if following else {})


@method("dns.responsePolicyRules.patch", "dns.responsePolicyRules.update")
def change_rule(control: Control) -> Result:
    policy = _policy(control)
    common.authorize(control, "responsePolicyRules.update")
    before = _rule(control, policy)
    base = before if control.method.endswith("patch") else {}
    after = _check_rule({**base, **copy.deepcopy(dict(control.body))})
    if after["ruleName"] != before["ruleName"]:
        raise common.bad("responsePolicyRule.ruleName", after["ruleName"])
    policy.rules[before["ruleName"]] = after
    common.bind_policy(control.state, policy)
    return {"responsePolicyRule": after}


@method("dns.responsePolicyRules.delete")
def delete_rule(control: Control) -> Result | None:
    policy = _policy(control)
    common.authorize(control, "responsePolicyRules.delete")
    del policy.rules[_rule(control, policy)["ruleName"]]
    common.bind_policy(control.state, policy)
    return None


@method("dns.policies.list")
def list_server_policies(control: Control) -> Result:
    common.authorize(control, "policies.list")
    mine = [
        each
        for (project, _), each in control.state.server_policies.items()
        if project == control.project.id
    ]
    items, following = page(control, mine, "maxResults", 100)
    answer: dict[str, Any] = {"kind": "dns#policiesListResponse", "policies": items}
    return answer | ({"nextPageToken": following} if following else {})
