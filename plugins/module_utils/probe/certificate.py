# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What certificates say of themselves: names, issuer, expiry; and the chain that a server shows.

The ssl module decodes a certificate only after it was verified, and the one that was not is the interesting one (an
inspecting proxy's). So the few fields are read here. X.509: RFC 5280, section 4.1; encoding: ITU-T X.690.
"""

from __future__ import annotations

import hashlib
import ssl
from typing import Any, Dict, Iterator, List, Tuple

from .text import plain

_SUBJECT_ALT_NAME = bytes([0x55, 0x1D, 0x11])
_ATTRIBUTES = {
    bytes([0x55, 0x04, 0x03]): "CN",
    bytes([0x55, 0x04, 0x06]): "C",
    bytes([0x55, 0x04, 0x0A]): "O",
    bytes([0x55, 0x04, 0x0B]): "OU",
}
_CONTEXT_0, _CONTEXT_3 = 0xA0, 0xA3
_DNS_NAME, _OID, _OCTETS, _UTC_TIME = 0x82, 0x06, 0x04, 0x17

# A certificate may hold thousands of names of any length. Those of the clouds have some dozens.
_MOST_NAMES, _LONGEST_NAME, _LONGEST_TITLE = 200, 255, 500
_LONGEST_CHAIN = 10
_DER = 2  # _ssl.ENCODING_DER

Element = Tuple[int, bytes]


def describe(der: bytes) -> Dict[str, Any]:
    """`{names, subject, issuer, not_after}` of a DER certificate. Raises ValueError when it is none."""
    try:
        return _describe(der)
    except (IndexError, StopIteration, RuntimeError, UnicodeDecodeError) as problem:
        raise ValueError(f"not a certificate: {problem}") from problem


def chain(secured: ssl.SSLSocket) -> Tuple[List[Dict[str, Any]], bool]:
    """`{subject, issuer, not_after, fingerprint}` of each certificate that the server showed, its own first.

    fingerprint: SHA-256, in hexadecimal digits. And whether these are all: Python before 3.10 shows only the first.
    """
    shown, complete = _shown(secured)
    return [_link(der) for der in shown[:_LONGEST_CHAIN]], complete


def _shown(secured: ssl.SSLSocket) -> Tuple[List[bytes], bool]:
    public = getattr(secured, "get_unverified_chain", None)  # Python 3.13
    inner = getattr(getattr(secured, "_sslobj", None), "get_unverified_chain", None)  # 3.10
    if public:
        return list(public()), True
    if inner:
        return [item.public_bytes(_DER) for item in inner() or []], True
    first = secured.getpeercert(binary_form=True)
    return [first] if first else [], False


def _link(der: bytes) -> Dict[str, Any]:
    try:
        known = describe(der)
    except ValueError as problem:
        known = {"subject": None, "issuer": plain(problem, _LONGEST_TITLE), "not_after": None}
    told = {key: known[key] for key in ("subject", "issuer", "not_after")}
    return {**told, "fingerprint": hashlib.sha256(der).hexdigest()}


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
    named = (names or ([common] if common else []))[:_MOST_NAMES]
    return {
        "names": [plain(name, _LONGEST_NAME) for name in named],
        "subject": _title(subject),
        "issuer": _title(issuer),
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


def _title(name: bytes) -> str:
    return plain(", ".join(f"{key}={value}" for key, value in _distinguished(name)), _LONGEST_TITLE)


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
                    value.decode("ascii", "replace")
                    for tag, value in _elements(names)
                    if tag == _DNS_NAME
                ]
    return []


def _time(element: Element) -> str:
    """ISO 8601. UTCTime has two digits for the year: 50 and later are of the 20th century."""
    tag, raw = element
    text = plain(raw.decode("ascii").rstrip("Z"), 20)
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
