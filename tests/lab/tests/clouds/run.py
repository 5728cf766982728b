# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/lab/run with the clouds in this folder beside the real ones.

With AS_USER=UID in the environment it becomes that user first (but after its imports, since not every
user may read where an interpreter lies).
"""

import codecs
import ctypes
import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[0] = str(_HERE.parents[1])

import lab

lab.__path__.append(str(_HERE))

from lab.cli import main

uid = int(os.environ.pop("AS_USER", os.geteuid()))
if uid != os.geteuid():
    codecs.lookup("ascii"), codecs.lookup("latin-1")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: exec would have set it again

sys.exit(main(sys.argv[1:]))
