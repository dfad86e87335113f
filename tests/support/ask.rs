//! Calls an endpoint without a socket: `ask("GET", "/api/items/7").scope("Items.Read").send()`. The
//! route, the checks of a signed token, the needs, the limit of the body and the endpoint are the
//! handler's own.

use super::tokens::{AUDIENCE, TENANT, app_only, set, signed, v2, with};
use entra_handler::{
    Api, Case, Context, Kind, MAX_BODY_BYTES, ROUTES, Rejection, Request, Route, Settings,
    TokenCache, bearer_token, decide, faults, refused,
};
use entra_handler::{Claims, KeySet, KeySets};
use serde_json::Value;

/// A request to one of `ROUTES`, with the token of a user who has the scope `user_impersonation`.
pub fn ask(method: &str, target: &str) -> Ask {
    Ask {
        method: method.into(),
        target: target.into(),
        headers: Vec::new(),
        body: Vec::new(),
        scopes: Vec::new(),
        roles: Vec::new(),
        claims: Vec::new(),
        is_anonymous: false,
        settings: Vec::new(),
        routes: ROUTES,
    }
}

/// A request in the making.
#[derive(Clone)]
#[must_use = "send() sends it"]
pub struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    scopes: Vec<String>,
    roles: Vec<Value>,
    claims: Vec<(String, Value)>,
    is_anonymous: bool,
    settings: Vec<(String, String)>,
    routes: &'static [Route],
}

/// The response.
#[derive(Debug)]
pub struct Response(entra_handler::Response);

impl Ask {
    /// The token of a user has this scope, and only those that are given so.
    pub fn scope(mut self, name: &str) -> Ask {
        self.scopes.push(name.into());
        self
    }

    /// The token has this app role. Without a scope it is the token of a program.
    pub fn role(mut self, name: &str) -> Ask {
        self.roles.push(name.into());
        self
    }

    /// The token has this claim, such as another `oid`.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Ask {
        self.claims.push((name.into(), value.into()));
        self
    }

    /// There is no token.
    pub fn anonymous(mut self) -> Ask {
        self.is_anonymous = true;
        self
    }

    /// One more header.
    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A body of JSON.
    pub fn json(self, value: impl Into<Value>) -> Ask {
        self.body("application/json", value.into().to_string())
    }

    /// Any other body.
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Ask {
        self.body = bytes.into();
        self.header("Content-Type", content_type)
    }

    /// A setting such as `REQUIRED_ROLES`, as an environment variable would have it.
    pub fn setting(mut self, name: &str, value: &str) -> Ask {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Another table than `ROUTES`.
    pub fn routes(mut self, routes: &'static [Route]) -> Ask {
        self.routes = routes;
        self
    }

    /// Sends it. Fails when the table of routes cannot work, or the settings cannot.
    #[track_caller]
    pub fn send(self) -> Response {
        assert_eq!(faults(self.routes), [""; 0], "the table of routes");
        let settings = self.settings();
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut request = Request::new(&self.method, &self.target, headers);
        let route = match Api::new(self.routes, &settings).find(&mut request) {
            Ok(route) => route,
            Err(response) => return Response(response),
        };
        let claims = match route.kind() {
            Kind::Open => None,
            Kind::Protected | Kind::Slow => match self.claims(route, &settings) {
                Ok(claims) => Some(claims),
                Err(rejection) => {
                    let resource = settings.resource.as_ref();
                    return Response(refused(&rejection, route.needs(), resource));
                }
            },
        };
        if self.body.len() > MAX_BODY_BYTES {
            let words = format!("The request's body is longer than {MAX_BODY_BYTES} bytes");
            let response = entra_handler::Response::error(413, "payload_too_large", words);
            return Response(response);
        }
        request.set_body(self.body);
        Response(route.call(&request, claims.as_ref()))
    }

    /// The token's way to its claims: every check, and what the route needs.
    fn claims(&self, route: &Route, settings: &Settings) -> Result<Claims, Rejection> {
        let authorization = (!self.is_anonymous).then(|| format!("Bearer {}", self.token()));
        let token = bearer_token(authorization.as_deref().into_iter())?;
        let keys = KeySet::parse(set(&[1]).as_bytes()).expect("the test keys are a key set");
        let context = Context {
            settings,
            keys: &KeySets::new(vec![Some(keys)]),
            needs: route.needs(),
            now: super::tokens::clock() as f64,
        };
        decide(&mut Case::new(token, &context), &mut TokenCache::default())
    }

    /// The token, signed with a test key.
    pub fn token(&self) -> String {
        let mut claims = match (self.scopes.as_slice(), self.roles.as_slice()) {
            ([], []) => v2(),
            ([], _) => app_only(v2()),
            (scopes, _) => with(v2(), "scp", scopes.join(" ")),
        };
        if !self.roles.is_empty() {
            claims = with(claims, "roles", self.roles.clone());
        }
        for (name, value) in &self.claims {
            claims = with(claims, name, value.clone());
        }
        signed(&claims)
    }

    #[track_caller]
    fn settings(&self) -> Settings {
        let usual = |name: &str| match name {
            "TENANT_ID" => Some(TENANT.to_owned()),
            "API_AUDIENCE" => Some(AUDIENCE.to_owned()),
            _ => None,
        };
        let settings = Settings::read(|name| {
            let mut own = self.settings.iter().rev();
            let value = own.find(|(own, _)| own == name);
            value.map_or_else(|| usual(name), |(_, value)| Some(value.clone()))
        });
        settings.unwrap_or_else(|problems| panic!("{}", problems.join("\n")))
    }
}

impl Response {
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.header(name)
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).expect("a body in UTF-8")
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = self.text();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
