# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate says of itself: names, issuer, expiry.

The ssl module decodes a certificate only after it was verified, and the one that was not is the interesting one (an
inspecting proxy's). So the few fields are read here. X.509: RFC 5280, section 4.1; encoding: ITU-T X.690.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

_SUBJECT_ALT_NAME = bytes([0x55, 0x1D, 0x11])
_ATTRIBUTES = {
    bytes([0x55, 0x04, 0x03]): "CN",
    bytes([0x55, 0x04, 0x06]): "C",
    bytes([0x55, 0x04, 0x0A]): "O",
    bytes([0x55, 0x04, 0x0B]): "OU",
}
_CONTEXT_0, _CONTEXT_3 = 0xA0, 0xA3
_DNS_NAME, _OID, _OCTETS, _UTC_TIME = 0x82, 0x06, 0x04, 0x17

Element = Tuple[int, bytes]


def describe(der: bytes) -> Dict[str, Any]:
    """`{names, issuer, not_after}` of a DER certificate. Raises ValueError when it is none."""
    try:
        return _describe(der)
    except (IndexError, StopIteration, UnicodeDecodeError) as problem:
        raise ValueError(f"not a certificate: {problem}") from problem


def _describe(der: bytes) -> Dict[str, Any]:
    certificate = next(_elements(der))[1]
    fields = list(_elements(next(_elements(certificate))[1]))
    if fields[0][0] == _CONTEXT_0:
        del fields[0]  # the version
    # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions
    issuer, validity, subject = fields[2][1], fields[3][1], fields[4][1]
    extensions = next((value for tag, value in fields if tag == _CONTEXT_3), b"")
    names = _alternative_names(extensions)
    common = dict(_distinguished(subject)).get("CN")
    return {
        "names": names or ([common] if common else []),
        "issuer": ", ".join(f"{key}={value}" for key, value in _distinguished(issuer)),
        "not_after": _time(list(_elements(validity))[1]),
    }


def _elements(data: bytes) -> Iterator[Element]:
    """The tag and content of each element that lies in `data` one after the other."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise IndexError("it ends too early")
        yield tag, data[at : at + length]
        at += length


def _distinguished(name: bytes) -> List[Tuple[str, str]]:
    found = []
    for _unused, relative in _elements(name):
        for _unused, attribute in _elements(relative):
            (_unused, kind), (_unused, value) = list(_elements(attribute))[:2]
            if kind in _ATTRIBUTES:
                found.append((_ATTRIBUTES[kind], value.decode("utf-8", "replace")))
    return found


def _alternative_names(extensions: bytes) -> List[str]:
    for _unused, listed in _elements(extensions):
        for _unused, extension in _elements(listed):
            parts = list(_elements(extension))
            if parts[0] == (_OID, _SUBJECT_ALT_NAME):
                content = next(value for tag, value in parts if tag == _OCTETS)
                names = next(_elements(content))[1]
                return [
                    value.decode("ascii") for tag, value in _elements(names) if tag == _DNS_NAME
                ]
    return []


def _time(element: Element) -> str:
    """ISO 8601. UTCTime has two digits for the year: 50 and later are of the 20th century."""
    tag, raw = element
    text = raw.decode("ascii").rstrip("Z")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
