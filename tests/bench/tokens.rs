//! Tokens as Entra issues them, each with its own `uti`, signed before anything is measured.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::digest::{SHA256, digest};

use crate::mint::{self, TestKey};

/// The directory of all tokens.
pub(crate) const TENANT: &str = "8b2c6a1e-4f0d-4d7a-9c35-e1f7a0b6d942";
/// The API that they are for.
pub(crate) const AUDIENCE: &str = "3f5e8c07-91ab-4c62-b7d4-6a2e0f9d1c58";
/// Their issuer.
pub(crate) const ISSUER: &str =
    "https://login.microsoftonline.com/8b2c6a1e-4f0d-4d7a-9c35-e1f7a0b6d942/v2.0";

/// Tokens beyond those that are measured, for the moment before.
pub(crate) const SPARE: usize = 512;

/// Signing takes long, and as many of the large ones tell nothing more.
const MOST_LARGE: usize = 5000;

/// A token and what it says.
pub(crate) struct Token {
    /// The compact serialization.
    pub(crate) text: String,
    /// The claims, as the issuer wrote them.
    pub(crate) payload: String,
}

/// The size of the claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// A plain delegated token, about 600 bytes.
    Small,
    /// One with many groups, about 4 KB.
    Large,
}

impl Size {
    /// For the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Size::Small => "600 B",
            Size::Large => "4 KB",
        }
    }
}

/// All tokens of a session.
pub(crate) struct Tokens {
    small: Vec<Token>,
    large: Vec<Token>,
}

impl Tokens {
    /// Signs `count` small ones, some large ones, and the spare ones of each, on all cores.
    pub(crate) fn mint(count: usize) -> Tokens {
        let sign = |size, count| sign_all(size, count + SPARE);
        Tokens {
            small: sign(Size::Small, count),
            large: sign(Size::Large, count.min(MOST_LARGE)),
        }
    }

    /// Those of one size; the last [`SPARE`] are not to be measured.
    pub(crate) fn of(&self, size: Size) -> &[Token] {
        match size {
            Size::Small => &self.small,
            Size::Large => &self.large,
        }
    }
}

impl Token {
    /// The same token with one character of the signature changed.
    pub(crate) fn with_bad_signature(&self) -> String {
        let mut bytes = self.text.clone().into_bytes();
        // Well inside the signature, where every character stands for six whole bits.
        let at = bytes.len() - 100;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        bytes.into_iter().map(char::from).collect()
    }

    /// What the signature is over, and the signature.
    pub(crate) fn signed_parts(&self) -> (&str, &str) {
        self.text.rsplit_once('.').unwrap_or_default()
    }
}

fn sign_all(size: Size, count: usize) -> Vec<Token> {
    let key = TestKey::number(1);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(count);
    let done = AtomicUsize::new(0);
    let sign = |number: usize| {
        let payload = payload(size, number, now);
        let token = Token {
            text: mint::token(&key, &payload),
            payload,
        };
        done.fetch_add(1, Ordering::Relaxed);
        token
    };
    let tokens = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..threads)
            .map(|share| {
                scope.spawn(move || {
                    (share..count)
                        .step_by(threads)
                        .map(sign)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        while !shares.iter().all(|share| share.is_finished()) {
            crate::progress(&format!(
                "signing tokens of {}: {}/{count}",
                size.name(),
                done.load(Ordering::Relaxed)
            ));
            std::thread::sleep(Duration::from_millis(100));
        }
        shares
            .into_iter()
            .flat_map(|share| share.join().unwrap_or_default())
            .collect()
    });
    crate::progress("");
    tokens
}

/// The claims of a v2.0 token for a user.
fn payload(size: Size, number: usize, now: u64) -> String {
    let hash = digest(&SHA256, &number.to_be_bytes());
    let uti = mint::b64(&hash.as_ref()[..16]);
    let groups = match size {
        Size::Small => String::new(),
        Size::Large => format!(
            r#""groups":[{}],"#,
            (0..88).map(group).collect::<Vec<_>>().join(",")
        ),
    };
    format!(
        r#"{{"aud":"{AUDIENCE}","iss":"{ISSUER}","iat":{issued},"nbf":{issued},"exp":{expires},"#,
        issued = now - 300,
        expires = now + 6 * 60 * 60
    ) + r#""aio":"AWQAm/8XAAAAuPzvbW8dQ6rL0t3Y2kqv5sJ1nXo7cFh4eBgT9wRz","azp":"c1a7e5d2-6b3f-4e18-a09d-5f8c2b7e4310","#
        + r#""azpacr":"1","#
        + &groups
        + r#""name":"Adele Vance","oid":"d4e8f1a3-72b5-49c6-8e0f-1b9a6c3d5e27","preferred_username":"AdeleV@contoso.com","#
        + r#""rh":"1.AXkAHmosiw1PekCcNeH3oLbZQgeMXj-rkWJMt9RqLg-dHFgAAKR5AA.","scp":"user_impersonation","#
        + r#""sub":"Kq3vT8nWbY5xLr2mZc7pHs9fJd4gQe6uAo1iXtBwV0E","#
        + &format!(r#""tid":"{TENANT}","uti":"{uti}","ver":"2.0"}}"#)
}

fn group(number: usize) -> String {
    format!(
        r#""{:08x}-{:04x}-4a{number:02x}-8b{number:02x}-7f3c90d215e6""#,
        number * 0x0123_4567,
        number * 0x2bd
    )
}
