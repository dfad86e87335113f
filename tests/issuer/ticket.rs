//! Codes and refresh tokens.

use ring::digest::{SHA256, digest};

use crate::answer::Refusal;
use crate::clock;
use crate::mint::b64;
use crate::random;
use crate::store::Issuer;
use crate::users::User;

/// What a ticket is redeemed as.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Kind {
    #[default]
    /// Authorization code.
    Code,
    /// Refresh token.
    Refresh,
    /// Device code.
    Device,
}

/// What a code or a refresh token stands for.
#[derive(Clone, Default)]
pub(crate) struct Ticket {
    pub(crate) kind: Kind,
    /// Tenant GUID.
    pub(crate) tenant: String,
    /// The only client that may redeem it.
    pub(crate) client_id: String,
    /// The scope agreed to.
    pub(crate) scope: String,
    /// Who signed in; nobody yet for a device code that waits.
    pub(crate) user: Option<&'static User>,
    /// Seconds since 1970.
    pub(crate) expires: i64,
    /// Whether it was redeemed; refresh tokens may be, again and again.
    pub(crate) used: bool,
    /// Where the code was sent.
    pub(crate) redirect_uri: String,
    /// For the ID token; empty when the client sent none.
    pub(crate) nonce: String,
    /// PKCE code challenge; empty when the client sent none.
    pub(crate) challenge: String,
    /// Whether the challenge is the verifier itself and not its SHA-256.
    pub(crate) plain: bool,
    /// What a person types to approve a device.
    pub(crate) user_code: String,
}

impl Issuer {
    /// Keeps a ticket for `lifetime` seconds under a new random text, and gives that.
    pub(crate) fn keep(&self, ticket: Ticket, lifetime: i64) -> String {
        let text = format!("1.{}", random::opaque::<48>());
        let now = clock::now();
        let mut state = self.state();
        state.tickets.retain(|_, ticket| ticket.expires > now - 600);
        let expires = now + lifetime;
        let ticket = Ticket { expires, ..ticket };
        state.tickets.insert(text.clone(), ticket);
        text
    }

    /// The ticket behind a text, if this client may redeem it as this kind.
    pub(crate) fn ticket(
        &self,
        kind: Kind,
        text: &str,
        client_id: &str,
        tenant: &str,
    ) -> Result<Ticket, Refusal> {
        let ticket = self.state().tickets.get(text).cloned();
        let fits = |ticket: &Ticket| {
            ticket.kind == kind && ticket.client_id == client_id && ticket.tenant == tenant
        };
        let ticket = ticket.filter(fits).ok_or_else(|| match kind {
            Kind::Device => Refusal::new(
                400,
                "bad_verification_code",
                70018,
                "The device code is unknown.",
            ),
            Kind::Code | Kind::Refresh => unknown(),
        })?;
        if ticket.expires > clock::now() {
            return Ok(ticket);
        }
        let (error, code) = match kind {
            Kind::Device => ("expired_token", 70020),
            Kind::Code | Kind::Refresh => ("invalid_grant", 70008),
        };
        let text = "The code or refresh token has expired.";
        Err(Refusal::new(400, error, code, text))
    }

    /// Marks a code as used; of two clients at once, one is refused.
    pub(crate) fn use_up(&self, text: &str) -> Result<(), Refusal> {
        let mut state = self.state();
        let ticket = state.tickets.get_mut(text).ok_or_else(unknown)?;
        if std::mem::replace(&mut ticket.used, true) {
            let text = "The code was redeemed before: a code is good for one use.";
            return Err(Refusal::new(400, "invalid_grant", 54005, text));
        }
        Ok(())
    }
}

impl Ticket {
    /// Proof Key for Code Exchange, RFC 7636; a client without a secret cannot do without.
    pub(crate) fn prove_possession(&self, verifier: &str, has_secret: bool) -> Result<(), Refusal> {
        if self.challenge.is_empty() && verifier.is_empty() && has_secret {
            return Ok(());
        }
        if self.challenge.is_empty() && verifier.is_empty() {
            let text = "A client without PKCE must send a client secret or assertion.";
            return Err(Refusal::new(401, "invalid_client", 7_000_218, text));
        }
        let challenge = if self.plain {
            verifier.to_owned()
        } else {
            b64(digest(&SHA256, verifier.as_bytes()))
        };
        if verifier.is_empty() || challenge != self.challenge {
            let text = "The PKCE code verifier does not match the code challenge.";
            return Err(Refusal::new(400, "invalid_grant", 501_481, text));
        }
        Ok(())
    }
}

/// A code or a refresh token that nobody may redeem.
pub(crate) fn unknown() -> Refusal {
    let text = "The code or refresh token is unknown, or belongs to another client or tenant.";
    Refusal::new(400, "invalid_grant", 9_002_313, text)
}
