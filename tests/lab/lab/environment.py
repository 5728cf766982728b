# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of a command in the lab: its clouds, its authority, and nothing of the real world."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

# Whatever names a file of trusted authorities; a machine may export any of them.
_TRUST = (
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "HTTPLIB2_CA_CERTS",
    "GIT_SSL_CAINFO",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)
_LEAKS = re.compile(
    r"(AWS|AZURE|ARM|GOOGLE|GCP|GCLOUD|CLOUDSDK|BOTO|LAB)_\w+|\w+_(?i:proxy)|SSL_CERT_DIR"
    r"|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS|PYTHONDONTWRITEBYTECODE|PYTHONHOME|PYTHONHTTPSVERIFY"
    r"|ANSIBLE_HOME|ANSIBLE_REMOTE_TMP|ANSIBLE_LOCAL_TEMP|ANSIBLE_ASYNC_DIR"
)


_PIPED, _COMPILED = "piped.py", "compiled"


def build(
    outer: Mapping[str, str],
    vantage: Mapping[str, str],
    run: Path,
    world: Path,
    journal: Path | None,
) -> dict[str, str]:
    """From the caller's environment, the vantage's own variables, and where things lie."""
    environment = {name: value for name, value in outer.items() if not _LEAKS.fullmatch(name)}
    environment |= dict.fromkeys(_TRUST, str(run / "ca.pem"))
    binaries = str(
        Path(sys.executable).parent
    )  # as invoked: the environment's, not what it links to
    environment["PATH"] = f"{binaries}:{outer.get('PATH', '/usr/local/bin:/usr/bin:/bin')}"
    environment |= {
        "LAB_RUN": str(run),
        "LAB_WORLD": str(world),
        "ANSIBLE_HOME": str(run / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(run / "ansible" / "remote"),
        # Else a job writes below $HOME and is looked for in the home of the password file, which may be another.
        "ANSIBLE_ASYNC_DIR": str(run / "ansible" / "async"),
        # Files that do not exist, so that nobody's real ones are read.
        "AWS_CONFIG_FILE": str(run / "aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(run / "aws" / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "CLOUDSDK_CONFIG": str(run / "gcloud"),
        "NO_GCE_CHECK": "true",
    }
    if journal:
        environment["LAB_JOURNAL"] = str(journal)
    return environment | dict(vantage)


def keep_compiled(run: Path) -> None:
    """Lay down what the wrappers' Python runs a piped program with, and where that keeps what it compiled."""
    (run / _COMPILED).mkdir()
    shutil.copy(Path(__file__).with_name(_PIPED), run)


def write_wrappers(
    run: Path,
    namespace: Path | None,
    name: str,
    own: Mapping[str, str],
    foreign: set[str],
    python: Path,
) -> None:
    """`in-NAME COMMAND…` and `python-NAME …` run in a vantage, with the vantage's own variables.

    `foreign` are variables of other vantages that must not be seen here: credentials above all.
    Without a namespace the scripts say why there is none, and exit with 78.
    """
    if namespace is None:
        refusal = (
            f"{name} is not there: this machine permits no namespaces, so the lab has no network"
        )
        enter = f"echo {shlex.quote(refusal)} >&2\nexit 78\n#"
    else:
        unset = "".join(f"unset {each}\n" for each in sorted(foreign - set(own)))
        export = "".join(f"export {key}={shlex.quote(own[key])}\n" for key in sorted(own))
        enter = f"{unset}{export}exec nsenter --net={shlex.quote(str(namespace))} --"
    keep = shlex.join(("set", "--", str(run / _PIPED), str(run / _COMPILED)))
    fed = f"[ $# -gt 0 ] || [ -t 0 ] || {keep}\n"
    for script, first, command in (
        (f"in-{name}", "", ""),
        (f"python-{name}", fed, shlex.quote(str(python))),
    ):
        path = run / script
        path.write_text(f'#!/bin/sh\n{first}{enter} {command} "$@"\n')
        path.chmod(0o755)
