//! From nothing but the address to the response, with the local issuer.

use super::client::{Call, Client, Outcome, Reply, STATE, Web, web};
use super::program;
use crate::support::issuer::{API, Issuer};
use crate::support::tokens::TENANT;
use crate::support::{Handler, Setup, free_port};
use serde_json::{Value, json};

/// The example with MCP behind the handler, and its issuer.
struct Scene {
    _issuer: Issuer,
    _handler: Handler,
    address: String,
}

impl Scene {
    fn new(options: &[&str]) -> Scene {
        let issuer = Issuer::start(options);
        let accepted = issuer.of(TENANT);
        loop {
            let port = free_port();
            let address = format!("http://127.0.0.1:{port}/mcp");
            let settings = [
                ("TABLE", "mcp"),
                ("TENANT_ID", TENANT),
                ("API_AUDIENCE", API),
                ("AUTHORITY_HOST", &issuer.base),
                ("ISSUERS", &accepted),
                ("RESOURCE", &address),
                ("REQUIRED_SCOPES", "Tools.Use"),
            ];
            let setup = Setup::bare().program(program()).with(&settings);
            if let Some(handler) = setup.start_on(port) {
                return Scene {
                    _issuer: issuer,
                    _handler: handler,
                    address,
                };
            }
        }
    }

    fn client<'a>(&'a self, web: Web<'a>) -> Client<'a> {
        Client {
            web,
            address: &self.address,
            takes_s256_for_granted: false,
            first_scope: None,
        }
    }

    fn scope(&self) -> String {
        format!("{}/Tools.Use", self.address)
    }
}

fn who_am_i() -> Value {
    let params = json!({ "name": "who_am_i", "arguments": {} });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

#[track_caller]
fn must_be_alice(outcome: Outcome<(Reply, Vec<String>)>, asked: &[&str]) {
    let (reply, scopes) = outcome.expect("a way to the response");
    assert_eq!(reply.status, 200);
    let body: Value = serde_json::from_str(&reply.body).expect("JSON");
    assert_eq!(
        body["result"]["content"][0]["text"],
        "alice@contoso.example"
    );
    assert_eq!(scopes, asked);
}

#[test]
fn a_client_that_knows_the_address_gets_to_the_response() {
    let scene = Scene::new(&[]);
    must_be_alice(scene.client(&web).call(&who_am_i()), &[&scene.scope()]);
}

#[test]
fn without_a_challenge_of_use_the_well_known_address_is_enough() {
    let scene = Scene::new(&[]);
    let web = |call: &Call| {
        let mut reply = web(call);
        for (_, value) in &mut reply.headers {
            if value.starts_with("Bearer") {
                *value = "Bearer".into();
            }
        }
        reply
    };
    must_be_alice(scene.client(&web).call(&who_am_i()), &[&scene.scope()]);
}

#[test]
fn a_client_whose_token_lacks_the_scope_is_told_which_to_ask_for() {
    let scene = Scene::new(&[]);
    let other = format!("{}/Other", scene.address);
    let client = Client {
        first_scope: Some(&other),
        ..scene.client(&web)
    };
    must_be_alice(client.call(&who_am_i()), &[&other, &scene.scope()]);
}

#[test]
fn where_the_issuer_leaves_out_the_methods_only_a_lenient_client_goes_on() {
    // As Entra does.
    let scene = Scene::new(&["--no-code-challenge-methods"]);
    let strict = scene.client(&web);
    let words = "MCP: without S256 in code_challenge_methods_supported a client must not proceed";
    assert_eq!(strict.call(&who_am_i()).expect_err("a MUST"), words);
    let lenient = Client {
        takes_s256_for_granted: true,
        ..strict
    };
    must_be_alice(lenient.call(&who_am_i()), &[&scene.scope()]);
}

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const SERVER: &str = "/.well-known/oauth-authorization-server";

/// A part of an address, what is replaced in headers and body of the reply from there, by what, and where
/// the client stops.
#[rustfmt::skip]
const BROKEN: &[(&str, &str, &str, &str)] = &[
    ("/mcp", "www-authenticate", "x", "RFC 9110 section 15.5.2"),
    ("/mcp", "Bearer resource", "Basic resource", "RFC 6750 section 3:"),
    ("/mcp", ",scope=", ",scope=\"\",scope=", "RFC 9110 section 11.2: a parameter"),
    ("/mcp", ",scope=\"", ",scope=", "RFC 9110 section 11.2: no parameter"),
    ("/mcp", "oauth-protected-resource/mcp", "nothing", "RFC 9728 section 3.2: the metadata come"),
    (RESOURCE, "application/json", "text/plain", "RFC 9728 section 3.2: the metadata are"),
    (RESOURCE, "/mcp\",", "/mcp/\",", "RFC 9728 section 3.3"),
    (RESOURCE, "[\"header\"]", "[]", "RFC 9728 section 3.2: a list"),
    (RESOURCE, "[\"header\"]", "[\"body\"]", "RFC 9728 section 2"),
    (RESOURCE, "authorization_servers", "x", "MCP: authorization_servers"),
    (RESOURCE, "/v2.0\"", "/v2.0?x\"", "RFC 8414 section 2: an issuer"),
    (RESOURCE, "/v2.0\"", "/nothing\"", "RFC 8414 section 3: "),
    (SERVER, "/v2.0\"", "/v2.0/\"", "RFC 8414 section 3.3"),
    (SERVER, "application/json", "text/plain", "RFC 8414 section 3.2"),
    (SERVER, "token_endpoint\"", "x\"", "RFC 8414 section 2: there is a token_endpoint"),
    (SERVER, "[\"code\"]", "[\"token\"]", "RFC 8414 section 2: response_types"),
    (SERVER, "S256", "plain", "MCP: without S256"),
    ("/authorize", STATE, "other", "RFC 6749 section 4.1.2"),
    ("/authorize", "&state", "&iss=https%3A%2F%2Fevil.example&state", "RFC 9207"),
    ("/token", "no-store", "max-age=60", "RFC 6749 section 5.1: a token comes with"),
    ("/token", "\"Bearer\"", "\"MAC\"", "RFC 6749 section 7.1"),
    ("/token", "access_token", "x", "RFC 6749 section 5.1: there is"),
];

/// The client is worth something only if it stops: each case breaks one reply of a good world.
#[test]
fn the_client_stops_at_every_must_that_is_not_met() {
    let scene = Scene::new(&[]);
    for (part, from, to, words) in BROKEN {
        let was_broken = std::cell::Cell::new(false);
        let web = |call: &Call| {
            let mut reply = web(call);
            if call.address.contains(part) {
                let broken = broken(&reply, from, to);
                was_broken.set(was_broken.get() || broken.1);
                reply = broken.0;
            }
            reply
        };
        let error = scene.client(&web).call(&who_am_i()).map(|_| ());
        let error = error.expect_err("a MUST that is not met");
        assert!(was_broken.get(), "{part} has no {from}");
        assert!(error.starts_with(words), "{part} {from}: {error}");
    }
}

/// The reply with another text, and whether it had that text.
fn broken(reply: &Reply, from: &str, to: &str) -> (Reply, bool) {
    let replace = |text: &String| text.replace(from, to);
    let headers = reply.headers.iter();
    let headers = headers.map(|(name, value)| (replace(name), replace(value)));
    let broken = Reply {
        status: reply.status,
        headers: headers.collect(),
        body: replace(&reply.body),
    };
    let is_other = broken.headers != reply.headers || broken.body != reply.body;
    (broken, is_other)
}
