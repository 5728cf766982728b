# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal, and faults on demand."""

from __future__ import annotations

import json

import pytest

_GET = "curl -s -o /dev/null -w '%{http_code}\\n' https://api.tiny.test/; "


@pytest.fixture
def journal(tmp_path):
    """(options, lines): the option that writes a journal, and what reads it."""
    path = tmp_path / "journal.jsonl"

    def lines():
        return [json.loads(each) for each in path.read_text().splitlines()]

    return ["--journal", str(path)], lines


@pytest.fixture
def faults(tmp_path):
    def write(text: str) -> list[str]:
        path = tmp_path / "faults.yml"
        path.write_text(text)
        return ["--faults", str(path)]

    return write


def test_each_control_plane_request_is_a_line(tiny, journal):
    options, lines = journal
    tiny(
        "curl -s -X PUT -H 'x-principal: me' https://api.tiny.test/endpoints/10.10.1.5;"
        "$LAB_RUN/in-app-a curl -s https://api.tiny.test/; curl -s https://data.tiny.test/",
        *options,
    )
    put, get = lines()
    assert put.pop("time").endswith("+00:00")
    assert 0 <= put.pop("duration") < 1
    assert put == {
        "cloud": "tiny",
        "host": "api.tiny.test",
        "vantage": "controller",
        "operation": "tiny:PutEndpoint",
        "principal": "me",
        "parameters": {
            "path": "/endpoints/10.10.1.5",
            "SecretKey": "********",
            "ClientToken": "t-1",
        },
        "write": True,
        "status": 200,
        "fault": None,
        "authorized": [],
    }
    assert (get["vantage"], get["operation"], get["write"]) == ("app-a", "tiny:GetEndpoint", False)


def test_the_command_can_read_the_journal_and_a_new_run_starts_a_new_one(tiny, journal):
    options, lines = journal
    for _ in range(2):
        assert tiny(f'{_GET} wc -l < "$LAB_JOURNAL"', *options).stdout.split() == ["200", "1"]
    assert len(lines()) == 1


@pytest.mark.parametrize(("kind", "status"), [("throttle", 429), ("error", 503)])
def test_a_refused_request_has_no_effect(tiny, journal, faults, kind, status):
    options, lines = journal
    put = "curl -s -o /dev/null -w '%{http_code}\\n' -X PUT https://api.tiny.test/endpoints/10.10.1.5; "
    look = "$LAB_RUN/in-app-a getent ahostsv4 data.tiny.test | head -1 | cut -d' ' -f1;"
    fault = faults(f"- {{match: {{operation: 'tiny:Put*', write: true}}, kind: {kind}, count: 1}}")
    done = tiny(put + look + put + look, *options, *fault)
    assert done.stdout.split() == [str(status), "203.0.113.10", "200", "10.10.1.5"]
    assert [(each["status"], each["fault"]) for each in lines()] == [(status, kind), (200, None)]


def test_reset_comes_before_the_effect_and_lost_after_it(tiny, journal, faults):
    options, lines = journal
    put = "curl -s -X PUT https://api.tiny.test/endpoints/10.10.1.5; echo $?; "
    look = "$LAB_RUN/in-app-a getent ahostsv4 data.tiny.test | head -1 | cut -d' ' -f1;"
    for kind, seen, status in (("reset", "203.0.113.10", None), ("lost", "10.10.1.5", 200)):
        done = tiny(put + look, *options, *faults(f"- {{match: {{write: true}}, kind: {kind}}}"))
        # 35, 52 and 56: curl's connection errors
        assert done.stdout.split()[0] in {"35", "52", "56"}
        assert done.stdout.split()[1] == seen
        assert [(each["status"], each["fault"]) for each in lines()] == [(status, kind)]


def test_a_delay_is_one(tiny, journal, faults):
    options, lines = journal
    fault = faults("- {match: {host: 'api.*'}, kind: delay, seconds: 0.3}")
    assert tiny(_GET, *options, *fault).stdout == "200\n"
    assert [(each["fault"], each["duration"] >= 0.3) for each in lines()] == [("delay", True)]


def test_faults_fire_by_number(tiny, faults):
    fault = faults("- {kind: throttle, nth: [2, 4]}\n- {kind: error, nth: 3}")
    assert tiny(_GET * 5, *fault).stdout.split() == ["200", "429", "503", "429", "200"]


def test_a_fault_that_comes_second_keeps_its_count(tiny, faults):
    fault = faults("- {kind: throttle, count: 1}\n- {kind: error, count: 1}")
    assert tiny(_GET * 3, *fault).stdout.split() == ["429", "503", "200"]


def test_faults_fire_by_seed_alike_in_every_run(tiny, faults):
    def run(seed):
        fault = faults(f"- {{kind: throttle, probability: 0.5, seed: {seed}}}")
        return tiny(_GET * 12, *fault).stdout.split()

    first = run(1)
    assert set(first) == {"200", "429"}
    assert first == run(1) != run(2)


def test_faults_match_every_condition(tiny, faults):
    fault = faults(
        "- {match: {operation: 'tiny:Get*', write: true}, kind: throttle}\n"
        "- {match: {vantage: app-*, plane: control}, kind: error}"
    )
    done = tiny(
        f"{_GET} $LAB_RUN/in-app-a {_GET} $LAB_RUN/in-app-a {_GET.replace('api', 'data')}", *fault
    )
    assert done.stdout.split() == ["200", "503", "200"]


def test_a_wrong_faults_file_is_refused_with_all_that_is_wrong(tiny, faults):
    fault = faults(
        "- {kind: explode, nth: 0, match: {operation: 3, colour: red}}\n"
        "- {kind: delay, count: -1, probability: 2, seed: x, often: true}\n"
        "- just text\n"
    )
    done = tiny("true", *fault)
    assert done.returncode == 65
    wrong = [line.split("faults.yml: ")[1].split(":")[0] for line in done.stderr.splitlines()]
    assert sorted(wrong) == [
        "[0].kind",
        "[0].match.colour",
        "[0].match.operation",
        "[0].nth",
        "[1].count",
        "[1].often",
        "[1].probability",
        "[1].seconds",
        "[1].seed",
        "[2]",
    ]


def test_a_faults_file_that_is_no_yaml_is_refused(tiny, faults):
    done = tiny("true", *faults("- {kind: ["))
    assert (done.returncode, len(done.stderr.splitlines())) == (65, 1)
    assert "not YAML" in done.stderr
