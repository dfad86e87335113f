//! Index page, and the redirect URI of a test client: from a browser alone to claims.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::answer::Answer;
use crate::call::Call;
use crate::claims::Version;
use crate::clock;
use crate::form::{Form, query};
use crate::page::{self, escape};
use crate::random;
use crate::store::{Issuer, SignIn};
use crate::tenant::Tenant;
use crate::token::Ask;

/// Application ID of the test client.
const CLIENT: &str = "cccccccc-1111-2222-3333-dddddddddddd";

/// Application ID of the test API.
const API: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// Seconds a sign-in begun on the index page may take.
const SIGN_IN_LIFETIME: i64 = 3600;

/// The only script: calls the API with the token of the page and shows what it answers.
const SCRIPT: &str = "\
const button=document.getElementById('call'),shown=document.getElementById('answer');\
button.onclick=async()=>{shown.textContent='…';try{\
const answer=await fetch(button.dataset.api,{headers:{Authorization:\
'Bearer '+document.getElementById('token').value.trim()}});let text=await answer.text();\
try{text=JSON.stringify(JSON.parse(text),null,2)}catch{}\
shown.textContent=answer.status+' '+answer.statusText+'\\n'+text}catch(error){\
shown.textContent=error+'\\nIs the API running, and does it let this origin call it (CORS)?'}}";

/// `GET /`: what this is, and how to get a token.
pub(crate) fn index(issuer: &Issuer) -> Answer {
    let (base, tenant) = (&issuer.base, Tenant::default_id());
    let token = format!("{base}/{tenant}/oauth2/v2.0/token");
    let content = format!(
        "<p>This program has the endpoints of Microsoft Entra ID on loopback. Tenant \
         <code>{tenant}</code>, test API <code>{API}</code>.</p>\
         <p><a class=\"button\" href=\"{v2}\">Sign in and get a token</a> \
         <a class=\"button\" href=\"{v1}\">The same, v1.0</a></p>\
         <h2>A token for a user</h2><pre>curl -s {token} -d grant_type=password \
         -d client_id={CLIENT} -d username=alice@contoso.example -d password=any \
         -d scope=api://{API}/user_impersonation</pre>\
         <h2>A token for an application</h2><pre>curl -s {token} -d grant_type=client_credentials \
         -d client_id={CLIENT} -d client_secret=any -d scope=api://{API}/.default \
         -d roles=Tasks.Read.All</pre>\
         <p>Add <code>-d token_version=1.0</code> for a v1.0 token (in Entra the API's \
         <code>requestedAccessTokenVersion</code> decides), <code>-d lifetime=-60</code> for one that \
         has expired.</p>\
         <h2>Roll the signing keys over</h2><pre>curl -s -X POST {base}/rotate</pre>\
         <p>The next key is published before it signs. The handler fetches keys for unknown ones at \
         most once a minute, so two rollovers within one may outrun it.</p>\
         <h2>Metadata</h2><p><a href=\"/{tenant}/v2.0/.well-known/openid-configuration\">OpenID \
         configuration v2.0</a>, <a href=\"/{tenant}/.well-known/openid-configuration\">v1.0</a>, \
         <a href=\"/{tenant}/discovery/v2.0/keys\">keys v2.0</a>, \
         <a href=\"/{tenant}/discovery/keys\">v1.0</a></p>",
        v2 = escape(&begin(issuer, Version::V2)),
        v1 = escape(&begin(issuer, Version::V1)),
    );
    page::document(200, "Entra ID, locally", &content)
}

/// `GET /signin`: redeems the code and shows the token.
pub(crate) fn redeem(issuer: &Issuer, call: &Call) -> Answer {
    let sign_in = issuer.state().sign_ins.remove(call.query.get("state"));
    let Some(sign_in) = sign_in.filter(|sign_in| sign_in.expires > clock::now()) else {
        return page::mistake("This sign-in is unknown, over, or was redeemed before.");
    };
    let code = call.query.get("code");
    if call.query.get("error") == "access_denied" {
        return page::document(
            200,
            "Sign-in cancelled",
            "<p><a href=\"/\">Start again</a></p>",
        );
    }
    if code.is_empty() {
        return page::mistake(call.query.get("error_description"));
    }
    let form = Form::of(&[
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("redirect_uri", &redirect_uri(issuer)),
        ("code", code),
        ("code_verifier", &sign_in.verifier),
        (
            "token_version",
            match sign_in.version {
                Version::V1 => "1.0",
                Version::V2 => "2.0",
            },
        ),
    ]);
    let ask = Ask {
        issuer,
        form: &form,
        tenant: Tenant::default_id(),
        version: Version::V2,
        ip: &call.ip,
    };
    match ask.redeem() {
        Ok(issued) => show(issuer, code, &issued.access_token),
        Err(refusal) => page::mistake(&refusal.text),
    }
}

fn show(issuer: &Issuer, code: &str, token: &str) -> Answer {
    let mut parts = token.split('.').map(decoded);
    let (header, claims) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let (api, nonce) = (escape(&issuer.options.api), random::opaque::<16>());
    let content = format!(
        "<p>The client received the code <code>{}…</code> and redeemed it.</p>\
         <h2>Access token</h2><textarea id=\"token\" rows=\"7\" spellcheck=\"false\" \
         aria-label=\"Access token\">{token}</textarea>\
         <p><button id=\"call\" data-api=\"{api}\">Call {api}</button></p>\
         <pre id=\"answer\" aria-live=\"polite\">The API's answer will be here.</pre>\
         <h2>The same with curl</h2><pre>curl -i -H \"Authorization: Bearer {token}\" {api}</pre>\
         <h2>Header</h2><pre>{}</pre><h2>Claims</h2><pre>{}</pre>\
         <p><a href=\"/\">Start again</a></p><script nonce=\"{nonce}\">{SCRIPT}</script>",
        escape(&code.chars().take(16).collect::<String>()),
        escape(&header),
        escape(&claims),
    );
    page::scripted(200, "You have a token", &content, &nonce)
}

/// One claim per line, in the token's own order.
fn decoded(part: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap_or_default();
    let members: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let mut lines: Vec<(usize, String)> = members
        .iter()
        .map(|(name, value)| {
            let name = Value::from(name.as_str());
            let place = text.find(&format!("{name}:")).unwrap_or(0);
            (place, format!("  {name}: {value}"))
        })
        .collect();
    lines.sort();
    let lines: Vec<String> = lines.into_iter().map(|line| line.1).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// Begins a sign-in with PKCE, and gives the authorize URL for it.
fn begin(issuer: &Issuer, version: Version) -> String {
    let (verifier, state) = (random::opaque::<32>(), random::opaque::<16>());
    let challenge = random::stable_text(&[&verifier]);
    let now = clock::now();
    let sign_in = SignIn {
        verifier,
        version,
        expires: now + SIGN_IN_LIFETIME,
    };
    let mut store = issuer.state();
    store.sign_ins.retain(|_, sign_in| sign_in.expires > now);
    store.sign_ins.insert(state.clone(), sign_in);
    drop(store);
    let query = query(&[
        ("client_id", CLIENT),
        ("response_type", "code"),
        ("redirect_uri", &redirect_uri(issuer)),
        ("response_mode", "query"),
        ("scope", &format!("api://{API}/user_impersonation")),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let tenant = Tenant::default_id();
    format!("{}/{tenant}/oauth2/v2.0/authorize?{query}", issuer.base)
}

fn redirect_uri(issuer: &Issuer) -> String {
    format!("{}/signin", issuer.base)
}
