//! Items that are kept in memory, each for the caller who made it.

use crate::http::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of the largest request body that an endpoint gets. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Scopes are for users, roles for programs.
const READ: Needs = Needs::Any(&[Scope("Items.Read"), Role("Items.Read.All")]);
const WRITE: Needs = Needs::Any(&[Scope("Items.Write"), Role("Items.Write.All")]);

/// The routes. The first one that fits a request answers it.
pub const ROUTES: &[Route] = &[
    Route::protected("GET /api/items", READ, list),
    Route::protected("POST /api/items", WRITE, create),
    Route::protected("GET /api/items/{id}", READ, item),
    Route::protected("DELETE /api/items/{id}", WRITE, delete),
];

/// Items by their owner and their number. They end with the process: a database would be slow.
static ITEMS: Mutex<BTreeMap<(String, u64), Item>> = Mutex::new(BTreeMap::new());
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

struct Item {
    name: String,
    is_done: bool,
}

/// `GET /api/items?done=false&limit=20`
fn list(request: &Request, claims: &Claims) -> Reply {
    let done: Option<bool> = request.query("done")?;
    let limit: usize = request.query("limit")?.unwrap_or(100);
    let owner = owner(claims)?;
    let items = items();
    let own = items.range((owner.clone(), 0)..=(owner, u64::MAX));
    let found = own.filter(|(_, item)| done.is_none_or(|done| done == item.is_done));
    let found = found.take(limit).map(|((_, id), item)| item.json(*id));
    Ok(Response::json(200, Value::from_iter(found)))
}

/// `POST /api/items` with `{"name": "milk"}`
fn create(request: &Request, claims: &Claims) -> Reply {
    let body = request.json()?;
    let name = body.get("name").and_then(Value::as_str);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(Response::error(422, "no_name", "An item needs a name"));
    };
    let owner = owner(claims)?;
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let item = Item {
        name: name.into(),
        is_done: body.get("done") == Some(&Value::Bool(true)),
    };
    let response = Response::json(201, item.json(id));
    items().insert((owner, id), item);
    Ok(response.with("Location", format!("/api/items/{id}")))
}

/// `GET /api/items/7`
fn item(request: &Request, claims: &Claims) -> Reply {
    let id: u64 = request.param("id")?;
    match items().get(&(owner(claims)?, id)) {
        Some(item) => Ok(Response::json(200, item.json(id))),
        None => Err(missing(id)),
    }
}

/// `DELETE /api/items/7`
fn delete(request: &Request, claims: &Claims) -> Reply {
    let id: u64 = request.param("id")?;
    match items().remove(&(owner(claims)?, id)) {
        Some(_) => Ok(Response::empty(204)),
        None => Err(missing(id)),
    }
}

/// The caller: `oid` is the same in all APIs of the tenant, and never given to anybody else.
fn owner(claims: &Claims) -> Result<String, Response> {
    let oid = claims.text("oid");
    let words = "The token does not say who calls: it has no oid";
    let oid = oid.ok_or_else(|| Response::error(403, "no_owner", words))?;
    Ok(oid.into_owned())
}

/// Another caller's item is as good as none.
fn missing(id: u64) -> Response {
    Response::error(404, "not_found", format!("There is no item {id}"))
}

fn items() -> MutexGuard<'static, BTreeMap<(String, u64), Item>> {
    ITEMS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Item {
    fn json(&self, id: u64) -> Value {
        json!({ "id": id, "name": self.name, "done": self.is_done })
    }
}
