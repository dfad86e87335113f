//! The pages: their tables, and the commands and queries that a reader pastes.

use crate::issuer::{Issuer, claims};
use crate::support::table;
use crate::support::tokens::*;
use crate::support::*;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The text of all pages for users.
pub(crate) fn text() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = fs::read_dir(root.join("api")).expect("a folder");
    let mut pages: Vec<_> = folder
        .map(|entry| entry.expect("an entry").path())
        .collect();
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    pages.insert(0, root.join("README.md"));
    pages.push(root.join("tests/AUDIT.md"));
    let read = |page: &std::path::PathBuf| fs::read_to_string(page).expect("UTF-8");
    pages.iter().map(|page| read(page) + "\n").collect()
}

/// The cells of the table whose first row begins so.
pub(crate) fn table(start: &str) -> Vec<Vec<String>> {
    let text = text();
    let owned = |row: Vec<&str>| row.iter().map(|cell| cell.to_string()).collect();
    table::table(&text, start).into_iter().map(owned).collect()
}

/// The fenced blocks with this tag, in all pages or from this heading to the next of its level.
pub(crate) fn blocks(tag: &str, heading: &str) -> Vec<String> {
    let text = text();
    let start = text.find(heading).unwrap_or_else(|| panic!("no {heading}"));
    let level = heading.split(' ').next().filter(|level| !level.is_empty());
    let end = level.and_then(|level| text[start + 1..].find(&format!("\n{level} ")));
    let section = &text[start..end.map_or(text.len(), |end| start + 1 + end)];
    let fenced = section.split("```").skip(1).step_by(2);
    let tagged = fenced.filter_map(|block| block.strip_prefix(&format!("{tag}\n")));
    tagged.map(str::to_owned).collect()
}

/// `text` with one part replaced that is there once.
pub(crate) fn replaced(text: &str, part: &str, by: &str) -> String {
    assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    text.replace(part, by)
}

/// A shell into which somebody pastes.
struct Shell(Process);

impl Shell {
    fn start() -> Shell {
        let mut command = Command::new("bash");
        command.env("NO_PROXY", "*").stdin(Stdio::piped());
        Shell(Process::start_group(command))
    }

    /// Pastes a block and gives its output.
    fn paste(&mut self, block: &str) -> String {
        const END: &str = "= the block has ended =";
        let before = self.0.stdout.all().len();
        let stdin = self.0.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{block}\necho '{END}'").expect("bash reads");
        let mut lines = Vec::new();
        wait_until("the pasted block has ended", || {
            lines = self.0.stdout.all().split_off(before);
            lines.pop().is_some_and(|line| line == END)
        });
        lines.concat()
    }

    /// The token that a pasted block has set.
    fn token(&mut self) -> String {
        self.paste("echo \"$TOKEN\"; TOKEN=")
    }
}

#[test]
fn the_commands_get_tokens_that_are_accepted_for_what_they_permit() {
    let is_missing = |program: &&str| find_program(&[program], &[]).is_none();
    if let Some(missing) = ["bash", "curl", "openssl"].into_iter().find(is_missing) {
        return say(&format!(
            "no {missing}: the commands of the pages are not tested"
        ));
    }
    let blocks = blocks("", "## Getting a token");
    let [entra, local, program, browser, address, ..] = &blocks[..] else {
        panic!("{} blocks", blocks.len());
    };
    let (issuer, mut shell) = (Issuer::start(), Shell::start());
    shell.paste(entra);
    shell.paste(&replaced(local, "http://localhost:8400", &issuer.base()));
    shell.paste(program);
    let program_token = shell.token();

    // The browser: a person picks a user, and ends at the redirect URI.
    let page = shell.paste(browser);
    let form = page.split_once('?').expect("an address with a query").1;
    let sent = issuer.post("oauth2/v2.0/authorize", &format!("{form}&user=alice"));
    let ended_at = sent.header("Location").expect("a Location");
    shell.paste(&replaced(
        address,
        "http://localhost:8000/?code=...",
        ended_at,
    ));
    let browser_token = shell.token();

    let api = ("API_AUDIENCE", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    let role = issuer.handler(&[api, ("REQUIRED_ROLES", "access_as_application")]);
    let scope = issuer.handler(&[api, ("REQUIRED_SCOPES", "user_impersonation")]);
    let tokens = [
        (program_token, &role, &scope),
        (browser_token, &scope, &role),
    ];
    for (token, accepting, refusing) in tokens {
        let response = accepting.api(&token);
        assert_eq!((response.status, &response.body), (200, &claims(&token)));
        assert_eq!(
            response.json()["azp"],
            "bbbbbbbb-0000-0000-0000-000000000001"
        );
        refusing.api(&token).must_be(403, "insufficient_scope");
    }
}

/// Every member of a line that the queries read, such as `token.client`.
fn members(query: &str) -> Vec<&str> {
    let is_outside = |char: char| !char.is_ascii_alphanumeric() && !"_.".contains(char);
    let reads = query.split("line.").skip(1);
    reads
        .filter_map(|rest| rest.split(is_outside).next())
        .collect()
}

#[test]
fn the_queries_read_members_that_the_log_lines_have() {
    let queries = blocks("kusto", "").concat();
    let (handler, _keys) = serving(&[("AUDIT_LOG", "all")]);
    for token in [good(), signed(&with(v2(), "exp", 0))] {
        let bearer = format!("Bearer {token}");
        let invocation = ("X-Azure-Functions-InvocationId", "d5e1f0a2");
        handler.ask("GET", "/api", &[("Authorization", &bearer), invocation]);
    }
    let (mut lines, _) = handler.into_lines();
    let parse = |line: &String| serde_json::from_str::<Value>(line).expect("JSON");
    let decisions: Vec<Value> = lines.iter().map(parse).collect();
    let failing = Handler::with_keys(&KeyServer::start(Reply::close()), &[]);
    wait_until("the fetch has failed", || {
        failing.stderr.count("fetched") > 0
    });
    lines.extend(failing.into_lines().1);

    let members = members(&queries);
    assert!(members.len() >= 9, "{members:?}");
    for path in members {
        let pointer = format!("/{}", path.replace('.', "/"));
        let has_it = decisions
            .iter()
            .filter_map(|line| line.pointer(&pointer))
            .count()
            > 0;
        assert!(has_it, "no line has {path}: {decisions:?}");
    }
    let starts: Vec<&str> = queries.split("message startswith ").skip(1).collect();
    assert_eq!(starts.len(), 2, "{queries}");
    for start in starts {
        let start = start[1..]
            .split(&start[..1])
            .next()
            .expect("a text in quotes");
        assert!(
            lines.iter().any(|line| line.starts_with(start)),
            "{start}: {lines:?}"
        );
    }
    assert!(queries.contains(r#"decision == "denied""#), "{queries}");
}

/// The texts in Rust that are compiled and tested, each without the indentation of its lines.
fn compiled() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("UTF-8");
    let tables = read("tests/api/tables/mod.rs");
    let named = tables.lines().filter_map(|line| {
        let example = line.strip_prefix("#[path = \"../../")?;
        Some(format!("tests/{}", example.strip_suffix("\"]")?))
    });
    let tests = ["tests/endpoints/main.rs", "tests/api/tests/readme.rs"];
    let paths = named.chain(tests.map(str::to_owned));
    paths.map(|path| lines(&read(&path))).collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn code_in_rust_stands_in_a_file_that_is_compiled_and_tested() {
    let (blocks, files) = (blocks("rust", ""), compiled());
    assert_eq!(blocks.len(), text().matches("```rust").count());
    assert!(blocks.len() > 4, "{blocks:?}");
    for block in blocks {
        let block = lines(&block);
        let has_it = |file: &Vec<String>| file.windows(block.len()).any(|part| part == block);
        assert!(files.iter().any(has_it), "{}", block.join("\n"));
    }
}
