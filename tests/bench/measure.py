# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the benchmark's rows inside the lab and print their ratios. Usage: measure.py COUNT FOLDER (COUNT > 10).

Every figure is a no-op run over the same VPCs in one lab: the endpoints are made before. A ratio within one run says
something on a noisy machine; the seconds beside it are only there to see the size.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
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
# The first ten VPCs, to tell what a run costs from what a target costs.
FEW = "vpc-00*"


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


def peak_memory(command: list[str], **environment: str) -> float:
    """MiB that a command and all its processes had at most at one time; what they share counts once."""
    running = subprocess.Popen(
        command,
        env={**os.environ, **ACCOUNT, **environment},
        stdout=subprocess.DEVNULL,
    )
    peak = 0
    while running.poll() is None:
        peak = max(peak, sum(map(_share, _family(running.pid))))
        time.sleep(0.05)
    return peak / 1024


def _family(process: int) -> Iterator[int]:
    """A process and all its descendants. By parents: Ansible's workers have sessions of their own."""
    yield process
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))


def _share(process: int) -> int:
    """KiB of a process, shared pages divided by those who share them; 0 when it has ended meanwhile."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def rows(count: int, folder: Path, base: Cost) -> None:
    """The same work in other ways, and their ratios."""
    ordinary = ("-e", "private_ai_endpoints_in_process=false")
    bare = [str(OURS / "python"), str(BENCH / "bare_reads.py"), str(folder / "inventory.yml")]
    others = {
        "in process (this collection)": base,
        "do-nothing module + bare SDK reads": cost(playbook(OURS, "nothing.yml", folder), bare),
        "ordinary module (this collection)": cost(playbook(OURS, "ours.yml", folder, *ordinary)),
        "amazon.aws, no drift check": cost(playbook(PEERS, "peers.yml", folder)),
    }
    print(f"\nno-op over {count} VPCs, 5 forks; ratios against the first row\n")
    print(f"{'':38}{'wall':>9}{'ratio':>8}{'cpu':>9}{'ratio':>8}")
    for name, row in others.items():
        print(
            f"{name:38}{row.wall:8.1f}s{row.wall / base.wall:7.1f}x"
            f"{row.cpu:8.1f}s{row.cpu / base.cpu:7.1f}x"
        )


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    cost(playbook(OURS, "ours.yml", folder))
    few = cost(playbook(OURS, "ours.yml", folder, "--limit", FEW))
    base = cost(playbook(OURS, "ours.yml", folder))
    rows(count, folder, base)
    slope = (base.wall - few.wall) / (count - 10)
    print("\nthis collection, seconds per target (wall, cpu):")
    for targets, row in ((10, few), (count, base)):
        print(f"{targets:6} targets {row.wall / targets:8.3f} {row.cpu / targets:8.3f}")
    print(f"  each further {slope:8.3f} {(base.cpu - few.cpu) / (count - 10):8.3f}")
    peak = peak_memory(playbook(OURS, "ours.yml", folder), ANSIBLE_FORKS="50")
    print(f"\npeak memory of all processes at 50 forks: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
