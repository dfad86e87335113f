//! Cargo.lock, as far as it is needed here.

/// What a lock file says.
#[derive(Debug)]
pub(crate) struct Lock(pub(crate) Vec<Locked>);

/// One package of a lock file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `None` for a package of this folder.
    pub(crate) source: Option<String>,
    /// SHA-256 of the package as downloaded, in hexadecimal.
    pub(crate) checksum: Option<String>,
}

impl Lock {
    /// Reads the text of a lock file, which cargo writes with one member a line.
    pub(crate) fn of(text: &str) -> Lock {
        let mut packages: Vec<Locked> = Vec::new();
        for line in text.lines() {
            if line == "[[package]]" {
                packages.push(Locked::default());
            }
            let (Some(package), Some((member, value))) =
                (packages.last_mut(), line.split_once(" = "))
            else {
                continue;
            };
            let value = value.trim_matches('"').to_owned();
            match member {
                "name" => package.name = value,
                "version" => package.version = value,
                "source" => package.source = Some(value),
                "checksum" => package.checksum = Some(value),
                _ => {}
            }
        }
        Lock(packages)
    }

    /// The package of this name and version.
    pub(crate) fn package(&self, name: &str, version: &str) -> Option<&Locked> {
        self.0
            .iter()
            .find(|package| package.name == name && package.version == version)
    }
}
