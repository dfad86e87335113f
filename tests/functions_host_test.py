#!/usr/bin/env python3
"""Packs handler.zip, looks into it, and runs it, unpacked, under a stand-in for the Azure Functions host.

usage: python3 tests/functions_host_test.py [STAND_IN]

STAND_IN is a Python program with the command line `APP_ROOT --port 0 [--mode forward] [--old-host]`. It
prints a JSON line with its port ("listening"), starts what host.json names, and logs to standard
error, each line of the handler after "LEVEL Host.Function.Console:". Needs Linux and Rust.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {"api/function.json": 0o644, "handler": 0o755, "host.json": 0o644}
TENANT = "11111111-2222-3333-4444-555555555555"
API = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
TEST_SECONDS = 240

# How each host is started, and the status that it gives to a body in chunks: one that forwards fails it itself. The
# first and the last choose by host.json.
HOSTS = {"host": ([], 200), "host that forwards": (["--mode", "forward"], 500), "older host": (["--old-host"], 500)}

results = []


def main():
    subprocess.run(["bash", "build.sh", "package"], cwd=ROOT, check=True)
    publishing_leaves_out_the_rest()
    with tempfile.TemporaryDirectory() as folder:
        app = unpacked(pathlib.Path(folder))
        if len(sys.argv) > 1:
            under_the_stand_in(pathlib.Path(sys.argv[1]).resolve(), app)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(False in results)


def check(name, passed, detail=""):
    results.append(bool(passed))
    print(f"PASS {name}" if passed else f"FAIL {name}\n     {detail}", flush=True)


def publishing_leaves_out_the_rest():
    """The Core Tools turn .funcignore into prefixes; `func ... publish` must send what the zip has."""
    patterns = [line.strip() for line in (ROOT / ".funcignore").read_text().splitlines()]
    patterns = [re.escape(p).replace(r"\*", "[^/]+") for p in patterns if p and not p.startswith("#")]
    names = ["target/x", ".git/x"]
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "target")]
        names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    kept = sorted(name for name in names if not re.match("|".join(patterns), name))
    check("func publish sends the files of handler.zip", kept == sorted(FILES), kept)


def unpacked(folder):
    """As a deployment does it, modes included."""
    with zipfile.ZipFile(ROOT / "handler.zip") as archive:
        check("the zip is whole", archive.testzip() is None)
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        wanted = {name: stat.S_IFREG | mode for name, mode in FILES.items()}
        check("it has the files of a function app, with their modes", modes == wanted, modes)
        for name, mode in modes.items():
            os.chmod(archive.extract(name, folder), mode & 0o777)
            check(f"{name} is the one here", (folder / name).read_bytes() == (ROOT / name).read_bytes())
    ran = subprocess.run([folder / "handler", "--version"], capture_output=True, text=True)
    check("unpacked, the handler runs", ran.returncode == 0 and ran.stdout.startswith("handler "), ran)
    return folder


def under_the_stand_in(stand_in, app):
    subprocess.run(["cargo", "build", "--locked", "--package", "dev"], cwd=ROOT, check=True)
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"took more than {TEST_SECONDS} seconds"))
    signal.alarm(TEST_SECONDS)
    keys_that_come_late(stand_in, app)
    for name in HOSTS:
        normal_running(name, stand_in, app)
        cors_of_the_host(name, stand_in, app)


def keys_that_come_late(stand_in, app):
    with Issuer() as first:
        port, token = first.port, first.token()
    with Host(stand_in, app, "host", port) as host:
        until(lambda: "Worker process started and initialized." in host.log(), bool)
        for path, status in [("/", 200), ("/healthz", 200), ("/public", 200), ("/api", 401)]:
            check(f"no keys: GET {path} is {status}", host.call("GET", path).status == status)
        answer = host.call("GET", "/api", token)
        check("no keys: a token gets 503", answer.refused(503, "keys_unavailable"), answer)
        check("no keys: with Retry-After", answer.headers.get("Retry-After", "").isdigit(), answer.headers)
        with Issuer(port):
            answer = until(lambda: host.call("GET", "/api", token), lambda answer: answer.status == 200)
            check("keys have come: the token gets 200", answer.status == 200, answer)


def normal_running(kind, stand_in, app):
    with Issuer() as keys, Host(stand_in, app, kind, keys.port) as host:
        token = keys.token()
        claims = base64.urlsafe_b64decode(token.split(".")[1] + "==")
        bad_token = token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]

        def verify(name, passed, detail=""):
            check(f"{kind}: {name}", passed, detail)

        chunks, status_of_chunks = (b"x" * 3000 for _ in range(3)), HOSTS[kind][1]
        for method, path, a_token, body, status, part in [
            ("GET", "/healthz", None, None, 200, b""),
            ("GET", "/public", None, None, 200, b"open to all"),
            ("GET", "/api", None, None, 401, b"authorization_header_missing"),
            ("GET", "/api", token, None, 200, claims),
            ("GET", "/api", bad_token, None, 401, b"invalid_header"),
            ("POST", "/api", token, b"x" * 5000, 200, claims),
            ("POST", "/api", None, b"x" * 2_000_000, 401, b"authorization_header_missing"),
            ("POST", "/api", token, chunks, status_of_chunks, claims if status_of_chunks == 200 else b""),
            ("OPTIONS", "/api", None, None, 204, b""),
            ("HEAD", "/api", token, None, 200, b""),
            ("HEAD", "/api", None, None, 401, b""),
            ("DELETE", "/api", token, None, 405, b""),
            ("GET", "/nowhere", None, None, 404, b""),
        ]:
            answer = host.call(method, path, a_token, body)
            fits = answer.body == claims if part == claims else part in answer.body
            verify(f"{method} {path} is {status}", answer.status == status and fits, answer)
        answer = host.call("GET", "/api")
        verify("the challenge arrives", answer.headers.get("WWW-Authenticate") == "Bearer", answer.headers)

        wanted = [(None, 401), (token, 200), (bad_token, 401), (token, 200)] * 25
        got = host.call_at_once([token for token, _ in wanted])
        verify("100 requests at once are all answered", got == [status for _, status in wanted], got)
        log = host.log()
        loud = re.findall(r".* (?:Error|Warning) Host\.Function\.Console.*", log)
        verify("nothing was written to standard error", not loud, loud)
        verify("no log line holds a token", token.split(".")[2][:20] not in log and token[:60] not in log)

        before = host.handler_pid()
        os.kill(before, signal.SIGKILL)
        answer = until(lambda: host.call("GET", "/api", token), lambda answer: answer.status == 200)
        verify("killed, it answers again", answer.status == 200 and answer.body == claims, answer)
        verify("and is another process", host.handler_pid() not in (None, before))


def cors_of_the_host(kind, stand_in, app):
    """What pages get where the host answers preflights: Linux Consumption and Flex Consumption."""
    page, other = "https://app.example.com", "https://other.example.com"

    def verify(name, answer, status, origins):
        found = (answer.status, answer.headers.get_all("Access-Control-Allow-Origin"))
        check(f"{kind}, CORS of the host: {name}", found == (status, origins), (found, answer.headers))

    def preflight(host, origin):
        headers = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        return host.call("OPTIONS", "/api", Origin=origin, **headers)

    with Issuer() as keys:
        token = keys.token()
        with Host(stand_in, app, kind, keys.port, "--cors", page, ALLOWED_ORIGINS=page) as host:
            verify("it answers the preflight", preflight(host, page), 204, [page])
            for name, status, a_token in (("claims", 200, token), ("a refusal", 401, None)):
                answer = host.call("GET", "/api", a_token, Origin=page)
                verify(f"{name}: the origin once", answer, status, [page])
                exposed = answer.headers.get_all("Access-Control-Expose-Headers")
                check(f"{kind}: {name}: readable headers", exposed == ["WWW-Authenticate, Retry-After"], exposed)
            verify("another origin: no preflight", preflight(host, other), 204, None)
            verify("another origin: nothing readable", host.call("GET", "/public", Origin=other), 200, None)
        with Host(stand_in, app, kind, keys.port, "--cors", "linux-empty", ALLOWED_ORIGINS=page) as host:
            verify("without a list no page may call", preflight(host, page), 204, None)


# ---- what they stand on ------------------------------------------------------------------------


def until(attempt, good, seconds=20):
    """The first good result, or the last one when time is up."""
    end = time.monotonic() + seconds
    while True:
        result = attempt()
        if good(result) or time.monotonic() > end:
            return result
        time.sleep(0.1)


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


class Program(contextlib.AbstractContextManager):
    """A process that ends with its `with` block, and prints its port in its first line."""

    def __init__(self, command, **settings):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"]} | settings,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
        )
        line = self.process.stdout.readline()
        self.port = int(re.search(r'(?:"listening": |localhost:)(\d+)', line)[1])

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)  # the handler of a host too
        self.process.wait()

    def log(self):
        return os.pread(self.errors.fileno(), 10_000_000, 0).decode(errors="replace")

    def connect(self):
        return http.client.HTTPConnection("localhost", self.port, timeout=15)

    def call(self, method, path, token=None, body=None, **headers):
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, body, headers)
            return Answer(connection)


class Issuer(Program):
    def __init__(self, port=0):
        program = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "dev"
        super().__init__([program, "issuer", "--port", str(port)])

    def token(self):
        form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "any"}
        body = urllib.parse.urlencode(form | {"scope": f"api://{API}/.default"})
        return json.loads(self.call("POST", f"/{TENANT}/oauth2/v2.0/token", body=body).body)["access_token"]


class Host(Program):
    def __init__(self, stand_in, app, kind, issuer_port, *more, **settings):
        issuer = f"http://localhost:{issuer_port}"
        super().__init__(
            [sys.executable, stand_in, app, "--port", "0", *HOSTS[kind][0], *more],
            TENANT_ID=TENANT,
            API_AUDIENCE=API,
            AUTHORITY_HOST=issuer,
            ISSUERS=f"{issuer}/{TENANT}/v2.0",
            JWKS_URI=f"{issuer}/{TENANT}/discovery/v2.0/keys",
            **settings,
        )

    def call_at_once(self, tokens):
        """The status that each token gets from /api. The connections are there before: a stand-in
        may have no room for many that wait to be accepted."""
        connections = [self.connect() for _ in tokens]
        for connection in connections:
            connection.request("GET", "/public")
            Answer(connection)
        for connection, token in zip(connections, tokens):
            connection.request("GET", "/api", headers={"Authorization": f"Bearer {token}"} if token else {})
        answers = [Answer(connection).status for connection in connections]
        for connection in connections:
            connection.close()
        return answers

    def handler_pid(self):
        """The host's child."""
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent, state = path.read_text().rpartition(")")[2].split()[1::-1]
                if int(parent) == self.process.pid and state != "Z":
                    return int(path.parent.name)
        return None


if __name__ == "__main__":
    main()
