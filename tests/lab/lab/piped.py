# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `python` does with a program on its standard input, but modules out of an archive are compiled once in a lab.

Ansible pipes a module as an archive of source files, which a vantage's Python would compile anew for every probe: a
fifth of what it costs. Usage: python piped.py FOLDER, where compiled modules are kept. A copy lies in each lab's own
folder, since the checkout may be out of reach there; standard library only.
"""

import _imp
import importlib.util
import marshal
import os
import sys
import zipimport
from pathlib import Path
from types import CodeType
from typing import Any

_FOLDER = Path(sys.argv[1])
_OF_THIS_PYTHON = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
# Not public, and the only place where zipimport compiles (Lib/zipimport.py, 3.8 to 3.14).
_compile: Any = zipimport._compile_source  # type: ignore[attr-defined]


def _kept(path: str, source: bytes, *more: Any) -> CodeType:
    """The code of a module: kept from an earlier process of the same Python, or compiled."""
    place = _FOLDER / _imp.source_hash(_OF_THIS_PYTHON, bytes(source)).hex()
    try:
        code: CodeType = marshal.loads(place.read_bytes())
    except FileNotFoundError:
        code = _compile(path, source, *more)
        own = place.with_suffix(f".{os.getpid()}")
        own.write_bytes(marshal.dumps(code))
        own.replace(place)
    else:
        # Archives lie in a folder of another name each time.
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined]
    return code


zipimport._compile_source = _kept  # type: ignore[attr-defined]
sys.argv[:] = [""]
sys.path[0] = ""
exec(compile(sys.stdin.buffer.read(), "<stdin>", "exec"), {"__name__": "__main__"})
