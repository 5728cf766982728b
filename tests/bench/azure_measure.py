# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Azure costs in the lab, this collection's way and azure.azcollection's. Usage: azure_measure.py COUNT FOLDER.

Each way gets a lab of its own that starts from the same open accounts, and the same playbook three times: to create,
where nothing is to do, and after somebody deleted the DNS record of every account. In the first lab
azure.azcollection's reading modules then look at what this collection made, unmodified; when one of them sees something
else than what is there, the benchmark fails.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests
import yaml
from azure.identity import EnvironmentCredential
from azure_fleet import GROUP
from ways import in_labs, look, run, seen, table, ways_of

STEPS = ("first", "second", "repairing")
RECORDS = f"https://management.azure.com{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com/A"
THEIRS = "azure.azcollection"
WAYS = ways_of("azure", THEIRS)


def inside(name: str, folder: Path, results: Path) -> None:
    """In the lab of one way: run its playbook for each step, look, and write down what that took."""
    found: dict[str, Any] = {}
    for step in STEPS:
        if step == "repairing":
            _records(folder, "DELETE")
        found[step] = {**run(WAYS[name], folder), "records": _records(folder, "GET")}
    look(WAYS[name], folder)
    results.write_text(json.dumps(found))


def _records(folder: Path, method: str) -> int:
    """How many accounts have their DNS record. Or, with DELETE, had it."""
    token = EnvironmentCredential().get_token("https://management.azure.com/.default").token
    answers = [
        requests.request(
            method,
            f"{RECORDS}/bench-{host}?api-version=2024-06-01",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        for host in yaml.safe_load((folder / "inventory.yml").read_text())["all"]["hosts"]
    ]
    return sum(answer.status_code == 200 for answer in answers)


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    found = in_labs(__file__, WAYS, folder)
    for step in STEPS:
        table(f"{step} run over {count} accounts, 5 forks", step, found)
    seen(folder, THEIRS)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
