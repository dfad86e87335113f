//! Test users.

/// A person the local issuer can sign in.
#[derive(Debug, PartialEq)]
pub(crate) struct User {
    /// Object ID, the same in every tenant.
    pub(crate) oid: &'static str,
    /// Given name.
    pub(crate) given_name: &'static str,
    /// Family name.
    pub(crate) family_name: &'static str,
    /// User principal name.
    pub(crate) upn: &'static str,
}

/// Everybody who can sign in.
pub(crate) const USERS: [User; 2] = [
    User {
        oid: "a11ce000-0000-4000-8000-000000000001",
        given_name: "Alice",
        family_name: "Example",
        upn: "alice@contoso.example",
    },
    User {
        oid: "b0b00000-0000-4000-8000-000000000002",
        given_name: "Bob",
        family_name: "Example",
        upn: "bob@contoso.example",
    },
];

impl User {
    /// The user with this user principal name, or the part of it before the `@`.
    pub(crate) fn named(name: &str) -> Option<&'static User> {
        USERS.iter().find(|user| {
            name.eq_ignore_ascii_case(user.upn) || name.eq_ignore_ascii_case(user.given_name)
        })
    }

    /// Display name.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}
