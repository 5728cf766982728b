# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces of one's own, without being root: user, mount, network and PID.

See user_namespaces(7). As an ordinary user, and as root where user namespaces are allowed, a user
namespace gives the rights that the others need. Real root can do without it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path

from lab.netlink import LOOPBACK, Netlink

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
_MS_REC, _MS_PRIVATE, _MS_BIND = 0x4000, 0x40000, 0x1000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class NotPermitted(Exception):
    """This machine does not let us make namespaces; the text is the reason, in one line."""


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        name = errno.errorcode.get(code, str(code))
        raise OSError(code, f"{what}: {os.strerror(code)} ({name})")


def unshare(flags: int, what: str) -> None:
    _check(_libc.unshare(flags), f"unshare {what}")


def enter_network(descriptor: int) -> None:
    """Move the calling thread into the network namespace behind a file descriptor."""
    _check(_libc.setns(descriptor, CLONE_NEWNET), "setns to a network namespace")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    _check(
        _libc.mount(
            source.encode(), target.encode(), kind and kind.encode(), flags, options.encode()
        ),
        f"mount {kind or source} on {target}",
    )


def bind(source: str, target: str) -> None:
    """Mount a file over another one."""
    _mount(source, target, None, _MS_BIND)


def isolate(user: bool) -> None:
    """Put this single-threaded process into new namespaces; its *next child* is PID 1 in them."""
    uid, gid = os.geteuid(), os.getegid()
    if user:
        unshare(CLONE_NEWUSER, "a user namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    unshare(CLONE_NEWNS, "a mount namespace")
    unshare(CLONE_NEWNET, "a network namespace")
    unshare(CLONE_NEWPID, "a PID namespace")


def furnish() -> None:
    """In the child that is PID 1: private mounts, its own /proc and an empty /run; `lo` up."""
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    # Some containers forbid it. All that is lost is that `ps` shows the machine's processes.
    with contextlib.suppress(PermissionError):
        _mount("proc", "/proc", "proc", 0)
    _mount("lab", "/run", "tmpfs", 0, "mode=0755")
    netlink = Netlink()
    netlink.up(LOOPBACK)
    netlink.close()


def die_with_parent(alive: int) -> None:
    """Have the kernel kill this process when its parent dies.

    `alive` is the reading end of a pipe whose other end only the parent holds. It closes the race with
    a parent that died before the call (getppid() is always 0 across PID namespaces).
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl PR_SET_PDEATHSIG")
    poller = select.poll()
    poller.register(alive, select.POLLIN)
    if poller.poll(0):
        os._exit(1)
    os.close(alive)


def _in_child(action: Callable[[], None]) -> str | None:
    """Run an action in a forked child; returns the OSError it met, as text."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            action()
            code = 0
        except OSError as error:
            os.write(writer, (error.strerror or str(error)).encode())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        reason = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if not status:
        return None
    return reason or f"a test process ended with status {status}"


def _try_it(user: bool) -> str | None:
    """Really do it, in processes that end at once."""

    def attempt() -> None:
        isolate(user)
        reason = _in_child(furnish)
        if reason:
            raise OSError(0, reason)

    return _in_child(attempt)


def user_namespace_needed() -> bool:
    """True: namespaces work, by way of a user namespace. False: they work without one (real root).

    Raises NotPermitted with the reason when neither works. Takes a few milliseconds.
    """
    reason = _try_it(user=True)
    if reason is None:
        return True
    if os.geteuid() == 0:
        reason_as_root = _try_it(user=False)
        if reason_as_root is None:
            return False
        reason = f"{reason}; without a user namespace: {reason_as_root}"
    raise NotPermitted(reason)
