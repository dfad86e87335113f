//! The list of the handler's packages, in the format of the project cargo-auditable: JSON in a zlib stream, in a
//! section `.dep-v0` that `cargo audit bin` reads. This writes an assembler file, which the linker's driver takes.

use crate::Result;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Name and version.
type Id = (String, String);

#[derive(Default)]
struct Package {
    source: &'static str,
    needs: BTreeSet<Id>,
}

/// Writes the file and prints its name.
pub(crate) fn run(target: &str, folder: &str) -> Result {
    let text = list(&tree(target, "normal")?, &tree(target, "normal,build")?)?.to_string();
    // Cargo looks at the name only, so another list needs another one.
    let name = format!("packages-{:08x}.s", checksum(text.as_bytes()));
    let path = Path::new(folder).join(name);
    std::fs::create_dir_all(folder)?;
    std::fs::write(&path, assembly(text.as_bytes())?)?;
    println!("{}", path.display());
    Ok(())
}

/// Packages and their depths as cargo resolves them for this build. `cargo metadata` would add the features that only
/// tests switch on.
fn tree(target: &str, edges: &str) -> Result<String> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "tree",
        "--locked",
        "--package",
        "entra-handler",
        "--target",
        target,
    ]);
    cargo.args([
        "--edges",
        edges,
        "--no-dedupe",
        "--prefix",
        "depth",
        "--format",
        " {p}",
    ]);
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The list, from the tree of the linked packages and from the tree of all.
fn list(linked: &str, all: &str) -> Result<Value> {
    let mut packages: BTreeMap<Id, Package> = BTreeMap::new();
    let mut path: Vec<Id> = Vec::new();
    for line in all.lines() {
        let (depth, id, source) =
            parsed(line).ok_or_else(|| format!("cargo tree: not understood: {line}"))?;
        path.truncate(depth);
        if let Some(parent) = path.last().and_then(|parent| packages.get_mut(parent)) {
            parent.needs.insert(id.clone());
        }
        packages.entry(id.clone()).or_default().source = source;
        path.push(id);
    }
    let linked: BTreeSet<Id> = linked
        .lines()
        .filter_map(parsed)
        .map(|(_, id, _)| id)
        .collect();
    let place = |id: &Id| packages.range(..id).count();
    let entry = |(id, package): (&Id, &Package)| {
        let mut entry = json!({ "name": id.0, "version": id.1, "source": package.source });
        if !linked.contains(id) {
            entry["kind"] = "build".into();
        }
        if !package.needs.is_empty() {
            entry["dependencies"] = package.needs.iter().map(place).collect();
        }
        if path.first() == Some(id) {
            entry["root"] = true.into();
        }
        entry
    };
    Ok(json!({ "packages": packages.iter().map(entry).collect::<Vec<_>>() }))
}

/// `2 getrandom v0.2.17`: depth, name, version; then the source in brackets, unless it is crates.io.
fn parsed(line: &str) -> Option<(usize, Id, &'static str)> {
    let mut words = line.splitn(4, ' ');
    let (depth, name, version) = (words.next()?, words.next()?, words.next()?);
    let source = match words.next().unwrap_or_default() {
        "" | "(proc-macro)" => "crates.io",
        text if text.contains("registry `") => "registry",
        text if text.contains("://") => "git",
        _ => "local",
    };
    let id = (name.to_owned(), version.strip_prefix('v')?.to_owned());
    Some((depth.parse().ok()?, id, source))
}

/// No flag: the section is not loaded when the handler runs, and no linker drops it for want of a reference.
fn assembly(text: &[u8]) -> Result<String> {
    // Not compressed: the list stays legible in the binary.
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::none());
    zlib.write_all(text)?;
    let mut assembly = String::from(".section .dep-v0,\"\",%progbits\n");
    for bytes in zlib.finish()?.chunks(32) {
        let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
        assembly += &format!(".byte {}\n", bytes.join(","));
    }
    // Without it the linker would take the file to ask for an executable stack.
    Ok(assembly + ".section .note.GNU-stack,\"\",%progbits\n")
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_what_cargo_audit_reads() {
        let linked = "0 app v1.0.0 (/home/me/app)\n1 leaf v2.0.0+3\n";
        let all = "0 app v1.0.0 (/home/me/app)\n1 leaf v2.0.0+3\n2 tool v3.0.0 (https://example.com/tool#1234)\n\
                   1 tool v3.0.0 (https://example.com/tool#1234)\n";
        let expected = json!({ "packages": [
            { "name": "app", "version": "1.0.0", "source": "local", "dependencies": [1, 2], "root": true },
            { "name": "leaf", "version": "2.0.0+3", "source": "crates.io", "dependencies": [2] },
            { "name": "tool", "version": "3.0.0", "source": "git", "kind": "build" },
        ] });
        assert_eq!(list(linked, all).expect("cargo's format"), expected);
        assert_eq!(
            list("", "0 app").unwrap_err().to_string(),
            "cargo tree: not understood: 0 app"
        );
    }

    // RFC 1950 and RFC 1951 section 3.2.4: a header, one stored block, and the Adler-32 of the letter.
    #[test]
    fn the_assembler_gets_a_zlib_stream_of_stored_text() {
        let expected = ".section .dep-v0,\"\",%progbits\n.byte 120,1,1,1,0,254,255,65,0,66,0,66\n\
                        .section .note.GNU-stack,\"\",%progbits\n";
        assert_eq!(assembly(b"A").expect("in memory"), expected);
    }
}
