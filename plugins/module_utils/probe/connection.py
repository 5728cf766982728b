# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One address seen from here: TCP, TLS with the real host's name, and one HTTP answer over it.

Proxies of the environment are never used: what is probed is the network path.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Callable, Dict

from . import answers, certificate, sigv4
from .reading import Bounded
from .text import plain
from .together import ms_since, now

# Of a body only the error in it is of interest, which fits in a fraction of this.
_MOST_BYTES = 32 * 1024
_MOST_TEXT = 1000
_LONGEST_ID = 200
_REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id", "apim-request-id", "x-ms-request-id")


@dataclass(frozen=True)
class Means:
    """What every connection of a run shares.

    timeout: seconds for each wait (connect, handshake, answer). token: what `bearer` sends.
    """

    context: ssl.SSLContext
    timeout: float
    credentials: sigv4.Credentials | None = None
    token: str | None = None


def trust(ca_path: str | None) -> ssl.SSLContext:
    """A verifying context: the given bundle, or the system's authorities (SSL_CERT_FILE is honoured).

    Raises OSError or ssl.SSLError when the bundle cannot be read.
    """
    return ssl.create_default_context(cafile=ca_path)


def connect(
    address: str, target: Dict[str, Any], means: Means, ends: float | None = None
) -> Dict[str, Any]:
    """One entry of an observation's `connections`.

    ends: a `now()` that no wait goes on after, however short `means.timeout` is.
    """
    until = Until(means.timeout, ends)
    seen: Dict[str, Any] = {"address": address, "tcp": None, "tls": None, "http": None}
    channel, seen["tcp"] = _tcp(address, target["port"], until)
    if channel is None:
        return seen
    secured, seen["tls"] = _tls(channel, address, target, means, until)
    if secured is None:
        return seen
    with secured:
        if target.get("probe_action"):
            seen["http"] = _http(secured, target, means, until)
    return seen


@dataclass(frozen=True)
class Until:
    """How long a wait may last: so many seconds, and never beyond the end of everything."""

    timeout: float
    ends: float | None = None

    def wait(self) -> float:
        """Seconds for the wait that begins now. Raises socket.timeout when there are none left."""
        left = self.timeout if self.ends is None else min(self.timeout, self.ends - now())
        if left <= 0:
            raise socket.timeout("timed out")
        return left


def _tcp(address: str, port: int, until: Until) -> Any:
    started = now()
    try:
        channel = socket.create_connection((address, port), until.wait())
    except OSError as problem:
        return None, {"ok": False, "error": _text(problem), "ms": ms_since(started)}
    return channel, {"ok": True, "error": None, "ms": ms_since(started)}


def _tls(
    channel: socket.socket, address: str, target: Dict[str, Any], means: Means, until: Until
) -> Any:
    started = now()
    seen: Dict[str, Any] = {
        "ok": False,
        "version": None,
        "names": [],
        "subject": None,
        "issuer": None,
        "not_after": None,
        "chain": [],
        "chain_complete": False,
        "error": None,
        "ms": 0,
    }
    try:
        secured = _handshake(means.context, channel, target["host"], until)
    except (OSError, ValueError) as problem:
        channel.close()
        seen.update(error=_text(problem), ms=ms_since(started))
        if isinstance(problem, ssl.SSLCertVerificationError):
            seen.update(_unverified(address, target, until))
        return None, seen
    seen.update(ok=True, version=secured.version(), ms=ms_since(started), **_described(secured))
    return secured, seen


def _handshake(
    context: ssl.SSLContext, channel: socket.socket, host: str, until: Until
) -> ssl.SSLSocket:
    # One wait for the whole handshake, however its bytes drip in.
    channel.settimeout(until.wait())
    return context.wrap_socket(channel, server_hostname=host)


def _unverified(address: str, target: Dict[str, Any], until: Until) -> Dict[str, Any]:
    """The certificates that were refused, to show whose they are. Nothing is sent over this connection."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        channel = socket.create_connection((address, target["port"]), until.wait())
        with channel, _handshake(context, channel, target["host"], until) as secured:
            return _described(secured)
    except (OSError, ValueError):
        return {}


def _described(secured: ssl.SSLSocket) -> Dict[str, Any]:
    links, complete = certificate.chain(secured)
    shown: Dict[str, Any] = {"chain": links, "chain_complete": complete}
    try:
        shown.update(certificate.describe(secured.getpeercert(binary_form=True) or b""))
    except ValueError as problem:
        shown["issuer"] = plain(problem, _MOST_TEXT)
    return shown


def _http(
    secured: ssl.SSLSocket, target: Dict[str, Any], means: Means, until: Until
) -> Dict[str, Any]:
    action = target["probe_action"]
    started = now()
    seen: Dict[str, Any] = {
        "status": None,
        "code": None,
        "message": None,
        "request_id": None,
        "answer": answers.OTHER,
        "ms": 0,
    }
    try:
        wait = until.wait()
        ends = now() + wait
        secured.settimeout(wait)
        secured.sendall(request(target["host"], action, means))
        answer: Any = Bounded(secured, ends)
        response = http.client.HTTPResponse(answer, method=action.get("method", "GET"))
        response.begin()
        seen["status"] = response.status
        body = _body(response)
    except (OSError, ValueError, http.client.HTTPException) as problem:
        seen.update(message=_text(problem), ms=ms_since(started))
        return seen
    headers = {name.lower(): value for name, value in response.getheaders()}
    code = message = None
    if response.status >= 300:
        code, message = answers.code_and_message(headers, body)
    identifier = next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None)
    seen.update(
        status=response.status,
        code=code,
        message=message,
        request_id=plain(identifier, _LONGEST_ID) if identifier else None,
        answer=answers.classify(target["cloud"], response.status, code, message),
        ms=ms_since(started),
    )
    return seen


def _body(response: http.client.HTTPResponse) -> str:
    """The beginning of the body. What was let in was let in, even where its answer never ends."""
    try:
        return response.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, ValueError, http.client.HTTPException):
        if 200 <= response.status < 300:
            return ""
        raise


def request(host: str, action: Dict[str, Any], means: Means) -> bytes:
    """The bytes of a probe action's request, signed when it asks for that and there is something to sign with."""
    method, path = action.get("method", "GET"), action["path"]
    body = (action.get("body") or "").encode()
    headers = {str(name): str(value) for name, value in (action.get("headers") or {}).items()}
    signer = SIGNERS.get(action.get("auth") or "")
    if signer:
        headers = signer(means, method, host, path, headers, body, action)
    headers = {"Host": host, **headers, "User-Agent": "private_ai.endpoints", "Connection": "close"}
    headers["Accept"] = headers.get("Accept", "*/*")
    if body or method not in ("GET", "HEAD"):
        headers["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _aws4(
    means: Means,
    method: str,
    host: str,
    path: str,
    headers: Dict[str, str],
    body: bytes,
    action: Dict[str, Any],
) -> Dict[str, str]:
    if means.credentials is None:
        return headers
    return sigv4.sign(
        means.credentials,
        method=method,
        host=host,
        path=path,
        headers=headers,
        body=body,
        region=action["region"],
        service=action["signing_name"],
    )


def _bearer(
    means: Means,
    _method: str,
    _host: str,
    _path: str,
    headers: Dict[str, str],
    _body: bytes,
    _action: Dict[str, Any],
) -> Dict[str, str]:
    return {**headers, "Authorization": f"Bearer {means.token}"} if means.token else headers


# How a probe action's `auth` signs a request; another cloud adds its own.
SIGNERS: Dict[str, Callable[..., Dict[str, str]]] = {"aws4": _aws4, "bearer": _bearer}


def _text(problem: BaseException) -> str:
    if isinstance(problem, socket.timeout):
        return "timed out"
    if isinstance(problem, ssl.SSLCertVerificationError):
        return plain(f"certificate verify failed: {problem.verify_message}", _MOST_TEXT)
    if isinstance(problem, OSError) and problem.errno and not isinstance(problem, ssl.SSLError):
        return os.strerror(problem.errno)
    return plain(problem, _MOST_TEXT) or type(problem).__name__
