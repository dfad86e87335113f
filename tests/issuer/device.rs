//! Device authorization grant, RFC 8628.

use serde_json::Value;

use crate::answer::{Answer, Refusal, object};
use crate::call::Call;
use crate::clock;
use crate::page::{self, escape};
use crate::random;
use crate::scope::Target;
use crate::store::Issuer;
use crate::tenant::Tenant;
use crate::ticket::{Kind, Ticket};
use crate::users::User;

/// Seconds a device code is good for.
const DEVICE_LIFETIME: i64 = 900;

/// `POST /{tenant}/oauth2/v2.0/devicecode`: a code for the device, and one for a person to type.
pub(crate) fn start(issuer: &Issuer, call: &Call, tenant: &Tenant) -> Result<Answer, Refusal> {
    for name in ["client_id", "scope"] {
        if call.form.get(name).is_empty() {
            return Err(Refusal::missing(name));
        }
    }
    Target::read(call.form.get("scope"))?;
    let user_code = random::typed_code();
    let device_code = issuer.keep(
        Ticket {
            kind: Kind::Device,
            tenant: tenant.id.clone(),
            client_id: call.form.get("client_id").to_owned(),
            scope: call.form.get("scope").to_owned(),
            user_code: user_code.clone(),
            ..Ticket::default()
        },
        DEVICE_LIFETIME,
    );
    let uri = format!("{}/{}/oauth2/deviceauth", issuer.base, tenant.name);
    let message = format!(
        "To sign in, use a web browser to open the page {uri} and enter the code {user_code} to authenticate."
    );
    let body = object(&[
        ("user_code", user_code.into()),
        ("device_code", device_code.into()),
        ("verification_uri", uri.into()),
        ("expires_in", DEVICE_LIFETIME.into()),
        ("interval", Value::from(5)),
        ("message", message.into()),
    ]);
    Ok(Answer::secret_json(200, body))
}

/// The page on which a person approves a device.
pub(crate) fn approve(issuer: &Issuer, call: &Call, tenant: &Tenant) -> Answer {
    if call.method == "GET" {
        let content = format!(
            "<form method=\"post\"><p><label>Code that your device shows: \
             <input name=\"user_code\" value=\"{}\" autocomplete=\"off\" required></label></p>\
             {}</form>",
            escape(call.query.get("user_code")),
            page::user_buttons()
        );
        return page::document(200, "Sign in on a device", &content);
    }
    if call.is_foreign(&issuer.base) {
        return page::mistake("A page of another site sent this form.");
    }
    let Some(user) = User::named(call.form.get("user")) else {
        return page::mistake("There is no such test user.");
    };
    let typed = call.form.get("user_code").trim().to_ascii_uppercase();
    let mut state = issuer.state();
    let ticket = state.tickets.values_mut().find(|ticket| {
        ticket.kind == Kind::Device
            && ticket.user_code == typed
            && ticket.tenant == tenant.id
            && ticket.user.is_none()
            && ticket.expires > clock::now()
    });
    match ticket {
        Some(ticket) => {
            ticket.user = Some(user);
            let content = format!(
                "<p>The device is signed in as {}. You can close this page.</p>",
                user.name()
            );
            page::document(200, "Done", &content)
        }
        None => page::mistake("No device waits with that code."),
    }
}
