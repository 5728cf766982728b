# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The suboptions of `accepted`, for every module that takes risks that somebody signed for."""

from __future__ import annotations

from typing import Any

ACCEPTED: dict[str, Any] = {
    "check": {"type": "str", "required": True},
    "resource": {"type": "str", "required": True},
    "reason": {"type": "str", "required": True},
    "until": {"type": "str", "required": True},
    "target": {"type": "str"},
    "vantage": {"type": "str"},
    "status": {"type": "str", "choices": ["warn", "unknown", "fail"], "default": "unknown"},
}
