//! Cases as data: the lines of tests/vectors, read as tests/vectors/README.md describes them.

use crate::support::mint::b64;
use crate::support::tokens::key;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The clock of a case that names no other.
pub(crate) const NOW: f64 = 1_800_000_000.0;

/// Settings, keys, header and claims of a case that changes none of them.
static USUAL: LazyLock<Value> = LazyLock::new(|| json_of(&read(&folder().join("usual.json"))));

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Vector {
    /// The file and the sentence.
    pub(crate) sentence: String,
    /// The same, and which of several spellings this is.
    pub(crate) name: String,
    line: Map<String, Value>,
}

impl Vector {
    /// A case that is written in Rust, in the members of a line.
    pub(crate) fn of(line: Value) -> Vector {
        let line = line.as_object().expect("an object").clone();
        let name = json!(line).to_string();
        let sentence = name.clone();
        Vector {
            sentence,
            name,
            line,
        }
    }

    /// The cases of all files.
    pub(crate) fn all() -> Vec<Vector> {
        let entries = std::fs::read_dir(folder()).expect("a folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut files: Vec<PathBuf> = paths
            .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
            .collect();
        files.sort();
        files
            .iter()
            .flat_map(|file| Vector::of_file(file))
            .collect()
    }

    fn of_file(file: &Path) -> Vec<Vector> {
        let text = read(file);
        let stem = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let lines = text.lines().map(json_of);
        lines
            .flat_map(|line| Vector::spellings(&stem, line))
            .collect()
    }

    /// A line with `each` is as many cases.
    fn spellings(file: &str, line: Value) -> Vec<Vector> {
        let sentence = format!("{file}: {}", line["name"].as_str().expect("a name"));
        let vector = |name: String, line: Value| Vector {
            sentence: sentence.clone(),
            name,
            line: line.as_object().expect("an object").clone(),
        };
        let Some(each) = line.get("each").and_then(Value::as_array) else {
            return vec![vector(sentence.clone(), line)];
        };
        let spelling = |values: &Value| {
            let many = values.as_array().cloned();
            let values = many.unwrap_or_else(|| vec![values.clone()]);
            let shown: String = json!(values).to_string().chars().take(200).collect();
            vector(format!("{sentence}: {shown}"), filled(&line, &values))
        };
        each.iter().map(spelling).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.line.get(name)
    }

    /// A member that is a text, or a list of them; none where it is absent.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.get(name).map(texts).unwrap_or_default()
    }

    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = USUAL["settings"].as_object().expect("an object").clone();
        settings.extend(self.object("settings"));
        let set = settings.into_iter();
        set.filter_map(|(name, value)| Some((name, text(value.as_str()?))))
            .collect()
    }

    /// The text of each source's key set; None for one that cannot be had.
    pub(crate) fn key_sets(&self) -> Vec<Option<String>> {
        let set = |keys: &Value| match keys {
            Value::Array(keys) => {
                let keys: Vec<String> = keys.iter().map(jwk).collect();
                Some(format!("{{\"keys\":[{}]}}", keys.join(",")))
            }
            other => other.as_str().map(text),
        };
        match self.get("keys").unwrap_or(&USUAL["keys"]) {
            Value::Array(all) if all.iter().any(Value::is_array) => all.iter().map(set).collect(),
            one => vec![set(one)],
        }
    }

    /// The time of the clock.
    pub(crate) fn now(&self) -> f64 {
        self.get("now").and_then(Value::as_f64).unwrap_or(NOW)
    }

    /// Whether a date of the case lies so near to the end of the leeway that a real clock could pass it.
    pub(crate) fn needs_its_clock(&self) -> bool {
        let claims = self.object("claims");
        let offsets = claims.values().filter_map(|value| offset(value.as_str()?));
        let skew = self.settings().get("CLOCK_SKEW_SECONDS").cloned();
        let skew: f64 = skew.and_then(|it| it.parse().ok()).unwrap_or(60.0);
        let is_near = |offset: f64| (offset.abs() - skew).abs() < 30.0;
        self.get("now").is_some() || offsets.into_iter().any(is_near)
    }

    /// The payload, before it is filled up.
    pub(crate) fn payload(&self, now: f64) -> Vec<u8> {
        self.document("claims", now)
    }

    /// Whether these are the claims of the token, to the byte.
    pub(crate) fn gives_back(&self, now: f64, claims: &str) -> bool {
        self.get("bytes").is_some() || claims.as_bytes() == self.payload(now)
    }

    /// The token, with dates around `now`.
    pub(crate) fn token(&self, now: f64) -> String {
        let template = self.get("token").and_then(Value::as_str);
        let template = template.unwrap_or("HEADER.PAYLOAD.SIGNATURE");
        self.fill(template, now)
    }

    /// The values of the `Authorization` headers.
    pub(crate) fn authorization(&self, now: f64) -> Vec<String> {
        match self.get("authorization") {
            Some(values) => {
                let values = values.as_array().expect("a list").iter();
                let fill = |value: &str| value.replace("TOKEN", &self.token(now));
                values.filter_map(Value::as_str).map(fill).collect()
            }
            None => vec![format!("Bearer {}", self.token(now))],
        }
    }

    fn fill(&self, template: &str, now: f64) -> String {
        let (header, payload) = (self.document("header", now), self.payload(now));
        let bytes = self.get("bytes").and_then(Value::as_u64);
        let [header, payload] = match bytes {
            Some(bytes) => padded(header, payload, bytes as usize),
            None => [b64(header), b64(payload)],
        };
        let input = format!("{header}.{payload}");
        let signer = self.get("signer").and_then(Value::as_u64).unwrap_or(1);
        let signature = match self.get("signature").and_then(Value::as_str) {
            Some("$USUAL_SIGNATURE") => {
                let usual = Vector::of(json!({})).token(now);
                usual.rsplit_once('.').expect("a signature").1.to_owned()
            }
            Some(given) => text(given),
            None => b64(key(signer as usize).sign(input.as_bytes())),
        };
        let token = text(template).replace("TOKEN", "HEADER.PAYLOAD.SIGNATURE");
        let token = token
            .replace("HEADER", &header)
            .replace("PAYLOAD", &payload);
        token.replace("SIGNATURE", &signature)
    }

    /// Header or claims: what differs from the usual, or the whole text.
    fn document(&self, name: &str, now: f64) -> Vec<u8> {
        let usual = USUAL[name].as_object().expect("an object");
        let members = |changes| members(usual, changes, now);
        let Some(whole) = self.get(name).and_then(Value::as_str) else {
            return format!("{{{}}}", members(&self.object(name))).into_bytes();
        };
        if let Some(hex) = whole.strip_prefix("hex:") {
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
            return (0..hex.len()).step_by(2).map(byte).collect();
        }
        text(whole)
            .replace("USUAL", &members(&Map::new()))
            .into_bytes()
    }

    fn object(&self, name: &str) -> Map<String, Value> {
        let object = self.get(name).and_then(Value::as_object);
        object.cloned().unwrap_or_default()
    }
}

/// A text, or a list of them.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(texts).collect(),
        one => one.as_str().map(text).into_iter().collect(),
    }
}

/// Words of each hint that no other hint has.
pub(crate) fn hints() -> Vec<&'static str> {
    let hints = USUAL["hints"].as_array().expect("a list").iter();
    hints.filter_map(Value::as_str).collect()
}

/// A text with its names and repetitions written out: `$NAME`, `<3*x>`.
pub(crate) fn text(short: &str) -> String {
    let mut text = repeated(short);
    for (name, value) in NAMES.iter() {
        if text.contains('$') {
            text = text.replace(name, value);
        }
    }
    text
}

/// The names and what they stand for, the longest first: one may begin another.
static NAMES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let names = USUAL["names"].as_object().expect("an object").iter();
    let value = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut names: Vec<(String, String)> = names
        .map(|(name, it)| (format!("${name}"), value(it)))
        .collect();
    for number in 1..=4 {
        names.push((format!("$KID{number}"), key(number).kid.clone()));
        names.push((format!("$N{number}"), b64(key(number).modulus())));
    }
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names
});

fn repeated(short: &str) -> String {
    let mut text = String::new();
    let mut rest = short;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let digits = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(0);
        let repetition = after[digits..]
            .strip_prefix('*')
            .and_then(|it| it.split_once('>'));
        match (after[..digits].parse(), repetition) {
            (Ok(count), Some((unit, more))) => {
                text.push_str(&unit.repeat(count));
                rest = more;
            }
            _ => {
                text.push('<');
                rest = after;
            }
        }
    }
    text + rest
}

/// The seconds after `now` in `now+60`, `now-0.5` or `now`.
fn offset(text: &str) -> Option<f64> {
    match text.strip_prefix("now")? {
        "" => Some(0.0),
        signed => signed.parse().ok(),
    }
}

/// A value in JSON.
fn written(value: &Value, now: f64) -> String {
    let Some(short) = value.as_str() else {
        return nested(value).to_string();
    };
    match (short.strip_prefix("json:"), offset(short)) {
        (Some(json), _) => text(json),
        (None, Some(offset)) => (now + offset).to_string(),
        (None, None) => json!(text(short)).to_string(),
    }
}

/// An object or array with its texts written out.
fn nested(value: &Value) -> Value {
    match value {
        Value::String(short) => json!(text(short)),
        Value::Array(all) => all.iter().map(nested).collect(),
        Value::Object(all) => all
            .iter()
            .map(|(name, it)| (text(name), nested(it)))
            .collect(),
        other => other.clone(),
    }
}

/// The members of a JSON object after changes, of which null removes one.
fn members(usual: &Map<String, Value>, changes: &Map<String, Value>, now: f64) -> String {
    let kept = usual
        .iter()
        .filter(|(name, _)| !changes.contains_key(*name));
    let all = kept.chain(changes).filter(|(_, value)| !value.is_null());
    let member = |(name, value): (&String, &Value)| {
        let name = match name.strip_prefix("json:") {
            Some(name) => format!("\"{name}\""),
            None => json!(text(name)).to_string(),
        };
        format!("{name}:{}", written(value, now))
    };
    all.map(member).collect::<Vec<_>>().join(",")
}

/// A key of a set: test key `key` with changes, or anything else as it stands.
fn jwk(value: &Value) -> String {
    let Some(number) = value.get("key").and_then(Value::as_u64) else {
        return written(value, NOW);
    };
    let mut changes = value.as_object().expect("an object").clone();
    changes.remove("key");
    let number = number as usize;
    let mut usual = json!({ "kty": "RSA", "kid": key(number).kid, "n": b64(key(number).modulus()), "e": "AQAB" });
    let without = changes.remove("without").unwrap_or_default();
    for name in without.as_array().into_iter().flatten() {
        usual
            .as_object_mut()
            .expect("an object")
            .remove(name.as_str().expect("a name"));
    }
    format!(
        "{{{}}}",
        members(usual.as_object().expect("an object"), &changes, NOW)
    )
}

/// Header and payload in base64url, filled up by a claim so that the token has so many bytes.
fn padded(mut header: Vec<u8>, payload: Vec<u8>, bytes: usize) -> [String; 2] {
    let open = payload.strip_suffix(b"}").expect("an object");
    loop {
        let room = bytes - b64(&header).len() - b64([0; 256]).len() - 2;
        let filler = |count| [open, b",\"filler\":\"", &vec![b'x'; count], b"\"}"].concat();
        let count = (room * 3 / 4).saturating_sub(filler(0).len());
        let payload = b64(filler(count));
        if payload.len() == room {
            return [b64(header), payload];
        }
        header.push(b' ');
    }
}

/// A line with the values of one spelling in the places of `$1`, `$2` and so on.
fn filled(line: &Value, values: &[Value]) -> Value {
    let fill = |text: &str| {
        let mut text = text.to_owned();
        for (number, value) in (1..).zip(values) {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("${number}"), &value);
        }
        text
    };
    let whole = |text: &str| {
        let mut numbers = (1..).map(|number| format!("${number}")).zip(values);
        numbers
            .find(|(number, _)| number == text)
            .map(|(_, value)| value.clone())
    };
    match line {
        Value::String(text) => whole(text).unwrap_or_else(|| json!(fill(text))),
        Value::Array(all) => all.iter().map(|it| filled(it, values)).collect(),
        Value::Object(all) => all
            .iter()
            .filter(|(name, _)| *name != "each")
            .map(|(name, it)| (fill(name), filled(it, values)))
            .collect(),
        other => other.clone(),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
