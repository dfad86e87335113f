//! Authorization endpoint: the sign-in page and the code it ends in.

use crate::answer::Answer;
use crate::call::Call;
use crate::form::{Form, query};
use crate::page::{self, escape};
use crate::random;
use crate::scope::Target;
use crate::store::Issuer;
use crate::tenant::Tenant;
use crate::ticket::{Kind, Ticket};
use crate::users::User;

/// Seconds a code is good for.
const CODE_LIFETIME: i64 = 600;

/// Parameters the page hands on to its own form.
const PARAMETERS: [&str; 10] = [
    "client_id",
    "response_type",
    "redirect_uri",
    "response_mode",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

/// `GET` shows the page; `POST` with a `user` answers the client. It redirects nowhere before it
/// knows the client and where its answers may go.
pub(crate) fn endpoint(issuer: &Issuer, call: &Call, tenant: &Tenant) -> Answer {
    let posted = call.method == "POST";
    let form = if posted { &call.form } else { &call.query };
    if let Err(text) = check_client(form) {
        return page::mistake(&text);
    }
    let refused = |error, text: &str| {
        respond(
            form,
            &[
                ("error", error),
                ("error_description", text),
                ("state", form.get("state")),
            ],
        )
    };
    if let Err((error, text)) = check(form) {
        return refused(error, &text);
    }
    match form.find("user") {
        Some(_) if call.is_foreign(&issuer.base) => {
            page::mistake("A page of another site sent this form.")
        }
        Some("") if posted => refused(
            "access_denied",
            "AADSTS65004: User declined to consent to access the app.",
        ),
        Some(name) if posted => match User::named(name) {
            Some(user) => grant(issuer, tenant, form, user),
            None => page::mistake("There is no such test user."),
        },
        // Nobody is ever signed in already.
        _ if form.get("prompt") == "none" => refused(
            "login_required",
            "AADSTS50058: A silent sign-in request was sent but no user is signed in.",
        ),
        _ => sign_in(form),
    }
}

/// What keeps the client from being told anything, if anything does.
fn check_client(form: &Form) -> Result<(), String> {
    for name in ["client_id", "redirect_uri"] {
        if form.get(name).is_empty() {
            return Err(format!("The parameter '{name}' is missing."));
        }
    }
    if !is_redirect_uri(form.get("redirect_uri")) {
        return Err(
            "The redirect_uri must be an https URL or an http URL on localhost.".to_owned(),
        );
    }
    if !matches!(
        form.get("response_mode"),
        "" | "query" | "fragment" | "form_post"
    ) {
        return Err("The response_mode must be query, fragment or form_post.".to_owned());
    }
    Ok(())
}

/// What the client is told to be wrong with its parameters, if anything (RFC 6749 section 4.1.2.1).
fn check(form: &Form) -> Result<(), (&'static str, String)> {
    let invalid = |text: &str| Err(("invalid_request", text.to_owned()));
    if form.get("response_type") != "code" {
        return Err((
            "unsupported_response_type",
            "The response_type must be 'code'.".to_owned(),
        ));
    }
    let scope = agreed_scope(form);
    if scope.is_empty() {
        return invalid(
            "AADSTS900144: The request body must contain the following parameter: 'scope'.",
        );
    }
    Target::read(&scope).map_err(|refusal| ("invalid_scope", refusal.text))?;
    let (challenge, method) = (
        form.get("code_challenge"),
        form.get("code_challenge_method"),
    );
    if !matches!(method, "" | "plain" | "S256") || (challenge.is_empty() && !method.is_empty()) {
        return invalid("The code_challenge_method must be S256 or plain.");
    }
    if !challenge.is_empty() && !(43..=128).contains(&challenge.len()) {
        return invalid("The code_challenge must have 43 to 128 characters.");
    }
    Ok(())
}

/// Visible ASCII only, so that it can go into a header; no user info, whose host misleads.
fn is_redirect_uri(uri: &str) -> bool {
    let visible = uri.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible || uri.contains(['#', '\\', '@', '"', '<', '>']) {
        return false;
    }
    let host = |rest: &str| rest.split(['/', '?']).next().unwrap_or("").to_owned();
    if let Some(rest) = uri.strip_prefix("https://") {
        return !host(rest).is_empty();
    }
    let Some(rest) = uri.strip_prefix("http://") else {
        return false;
    };
    let host = host(rest);
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
        let port = host.strip_prefix(name);
        port.is_some_and(|port| {
            port.is_empty()
                || port
                    .strip_prefix(':')
                    .is_some_and(|port| port.parse::<u16>().is_ok())
        })
    })
}

/// The scope; a v1.0 client names an API as `resource` instead.
fn agreed_scope(form: &Form) -> String {
    match (form.get("scope"), form.get("resource")) {
        (scope, "") => scope.to_owned(),
        (scope, resource) => format!("{scope} {resource}/.default"),
    }
}

fn sign_in(form: &Form) -> Answer {
    let pairs: Vec<(&str, &str)> = PARAMETERS
        .iter()
        .filter_map(|name| form.find(name).map(|value| (*name, value)))
        .collect();
    let content = format!(
        "<p>An application wants to act for you. Who are you?</p>\
         <form method=\"post\">{}{}\
         <p><button name=\"user\" value=\"\">Cancel</button></p></form>\
         <h2>What it asks for</h2><dl><dt>Client</dt><dd>{}</dd><dt>Scope</dt><dd>{}</dd>\
         <dt>Answer goes to</dt><dd>{}</dd></dl>",
        page::hidden(&pairs),
        page::user_buttons(),
        escape(form.get("client_id")),
        escape(&agreed_scope(form)),
        escape(form.get("redirect_uri")),
    );
    page::document(200, "Sign in", &content)
}

fn grant(issuer: &Issuer, tenant: &Tenant, form: &Form, user: &'static User) -> Answer {
    let ticket = Ticket {
        kind: Kind::Code,
        tenant: tenant.id.clone(),
        client_id: form.get("client_id").to_owned(),
        scope: agreed_scope(form),
        user: Some(user),
        redirect_uri: form.get("redirect_uri").to_owned(),
        nonce: form.get("nonce").to_owned(),
        challenge: form.get("code_challenge").to_owned(),
        plain: form.get("code_challenge_method") != "S256",
        ..Ticket::default()
    };
    let code = issuer.keep(ticket, CODE_LIFETIME);
    let session = random::guid();
    let pairs = [
        ("code", code.as_str()),
        ("state", form.get("state")),
        ("session_state", &session),
    ];
    respond(form, &pairs)
}

/// Answers the client in the response mode it chose.
fn respond(form: &Form, pairs: &[(&str, &str)]) -> Answer {
    let sent = |pair: &&(&str, &str)| pair.0 != "state" || form.find("state").is_some();
    let pairs: Vec<(&str, &str)> = pairs.iter().filter(sent).copied().collect();
    let uri = form.get("redirect_uri");
    let separator = match form.get("response_mode") {
        "form_post" => {
            let nonce = random::opaque::<16>();
            let content = format!(
                "<form method=\"post\" action=\"{}\">{}<button>Continue</button></form>\
                 <script nonce=\"{nonce}\">document.forms[0].submit()</script>",
                escape(uri),
                page::hidden(&pairs)
            );
            return page::scripted(200, "Signed in", &content, &nonce);
        }
        "fragment" => '#',
        _ if uri.contains('?') => '&',
        _ => '?',
    };
    Answer::redirect(format!("{uri}{separator}{}", query(&pairs)))
}
