//! A thread that calls at the handler's own port, for two faults of tiny_http 0.12.
//!
//! Its pool of connection threads counts threads as free that have been given work but not yet
//! woken. Of connections that arrive together, those beyond the threads that were free then wait
//! in a queue until some other connection ends: behind keep-alive connections, for ever. A
//! connection that comes when no thread is free gets a new thread, which serves the queue
//! afterwards. So whenever new peers have appeared, a few connections that end at once are made.
//!
//! Its accepting thread ends on the first error, and dies silently when it runs out of file
//! descriptors half-way. The port then refuses connections, which this thread notices.

use crate::limits::{CARETAKER_BATCH, CARETAKER_EVERY, CARETAKER_FAILURES, CARETAKER_PAUSE, HELPER_STACK_BYTES};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Thread;

/// The loop's side: tells the caretaker of peers that were not there before.
pub struct Caretaker {
    newcomers: Arc<AtomicUsize>,
    thread: Option<Thread>,
    /// The last port seen in each slot; a peer is new when its slot holds another port.
    seen: [u16; 256],
}

impl Caretaker {
    /// Starts the thread; `on_deaf` is called when the port no longer accepts connections.
    pub fn start(address: SocketAddr, on_deaf: impl Fn() + Send + 'static) -> Caretaker {
        let newcomers = Arc::new(AtomicUsize::new(0));
        let count = newcomers.clone();
        let work = move || call_regularly(address, &count, on_deaf);
        let thread = std::thread::Builder::new().name("caretaker".into()).stack_size(HELPER_STACK_BYTES).spawn(work);
        Caretaker { newcomers, thread: thread.ok().map(|handle| handle.thread().clone()), seen: [0; 256] }
    }

    /// A request came from this peer.
    pub fn saw(&mut self, peer: Option<&SocketAddr>) {
        let port = peer.map_or(0, SocketAddr::port);
        let Some(slot) = self.seen.get_mut(usize::from(port) % 256) else { return };
        if *slot != port {
            *slot = port;
            self.newcomers.fetch_add(1, Ordering::Relaxed);
            if let Some(thread) = &self.thread {
                thread.unpark();
            }
        }
    }
}

fn call_regularly(address: SocketAddr, newcomers: &AtomicUsize, on_deaf: impl Fn()) {
    let mut failures = 0;
    loop {
        std::thread::park_timeout(CARETAKER_EVERY);
        if newcomers.load(Ordering::Relaxed) > 0 {
            // The rest of the burst arrives meanwhile, and one pause serves it all.
            std::thread::sleep(CARETAKER_PAUSE);
        }
        let calls = (2 * newcomers.swap(0, Ordering::Relaxed)).clamp(1, CARETAKER_BATCH);
        for _ in 0..calls {
            failures = match TcpStream::connect(address) {
                Ok(_) => 0,
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => CARETAKER_FAILURES,
                Err(_) => failures + 1,
            };
            if failures >= CARETAKER_FAILURES {
                return on_deaf();
            }
        }
    }
}
