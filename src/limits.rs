//! The limits that a caller, a key server or an operator can meet: name, unit, reason. A limit that
//! only tunes one place stands in that place.

use std::time::Duration;

/// Bytes of the longest token that is looked at. The Functions host allows 32 KiB of request
/// headers in all; Entra's largest tokens (200 groups) stay below 16 KiB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Bytes of accepted tokens that the cache keeps, with all that was read from them. A busy instance
/// sees a few thousand callers within the hour that a token lives.
pub const MAX_CACHED_BYTES: usize = 8 * 1024 * 1024;

/// Levels of nested JSON objects and arrays. Entra's claims have two; the scanner recurses once a
/// level, so this bounds the stack.
pub const MAX_JSON_DEPTH: usize = 64;

/// Bytes of the longest `kid`. Entra's have 27; an unbounded one would be an unbounded search key.
pub const MAX_KID_BYTES: usize = 256;

/// Bits of an RSA modulus. 2048 is the least that RFC 7518 section 3.3 allows; above 8192 ring
/// refuses, and one verification would take milliseconds.
pub const RSA_MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Largest RSA public exponent: ring's own bound (2^33 - 1). A huge exponent makes one
/// verification arbitrarily slow (RFC 7518 section 8.6).
pub const MAX_RSA_EXPONENT: u64 = (1 << 33) - 1;

/// The first second after the year 9999, Unix seconds: RFC 3339 can write no later year, and no
/// NumericDate may lie there.
pub const END_OF_NUMERIC_DATES: f64 = 253_402_300_800.0;

/// Seconds of the largest leeway that may be set for `exp` and `nbf`: a few minutes (RFC 7519
/// section 4.1.4); Microsoft's own libraries use 300.
pub const MAX_CLOCK_SKEW_SECONDS: u64 = 300;

/// Characters of a whole description.
pub const MAX_DESCRIPTION_CHARS: usize = 700;

/// Bytes of the largest key set. Entra's has about 20 KiB.
pub const MAX_KEY_SET_BYTES: u64 = 1024 * 1024;

/// Longest wait for a connection to the key server.
pub const FETCH_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Longest time for one whole fetch of a key set, name resolution and body included.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Time between two fetches in the background. Microsoft asks for a check at least every 24
/// hours; an hour keeps an emergency rollover short.
pub const REFRESH_EVERY: Duration = Duration::from_secs(60 * 60);

/// Age beyond which the last good key set is no longer trusted. Microsoft: "Signing key
/// rollover in the Microsoft identity platform".
pub const KEYS_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Least time between the starts of two fetches that unknown keys cause. Anybody can send an unknown
/// key, and that must not become a load on the key server.
pub const FORCED_FETCH_EVERY: Duration = Duration::from_secs(60);

/// Least time between the end of a fetch and the next one while there is no usable key set.
pub const RETRY_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// Longest wait of a request for keys: two fetches in a row, and a second. One fetch may run when the
/// request comes; its own unknown key causes the other.
pub const PARK_TIMEOUT: Duration = Duration::from_secs(11);

/// Requests that wait for keys at one time. Each holds its connection's thread and two file
/// descriptors; the rest are told to come back.
pub const MAX_PARKED: usize = 512;

/// Bytes of the largest request body that is read and thrown away: the Functions host's own limit.
/// tiny_http would allocate the declared length of a longer one.
pub const MAX_DRAINED_BYTES: usize = 100 * 1024 * 1024;
