//! `curl` and `wget`.

use super::net::{DIAL_TIMEOUT, http, option, resolve};
use super::{Io, Late, Outcome, Running, after};
use crate::sim::net::{NetError, Response};
use base64::Engine;
use meta::{Duration, Time};
use network::{Request, Said};

/// An answer that takes no longer is there at once.
const AT_ONCE: Duration = Duration::from_millis(1);
/// What curl calls itself.
pub const CURL: &str = "curl/8.5.0";
/// `--max-redirs` is 50; more than a few are a circle here.
const REDIRECTS_MAX: usize = 10;
/// Options that have a value behind them.
const VALUED: &[&str] = &[
    "-O",
    "-o",
    "-T",
    "-m",
    "-H",
    "-X",
    "-d",
    "-w",
    "-A",
    "-u",
    "--max-time",
    "--timeout",
    "--tries",
    "--output-document",
    "--write-out",
    "--max-redirs",
    "--retry-delay",
    "--data-urlencode",
    "--cert",
    "--key",
    "--header",
    "--output",
    "-t",
    "--connect-timeout",
    "--retry",
    "--resolve",
    "--cacert",
    "--user-agent",
    "--user",
    "--request",
    "--data",
    "--data-raw",
    "--data-binary",
    "--post-data",
    "--body-data",
    "--method",
];
const NO_TRUST: &str = "curl: (60) SSL certificate problem: self-signed certificate\nMore details here: \
    https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and therefore could not\n\
    establish a secure connection to it. To learn more about this situation and\nhow to fix it, please visit the web page \
    mentioned above.";

/// Scheme, authority and path of a URL.
fn parse_url(url: &str) -> (&str, &str, String) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    match rest.find(['/', '?']) {
        Some(i) if rest[i..].starts_with('/') => (scheme, &rest[..i], rest[i..].into()),
        Some(i) => (scheme, &rest[..i], format!("/{}", &rest[i..])),
        None => (scheme, rest, "/".into()),
    }
}

/// What a URL asks for, with what the arguments say about it.
fn request(io: &Io, name: &str, url: &str) -> Request {
    let (scheme, authority, path) = parse_url(url);
    let tls = scheme == "https";
    let (host, port) = match authority.rsplit_once(':') {
        Some((h, p)) => (h, p.parse().unwrap_or(80)),
        None => (authority, if tls { 443 } else { 80 }),
    };
    let mut args = io.argv.iter().skip(1).peekable();
    let (mut header, mut to) = (authority.to_string(), host.to_string());
    // busybox' wget trusts everybody.
    let mut insecure = name == "wget" && io.is_busybox() || io.flag('k');
    while let Some(a) = args.next() {
        let value = match a.as_str() {
            "-H" | "--header" | "--resolve" | "--cacert" => args.next().map(String::as_str).unwrap_or(""),
            _ => a.strip_prefix("--header=").or_else(|| a.strip_prefix("-H")).unwrap_or(""),
        };
        match a.as_str() {
            "--insecure" | "--no-check-certificate" | "--cacert" => insecure = true,
            "--resolve" => {
                if let Some(address) = value.strip_prefix(&format!("{host}:{port}:")) {
                    to = address.into();
                }
            }
            _ => {
                if let Some((key, value)) = value.split_once(':')
                    && key.trim().eq_ignore_ascii_case("host")
                {
                    header = value.trim().into();
                }
            }
        }
    }
    Request { tls, insecure, host: to, port, header, path, said: said(io, name) }
}

/// Method, headers and body, as `curl` and `wget` are told them, and what they say themselves.
fn said(io: &Io, program: &str) -> Said {
    let mut said = Said::default();
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        let (name, joined) = match a.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ if a.starts_with('-') && !a.starts_with("--") && a.len() > 2 => (&a[..2], Some(&a[2..])),
            _ => (a.as_str(), None),
        };
        let mut value = || joined.map(str::to_string).or_else(|| args.next().cloned()).unwrap_or_default();
        match name {
            "-H" | "--header" => {
                if let Some((key, value)) = value().split_once(':')
                    && !key.trim().eq_ignore_ascii_case("host")
                {
                    said.headers.push((key.trim().into(), value.trim().into()));
                }
            }
            "-A" | "--user-agent" => said.headers.push(("User-Agent".into(), value())),
            "-u" | "--user" if program == "curl" => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(value());
                said.headers.push(("Authorization".into(), format!("Basic {encoded}")));
            }
            "-X" | "--request" | "--method" => said.method = value(),
            "-I" | "--head" if joined.is_none() => said.method = "HEAD".into(),
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--post-data" | "--body-data" => {
                let text = value();
                said.body = match text.strip_prefix('@') {
                    Some(file) => {
                        let read = io.m.fs.read(&io.path(file), io.world.volumes);
                        read.map(|data| String::from_utf8_lossy(&data).into_owned()).unwrap_or_default()
                    }
                    None => text,
                };
            }
            _ => {}
        }
    }
    if !said.body.is_empty() {
        if said.method.is_empty() {
            said.method = "POST".into();
        }
        if said.header("Content-Type").is_empty() {
            said.headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
        }
        let length = said.body.len().to_string();
        said.default_header("Content-Length", &length);
    }
    let own: &[(&str, &str)] = match (program, io.is_busybox()) {
        ("curl", _) => &[("User-Agent", CURL), ("Accept", "*/*")],
        (_, true) => &[("User-Agent", "Wget"), ("Connection", "close")],
        (_, false) => &[
            ("User-Agent", "Wget/1.21.4"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "Keep-Alive"),
        ],
    };
    for (name, value) in own {
        said.default_header(name, value);
    }
    said
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        418 => "I'm a teapot",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => "Error",
    }
}

fn content_type(body: &str) -> &'static str {
    match body.trim_start().as_bytes().first() {
        Some(b'<') => "text/html",
        Some(b'{') => "application/json",
        _ => "text/plain",
    }
}

/// `-qO -` is `-q -O -`: an option with a value may be the last of several letters.
fn separate(argv: &mut Vec<String>) {
    let (flags, valued) = ("qSc", "OTo");
    let bundled = |a: &String| {
        let letters = a.strip_prefix('-').and_then(|l| Some((l, l.chars().next_back()?)));
        letters.is_some_and(|(l, last)| {
            let before = l.strip_suffix(last).unwrap_or_default();
            valued.contains(last) && !before.is_empty() && before.chars().all(|c| flags.contains(c))
        })
    };
    while let Some(i) = argv.iter().skip(1).position(bundled) {
        let last = argv[i + 1].pop().unwrap_or_default();
        argv.insert(i + 2, format!("-{last}"));
    }
}

pub fn fetch(io: &mut Io, name: &str) -> Outcome {
    if name == "curl" {
        if let Err(end) = super::curl::prepare(io) {
            return end;
        }
    } else {
        separate(&mut io.argv);
    }
    let to_file = option(io, &["-O", "-o", "--output", "--output-document"]);
    let mut url = String::new();
    let mut args = io.argv.iter().skip(1);
    while let Some(a) = args.next() {
        if VALUED.contains(&a.as_str()) {
            args.next();
        } else if !a.starts_with('-') {
            url = a.clone();
        }
    }
    let clustered =
        io.argv.iter().find_map(|a| a.strip_prefix("-qO").or_else(|| a.strip_prefix("-O"))).filter(|v| !v.is_empty());
    let stdout = name == "curl" && to_file.is_none()
        || clustered == Some("-")
        || to_file.as_deref() == Some("-")
        || io.argv.iter().any(|a| a == "-qO-" || a == "-O-");
    let quiet = io.flag('s') || io.flag('q');
    let mut request = request(io, name, &url);
    let mut result = if url.is_empty() { Err(NetError::NoSuchHost) } else { http(io, &request) };
    let follows = name == "wget" || io.flag('L') || io.argv.iter().any(|a| a == "--location");
    let mut at = url.clone();
    let mut redirects = 0;
    for _ in 0..REDIRECTS_MAX {
        let Ok(next) = &result else { break };
        let Some(to) = next.response.location.clone().filter(|_| follows) else { break };
        // Who was named in a header is still asked there.
        let same = request.host.clone();
        let (scheme, authority, _) = parse_url(&at);
        let to = if to.starts_with('/') { format!("{scheme}://{authority}{to}") } else { to };
        at.clone_from(&to);
        redirects += 1;
        request = self::request(io, name, &to);
        if parse_url(&to).1 == request.header && same != request.host && io.argv.iter().any(|a| a == "--resolve") {
            request.host = same;
        }
        result = http(io, &request);
    }
    let (host, port) = (request.host.clone(), request.port);
    let done = result.as_ref().map_or(io.now, |served| served.done);
    let result = result.map(|served| served.response);
    let ip = resolve(io, &host).first().cloned().unwrap_or_default();
    let seconds = |io: &Io, names: &[&str]| option(io, names).and_then(|s| super::ping::seconds(&s));
    let limit = seconds(io, &["-T", "-m", "--max-time", "--timeout"]);
    let patience = limit.or_else(|| seconds(io, &["--connect-timeout"])).unwrap_or(DIAL_TIMEOUT);
    if name == "wget" && !quiet && !ip.is_empty() {
        io.complain(format!("Connecting to {host}:{port} ({ip}:{port})"));
    }
    if let Ok(r) = &result
        && name == "wget"
        && (io.flag('S') || io.argv.iter().any(|a| a == "--server-response"))
    {
        let line = format!("  HTTP/1.1 {} {}", r.status, reason(r.status));
        io.complain(line);
    }
    let fails = io.flag('f') || name == "wget" || io.argv.iter().any(|a| a == "--fail");
    let mute = name == "curl" && io.flag('s') && !io.flag('S');
    if let Some(limit) = limit.filter(|l| done.since(io.now) > *l) {
        io.complain(match name {
            "curl" => {
                format!("curl: (28) Operation timed out after {} milliseconds with 0 bytes received", limit.as_millis())
            }
            _ => "wget: download timed out".into(),
        });
        return answered(io, io.now + limit, if name == "curl" { 28 } else { 1 });
    }
    let talks = name == "curl" && !request.tls && (io.flag('v') || io.argv.iter().any(|a| a == "--verbose"));
    if let (true, Ok(r)) = (talks, &result) {
        let r = r.clone();
        conversation(io, &request, &ip, &r);
    }
    let met = match &result {
        Ok(r) => (r.status, if request.said.method == "HEAD" { 0 } else { r.body.len() }, kind_of(r)),
        Err(_) => (0, 0, String::new()),
    };
    let mut ended = io.now;
    let code = match result {
        Ok(r) if r.status >= 400 && fails => {
            let said = match name {
                "curl" => format!("curl: (22) The requested URL returned error: {}", r.status),
                _ => format!("wget: server returned error: HTTP/1.1 {} {}", r.status, reason(r.status)),
            };
            if !mute {
                io.complain(said);
            }
            if name == "curl" { 22 } else { 1 }
        }
        Ok(r) => match keep(io, name, &request, r, stdout, to_file) {
            Ok(()) => {
                if talks {
                    io.complain(format!("* Connection #0 to host {host} left intact"));
                }
                0
            }
            Err(why) => {
                io.complain(why);
                1
            }
        },
        Err(e) => {
            let (mut text, code) = failure(name, e, &host, port, &ip);
            if name == "curl" && e == NetError::Unreachable {
                let ms = patience.as_millis();
                text = match limit {
                    Some(_) => format!("curl: (28) Connection timed out after {ms} milliseconds"),
                    None => {
                        format!("curl: (28) Failed to connect to {host} port {port} after {ms} ms: Timeout was reached")
                    }
                };
            }
            if !mute {
                io.complain(text);
            }
            if e == NetError::Unreachable {
                ended = after(io, patience);
            }
            code
        }
    };
    if name == "curl"
        && let Some(format) = option(io, &["-w"])
    {
        let method = if request.said.method.is_empty() { "GET" } else { &request.said.method };
        let (status, size, kind) = met;
        let took = ended.max(done).since(io.now);
        let ip = if host == "localhost" { "127.0.0.1" } else { &ip };
        let url = if at.contains("://") { at.clone() } else { format!("http://{}{}", request.header, request.path) };
        let url = url.as_str();
        let t = super::curl::Transfer { status, size, url, redirects, kind, ip, port, method, took, code };
        super::curl::written_out(io, &format, &t);
    }
    if ended > io.now {
        return answered(io, ended, code);
    }
    if done.since(io.now) > AT_ONCE { answered(io, done, code) } else { Outcome::Exit(code) }
}

fn kind_of(r: &Response) -> String {
    let said = r.headers.iter().find(|(k, _)| k.eq_ignore_ascii_case("content-type"));
    said.map_or_else(|| content_type(&r.body).into(), |(_, v)| v.clone())
}

/// The lines before an answer's body.
pub fn head(r: &Response) -> Vec<String> {
    let status = match reason(r.status) {
        "Service Temporarily Unavailable" => "503 Service Temporarily Unavailable".to_string(),
        words => format!("{} {words}", r.status),
    };
    let mut out = vec![format!("HTTP/1.1 {status}")];
    if r.headers.is_empty() {
        out.push(format!("Content-Type: {}", content_type(&r.body)));
        out.push(format!("Content-Length: {}", r.body.len()));
        out.extend(r.location.as_ref().map(|l| format!("Location: {l}")));
    }
    out.extend(r.headers.iter().map(|(k, v)| format!("{k}: {v}")));
    out
}

/// `curl -v`: the connection, what is sent and what comes. Models curl 8.5.
fn conversation(io: &mut Io, request: &Request, ip: &str, r: &Response) {
    let method = if request.said.method.is_empty() { "GET" } else { &request.said.method };
    let ip = if request.host == "localhost" { "127.0.0.1" } else { ip };
    let mut lines = vec![
        format!("*   Trying {ip}:{}...", request.port),
        format!("* Connected to {} ({ip}) port {}", request.host, request.port),
        format!("> {method} {} HTTP/1.1", request.path),
        format!("> Host: {}", request.header),
    ];
    // curl's own headers come first, then those that it was given.
    let own = |k: &str| matches!(k, "User-Agent" | "Accept");
    let said = &request.said.headers;
    let sorted = said.iter().filter(|(k, _)| own(k)).chain(said.iter().filter(|(k, _)| !own(k)));
    lines.extend(sorted.map(|(k, v)| format!("> {k}: {v}")));
    lines.push("> ".into());
    lines.extend(head(r).iter().map(|l| format!("< {l}")));
    lines.push("< ".into());
    // Headers are shown as they go over the wire.
    lines.iter().for_each(|l| io.complain(if l.starts_with('*') { l.clone() } else { format!("{l}\r") }));
}

/// The answer to where it belongs.
fn keep(
    io: &mut Io,
    name: &str,
    request: &Request,
    r: Response,
    stdout: bool,
    to_file: Option<String>,
) -> Result<(), String> {
    if stdout {
        let head = io.flag('I') || io.argv.iter().any(|a| a == "--head");
        if name == "curl" && (head || io.flag('i') || io.argv.iter().any(|a| a == "--include")) {
            let lines: String = self::head(&r).iter().map(|l| format!("{l}\r\n")).collect();
            io.say(format!("{lines}\r\n"));
        }
        if !(name == "curl" && head) {
            io.say(r.body);
        }
        return Ok(());
    }
    let path = request.path.split('?').next().unwrap_or("/");
    let last = path.rsplit('/').next().filter(|n| !n.is_empty()).unwrap_or("index.html").to_string();
    let file = to_file.unwrap_or(last);
    let target = io.path(&file);
    let written = io.m.fs.write(&target, r.body.as_bytes(), false, io.world.volumes);
    written.map_err(|e| format!("{name}: can't open '{file}': {}", e.text()))
}

/// What is said when nothing came, and the exit code.
fn failure(name: &str, e: NetError, host: &str, port: u16, ip: &str) -> (String, i32) {
    match (name, e) {
        ("curl", NetError::NoSuchHost) => (format!("curl: (6) Could not resolve host: {host}"), 6),
        ("curl", NetError::Refused) => {
            (format!("curl: (7) Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"), 7)
        }
        ("curl", NetError::NotHttp) => ("curl: (52) Empty reply from server".into(), 52),
        ("curl", NetError::NotTls) => ("curl: (35) error:0A00010B:SSL routines::wrong version number".into(), 35),
        ("curl", NetError::Untrusted) => (NO_TRUST.into(), 60),
        ("curl", NetError::Unreachable | NetError::Waiting) => {
            (format!("curl: (28) Failed to connect to {host} port {port}: Timeout was reached"), 28)
        }
        (_, NetError::NoSuchHost) => (format!("wget: bad address '{host}'"), 1),
        (_, NetError::Refused) => (format!("wget: can't connect to remote host ({ip}): Connection refused"), 1),
        (_, NetError::NotHttp) => ("wget: error getting response".into(), 1),
        (_, NetError::NotTls) => (
            "OpenSSL: error:0A00010B:SSL routines::wrong version number\nUnable to establish SSL connection.".into(),
            4,
        ),
        (_, NetError::Untrusted) => (
            format!(
                "ERROR: cannot verify {host}'s certificate:\n  Self-signed certificate encountered.\nTo connect to {host} \
                 insecurely, use `--no-check-certificate'."
            ),
            5,
        ),
        (_, NetError::Unreachable | NetError::Waiting) => ("wget: download timed out".into(), 1),
    }
}

/// What was said so far is said when the answer is there.
fn answered(io: &mut Io, at: Time, code: i32) -> Outcome {
    let late = Late { out: std::mem::take(&mut io.out), err: std::mem::take(&mut io.err), code };
    Outcome::Sleep(at, Running::Answered(Box::new(late)))
}
