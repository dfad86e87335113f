//! The check `permission`: scopes and roles, required or not.

use crate::bench::{Bench, CLIENT};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

/// Judges a token with these claims in place of its `scp`.
fn judged(settings: &[(&str, &str)], claims: &[(&str, &str)]) -> Result<(), Refusal> {
    let all = [&[("scp", "")][..], claims].concat();
    let changes: Vec<_> = all
        .iter()
        .filter(|(name, value)| !value.is_empty() || !claims.iter().any(|(n, _)| n == name))
        .copied()
        .collect();
    Bench::with(settings).claims(&changes).map(drop)
}

const SCOPES: (&str, &str) = ("REQUIRED_SCOPES", "read write");
const ROLES: (&str, &str) = ("REQUIRED_ROLES", "Admin,Reader");
const NAMED: (&str, &str) = ("ALLOWED_CLIENTS", CLIENT);

#[test]
fn with_nothing_required_any_permission_will_do_but_none_will_not() {
    for claims in [
        [("scp", "\"x\"")],
        [("scp", "\" x \"")],
        [("scope", "\"x\"")],
        [("roles", "[\"X\"]")],
        [("roles", "[\"\",\"X\"]")],
    ] {
        assert_eq!(judged(&[], &claims), Ok(()), "{claims:?}");
    }
    for claims in [
        &[][..],
        &[("scp", "\"\"")],
        &[("scp", "\"  \"")],
        &[("scope", "\"\"")],
        &[("roles", "[]")],
        &[("roles", "[\"\"]")],
        &[("scp", "\"\""), ("roles", "[\"\",\"\"]")],
        &[("wids", "[\"62e90394-69f5-4237-9190-012177145e10\"]")],
        &[("groups", "[\"x\"]")],
        &[("Scp", "\"x\"")],
        &[("role", "\"X\"")],
    ] {
        assert_refused!(judged(&[], claims), "permission", Rejection::NoPermission { .. }, format!("{claims:?}"));
        assert_eq!(judged(&[NAMED], claims), Ok(()), "a named client needs none: {claims:?}");
    }
}

#[test]
fn one_required_scope_suffices() {
    for scp in ["read", "write", "read write", "other read", "other  write ", "x read y"] {
        assert_eq!(judged(&[SCOPES], &[("scp", &format!("\"{scp}\""))]), Ok(()), "{scp}");
        assert_eq!(judged(&[SCOPES], &[("scope", &format!("\"{scp}\""))]), Ok(()), "{scp}");
    }
    for scp in [
        "",
        " ",
        "Read",
        "READ",
        "rea",
        "reads",
        "read,write",
        "read\\twrite",
        "read\\u00a0",
        "read.all",
        "api://x/read",
        "x",
    ] {
        for settings in [&[SCOPES][..], &[SCOPES, NAMED], &[SCOPES, ROLES]] {
            assert_refused!(
                judged(settings, &[("scp", &format!("\"{scp}\""))]),
                "permission",
                Rejection::PermissionMissing { .. },
                format!("{scp:?} {settings:?}")
            );
        }
    }
}

#[test]
fn one_required_role_suffices() {
    for roles in ["[\"Admin\"]", "[\"Reader\"]", "[\"x\",\"Reader\"]", "[\"\\u0041dmin\"]"] {
        assert_eq!(judged(&[ROLES], &[("roles", roles)]), Ok(()), "{roles}");
    }
    for roles in ["[]", "[\"admin\"]", "[\"Admin \"]", "[\"Admin,Reader\"]", "[\"Admin Reader\"]", "[\"\"]", "[\"x\"]"]
    {
        for settings in [&[ROLES][..], &[ROLES, NAMED], &[ROLES, SCOPES]] {
            assert_refused!(
                judged(settings, &[("roles", roles)]),
                "permission",
                Rejection::PermissionMissing { .. },
                format!("{roles} {settings:?}")
            );
        }
    }
}

#[test]
fn scopes_and_roles_are_not_taken_for_each_other() {
    let both = [SCOPES, ROLES];
    assert_refused!(judged(&[SCOPES], &[("roles", "[\"read\"]")]), "permission", Rejection::PermissionMissing { .. });
    assert_refused!(judged(&[ROLES], &[("scp", "\"Admin\"")]), "permission", Rejection::PermissionMissing { .. });
    let crossed = [("scp", "\"Admin\""), ("roles", "[\"read\"]")];
    assert_refused!(judged(&both, &crossed), "permission", Rejection::PermissionMissing { .. });
    assert_eq!(judged(&both, &[("scp", "\"read\"")]), Ok(()), "a scope alone");
    assert_eq!(judged(&both, &[("roles", "[\"Admin\"]")]), Ok(()), "a role alone");
    assert_eq!(judged(&both, &[("scp", "\"x\""), ("roles", "[\"Admin\"]")]), Ok(()), "a role besides another scope");
    assert_eq!(judged(&both, &[("scp", "\"read\""), ("roles", "[\"x\"]")]), Ok(()), "a scope besides another role");
    assert_eq!(judged(&both, &[("scp", "\"read\""), ("roles", "[\"Admin\"]")]), Ok(()));
    assert_refused!(judged(&both, &[]), "permission", Rejection::PermissionMissing { .. });
}

#[test]
fn names_addresses_and_groups_grant_nothing() {
    for name in ["upn", "email", "preferred_username", "unique_name", "name", "sub", "oid"] {
        let claims = [(name, "\"Admin\"")];
        assert_refused!(judged(&[ROLES], &claims), "permission", Rejection::PermissionMissing { .. }, name);
        assert_refused!(judged(&[], &claims), "permission", Rejection::NoPermission { .. }, name);
    }
    for name in ["groups", "wids", "entitlements"] {
        let claims = [(name, "[\"Admin\"]")];
        assert_refused!(judged(&[ROLES], &claims), "permission", Rejection::PermissionMissing { .. }, name);
        assert_refused!(judged(&[], &claims), "permission", Rejection::NoPermission { .. }, name);
    }
}

#[test]
fn scp_goes_before_scope() {
    assert_eq!(judged(&[SCOPES], &[("scp", "\"read\""), ("scope", "\"x\"")]), Ok(()));
    assert_refused!(
        judged(&[SCOPES], &[("scp", "\"x\""), ("scope", "\"read\"")]),
        "permission",
        Rejection::PermissionMissing { .. }
    );
}

#[test]
fn what_is_missing_is_told() {
    let missing = |found: &str, scopes: &[&str], roles: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        (found.to_owned(), owned(scopes), owned(roles))
    };
    let told = |settings: &[(&str, &str)], claims: &[(&str, &str)]| match judged(settings, claims) {
        Err(Refusal { check: "permission", rejection: Rejection::PermissionMissing { found, scopes, roles, .. } }) => {
            (found, scopes, roles)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        told(&[SCOPES], &[]),
        missing("no delegated permission (scp) and no app role (roles)", &["read", "write"], &[])
    );
    assert_eq!(
        told(&[ROLES], &[("scp", "\"a b\"")]),
        missing("the delegated permissions (scp) 'a b'", &[], &["Admin", "Reader"])
    );
    assert_eq!(
        told(&[SCOPES, ROLES], &[("roles", "[\"a\",\"b\"]")]),
        missing("the app roles (roles) 'a b'", &["read", "write"], &["Admin", "Reader"])
    );
    assert_eq!(
        told(&[ROLES], &[("scp", "\"s\""), ("roles", "[\"r\"]")]),
        missing("scp 's' and roles 'r'", &[], &["Admin", "Reader"])
    );
}

#[test]
fn permissions_of_another_type_are_refused_even_besides_good_ones() {
    for settings in [&[][..], &[SCOPES], &[ROLES], &[NAMED]] {
        for name in ["scp", "scope"] {
            for value in ["null", "1", "true", "[\"read\"]", "{}"] {
                let rejection = Rejection::ClaimMalformed { name, expected: "a string" };
                let claims = [(name, value), ("roles", "[\"Admin\"]")];
                assert_eq!(judged(settings, &claims), Err(Refusal { check: "permission", rejection }), "{claims:?}");
            }
        }
        for value in ["null", "1", "\"Admin\"", "{}", "[1]", "[\"Admin\",1]", "[[\"Admin\"]]", "[null]"] {
            let rejection = Rejection::ClaimMalformed { name: "roles", expected: "an array of strings" };
            let claims = [("scp", "\"read\""), ("roles", value)];
            assert_eq!(judged(settings, &claims), Err(Refusal { check: "permission", rejection }), "{claims:?}");
        }
    }
}
