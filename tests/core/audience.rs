//! The check `aud`.

use crate::bench::{API, Bench, CLIENT, payload};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

const TWO: &str = "api://one, 22223333-cccc-4444-dddd-5555eeee6666";

fn refused(rejection: Rejection) -> Result<String, Refusal> {
    Err(Refusal { check: "aud", rejection })
}

#[test]
fn an_audience_is_a_string_or_an_array_with_an_accepted_one_in_it() {
    for aud in [
        format!("\"{API}\""),
        format!("[\"{API}\"]"),
        format!("[\"x\",\"{API}\"]"),
        format!("[ \"{API}\" , \"{API}\", \"\" ]"),
        format!("\"{}\"", API.replace('/', "\\/")),
        format!("\"{}\"", API.replacen('a', "\\u0061", 1)),
    ] {
        assert_eq!(Bench::new().claims(&[("aud", &aud)]), Ok(payload(&[("aud", &aud)])), "{aud}");
    }
}

#[test]
fn each_of_several_accepted_audiences_is_accepted() {
    let bench = Bench::with(&[("API_AUDIENCE", TWO)]);
    for aud in ["\"api://one\"", "\"22223333-cccc-4444-dddd-5555eeee6666\"", "[\"x\",\"api://one\"]"] {
        assert_eq!(bench.claims(&[("aud", aud)]), Ok(payload(&[("aud", aud)])), "{aud}");
    }
    assert_refused!(bench.claims(&[("aud", &format!("\"{TWO}\""))]), "aud", Rejection::WrongAudience { .. });
    assert_refused!(bench.claims(&[("aud", "\"\"")]), "aud", Rejection::WrongAudience { .. });
    // Compared exactly: this is no place where the letter case of a GUID is overlooked.
    assert_refused!(
        bench.claims(&[("aud", "\"22223333-CCCC-4444-DDDD-5555EEEE6666\"")]),
        "aud",
        Rejection::WrongAudience { .. }
    );
}

#[test]
fn an_audience_is_compared_exactly() {
    let others = [
        String::new(),
        format!("{API}/"),
        format!("{API} "),
        format!(" {API}"),
        format!("{API}\\u0000"),
        API.to_uppercase(),
        API.trim_start_matches("api://").into(),
        API[..API.len() - 1].into(),
        format!("{API}/user_impersonation"),
        format!("{API},x"),
        format!("{API} x"),
        CLIENT.into(),
        "*".into(),
        "https://graph.microsoft.com".into(),
    ];
    for aud in others {
        for json in [format!("\"{aud}\""), format!("[\"{aud}\"]"), format!("[\"x\",\"{aud}\"]")] {
            assert_refused!(Bench::new().claims(&[("aud", &json)]), "aud", Rejection::WrongAudience { .. }, json);
        }
    }
}

#[test]
fn what_was_found_and_what_is_accepted_is_told() {
    let judged = Bench::new().claims(&[("aud", "[\"a\",\"b\"]")]);
    let told = |found: &str, accepted: &str| Rejection::WrongAudience {
        found: found.into(),
        accepted: accepted.into(),
        hint: String::new(),
    };
    assert_eq!(judged, refused(told("'a' or 'b'", &format!("'{API}'"))));
    assert_eq!(Bench::new().claims(&[("aud", "[]")]), refused(told("an empty list", &format!("'{API}'"))));
    let five = Bench::new().claims(&[("aud", "[\"a\",\"b\",\"c\",\"d\",\"e\"]")]);
    assert_eq!(five, refused(told("'a' or 'b' or 'c' or 'd' or 1 more", &format!("'{API}'"))));
    let four = Bench::with(&[("API_AUDIENCE", "1,2,3,4")]).claims(&[("aud", "\"x\"")]);
    assert_eq!(four, refused(told("'x'", "'1' or '2' or '3' or '4'")));
}

#[test]
fn an_audience_that_is_missing_or_of_another_type_is_refused() {
    assert_eq!(Bench::new().claims(&[("aud", "")]), refused(Rejection::ClaimMissing { name: "aud" }));
    for aud in [
        "null",
        "1",
        "true",
        "{}",
        &format!("[\"{API}\",1]"),
        &format!("[[\"{API}\"]]"),
        &format!("[null,\"{API}\"]"),
        &format!("{{\"{API}\":1}}"),
    ] {
        let expected = "a string or an array of strings";
        assert_eq!(
            Bench::new().claims(&[("aud", aud)]),
            refused(Rejection::ClaimMalformed { name: "aud", expected }),
            "{aud}"
        );
    }
    assert_refused!(
        Bench::new().claims(&[("aud", ""), ("Aud", &format!("\"{API}\""))]),
        "aud",
        Rejection::ClaimMissing { name: "aud" }
    );
}
