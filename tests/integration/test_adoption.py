# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others made is used as it is: nothing is written where it is right, and nothing renamed or retagged."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import INVENTORIES, Lab
from .story import Chapter, Story

APP, SPOKE = "vpc-0a00000000000000a", "vpc-0b00000000000000b"
ROLE = "arn:aws:iam::222222222222:role/network-automation"
GROUP = "sg-0a0000000000000f0"
AWS_TARGET: dict[str, Any] = {
    "region": "us-east-1",
    "vpc_id": APP,
    "assume_role_arn": ROLE,
    "organization_id": "o-labprivate1",
}
PLATFORM = "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/platform"
NETWORKS = (
    "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network/providers"
    "/Microsoft.Network/virtualNetworks"
)
ACCOUNT = (
    "/subscriptions/5c000000-0000-0000-0000-00000000000c/resourceGroups/ai/providers"
    "/Microsoft.CognitiveServices/accounts/lab-openai"
)
HAND_MADE = "/subscriptions/5b000000-0000-0000-0000-00000000000b/resourceGroups/hand-made"
ENDPOINT = f"{PLATFORM}/providers/Microsoft.Network/privateEndpoints/tf-openai-0017"
ZONE = f"{HAND_MADE}/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com"
PROJECT = "projects/lab-vertex"
GCP_APP, GCP_SPOKE = f"{PROJECT}/global/networks/app", f"{PROJECT}/global/networks/spoke"
GCP_NAMES = ("aiplatform.googleapis.com", "us-central1-aiplatform.googleapis.com")
HERE, THERE = "10.255.40.7", "10.255.41.7"

# What their owners have to say of them, and nothing else: no name, no tag, no group.
TARGETS: dict[str, Any] = {
    "bedrock": {
        "by-terraform": {f"bedrock_{key}": value for key, value in AWS_TARGET.items()}
        | {"bedrock_spoke_vpcs": [SPOKE], "vantages": ["app-a", "spoke-a"]}
    },
    "azure_openai": {
        "by-somebody": {
            "azure_openai_account_id": ACCOUNT,
            "azure_openai_subnet_id": f"{NETWORKS}/app/subnets/endpoints",
            "vantages": ["azure-app", "azure-spoke"],
        }
    },
    "vertex": {
        "by-hand": {
            "vertex_project": "lab-vertex",
            "vertex_network": GCP_APP,
            "vertex_spoke_networks": [{"network": GCP_SPOKE}],
            "vertex_regions": ["us-central1"],
            "vertex_probe_service_account": "app@lab-vertex.iam.gserviceaccount.com",
            "vantages": ["gcp-app", "gcp-spoke"],
        }
    },
}
LOCAL = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}


def inventory(lab: Lab) -> Path:
    """The targets above, and the default world's vantages."""
    vantages: dict[str, Any] = {"hosts": {}, "vars": {}}
    for path in INVENTORIES.glob("*.yml"):
        theirs = yaml.safe_load(path.read_text())["vantages"]
        vantages = {part: vantages[part] | theirs[part] for part in vantages}
    patience = {"verify_timeout": 30, "verify_deadline": 60}
    groups = {name: {"hosts": hosts, "vars": LOCAL | patience} for name, hosts in TARGETS.items()}
    path = lab.path("inventory.yml")
    path.write_text(yaml.safe_dump({**groups, "vantages": vantages}))
    return path


def terraform(policy: dict[str, Any]) -> dict[str, Any]:
    """The same policy as another tool writes it: other names and order, and lists of one value the other way."""
    turned = []
    for number, statement in enumerate(reversed(policy["Statement"])):
        again = {**statement, "Sid": f"tf{number}"}
        for key in ("Action", "Resource"):
            if key in again:
                again[key] = _turned(again[key])
        if again.get("Principal") in ("*", {"AWS": "*"}):
            again["Principal"] = {"AWS": ["*"]}
        again["Condition"] = {
            operator: {key: _turned(value) for key, value in test.items()}
            for operator, test in (statement.get("Condition") or {}).items()
        }
        turned.append({key: value for key, value in again.items() if value != {}})
    return {"Version": "2012-10-17", "Statement": turned}


def _turned(value: Any) -> Any:
    if isinstance(value, str):
        return [value]
    return value[0] if len(value) == 1 else list(reversed(value))


def aws_world(policies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Endpoints and their group by Terraform, zones for the spoke by hand."""
    names = list(policies)
    return {
        "timing": {"endpoint_pending": 0.1, "route53_pending": 0.1},
        "vpcs": [
            {
                "id": APP,
                "security_groups": [
                    {
                        "id": GROUP,
                        "name": "tf-bedrock-20260101",
                        "description": "Managed by Terraform",
                        "ingress": [
                            {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr": cidr}
                            for cidr in ("10.10.0.0/16", "10.20.0.0/16")
                        ],
                        "tags": {"ManagedBy": "terraform"},
                    }
                ],
            }
        ],
        "endpoints": [
            {
                "id": f"vpce-0a0000000000000f{number}",
                "suffix": f"tform{number:03}",
                "vpc": APP,
                "service": name,
                "subnets": ["subnet-0a0000000000000a1", "subnet-0a0000000000000b1"],
                "security_groups": [GROUP],
                "private_dns": True,
                "policy": terraform(policies[name]),
                "tags": {"Name": f"tf-{name}", "ManagedBy": "terraform"},
            }
            for number, name in enumerate(names)
        ],
        "zones": [
            {
                "id": f"Z0BYHAND00000000000{number}",
                "name": f"{name}.us-east-1.amazonaws.com",
                "account": "222222222222",
                "private": True,
                "vpcs": [{"region": "us-east-1", "id": SPOKE}],
                "records": [
                    {
                        "name": f"{name}.us-east-1.amazonaws.com",
                        "type": "A",
                        "alias": {
                            "name": f"vpce-0a0000000000000f{number}-tform{number:03}.{name}"
                            ".us-east-1.vpce.amazonaws.com",
                            "zone_id": "Z7HUB22UULQXV",
                        },
                    }
                ],
                "tags": {"made": "by hand"},
            }
            for number, name in enumerate(names)
        ],
    }


AZURE_WORLD: dict[str, Any] = {
    "timing": {
        **dict.fromkeys(("operation", "endpoint", "account", "dns", "access_propagation"), 0.02),
        "retry_after": 0,
    },
    "resource_groups": [
        {"id": PLATFORM, "location": "eastus"},
        {"id": HAND_MADE, "location": "westeurope"},
    ],
    "resources": [
        {"id": ZONE, "location": "global", "tags": {"made": "by hand"}},
        *(
            {
                "id": f"{ZONE}/virtualNetworkLinks/{name}",
                "location": "global",
                "properties": {
                    "virtualNetwork": {"id": f"{NETWORKS}/{network}"},
                    "registrationEnabled": False,
                },
            }
            for name, network in (("first", "app"), ("second", "spoke"))
        ),
        {
            "id": ENDPOINT,
            "location": "eastus",
            "tags": {"ManagedBy": "terraform"},
            "properties": {
                "subnet": {"id": f"{NETWORKS}/app/subnets/endpoints"},
                "customNetworkInterfaceName": "tf-nic-0017",
                "privateLinkServiceConnections": [
                    {
                        "name": "tf-connection",
                        "properties": {"privateLinkServiceId": ACCOUNT, "groupIds": ["account"]},
                    }
                ],
            },
        },
        {
            "id": f"{ENDPOINT}/privateDnsZoneGroups/tf",
            "properties": {
                "privateDnsZoneConfigs": [
                    {"name": "openai", "properties": {"privateDnsZoneId": ZONE}}
                ]
            },
        },
    ],
}


def gcp_world(*names: str) -> dict[str, Any]:
    """Endpoints of other names, and a zone of each name in each network."""
    fast = ("operation", "dns_pending", "dns_serve")
    return {
        "timing": dict.fromkeys(fast, 0.02),
        "networks": [
            {
                "id": network,
                "subnets": [{"name": name, "private_google_access": True} for name in subnets],
            }
            for network, subnets in ((GCP_APP, ("app-a", "app-b")), (GCP_SPOKE, ("spoke-a",)))
        ],
        "endpoints": [
            {
                "name": f"byhand{place}",
                "address_name": f"reserved-by-hand-{place}",
                "network": network,
                "address": address,
                "labels": {"made": "by-hand"},
            }
            for place, network, address in (("here", GCP_APP, HERE), ("there", GCP_SPOKE, THERE))
        ],
        "zones": [
            {
                "id": f"{PROJECT}/managedZones/by-hand-{place}-{number}",
                "dns_name": f"{name}.",
                "networks": [network],
                "description": "by hand",
                "labels": {"made": "by-hand"},
                "records": [{"name": f"{name}.", "type": "A", "ttl": 3600, "values": [address]}],
            }
            for place, network, address in (("here", GCP_APP, HERE), ("there", GCP_SPOKE, THERE))
            for number, name in enumerate(names)
        ],
    }


def somebodys(policies: dict[str, Any]) -> dict[str, Any]:
    """All three clouds, right already."""
    return {
        "aws": aws_world(policies),
        "azure": copy.deepcopy(AZURE_WORLD),
        "gcp": gcp_world(*GCP_NAMES),
    }


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The policy that this collection generates for each service."""
    outcome = Lab(tmp_path_factory.mktemp("policies")).tasks(
        {
            "private_ai.endpoints.bedrock_vpc_endpoint": {
                **AWS_TARGET,
                "services": ["bedrock"],
                "subnet_ids": ["subnet-0a0000000000000a1"],
                "allowed_cidrs": ["10.10.0.0/16"],
            }
        },
        check=True,
    )
    (made,) = outcome.results
    return {item["short_name"]: item["policy"] for item in made["endpoints"]}


def told(folder: Path, world: dict[str, Any]) -> dict[str, Chapter]:
    """Create, names, both once more, and everything away."""
    lab = Lab(folder)
    story = Story(lab)
    own = inventory(lab)
    for name in ("create", "dns", "create-again", "dns-again", "teardown"):
        story.tell(name, own, f"{name.removesuffix('-again')}.yml")
    return story.read(world=world)


@pytest.fixture(scope="module")
def right(policies: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    return told(tmp_path_factory.mktemp("right"), somebodys(policies))


@pytest.mark.parametrize("name", ["create", "dns", "create-again", "dns-again", "teardown"])
def test_what_is_right_already_is_left_alone(right: dict[str, Chapter], name: str) -> None:
    chapter = right[name]
    assert chapter.code == 0, chapter.output
    assert chapter.writes == [], chapter.output
    for host in ("by-terraform", "by-somebody", "by-hand"):
        (line,) = (each for each in chapter.output.splitlines() if each.startswith(f"{host} "))
        assert " changed=0 " in line, line


@pytest.fixture(scope="module")
def wrong(policies: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """One thing in each cloud is not as asked for: a policy that admits everybody, a link, a record."""
    world = somebodys(policies)
    world["aws"]["endpoints"][0]["policy"] = None
    world["azure"]["resources"] = [
        item for item in world["azure"]["resources"] if not item["id"].endswith("/second")
    ]
    world["gcp"]["zones"][0]["records"][0]["values"] = ["10.9.9.9"]
    return told(tmp_path_factory.mktemp("wrong"), world)


def test_only_what_is_wrong_is_written(wrong: dict[str, Chapter]) -> None:
    """No name, no tag, no label: not one other request that writes."""
    create, names = wrong["create"], wrong["dns"]
    assert (create.code, names.code) == (0, 0), create.output + names.output
    assert create.writes == ["ec2:ModifyVpcEndpoint"]
    assert sorted(names.writes) == [
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks:PUT",
        "dns.changes.create",
    ]
    assert wrong["create-again"].writes == wrong["dns-again"].writes == []


def test_only_what_was_made_here_is_taken_away(wrong: dict[str, Chapter]) -> None:
    """The link that was made is ours; everything else stays with those who made it."""
    teardown = wrong["teardown"]
    assert teardown.code == 0, teardown.output
    assert teardown.writes == ["Microsoft.Network/privateDnsZones/virtualNetworkLinks:DELETE"]
