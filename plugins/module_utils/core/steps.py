# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a list of steps says: whether anything changes, and the diff that Ansible shows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .contracts import Step


def changed(steps: Iterable[Step]) -> bool:
    """True when any step does something."""
    return any(step.action != "none" for step in steps)


def diff(steps: Iterable[Step]) -> dict[str, str]:
    """Ansible's `{before, after}` texts: one block per resource that changes, attributes sorted."""
    acting = [step for step in steps if step.action != "none"]
    return {
        "before": "".join(_block(step, step.before) for step in acting if step.action != "create"),
        "after": "".join(_block(step, step.after) for step in acting if step.action != "delete"),
    }


def result(steps: Iterable[Step], *, with_diff: bool, **values: Any) -> dict[str, Any]:
    """A writing module's result: `changed`, the `steps` that act, `diff` when asked for, and its own values."""
    listed = list(steps)
    answer: dict[str, Any] = {
        "changed": changed(listed),
        "steps": [step.to_json() for step in listed if step.action != "none"],
        **values,
    }
    if with_diff:
        answer["diff"] = diff(listed)
    return answer


def _block(step: Step, values: dict[str, Any]) -> str:
    body = json.dumps(values, indent=2, sort_keys=True)
    return f"{step.resource}: {body}\n"
