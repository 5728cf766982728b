# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes the records of a name in a project's private zones. Arguments: project, name."""

import sys

import google.auth
from google.cloud import dns

project, name = sys.argv[1:]
credentials, _ = google.auth.default()
taken = 0
for zone in dns.Client(project, credentials).list_zones():
    for record in zone.list_resource_record_sets():
        if record.name == name and record.record_type in ("A", "AAAA"):
            changes = zone.changes()
            changes.delete_record_set(record)
            changes.create()
            taken += 1
sys.exit(not taken)
