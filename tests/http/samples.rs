//! Tokens of each kind with the answer that each deserves, for the server and for `handler check`.

use crate::mint::{b64, mint, token};
use crate::tokens::*;
use serde_json::{Value, json};

/// A token, the status of its answer, and the code: empty when it is accepted.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) token: String,
    pub(crate) status: u16,
    pub(crate) code: &'static str,
}

/// The key set that the samples are for. Keys that may not be used are listed under names of their
/// own: their numbers would verify.
pub(crate) fn key_set() -> String {
    set_of(vec![
        key(1).jwk(None),
        jwk(1, json!({ "kid": "encrypts", "use": "enc" })),
        jwk(1, json!({ "kid": "signs only", "key_ops": ["sign"] })),
        jwk(1, json!({ "kid": "for RS512", "alg": "RS512" })),
        jwk(1, json!({ "kid": "no RSA key", "kty": "oct" })),
        jwk(1, json!({ "kid": "weak", "n": b64([0xff; 128]) })),
        jwk(
            1,
            json!({ "kid": "of Entra", "issuer": v2_issuer("{tenantid}") }),
        ),
        jwk(
            1,
            json!({ "kid": "of another", "issuer": v2_issuer(OTHER_TENANT) }),
        ),
        jwk(2, json!({ "kid": "twins" })),
        jwk(1, json!({ "kid": "twins" })),
        key(4).jwk(None),
    ])
}

pub(crate) fn all() -> Vec<Sample> {
    let rows = [
        accepted(),
        malformed(),
        headers(),
        keys(),
        times(),
        claims(),
        permissions(),
    ];
    rows.into_iter().flatten().collect()
}

fn rows<const N: usize>(
    status: u16,
    code: &'static str,
    rows: [(&'static str, String); N],
) -> Vec<Sample> {
    rows.map(|(name, token)| Sample {
        name,
        token,
        status,
        code,
    })
    .into()
}

fn named(kid: &str) -> String {
    headed(&header(json!({ "kid": kid })))
}

fn accepted() -> Vec<Sample> {
    rows(
        200,
        "",
        [
            ("a v2.0 token of a user", good()),
            ("a v1.0 token of a user", signed(&v1())),
            ("a v2.0 token of an application", signed(&app_only(v2()))),
            ("a v1.0 token of an application", signed(&app_only(v1()))),
            ("a key of 3072 bits", signed_with(4, &v2())),
            ("typ at+jwt", headed(&header(json!({ "typ": "at+jwt" })))),
            (
                "typ in capitals",
                headed(&header(json!({ "typ": "APPLICATION/AT+JWT" }))),
            ),
            ("no typ", headed(&without(header(json!({})), "typ"))),
            (
                "a header with an unknown member",
                headed(&header(json!({ "x5t": "x", "jku": "https://x" }))),
            ),
            (
                "one of several audiences",
                signed(&with(v2(), "aud", json!(["other", AUDIENCE]))),
            ),
            (
                "an exp with a fraction",
                signed(&with(v2(), "exp", 4e9 + 0.5)),
            ),
            ("an exp with an exponent", raw("\"exp\":4e9")),
            (
                "the last exp there is",
                signed(&with(v2(), "exp", 253_402_300_799_i64)),
            ),
            (
                "no nbf and no iat",
                signed(&without(without(v2(), "nbf"), "iat")),
            ),
            ("no tid", signed(&without(v2(), "tid"))),
            (
                "a scope instead of scp",
                signed(&with(without(v2(), "scp"), "scope", "read")),
            ),
            ("a v2.0 token under a key of Entra", named("of Entra")),
            ("two keys with one kid", named("twins")),
            ("the longest token", of_length(16 * 1024)),
        ],
    )
}

fn malformed() -> Vec<Sample> {
    let good = good();
    let (signing_input, signature) = good.rsplit_once('.').expect("three parts");
    let (header_part, payload) = signing_input.split_once('.').expect("three parts");
    let text = v2().to_string();
    let open = text.strip_suffix('}').expect("an object").to_owned();
    let deep = |levels: usize| {
        format!(
            "{open},\"deep\":{}{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    let signed_raw = |payload: &str| token(key(1), payload);
    let mut bytes = text.clone().into_bytes();
    bytes[10] = 0xff;
    let not_utf8 = {
        let input = format!("{header_part}.{}", b64(bytes));
        format!("{input}.{}", b64(key(1).sign(input.as_bytes())))
    };
    let last = if signature.ends_with('A') { "B" } else { "A" };
    let other_last = format!(
        "{signing_input}.{}{last}",
        &signature[..signature.len() - 1]
    );
    let mut accepted = rows(200, "", [("the deepest nesting", signed_raw(&deep(64)))]);
    accepted.extend(rows(
        401,
        "invalid_header",
        [
            ("one word", "nonsense".into()),
            ("two parts", signing_input.into()),
            ("four parts", format!("{good}.x")),
            ("an encrypted token", format!("{header_part}.a.b.c.d")),
            ("no signature", format!("{signing_input}.")),
            ("no payload", format!("{header_part}..{signature}")),
            ("padding", format!("{good}==")),
            ("another spelling of the last digit", other_last),
            (
                "the standard alphabet",
                format!("{header_part}+.{payload}.{signature}"),
            ),
            ("a cut signature", good[..good.len() - 4].into()),
            (
                "a changed signature",
                format!("{signing_input}.{}", b64([7; 256])),
            ),
            (
                "a changed payload",
                format!("{header_part}.{}.{signature}", b64(&open) + "fQ"),
            ),
            (
                "a signature of another key",
                mint(key(2), &header(json!({})).to_string(), &text),
            ),
            ("one byte too long", of_length(16 * 1024 + 1)),
            (
                "a header that is no JSON",
                mint(key(1), "{alg:RS256}", &text),
            ),
            (
                "a header twice",
                mint(key(1), &format!("{0}{0}", header(json!({}))), &text),
            ),
            ("a payload that is no object", signed_raw("[]")),
            (
                "a payload with text after it",
                signed_raw(&format!("{text} x")),
            ),
            ("a payload that ends early", signed_raw(&open)),
            ("a payload that is not UTF-8", not_utf8),
            (
                "a payload with a byte order mark",
                signed_raw(&format!("\u{feff}{text}")),
            ),
            (
                "a claim twice",
                signed_raw(&format!("{open},\"aud\":\"x\"}}")),
            ),
            (
                "a claim twice, once in escapes",
                signed_raw(&format!("{open},\"\\u0061ud\":\"x\"}}")),
            ),
            (
                "a member twice further down",
                signed_raw(&format!("{open},\"x\":[{{\"y\":1,\"y\":1}}]}}")),
            ),
            ("one level too deep", signed_raw(&deep(65))),
        ],
    ));
    accepted
}

fn headers() -> Vec<Sample> {
    let twice = format!(r#"{{"alg":"RS256","kid":"{0}","kid":"{0}"}}"#, key(1).kid);
    let jwk = key(2).jwk(None);
    let own_key = header(json!({ "jwk": jwk, "kid": "own" })).to_string();
    rows(
        401,
        "invalid_header",
        [
            ("alg none", headed(&header(json!({ "alg": "none" })))),
            ("alg HS256", headed(&header(json!({ "alg": "HS256" })))),
            ("alg RS384", headed(&header(json!({ "alg": "RS384" })))),
            ("alg PS256", headed(&header(json!({ "alg": "PS256" })))),
            (
                "alg in small letters",
                headed(&header(json!({ "alg": "rs256" }))),
            ),
            ("no alg", headed(&without(header(json!({})), "alg"))),
            (
                "alg that is no string",
                headed(&header(json!({ "alg": ["RS256"] }))),
            ),
            (
                "crit",
                headed(&header(json!({ "crit": ["exp"], "exp": 1 }))),
            ),
            (
                "crit that names nothing",
                headed(&header(json!({ "crit": [] }))),
            ),
            (
                "an unencoded payload",
                headed(&header(json!({ "b64": false }))),
            ),
            (
                "a compressed payload",
                headed(&header(json!({ "zip": "DEF" }))),
            ),
            (
                "a token within a token",
                headed(&header(json!({ "cty": "JWT" }))),
            ),
            (
                "typ of another kind",
                headed(&header(json!({ "typ": "JOSE" }))),
            ),
            (
                "typ of an ID token",
                headed(&header(json!({ "typ": "id_token+jwt" }))),
            ),
            (
                "typ application/jwt",
                headed(&header(json!({ "typ": "application/jwt" }))),
            ),
            (
                "typ that is no string",
                headed(&header(json!({ "typ": 1 }))),
            ),
            ("no kid", headed(&without(header(json!({})), "kid"))),
            ("an empty kid", headed(&header(json!({ "kid": "" })))),
            (
                "kid that is no string",
                headed(&header(json!({ "kid": 1 }))),
            ),
            ("kid twice", mint(key(1), &twice, &v2().to_string())),
            (
                "a key brought along",
                mint(key(2), &own_key, &v2().to_string()),
            ),
        ],
    )
}

fn keys() -> Vec<Sample> {
    let mut all = rows(
        401,
        "invalid_header",
        [
            ("an unknown key", signed_with(3, &v2())),
            ("a key to encrypt with", named("encrypts")),
            ("a key to sign with only", named("signs only")),
            ("a key for another algorithm", named("for RS512")),
            ("a key that is not RSA", named("no RSA key")),
            ("a key of 1024 bits", named("weak")),
        ],
    );
    all.extend(rows(
        401,
        "invalid_claims",
        [("a key of another issuer", named("of another"))],
    ));
    all
}

fn times() -> Vec<Sample> {
    let mut all = rows(
        401,
        "token_expired",
        [
            ("an hour too late", signed(&with(v2(), "exp", now() - HOUR))),
            ("expired in 1970", signed(&with(v2(), "exp", 0))),
        ],
    );
    all.extend(rows(
        401,
        "token_not_yet_valid",
        [(
            "an hour too early",
            signed(&with(v2(), "nbf", now() + HOUR)),
        )],
    ));
    all
}

fn claims() -> Vec<Sample> {
    rows(
        401,
        "invalid_claims",
        [
            ("no aud", signed(&without(v2(), "aud"))),
            ("another aud", signed(&with(v2(), "aud", "api://other"))),
            (
                "aud with a slash",
                signed(&with(v2(), "aud", format!("{AUDIENCE}/"))),
            ),
            (
                "aud in capitals",
                signed(&with(v2(), "aud", AUDIENCE.to_uppercase())),
            ),
            ("aud that is a number", signed(&with(v2(), "aud", 1))),
            (
                "aud with a number",
                signed(&with(v2(), "aud", json!([AUDIENCE, 1]))),
            ),
            ("no audience in aud", signed(&with(v2(), "aud", json!([])))),
            ("no iss", signed(&without(v2(), "iss"))),
            (
                "another iss",
                signed(&with(v2(), "iss", "https://issuer.example/")),
            ),
            (
                "iss without its slash",
                signed(&with(v1(), "iss", v1_issuer(TENANT).trim_end_matches('/'))),
            ),
            (
                "iss that is no string",
                signed(&with(v2(), "iss", json!([v2_issuer(TENANT)]))),
            ),
            ("another tenant", signed(&of_tenant(v2(), OTHER_TENANT))),
            (
                "tid that is not the one in iss",
                signed(&with(v2(), "tid", OTHER_TENANT)),
            ),
            ("tid that is no string", signed(&with(v2(), "tid", 1))),
            ("no exp", signed(&without(v2(), "exp"))),
            (
                "exp that is a string",
                signed(&with(v2(), "exp", "4000000000")),
            ),
            ("exp that is null", signed(&with(v2(), "exp", Value::Null))),
            ("exp before 1970", signed(&with(v2(), "exp", -1))),
            (
                "exp after the year 9999",
                signed(&with(v2(), "exp", 253_402_300_800_i64)),
            ),
            ("exp beyond all numbers", raw("\"exp\":1e999")),
            ("nbf that is a string", signed(&with(v2(), "nbf", "0"))),
            ("nbf before 1970", signed(&with(v2(), "nbf", -1))),
            ("iat that is true", signed(&with(v2(), "iat", true))),
            ("iat before 1970", signed(&with(v2(), "iat", -1))),
            (
                "scp that is a list",
                signed(&with(v2(), "scp", json!(["user_impersonation"]))),
            ),
            ("scope that is a number", signed(&with(v2(), "scope", 1))),
            (
                "roles that are a string",
                signed(&with(v2(), "roles", "Tasks.Read.All")),
            ),
            (
                "roles with a number",
                signed(&with(v2(), "roles", json!(["Tasks.Read.All", 1]))),
            ),
        ],
    )
}

fn permissions() -> Vec<Sample> {
    rows(
        403,
        "insufficient_scope",
        [
            ("neither scp nor roles", signed(&without(v2(), "scp"))),
            ("an empty scp", signed(&with(v2(), "scp", ""))),
            ("scp that is a space", signed(&with(v2(), "scp", " "))),
            (
                "no role in roles",
                signed(&with(app_only(v2()), "roles", json!([]))),
            ),
            (
                "an empty role",
                signed(&with(app_only(v1()), "roles", json!([""]))),
            ),
            (
                "an ID token",
                signed(&with(without(without(v2(), "scp"), "azp"), "nonce", "n")),
            ),
        ],
    )
}

/// A good token in which `member`, written as it is, takes the place of exp.
fn raw(member: &str) -> String {
    let text = without(v2(), "exp").to_string();
    token(
        key(1),
        &format!("{},{member}}}", text.strip_suffix('}').expect("an object")),
    )
}
