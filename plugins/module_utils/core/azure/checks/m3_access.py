# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M3, C4: who may call the account is granted narrowly, by identity and not by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...case import Case
from ...checks import Check, Judgement
from ...contracts import Severity, Status
from ..roles import calls_models, reach
from . import common

_NARROW = "roles that call models are granted on this account, to principals of this directory"
_NO_KEYS = "disableLocalAuth is true"
# Azure keeps no list of its members that a reader of the account could see.
_FOREIGN = "foreigngroup"


def _judge(case: Case) -> Iterator[Judgement]:
    yield _keys(case)
    reasons = case.lacks("access")
    if not reasons and case.document["access"] is None:
        reasons = ["role assignments were not read"]
    if reasons:
        yield common.lacking(reasons, case.target, _NARROW)
        return
    yield from _assignments(case)


def _keys(case: Case) -> Judgement:
    reasons = case.lacks("account")
    if not reasons and case.document["account"] is None:
        reasons = ["the account was not read"]
    if reasons:
        return common.lacking(reasons, case.target, _NO_KEYS)
    account = case.document["account"]
    off = bool(account["disable_local_auth"])
    return Judgement(
        status="pass" if off else "fail",
        # Through a lock keys work from the private networks only; switching them off is a choice of its own.
        severity="medium",
        resource=str(account["id"]),
        expected=_NO_KEYS,
        observed="keys are off"
        if off
        else "keys work, whoever holds them: no identity is asked for",
        fix="Move callers to Microsoft Entra ID, then run private_ai.endpoints.azure_openai_lockdown with "
        "disable_local_auth: true",
    )


def _assignments(case: Case) -> Iterator[Judgement]:
    account_id = str((case.document["account"] or {}).get("id", case.target))
    groups = []
    found = [item for item in case.document["access"]["role_assignments"] if calls_models(item)]
    problems: list[Judgement] = []
    for item in found:
        far = reach(str(item["scope"]), account_id)
        if str(item["principal_type"]).lower() == _FOREIGN:
            problems.append(_said(item, "fail", "is granted to a group of another directory"))
        elif far == "wide":
            problems.append(
                _said(item, "fail", f"is granted on {item['scope']}, so for every account below it")
            )
        elif far == "group":
            problems.append(
                _said(item, "warn", "is granted on the whole resource group", severity="low")
            )
        elif str(item["principal_type"]).lower() == "group":
            groups.append(str(item["principal_id"]))
    yield from problems
    if not problems:
        note = f"; members of groups are not read ({', '.join(groups)})" if groups else ""
        yield Judgement(
            status="pass",
            resource=account_id,
            expected=_NARROW,
            observed=f"{len(found)} assignments, all on this account{note}",
        )


def _said(
    item: Mapping[str, Any], status: Status, why: str, *, severity: Severity | None = None
) -> Judgement:
    who = f"{item['principal_type']} {item['principal_id']}"
    return Judgement(
        status=status,
        resource=who,
        severity=severity,
        expected=_NARROW,
        observed=f"{item['role'] or item['role_id']} {why}",
    )


CHECK = Check(
    id="azure_m3_access",
    cloud=common.CLOUD,
    title="Few may call the account, and by identity",
    severity="high",
    why="From inside the network, whoever holds a key or a widely granted role reaches the models; a grant on a "
    "subscription also counts for accounts that do not exist yet.",
    fix="Grant the role on this account to the identities that call it (az role assignment create --scope <account>), "
    "then remove the wide assignment; a person has to, since this collection does not change grants",
    needs="account and access of the evidence",
    judge=_judge,
    references=(common.DOCS_ROLES, common.DOCS_KEYS, "NIST SP 800-53 AC-6"),
    misconfiguration="M3",
    checklist=("C4",),
)
