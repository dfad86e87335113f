//! The check `client`.

use crate::bench::{Bench, CLIENT, payload};
use entra_handler::checks::Refusal;
use entra_handler::rejection::Rejection;

const OTHER: &str = "99998888-ffff-7777-eeee-6666dddd5555";

fn judged(allowed: &str, azp: &str, appid: &str) -> Result<String, Refusal> {
    let text = |id: &str| if id.is_empty() { String::new() } else { format!("\"{id}\"") };
    Bench::with(&[("ALLOWED_CLIENTS", allowed)]).claims(&[("azp", &text(azp)), ("appid", &text(appid))])
}

fn accepted(outcome: Result<String, Refusal>) -> bool {
    outcome.is_ok_and(|claims| claims.starts_with("{\"aud\""))
}

fn refused(client: &str) -> Result<String, Refusal> {
    Err(Refusal { check: "client", rejection: Rejection::ClientNotAllowed { client: client.into() } })
}

#[test]
fn any_client_is_accepted_where_none_is_named() {
    for (azp, appid) in [(CLIENT, ""), ("", CLIENT), ("", ""), (OTHER, CLIENT), ("anything", "")] {
        assert!(accepted(judged("", azp, appid)), "azp {azp:?}, appid {appid:?}");
    }
}

#[test]
fn the_client_is_azp_or_where_there_is_none_appid() {
    assert!(accepted(judged(CLIENT, CLIENT, "")));
    assert!(accepted(judged(CLIENT, "", CLIENT)));
    assert!(accepted(judged(CLIENT, CLIENT, OTHER)), "azp goes before appid");
    assert_eq!(judged(CLIENT, OTHER, CLIENT), refused(OTHER), "appid does not save a wrong azp");
    assert_eq!(judged(CLIENT, OTHER, ""), refused(OTHER));
    assert_eq!(judged(CLIENT, "", OTHER), refused(OTHER));
    let missing = Err(Refusal { check: "client", rejection: Rejection::ClaimMissing { name: "azp" } });
    assert_eq!(judged(CLIENT, "", ""), missing);
}

#[test]
fn an_azp_that_is_an_empty_string_is_a_client_that_nobody_named() {
    let judged =
        Bench::with(&[("ALLOWED_CLIENTS", CLIENT)]).claims(&[("azp", "\"\""), ("appid", &format!("\"{CLIENT}\""))]);
    assert_eq!(judged, refused(""));
}

#[test]
fn each_of_several_clients_is_accepted_and_nothing_near_them() {
    let both = format!(" {CLIENT} ,, my-client ");
    assert!(accepted(judged(&both, CLIENT, "")));
    assert!(accepted(judged(&both, "my-client", "")));
    assert!(accepted(judged(&both, &CLIENT.to_uppercase(), "")), "the letter case of a GUID does not count");
    for near in ["My-Client", "my-client ", "my-clien", "my-client,", &CLIENT.replace('-', ""), &CLIENT[..35], OTHER] {
        assert_eq!(judged(&both, near, ""), refused(near), "{near}");
    }
}

#[test]
fn a_client_that_is_no_string_is_refused_even_where_any_is_accepted() {
    for allowed in ["", CLIENT] {
        let bench = Bench::with(&[("ALLOWED_CLIENTS", allowed)]);
        for value in ["null", "1", "[]", &format!("[\"{CLIENT}\"]")] {
            for name in ["azp", "appid"] {
                let rejection = Rejection::ClaimMalformed { name, expected: "a string" };
                let refused = Err(Refusal { check: "client", rejection });
                assert_eq!(bench.claims(&[(name, value)]), refused, "{name} {value}");
            }
        }
    }
}

#[test]
fn an_id_token_names_no_client_even_when_it_carries_roles() {
    let id_token = [("scp", ""), ("azp", ""), ("nonce", "\"n-0S6\""), ("roles", "[\"Admin\"]")];
    let missing = Err(Refusal { check: "client", rejection: Rejection::ClaimMissing { name: "azp" } });
    for roles in ["", "Admin"] {
        let bench = Bench::with(&[("ALLOWED_CLIENTS", CLIENT), ("REQUIRED_ROLES", roles)]);
        assert_eq!(bench.claims(&id_token), missing, "{roles:?}");
    }
}

#[test]
fn a_client_has_no_say_in_what_comes_out() {
    assert_eq!(Bench::with(&[("ALLOWED_CLIENTS", CLIENT)]).claims(&[]), Ok(payload(&[])));
}
