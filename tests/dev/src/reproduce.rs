//! Builds twice below a temporary folder. The builds share nothing but the tools and the downloaded packages.

use crate::{Result, console};
use ring::digest::{SHA256, digest};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Left behind when the folder is copied.
const OUTPUTS: [&str; 6] = [
    "target",
    ".git",
    "handler",
    "handler.exe",
    "mutants.out",
    "mutants.out.old",
];

/// A place to build in, and its circumstances.
struct Elsewhere {
    folder: PathBuf,
    cargo_home: &'static str,
    umask: &'static str,
    environment: Vec<(&'static str, String)>,
}

/// Compares both binaries, and the handler here if there is one.
pub(crate) fn run(handler: &str) -> Result {
    let work = env::temp_dir().join(format!("reproduce-{}", std::process::id()));
    println!(
        "building twice below {}: other folders, CARGO_HOME, HOME, TMPDIR, time zone, date, umask, jobs",
        work.display()
    );
    let text = |text: &str| text.to_owned();
    let second = work.join("2, in a folder with a longer name, and deeper/here");
    let places = [
        Elsewhere {
            folder: work.join("1"),
            cargo_home: "cargo",
            umask: "022",
            environment: vec![
                ("TZ", text("Pacific/Kiritimati")),
                ("LC_ALL", text("C")),
                ("SOURCE_DATE_EPOCH", text("1")),
            ],
        },
        Elsewhere {
            cargo_home: "another cargo home",
            umask: "077",
            environment: vec![
                ("TZ", text("America/St_Johns")),
                ("LC_ALL", text("C.UTF-8")),
                ("SOURCE_DATE_EPOCH", text("4000000000")),
                ("CARGO_BUILD_JOBS", text("1")),
                (
                    "CARGO_TARGET_DIR",
                    second.join("of the compiler").display().to_string(),
                ),
            ],
            folder: second,
        },
    ];
    let built: Vec<Result<Vec<u8>>> = thread::scope(|scope| {
        let builds = places
            .each_ref()
            .map(|place| scope.spawn(|| place.build(handler)));
        builds.map(|build| build.join().expect("no panic")).into()
    });
    let [first, second]: [Vec<u8>; 2] = built
        .into_iter()
        .collect::<Result<Vec<_>>>()?
        .try_into()
        .expect("two");
    println!("{}  first\n{}  second", sha256(&first), sha256(&second));
    if first != second {
        return Err(format!(
            "{}; they stay below {}",
            difference(&first, &second),
            work.display()
        )
        .into());
    }
    fs::remove_dir_all(&work)?;
    if let Ok(here) = fs::read(handler) {
        println!("{}  {handler}", sha256(&here));
        if here != first {
            let difference = difference(&first, &here);
            let advice = "it is of other sources (./build.sh builds it from these) or other tools";
            return Err(format!(
                "the two builds are equal, but {handler} is another: {advice}; {difference}"
            )
            .into());
        }
    }
    println!("{}", console::good("equal"));
    Ok(())
}

impl Elsewhere {
    fn build(&self, handler: &str) -> Result<Vec<u8>> {
        let tree = self.folder.join("tree");
        copy(Path::new("."), &tree, &OUTPUTS)?;
        let (home, temporary) = (self.folder.join("home"), self.folder.join("temporary"));
        let cargo_home = self.folder.join(self.cargo_home);
        fs::create_dir_all(&home)?;
        fs::create_dir_all(&temporary)?;
        fs::create_dir_all(cargo_home.join("registry"))?;
        // The downloads are used again, so that no network is needed; they are unpacked anew.
        for part in ["registry/index", "registry/cache", "config.toml"] {
            let there = in_home("CARGO_HOME", ".cargo").join(part);
            if there.exists() {
                link(&there, &cargo_home.join(part))?;
            }
        }
        let mut build = Command::new("sh");
        build
            .args(["-c", "umask $0 && exec bash build.sh", self.umask])
            .current_dir(&tree);
        build
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_NET_OFFLINE", "true");
        build.env("RUSTUP_HOME", in_home("RUSTUP_HOME", ".rustup"));
        build
            .env("HOME", home)
            .env("TMPDIR", temporary)
            .env("CARGO_HOME", cargo_home);
        let output = build
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()?;
        if !output.status.success() {
            return Err(format!(
                "a build failed:\n{}",
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
        }
        Ok(fs::read(tree.join(handler))?)
    }
}

fn in_home(variable: &str, folder: &str) -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(folder);
    env::var_os(variable).map_or_else(home, PathBuf::from)
}

fn copy(from: &Path, to: &Path, without: &[&str]) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if without.iter().any(|output| name == *output) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to.join(name), &["target"])?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(there: &Path, here: &Path) -> Result {
    Ok(std::os::unix::fs::symlink(there, here)?)
}

#[cfg(not(unix))]
fn link(there: &Path, here: &Path) -> Result {
    if there.is_dir() {
        return copy(there, here, &[]);
    }
    fs::copy(there, here)?;
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn difference(first: &[u8], second: &[u8]) -> String {
    let bytes = first
        .iter()
        .zip(second)
        .filter(|(first, second)| first != second)
        .count();
    format!(
        "{bytes} bytes differ, of {} and {}",
        first.len(),
        second.len()
    )
}
