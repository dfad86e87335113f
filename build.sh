#!/usr/bin/env bash
#
# Builds the handler. Cargo and the development program (tests/dev) do everything else.
# Needs Rust and a C compiler; kept to what bash 3.2 (macOS) understands.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage='usage: ./build.sh [command]

  (none)    build the release binary ./handler, statically linked on Linux
  demo      build, then show tokens being refused and accepted, with a local issuer
  dev       build, then serve with a local issuer until Ctrl-C (PORT=3000); --second: with two issuers
  test      format, lints and all tests
  bench     build, then measure the handler beside the bounds of its parts
  package   build, then pack handler.zip for deployment
  reproduce build twice, elsewhere and under other circumstances, and compare the bytes'

main() {
    case "$#:${1-}" in
        0: | 1:build) build ;;
        1:demo) build; develop demo "$binary" ;;
        *:dev) build; develop dev "$binary" "${@:2}" ;;
        1:test) run_tests ;;
        # Arguments go to the benchmark: --rounds N, --only WORDS, --vs PATH.
        *:bench) build; release run --example bench -- --handler "$binary" "${@:2}" ;;
        1:package) package ;;
        1:reproduce) prepare; develop reproduce "$binary" ;;
        1:-h | 1:--help | 1:help) echo "$usage" ;;
        *) printf 'build.sh: unknown argument: %s\n\n%s\n' "$*" "$usage" >&2; exit 2 ;;
    esac
}

# ---- build -------------------------------------------------------------------------------------

build() {
    local link_list=''
    prepare
    # On Linux the list of packages goes into the binary, where `cargo audit bin` finds it.
    case $target in *-linux-*) link_list=-Clink-arg=$(develop_program packages "$target" "$target_dir/packages") ;; esac
    release rustc --bin handler -- ${link_list:+"$link_list"}
    # A handler that is running keeps its file; Windows does not let go of it.
    rm -f "$binary" || fail "cannot replace $binary: stop the handler that is running"
    cp "$target_dir/$target/release/handler$exe" "$binary"
    case $target in *-linux-*) develop_program inspect "$binary" "$here" "$cargo_home" "$rust_source" ;; esac
    echo "built $binary for $target${linkage:+, $linkage}"
    sha256sum "$binary" 2>/dev/null || shasum -a 256 "$binary" 2>/dev/null || true
    write_local_settings
}

# Names what is missing; sets what the other functions read; downloads.
prepare() {
    require_toolchain
    choose_target
    here=$(native_path "$(pwd -P)") # as cargo sees it
    cargo_home=$(native_path "${CARGO_HOME:-$HOME/.cargo}")
    rust_source=$(rustc --print sysroot)/lib/rustlib/src/rust
    target_dir=${CARGO_TARGET_DIR:-target}
    binary=./handler$exe
    cargo fetch --locked --target "$target"
}

choose_target() {
    local musl
    host=$(rustc -vV | sed -n 's/^host: //p')
    target=$host exe='' linkage=''
    case $host in
        *-linux-*)
            musl=${host/linux-gnu/linux-musl}
            if [ -d "$(rustc --print target-libdir --target "$musl" 2>/dev/null)" ]; then
                target=$musl linkage='statically linked with musl'
            else
                linkage='statically linked with glibc'
                # cc answers with the bare name when it has no such library.
                [ "$("$c_compiler" -print-file-name=libc.a)" != libc.a ] ||
                    missing "the musl target of Rust, or glibc's static library" "rustup target add $musl"
                stop_if_missing
            fi ;;
        *-windows-*) exe=.exe ;;
    esac
    # Rust finds Visual Studio's tools itself, also beside another compiler.
    case $target in *-msvc) c_compiler=cc ;; esac
    if [ "$c_compiler" != cc ]; then
        export CC="$c_compiler" "$(linker_variable "$host")=$c_compiler" "$(linker_variable "$target")=$c_compiler"
    fi
}

linker_variable() { echo "CARGO_TARGET_$(echo "$1" | tr a-z- A-Z_)_LINKER"; }

# Cargo with the flags that make a build static and reproducible, and with no flags of the caller's own: the same
# source has to give the same bytes everywhere. The target is always named, so that flags stay away from build scripts.
release() (
    local registry command=$1
    shift
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CFLAGS
    export CARGO_INCREMENTAL=0 CC_SHELL_ESCAPED_FLAGS=1
    # Of several prefixes that match, rustc and cc take the last.
    map_path "$cargo_home" cargo
    # The name of a registry's folder depends on where the crates came from.
    for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        if [ -d "$registry" ]; then map_path "$(native_path "${registry%/}")" cargo; fi
    done
    map_path "$here" entra-handler
    map_path "$rust_source" "/rustc/$(rustc -vV | sed -n 's/^commit-hash: //p')"
    case $target in *-linux-*) add_rust_flag -Ctarget-feature=+crt-static ;; esac
    case $target in *-musl*)
        if ! has musl-gcc && ! has "${target%%-*}-linux-musl-gcc"; then
            # The C sources call nothing that differs, once glibc's checked variants are off.
            export "CC_${target//-/_}=$c_compiler" CFLAGS="$CFLAGS -U_FORTIFY_SOURCE"
        fi ;;
    esac
    cargo "$command" --release --locked --target "$target" --target-dir "$target_dir" "$@"
)

map_path() {
    add_rust_flag "--remap-path-prefix=$1=$2"
    # MSVC has no such option and needs none: it writes no paths without debug information.
    case $target in *-msvc) ;; *) export CFLAGS="${CFLAGS-} '-ffile-prefix-map=$1=$2'" ;; esac
}

add_rust_flag() { # paths may hold blanks, so another character separates the flags
    local separator=$'\x1f'
    export CARGO_ENCODED_RUSTFLAGS="${CARGO_ENCODED_RUSTFLAGS:+$CARGO_ENCODED_RUSTFLAGS$separator}$1"
}

develop_program() { cargo run --quiet --locked --package dev -- "$@"; }

# In place of this script, so that a signal reaches it.
develop() { exec cargo run --quiet --locked --package dev -- "$@"; }

# For `func host start`. Git ignores the file; one that exists is never touched.
write_local_settings() {
    [ ! -e local.settings.json ] || return 0
    local windows=''
    [ -z "$exe" ] || windows=',
    "AzureFunctionsJobHost__customHandler__description__defaultExecutablePath": "handler.exe"'
    cat >local.settings.json <<JSON
{
  "IsEncrypted": false,
  "Values": {
    "FUNCTIONS_WORKER_RUNTIME": "custom",
    "TENANT_ID": "00000000-0000-0000-0000-000000000000",
    "API_AUDIENCE": "00000000-0000-0000-0000-000000000000"$windows
  },
  "Host": {
    "LocalHttpPort": 3000
  }
}
JSON
    echo 'wrote local.settings.json: for a start with the Core Tools, put the ids of your tenant and of your API into it'
}

# ---- test and package --------------------------------------------------------------------------

run_tests() {
    require_toolchain
    cargo fmt --version >/dev/null 2>&1 || missing rustfmt 'rustup component add rustfmt'
    cargo clippy --version >/dev/null 2>&1 || missing clippy 'rustup component add clippy'
    stop_if_missing
    set -x
    cargo fmt --all --check || fail "the format is another: run cargo fmt"
    cargo clippy --locked --workspace --all-targets -- -D warnings
    # Most tests wait for a process or a clock, so more of them run than there are cores.
    RUST_TEST_THREADS=${RUST_TEST_THREADS:-8} cargo test --locked --workspace
    { set +x; } 2>/dev/null
    echo 'all tests passed'
}

package() {
    prepare
    case $target in
        *-linux-* | *-windows-*) ;;
        *) fail "Azure Functions runs Linux and Windows binaries, and this machine builds for $target.
    Package on Linux, in a container for instance, which leaves the Linux handler in this folder too:
    docker run --rm --platform linux/amd64 -v \"\$PWD\":/app -w /app rust:1 ./build.sh package" ;;
    esac
    build
    develop_program package "$binary"
    case $target in
        x86_64-*) ;;
        *) echo "note: most Azure Functions plans run x86_64, and this is ${target%%-*}" ;;
    esac
    case $linkage in
        *glibc) echo "note: musl depends on less of the machine it runs on: rustup target add ${target/gnu/musl}" ;;
    esac
    [ -z "$exe" ] || echo 'note: this zip is for a Windows app; for a Linux app, package on Linux (WSL will do)'
}

# ---- what a machine may lack -------------------------------------------------------------------

require_toolchain() {
    local have want name
    # A fresh rustup has changed the PATH of new shells only.
    if ! has cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH=$HOME/.cargo/bin:$PATH; fi
    want=$(sed -n 's/^rust-version = "1\.\(.*\)"/\1/p' Cargo.toml)
    if ! has cargo; then
        missing 'Rust (cargo)' "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh   (Windows: https://rustup.rs)"
    else
        have=$(rustc --version | sed 's/^rustc 1\.\([0-9]*\).*/\1/')
        [ "$have" -ge "$want" ] || missing "Rust 1.$want or newer" 'rustup update stable'
    fi
    c_compiler=''
    for name in clang gcc cc; do if has "$name"; then c_compiler=$name; fi; done
    case $(uname -s) in
        # The cc of a bare macOS only asks to be installed.
        Darwin) xcode-select -p >/dev/null 2>&1 || c_compiler='' ;;
        # Rust itself names the Visual Studio tools that it lacks.
        MINGW* | MSYS* | CYGWIN*) c_compiler=${c_compiler:-cc} ;;
    esac
    [ -n "$c_compiler" ] || missing 'a C compiler (cc)' "$(install_c_compiler)"
    stop_if_missing
}

install_c_compiler() {
    if has apt-get; then echo 'sudo apt-get install gcc libc6-dev'
    elif has dnf; then echo 'sudo dnf install gcc glibc-static'
    elif has apk; then echo 'apk add gcc musl-dev'
    elif has xcode-select; then echo 'xcode-select --install'
    else echo 'install the package gcc'; fi
}

missing() {
    printf 'build.sh: missing: %s. To install it:\n    %s\n' "$1" "$2" >&2
    something_is_missing=yes
}

stop_if_missing() { [ -z "${something_is_missing-}" ] || exit 1; }

has() { command -v "$1" >/dev/null 2>&1; }

# Git-Bash on Windows writes /c/x where the compilers see C:\x.
native_path() { if has cygpath; then cygpath -w "$1"; else printf '%s\n' "$1"; fi; }

fail() {
    echo "build.sh: $1" >&2
    exit 1
}

main "$@"
