# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of tests/lab/run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import faults, worlds
from lab.supervisor import Plan, run, say

_USAGE, _DATA, _CANNOT_CREATE = 64, 65, 73  # EX_USAGE, EX_DATAERR and EX_CANTCREAT of sysexits.h

_DESCRIPTION = """\
Run COMMAND in a small internet of its own: an application network, a spoke, an outside, their
resolver, and simulated clouds behind their real host names. It ends when COMMAND ends, and leaves
nothing behind. Needs no rights; several can run at once."""

_EPILOG = """\
COMMAND gets the credentials, the authority's certificate and the resolver of the vantage that it
runs in (default: controller), and .venv/bin first in PATH (LAB_VENV in the environment of
tests/lab/run names another environment than .venv). It finds
  $LAB_RUN/in-NAME COMMAND...   any command, in the network and with the credentials of vantage NAME
  $LAB_RUN/python-NAME ...      Python there, for ansible_python_interpreter
  $LAB_JOURNAL, $LAB_WORLD      the journal and the world file

exit codes:
  COMMAND's own, or 128 + n if signal n ended it
  64  wrong usage            65  the world or the faults file is wrong
  70  the lab itself failed  73  the journal cannot be written
  78  --vantage, but namespaces are not permitted here (without --vantage, the control planes still
      work through a proxy, LAB_NETWORK=none is set, and network probes must be skipped)
  126, 127  COMMAND cannot be run, is not found

examples:
  tests/lab/run -- bash
  tests/lab/run -- ansible-playbook -i tests/lab/inventory playbooks/lockdown.yml
  tests/lab/run --journal build/journal.jsonl -- python -c 'import boto3; ...'
  tests/lab/run --vantage outside -- curl -i https://bedrock.us-east-1.amazonaws.com/foundation-models

World files are described in tests/lab/worlds/README.md, faults and the journal in tests/lab/README.md."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/lab/run",
        usage="tests/lab/run [options] -- COMMAND...\n       tests/lab/run --check-world FILE",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--world",
        metavar="FILE",
        type=Path,
        default=worlds.DEFAULT,
        help="what exists at the start",
    )
    parser.add_argument(
        "--journal", metavar="FILE", type=Path, help="write a JSON line per control-plane request"
    )
    parser.add_argument("--faults", metavar="FILE", type=Path, help="what is to go wrong")
    parser.add_argument(
        "--vantage",
        metavar="NAME",
        default=worlds.CONTROLLER,
        help="where COMMAND runs (default: %(default)s)",
    )
    parser.add_argument(
        "--python",
        metavar="FILE",
        type=Path,
        default=Path(sys.executable),
        help="what $LAB_RUN/python-NAME runs (default: the lab's own)",
    )
    parser.add_argument(
        "--check-world",
        metavar="FILE",
        type=Path,
        help="check a world file, list every problem, end",
    )
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="what to run")
    return parser


class _Stop(Exception):
    """One sentence or more, and the exit code."""

    def __init__(self, code: int, *sentences: str) -> None:
        super().__init__(*sentences)
        self.code = code
        self.sentences = sentences


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    try:
        return _main(arguments)
    except _Stop as stop:
        for sentence in stop.sentences:
            say(sentence)
        return stop.code
    except SystemExit as stopped:  # argparse: 0 after --help, else it has named the mistake
        return _USAGE if stopped.code else 0


def _main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    if options.check_world:
        _load_world(options.check_world)
        print(f"{options.check_world}: no problems")
        return 0
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise _Stop(_USAGE, "no COMMAND: say what to run after --, or see --help")
    world = _load_world(options.world)
    if options.vantage not in world.environments:
        known = ", ".join(world.environments)
        raise _Stop(_USAGE, f"--vantage {options.vantage}: the world has only {known}")
    # The lab's own runs, whoever may look at its folder.
    if options.python != Path(sys.executable) and not os.access(options.python, os.X_OK):
        raise _Stop(_USAGE, f"--python {options.python}: there is no such program")
    plan = Plan(
        world=world,
        faults=_load_faults(options.faults),
        journal=_open_journal(options.journal),
        journal_path=options.journal and options.journal.resolve(),
        command=command,
        vantage=options.vantage,
        python=options.python.absolute(),
    )
    return run(plan)


def _load_world(path: Path) -> worlds.World:
    try:
        return worlds.load(path.resolve())
    except worlds.BadWorld as error:
        raise _Stop(_DATA, *error.problems) from error


def _load_faults(path: Path | None) -> faults.Faults:
    if path is None:
        return faults.Faults()
    try:
        return faults.load(path)
    except faults.BadFaults as error:
        raise _Stop(_DATA, *error.problems) from error
    except OSError as error:
        raise _Stop(_DATA, f"{path}: {error.strerror}") from error


def _open_journal(path: Path | None) -> int | None:
    if path is None:
        return None
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except OSError as error:
        raise _Stop(
            _CANNOT_CREATE, f"{path}: the journal cannot be written: {error.strerror}"
        ) from error
