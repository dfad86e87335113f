//! A token on its way from text to trust: read with nothing believed, its claims looked at, its
//! signature verified, and kept for the next request.

mod cache;
mod claims;
mod unverified;
mod verified;

pub use cache::TokenCache;
pub use claims::{ClaimFault, UnverifiedClaims};
pub use unverified::{Part, ReadFault, Unverified, peek_payload};
pub use verified::{Verified, verify};
