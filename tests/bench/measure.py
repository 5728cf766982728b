# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the benchmark's rows inside the lab and print their ratios. Usage: measure.py COUNT FOLDER.

Every figure is a no-op run over the same VPCs in one lab: the endpoints are made before. A ratio within one run says
something on a noisy machine; the seconds beside it are only there to see the size.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = Path(__file__).resolve().parent
OURS = ROOT / ".venv/bin"
PEERS = ROOT / "build/bench-venv/bin"
# The lab's workload account, so that no side has to assume a role.
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "AKIALABAPPADMIN00000",
    "AWS_SECRET_ACCESS_KEY": "lab-secret-app-admin",
    "ANSIBLE_STDOUT_CALLBACK": "minimal",
    "ANSIBLE_FORKS": "5",
}


@dataclass(frozen=True)
class Cost:
    """Seconds of one run: on the wall, and of all its processes together."""

    wall: float
    cpu: float


def cost(*commands: list[str], **environment: str) -> Cost:
    """Run commands one after another; a command that fails ends the benchmark with what it said."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    for command in commands:
        done = subprocess.run(
            command,
            env={**os.environ, **ACCOUNT, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(
                f"bench: {' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - began, used)


def playbook(bin_folder: Path, name: str, folder: Path, *extra: str) -> list[str]:
    inventory = str(folder / "inventory.yml")
    return [str(bin_folder / "ansible-playbook"), "-i", inventory, str(BENCH / name), *extra]


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    ordinary = ("-e", "private_ai_endpoints_in_process=false")
    cost(playbook(OURS, "ours.yml", folder))
    base = cost(playbook(OURS, "ours.yml", folder))
    rows = {
        "in process (this collection)": base,
        "do-nothing module + bare SDK reads": cost(
            playbook(OURS, "nothing.yml", folder),
            [str(OURS / "python"), str(BENCH / "bare_reads.py"), str(folder / "inventory.yml")],
        ),
        "ordinary module (this collection)": cost(playbook(OURS, "ours.yml", folder, *ordinary)),
        "amazon.aws, no drift check": cost(playbook(PEERS, "peers.yml", folder)),
    }
    print(f"\nno-op over {count} VPCs, 5 forks; ratios against the first row\n")
    print(f"{'':38}{'wall':>9}{'ratio':>8}{'cpu':>9}{'ratio':>8}")
    for name, row in rows.items():
        print(
            f"{name:38}{row.wall:8.1f}s{row.wall / base.wall:7.1f}x"
            f"{row.cpu:8.1f}s{row.cpu / base.cpu:7.1f}x"
        )


if __name__ == "__main__":
    main()
