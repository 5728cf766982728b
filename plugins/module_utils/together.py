# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many calls at once, over threads; the clouds' clients are thread-safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .core.errors import EndpointError

WORKERS = 16


def settle(calls: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Run all calls at once; each one's result, or the EndpointError that it raised.

    Any other exception is a fault in this program and is raised, after all calls have ended.
    """
    if not calls:
        return {}
    if len(calls) == 1:
        return {name: _outcome(call) for name, call in calls.items()}
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(calls))) as pool:
        running = {name: pool.submit(_outcome, call) for name, call in calls.items()}
    return {name: future.result() for name, future in running.items()}


def gather(calls: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Run all calls at once and return their results; the first failure, in the order given, is raised.

    All calls end before that, so that nothing goes on behind the caller's back. What the other failures said goes
    with the first one.
    """
    outcomes = settle(calls)
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, EndpointError)]
    if failures:
        first, *others = failures
        seen = {first.message}
        more = [text for text in (error.message for error in others) if text not in seen]
        first.problems = (*first.problems, *dict.fromkeys(more))
        raise first
    return outcomes


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except EndpointError as error:
        return error
