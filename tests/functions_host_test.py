#!/usr/bin/env python3
"""Runs handler.zip, as it would be deployed, under a stand-in for the Azure Functions host.

usage: python3 tests/functions_host_test.py STAND_IN

STAND_IN is a Python program with the command line `APP_ROOT --port 0 --mode forward|proxy`. It
prints a JSON line with its port ("listening"), starts what host.json names, and logs to standard
error, each line of the handler after "LEVEL Host.Function.Console:". Needs Linux, Rust and Python.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

from package_test import BUILD_SECONDS, ROOT, check, finish, package, unpack

TENANT = "11111111-2222-3333-4444-555555555555"
API = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CLIENT = "bbbbbbbb-0000-0000-0000-000000000001"
SETTINGS = (
    "ALLOWED_TENANTS ALLOWED_CLIENTS REQUIRED_SCOPES REQUIRED_ROLES CLOCK_SKEW_SECONDS "
    "ALLOWED_ORIGINS AUDIT_LOG"
).split()
TEST_SECONDS = 240


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    stand_in = pathlib.Path(sys.argv[1]).resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"took more than {TEST_SECONDS} seconds"))

    issuer = build()
    signal.alarm(TEST_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        app = unpack(pathlib.Path(folder))
        keys_that_come_late(stand_in, app, issuer)
        for mode in ("forward", "proxy"):
            normal_running(mode, stand_in, app, issuer)
            cors_of_the_host(mode, stand_in, app, issuer)

    finish()


# ---- the tests ---------------------------------------------------------------------------------


def keys_that_come_late(stand_in, app, issuer):
    with contextlib.ExitStack() as stack:
        with Issuer(issuer) as first:
            port, token = first.port, first.token()
        started = time.monotonic()
        host = stack.enter_context(Host(stand_in, app, "forward", port))
        host.wait_for("Worker process started and initialized.")
        took = time.monotonic() - started
        check("no keys: ready all the same", took < 5, f"{took:.1f} s")
        for path in ("/", "/healthz", "/public"):
            check(f"no keys: GET {path} is 200", host.call("GET", path).status == 200)
        check("no keys: no token is still 401", host.call("GET", "/api").status == 401)
        answer = host.call("GET", "/api", token)
        check("no keys: a token gets 503", answer.refused(503, "keys_unavailable"), answer)
        check("no keys: with Retry-After", answer.headers.get("Retry-After", "").isdigit(), answer.headers)

        stack.enter_context(Issuer(issuer, port))
        answer = until(20, lambda: host.call("GET", "/api", token), lambda a: a.status == 200)
        check("keys have come: the token gets 200", answer.status == 200, answer)


def normal_running(mode, stand_in, app, issuer):
    def verify(name, passed, detail=""):
        check(f"{mode}: {name}", passed, detail)

    with Issuer(issuer) as keys, Host(stand_in, app, mode, keys.port) as host:
        token = keys.token()
        claims = base64.urlsafe_b64decode(token.split(".")[1] + "==")
        bad_token = token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]

        verify("GET /healthz is 200", host.call("GET", "/healthz").status == 200)
        answer = host.call("GET", "/public")
        verify("GET /public is 200", answer.status == 200 and b"open to all" in answer.body, answer)
        answer = host.call("GET", "/api")
        verify("GET /api without a token is 401", answer.refused(401, "authorization_header_missing"), answer)
        verify("the challenge arrives", answer.headers.get("WWW-Authenticate") == "Bearer", answer.headers)
        answer = host.call("GET", "/api", token)
        verify("GET /api answers with the claims, byte for byte", answer.status == 200 and answer.body == claims, answer)
        verify("the claims name the tenant", json.loads(claims)["tid"] == TENANT)
        answer = host.call("GET", "/api", bad_token)
        verify("a changed signature is 401", answer.refused(401, "invalid_header"), answer)

        answer = host.call("POST", "/api", token, body=b"x" * 5000)
        verify("POST of 5 kB is 200", answer.status == 200 and answer.body == claims, answer)
        answer = host.call("POST", "/api", body=b"x" * 2_000_000)
        verify("POST of 2 MB without a token is 401", answer.status == 401, answer)
        if mode == "proxy":  # in the other mode the host itself fails a chunked body
            answer = host.call("POST", "/api", token, body=iter([b"x" * 3000] * 3))
            verify("a chunked POST is 200", answer.status == 200 and answer.body == claims, answer)

        answer = host.call("OPTIONS", "/api", Origin="https://spa.example")
        allowed = answer.headers.get("Access-Control-Allow-Headers", "").lower()
        verify("OPTIONS /api is 204 and allows Authorization", answer.status == 204 and "authorization" in allowed, answer)
        answer = host.call("HEAD", "/api", token)
        verify("HEAD /api is 200 without a body", answer.status == 200 and not answer.body, answer)
        verify("HEAD /api without a token is 401", host.call("HEAD", "/api").status == 401)
        answer = host.call("DELETE", "/api", token)
        verify("DELETE /api is 405 with Allow", answer.status == 405 and "GET" in answer.headers.get("Allow", ""), answer)
        verify("an unknown path is 404", host.call("GET", "/nowhere").status == 404)

        wanted = [(None, 401), (token, 200), (bad_token, 401), (token, 200)] * 25
        got = host.call_at_once([token for token, _ in wanted])
        verify("100 requests at once are all answered", got == [status for _, status in wanted], got)

        log = host.log()
        loud = [line for line in log.splitlines() if re.search(r" (Error|Warning) Host\.Function\.Console", line)]
        verify("nothing was written to standard error", not loud, loud)
        verify("no log line holds a token", token.split(".")[2][:20] not in log and token[:60] not in log)

        before = host.handler_pid()
        os.kill(before, signal.SIGKILL)
        answer = until(5, lambda: host.call("GET", "/api", token), lambda a: a.status == 200)
        verify("killed, it answers again within 5 s", answer.status == 200 and answer.body == claims, answer)
        verify("and is another process", host.handler_pid() not in (None, before))


def cors_of_the_host(mode, stand_in, app, issuer):
    """What pages get where the host answers preflights: Linux Consumption and Flex Consumption."""

    def verify(name, passed, detail=""):
        check(f"{mode}, CORS of the host: {name}", passed, detail)

    page, other = "https://app.example.com", "https://other.example.com"
    preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

    def allowed(answer):
        return answer.headers.get_all("Access-Control-Allow-Origin")

    with Issuer(issuer) as keys:
        token = keys.token()
        with Host(stand_in, app, mode, keys.port, "--cors", page, ALLOWED_ORIGINS=page) as host:
            answer = host.call("OPTIONS", "/api", Origin=page, **preflight)
            headers = answer.headers.get("Access-Control-Allow-Headers")
            verify("it answers the preflight", (answer.status, allowed(answer), headers) == (204, [page], "authorization"), answer)
            for name, status, a_token in (("claims", 200, token), ("a refusal", 401, None)):
                answer = host.call("GET", "/api", a_token, Origin=page)
                exposed = answer.headers.get_all("Access-Control-Expose-Headers")
                verify(f"{name}: the origin once", (answer.status, allowed(answer)) == (status, [page]), answer.headers)
                verify(f"{name}: readable headers as well", exposed == ["WWW-Authenticate, Retry-After"], answer.headers)
            verify("another origin: no preflight", allowed(host.call("OPTIONS", "/api", Origin=other, **preflight)) is None)
            verify("another origin: nothing readable", allowed(host.call("GET", "/public", Origin=other)) is None)
        with Host(stand_in, app, mode, keys.port, "--cors", "linux-empty", ALLOWED_ORIGINS=page) as host:
            answer = host.call("OPTIONS", "/api", Origin=page, **preflight)
            verify("without a list no page may call", (answer.status, allowed(answer)) == (204, None), answer.headers)


# ---- what they stand on ------------------------------------------------------------------------


def until(seconds, attempt, good):
    """The first good result, or the last one when time is up."""
    end = time.monotonic() + seconds
    while True:
        result = attempt()
        if good(result) or time.monotonic() > end:
            return result
        time.sleep(0.2)


def build():
    """Makes handler.zip and the issuer; returns the path of the issuer."""
    package()
    command = ["cargo", "build", "--locked", "--example", "issuer"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD_SECONDS)
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "examples" / "issuer"


class Answer:
    def __init__(self, connection):
        try:
            response = connection.getresponse()
            self.status, self.headers, self.body = response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.status, self.headers, self.body = None, {}, repr(error).encode()

    def refused(self, status, code):
        return self.status == status and json.loads(self.body or b"{}").get("code") == code

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


def connect(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=15)


def call(port, method, path, headers, body=None):
    with contextlib.closing(connect(port)) as connection:
        connection.request(method, path, body, headers)
        return Answer(connection)


class Program:
    """A process that ends with its `with` block, and prints its port in its first line."""

    def __init__(self, command, settings=None):
        environment = {k: v for k, v in os.environ.items() if k not in SETTINGS}
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(word) for word in command],
            env=environment | (settings or {}),
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
        )
        try:
            line = self.process.stdout.readline()
            if not line:
                sys.exit(f"{command[0]} does not start: {self.log()}")
            self.port = self.port_in(line)
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # the handler of a host too
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def log(self):
        self.errors.flush()
        return os.pread(self.errors.fileno(), 10_000_000, 0).decode(errors="replace")


class Issuer(Program):
    def __init__(self, binary, port=0):
        super().__init__([binary, "--port", port])

    def port_in(self, line):
        return int(line.rpartition(":")[2])

    def token(self):
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": "any",
            "scope": f"api://{API}/.default",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": f"localhost:{self.port}"}
        answer = call(self.port, "POST", f"/{TENANT}/oauth2/v2.0/token", headers, urllib.parse.urlencode(form))
        return json.loads(answer.body)["access_token"]


class Host(Program):
    def __init__(self, stand_in, app, mode, issuer_port, *more, **settings):
        issuer = f"http://localhost:{issuer_port}"
        settings |= {
            "TENANT_ID": TENANT,
            "API_AUDIENCE": API,
            "AUTHORITY_HOST": issuer,
            "ISSUERS": f"{issuer}/{TENANT}/v2.0",
            "JWKS_URI": f"{issuer}/{TENANT}/discovery/v2.0/keys",
        }
        command = [sys.executable, stand_in, app, "--port", 0, "--mode", mode, *more]
        super().__init__(command, settings)

    def port_in(self, line):
        return json.loads(line)["listening"]

    def call(self, method, path, token=None, body=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return call(self.port, method, path, headers, body)

    def call_at_once(self, tokens):
        """The status that each token gets from /api. The connections are there before: a stand-in
        may have no room for many that wait to be accepted."""
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(contextlib.closing(connect(self.port))) for _ in tokens]
            for connection in connections:
                connection.request("GET", "/public")
                Answer(connection)
            for connection, token in zip(connections, tokens):
                connection.request("GET", "/api", headers={"Authorization": f"Bearer {token}"} if token else {})
            return [Answer(connection).status for connection in connections]

    def wait_for(self, text):
        return until(10, lambda: text in self.log(), bool)

    def handler_pid(self):
        """The host's child."""
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                pid, rest = stat.parent.name, stat.read_text().rpartition(")")[2].split()
                if int(rest[1]) == self.process.pid and rest[0] != "Z":
                    return int(pid)
        return None


if __name__ == "__main__":
    main()
