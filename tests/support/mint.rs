//! Signs tokens with the committed test keys; shared by the local issuer and the tests.

// Every program that includes this module uses another part of it.
#![allow(dead_code, unreachable_pub)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// Compact JWS over exact header and payload texts, signed RS256 whatever the header says.
pub fn mint(key: &TestKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = key.sign(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

/// Compact JWS over an exact payload text, with the header of a v1.0 token.
pub fn token(key: &TestKey, payload: &str) -> String {
    let kid = &key.kid;
    let header = format!(r#"{{"typ":"JWT","alg":"RS256","x5t":"{kid}","kid":"{kid}"}}"#);
    mint(key, &header, payload)
}

/// base64url without padding.
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One of the committed RSA key pairs, trusted by nothing real.
#[derive(Debug)]
pub struct TestKey {
    /// Key ID, 27 characters as a certificate thumbprint has: Entra's look.
    pub kid: String,
    pair: RsaKeyPair,
}

impl TestKey {
    /// Key `number` of tests/keys, 1 to 4; the fourth has 3072 bits, the others 2048.
    pub fn number(number: usize) -> TestKey {
        let pkcs8: &[u8] = match number {
            1 => include_bytes!("../keys/test-only-1.pk8"),
            2 => include_bytes!("../keys/test-only-2.pk8"),
            3 => include_bytes!("../keys/test-only-3.pk8"),
            4 => include_bytes!("../keys/test-only-4.pk8"),
            _ => panic!("test keys are numbered 1 to 4, not {number}"),
        };
        let pair = RsaKeyPair::from_pkcs8(pkcs8).expect("a committed test key is sound");
        let hash = digest::digest(&digest::SHA256, &components(&pair).n);
        TestKey {
            kid: b64(&hash.as_ref()[..20]),
            pair,
        }
    }

    /// The modulus, big-endian, no leading zero byte.
    pub fn modulus(&self) -> Vec<u8> {
        components(&self.pair).n
    }

    /// The public exponent, big-endian, no leading zero byte.
    pub fn exponent(&self) -> Vec<u8> {
        components(&self.pair).e
    }

    /// RSASSA-PKCS1-v1_5 signature with SHA-256 (RS256).
    pub fn sign(&self, signing_input: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signing_input,
                &mut signature,
            )
            .expect("an RSA key of 2048 bits or more signs anything");
        signature
    }

    /// The public key as a JWK in Entra's shape; `issuer` is a member of the v2.0 key set only.
    pub fn jwk(&self, issuer: Option<&str>) -> Value {
        let mut jwk = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": b64(self.modulus()),
            "e": b64(self.exponent()),
        });
        if let Some(issuer) = issuer {
            jwk["issuer"] = issuer.into();
        }
        jwk
    }
}

fn components(pair: &RsaKeyPair) -> PublicKeyComponents<Vec<u8>> {
    PublicKeyComponents::from(pair.public())
}
