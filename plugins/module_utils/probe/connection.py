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
from .together import ms_since, now

_MOST_BYTES = 256 * 1024
_MOST_TEXT = 1000
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


def connect(address: str, target: Dict[str, Any], means: Means) -> Dict[str, Any]:
    """One entry of an observation's `connections`."""
    seen: Dict[str, Any] = {"address": address, "tcp": None, "tls": None, "http": None}
    channel, seen["tcp"] = _tcp(address, target["port"], means.timeout)
    if channel is None:
        return seen
    secured, seen["tls"] = _tls(channel, address, target, means)
    if secured is None:
        return seen
    with secured:
        if target.get("probe_action"):
            seen["http"] = _http(secured, target, means)
    return seen


def _tcp(address: str, port: int, timeout: float) -> Any:
    started = now()
    try:
        channel = socket.create_connection((address, port), timeout)
    except OSError as problem:
        return None, {"ok": False, "error": _text(problem), "ms": ms_since(started)}
    return channel, {"ok": True, "error": None, "ms": ms_since(started)}


def _tls(channel: socket.socket, address: str, target: Dict[str, Any], means: Means) -> Any:
    started = now()
    seen: Dict[str, Any] = {
        "ok": False,
        "version": None,
        "names": [],
        "issuer": None,
        "not_after": None,
        "error": None,
        "ms": 0,
    }
    try:
        secured = means.context.wrap_socket(channel, server_hostname=target["host"])
    except (OSError, ValueError) as problem:
        channel.close()
        seen.update(error=_text(problem), ms=ms_since(started))
        if isinstance(problem, ssl.SSLCertVerificationError):
            seen.update(_unverified(address, target, means.timeout))
        return None, seen
    seen.update(ok=True, version=secured.version(), ms=ms_since(started), **_described(secured))
    return secured, seen


def _unverified(address: str, target: Dict[str, Any], timeout: float) -> Dict[str, Any]:
    """The certificate that was refused, to show whose it is. Nothing is sent over this connection."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        channel = socket.create_connection((address, target["port"]), timeout)
        with channel, context.wrap_socket(channel, server_hostname=target["host"]) as secured:
            return _described(secured)
    except (OSError, ValueError):
        return {}


def _described(secured: ssl.SSLSocket) -> Dict[str, Any]:
    try:
        return certificate.describe(secured.getpeercert(binary_form=True) or b"")
    except ValueError as problem:
        return {"issuer": str(problem)}


def _http(secured: ssl.SSLSocket, target: Dict[str, Any], means: Means) -> Dict[str, Any]:
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
        secured.sendall(request(target["host"], action, means))
        response = http.client.HTTPResponse(secured, method=action.get("method", "GET"))
        response.begin()
        body = response.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as problem:
        seen.update(message=_text(problem), ms=ms_since(started))
        return seen
    headers = {name.lower(): value for name, value in response.getheaders()}
    code, message = answers.code_and_message(headers, body)
    if response.status < 300:
        code = message = None
    seen.update(
        status=response.status,
        code=code,
        message=message[:_MOST_TEXT] if message else None,
        request_id=next((headers[name] for name in _REQUEST_IDS if headers.get(name)), None),
        answer=answers.classify(target["cloud"], response.status, code, message),
        ms=ms_since(started),
    )
    return seen


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
        return f"certificate verify failed: {problem.verify_message}"
    if isinstance(problem, OSError) and problem.errno and not isinstance(problem, ssl.SSLError):
        return os.strerror(problem.errno)
    return str(problem) or type(problem).__name__
