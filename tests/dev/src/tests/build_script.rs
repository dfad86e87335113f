//! build.sh on other machines: small scripts play the programs that it asks, and a played cargo writes an empty
//! binary. So this shows which target is chosen and what is said, not that anything compiles there.

use super::root;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A folder with what build.sh reads, and the only programs that it can call.
struct Machine(PathBuf);

/// How build.sh ended, what it said, and what it asked of cargo, with cargo's environment.
struct Outcome {
    status: i32,
    said: String,
    cargo: String,
}

/// The programs of every machine that are no stand-ins.
const TOOLS: [&str; 13] = [
    "bash",
    "cat",
    "cp",
    "dirname",
    "env",
    "grep",
    "mkdir",
    "rm",
    "sed",
    "sha256sum",
    "shasum",
    "touch",
    "tr",
];

impl Machine {
    fn new(system: &str, triple: &str) -> Machine {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("build-sh-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("shims")).expect("a new folder");
        for name in ["build.sh", "Cargo.toml"] {
            fs::copy(root().join(name), folder.join(name)).expect(name);
        }
        let path = std::env::var_os("PATH").expect("a PATH");
        for tool in TOOLS {
            let found = std::env::split_paths(&path)
                .map(|folder| folder.join(tool))
                .find(|file| file.is_file());
            if let Some(found) = found {
                symlink(found, folder.join("shims").join(tool)).expect("a link");
            }
        }
        let rustc = format!(
            "case $* in -vV) printf 'host: {triple}\\ncommit-hash: 0\\n' ;; --version) echo 'rustc 1.99.0' ;;
            *target-libdir*) echo musl ;; *) echo /rust ;; esac"
        );
        let cargo = format!(
            "{{ echo \"$*\"; env; }} >>cargo.log
            case $* in
                rustc*) for target in {triple} x86_64-unknown-linux-musl; do
                    mkdir -p target/$target/release; touch target/$target/release/handler target/$target/release/handler.exe
                done ;;
                *' packages '*) echo packages.s ;;
            esac"
        );
        let machine = Machine(folder);
        let machine = machine
            .with("uname", &format!("echo {system}"))
            .with("rustc", &rustc)
            .with("cargo", &cargo);
        machine.with("cc", "echo /lib/libc.a")
    }

    fn with(self, program: &str, script: &str) -> Machine {
        let path = self.without(program).0.join("shims").join(program);
        // By a process of its own: what another test starts would inherit a file that is open here, and a file that is
        // open for writing does not run.
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$0\" && chmod +x \"$0\"",
        ]);
        let written = shell.arg(path).arg(script).status();
        assert!(written.expect("there is a shell").success());
        self
    }

    fn without(&self, program: &str) -> &Machine {
        let _ = fs::remove_file(self.0.join("shims").join(program));
        self
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut bash = Command::new("bash");
        bash.arg("build.sh")
            .args(arguments)
            .current_dir(&self.0)
            .env_clear();
        let output = bash
            .env("HOME", &self.0)
            .env("PATH", self.0.join("shims"))
            .output()
            .expect("there is a bash");
        Outcome {
            status: output.status.code().expect("an exit status"),
            said: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
            cargo: fs::read_to_string(self.0.join("cargo.log")).unwrap_or_default(),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Outcome {
    #[track_caller]
    fn must(&self, status: i32, said: &[&str], cargo: &[&str], not_cargo: &[&str]) {
        assert_eq!(self.status, status, "{}", self.said);
        for text in said {
            assert!(
                self.said.contains(text),
                "it does not say {text}: {}",
                self.said
            );
        }
        for text in cargo {
            assert!(
                self.cargo.contains(text),
                "cargo does not get {text}: {}",
                self.cargo
            );
        }
        for text in not_cargo {
            assert!(
                !self.cargo.contains(text),
                "cargo gets {text}: {}",
                self.cargo
            );
        }
    }
}

const LINUX: (&str, &str) = ("Linux", "x86_64-unknown-linux-gnu");
const MACOS: (&str, &str) = ("Darwin", "aarch64-apple-darwin");
const WINDOWS: (&str, &str) = ("MINGW64_NT-10.0-26100", "x86_64-pc-windows-msvc");

fn machine((system, triple): (&str, &str)) -> Machine {
    Machine::new(system, triple)
}

fn windows(triple: &str) -> Machine {
    let cygpath = r#"printf 'W:%s\n' "$2" | tr / '\\'"#;
    let machine = Machine::new(WINDOWS.0, triple)
        .with("cygpath", cygpath)
        .with("gcc", "true");
    machine.without("cc");
    machine
}

#[test]
fn linux_builds_for_musl_where_rust_has_it() {
    let machine = machine(LINUX);
    fs::create_dir(machine.0.join("musl")).expect("a folder");
    let (said, cargo) = (
        "statically linked with musl",
        "rustc --release --locked --target x86_64-unknown-linux-musl",
    );
    let static_c = [
        "-Ctarget-feature=+crt-static",
        "-U_FORTIFY_SOURCE",
        "-Clink-arg=packages.s",
        " inspect ./handler ",
    ];
    machine.run(&[]).must(
        0,
        &[said],
        &[&[cargo], &static_c[..]].concat(),
        &["linux-gnu/"],
    );
}

#[test]
fn linux_builds_with_static_glibc_or_names_what_is_missing() {
    let cargo = [
        "rustc --release --locked --target x86_64-unknown-linux-gnu",
        "-Ctarget-feature=+crt-static",
    ];
    machine(LINUX)
        .run(&[])
        .must(0, &["statically linked with glibc"], &cargo, &[]);
    let told = [
        "missing: the musl target of Rust",
        "rustup target add x86_64-unknown-linux-musl",
    ];
    machine(LINUX)
        .with("cc", "echo libc.a")
        .run(&[])
        .must(1, &told, &[], &["rustc --release"]);
}

#[test]
fn a_machine_without_its_tools_is_told_the_command() {
    let bare = machine(LINUX).with("apt-get", "true");
    bare.without("cc").without("cargo");
    let told = [
        "missing: Rust (cargo)",
        "https://sh.rustup.rs | sh",
        "missing: a C compiler",
        "sudo apt-get install gcc",
    ];
    bare.run(&[]).must(1, &told, &[], &[]);
    let old = "case $1 in --version) echo 'rustc 1.70.0' ;; *) echo host: x86_64-unknown-linux-gnu ;; esac";
    let told = ["missing: Rust 1.88 or newer", "rustup update stable"];
    machine(LINUX)
        .with("rustc", old)
        .run(&[])
        .must(1, &told, &[], &["rustc --release"]);
    let told = ["missing: a C compiler", "xcode-select --install"];
    machine(MACOS).with("xcode-select", "exit 2").run(&[]).must(
        1,
        &told,
        &[],
        &["rustc --release"],
    );
    let none = "case $1 in clippy | fmt) exit 101 ;; esac";
    let told = [
        "rustup component add rustfmt",
        "rustup component add clippy",
    ];
    machine(LINUX)
        .with("cargo", none)
        .run(&["test"])
        .must(1, &told, &[], &[]);
}

#[test]
fn macos_builds_for_itself_and_packs_nothing() {
    let machine = machine(MACOS).with("xcode-select", "echo /Library/Developer");
    machine.run(&["package"]).must(
        1,
        &["docker run --rm --platform linux/amd64"],
        &[],
        &["rustc --release"],
    );
    let cargo = [
        "rustc --release --locked --target aarch64-apple-darwin",
        "-ffile-prefix-map=",
    ];
    machine.run(&[]).must(
        0,
        &["built ./handler for aarch64-apple-darwin"],
        &cargo,
        &["crt-static", "link-arg"],
    );
}

#[test]
fn windows_builds_with_visual_studio_or_gcc_and_packs_for_windows() {
    let machine = windows(WINDOWS.1);
    let cargo = [
        "--target x86_64-pc-windows-msvc",
        r"--remap-path-prefix=W:\",
        "--package dev -- package ./handler.exe",
    ];
    // Whatever else is called gcc there is none of its business.
    machine.run(&["package"]).must(
        0,
        &["this zip is for a Windows app"],
        &cargo,
        &["CC=", "CFLAGS=", "LINKER="],
    );
    let settings =
        fs::read_to_string(machine.0.join("local.settings.json")).expect("it is written");
    let starts = r#""AzureFunctionsJobHost__customHandler__description__defaultExecutablePath": "handler.exe""#;
    assert!(settings.contains(starts), "{settings}");
    let cargo = [
        "CC=gcc\n",
        "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=gcc\n",
    ];
    windows("x86_64-pc-windows-gnu")
        .run(&[])
        .must(0, &["built ./handler.exe"], &cargo, &[]);
}

#[test]
fn an_unknown_command_is_answered_with_the_commands() {
    machine(LINUX).run(&["nonsense"]).must(
        2,
        &["unknown argument: nonsense", "./build.sh [command]"],
        &[],
        &["a"],
    );
}
