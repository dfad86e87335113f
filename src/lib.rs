//! An Azure Functions custom handler that checks Microsoft Entra ID access tokens and hands the
//! verified claims to an endpoint.
//!
//! # The rooms, from the top down
//!
//! Each room may name those below it, and none above.
//!
//! - `command`: the command line; `handler check` and `handler routes`.
//! - `server`: the loop that decides every request, the workers that wait, and the log.
//! - `endpoints`: the routes and the functions that answer them. Yours to edit.
//! - `http`: requests, responses, routes, challenges and CORS, without a socket.
//! - `policy`: the table of checks, the decision, and the reasons of a refusal.
//! - `settings`: the settings, read once and checked all together.
//! - `token`: reading a token, its claims, verifying it, the cache of verified tokens.
//! - `keys`: key sets, where they come from, when they are fetched, and RSA.
//! - `json`, `clock`, `limits`, `text`: a strict reader of JSON, the one clock, limits, clean text.
//!
//! A request comes in at `server::request_loop::receive`; `admit` takes it from there to its endpoint.
//! A key set is asked for by `start_fetch`, and comes in at `fetch_has_ended`.
//!
//! # Promises
//!
//! - [`decide`] alone makes [`Claims`], after every check. The compiler holds it.
//! - `policy` and the rooms below it decide without I/O: time, settings and keys are passed in.
//! - The loop never waits: bodies, slow endpoints, slow peers, keys and the log have other threads.
//! - No token, signature or key text is ever logged or answered.
//!
//! # What is deliberately absent
//!
//! Other algorithms than RS256. Opaque and encrypted tokens, and introspection. Sessions, cookies and
//! sign-in. Keys from a token's header. Redirects when keys are fetched. Configuration files. TLS on
//! the listening side, for the Functions host stands in front.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod clock;
mod command;
// The file is its author's, and an index into a `Value` never panics.
#[allow(clippy::indexing_slicing, missing_docs)]
mod endpoints;
mod http;
mod json;
mod keys;
mod limits;
mod policy;
mod server;
mod settings;
mod text;
mod token;

pub use clock::{http_date, parse_time, rfc3339};
pub use command::run;
pub use endpoints::{MAX_BODY_BYTES, ROUTES};
pub use http::{Api, Connection, Cors, Kind, Reply, Request, Response, Route};
pub use http::{faults, refused, token as bearer_token};
pub use json::{Fault, Object, Raw};
pub use keys::{Key, KeySet, KeySetFault, KeySets, Keys, Need, PublicKey, Source, Trust, Unusable};
pub use limits::*;
pub use policy::{
    CHECKS, Case, Check, Claims, Code, Context, Needs, Permission, Reason, Rejection,
};
pub use policy::{Outcome, decide, walk};
pub use server::serve;
pub use settings::{Audit, Issuer, Origins, Resource, Settings};
pub use token::{ClaimFault, Part, ReadFault, TokenCache, Unverified, Verified, verify};
