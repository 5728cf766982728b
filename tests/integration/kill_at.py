# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command and kill it, and all that it started, once so many more requests stand in the lab's journal.

Usage, in the lab: kill_at.py N COMMAND… . Prints what the last request was, or that the command came to its end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    wanted, command = int(sys.argv[1]), sys.argv[2:]
    journal = Path(os.environ["LAB_JOURNAL"])
    with journal.open("rb") as lines:
        lines.seek(0, os.SEEK_END)
        # A session of its own, or the workers that it forked would live on and write.
        running = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
        seen = 0
        last = b"{}"
        while seen < wanted and running.poll() is None:
            fresh = lines.readlines()
            seen += len(fresh)
            last = fresh[-1] if fresh else last
            time.sleep(0 if fresh else 0.001)
        if running.poll() is not None:
            print(f"came to its end with {running.returncode}")
            return
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    print(f"killed after request {seen}, {json.loads(last)['operation']}")


if __name__ == "__main__":
    main()
