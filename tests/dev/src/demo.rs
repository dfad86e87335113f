//! The demo: a local issuer and the handler, and calls whose responses are shown and checked.

use crate::client::{self, Response};
use crate::console::{bad, bold, good, with_short_tokens};
use crate::handler::{self, Handler};
use crate::issuer::{API, CLIENT, Issuer, Options, TENANT, USER};
use crate::{Result, serve};
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};

/// Fails when a response is not as expected.
pub(crate) fn run(program: &str) -> Result {
    let issuer = Issuer::start(Options::default())?;
    let settings = serve::settings(&[&issuer]);
    let port = handler::free_port()?;
    let mut command = handler::command(program, &settings, false);
    let _handler = Handler::start(command.stdout(Stdio::null()), port)?;
    let mut demo = Demo {
        api: format!("http://localhost:{port}/api"),
        token_url: issuer.token_url(),
        wrong: 0,
    };

    demo.title("An open endpoint asks for nothing");
    demo.call(
        &format!("http://localhost:{port}/public"),
        None,
        200,
        &["Public endpoint - open to all"],
    )?;

    demo.title("The API asks for a token");
    demo.call_api(None, 401, &["authorization_header_missing"])?;

    demo.title("A program gets a token for itself");
    let scope = format!("api://{API}/.default");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", CLIENT),
        ("client_secret", "demo"),
    ];
    let app_token = demo.token(&[&form[..], &[("scope", &scope)]].concat())?;

    demo.title("With it the API answers with the claims");
    demo.call_api(Some(&app_token), 200, &[TENANT, CLIENT])?;

    demo.title("A program gets a token for a user");
    let scope = format!("api://{API}/user_impersonation");
    let form = [
        ("grant_type", "password"),
        ("username", USER),
        ("password", "any"),
        ("client_id", CLIENT),
    ];
    let user_token = demo.token(&[&form[..], &[("scope", &scope)]].concat())?;

    demo.title("With it the claims are those of the user");
    demo.call_api(Some(&user_token), 200, &[USER, "user_impersonation"])?;

    demo.title("The same token, one character of its signature changed");
    let damaged = damaged(&user_token);
    demo.call_api(Some(&damaged), 401, &["invalid_header"])?;

    demo.title("Which check refused it");
    demo.check(handler::check_command(program, &settings), &damaged)?;

    if demo.wrong > 0 {
        return Err(format!("{} answers were NOT as expected", demo.wrong).into());
    }
    println!("\n{}", bold("Every answer was as expected."));
    println!("Next: ./build.sh dev serves the same for you to call, until Ctrl-C.");
    Ok(())
}

struct Demo {
    api: String,
    token_url: String,
    wrong: u32,
}

impl Demo {
    fn title(&self, text: &str) {
        println!("\n{}", bold(text));
    }

    fn call_api(&mut self, token: Option<&str>, status: u16, texts: &[&str]) -> Result {
        self.call(&self.api.clone(), token, status, texts)
    }

    /// Shows the call as the command that a person would type.
    fn call(&mut self, url: &str, token: Option<&str>, status: u16, texts: &[&str]) -> Result {
        let header = token.map_or_else(String::new, |token| {
            format!(" -H \"Authorization: Bearer {token}\"")
        });
        println!("$ curl -i {url}{}", with_short_tokens(&header));
        let response = client::send(url, token, None)?;
        let shown = ["http/", "www-authenticate:", "retry-after:"];
        let is_shown = |line: &&str| {
            shown
                .iter()
                .any(|start| line.to_ascii_lowercase().starts_with(start))
        };
        response
            .head
            .lines()
            .filter(is_shown)
            .for_each(|line| println!("{line}"));
        self.expect(
            &response.status.to_string(),
            &response.body,
            &status.to_string(),
            texts,
        );
        Ok(())
    }

    fn token(&mut self, form: &[(&str, &str)]) -> Result<String> {
        let shown = form
            .iter()
            .map(|(name, value)| format!(" -d {name}={value}"));
        println!("$ curl -s {}{}", self.token_url, shown.collect::<String>());
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let Response { status, body, .. } = client::send(&self.token_url, None, Some(&form))?;
        self.expect(&status.to_string(), &body, "200", &["access_token"]);
        let body: Value = serde_json::from_str(&body)?;
        Ok(body["access_token"]
            .as_str()
            .ok_or("no access_token")?
            .to_owned())
    }

    fn check(&mut self, mut command: Command, token: &str) -> Result {
        let program = command.get_program().to_string_lossy();
        println!("$ echo {} | {program} check", with_short_tokens(token));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        stdin.ok_or("no pipe")?.write_all(token.as_bytes())?;
        let output = child.wait_with_output()?;
        let status = format!("exit status {}", output.status.code().unwrap_or(-1));
        let text = String::from_utf8_lossy(&output.stdout);
        self.expect(&status, &text, "exit status 1", &["FAIL  signature"]);
        Ok(())
    }

    fn expect(&mut self, found: &str, body: &str, expected: &str, texts: &[&str]) {
        println!("{}", with_short_tokens(body.trim_end()));
        let expectation = format!("{expected} {}", texts.join(" "));
        if found == expected && texts.iter().all(|text| body.contains(text)) {
            println!("{}: {expectation}", good("as expected"));
        } else {
            println!(
                "{}: {found} instead of {expectation}",
                bad("NOT as expected")
            );
            self.wrong += 1;
        }
    }
}

/// The token with another character in the middle of its signature.
fn damaged(token: &str) -> String {
    let middle = (token.rfind('.').map_or(0, |dot| dot + 1) + token.len()) / 2;
    let other = if &token[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..middle], &token[middle + 1..])
}
