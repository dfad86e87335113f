//! Well-behaved clients, whose answers are known.

use crate::issuer::Issuer;
use crate::mint::{TestKey, token};
use crate::process::{AUDIENCE, TENANT};
use crate::tally::Tally;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// Time after a rotation in which the handler may not have fetched the new key yet: one fetch in
/// 60 seconds, plus one that failed at the end of an outage.
const SETTLES: Duration = Duration::from_secs(70);

/// Starts the clients.
pub(crate) fn start(
    address: SocketAddr,
    issuer: &Arc<Issuer>,
    tally: &Arc<Tally>,
    stop: &Arc<AtomicBool>,
) -> Vec<JoinHandle<()>> {
    let spawn = |number: u64| {
        let (issuer, tally, stop) = (issuer.clone(), tally.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut client = Client { address, stream: None, turn: number };
            while !stop.load(Ordering::Relaxed) {
                client.ask(&issuer, &tally);
                std::thread::sleep(Duration::from_millis(4));
            }
        })
    };
    (0..4).map(spawn).collect()
}

struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    turn: u64,
}

/// What is sent, and which answers are right: status, and the body or a part of it.
struct Question {
    kind: &'static str,
    path: &'static str,
    token: Option<String>,
    right: Vec<(u16, String)>,
}

impl Client {
    fn ask(&mut self, issuer: &Issuer, tally: &Tally) {
        self.turn += 1;
        let question = question(self.turn, issuer);
        // Every so often on a new connection.
        if self.turn.is_multiple_of(50) {
            self.stream = None;
        }
        let start = Instant::now();
        match self.exchange(&question) {
            Ok((status, body)) => {
                match question.right.iter().any(|(code, part)| *code == status && body.contains(part)) {
                    true => tally.right(question.kind, start.elapsed()),
                    // A rotation may have come between the question and its answer.
                    false if issuer.current().1.is_some_and(|since| since < Duration::from_secs(10)) => {
                        tally.did("around a rotation");
                    }
                    false => tally.wrong_answer(question.kind, format!("{status} {body}")),
                }
            }
            Err(error) => {
                self.stream = None;
                tally.wrong_answer(question.kind, error.to_string());
            }
        }
    }

    fn exchange(&mut self, question: &Question) -> std::io::Result<(u16, String)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_read_timeout(Some(Duration::from_secs(20)))?;
                self.stream.insert(BufReader::new(stream))
            }
        };
        let authorization = question.token.as_ref().map(|token| format!("Authorization: Bearer {token}\r\n"));
        let head = format!("GET {} HTTP/1.1\r\nHost: soak\r\n{}\r\n", question.path, authorization.unwrap_or_default());
        stream.get_mut().write_all(head.as_bytes())?;
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        let mut length = 0;
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

fn question(turn: u64, issuer: &Issuer) -> Question {
    let (current, since) = issuer.current();
    let is_settled = since.is_none_or(|since| since > SETTLES);
    let good = claims(turn, AUDIENCE, 3600);
    let signed = |number: usize, claims: &str| token(&TestKey::number(number), claims);
    let one =
        |kind, token, status, part: &str| Question { kind, path: "/api", token, right: vec![(status, part.into())] };
    match turn % 10 {
        0 => Question { kind: "public", path: "/public", token: None, right: vec![(200, "Public endpoint".into())] },
        1 => one("no token", None, 401, "authorization_header_missing"),
        2 if is_settled => {
            let text = signed(current, &good);
            let (input, signature) = text.rsplit_once('.').unwrap_or_default();
            let first = if signature.starts_with('A') { "B" } else { "A" };
            one("changed signature", Some(format!("{input}.{first}{}", &signature[1..])), 401, "invalid_header")
        }
        3 if is_settled => one("expired", Some(signed(current, &claims(turn, AUDIENCE, -3600))), 401, "token_expired"),
        4 if is_settled => {
            one("other audience", Some(signed(current, &claims(turn, "api://other", 3600))), 401, "invalid_claims")
        }
        5 => Question {
            kind: "key never published",
            right: vec![(401, "invalid_header".into()), (503, "keys_unavailable".into())],
            ..one("", Some(signed(4, &good)), 0, "")
        },
        6 => one("rubbish", Some(format!("rubbish{turn}")), 401, "invalid_header"),
        _ if is_settled => one("good", Some(signed(current, &good)), 200, &good),
        _ => Question {
            kind: "good, new key",
            right: vec![(200, good.clone()), (401, "invalid_header".into()), (503, "keys_unavailable".into())],
            ..one("", Some(signed(current, &good)), 0, "")
        },
    }
}

fn claims(turn: u64, audience: &str, valid_for: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()) as i64;
    format!(
        "{{\"aud\":\"{audience}\",\"iss\":\"https://login.microsoftonline.com/{TENANT}/v2.0\",\"exp\":{},\
         \"tid\":\"{TENANT}\",\"scp\":\"user_impersonation\",\"sub\":\"soak {turn}\"}}",
        now + valid_for
    )
}
