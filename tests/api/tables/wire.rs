//! Endpoints that show what happens to a request and to a response on the way.

use crate::http::*;
use std::collections::HashMap;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

/// The routes.
pub const ROUTES: &[Route] = &[
    Route::open("POST /open", open),
    Route::protected("POST /echo", Needs::Token, echo),
    Route::slow("POST /slow/echo", Needs::Token, echo),
    Route::protected("GET /text/fixed", Needs::Token, fixed),
    Route::protected("GET /text/{text}", Needs::Token, text),
    Route::protected("DELETE /text/{text}", Needs::Token, text),
    Route::protected("GET /query", Needs::Token, query),
    Route::protected("GET /status/{status}", Needs::Token, status),
    Route::protected("POST /header", Needs::Token, header),
    Route::protected("GET /panic", Needs::Token, fail),
    Route::slow("POST /slow/panic", Needs::Token, fail),
    Route::slow("POST /hold/{name}", Needs::Token, hold),
    Route::protected("GET /held", Needs::Token, held),
    Route::protected("POST /release/{name}", Needs::Token, release),
    Route::protected("GET /runs", Needs::Token, runs),
];

#[derive(Default)]
struct State {
    /// Runs of endpoints by the path of the request.
    runs: HashMap<String, usize>,
    /// Calls that wait to be released, by name.
    held: HashMap<String, usize>,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
static RELEASED: Condvar = Condvar::new();

fn open(request: &Request) -> Reply {
    ran(request);
    Ok(Response::bytes(200, "text/plain", request.body()))
}

/// Answers with the body.
fn echo(request: &Request, _: &Claims) -> Reply {
    ran(request);
    Ok(Response::bytes(200, "text/plain", request.body()))
}

fn fixed(_: &Request, _: &Claims) -> Reply {
    Ok(Response::json(200, json!("the fixed one")))
}

/// Answers with the parameter as it was read.
fn text(request: &Request, _: &Claims) -> Reply {
    let text: String = request.param("text")?;
    Ok(Response::json(200, json!(text)))
}

/// Answers with `text` and `number` of the query as they were read.
fn query(request: &Request, _: &Claims) -> Reply {
    let text: Option<String> = request.query("text")?;
    let number: Option<i8> = request.query("number")?;
    Ok(Response::json(200, json!([text, number])))
}

/// Answers with this status, a header and a body.
fn status(request: &Request, _: &Claims) -> Reply {
    ran(request);
    let status = request.param("status")?;
    Ok(Response::json(status, json!({ "status": status })).with("X-Status", status))
}

/// Answers with this text as the value of a header.
fn header(request: &Request, _: &Claims) -> Reply {
    ran(request);
    let body = request.json()?;
    let value = body["value"].as_str().unwrap_or_default();
    Ok(Response::empty(200).with("X-Value", value))
}

#[allow(clippy::panic, reason = "this is what is tested")]
fn fail(request: &Request, _: &Claims) -> Reply {
    ran(request);
    panic!("on purpose");
}

/// Waits until it is released.
fn hold(request: &Request, _: &Claims) -> Reply {
    ran(request);
    let name: String = request.param("name")?;
    let mut state = state();
    *state.held.entry(name.clone()).or_default() += 1;
    while state.held.contains_key(&name) {
        state = RELEASED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    Ok(Response::json(200, json!({ "held": name })))
}

/// How many calls wait.
fn held(_: &Request, _: &Claims) -> Reply {
    Ok(Response::json(200, state().held.values().sum::<usize>()))
}

fn release(request: &Request, _: &Claims) -> Reply {
    let name: String = request.param("name")?;
    state().held.remove(&name);
    RELEASED.notify_all();
    Ok(Response::empty(204))
}

/// How often the endpoint at `path` has run.
fn runs(request: &Request, _: &Claims) -> Reply {
    let path: String = request.query("path")?.unwrap_or_default();
    let runs = state().runs.get(&path).copied();
    Ok(Response::json(200, runs.unwrap_or_default()))
}

fn ran(request: &Request) {
    *state().runs.entry(request.path().into()).or_default() += 1;
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
