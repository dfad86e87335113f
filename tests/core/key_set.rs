//! Texts that are no key set, and the words of the log. Which keys of a set may be used, the vectors say.

use entra_handler::{KeySet, KeySetFault, Unusable};

#[test]
fn what_is_no_key_set_is_told_from_a_set_without_a_usable_key() {
    let no_set = "|null|[]|{}|\"keys\"|{\"keys\":{}}|{\"keys\":null}|{\"keys\":\"x\"}|{\"Keys\":[]}\
        |{\"keys\":[]|{\"keys\":[]}x|{\"keys\":[],\"keys\":[]}|{\"keys\":[1,]}|<html></html>";
    for text in no_set.split('|') {
        assert_eq!(
            KeySet::parse(text).err(),
            Some(KeySetFault::NotAKeySet),
            "{text}"
        );
    }
    let not_utf8 = b"{\"keys\":[\"\xff\"]}";
    assert_eq!(KeySet::parse(not_utf8).err(), Some(KeySetFault::NotAKeySet));
    let unusable = |reason| Some(KeySetFault::NoUsableKey(reason));
    for text in ["{\"keys\":[]}", "{\"keys\":[1,{}]}"] {
        assert_eq!(KeySet::parse(text).err(), unusable(None), "{text}");
    }
    let of_two = r#"{"keys":[{"kid":"a","kty":"RSA","use":"enc"},{"kid":"b","kty":"EC"}]}"#;
    let of_the_first = unusable(Some(Unusable::NotForSignatures));
    assert_eq!(KeySet::parse(of_two).err(), of_the_first);
}

#[test]
fn it_is_told_in_words() {
    let words = |text: &str| KeySet::parse(text).expect_err("no usable key").to_string();
    assert!(words("[]").contains("not a JWK Set"));
    assert!(words("{\"keys\":[]}").contains("no key with a kid"));
    let of_encryption = r#"{"keys":[{"kid":"a","kty":"RSA","use":"enc"}]}"#;
    let expected = "none of the keys can verify RS256: its use is not sig";
    assert_eq!(words(of_encryption), expected);
}
