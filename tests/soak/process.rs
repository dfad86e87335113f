//! The handler as a process, and what the kernel says of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

/// The directory and the API of all tokens.
pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
/// The audience of all good tokens.
pub(crate) const AUDIENCE: &str = "api://soak";

/// A running handler.
pub(crate) struct Handler {
    child: Mutex<Child>,
    pid: u32,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Handler {
    /// Starts it on a free port and waits until it listens.
    pub(crate) fn start(path: &str, jwks_uri: &str) -> Handler {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let settings = [("TENANT_ID", TENANT), ("API_AUDIENCE", AUDIENCE), ("JWKS_URI", jwks_uri)];
        let mut command = Command::new(path);
        command.env_clear().envs(settings).env("FUNCTIONS_CUSTOMHANDLER_PORT", address.port().to_string());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the handler starts");
        while TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Handler { pid: child.id(), child: Mutex::new(child), address }
    }

    /// Whether it is still the process that was started.
    pub(crate) fn is_alive(&self) -> bool {
        self.child.lock().is_ok_and(|mut child| matches!(child.try_wait(), Ok(None)))
    }

    /// Memory, threads and descriptors in words.
    pub(crate) fn usage(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", self.pid)).map_or(0, |list| list.count());
        format!(
            "resident {}, at most {}, {} threads, {descriptors} descriptors",
            field("VmRSS:"),
            field("VmHWM:"),
            field("Threads:")
        )
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        if let Ok(mut child) = self.child.lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
