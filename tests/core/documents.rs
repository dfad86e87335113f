//! The checks `header` and `payload`: each is exactly one JSON object, read in one way only.

use crate::bench::{Bench, encoded, header, payload, sealed, signed};
use entra_handler::checks::Refusal;
use entra_handler::json::JsonFault;
use entra_handler::rejection::{Part, Rejection};
use entra_handler::token::peek_payload;

fn duplicate(name: &str) -> JsonFault {
    JsonFault::Duplicate(name.into())
}

/// Texts that are no JSON object here, and why.
fn faults() -> Vec<(Vec<u8>, JsonFault)> {
    let nested = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    let table: Vec<(&[u8], JsonFault)> = vec![
        (b"\xff", JsonFault::NotUtf8),
        (b"{\"a\":\"\xff\"}", JsonFault::NotUtf8),
        (b"{\"a\":\"\xc0\xaf\"}", JsonFault::NotUtf8),
        (b"{\"a\":\"\xed\xa0\x80\"}", JsonFault::NotUtf8),
        (b"{\"a\":\"\xf4\x90\x80\x80\"}", JsonFault::NotUtf8),
        (b"\xef\xbb\xbf{}", JsonFault::NotAnObject),
        (b"\0{}", JsonFault::NotAnObject),
        (b" ", JsonFault::NotAnObject),
        (b"[]", JsonFault::NotAnObject),
        (b"null", JsonFault::NotAnObject),
        (b"\"{}\"", JsonFault::NotAnObject),
        (b"1", JsonFault::NotAnObject),
        (b"//\n{}", JsonFault::NotAnObject),
        (b"{", JsonFault::Syntax(1)),
        (b"{}x", JsonFault::Syntax(2)),
        (b"{}{}", JsonFault::Syntax(2)),
        (b"{} \0", JsonFault::Syntax(3)),
        (b"{},", JsonFault::Syntax(2)),
        (b"{\"a\":1,}", JsonFault::Syntax(7)),
        (b"{\"a\"}", JsonFault::Syntax(4)),
        (b"{a:1}", JsonFault::Syntax(1)),
        (b"{'a':1}", JsonFault::Syntax(1)),
        (b"{\"a\":}", JsonFault::Syntax(5)),
        (b"{\"a\":1 \"b\":1}", JsonFault::Syntax(7)),
        (b"{\"a\":/**/1}", JsonFault::Syntax(5)),
        (b"{\"a\":\"\0\"}", JsonFault::Syntax(6)),
        (b"{\"a\":\"\\ud800\"}", JsonFault::Syntax(5)),
        (br#"{"a":1,"a":1}"#, duplicate("a")),
        (br#"{"a":1,"b":2,"a":3}"#, duplicate("a")),
        (br#"{"a":1,"\u0061":1}"#, duplicate("a")),
        (br#"{"\u0061":1,"\u0061":1}"#, duplicate("a")),
        (br#"{"":1,"":1}"#, duplicate("")),
        (br#"{"x":{"a":1,"a":1}}"#, duplicate("a")),
        (br#"{"x":[1,[{"a":1,"\u0061":1}]]}"#, duplicate("a")),
        (br#"{"x":{"y":{"z":{"a":null,"a":null}}}}"#, duplicate("a")),
        (br#"{"\ud83d\ude00":1,"x":{},"\ud83d\uDE00":1}"#, duplicate("\u{1f600}")),
    ];
    let mut all: Vec<(Vec<u8>, JsonFault)> = table.into_iter().map(|(text, fault)| (text.to_vec(), fault)).collect();
    all.push((nested(65).into_bytes(), JsonFault::TooDeep));
    all.push((nested(5_000).into_bytes(), JsonFault::TooDeep));
    all
}

#[test]
fn a_header_that_is_no_plain_json_object_is_refused() {
    for (text, fault) in faults() {
        let refused = Refusal { check: "header", rejection: Rejection::BadJson { part: Part::Header, fault } };
        let judged = Bench::new().judge(&sealed(&text, payload(&[]).as_bytes()));
        assert_eq!(judged, Err(refused), "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn a_payload_that_is_no_plain_json_object_is_refused() {
    for (text, fault) in faults() {
        let refused = Refusal { check: "payload", rejection: Rejection::BadJson { part: Part::Payload, fault } };
        let judged = Bench::new().judge(&sealed(header(&[]).as_bytes(), &text));
        assert_eq!(judged, Err(refused), "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn a_header_fault_is_told_before_a_payload_fault() {
    let judged = Bench::new().judge(&sealed(b"[]", b"[]"));
    assert_refused!(judged, "header", Rejection::BadJson { part: Part::Header, fault: JsonFault::NotAnObject });
}

#[test]
fn each_claim_that_decides_is_refused_when_it_stands_twice() {
    for name in ["aud", "iss", "exp", "nbf", "iat", "tid", "azp", "scp", "oid"] {
        let twice = payload(&[]).replacen('{', &format!("{{\"{name}\":\"x\","), 1);
        let fault = duplicate(name);
        assert_eq!(
            Bench::new().judge(&signed(&twice)),
            Err(Refusal { check: "payload", rejection: Rejection::BadJson { part: Part::Payload, fault } })
        );
    }
}

#[test]
fn names_that_differ_in_letter_case_or_form_are_different_members() {
    let changes = [("AUD", "1"), ("Aud", "2"), ("e\u{301}", "3"), ("\u{e9}", "4"), ("aud ", "5")];
    assert_eq!(Bench::new().claims(&changes), Ok(payload(&changes)));
}

#[test]
fn white_space_around_and_inside_the_object_is_accepted_and_comes_out_unchanged() {
    let spaced = format!(" \t\r\n{}\n ", payload(&[]).replace(':', " : ").replace("https : ", "https:"));
    let spaced = spaced.replace("api : ", "api:");
    assert_eq!(Bench::new().judge(&signed(&spaced)), Ok(spaced.clone()));
}

#[test]
fn members_that_nobody_reads_may_hold_any_json_down_to_level_64() {
    let level_64 = format!("{}1e999{}", "[".repeat(63), "]".repeat(63));
    let changes = [("deep", level_64.as_str()), ("escapes", r#""\u0000\ud83d\ude00\/""#), ("n", "-0.00E+00")];
    assert_eq!(Bench::new().claims(&changes), Ok(payload(&changes)));
}

#[test]
fn the_claims_alone_can_be_shown_whatever_the_header_and_the_signature_are() {
    let shown = |text: &str| peek_payload(text).map(|claims| claims.into_text());
    let claims = encoded("{\"a\":1}");
    for (header, signature) in [("x", "x"), ("=", "=")] {
        assert_eq!(shown(&format!("{header}.{claims}.{signature}")), Some("{\"a\":1}".into()));
    }
    for bad in [encoded("[]"), encoded("{\"a\":1,\"a\":1}"), format!("{claims}="), "x".into()] {
        assert_eq!(shown(&format!("{claims}.{bad}.QQ")), None, "{bad}");
    }
}
