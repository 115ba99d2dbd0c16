//! curl's command line: checked as curl does, and in one form for what comes after. Models curl 8.5's `tool_getparam.c`.

use super::{Io, Outcome};

/// Letters with a value, and without one.
const VALUED: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
const PLAIN: &str = "012346#aBfgGiIjJklLMnNOpqRsSvVZ:";
/// Long names of letters.
const LONG: &[(&str, char)] = &[
    ("append", 'a'),
    ("cert", 'E'),
    ("config", 'K'),
    ("cookie", 'b'),
    ("cookie-jar", 'c'),
    ("data", 'd'),
    ("data-ascii", 'd'),
    ("dump-header", 'D'),
    ("fail", 'f'),
    ("form", 'F'),
    ("get", 'G'),
    ("globoff", 'g'),
    ("head", 'I'),
    ("header", 'H'),
    ("http1.0", '0'),
    ("include", 'i'),
    ("insecure", 'k'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("location", 'L'),
    ("max-time", 'm'),
    ("no-buffer", 'N'),
    ("output", 'o'),
    ("progress-bar", '#'),
    ("proxy", 'x'),
    ("range", 'r'),
    ("referer", 'e'),
    ("remote-header-name", 'J'),
    ("remote-name", 'O'),
    ("request", 'X'),
    ("show-error", 'S'),
    ("silent", 's'),
    ("upload-file", 'T'),
    ("user", 'u'),
    ("user-agent", 'A'),
    ("verbose", 'v'),
    ("version", 'V'),
    ("write-out", 'w'),
];
const LONG_VALUED: &[&str] = &[
    "cacert",
    "capath",
    "cert-type",
    "ciphers",
    "connect-timeout",
    "connect-to",
    "data-binary",
    "data-raw",
    "data-urlencode",
    "interface",
    "json",
    "keepalive-time",
    "key",
    "key-type",
    "limit-rate",
    "max-filesize",
    "max-redirs",
    "noproxy",
    "oauth2-bearer",
    "pass",
    "proto",
    "resolve",
    "retry",
    "retry-delay",
    "retry-max-time",
    "stderr",
    "tls-max",
    "unix-socket",
    "url",
];
const LONG_PLAIN: &[&str] = &[
    "anyauth",
    "basic",
    "compressed",
    "create-dirs",
    "digest",
    "fail-early",
    "fail-with-body",
    "http1.1",
    "http2",
    "http2-prior-knowledge",
    "location-trusted",
    "no-keepalive",
    "no-progress-meter",
    "parallel",
    "path-as-is",
    "raw",
    "remote-name-all",
    "retry-all-errors",
    "retry-connrefused",
    "tcp-nodelay",
    "tlsv1",
    "tlsv1.2",
    "tlsv1.3",
];
const NUMBERS: &[&str] = &["-m", "--connect-timeout", "--max-redirs", "--retry", "--retry-delay", "--retry-max-time"];
/// What would be sent or read otherwise than here.
const NOT_SIMULATED: &[&str] = &["-F", "-K", "-T", "-x", "--unix-socket"];

fn refuse(io: &mut Io, why: &str) -> Outcome {
    io.complain(format!("curl: {why}\ncurl: try 'curl --help' or 'curl --manual' for more information"));
    Outcome::Exit(2)
}

/// Characters that need no escape in a query.
fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Takes the command line apart and writes it anew: each option a word of its own, with its value behind it, the data in
/// one, and the URL last.
pub fn prepare(io: &mut Io) -> Result<(), Outcome> {
    let mut args: std::collections::VecDeque<String> = io.argv[1..].iter().cloned().collect();
    let (mut options, mut urls): (Vec<(String, Option<String>)>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(a) = args.pop_front() {
        if !a.starts_with('-') || a == "-" {
            urls.push(a);
            continue;
        }
        let mut found: Vec<(String, bool, Option<String>)> = Vec::new();
        if let Some(long) = a.strip_prefix("--") {
            let letter = LONG.iter().find(|(n, _)| *n == long).map(|(_, c)| *c);
            match letter {
                Some(c) => found.push((format!("-{c}"), VALUED.contains(c), None)),
                None if LONG_VALUED.contains(&long) => found.push((a.clone(), true, None)),
                None if LONG_PLAIN.contains(&long) || long.starts_with("no-") => found.push((a.clone(), false, None)),
                None => return Err(refuse(io, &format!("option {a}: is unknown"))),
            }
        } else {
            for (i, c) in a.char_indices().skip(1) {
                let tail = &a[i + c.len_utf8()..];
                match (VALUED.contains(c), PLAIN.contains(c)) {
                    (true, _) => {
                        found.push((format!("-{c}"), true, Some(tail.to_string()).filter(|t| !t.is_empty())));
                        break;
                    }
                    (_, true) => found.push((format!("-{c}"), false, None)),
                    _ => return Err(refuse(io, &format!("option {a}: is unknown"))),
                }
            }
        }
        for (name, valued, value) in found {
            let value = if valued { value.or_else(|| args.pop_front()) } else { None };
            if valued && value.is_none() {
                return Err(refuse(io, &format!("option {a}: requires parameter")));
            }
            if NUMBERS.contains(&&*name) && value.as_ref().is_some_and(|v| v.parse::<f64>().is_err()) {
                return Err(refuse(io, &format!("option {a}: expected a proper numerical parameter")));
            }
            if NOT_SIMULATED.contains(&&*name) {
                io.complain(format!("curl: {a} is not simulated"));
                return Err(Outcome::Exit(2));
            }
            match name.as_str() {
                "-V" => {
                    let version = super::fetch::CURL.trim_start_matches("curl/");
                    io.say(format!("curl {version} (x86_64-pc-linux-gnu) libcurl/{version}\nProtocols: http https\n"));
                    return Err(Outcome::Exit(0));
                }
                "--url" => urls.extend(value),
                _ => options.push((name, value)),
            }
        }
    }
    let Some(mut url) = urls.pop() else {
        // curl has said nothing else since 7.88.
        let why = if io.argv.len() > 1 { "(2) no URL specified\ncurl: " } else { "" };
        io.complain(format!("curl: {why}try 'curl --help' or 'curl --manual' for more information"));
        return Err(Outcome::Exit(2));
    };
    if !urls.is_empty() {
        io.complain("curl: more than one URL is not simulated");
        return Err(Outcome::Exit(2));
    }
    let (mut out, mut data): (Vec<String>, Vec<String>) = (vec!["curl".into()], Vec::new());
    let in_query = options.iter().any(|(n, _)| n == "-G");
    for (name, value) in options {
        match (name.as_str(), value) {
            ("-d" | "--data-raw" | "--data-binary", Some(v)) => data.push(v),
            ("--data-urlencode", Some(v)) => data.push(match v.split_once('=') {
                Some((name, text)) if !name.is_empty() => format!("{name}={}", encoded(text)),
                Some((_, text)) => encoded(text),
                None => encoded(&v),
            }),
            ("--json", Some(v)) => {
                data.push(v);
                for h in ["Content-Type", "Accept"] {
                    out.extend(["-H".to_string(), format!("{h}: application/json")]);
                }
            }
            ("-O", _) => {
                let (_, after) = url.split_once("://").unwrap_or(("", &url));
                let path = after.split_once('/').map_or("", |(_, p)| p).split('?').next().unwrap_or("");
                let Some(last) = path.rsplit('/').next().filter(|l| !l.is_empty()) else {
                    io.complain("curl: Remote file name has no length\ncurl: (23) Failed writing received data to disk/application");
                    return Err(Outcome::Exit(23));
                };
                out.extend(["-o".to_string(), last.to_string()]);
            }
            ("-G", _) => {}
            (_, value) => {
                out.push(name);
                out.extend(value);
            }
        }
    }
    if in_query && !data.is_empty() {
        url = format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, data.join("&"));
    } else if !data.is_empty() {
        out.extend(["-d".to_string(), data.join("&")]);
    }
    out.push(url);
    io.argv = out;
    Ok(())
}

/// What `-w` says of a transfer.
pub struct Transfer<'a> {
    pub status: u16,
    pub size: usize,
    pub url: &'a str,
    pub redirects: usize,
    pub kind: String,
    pub ip: &'a str,
    pub port: u16,
    pub method: &'a str,
    pub took: meta::Duration,
    pub code: i32,
}

/// Models `src/tool_writeout.c`.
pub fn written_out(io: &mut Io, format: &str, t: &Transfer) {
    let mut out = String::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix("%{").and_then(|r| r.split_once('}')) {
            #[allow(clippy::cast_precision_loss)]
            let seconds = format!("{:.6}", t.took.0 as f64 / 1e6);
            let connected = t.status > 0;
            match name {
                "http_code" | "response_code" => out.push_str(&format!("{:03}", t.status)),
                "size_download" => out.push_str(&t.size.to_string()),
                "url_effective" | "url" => out.push_str(t.url),
                "num_redirects" => out.push_str(&t.redirects.to_string()),
                "content_type" => out.push_str(&t.kind),
                "remote_ip" if connected => out.push_str(t.ip),
                "remote_port" => out.push_str(&if connected { t.port } else { 0 }.to_string()),
                "local_ip" if connected => out.push_str(&io.m.spec.pod_ip.clone()),
                "remote_ip" | "local_ip" => {}
                "method" => out.push_str(t.method),
                "scheme" => out.push_str(if t.url.starts_with("https") { "HTTPS" } else { "HTTP" }),
                "http_version" => out.push_str(if connected { "1.1" } else { "0" }),
                "exitcode" => out.push_str(&t.code.to_string()),
                "time_total" | "time_starttransfer" => out.push_str(&seconds),
                // The way takes no time here, the server does.
                "time_namelookup" | "time_connect" | "time_appconnect" | "time_pretransfer" | "time_redirect" => {
                    out.push_str("0.000000");
                }
                "stderr" | "stdout" | "onerror" => {}
                _ => io.complain(format!("curl: unknown --write-out variable: '{name}'")),
            }
            rest = after;
            continue;
        }
        let (text, length) = match rest.as_bytes() {
            [b'%', b'%', ..] => ("%", 2),
            [b'\\', b'n', ..] => ("\n", 2),
            [b'\\', b't', ..] => ("\t", 2),
            [b'\\', b'r', ..] => ("\r", 2),
            _ => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        out.push_str(text);
        rest = &rest[length..];
    }
    io.say(out);
}
