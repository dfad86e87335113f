//! The packages of a build and what each needs, from `cargo tree` and Cargo.lock.

use crate::lock::{Lock, Locked};
use std::collections::{BTreeMap, BTreeSet};

/// How cargo is asked: of each package its depth, then what `Line` reads.
pub(crate) const TREE: [&str; 7] = [
    "tree",
    "--locked",
    "--no-dedupe",
    "--prefix",
    "depth",
    "--format",
    "{p}|{l}|{r}",
];

/// Name and version.
pub(crate) type Id = (String, String);

/// All of them, in the order of their names.
#[derive(Debug)]
pub(crate) struct Packages {
    pub(crate) root: Id,
    pub(crate) all: BTreeMap<Id, Package>,
}

/// One package.
#[derive(Debug)]
pub(crate) struct Package {
    /// Whether it is linked. The others only run while the handler is built.
    pub(crate) is_linked: bool,
    pub(crate) licence: String,
    pub(crate) repository: String,
    pub(crate) locked: Locked,
    pub(crate) needs: BTreeSet<Id>,
}

impl Packages {
    /// Takes the trees of what is linked and of that with build dependencies.
    pub(crate) fn of(linked: &str, all: &str, lock: &Lock) -> Result<Packages, String> {
        let linked: BTreeSet<Id> = linked
            .lines()
            .map(|line| Ok(Line::of(line)?.id))
            .collect::<Result<_, String>>()?;
        let mut packages = BTreeMap::new();
        let mut path: Vec<Id> = Vec::new();
        for line in all.lines().map(Line::of) {
            let Line {
                depth,
                id,
                licence,
                repository,
            } = line?;
            path.truncate(depth);
            if let Some(parent) = path.last() {
                let parent: &mut Package = packages
                    .get_mut(parent)
                    .ok_or("cargo tree: a package before its parent")?;
                parent.needs.insert(id.clone());
            }
            let locked = lock
                .package(&id.0, &id.1)
                .ok_or_else(|| format!("{} {} is not in Cargo.lock", id.0, id.1))?;
            packages.entry(id.clone()).or_insert_with(|| Package {
                is_linked: linked.contains(&id),
                licence,
                repository,
                locked: locked.clone(),
                needs: BTreeSet::new(),
            });
            path.push(id);
        }
        let root = path.into_iter().next().ok_or("cargo tree: empty")?;
        Ok(Packages {
            root,
            all: packages,
        })
    }

    /// Where a package stands in the order.
    pub(crate) fn index(&self, id: &Id) -> usize {
        self.all.range(..id).count()
    }
}

/// `2getrandom v0.2.17|MIT OR Apache-2.0|https://...`: depth, package, licence, repository.
struct Line {
    depth: usize,
    id: Id,
    licence: String,
    repository: String,
}

impl Line {
    fn of(line: &str) -> Result<Line, String> {
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut fields = line[digits..].splitn(3, '|');
        let (Ok(depth), Some(package), Some(licence), Some(repository)) = (
            line[..digits].parse(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return Err(format!("cargo tree: not understood: {line}"));
        };
        // After the version may come a path, or "(proc-macro)".
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (
            words.next(),
            words.next().and_then(|word| word.strip_prefix('v')),
        ) else {
            return Err(format!("cargo tree: not understood: {line}"));
        };
        // Older packages write a slash for OR, which SPDX does not know.
        let licence = licence.replace(" / ", " OR ").replace('/', " OR ");
        Ok(Line {
            depth,
            id: (name.to_owned(), version.to_owned()),
            licence,
            repository: repository.to_owned(),
        })
    }
}
