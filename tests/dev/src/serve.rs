//! The handler with a local issuer, or with two, until Ctrl-C.

use crate::Result;
use crate::console::bold;
use crate::handler::{self, Handler};
use crate::issuer::{API, CLIENT, Issuer, Options, USER};
use std::env;
use std::sync::Arc;

/// The tenant of the second issuer.
const SECOND_TENANT: &str = "99999999-8888-7777-6666-555555555555";

/// Ends when the handler does.
pub(crate) fn run(program: &str, has_second: bool) -> Result {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let port: u16 = port
        .parse()
        .map_err(|_| format!("PORT={port} is no port"))?;
    let call = format!("http://localhost:{port}/api");
    let keys = if has_second {
        vec![1, 2]
    } else {
        Options::default().keys
    };
    let first = start(8400, || Options {
        call: call.clone(),
        keys: keys.clone(),
        ..Options::default()
    })?;
    let second = has_second.then(|| {
        start(8401, || Options {
            tenant: SECOND_TENANT.to_owned(),
            call: call.clone(),
            keys: vec![3, 4],
            kid: "second-".to_owned(),
            ..Options::default()
        })
    });
    let second = second.transpose()?;
    let issuers: Vec<&Issuer> = [Some(&first), second.as_ref()]
        .into_iter()
        .flatten()
        .map(|issuer| &**issuer)
        .collect();

    let settings = settings(&issuers);
    let mut handler = Handler::start(&mut handler::command(program, &settings, true), port)
        .map_err(|error| {
            format!("port {port}: {error}. End the ./build.sh dev or the handler that has it, or take another: PORT=3001 ./build.sh dev")
        })?;
    print_help(program, &call, port, &settings, &issuers);
    Err(format!("the handler has stopped: {}", handler.wait()?).into())
}

/// On this port, or on a free one.
fn start(port: u16, options: impl Fn() -> Options) -> Result<Arc<Issuer>> {
    Issuer::start(Options { port, ..options() }).or_else(|_| Issuer::start(options()))
}

/// The settings that make the handler trust these issuers, in tokens of both versions.
pub(crate) fn settings(issuers: &[&Issuer]) -> Vec<(&'static str, String)> {
    let accepted: Vec<String> = issuers.iter().flat_map(|issuer| issuer.issuers()).collect();
    let mut keys: Vec<String> = issuers
        .iter()
        .flat_map(|issuer| [issuer.jwks_uri(), issuer.jwks_uri()])
        .collect();
    if let [_] = issuers {
        keys.truncate(1);
    }
    vec![
        ("TENANT_ID", issuers[0].options.tenant.clone()),
        ("API_AUDIENCE", format!("{API},api://{API}")),
        ("AUTHORITY_HOST", issuers[0].base.clone()),
        ("ISSUERS", accepted.join(",")),
        ("JWKS_URI", keys.join(",")),
    ]
}

fn print_help(
    program: &str,
    call: &str,
    port: u16,
    settings: &[(&str, String)],
    issuers: &[&Issuer],
) {
    let user = format!(
        "-d grant_type=password -d username={USER} -d password=any -d client_id={CLIENT} \
         -d scope=api://{API}/user_impersonation"
    );
    let app = format!(
        "-d grant_type=client_credentials -d client_id={CLIENT} -d client_secret=demo -d scope=api://{API}/.default"
    );
    let set_token = |issuer: &Issuer, form: &str| {
        let token = r#"sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'"#;
        format!("TOKEN=$(curl -s {} {form} | {token})", issuer.token_url())
    };
    let call = format!("curl -i {call} -H \"Authorization: Bearer $TOKEN\"");
    let show = |title: &str, lines: &[&str]| println!("\n{}\n{}", bold(title), lines.join("\n"));

    show(
        "Sign in with a browser and see the claims",
        &[&format!("  {}/", issuers[0].base)],
    );
    show("As a user", &[&set_token(issuers[0], &user), &call]);
    show("As a program", &[&set_token(issuers[0], &app), &call]);
    if let [first, second] = issuers {
        show(
            "As a user of the second issuer",
            &[&set_token(second, &user), &call],
        );
        let mixed = format!("{user} -d iss={}", first.issuers()[0]);
        let title = "A token of the second issuer that says to be from the first: refused";
        show(title, &[&set_token(second, &mixed), &call]);
    }
    let export: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let export = format!("export {}", export.join(" "));
    show(
        "Why a token is accepted or refused",
        &[&export, &format!("echo \"$TOKEN\" | {program} check")],
    );
    let func = format!("func host start --port {}", port + 1);
    show(
        "The same under the Functions host: that export line, which wins over local.settings.json, and",
        &[&func],
    );
    println!("\nCtrl-C ends it. The handler logs refusals here:\n");
}
