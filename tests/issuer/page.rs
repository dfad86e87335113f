//! HTML documents: self-contained, nothing loaded from anywhere.

use crate::answer::Answer;
use crate::users::USERS;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#5c5f66;--card:#fff;--ground:#eef1f6;\
--line:#d5dae3;--accent:#0f5fbd;--warn:#8a4b00}\
@media(prefers-color-scheme:dark){:root{--ink:#eceef2;--soft:#a5abb6;--card:#1f232b;\
--ground:#14171c;--line:#394150;--accent:#7ab4ff;--warn:#ffc069}}\
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}main{max-width:46rem;margin:6vh auto;padding:2rem 2.25rem;\
background:var(--card);border:1px solid var(--line);border-radius:12px}h1{margin:0 0 .5rem;\
font-size:1.5rem;line-height:1.25}h2{margin:1.75rem 0 .5rem;font-size:1.05rem}\
a{color:var(--accent)}.note{margin:0 0 1.25rem;color:var(--warn);font-size:.9rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;font-size:.9rem}\
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\
button,.button{display:inline-block;padding:.6rem 1.1rem;border:1px solid var(--accent);\
border-radius:8px;background:none;color:var(--accent);font:inherit;cursor:pointer;\
text-decoration:none}button:hover,.button:hover{background:var(--accent);color:var(--card)}\
button.user{display:block;width:100%;margin:.5rem 0;text-align:left;border-color:var(--line);\
color:var(--ink)}button.user small{display:block;opacity:.75}\
button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
pre,textarea{width:100%;margin:.5rem 0;padding:.75rem;border:1px solid var(--line);\
border-radius:8px;background:var(--ground);color:var(--ink);font:.82rem/1.45 ui-monospace,\
monospace;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere}\
input{padding:.55rem;border:1px solid var(--line);border-radius:8px;font:inherit}";

/// A document; `content` is HTML, `title` is text.
pub(crate) fn document(status: u16, title: &str, content: &str) -> Answer {
    scripted(status, title, content, "")
}

/// A document with one inline script, which the policy names by its nonce.
pub(crate) fn scripted(status: u16, title: &str, content: &str, nonce: &str) -> Answer {
    let title = escape(title);
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title} – local issuer</title><style>{STYLE}</style></head>\n<body><main>\
         <h1>{title}</h1><p class=\"note\">Local issuer for development. It checks no password, \
         and nothing real trusts its tokens.</p>\n{content}</main></body></html>\n"
    );
    let script = match nonce {
        "" => String::new(),
        nonce => format!("; script-src 'nonce-{nonce}'; connect-src http: https:"),
    };
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'\
         {script}"
    );
    Answer::html(status, body).with("Content-Security-Policy", policy)
}

/// A 400 page that tells what is wrong.
pub(crate) fn mistake(text: &str) -> Answer {
    let content = format!(
        "<p>{}</p><p><a href=\"/\">Start again</a></p>",
        escape(text)
    );
    document(400, "That request is not valid", &content)
}

/// A submit button for each test user.
pub(crate) fn user_buttons() -> String {
    let button = |user: &crate::users::User| {
        let (upn, name) = (user.upn, user.name());
        format!(
            "<button class=\"user\" name=\"user\" value=\"{upn}\">{name}<small>{upn}</small>\
             </button>"
        )
    };
    USERS.iter().map(button).collect()
}

/// Hidden inputs.
pub(crate) fn hidden(pairs: &[(&str, &str)]) -> String {
    let input = |(name, value): &(&str, &str)| {
        let value = escape(value);
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
    };
    pairs.iter().map(input).collect()
}

/// Text for HTML content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
