//! Serving: one loop decides every request, and whatever waits is elsewhere.

mod audit;
mod connection;
mod log;
mod places;
mod request_loop;
mod transport;
mod worker;

pub use log::to_stderr;

use crate::http::{Route, faults};
use crate::settings::Settings;
use log::Log;
use request_loop::RequestLoop;
use std::convert::Infallible;
use std::time::Duration;

/// Listens on 127.0.0.1 and serves for ever.
///
/// # Errors
/// The table of routes cannot work, the port cannot be had, or the threads that it takes cannot: a
/// sentence each.
pub fn serve(settings: Settings, routes: &'static [Route]) -> Result<Infallible, Vec<String>> {
    let faults = faults(routes);
    if !faults.is_empty() {
        return Err(faults);
    }
    transport::steady_heap();
    let log = Log::start().map_err(|error| vec![format!("cannot start a thread: {error}")])?;
    let deaf = log.clone();
    let on_deaf = move || restart(&deaf, "the port no longer accepts connections");
    let server = transport::Server::bind(settings.port, on_deaf).map_err(|fault| vec![fault])?;
    for warning in &settings.warnings {
        log.err(format!("warning: {warning}"));
    }
    // A panic of an endpoint, or of a connection's thread in tiny_http, is an entry in the log.
    let panics = log.clone();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        panics.err(format!("a panic at {}", place.unwrap_or_default()));
    }));
    RequestLoop::new(settings, routes, server, log).run()
}

/// Ends the process with status 200, upon which the Functions host starts the handler again, as often
/// as needed. The log gets a moment to write why.
fn restart(log: &Log, why: &str) -> ! {
    const STATUS: i32 = 200;
    log.err(format!(
        "{why}; leaving with status {STATUS}, upon which the Functions host starts the handler again"
    ));
    std::thread::sleep(Duration::from_millis(100));
    std::process::exit(STATUS)
}
