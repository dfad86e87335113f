#!/usr/bin/env bash
#
# build.sh as on macOS and on Windows: programs of those systems that it asks are played by small
# scripts, and a played cargo writes an empty binary. It shows what would be built and packed there,
# not that it compiles.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

main() {
    macos_builds_for_itself
    macos_packs_nothing
    macos_without_its_tools_is_told_the_command
    windows_builds_with_visual_studio
    windows_builds_with_gcc
    windows_packs_for_windows
    echo "build.sh as on macOS and Windows: $passed checks passed"
}

macos_builds_for_itself() {
    a_machine Darwin aarch64-apple-darwin
    build_sh 0
    said 'built ./handler for aarch64-apple-darwin'
    check 'a handler is there' test -f handler
    check 'for the machine itself' grep -q -- '--target aarch64-apple-darwin' cargo.log
    check 'paths are mapped in C' grep -q 'CFLAGS=.*-ffile-prefix-map=' cargo.log
    check 'nothing is linked statically' not grep -q crt-static cargo.log
    # shellcheck disable=SC2016 # fences, not commands
    sed -n '/^## Local$/,/^## /{ /^```json$/,/^```$/{ /^```/d; p; }; }' "$root/README.md" >expected.json
    check 'local.settings.json is the one in the README' cmp local.settings.json expected.json
}

macos_packs_nothing() {
    a_machine Darwin aarch64-apple-darwin
    build_sh 1 package
    said 'this machine builds for aarch64-apple-darwin'
    said 'docker run'
    check 'nothing was built' not grep -q build cargo.log
    check 'nothing was packed' test ! -e handler.zip
}

macos_without_its_tools_is_told_the_command() {
    a_machine Darwin x86_64-apple-darwin
    program xcode-select 'exit 2'
    build_sh 1
    said 'missing: a C compiler'
    said 'xcode-select --install'
}

windows_builds_with_visual_studio() {
    a_machine MINGW64_NT-10.0-26100 x86_64-pc-windows-msvc .exe
    rm shims/cc # what else is called gcc is none of its business
    program gcc true
    build_sh 0
    said 'built ./handler.exe for x86_64-pc-windows-msvc'
    check 'Windows paths are mapped' grep -q -- '--remap-path-prefix=W:[\]' cargo.log
    check 'no compiler is forced upon it' not grep -qE '^(CC|CFLAGS|CARGO_TARGET_[A-Z0-9_]*_LINKER)=.' cargo.log
    check 'func host start finds it' grep -q 'defaultExecutablePath": "handler.exe"' local.settings.json
}

windows_builds_with_gcc() {
    a_machine MSYS_NT-10.0-26100 x86_64-pc-windows-gnu .exe
    rm shims/cc
    program gcc true
    build_sh 0
    check 'gcc compiles' grep -qx 'CC=gcc' cargo.log
    check 'gcc links' grep -qx 'CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=gcc' cargo.log
}

windows_packs_for_windows() {
    if ! python3 -c '' 2>/dev/null; then
        echo 'no Python 3: packing is not tested'
        return
    fi
    a_machine MINGW64_NT-10.0-26100 x86_64-pc-windows-msvc .exe
    program python3 'exit 9' # the stub that points to a store
    rm -f shims/zip
    program python "exec '$(python3 -c 'import sys; print(sys.executable)')' \"\$@\""
    build_sh 0 package
    said 'handler.exe'
    said 'this zip is for a Windows app'
    mkdir unpacked
    python3 -m zipfile -e handler.zip unpacked
    check 'the zip has the handler' test -f unpacked/handler.exe
    check 'and a host.json that starts it' grep -q '"defaultExecutablePath": "handler.exe"' unpacked/host.json
}

# ---- a machine of another system ---------------------------------------------------------------

# Goes to a fresh folder with a copy of what build.sh reads. What it calls comes from shims/ alone.
a_machine() { # uname, host triple, ending of programs
    local name
    cd "$work"
    rm -rf app
    mkdir -p app/api app/shims app/home
    cp "$root/build.sh" "$root/Cargo.toml" "$root/host.json" app
    cp "$root/api/function.json" app/api
    cd app
    : >cargo.log
    for name in cat chmod cp cut dirname env grep ls mkdir mktemp od rm sed sha256sum shasum touch tr zip; do
        ! command -v "$name" >/dev/null || ln -s "$(command -v "$name")" "shims/$name"
    done
    ln -s "$BASH" shims/bash
    program uname "echo $1"
    program cc true
    program rustc "case \$* in
        -vV) printf 'host: %s\ncommit-hash: 0\n' $2 ;;
        --version) echo 'rustc 1.99.0' ;;
        *) echo /rust ;;
    esac"
    program cargo "{ echo \"\$*\"; env; } >>cargo.log
    case \$1 in build) mkdir -p target/$2/release && : >target/$2/release/handler${3-} ;; esac"
    # shellcheck disable=SC2016 # cygpath's own arguments
    case $1 in
        Darwin) program xcode-select 'echo /Library/Developer' ;;
        *) program cygpath 'printf "W:%s\n" "$2" | tr / "\\\\"' ;;
    esac
}

program() { # name, what it does
    rm -f "shims/$1"
    printf '#!%s\n%s\n' "$BASH" "${*:2}" >"shims/$1"
    chmod +x "shims/$1"
}

# Runs build.sh there; keeps what it says in $output.
build_sh() { # expected exit status, arguments
    local status=0
    output=$(env -i HOME="$PWD/home" PATH="$PWD/shims" "$BASH" build.sh "${@:2}" 2>&1) || status=$?
    check "build.sh ${*:2} ends with status $1" test "$status" = "$1"
}

# ---- checks ------------------------------------------------------------------------------------

passed=0 output=''

check() { # what holds, a command
    if "${@:2}"; then
        passed=$((passed + 1))
    else
        printf 'FAILED: %s: %s\n%s\n' "${FUNCNAME[*]:1:2}" "$1" "$output" >&2
        exit 1
    fi
}

said() { check "it says: $1" includes "$output" "$1"; }

includes() { case $1 in *"$2"*) ;; *) return 1 ;; esac; }

not() { ! "$@"; }

main
