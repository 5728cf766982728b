# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An endpoint moves to another address while clients inside call it all the time: not one call fails."""

from __future__ import annotations

import itertools
import json
from typing import Any

from .conftest import Lab
from .gcp_subjects import APP, DNS, ENDPOINTS, HERE, HOST, MOVED, SUBNET
from .harness import HERE as FOLDER

TTL = 2
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def endpoint(address: str, **options: Any) -> dict[str, Any]:
    """The endpoint at an address, for the application alone."""
    wish = {"network": APP, "endpoint_name": "pscvertex", "address": address}
    rights = {"allowed_cidrs": ["10.30.0.0/16"], "private_google_access_subnets": [SUBNET]}
    return {ENDPOINTS.module: {"networks": [wish], **rights, **options}}


def names(address: str) -> dict[str, Any]:
    """The global name at an address."""
    return {DNS.module: {"networks": [{"network": APP, "address": address}], "ttl": TTL}}


def until(moment: str) -> dict[str, Any]:
    """Wait for a moment that a result names."""
    now = f"(now(true, '{FORMAT}') | to_datetime('{FORMAT}'))"
    left = f"(({moment} | to_datetime('{FORMAT}')) - {now}).total_seconds()"
    return {"ansible.builtin.pause": {"seconds": f"{{{{ [{left} | int, 0] | max + 1 }}}}"}}


def test_no_call_fails_while_the_address_changes(lab: Lab) -> None:
    stop, results = lab.path("stop"), lab.path("calls.json")
    client = f"$LAB_RUN/in-gcp-app python {FOLDER}/steady_caller.py {HOST} {stop} {results}"
    outcome = lab.tasks(
        endpoint(HERE),
        names(HERE),
        {
            "ansible.builtin.shell": f"sleep 1; setsid {client} > {lab.path('client')} 2>&1 < /dev/null &"
        },
        {"ansible.builtin.pause": {"seconds": 3}},
        endpoint(MOVED),
        names(MOVED),
        until("result_5.drain_until"),
        endpoint(MOVED, remove_replaced=True),
        {"ansible.builtin.pause": {"seconds": 1}},
        {"ansible.builtin.file": {"path": str(stop), "state": "touch", "mode": "0600"}},
        {"ansible.builtin.wait_for": {"path": str(results), "timeout": 60}},
        world={"gcp": {"timing": {"operation": 0.1}}},
    )
    assert not [item for item in outcome.results if item.get("failed")], outcome.results
    beside, moved, removed = (outcome.results[number] for number in (4, 5, 7))
    assert [item["name"] for item in beside["replaced"]] == ["pscvertex"]
    assert moved["changed"] and moved["drain_until"]
    assert removed["changed"] and removed["replaced"] == []
    for name, calls in json.loads(results.read_text()).items():
        failed = [call for call in calls if call[2] != 200]
        assert not failed, (name, failed[:3], len(failed), len(calls))
        used = [address for _time, address, _status in calls]
        changes = [new for old, new in itertools.pairwise(used) if new != old]
        assert used[0] == HERE and changes == [MOVED], (name, used[0], changes)
        assert used.count(HERE) > 20 and used.count(MOVED) > 20, (name, len(calls))
