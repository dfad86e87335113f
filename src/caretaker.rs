//! A thread that calls at the handler's own port, for two faults of tiny_http 0.12.
//!
//! Its pool of connection threads counts threads as free that have been given work but not yet
//! woken. Of connections that arrive together, those beyond the threads that were free then wait
//! in a queue until some other connection ends: behind keep-alive connections, for ever. A
//! connection that comes when no thread is free gets a new thread, which serves the queue
//! afterwards. So this thread makes connections that end at once, again and again for as long as
//! each of them has brought a new thread, which is when somebody may be waiting.
//!
//! Its accepting thread ends on the first error, and dies silently when it runs out of file
//! descriptors half-way. The port then refuses connections, which this thread notices.

use crate::limits::{
    CARETAKER_CALLS, CARETAKER_EVERY, CARETAKER_FAILURES, CARETAKER_MEMORY, CARETAKER_PAUSE, HELPER_STACK_BYTES,
};
use std::io::{ErrorKind, Read, Result};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Instant;

/// The loop's side: tells the caretaker of peers that were not there before.
pub struct Caretaker {
    newcomers: Arc<AtomicBool>,
    thread: Thread,
    /// One bit for each port from which a request has come since `forgotten`.
    seen: Vec<u64>,
    forgotten: Instant,
}

impl Caretaker {
    /// Starts the thread; `on_deaf` is called when the port no longer accepts connections.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(address: SocketAddr, on_deaf: impl Fn() + Send + 'static) -> Result<Caretaker> {
        let newcomers = Arc::new(AtomicBool::new(false));
        let count = newcomers.clone();
        let work = move || call_regularly(address, &count, on_deaf);
        let thread = std::thread::Builder::new().name("caretaker".into()).stack_size(HELPER_STACK_BYTES).spawn(work)?;
        let thread = thread.thread().clone();
        Ok(Caretaker { newcomers, thread, seen: vec![0; 1024], forgotten: Instant::now() })
    }

    /// A request came from this peer.
    pub fn saw(&mut self, peer: Option<&SocketAddr>, now: Instant) {
        if now.duration_since(self.forgotten) > CARETAKER_MEMORY {
            self.seen.fill(0);
            self.forgotten = now;
        }
        let port = peer.map_or(0, SocketAddr::port);
        let Some(word) = self.seen.get_mut(usize::from(port / 64)) else { return };
        let bit = 1 << (port % 64);
        if *word & bit == 0 {
            *word |= bit;
            self.newcomers.store(true, Ordering::Relaxed);
            self.thread.unpark();
        }
    }
}

fn call_regularly(address: SocketAddr, newcomers: &AtomicBool, on_deaf: impl Fn()) {
    let mut failures = 0;
    loop {
        std::thread::park_timeout(CARETAKER_EVERY);
        if newcomers.swap(false, Ordering::Relaxed) {
            // The rest of the burst arrives meanwhile, and one round serves it all.
            std::thread::sleep(CARETAKER_PAUSE);
        }
        for _ in 0..CARETAKER_CALLS {
            let before = threads();
            failures = match call(address) {
                Ok(()) => 0,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => CARETAKER_FAILURES,
                Err(_) => failures + 1,
            };
            if failures >= CARETAKER_FAILURES {
                return on_deaf();
            }
            if failures > 0 || threads() <= before {
                break;
            }
        }
    }
}

/// Connects, and waits until the other side has seen the end of the connection.
fn call(address: SocketAddr) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, CARETAKER_EVERY)?;
    stream.set_read_timeout(Some(CARETAKER_EVERY))?;
    stream.shutdown(Shutdown::Write)?;
    // A call that waits in the queue itself is no failure.
    let _ = stream.read(&mut [0]);
    Ok(())
}

/// The number of threads of this process, as Linux tells it; 0 elsewhere.
fn threads() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let count = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}
