# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that may be denied: all at once, and what could not be read is said instead of left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import EndpointError
from ..withheld import Reads
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


class Reader(Reads[Read]):
    """What was missing: `[{part, action, code, message}]`."""

    def one(self, read: Read) -> Any:
        """Run a single read; None when it was denied."""
        return self.all({"only": read})["only"]

    def run(self, read: Read) -> Callable[[], Any]:
        """The call, whose errors are AWS's as this collection has them."""

        def call() -> Any:
            with calling(read.about, read.action):
                return read.call()

        return call

    def lacking(self, read: Read, error: EndpointError) -> dict[str, Any]:
        """See the base class."""
        kinds = ("denied", "refused", "missing") if read.tolerant else ("denied",)
        if not isinstance(error, AwsError) or error.kind not in kinds:
            raise error
        return {
            "part": read.part,
            "action": error.action or read.action,
            "code": error.code,
            "message": f"{read.about}: {error.what}",
        }


def pages(client: Any, operation: str, key: str, **request: Any) -> list[Any]:
    """Every item of a paginated operation."""
    found = client.get_paginator(operation).paginate(**request)
    return [item for page in found for item in page.get(key) or ()]


def tags(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """AWS's list of keys and values as a dict."""
    return {item["Key"]: item["Value"] for item in items or ()}
