//! The handler as a child process.

use crate::{Result, client};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Starts a program, and ends it when the standard input ends. So the handler never outlives this program, however that
/// is killed.
const LEASH: &str = "exec 3<&0; \"$0\" </dev/null 3<&- & program=$!
    exec 2>/dev/null; { read _; kill $program; } <&3 & exec 3<&-; wait $program";

/// The settings that the handler reads; those of the person who calls would change the responses of a demo.
const SETTINGS: [&str; 15] = [
    "TENANT_ID",
    "API_AUDIENCE",
    "AUTHORITY_HOST",
    "ISSUERS",
    "JWKS_URI",
    "ALLOWED_TENANTS",
    "ALLOWED_CLIENTS",
    "REQUIRED_SCOPES",
    "REQUIRED_ROLES",
    "CLOCK_SKEW_SECONDS",
    "ALLOWED_ORIGINS",
    "AUDIT_LOG",
    "CA_FILE",
    "RESOURCE",
    "RESOURCE_SCOPES",
];

/// A handler that serves; it ends when this is dropped.
pub(crate) struct Handler {
    child: Child,
    leash: Option<ChildStdin>,
}

impl Handler {
    /// Starts it, and returns when it answers.
    pub(crate) fn start(command: &mut Command, port: u16) -> Result<Handler> {
        // A stranger on that port would answer too.
        drop(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?);
        command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let leash = child.stdin.take();
        let mut handler = Handler { child, leash };
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = handler.child.try_wait()? {
                return Err(format!("the handler does not start: {status}").into());
            }
            match client::send(&format!("http://localhost:{port}/healthz"), None, None) {
                Ok(response) if response.status == 200 => return Ok(handler),
                _ if Instant::now() > deadline => return Err("the handler does not answer".into()),
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        self.leash = None;
        let _ = self.child.wait();
    }
}

/// How to start the handler with these settings, beside the caller's own or in place of them.
pub(crate) fn command(
    program: &str,
    settings: &[(&str, String)],
    has_callers_own: bool,
) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", LEASH, program]);
    if !has_callers_own {
        without_settings(&mut command);
    }
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

/// How to ask the handler about a token, with these settings.
pub(crate) fn check_command(program: &str, settings: &[(&str, String)]) -> Command {
    let mut command = Command::new(program);
    without_settings(&mut command).arg("check");
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

fn without_settings(command: &mut Command) -> &mut Command {
    SETTINGS
        .iter()
        .fold(command, |command, name| command.env_remove(name))
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
