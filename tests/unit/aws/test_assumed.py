# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials of assumed roles, kept across the processes of one run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.private_ai.endpoints.plugins.module_utils.aws import assumed

KEY = ("arn:aws:iam::222222222222:role/a", None, "AKIAEXAMPLE", "us-east-1", None)
OTHER = ("arn:aws:iam::222222222222:role/a", "external", "AKIAEXAMPLE", "us-east-1", None)
LATER = {"aws_access_key_id": "ASIA", "aws_secret_access_key": "hush", "aws_session_token": "t"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(assumed, "_own", {})
    monkeypatch.setattr(assumed, "_file", None)
    yield
    if assumed._file is not None:
        os.close(assumed._file)


def in_a_worker(work: Callable[[], object]) -> None:
    """Do it in a process that is forked, as Ansible does each task."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def ends(seconds: float) -> float:
    return time.time() + seconds


def test_what_one_worker_assumed_the_next_one_knows() -> None:
    assumed.share()
    in_a_worker(lambda: assumed.keep(KEY, ends(3600), LATER))
    assert assumed.recall(OTHER) is None
    assert assumed.recall(KEY) == LATER


def test_the_last_entry_counts_and_one_that_ends_soon_does_not() -> None:
    assumed.share()
    in_a_worker(lambda: assumed.keep(KEY, ends(assumed.MARGIN - 1), {}))
    assert assumed.recall(KEY) is None
    in_a_worker(lambda: assumed.keep(KEY, ends(3600), LATER))
    assert assumed.recall(KEY) == LATER


def test_a_worker_that_was_killed_while_it_wrote_spoils_nothing() -> None:
    assumed.share()
    in_a_worker(lambda: assumed.keep(KEY, ends(3600), LATER))
    assert assumed._file is not None
    size = os.fstat(assumed._file).st_size
    os.pwrite(assumed._file, os.pread(assumed._file, size, 0)[: size - 20], size)
    assert assumed.recall(KEY) == LATER
    in_a_worker(lambda: assumed.keep(OTHER, ends(3600), {"aws_access_key_id": "B"}))
    assert assumed.recall(OTHER) == {"aws_access_key_id": "B"}


def test_nothing_is_shared_that_was_not_prepared_for_it() -> None:
    in_a_worker(lambda: assumed.keep(KEY, ends(3600), LATER))
    assert assumed.recall(KEY) is None
    assumed.keep(KEY, ends(3600), LATER)
    assert assumed.recall(KEY) == LATER


def test_programs_that_are_started_do_not_get_it() -> None:
    assumed.share()
    assumed.keep(KEY, ends(3600), LATER)
    script = "import os\nfor n in os.listdir('/proc/self/fd'):\n    print(os.path.realpath(f'/proc/self/fd/{n}'))"
    seen = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, close_fds=False
    )
    assert "private-ai-endpoints" in os.path.realpath(f"/proc/self/fd/{assumed._file}")
    assert "private-ai-endpoints" not in seen.stdout
