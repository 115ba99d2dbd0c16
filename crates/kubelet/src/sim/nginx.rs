//! What nginx's configuration says about where it listens and what it answers: `listen`, `root`, `alias`, `index`,
//! `return` and `location`; the rest is read over.

use super::catalogue::{Http, Server};
use super::fs::{Fs, Volumes, normalize};
use super::shell::pattern;

#[derive(Debug, Default)]
struct Directive {
    name: String,
    args: Vec<String>,
    block: Vec<Directive>,
    line: usize,
}

/// How a request is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Text(u16, String),
    /// A redirect's code and where to.
    Redirect(u16, String),
    /// What another server says: its host and port, and the path there.
    Proxy(String, u16, String),
    /// This file or directory.
    File(String),
}

/// Whether a program is an nginx that reads its configuration.
pub fn is(server: &Server) -> bool {
    server.program == "nginx" && matches!(server.http, Http::Files(_))
}

/// How many workers it has: as many as processors with `auto`.
pub fn workers(fs: &Fs, volumes: &Volumes) -> usize {
    let text = fs.read(CONFIG, volumes).unwrap_or_default();
    let all = parse(CONFIG, &String::from_utf8_lossy(&text)).unwrap_or_default();
    match first(&all, "worker_processes") {
        Some("auto") => super::procfs::CPUS,
        Some(n) => n.parse().unwrap_or(1),
        None => 1,
    }
}

/// The type of a file by its name, as `mime.types` has it; without that file everything is `default_type`.
pub fn content_type(fs: &Fs, volumes: &Volumes, name: &str) -> String {
    let text = fs.read(CONFIG, volumes).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let all = parse(CONFIG, &text).unwrap_or_default();
    let http = all.iter().find(|d| d.name == "http").map(|d| d.block.as_slice()).unwrap_or_default();
    let default = first(http, "default_type").unwrap_or("text/plain").to_string();
    let known = http.iter().any(|d| d.name == "include" && d.args.iter().any(|a| a.ends_with("mime.types")));
    let kind = match name.rsplit_once('.').map(|(_, e)| e) {
        Some("html" | "htm" | "shtml") => "text/html",
        Some("css") => "text/css",
        Some("xml") => "text/xml",
        Some("gif") => "image/gif",
        Some("jpeg" | "jpg") => "image/jpeg",
        Some("png") => "image/png",
        Some("svg" | "svgz") => "image/svg+xml",
        Some("ico") => "image/x-icon",
        Some("js") => "application/javascript",
        Some("json") => "application/json",
        Some("txt") => "text/plain",
        _ => return default,
    };
    if known { kind.into() } else { default }
}

const CONFIG: &str = "/etc/nginx/nginx.conf";
const HTML: &str = "/usr/share/nginx/html";

/// The ports of all servers, or why nginx refuses its configuration.
///
/// # Errors
/// nginx's words.
pub fn ports(fs: &Fs, volumes: &Volumes) -> Result<Vec<u16>, String> {
    let mut all: Vec<u16> = servers(fs, volumes)?.iter().flat_map(listens).collect();
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Whether a server speaks TLS at a port (`listen 443 ssl`).
pub fn speaks_tls(fs: &Fs, volumes: &Volumes, port: u16) -> bool {
    let all = servers(fs, volumes).unwrap_or_default();
    let listen = all.iter().flat_map(|s| &s.block).filter(|d| d.name == "listen" && listened(d) == Some(port));
    listen.into_iter().any(|d| d.args.iter().any(|a| a == "ssl"))
}

pub fn reply(fs: &Fs, volumes: &Volumes, port: u16, path: &str) -> Reply {
    let all = servers(fs, volumes).unwrap_or_default();
    let Some(server) = all.iter().find(|s| listens(s).contains(&port)).or_else(|| all.first()) else {
        return Reply::File(normalize("/", &format!("{HTML}{path}")));
    };
    if let Some(r) = returns(&server.block) {
        return r;
    }
    let location = locate(&server.block, path);
    if let Some(r) = location.and_then(|l| returns(&l.block)) {
        return r;
    }
    let passed = location.and_then(|l| first(&l.block, "proxy_pass")).and_then(target);
    if let Some(t) = passed {
        let prefix = location.and_then(|l| l.args.last()).map_or("", String::as_str);
        // With a path of its own it takes the place of the location's.
        let path = match (&t.path, path.strip_prefix(prefix)) {
            (Some(own), Some(rest)) => format!("{own}{rest}"),
            _ => path.to_string(),
        };
        let upstream = upstreams(fs, volumes).into_iter().find(|u| u.args.first() == Some(&t.host));
        let named = upstream.as_ref().and_then(|u| u.block.iter().find(|d| d.name == "server")?.args.first().cloned());
        let (host, port) = named.map_or((t.host, t.port), |address| address_of(&address));
        return Reply::Proxy(host, port, path);
    }
    let inside = location.map(|l| l.block.as_slice()).unwrap_or_default();
    let prefix = location.and_then(|l| l.args.last()).map_or("", String::as_str);
    if let (Some(alias), Some(rest)) = (first(inside, "alias"), path.strip_prefix(prefix)) {
        return Reply::File(normalize("/", &format!("{alias}/{rest}")));
    }
    let root = first(inside, "root").or_else(|| first(&server.block, "root")).unwrap_or(HTML);
    // Relative to where nginx is installed.
    let root = if root.starts_with('/') { root.to_string() } else { format!("/etc/nginx/{root}") };
    Reply::File(normalize("/", &format!("{root}{path}")))
}

fn first<'a>(block: &'a [Directive], name: &str) -> Option<&'a str> {
    block.iter().find(|d| d.name == name).and_then(|d| d.args.first()).map(String::as_str)
}

fn listens(server: &Directive) -> Vec<u16> {
    let ports: Vec<u16> = server.block.iter().filter(|d| d.name == "listen").filter_map(listened).collect();
    if server.block.iter().any(|d| d.name == "listen") { ports } else { vec![80] }
}

fn listened(listen: &Directive) -> Option<u16> {
    listen.args.first()?.rsplit(':').next()?.trim_end_matches(']').parse().ok()
}

/// Where `proxy_pass` leads.
struct Target {
    host: String,
    port: u16,
    path: Option<String>,
}

fn address_of(text: &str) -> (String, u16) {
    let (host, port) = text.split_once(':').unwrap_or((text, "80"));
    (host.into(), port.parse().unwrap_or(80))
}

fn target(url: &str) -> Option<Target> {
    let rest = url.strip_prefix("http://")?;
    let (address, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(format!("/{p}"))));
    let (host, port) = address_of(address);
    Some(Target { host, port, path })
}

fn upstreams(fs: &Fs, volumes: &Volumes) -> Vec<Directive> {
    blocks(fs, volumes, "upstream").unwrap_or_default().into_iter().map(|(d, _)| d).collect()
}

/// Hosts that must be found when it starts, and where they stand: names in `upstream` and `proxy_pass`. With a variable in
/// it a name is asked for later.
pub fn asked_for(fs: &Fs, volumes: &Volumes) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let known: Vec<String> = upstreams(fs, volumes).iter().filter_map(|u| u.args.first().cloned()).collect();
    for (u, file) in blocks(fs, volumes, "upstream").unwrap_or_default() {
        for d in u.block.iter().filter(|d| d.name == "server") {
            let host = address_of(d.args.first().map_or("", String::as_str)).0;
            out.push((host, format!("{file}:{}", d.line)));
        }
    }
    for (server, file) in blocks(fs, volumes, "server").unwrap_or_default() {
        let all = server.block.iter().filter(|d| d.name == "location").flat_map(|l| &l.block);
        for d in all.filter(|d| d.name == "proxy_pass") {
            let host = d.args.first().and_then(|u| target(u)).map(|t| t.host).filter(|h| !h.contains('$'));
            out.extend(host.filter(|h| !known.contains(h)).map(|h| (h, format!("{file}:{}", d.line))));
        }
    }
    out
}

/// `return 200 "text";`, `return 404;`, `return 301 URL;`
fn returns(block: &[Directive]) -> Option<Reply> {
    let args = &block.iter().find(|d| d.name == "return")?.args;
    let code = args.first()?.parse().ok()?;
    let text = args.get(1).cloned().unwrap_or_default();
    Some(if matches!(code, 301 | 302 | 303 | 307 | 308) {
        Reply::Redirect(code, text)
    } else {
        Reply::Text(code, text)
    })
}

/// An exact match, the first regular expression (unless the longest prefix forbids it with `^~`), the longest prefix.
fn locate<'a>(block: &'a [Directive], path: &str) -> Option<&'a Directive> {
    let all = || block.iter().filter(|d| d.name == "location");
    let modified = |d: &Directive, m: &str| d.args.len() == 2 && d.args[0] == m;
    if let Some(exact) = all().find(|d| modified(d, "=") && d.args[1] == path) {
        return Some(exact);
    }
    let is_prefix = |d: &&Directive| {
        (d.args.len() == 1 || modified(d, "^~")) && d.args.last().is_some_and(|p| path.starts_with(p.as_str()))
    };
    let longest = all().filter(is_prefix).max_by_key(|d| d.args.last().map_or(0, String::len));
    if longest.is_some_and(|d| modified(d, "^~")) {
        return longest;
    }
    let matches = |d: &&Directive| {
        let ignore = if modified(d, "~*") { "(?i)" } else { "" };
        (modified(d, "~") || modified(d, "~*"))
            && regex_lite::Regex::new(&format!("{ignore}{}", d.args[1])).is_ok_and(|r| r.is_match(path))
    };
    all().find(matches).or(longest)
}

fn servers(fs: &Fs, volumes: &Volumes) -> Result<Vec<Directive>, String> {
    Ok(blocks(fs, volumes, "server")?.into_iter().map(|(d, _)| d).collect())
}

/// The blocks of a kind within `http`, and the files that they stand in.
fn blocks(fs: &Fs, volumes: &Volumes, kind: &str) -> Result<Vec<(Directive, String)>, String> {
    let Ok(text) = fs.read(CONFIG, volumes) else {
        return Err(format!("open() \"{CONFIG}\" failed (2: No such file or directory)"));
    };
    let mut out = Vec::new();
    for d in parse(CONFIG, &String::from_utf8_lossy(&text))? {
        if d.name != "http" {
            continue;
        }
        for inner in d.block {
            match inner.name.as_str() {
                name if name == kind => out.push((inner, CONFIG.to_string())),
                "include" => {
                    for file in included(fs, volumes, inner.args.first().map_or("", String::as_str)) {
                        let Ok(text) = fs.read(&file, volumes) else { continue };
                        let all = parse(&file, &String::from_utf8_lossy(&text))?;
                        out.extend(all.into_iter().filter(|d| d.name == kind).map(|d| (d, file.clone())));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(out)
}

fn included(fs: &Fs, volumes: &Volumes, what: &str) -> Vec<String> {
    let path = normalize("/etc/nginx", what);
    let (dir, leaf) = path.rsplit_once('/').unwrap_or(("", &path));
    if !pattern::is_pattern(leaf) {
        return vec![path.clone()];
    }
    let mut names = fs.list(dir, volumes).unwrap_or_default();
    names.sort();
    names.into_iter().filter(|n| pattern::matches(leaf, n)).map(|n| format!("{dir}/{n}")).collect()
}

fn parse(file: &str, text: &str) -> Result<Vec<Directive>, String> {
    // The blocks that are open; the outermost is the file.
    let mut stack = vec![Directive::default()];
    let mut words: Vec<String> = Vec::new();
    let mut line: usize = 1;
    let mut c = text.chars().peekable();
    while let Some(x) = c.next() {
        match x {
            '\n' => line += 1,
            '#' => while c.next_if(|c| *c != '\n').is_some() {},
            x if x.is_whitespace() => {}
            ';' => {
                let Some((name, args)) = words.split_first() else {
                    return Err(format!("unexpected \";\" in {file}:{line}"));
                };
                let d = Directive { name: name.clone(), args: args.to_vec(), block: Vec::new(), line };
                if let Some(outer) = stack.last_mut() {
                    outer.block.push(d);
                }
                words.clear();
            }
            '{' => {
                let Some((name, args)) = words.split_first() else {
                    return Err(format!("unexpected \"{{\" in {file}:{line}"));
                };
                stack.push(Directive { name: name.clone(), args: args.to_vec(), block: Vec::new(), line });
                words.clear();
            }
            '}' => {
                let done = if stack.len() > 1 && words.is_empty() { stack.pop() } else { None };
                let (Some(done), Some(outer)) = (done, stack.last_mut()) else {
                    return Err(format!("unexpected \"}}\" in {file}:{line}"));
                };
                outer.block.push(done);
            }
            quote @ ('"' | '\'') => {
                let mut word = String::new();
                while let Some(x) = c.next() {
                    match x {
                        '\\' => match c.next() {
                            Some('n') => word.push('\n'),
                            Some('t') => word.push('\t'),
                            Some(other) => word.push(other),
                            None => {}
                        },
                        x if x == quote => break,
                        x => {
                            line += usize::from(x == '\n');
                            word.push(x);
                        }
                    }
                }
                words.push(word);
            }
            first => {
                let mut word = String::from(first);
                while let Some(x) = c.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '{' | '}')) {
                    word.push(x);
                    // `${variable}` belongs to the word.
                    if x == '$' && c.next_if_eq(&'{').is_some() {
                        word.push('{');
                        word.extend(std::iter::from_fn(|| c.next_if(|c| *c != '}')));
                        word.extend(c.next_if_eq(&'}'));
                    }
                }
                words.push(word);
            }
        }
    }
    if stack.len() > 1 {
        return Err(format!("unexpected end of file, expecting \"}}\" in {file}:{line}"));
    }
    Ok(stack.pop().map(|file| file.block).unwrap_or_default())
}
