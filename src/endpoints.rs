//! Your API: the routes, and the functions that answer them. This is the only file that you have to
//! edit. A route says who may call; its function runs only when the caller may.

use crate::http::*;

/// Bytes of the largest request body that an endpoint gets. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The routes. The first one that fits a request answers it. `GET /` and `GET /healthz` are the
/// handler's own.
pub const ROUTES: &[Route] = &[
    Route::open("GET /public", public),
    Route::protected("GET /api", Needs::Token, claims),
    Route::protected("POST /api", Needs::Token, claims),
];

fn public(_: &Request) -> Reply {
    let body = r#"{"message":"Public endpoint - open to all"}"#;
    Ok(Response::json(200, body))
}

/// Answers with the token's claims, byte for byte as the issuer wrote them.
fn claims(_: &Request, claims: &Claims) -> Reply {
    Ok(Response::json(200, claims.json()))
}
