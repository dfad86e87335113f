//! The stand-in for the Azure Functions host: a program in Python beside the repository.

use super::process::{Folder, Process, find_program, say, wait_until};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

pub struct Host {
    pub process: Process,
    pub address: SocketAddr,
    _app: Folder,
}

/// How the host passes requests on.
pub const MODES: [&str; 2] = ["forward", "proxy"];

impl Host {
    /// Starts it on this port (0 for a free one), with a program for a handler whose environment has
    /// these variables. None, and a line says so, where the stand-in or Python is missing.
    pub fn start(
        mode: &str,
        port: u16,
        program: &Path,
        environment: &[(&str, &str)],
    ) -> Option<Host> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let stand_in = root.join("../shared/functions_host.py");
        let python = find_program(&["python3"], &[]).filter(|_| stand_in.is_file());
        let Some(python) = python else {
            say(
                "skipped: the stand-in for the Functions host (shared/functions_host.py), or python3, is missing",
            );
            return None;
        };
        let app = app(root, program);
        let mut command = Command::new(python);
        command.arg(stand_in).arg(&app.0);
        command.args(["--mode", mode, "--port", &port.to_string()]);
        command.envs(environment.iter().copied());
        let process = Process::start_group(command);
        let mut port = None;
        wait_until("the host listens", || {
            let started = process.stdout.all();
            let started = started
                .first()
                .and_then(|line| serde_json::from_str(line).ok());
            port = started.and_then(|line: Value| line["listening"].as_u64());
            port.is_some()
        });
        let port = port.and_then(|port| port.try_into().ok()).expect("a port");
        Some(Host {
            process,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            _app: app,
        })
    }
}

/// The folder of a function app, as the repository has it, with another program.
fn app(root: &Path, program: &Path) -> Folder {
    let app = Folder::new("app");
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("a file of the app");
    let mut host: Value = serde_json::from_str(&read("host.json")).expect("JSON");
    host["customHandler"]["description"]["defaultExecutablePath"] = json!(program);
    let write = |name: &str, text: String| std::fs::write(app.file(name), text).expect("a folder");
    write("host.json", host.to_string());
    std::fs::create_dir(app.file("api")).expect("a folder");
    write("api/function.json", read("api/function.json"));
    app
}
