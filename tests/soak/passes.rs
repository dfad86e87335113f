//! The tokens that callers have: for every key that was ever published, and for one that never is.

use crate::mint::mint;
use crate::publisher::{Published, test_key};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const AUDIENCE: &str = "api://66666666-7777-8888-9999-aaaaaaaaaaaa";

/// The test key that is never published.
const STRANGER: usize = 4;

/// Keys whose tokens are still around, the published ones among them.
const KEPT: usize = 8;

/// A token and the answer's body when it is accepted.
#[derive(Clone)]
pub(crate) struct Pass {
    pub(crate) token: String,
    pub(crate) claims: String,
}

/// The tokens of one key.
pub(crate) struct Folder {
    pub(crate) kid: String,
    pub(crate) valid: Vec<Pass>,
    /// Accepted but for their permission; they have none.
    pub(crate) powerless: Pass,
    pub(crate) expired: Pass,
    pub(crate) early: Pass,
    pub(crate) wrong_audience: Pass,
    pub(crate) wrong_issuer: Pass,
    /// Names the key and is signed by one that is never published.
    pub(crate) forged: Pass,
    /// A valid one with claims put in that were never signed.
    pub(crate) altered: Pass,
}

/// All tokens.
#[derive(Default)]
pub(crate) struct Passes(Mutex<Vec<Arc<Folder>>>);

impl Passes {
    /// Makes tokens for a new key.
    pub(crate) fn add(&self, key: &Published) {
        let folder = Arc::new(Folder::of(key));
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        folders.push(folder);
        if folders.len() > KEPT {
            folders.remove(0);
        }
    }

    /// The folders, the oldest key first.
    pub(crate) fn folders(&self) -> Vec<Arc<Folder>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Folder {
    fn of(key: &Published) -> Folder {
        let now = unix_now();
        let claims = |changes: Value| {
            let mut claims = claims(now, &format!("{} user", key.kid));
            for (name, value) in changes.as_object().into_iter().flatten() {
                claims[name] = value.clone();
            }
            claims
        };
        let pass = |changes: Value| signed(key.number, &key.kid, &claims(changes));
        let valid: Vec<Pass> = (0..12)
            .map(|number| pass(json!({ "sub": format!("{} {number}", key.kid) })))
            .collect();
        let altered = altered(&valid[0], &valid[1]);
        Folder {
            kid: key.kid.clone(),
            valid,
            powerless: pass(json!({ "scp": "" })),
            expired: pass(json!({ "exp": now - 1000 })),
            early: pass(json!({ "nbf": now + 100_000 })),
            wrong_audience: pass(json!({ "aud": "api://another" })),
            wrong_issuer: pass(json!({ "iss": "https://sts.windows.net/another/" })),
            forged: signed(STRANGER, &key.kid, &claims(json!({ "sub": "forged" }))),
            altered,
        }
    }
}

/// A good token of a key that is never published, under a name of its own.
pub(crate) fn stranger(name: usize) -> Pass {
    signed(
        STRANGER,
        &format!("stranger-{name}"),
        &claims(unix_now(), "a stranger"),
    )
}

/// One that would be refused whatever its key: it is worth no fetch.
pub(crate) fn worthless(name: usize) -> Pass {
    let mut claims = claims(unix_now(), "a stranger");
    claims["aud"] = "api://another".into();
    signed(STRANGER, &format!("stranger-{name}"), &claims)
}

/// A good token of this key with claims of about 12 KB.
pub(crate) fn long(key: &Published) -> Pass {
    let mut claims = claims(unix_now(), "somebody with many groups");
    claims["groups"] = "g".repeat(11_000).into();
    signed(key.number, &key.kid, &claims)
}

fn claims(now: u64, sub: &str) -> Value {
    json!({
        "aud": AUDIENCE, "iss": format!("https://sts.windows.net/{TENANT}/"), "tid": TENANT, "sub": sub, "ver": "1.0",
        "iat": now - 60, "nbf": now - 60, "exp": now + 7 * 24 * 3600, "scp": "user_impersonation",
    })
}

fn signed(number: usize, kid: &str, claims: &Value) -> Pass {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid }).to_string();
    let claims = claims.to_string();
    Pass {
        token: mint(test_key(number), &header, &claims),
        claims,
    }
}

/// The head and the claims of one token with the signature of another.
fn altered(one: &Pass, another: &Pass) -> Pass {
    let stem = one.token.rsplit_once('.').map_or("", |(stem, _)| stem);
    let signature = another.token.rsplit('.').next().unwrap_or_default();
    Pass {
        token: format!("{stem}.{signature}"),
        claims: one.claims.clone(),
    }
}

fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
