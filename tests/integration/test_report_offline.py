# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report, its bundle and stored evidence on a machine without network and SDKs: plays on localhost, no lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.private_ai.endpoints.tests.unit.support import report_case as runs

ROOT = Path(__file__).resolve().parents[2]
MODULE = "private_ai.endpoints."
# In process and in a process of its own, whoever imports a cloud's SDK or opens a connection fails.
BARRED = """
import sys

class Barred:
    names = ("boto3", "botocore", "azure", "google", "googleapiclient")
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(f"{name} is not installed here")

sys.meta_path.insert(0, Barred())

def closed(event, arguments):
    if event == "socket.connect" and not isinstance(arguments[1], (str, bytes)):
        raise OSError(f"there is no network here: {arguments[1]}")
    if event == "socket.getaddrinfo" and arguments[0] != "127.0.0.1":
        raise OSError(f"there is no resolver here: {arguments[0]}")

sys.addaudithook(closed)
"""


class Play:
    """Tasks on localhost, offline; each is registered as `t0`, `t1` and so on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "barred").mkdir(exist_ok=True)
        (folder / "barred/sitecustomize.py").write_text(BARRED)

    def run(
        self, *tasks: dict[str, Any], in_process: bool = True, code: int = 0
    ) -> list[dict[str, Any]]:
        """The results of the tasks; a failed one does not stop the next, but one in a role that it includes does.

        code: how the play has to end. Where it ends otherwise than well, there are no results but its `output`.
        """
        kept = self.folder / "results.json"
        listed = [
            {"name": f"Task {number}", **task, "register": f"t{number}", "ignore_errors": True}
            for number, task in enumerate(tasks)
        ]
        content = (
            "{{ [" + ", ".join(f"t{number}" for number in range(len(tasks))) + "] | to_json }}"
        )
        keep = {
            "name": "Keep",
            "ansible.builtin.copy": {"content": content, "dest": str(kept), "mode": "0600"},
        }
        play = {
            "name": "Offline",
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "private_ai_endpoints_in_process": in_process,
            },
            "tasks": [*listed, keep],
        }
        book = self.folder / "play.yml"
        book.write_text(yaml.safe_dump([play], sort_keys=False))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), str(book)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(self.folder / "barred"), "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.output = done.stdout + done.stderr
        assert done.returncode == code, self.output
        if code:
            return []
        results: list[dict[str, Any]] = json.loads(kept.read_text())
        return results

    def keep(self, name: str, value: Any) -> Path:
        """A document as a file."""
        path = self.folder / name
        path.write_text(json.dumps(value))
        return path


def read(path: Path) -> str:
    return "{{ lookup('ansible.builtin.file', '" + str(path) + "') | from_json }}"


@pytest.fixture
def offline(tmp_path: Path) -> Play:
    return Play(tmp_path)


def test_a_run_is_reported_sealed_and_judged_again(offline: Play) -> None:
    remembered = [runs.aws_run(), runs.azure_run(runs.azure_without_zone)]
    source = offline.keep("runs.json", remembered)
    dest = offline.folder / "report"
    report = {
        MODULE + "private_endpoint_report": {
            "runs": read(source),
            "dest": str(dest),
            "fail_on": "high",
        }
    }
    (written,) = offline.run(report)
    assert written["changed"]
    names = {Path(item["path"]).name for item in written["files"]}
    assert names == {path.name for path in dest.iterdir()}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (dest, *dest.iterdir()))
    assert "invocation" not in written
    assert written["counting"]["foundry"] > 0
    assert "app-use1" not in written["counting"]

    bundle = json.loads((dest / "bundle.json").read_text())
    assert bundle["seal"] == written["seal"]
    forged = {**bundle, "entries": [dict(item) for item in bundle["entries"]]}
    forged["entries"][2]["content"] = {"public_network_access": "Disabled"}
    (offline.folder / "forged.json").write_text(json.dumps(forged))
    again = offline.folder / "again"
    seal = {"bundle": str(dest), "bundle_seal": written["seal"]}
    judged, forgery, other, reported = offline.run(
        {MODULE + "private_endpoint_validate": seal},
        {MODULE + "private_endpoint_validate": {"bundle": str(offline.folder / "forged.json")}},
        {MODULE + "private_endpoint_validate": {**seal, "bundle_seal": "sha256:00"}},
        {MODULE + "private_endpoint_report": {**seal, "dest": str(again)}},
    )
    told = {item["target"]: item for item in judged["judgements"]}
    assert {name: item["verdict"] for name, item in told.items()} == {
        "app-use1": "pass",
        "foundry": "fail",
    }
    assert all(item["same"] for item in judged["judgements"])
    assert judged["failed"]
    before = json.loads((dest / "findings.json").read_text())
    plain = [
        {key: item[key] for key in judged["findings"][0] if key in item}
        for item in before["findings"]
    ]
    assert judged["findings"] == plain
    assert "entry 2 (evidence app-use1): its content was changed" in forgery["msg"]
    assert "this is another bundle" in other["msg"]
    assert reported["verdict"]["status"] == "fail"
    after = json.loads((again / "findings.json").read_text())
    assert [item["verdict"] for item in after["targets"]] == [
        item["verdict"] for item in before["targets"]
    ]
    assert not (again / "bundle.json").exists()


def test_evidence_of_yesterday(offline: Play) -> None:
    run = runs.azure_run(runs.azure_without_zone)
    request = run["results"]["blocked"]
    parts = {
        "evidence": request["request"]["evidence"],
        "probe_targets": request["request"]["probe_targets"],
        "observations": request["observations"],
        "vantages": request["vantages"],
    }
    yesterday = offline.keep(
        "yesterday.json", {"findings": runs.azure_run()["results"]["blocked"]["findings"]}
    )
    source = offline.keep("parts.json", parts)
    options = {
        key: f"{{{{ (lookup('ansible.builtin.file', '{source}') | from_json).{key} }}}}"
        for key in parts
    }
    signed = [
        {key: item[key] for key in ("check", "resource", "target")}
        | {"reason": "signed", "until": "2099-12-31", "status": "fail"}
        for item in request["findings"]
        if item["status"] in ("fail", "unknown")
    ]
    judge = {**options, "baseline": read(yesterday), "fail_on": "low"}
    failed, accepted, expired = offline.run(
        {MODULE + "private_endpoint_validate": judge},
        {MODULE + "private_endpoint_validate": {**judge, "accepted": signed}},
        {
            MODULE + "private_endpoint_validate": {
                **judge,
                "accepted": [{**item, "until": "2026-01-01"} for item in signed],
            }
        },
        in_process=False,
    )
    assert failed["failed"]
    assert failed["drift"]["counts"]["new"] + failed["drift"]["counts"]["worse"] > 0
    assert not accepted["failed"]
    assert accepted["proof"] is None
    assert expired["failed"]
    assert {item["state"] for item in expired["accepted"]} == {"expired"}


def test_check_mode_and_bad_input_write_nothing(offline: Play) -> None:
    name = MODULE + "private_endpoint_report"
    dest = str(offline.folder / "report")
    source = read(offline.keep("runs.json", [runs.aws_run()]))
    results = offline.run(
        {name: {"runs": source, "dest": dest}, "check_mode": True},
        {name: {"runs": source}},
        {name: {"runs": [{"failure": "x"}], "dest": dest}},
        {name: {"runs": source, "bundle": dest, "dest": dest}},
        {name: {"bundle": dest + "/none.json", "dest": dest}},
        {
            name: {
                "runs": source,
                "dest": dest,
                "accepted": [{"check": "a", "resource": "b", "reason": " ", "until": "x"}],
            }
        },
        {name: {"runs": source, "dest": "/proc/report"}},
    )
    predicted, returned, *refused = results
    assert predicted["changed"]
    assert len(predicted["files"]) == 7
    assert not Path(dest).exists()
    assert not returned["changed"]
    assert returned["document"]["kind"] == "report"
    for result, said in zip(
        refused,
        ("has no target", "Leave runs out", "cannot be read", "lacks reason", "cannot be written"),
        strict=True,
    ):
        assert result["failed"]
        assert said in result["msg"]


def test_the_role_reports_on_a_bundle_and_decides(offline: Play) -> None:
    """In a process of its own, as on a machine whose playbook uses another interpreter."""
    source = read(offline.keep("runs.json", [runs.azure_run(runs.azure_without_zone)]))
    first, second = offline.folder / "first", offline.folder / "second"
    role = {"name": "private_ai.endpoints.report"}
    report = {"ansible.builtin.include_role": role}
    options = {
        "report_bundle": str(first),
        "report_dir": str(second),
        "report_formats": ["html", "text"],
        "report_made_by": "an auditor",
    }
    decide = {
        "ansible.builtin.include_role": {**role, "tasks_from": "decide"},
        # Who is asked about; the play has no host of that name.
        "vars": {"inventory_hostname": "foundry", "report_fail_on": "high"},
    }
    (sealed, *_rest) = offline.run(
        {MODULE + "private_endpoint_report": {"runs": source, "dest": str(first)}},
        {**report, "vars": {**options, "report_fail_on": "never"}},
        decide,
        in_process=False,
    )
    assert {path.name for path in second.iterdir()} == {"report.html", "summary.txt"}
    page = (second / "report.html").read_text()
    assert "Judged again from a sealed bundle: all 1 judgements are as recorded." in page
    assert sealed["seal"] in page
    assert "an auditor" in page

    offline.run({**report, "vars": {**options, "report_fail_on": "high"}}, decide, code=2)
    assert "foundry: findings of severity high or higher are open" in offline.output
    assert f"The report is in {second}/report.html" in offline.output
