//! Known attacks on JSON Web Tokens and their libraries, each tried on this one.

mod algorithm;
mod claims;
mod key;
mod shape;
mod signature;

/// Attack, where it is known from, the test that tries it.
pub(crate) const ATTACKS: &[(&str, &str, &str)] = &[
    ("`alg: none` in any spelling", "CVE-2022-23540; McLean 2015", "no_spelling_of_none_is_accepted"),
    (
        "public key as HMAC secret",
        "CVE-2015-9235, CVE-2016-10555, CVE-2022-29217",
        "a_mac_with_the_public_key_is_refused",
    ),
    ("`alg` of another family with an RSA key", "CVE-2022-23541, CVE-2023-48238", "another_algorithm_is_refused"),
    ("RS384, RS512 or PS256 under the same key", "RFC 8725 section 3.1", "another_rsa_scheme_is_refused"),
    ("two `alg` members", "RFC 7515 section 4", "a_second_alg_is_refused"),
    ("key embedded in the header (`jwk`)", "CVE-2018-0114", "an_embedded_key_is_never_used"),
    ("key address in the header (`jku`, `x5u`, `x5c`)", "RFC 8725 section 3.10", "a_key_address_is_never_followed"),
    ("path, SQL or command in `kid`", "RFC 8725 section 3.10", "a_kid_is_looked_up_and_never_interpreted"),
    ("`kid` of another type or an empty one", "RFC 7515 section 4.1.4", "a_kid_of_another_type_names_no_key"),
    ("`kid` with look-alike letters", "Unicode TR 36", "a_kid_of_lookalike_letters_names_no_key"),
    ("consumer key for an enterprise token", "Storm-0558 (Microsoft, 2023)", "a_key_of_another_issuer_is_refused"),
    ("RSA key of 1024 bits", "RFC 7518 section 3.3", "a_key_of_1024_bits_is_refused"),
    ("public exponent 1", "Wycheproof `exponentOne`", "a_key_with_exponent_1_is_refused"),
    ("huge exponent or modulus", "CVE-2006-2940, CVE-2023-29409", "a_key_that_is_slow_to_use_is_refused"),
    ("encryption key used to verify", "RFC 7517 section 4.2", "a_key_for_encryption_is_refused"),
    ("RSA forgery with a small exponent", "CVE-2006-4339, CVE-2014-1568", "no_forgery_under_exponent_3_is_accepted"),
    ("signature left out", "CVE-2020-28042", "a_token_without_signature_is_refused"),
    ("signature of zeros or ones", "CVE-2022-21449", "a_trivial_signature_is_refused"),
    ("signature plus modulus, or of another length", "RFC 8017 section 8.2.2", "a_signature_has_one_value"),
    ("signature of another token", "RFC 7515 section 5.2", "a_signature_serves_one_token_only"),
    ("base64url with padding or free bits", "RFC 4648 section 3.5", "a_token_has_one_spelling"),
    ("white space within base64url", "RFC 7515 section 2", "white_space_in_a_part_is_refused"),
    ("encrypted token (JWE)", "CVE-2022-3102, CVE-2023-51774", "an_encrypted_token_is_refused"),
    ("JSON serialization and polyglots", "CVE-2022-39227; Tervoort 2023", "a_json_serialization_is_refused"),
    ("thousands of dots", "CVE-2025-30204", "many_dots_cost_nothing"),
    ("huge token", "CVE-2025-61920", "a_huge_token_is_not_looked_at"),
    ("compressed payload", "CVE-2024-33664", "a_compressed_payload_is_refused"),
    ("unencoded payload (`b64: false`)", "RFC 7797 section 6", "an_unencoded_payload_is_refused"),
    ("unknown `crit` extension", "CVE-2025-59420", "a_critical_extension_is_refused"),
    ("deeply nested JSON", "CWE-674", "nested_json_is_refused_without_a_deep_stack"),
    ("duplicated claims", "CVE-2017-12635; RFC 7519 section 4", "a_duplicated_claim_is_refused"),
    ("`__proto__` and similar names", "CWE-1321", "names_of_other_languages_mean_nothing"),
    ("numbers beyond every type", "RFC 8259 section 6", "a_number_beyond_every_type_is_no_date"),
    ("zero byte or line end in a claim", "CWE-626", "a_claim_does_not_end_at_a_zero_byte"),
    ("`aud` as an array or absent", "CVE-2020-26160", "an_audience_cannot_be_emptied"),
    ("no `exp`, or one that is no number", "RFC 7519 section 4.1.4", "an_expiry_cannot_be_left_out"),
    ("ID token used as access token", "RFC 8725 section 2.8, RFC 9068 section 5", "an_id_token_is_refused"),
    ("JWT of another kind", "RFC 8725 section 3.11", "a_jwt_of_another_kind_is_refused"),
    ("another tenant through a template", "RFC 8725 section 3.8", "a_template_does_not_mix_tenants"),
    ("app-only token without a role", "Microsoft identity platform", "an_app_without_a_role_is_refused"),
];

const SOURCES: [&str; 5] = [
    include_str!("attacks/algorithm.rs"),
    include_str!("attacks/claims.rs"),
    include_str!("attacks/key.rs"),
    include_str!("attacks/shape.rs"),
    include_str!("attacks/signature.rs"),
];

#[test]
fn every_attack_of_the_list_has_its_test_and_every_test_its_attack() {
    let written: Vec<&str> = SOURCES
        .iter()
        .flat_map(|source| source.split("#[test]\nfn ").skip(1))
        .map(|rest| rest.split('(').next().unwrap_or_default())
        .collect();
    for (attack, source, test) in ATTACKS {
        assert!(written.contains(test), "{attack}: no test {test}");
        assert!(!attack.contains('|') && !source.contains('|'), "{attack}: a table cell");
    }
    for test in &written {
        assert_eq!(ATTACKS.iter().filter(|(_, _, listed)| listed == test).count(), 1, "{test}");
    }
    assert_eq!(written.len(), ATTACKS.len());
}
