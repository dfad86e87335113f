//! The local issuer: the endpoints of Microsoft Entra ID on loopback, for development only. Its keys are public, it
//! knows no passwords, and nothing real may trust its tokens.

mod authorize;
mod claims;
mod http;
mod metadata;
mod options;
mod token;

pub(crate) use options::{API, CLIENT, Options, TENANT, USER};

use crate::Result;
use crate::mint::TestKey;
use http::{Form, Refusal, Reply};
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Serves until the process ends.
pub(crate) fn run(options: &[&str]) -> Result {
    let Some(options) = Options::read(options)? else {
        print!("{}", options::HELP);
        return Ok(());
    };
    let issuer = Issuer::start(options)?;
    println!("issuer listening on {}", issuer.base);
    loop {
        thread::park();
    }
}

/// The whole issuer.
pub(crate) struct Issuer {
    /// Scheme, host and port.
    pub(crate) base: String,
    pub(crate) options: Options,
    keys: Vec<TestKey>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    codes: HashMap<String, authorize::Code>,
    current_key: usize,
}

/// The format of a token, which is the version of the endpoint that it was asked from.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    V1,
    V2,
}

impl Issuer {
    /// Listens on the port of the options, and serves beside the caller.
    pub(crate) fn start(options: Options) -> Result<Arc<Issuer>> {
        let server = tiny_http::Server::http(("127.0.0.1", options.port)).map_err(|error| {
            format!("the issuer cannot listen on port {}: {error}", options.port)
        })?;
        let port = server
            .server_addr()
            .to_ip()
            .ok_or("not an IP socket")?
            .port();
        let key = |number: &usize| {
            let mut key = TestKey::number(*number);
            key.kid.insert_str(0, &options.kid);
            key
        };
        let issuer = Arc::new(Issuer {
            base: format!("http://localhost:{port}"),
            keys: options.keys.iter().map(key).collect(),
            options,
            state: Mutex::default(),
        });
        let serving = Arc::clone(&issuer);
        thread::spawn(move || {
            // A thread per request: a client that stalls in its body holds up nobody else.
            for request in server.incoming_requests() {
                let issuer = Arc::clone(&serving);
                thread::spawn(move || issuer.handle(request));
            }
        });
        Ok(issuer)
    }

    /// The `iss` of its tenant's tokens.
    pub(crate) fn issuers(&self) -> [String; 2] {
        [Version::V2, Version::V1].map(|version| version.issuer(&self.base, &self.options.tenant))
    }

    /// Where the keys of its tenant are.
    pub(crate) fn jwks_uri(&self) -> String {
        format!("{}/{}/discovery/v2.0/keys", self.base, self.options.tenant)
    }

    /// Where its tenant's tokens are asked for.
    pub(crate) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.base, self.options.tenant)
    }

    fn handle(&self, mut request: tiny_http::Request) {
        let reply = http::read_form(&mut request).and_then(|form| self.route(&request, form));
        // A client that has gone away is nobody's error.
        let _ = request.respond(reply.unwrap_or_else(|refusal| refusal.reply()));
    }

    fn route(
        &self,
        request: &tiny_http::Request,
        form: Form,
    ) -> std::result::Result<Reply, Refusal> {
        let path = request
            .url()
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_matches('/');
        let segments: Vec<&str> = path.split('/').collect();
        let (room, name, version, tenant) = match segments[..] {
            [""] => return Ok(self.index()),
            ["rotate"] => return Ok(self.rotate()),
            [
                ".well-known",
                "openid-configuration" | "oauth-authorization-server",
                ref issuer @ ..,
            ]
            | [ref issuer @ .., ".well-known", "openid-configuration"] => {
                return self.configuration(issuer);
            }
            [tenant, room, "v2.0", name] => (room, name, Version::V2, tenant),
            [tenant, room, name] => (room, name, Version::V1, tenant),
            _ => return Err(Refusal::not_found()),
        };
        let tenant = self.tenant(tenant)?;
        match (request.method().as_str(), room, name) {
            (_, "discovery", "keys") => Ok(self.key_set(version)),
            ("POST", "oauth2", "token") => self.token(&tenant, version, &form),
            (method, "oauth2", "authorize") => self.authorize(method == "POST", &tenant, form),
            _ => Err(Refusal::not_found()),
        }
    }

    /// The GUID of the tenant that a path names.
    fn tenant(&self, segment: &str) -> std::result::Result<String, Refusal> {
        match segment {
            "organizations" | "common" => Ok(self.options.tenant.clone()),
            _ if is_guid(segment) => Ok(segment.to_ascii_lowercase()),
            _ => {
                let text = format!("Tenant '{segment}' not found: it must be a GUID or common.");
                Err(Refusal::new("invalid_request", 90_002, text))
            }
        }
    }

    /// The published keys: the one that signs, and the one that will after it.
    fn published_keys(&self) -> [&TestKey; 2] {
        let current = self.state().current_key;
        [current, current + 1].map(|number| &self.keys[number % self.keys.len()])
    }

    /// Each change of the state is whole, so a panic elsewhere spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Version {
    /// Entra's v1.0 issuer is `https://sts.windows.net/{tenant}/`.
    fn issuer(self, base: &str, tenant: &str) -> String {
        match self {
            Version::V1 => format!("{base}/sts/{tenant}/"),
            Version::V2 => format!("{base}/{tenant}/v2.0"),
        }
    }
}

/// Whether a text is a GUID in its 8-4-4-4-12 form.
fn is_guid(text: &str) -> bool {
    let is_of_guid = |byte: u8| byte == b'-' || byte.is_ascii_hexdigit();
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && text.bytes().all(is_of_guid)
}

/// `N` bytes of the system's randomness.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives randomness");
    bytes
}
