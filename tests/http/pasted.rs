//! Commands and queries of the README that a reader pastes, against the running programs.

use crate::client::request;
use crate::harness::{Handler, Lines, wait_until};
use crate::issuer::{Issuer, claims};
use crate::key_server::{KeyServer, Reply};
use crate::tokens::*;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Child, Command, Stdio};

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a section; `language` is what stands behind the fence.
fn blocks(section: &str, language: &str) -> Vec<&'static str> {
    let start = README
        .find(&format!("\n{section}\n"))
        .expect("the section is there")
        + 1;
    let text = &README[start..];
    let level = section.split(' ').next().expect("a heading");
    let text = &text[..text[1..]
        .find(&format!("\n{level} "))
        .map_or(text.len(), |end| end + 1)];
    let fenced = text.split("```").skip(1).step_by(2);
    fenced
        .filter_map(|block| block.split_once('\n'))
        .filter(|(tag, _)| *tag == language)
        .map(|(_, code)| code)
        .collect()
}

// ---- tokens ------------------------------------------------------------------------------------

/// A shell into which somebody pastes.
struct Shell {
    child: Child,
    stdout: Lines,
}

impl Shell {
    fn start() -> Shell {
        let mut command = Command::new("bash");
        command
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("there is a bash");
        let stdout = Lines::of(child.stdout.take().expect("piped"));
        Shell { child, stdout }
    }

    /// Pastes a block; what it prints.
    fn paste(&mut self, block: &str) -> Vec<String> {
        const END: &str = "= the block has ended =";
        let before = self.stdout.all().len();
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{block}\necho '{END}'").expect("bash reads");
        let mut lines = Vec::new();
        wait_until("the pasted block has ended", || {
            lines = self.stdout.all().split_off(before);
            lines.pop().is_some_and(|line| line == END)
        });
        lines
    }

    /// The token that a pasted block has set.
    fn token(&mut self) -> String {
        self.paste("echo \"$TOKEN\"; TOKEN=").concat()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the programs are there that a reader needs for it.
fn has_programs() -> bool {
    let runs = |name: &&str| {
        Command::new(name)
            .arg("--help")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    let missing: Vec<_> = ["bash", "curl", "openssl"]
        .into_iter()
        .filter(|name| runs(name).is_err())
        .collect();
    if !missing.is_empty() {
        println!("skipped: {missing:?} are not installed");
    }
    missing.is_empty()
}

#[test]
fn the_readme_s_commands_get_tokens_that_say_what_its_table_says() {
    if !has_programs() {
        return;
    }
    let blocks = blocks("## Getting a token", "");
    let [
        entra,
        local,
        program,
        browser,
        address,
        device,
        device_done,
        _az,
    ] = blocks[..]
    else {
        panic!("{} blocks", blocks.len());
    };
    let issuer = Issuer::start();
    let mut shell = Shell::start();
    shell.paste(entra);
    assert!(local.contains("http://localhost:8400/"), "{local}");
    shell.paste(&local.replace("http://localhost:8400", &issuer.base()));

    shell.paste(program);
    let program_token = shell.token();

    // The browser: a person picks a user, and ends at the redirect URI.
    let page = shell.paste(browser).concat();
    let form = page.split_once('?').expect("an address with a query").1;
    let sent = issuer.post(
        &format!("/{TENANT}/oauth2/v2.0/authorize"),
        &format!("{form}&user=alice"),
    );
    let ended_at = sent.header("Location").expect("a Location");
    assert!(
        address.contains("'http://localhost:8000/?code=...'"),
        "{address}"
    );
    shell.paste(&address.replace("http://localhost:8000/?code=...", ended_at));
    let browser_token = shell.token();

    let message = shell.paste(device).concat();
    let user_code = message
        .split("enter the code ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .expect("a code");
    let done = issuer.post(
        &format!("/{TENANT}/oauth2/deviceauth"),
        &format!("user_code={user_code}&user=bob"),
    );
    assert_eq!(done.status, 200, "{done:?}");
    shell.paste(device_done);
    let device_token = shell.token();

    let api = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    let plain = issuer.handler(&[("API_AUDIENCE", api)]);
    let role = issuer.handler(&[
        ("API_AUDIENCE", api),
        ("REQUIRED_ROLES", "access_as_application"),
    ]);
    let scope = issuer.handler(&[
        ("API_AUDIENCE", api),
        ("REQUIRED_SCOPES", "user_impersonation"),
    ]);
    for (token, permission, value, accepting, refusing) in [
        (
            &program_token,
            "roles",
            json!(["access_as_application"]),
            &role,
            &scope,
        ),
        (
            &browser_token,
            "scp",
            json!("user_impersonation"),
            &scope,
            &role,
        ),
        (
            &device_token,
            "scp",
            json!("user_impersonation"),
            &scope,
            &role,
        ),
    ] {
        let claims: Value = serde_json::from_str(&claims(token)).expect("JSON");
        assert_eq!(
            (&claims["ver"], &claims["aud"], &claims[permission]),
            (&json!("2.0"), &json!(api), &value)
        );
        assert_eq!(claims["azp"], "bbbbbbbb-0000-0000-0000-000000000001");
        assert_eq!(
            (plain.api(token).status, accepting.api(token).status),
            (200, 200)
        );
        refusing.api(token).must_be(403, "insufficient_scope");
    }
}

// ---- queries -----------------------------------------------------------------------------------

/// Every member of a line that the queries read, such as `token.client`.
fn members(query: &str) -> Vec<&str> {
    let is_outside = |char: char| !char.is_ascii_alphanumeric() && char != '_' && char != '.';
    query
        .split("line.")
        .skip(1)
        .filter_map(|rest| rest.split(is_outside).next())
        .collect()
}

/// What the queries take for the beginning of a line, without its quotes.
fn prefixes(query: &str) -> Vec<&str> {
    let quoted = query.split("message startswith ").skip(1);
    quoted
        .map(|rest| {
            rest[1..]
                .split(&rest[..1])
                .next()
                .expect("a text in quotes")
        })
        .collect()
}

/// Lines of a handler that has accepted, refused, and failed to fetch keys.
fn real_lines() -> (Vec<Value>, Vec<String>) {
    let keys = KeyServer::with(set(&[1]));
    let handler = Handler::with_keys(&keys, &[("AUDIT_LOG", "all")]);
    let invoked = |token: &str| {
        let (authorization, mut client) = (format!("Bearer {token}"), handler.connect());
        let headers = [
            ("Authorization", &*authorization),
            ("X-Azure-Functions-InvocationId", "d5e1f0a2"),
        ];
        client.send(request("GET", "/api", &headers));
        client.answer().status
    };
    assert_eq!(
        (invoked(&good()), invoked(&signed(&with(v2(), "exp", 0)))),
        (200, 401)
    );
    let (mut lines, _) = handler.into_lines();
    let decisions = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();

    let failing = KeyServer::start(Reply::Status(500, String::new()));
    let handler = Handler::with_keys(&failing, &[]);
    wait_until("the fetch has failed", || {
        handler.stderr.count("fetched") > 0
    });
    lines.extend(handler.into_lines().1);
    (decisions, lines)
}

#[test]
fn the_readme_s_queries_read_what_the_log_lines_have() {
    let queries = blocks("## Running it", "kusto").concat();
    let (decisions, lines) = real_lines();
    let members = members(&queries);
    assert!(members.len() >= 9, "{members:?}");
    for path in members {
        let pointer = format!("/{}", path.replace('.', "/"));
        let found = decisions
            .iter()
            .any(|line| line.pointer(&pointer).is_some_and(|value| !value.is_null()));
        assert!(found, "no line has {path}: {decisions:?}");
    }
    let prefixes = prefixes(&queries);
    assert_eq!(prefixes.len(), 2, "{prefixes:?}");
    for prefix in prefixes {
        assert!(
            lines.iter().any(|line| line.starts_with(prefix)),
            "no line begins with {prefix}: {lines:?}"
        );
    }
    assert!(
        queries.contains(r#"decision == "denied""#)
            && decisions.iter().any(|line| line["decision"] == "denied")
    );
}
