//! The rules for the usual settings, written once more over serde_json and the rsa crate: no
//! line is shared with the handler, not even the base64url decoder.

use crate::vector::{NOW, text};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use rsa::{BigUint, RsaPublicKey};
use serde_json::{Map, Value};

/// Whether a token is acceptable with this key set at the usual time; None where serde_json
/// cannot say because a number is beyond its range.
pub(crate) fn accepts(token: &str, keys: &[Value]) -> Option<bool> {
    let parts: Vec<&str> = token.split('.').collect();
    let bytes: Option<Vec<Vec<u8>>> = parts.iter().map(|part| base64url(part)).collect();
    let Some([header, payload, signature]) =
        bytes.and_then(|bytes| <[Vec<u8>; 3]>::try_from(bytes).ok())
    else {
        return Some(false);
    };
    if token.len() > 16 * 1024 || parts.contains(&"") {
        return Some(false);
    }
    let (header, payload) = (object(&header)?, object(&payload)?);
    let (Some(header), Some(payload)) = (header, payload) else {
        return Some(false);
    };
    let input = &token[..token.len() - parts[2].len() - 1];
    let Some(kid) = named_key(&header) else {
        return Some(false);
    };
    let usable: Vec<&Value> = keys
        .iter()
        .filter(|key| key["kid"] == kid && is_usable(key))
        .collect();
    let signer = usable.iter().find(|key| verifies(key, input, &signature));
    let Some(signer) = signer else {
        return Some(false);
    };
    let issuers = usable
        .iter()
        .filter(|key| same_numbers(key, signer))
        .map(|key| &key["issuer"]);
    Some(issuers.into_iter().any(|issuer| may_sign(issuer, &payload)) && claims_are_good(&payload))
}

/// RFC 4648 section 5 without padding, the unused bits zero.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0u32, 0);
    for letter in text.bytes() {
        buffer =
            (buffer << 6 | alphabet.iter().position(|known| *known == letter)? as u32) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
        }
    }
    (text.len() % 4 != 1 && buffer & ((1 << bits) - 1) == 0).then_some(bytes)
}

/// One JSON object of at most 64 levels without a name twice: Some(None) when it is none.
pub(crate) fn object(text: &[u8]) -> Option<Option<Map<String, Value>>> {
    let value = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(error) if error.to_string().starts_with("number out of range") => return None,
        Err(_) => return Some(None),
    };
    let (colons, depth) = outside_of_strings(text);
    // serde_json drops all but the last of equal names, so fewer members are left than written.
    let Value::Object(members) = &value else {
        return Some(None);
    };
    Some((depth <= 64 && colons == count(&value)).then(|| members.clone()))
}

/// How many members a value has at all depths.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(count).sum::<usize>(),
        Value::Array(elements) => elements.iter().map(count).sum(),
        _ => 0,
    }
}

/// The number of colons, and the most brackets that are open at once, outside of strings.
fn outside_of_strings(text: &[u8]) -> (usize, usize) {
    let (mut colons, mut open, mut depth, mut at) = (0, 0usize, 0, 0);
    let mut in_string = false;
    while at < text.len() {
        match text[at] {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b':' => colons += 1,
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        depth = depth.max(open);
        at += 1;
    }
    (colons, depth)
}

/// The key that an acceptable header names.
fn named_key(header: &Map<String, Value>) -> Option<&str> {
    let typ = match header.get("typ") {
        None => "jwt".to_owned(),
        Some(typ) => typ.as_str()?.to_ascii_lowercase(),
    };
    let forbidden = ["crit", "b64", "zip", "cty"]
        .iter()
        .any(|name| header.contains_key(*name));
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    let good = header.get("alg")? == "RS256" && !forbidden && ["jwt", "at+jwt"].contains(&typ);
    header
        .get("kid")?
        .as_str()
        .filter(|kid| good && !kid.is_empty() && kid.len() <= 256)
}

fn is_usable(key: &Value) -> bool {
    let is = |name: &str, wanted: &str| key[name].is_null() || key[name] == wanted;
    let is_list = |ops: &Vec<Value>| ops.iter().all(Value::is_string);
    let ops = key["key_ops"].as_array().filter(|ops| is_list(ops));
    let ops =
        key["key_ops"].is_null() || ops.is_some_and(|ops| ops.iter().any(|op| op == "verify"));
    let issuer = key["issuer"].is_null() || key["issuer"].is_string();
    let Some((n, e)) = numbers(key) else {
        return false;
    };
    let odd = |number: &BigUint| {
        number
            .to_bytes_be()
            .last()
            .is_some_and(|byte| byte % 2 == 1)
    };
    let (three, limit) = (BigUint::from(3u8), BigUint::from(1u64 << 33));
    let sizes = (2048..=8192).contains(&n.bits()) && odd(&n) && odd(&e) && e >= three && e < limit;
    key["kty"] == "RSA" && is("use", "sig") && is("alg", "RS256") && ops && issuer && sizes
}

fn numbers(key: &Value) -> Option<(BigUint, BigUint)> {
    let number = |name: &str| Some(BigUint::from_bytes_be(&base64url(key[name].as_str()?)?));
    Some((number("n")?, number("e")?))
}

fn same_numbers(one: &Value, other: &Value) -> bool {
    numbers(one) == numbers(other)
}

fn verifies(key: &Value, input: &str, signature: &[u8]) -> bool {
    let Some((n, e)) = numbers(key) else {
        return false;
    };
    let Ok(public) = RsaPublicKey::new_with_max_size(n, e, 8192) else {
        return false;
    };
    let Ok(signature) = Signature::try_from(signature) else {
        return false;
    };
    VerifyingKey::<Sha256>::new(public)
        .verify(input.as_bytes(), &signature)
        .is_ok()
}

/// Of the key issuers that the tests use, which may sign this payload.
fn may_sign(issuer: &Value, payload: &Map<String, Value>) -> bool {
    let has_tid = payload.get("tid").is_some_and(Value::is_string);
    let is_from = |name: &str| payload.get("iss").is_some_and(|iss| *iss == text(name));
    let names = ["$ANY_V2", "$V2", "$V1"].map(text);
    let place = names.iter().position(|name| issuer == name);
    match place {
        _ if issuer.is_null() => true,
        Some(0) => has_tid,
        Some(1) => is_from("$V2") || has_tid,
        Some(_) => is_from("$V1"),
        None => false,
    }
}

fn claims_are_good(payload: &Map<String, Value>) -> bool {
    let in_range = |date: &f64| (0.0..253_402_300_800.0).contains(date);
    let date = |name: &str| payload.get(name).map(|date| date.as_f64().filter(in_range));
    let api = text("$API");
    let aud = match payload.get("aud") {
        Some(Value::Array(all)) => {
            all.iter().all(Value::is_string) && all.iter().any(|aud| *aud == api)
        }
        aud => aud.is_some_and(|aud| *aud == api),
    };
    let issuers = ["$V1", "$V2"].map(text);
    let iss = payload
        .get("iss")
        .is_some_and(|iss| issuers.iter().any(|issuer| iss == issuer));
    let is_ours = |tid: &Value| {
        tid.as_str()
            .is_some_and(|tid| tid.eq_ignore_ascii_case(&text("$TENANT")))
    };
    let tid = payload.get("tid").is_none_or(is_ours);
    let exp = date("exp").flatten().is_some_and(|exp| NOW < exp + 60.0);
    let nbf = date("nbf").is_none_or(|nbf| nbf.is_some_and(|nbf| NOW + 60.0 >= nbf));
    let iat = date("iat").is_none_or(|iat| iat.is_some());
    let clients = ["azp", "appid", "client_id", "cid"].map(|name| payload.get(name));
    let client = clients
        .into_iter()
        .flatten()
        .next()
        .is_none_or(Value::is_string);
    let any = |name: &str, is_text: bool| match payload.get(name) {
        None => Some(false),
        Some(Value::String(names)) if is_text => Some(names.chars().any(|letter| letter != ' ')),
        Some(Value::Array(all)) if all.iter().all(Value::is_string) => {
            Some(all.iter().any(|name| name != ""))
        }
        Some(_) => None,
    };
    let (scp, scope, roles) = (any("scp", true), any("scope", true), any("roles", false));
    let scopes = if payload.contains_key("scp") {
        scp
    } else {
        scope
    };
    let types = [scp, scope, roles].iter().all(Option::is_some);
    aud && iss
        && tid
        && exp
        && nbf
        && iat
        && client
        && types
        && (scopes == Some(true) || roles == Some(true))
}
