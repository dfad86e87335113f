//! The example with MCP: by the kit, and with a real client under the Functions host.

use super::{exchange, program};
use crate::support::ask::{Ask, ask};
use crate::support::host::{Host, MODES};
use crate::support::issuer::{API, Issuer};
use crate::support::tokens::TENANT;
use crate::support::{Process, find_program, free_port, say};
use crate::tables::mcp::ROUTES;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

fn call(method: &str) -> Ask {
    ask(method, "/mcp").routes(ROUTES).scope("Tools.Use")
}

#[track_caller]
fn send(message: Value) -> (u16, Value) {
    let response = call("POST").json(message).send();
    let body = serde_json::from_str(response.text()).unwrap_or_default();
    (response.status(), body)
}

#[track_caller]
fn result(method: &str, params: Value) -> Value {
    let message = json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params });
    let (status, mut body) = send(message);
    assert_eq!(
        (status, &body["jsonrpc"], &body["id"]),
        (200, &json!("2.0"), &json!("a"))
    );
    body["result"].take()
}

#[test]
fn each_request_gets_its_result() {
    for (asked, spoken) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2025-11-25"),
    ] {
        let params = json!({ "protocolVersion": asked, "capabilities": {} });
        let result = result("initialize", params);
        assert_eq!(result["protocolVersion"], spoken);
        assert_eq!(result["capabilities"], json!({ "tools": {} }));
        assert_eq!(result["serverInfo"]["name"], "who");
    }
    assert_eq!(result("ping", Value::Null), json!({}));
    let tools = result("tools/list", json!({}));
    assert_eq!(tools["tools"][0]["name"], "who_am_i");
    assert_eq!(tools["tools"][0]["inputSchema"]["type"], "object");
    let said = result("tools/call", json!({ "name": "who_am_i" }));
    let text = json!({ "type": "text", "text": "alice@contoso.example" });
    assert_eq!(said["content"], json!([text]));
}

#[test]
fn what_is_no_request_or_no_method_is_told() {
    let version = json!("2.0");
    let error = |method: &str| {
        let message =
            json!({ "jsonrpc": version, "id": 7, "method": method, "params": { "name": "x" } });
        let (status, body) = send(message);
        (status, body["id"].clone(), body["error"]["code"].clone())
    };
    assert_eq!(error("tools/call"), (200, json!(7), json!(-32602)));
    assert_eq!(error("server/discover"), (200, json!(7), json!(-32601)));
    for taken_note_of in [
        json!({ "jsonrpc": version, "method": "notifications/initialized" }),
        json!({ "jsonrpc": version, "id": 1, "result": {} }),
    ] {
        assert_eq!(send(taken_note_of), (202, Value::Null));
    }
    for bad in [
        json!([]),
        json!({}),
        json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
    ] {
        assert_eq!(send(bad).0, 400);
    }
    let ping = json!({ "jsonrpc": version, "id": 1, "method": "ping" });
    let ping = |version: &str| {
        call("POST")
            .json(ping.clone())
            .header("MCP-Protocol-Version", version)
    };
    assert_eq!(ping("2025-06-18").send().status(), 200);
    assert_eq!(ping("1999-01-01").send().status(), 400);
    for method in ["GET", "DELETE"] {
        assert_eq!(call(method).send().status(), 405);
    }
    assert_eq!(ask("POST", "/mcp").routes(ROUTES).send().status(), 403);
}

// ---- with a real client ----

/// Python with the package `mcp`, version 2.
fn python() -> Option<PathBuf> {
    let python = find_program(&["python3"], &[]);
    let has_client = |python: &PathBuf| {
        let mut check = Command::new(python);
        let output = check.args(["-c", "from mcp import Client"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let python = python.filter(has_client);
    if python.is_none() {
        say("skipped: there is no Python with the package mcp (pip install 'mcp>=2')");
    }
    python
}

/// The lines that the client prints.
fn client(python: &PathBuf, arguments: &[&str]) -> Value {
    let mut command = Command::new(python);
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/api/mcp_client.py"
    ));
    command.args(arguments);
    let mut process = Process::start(command);
    let status = process.wait();
    let (said, errors) = (
        process.stdout.until_the_end(),
        process.stderr.until_the_end(),
    );
    assert!(status.success(), "{}", errors.join("\n"));
    serde_json::from_str(&said.concat()).expect("JSON")
}

/// The example under the Functions host, at an address that its `RESOURCE` names.
fn hosted(mode: &str, issuer: &Issuer) -> Option<(Host, String)> {
    let port = free_port();
    let address = format!("http://127.0.0.1:{port}/mcp");
    let settings = [
        ("TABLE", "mcp"),
        ("TENANT_ID", TENANT),
        ("API_AUDIENCE", API),
        ("AUTHORITY_HOST", &issuer.base),
        ("ISSUERS", &issuer.of(TENANT)),
        ("RESOURCE", &address),
    ];
    let host = Host::start(mode, port, program(), &settings)?;
    Some((host, address))
}

/// A token of Alice for this API with another scope.
fn other_token(issuer: &Issuer, address: &str) -> String {
    let (_, port) = issuer.base.rsplit_once(':').expect("a port");
    let there = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
    let form = format!(
        "grant_type=password&username=alice&password=any&client_id=x&scope={address}/Other"
    );
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let target = format!("/{TENANT}/oauth2/v2.0/token");
    let response = exchange(there, "POST", &target, &headers, &form);
    response.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

#[test]
fn a_real_client_finds_the_sign_in_and_calls_the_tool() {
    let Some(python) = python() else {
        return;
    };
    for mode in MODES {
        for options in [&[][..], &["--no-code-challenge-methods"]] {
            let issuer = Issuer::start(options);
            let Some((_host, address)) = hosted(mode, &issuer) else {
                return;
            };
            let scope = format!("{address}/Tools.Use");
            let expected = |asked: &str| json!({ "tools": ["who_am_i"], "said": "alice@contoso.example", "asked": [asked] });
            assert_eq!(client(&python, &[&address]), expected(&scope), "{mode}");
            // A token that lacks the scope: the 403 says which one to ask for.
            let token = other_token(&issuer, &address);
            assert_eq!(
                client(&python, &[&address, &token]),
                expected(&scope),
                "{mode}"
            );
        }
    }
}
