# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The failures that this collection expects, each with the resource, the cloud's answer and the fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class EndpointError(Exception):
    """One clear sentence for the person who runs the playbook.

    what: what could not be done and why, as a sentence without a full stop.
    resource: the option or cloud resource that it is about.
    code: the cloud's own error code, when a cloud answered.
    fix: what to do about it.
    problems: further sentences, when a preflight found several problems at once.
    """

    def __init__(
        self,
        what: str,
        *,
        resource: str | None = None,
        code: str | None = None,
        fix: str | None = None,
        problems: tuple[str, ...] = (),
    ) -> None:
        self.what = what
        self.resource = resource
        self.code = code
        self.fix = fix
        self.problems = problems
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The whole as text: `resource: what (code). fix` and one line for each further problem."""
        head = f"{self.resource}: {self.what}" if self.resource else self.what
        if self.code:
            head += f" ({self.code})"
        head = head.rstrip(".") + "."
        if self.fix:
            head += f" {self.fix.rstrip('.')}."
        return "\n- ".join([head, *self.problems])

    def as_result(self) -> dict[str, Any]:
        """The machine-readable part of a failed result."""
        return {
            "error": {
                "resource": self.resource,
                "code": self.code,
                "fix": self.fix,
                "problems": list(self.problems),
            }
        }


class MissingSdk(EndpointError):
    """A Python library that this cloud needs is not installed where the module runs."""


def refuse(problems: Iterable[str], what: str) -> None:
    """EndpointError for all problems at once, if there are any; `what` is the headline of several."""
    listed = tuple(dict.fromkeys(problems))
    if len(listed) == 1:
        raise EndpointError(listed[0])
    if listed:
        raise EndpointError(what, problems=listed)
