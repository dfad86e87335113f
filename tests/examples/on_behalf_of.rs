//! A call to another API on behalf of the user who called this one (Microsoft: "Microsoft identity
//! platform and OAuth 2.0 On-Behalf-Of flow").

use crate::http::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::LazyLock;
use std::time::Duration;
use ureq::Agent;

/// Bytes of the largest request body that an endpoint gets. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// It waits for Entra and for the other API, so it is slow.
pub const ROUTES: &[Route] = &[Route::slow(
    "GET /api/me",
    Needs::Any(&[Scope("Profile.Read")]),
    me,
)];

/// The scope of the other API, in full.
const SCOPE: &str = "https://graph.microsoft.com/User.Read";

/// The user's profile, as the other API knows it.
fn me(_: &Request, claims: &Claims) -> Reply {
    let token = token_for(claims, SCOPE)?;
    let address = setting("PROFILE_URL").unwrap_or("https://graph.microsoft.com/v1.0/me".into());
    let request = AGENT.get(address);
    let request = request.header("Authorization", format!("Bearer {token}"));
    let (status, profile) = text_of(request.call())?;
    if status != 200 {
        let words = format!("The other API answered with status {status}");
        return Err(Response::error(502, "bad_gateway", words));
    }
    Ok(Response::json(200, profile))
}

/// Exchanges the caller's token for one that is good at the other API, for the same user.
fn token_for(claims: &Claims, scope: &str) -> Result<String, Response> {
    let authority = setting("AUTHORITY_HOST").unwrap_or("https://login.microsoftonline.com".into());
    let authority = authority.trim_end_matches('/');
    let tenant = claims.text("tid").unwrap_or_default();
    let (client_id, client_secret) = (needed("CLIENT_ID")?, needed("CLIENT_SECRET")?);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("requested_token_use", "on_behalf_of"),
        ("client_id", &client_id),
        ("client_secret", &client_secret),
        ("assertion", claims.assertion()),
        ("scope", scope),
    ];
    let address = format!("{authority}/{tenant}/oauth2/v2.0/token");
    let (_, body) = text_of(AGENT.post(address).send_form(form))?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    match body.get("access_token").and_then(Value::as_str) {
        Some(token) => Ok(token.into()),
        None => Err(refused(&body, authority)),
    }
}

/// Entra wants more of the user, such as another factor: the caller's application has to ask for it
/// (Microsoft: "Claims challenges, claims requests and client capabilities"). Anything else is for
/// the operator of this API.
fn refused(body: &Value, authority: &str) -> Response {
    let Some(claims) = body.get("claims").and_then(Value::as_str) else {
        let text = |name: &str| body.get(name).map(Value::to_string).unwrap_or_default();
        let (error, codes) = (text("error"), text("error_codes"));
        let words = format!("No token for the other API: {error} {codes}");
        return Response::error(502, "bad_gateway", words);
    };
    let challenge = format!(
        "Bearer realm=\"\", authorization_uri=\"{authority}/common/oauth2/authorize\", \
         error=\"insufficient_claims\", claims=\"{}\"",
        STANDARD.encode(claims)
    );
    let words = "Sign in again with the claims of this challenge, then repeat the call";
    Response::error(401, "insufficient_claims", words).with("WWW-Authenticate", challenge)
}

// ---- calls ----

/// Less than the 230 seconds that the platform waits.
static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .http_status_as_error(false);
    config.build().into()
});

/// Status and body of a response.
fn text_of(
    response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<(u16, String), Response> {
    let text = response.and_then(|mut response| {
        let body = response.body_mut().read_to_string()?;
        Ok((response.status().as_u16(), body))
    });
    text.map_err(|error| Response::error(504, "gateway_timeout", error.to_string()))
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn needed(name: &str) -> Result<String, Response> {
    let words = || format!("The setting {name} is missing");
    setting(name).ok_or_else(|| Response::error(500, "not_configured", words()))
}
