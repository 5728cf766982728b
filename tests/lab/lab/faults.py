# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: which requests go wrong, and how. The file's format is in tests/lab/README.md."""

from __future__ import annotations

import fnmatch
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.cloud import Call, Request

KINDS = ("throttle", "error", "reset", "lost", "delay")
_KEYS = {"match", "kind", "seconds", "nth", "count", "probability", "seed"}
_MATCH: dict[str, type] = {
    "operation": str,
    "host": str,
    "cloud": str,
    "principal": str,
    "vantage": str,
    "plane": str,
    "write": bool,
}


class BadFaults(ValueError):
    """The faults file is wrong; `problems` has one line for each thing."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


@dataclass
class Fault:
    """One entry. It counts the requests that it matches, and fires as its schedule says."""

    kind: str
    match: Mapping[str, Any]
    seconds: float = 0.0
    nth: frozenset[int] = frozenset()
    count: int | None = None
    probability: float = 1.0
    seed: int = 0
    _seen: int = 0
    _fired: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fires(self, request: Request, call: Call, free: bool) -> bool:
        """Whether this request is hit. Ask once per request: asking counts it as seen.

        `free` is False when another fault has the request already: then this one keeps its `count`.
        """
        if not self._matches(request, call):
            return False
        with self._lock:
            self._seen += 1
            if not free or (self.nth and self._seen not in self.nth):
                return False
            if self.count is not None and self._fired >= self.count:
                return False
            # Drawn from the number of the match, so that a seed means the same in every run.
            if random.Random(f"{self.seed}:{self._seen}").random() >= self.probability:
                return False
            self._fired += 1
            return True

    def _matches(self, request: Request, call: Call) -> bool:
        texts = {
            "operation": call.operation,
            "host": request.host,
            "cloud": call.cloud,
            "principal": call.principal,
            "vantage": request.vantage.name,
            "plane": call.plane,
        }
        for key, wanted in self.match.items():
            if key == "write":
                if call.write is not wanted:
                    return False
            elif not fnmatch.fnmatchcase(texts[key], wanted):
                return False
        return True


@dataclass(frozen=True)
class Verdict:
    """What happens to one request: a delay, and the kind of fault (None: it is answered)."""

    delay: float = 0.0
    kind: str | None = None


class Faults:
    """All entries. The delays of every entry that fires add up; of the others the first counts."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = list(faults)

    def judge(self, request: Request, call: Call) -> Verdict:
        delay, kind = 0.0, None
        for fault in self._faults:
            free = kind is None or fault.kind == "delay"
            if fault.fires(request, call, free):
                if fault.kind == "delay":
                    delay += fault.seconds
                else:
                    kind = fault.kind
        return Verdict(delay, kind)


def load(path: Path) -> Faults:
    """Read a faults file. Raises BadFaults with every problem, or OSError."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BadFaults([f"{path}: not YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(entries, list) or not entries:
        raise BadFaults([f"{path}: must be a list of faults"])
    problems = [each for number, entry in enumerate(entries) for each in _problems(number, entry)]
    if problems:
        raise BadFaults([f"{path}: {problem}" for problem in problems])
    return Faults([_fault(entry) for entry in entries])


def _fault(entry: Mapping[str, Any]) -> Fault:
    nth = entry.get("nth", [])
    return Fault(
        kind=entry["kind"],
        match=entry.get("match") or {},
        seconds=entry.get("seconds", 0.0),
        nth=frozenset([nth] if isinstance(nth, int) else nth),
        count=entry.get("count"),
        probability=entry.get("probability", 1.0),
        seed=entry.get("seed", 0),
    )


def _problems(number: int, entry: Any) -> list[str]:
    at = f"[{number}]"
    if not isinstance(entry, dict):
        return [f"{at}: must be a mapping"]
    found = [f"{at}.{key}: unknown key" for key in entry if key not in _KEYS]
    kind = entry.get("kind")
    if kind not in KINDS:
        found.append(f"{at}.kind: must be one of {', '.join(KINDS)}, not {kind!r}")
    if (kind == "delay") != ("seconds" in entry):
        found.append(f"{at}.seconds: belongs to kind delay, which needs it")
    if not _is_number(entry.get("seconds", 0), 0, 3600):
        found.append(f"{at}.seconds: must be a number of seconds from 0 to 3600")
    nth = entry.get("nth", 1)
    if not all(_is_count(each) for each in (nth if isinstance(nth, list) else [nth])):
        found.append(f"{at}.nth: must be a number from 1, or a list of them")
    if "count" in entry and not _is_count(entry["count"]):
        found.append(f"{at}.count: must be a number from 1")
    if not _is_number(entry.get("probability", 1), 0, 1):
        found.append(f"{at}.probability: must be a number from 0 to 1")
    if not isinstance(entry.get("seed", 0), int):
        found.append(f"{at}.seed: must be a whole number")
    return found + _match_problems(f"{at}.match", entry.get("match") or {})


def _match_problems(at: str, match: Any) -> list[str]:
    if not isinstance(match, dict):
        return [f"{at}: must be a mapping"]
    found = []
    for key, value in match.items():
        if key not in _MATCH:
            found.append(f"{at}.{key}: unknown key (known: {', '.join(sorted(_MATCH))})")
        elif not isinstance(value, _MATCH[key]):
            found.append(f"{at}.{key}: must be a {_MATCH[key].__name__}")
    return found


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
