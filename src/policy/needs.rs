//! Permissions that a route needs beyond those of the settings.

/// A permission that a token can carry (Microsoft: "Permissions and consent overview").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// A delegated permission, in `scp`: a client may do this for the user who signed in.
    Scope(&'static str),
    /// An app role, in `roles`: assigned to a user, a group or a program.
    Role(&'static str),
}

/// The permissions that a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Any token that the settings accept.
    Token,
    /// At least one of these.
    Any(&'static [Permission]),
    /// All of these.
    All(&'static [Permission]),
}

impl Needs {
    /// The permissions, whether one or all of them are needed.
    pub fn permissions(&self) -> &'static [Permission] {
        match self {
            Needs::Token => &[],
            Needs::Any(permissions) | Needs::All(permissions) => permissions,
        }
    }

    /// The names of the scopes among the permissions.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.permissions()
            .iter()
            .filter_map(|permission| match permission {
                Permission::Scope(name) => Some(*name),
                Permission::Role(_) => None,
            })
    }

    /// The names of the app roles among the permissions.
    pub fn roles(&self) -> impl Iterator<Item = &'static str> {
        self.permissions()
            .iter()
            .filter_map(|permission| match permission {
                Permission::Role(name) => Some(*name),
                Permission::Scope(_) => None,
            })
    }
}
