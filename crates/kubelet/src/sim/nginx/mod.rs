//! nginx as its configuration says: which server and location a request is for, what they answer, and what is logged.
//! The configuration is that of the last start or reload, as a real one's.

pub mod answer;
pub mod log;
mod parse;
mod upstream;
mod variables;

use super::catalogue::{Http, Server};
use super::fs::{Fs, Volumes, normalize};
use super::shell::pattern;
use parse::{Directive, parse};
use std::sync::Arc;

/// Files that include files.
const INCLUDES_MAX: u32 = 8;
const CONFIG: &str = "/etc/nginx/nginx.conf";
/// Each is a process here; a real one has at most 1024.
const WORKERS_MAX: usize = 64;
const HTML: &str = "/usr/share/nginx/html";

/// Whether a program is an nginx that reads its configuration.
pub fn is(server: &Server) -> bool {
    server.program == "nginx" && matches!(server.http, Http::Files(_))
}

/// An nginx that runs.
#[derive(Clone, Debug, Default)]
pub struct Live {
    config: Arc<Config>,
}

impl Live {
    pub fn new(config: Config) -> Live {
        Live { config: Arc::new(config) }
    }

    pub fn renew(&mut self, config: Config) {
        self.config = Arc::new(config);
    }

    /// Hosts that must be found when it starts, and where they stand: names in `upstream` and `proxy_pass`. With a variable
    /// in it a name is asked for later.
    pub fn asked_for(&self) -> &[(String, String)] {
        &self.config.asked_for
    }

    /// Whether its error log has what is only to be noticed.
    pub fn notices(&self) -> bool {
        matches!(self.config.level.as_deref(), Some("notice" | "info" | "debug"))
    }

    pub fn workers(&self) -> usize {
        self.config.workers()
    }

    pub fn speaks_tls(&self, port: u16) -> bool {
        let listen = self.config.servers.iter().flat_map(|s| s.inside("listen"));
        listen.into_iter().any(|d| listened(d) == Some(port) && d.args.iter().any(|a| a == "ssl"))
    }
}

/// What is read of `nginx.conf` and the files that it includes.
#[derive(Clone, Debug, Default)]
pub struct Config {
    workers: Option<String>,
    /// How grave something must be to be in the error log.
    level: Option<String>,
    /// What stands in `http` itself.
    http: Vec<Directive>,
    servers: Vec<Directive>,
    upstreams: Vec<Directive>,
    asked_for: Vec<(String, String)>,
}

impl Config {
    /// # Errors
    /// nginx's words.
    pub fn read(fs: &Fs, volumes: &Volumes) -> Result<Config, String> {
        let Ok(text) = fs.read(CONFIG, volumes) else {
            return Err(format!("open() \"{CONFIG}\" failed (2: No such file or directory)"));
        };
        let mut config = Config::default();
        let mut all = Vec::new();
        for d in parse(CONFIG, &String::from_utf8_lossy(&text))? {
            match d.name.as_str() {
                "worker_processes" => config.workers = d.args.first().cloned(),
                "error_log" => config.level = d.args.get(1).cloned(),
                "http" => all.extend(d.block.into_iter().map(|d| (d, CONFIG.to_string()))),
                _ => {}
            }
        }
        let mut placed = Vec::new();
        for (d, file) in all {
            if d.name != "include" {
                placed.push((d, file));
                continue;
            }
            config.http.push(d.clone());
            for file in included(fs, volumes, d.arg(0)) {
                let Ok(text) = fs.read(&file, volumes) else { continue };
                let inner = parse(&file, &String::from_utf8_lossy(&text))?;
                placed.extend(inner.into_iter().map(|d| (d, file.clone())));
            }
        }
        for (d, file) in &mut placed {
            let name = file.clone();
            include(d, &name, fs, volumes, INCLUDES_MAX)?;
        }
        config.asked_for = asked_for(&placed);
        for (d, file) in placed {
            if d.name == "log_format" && d.args.len() < 2 {
                return Err(format!("invalid number of arguments in \"log_format\" directive in {file}:{}", d.line));
            }
            match d.name.as_str() {
                "server" => config.servers.push(d),
                "upstream" => config.upstreams.push(d),
                _ => config.http.push(d),
            }
        }
        Ok(config)
    }

    /// The ports of all servers.
    pub fn ports(&self) -> Vec<u16> {
        let mut all: Vec<u16> = self.servers.iter().flat_map(listens).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How many workers it has: as many as processors with `auto`.
    pub fn workers(&self) -> usize {
        match self.workers.as_deref() {
            Some("auto") => super::procfs::CPUS,
            Some(n) => n.parse().unwrap_or(1).min(WORKERS_MAX),
            None => 1,
        }
    }

    /// The server for a port and a `Host`: by its whole name, by the longest wildcard before and after, by a regular
    /// expression, else the default of the port.
    fn server(&self, port: u16, host: &str) -> Option<&Directive> {
        let at: Vec<&Directive> = self.servers.iter().filter(|s| listens(s).contains(&port)).collect();
        let host = host.rsplit_once(':').map_or(host, |(h, p)| if p.parse::<u16>().is_ok() { h } else { host });
        let host = host.to_ascii_lowercase();
        let named = |fits: &dyn Fn(&str) -> Option<usize>| {
            let all = at.iter().flat_map(|s| s.inside("server_name").flat_map(|d| &d.args).map(move |n| (*s, n)));
            let fitting = all.filter_map(|(s, n)| Some((fits(&n.to_ascii_lowercase())?, s)));
            // The first of equals, which `max_by_key` is not.
            fitting.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, s)| s)
        };
        let before = |n: &str| {
            let rest = n.strip_prefix('*').or_else(|| n.strip_prefix('.').map(|_| n))?;
            (host.ends_with(rest) || n.strip_prefix('.') == Some(host.as_str())).then_some(rest.len())
        };
        let after = |n: &str| n.strip_suffix('*').filter(|rest| host.starts_with(rest)).map(str::len);
        let regex = |n: &str| {
            let r = n.strip_prefix('~')?;
            regex_lite::Regex::new(r).ok()?.is_match(&host).then_some(0)
        };
        let is_default = |s: &&&Directive| {
            s.inside("listen").any(|d| listened(d) == Some(port) && d.args.iter().any(|a| a == "default_server"))
        };
        named(&|n| (n == host).then_some(0))
            .or_else(|| named(&before))
            .or_else(|| named(&after))
            .or_else(|| named(&regex))
            .or_else(|| at.iter().find(is_default).copied())
            .or_else(|| at.first().copied())
    }

    /// The type of a file by its name, as `mime.types` has it; without that file everything is `default_type`.
    fn content_type(&self, inside: &[&[Directive]], name: &str) -> String {
        let default = last(inside, "default_type").map_or("text/plain", |d| d.arg(0)).to_string();
        let known = self.http.iter().any(|d| d.name == "include" && d.args.iter().any(|a| a.ends_with("mime.types")));
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
}

/// The directive as it stands furthest in; `inside` begins there.
fn last<'a>(inside: &[&'a [Directive]], name: &str) -> Option<&'a Directive> {
    inside.iter().find_map(|block| block.iter().find(|d| d.name == name))
}

/// All of a name that stand furthest in.
fn all_last<'a>(inside: &[&'a [Directive]], name: &'a str) -> Vec<&'a Directive> {
    let found = inside.iter().map(|block| block.iter().filter(|d| d.name == name).collect::<Vec<_>>());
    found.into_iter().find(|all| !all.is_empty()).unwrap_or_default()
}

fn listens(server: &Directive) -> Vec<u16> {
    let ports: Vec<u16> = server.inside("listen").filter_map(listened).collect();
    if server.inside("listen").next().is_some() { ports } else { vec![80] }
}

fn listened(listen: &Directive) -> Option<u16> {
    let address = listen.args.first()?;
    let port = address.rsplit(':').next()?.trim_end_matches(']');
    // An address alone is at port 80.
    if address.contains('.') && !address.contains(':') { Some(80) } else { port.parse().ok() }
}

fn asked_for(placed: &[(Directive, String)]) -> Vec<(String, String)> {
    let upstreams = || placed.iter().filter(|(d, _)| d.name == "upstream");
    let known: Vec<&str> = upstreams().map(|(u, _)| u.arg(0)).collect();
    let mut out = Vec::new();
    for (u, file) in upstreams() {
        for d in u.inside("server") {
            out.push((upstream::address_of(d.arg(0), 80).0, format!("{file}:{}", d.line)));
        }
    }
    for (server, file) in placed.iter().filter(|(d, _)| d.name == "server") {
        for d in server.inside("location").flat_map(|l| l.inside("proxy_pass")) {
            let host = upstream::target(d.arg(0)).map(|t| t.host);
            let host = host.filter(|h| !h.contains('$') && !known.contains(&h.as_str()));
            out.extend(host.map(|h| (h, format!("{file}:{}", d.line))));
        }
    }
    out
}

/// An exact match, the first regular expression (unless the longest prefix forbids it with `^~`), the longest prefix.
fn locate<'a>(block: &'a [Directive], path: &str) -> Option<&'a Directive> {
    let all = || block.iter().filter(|d| d.name == "location");
    let modified = |d: &Directive, m: &str| d.args.len() == 2 && d.args[0] == m;
    if let Some(exact) = all().find(|d| modified(d, "=") && d.args[1] == path) {
        return Some(exact);
    }
    let is_prefix = |d: &&Directive| {
        (d.args.len() == 1 && !d.args[0].starts_with('@') || modified(d, "^~"))
            && d.args.last().is_some_and(|p| path.starts_with(p.as_str()))
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

/// What a block includes stands in its place: snippets, `proxy_params`.
fn include(d: &mut Directive, file: &str, fs: &Fs, volumes: &Volumes, depth: u32) -> Result<(), String> {
    let Some(left) = depth.checked_sub(1) else { return Err(format!("too many nested includes in {file}:{}", d.line)) };
    let mut block = Vec::with_capacity(d.block.len());
    for mut inner in std::mem::take(&mut d.block) {
        if inner.name == "include" {
            for file in included(fs, volumes, inner.arg(0)) {
                // The image's own snippets (`fastcgi_params`) are not all here.
                let Ok(text) = fs.read(&file, volumes) else { continue };
                let mut all =
                    Directive { block: parse(&file, &String::from_utf8_lossy(&text))?, ..Directive::default() };
                include(&mut all, &file, fs, volumes, left)?;
                block.append(&mut all.block);
            }
            continue;
        }
        include(&mut inner, file, fs, volumes, depth)?;
        block.push(inner);
    }
    d.block = block;
    Ok(())
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
