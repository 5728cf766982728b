# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: exit codes, environment, signals, and that nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest


def test_the_commands_exit_code_is_returned(tiny):
    assert tiny("exit 3").returncode == 3
    assert tiny("true").returncode == 0


def test_a_signal_that_ends_the_command_becomes_128_plus_n(tiny):
    assert tiny("kill -TERM $$").returncode == 143
    assert tiny("kill -KILL $$").returncode == 137


def test_a_command_that_cannot_run_is_named(tiny_arguments, tmp_path):
    missing = subprocess.run(
        [*tiny_arguments, "--", "no-such-command"], capture_output=True, text=True
    )
    assert (missing.returncode, missing.stderr) == (
        127,
        "lab: no-such-command: command not found\n",
    )
    plain = tmp_path / "plain"
    plain.write_text("")
    refused = subprocess.run([*tiny_arguments, "--", str(plain)], capture_output=True, text=True)
    assert (refused.returncode, refused.stderr) == (126, f"lab: {plain}: Permission denied\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 64, "no COMMAND: say what to run after --"),
        (
            ["--vantage", "nobody", "--", "true"],
            64,
            "--vantage nobody: the world has only controller, app",
        ),
        (["--colour", "--", "true"], 64, "unrecognized arguments: --colour"),
        (["--faults", "/no/such", "--", "true"], 65, "lab: /no/such: No such file or directory"),
        (
            ["--journal", "/no/such/j", "--", "true"],
            73,
            "/no/such/j: the journal cannot be written: No such",
        ),
    ],
)
def test_wrong_usage_gets_a_sentence(tiny_arguments, arguments, code, says):
    done = subprocess.run([*tiny_arguments, *arguments], capture_output=True, text=True)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_help_tells_all(lab_run):
    done = lab_run("--help")
    assert done.returncode == 0
    for word in (
        "--world",
        "--journal",
        "--faults",
        "--vantage",
        "--check-world",
        "LAB_RUN",
        "exit codes",
    ):
        assert word in done.stdout


def test_without_an_environment_it_says_what_builds_one(tmp_path):
    script = Path(__file__).resolve().parents[1] / "run"
    (tmp_path / "tests/lab").mkdir(parents=True)
    shutil.copy(script, tmp_path / "tests/lab/run")
    unset = {key: value for key, value in os.environ.items() if key != "LAB_VENV"}
    done = subprocess.run(
        [tmp_path / "tests/lab/run", "true"], capture_output=True, text=True, env=unset
    )
    assert done.returncode == 78
    assert done.stderr == "lab: there is no .venv in this checkout: make lab builds .venv\n"


def test_nothing_of_the_real_world_is_in_the_environment(tiny):
    leaks = {
        "AWS_PROFILE": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL": "https://real.example.com",
        "HTTPS_PROXY": "http://proxy.example.com",
        "no_proxy": "*",
        "SSL_CERT_DIR": "/real",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AZURE_CLIENT_SECRET": "real",
        "GOOGLE_APPLICATION_CREDENTIALS": "/real",
        "SSL_CERT_FILE": "/real",
        "REQUESTS_CA_BUNDLE": "/real",
        "CURL_CA_BUNDLE": "/real",
        "AWS_CA_BUNDLE": "/real",
        "HTTPLIB2_CA_CERTS": "/real",
        "MINE": "kept",
    }
    done = tiny("env -0", variables=leaks)
    seen = dict(each.split("=", 1) for each in done.stdout.split("\0") if each)
    assert seen["MINE"] == "kept"
    assert not [name for name, value in seen.items() if name in leaks and "real" in value]
    assert "PYTHONDONTWRITEBYTECODE" not in seen and "no_proxy" not in seen
    for name in (
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "AWS_CA_BUNDLE",
        "HTTPLIB2_CA_CERTS",
    ):
        assert seen[name] == f"{seen['LAB_RUN']}/ca.pem"
    assert seen["TINY_KEY"] == "controller-key"
    assert not Path(seen["AWS_CONFIG_FILE"]).exists()


def test_the_environments_tools_come_first(tiny):
    assert tiny("command -v python").stdout.strip() == str(Path(sys.executable).parent / "python")


def test_it_starts_from_an_empty_environment(tiny_arguments):
    done = subprocess.run(
        [*tiny_arguments, "--", "curl", "-sS", "https://api.tiny.test/"],
        env={},
        capture_output=True,
    )
    assert (done.returncode, json.loads(done.stdout)["vantage"]) == (0, "controller")


def test_a_vantages_wrappers_have_its_own_variables_alone(tiny):
    done = tiny("$LAB_RUN/in-app-a sh -c 'echo \"$TINY_KEY/$CONTROLLER_ONLY\"'")
    assert done.stdout == "it's the app's key/\n"
    python = (
        "$LAB_RUN/python-app-a -c \"import os, sys; print(os.environ['TINY_KEY'], sys.executable)\""
    )
    assert tiny(python).stdout == f"it's the app's key {sys.executable}\n"


def test_the_vantages_may_have_another_python(tiny):
    found = tiny("$LAB_RUN/python-app-a here", "--python", "/bin/echo")
    assert (found.returncode, found.stdout) == (0, "here\n")
    done = tiny("true", "--python", "/no/such/python")
    assert (done.returncode, done.stderr) == (
        64,
        "lab: --python /no/such/python: there is no such program\n",
    )


def test_a_program_that_is_piped_runs_as_pythons_own_and_is_compiled_once(tiny, tmp_path):
    """As Ansible pipes modules: an archive at another place each time, whose modules are the same."""
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys, tempfile, zipfile\n"
        "path = tempfile.mkdtemp() + '/archive.zip'\n"
        "zipfile.ZipFile(path, 'w').writestr('packed.py', 'def of(): return 7')\n"
        "sys.path.insert(0, path)\n"
        "import packed\n"
        "right = packed.of.__code__.co_filename == path + '/packed.py'\n"
        "print(__name__, sys.argv, sys.path[1] == '', packed.of(), right, sys.stdin.read())\n"
    )
    piped = f"$LAB_RUN/python-app-a < {program}"
    done = tiny(f"{piped}; {piped}; ls $LAB_RUN/compiled | wc -l")
    assert done.stdout == "__main__ [''] True 7 True \n" * 2 + "1\n", done.stderr
    assert tiny("echo 'raise SystemExit(3)' | $LAB_RUN/python-app-a").returncode == 3


def test_another_environment_can_be_named(lab_run, tmp_path):
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python"
    python.write_text('#!/bin/sh\necho "ran $*"\n')
    python.chmod(0o755)
    done = lab_run("some", "arguments", variables={"LAB_VENV": str(tmp_path)})
    assert done.stdout.startswith("ran ") and done.stdout.endswith("__main__.py some arguments\n")


DEFAULT_INTERRUPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_signals_to_the_lab_reach_the_command(tiny_arguments):
    ticks = "for each in $(seq 300); do sleep 0.01; done"
    script = f"trap 'echo got it; exit 7' TERM INT; echo up; {ticks}"
    # What a script starts with & ignores SIGINT, and its children with it: a shell cannot trap that.
    told = [sys.executable, "-c", DEFAULT_INTERRUPT, *tiny_arguments, "--", "sh", "-c", script]
    for number in (signal.SIGTERM, signal.SIGINT):
        with subprocess.Popen(told, stdout=subprocess.PIPE, text=True) as lab:
            assert lab.stdout is not None
            assert lab.stdout.readline() == "up\n"
            lab.send_signal(number)
            assert lab.stdout.read() == "got it\n"
        assert lab.returncode == 7


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [each for child in map(int, children) for each in (child, *_descendants(child))]


def _gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        # A zombie has no command line: it waits for a parent outside the lab to take notice.
        left = [pid for pid in pids if _command_line(pid)]
        if not left:
            return True
        time.sleep(0.02)
    return False


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.mark.parametrize("victim", ["outer", "init", "server"])
def test_nothing_outlives_any_of_the_labs_processes(tiny_arguments, victim):
    script = "sleep 20 & setsid sleep 20 & echo up; sleep 20"
    with subprocess.Popen(
        [*tiny_arguments, "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as lab:
        assert lab.stdout is not None
        assert lab.stdout.readline() == "up\n"
        everything = _descendants(lab.pid)
        init, server = everything[0], everything[1]
        assert len(everything) >= 4
        os.kill({"outer": lab.pid, "init": init, "server": server}[victim], signal.SIGKILL)
        assert _gone(everything)
    assert lab.returncode == {"outer": -9, "init": 137, "server": 70}[victim]


def test_what_the_command_left_running_ends_with_it(tiny):
    started = time.monotonic()
    assert tiny("setsid sleep 20 & exit 0").returncode == 0
    assert time.monotonic() - started < 10


def test_labs_in_parallel_do_not_meet(tiny):
    script = (
        "curl -sS -X PUT https://api.tiny.test/endpoints/10.10.1.%d >/dev/null;"
        "$LAB_RUN/in-app-a python -c 'import socket; print(socket.gethostbyname(\"data.tiny.test\"))'"
    )
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: tiny(script % number), range(5, 9)))
    assert [each.stdout for each in done] == [f"10.10.1.{number}\n" for number in range(5, 9)]


def test_a_lab_within_a_lab(tiny, tiny_arguments):
    inner = " ".join([*tiny_arguments, "--", "curl", "-sS", "https://api.tiny.test/"])
    assert json.loads(tiny(inner).stdout)["vantage"] == "controller"


def test_a_simulator_that_failed_is_not_taken_for_success(tiny):
    done = tiny("curl -s -o /dev/null -w '%{http_code}' https://api.tiny.test/crash")
    assert (done.stdout, done.returncode) == ("500", 70)
    assert "RuntimeError: the tiny cloud crashed" in done.stderr
    assert tiny("curl -s https://api.tiny.test/crash >/dev/null; exit 5").returncode == 5


@pytest.fixture
def broken(tmp_path):
    tiny_world = Path(__file__).parent / "clouds" / "tiny.yml"
    path = tmp_path / "broken.yml"
    path.write_text(f"extends: {tiny_world}\ntiny: {{broken: true}}\n")
    return ["--world", str(path)]


def test_a_server_that_does_not_start_is_an_error_of_the_lab(tiny, broken):
    done = tiny("echo ran", *broken)
    assert (done.returncode, done.stdout) == (70, "")
    assert "RuntimeError: the tiny cloud is broken" in done.stderr
    assert done.stderr.endswith("lab: the server did not start; what it met is above\n")


_needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
_PROBE = "$LAB_RUN/in-app-a curl -sS https://data.tiny.test/"


@_needs_root
def test_it_runs_as_an_ordinary_user(tiny):
    done = tiny(f"{_PROBE}; echo; cat /proc/self/uid_map", variables={"AS_USER": "65534"})
    assert done.returncode == 0, done.stderr
    answer, uid_map = done.stdout.splitlines()
    assert json.loads(answer)["vantage"] == "app-a"
    assert uid_map.split() == ["0", "65534", "1"]


# Limits of a user namespace bind those inside it, root of it included, and nobody outside.
_LIMIT = 'for each in %s; do echo 0 > /proc/sys/user/max_$each; done; exec "$@"'


def _limited(*kinds: str) -> tuple[str, ...]:
    script = _LIMIT % " ".join(kinds)
    return ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")


def test_root_does_without_user_namespaces(tiny):
    done = tiny(_PROBE, wrap=_limited("user_namespaces"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["vantage"] == "app-a"


@pytest.fixture
def unpermitted(tiny):
    def run(script, *options):
        return tiny(script, *options, wrap=_limited("user_namespaces", "net_namespaces"))

    return run


def test_without_namespaces_the_control_plane_is_reached_through_a_proxy(unpermitted):
    done = unpermitted(
        'echo "$LAB_NETWORK"; python -c "import urllib.request as u; '
        "print(u.urlopen('https://api.tiny.test/x').read().decode())\"; ls -d $LAB_RUN"
    )
    assert done.returncode == 0, done.stderr
    network, answer, run = done.stdout.splitlines()
    assert (network, json.loads(answer)["address"]) == ("none", "203.0.113.10")
    assert not Path(run).exists()
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "lab: no namespaces here (unshare a user namespace: No space left on device (ENOSPC)"
    )
    assert line.endswith("control planes only, and network probes must be skipped")


def test_without_namespaces_the_real_world_is_refused(unpermitted):
    done = unpermitted("curl -sS https://example.com/; curl -sS -m 2 http://example.com/; exit 0")
    assert "502" in done.stderr
    assert done.stdout == ""


def test_without_namespaces_there_are_no_vantages(unpermitted):
    assert unpermitted("true", "--vantage", "app-a").returncode == 78
    done = unpermitted("$LAB_RUN/python-app-a -c 'print(1)'")
    assert (done.returncode, done.stdout) == (78, "")
    assert "app-a is not there: this machine permits no namespaces" in done.stderr


def test_without_namespaces_a_server_that_does_not_start_is_an_error_too(unpermitted, broken):
    done = unpermitted("echo ran", *broken)
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.endswith("lab: the server did not start; what it met is above\n")


def test_without_namespaces_nothing_outlives_the_lab(tiny_arguments):
    script = "echo $LAB_RUN; exec sleep 20"
    arguments = [
        *_limited("user_namespaces", "net_namespaces"),
        *tiny_arguments,
        "--",
        "sh",
        "-c",
        script,
    ]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as lab:
        assert lab.stdout is not None
        run = Path(lab.stdout.readline().strip())
        everything = _descendants(lab.pid)
        assert run.exists() and len(everything) >= 2
        lab.kill()
        assert _gone(everything)
    assert not run.exists()
