# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that may be denied: all at once, and what could not be read is said instead of left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from .core.errors import EndpointError
from .together import settle


class Call(Protocol):
    """A read, as far as it has to be known here: what it runs."""

    @property
    def call(self) -> Callable[[], Any]:
        """Reads."""


R = TypeVar("R", bound=Call)


@dataclass
class Reads(Generic[R]):
    """Runs reads, and collects what was missing. A cloud says what its errors mean, in `lacking`."""

    missing: list[dict[str, Any]] = field(default_factory=list)

    def all(self, reads: Mapping[str, R]) -> dict[str, Any]:
        """Run all reads at once; one that is withheld gives None. Any other failure is raised, the first in order."""
        outcomes = settle({name: self.run(read) for name, read in reads.items()})
        answers: dict[str, Any] = {}
        for name, outcome in outcomes.items():
            if isinstance(outcome, EndpointError):
                self.keep(self.lacking(reads[name], outcome))
                answers[name] = None
            else:
                answers[name] = outcome
        return answers

    def keep(self, entry: dict[str, Any]) -> None:
        """Something that is missing, each once."""
        if entry not in self.missing:
            self.missing.append(entry)

    def run(self, read: R) -> Callable[[], Any]:
        """The call of a read."""
        return read.call

    def lacking(self, read: R, error: EndpointError) -> dict[str, Any]:
        """The entry of what an error withholds; raises the error when it is another one."""
        raise NotImplementedError
