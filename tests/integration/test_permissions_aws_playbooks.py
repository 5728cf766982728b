# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook as a whole, with the files that permissions/aws/index.yml lists for it, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import permission_files
import pytest

from .conftest import INVENTORY, Lab
from .permission_world_aws import PLACES
from .story import Chapter, Story, cells

INDEX = permission_files.index("aws")["files"]
# In this order each has something to do.
CHAPTERS = ("lockdown", "verify", "unlock", "teardown", "create", "dns")
ACCOUNTS = {"management": "111111111111", "vpc": "222222222222", "spoke": "333333333333"}
SPOKE, FAR = "vpc-0b00000000000000b", "vpc-0c00000000000000c"
AUTOMATION = "arn:aws:iam::111111111111:user/automation"
# Whose file it is, where its name does not say.
ONLY = {"create.json": "vpc", "unlock.json": "management", "probe.json": "vantage"}


def role(playbook: str, place: str) -> str:
    return f"arn:aws:iam::{ACCOUNTS[place]}:role/{playbook}-{place}"


def documents(playbook: str, place: str) -> list[dict[str, Any]]:
    """The files of a principal for a playbook."""
    return [
        permission_files.document("aws", name)
        for name, entry in INDEX.items()
        if playbook in entry["playbooks"]
        and ONLY.get(name, name.partition("-")[2].removesuffix(".json")) == place
    ]


def principals() -> list[dict[str, Any]]:
    controller = copy.deepcopy(permission_files.document("aws", "controller.json"))
    for statement in controller["Statement"]:
        statement["Resource"] = [
            role(playbook, PLACES[each]) for playbook in CHAPTERS for each in statement["Resource"]
        ]
    roles = [
        {
            "arn": role(playbook, place),
            "trusted": [AUTOMATION],
            "policies": documents(playbook, place),
        }
        for playbook in CHAPTERS
        for place in ACCOUNTS
    ]
    probe = permission_files.document("aws", "probe.json")
    return [
        {"arn": AUTOMATION, "policies": [controller]},
        {"arn": "arn:aws:iam::222222222222:user/app", "policies": [probe]},
        *roles,
    ]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chapter]:
    """Each playbook, with principals of its own."""
    told = Story(Lab(tmp_path_factory.mktemp("permissions")))
    for playbook in CHAPTERS:
        far = {"vpc_id": FAR, "region": "us-west-2", "assume_role_arn": role(playbook, "spoke")}
        told.tell(
            playbook,
            INVENTORY,
            f"{playbook}.yml",
            bedrock_soak_seconds=1,
            bedrock_assume_role_arn=role(playbook, "vpc"),
            bedrock_organization_role_arn=role(playbook, "management"),
            bedrock_spoke_vpcs=[SPOKE, far],
        )
    vpc = {
        "id": FAR,
        "account": "333333333333",
        "region": "us-west-2",
        "cidrs": ["10.30.0.0/16"],
        "dns_hostnames": True,
    }
    return told.read(world={"aws": {"principals": principals(), "vpcs": [vpc]}})


@pytest.mark.parametrize("playbook", CHAPTERS)
def test_it_passes_with_its_files(story: dict[str, Chapter], playbook: str) -> None:
    chapter = story[playbook]
    assert chapter.code == 0, chapter.output
    assert "permission denied" not in chapter.output


def test_what_was_to_happen_happened(story: dict[str, Chapter]) -> None:
    assert "organizations:AttachPolicy" in story["lockdown"].writes
    assert "route53:CreateVPCAssociationAuthorization" in story["lockdown"].writes
    assert "organizations:DeletePolicy" in story["unlock"].writes
    assert "ec2:DeleteVpcEndpoints" in story["teardown"].writes
    assert "ec2:CreateVpcEndpoint" in story["create"].writes
    assert "ec2:ModifyVpcEndpoint" in story["dns"].writes


def test_evidence_lacks_nothing(story: dict[str, Chapter]) -> None:
    assert story["verify"].report["ok"]
    seen = cells(story["verify"])
    for (vantage, _host), cell in seen.items():
        assert cell == ("public denied_scp" if vantage == "outside" else "private admitted"), seen
