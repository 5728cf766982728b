# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time that audit records are looked at for, from the options traffic_days and traffic_start."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from .errors import EndpointError
from .proof import parse_timestamp


def window(
    days: float, start: str | None, *, longest: timedelta, kept: str
) -> tuple[datetime, datetime]:
    """Begin and end, which is now; EndpointError names the option that does not fit.

    longest: how long the cloud keeps its records. kept: the same as a sentence.
    """
    end = datetime.now(timezone.utc)
    if start is None:
        if not 0 < days <= longest.days:
            raise EndpointError(
                f"{days} is not between 0 and {longest.days}", resource="traffic_days", fix=kept
            )
        return end - timedelta(days=days), end
    try:
        first = parse_timestamp(start)
    except ValueError as error:
        raise EndpointError(
            str(error), resource="traffic_start", fix="Write it as 2026-01-31T12:00:00Z"
        ) from error
    if not end - longest <= first < end:
        raise EndpointError(
            f"{start} is not within the last {longest.days} days", resource="traffic_start"
        )
    return first, end
