//! The decision about one token: the table of checks, taken from the top.

use super::{CHECKS, Check, Needs, Reason, Rejection, Run};
use crate::keys::{Key, KeySets};
use crate::settings::{Issuer, Settings};
use crate::token::{TokenCache, Unverified, UnverifiedClaims, Verified};
use std::borrow::Cow;
use std::sync::Arc;

/// The claims of a token that has passed every check. Only [`decide`] makes one.
///
/// ```compile_fail
/// // The field is private: nobody else can vouch for a token.
/// fn forge(token: std::sync::Arc<entra_handler::Verified>) -> entra_handler::Claims {
///     entra_handler::Claims(token)
/// }
/// ```
#[derive(Debug)]
pub struct Claims(Arc<Verified>);

/// The values that the checks hold a token against. Nothing in it does I/O.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The usable key sets.
    pub keys: &'a KeySets,
    /// The needs of the route beyond the settings.
    pub needs: &'a Needs,
    /// The time, Unix seconds.
    pub now: f64,
}

/// A token under decision: the context, and the findings of the checks so far.
pub struct Case<'a> {
    pub(super) context: Context<'a>,
    pub(super) text: &'a str,
    pub(super) token: Token,
    /// The accepted issuer that matches, once the check `iss` has passed.
    pub(super) issuer: Option<&'a Issuer>,
    /// The keys that the `kid` names, once the check `key` has passed.
    pub(super) named: &'a [Key],
}

/// How far a token has come.
pub(super) enum Token {
    /// It was not read yet, or cannot be read.
    Unread,
    /// It was read, and no key has verified it.
    Unverified(Box<Unverified>),
    /// A key has verified it on an earlier request.
    Cached(Arc<Verified>),
    /// A key that its issuer has today has verified it.
    Verified(Arc<Verified>),
}

/// The outcome of one check, for `handler check`.
pub struct Outcome {
    /// The check.
    pub check: &'static Check,
    /// Whether it passed.
    pub result: Result<(), Reason>,
}

/// Runs the checks up to the first refusal. The cache saves the reading and the RSA operation for a
/// token that it holds; a token that passes every check enters it.
///
/// ```
/// use entra_handler::{Case, Context, KeySets, Needs, Settings, TokenCache, decide};
///
/// let settings = Settings::read(|name| match name {
///     "TENANT_ID" => Some("11111111-2222-3333-4444-555555555555".into()),
///     "API_AUDIENCE" => Some("api://example".into()),
///     _ => None,
/// });
/// let context = Context {
///     settings: &settings.unwrap(),
///     keys: &KeySets::new(vec![None]),
///     needs: &Needs::Token,
///     now: 1_800_000_000.0,
/// };
/// let mut case = Case::new("not.a-token", &context);
/// let refused = decide(&mut case, &mut TokenCache::default()).unwrap_err();
/// assert_eq!((refused.check, refused.status()), ("three parts", 401));
/// ```
///
/// # Errors
/// The check that refused, and why.
pub fn decide(case: &mut Case, cache: &mut TokenCache) -> Result<Claims, Rejection> {
    let cached = cache.get(case.text);
    let is_cached = cached.is_some();
    case.token = match cached {
        Some(token) => Token::Cached(token),
        None => Token::Unverified(Box::new(read(case.text)?)),
    };
    for check in &CHECKS {
        if is_cached && !matches!(check.run, Run::Request(_)) {
            continue;
        }
        let refused = |reason| Rejection::new(check.name, reason);
        check.run(case).map_err(refused)?;
    }
    let Token::Verified(token) = &case.token else {
        return Err(Rejection::new("signature", Reason::NotReached));
    };
    if !is_cached {
        cache.insert(token.clone());
    }
    Ok(Claims(token.clone()))
}

/// Runs all checks, also those after a refusal as far as they have something to look at.
pub fn walk(case: &mut Case) -> Vec<Outcome> {
    let mut stopped = None;
    match read(case.text) {
        Ok(token) => case.token = Token::Unverified(Box::new(token)),
        Err(rejection) => stopped = Some(rejection),
    }
    let is_stop = |check: &Check| {
        stopped
            .as_ref()
            .is_some_and(|stop| stop.check == check.name)
    };
    let place = CHECKS.iter().position(is_stop).unwrap_or_default();
    let checks = CHECKS.iter().enumerate();
    let outcomes = checks.map(|(number, check)| {
        let result = match &stopped {
            Some(_) if number < place => Ok(()),
            Some(stop) if number == place => Err(stop.reason.clone()),
            _ => check.run(case),
        };
        Outcome { check, result }
    });
    outcomes.collect()
}

fn read(text: &str) -> Result<Unverified, Rejection> {
    Unverified::read(text).map_err(|fault| Rejection::unread(fault, text))
}

impl Check {
    fn run(&self, case: &mut Case) -> Result<(), Reason> {
        match self.run {
            Run::Reading => case.token().map(drop),
            Run::Text(run) => run(case.token()?),
            Run::Request(run) => run(case),
        }
    }
}

impl<'a> Case<'a> {
    /// A token, and with what it is judged.
    pub fn new(text: &'a str, context: &Context<'a>) -> Case<'a> {
        Case {
            context: *context,
            text,
            token: Token::Unread,
            issuer: None,
            named: &[],
        }
    }

    /// The token as far as it was read.
    ///
    /// # Errors
    /// It was not.
    pub fn token(&self) -> Result<&Unverified, Reason> {
        match &self.token {
            Token::Unread => Err(Reason::NotReached),
            Token::Unverified(token) => Ok(token),
            Token::Cached(token) | Token::Verified(token) => Ok(token.token()),
        }
    }

    /// Whether a key that the issuer has today has verified the signature.
    pub fn is_verified(&self) -> bool {
        matches!(self.token, Token::Verified(_))
    }

    /// The keys that the `kid` names: empty until the check `key` has passed.
    pub fn named_keys(&self) -> &'a [Key] {
        self.named
    }

    /// The source that verifies tokens of this issuer. As long as no issuer matched, it is the only
    /// source, if there is but one.
    pub fn source(&self) -> Option<usize> {
        let only = (self.context.settings.sources.len() == 1).then_some(0);
        self.issuer.map_or(only, |issuer| Some(issuer.source))
    }

    /// A view of the claims, whether or not they are verified yet.
    pub(super) fn claims(&self) -> Result<UnverifiedClaims<'_>, Reason> {
        Ok(self.token()?.claims())
    }
}

impl Claims {
    /// A claim that is a string, such as `oid`, `sub` or `tid`; None where there is no such claim.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.token().payload().get(name)?.string()
    }

    /// A claim of any type, as serde_json reads it: a number beyond a double's digits loses some.
    pub fn value(&self, name: &str) -> Option<serde_json::Value> {
        serde_json::from_str(self.token().payload().get(name)?.text()).ok()
    }

    /// Whether the token carries this delegated permission (`scp`, from other issuers `scope`).
    pub fn has_scope(&self, scope: &str) -> bool {
        let scopes = self.token().claims().scopes().unwrap_or_default();
        scopes.iter().any(|have| have == scope)
    }

    /// Whether the token carries this app role (`roles`).
    pub fn has_role(&self, role: &str) -> bool {
        let roles = self.token().claims().roles().unwrap_or_default();
        roles.iter().any(|have| have == role)
    }

    /// The claims exactly as the issuer wrote them: a JSON object.
    pub fn json(&self) -> &str {
        self.token().payload().text()
    }

    /// The token itself, for the on-behalf-of flow. Send it to the token endpoint of its issuer, as
    /// `assertion`, and to nobody else: its holder can call this API as the user. Never log it, and
    /// never put it into a response (Microsoft: "Microsoft identity platform and OAuth 2.0
    /// On-Behalf-Of flow").
    pub fn assertion(&self) -> &str {
        self.token().text()
    }

    /// The token that carried the claims.
    pub fn token(&self) -> &Unverified {
        self.0.token()
    }
}
