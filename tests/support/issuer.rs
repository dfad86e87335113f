//! The local issuer of the development program, as a child process.

use super::cargo::built;
use super::process::{Process, wait_until};
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

/// The application id of the API that its tokens are for.
pub const API: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

pub struct Issuer {
    _process: Process,
    /// Scheme, host and port.
    pub base: String,
}

impl Issuer {
    /// Starts it on a free port, with these options.
    pub fn start(options: &[&str]) -> Issuer {
        static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| built(&["--package", "dev"]));
        let mut command = Command::new(&*PROGRAM);
        command.arg("issuer").args(options);
        let process = Process::start(command);
        let mut base = None;
        wait_until("the issuer listens", || {
            let said = process.stdout.all().concat();
            base = said
                .rsplit_once("listening on ")
                .map(|(_, base)| base.to_owned());
            base.is_some()
        });
        let base = base.expect("waited for");
        Issuer {
            _process: process,
            base,
        }
    }

    /// The v2.0 issuer of this tenant.
    pub fn of(&self, tenant: &str) -> String {
        format!("{}/{tenant}/v2.0", self.base)
    }
}
