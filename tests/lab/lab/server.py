# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's one server process: the clouds, and the resolver and HTTPS front before them."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path

from lab import network
from lab.cloud import Cloud, Furnishing
from lab.connect_proxy import ConnectProxy
from lab.dns_server import Resolver
from lab.faults import Faults
from lab.front import Dispatcher, Front
from lab.journal import Journal
from lab.tls import Authority, Contexts
from lab.worlds import CONTROLLER, World

FAILURES = "failures"  # a file in the run folder; it exists once the simulator itself has failed


class Server:
    """Everything that answers. Built in a process of its own, which ends with the lab."""

    def __init__(self, world: World, faults: Faults, journal: Journal, run: Path) -> None:
        private = run / "private"
        private.mkdir(mode=0o700)
        authority = Authority(private)
        (run / "ca.pem").write_bytes(authority.pem)
        self._run = run
        self._vantages = {each.address: each for each in world.vantages}
        self._clouds: list[Cloud] = [
            importlib.import_module(f"lab.{name}").build(
                world.document, world.vantages, authority.pem
            )
            for name in world.clouds
        ]
        for cloud in self._clouds:
            if isinstance(cloud, Furnishing):
                cloud.furnish(run)
        self._controller = next(each for each in world.vantages if each.name == CONTROLLER)
        self._routes: network.Routes | None = None
        self._resolver = Resolver(self._clouds, self._vantages, self._failure)
        dispatcher = Dispatcher(self._clouds, faults, journal, self._written, self._failure)
        contexts = Contexts(authority, dispatcher.serves)
        self._front = Front(dispatcher, contexts.default, self._vantages)

    def serve_networks(self, wires: Sequence[network.Wire]) -> None:
        """Answer on every address of the namespace that this process is in."""
        self._routes = network.Routes(wires, self._clouds)
        self._routes.refresh()
        self._resolver.serve(network.RESOLVER)
        self._front.serve(socket.create_server(("0.0.0.0", 443), backlog=512))

    def serve_proxy(self) -> int:
        """Without networks: answer behind a proxy on loopback. Returns its port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        proxy = ConnectProxy(self._front, self._resolver, self._controller)
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def end_with(self, alive: int, folder: Path) -> None:
        """Remove a folder and end, when the process at the other end of a pipe has died."""

        def watch() -> None:
            os.read(alive, 1)
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(0)

        threading.Thread(target=watch, daemon=True).start()

    def follow(self) -> None:
        """Stay, and apply what the clouds have scheduled."""
        if self._routes:
            self._routes.watch()
        threading.Event().wait()

    def _written(self) -> None:
        if self._routes:
            self._routes.refresh()

    def _failure(self, doing: str, error: BaseException) -> None:
        text = "".join(traceback.format_exception(error))
        os.write(2, f"lab: the simulator failed while {doing}:\n{text}".encode())
        with (self._run / FAILURES).open("a", encoding="utf-8") as file:
            file.write(f"{doing}: {error!r}\n")
