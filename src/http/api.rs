//! The routes of the API beside the handler's own resources, and which of them a request means.

use super::route::{METADATA_PATH, OWN_PATHS};
use super::{Cors, Request, Response, Route};
use crate::settings::{Resource, Settings};
use crate::text::quoted;
use serde_json::json;

/// The API as it is reached over HTTP.
#[derive(Debug)]
pub struct Api {
    routes: &'static [Route],
    cors: Cors,
    metadata: Option<Metadata>,
}

/// The protected resource metadata (RFC 9728 section 3).
#[derive(Debug)]
struct Metadata {
    path: String,
    body: String,
}

impl Api {
    /// The API with these routes, as the settings publish it.
    pub fn new(routes: &'static [Route], settings: &Settings) -> Api {
        Api {
            routes,
            cors: Cors::new(settings.origins.clone()),
            metadata: settings.resource.as_ref().map(Metadata::of),
        }
    }

    /// Which origins may call.
    pub fn cors(&self) -> &Cors {
        &self.cors
    }

    /// The route of a request, which then knows its parameters.
    ///
    /// # Errors
    /// The response where no route is needed: the handler's own resources, preflights, 404, 405.
    pub fn find(&self, request: &mut Request) -> Result<&'static Route, Response> {
        let (method, path) = (request.method(), request.path());
        if let Some(body) = self.own_resource(path) {
            let methods = ["GET", "HEAD"];
            return Err(match method {
                "GET" | "HEAD" => Response::json(200, body),
                _ => self.other_method(request, &methods),
            });
        }
        // Without metadata its address is nothing, whatever a pattern takes.
        if path.starts_with(METADATA_PATH) {
            return Err(self.not_found(path));
        }
        let fitting = self.routes.iter().filter(|route| route.fits_path(path));
        if let Some(route) = fitting.clone().find(|route| route.fits_method(method)) {
            request.set_pattern(route.path());
            return Ok(route);
        }
        let mut methods = Vec::new();
        for route in fitting {
            let own = [
                Some(route.method()),
                (route.method() == "GET").then_some("HEAD"),
            ];
            for method in own.into_iter().flatten() {
                if !methods.contains(&method) {
                    methods.push(method);
                }
            }
        }
        Err(if methods.is_empty() {
            self.not_found(path)
        } else {
            self.other_method(request, &methods)
        })
    }

    fn own_resource(&self, path: &str) -> Option<&str> {
        if OWN_PATHS.contains(&path) {
            return Some(r#"{"status":"ok"}"#);
        }
        let metadata = self.metadata.as_ref()?;
        (metadata.path == path).then_some(&metadata.body)
    }

    /// A preflight, or a method that the resource does not take.
    fn other_method(&self, request: &Request, methods: &[&str]) -> Response {
        let allow = format!("{}, OPTIONS", methods.join(", "));
        if request.method() == "OPTIONS" {
            return self.cors.preflight(request, &allow);
        }
        let words = format!("{} takes {allow}", quoted(request.path()));
        Response::error(405, "method_not_allowed", words).with("Allow", allow)
    }

    fn not_found(&self, path: &str) -> Response {
        let parts = path.split('/').filter(|part| !part.is_empty());
        let bare = parts.fold(String::new(), |bare, part| bare + "/" + part);
        let is_there = |path: &str| {
            self.own_resource(path).is_some()
                || self.routes.iter().any(|route| route.fits_path(path))
        };
        let words = if bare != path && path.starts_with('/') && is_there(&bare) {
            format!(
                "There is nothing at {}; there is {}, without the slash",
                quoted(path),
                quoted(&bare)
            )
        } else {
            format!("There is nothing at {}", quoted(path))
        };
        Response::error(404, "not_found", words)
    }
}

impl Metadata {
    fn of(resource: &Resource) -> Metadata {
        let mut body = json!({
            "resource": resource.identifier,
            "authorization_servers": resource.authorization_servers,
            "bearer_methods_supported": ["header"],
        });
        if let (false, Some(members)) = (resource.scopes.is_empty(), body.as_object_mut()) {
            members.insert("scopes_supported".into(), json!(resource.scopes));
        }
        Metadata {
            path: format!("{METADATA_PATH}{}", resource.path()),
            body: body.to_string(),
        }
    }
}
