//! An Azure Functions custom handler that checks Microsoft Entra ID access tokens and answers with
//! their claims.
//!
//! # The path of a request
//!
//! [`server`] takes it from tiny_http, [`head`] reads its headers, [`api`] finds its route,
//! [`bearer`] its token. [`checks`] is the policy, one ordered table: [`token`] takes the token
//! apart ([`json`] strictly), [`jwks`] selects the key that it names, [`signature`] verifies it,
//! [`claims`] reads what it says. Out comes [`claims::Claims`], for the endpoint, or one
//! [`rejection::Rejection`], to which [`explain`] may have a hint to add. [`answer`] writes it.
//!
//! # What always holds
//!
//! - There is one way to get a [`claims::Claims`]: [`checks::decide`], every check passed. The only
//!   way to a verified token is [`signature::verify`]. The compiler holds both.
//! - The core (everything but `server`, `body`, `outgoing`, `caretaker`, `fetch`, `log`, `command` and the
//!   reading end of `check`) does no I/O: time, settings and keys are passed in.
//! - tiny_http is named in `server`, `head` and `body` only, ureq in [`fetch`] only, ring in [`signature`] only;
//!   the system's clock is read in [`clock`] only. Limits are in [`limits`] only.
//! - The loop never waits: bodies are read ([`body`]), keys fetched ([`fetch`], as [`keys`] asks for),
//!   lines logged ([`log`], [`audit_log`]), and answers sent to peers that do not read ([`outgoing`]) on
//!   other threads; [`caretaker`] makes up for two faults of tiny_http.
//! - No token, signature or key text is ever logged or answered.
//!
//! # What is deliberately absent
//!
//! Other algorithms than RS256; opaque tokens and introspection; sessions, cookies and sign-in;
//! encrypted tokens; keys from a token's header; redirects when keys are fetched; configuration
//! files; TLS on the listening side, which the Functions host is in front of.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

pub mod answer;
pub mod api;
pub mod audit_log;
pub mod bearer;
pub mod body;
pub mod caretaker;
pub mod check;
pub mod checks;
pub mod claims;
pub mod clock;
pub mod command;
pub mod explain;
pub mod fetch;
pub mod head;
pub mod json;
pub mod jwks;
pub mod keys;
pub mod limits;
pub mod log;
pub mod memory;
pub mod outgoing;
pub mod rejection;
pub mod server;
pub mod settings;
pub mod signature;
pub mod token;
