# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of AWS, in the order of the tables that they come from. A new check is one file and one line here."""

from __future__ import annotations

from ... import everywhere
from ...checks import Check
from . import (
    admission,
    c7_traffic,
    m1_public_access,
    m2_names,
    m3_endpoint_policy,
    m4_firewall,
    m5_placement,
    m6_spokes,
    m7_planes,
    open_path,
    outlook,
    pinned,
)

CHECKS: tuple[Check, ...] = (
    m1_public_access.CHECK,
    m2_names.CHECK,
    m3_endpoint_policy.CHECK,
    m4_firewall.CHECK,
    m5_placement.CHECK,
    m6_spokes.CHECK,
    m7_planes.CHECK,
    admission.CHECK,
    c7_traffic.CHECK,
    pinned.CHECK,
    open_path.CHECK,
    *everywhere.checks(outlook.OUTLOOK),
)
