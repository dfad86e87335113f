//! A server of the Model Context Protocol (streamable HTTP, JSON responses) with one tool. With the
//! setting `RESOURCE`, here `https://…/mcp`, its clients find the sign-in by themselves.

use crate::http::*;

/// Bytes of the largest request body that an endpoint gets. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// `GET` and `DELETE` get 405: there are no streams and no sessions.
pub const ROUTES: &[Route] = &[Route::protected(
    "POST /mcp",
    Needs::Any(&[Scope("Tools.Use")]),
    mcp,
)];

/// Versions of the protocol, the newest first.
const VERSIONS: [&str; 3] = [NEWEST, "2025-06-18", "2025-03-26"];
const NEWEST: &str = "2025-11-25";

/// One JSON-RPC message. Every call needs a token, which a page that rebinds a host name lacks: the
/// `Origin` is left to `ALLOWED_ORIGINS`.
fn mcp(request: &Request, claims: &Claims) -> Reply {
    let message = request.json()?;
    let version = request.header("MCP-Protocol-Version").unwrap_or(NEWEST);
    if text(&message, "jsonrpc") != "2.0" || !VERSIONS.contains(&version) {
        let words = format!("One message of JSON-RPC 2.0 is wanted, in {VERSIONS:?}");
        return Err(Response::error(400, "bad_request", words));
    }
    let (Some(id), Some(_)) = (message.get("id"), message.get("method")) else {
        // Notifications and responses are only taken note of.
        return Ok(Response::empty(202));
    };
    let params = message.get("params").unwrap_or(&Value::Null);
    let outcome = match result(text(&message, "method"), params, claims) {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, text)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
        }
    };
    Ok(Response::json(200, outcome))
}

fn result(method: &str, params: &Value, claims: &Claims) -> Result<Value, (i32, &'static str)> {
    match method {
        "initialize" => {
            let asked = text(params, "protocolVersion");
            let is_known = VERSIONS.contains(&asked);
            Ok(json!({
                "protocolVersion": if is_known { asked } else { NEWEST },
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "who", "version": "1.0.0" },
            }))
        }
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": [{
            "name": "who_am_i",
            "description": "Says who calls",
            "inputSchema": { "type": "object", "additionalProperties": false },
        }] })),
        "tools/call" if text(params, "name") == "who_am_i" => {
            let name = claims.text("preferred_username");
            let name = name.or(claims.text("oid")).unwrap_or_default();
            Ok(json!({ "content": [{ "type": "text", "text": name }] }))
        }
        "tools/call" => Err((-32602, "There is no such tool")),
        _ => Err((-32601, "There is no such method")),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
