# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rehearsal of a plan: policies look at each resource, so each one is tried before the first write."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.create_permissions import (
    rehearse,
)
from ansible_collections.private_ai.endpoints.plugins.module_utils.aws.errors import AwsError
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.aws.plan_create_types import (
    ChangeEndpoint,
    DeleteGroup,
    TagChange,
)


class Ec2:
    """Answers as to DryRun. denied: of these resources it says no."""

    def __init__(self, *denied: str) -> None:
        self.denied = denied
        self.tried: list[str] = []

    def client(self, _service: str) -> Ec2:
        return self

    def create_tags(self, **given: Any) -> None:
        self._answer("CreateTags", given, *given["Resources"])

    def delete_security_group(self, **given: Any) -> None:
        self._answer("DeleteSecurityGroup", given, given["GroupId"])

    def _answer(self, operation: str, given: dict[str, Any], resource: str) -> None:
        assert given["DryRun"]
        self.tried.append(f"{operation} {resource}")
        code = "UnauthorizedOperation" if resource in self.denied else "DryRunOperation"
        raise ClientError({"Error": {"Code": code, "Message": f"of {resource}"}}, operation)


def tagged(endpoint: str) -> ChangeEndpoint:
    return ChangeEndpoint(
        endpoint_id=endpoint,
        short="bedrock",
        first={},
        then={},
        tags=TagChange(set={"team": "x"}, remove=(), before={}),
        before={},
        after={},
    )


GROUP = DeleteGroup(group_id="sg-1", name="own", before=frozenset())


@pytest.mark.parametrize("denied", ["vpce-1", "vpce-2", "sg-1"])
def test_every_resource_is_tried_before_the_first_write(denied: str) -> None:
    ec2: Any = Ec2(denied)
    with pytest.raises(AwsError, match=f"of {denied}"):
        rehearse(ec2, "vpc-1", [tagged("vpce-1"), tagged("vpce-2"), GROUP])
    assert sorted(ec2.tried) == [
        "CreateTags vpce-1",
        "CreateTags vpce-2",
        "DeleteSecurityGroup sg-1",
    ]


def test_a_single_request_is_its_own_rehearsal() -> None:
    ec2: Any = Ec2("vpce-1")
    rehearse(ec2, "vpc-1", [tagged("vpce-1")])
    assert ec2.tried == []
