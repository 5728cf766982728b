# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Organizations: the tree, and service control policies from creation to attachment."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from .errors import AwsError
from .iam_request import Need, organizations_keys
from .operation import Control, Handler, Resources, Result, operation, page
from .policy_grammar import SCP_LIMIT, errors
from .tree import FULL_ACCESS, SCP, Node, Organization, OrgPolicy

MAX_ATTACHED = 10  # service control policies per root, unit or account
MAX_POLICIES = 10000
_T = TypeVar("_T")
_TYPES = {"ROOT": "root", "ORGANIZATIONAL_UNIT": "ou", "ACCOUNT": "account"}


def managed(control: Control) -> Organization:
    """The organisation; only its management account may see more than that it exists."""
    organization = control.organization
    if control.account != organization.management_account:
        raise AwsError(
            "AccessDeniedException", "You don't have permissions to access this resource."
        )
    return organization


def arn_of(organization: Organization, node: Node) -> str:
    head = f"arn:aws:organizations::{organization.management_account}:{_TYPES[node.type]}"
    return f"{head}/{organization.id}/{node.id}"


def _policy_arn(organization: Organization, policy: OrgPolicy) -> str:
    kind = f"policy/{policy.type.lower()}/{policy.id}"
    if policy.aws_managed:
        return f"arn:aws:organizations::aws:{kind}"
    owner = organization.management_account
    return f"arn:aws:organizations::{owner}:policy/{organization.id}/{kind.partition('/')[2]}"


def _resources(*names: str) -> Resources:
    """The ARNs of the policy and target that a request names, as IAM sees them."""

    def find(control: Control) -> Sequence[str]:
        organization = control.state.organization
        found = []
        for name in names:
            wanted = control.params.get(name, "")
            if organization is None:
                continue
            if wanted in organization.policies:
                found.append(_policy_arn(organization, organization.policies[wanted]))
            elif wanted in organization.nodes:
                found.append(arn_of(organization, organization.nodes[wanted]))
        return found or ["*"]

    return find


def org(name: str, *targets: str) -> Callable[[Handler], Handler]:
    """Register an operation that the named parameters' resources authorise."""

    def register(handler: Handler) -> Handler:
        return operation("organizations", name, resources=_resources(*targets))(handler)

    return register


def listed(control: Control, key: str, rows: Sequence[_T]) -> Result:
    bad = AwsError(
        "InvalidInputException",
        "You specified an invalid value for nextToken. You must get the value from the response "
        "to a previous call to the API.",
        Reason="INVALID_NEXT_TOKEN",
    )
    shown, token = page(
        rows, control.params.get("MaxResults", 20), control.params.get("NextToken"), bad=bad
    )
    return {key: list(shown), "NextToken": token}


def _target(organization: Organization, wanted: str) -> Node:
    if wanted not in organization.nodes:
        raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")
    return organization.nodes[wanted]


def _policy(organization: Organization, wanted: str) -> OrgPolicy:
    if wanted not in organization.policies:
        raise AwsError("PolicyNotFoundException", "You specified a policy that doesn't exist.")
    return organization.policies[wanted]


def _constraint(reason: str, message: str) -> AwsError:
    return AwsError("ConstraintViolationException", message, Reason=reason)


@operation("organizations", "DescribeOrganization")
def describe_organization(control: Control) -> Result:
    """Any account of the organisation may ask this one."""
    organization = control.organization
    master = organization.nodes[organization.management_account]
    head = f"arn:aws:organizations::{organization.management_account}"
    return {
        "Organization": {
            "Id": organization.id,
            "Arn": f"{head}:organization/{organization.id}",
            "FeatureSet": "ALL",
            "MasterAccountArn": arn_of(organization, master),
            "MasterAccountId": master.id,
            "MasterAccountEmail": master.email,
            "AvailablePolicyTypes": [{"Type": SCP, "Status": "ENABLED"}],
        }
    }


def _root_shown(organization: Organization) -> dict[str, Any]:
    root = organization.root
    return {
        "Id": root.id,
        "Arn": arn_of(organization, root),
        "Name": root.name,
        "PolicyTypes": [
            {"Type": kind, "Status": status} for kind, status in organization.policy_types.items()
        ],
    }


@operation("organizations", "ListRoots")
def list_roots(control: Control) -> Result:
    return listed(control, "Roots", [_root_shown(managed(control))])


def _root(control: Control) -> Organization:
    organization = managed(control)
    if control.params["RootId"] != organization.root.id:
        raise AwsError("RootNotFoundException", "You specified a root that doesn't exist.")
    return organization


@org("EnablePolicyType", "RootId")
def enable_policy_type(control: Control) -> Result:
    """Asynchronous: PENDING_ENABLE first, and then every node has FullAWSAccess."""
    organization, kind = _root(control), control.params["PolicyType"]
    if kind in organization.policy_types:
        raise AwsError(
            "PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled."
        )
    organization.policy_types[kind] = "PENDING_ENABLE"

    def enabled() -> None:
        organization.policy_types[kind] = "ENABLED"
        if kind == SCP:
            for node in organization.nodes:
                organization.attachments[node] = [FULL_ACCESS]
            control.state.bind_policies()

    control.state.after(control.state.timing.policy_type_pending, enabled)
    return {"Root": _root_shown(organization)}


@org("DisablePolicyType", "RootId")
def disable_policy_type(control: Control) -> Result:
    """Asynchronous: PENDING_DISABLE first, and then every attachment of the type is gone."""
    organization, kind = _root(control), control.params["PolicyType"]
    if organization.policy_types.get(kind) != "ENABLED":
        raise AwsError(
            "PolicyTypeNotEnabledException",
            "This operation can be performed only for enabled policy types.",
        )
    organization.policy_types[kind] = "PENDING_DISABLE"

    def disabled() -> None:
        organization.policy_types.pop(kind, None)
        if kind == SCP:
            for node in organization.nodes:
                organization.attachments[node] = []
            control.state.bind_policies()

    control.state.after(control.state.timing.policy_type_pending, disabled)
    return {"Root": _root_shown(organization)}


def _summary(organization: Organization, policy: OrgPolicy) -> dict[str, Any]:
    return {
        "Id": policy.id,
        "Arn": _policy_arn(organization, policy),
        "Name": policy.name,
        "Description": policy.description,
        "Type": policy.type,
        "AwsManaged": policy.aws_managed,
    }


def _whole(organization: Organization, policy: OrgPolicy) -> Result:
    return {"Policy": {"PolicySummary": _summary(organization, policy), "Content": policy.text}}


@operation("organizations", "ListPolicies")
def list_policies(control: Control) -> Result:
    organization = managed(control)
    chosen = [
        _summary(organization, each)
        for each in organization.policies.values()
        if each.type == control.params["Filter"]
    ]
    return listed(control, "Policies", chosen)


@org("ListPoliciesForTarget", "TargetId")
def list_policies_for_target(control: Control) -> Result:
    organization = managed(control)
    node = _target(organization, control.params["TargetId"])
    chosen = [
        _summary(organization, organization.policies[each])
        for each in organization.attachments.get(node.id, ())
        if organization.policies[each].type == control.params["Filter"]
    ]
    return listed(control, "Policies", chosen)


@org("ListTargetsForPolicy", "PolicyId")
def list_targets_for_policy(control: Control) -> Result:
    organization = managed(control)
    policy = _policy(organization, control.params["PolicyId"])
    chosen = [
        {
            "TargetId": node.id,
            "Arn": arn_of(organization, node),
            "Name": node.name,
            "Type": node.type,
        }
        for node in organization.nodes.values()
        if policy.id in organization.attachments.get(node.id, ())
    ]
    return listed(control, "Targets", chosen)


@org("DescribePolicy", "PolicyId")
def describe_policy(control: Control) -> Result:
    organization = managed(control)
    return _whole(organization, _policy(organization, control.params["PolicyId"]))


def _check_content(text: str) -> None:
    if len(text) > SCP_LIMIT:
        raise _constraint(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            "You have exceeded the content size limit for policies of this type.",
        )
    if errors(text, "scp"):
        raise AwsError(
            "MalformedPolicyDocumentException",
            "The provided policy document does not meet the requirements of the specified policy "
            "type.",
        )


def _check_name(organization: Organization, name: str, but: str = "") -> None:
    if any(each.name == name and each.id != but for each in organization.policies.values()):
        raise AwsError("DuplicatePolicyException", "A policy with the same name already exists.")


def _tagging(control: Control) -> Iterable[Need]:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html."""
    if control.params.get("Tags"):
        keys = organizations_keys(control.state, control.params)
        yield Need("organizations:TagResource", keys=keys)


@operation("organizations", "CreatePolicy", dependents=_tagging)
def create_policy(control: Control) -> Result:
    organization, params = managed(control), control.params
    if params["Type"] != SCP:
        raise AwsError(
            "PolicyTypeNotAvailableForOrganizationException",
            "You can't use the specified policy type with the feature set currently enabled for "
            "this organization.",
        )
    _check_content(params["Content"])
    _check_name(organization, params["Name"])
    if len(organization.policies) >= MAX_POLICIES:
        raise _constraint(
            "POLICY_NUMBER_LIMIT_EXCEEDED", "You have exceeded the number of policies allowed."
        )
    tags = _tags(params.get("Tags", ()), {})
    policy = OrgPolicy(
        f"p-{secrets.token_hex(4)}",
        params["Name"],
        params["Content"],
        params["Description"],
        tags=tags,
    )
    organization.policies[policy.id] = policy
    return _whole(organization, policy)


def _own_policy(organization: Organization, wanted: str) -> OrgPolicy:
    policy = _policy(organization, wanted)
    if policy.aws_managed:
        raise AwsError(
            "AccessDeniedException", "You don't have permissions to access this resource."
        )
    return policy


@org("UpdatePolicy", "PolicyId")
def update_policy(control: Control) -> Result:
    organization, params = managed(control), control.params
    policy = _own_policy(organization, params["PolicyId"])
    if "Content" in params:
        _check_content(params["Content"])
    if "Name" in params:
        _check_name(organization, params["Name"], policy.id)
    policy.text = params.get("Content", policy.text)
    policy.name = params.get("Name", policy.name)
    policy.description = params.get("Description", policy.description)
    control.state.bind_policies()
    return _whole(organization, policy)


@org("DeletePolicy", "PolicyId")
def delete_policy(control: Control) -> None:
    organization = managed(control)
    policy = _own_policy(organization, control.params["PolicyId"])
    if any(policy.id in attached for attached in organization.attachments.values()):
        raise AwsError(
            "PolicyInUseException",
            "The policy is attached to one or more entities. You must detach it from all roots, "
            "OUs, and accounts before performing this operation.",
        )
    del organization.policies[policy.id]


@org("AttachPolicy", "PolicyId", "TargetId")
def attach_policy(control: Control) -> None:
    organization = managed(control)
    policy = _policy(organization, control.params["PolicyId"])
    node = _target(organization, control.params["TargetId"])
    _check_enabled(organization, policy)
    attached = organization.attachments[node.id]
    if policy.id in attached:
        raise AwsError(
            "DuplicatePolicyAttachmentException",
            "The selected policy is already attached to the specified target.",
        )
    if len(attached) >= MAX_ATTACHED:
        raise _constraint(
            "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You have attached the maximum number of policies of that type to this entity.",
        )
    attached.append(policy.id)
    control.state.bind_policies()


def _check_enabled(organization: Organization, policy: OrgPolicy) -> None:
    if organization.policy_types.get(policy.type) != "ENABLED":
        raise AwsError(
            "PolicyTypeNotEnabledException",
            "This operation can be performed only for enabled policy types.",
        )


@org("DetachPolicy", "PolicyId", "TargetId")
def detach_policy(control: Control) -> None:
    organization = managed(control)
    policy = _policy(organization, control.params["PolicyId"])
    node = _target(organization, control.params["TargetId"])
    _check_enabled(organization, policy)
    attached = organization.attachments[node.id]
    if policy.id not in attached:
        raise AwsError(
            "PolicyNotAttachedException",
            "The policy isn't attached to the specified target in the specified root.",
        )
    if len(attached) == 1:
        raise _constraint(
            "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED",
            "You can't detach the last policy of this type from this entity.",
        )
    attached.remove(policy.id)
    control.state.bind_policies()


def _tags(given: Sequence[dict[str, str]], have: dict[str, str]) -> dict[str, str]:
    made = dict(have)
    keys = [each["Key"] for each in given]
    if len(set(keys)) < len(keys):
        raise AwsError(
            "InvalidInputException",
            "Tag keys must be unique.",
            Reason="DUPLICATE_TAG_KEY",
        )
    for tag in given:
        if tag["Key"].lower().startswith("aws:"):
            raise AwsError(
                "InvalidInputException",
                "You can't add, edit, or delete system tag keys.",
                Reason="INVALID_SYSTEM_TAGS_PARAMETER",
            )
        made[tag["Key"]] = tag["Value"]
    if len(made) > 50:
        raise _constraint(
            "MAX_TAG_LIMIT_EXCEEDED", "You have exceeded the number of tags allowed on this entity."
        )
    return made


def _tagged(control: Control) -> Node | OrgPolicy:
    organization, wanted = managed(control), control.params["ResourceId"]
    if wanted in organization.policies:
        return _own_policy(organization, wanted)
    return _target(organization, wanted)


@org("TagResource", "ResourceId")
def tag_resource(control: Control) -> None:
    found = _tagged(control)
    found.tags = _tags(control.params["Tags"], found.tags)


@org("UntagResource", "ResourceId")
def untag_resource(control: Control) -> None:
    found = _tagged(control)
    gone = set(control.params["TagKeys"])
    found.tags = {key: value for key, value in found.tags.items() if key not in gone}


@org("ListTagsForResource", "ResourceId")
def list_tags_for_resource(control: Control) -> Result:
    tags = _tagged(control).tags
    return listed(control, "Tags", [{"Key": key, "Value": tags[key]} for key in tags])
