//! A row of the table of routes: which requests it fits, who may call, and what answers.

use super::{Claims, Needs, Reply, Request, Response, Role, Scope};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where the metadata of RFC 9728 begins.
pub(super) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// The handler's own resources: the Functions host probes `/`.
pub(super) const OWN_PATHS: [&str; 2] = ["/", "/healthz"];

/// A route.
#[derive(Debug)]
pub struct Route {
    pattern: &'static str,
    needs: Needs,
    endpoint: Endpoint,
}

#[derive(Debug)]
enum Endpoint {
    Open(fn(&Request) -> Reply),
    Protected(fn(&Request, &Claims) -> Reply),
    Slow(fn(&Request, &Claims) -> Reply),
}

/// Who may call, and whether the endpoint may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anybody may call.
    Open,
    /// A token is needed.
    Protected,
    /// A token is needed, and the endpoint may wait.
    Slow,
}

impl Route {
    /// Anybody may call. The endpoint must answer at once.
    pub const fn open(pattern: &'static str, endpoint: fn(&Request) -> Reply) -> Route {
        Route {
            pattern,
            needs: Needs::Token,
            endpoint: Endpoint::Open(endpoint),
        }
    }

    /// Only a token that has passed every check and has what is needed. The endpoint must answer at
    /// once: meanwhile nobody else is answered.
    pub const fn protected(
        pattern: &'static str,
        needs: Needs,
        endpoint: fn(&Request, &Claims) -> Reply,
    ) -> Route {
        Route {
            pattern,
            needs,
            endpoint: Endpoint::Protected(endpoint),
        }
    }

    /// As [`Route::protected`], but the endpoint may wait for a database, another API or a file: it
    /// runs beside the loop, and holds up nobody.
    pub const fn slow(
        pattern: &'static str,
        needs: Needs,
        endpoint: fn(&Request, &Claims) -> Reply,
    ) -> Route {
        Route {
            pattern,
            needs,
            endpoint: Endpoint::Slow(endpoint),
        }
    }

    /// Method and path, as they were written.
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// The method.
    pub fn method(&self) -> &'static str {
        self.pattern.split_once(' ').unwrap_or_default().0
    }

    /// The path of the pattern.
    pub fn path(&self) -> &'static str {
        self.pattern.split_once(' ').unwrap_or_default().1
    }

    /// The permissions that a token needs beyond the settings.
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Who may call, and whether the endpoint may wait.
    pub fn kind(&self) -> Kind {
        match self.endpoint {
            Endpoint::Open(_) => Kind::Open,
            Endpoint::Protected(_) => Kind::Protected,
            Endpoint::Slow(_) => Kind::Slow,
        }
    }

    /// Runs the endpoint. One that panics is answered with 500; the log has the place. Without
    /// claims a protected endpoint does not run.
    pub fn call(&self, request: &Request, claims: Option<&Claims>) -> Response {
        let run = || match (&self.endpoint, claims) {
            (Endpoint::Open(endpoint), _) => endpoint(request),
            (Endpoint::Protected(endpoint) | Endpoint::Slow(endpoint), Some(claims)) => {
                endpoint(request, claims)
            }
            (_, None) => Err(failed()),
        };
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(response) | Err(response)) => response,
            Err(_) => failed(),
        }
    }

    /// Whether the path fits: literals as they stand, a parameter for one segment that is not empty.
    pub(super) fn fits_path(&self, path: &str) -> bool {
        let mut parts = path.split('/');
        let mut pattern = self.path().split('/');
        loop {
            match (pattern.next(), parts.next()) {
                (None, None) => return true,
                (Some(wanted), Some(part)) if is_param(wanted) && !part.is_empty() => {}
                (Some(wanted), Some(part)) if wanted == part => {}
                _ => return false,
            }
        }
    }

    /// Whether the method fits; `HEAD` goes with `GET` (RFC 9110 section 9.3.2).
    pub(super) fn fits_method(&self, method: &str) -> bool {
        self.method() == method || (method == "HEAD" && self.method() == "GET")
    }

    /// Whether every request that fits the other route fits this one, too.
    fn hides(&self, other: &Route) -> bool {
        let (mut these, mut those) = (self.path().split('/'), other.path().split('/'));
        if !self.fits_method(other.method()) {
            return false;
        }
        loop {
            match (these.next(), those.next()) {
                (None, None) => return true,
                (Some(this), Some(that))
                    if this == that || (is_param(this) && !that.is_empty()) => {}
                _ => return false,
            }
        }
    }
}

fn failed() -> Response {
    let words = "The endpoint failed; the log says where";
    Response::error(500, "internal_error", words)
}

fn is_param(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

/// The faults for which a table of routes cannot work, a sentence each.
pub fn faults(routes: &[Route]) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, route) in routes.iter().enumerate() {
        let pattern = route.pattern;
        let above = routes.iter().take(number);
        if let Some(fault) = pattern_fault(route).or_else(|| needs_fault(route)) {
            faults.push(format!("{pattern:?}: {fault}"));
        } else if let Some(hiding) = above.into_iter().find(|above| above.hides(route)) {
            let hiding = hiding.pattern;
            faults.push(format!(
                "{pattern:?}: it is never reached, for {hiding:?} above takes all its requests"
            ));
        }
    }
    faults
}

fn pattern_fault(route: &Route) -> Option<&'static str> {
    let (method, path) = (route.method(), route.path());
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_literal = |byte: u8| byte.is_ascii_graphic() && !b"?#{}\\\"<>".contains(&byte);
    let is_name = |name: &str| {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        !name.is_empty() && name.bytes().all(is_legal)
    };
    let is_legal = |segment: &str| match segment.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}').is_some_and(is_name),
        None => segment.bytes().all(is_literal),
    };
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut params: Vec<&str> = segments
        .iter()
        .copied()
        .filter(|part| is_param(part))
        .collect();
    params.sort_unstable();
    if !is_method || !path.starts_with('/') {
        Some("it is not a method in capitals, one blank, and a path that begins with a slash")
    } else if method == "OPTIONS" {
        Some("OPTIONS is answered for every path already")
    } else if OWN_PATHS.contains(&path) || path.starts_with(METADATA_PATH) {
        Some("the handler answers this path itself")
    } else if segments.contains(&".") || segments.contains(&"..") {
        Some(
            "it has a dot segment, which clients and the Functions host resolve before they send it",
        )
    } else if segments.contains(&"") {
        Some("it has a slash at its end, or two in a row")
    } else if !segments.iter().all(|segment| is_legal(segment)) {
        Some("a segment is neither plain text nor one {name}")
    } else if params.windows(2).any(|pair| pair.first() == pair.last()) {
        Some("it has a parameter twice")
    } else {
        None
    }
}

fn needs_fault(route: &Route) -> Option<&'static str> {
    let is_bad = |name: &str| name.is_empty() || name.contains(char::is_whitespace);
    if let Needs::Any([]) | Needs::All([]) = route.needs {
        return Some("it needs nothing of an empty list: write Needs::Token");
    }
    let mut permissions = route.needs.permissions().iter();
    let is_never_carried = permissions.any(|permission| match permission {
        Scope(name) => is_bad(name) || name.contains("://"),
        Role(name) => is_bad(name),
    });
    is_never_carried.then_some(
        "it needs a permission that no token carries: a short name without blanks is meant",
    )
}
