//! Token endpoint: the grants.

use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::claims::{Grant, Version};
use crate::form::Form;
use crate::issued::Issued;
use crate::scope::Target;
use crate::store::Issuer;
use crate::tenant::Tenant;
use crate::ticket::{self, Kind, Ticket};
use crate::users::User;

/// Seconds a refresh token is good for: 90 days.
const REFRESH_LIFETIME: i64 = 90 * 86_400;

/// A request for a token.
pub(crate) struct Ask<'a> {
    /// Who is asked.
    pub(crate) issuer: &'a Issuer,
    /// The request's parameters, client credentials among them.
    pub(crate) form: &'a Form,
    /// Tenant GUID.
    pub(crate) tenant: &'a str,
    /// Version of the endpoint, which sets the version of the token.
    pub(crate) version: Version,
    /// IP address of the client.
    pub(crate) ip: &'a str,
}

/// `POST /{tenant}/oauth2/v2.0/token` and, with `resource` in place of `scope`, its v1.0 form.
pub(crate) fn endpoint(
    issuer: &Issuer,
    call: &Call,
    tenant: &Tenant,
    version: Version,
) -> Result<Answer, Refusal> {
    let ask = Ask {
        issuer,
        form: &call.form,
        tenant: &tenant.id,
        version,
        ip: &call.ip,
    };
    let issued = ask.redeem()?;
    Ok(Answer::secret_json(200, issued.json(version)))
}

impl Ask<'_> {
    /// Runs the grant that the form names.
    pub(crate) fn redeem(&self) -> Result<Issued, Refusal> {
        self.required("client_id")?;
        match self.required("grant_type")? {
            "client_credentials" => self.client_credentials(),
            "password" => self.password(),
            "authorization_code" => self.authorization_code(),
            "refresh_token" => self.refresh_token(),
            "urn:ietf:params:oauth:grant-type:device_code" => self.device_code(),
            other => {
                let text = format!("The grant type '{other}' is not supported.");
                Err(Refusal::new(400, "unsupported_grant_type", 70003, text))
            }
        }
    }

    fn client_credentials(&self) -> Result<Issued, Refusal> {
        if !self.has_secret() {
            let text = "The grant 'client_credentials' needs a client secret or assertion.";
            return Err(Refusal::new(401, "invalid_client", 7_000_216, text));
        }
        let scope = self.scope("")?;
        let resource = scope.strip_suffix("/.default");
        let Some(resource) = resource.filter(|text| !text.is_empty() && !text.contains(' ')) else {
            let text = format!(
                "The scope '{scope}' is not valid: a client that acts for itself asks for one \
                 API's application ID URI followed by '/.default'."
            );
            return Err(Refusal::new(400, "invalid_scope", 1_002_012, text));
        };
        let roles = self.form.find("roles").unwrap_or("access_as_application");
        let grant = self.grant(resource, String::new(), None, roles)?;
        let [key, _] = self.issuer.published_keys();
        Ok(Issued {
            access_token: grant.access_token(key),
            refresh_token: None,
            id_token: None,
            scope: None,
            resource: resource.to_owned(),
            lifetime: grant.lifetime,
        })
    }

    fn password(&self) -> Result<Issued, Refusal> {
        let name = self.required("username")?;
        self.required("password")?;
        let Some(user) = User::named(name) else {
            let text = format!("There is no user '{name}' in tenant '{}'.", self.tenant);
            return Err(Refusal::new(400, "invalid_grant", 50034, text));
        };
        let ticket = Ticket {
            scope: self.scope("")?,
            ..Ticket::default()
        };
        self.delegated(user, &ticket)
    }

    fn authorization_code(&self) -> Result<Issued, Refusal> {
        let text = self.required("code")?;
        let redirect_uri = self.required("redirect_uri")?;
        let ticket = self.ticket(Kind::Code, text)?;
        if ticket.redirect_uri != redirect_uri {
            let text = "The redirect URI is not the one the authorization code was asked with.";
            return Err(Refusal::new(400, "invalid_client", 500_112, text));
        }
        ticket.prove_possession(self.form.get("code_verifier"), self.has_secret())?;
        self.issuer.use_up(text)?;
        let Some(user) = ticket.user else {
            return Err(ticket::unknown());
        };
        self.delegated(user, &ticket)
    }

    fn refresh_token(&self) -> Result<Issued, Refusal> {
        let ticket = self.ticket(Kind::Refresh, self.required("refresh_token")?)?;
        let Some(user) = ticket.user else {
            return Err(ticket::unknown());
        };
        self.delegated(user, &ticket)
    }

    fn device_code(&self) -> Result<Issued, Refusal> {
        let text = self.required("device_code")?;
        let ticket = self.ticket(Kind::Device, text)?;
        let Some(user) = ticket.user else {
            let text = "Nobody has approved the sign-in yet.";
            return Err(Refusal::new(400, "authorization_pending", 70016, text));
        };
        self.issuer.use_up(text)?;
        self.delegated(user, &ticket)
    }

    /// Tokens for a user; the ticket says what was agreed to before.
    fn delegated(&self, user: &'static User, ticket: &Ticket) -> Result<Issued, Refusal> {
        let scope = self.scope(&ticket.scope)?;
        let target = Target::read(&scope)?;
        // What was agreed to once stays agreed to: a later request may name less.
        let is_lasting =
            target.asks("offline_access") || Target::read(&ticket.scope)?.asks("offline_access");
        let roles = self.form.get("roles");
        let grant = self.grant(&target.resource, target.scp(), Some(user), roles)?;
        let [key, _] = self.issuer.published_keys();
        let refresh = Ticket {
            kind: Kind::Refresh,
            tenant: self.tenant.to_owned(),
            client_id: grant.client_id.to_owned(),
            scope: if is_lasting && !target.asks("offline_access") {
                format!("{scope} offline_access")
            } else {
                scope.clone()
            },
            user: Some(user),
            ..Ticket::default()
        };
        Ok(Issued {
            access_token: grant.access_token(key),
            refresh_token: is_lasting.then(|| self.issuer.keep(refresh, REFRESH_LIFETIME)),
            id_token: target
                .asks("openid")
                .then(|| grant.id_token(key, user, &ticket.nonce)),
            scope: Some(target.granted()),
            resource: target.resource.clone(),
            lifetime: grant.lifetime,
        })
    }

    /// What the token is for, with the development parameters `token_version` and `lifetime`.
    fn grant<'a>(
        &'a self,
        resource: &'a str,
        scp: String,
        user: Option<&'static User>,
        roles: &'a str,
    ) -> Result<Grant<'a>, Refusal> {
        let wrong = |name| {
            let text = format!("The parameter '{name}' has a value that is not valid.");
            Refusal::new(400, "invalid_request", 90023, text)
        };
        let version = match self.form.get("token_version") {
            "" => self.version,
            "1.0" => Version::V1,
            "2.0" => Version::V2,
            _ => return Err(wrong("token_version")),
        };
        let lifetime: i32 = match self.form.get("lifetime") {
            "" => 3599,
            text => text.parse().map_err(|_| wrong("lifetime"))?,
        };
        Ok(Grant {
            base: &self.issuer.base,
            tenant: self.tenant,
            client_id: self.form.get("client_id"),
            confidential: self.has_secret(),
            user,
            resource,
            scp,
            roles: roles.split_whitespace().collect(),
            version,
            lifetime: lifetime.into(),
            ip: self.ip,
        })
    }

    /// The scope asked for, or agreed to before; v1.0 names an API instead.
    fn scope(&self, agreed: &str) -> Result<String, Refusal> {
        let (name, asked) = match self.version {
            Version::V1 => ("resource", self.form.get("resource")),
            Version::V2 => ("scope", self.form.get("scope")),
        };
        match (asked, agreed) {
            ("", "") => Err(Refusal::missing(name)),
            ("", agreed) => Ok(agreed.to_owned()),
            (resource, _) if self.version == Version::V1 => Ok(format!("{resource}/.default")),
            (scope, _) => Ok(scope.to_owned()),
        }
    }

    fn ticket(&self, kind: Kind, text: &str) -> Result<Ticket, Refusal> {
        let client_id = self.form.get("client_id");
        self.issuer.ticket(kind, text, client_id, self.tenant)
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        match self.form.get(name) {
            "" => Err(Refusal::missing(name)),
            value => Ok(value),
        }
    }

    fn has_secret(&self) -> bool {
        let sent = |name| !self.form.get(name).is_empty();
        sent("client_secret") || sent("client_assertion")
    }
}
