# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One world for many cases of permissions: each has accounts, VPCs and principals of its own, none sees the others.

A case's principals have the files that permissions/aws says, less what the case takes away. The controller is a user of
the management account that holds nothing but controller.json, and enters the roles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import permission_files
import yaml

MANAGEMENT = "111111111111"
REGION = "us-east-1"
ROOT_ID = "r-lab1"
OURS = {"private-ai-endpoints:managed": "true"}
SUFFIX = "abcd1234"
VPCE_ZONE = "Z7HUB22UULQXV"
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
# The role that each of the places in controller.json stands for.
PLACES = {
    "arn:aws:iam::111111111111:role/private-ai-endpoints-management": "management",
    "arn:aws:iam::222222222222:role/private-ai-endpoints-vpc": "vpc",
    "arn:aws:iam::333333333333:role/private-ai-endpoints-spoke": "spoke",
}
DOCUMENTS = {
    name: permission_files.document("aws", name) for name in permission_files.index("aws")["files"]
}


@dataclass(frozen=True)
class Scenario:
    """What a phase is asked to do. files: principal → its file. stands: what there is already."""

    name: str
    files: Mapping[str, str]
    tasks: Sequence[Mapping[str, Any]]
    before: Sequence[Mapping[str, Any]] = ()
    stands: Sequence[str] = ()
    first: bool = False

    @property
    def phase(self) -> str:
        return self.name.split()[0]

    @property
    def group(self) -> str:
        return "".join(each if each.isalnum() else "_" for each in self.name)


@dataclass(frozen=True)
class Case:
    """A scenario with principals of its own. lacks: the grant that is taken away."""

    number: int
    scenario: Scenario
    lacks: permission_files.Grant | None = None
    files: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", {**self.scenario.files, "controller": "controller.json"})

    @property
    def host(self) -> str:
        return f"case{self.number}"

    @property
    def account(self) -> str:
        return f"2{self.number:011d}"

    @property
    def far_account(self) -> str:
        return f"3{self.number:011d}"

    @property
    def unit(self) -> str:
        return f"ou-lab1-{self.number:08d}"

    def id(self, kind: str, which: str) -> str:
        """An id that EC2 could have given."""
        return f"{kind}-0{which}{self.number:08x}{0:07x}"

    def role(self, place: str) -> str:
        owner = {"management": MANAGEMENT, "vpc": self.account, "spoke": self.far_account}[place]
        return f"arn:aws:iam::{owner}:role/{place}-{self.number}"

    def admin_role(self, account: str) -> str:
        return f"arn:aws:iam::{account}:role/admin-{self.number}"

    def keys(self, whose: str) -> dict[str, str]:
        """An access key of a user, and its secret."""
        return {
            "access_key": f"AKIALAB{whose.upper():X<7.7}{self.number:06d}",
            "secret_key": f"lab-secret-{whose}-{self.number}",
        }

    def policy(self, place: str) -> Mapping[str, Any]:
        """The document that a principal holds. Whole ones are the same object everywhere, and written once."""
        name = self.files[place]
        found = DOCUMENTS[name]
        if self.lacks and self.lacks.file == name:
            found = permission_files.without(found, self.lacks)
        return self._placed(found) if place == "controller" else found

    def _placed(self, found: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = yaml.safe_load(yaml.safe_dump(dict(found)))
        for statement in made["Statement"]:
            statement["Resource"] = [self.role(PLACES[each]) for each in statement["Resource"]]
        return made

    def principals(self) -> list[dict[str, Any]]:
        """The controller, its roles, the vantage's user, and the hands that prepare the case."""
        controller = f"arn:aws:iam::{MANAGEMENT}:user/controller-{self.number}"
        admin = f"arn:aws:iam::{MANAGEMENT}:user/admin-{self.number}"
        found = [
            {"arn": controller, **self.keys("control"), "policies": [self.policy("controller")]},
            {"arn": admin, **self.keys("admin"), "policies": [EVERYTHING]},
            *(
                {
                    "arn": self.admin_role(account),
                    "trusted": [admin],
                    "policies": [EVERYTHING],
                }
                for account in (self.account, self.far_account)
            ),
        ]
        for place in self.scenario.files:
            if place == "vantage":
                vantage = f"arn:aws:iam::{self.account}:user/vantage-{self.number}"
                policies = [self.policy(place)]
                found.append({"arn": vantage, **self.keys("vantage"), "policies": policies})
            else:
                found.append(
                    {
                        "arn": self.role(place),
                        "trusted": [controller],
                        "policies": [self.policy(place)],
                    }
                )
        return found

    def vpcs(self) -> list[dict[str, Any]]:
        """The VPC of the endpoints with two spokes in its account, and two in another."""
        places = {"a": self.account, "b": self.account, "c": self.account}
        places |= {"d": self.far_account, "e": self.far_account}
        groups: dict[str, list[dict[str, Any]]] = {which: [] for which in places}
        if "endpoint" in self.scenario.stands:
            groups["a"] = [
                {
                    "id": self.id("sg", "f"),
                    "name": "private-ai-endpoints",
                    "ingress": [{"protocol": "tcp", "from_port": 443, "cidr": "10.10.0.0/16"}],
                    "tags": OURS,
                }
            ]
        return [
            {
                "id": self.id("vpc", which),
                "account": account,
                "region": REGION,
                "cidrs": [f"10.{net}.0.0/16"],
                "dns_hostnames": True,
                "subnets": [
                    {
                        "id": self.id("subnet", f"{which}{zone}")[:-1],
                        "cidr": f"10.{net}.{zone}.0/24",
                        "zone": f"{REGION}{'ab'[zone - 1]}",
                    }
                    for zone in (1, 2)
                ],
                "security_groups": [{"id": self.id("sg", which), "name": "own"}, *groups[which]],
            }
            for net, (which, account) in enumerate(places.items(), 10)
        ]

    def endpoints(self) -> list[dict[str, Any]]:
        if "endpoint" not in self.scenario.stands:
            return []
        return [
            {
                "id": self.id("vpce", "a"),
                "vpc": self.id("vpc", "a"),
                "service": "bedrock-runtime",
                "subnets": [self.vpcs()[0]["subnets"][0]["id"]],
                "security_groups": [self.id("sg", "f")],
                "private_dns": len(self.scenario.stands) > 1,
                "suffix": SUFFIX,
                "tags": {**OURS, "old": "tag"},
            }
        ]

    def zones(self) -> list[dict[str, Any]]:
        """The zone of the endpoint's name, for the first spoke or for that of the other account."""
        places = {"zone": ("b", self.account), "far_zone": ("d", self.far_account)}
        name = f"bedrock-runtime.{REGION}.amazonaws.com"
        target = f"{self.id('vpce', 'a')}-{SUFFIX}.bedrock-runtime.{REGION}.vpce.amazonaws.com"
        return [
            {
                "id": f"Z0LAB{self.number:016d}",
                "name": name,
                "account": account,
                "vpcs": [{"region": REGION, "id": self.id("vpc", which)}],
                "records": [
                    {"name": name, "type": "A", "alias": {"name": target, "zone_id": VPCE_ZONE}}
                ],
                "tags": {**OURS, "private-ai-endpoints:vpc": self.id("vpc", "a")},
            }
            for stands, (which, account) in places.items()
            if stands in self.scenario.stands
        ]

    def peering(self) -> dict[str, Any]:
        sides = {"requester": self.id("vpc", "a"), "accepter": self.id("vpc", "b")}
        return {"id": self.id("pcx", "a"), **sides}

    def variables(self) -> dict[str, Any]:
        """What the scenarios' tasks may use."""
        subnets = self.vpcs()[0]["subnets"]
        return {
            "account": self.account,
            "far_account": self.far_account,
            "unit": self.unit,
            "vpc_id": self.id("vpc", "a"),
            "spoke_id": self.id("vpc", "b"),
            "second_spoke_id": self.id("vpc", "c"),
            "subnet_ids": [each["id"] for each in subnets],
            "group_id": self.id("sg", "a"),
            "endpoint_id": self.id("vpce", "a"),
            "policy_name": f"lock-{self.number}",
            "vantage_keys": self.keys("vantage"),
            "controller_keys": self.keys("control"),
            "as_phase": self._as(self.keys("control"), self.role),
            "as_admin": self._as(
                self.keys("admin"),
                lambda place: self.admin_role(self.account if place == "vpc" else self.far_account),
            ),
        }

    def _as(self, keys: Mapping[str, str], role: Any) -> dict[str, Any]:
        """Connections and roles, by those of the phase or by an administrator's."""
        own = {**keys, "region": REGION}
        organization = (
            own if "admin" in keys["secret_key"] else own | {"assume_role_arn": role("management")}
        )

        def far(which: str) -> dict[str, str]:
            return {"vpc_id": self.id("vpc", which), "assume_role_arn": role("spoke")}

        return {
            "vpc": {**own, "assume_role_arn": role("vpc")},
            "organization": organization,
            "vpc_role": role("vpc"),
            "management_role": organization.get("assume_role_arn", ""),
            "far": far("d"),
            "second_far": far("e"),
            "member": {
                "target": self.host,
                "vpc_id": self.id("vpc", "a"),
                "region": REGION,
                "assume_role_arn": role("vpc"),
            },
        }


def world(cases: Sequence[Case]) -> dict[str, Any]:
    """A world file's content."""
    accounts = [{"id": MANAGEMENT, "name": "management", "parent": ROOT_ID}]
    for case in cases:
        accounts.append({"id": case.account, "name": f"app-{case.number}", "parent": case.unit})
        accounts.append({"id": case.far_account, "name": f"far-{case.number}", "parent": ROOT_ID})
    return {
        "description": "Cases of permissions, each by itself.",
        "vantages": [
            {
                "name": "controller",
                "address": "198.51.100.2",
                "position": "controller",
                "internet": True,
                "environment": {"AWS_REGION": REGION},
            }
        ],
        "aws": {
            "timing": {
                "endpoint_pending": 0.05,
                "endpoint_delete": 0.05,
                "scp_propagation": 0.05,
                "policy_type_pending": 0.05,
                "route53_pending": 0.05,
            },
            "organization": {
                "id": "o-labprivate1",
                "management_account": MANAGEMENT,
                "root": ROOT_ID,
                "scp": "disabled",
                "units": [
                    {"id": case.unit, "name": f"unit-{case.number}", "parent": ROOT_ID}
                    for case in cases
                ],
                "accounts": accounts,
            },
            "principals": [each for case in cases for each in case.principals()],
            "regions": {
                REGION: {"zones": {f"{REGION}a": "use1-az1", f"{REGION}b": "use1-az2"}},
                "us-west-2": {"zones": {"us-west-2a": "usw2-az1"}},
            },
            "vpcs": [each for case in cases for each in case.vpcs()],
            "peerings": [case.peering() for case in cases],
            "endpoints": [each for case in cases for each in case.endpoints()],
            "zones": [each for case in cases for each in case.zones()],
        },
    }


def inventory(cases: Sequence[Case]) -> dict[str, Any]:
    """An inventory's content: a host for each case, in the group of its scenario."""
    groups: dict[str, Any] = {}
    for case in cases:
        group = groups.setdefault(case.scenario.group, {"hosts": {}})
        group["hosts"][case.host] = case.variables()
    here = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    return {"all": {"vars": here, "children": groups}}


_MODULES = ("bedrock_vpc_endpoint", "bedrock_vpc_endpoint_info", "bedrock_private_dns")


def _block(tasks: Sequence[Mapping[str, Any]], whose: str, **more: Any) -> dict[str, Any]:
    names = ("vpc_role", "management_role", "far", "second_far", "member")
    return {
        "name": whose,
        "block": [{"name": f"{whose} {number}", **task} for number, task in enumerate(tasks)],
        "vars": {name: f"{{{{ {whose}.{name} }}}}" for name in names},
        "module_defaults": {
            **{f"private_ai.endpoints.{name}": f"{{{{ {whose}.vpc }}}}" for name in _MODULES},
            "private_ai.endpoints.bedrock_lockdown": f"{{{{ {whose}.organization }}}}",
        },
        **more,
    }


def plays(scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
    """A play for each scenario, in their order. A phase that fails ends there, and the run goes on."""
    as_controller = {
        "AWS_ACCESS_KEY_ID": "{{ controller_keys.access_key }}",
        "AWS_SECRET_ACCESS_KEY": "{{ controller_keys.secret_key }}",
    }
    go_on = [{"name": "Go on", "ansible.builtin.meta": "noop"}]
    return [
        {
            "name": scenario.name,
            "hosts": scenario.group,
            "gather_facts": False,
            **({"serial": 1} if scenario.first else {}),
            "tasks": [
                *([_block(scenario.before, "as_admin")] if scenario.before else []),
                _block(scenario.tasks, "as_phase", environment=as_controller, rescue=go_on),
            ],
        }
        for scenario in scenarios
    ]
