//! A client that knows nothing but the address, and finds the sign-in by itself: RFC 9728, RFC 8414,
//! OpenID Connect Discovery 1.0, and the authorization specification of MCP (2025-11-25). It goes no
//! further where a MUST is not met.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::time::Duration;
use ureq::{Agent, Body, http};

/// The client is registered before: Entra registers none by itself.
const CLIENT_ID: &str = "bbbbbbbb-0000-0000-0000-000000000001";
const REDIRECT_URI: &str = "http://127.0.0.1:33418/";
/// RFC 7636 appendix B; a real client makes new ones.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const STATE: &str = "af0ifjsldkj";

/// A request as the client sends it.
#[derive(Default)]
pub(super) struct Call<'a> {
    pub(super) address: String,
    query: &'a [(&'a str, &'a str)],
    /// Posted, unless it is empty.
    form: &'a [(&'a str, &'a str)],
    /// Posted as a message of MCP with this token, unless it is null.
    message: Value,
    token: Option<&'a str>,
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// The rest of the world.
pub(super) type Web<'a> = &'a dyn Fn(&Call) -> Reply;

/// Why the client goes no further, with the specification.
pub(super) type Outcome<T> = Result<T, String>;

pub(super) struct Client<'a> {
    pub(super) web: Web<'a>,
    pub(super) address: &'a str,
    /// Whether it takes S256 for supported where the metadata say nothing, as Visual Studio Code does.
    pub(super) takes_s256_for_granted: bool,
    /// Asked for at first in place of what the server says.
    pub(super) first_scope: Option<&'a str>,
}

/// Where the sign-in is.
struct SignIn {
    resource: String,
    authorization_endpoint: String,
    token_endpoint: String,
    issuer: String,
    scope: Option<String>,
}

/// The parameters of a Bearer challenge.
struct Challenge(Vec<(String, String)>);

impl Client<'_> {
    /// From the bare 401 to the response, and the scopes that were asked for on the way.
    pub(super) fn call(&self, message: &Value) -> Outcome<(Reply, Vec<String>)> {
        let refused = self.send(message, None);
        must(
            refused.status == 401,
            "no 401: there is nothing to sign in to",
        )?;
        let challenge = Challenge::read(&refused)?;
        let mut sign_in = self.discover(&challenge)?;
        if let Some(scope) = self.first_scope {
            sign_in.scope = Some(scope.to_owned());
        }
        let mut asked = Vec::new();
        // Once more at most, when the token's scope does not suffice.
        for _ in 0..2 {
            asked.extend(sign_in.scope.clone());
            let token = self.token(&sign_in)?;
            let reply = self.send(message, Some(&token));
            must(
                reply.status != 401,
                "a token that was just issued is refused",
            )?;
            if reply.status != 403 {
                return Ok((reply, asked));
            }
            let challenge = Challenge::read(&reply)?;
            must(
                challenge.get("error") == Some("insufficient_scope"),
                "RFC 6750 section 3.1: a 403 is insufficient_scope",
            )?;
            let scope = challenge.get("scope");
            sign_in.scope = Some(
                scope
                    .ok_or("the 403 does not say which scope is needed")?
                    .into(),
            );
        }
        Err("the scope that the challenge names does not suffice".into())
    }

    fn send(&self, message: &Value, token: Option<&str>) -> Reply {
        (self.web)(&Call {
            address: self.address.into(),
            message: message.clone(),
            token,
            ..Call::default()
        })
    }

    fn get(&self, address: &str) -> Reply {
        (self.web)(&Call {
            address: address.into(),
            ..Call::default()
        })
    }

    fn discover(&self, challenge: &Challenge) -> Outcome<SignIn> {
        let resource = self.resource_metadata(challenge)?;
        let servers = resource["authorization_servers"].as_array();
        let server = servers
            .and_then(|servers| servers.first())
            .and_then(Value::as_str);
        let issuer = server.ok_or("MCP: authorization_servers has at least one")?;
        let metadata = self.server_metadata(issuer)?;
        let endpoint = |name: &str| {
            let text = metadata[name].as_str().map(str::to_owned);
            text.ok_or_else(|| format!("RFC 8414 section 2: there is a {name}"))
        };
        let has = |name: &str, value: &str| {
            let values = metadata[name].as_array();
            values.is_some_and(|values| values.iter().any(|it| it == value))
        };
        must(
            has("response_types_supported", "code"),
            "RFC 8414 section 2: response_types_supported is there, with code",
        )?;
        let says_nothing = metadata["code_challenge_methods_supported"].is_null();
        must(
            has("code_challenge_methods_supported", "S256")
                || (says_nothing && self.takes_s256_for_granted),
            "MCP: without S256 in code_challenge_methods_supported a client must not proceed",
        )?;
        // MCP: the scope of the challenge first, then all that are supported.
        let supported = resource["scopes_supported"].as_array();
        let supported = supported.map(|scopes| {
            let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
            scopes.join(" ")
        });
        Ok(SignIn {
            resource: self.address.into(),
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            issuer: issuer.into(),
            scope: challenge.get("scope").map(str::to_owned).or(supported),
        })
    }

    /// RFC 9728. The address is in the challenge; otherwise it is made from the resource's own.
    fn resource_metadata(&self, challenge: &Challenge) -> Outcome<Value> {
        let (origin, path) = origin_and_path(self.address);
        let well_known = format!("{origin}/.well-known/oauth-protected-resource");
        let candidates = match challenge.get("resource_metadata") {
            Some(address) => vec![(address.to_owned(), self.address)],
            None => vec![
                (format!("{well_known}{path}"), self.address),
                (well_known, origin),
            ],
        };
        let mut found = candidates
            .iter()
            .map(|(address, resource)| (self.get(address), resource));
        let found = found.find(|(reply, _)| reply.status == 200);
        let (reply, resource) = found.ok_or("RFC 9728 section 3.2: the metadata come with 200")?;
        let metadata = reply.json("RFC 9728 section 3.2: the metadata are application/json")?;
        must(
            metadata["resource"] == **resource,
            "RFC 9728 section 3.3: the resource is, to the letter, the address that was called",
        )?;
        let members = metadata.as_object().into_iter().flatten();
        let is_empty = |(_, value): (&String, &Value)| value.as_array().is_some_and(Vec::is_empty);
        must(
            !members.into_iter().any(is_empty),
            "RFC 9728 section 3.2: a list without elements is left out",
        )?;
        let methods = metadata["bearer_methods_supported"].as_array();
        must(
            methods.is_none_or(|methods| methods.iter().any(|method| method == "header")),
            "RFC 9728 section 2: tokens are taken in the header",
        )?;
        Ok(metadata)
    }

    /// RFC 8414 section 3.1 and 5, OpenID Connect Discovery section 4; the order is that of MCP.
    fn server_metadata(&self, issuer: &str) -> Outcome<Value> {
        must(
            !issuer.contains(['?', '#']),
            "RFC 8414 section 2: an issuer has no query and no fragment",
        )?;
        let (origin, path) = origin_and_path(issuer);
        let path = path.trim_end_matches('/');
        let candidates = [
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
            format!("{origin}{path}/.well-known/openid-configuration"),
        ];
        let replies = candidates.iter().map(|address| self.get(address));
        let reply = replies.into_iter().find(|reply| reply.status == 200);
        let reply = reply.ok_or("RFC 8414 section 3: the issuer has metadata")?;
        let metadata = reply.json("RFC 8414 section 3.2: the metadata are application/json")?;
        must(
            metadata["issuer"] == issuer,
            "RFC 8414 section 3.3: the issuer is, to the letter, the one that was asked",
        )?;
        Ok(metadata)
    }

    /// The authorization code flow with PKCE (RFC 7636) and the resource (RFC 8707), in which Alice
    /// signs in.
    fn token(&self, sign_in: &SignIn) -> Outcome<String> {
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT_URI),
            ("state", STATE),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &sign_in.resource),
        ];
        query.extend(sign_in.scope.as_deref().map(|scope| ("scope", scope)));
        let reply = (self.web)(&Call {
            address: sign_in.authorization_endpoint.clone(),
            query: &query,
            form: &[("user", "alice")],
            ..Call::default()
        });
        let code = code(&reply, sign_in)?;
        let reply = (self.web)(&Call {
            address: sign_in.token_endpoint.clone(),
            form: &[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
                ("client_id", CLIENT_ID),
                ("code_verifier", VERIFIER),
                ("resource", &sign_in.resource),
            ],
            ..Call::default()
        });
        must(reply.status == 200, &format!("no token: {}", reply.body))?;
        let body = reply.json("RFC 6749 section 5.1: the token comes in application/json")?;
        must(
            reply.header("Cache-Control") == Some("no-store"),
            "RFC 6749 section 5.1: a token comes with Cache-Control: no-store",
        )?;
        let kind = body["token_type"].as_str().unwrap_or_default();
        must(
            kind.eq_ignore_ascii_case("Bearer"),
            "RFC 6749 section 7.1: a client uses no token of a type that it does not know",
        )?;
        let token = body["access_token"].as_str();
        Ok(token
            .ok_or("RFC 6749 section 5.1: there is an access_token")?
            .into())
    }
}

/// The code of the redirect that ends a sign-in.
fn code(reply: &Reply, sign_in: &SignIn) -> Outcome<String> {
    let location = reply.header("Location").filter(|_| reply.status == 302);
    let query = location.and_then(|it| it.strip_prefix(REDIRECT_URI)?.strip_prefix('?'));
    let query = query.ok_or_else(|| format!("no redirect to the client: {reply:?}"))?;
    // None of these values has an escape, but `iss`.
    let get = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name)?.1;
        Some(value.replace("%3A", ":").replace("%2F", "/"))
    };
    must(
        get("state").as_deref() == Some(STATE),
        "RFC 6749 section 4.1.2: the state comes back as it was",
    )?;
    must(
        get("iss").is_none_or(|iss| iss == sign_in.issuer),
        "RFC 9207 section 2.4: iss is the issuer that was asked",
    )?;
    get("code").ok_or_else(|| format!("no code: {query}"))
}

impl Challenge {
    /// The Bearer challenge of a response (RFC 9110 section 11.6.1, RFC 6750 section 3).
    fn read(reply: &Reply) -> Outcome<Challenge> {
        let value = reply.header("WWW-Authenticate");
        let value = value.ok_or("RFC 9110 section 15.5.2: a 401 has a challenge")?;
        let (scheme, mut rest) = value.split_once(' ').unwrap_or((value, ""));
        must(
            scheme.eq_ignore_ascii_case("Bearer"),
            "RFC 6750 section 3: the scheme is Bearer",
        )?;
        let mut parameters: Vec<(String, String)> = Vec::new();
        while !rest.is_empty() {
            let (name, value, more) = parameter(rest.trim_start())
                .ok_or_else(|| format!("RFC 9110 section 11.2: no parameter: {rest}"))?;
            let name = name.to_ascii_lowercase();
            must(
                parameters.iter().all(|(have, _)| *have != name),
                "RFC 9110 section 11.2: a parameter is there once",
            )?;
            parameters.push((name, value));
            rest = more;
        }
        Ok(Challenge(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let parameter = self.0.iter().find(|(have, _)| have == name);
        parameter.map(|(_, value)| value.as_str())
    }
}

/// `name="value"` at the start, and what follows after the comma.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once("=\"")?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let mut value = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => value.push(chars.next()?),
            char => value.push(char),
        }
    }
    let rest = chars.as_str().trim_start();
    if rest.is_empty() {
        return Some((name, value, rest));
    }
    Some((name, value, rest.strip_prefix(',')?))
}

fn origin_and_path(address: &str) -> (&str, &str) {
    let host = address.find("://").map_or(0, |scheme| scheme + 3);
    let path = address[host..]
        .find('/')
        .map_or(address.len(), |slash| host + slash);
    address.split_at(path)
}

fn must(is_met: bool, words: &str) -> Outcome<()> {
    is_met.then_some(()).ok_or_else(|| words.to_owned())
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let header = self
            .headers
            .iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    fn json(&self, words: &str) -> Outcome<Value> {
        let content_type = self.header("Content-Type").unwrap_or_default();
        let is_json = content_type.split(';').next() == Some("application/json");
        let value = serde_json::from_str(&self.body)
            .ok()
            .filter(Value::is_object);
        value.filter(|_| is_json).ok_or_else(|| words.to_owned())
    }
}

/// The rest of the world as it is.
pub(super) fn web(call: &Call) -> Reply {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None);
    let agent: Agent = config.build().into();
    let query = call.query.iter().copied();
    let sent = if !call.message.is_null() {
        let mut post = agent.post(&call.address);
        if let Some(token) = call.token {
            post = post.header("Authorization", format!("Bearer {token}"));
        }
        let post = post.header("Accept", "application/json, text/event-stream");
        let post = post.header("Content-Type", "application/json");
        post.send(call.message.to_string())
    } else if !call.form.is_empty() {
        let post = agent.post(&call.address).query_pairs(query);
        post.send_form(call.form.iter().copied())
    } else {
        agent.get(&call.address).query_pairs(query).call()
    };
    reply(sent.unwrap_or_else(|error| panic!("{}: {error}", call.address)))
}

fn reply(mut response: http::Response<Body>) -> Reply {
    let headers = response.headers().iter();
    let text = |value: &http::HeaderValue| value.to_str().expect("ASCII").to_owned();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value)));
    Reply {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: response.body_mut().read_to_string().expect("a body"),
    }
}
