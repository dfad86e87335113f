//! The response to a refused request, with its challenge (RFC 6750 section 3, RFC 9728 section 5.1).

use super::{Needs, Response};
use crate::limits::MAX_DESCRIPTION_CHARS;
use crate::policy::{Code, Reason, Rejection};
use crate::settings::Resource;
use crate::text::clean;
use std::fmt::Write;

/// Characters of all full names of scopes in a challenge.
const MAX_SCOPE_CHARS: usize = 2048;

/// The response to a refused request. A 401 always has a challenge (RFC 9110 section 15.5.2).
/// `needs` are those of the route.
pub fn refused(rejection: &Rejection, needs: &Needs, resource: Option<&Resource>) -> Response {
    let description = rejection.description();
    let code = rejection.code().as_str();
    // A description has no character that JSON would have to escape.
    let body = format!("{{\"code\":\"{code}\",\"description\":\"{description}\"}}");
    let response = Response::json(rejection.status(), body);
    if let Reason::KeysUnavailable { retry_after } = rejection.reason {
        return response.with("Retry-After", retry_after);
    }
    let challenge = challenge(rejection, &description, needs, resource);
    response.with("WWW-Authenticate", challenge)
}

fn challenge(
    rejection: &Rejection,
    description: &str,
    needs: &Needs,
    resource: Option<&Resource>,
) -> String {
    let mut challenge = String::from("Bearer");
    let mut separator = ' ';
    let mut add = |name: &str, value: &str| {
        let _ = write!(challenge, "{separator}{name}=\"{value}\"");
        separator = ',';
    };
    // RFC 6750 section 3.1: a request without authentication gets no error code.
    let error = match rejection.code() {
        Code::AuthorizationHeaderMissing => None,
        Code::InsufficientScope => Some("insufficient_scope"),
        _ => Some("invalid_token"),
    };
    error.inspect(|error| add("error", error));
    if let Some(resource) = resource {
        // Before the description: some clients read the header by a pattern that stops there.
        add("resource_metadata", &resource.metadata_address());
        let scopes = full_names(needs, resource);
        if !scopes.is_empty() {
            add("scope", &clean(&scopes.join(" "), MAX_SCOPE_CHARS));
        }
    }
    error.inspect(|_| add("error_description", description));
    if let (None, Reason::PermissionMissing { scopes, .. }) = (resource, &rejection.reason)
        && !scopes.is_empty()
    {
        add("scope", &clean(&scopes.join(" "), MAX_DESCRIPTION_CHARS));
    }
    challenge
}

/// Full names of the scopes that a client should ask for: the route's, or those of the settings.
fn full_names(needs: &Needs, resource: &Resource) -> Vec<String> {
    let full = |scope| format!("{}/{scope}", resource.identifier);
    let of_route: Vec<String> = needs.scopes().map(full).collect();
    if of_route.is_empty() {
        return resource.scopes.clone();
    }
    of_route
}
