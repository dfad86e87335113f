//! The handler as a child process, what it uses, and what it says on standard error.

use crate::passes::{AUDIENCE, TENANT};
use crate::wire::Wire;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A handler that serves.
pub(crate) struct Handler {
    child: Child,
    pub(crate) address: SocketAddr,
    said: Arc<Mutex<BTreeMap<String, u64>>>,
}

/// Memory, threads and file descriptors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) rss_kib: u64,
    pub(crate) most_kib: u64,
    pub(crate) threads: u64,
    pub(crate) descriptors: u64,
}

impl Handler {
    /// Starts it on a free port, and waits until it answers.
    pub(crate) fn start(program: &Path, jwks_uri: &str) -> Result<Handler, String> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let port = port
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let mut command = Command::new(program);
        let settings = [
            ("TENANT_ID", TENANT),
            ("API_AUDIENCE", AUDIENCE),
            ("JWKS_URI", jwks_uri),
        ];
        command
            .env_clear()
            .envs(settings)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let said = Arc::new(Mutex::new(BTreeMap::new()));
        if let Some(pipe) = child.stderr.take() {
            let sink = said.clone();
            thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    *sink
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .entry(without_digits(&line))
                        .or_default() += 1;
                }
            });
        }
        let mut handler = Handler {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            said,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !handler.answers() {
            if !handler.is_alive() || Instant::now() > deadline {
                return Err(format!("the handler does not serve: {:?}", handler.said()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        // Threads and descriptors of the start are there now, and those of this question are gone.
        thread::sleep(Duration::from_millis(500));
        Ok(handler)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process that was started is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The lines of its standard error without their numbers, and how often each came.
    pub(crate) fn said(&self) -> BTreeMap<String, u64> {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn usage(&self) -> Usage {
        let folder = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default();
            line.split_ascii_whitespace()
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or_default()
        };
        Usage {
            rss_kib: number("VmRSS:"),
            most_kib: number("VmHWM:"),
            threads: number("Threads:"),
            descriptors: fs::read_dir(format!("{folder}/fd")).map_or(0, |list| list.count() as u64),
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut wire) = Wire::to(self.address) else {
            return false;
        };
        let _ = wire.send(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
        wire.answer(Duration::from_secs(2))
            .is_some_and(|answer| answer.status == 200)
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mib = |kib: u64| kib as f64 / 1024.0;
        let (rss, most) = (mib(self.rss_kib), mib(self.most_kib));
        write!(
            f,
            "RSS {rss:.1} MiB (at most {most:.1}), {} threads, {} fds",
            self.threads, self.descriptors
        )
    }
}

/// The text with every run of digits as one `#`: what stays the same from one time to the next.
pub(crate) fn without_digits(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        match char.is_ascii_digit() {
            false => plain.push(char),
            true if plain.ends_with('#') => {}
            true => plain.push('#'),
        }
    }
    plain
}
