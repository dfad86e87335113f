//! The routes and what they answer. This is where an endpoint of your own goes: one row in
//! `ROUTES` and one function that gets the verified claims. The README shows two of them.

use crate::answer::Answer;
use crate::claims::{Claims, UnverifiedClaims};
use crate::explain;
use crate::rejection::Rejection;

/// One resource.
pub struct Route {
    /// The path, compared exactly.
    pub path: &'static str,
    /// The methods that it takes, besides `OPTIONS`; `HEAD` goes with `GET`.
    pub methods: &'static [&'static str],
    /// What answers.
    pub endpoint: Endpoint,
}

/// What answers, and who may ask.
pub enum Endpoint {
    /// Anybody may.
    Open(fn() -> Answer),
    /// Only a token that has passed every check.
    Protected(fn(Claims) -> Answer),
}

/// All resources. `GET /` is the Functions host's probe.
pub const ROUTES: &[Route] = &[
    Route { path: "/api", methods: &["GET", "HEAD", "POST"], endpoint: Endpoint::Protected(claims) },
    Route { path: "/public", methods: &["GET", "HEAD"], endpoint: Endpoint::Open(public) },
    Route { path: "/healthz", methods: &["GET", "HEAD"], endpoint: Endpoint::Open(health) },
    Route { path: "/", methods: &["GET", "HEAD"], endpoint: Endpoint::Open(health) },
];

/// Answers with the token's claims, byte for byte as the issuer wrote them.
fn claims(claims: Claims) -> Answer {
    Answer::json(200, claims.into_json())
}

fn public() -> Answer {
    Answer::json(200, r#"{"message":"Public endpoint - open to all"}"#)
}

fn health() -> Answer {
    Answer::json(200, r#"{"status":"ok"}"#)
}

/// The answer to a refused request; a 401 always has a challenge (RFC 9110 section 15.5.2).
pub fn refused(rejection: &Rejection) -> Answer {
    let description = rejection.description();
    let code = rejection.code().as_str();
    // A description has no character that JSON would have to escape.
    let body = format!("{{\"code\":\"{code}\",\"description\":\"{description}\"}}");
    let answer = Answer::json(rejection.status(), body);
    if let Rejection::KeysUnavailable { retry_after } = rejection {
        return answer.with("Retry-After", retry_after.to_string());
    }
    match rejection.challenge(&description) {
        Some(challenge) => answer.with("WWW-Authenticate", challenge),
        None => answer,
    }
}

/// What an endpoint answers when it needs an app role and [`Claims::has_role`] says no: the same 403
/// that `REQUIRED_ROLES` would have led to, with its challenge.
pub fn role_missing(claims: &Claims, role: &str) -> Answer {
    let carried = UnverifiedClaims::of(claims.token().payload());
    let (scopes, roles) = (carried.scopes().unwrap_or_default(), carried.roles().unwrap_or_default());
    refused(&Rejection::PermissionMissing {
        found: explain::permissions(&scopes, &roles),
        scopes: Vec::new(),
        roles: vec![role.to_owned()],
        hint: ". Assign it to the user or to the client application, then ask for a new token",
    })
}

/// The answer to a request whose body cannot be read to its end.
pub fn bad_body() -> Answer {
    Answer::error(400, "bad_request", "The request's body is not the chunks it should be, ends early, or is too long")
}

/// What is to be done with a request, by its method and target.
pub enum Task {
    /// Answer at once.
    Answer(Answer),
    /// Answer the CORS preflight for these methods.
    Preflight(&'static [&'static str]),
    /// Check the token, then let this function answer.
    Check(fn(Claims) -> Answer),
}

/// Finds the task of a request.
pub fn task(method: &str, target: &str) -> Task {
    let path = path(target);
    let Some(route) = ROUTES.iter().find(|route| route.path == path) else {
        let paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
        return Task::Answer(Answer::error(
            404,
            "not_found",
            &format!("There is nothing here; there is {}", paths.join(", ")),
        ));
    };
    if method == "OPTIONS" {
        return Task::Preflight(route.methods);
    }
    if !route.methods.contains(&method) {
        let allow = allow(route.methods);
        let description = format!("{} takes {allow}", route.path);
        return Task::Answer(Answer::error(405, "method_not_allowed", &description).with("Allow", allow));
    }
    match route.endpoint {
        Endpoint::Open(answer) => Task::Answer(answer()),
        Endpoint::Protected(answer) => Task::Check(answer),
    }
}

/// The methods as `Allow` lists them.
pub fn allow(methods: &[&str]) -> String {
    format!("{}, OPTIONS", methods.join(", "))
}

/// The path of a request target in origin or absolute form (RFC 9112 section 3.2), without query.
fn path(target: &str) -> &str {
    let end = target.bytes().position(|byte| byte == b'?' || byte == b'#').unwrap_or(target.len());
    let target = target.get(..end).unwrap_or_default();
    if target.starts_with('/') {
        return target;
    }
    let scheme = |name: &str| target.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let Some(rest) = ["http://", "https://"].iter().find(|name| scheme(name)).and_then(|name| target.get(name.len()..))
    else {
        return target;
    };
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
}
