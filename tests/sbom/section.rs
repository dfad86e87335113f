//! The section `.dep-v0`: the packages as JSON, in a zlib stream, as the project cargo-auditable
//! has defined it and `cargo audit bin` and others read it.

use crate::packages::{Id, Package, Packages};

/// The list of packages. Each has a place, by which others name it.
pub(crate) fn json(packages: &Packages) -> String {
    let list: Vec<String> = packages
        .all
        .iter()
        .map(|(id, package)| entry(packages, id, package))
        .collect();
    format!(r#"{{"packages":[{}]}}"#, list.join(","))
}

fn entry(packages: &Packages, id: &Id, package: &Package) -> String {
    let source = match package.locked.source.as_deref() {
        None => "local",
        Some("registry+https://github.com/rust-lang/crates.io-index") => "crates.io",
        Some(source) if source.starts_with("git+") => "git",
        Some(_) => "registry",
    };
    let mut entry = format!(
        r#"{{"name":"{}","version":"{}","source":"{source}""#,
        id.0, id.1
    );
    if !package.is_linked {
        entry += r#","kind":"build""#;
    }
    if !package.needs.is_empty() {
        let places: Vec<String> = package
            .needs
            .iter()
            .map(|need| packages.index(need).to_string())
            .collect();
        entry += &format!(r#","dependencies":[{}]"#, places.join(","));
    }
    if *id == packages.root {
        entry += r#","root":true"#;
    }
    entry + "}"
}

/// An assembler file that puts this text into the section. No flag: it is not loaded when the
/// handler runs, and no linker drops it for want of a reference.
pub(crate) fn assembly(text: &str) -> String {
    let mut assembly = String::from(".section .dep-v0,\"\",%progbits\n");
    for bytes in zlib(text.as_bytes()).chunks(32) {
        let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
        assembly += &format!(".byte {}\n", bytes.join(","));
    }
    // Without it the linker would take the file to ask for an executable stack.
    assembly + ".section .note.GNU-stack,\"\",%progbits\n"
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951 section 3.2.4): as long as the text, the
/// same everywhere, and legible in the binary.
pub(crate) fn zlib(text: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = text.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream.extend(adler32(text).to_be_bytes());
    stream
}

fn adler32(text: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (a, b) = text.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (b + a) % MODULUS)
    });
    b << 16 | a
}
