//! "When it says no" in the README: every row brought about, with the words that it quotes.

use crate::bench::{API, Bench, OTHER_TENANT, V1, V2, encoded, header, key, payload, signed};
use crate::mint::mint;
use crate::readme::table;
use entra_handler::bearer;
use entra_handler::rejection::Rejection;

/// Words of a description, and what leads to it.
type Situation = (&'static str, fn() -> Rejection);

const SITUATIONS: [Situation; 20] = [
    ("The request has no Authorization header", || bearer::token([].into_iter()).expect_err("no header")),
    ("The token has 1 part(s)", || of_token("EwBwA8l6BAAUO9chh8cJscQLmU")),
    ("was the token cut or changed on the way?", || of_token(&format!("{}=", signed(&payload(&[]))))),
    ("it is an encrypted one (JWE)", || of_token("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")),
    ("It is the token that Static Web Apps puts in the place of the caller's", || {
        let issuer = ("iss", "\"https://blue-sea-0123.azurestaticapps.net/.auth\"");
        of_token(&mint(key(1), &header(&[("alg", "\"HS256\"")]), &payload(&[issuer])))
    }),
    ("Its header has a nonce, as tokens for Microsoft Graph do", || {
        // Graph signs a digest of the nonce, and sends the nonce itself.
        let token = mint(key(1), &header(&[("nonce", "\"digest\"")]), &payload(&[]));
        let (_, signed) = token.split_once('.').expect("a header");
        of_token(&format!("{}.{signed}", encoded(header(&[("nonce", "\"nonce\"")]))))
    }),
    ("set JWKS_URI to the key address with ?appid=CLIENT-ID", || of_another_key(V2)),
    ("which is not accepted here: get it from", || of_another_key("https://contoso.b2clogin.com/x/v2.0/")),
    ("Ask for a new token", || of_claims(&[], &[("exp", "1799999940")])),
    ("The token is valid only from", || of_claims(&[], &[("nbf", "1800000061")])),
    ("It is a v1.0 token", || of_claims(&[("ISSUERS", V2)], &[("iss", &text(V1))])),
    ("It is a token of another tenant", || {
        let issuer = format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0");
        of_claims(&[], &[("iss", &text(&issuer)), ("tid", &text(OTHER_TENANT))])
    }),
    ("A v1.0 token carries the App ID URI (api://...), a v2.0 token the client id (a GUID)", || {
        of_claims(&[], &[("aud", &text(API.trim_start_matches("api://")))])
    }),
    ("They differ in a trailing slash only", || of_claims(&[], &[("aud", &text(&format!("{API}/")))])),
    ("The token is for Azure Resource Manager", || of_claims(&[], &[("aud", "\"https://management.azure.com/\"")])),
    ("not among those that may call this API (ALLOWED_CLIENTS)", || {
        of_claims(&[("ALLOWED_CLIENTS", "11111111-2222-3333-4444-555555555555")], &[])
    }),
    ("It looks like an ID token", || of_claims(&[], &[("scp", ""), ("azp", ""), ("nonce", "\"x\"")])),
    ("It is an app-only token", || of_claims(&[], &[("scp", ""), ("oid", "\"x\""), ("sub", "\"x\"")])),
    ("Ask for a scope that this API exposes", || of_claims(&[("REQUIRED_SCOPES", "orders.read")], &[])),
    ("signing keys cannot be had at the moment", || {
        let bench = Bench { keys: None, ..Bench::new() };
        bench.judge(&signed(&payload(&[]))).expect_err("no keys").rejection
    }),
];

fn text(value: &str) -> String {
    format!("\"{value}\"")
}

fn of_token(token: &str) -> Rejection {
    Bench::new().judge(token).expect_err("a refusal").rejection
}

/// A token of this issuer, signed with a key that is not in the set.
fn of_another_key(issuer: &str) -> Rejection {
    let header = header(&[("kid", &text(&key(2).kid))]);
    of_token(&mint(key(2), &header, &payload(&[("iss", &text(issuer))])))
}

fn of_claims(settings: &[(&str, &str)], claims: &[(&str, &str)]) -> Rejection {
    Bench::with(settings).claims(claims).expect_err("a refusal").rejection
}

#[test]
fn the_readme_quotes_what_is_said_under_the_code_that_goes_with_it() {
    let told: Vec<(&str, &str)> = table("| code | its description says |")
        .iter()
        .map(|row| (row[0].trim_matches('`'), row[1].trim_matches('"')))
        .collect();
    let said: Vec<(&str, &str)> =
        SITUATIONS.iter().map(|(words, situation)| (situation().code().as_str(), *words)).collect();
    assert_eq!(told, said);
}

#[test]
fn each_description_has_the_words_of_its_row_and_of_no_other() {
    for (words, situation) in SITUATIONS {
        let description = situation().description();
        let found: Vec<_> = SITUATIONS.iter().map(|(words, _)| *words).filter(|it| description.contains(it)).collect();
        assert_eq!(found, [words], "{description}");
    }
}

#[test]
fn the_readme_has_a_row_for_every_code() {
    let codes: Vec<&str> = table("| status | code | when |")
        .iter()
        .flat_map(|row| row[1].split(", "))
        .map(|code| code.trim_matches('`'))
        .collect();
    let mut told: Vec<&str> =
        table("| code | its description says |").iter().map(|row| row[0].trim_matches('`')).collect();
    told.dedup();
    assert_eq!(told, codes);
}
