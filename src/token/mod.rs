//! A token: read with nothing believed, verified, and cached.

mod cache;
mod claims;
mod unverified;
mod verified;

pub use cache::TokenCache;
pub use claims::{ClaimFault, UnverifiedClaims};
pub use unverified::{Part, ReadFault, Unverified, peek_payload};
pub use verified::{Verified, verify};
