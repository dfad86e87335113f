//! Scope of a request.

use crate::answer::Refusal;

/// Microsoft Graph's application ID: the API of a scope that names none.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// A scope taken apart: one API, its permissions, and OpenID Connect's own scopes.
pub(crate) struct Target {
    /// The API: an application ID URI or a GUID.
    pub(crate) resource: String,
    permissions: Vec<String>,
    standard: Vec<String>,
}

impl Target {
    /// Fails when the scope names permissions of more than one API.
    pub(crate) fn read(scope: &str) -> Result<Target, Refusal> {
        let mut target = Target {
            resource: String::new(),
            permissions: Vec::new(),
            standard: Vec::new(),
        };
        for word in scope.split_whitespace() {
            if let "openid" | "profile" | "email" | "offline_access" = word {
                target.standard.push(word.to_owned());
                continue;
            }
            let (resource, permission) = word.rsplit_once('/').unwrap_or((GRAPH, word));
            if !target.resource.is_empty() && target.resource != resource {
                let text = format!("The scope '{scope}' names more than one API.");
                return Err(Refusal::new(400, "invalid_scope", 28000, text));
            }
            target.resource = resource.to_owned();
            // All that was consented to; the test API has this one permission.
            let permission = match permission {
                ".default" => "user_impersonation",
                permission => permission,
            };
            target.permissions.push(permission.to_owned());
        }
        if target.permissions.is_empty() {
            target.resource = GRAPH.to_owned();
        }
        Ok(target)
    }

    /// The claim `scp`.
    pub(crate) fn scp(&self) -> String {
        match self.permissions.is_empty() {
            true => self.standard.join(" "),
            false => self.permissions.join(" "),
        }
    }

    /// Whether one of OpenID Connect's own scopes was asked for.
    pub(crate) fn asks(&self, name: &str) -> bool {
        self.standard.iter().any(|scope| scope == name)
    }

    /// The member `scope` of the answer.
    pub(crate) fn granted(&self) -> String {
        let full = |name: &String| format!("{}/{name}", self.resource);
        let mut names: Vec<String> = self.permissions.iter().map(full).collect();
        names.extend(self.standard.iter().cloned());
        names.join(" ")
    }
}
