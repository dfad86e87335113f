//! Packs handler.zip: the files of the function app and nothing else. The same files give the same bytes.

use crate::Result;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::fs;
use std::io::Write;
use std::path::Path;

/// 1 January 1980, the first that a zip can say.
const DATE: u16 = 1 << 5 | 1;

/// Packs this handler.
pub(crate) fn run(handler: &str) -> Result {
    let handler = Path::new(handler);
    let name = handler.file_name().and_then(|name| name.to_str());
    let zip = pack(
        Path::new("."),
        name.ok_or("no file name")?,
        &fs::read(handler)?,
    )?;
    fs::write("handler.zip", zip)?;
    println!("packed handler.zip");
    Ok(())
}

/// A handler of this name with the two files of the folder that the host reads beside it.
pub(crate) fn pack(folder: &Path, name: &str, handler: &[u8]) -> Result<Vec<u8>> {
    let host = fs::read_to_string(folder.join("host.json"))?.replace(
        r#""defaultExecutablePath": "handler""#,
        &format!(r#""defaultExecutablePath": "{name}""#),
    );
    let mut zip = Zip::default();
    let function = "api/function.json";
    zip.add(function, 0o644, &fs::read(folder.join(function))?)?;
    zip.add(name, 0o755, handler)?;
    zip.add("host.json", 0o644, host.as_bytes())?;
    Ok(zip.finish())
}

/// A zip file in the making (PKWARE's APPNOTE.TXT).
#[derive(Default)]
struct Zip {
    entries: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    fn add(&mut self, name: &str, mode: u32, content: &[u8]) -> Result {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        deflate.write_all(content)?;
        let packed = deflate.finish()?;
        let mut crc = flate2::Crc::new();
        crc.update(content);

        let offset = u32::try_from(self.entries.len())?;
        // Both headers say this: version, flags, deflate, time, date; sums and sizes.
        let mut shared = Vec::new();
        for number in [20, 0, 8, 0, DATE] {
            shared.extend(u16::to_le_bytes(number));
        }
        for number in [
            crc.sum(),
            u32::try_from(packed.len())?,
            u32::try_from(content.len())?,
        ] {
            shared.extend(number.to_le_bytes());
        }
        shared.extend(u16::try_from(name.len())?.to_le_bytes());
        // No extra field.
        shared.extend([0; 2]);

        self.entries.extend(b"PK\x03\x04");
        self.entries.extend(&shared);
        self.entries.extend(name.as_bytes());
        self.entries.extend(packed);

        self.directory.extend(b"PK\x01\x02");
        // Made on Unix, or the mode is not read.
        self.directory.extend([20, 3]);
        self.directory.extend(&shared);
        // No comment, one disk, no text.
        self.directory.extend([0; 6]);
        self.directory
            .extend(((0o100_000 | mode) << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.count += 1;
        Ok(())
    }

    fn finish(self) -> Vec<u8> {
        let mut file = self.entries;
        let (offset, size) = (file.len() as u32, self.directory.len() as u32);
        file.extend(self.directory);
        file.extend(b"PK\x05\x06\0\0\0\0");
        file.extend(self.count.to_le_bytes());
        file.extend(self.count.to_le_bytes());
        file.extend(size.to_le_bytes());
        file.extend(offset.to_le_bytes());
        file.extend([0; 2]);
        file
    }
}
