# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The number of a project, which a perimeter calls it by, from its id."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .client import Connection, gather


def numbers(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """Id or number → `projects/NUMBER`; one read for each id, all at once. GoogleError for one that is not there."""
    wanted = list(dict.fromkeys(names))
    calls = {
        name: partial(
            connection.get, "cloudresourcemanager", f"projects/{name}", resource=f"project {name}"
        )
        for name in wanted
        if not name.isdigit()
    }
    found = gather(calls)
    return {
        name: f"projects/{name}" if name.isdigit() else str(found[name]["name"]) for name in wanted
    }
