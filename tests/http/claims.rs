//! The claims come back as the issuer wrote them.

use crate::harness::Handler;
use crate::key_server::KeyServer;
use crate::mint::token;
use crate::tokens::*;

/// Members that make a payload acceptable, to be followed by more.
fn required() -> String {
    let (issuer, hour) = (v2_issuer(TENANT), now() + HOUR);
    format!(r#""aud":"{AUDIENCE}","iss":"{issuer}","exp":{hour},"scp":"x","tid":"{TENANT}""#)
}

fn handler() -> (Handler, KeyServer) {
    let keys = KeyServer::with(set(&[1]));
    (Handler::with_keys(&keys, &[]), keys)
}

#[test]
fn every_payload_is_answered_byte_for_byte() {
    let (handler, _keys) = handler();
    let required = required();
    let payloads = [
        format!("{{{required}}}"),
        format!("  {{ \t{required}\r\n , \"a\" :\n[ ] , \"b\":{{ }} }}\r\n"),
        format!(r#"{{"z":1,{required},"a":2}}"#),
        format!(
            r#"{{{required},"numbers":[12345678901234567890,0.10,1.0,1E5,1e+05,-0,-0.0,3.141592653589793238462643]}}"#
        ),
        format!(
            r#"{{{required},"large":123456789012345678901234567890123456789012345678901234567890}}"#
        ),
        format!(r#"{{{required},"huge":1e400,"tiny":1e-400}}"#),
        format!(r#"{{{required},"escapes":"\u00e4\u0041\/\"\\\b\f\n\r\t\ud83d\ude00\u0000"}}"#),
        format!(r#"{{{required},"unicode":"äöü ß € 漢字 😀 \u2028","ключ":"значение"}}"#),
        format!("{{{required},\"raw\":\"\u{2028}\u{7f}\u{feff}\"}}"),
        format!(
            r#"{{{required},"nested":{{"a":{{"b":[{{"c":[[[]]]}},null,true,false]}},"":""}}}}"#
        ),
        format!(r#"{{{required},"groups":["{TENANT}","{CLIENT}"],"wids":[],"xms_cc":["cp1"]}}"#),
        format!(r#"{{{required},"\u0065scaped name":1,"__proto__":{{"x":1}}}}"#),
    ];
    for payload in payloads {
        for method in ["GET", "POST"] {
            let bearer = format!("Bearer {}", token(key(1), &payload));
            let answer = handler.ask(method, "/api", &[("Authorization", &bearer)]);
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, payload.as_str())
            );
        }
    }
}

#[test]
fn the_required_claims_themselves_may_be_written_in_any_way() {
    let (handler, _keys) = handler();
    let issuer = v2_issuer(TENANT).replace('/', "\\/");
    let escaped = AUDIENCE.replace('a', "\\u0061");
    let payloads = [
        format!(
            r#"{{"aud":"{escaped}","iss":"{issuer}","exp":4e9,"scp":"\u0078","\u0074id":"{TENANT}"}}"#
        ),
        format!(
            r#"{{"aud":["{escaped}"],"iss":"{issuer}","exp":4000000000.000,"nbf":0,"roles":["\u0078"]}}"#
        ),
        format!(
            r#"{{"aud":"{escaped}","iss":"{issuer}","exp":40000000000e-1,"nbf":-0,"iat":1.5e9,"scope":"x"}}"#
        ),
    ];
    for payload in payloads {
        let answer = handler.api(&token(key(1), &payload));
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, payload.as_str())
        );
    }
}

#[test]
fn tokens_of_both_versions_for_users_and_applications_are_answered_with_their_claims() {
    let (handler, _keys) = handler();
    for claims in [v2(), v1(), app_only(v2()), app_only(v1())] {
        let answer = handler.api(&signed(&claims));
        assert_eq!((answer.status, answer.body), (200, claims.to_string()));
    }
}

#[test]
fn the_longest_token_is_answered_whole() {
    let (handler, _keys) = handler();
    let answer = handler.api(&of_length(16 * 1024));
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() > 11_000, "{} bytes", answer.body.len());
    assert_eq!(answer.json()["preferred_username"], "alice@contoso.example");
}
