//! handler.zip, and what the Functions host reads of it.

use super::root;
use crate::package::pack;
use serde_json::Value;
use std::fs;
use std::io::Read;

/// Name, mode and content of each entry, by the central directory at the end of a zip (PKWARE's APPNOTE.TXT).
fn entries(zip: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let number = |at: usize, size: usize| {
        let bytes = zip[at..at + size].iter().rev();
        bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let end = zip.len() - 22;
    assert_eq!(zip[end..end + 4], *b"PK\x05\x06");
    let mut at = number(end + 16, 4);
    let entry = |_| {
        assert_eq!(zip[at..at + 4], *b"PK\x01\x02");
        const UNIX: u8 = 3;
        let date = 1 << 5 | 1;
        assert_eq!(
            (zip[at + 5], number(at + 12, 2), number(at + 14, 2)),
            (UNIX, 0, date)
        );
        let (packed, length, offset) = (number(at + 20, 4), number(at + 28, 2), number(at + 42, 4));
        let name = |at: usize| String::from_utf8(zip[at..at + length].to_vec()).expect("UTF-8");
        assert_eq!(zip[offset..offset + 4], *b"PK\x03\x04");
        assert_eq!(name(offset + 30), name(at + 46));
        let mut content = Vec::new();
        let mut inflate = flate2::read::DeflateDecoder::new(&zip[offset + 30 + length..][..packed]);
        inflate.read_to_end(&mut content).expect("deflate");
        assert_eq!(content.len(), number(at + 24, 4));
        let entry = (name(at + 46), number(at + 38, 4) as u32 >> 16, content);
        at += 46 + length;
        entry
    };
    (0..number(end + 10, 2)).map(entry).collect()
}

#[test]
fn the_zip_has_the_app_s_files_with_their_modes_and_always_the_same_bytes() {
    let handler = b"a program".repeat(1000);
    let zip = pack(&root(), "handler", &handler).expect("packed");
    assert_eq!(
        pack(&root(), "handler", &handler).expect("packed again"),
        zip
    );
    let file = |name: &str| fs::read(root().join(name)).expect(name);
    let expected = [
        ("api/function.json", 0o100_644, file("api/function.json")),
        ("handler", 0o100_755, handler),
        ("host.json", 0o100_644, file("host.json")),
    ];
    assert_eq!(
        entries(&zip),
        expected.map(|(name, mode, content)| (name.to_owned(), mode, content))
    );
}

#[test]
fn a_zip_for_windows_starts_the_program_of_windows() {
    let zip = pack(&root(), "handler.exe", b"a program").expect("packed");
    let [_, (program, _, _), (_, _, host)] = &entries(&zip)[..] else {
        panic!("three entries")
    };
    let host: Value = serde_json::from_slice(host).expect("JSON");
    let started = &host["customHandler"]["description"]["defaultExecutablePath"];
    assert_eq!(
        (started.as_str(), program.as_str()),
        (Some("handler.exe"), "handler.exe")
    );
}

/// The host takes these literally: it starts exactly `handler`, asks for no key, and passes on every method.
#[test]
fn the_host_s_files_start_the_handler_and_let_every_request_through() {
    let read = |name: &str| fs::read(root().join(name)).expect(name);
    let host: Value = serde_json::from_slice(&read("host.json")).expect("JSON");
    assert_eq!(
        host["customHandler"]["description"]["defaultExecutablePath"],
        "handler"
    );
    let function: Value = serde_json::from_slice(&read("api/function.json")).expect("JSON");
    let trigger = &function["bindings"][0];
    assert_eq!(
        (&trigger["authLevel"], &trigger["methods"]),
        (&"anonymous".into(), &Value::Null)
    );
}
