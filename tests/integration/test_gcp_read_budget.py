# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is asked of Google when nothing is to be done, by the lab's journal, and how little is imported for it."""

from __future__ import annotations

import ast
from typing import Any

from .conftest import ROOT, Lab
from .gcp_subjects import APP, CREATE, DNS, ENDPOINTS, HERE, NAMES, RPZ, TIMING

REGIONS = ["us-central1", "europe-west1"]
HOSTS = 1 + len(REGIONS)
ONE = {"network": APP, "endpoint_name": "pscvertex", "address": HERE}
# What is made first and then asked for again, with the most that the second time may ask: three lists for each network
# of the endpoints, one list and each zone's records for the names. Tokens do not count.
BUDGETS: list[tuple[str, dict[str, Any], int]] = [
    (ENDPOINTS.module, {**CREATE, "networks": [ONE], "service_directory_region": "us-central1"}, 3),
    (ENDPOINTS.module, CREATE, 3 * 2),
    (DNS.module, {"networks": NAMES["networks"][:1], "regions": REGIONS}, 1 + HOSTS),
    (DNS.module, {**NAMES, "regions": REGIONS}, 1 + 2 * HOSTS),
    (DNS.module, {**NAMES, **RPZ, "regions": REGIONS}, 1 + 2),
]


def asked(journal: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """The requests of the task of that number: each begins with one for a token, which is left out."""
    starts = [n for n, entry in enumerate(journal) if entry["operation"] == "oauth2.token"]
    ends = [*starts[1:], len(journal)]
    return journal[starts[number] + 1 : ends[number]]


def test_a_no_op_asks_no_more_than_it_must(lab: Lab) -> None:
    tasks = [{module: options} for module, options, _most in BUDGETS for _time in range(2)]
    outcome = lab.tasks(*tasks, world={"gcp": {"timing": TIMING}})
    for number, (module, _options, most) in enumerate(BUDGETS):
        made, again = outcome.results[2 * number : 2 * number + 2]
        assert made["changed"] and not again.get("failed") and not again["changed"], (module, again)
        calls = asked(outcome.journal, 2 * number + 1)
        names = [entry["operation"] for entry in calls]
        assert not [entry for entry in calls if entry["write"]], names
        assert 0 < len(calls) <= most, names


def test_no_client_of_google_cloud_is_imported() -> None:
    """Importing google.cloud.compute_v1 alone takes longer than a whole run of a module."""
    named = []
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # For importlib: a whole word, not a sentence that speaks of it.
                names = [node.value] if " " not in node.value else []
            else:
                continue
            named += [f"{path.name}: {name}" for name in names if name.startswith("google.cloud")]
            named += [f"{path.name}: {name}" for name in names if "compute_v1" in name]
    assert not named
