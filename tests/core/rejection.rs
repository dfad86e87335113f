//! Every reason for a refusal: its status, its code, its words, and its challenge.

use entra_handler::json::JsonFault;
use entra_handler::jwks::Unusable;
use entra_handler::rejection::{Part, Rejection, clean, quoted};

/// Every variant with this text wherever it holds one; the code, and what its words have to say.
fn all(text: &str) -> Vec<(Rejection, &'static str, Vec<&'static str>)> {
    let t = || text.to_owned();
    let json = |part, fault| Rejection::BadJson { part, fault };
    let unusable = |reason| Rejection::UnusableKey { kid: t(), reason };
    let missing = |scopes: &[String], roles: &[String]| Rejection::PermissionMissing {
        found: t(),
        scopes: scopes.to_vec(),
        roles: roles.to_vec(),
        hint: "",
    };
    let header = "invalid_header";
    let claims = "invalid_claims";
    let dates = |at: f64| (at, 1_800_000_000.0, 60);
    let (at, now, leeway) = dates(1_799_999_000.4);
    let expired = Rejection::Expired { at, now, leeway };
    let (at, now, leeway) = dates(1_800_000_100.0);
    let early = Rejection::NotYetValid { at, now, leeway };
    vec![
        (Rejection::AuthorizationMissing, "authorization_header_missing", vec!["no Authorization header", "Bearer"]),
        (Rejection::NotBearer, header, vec!["Bearer scheme"]),
        (Rejection::TokenMissing, header, vec!["then nothing"]),
        (Rejection::SeveralTokens, header, vec!["more than one word"]),
        (Rejection::SeveralAuthorizations, header, vec!["more than one Authorization"]),
        (Rejection::TokenTooLong { bytes: 16_385 }, header, vec!["16385", "16384"]),
        (Rejection::NotThreeParts { found: 2 }, header, vec!["2 part", "three"]),
        (Rejection::Encrypted, header, vec!["five parts", "JWE"]),
        (Rejection::NotBase64url { part: Part::Header }, header, vec!["header", "base64url"]),
        (Rejection::NotBase64url { part: Part::Payload }, header, vec!["payload", "base64url"]),
        (Rejection::NotBase64url { part: Part::Signature }, header, vec!["signature", "base64url"]),
        (json(Part::Header, JsonFault::NotUtf8), header, vec!["header", "not UTF-8"]),
        (json(Part::Payload, JsonFault::NotAnObject), header, vec!["payload", "not a JSON object"]),
        (json(Part::Payload, JsonFault::Syntax(17)), header, vec!["payload", "not valid JSON", "byte 17"]),
        (json(Part::Payload, JsonFault::TooDeep), header, vec!["payload", "64"]),
        (json(Part::Payload, JsonFault::Duplicate(t())), header, vec!["payload", "twice"]),
        (Rejection::WrongAlgorithm { found: Some(t()), hint: "" }, header, vec!["alg", "RS256"]),
        (Rejection::WrongAlgorithm { found: None, hint: ". Hint" }, header, vec!["missing", "RS256", "Hint"]),
        (Rejection::CriticalHeader, header, vec!["crit"]),
        (Rejection::UnsupportedHeader { name: "zip" }, header, vec!["zip"]),
        (Rejection::WrongType { found: t() }, header, vec!["typ", "at+jwt"]),
        (Rejection::BadKeyId, header, vec!["kid", "256"]),
        (Rejection::UnknownKey { kid: t(), hint: t() }, header, vec!["not in the issuer's key set"]),
        (unusable(Unusable::Malformed), header, vec!["well-formed"]),
        (unusable(Unusable::NotRsa), header, vec!["kty"]),
        (unusable(Unusable::NotForSignatures), header, vec!["use is not sig"]),
        (unusable(Unusable::NotForVerifying), header, vec!["key_ops"]),
        (unusable(Unusable::OtherAlgorithm), header, vec!["alg is not RS256"]),
        (unusable(Unusable::BadNumber), header, vec!["n or e"]),
        (unusable(Unusable::ModulusSize(1024)), header, vec!["1024 bits", "2048"]),
        (unusable(Unusable::BadExponent), header, vec!["exponent"]),
        (Rejection::BadSignature { kid: t(), hint: ". Hint" }, header, vec!["does not verify", "Hint"]),
        (Rejection::NotReached, header, vec!["before this one failed"]),
        (Rejection::ClaimMissing { name: "exp" }, claims, vec!["no exp claim"]),
        (Rejection::ClaimMalformed { name: "aud", expected: "a string" }, claims, vec!["aud", "not a string"]),
        (Rejection::WrongIssuer { found: t(), accepted: t(), hint: ". Hint" }, claims, vec!["(iss)"]),
        (Rejection::WrongTenant { tid: t(), issuer: t() }, claims, vec!["tid", "not the tenant in its issuer"]),
        (Rejection::TenantNotAllowed { tid: t() }, claims, vec!["ALLOWED_TENANTS"]),
        (Rejection::WrongKeyIssuer { key_issuer: t(), issuer: t() }, claims, vec!["may sign only for the issuer"]),
        (Rejection::WrongAudience { found: t(), accepted: t(), hint: t() }, claims, vec!["(aud)"]),
        (Rejection::ClientNotAllowed { client: t() }, claims, vec!["ALLOWED_CLIENTS"]),
        (
            expired,
            "token_expired",
            vec!["expired 1000 seconds ago", "2027-01-15T07:43:20Z", "2027-01-15T08:00:00Z", "60 s"],
        ),
        (early, "token_not_yet_valid", vec!["2027-01-15T08:01:40Z", "in 100 seconds", "2027-01-15T08:00:00Z", "60 s"]),
        (missing(&[t()], &[]), "insufficient_scope", vec!["needed is the delegated permission (scp)"]),
        (missing(&[], &[t()]), "insufficient_scope", vec!["needed is the app role (roles)"]),
        (missing(&[t()], &[t()]), "insufficient_scope", vec!["(scp)", "or the app role (roles)"]),
        (Rejection::NoPermission { hint: ". Hint" }, "insufficient_scope", vec!["neither", "(scp)", "(roles)", "Hint"]),
        (Rejection::KeysUnavailable { retry_after: 55 }, "keys_unavailable", vec!["55 seconds"]),
    ]
}

fn status(code: &str) -> u16 {
    match code {
        "insufficient_scope" => 403,
        "keys_unavailable" => 503,
        _ => 401,
    }
}

#[test]
fn every_reason_has_the_code_and_the_status_of_the_interface() {
    for (rejection, code, _) in all("x") {
        assert_eq!((rejection.code().as_str(), rejection.status()), (code, status(code)), "{rejection:?}");
    }
}

#[test]
fn every_reason_says_what_was_found_and_what_was_expected() {
    for (rejection, _, words) in all("x") {
        let description = rejection.description();
        for word in words {
            assert!(description.contains(word), "{word:?} in {description:?}");
        }
    }
}

#[test]
fn every_text_that_came_with_the_token_is_quoted_in_the_description() {
    let without_text =
        all("x").len() - all("some-text").iter().filter(|(r, _, _)| format!("{r:?}").contains("some-text")).count();
    let silent: Vec<_> =
        all("some-text").into_iter().filter(|(r, _, _)| !r.description().contains("some-text")).collect();
    assert_eq!(silent.len(), without_text, "{silent:?}");
}

/// RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
fn is_allowed(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[test]
fn no_description_holds_a_character_that_a_challenge_may_not_hold() {
    let every: String = (0..0x300).filter_map(char::from_u32).collect();
    let nasty = ["\"\\\r\n\t\0\u{7f}\u{80}é\u{2028}\u{1f600}", "x\" error=\"none", "\r\nSet-Cookie: a=b", &every];
    for text in nasty {
        for (rejection, _, _) in all(text) {
            assert!(is_allowed(&rejection.description()), "{:?}", rejection.description());
            for part in rejection.challenge(&rejection.description()).iter().flat_map(|challenge| challenge.split('"'))
            {
                assert!(is_allowed(part), "{part:?}");
            }
        }
    }
}

#[test]
fn every_description_is_capped_whatever_the_token_holds() {
    for text in ["x".repeat(100_000), "é".repeat(100_000), "\"".repeat(100_000)] {
        for (rejection, _, _) in all(&text) {
            assert!(rejection.description().len() <= 703, "{rejection:?}");
        }
    }
    assert_eq!(quoted(&"x".repeat(120)), format!("'{}'", "x".repeat(120)));
    assert_eq!(quoted(&"x".repeat(121)), format!("'{}...'", "x".repeat(120)));
}

#[test]
fn cleaning_replaces_one_character_by_one() {
    assert_eq!(clean(" !#[]~azAZ09'", 99), " !#[]~azAZ09'");
    assert_eq!(clean("\"\\", 99), "'/");
    assert_eq!(clean("\0\n\u{1f}\u{7f}\u{80}é\u{1f600}", 99), "???????");
    assert_eq!(clean("éé", 2), "??");
    assert_eq!(clean("ééé", 2), "??...");
    assert_eq!(clean("", 0), "");
    assert_eq!(clean("a", 0), "...");
}

#[test]
fn a_challenge_names_the_error_and_what_is_needed() {
    for (rejection, code, _) in all("x") {
        let description = rejection.description();
        let expected = match code {
            "authorization_header_missing" => Some("Bearer".to_owned()),
            "keys_unavailable" => None,
            "insufficient_scope" => {
                let scope = match &rejection {
                    Rejection::PermissionMissing { scopes, .. } if !scopes.is_empty() => ", scope=\"x\"",
                    _ => "",
                };
                Some(format!("Bearer error=\"insufficient_scope\", error_description=\"{description}\"{scope}"))
            }
            _ => Some(format!("Bearer error=\"invalid_token\", error_description=\"{description}\"")),
        };
        assert_eq!(rejection.challenge(&rejection.description()), expected, "{rejection:?}");
    }
}

#[test]
fn a_challenge_lists_all_required_scopes_separated_by_spaces() {
    let scopes = vec!["read".to_owned(), "api://x/write".to_owned(), "a\"b\\c".to_owned()];
    let rejection =
        Rejection::PermissionMissing { found: "nothing".into(), scopes, roles: vec!["R".into()], hint: ". H" };
    let challenge = rejection.challenge(&rejection.description()).unwrap();
    assert!(challenge.ends_with(", scope=\"read api://x/write a'b/c\""), "{challenge}");
    assert_eq!(
        rejection.description(),
        "The token carries nothing; needed is the delegated permission (scp) 'read' or 'api://x/write' or \
         'a'b/c' or the app role (roles) 'R'. H"
    );
}
