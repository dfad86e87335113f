//! The lists of packages that tests/sbom writes: into the binary, and as an SBOM.

use crate::cyclonedx::{self, Foundation};
use crate::lock::{Lock, Locked};
use crate::packages::Packages;
use crate::section;

const LOCK: &str = r#"# made by hand
version = 4

[[package]]
name = "app"
version = "1.0.0"
dependencies = [
 "leaf",
]

[[package]]
name = "leaf"
version = "2.0.0+3"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "aa"

[[package]]
name = "tool"
version = "3.0.0"
source = "git+https://example.com/tool"
"#;
const LINKED: &str = "0app v1.0.0 (/home/me/app)|MIT|\n1leaf v2.0.0+3|MIT/ISC|https://example.com/leaf\n";
const ALL: &str = "0app v1.0.0 (/home/me/app)|MIT|
1leaf v2.0.0+3|MIT/ISC|https://example.com/leaf
2tool v3.0.0 (proc-macro)|ISC|
1tool v3.0.0 (proc-macro)|ISC|
";

fn packages() -> Packages {
    Packages::of(LINKED, ALL, &Lock::of(LOCK)).expect("cargo's format")
}

#[test]
fn a_lock_file_is_read() {
    let expected = Locked {
        name: "leaf".into(),
        version: "2.0.0+3".into(),
        source: Some("registry+https://github.com/rust-lang/crates.io-index".into()),
        checksum: Some("aa".into()),
    };
    let lock = Lock::of(LOCK);
    assert_eq!(lock.0.len(), 3);
    assert_eq!(lock.package("leaf", "2.0.0+3"), Some(&expected));
    assert_eq!(lock.package("leaf", "2.0.0"), None);
    assert_eq!(lock.package("app", "1.0.0").map(|app| app.source.clone()), Some(None));
}

#[test]
fn the_section_has_what_cargo_audit_reads() {
    let packages = concat!(
        r#"{"packages":[{"name":"app","version":"1.0.0","source":"local","dependencies":[1,2],"root":true},"#,
        r#"{"name":"leaf","version":"2.0.0+3","source":"crates.io","dependencies":[2]},"#,
        r#"{"name":"tool","version":"3.0.0","source":"git","kind":"build"}]}"#
    );
    assert_eq!(section::json(&self::packages()), packages);
}

#[test]
fn a_package_that_the_lock_file_does_not_know_is_an_error() {
    let tree = "0other v1.0.0|MIT|";
    assert_eq!(Packages::of(tree, tree, &Lock::of(LOCK)).unwrap_err(), "other 1.0.0 is not in Cargo.lock");
    let tree = "0app|MIT|";
    assert_eq!(Packages::of(tree, tree, &Lock::of(LOCK)).unwrap_err(), "cargo tree: not understood: 0app|MIT|");
}

// The last four bytes are the Adler-32 of the word, 0x11e60398.
#[test]
fn a_stored_zlib_stream_is_as_its_rfc_has_it() {
    let stream = [b"\x78\x01\x01\x09\x00\xf6\xff", &b"Wikipedia"[..], b"\x11\xe6\x03\x98"].concat();
    assert_eq!(section::zlib(b"Wikipedia"), stream);

    let long = vec![0xff; 65_536];
    let stream = section::zlib(&long);
    assert_eq!(stream.len(), 2 + 5 + 65_535 + 5 + 1 + 4);
    assert_eq!(stream[2..7], [0, 0xff, 0xff, 0, 0]);
    assert_eq!(stream[65_542..65_548], [1, 1, 0, 0xfe, 0xff, 0xff]);
}

#[test]
fn the_assembler_gets_every_byte() {
    let expected = ".section .dep-v0,\"\",%progbits\n.byte 120,1,1,1,0,254,255,65,0,66,0,66\n\
                    .section .note.GNU-stack,\"\",%progbits\n";
    assert_eq!(section::assembly("A"), expected);
}

#[test]
fn the_sbom_is_cyclonedx() {
    let foundation = Foundation { target: "here", sha256: "bb", rust_version: "1.2.3", c_library: &["glibc", "2.36"] };
    let bom: serde_json::Value = serde_json::from_str(&cyclonedx::json(&packages(), &foundation)).expect("JSON");
    assert_eq!(
        bom,
        serde_json::json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {
                "component": {
                    "type": "application", "bom-ref": "app@1.0.0", "name": "app", "version": "1.0.0",
                    "hashes": [{ "alg": "SHA-256", "content": "bb" }], "licenses": [{ "expression": "MIT" }],
                },
                "properties": [{ "name": "target", "value": "here" }],
            },
            "components": [
                {
                    "type": "library", "bom-ref": "pkg:cargo/leaf@2.0.0%2B3", "name": "leaf", "version": "2.0.0+3",
                    "scope": "required", "licenses": [{ "expression": "MIT OR ISC" }],
                    "purl": "pkg:cargo/leaf@2.0.0%2B3", "hashes": [{ "alg": "SHA-256", "content": "aa" }],
                    "externalReferences": [{ "type": "vcs", "url": "https://example.com/leaf" }],
                },
                {
                    "type": "library", "bom-ref": "pkg:cargo/tool@3.0.0", "name": "tool", "version": "3.0.0",
                    "scope": "excluded", "licenses": [{ "expression": "ISC" }], "purl": "pkg:cargo/tool@3.0.0",
                },
                {
                    "type": "library", "bom-ref": "rust-std", "name": "rust-std", "version": "1.2.3",
                    "scope": "required", "purl": "pkg:generic/rust@1.2.3",
                },
                {
                    "type": "library", "bom-ref": "glibc", "name": "glibc", "version": "2.36",
                    "scope": "required", "purl": "pkg:generic/glibc@2.36",
                },
            ],
            "dependencies": [
                {
                    "ref": "app@1.0.0",
                    "dependsOn": ["pkg:cargo/leaf@2.0.0%2B3", "pkg:cargo/tool@3.0.0", "rust-std", "glibc"],
                },
                { "ref": "pkg:cargo/leaf@2.0.0%2B3", "dependsOn": ["pkg:cargo/tool@3.0.0"] },
                { "ref": "pkg:cargo/tool@3.0.0", "dependsOn": [] },
            ],
        })
    );
}
