# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of assumed roles, so that a role is assumed once in a run and not once in every task.

Ansible forks a worker for each task, so what a worker remembers is gone with it. `share` is called before the forks:
it makes a file that lies in memory, has no name, is inherited by the workers, closed in every program that they start,
and gone with the last of them. Where the system has or allows no such files (macOS, a hardened kernel), each process
remembers for itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

# Credentials that end within so many seconds are not begun with: a task must be able to finish with them, which is to
# wait for as long as it may (900 s), and to switch back what did not come to its end.
MARGIN = 1800.0

Key = tuple[object, ...]

_own: dict[str, tuple[float, dict[str, str]]] = {}
_file: int | None = None


def share() -> None:
    """Let the processes that are forked from this one know what each of them assumed."""
    global _file
    if _file is None and hasattr(os, "memfd_create"):
        with suppress(OSError):
            _file = os.memfd_create("private-ai-endpoints", os.MFD_CLOEXEC)


def recall(key: Key) -> dict[str, str] | None:
    """The credentials that were kept for this key and that hold for some time yet."""
    name = json.dumps(key)
    if name not in _own and _file is not None:
        _own.update(_others(_file, name))
    kept = _own.get(name)
    if kept and kept[0] > time.time() + MARGIN:
        return kept[1]
    _own.pop(name, None)
    return None


def keep(key: Key, expires: float, credentials: Mapping[str, str]) -> None:
    """Keep credentials until they end. expires: seconds since 1970."""
    name = json.dumps(key)
    _own[name] = (expires, dict(credentials))
    if _file is None:
        return
    # The first line break ends what a worker left that was killed while it wrote.
    line = f"\n{name}\t{json.dumps([expires, dict(credentials)])}\n".encode()
    with _locked(_file, fcntl.LOCK_EX):
        os.pwrite(_file, line, os.fstat(_file).st_size)


def _others(file: int, name: str) -> dict[str, tuple[float, dict[str, str]]]:
    """What any process kept under this name; the last entry counts."""
    with _locked(file, fcntl.LOCK_SH):
        text = os.pread(file, os.fstat(file).st_size, 0).decode()
    for line in reversed(text.splitlines()):
        if line.startswith(f"{name}\t"):
            try:
                expires, credentials = json.loads(line.partition("\t")[2])
            except ValueError:
                continue
            return {name: (expires, credentials)}
    return {}


@contextmanager
def _locked(file: int, how: int) -> Iterator[None]:
    """The lock goes with the process that holds it, so that a worker that is killed blocks nobody."""
    fcntl.lockf(file, how)
    try:
        yield
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN)
