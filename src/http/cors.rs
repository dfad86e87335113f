//! The CORS headers (Fetch standard, "CORS protocol").

use super::response::is_token;
use super::{Request, Response};
use crate::settings::Origins;

/// Header names of a preflight that are repeated; a page needs few.
const MAX_REFLECTED_HEADERS: usize = 64;

/// Bytes of the longest header name that is repeated.
const MAX_HEADER_NAME_BYTES: usize = 128;

/// Which origins may call, and how that is told.
#[derive(Debug, Clone)]
pub struct Cors {
    origins: Origins,
}

impl Cors {
    /// From `ALLOWED_ORIGINS`.
    pub fn new(origins: Origins) -> Cors {
        Cors { origins }
    }

    /// Hands the headers of any response to `header`. `own` are the names of those that the response
    /// has already.
    pub(super) fn headers<'n>(
        &self,
        origin: Option<&str>,
        own: impl Iterator<Item = &'n str>,
        header: &mut impl FnMut(&str, &str),
    ) {
        let allowed = match &self.origins {
            Origins::Off => None,
            Origins::Any => Some("*"),
            Origins::Listed(listed) => {
                header("Vary", "Origin");
                let mut listed = listed.iter().map(String::as_str);
                listed.find(|listed| Some(*listed) == origin)
            }
        };
        if let Some(allowed) = allowed {
            header("Access-Control-Allow-Origin", allowed);
            // Headers that a page may read besides the few that are always readable.
            let mut exposed = String::from("WWW-Authenticate, Retry-After");
            for name in own {
                let is_known = ["WWW-Authenticate", "Retry-After"].contains(&name);
                if !is_known && !name.starts_with("Access-Control-") {
                    exposed.extend([", ", name]);
                }
            }
            header("Access-Control-Expose-Headers", &exposed);
        }
    }

    /// The response to a preflight. `allow` are the methods of the resource.
    pub(super) fn preflight(&self, request: &Request, allow: &str) -> Response {
        let response = Response::empty(204).with("Allow", allow);
        if self.origins == Origins::Off {
            return response;
        }
        // `*` would not cover Authorization (Fetch standard, "CORS-preflight fetch"), so the names
        // that the page asks for are repeated.
        let mut names = vec!["Authorization", "Content-Type"];
        let asked = request.headers("Access-Control-Request-Headers");
        let asked = asked.flat_map(|names| names.split(',')).map(str::trim);
        for name in asked.take(MAX_REFLECTED_HEADERS) {
            let is_new = !names.iter().any(|known| known.eq_ignore_ascii_case(name));
            if is_new && is_token(name) && name.len() <= MAX_HEADER_NAME_BYTES {
                names.push(name);
            }
        }
        response
            .with("Access-Control-Allow-Methods", allow)
            .with("Access-Control-Allow-Headers", names.join(", "))
            .with("Access-Control-Max-Age", "3600")
    }
}
