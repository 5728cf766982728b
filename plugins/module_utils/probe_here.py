# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe from where a module runs: the same probe as on a vantage, without a task of its own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any

from .core.contracts import ProbeTarget
from .core.errors import EndpointError
from .probe import connection, identity, observe, sigv4


def look(
    here: Mapping[str, Any], targets: Sequence[Mapping[str, Any]], *, pinned: bool
) -> list[dict[str, Any]]:
    """Observations of all targets from this machine.

    here: `{name, position, access_key, secret_key, session_token, ca_path, timeout, deadline}`, seconds. EndpointError
    when the authorities cannot be read.
    """
    means = connection.Means(_trust(here["ca_path"]), here["timeout"], _credentials(here))
    vantage = observe.Vantage(
        name=here["name"] or observe.this_machine(),
        position=here["position"],
        means=means,
        deadline=here["deadline"],
    )
    plain = [ProbeTarget.from_json(dict(item)).to_json() for item in targets]
    seen = observe.observe(plain, pinned, vantage)
    region = next((item["probe_action"]["region"] for item in plain if item["probe_action"]), None)
    # An admitted call does not name its caller, and whether the lock binds him decides what it says.
    caller = identity.caller(region, means) if region and means.credentials else None
    return [{**item, "principal": item["principal"] or caller} for item in seen]


def _trust(path: str | None) -> ssl.SSLContext:
    try:
        return connection.trust(path)
    except (OSError, ssl.SSLError) as error:
        raise EndpointError(
            f"{path} holds no certificate authorities: {error}", resource="probe_here.ca_path"
        ) from error


def _credentials(here: Mapping[str, Any]) -> sigv4.Credentials | None:
    if not here["access_key"]:
        return None
    return sigv4.Credentials(here["access_key"], here["secret_key"], here["session_token"])
