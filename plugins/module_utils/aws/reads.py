# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that may be denied: all at once, and what could not be read is said instead of left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import EndpointError
from ..together import settle
from .errors import AwsError, calling


@dataclass(frozen=True, kw_only=True)
class Read:
    """One read. part: of the evidence. action: the IAM action. about: the option or resource that it is about.

    tolerant: also what AWS refuses or does not find is only missing; for what others own.
    """

    part: str
    action: str
    about: str
    call: Callable[[], Any]
    tolerant: bool = False


@dataclass
class Reader:
    """Runs reads, and collects what was missing: `[{part, action, code, message}]`."""

    missing: list[dict[str, Any]] = field(default_factory=list)

    def all(self, reads: Mapping[str, Read]) -> dict[str, Any]:
        """Run all reads at once; a denied one gives None. Any other failure is raised, the first in order."""
        outcomes = settle({name: _guarded(read) for name, read in reads.items()})
        answers: dict[str, Any] = {}
        for name, outcome in outcomes.items():
            if isinstance(outcome, EndpointError):
                self._note(reads[name], outcome)
                answers[name] = None
            else:
                answers[name] = outcome
        return answers

    def one(self, read: Read) -> Any:
        """Run a single read; None when it was denied."""
        return self.all({"only": read})["only"]

    def _note(self, read: Read, error: EndpointError) -> None:
        kinds = ("denied", "refused", "missing") if read.tolerant else ("denied",)
        if not isinstance(error, AwsError) or error.kind not in kinds:
            raise error
        entry = {
            "part": read.part,
            "action": error.action or read.action,
            "code": error.code,
            "message": f"{read.about}: {error.what}",
        }
        if entry not in self.missing:
            self.missing.append(entry)


def pages(client: Any, operation: str, key: str, **request: Any) -> list[Any]:
    """Every item of a paginated operation."""
    found = client.get_paginator(operation).paginate(**request)
    return [item for page in found for item in page.get(key) or ()]


def _guarded(read: Read) -> Callable[[], Any]:
    def call() -> Any:
        with calling(read.about, read.action):
            return read.call()

    return call


def tags(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """AWS's list of keys and values as a dict."""
    return {item["Key"]: item["Value"] for item in items or ()}
