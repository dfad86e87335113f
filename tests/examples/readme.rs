//! The endpoints of README.md and of api/NGINX.md.

use crate::http::*;

/// Bytes of the largest request body that an endpoint gets. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The routes. The first one that fits a request answers it.
pub const ROUTES: &[Route] = &[
    Route::protected(
        "GET /api/items/{id}",
        Needs::Any(&[Scope("Items.Read"), Role("Items.Read.All")]),
        item,
    ),
    Route::protected("GET /auth", Needs::Token, who),
];

/// One item, for callers who may read items.
fn item(request: &Request, claims: &Claims) -> Reply {
    let id: u64 = request.param("id")?;
    let limit: usize = request.query("limit")?.unwrap_or(20);
    let caller = claims.text("oid");
    let item = json!({ "id": id, "limit": limit, "caller": caller });
    Ok(Response::json(200, item))
}

/// Says in a header who calls, for a proxy that asks.
fn who(_: &Request, claims: &Claims) -> Reply {
    let oid = claims.text("oid").unwrap_or_default();
    Ok(Response::empty(204).with("X-Auth-Oid", oid))
}
