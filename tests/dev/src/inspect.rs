//! Looks into the binary before anybody gets it.

use crate::Result;

/// Checks that it is static, lists its packages, and has none of these paths in it.
pub(crate) fn run(handler: &str, private_paths: &[&str]) -> Result {
    check(&std::fs::read(handler)?, private_paths)
        .map_err(|fault| format!("{handler} {fault}").into())
}

fn check(binary: &[u8], private_paths: &[&str]) -> std::result::Result<(), String> {
    match has_loader(binary) {
        None => return Err("is no 64-bit ELF file".to_owned()),
        Some(true) => return Err("is not static: it names a dynamic loader".to_owned()),
        Some(false) => {}
    }
    let contains = |text: &str| {
        binary
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    // A path such as /src tells nothing, and may stand there by chance.
    let mut tells = private_paths
        .iter()
        .filter(|path| path.matches('/').count() > 1);
    if let Some(path) = tells.find(|path| contains(&format!("{path}/"))) {
        return Err(format!("contains a path of this machine: {path}"));
    }
    if !contains(r#""name":"entra-handler""#) {
        return Err("lacks the list of its packages".to_owned());
    }
    Ok(())
}

/// Whether a little-endian 64-bit ELF file has a program header of type PT_INTERP.
fn has_loader(binary: &[u8]) -> Option<bool> {
    const PT_INTERP: usize = 3;
    let number = |offset: usize, size: usize| {
        let bytes = binary.get(offset..offset + size)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | usize::from(*byte)),
        )
    };
    if !binary.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (offset, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    let types = (0..count).map(|place| number(offset + place * size, 4));
    let types: Option<Vec<usize>> = types.collect();
    Some(types?.contains(&PT_INTERP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"packages":[{"name":"entra-handler"}]}"#;

    /// A file header, program headers of these types, and a text.
    fn elf(types: &[u8], text: &str) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01".to_vec();
        file.resize(64, 0);
        (file[32], file[54], file[56]) = (64, 56, types.len() as u8);
        for kind in types {
            file.push(*kind);
            file.resize(file.len() + 55, 0);
        }
        [&file, text.as_bytes()].concat()
    }

    #[test]
    fn a_static_binary_with_its_list_and_without_private_paths_passes() {
        let private_paths = ["/home/me/app", "/src"];
        let check = |binary: &[u8]| check(binary, &private_paths);
        assert_eq!(
            check(&elf(&[1, 1], &format!("{LIST} /src/main.rs"))),
            Ok(())
        );
        for (binary, fault) in [
            (LIST.as_bytes().to_vec(), "is no 64-bit ELF file"),
            (
                elf(&[1, 3], LIST),
                "is not static: it names a dynamic loader",
            ),
            (elf(&[1], ""), "lacks the list of its packages"),
            (
                elf(&[1], &format!("{LIST} /home/me/app/src/main.rs")),
                "contains a path of this machine: /home/me/app",
            ),
        ] {
            assert_eq!(check(&binary), Err(fault.to_owned()));
        }
    }
}
