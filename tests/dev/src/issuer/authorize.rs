//! The authorization endpoint: the sign-in page, and the code in which it ends.

use super::claims::{USERS, User};
use super::http::{Form, Refusal, Reply, escape, html, query, redirect};
use super::token::Scope;
use super::{Issuer, random};
use crate::mint::b64;

/// An authorization code stands for what was agreed to.
pub(super) struct Code {
    /// The parameters of the sign-in.
    pub(super) form: Form,
    pub(super) tenant: String,
    pub(super) user: &'static User,
    pub(super) is_used: bool,
}

impl Issuer {
    /// `GET` shows the page; `POST` with a `user` redirects to the client.
    pub(super) fn authorize(
        &self,
        is_post: bool,
        tenant: &str,
        form: Form,
    ) -> Result<Reply, Refusal> {
        // Nobody is redirected before the client and its address are known.
        if !is_redirect_uri(form.get("redirect_uri")) || form.get("client_id").is_empty() {
            let text =
                "A client_id is needed, and a redirect_uri that is https, or http on localhost.";
            return Ok(html(400, "That request is not valid", text));
        }
        if let Err(refusal) = check(&form) {
            return Ok(refused(&form, refusal.error, &refusal.description()));
        }
        let user = form.get("user");
        match User::named(user) {
            Some(user) if is_post => Ok(self.grant(tenant, form, user)),
            _ if is_post => Ok(refused(
                &form,
                "access_denied",
                "AADSTS65004: User declined to consent.",
            )),
            // Nobody is ever signed in already.
            _ if form.get("prompt") == "none" => Ok(refused(
                &form,
                "login_required",
                "AADSTS50058: No user is signed in.",
            )),
            _ => Ok(sign_in(&form)),
        }
    }

    fn grant(&self, tenant: &str, form: Form, user: &'static User) -> Reply {
        let text = b64(random::<32>());
        let reply = answered(&form, &[("code", &text)]);
        let code = Code {
            form,
            tenant: tenant.to_owned(),
            user,
            is_used: false,
        };
        self.state().codes.insert(text, code);
        reply
    }
}

/// The fault in the client's parameters, as it is told (RFC 6749 section 4.1.2.1).
fn check(form: &Form) -> Result<(), Refusal> {
    if form.get("response_type") != "code" {
        let text = "The response_type must be 'code'.";
        return Err(Refusal::new("unsupported_response_type", 700_054, text));
    }
    Scope::read(form, form.required("scope")?)?;
    let (challenge, method) = (
        form.get("code_challenge"),
        form.get("code_challenge_method"),
    );
    let is_absent = challenge.is_empty() && method.is_empty();
    if !is_absent && (method != "S256" || challenge.len() != 43) {
        let text = "The code_challenge must be one of the code_challenge_method S256.";
        return Err(Refusal::new("invalid_request", 501_491, text));
    }
    Ok(())
}

/// Visible ASCII characters without user information, whose host would mislead.
fn is_redirect_uri(uri: &str) -> bool {
    let is_plain =
        uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['@', '#', '\\']);
    let local = ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        let rest = uri
            .strip_prefix("http://")
            .and_then(|rest| rest.strip_prefix(host));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
    });
    is_plain && (local || uri.starts_with("https://"))
}

/// The form is sent to the address of the page, which has the parameters.
fn sign_in(form: &Form) -> Reply {
    let button = |user: &User| {
        format!(
            "<button name=\"user\" value=\"{0}\">{1}<br><small>{0}</small></button>",
            user.upn, user.name
        )
    };
    let users: String = USERS.iter().map(button).collect();
    let facts = ["client_id", "scope", "redirect_uri"]
        .map(|name| format!("<li>{name}: {}", escape(form.get(name))))
        .concat();
    let content = format!(
        "<p>An application wants to act for you. Who are you?</p>\
         <form method=\"post\">{users}<button name=\"user\" value=\"\">Cancel</button></form><ul>{facts}</ul>"
    );
    html(200, "Sign in", &content)
}

fn refused(form: &Form, error: &str, description: &str) -> Reply {
    answered(
        form,
        &[("error", error), ("error_description", description)],
    )
}

/// Redirects to the client.
fn answered(form: &Form, pairs: &[(&str, &str)]) -> Reply {
    let mut pairs = pairs.to_vec();
    if form.has("state") {
        pairs.push(("state", form.get("state")));
    }
    let uri = form.get("redirect_uri");
    let separator = if uri.contains('?') { '&' } else { '?' };
    redirect(&format!("{uri}{separator}{}", query(&pairs)))
}
