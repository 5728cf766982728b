# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command and kill it once so many more requests stand in the lab's journal.

Usage, in the lab: kill_at.py N all|one COMMAND… . One: the workers that it forked live on, to the end of their task.
Prints what the last request was, or that the command came to its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path


def family(process: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield process
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from family(int(child))


def main() -> None:
    wanted, whom, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    journal = Path(os.environ["LAB_JOURNAL"])
    with journal.open("rb") as lines:
        lines.seek(0, os.SEEK_END)
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        text = b""
        # A line may be seen before all of it is written; without its end it does not count.
        while (seen := text.count(b"\n")) < wanted and running.poll() is None:
            fresh = lines.read()
            text += fresh
            time.sleep(0 if fresh else 0.001)
        if running.poll() is not None:
            print(f"came to its end with {running.returncode}")
            return
        # Not by process group: each worker has a session of its own.
        for process in [*family(running.pid)] if whom == "all" else [running.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        running.wait()
    print(f"killed after request {seen}, {json.loads(text.splitlines()[seen - 1])['operation']}")


if __name__ == "__main__":
    main()
