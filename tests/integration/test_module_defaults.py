# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`module_defaults` of a cloud's group reach its modules, in process and as ordinary modules."""

from __future__ import annotations

from typing import Any

import pytest

AWS = {
    "region": "us-east-1",
    "assume_role_arn": "arn:aws:iam::222222222222:role/network-automation",
}
AZURE = {"subscription_id": "5c000000-0000-0000-0000-00000000000c"}
GCP = {"project": "lab-vertex"}
NETWORK = (
    "/subscriptions/5a000000-0000-0000-0000-00000000000a/resourceGroups/app-network/providers"
    "/Microsoft.Network/virtualNetworks/app"
)


def grouped(group: str, defaults: dict[str, Any], name: str, **options: Any) -> dict[str, Any]:
    """A task that leaves to its group what cannot be left out."""
    return {
        f"private_ai.endpoints.{name}": options,
        "module_defaults": {f"group/private_ai.endpoints.{group}": defaults},
    }


TASKS = {
    "aws evidence": grouped(
        "aws", AWS, "bedrock_vpc_endpoint_info", vpc_id="vpc-0a00000000000000a", gather=["network"]
    ),
    "aws names": grouped(
        "aws", AWS, "bedrock_private_dns", vpc_id="vpc-0a00000000000000a", state="absent"
    ),
    "azure evidence": grouped(
        "azure",
        AZURE,
        "azure_openai_private_link_info",
        account_id="lab-openai",
        resource_group="ai",
        network_id=NETWORK,
        gather=["account"],
    ),
    "gcp evidence": grouped(
        "gcp", GCP, "vertex_psc_endpoint_info", network="app", gather=["network"]
    ),
    "gcp endpoint": grouped("gcp", GCP, "vertex_psc_endpoint", networks=[{"network": "app"}]),
    # What a task says itself comes first.
    "the task's own": grouped(
        "gcp",
        {"project": "lab-nowhere"},
        "vertex_psc_endpoint_info",
        project="lab-vertex",
        network="app",
        gather=["network"],
    ),
    "without": {
        "private_ai.endpoints.bedrock_private_dns": {
            "vpc_id": "vpc-0a00000000000000a",
            "state": "absent",
        }
    },
}


@pytest.mark.parametrize("in_process", [True, False], ids=["in process", "ordinary module"])
def test_a_group_gives_what_a_task_leaves_out(lab: Any, in_process: bool) -> None:
    outcome = lab.tasks(*TASKS.values(), check=True, in_process=in_process)
    results = dict(zip(TASKS, outcome.results, strict=True))
    without = results.pop("without")
    for name, result in results.items():
        assert not result.get("failed"), (name, result.get("msg"))
    assert results["aws evidence"]["evidence"]["account_id"] == "222222222222"
    assert results["the task's own"]["evidence"]["project"]["id"] == "lab-vertex"
    # Nobody else's credentials reach that VPC, so it was the group's role that did.
    assert without["failed"]
