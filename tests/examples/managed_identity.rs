//! A call to another service as this Function App itself, with its managed identity (Microsoft: "Use
//! managed identities for App Service and Azure Functions"). No secret is stored anywhere.

use crate::http::*;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use ureq::Agent;

/// Bytes of the largest request body that an endpoint gets. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// It waits for the identity endpoint and for the other service, so it is slow.
pub const ROUTES: &[Route] = &[Route::slow(
    "GET /api/report",
    Needs::Any(&[Scope("Reports.Read"), Role("Reports.Read.All")]),
    report,
)];

/// The service that the token is for.
const RESOURCE: &str = "https://storage.azure.com/";

/// A token is fetched anew so long before it expires: a call under way still finds it good.
const EARLY: Duration = Duration::from_secs(5 * 60);

struct Token {
    text: String,
    expires: SystemTime,
}

static TOKEN: Mutex<Option<Token>> = Mutex::new(None);

/// The blob at `REPORT_URL`.
fn report(_: &Request, _: &Claims) -> Reply {
    let token = token()?;
    let request = AGENT.get(setting("REPORT_URL")?);
    let request = request.header("Authorization", format!("Bearer {token}"));
    let (status, report) = text_of(request.header("x-ms-version", "2021-08-06").call())?;
    if status != 200 {
        let words = format!("The other service answered with status {status}");
        return Err(Response::error(502, "bad_gateway", words));
    }
    Ok(Response::bytes(200, "text/csv", report))
}

/// The token of the managed identity. Callers who come during a fetch wait for it, and make none.
fn token() -> Result<String, Response> {
    let mut cached = TOKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let is_good = |token: &&Token| SystemTime::now() + EARLY < token.expires;
    if let Some(token) = cached.as_ref().filter(is_good) {
        return Ok(token.text.clone());
    }
    let token = fetch()?;
    let text = token.text.clone();
    *cached = Some(token);
    Ok(text)
}

fn fetch() -> Result<Token, Response> {
    let request = AGENT.get(setting("IDENTITY_ENDPOINT")?);
    let request = request.query("api-version", "2019-08-01");
    let request = request.query("resource", RESOURCE);
    let request = request.header("X-IDENTITY-HEADER", setting("IDENTITY_HEADER")?);
    let (status, body) = text_of(request.call())?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let member = |name: &str| body.get(name).and_then(Value::as_str);
    // `expires_on` is Unix seconds as a string.
    let expires = member("expires_on").and_then(|seconds| seconds.parse().ok());
    let (Some(text), Some(expires)) = (member("access_token"), expires) else {
        let words = format!("The identity endpoint gave no token: status {status}");
        return Err(Response::error(502, "bad_gateway", words));
    };
    Ok(Token {
        text: text.into(),
        expires: SystemTime::UNIX_EPOCH + Duration::from_secs(expires),
    })
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

/// App Service sets the two of the identity; they are missing where none is assigned.
fn setting(name: &str) -> Result<String, Response> {
    let words = || format!("The setting {name} is missing");
    let missing = |_| Response::error(500, "not_configured", words());
    std::env::var(name).map_err(missing)
}
