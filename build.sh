#!/usr/bin/env bash
#
# Builds the handler, shows it, tests it, packs it. `./build.sh --help` lists the commands.
# Needs Rust and a C compiler; kept to what bash 3.2 (macOS) understands.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage='usage: ./build.sh [command]

  (none)    build the release binary ./handler, statically linked on Linux
  demo      build, then show tokens being refused and accepted, with a local issuer
  dev       build, then serve with a local issuer until Ctrl-C (PORT=3000)
  test      format, lints and all tests
  bench     build, then measure the handler beside the bounds of its parts
  package   build, then pack handler.zip for deployment
  reproduce build twice, elsewhere and under other circumstances, and compare the bytes
  sbom      build, then write handler.cdx.json, the list of what is linked (CycloneDX)'

main() {
    set_colours
    case "$#:${1-}" in
        0: | 1:build) build ;;
        1:demo) demo ;;
        1:dev) dev ;;
        1:test) run_tests ;;
        *:bench) shift; bench "$@" ;;
        1:package) package ;;
        1:reproduce) reproduce ;;
        1:sbom) sbom ;;
        1:-h | 1:--help | 1:help) echo "$usage" ;;
        *) printf 'build.sh: unknown argument: %s\n\n%s\n' "$*" "$usage" >&2; exit 2 ;;
    esac
}

# ---- build -------------------------------------------------------------------------------------

build() {
    require_toolchain
    choose_target
    cargo fetch --locked --target "$target"
    set_compiler_flags
    build_handler
    # A handler that is running keeps its file; Windows does not let go of it.
    rm -f "$binary" || fail "cannot replace $binary: stop the handler that is running"
    cp "$release_dir/handler$exe" "$binary"
    check_binary
    write_local_settings
}

# Sets $target, $exe and the folders that cargo writes to.
choose_target() {
    local host musl
    host=$(rustc -vV | sed -n 's/^host: //p')
    target=$host exe='' linkage=''
    case $host in
        *-linux-*)
            musl=${host/linux-gnu/linux-musl}
            if [ -d "$(rustc --print target-libdir --target "$musl" 2>/dev/null)" ]; then
                target=$musl linkage='statically linked with musl'
            else
                linkage='statically linked with glibc'
                require_static_glibc "$musl"
            fi ;;
        *-windows-*) exe=.exe ;;
    esac
    # The target is always named: flags then stay away from build scripts and macros.
    target_dir=${CARGO_TARGET_DIR:-target}
    release_dir=$target_dir/$target/release
    binary=./handler$exe
}

# The caller's own flags are replaced: the same source has to give the same bytes everywhere.
set_compiler_flags() {
    local here cargo_home registry rust_source
    here=$(native_path "$(pwd -P)") # as cargo sees it
    cargo_home=$(native_path "${CARGO_HOME:-$HOME/.cargo}")
    rust_source=$(rustc --print sysroot)/lib/rustlib/src/rust

    # Of several prefixes that match, rustc and cc take the last.
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CFLAGS
    export CARGO_INCREMENTAL=0 CC_SHELL_ESCAPED_FLAGS=1
    map_path "$cargo_home" cargo
    # The name of a registry's folder depends on where the crates came from.
    for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        if [ -d "$registry" ]; then map_path "$(native_path "${registry%/}")" cargo; fi
    done
    map_path "$here" entra-handler
    map_path "$rust_source" "/rustc/$(rustc -vV | sed -n 's/^commit-hash: //p')"
    case $target in *-linux-*) add_rust_flag -Ctarget-feature=+crt-static ;; esac

    private_paths=$(printf '%s\n' "$here" "$cargo_home" "$rust_source")
    use_c_compiler
}

map_path() {
    add_rust_flag "--remap-path-prefix=$1=$2"
    # MSVC has no such option and needs none: it writes no paths without debug information.
    case $target in *-msvc) ;; *) export CFLAGS="${CFLAGS-} '-ffile-prefix-map=$1=$2'" ;; esac
}

add_rust_flag() { # paths may hold spaces, so another character separates the flags
    local separator=$'\x1f'
    export CARGO_ENCODED_RUSTFLAGS="${CARGO_ENCODED_RUSTFLAGS:+$CARGO_ENCODED_RUSTFLAGS$separator}$1"
}

# Cargo and the C sources look for `cc`, and for `musl-gcc` when the target is musl.
use_c_compiler() {
    local name
    # Rust and the C sources find Visual Studio's tools themselves, also beside another compiler.
    case $target in *-msvc) return ;; esac
    name=$(echo "$target" | tr a-z- A-Z_)
    [ "$c_compiler" = cc ] || export CC="$c_compiler" "CARGO_TARGET_${name}_LINKER=$c_compiler"
    case $target in
        *-musl*)
            if ! has musl-gcc && ! has "${target%%-*}-linux-musl-gcc"; then
                # The C sources call nothing that differs, once glibc's checked variants are off.
                export "CC_${target//-/_}=$c_compiler" CFLAGS="$CFLAGS -U_FORTIFY_SOURCE"
            fi ;;
    esac
}

cargo_release() {
    cargo build --release --locked --target "$target" --target-dir "$target_dir" "$@"
}

# On Linux the list of packages goes into the binary, where `cargo audit bin` finds it.
build_handler() {
    case $target in
        *-linux-*)
            compile_package_list
            cargo rustc --release --locked --target "$target" --target-dir "$target_dir" --bin handler -- \
                "-Clink-arg=$package_list" ;;
        *) cargo_release --bin handler ;;
    esac
}

compile_package_list() {
    local lists=$target_dir/packages text
    compile_sbom_program
    text=$("$sbom_program" section "$target")
    rm -rf "$lists"
    mkdir "$lists"
    printf '%s\n' "$text" >"$lists/list.s"
    # Cargo looks at the name only, so another list needs another one.
    package_list=$lists/$(cksum <"$lists/list.s" | tr ' ' -).o
    "$c_compiler" -c "$lists/list.s" -o "$package_list"
}

# By rustc alone and for this machine: cargo would build what the tests need first.
compile_sbom_program() {
    [ -z "${sbom_program-}" ] || return 0
    sbom_program=$target_dir/sbom$exe
    mkdir -p "$target_dir"
    set -- --edition 2024 -o "$sbom_program" tests/sbom/main.rs
    [ "$c_compiler" = cc ] || set -- "-Clinker=$c_compiler" "$@"
    rustc "$@"
}

check_binary() {
    case $target in *-linux-*)
        ! needs_loader "$binary" || fail "$binary is not static: it names a dynamic loader"
        refuse_private_paths
        LC_ALL=C grep -qaF '"name":"entra-handler"' "$binary" || fail "$binary lacks the list of its packages" ;;
    esac
    echo "built $binary for $target${linkage:+, $linkage}"
    if has sha256sum || has shasum; then echo "$(sha256 "$binary")  $binary"; fi
}

sha256() { if has sha256sum; then sha256sum; else shasum -a 256; fi <"$1" | cut -d ' ' -f 1; }

refuse_private_paths() {
    local path
    while IFS= read -r path; do
        # A path such as /src tells nothing and may stand in the binary by chance.
        case $path in /*/*)
            ! LC_ALL=C grep -qaF "$path/" "$binary" || fail "$binary contains a path of this machine: $path" ;;
        esac
    done <<<"$private_paths"
}

# Does this 64-bit ELF file have a program header of type 3, PT_INTERP? A static one has not.
needs_loader() {
    local offset size count i
    offset=$(elf_number "$1" 32 8) size=$(elf_number "$1" 54 2) count=$(elf_number "$1" 56 2)
    [ "${count:-0}" -gt 0 ] || fail "cannot read $1"
    for ((i = 0; i < count; i++)); do
        [ "$(elf_number "$1" $((offset + i * size)) 4)" != 3 ] || return 0
    done
    return 1
}

elf_number() { od -An -j "$2" -N "$3" -t "u$3" "$1" | tr -d ' '; }

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
    echo 'wrote local.settings.json: put the ids of your tenant and of your API into it'
}

# ---- demo and dev: the handler beside a local issuer ------------------------------------------

# The directory, the API and the client that the local issuer plays.
tenant=11111111-2222-3333-4444-555555555555
api=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
client=bbbbbbbb-0000-0000-0000-000000000001
user=alice@contoso.example

demo() {
    build
    build_issuer
    # Settings of the caller's own would change the answers.
    unset ALLOWED_TENANTS ALLOWED_CLIENTS REQUIRED_SCOPES REQUIRED_ROLES \
        CLOCK_SKEW_SECONDS ALLOWED_ORIGINS AUDIT_LOG
    prepare_servers
    start_issuer --port 0 || fail_with_log issuer 'the issuer does not start'
    start_handler_anywhere

    local url=http://localhost:$handler_port app_token user_token damaged_token
    wrong=0
    title 'An open endpoint asks for nothing'
    call -i "$url/public"
    expect 200 'Public endpoint - open to all'

    title 'The API asks for a token'
    call -i "$url/api"
    expect 401 authorization_header_missing

    title 'A program gets a token for itself'
    call -s "$token_url" -d grant_type=client_credentials -d "client_id=$client" \
        -d client_secret=demo -d "scope=api://$api/.default"
    app_token=$(access_token)
    expect 200 access_token

    title 'With it the API answers with the claims'
    call -i "$url/api" -H "Authorization: Bearer $app_token"
    expect 200 "$tenant" "$client"

    title 'A program gets a token for a user'
    call -s "$token_url" -d grant_type=password -d "username=$user" -d password=any \
        -d "client_id=$client" -d "scope=api://$api/user_impersonation"
    user_token=$(access_token)
    expect 200 access_token

    title 'With it the claims are those of the user'
    call -i "$url/api" -H "Authorization: Bearer $user_token"
    expect 200 "$user" user_impersonation

    title 'The same token, one character of its signature changed'
    damaged_token=$(damaged "$user_token")
    call -i "$url/api" -H "Authorization: Bearer $damaged_token"
    expect 401 invalid_header

    title 'Which check refused it'
    echo "\$ echo $damaged_token | $binary check" | shorten_tokens
    status_code='exit status 0'
    body=$(echo "$damaged_token" | "$binary" check 2>&1) || status_code="exit status $?"
    printf '%s\n' "$body" | shorten_tokens
    expect 'exit status 1' 'FAIL  signature'

    [ "$wrong" -eq 0 ] || fail "$wrong answers were NOT as expected"
    printf '\n%sEvery answer was as expected.%s\nNext: ./build.sh dev serves the same for you to call, until Ctrl-C.\n' \
        "$bold" "$plain"
}

dev() {
    local port=${PORT:-3000} status=0
    build
    build_issuer
    prepare_servers
    start_issuer --port 8400 --api "http://localhost:$port/api" ||
        start_issuer --port 0 --api "http://localhost:$port/api" ||
        fail_with_log issuer 'the issuer does not start'
    exec 4>&1 # the handler's log is worth seeing
    start_handler "$port" || status=$?
    case $status in
        0) ;;
        1) fail "the handler cannot serve on port $port; to take another: PORT=3001 ./build.sh dev" ;;
        *) fail 'the handler does not start' ;;
    esac

    print_dev_help "http://localhost:$port"
    while kill -0 "$handler_pid" 2>/dev/null; do
        kill -0 "$issuer_pid" 2>/dev/null || fail_with_log issuer 'the issuer has stopped'
        sleep 1
    done
    fail 'the handler has stopped'
}

print_dev_help() {
    # shellcheck disable=SC2016 # $TOKEN is for the reader's shell
    local get_token='sed -n '\''s/.*"access_token" *: *"\([^"]*\)".*/\1/p'\' \
        call_api="curl -i $1/api -H \"Authorization: Bearer \$TOKEN\""
    cat <<HELP

${bold}Sign in with a browser and see the claims$plain
  $issuer_url/

${bold}As a user$plain
TOKEN=\$(curl -s $token_url -d grant_type=password -d username=$user -d password=any -d client_id=$client -d scope=api://$api/user_impersonation | $get_token)
$call_api

${bold}As a program$plain
TOKEN=\$(curl -s $token_url -d grant_type=client_credentials -d client_id=$client -d client_secret=demo -d scope=api://$api/.default | $get_token)
$call_api

${bold}Why a token is accepted or refused$plain
export TENANT_ID=$TENANT_ID API_AUDIENCE=$API_AUDIENCE AUTHORITY_HOST=$AUTHORITY_HOST ISSUERS=$ISSUERS JWKS_URI=$JWKS_URI
echo "\$TOKEN" | $binary check
HELP
    if has func; then
        cat <<HELP

${bold}The same under the Functions host: that export line, which wins over local.settings.json, and$plain
func host start --port $((${1##*:} + 1))
HELP
    fi
    printf '\nCtrl-C ends both. The handler logs refusals here:\n\n'
}

build_issuer() {
    cargo_release --example issuer
    issuer=$release_dir/examples/issuer$exe
}

prepare_servers() {
    handler_pid='' issuer_pid=''
    logs=$(mktemp -d)
    trap stop_servers EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    exec 4>"$logs/handler"
}

stop_servers() {
    local pid
    for pid in $handler_pid $issuer_pid; do kill "$pid" 2>/dev/null || true; done
    for pid in $handler_pid $issuer_pid; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$logs"
}

# Starts the issuer, learns its port from the line that it prints, and exports the settings
# that make the handler trust it.
start_issuer() {
    local tries=0 port=''
    : >"$logs/issuer" # there before it is read
    "$issuer" "$@" >"$logs/issuer" 2>&1 4>&- &
    issuer_pid=$!
    until port=$(sed -n 's/^issuer listening on .*:\([0-9][0-9]*\).*/\1/p' "$logs/issuer") && [ -n "$port" ]; do
        if ! kill -0 "$issuer_pid" 2>/dev/null || ((++tries > 100)); then return 1; fi
        sleep 0.1
    done
    issuer_url=http://localhost:$port
    token_url=$issuer_url/$tenant/oauth2/v2.0/token
    # Tokens of both versions, as for a tenant of Entra's own cloud.
    export TENANT_ID=$tenant API_AUDIENCE=$api,api://$api AUTHORITY_HOST=$issuer_url \
        ISSUERS=$issuer_url/$tenant/v2.0,$issuer_url/sts/$tenant/ \
        JWKS_URI=$issuer_url/$tenant/discovery/v2.0/keys
}

# The handler takes no port 0, so free ports are found by trying.
start_handler_anywhere() {
    local tries status
    for ((tries = 0; tries < 20; tries++)); do
        handler_port=$((20000 + RANDOM % 20000)) status=0
        start_handler "$handler_port" || status=$?
        case $status in
            0) return ;;
            1) ;; # the port is taken
            *) break ;;
        esac
    done
    fail_with_log handler 'the handler does not start'
}

# Returns when the handler answers, or with its exit status when it does not serve.
start_handler() {
    local tries=0 status=0
    FUNCTIONS_CUSTOMHANDLER_PORT=$1 "$binary" >&4 2>&1 4>&- &
    handler_pid=$!
    while :; do
        # Waiting first: a stranger on that port may answer too, but then the handler is gone.
        sleep 0.2
        kill -0 "$handler_pid" 2>/dev/null || break
        if send "http://localhost:$1/healthz" 2>/dev/null && [ "$status_code" = 200 ]; then return 0; fi
        if ((++tries > 50)); then return 2; fi
    done
    wait "$handler_pid" || status=$?
    # Status 0 would be a handler that ended without serving.
    return $((status == 0 ? 2 : status))
}

# ---- demo: requests, answers, expectations ----------------------------------------------------

# Shows the request as the curl command that a person would type, sends it, shows the answer.
call() {
    local word line='$ curl'
    for word in "$@"; do
        case $word in *' '*) word="\"$word\"" ;; esac
        line="$line $word"
    done
    echo "$line" | shorten_tokens
    send "$@" || fail 'no answer'
    if [ "$1" = -i ]; then
        printf '%s\n' "$head" | grep -iE '^(HTTP/|WWW-Authenticate:|Retry-After:)'
    fi
    printf '%s\n' "$body" | shorten_tokens
}

shorten_tokens() { sed 's/\(eyJ[A-Za-z0-9_-]\{17\}\)[A-Za-z0-9_.-]*/\1.../g'; }

expect() {
    local text ok=yes
    [ "$status_code" = "$1" ] || ok=no
    for text in "${@:2}"; do
        case $body in *"$text"*) ;; *) ok=no ;; esac
    done
    if [ $ok = yes ]; then
        echo "${green}as expected$plain: $*"
    else
        echo "${red}NOT as expected$plain: $status_code instead of $*"
        wrong=$((wrong + 1))
    fi
}

access_token() { printf '%s\n' "$body" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'; }

# The token with another character in the middle of its signature.
damaged() {
    local signature=${1##*.} middle other=A
    middle=$((${#signature} / 2))
    [ "${signature:middle:1}" != A ] || other=B
    printf '%s' "${1%.*}.${signature:0:middle}$other${signature:middle+1}"
}

# Sends what the curl arguments say; sets $status_code, $head and $body.
send() {
    local reply
    if has curl; then
        reply=$(curl -sS -i --max-time 10 --noproxy '*' "$@") || return 1
    else
        reply=$(send_without_curl "$@") || return 1
    fi
    reply=${reply//$'\r'/}
    head=${reply%%$'\n\n'*} body=''
    [ "$head" = "$reply" ] || body=${reply#*$'\n\n'}
    status_code=${head#* } status_code=${status_code%%[ $'\n']*}
}

# The few curl arguments that are used here, over bash's own TCP connections.
send_without_curl() {
    local url='' header='' form='' line='' method=GET host
    while [ $# -gt 0 ]; do
        case $1 in
            -H) header=$2; shift ;;
            -d) form=${form:+$form&}$2 method=POST; shift ;;
            -*) ;;
            *) url=$1 ;;
        esac
        shift
    done
    url=${url#http://} host=${url%%/*}
    { exec 3<>"/dev/tcp/127.0.0.1/${host##*:}"; } 2>/dev/null || return 1
    {
        printf '%s /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n' "$method" "${url#*/}" "$host"
        [ -z "$header" ] || printf '%s\r\n' "$header"
        [ -z "$form" ] || printf 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %s\r\n' "${#form}"
        printf '\r\n%s' "$form"
    } >&3
    while IFS= read -r -t 10 line <&3; do printf '%s\n' "$line"; done
    printf '%s' "$line"
    exec 3>&-
}

# ---- bench -------------------------------------------------------------------------------------

# Arguments go to the benchmark: --rounds N, --vs HANDLER.
bench() {
    build
    cargo_release --example bench
    "$release_dir/examples/bench$exe" --handler "$binary" "$@"
}

# ---- test --------------------------------------------------------------------------------------

run_tests() {
    require_toolchain
    cargo fmt --version >/dev/null 2>&1 || missing rustfmt 'rustup component add rustfmt'
    cargo clippy --version >/dev/null 2>&1 || missing clippy 'rustup component add clippy'
    stop_if_missing
    export CARGO_TERM_COLOR=$colour
    run cargo fmt --check -- --color "$colour"
    run cargo clippy --locked --all-targets -- -D warnings
    run cargo test --locked
    run check_app_files
    run "${BASH:-bash}" tests/build_test.sh
    echo "${green}all tests passed$plain"
}

# What the Functions host and the Core Tools take literally.
check_app_files() {
    local status=0
    grep -q '"defaultExecutablePath": "handler"' host.json || fail 'host.json must start exactly "handler"'
    grep -q '"authLevel": "anonymous"' api/function.json || fail 'without "anonymous" the host asks for a key'
    ! grep -q '"methods"' api/function.json || fail 'a list of methods would hide OPTIONS and HEAD'
    "${BASH:-bash}" ./build.sh nonsense >/dev/null 2>&1 || status=$?
    [ "$status" = 2 ] || fail 'an unknown argument must end with status 2'
}

run() {
    echo "$bold\$ $*$plain"
    "$@"
}

# ---- package -----------------------------------------------------------------------------------

# The same files, times and order give the same archive.
package() {
    local stage files
    require_toolchain
    choose_target
    require_azure_target
    find_python
    if ! has zip && [ -z "$python" ]; then
        missing 'zip (or Python 3)' "$(install_command zip)"
        stop_if_missing
    fi
    build
    files="api/function.json handler$exe host.json"
    stage=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder is known now
    trap "rm -rf '$stage'" EXIT
    mkdir "$stage/api"
    cp "handler$exe" "$stage"
    sed "s/\"defaultExecutablePath\": \"handler\"/\"defaultExecutablePath\": \"handler$exe\"/" host.json >"$stage/host.json"
    cp api/function.json "$stage/api"
    chmod 0644 "$stage/host.json" "$stage/api/function.json"
    chmod 0755 "$stage/handler$exe"
    rm -f handler.zip
    # shellcheck disable=SC2086 # a list of names without spaces
    if has zip; then zip_with_info_zip "$stage" $files; else zip_with_python "$stage" $files; fi
    echo "packed handler.zip"
    case $target in
        x86_64-*) ;;
        *) echo "note: most Azure Functions plans run x86_64, and this is ${target%%-*}" ;;
    esac
    case $linkage in
        *glibc) echo "note: musl depends on less of the machine it runs on: rustup target add ${target/gnu/musl}" ;;
    esac
    [ -z "$exe" ] || echo 'note: this zip is for a Windows app; for a Linux app, package on Linux (WSL will do)'
}

require_azure_target() {
    case $target in
        *-linux-* | *-windows-*) ;;
        *) fail "Azure Functions runs Linux and Windows binaries, and this machine builds for $target.
    Package on Linux, in a container for instance, which leaves the Linux handler in this folder too:
    docker run --rm --platform linux/amd64 -v \"\$PWD\":/app -w /app rust:1 ./build.sh package" ;;
    esac
}

# Sets $python, or leaves it empty. On Windows python3 may be a stub that only points to a store.
find_python() {
    local name
    python=''
    for name in python3 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1; then
            python=$name
            return
        fi
    done
}

zip_with_info_zip() {
    local out=$PWD/handler.zip stage=$1
    shift
    (
        cd "$stage"
        export TZ=UTC
        touch -t 198001010000 "$@"
        zip -q -X -D "$out" "$@"
    )
    zip -sf handler.zip
    [ "$(zip -sf handler.zip | sed -n 's/^  *//p')" = "$(printf '%s\n' "$@")" ] || fail 'handler.zip is not as it should be'
}

zip_with_python() {
    "$python" - "$@" <<'PYTHON'
import os, sys, zipfile
stage, *names = sys.argv[1:]
with zipfile.ZipFile("handler.zip", "w", zipfile.ZIP_DEFLATED) as out:
    for name in names:
        path = os.path.join(stage, name)
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.create_system = 3  # Unix, or the mode is not read
        mode = 0o755 if name.startswith("handler") else 0o644
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        with open(path, "rb") as file:
            out.writestr(entry, file.read())
with zipfile.ZipFile("handler.zip") as back:
    assert back.testzip() is None and back.namelist() == names, "handler.zip is not as it should be"
    for entry in back.infolist():
        print(f"  {entry.external_attr >> 16:o} {entry.file_size:>9} {entry.filename}")
PYTHON
}

# ---- reproduce ---------------------------------------------------------------------------------

# Two builds of this folder's files that share nothing but the tools and the downloaded packages.
reproduce() {
    local one two first second status=0
    require_toolchain
    choose_target
    cargo fetch --locked --target "$target"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    first=$work/1 second="$work/2, in a folder with a longer name, and deeper/here"
    echo "building twice below $work: other folders, CARGO_HOME, HOME, TMPDIR, time zone, date, umask, jobs"
    (
        umask 022
        unset CARGO_TARGET_DIR
        export TZ=Pacific/Kiritimati LC_ALL=C SOURCE_DATE_EPOCH=1
        build_elsewhere "$first" cargo
    ) &
    one=$!
    (
        umask 077
        export TZ=America/St_Johns LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=4000000000 CARGO_BUILD_JOBS=1
        export CARGO_TARGET_DIR="$second/of the compiler"
        build_elsewhere "$second" "another cargo home"
    ) &
    two=$!
    wait $one || status=1
    wait $two || status=1
    [ $status -eq 0 ] || fail 'one of the builds failed'
    compare_builds "$first/tree/handler$exe" "$second/tree/handler$exe"
}

build_elsewhere() {
    local part cargo_home=${CARGO_HOME:-$HOME/.cargo}
    mkdir -p "$1/tree" "$1/home" "$1/temporary" "$1/$2/registry"
    tar -cf - --exclude=./target --exclude=./.git --exclude='./mutants.out*' --exclude=./handler . | tar -xf - -C "$1/tree"
    # What was downloaded is used again, so that no network is needed; it is unpacked anew.
    for part in registry/index registry/cache config.toml config; do
        if [ -e "$cargo_home/$part" ]; then ln -s "$cargo_home/$part" "$1/$2/$part"; fi
    done
    if [ -d "${RUSTUP_HOME:-$HOME/.rustup}" ]; then export RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"; fi
    export HOME="$1/home" TMPDIR="$1/temporary" CARGO_HOME="$1/$2" CARGO_NET_OFFLINE=true
    "${BASH:-bash}" "$1/tree/build.sh" >"$1/log" 2>&1 || { tail -n 20 "$1/log" >&2; return 1; }
}

compare_builds() {
    echo "$(sha256 "$1")  first"
    echo "$(sha256 "$2")  second"
    cmp -s "$1" "$2" || { trap - EXIT; say_what_differs "$1" "$2"; fail "the two builds differ; they stay below $work"; }
    if [ -e "$binary" ]; then
        echo "$(sha256 "$binary")  $binary"
        cmp -s "$1" "$binary" || {
            say_what_differs "$1" "$binary"
            fail "the two builds are equal, but $binary is another: of other sources (./build.sh builds it from these) or other tools"
        }
    fi
    echo "${green}equal$plain"
}

say_what_differs() {
    local section
    echo "$(cmp -l "$1" "$2" 2>/dev/null | wc -l) bytes differ, of $(wc -c <"$1") and $(wc -c <"$2")"
    has readelf || return 0
    printf 'sections that differ:'
    for section in $(readelf -SW "$1" | sed -n 's/^ *\[ *[0-9]*\] \([^ ]*\) .*/\1/p'); do
        cmp -s <(readelf -x "$section" "$1" 2>/dev/null) <(readelf -x "$section" "$2" 2>/dev/null) || printf ' %s' "$section"
    done
    echo
    diff <(readelf -p .comment "$1") <(readelf -p .comment "$2") || true # the tools
}

# ---- sbom --------------------------------------------------------------------------------------

sbom() {
    build
    compile_sbom_program
    # shellcheck disable=SC2046 # name and version, or nothing
    "$sbom_program" cyclonedx "$target" "$(sha256 "$binary")" $(c_library) >handler.cdx.json
    echo "wrote handler.cdx.json: $(grep -c '"scope": "required"' handler.cdx.json) linked components" \
        "and $(grep -c '"scope": "excluded"' handler.cdx.json) used while building"
}

# Name and version of the one that is linked statically.
c_library() {
    case $linkage in
        *glibc) getconf GNU_LIBC_VERSION 2>/dev/null || echo glibc ;;
        *musl) echo musl ;;
    esac
}

# ---- what a machine may lack -------------------------------------------------------------------

require_toolchain() {
    # A fresh rustup has changed the PATH of new shells only.
    if ! has cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH=$HOME/.cargo/bin:$PATH; fi
    if ! has cargo; then
        missing 'Rust (cargo)' "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh   (Windows: https://rustup.rs)"
    elif rust_is_too_old; then
        missing "Rust $(wanted_rust) or newer" 'rustup update stable'
    fi
    find_c_compiler
    stop_if_missing
}

rust_is_too_old() {
    local have want
    have=$(rustc --version | sed 's/^rustc 1\.\([0-9]*\).*/\1/')
    want=$(wanted_rust) want=${want#*.}
    [ "$have" -lt "${want%%.*}" ]
}

wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

find_c_compiler() {
    c_compiler=''
    local name
    for name in cc gcc clang; do
        if has "$name"; then c_compiler=$name; break; fi
    done
    case $(uname -s) in
        # The cc of a bare macOS only asks to be installed.
        Darwin) xcode-select -p >/dev/null 2>&1 || c_compiler='' ;;
        # Rust itself names the Visual Studio tools that it lacks.
        MINGW* | MSYS* | CYGWIN*) c_compiler=${c_compiler:-cc} ;;
    esac
    [ -n "$c_compiler" ] || missing 'a C compiler (cc)' "$(install_command gcc)"
}

require_static_glibc() {
    # cc answers with the bare name when it has no such library.
    if [ "$("$c_compiler" -print-file-name=libc.a)" = libc.a ]; then
        missing "the musl target of Rust, or glibc's static library" "rustup target add $1"
        stop_if_missing
    fi
}

missing() {
    echo "build.sh: missing: $1. To install it:
    $2" >&2
    something_is_missing=yes
}

stop_if_missing() { [ -z "${something_is_missing-}" ] || exit 1; }

install_command() {
    if has apt-get; then
        case $1 in gcc) echo 'sudo apt-get install gcc libc6-dev' ;; *) echo "sudo apt-get install $1" ;; esac
    elif has dnf; then
        case $1 in gcc) echo 'sudo dnf install gcc glibc-static' ;; *) echo "sudo dnf install $1" ;; esac
    elif has apk; then
        case $1 in gcc) echo 'apk add gcc musl-dev' ;; *) echo "apk add $1" ;; esac
    elif has xcode-select; then
        echo 'xcode-select --install'
    else
        echo "install the package $1 (Debian, Ubuntu: apt-get; Fedora: dnf; macOS: xcode-select --install)"
    fi
}

# ---- small helpers -----------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# Git-Bash on Windows writes /c/x where the compilers see C:\x.
native_path() { if has cygpath; then cygpath -w "$1"; else printf '%s\n' "$1"; fi; }

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }

set_colours() {
    colour=never bold='' green='' red='' plain=''
    if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ -z "${CI-}" ]; then
        colour=auto bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
    fi
}

fail() {
    echo "build.sh: $1" >&2
    exit 1
}

fail_with_log() {
    cat "$logs/$1" >&2
    fail "$2"
}

main "$@"
