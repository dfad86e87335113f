//! Starts servers on free ports and ends them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::cores::Cores;
use crate::exchange;
use crate::tokens::{AUDIENCE, TENANT};
use crate::usage::Usage;

/// What can be started.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// The handler.
    Handler,
    /// The bare server, with an answer of these sizes.
    Bare {
        /// Bytes of its head.
        head: usize,
        /// Bytes of its body.
        body: usize,
    },
}

/// Knows how to start each program, on the servers' core.
pub(crate) struct Launcher {
    /// Where things run.
    pub(crate) cores: Cores,
    handler: PathBuf,
    bench: PathBuf,
    key_port: u16,
}

/// A running server, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) port: u16,
    started: Instant,
}

impl Launcher {
    /// Launches this handler with keys from this port.
    pub(crate) fn new(handler: &Path, key_port: u16, cores: Cores) -> Result<Launcher, String> {
        let handler = handler
            .canonicalize()
            .map_err(|error| format!("{}: {error}", handler.display()))?;
        let bench =
            std::env::current_exe().map_err(|error| format!("the bench's own binary: {error}"))?;
        Ok(Launcher {
            cores,
            handler,
            bench,
            key_port,
        })
    }

    /// Starts a server; it need not listen yet.
    fn launch(&self, program: Program) -> Result<Process, String> {
        let port = free_port()?;
        let mut command = match program {
            Program::Handler => self.handler_command(),
            Program::Bare { head, body } => {
                let mut command = Command::new(&self.bench);
                command.args([
                    "--bare".into(),
                    port.to_string(),
                    head.to_string(),
                    body.to_string(),
                ]);
                command
            }
        };
        command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        self.spawn(command, port)
    }

    /// Starts a server and asks until it answers: the answer, and the time since just before the
    /// launch.
    pub(crate) fn serve(
        &self,
        program: Program,
        request: &[u8],
    ) -> Result<(Process, String, Duration), String> {
        let mut process = self.launch(program)?;
        let started = process.started;
        while started.elapsed() < Duration::from_secs(10) {
            if let Ok(answer) = exchange::ask(process.port, request) {
                return Ok((process, answer, started.elapsed()));
            }
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(format!("{program:?} ended with {status}"));
            }
            if self.cores.is_shared {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        Err(format!("{program:?} does not answer"))
    }

    /// The handler with its settings, and nothing else in its environment.
    fn handler_command(&self) -> Command {
        let mut command = Command::new(&self.handler);
        command.env_clear().envs([
            ("TENANT_ID", TENANT),
            ("API_AUDIENCE", AUDIENCE),
            ("AUDIT_LOG", "denied"),
        ]);
        command.env(
            "JWKS_URI",
            format!("http://127.0.0.1:{}/keys", self.key_port),
        );
        command
    }

    /// Runs the handler on the servers' core with this input to its end: the time and the status.
    pub(crate) fn run(
        &self,
        arguments: &[&str],
        input: &str,
    ) -> Result<(Duration, Option<i32>), String> {
        let mut command = self.handler_command();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = self.spawn(command, 0)?;
        if let Some(mut stdin) = process.child.stdin.take() {
            // A program that does not read its input is told by its status.
            let _ = stdin.write_all(input.as_bytes());
        }
        let status = process
            .child
            .wait()
            .map_err(|error| format!("handler {}: {error}", arguments.join(" ")))?;
        Ok((process.started.elapsed(), status.code()))
    }

    fn spawn(&self, mut command: Command, port: u16) -> Result<Process, String> {
        let (started, child) = self.cores.on_server(|| (Instant::now(), command.spawn()));
        let child = child.map_err(|error| format!("{command:?} does not start: {error}"))?;
        let mut process = Process {
            child,
            port,
            started,
        };
        drain(process.child.stdout.take());
        Ok(process)
    }
}

impl Process {
    /// What it uses now; None where there is no /proc.
    pub(crate) fn usage(&self) -> Option<Usage> {
        Usage::of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a program writes, and forgets it.
fn drain(stdout: Option<impl Read + Send + 'static>) {
    let Some(mut stdout) = stdout else { return };
    std::thread::spawn(move || {
        let mut part = vec![0; 64 * 1024];
        while stdout.read(&mut part).is_ok_and(|count| count > 0) {}
    });
}

/// A port below those that the system gives to connections: a connection that is tried while
/// nobody listens yet must not get the same port and so reach itself.
fn free_port() -> Result<u16, String> {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let offset = (std::process::id() % 8000) as u16;
    for _ in 0..1000 {
        let port = 20_000 + (offset + TRIED.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err("no free port between 20000 and 32000".into())
}
