# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/lab/run with the clouds in this folder beside the real ones."""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[0] = str(_HERE.parents[1])

import lab

lab.__path__.append(str(_HERE))

from lab.cli import main

sys.exit(main(sys.argv[1:]))
