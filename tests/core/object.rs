//! The strict reader of one JSON object, on its own.

use entra_handler::{Fault, Object};

fn parse(text: &str) -> Result<Object, Fault> {
    Object::parse(text)
}

fn member(value: &str) -> Result<Object, Fault> {
    parse(&format!("{{\"a\":{value}}}"))
}

/// Where in `value` the fault lies, if it is one of syntax.
fn fault_at(value: &str) -> Option<usize> {
    match member(value) {
        Err(Fault::Syntax(at)) => Some(at - "{\"a\":".len()),
        Err(other) => panic!("{value}: {other:?}"),
        Ok(_) => None,
    }
}

#[test]
fn numbers_follow_the_grammar_of_rfc_8259() {
    for good in [
        "0",
        "-0",
        "1",
        "10",
        "-10",
        "0.0",
        "0.10",
        "1.5",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "1.5e05",
        "0e0",
        "123456789012",
        "1e400",
        "-1e400",
    ] {
        assert_eq!(fault_at(good), None, "{good}");
    }
    for (bad, at) in [
        ("+1", 0),
        ("01", 1),
        ("-01", 2),
        ("00", 1),
        (".5", 0),
        ("1.", 2),
        ("1.e5", 2),
        ("1e", 2),
        ("1e+", 3),
        ("1.5.5", 3),
        ("-", 1),
        ("--1", 1),
        ("0x10", 1),
        ("1_000", 1),
        ("NaN", 0),
        ("-Infinity", 1),
        ("1,5", 2),
        ("١", 0),
    ] {
        assert_eq!(fault_at(bad), Some(at), "{bad}");
    }
}

#[test]
fn the_three_words_are_spelled_in_one_way() {
    for good in ["true", "false", "null"] {
        assert_eq!(fault_at(good), None, "{good}");
    }
    for (bad, at) in [
        ("True", 0),
        ("tru", 0),
        ("truee", 4),
        ("nul", 0),
        ("nulls", 4),
        ("FALSE", 0),
        ("undefined", 0),
    ] {
        assert_eq!(fault_at(bad), Some(at), "{bad}");
    }
}

#[test]
fn strings_hold_no_control_characters_and_only_the_escapes_of_rfc_8259() {
    for good in [
        r#""""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u00e9\uD83D\uDE00""#,
        "\"\u{7f}\u{80}\u{2028}\u{feff}\"",
        r#""\\""#,
    ] {
        assert_eq!(fault_at(good), None, "{good}");
    }
    for control in 0..0x20u8 {
        assert_eq!(
            fault_at(&format!("\"x{}\"", control as char)),
            Some(2),
            "control character {control}"
        );
    }
    for bad in [
        r#""\x41""#,
        r#""\'""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\U0041""#,
        "\"\\\n\"",
        "\"\\é\"",
        "\"\\\u{0}\"",
    ] {
        assert_eq!(fault_at(bad), Some(1), "the escape of {bad}");
    }
    for bad in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        r#""\ud800x""#,
        r#""\udc00\ud800""#,
    ] {
        assert_eq!(fault_at(bad), Some(0), "no Unicode: {bad}");
    }
    assert_eq!(parse("{\"a\":\"x"), Err(Fault::Syntax(7)));
    assert_eq!(parse("{\"a\":\"x\\"), Err(Fault::Syntax(7)));
    assert_eq!(parse("{\"a\":\"x\\u123"), Err(Fault::Syntax(7)));
    assert_eq!(parse("{\"a\":\"x\\\""), Err(Fault::Syntax(9)));
}

#[test]
fn arrays_and_objects_are_closed_by_their_own_bracket() {
    for good in [
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1]",
        "[1,2]",
        "[[],{}]",
        "{\"x\":[{}]}",
        "[ 1 , 2 ]",
        "{ \"x\" : 1 }",
    ] {
        assert_eq!(fault_at(good), None, "{good}");
    }
    for (bad, at) in [
        ("[", 2),
        ("[1,]", 3),
        ("[,1]", 1),
        ("[1 2]", 3),
        ("[1}", 2),
        ("{]", 1),
        ("{\"x\":1]", 6),
        ("{,}", 1),
        ("]", 0),
    ] {
        // The closing brace of the whole comes one byte after the value.
        let at = if bad == "[" { 1 } else { at };
        assert_eq!(fault_at(bad), Some(at), "{bad}");
    }
}

#[test]
fn sixty_four_levels_are_read_and_sixty_five_are_too_deep() {
    let arrays = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let objects = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(member(&arrays(63)).is_ok());
    assert_eq!(member(&arrays(64)), Err(Fault::TooDeep));
    assert!(parse(&objects(64)).is_ok());
    assert_eq!(parse(&objects(65)), Err(Fault::TooDeep));
    assert!(
        member(&format!("[{},{}]", arrays(62), arrays(62))).is_ok(),
        "siblings do not add up"
    );
    assert!(member(&objects(63)).is_ok());
    assert_eq!(member(&objects(64)), Err(Fault::TooDeep));
}

#[test]
fn the_lenient_reader_steps_over_what_is_nested_too_deeply() {
    let outer = |deep: &str| Object::parse_outer(format!("{{\"keys\":[{deep},1]}}"));
    let elements = |deep: &str| {
        let set = outer(deep).expect("read");
        set.get("keys")
            .unwrap()
            .elements()
            .unwrap()
            .iter()
            .map(|element| element.text().len())
            .collect::<Vec<_>>()
    };
    for levels in [62, 63, 64, 65, 200, 100_000] {
        let arrays = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let objects = format!(
            "{}\"]}}\\\"\"{}",
            "{\"a\":".repeat(levels),
            "}".repeat(levels)
        );
        for deep in [arrays, objects] {
            assert_eq!(elements(&deep), [deep.len(), 1], "{levels} levels");
        }
    }
    let open = "[".repeat(200);
    assert_eq!(
        outer(&open),
        Err(Fault::Syntax(9 + 200 + 4)),
        "to the end of the text"
    );
    assert_eq!(outer(&format!("{open}\"")), Err(Fault::Syntax(9 + 200 + 5)));
}

#[test]
fn the_lenient_reader_allows_names_twice_and_lone_surrogates_inside() {
    let outer = |text: &str| Object::parse_outer(text);
    assert!(outer(r#"{"keys":[{"a":1,"a":1}]}"#).is_ok());
    assert_eq!(
        parse(r#"{"keys":[{"a":1,"a":1}]}"#),
        Err(Fault::Duplicate("a".into()))
    );
    assert_eq!(
        outer(r#"{"keys":[],"\u006beys":[]}"#),
        Err(Fault::Duplicate("keys".into()))
    );
    for text in [r#"{"keys":["\ud800"]}"#, r#"{"keys":[{"\udc00":1}]}"#] {
        assert!(outer(text).is_ok(), "{text}");
        assert!(matches!(parse(text), Err(Fault::Syntax(_))), "{text}");
    }
    assert_eq!(
        outer(r#"{"keys":["\x"]}"#),
        Err(Fault::Syntax(10)),
        "no JSON at all"
    );
    assert_eq!(outer(r#"{"keys":[1 2]}"#), Err(Fault::Syntax(11)));
    assert_eq!(outer(r#"{"keys":[{"a" 1}]}"#), Err(Fault::Syntax(14)));
}

#[test]
fn values_are_found_by_their_unescaped_name_and_read_by_their_type() {
    let text = concat!(
        r#"{"n\u0061me":"a\u0062c","plain":"é","number":-1.5e1,"huge":1e400,"list":["x", "\u0079"],"#,
        r#""mixed":["x",1],"object":{"x":1},"none":null, "empty":[]}"#
    );
    let object = parse(text).unwrap();
    let text = |name: &str| {
        object
            .get(name)
            .unwrap()
            .string()
            .map(|text| text.into_owned())
    };
    assert_eq!(text("name"), Some("abc".into()));
    assert_eq!(text("plain"), Some("é".into()));
    assert_eq!(text("number"), None);
    assert_eq!(text("none"), None);
    assert_eq!(text("list"), None);
    assert_eq!(object.get("n\\u0061me"), None);
    assert_eq!(object.get("missing"), None);
    assert_eq!(
        object.get("x"),
        None,
        "a member of a member is not a member"
    );
    let number = |name: &str| object.get(name).unwrap().number();
    assert_eq!(number("number"), Some(-15.0));
    assert_eq!(number("huge"), Some(f64::INFINITY));
    assert_eq!(number("plain"), None);
    assert_eq!(number("none"), None);
    let strings = |name: &str| -> Option<Vec<String>> {
        Some(
            object
                .get(name)
                .unwrap()
                .strings()?
                .iter()
                .map(ToString::to_string)
                .collect(),
        )
    };
    assert_eq!(strings("list"), Some(vec!["x".to_owned(), "y".to_owned()]));
    assert_eq!(strings("empty"), Some(vec![]));
    assert_eq!(strings("mixed"), None);
    assert_eq!(strings("object"), None);
    assert_eq!(strings("plain"), None);
    assert_eq!(object.get("mixed").unwrap().elements().unwrap().len(), 2);
    assert_eq!(object.get("object").unwrap().elements(), None);
    assert_eq!(object.get("object").unwrap().text(), r#"{"x":1}"#);
    assert_eq!(object.get("list").unwrap().text(), r#"["x", "\u0079"]"#);
}

#[test]
fn every_member_is_found_among_names_that_begin_alike() {
    let names = [
        "a",
        "\\u0000a",
        "\\u0000\\u0000a",
        "aa",
        "",
        "\\u0000",
        "abcdefgh",
        "abcdefghX",
        "abcdefghY",
        "abcdefg",
        "Xabcdefgh",
        "é",
        "éé",
        "ééééé",
        "\u{1f600}",
        "\\ud83d\\ude00x",
        "A",
        "b",
    ];
    let spelled = |names: &[&str]| {
        let members: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(at, name)| format!("\"{name}\":{at}"))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    let unescaped = |name: &str| serde_json::from_str::<String>(&format!("\"{name}\"")).unwrap();
    for turn in 0..names.len() {
        let mut turned = names;
        turned.rotate_left(turn);
        let object = parse(&spelled(&turned)).unwrap();
        for (at, name) in turned.iter().enumerate() {
            assert_eq!(
                object
                    .get(&unescaped(name))
                    .map(|value| value.text().to_owned()),
                Some(at.to_string()),
                "{name}"
            );
        }
        for missing in ["abcdefghZ", "abcdef", "\0\0", "aaa", "B"] {
            assert_eq!(object.get(missing), None, "{missing}");
        }
        let twice: Vec<&str> = turned.iter().copied().chain([turned[0]]).collect();
        assert_eq!(
            parse(&spelled(&twice)),
            Err(Fault::Duplicate(unescaped(turned[0])))
        );
    }
}
