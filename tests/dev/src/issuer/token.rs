//! The token endpoint: its grants.

use super::authorize::Code;
use super::claims::{Grant, User, now};
use super::http::{Form, Refusal, Reply, json_reply};
use super::{Issuer, Version, is_guid};
use crate::mint::b64;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

/// Microsoft Graph: the API of a scope that names none.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// In whose name a token is issued, and for what.
pub(super) struct Agreed {
    /// Nobody in an app-only token.
    pub(super) user: Option<&'static User>,
    pub(super) scope: Scope,
    /// The parameters of the request in which it was agreed to.
    pub(super) form: Form,
}

impl Issuer {
    pub(super) fn token(
        &self,
        tenant: &str,
        version: Version,
        form: &Form,
    ) -> Result<Reply, Refusal> {
        form.required("client_id")?;
        let agreed = match form.required("grant_type")? {
            "client_credentials" => client_credentials(version, form),
            "password" => password(version, form),
            "authorization_code" => self.authorization_code(tenant, form),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => self.on_behalf_of(form),
            other => {
                let text = format!("The grant type '{other}' is not supported.");
                Err(Refusal::new("unsupported_grant_type", 70_003, text))
            }
        }?;
        let grant = Grant {
            issuer: self,
            tenant,
            version: match form.get("token_version") {
                "1.0" => Version::V1,
                "2.0" => Version::V2,
                _ => version,
            },
            form,
            agreed: &agreed,
            lifetime: form.get("lifetime").parse().unwrap_or(3599),
        };
        let mut body = json!({
            "token_type": "Bearer",
            "expires_in": grant.lifetime,
            "ext_expires_in": grant.lifetime,
            "access_token": grant.access_token(),
        });
        if agreed.user.is_some() {
            body["scope"] = agreed.scope.full_names().into();
            if agreed.scope.standard.iter().any(|name| name == "openid") {
                body["id_token"] = grant.id_token().into();
            }
        }
        Ok(json_reply(200, &body))
    }

    fn authorization_code(&self, tenant: &str, form: &Form) -> Result<Agreed, Refusal> {
        let invalid = |code, text| Err(Refusal::new("invalid_grant", code, text));
        let (text, redirect_uri) = (form.required("code")?, form.required("redirect_uri")?);
        let mut state = self.state();
        let is_for_it = |code: &&mut Code| {
            code.tenant == tenant && code.form.get("client_id") == form.get("client_id")
        };
        let Some(code) = state.codes.get_mut(text).filter(is_for_it) else {
            return invalid(
                9_002_313,
                "The code is unknown, or belongs to another client or tenant.",
            );
        };
        if code.form.get("redirect_uri") != redirect_uri {
            let text = "The redirect_uri is not the one that the code was asked with.";
            return Err(Refusal::new("invalid_client", 500_112, text));
        }
        // RFC 7636: a client without a secret cannot do without.
        let (challenge, verifier) = (code.form.get("code_challenge"), form.get("code_verifier"));
        if challenge.is_empty() && verifier.is_empty() {
            secret(form)?;
        } else if challenge != b64(digest(&SHA256, verifier.as_bytes())) {
            return invalid(
                501_481,
                "The code_verifier does not match the code_challenge.",
            );
        }
        if std::mem::replace(&mut code.is_used, true) {
            return invalid(
                54_005,
                "The code was redeemed before: it is good for one use.",
            );
        }
        Agreed::read(Some(code.user), &code.form, code.form.get("scope"))
    }

    /// An API that calls another one for the user who called it.
    fn on_behalf_of(&self, form: &Form) -> Result<Agreed, Refusal> {
        let invalid = |code, text: &str| Err(Refusal::new("invalid_grant", code, text));
        secret(form)?;
        if form.required("requested_token_use")? != "on_behalf_of" {
            let text = "The requested_token_use must be 'on_behalf_of'.";
            return Err(Refusal::new("invalid_request", 90_023, text));
        }
        let Some(claims) = self.verified(form.required("assertion")?) else {
            return invalid(50_013, "The assertion is not a token of this issuer.");
        };
        if claims["exp"].as_i64() <= Some(now()) {
            return invalid(500_133, "The assertion has expired.");
        }
        let audience = claims["aud"].as_str().unwrap_or_default();
        if self.application_id(audience) != form.get("client_id") {
            return invalid(
                500_131,
                "The audience of the assertion is not the client that presents it.",
            );
        }
        let user = claims["oid"].as_str().and_then(User::with_oid);
        if user.is_none() || claims["scp"].is_null() {
            return invalid(7_000_114, "The assertion is no access token of a user.");
        }
        if self.options.requires_interaction && claims["acrs"].is_null() {
            let text = "You must use multi-factor authentication to access the resource.";
            let claims =
                json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
            let mut refusal = Refusal::new("interaction_required", 50_076, text);
            refusal.claims = Some(claims);
            return Err(refusal);
        }
        Agreed::read(user, form, form.required("scope")?)
    }

    /// The claims of a token that one of the published keys has signed. RS256 signs the same bytes the same way.
    fn verified(&self, token: &str) -> Option<Value> {
        let (input, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.published_keys()
            .iter()
            .find(|key| key.sign(input.as_bytes()) == signature)?;
        let payload = URL_SAFE_NO_PAD.decode(input.split_once('.')?.1).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// The application id of an API, which an App ID URI has in it, or not.
    pub(super) fn application_id<'a>(&'a self, resource: &'a str) -> &'a str {
        let bare = resource.strip_prefix("api://").unwrap_or(resource);
        if is_guid(bare) {
            bare
        } else {
            &self.options.api
        }
    }
}

fn client_credentials(version: Version, form: &Form) -> Result<Agreed, Refusal> {
    secret(form)?;
    let scope = requested_scope(version, form)?;
    if !scope.ends_with("/.default") || scope.contains(' ') {
        let text =
            format!("The scope '{scope}' is not valid: it must be an App ID URI and '/.default'.");
        return Err(Refusal::new("invalid_scope", 1_002_012, text));
    }
    Agreed::read(None, form, &scope)
}

fn password(version: Version, form: &Form) -> Result<Agreed, Refusal> {
    let name = form.required("username")?;
    form.required("password")?;
    let Some(user) = User::named(name) else {
        let text = format!("There is no user '{name}'.");
        return Err(Refusal::new("invalid_grant", 50_034, text));
    };
    Agreed::read(Some(user), form, &requested_scope(version, form)?)
}

/// v1.0 names an API instead.
fn requested_scope(version: Version, form: &Form) -> Result<String, Refusal> {
    match version {
        Version::V1 => Ok(format!("{}/.default", form.required("resource")?)),
        Version::V2 => Ok(form.required("scope")?.to_owned()),
    }
}

fn secret(form: &Form) -> Result<(), Refusal> {
    if form.get("client_secret").is_empty() {
        let text = "The request must contain a client_secret.";
        return Err(Refusal::new("invalid_client", 7_000_218, text));
    }
    Ok(())
}

impl Agreed {
    fn read(user: Option<&'static User>, form: &Form, scope: &str) -> Result<Agreed, Refusal> {
        Ok(Agreed {
            user,
            scope: Scope::read(form, scope)?,
            form: form.clone(),
        })
    }
}

/// A scope taken apart: one API, its permissions, and OpenID Connect's own scopes.
#[derive(Default)]
pub(super) struct Scope {
    /// An App ID URI or a GUID.
    pub(super) resource: String,
    permissions: Vec<String>,
    standard: Vec<String>,
}

impl Scope {
    /// Fails when the scope names more than one API, or another than the parameter `resource` (RFC 8707), which Entra
    /// compares to the letter.
    pub(super) fn read(form: &Form, text: &str) -> Result<Scope, Refusal> {
        let mut scope = Scope::default();
        for word in text.split_whitespace() {
            if ["openid", "profile", "email", "offline_access"].contains(&word) {
                scope.standard.push(word.to_owned());
                continue;
            }
            let (resource, permission) = word.rsplit_once('/').unwrap_or((GRAPH, word));
            if !scope.resource.is_empty() && scope.resource != resource {
                let text = format!("The scope '{text}' names more than one API.");
                return Err(Refusal::new("invalid_scope", 28_000, text));
            }
            scope.resource = resource.to_owned();
            // All that was consented to: the API has this one permission.
            let permission = permission.replace(".default", "user_impersonation");
            scope.permissions.push(permission);
        }
        if scope.resource.is_empty() {
            scope.resource = GRAPH.to_owned();
        }
        if form.has("resource") && form.get("resource") != scope.resource {
            let text = "The resource parameter provided in the request doesn't match with the requested scopes.";
            return Err(Refusal::new("invalid_target", 9_010_010, text));
        }
        Ok(scope)
    }

    /// The claim.
    pub(super) fn scp(&self) -> String {
        let names = if self.permissions.is_empty() {
            &self.standard
        } else {
            &self.permissions
        };
        names.join(" ")
    }

    /// The member `scope` of the response.
    fn full_names(&self) -> String {
        let permissions = self
            .permissions
            .iter()
            .map(|name| format!("{}/{name}", self.resource));
        permissions
            .chain(self.standard.iter().cloned())
            .collect::<Vec<_>>()
            .join(" ")
    }
}
