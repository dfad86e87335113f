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
const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/// One JSON-RPC message. Every call needs a token, which a page that rebinds a host name lacks: the
/// `Origin` is left to `ALLOWED_ORIGINS`.
fn mcp(request: &Request, claims: &Claims) -> Reply {
    let message = request.json()?;
    let version = request.header("MCP-Protocol-Version");
    if message["jsonrpc"] != "2.0" || version.is_some_and(|it| !VERSIONS.contains(&it)) {
        let words = format!("One message of JSON-RPC 2.0 is wanted, in {VERSIONS:?}");
        return Err(Response::error(400, "bad_request", words));
    }
    let (Some(id), Some(method)) = (message.get("id"), message["method"].as_str()) else {
        // Notifications and responses are only taken note of.
        return Ok(Response::empty(202));
    };
    let outcome = match result(method, &message["params"], claims) {
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
            let asked = params["protocolVersion"].as_str().unwrap_or_default();
            let known = VERSIONS.into_iter().find(|version| *version == asked);
            Ok(json!({
                "protocolVersion": known.unwrap_or(VERSIONS[0]),
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
        "tools/call" if params["name"] == "who_am_i" => {
            let name = claims.text("preferred_username");
            let name = name.or(claims.text("oid")).unwrap_or_default();
            Ok(json!({ "content": [{ "type": "text", "text": name }] }))
        }
        "tools/call" => Err((-32602, "There is no such tool")),
        _ => Err((-32601, "There is no such method")),
    }
}
