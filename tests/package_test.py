#!/usr/bin/env python3
"""Packs handler.zip with each of the two packers that build.sh knows, and looks into it.

usage: python3 tests/package_test.py

Needs Linux, Rust and Python.
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILES = {"api/function.json": 0o644, "handler": 0o755, "host.json": 0o644}
BUILD_SECONDS = 1800

results = []


def main():
    package()
    publishing_leaves_out_the_rest()
    if shutil.which("zip"):
        the_zip_is_as_it_should_be("Info-ZIP")
    else:
        print("no zip (Info-ZIP): packed with Python only")
    with tempfile.NamedTemporaryFile("w") as without_zip:
        # Bash reads this before build.sh; the function hides the program.
        without_zip.write('command() { [ "${2-}" != zip ] && builtin command "$@"; }\n')
        without_zip.flush()
        package(subprocess.DEVNULL, BASH_ENV=without_zip.name)
        the_zip_is_as_it_should_be("Python", BASH_ENV=without_zip.name)
    finish()


def the_zip_is_as_it_should_be(packer, **environment):
    def verify(name, passed, detail=""):
        check(f"{packer}: {name}", passed, detail)

    before = (ROOT / "handler.zip").read_bytes()
    with zipfile.ZipFile(ROOT / "handler.zip") as archive, tempfile.TemporaryDirectory() as folder:
        entries = {entry.filename: entry for entry in archive.infolist()}
        verify("exactly the files of a function app", archive.namelist() == sorted(FILES), archive.namelist())
        verify("local.settings.json is there and stays there", (ROOT / "local.settings.json").exists())
        systems = {name: entry.create_system for name, entry in entries.items()}
        verify("attributes are those of Unix", set(systems.values()) == {3}, systems)
        modes = {name: entry.external_attr >> 16 for name, entry in entries.items()}
        wanted = {name: stat.S_IFREG | mode for name, mode in FILES.items()}
        verify("the handler has its run bit, and all may be read by all", modes == wanted, modes)
        dates = {name: entry.date_time for name, entry in entries.items()}
        verify("the dates are always the same", set(dates.values()) == {(1980, 1, 1, 0, 0, 0)}, dates)
        different = [name for name in FILES if archive.read(name) != (ROOT / name).read_bytes()]
        verify("the contents are those of the files", not different, different)

        unpack(pathlib.Path(folder))
        ran = subprocess.run([f"{folder}/handler", "--version"], capture_output=True, text=True, timeout=60)
        verify("unpacked, it runs", (ran.returncode, ran.stderr) == (0, "") and ran.stdout, ran)

    package(subprocess.DEVNULL, **environment)
    verify("packed again, it has the same bytes", (ROOT / "handler.zip").read_bytes() == before)


def publishing_leaves_out_the_rest():
    """The Core Tools turn .funcignore into prefixes; `func ... publish` must send what the zip has."""
    patterns = [line.strip() for line in (ROOT / ".funcignore").read_text().splitlines()]
    patterns = [p for p in patterns if p and not p.startswith("#")]
    ignored = re.compile("|".join(re.escape(p).replace(r"\*", "[^/]+") for p in patterns))
    names = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in (".git", "target")]
        names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    kept = sorted(name for name in names + ["target/x", ".git/x"] if not ignored.match(name))
    check("func publish sends the files of handler.zip", kept == sorted(FILES), kept)


# ---- what they stand on; the test under the stand-in for the host uses it too -------------------


def check(name, passed, detail=""):
    results.append(bool(passed))
    print(f"PASS {name}" if passed else f"FAIL {name}\n     {detail}", flush=True)


def finish():
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def package(stdout=None, **environment):
    """Makes handler.zip."""
    command, environment = ["bash", "build.sh", "package"], os.environ | environment
    subprocess.run(command, cwd=ROOT, env=environment, stdout=stdout, check=True, timeout=BUILD_SECONDS)


def unpack(folder):
    """Unpacks handler.zip as a deployment does, modes included."""
    with zipfile.ZipFile(ROOT / "handler.zip") as archive:
        for entry in archive.infolist():
            os.chmod(archive.extract(entry, folder), entry.external_attr >> 16 & 0o777)
    return folder


if __name__ == "__main__":
    main()
