# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many slow things at once under one deadline.

Daemon threads, so that a resolver call that never returns cannot keep the process alive.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, List, Sequence

# Each waits for the network only; eight megabytes of stack for each would exhaust a small container.
_STACK = 1024 * 1024


def now() -> float:
    """A clock that never goes back, in seconds."""
    return time.monotonic()


def ms_since(started: float) -> int:
    """Whole milliseconds since a `now()`."""
    return round((time.monotonic() - started) * 1000)


def run(jobs: Sequence[Callable[[], Any]], seconds: float, at_once: int | None = None) -> List[Any]:
    """Each job's result in order; None for those that had none when the time was up.

    at_once: the most threads at a time. An exception in a job is raised here.
    """
    results: List[Any] = [None] * len(jobs)
    failures: List[BaseException] = []
    waiting = iter(enumerate(jobs))
    lock = threading.Lock()
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            with lock:
                entry = next(waiting, None)
            if entry is None:
                return
            number, job = entry
            try:
                results[number] = job()
            except BaseException as problem:  # noqa: BLE001, raised again by run()
                failures.append(problem)

    ends = now() + seconds
    threads = _start(work, min(len(jobs), at_once or len(jobs)))
    for thread in threads:
        thread.join(max(0.0, ends - now()))
    ended.set()
    if failures:
        raise failures[0]
    return list(results)


def _start(work: Callable[[], None], count: int) -> List[threading.Thread]:
    threads: List[threading.Thread] = []
    before = threading.stack_size(_STACK)
    try:
        for _unused in range(count):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            threads.append(thread)
    except RuntimeError:
        # A small container allows only so many: those that run do the others' work. One that got none does it itself,
        # each step of it within its own timeout.
        if not threads:
            work()
    finally:
        threading.stack_size(before)
    return threads
