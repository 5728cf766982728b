# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command in the lab: makes the processes, passes signals on, and sees to it that all of them end.

With namespaces there are four processes. The outer one waits. Its child is PID 1 of the lab, builds
the networks, starts the server and the command, and reaps. When any of the first three dies, the kernel
kills the rest; nothing needs to be cleaned up, since mounts and networks go with their last process.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import environment, namespaces, network
from lab.faults import Faults
from lab.journal import Journal
from lab.server import FAILURES, Server
from lab.worlds import CONTROLLER, World

SOFTWARE, CONFIGURATION = 70, 78  # EX_SOFTWARE and EX_CONFIG of sysexits.h
NOT_EXECUTABLE, NOT_FOUND = 126, 127  # as shells have it
_RUN = Path("/run/lab")
_FORWARDED = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}
_FORWARDED |= {signal.SIGUSR1, signal.SIGUSR2}
_WAITED = _FORWARDED | {signal.SIGCHLD}
_SI_KERNEL = 0x80
_NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\n"
_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


@dataclass(frozen=True)
class Plan:
    """What to run, in which world, and where."""

    world: World
    faults: Faults
    journal: int | None
    journal_path: Path | None
    command: Sequence[str]
    vantage: str
    python: Path


def say(text: str) -> None:
    os.write(2, f"lab: {text}\n".encode())


class ServerDied(Exception):
    """The lab's server ended before it was ready; it has said why."""


def run(plan: Plan) -> int:
    """Run the plan's command; returns its exit code, or 128 + n if signal n ended it."""
    mask = set(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED)))
    try:
        user = namespaces.user_namespace_needed()
    except namespaces.NotPermitted as reason:
        return _run_without(plan, str(reason), mask)
    alive, held = os.pipe()  # this process alone keeps the writing end, as long as it lives
    namespaces.isolate(user)
    init = _fork(lambda: _init(plan, (alive, held), mask))
    os.close(alive)
    return _attend(init, None)


def _init(plan: Plan, life: tuple[int, int], mask: set[int]) -> int:
    """PID 1 of the lab."""
    alive, held = life
    os.close(held)
    namespaces.die_with_parent(alive)
    namespaces.furnish()
    _RUN.mkdir(parents=True)
    try:
        _set_up_names()
        wires = network.build(plan.world.vantages)
    except OSError as error:
        say(f"the networks cannot be built: {error.strerror or error}")
        return SOFTWARE
    _write_wrappers(plan, _RUN, {each.vantage.name: each.namespace for each in wires})

    def start(server: Server) -> str:
        server.serve_networks(wires)
        return ""

    server, _ = _start_server(plan, _RUN, start)
    variables = _variables(plan, _RUN)

    def enter() -> None:
        place = os.open(network.NETWORKS / plan.vantage, os.O_RDONLY | os.O_CLOEXEC)
        namespaces.enter_network(place)

    command = _fork(lambda: _execute(plan.command, variables, mask, enter))
    return _outcome(_attend(command, server), _RUN)


def _run_without(plan: Plan, reason: str, mask: set[int]) -> int:
    """Control planes alone, through a proxy on loopback."""
    say(f"no namespaces here ({reason}): control planes only, and network probes must be skipped")
    if plan.vantage != CONTROLLER:
        say(f"--vantage {plan.vantage} needs namespaces")
        return CONFIGURATION
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    try:
        return _behind_proxy(plan, folder, mask)
    except ServerDied:
        return SOFTWARE
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _behind_proxy(plan: Plan, folder: Path, mask: set[int]) -> int:
    _write_wrappers(plan, folder, {})
    alive, held = os.pipe()

    def start(server: Server) -> str:
        os.close(held)
        server.end_with(alive, folder)
        return str(server.serve_proxy())

    server, port = _start_server(plan, folder, start)
    variables = _variables(plan, folder) | {"LAB_NETWORK": "none"}
    for name in ("https_proxy", "http_proxy", "HTTPS_PROXY", "HTTP_PROXY"):
        variables[name] = f"http://127.0.0.1:{port}"
    variables |= {"no_proxy": "localhost,127.0.0.1", "NO_PROXY": "localhost,127.0.0.1"}

    def tie() -> None:
        os.close(held)
        namespaces.die_with_parent(alive)

    command = _fork(lambda: _execute(plan.command, variables, mask, tie))
    try:
        return _outcome(_attend(command, server), folder)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server, signal.SIGKILL)


def _fork(action: Callable[[], int]) -> int:
    """Run an action in a child whose exit code is what the action returns; returns the child's pid."""
    pid = os.fork()
    if pid:
        return pid
    code = SOFTWARE
    try:
        code = action()
    except ServerDied:
        pass  # it has spoken itself
    except BaseException:  # noqa: BLE001 - the last stop of a forked child: nothing is above it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _start_server(plan: Plan, folder: Path, start: Callable[[Server], str]) -> tuple[int, str]:
    """Fork the server; returns its pid and what `start` returned, once it answers."""
    reader, writer = os.pipe()

    def serve() -> int:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        server = Server(plan.world, plan.faults, Journal(plan.journal), folder)
        os.write(writer, f"ready {start(server)}".encode())
        os.close(writer)
        server.follow()
        return SOFTWARE

    pid = _fork(serve)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    if not said.startswith("ready"):
        say("the server did not start; what it met is above")
        raise ServerDied
    return pid, said.removeprefix("ready ")


def _execute(
    command: Sequence[str],
    variables: dict[str, str],
    mask: set[int],
    prepare: Callable[[], None],
) -> int:
    """Become the command. Returns only if that cannot be done."""
    prepare()
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec keeps that
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        os.execvpe(command[0], list(command), variables)
    except FileNotFoundError:
        say(f"{command[0]}: command not found")
        return NOT_FOUND
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return NOT_EXECUTABLE


def _attend(command: int, server: int | None) -> int:
    """Pass signals on to the command and reap until it ends; returns its exit code."""
    while True:
        signalled = signal.sigwaitinfo(_WAITED)
        # What the terminal sends, it sends to the command as well: it is in the same process group.
        if signalled.si_signo in _FORWARDED and signalled.si_code != _SI_KERNEL:
            with contextlib.suppress(ProcessLookupError):
                os.kill(command, signalled.si_signo)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == command:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            if pid == server:
                say("the server ended unexpectedly; the command is killed")
                return SOFTWARE


def _outcome(code: int, folder: Path) -> int:
    """The command's exit code, unless the simulator failed and the command did not notice."""
    if code == 0 and (folder / FAILURES).exists():
        say("the simulator failed (see above), so this run proves nothing")
        return SOFTWARE
    return code


def _variables(plan: Plan, folder: Path) -> dict[str, str]:
    own = _environments(plan, folder)[plan.vantage]
    return environment.build(dict(os.environ), own, folder, plan.world.path, plan.journal_path)


def _environments(plan: Plan, folder: Path) -> dict[str, dict[str, str]]:
    """The variables of each vantage: the world file's, and what the clouds add."""
    found = {name: dict(own) for name, own in plan.world.environments.items()}
    for name in plan.world.clouds:
        added = getattr(importlib.import_module(f"lab.{name}"), "environments", None)
        for vantage, own in added(plan.world.document, folder).items() if added else ():
            found[vantage] = own | found[vantage]
    return found


def _write_wrappers(plan: Plan, folder: Path, places: dict[str, Path]) -> None:
    environments = _environments(plan, folder)
    every = {name for each in environments.values() for name in each}
    environment.keep_compiled(folder)
    for name, own in environments.items():
        environment.write_wrappers(folder, places.get(name), name, own, every, plan.python)


def _set_up_names() -> None:
    """Mount the lab's resolver configuration over the machine's."""
    files = {
        "/etc/resolv.conf": f"nameserver {network.RESOLVER}\noptions timeout:2 attempts:2\n",
        "/etc/nsswitch.conf": _NSSWITCH,
        "/etc/hosts": _HOSTS,
    }
    for target, text in files.items():
        real = Path(target).resolve()
        if real.is_relative_to("/run"):  # hidden by now under the lab's own, empty /run
            real.parent.mkdir(parents=True, exist_ok=True)
            real.write_text(text, encoding="ascii")
        elif real.exists():
            source = _RUN / real.name
            source.write_text(text, encoding="ascii")
            namespaces.bind(str(source), str(real))
        elif target == "/etc/resolv.conf":
            raise FileNotFoundError(f"{real}: the lab needs this file, to mount its own over it")
