//! The handler as the target of nginx's `auth_request`, with the configuration that the pages show.

use crate::pages::{blocks, replaced, text};
use crate::support::server::{Received, Server, response};
use crate::support::tokens::*;
use crate::support::*;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// nginx before an application, which is the upstream of the pages, and the handler.
struct Front {
    address: SocketAddr,
    application: Server,
    _nginx: Process,
    _folder: Folder,
}

impl Front {
    /// With the configuration of the pages and these changes; `decider` is asked. None without
    /// nginx.
    fn start(decider: SocketAddr, changes: &[(&str, &str)]) -> Option<Front> {
        let program = program()?;
        let application = Server::start(|request, stream| {
            let response = match request.call() {
                "GET /broken" => response("500 Internal Server Error", "", "its own trouble"),
                "GET /secret" => response("403 Forbidden", "WWW-Authenticate: Own\r\n", ""),
                _ => response("200 OK", "", "the application"),
            };
            stream.write_all(response.as_bytes())
        });
        let (upstream, decider) = (application.address.to_string(), decider.to_string());
        let own = [("127.0.0.1:9000", &*upstream), ("127.0.0.1:3000", &decider)];
        let site = blocks("nginx", "").remove(0);
        let change = |site: String, (part, by): &(&str, &str)| replaced(&site, part, by);
        let site = own.iter().chain(changes).fold(site, change);
        let (address, nginx, folder) = started(&program, &site);
        Some(Front {
            address,
            application,
            _nginx: nginx,
            _folder: folder,
        })
    }

    fn connect(&self) -> Connection {
        Connection::to(self.address).expect("nginx listens")
    }

    fn call(&self, call: &str, headers: &[(&str, &str)]) -> Response {
        let (method, target) = call.split_once(' ').expect("a method and a target");
        let mut connection = self.connect();
        connection.send(request(method, target, headers));
        connection.response()
    }

    fn get(&self, token: &str) -> Response {
        self.call("GET /", &[("Authorization", &format!("Bearer {token}"))])
    }

    /// The requests that reached the application.
    fn passed(&self) -> Vec<Received> {
        self.application.received()
    }

    fn calls(&self) -> Vec<String> {
        self.passed()
            .iter()
            .map(|it| it.call().to_owned())
            .collect()
    }
}

/// nginx itself. None, and a line says so, where it is missing.
fn program() -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let program = find_program(&["nginx"], &["/usr/sbin"]);
    if program.is_none() {
        SAID.call_once(|| say("no nginx: the handler is not tested behind it"));
    }
    program
}

/// nginx with this site on a free port.
fn started(program: &Path, site: &str) -> (SocketAddr, Process, Folder) {
    let started = (0..20).find_map(|_| nginx(program, site, free_port()));
    started.expect("of twenty free ports one stays free")
}

/// nginx with this site on this port; None when somebody else has the port.
fn nginx(program: &Path, site: &str, port: u16) -> Option<(SocketAddr, Process, Folder)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let folder = Folder::new("nginx");
    let listen = site.find("listen ").expect("a port of its own");
    let end = listen + site[listen..].find(';').expect("the end of it");
    let site = replaced(site, &site[listen..end], &format!("listen {address}"));
    // Below the folder that `-p` names, whose own name may hold blanks.
    let names = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = names.map(|name| format!("{name}_temp_path {name};\n"));
    let main = "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\nevents {}\n";
    let http = format!(
        "http {{\naccess_log off;\n{}\n{site}\n}}\n",
        temporary.concat()
    );
    fs::write(folder.file("nginx.conf"), format!("{main}{http}")).expect("written");
    let mut command = Command::new(program);
    command.args([
        "-e",
        "stderr",
        "-p",
        &folder.file(""),
        "-c",
        &folder.file("nginx.conf"),
    ]);
    let mut nginx = Process::start(command);
    let listens = || TcpStream::connect(address).is_ok();
    wait_until("nginx listens", || nginx.ended().is_some() || listens());
    if nginx.ended().is_some() {
        let said = nginx.stderr.until_the_end().concat();
        assert!(said.contains("bind()"), "nginx has ended: {said}");
        return None;
    }
    Some((address, nginx, folder))
}

fn handler() -> (Handler, KeyServer) {
    serving(&[("REQUIRED_SCOPES", "user_impersonation")])
}

#[test]
fn accepted_requests_reach_the_application_as_they_came_and_its_responses_stay_as_they_are() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, &[]) else {
        return;
    };
    let (bearer, body) = (format!("Bearer {}", good()), "name=value&".repeat(5000));
    let headers = [
        ("Authorization", &*bearer),
        ("Content-Length", &body.len().to_string()),
    ];
    let mut connection = front.connect();
    connection.send(request("PUT", "/things/7?with=query", &headers) + &body);
    assert_eq!(connection.response().body, "the application");
    let [passed] = &front.passed()[..] else {
        panic!("{:?}", front.calls())
    };
    assert_eq!(
        (passed.call(), passed.body == body),
        ("PUT /things/7?with=query", true)
    );
    // By its token the application knows who is calling.
    assert_eq!(passed.header("Authorization"), Some(&*bearer));

    let broken = front.call("GET /broken", &headers[..1]);
    assert_eq!(
        (broken.status, broken.body.as_str()),
        (500, "its own trouble")
    );
    let secret = front.call("GET /secret", &headers[..1]);
    assert_eq!(
        (secret.status, secret.header("WWW-Authenticate")),
        (403, Some("Own"))
    );
    assert_eq!(front.get(&of_length(16 * 1024)).status, 200);
    assert_eq!(front.get(&of_length(16 * 1024 + 1)).status, 401);
    assert_eq!(front.call("GET /_auth", &headers[..1]).status, 404);
    assert_eq!(front.calls().len(), 4);
}

#[test]
fn refused_requests_get_the_handler_s_own_challenge_and_do_not_reach_the_application() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, &[]) else {
        return;
    };
    let missing = front.call("GET /", &[]);
    assert_eq!(
        (missing.status, missing.header("WWW-Authenticate")),
        (401, Some("Bearer"))
    );
    assert_eq!(front.call("OPTIONS /", &[]).status, 401);
    let expired = signed(&with(v2(), "exp", now() - HOUR));
    let powerless = signed(&with(v2(), "scp", "other"));
    for (token, status) in [
        (expired, 401),
        (signed_with(2, &v2()), 401),
        (powerless, 403),
    ] {
        // Their only difference may be the age of the token.
        let [direct, behind] = [handler.api(&token), front.get(&token)].map(|response| {
            let challenge = response.header("WWW-Authenticate").expect("a challenge");
            let words = challenge.replace(|char: char| char.is_ascii_digit(), "");
            (
                response.status,
                words,
                response.header("Retry-After").is_some(),
            )
        });
        assert!(
            direct.0 == status && direct.1.contains("error_description="),
            "{direct:?}"
        );
        assert_eq!(behind, direct);
    }
    let two = [
        ("Authorization", &*format!("Bearer {}", good())),
        ("Authorization", "Bearer x"),
    ];
    // Newer releases of nginx refuse a second Authorization header themselves, with 400.
    assert!([400, 401].contains(&front.call("GET /", &two).status));
    assert_eq!(front.calls(), [""; 0]);
}

#[test]
fn without_keys_and_without_the_handler_it_is_unavailable() {
    let handler = Handler::with_keys(&KeyServer::start(Reply::close()), &[]);
    let Some(front) = Front::start(handler.address, &[]) else {
        return;
    };
    let response = front.get(&good());
    assert_eq!(
        (response.status, response.header("WWW-Authenticate")),
        (503, None)
    );
    assert!((1..=5).contains(&response.retry_after()), "{response:?}");
    drop(handler);
    let response = front.get(&good());
    assert_eq!(
        (response.status, response.header("Retry-After")),
        (503, None)
    );
    assert_eq!(front.calls(), [""; 0]);
}

#[test]
fn the_handler_is_asked_with_get_and_without_the_body() {
    let accepted = response("200 OK", "", "{}");
    let decider = Server::start(move |_, stream| stream.write_all(accepted.as_bytes()));
    let Some(front) = Front::start(decider.address, &[]) else {
        return;
    };
    let whole = (("Content-Length", "5"), "hello");
    let chunks = (("Transfer-Encoding", "chunked"), "5\r\nhello\r\n0\r\n\r\n");
    for (header, body) in [whole, chunks] {
        let mut connection = front.connect();
        connection.send(request("POST", "/", &[header, ("Authorization", "Bearer x")]) + body);
        assert_eq!(connection.response().status, 200);
    }
    for asked in decider.received() {
        assert_eq!((asked.call(), asked.body.as_str()), ("GET /api", ""));
        let names = ["Authorization", "Content-Length", "Transfer-Encoding"];
        assert_eq!(
            names.map(|name| asked.header(name)),
            [Some("Bearer x"), None, None]
        );
    }
    let passed = front.passed();
    assert_eq!(
        passed.iter().map(|it| &*it.body).collect::<Vec<_>>(),
        ["hello", "hello"]
    );
}

#[test]
fn a_header_of_the_endpoint_of_the_pages_reaches_the_application_and_no_other() {
    // As that endpoint responds, to a token with `oid` and to one without.
    let decider = Server::start(|request, stream| {
        let is_user = request.header("Authorization") == Some("Bearer user");
        let header = format!("X-Auth-Oid: {}\r\n", if is_user { "a11ce000" } else { "" });
        stream.write_all(response("200 OK", &header, "").as_bytes())
    });
    let (api, auth) = (
        "proxy_pass http://handler/api;",
        "proxy_pass http://handler/auth;",
    );
    assert!(text().contains(auth.trim_end_matches(';')));
    let ask = "auth_request /_auth;\n";
    let more = format!("{ask}{}", blocks("nginx", "")[1]);
    let changes = [(ask, &*more), (api, auth)];
    let Some(front) = Front::start(decider.address, &changes) else {
        return;
    };
    for caller in ["Bearer user", "Bearer other"] {
        let headers = [("Authorization", caller), ("X-Auth-Oid", "forged")];
        assert_eq!(front.call("GET /", &headers).status, 200);
    }
    assert!(
        decider
            .received()
            .iter()
            .all(|asked| asked.call() == "GET /auth")
    );
    let passed = front.passed();
    let oids: Vec<_> = passed.iter().map(|it| it.header("X-Auth-Oid")).collect();
    assert_eq!(oids, [Some("a11ce000"), None]);
}

#[test]
fn with_the_line_of_the_pages_a_preflight_reaches_the_application_and_nothing_else_does() {
    let (handler, _keys) = handler();
    let line = "if ($request_method = OPTIONS) { return 204; }";
    assert!(text().contains(line));
    let changes = [("internal;\n", &*format!("{line}\ninternal;\n"))];
    let Some(front) = Front::start(handler.address, &changes) else {
        return;
    };
    let preflight = front.call("OPTIONS /", &[("Origin", "https://app.example.com")]);
    let others = ["GET /", "POST /"].map(|call| front.call(call, &[]).status);
    assert_eq!((preflight.status, others), (200, [401, 401]));
    assert_eq!(front.calls(), ["OPTIONS /"]);
}

/// The status that a request with these headers gets; None when the connection ends without one.
fn status(address: SocketAddr, method: &str, headers: &[u8]) -> Option<u16> {
    let start = format!("{method} /api HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n");
    let mut connection = Connection::to(address).expect("somebody listens");
    connection.send([start.as_bytes(), headers, b"\r\n\r\n"].concat());
    Some(connection.response_within(GUARD)?.status)
}

#[test]
fn bytes_beyond_ascii_do_not_reach_the_handler() {
    let (handler, _keys) = handler();
    let Some(front) = Front::start(handler.address, &[]) else {
        return;
    };
    let site = blocks("nginx", "## In front of your own API").remove(0);
    let site = replaced(&site, "127.0.0.1:3000", &handler.address.to_string());
    let (own, _nginx, _folder) = started(&program().expect("it was there"), &site);
    // By the first address nginx asks the handler, by the second it passes requests on.
    let fronts = [front.address, own];
    let bearer = format!("Authorization: Bearer {}\r\n", good());
    for umlaut in ["Jörg".as_bytes(), b"J\xf6rg"] {
        let cookie = [bearer.as_bytes(), b"Cookie: name=", umlaut].concat();
        let alone = status(handler.address, "GET", &cookie);
        assert_eq!(alone, None, "tiny_http closes the connection");
        for method in ["GET", "POST"] {
            let behind = fronts.map(|it| status(it, method, &cookie));
            assert_eq!(behind, [Some(200); 2], "{method} {umlaut:?}");
        }
        let token = [b"Authorization: Bearer ", umlaut].concat();
        let behind = fronts.map(|it| status(it, "GET", &token));
        assert_eq!(behind, [Some(401), Some(400)], "{umlaut:?}");
    }
}
