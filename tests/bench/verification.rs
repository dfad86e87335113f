//! The bound of verification: what ring alone takes for one signature, on one thread.

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use crate::mint::TestKey;
use crate::tokens::Token;

/// Microseconds for one verification, over different tokens in turn. Where the system tells the
/// thread's own CPU time, what other programs took meanwhile does not count.
pub(crate) fn measure(tokens: &[Token], time: Duration) -> f64 {
    let key = TestKey::number(1);
    let key = RsaPublicKeyComponents {
        n: key.modulus(),
        e: key.exponent(),
    };
    let signed: Vec<(&str, Vec<u8>)> = tokens
        .iter()
        .map(Token::signed_parts)
        .map(|(input, signature)| (input, URL_SAFE_NO_PAD.decode(signature).unwrap_or_default()))
        .collect();
    let (started, before, mut count) = (Instant::now(), cpu_time(), 0);
    for (input, signature) in signed.iter().cycle() {
        let outcome = key.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            black_box(input.as_bytes()),
            black_box(signature),
        );
        assert!(outcome.is_ok(), "a token of our own does not verify");
        count += 1;
        if count % 64 == 0 && started.elapsed() >= time {
            break;
        }
    }
    let took = before
        .zip(cpu_time())
        .map_or(started.elapsed(), |(before, after)| after - before);
    took.as_secs_f64() * 1e6 / f64::from(count)
}

/// CPU time of the calling thread: the first number of its schedstat, in nanoseconds.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace()
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}
