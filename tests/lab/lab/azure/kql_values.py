# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kusto's scalar values: text, bool, int, float, datetime, timespan and dynamic (JSON), and null."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_ISO_PERIOD = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)


def timespan(literal: str) -> datetime.timedelta:
    """1d, 2h, 30m, 10s, 100ms."""
    match = re.fullmatch(r"([\d.]+)([a-z]+)", literal)
    if match is None:
        raise ValueError(literal)
    return datetime.timedelta(**{_UNITS[match[2]]: float(match[1])})


def iso_period(text: str) -> datetime.timedelta | None:
    """An ISO 8601 duration, as the query API's `timespan` has it; None if it is none."""
    match = _ISO_PERIOD.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    weeks, days, hours, minutes, seconds = (float(each or 0) for each in match.groups())
    return datetime.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def datetime_value(text: str) -> datetime.datetime | None:
    """A moment in any of the forms that Kusto reads; UTC without a zone of its own."""
    cleaned = re.sub(r"(\.\d{6})\d+", r"\1", text.strip().strip("\"'"))
    try:
        moment = datetime.datetime.fromisoformat(cleaned)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=datetime.timezone.utc)
    return moment.astimezone(datetime.timezone.utc)


def datetime_text(moment: datetime.datetime) -> str:
    """As Log Analytics writes it: as many digits of a second as there are."""
    text = moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def type_of(value: Any) -> str:
    """Kusto's name of a value's type."""
    if isinstance(value, bool):
        return "bool"
    for python, name in (
        (int, "long"),
        (float, "real"),
        (datetime.datetime, "datetime"),
        (datetime.timedelta, "timespan"),
        (str, "string"),
    ):
        if isinstance(value, python):
            return name
    return "dynamic"


def to_text(value: Any) -> str:
    """tostring(): null is the empty text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def to_json(value: Any) -> Any:
    """A value as a cell of the answer; a dynamic is text there."""
    if isinstance(value, datetime.datetime):
        return datetime_text(value)
    if isinstance(value, (dict, list, datetime.timedelta)):
        return to_text(value)
    return value


def parse_json(value: Any) -> Any:
    """parse_json(): what is no JSON stays text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def to_number(value: Any) -> int | float | None:
    """toint() and todouble(), before rounding; null for what is no number."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    try:
        return float(value) if "." in str(value) else int(str(value))
    except ValueError:
        return None
