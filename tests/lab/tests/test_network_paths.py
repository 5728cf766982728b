# Copyright: private_ai.endpoints contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packets, names, certificates and HTTP, seen from inside the networks."""

from __future__ import annotations

import json

import pytest

_PUT = "curl -sSf -o /dev/null -X PUT https://api.tiny.test/endpoints/10.10.1.5"
_DELETE = "curl -sSf -o /dev/null -X DELETE https://api.tiny.test/endpoints/10.10.1.5"
_PINNED = "curl -sS -m 0.5 --resolve data.tiny.test:443:10.10.1.5 https://data.tiny.test/"


def _python(vantage: str, code: str) -> str:
    return f"$LAB_RUN/python-{vantage} - <<'END'\n{code}\nEND\n"


def test_a_request_arrives_as_it_was_sent(tiny):
    done = tiny(
        "curl -sS -X PATCH -H 'X-Two: b' -d 'body' 'https://DATA.tiny.test/a%2Fb/../c?x=%20&y' --path-as-is"
    )
    seen = json.loads(done.stdout)
    assert seen["headers"]["x-two"] == "b"
    assert {
        key: seen[key] for key in ("vantage", "address", "host", "method", "path", "query", "body")
    } == {
        "vantage": "controller",
        "address": "203.0.113.10",
        "host": "data.tiny.test",
        "method": "PATCH",
        "path": "/a%2Fb/../c",
        "query": "x=%20&y",
        "body": "body",
    }


def test_every_vantage_is_known_by_its_address(tiny):
    done = tiny(
        "for each in app-a outside controller; do $LAB_RUN/in-$each curl -sS https://data.tiny.test/; done"
    )
    decoder, rest, names = json.JSONDecoder(), done.stdout, []
    while rest:
        seen, end = decoder.raw_decode(rest)
        names.append(seen["vantage"])
        rest = rest[end:]
    assert names == ["app-a", "outside", "controller"]


def test_a_packet_passes_as_soon_as_a_write_is_answered_and_no_longer(tiny):
    done = tiny(
        f"{_PUT}; $LAB_RUN/in-app-a {_PINNED} >/dev/null; echo $?;"
        f"{_DELETE}; $LAB_RUN/in-app-a {_PINNED}; echo $?"
    )
    assert done.stdout.split() == ["0", "28"], done.stderr
    assert "timed out" in done.stderr


def test_only_admitted_vantages_reach_a_private_address(tiny):
    done = tiny(f"{_PUT}; $LAB_RUN/in-outside {_PINNED}; echo $?; {_PINNED}; echo $?")
    assert done.stdout.split() == ["28", "28"]


def test_without_internet_public_addresses_are_silent_and_private_ones_work(tiny):
    done = tiny(
        "$LAB_RUN/in-sealed curl -sS -m 0.5 https://data.tiny.test/; echo $?;"
        f"{_PUT}; $LAB_RUN/in-sealed curl -sS https://data.tiny.test/ >/dev/null; echo $?"
    )
    assert done.stdout.split() == ["28", "0"], done.stderr


def test_a_scheduled_change_opens_the_way_when_it_is_due(tiny):
    code = """
import socket, time, urllib.request
request = urllib.request.Request("https://api.tiny.test/endpoints/10.10.1.5?pending=0.4", method="PUT")
started = time.monotonic()
urllib.request.urlopen(request).close()
while time.monotonic() < started + 5:
    try:
        socket.create_connection(("10.10.1.5", 443), timeout=0.02).close()
        break
    except TimeoutError:
        continue
print(time.monotonic() - started)
"""
    waited = float(tiny(_python("app-a", code)).stdout)
    assert 0.4 <= waited < 2  # machines are busy


def test_names_are_answered_by_each_networks_view(tiny):
    look = "python -c 'import socket; print(socket.gethostbyname(\"alias.tiny.test\"))'"
    done = tiny(f"{_PUT}; $LAB_RUN/in-app-a {look}; $LAB_RUN/in-outside {look}; {look}")
    assert done.stdout.split() == ["10.10.1.5", "203.0.113.10", "203.0.113.10"]


def test_names_that_nobody_serves_do_not_exist(tiny):
    for name in ("example.com", "nowhere.tiny.test", "localhost.localdomain"):
        done = tiny(f"getent ahosts {name}; echo $?")
        assert done.stdout == "2\n"
    assert tiny("getent ahosts localhost >/dev/null; echo $?").stdout == "0\n"


def test_long_answers_are_cut_over_udp_and_whole_over_tcp(tiny):
    assert len(tiny("getent ahostsv4 many.tiny.test | grep STREAM").stdout.splitlines()) == 60


def test_both_families_are_answered(tiny):
    code = "import socket; print(sorted({each[4][0] for each in socket.getaddrinfo('both.tiny.test', 443)}))"
    assert tiny(_python("app-a", code)).stdout == "['2001:db8::10', '203.0.113.10']\n"


def test_a_cloud_whose_names_crash_is_servfail_and_fails_the_run(tiny):
    code = """
import socket
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(2)
asker.connect(("192.0.2.53", 53))
asker.send(b"\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\5crash\\4tiny\\4test\\0\\0\\1\\0\\1")
print(asker.recv(512)[3] & 15)
"""
    done = tiny(_python("controller", code))
    assert (done.stdout, done.returncode) == ("2\n", 70)
    assert "the simulator failed while resolving crash.tiny.test for controller" in done.stderr


def test_certificates_are_for_the_name_asked_for_and_no_other(tiny):
    done = tiny("curl -sS https://other.test --connect-to ::203.0.113.10; echo $?")
    assert done.stdout == "60\n"
    assert "no alternative certificate subject name matches" in done.stderr
    pinned = "curl -sS --resolve other.tiny.test:443:203.0.113.77 https://other.tiny.test/"
    assert json.loads(tiny(pinned).stdout)["address"] == "203.0.113.77"


def test_a_certificate_is_not_trusted_without_the_labs_authority(tiny):
    done = tiny("env -u CURL_CA_BUNDLE -u SSL_CERT_FILE curl -sS https://data.tiny.test/; echo $?")
    assert done.stdout == "60\n"


def test_a_host_that_no_cloud_serves_is_misdirected(tiny):
    done = tiny(
        "curl -sS -k -o /dev/null -w '%{http_code}' -H 'Host: other.test' https://data.tiny.test/"
    )
    assert done.stdout == "421"


def test_a_connection_is_kept_for_many_requests_of_every_length(tiny):
    code = """
import http.client, json, time
connection = http.client.HTTPSConnection("data.tiny.test")
def seen(**arguments):
    connection.request(**arguments)
    return json.loads(connection.getresponse().read())
socket = None
started = time.monotonic()
for number in range(50):
    assert seen(method="POST", url="/", body="x" * number * 400)["body"] == "x" * number * 400
    socket = socket or connection.sock
    assert connection.sock is socket
assert time.monotonic() - started < 1
chunks = iter([b"one", b"two"])
chunked = {"encode_chunked": True, "headers": {"Transfer-Encoding": "chunked"}}
assert seen(method="POST", url="/", body=chunks, **chunked)["body"] == "onetwo"
assert seen(method="GET", url="/")["method"] == "GET" and connection.sock is socket
print("kept")
"""
    done = tiny(_python("app-a", code))
    assert done.stdout == "kept\n", done.stderr


def test_the_answer_to_head_has_no_body(tiny):
    code = """
import socket, ssl
plain = socket.create_connection(("data.tiny.test", 443))
stream = ssl.create_default_context().wrap_socket(plain, server_hostname="data.tiny.test")
stream.sendall(b"HEAD / HTTP/1.1\\r\\nHost: data.tiny.test\\r\\nConnection: close\\r\\n\\r\\n")
answer = b""
while more := stream.recv(4096):
    answer += more
print(answer.startswith(b"HTTP/1.1 200 OK"), answer.partition(b"\\r\\n\\r\\n")[2])
"""
    assert tiny(_python("app-a", code)).stdout == "True b''\n"


@pytest.mark.parametrize(
    "head",
    ["POST / HTTP/1.1\\r\\nContent-Length: -1", "POST / HTTP/1.1\\r\\nTransfer-Encoding: chunked"],
)
def test_bad_http_is_a_400(tiny, head):
    code = f"""
import socket, ssl
plain = socket.create_connection(("data.tiny.test", 443))
stream = ssl.create_default_context().wrap_socket(plain, server_hostname="data.tiny.test")
stream.sendall(b"{head}\\r\\nHost: data.tiny.test\\r\\n\\r\\nzz\\r\\n")
print(stream.recv(100).split(b"\\r\\n")[0])
"""
    assert tiny(_python("app-a", code)).stdout == "b'HTTP/1.1 400 Bad Request'\n"


def test_many_clients_at_once(tiny):
    code = """
import concurrent.futures, time, urllib.request
def get(number):
    return urllib.request.urlopen(f"https://data.tiny.test/{number}").status
started = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(20) as pool:
    assert set(pool.map(get, range(200))) == {200}
print(time.monotonic() - started)
"""
    assert float(tiny(_python("app-a", code)).stdout) < 10
