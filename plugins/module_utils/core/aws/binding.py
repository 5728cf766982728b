# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the lock binds.

A refusal proves the lock, and an admission disproves it, only for a principal that the lock is meant for. An SCP does
not bind the management account or service-linked roles; break-glass identities and excluded principals are exempt by
its conditions, and in a tagged roll-out so is everyone without the opt-in tag.
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_ARN = re.compile(r"arn:[^:]*:(?:iam|sts)::(?P<account>\d{12}):(?P<resource>.+)", re.DOTALL)
EXCLUSION_TAG = ("dp:exclude:network", "true")


@dataclass(frozen=True, kw_only=True)
class Lock:
    """What decides whom a lock binds.

    accounts: the accounts under it; empty when not known.
    opt_in: tag (key, value) that a principal must wear to be bound; None when everyone is.
    exclusion: tag (key, value) that exempts; None when there is no such exemption.
    """

    management_account_id: str | None = None
    accounts: frozenset[str] = frozenset()
    exempt_arns: tuple[str, ...] = ()
    opt_in: tuple[str, str] | None = None
    exclusion: tuple[str, str] | None = None


@dataclass(frozen=True)
class Binding:
    """Whether the lock binds a principal, and the reason in words."""

    status: Literal["bound", "exempt", "unknown"]
    reason: str


def lock_from(document: Mapping[str, Any]) -> Lock:
    """Read what bedrock_lockdown returned as `binds`."""
    opt_in = document.get("opt_in_tag") if document.get("roll_out") == "tagged" else None
    return Lock(
        management_account_id=document.get("management_account_id"),
        accounts=frozenset(document.get("accounts") or ()),
        exempt_arns=tuple(document.get("break_glass_arns") or ()),
        opt_in=(str(opt_in["key"]), str(opt_in["value"])) if opt_in else None,
        exclusion=EXCLUSION_TAG if document.get("exclusion_tag") else None,
    )


def binding(principal: str | None, tags: Mapping[str, str] | None, lock: Lock) -> Binding:
    """Whether the lock binds this principal; `tags` are the principal's, None when nobody said which it wears."""
    if not principal:
        return Binding("unknown", "the observation does not say who signed the call")
    found = _ARN.fullmatch(principal)
    if not found:
        return Binding("unknown", f"{principal} is not the ARN of an IAM identity")
    account, resource = found["account"], found["resource"]
    if account == lock.management_account_id:
        return Binding("exempt", f"{principal} is in the management account, which no SCP binds")
    if lock.accounts and account not in lock.accounts:
        return Binding("exempt", f"{principal} is in account {account}, which is not under it")
    if "/aws-service-role/" in f"/{resource}" or "/AWSServiceRoleFor" in resource:
        return Binding("exempt", f"{principal} is a service-linked role, which no SCP binds")
    pattern = next((item for item in lock.exempt_arns if _is_exempt(found, principal, item)), None)
    if pattern:
        return Binding("exempt", f"{principal} is exempt as {pattern}")
    return _by_tags(principal, tags, lock)


def _by_tags(principal: str, tags: Mapping[str, str] | None, lock: Lock) -> Binding:
    if tags is None and (lock.opt_in or lock.exclusion):
        key = (lock.opt_in or lock.exclusion or ("", ""))[0]
        return Binding("unknown", f"nobody said whether {principal} wears the tag {key}")
    worn = tags or {}
    if lock.exclusion and worn.get(lock.exclusion[0]) == lock.exclusion[1]:
        return Binding("exempt", f"{principal} wears the exclusion tag {lock.exclusion[0]}")
    if lock.opt_in and worn.get(lock.opt_in[0]) != lock.opt_in[1]:
        return Binding(
            "exempt", f"{principal} does not wear the opt-in tag {'='.join(lock.opt_in)}"
        )
    return Binding("bound", f"{principal} is not exempt")


def _is_exempt(found: re.Match[str], principal: str, pattern: str) -> bool:
    """Whether aws:PrincipalArn of this caller matches; for a role's session that is the role's ARN.

    The ARN of a session lacks the role's path, so the role's name alone decides then: rather one exemption too many
    than a refusal that proves nothing.
    """
    if matches(pattern, principal):
        return True
    if not found["resource"].startswith("assumed-role/"):
        return False
    role = found["resource"].split("/")[1]
    account, _unused, resource = pattern.partition(":iam::")[2].partition(":")
    return (
        resource.startswith("role/")
        and matches(account, found["account"])
        and matches(resource.rpartition("/")[2], role)
    )


def matches(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` any run of characters, `?` any one; everything else is literal."""
    parts = re.split(r"([*?])", pattern)
    expression = "".join({"*": ".*", "?": "."}.get(part) or re.escape(part) for part in parts)
    return re.fullmatch(expression, text, re.DOTALL) is not None
