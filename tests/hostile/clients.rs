//! Clients that misbehave.

use crate::play;
use crate::scenes::{self, Site};
use crate::support::serving;
use crate::support::usage::{NEARLY_NOTHING, Tolerance};

#[test]
fn a_stalled_upload_holds_up_nobody_and_leaves_nothing() {
    play(scenes::stalled_uploads, 6, NEARLY_NOTHING);
}

/// Below 32 MiB the allocator may keep what one upload declared, once.
#[test]
fn uploads_that_break_off_give_back_their_memory_one_at_a_time() {
    let [before, after] = play(scenes::broken_off_uploads, 50, mebibytes(62));
    let most = after.peak_kib - before.rss_kib;
    assert!(most <= 100 * 1024, "at most {most} KiB more");
}

#[test]
fn a_length_beyond_100_mib_costs_a_thread_and_two_descriptors_and_no_memory() {
    play(scenes::oversized_uploads, 20, given_up(20));
}

#[test]
fn an_upload_that_trickles_holds_up_nobody_and_gets_its_response() {
    play(scenes::trickling_uploads, 30, NEARLY_NOTHING);
}

#[test]
fn chunks_that_lie_or_never_end_hold_up_nobody() {
    play(scenes::lying_chunks, 10, NEARLY_NOTHING);
}

#[test]
fn uploads_sent_without_waiting_get_their_responses_in_order() {
    play(scenes::pipelined_uploads, 30, NEARLY_NOTHING);
}

#[test]
fn odd_starts_of_requests_get_what_they_deserve() {
    play(scenes::odd_starts, 1, NEARLY_NOTHING);
}

#[test]
fn huge_starts_of_requests_hold_up_nobody_and_give_back_their_memory() {
    play(scenes::huge_starts, 1, mebibytes(64));
}

#[test]
fn starts_of_requests_that_trickle_hold_up_nobody_and_get_their_responses() {
    play(scenes::trickling_starts, 100, NEARLY_NOTHING);
}

#[test]
fn other_versions_of_http_cost_a_thread_and_two_descriptors_and_hold_up_nobody() {
    play(scenes::other_versions, 30, given_up(30));
}

#[test]
fn idle_connections_hold_up_nobody_and_can_still_ask() {
    play(scenes::idle_connections, 400, NEARLY_NOTHING);
}

#[test]
fn half_request_lines_hold_up_nobody_and_can_still_be_finished() {
    play(scenes::half_request_lines, 400, NEARLY_NOTHING);
}

/// Nobody else comes meanwhile: another connection would wake those that are left waiting.
#[test]
fn connections_that_come_at_the_same_instant_all_get_their_responses() {
    let (mut handler, _keys) = serving(&[]);
    let site = Site {
        handler: &handler,
        others: &|_| (),
        seed: 1,
    };
    for size in [20, 100, 20, 100] {
        scenes::burst(&site, size);
    }
    handler.must_serve();
}

#[test]
fn connections_that_are_reset_hold_up_nobody_and_leave_nothing() {
    play(scenes::resets, 25, NEARLY_NOTHING);
}

#[test]
fn random_bytes_hold_up_nobody_and_are_never_accepted() {
    play(scenes::random_bytes, 10, NEARLY_NOTHING);
}

#[test]
fn a_client_that_reads_late_gets_every_response_whole_and_in_order() {
    play(scenes::late_readers, 1, mebibytes(128));
}

#[test]
fn clients_that_read_slowly_or_never_hold_up_nobody() {
    play(scenes::deaf_readers, 2, mebibytes(128));
}

fn mebibytes(count: u64) -> Tolerance {
    let kib = count * 1024;
    Tolerance {
        kib,
        ..NEARLY_NOTHING
    }
}

/// So many connections stay until the process ends, each with a thread and two descriptors:
/// tiny_http offers no way to close them.
fn given_up(count: u64) -> Tolerance {
    Tolerance {
        threads: NEARLY_NOTHING.threads + count,
        descriptors: NEARLY_NOTHING.descriptors + 2 * count,
        ..NEARLY_NOTHING
    }
}
