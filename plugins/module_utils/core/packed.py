# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sealed bundle as one short text, for places that hand texts from one job to the next and share no files.

It is a data URL (RFC 2397) of the compressed file, so that anybody can open it without this collection.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from .errors import EndpointError

PREFIX: Final = "data:application/gzip;base64,"
# A text of a few kilobytes could unfold to any size.
_LARGEST: Final = 512 * 1024 * 1024
_GZIP: Final = zlib.MAX_WBITS | 16


def pack(document: Mapping[str, Any]) -> str:
    """The same document is the same text, whenever it is packed."""
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return PREFIX + base64.b64encode(gzip.compress(content, mtime=0)).decode()


def unpack(text: str) -> Any:
    """What was packed; EndpointError when the text is not whole."""
    try:
        inflate = zlib.decompressobj(_GZIP)
        content = inflate.decompress(
            base64.b64decode(text.removeprefix(PREFIX), validate=True), _LARGEST
        )
        if not inflate.eof:
            raise ValueError("it is cut off or too large")
        return json.loads(content)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise EndpointError(
            f"cannot be unpacked: {error}",
            resource=f"{text[:40]}…",
            fix="Pass it as the job that made it handed it over",
        ) from error
