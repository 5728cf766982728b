# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults, kills and runs at once, for any writing module: a cloud names its operations and what must stand.

A Subject tells a module's whole life as acts. Each act is repeated until it changes nothing, and then the cloud is
looked at behind the module's back. The operations that the subject names are the ones that are struck.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from .conftest import ACTION_PLUGINS, Lab, Outcome

HERE = Path(__file__).resolve().parent
KINDS = ("throttle", "error", "reset", "lost", "delay")
# One life for these together: the clients meet each of them by asking again, so that one request meets them in turn.
REPEATED = ("throttle", "error", "reset", "delay")
# The clients make so many attempts at one request (plugins/module_utils/aws/client.py, azure/pipeline.py,
# gcp/client.py): more faults make it fail.
ATTEMPTS = {"aws": 8, "azure": 8, "gcp": 8}
DELAY = 0.3
TRIES = 12
ENVIRONMENT = {
    "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
    "ANSIBLE_CALLBACKS_ENABLED": "quick_retries",
    "ANSIBLE_ACTION_PLUGINS": str(ACTION_PLUGINS),
}
# Every operation alone, every kind, once and lasting: minutes instead of seconds.
ALL = os.environ.get("FAULTS") == "all"
SEED = int(os.environ.get("FAULTS_SEED", "4"))


@dataclass(frozen=True, kw_only=True)
class Act:
    """One call of the module. after: what stands when it has converged, in the words of the cloud's look script."""

    options: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A writing module. writes: all its operations that write. cloud: its look script is `<cloud>_look.py`.

    meets: the write that makes what there must be one of; of several first runs the first is held there until the
    others have read. width: how many requests of one operation it makes at once.
    """

    module: str
    writes: Sequence[str]
    acts: Sequence[Act]
    world: Mapping[str, Any]
    cloud: str
    meets: str
    width: int = 1

    def __str__(self) -> str:
        return self.module.rpartition(".")[2]

    def looks(self) -> dict[str, Any]:
        """A task that returns what `stands`."""
        return {"look": {"cloud": self.cloud}}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A subject and what goes wrong. operations: what is struck, by each kind in turn.

    lasting: longer than the client repeats a request, which is for one kind alone.
    """

    subject: Subject
    kinds: Sequence[str]
    operations: Sequence[str]
    lasting: bool = False

    def __str__(self) -> str:
        which = self.operations[0] if len(self.operations) == 1 else "each"
        return (
            f"{self.subject}-{which}-{'+'.join(self.kinds)}-{'lasting' if self.lasting else 'once'}"
        )

    def faults(self) -> list[dict[str, Any]]:
        """The lab's faults file. A rehearsal (EC2's DryRun) is no write, and uses no fault up."""
        times = ATTEMPTS[self.subject.cloud] * self.subject.width
        return [
            {
                "match": {"operation": name, "write": True},
                "kind": kind,
                **({"count": times} if self.lasting else {"nth": [number]}),
                **({"seconds": DELAY} if kind == "delay" else {}),
            }
            for name in self.operations
            for number, kind in enumerate(self.kinds, 1)
        ]


def cases(subjects: Sequence[Subject]) -> Iterator[Case]:
    """Every operation × every kind. In one life each is struck once; with FAULTS=all each also alone, by each kind."""
    for subject in subjects:
        for kinds in (REPEATED, ("lost",)):
            yield Case(subject=subject, kinds=kinds, operations=subject.writes)
        for kind in KINDS:
            for lasting in (False, True):
                if lasting and kind == "delay":
                    continue
                whole = Case(
                    subject=subject, kinds=[kind], operations=subject.writes, lasting=lasting
                )
                if lasting or (ALL and kind != "lost"):
                    yield whole
                if ALL:
                    yield from (replace(whole, operations=[name]) for name in subject.writes)


def live(lab: Lab, case: Case) -> None:
    """A module's whole life under faults. It converges, or fails clearly and converges when it is run again."""
    subject = case.subject
    tasks = []
    for number, act in enumerate(subject.acts):
        result = f"result_{2 * number}"
        again = {
            subject.module: dict(act.options),
            "loop": f"{{{{ range({TRIES}) | list }}}}",
            "loop_control": {"break_when": [f"{result} is not failed", f"{result} is not changed"]},
        }
        tasks += [again, subject.looks()]
    outcome = lab.tasks(*tasks, world=subject.world, faults=case.faults(), environment=ENVIRONMENT)
    failures = []
    for act, tried, seen in zip(
        subject.acts, outcome.results[::2], outcome.results[1::2], strict=True
    ):
        failures += converged(tried["results"], lasting=case.lasting)
        found = seen["stands"]
        assert {key: found[key] for key in act.after} == act.after, (act.options, found)
    struck = {(entry["operation"], entry["fault"]) for entry in outcome.journal if entry["fault"]}
    assert struck == {(name, kind) for name in case.operations for kind in case.kinds}
    assert set(outcome.writes) == set(subject.writes)
    # Organizations and Resource Manager are asked again for minutes while they throttle.
    assert failures or not case.lasting or "throttle" in case.kinds, "no fault lasted"


def converged(tries: Sequence[Mapping[str, Any]], *, lasting: bool) -> list[Mapping[str, Any]]:
    """Check the tries of one act, and return those that failed."""
    failures = [result for result in tries if result.get("failed")]
    assert lasting or not failures, failures
    for result in failures:
        clear(result)
    assert not tries[-1].get("failed") and not tries[-1]["changed"], tries[-1]
    assert sum(result["changed"] for result in tries if not result.get("failed")) <= 1, tries
    return failures


def clear(result: Mapping[str, Any]) -> None:
    """A failure names what it is about, the cloud's code and the operation; one of Python's has no `error`."""
    error = result["error"]
    assert error["resource"] and error["code"] and error["action"] and error["fix"], result
    assert error["resource"] in result["msg"] and error["code"] in result["msg"], result["msg"]


def playbook(lab: Lab, name: str, tasks: Sequence[Mapping[str, Any]]) -> Path:
    """A play of these tasks on the controller, as a file."""
    path = lab.path(f"{name}.yml")
    play = {
        "name": name,
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [{"name": f"{name} {n}", **task} for n, task in enumerate(tasks)],
    }
    path.write_text(yaml.safe_dump([play], sort_keys=False))
    return path


def at_once(lab: Lab, subject: Subject, *others: Mapping[str, Any]) -> Outcome:
    """A first run, and others with these options changed, at the same time; the last line is what stands then.

    All of them have read before one of them makes anything.
    """
    act = subject.acts[0]
    plays = [
        playbook(lab, f"run{number}", [{subject.module: {**act.options, **changes}}])
        for number, changes in enumerate(({}, *others))
    ]
    runs = "\n".join(f'ansible-playbook {play} & pids="$pids $!"' for play in plays)
    script = f"{runs}\nfor pid in $pids; do wait $pid || exit 1; done\npython {HERE / subject.cloud}_look.py"
    held = {
        "match": {"operation": subject.meets, "write": True},
        "kind": "delay",
        "seconds": 4,
        "count": 1,
    }
    return lab.run(script, world=subject.world, faults=[held])


def killed(
    lab: Lab,
    cloud: str,
    tasks: Sequence[Mapping[str, Any]],
    world: Mapping[str, Any],
    at: int,
    whom: str,
) -> Outcome:
    """Kill a first run after so many requests, run it again, look, and run it a third time.

    whom: `all`, or `one`, the process that was started; its workers then go on beside the second run.
    Two results: what stands after the second run, and whether the third one changed anything.
    """
    first = playbook(lab, "first", tasks)
    answers = lab.path("answers.json")
    registers = [f"again_{number}" for number in range(len(tasks))]
    kept = [task.get("register") for task in tasks]
    third = [{**task, "register": kept[n] or registers[n]} for n, task in enumerate(tasks)]
    names = ", ".join(f"{task['register']}.changed" for task in third)
    content = "{{ {'stands': seen.stands, 'changed': [" + names + "]} | to_json }}"
    look = {"look": {"cloud": cloud}, "register": "seen"}
    keep = {"keep": {"content": content, "dest": str(answers)}}
    rest = playbook(lab, "rest", [*tasks, look, *third, keep])
    outcome = lab.run(
        f"python {HERE / 'kill_at.py'} {at} {whom} ansible-playbook {first} && ansible-playbook {rest}",
        world=world,
        environment=ENVIRONMENT,
    )
    assert outcome.code == 0, outcome.output
    outcome.results = [json.loads(answers.read_text())]
    return outcome
