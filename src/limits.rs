//! Every limit of the handler: name, unit, reason. Nothing else in the crate holds one.

use std::time::Duration;

/// Bytes of the longest token that is looked at. The Functions host allows 32 KiB of request
/// headers in all; Entra's largest tokens (200 groups) stay below 16 KiB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Levels of nested JSON objects and arrays in a token or a key set. Entra's claims have two;
/// the scanner recurses once a level, so this bounds the stack.
pub const MAX_JSON_DEPTH: usize = 64;

/// Bytes of the longest `kid`. Entra's have 27; an unbounded one would be an unbounded search key.
pub const MAX_KID_BYTES: usize = 256;

/// Bits of an RSA modulus. 2048 is the least that RFC 7518 section 3.3 allows; above 8192 ring
/// refuses, and one verification would take a client's milliseconds.
pub const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Largest RSA public exponent: ring's own bound (2^33 - 1). A huge exponent makes one
/// verification arbitrarily slow (RFC 7518 section 8.6).
pub const MAX_RSA_EXPONENT: u64 = (1 << 33) - 1;

/// End of the year 9999, Unix seconds, itself excluded: the last year that RFC 3339 can write,
/// and so the last that a NumericDate may lie in.
pub const END_OF_NUMERIC_DATES: f64 = 253_402_300_800.0;

/// Seconds of the largest leeway that may be set for `exp` and `nbf`: a few minutes (RFC 7519
/// section 4.1.4); Microsoft's own libraries use 300.
pub const MAX_CLOCK_SKEW_SECONDS: u64 = 300;

/// Bytes of the largest key set. Entra's has about 20 KiB.
pub const MAX_KEY_SET_BYTES: u64 = 1024 * 1024;

/// Longest wait for a connection to the key server.
pub const FETCH_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest time for one whole fetch of the key set, name resolution and body included.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait of a parked request: for a fetch that was running when it came, for the one that
/// its own unknown key then causes, and a little more, so that the fetch's own end comes first.
pub const PARK_TIMEOUT: Duration = Duration::from_secs(11);

/// Time between two fetches in the background. Microsoft asks for a check at least every 24
/// hours; an hour keeps an emergency rollover short.
pub const REFRESH_EVERY: Duration = Duration::from_secs(60 * 60);

/// Age beyond which the last good key set is no longer trusted. Microsoft: "Signing key
/// rollover" in the Microsoft identity platform.
pub const KEYS_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Least time between the starts of two fetches that unknown keys cause: what anybody can send
/// must not become a load on the key server.
pub const FORCED_FETCH_EVERY: Duration = Duration::from_secs(60);

/// Least time between the end of a fetch and the next one while there is no usable key set.
pub const RETRY_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// Tokens whose signature is remembered as verified: under 2 MiB in all. A busy instance sees a
/// few thousand callers within the hour that a token lives.
pub const MAX_REMEMBERED_SIGNATURES: usize = 8192;

/// Connections that wait for keys at one time. Each holds its thread and two file descriptors; the
/// rest are told to come back.
pub const MAX_PARKED: usize = 512;

/// Bytes of a request body that tiny_http reads itself before it hands the request over.
pub const BODY_IN_MEMORY_BYTES: usize = 1024;

/// Bytes of the largest request body that is read and thrown away: the Functions host's own
/// limit. tiny_http would allocate the rest of a longer one at once.
pub const MAX_BODY_BYTES: usize = 100 * 1024 * 1024;

/// Bytes from which the allocator gives a buffer back to the system: glibc's own figure, made fast.
pub const MAPPED_BUFFER_BYTES: usize = 128 * 1024;

/// Heaps of the allocator: the loop's own, and one for all other threads, which allocate little.
pub const HEAPS: usize = 2;

/// Longest time that one send to a peer may block the loop; the kernel rounds it up to its tick, 1
/// to 10 milliseconds. All peers are on this machine, so a full send buffer means that the peer does
/// not read.
pub const SEND_TIMEOUT: Duration = Duration::from_millis(1);

/// Longest pause before another try to send to a peer that does not read, on its own thread.
pub const MAX_SEND_PAUSE: Duration = Duration::from_millis(100);

/// A send that takes longer than this counts; a peer whose sends within a second add up to the
/// second figure gets a thread of its own. It reads, but so slowly that the loop would wait for it.
pub const SLOW_SEND: Duration = Duration::from_millis(2);
/// See [`SLOW_SEND`].
pub const MAX_SLOW_SENDS: Duration = Duration::from_millis(20);

/// Time after its last answer for which a peer counts as slow.
pub const SLOW_FOR: Duration = Duration::from_secs(1);

/// Time between two looks at what has waited too long, and at peers that no longer are slow.
pub const SWEEP_EVERY: Duration = Duration::from_millis(250);

/// Requests that are answered in the order in which they come while more keep coming; from then on
/// connections take turns, so that none waits for what another has sent ahead.
pub const MAX_IN_A_ROW: usize = 1024;

/// Time without a request that counts as a pause: longer than it takes to fetch one that is there.
pub const PAUSE: Duration = Duration::from_micros(100);

/// Requests of one connection that are answered in one turn.
pub const MAX_TURNS: usize = 16;

/// Time between two calls of the caretaker at the handler's own port.
pub const CARETAKER_EVERY: Duration = Duration::from_millis(250);

/// Most calls in one round, and the pause before it in which the rest of a burst arrives.
pub const CARETAKER_CALLS: usize = 128;
/// See [`CARETAKER_CALLS`].
pub const CARETAKER_PAUSE: Duration = Duration::from_millis(5);

/// Time after which a peer that sends a request counts as new again: its port may be another's.
pub const CARETAKER_MEMORY: Duration = Duration::from_secs(1);

/// Calls that fail in a row, for want of file descriptors for instance, before the caretaker
/// gives up: 10 seconds of them.
pub const CARETAKER_FAILURES: usize = 40;

/// Bytes of stack for the handler's own helper threads; they hold no deep calls.
pub const HELPER_STACK_BYTES: usize = 128 * 1024;

/// Log lines that wait for a slow reader of standard output or error; more are counted and lost.
pub const LOG_QUEUE_LINES: usize = 1024;

/// Time in which lines gather before they are written together: a write and a wake-up for each
/// refusal would cost as much as the refusal.
pub const LOG_GATHERS: Duration = Duration::from_millis(5);

/// Bytes that are reserved for a line of the audit log: a usual one has 500 to 700.
pub const AUDIT_LINE_BYTES: usize = 768;

/// Characters of the longest word of an identifier in the audit log: SHA-256 in hexadecimal. The parts
/// of tokens and the signatures have more.
pub const MAX_LOGGED_WORD: usize = 64;

/// Characters of a quoted value in a description or a log line.
pub const MAX_QUOTED_CHARS: usize = 120;

/// Characters of a whole description.
pub const MAX_DESCRIPTION_CHARS: usize = 700;

/// Bytes that `handler check` reads from standard input, so that it can say how much too long a
/// token is; more is not a slip, and could be endless.
pub const MAX_CHECK_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Bytes of the longest line that `handler check --lines` looks at: a token, what stands around it,
/// and room to say how much too long it is.
pub const MAX_LINE_BYTES: usize = 4 * MAX_TOKEN_BYTES;

/// Bytes that `handler check --lines` reads at once, and about as many as it writes at once.
pub const LINES_BUFFER_BYTES: usize = 32 * 1024;

/// Tokens between two signs of life on a terminal: about a third of a second.
pub const PROGRESS_EVERY_TOKENS: u64 = 10_000;
