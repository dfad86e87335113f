//! Staying up: the real binary while clients, key servers and the system misbehave.
//!
//! While the hostile thing goes on, a well-behaved client asks without a pause. Afterwards the process
//! is the same one, and has given back its memory, threads and descriptors.
#![cfg(target_os = "linux")]

mod clients;
mod keys;
mod process;
mod scenes;
#[path = "../support/mod.rs"]
mod support;

use scenes::Site;
use support::probe::Probe;
use support::usage::{Tolerance, Usage, must_settle};
use support::{Handler, serving, tokens};

/// Plays a scene before a handler that has its keys; the usage before it and at the end.
#[track_caller]
fn play(scene: impl FnOnce(&Site, usize), size: usize, more: Tolerance) -> [Usage; 2] {
    let (mut handler, _keys) = serving(&[]);
    assert_eq!(handler.api(&tokens::good()).status, 200);
    let before = handler.usage();
    play_before(&mut handler, more, |site| scene(site, size));
    [before, handler.usage()]
}

#[track_caller]
fn play_before(handler: &mut Handler, more: Tolerance, scene: impl FnOnce(&Site)) {
    let test = std::thread::current();
    let name = test.name().unwrap_or_default();
    let before = handler.usage();
    let probe = Probe::start(handler);
    scene(&Site {
        handler,
        others: &|rounds| probe.wait_for_rounds(rounds),
        seed: 0x5EED_1234_ABCD_0001,
    });
    probe.end(name);
    must_settle(handler, &before, more, name);
}
