# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks that are the same in every cloud, made for one from its outlook."""

from __future__ import annotations

from . import blind_spots, contradictions, interception, proxies
from .checks import Check
from .outlook import Outlook


def checks(outlook: Outlook) -> tuple[Check, ...]:
    """To be listed beside the cloud's own."""
    return tuple(
        part.check(outlook) for part in (contradictions, blind_spots, interception, proxies)
    )
