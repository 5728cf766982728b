# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small pieces of the page. Whatever is not a piece is text, and becomes one only by being escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from .clean import LONGEST, line, lines

MARKS: Final[Mapping[str, str]] = {
    "pass": "\u2713",
    "fail": "\u2717",
    "warn": "!",
    "unknown": "?",
    "skipped": "\u2013",
}
# What a status is called, by what is asked.
HOLDS: Final[Mapping[str, str]] = {
    "pass": "Holds",
    "fail": "Does not hold",
    "warn": "Holds in part",
    "unknown": "Not known",
    "skipped": "Left out",
}
IS_THERE: Final[Mapping[str, str]] = {
    "pass": "Not found",
    "fail": "Found",
    "warn": "In part",
    "unknown": "Not known",
    "skipped": "Left out",
}
PLAIN: Final[Mapping[str, str]] = {
    "pass": "Pass",
    "fail": "Fail",
    "warn": "Warning",
    "unknown": "Unknown",
    "skipped": "Left out",
}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object, longest: int = LONGEST) -> Html:
    """Any value as text, with a space at its edges where it has one; what is markup already stays."""
    if isinstance(value, Html):
        return value
    raw = str(value)
    before, after = (" " if edge == " " else "" for edge in (raw[:1], raw[-1:]))
    shown = escape(line(raw, longest), quote=True)
    return Html(f"{before}{shown}{after}" if shown else before)


def name(value: object) -> Html:
    """An identifier as text, which may be broken after an underscore."""
    return Html(text(value, 160).replace("_", "_<wbr>"))


def join(parts: Iterable[object], between: str = "") -> Html:
    """Pieces one after the other."""
    return Html(between.join(text(part) for part in parts))


def tag(name: str, *content: object, **attributes: str) -> Html:
    """An element. `class_` is class, and an underscore in a name of an attribute is a hyphen."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{shown}>{join(content)}</{name}>")


def paragraphs(value: object, longest: int = LONGEST) -> Html:
    """A text of several lines."""
    return Html("<br>".join(text(part, longest) for part in lines(value, longest)))


def pill(status: str, words: Mapping[str, str] | None = None) -> Html:
    """A status, as a sign and a word; words: other ones than the plain ones."""
    words = PLAIN if words is None else words
    known = status if status in MARKS else "unknown"
    mark = tag("span", MARKS[known], aria_hidden="true")
    return tag("span", mark, words[known], class_=f"s s-{known}")


def dot(status: str, words: Mapping[str, str]) -> Html:
    """A status as a sign alone; the word is there for those who do not see it."""
    known = status if status in MARKS else "unknown"
    mark = tag("span", MARKS[known], aria_hidden="true", title=words[known])
    return tag("span", mark, tag("span", words[known], class_="hide"), class_=f"s s-{known}")


def table(caption: str, head: Sequence[object], rows: Iterable[object], class_: str = "") -> Html:
    """A table that can be scrolled by keyboard; rows are <tr> elements."""
    top = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head)))
    name = tag("caption", caption, class_="hide")
    attributes = {"class_": class_} if class_ else {}
    body = tag("table", name, top, tag("tbody", *rows), **attributes)
    return tag("div", body, class_="scroll", tabindex="0", role="region", aria_label=caption)


def row(first: object, *cells: object, name: str | None = None) -> Html:
    """A row whose first cell heads it; `name` lets the filter find it."""
    attributes = {"data_t": line(name, 200)} if name is not None else {}
    return tag("tr", tag("th", first, scope="row"), *(cell(item) for item in cells), **attributes)


def cell(content: object, class_: str = "") -> Html:
    """A cell; one that is a <td> already stays."""
    if isinstance(content, Html) and content.startswith("<td"):
        return content
    return tag("td", content, **({"class_": class_} if class_ else {}))


def details(
    summary: object, *content: object, opened: bool = False, name: str | None = None
) -> Html:
    """Something that can be opened."""
    attributes = {"data_t": line(name, 200)} if name is not None else {}
    if opened:
        attributes["open"] = ""
    return tag("details", tag("summary", summary), *content, class_="box", **attributes)


def section(identifier: str, title: str, *content: object) -> Html:
    """A part of the page with its heading."""
    heading = tag("h2", title, id=f"{identifier}-title")
    return tag(
        "section",
        heading,
        *content,
        id=identifier,
        aria_labelledby=f"{identifier}-title",
    )


def some(names: Sequence[object], shown: int = 6) -> Html:
    """A few names, and how many more there are."""
    listed = ", ".join(line(name, 120) for name in names[:shown])
    more = len(names) - shown
    return text(f"{listed} and {more} more" if more > 0 else listed)
