# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are there whole or not at all, and that only their owner reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .core.errors import EndpointError

_FOLDER, _FILE = 0o700, 0o600


def write(folder: str, files: Mapping[str, str]) -> list[str]:
    """Write files (name → content) into a folder that is made where it is missing; the paths, in order.

    A file that was there is replaced at once. EndpointError names what could not be written.
    """
    place = Path(folder)
    try:
        place.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        return [_write(place / name, content) for name, content in files.items()]
    except OSError as error:
        raise EndpointError(
            f"cannot be written: {error}",
            resource=str(error.filename or folder),
            fix="Choose a folder that this user may write to",
        ) from error


def _write(path: Path, content: str) -> str:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(content)
        os.chmod(name, _FILE)  # noqa: PTH101
        os.replace(name, path)  # noqa: PTH105
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return str(path)
