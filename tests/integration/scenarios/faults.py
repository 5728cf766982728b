# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two and three faults at once in the lab: all are found, and none hides another.

Each cloud is one lab and one run of verify.yml, over a target for each combination and one for each of its faults
alone. A fault is found in a combination when a finding is there that it has alone, and that none of the faults beside
it has alone. Prints a table, leaves it as table.txt and rows.json in FOLDER, and fails when a fault was not found.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from clouds import VALUES
from combine import Combination, draw, hidden, possible, targets

from build import Scenario, inventory, load, world

ROOT = Path(__file__).resolve().parents[3]
SEED, COUNT = 7, 30

# check, resource, vantage; and one clause of what was observed, where the others are no difference
Key = tuple[str, ...]


@dataclass
class Row:
    """How one combination went; problems: the faults that were not found, and what was there instead."""

    cloud: str
    target: str
    faults: list[str]
    found: str
    problems: list[str]


def run(folder: Path, drawn: list[Combination]) -> list[Row]:
    """One lab for each cloud, as many at a time as there are processors."""
    clouds = sorted({each.cloud for each in drawn})
    parts = [[each for each in drawn if each.cloud == cloud] for cloud in clouds]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(_lab, parts, [folder / cloud for cloud in clouds])
        return [row for rows in done for row in rows]


def _lab(drawn: list[Combination], folder: Path) -> list[Row]:
    folder.mkdir(parents=True, exist_ok=True)
    standing = targets(drawn)
    listed = list(standing.values())
    inventory(listed, folder)
    script = (
        f"ansible-playbook -f 8 -i {folder}/inventory.yml playbooks/verify.yml "
        f"-e private_endpoint_report_dir={folder}/report > {folder}/verify.log 2>&1"
    )
    environment = {**os.environ, "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [str(ROOT / "tests/lab/run"), "--world", str(world(listed, folder))]
    command += ["--journal", str(folder / "journal.jsonl"), "--", "sh", "-c", script]
    subprocess.run(command, cwd=ROOT, env=environment, timeout=1800, check=False)
    report = folder / "report/findings.json"
    if not report.exists():
        raise RuntimeError(f"the playbook wrote no report; see {folder}/verify.log")
    return judged(standing, json.loads(report.read_text()))


def judged(standing: dict[Combination, Scenario], report: dict[str, Any]) -> list[Row]:
    """A row for each combination of several faults. report: what verify.yml wrote."""
    failed = {each: _failed(report, target) for each, target in standing.items()}
    alone = {
        each.faults[0]: Seen.of(failed[each], target)
        for each, target in standing.items()
        if len(each.faults) == 1
    }
    return [
        Row(
            cloud=each.cloud,
            target=target.name,
            faults=list(each.faults),
            found=", ".join(
                sorted({str(item["misconfiguration"]) for item in failed[each]} - {"None"})
            ),
            problems=list(_problems(each, target, failed[each], alone)),
        )
        for each, target in standing.items()
        if len(each.faults) > 1
    ]


@dataclass(frozen=True)
class Seen:
    """What fails on a target: where, and clause by clause."""

    places: frozenset[Key]
    clauses: frozenset[Key]

    @classmethod
    def of(cls, failed: list[dict[str, Any]], target: Scenario) -> Seen:
        """Named so that two targets can be compared."""
        clauses = {
            (
                str(item["check"]),
                _unnamed(str(item["resource"]), target),
                _unnamed(str(item["vantage"] or ""), target),
                _unnamed(clause, target),
            )
            for item in failed
            for clause in str(item["observed"]).split("; ")
        }
        return cls(frozenset(key[:3] for key in clauses), frozenset(clauses))


def _problems(
    each: Combination, target: Scenario, failed: list[dict[str, Any]], alone: dict[str, Seen]
) -> Iterable[str]:
    """One line for each check that finds a fault alone, and does not find it here."""
    seen = Seen.of(failed, target)
    for fault in each.faults:
        others = [alone[other] for other in each.faults if other != fault]
        own = alone[fault].places.difference(*(other.places for other in others))
        here = seen.places
        if not own:
            own = alone[fault].clauses.difference(*(other.clauses for other in others))
            here = seen.clauses
        if not own:
            yield f"{fault}: not found alone, or nothing tells it from what is beside it"
        for check in sorted({key[0] for key in own}):
            wanted = {key for key in own if key[0] == check}
            if not wanted & here:
                texts = ", ".join(" ".join(filter(None, key[1:])) for key in sorted(wanted))
                yield f"{fault}: {check} does not name {texts}"
        said = load(each.cloud, fault, target.name, target.number).said
        texts = [str(item["observed"]) for item in failed]
        if not any(said.get("observed", "") in text for text in texts):
            yield f"{fault}: nothing says {said['observed']!r}"


def _failed(report: dict[str, Any], target: Scenario) -> list[dict[str, Any]]:
    return [
        item
        for item in report["findings"]
        if item["target"] == target.name and item["status"] == "fail"
    ]


def _unnamed(text: str, target: Scenario) -> str:
    """The text without what is the target's own, so that two targets can be compared."""
    values = VALUES[target.cloud](target.number, target.name)
    for key, value in sorted(values.items(), key=lambda item: -len(item[1])):
        text = re.sub(re.escape(value), f"${key}", text, flags=re.IGNORECASE)
    text = re.sub(rf"(?<![a-z0-9]){target.name}(?![a-z0-9])", "$name", text)
    return text.replace(str(target.number), "$n")


def table(rows: list[Row]) -> str:
    """For a terminal."""
    heads = ("cloud", "faults", "found", "")
    body = [
        (x.cloud, " + ".join(x.faults), x.found, "HIDDEN" if x.problems else "all found")
        for x in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]
    lines = [heads, tuple("-" * width for width in widths), *body]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--cloud", action="append", choices=sorted(VALUES))
    parser.add_argument("--pairs", metavar="FROM:TO", help="instead: these of all possible pairs")
    given = parser.parse_args()
    folder, clouds = given.folder.resolve(), given.cloud or sorted(VALUES)
    if given.pairs:
        first, last = map(int, given.pairs.split(":"))
        drawn = [each for cloud in clouds for each in possible(cloud, 2)[first:last]]
    else:
        drawn = draw(clouds, given.count, given.seed)
    rows = run(folder, drawn)
    text = table(rows)
    kept = sum(len(hidden(cloud)) for cloud in clouds)
    text += f"\n\nseed {given.seed}; {kept} pairs are not laid together, hidden/ says why"
    (folder / "rows.json").write_text(json.dumps([asdict(row) for row in rows], indent=2))
    (folder / "table.txt").write_text(text + "\n")
    print(text)
    wrong = [f"{x.cloud} {' + '.join(x.faults)}: {problem}" for x in rows for problem in x.problems]
    if wrong:
        raise SystemExit("\n".join(["", *wrong, f"The whole output is in {folder}"]))


if __name__ == "__main__":
    main()
