//! The strict reader of one JSON object on its own, and the lenient one for key sets.

use entra_handler::{Fault, Object, Raw};

fn outer(text: &str) -> Result<Object, Fault> {
    Object::parse_outer(text)
}

#[test]
fn the_lenient_reader_steps_over_what_is_nested_too_deeply() {
    let set = |deep: &str| outer(&format!("{{\"keys\":[{deep},1]}}"));
    for levels in [62, 63, 64, 65, 200, 100_000] {
        let around = |open: &str, inner: &str, close: &str| {
            open.repeat(levels) + inner + &close.repeat(levels)
        };
        for deep in [around("[", "", "]"), around("{\"a\":", "\"]}\\\"\"", "}")] {
            let set = set(&deep).expect("an object");
            let elements = set.get("keys").and_then(Raw::elements).expect("an array");
            let texts: Vec<&str> = elements.iter().map(|element| element.text()).collect();
            assert_eq!(texts, [&deep, "1"], "{levels} levels");
        }
    }
    let open = "[".repeat(200);
    let end = "{\"keys\":[".len() + open.len() + ",1]}".len();
    assert_eq!(
        set(&open),
        Err(Fault::Syntax(end)),
        "to the end of the text"
    );
    assert_eq!(set(&(open + "\"")), Err(Fault::Syntax(end + 1)));
}

#[test]
fn the_lenient_reader_is_strict_about_the_outermost_object_only() {
    for text in [
        r#"{"keys":[{"a":1,"a":1}]}"#,
        r#"{"keys":["\ud800"]}"#,
        r#"{"keys":[{"\udc00":1}]}"#,
    ] {
        assert!(outer(text).is_ok(), "{text}");
        assert_ne!(Object::parse(text), outer(text), "{text}");
    }
    let duplicate = Fault::Duplicate("keys".into());
    for (text, fault) in [
        (r#"{"keys":[],"\u006beys":[]}"#, duplicate),
        (r#"{"keys":["\x"]}"#, Fault::Syntax(10)),
        (r#"{"keys":[1 2]}"#, Fault::Syntax(11)),
        (r#"{"keys":[{"a" 1}]}"#, Fault::Syntax(14)),
    ] {
        assert_eq!(outer(text), Err(fault), "{text}");
    }
}

#[test]
fn values_are_found_by_their_unescaped_name_and_read_by_their_type() {
    let text = r#"{"n\u0061me":"a\u0062c","plain":"é","number":-1.5e1,"huge":1e400,"tiny":-1e-400,
        "list":["x", "\u0079"],"mixed":["x",1],"object":{"x":1},"none":null, "empty":[]}"#;
    let object = Object::parse(text).expect("an object");
    assert_eq!(object.text(), text);
    let get = |name: &str| object.get(name).expect("a member");
    assert_eq!(get("name").string().as_deref(), Some("abc"));
    assert_eq!(get("plain").string().as_deref(), Some("é"));
    assert_eq!(get("number").number(), Some(-15.0));
    assert_eq!(get("huge").number(), Some(f64::INFINITY));
    assert!(get("tiny").number().is_some_and(|number| number < 0.0));
    assert_eq!(get("list").strings().expect("strings"), ["x", "y"]);
    assert_eq!(get("empty").strings().expect("strings"), [""; 0]);
    assert_eq!(get("mixed").elements().map(|all| all.len()), Some(2));
    assert_eq!(get("list").text(), r#"["x", "\u0079"]"#);
    assert!(get("none").is_null() && !get("plain").is_null());
    for name in ["number", "none", "list", "object"] {
        assert_eq!(get(name).string(), None, "{name}");
    }
    for name in ["plain", "none", "list", "object"] {
        assert_eq!(get(name).number(), None, "{name}");
    }
    for name in ["mixed", "object", "plain", "none", "number"] {
        assert_eq!(get(name).strings(), None, "{name}");
    }
    assert_eq!(get("object").elements(), None);
    for name in ["n\\u0061me", "missing", "x", ""] {
        assert_eq!(object.get(name), None, "{name}");
    }
}

#[test]
fn every_member_is_found_among_names_that_begin_alike_and_none_twice() {
    let names = "a|\\u0000a|\\u0000\\u0000a|aa||\\u0000|abcdefgh|abcdefghX|abcdefghY|abcdefg\
        |Xabcdefgh|é|éé|ééééé|\u{1f600}|\\ud83d\\ude00x|A|b";
    let mut names: Vec<&str> = names.split('|').collect();
    let spelled = |names: &[&str]| {
        let members = names.iter().enumerate();
        let members = members.map(|(at, name)| format!("\"{name}\":{at}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let plain =
        |name: &str| serde_json::from_str::<String>(&format!("\"{name}\"")).expect("a text");
    for _ in 0..names.len() {
        names.rotate_left(1);
        let object = Object::parse(spelled(&names)).expect("an object");
        for (at, name) in names.iter().enumerate() {
            let found = object.get(&plain(name)).map(Raw::text);
            assert_eq!(found, Some(&*at.to_string()), "{name}");
        }
        for missing in ["abcdefghZ", "abcdef", "\0\0", "aaa", "B"] {
            assert_eq!(object.get(missing), None, "{missing}");
        }
        let twice = [&names[..], &names[..1]].concat();
        let fault = Fault::Duplicate(plain(names[0]));
        assert_eq!(Object::parse(spelled(&twice)), Err(fault));
    }
}
