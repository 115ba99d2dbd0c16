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
}

/// How a request is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Text(u16, String),
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

/// `return 200 "text";`, `return 404;`
fn returns(block: &[Directive]) -> Option<Reply> {
    let args = &block.iter().find(|d| d.name == "return")?.args;
    let code = args.first()?.parse().ok()?;
    Some(Reply::Text(code, args.get(1).cloned().unwrap_or_default()))
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
                "server" => out.push(inner),
                "include" => {
                    for file in included(fs, volumes, inner.args.first().map_or("", String::as_str)) {
                        let Ok(text) = fs.read(&file, volumes) else { continue };
                        let all = parse(&file, &String::from_utf8_lossy(&text))?;
                        out.extend(all.into_iter().filter(|d| d.name == "server"));
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
    let mut line = 1;
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
                let d = Directive { name: name.clone(), args: args.to_vec(), block: Vec::new() };
                if let Some(outer) = stack.last_mut() {
                    outer.block.push(d);
                }
                words.clear();
            }
            '{' => {
                let Some((name, args)) = words.split_first() else {
                    return Err(format!("unexpected \"{{\" in {file}:{line}"));
                };
                stack.push(Directive { name: name.clone(), args: args.to_vec(), block: Vec::new() });
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
                            line += u32::from(x == '\n');
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
