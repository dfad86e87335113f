//! The binary as it is shipped needs nothing beside it. The environment variable `HANDLER` names
//! it, for `cargo test` builds another:
//!
//! `./build.sh && HANDLER=$PWD/handler cargo test --test http shipped -- --nocapture`

use crate::support::tokens::*;
use crate::support::*;
use std::process::Command;

#[test]
fn it_serves_and_checks_in_an_empty_root() {
    let Ok(path) = std::env::var("HANDLER") else {
        return println!("skipped: HANDLER names no binary");
    };
    let root = Folder::new("root");
    // By a process of its own: while this one has the copy open, whatever it starts has it too,
    // and a file that is open for writing does not run.
    let copied = Command::new("cp")
        .arg(&path)
        .arg(root.file("handler"))
        .status();
    assert!(copied.expect("cp runs").success(), "{path} is copied");
    std::fs::write(root.file("keys.json"), set(&[1])).expect("a key file");
    let script = format!(
        "PATH=$PATH:/usr/sbin:/sbin; exec chroot '{}' /handler",
        root.file("")
    );
    let check = Setup::new("/keys.json").script(&(script.clone() + " check"));
    let Outcome { stdout, stderr, .. } = check.run(good());
    // Only root may change the root, and a binary that is not static has no loader there.
    if stdout.is_empty() && stderr.starts_with("chroot: ") {
        return println!("skipped: {stderr}");
    }
    assert!(
        stdout.ends_with(
            "\naccepted: the server would let it pass, unless its route needs more (--route)\n"
        ),
        "{stdout}"
    );

    let keys = KeyServer::with(set(&[1]));
    for jwks_uri in ["/keys.json", &keys.url()] {
        let handler = Setup::new(jwks_uri).script(&script).start();
        assert_eq!(handler.get("/public").status, 200);
        assert_eq!(handler.api(&good()).json()["aud"], AUDIENCE);
        handler.api(&(good() + "A")).must_be(401, "invalid_header");
    }
    assert_eq!(keys.fetches(), 1);
}
