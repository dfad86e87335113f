//! Tenant in a path.

use crate::answer::Refusal;

/// Tenant of tokens asked for through `organizations` or `common`.
const DEFAULT_TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// Its names; a domain of one's own is verified in a real tenant.
const DEFAULT_DOMAINS: [&str; 2] = ["contoso.onmicrosoft.com", "contoso.example"];

/// A tenant as a path names it.
pub(crate) struct Tenant {
    /// The path segment: a GUID, a domain, `organizations` or `common`.
    pub(crate) name: String,
    /// GUID of the tenant that tokens are issued for.
    pub(crate) id: String,
}

impl Tenant {
    /// The tenant of a path segment.
    pub(crate) fn named(segment: &str) -> Result<Tenant, Refusal> {
        let id = match segment {
            "organizations" | "common" => DEFAULT_TENANT.to_owned(),
            _ if is_guid(segment) => segment.to_ascii_lowercase(),
            _ if DEFAULT_DOMAINS.contains(&segment) => DEFAULT_TENANT.to_owned(),
            _ => {
                let text = format!(
                    "Tenant '{segment}' not found: a GUID is expected, or {}.",
                    DEFAULT_DOMAINS[0]
                );
                return Err(Refusal::new(400, "invalid_request", 90002, text));
            }
        };
        let is_shared = matches!(segment, "organizations" | "common");
        let name = if is_shared { segment } else { &id };
        Ok(Tenant {
            name: name.to_owned(),
            id,
        })
    }

    /// The tenant that opens every shared URL of this issuer.
    pub(crate) fn default_id() -> &'static str {
        DEFAULT_TENANT
    }

    /// What metadata put in the place of the tenant: its GUID, or the placeholder Entra writes.
    pub(crate) fn in_metadata(&self) -> &str {
        if self.name == self.id {
            &self.id
        } else {
            "{tenantid}"
        }
    }
}

/// Whether a text is a GUID in its 8-4-4-4-12 form.
pub(crate) fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
