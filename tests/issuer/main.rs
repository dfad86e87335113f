//! Local issuer: a development program with the endpoints of Microsoft Entra ID on loopback.
//! Its keys are public, it knows no passwords, and nothing real may trust its tokens.

mod answer;
mod authorize;
mod call;
mod claims;
mod clock;
mod device;
mod form;
mod issued;
mod metadata;
mod options;
mod page;
mod random;
mod scope;
mod signin;
mod store;
mod tenant;
mod ticket;
mod token;
mod users;

#[path = "../support/mint.rs"]
mod mint;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use answer::{Answer, Refusal};
use call::Call;
use claims::Version::{V1, V2};
use options::Options;
use store::Issuer;
use tenant::Tenant;

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("issuer: {message}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("issuer: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> Result<(), String> {
    let server = tiny_http::Server::http(("127.0.0.1", options.port))
        .map_err(|error| format!("cannot listen on port {}: {error}", options.port))?;
    let address = server.server_addr().to_ip().ok_or("not an IP socket")?;
    let base = format!("http://localhost:{}", address.port());
    let issuer = Arc::new(Issuer::new(base, options));

    println!("issuer listening on {}", issuer.base);
    std::io::stdout()
        .flush()
        .map_err(|error| error.to_string())?;

    // A thread per request: a client that stalls in its body holds up nobody else.
    for request in server.incoming_requests() {
        let issuer = Arc::clone(&issuer);
        std::thread::spawn(move || handle(&issuer, request));
    }
    Ok(())
}

fn handle(issuer: &Issuer, mut request: tiny_http::Request) {
    let answer = match Call::read(&mut request) {
        Ok(call) => {
            let answer = route(issuer, &call).unwrap_or_else(|refusal| refusal.answer());
            if issuer.options.verbose {
                // No query: it may hold a code.
                eprintln!(
                    "{} /{} {}",
                    call.method,
                    call.segments.join("/"),
                    answer.status
                );
            }
            answer
        }
        Err(refusal) => refusal.answer(),
    };
    answer.send(request);
}

fn route(issuer: &Issuer, call: &Call) -> Result<Answer, Refusal> {
    const CONFIGURATION: &str = "openid-configuration";
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", [""]) => Ok(signin::index(issuer)),
        ("GET", ["signin"]) => Ok(signin::redeem(issuer, call)),
        ("POST", ["rotate"]) => Ok(metadata::rotate(issuer)),
        (_, ["rotate"]) => Ok(Answer::wrong_method("POST")),

        ("GET", [tenant, "v2.0", ".well-known", CONFIGURATION]) => {
            Ok(metadata::configuration(issuer, &Tenant::named(tenant)?, V2))
        }
        ("GET", [tenant, ".well-known", CONFIGURATION])
        | ("GET", ["sts", tenant, ".well-known", CONFIGURATION]) => {
            Ok(metadata::configuration(issuer, &Tenant::named(tenant)?, V1))
        }
        ("GET", [tenant, "discovery", "v2.0", "keys"]) => {
            Tenant::named(tenant).map(|_| metadata::keys(issuer, V2))
        }
        ("GET", [tenant, "discovery", "keys"]) => {
            Tenant::named(tenant).map(|_| metadata::keys(issuer, V1))
        }

        ("POST", [tenant, "oauth2", "v2.0", "token"]) => {
            token::endpoint(issuer, call, &Tenant::named(tenant)?, V2)
        }
        ("POST", [tenant, "oauth2", "token"]) => {
            token::endpoint(issuer, call, &Tenant::named(tenant)?, V1)
        }
        ("POST", [tenant, "oauth2", "v2.0", "devicecode"]) => {
            device::start(issuer, call, &Tenant::named(tenant)?)
        }
        (_, [_, "oauth2", "v2.0", "token" | "devicecode"] | [_, "oauth2", "token"]) => {
            Ok(Answer::wrong_method("POST"))
        }
        ("GET" | "POST", [tenant, "oauth2", "deviceauth"]) => {
            Ok(device::approve(issuer, call, &Tenant::named(tenant)?))
        }
        (
            "GET" | "POST",
            [tenant, "oauth2", "v2.0", "authorize"] | [tenant, "oauth2", "authorize"],
        ) => Ok(authorize::endpoint(issuer, call, &Tenant::named(tenant)?)),
        _ => Ok(Answer::not_found()),
    }
}
