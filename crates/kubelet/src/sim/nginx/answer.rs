//! What nginx answers to a request.

use super::parse::Directive;
use super::variables::Request as Known;
use super::{Config, HTML, Live, all_last, last, locate, upstream};
use crate::sim::fs::{FsError, Volumes, normalize};
use crate::sim::machine::Machine;
use crate::sim::net::{Response, Said, Server as Asked};
use crate::sim::programs;
use meta::Time;
use network::{Request, gateway};

/// How often a request may be sent on within a server; as `NGX_HTTP_MAX_URI_CHANGES`.
const URI_CHANGES: u32 = 10;
/// What a variable or a path may grow to: a configuration that doubles it ends here.
const VALUE_MAX: usize = 64 << 10;

/// A request on its way through a server.
struct Way<'a> {
    m: &'a Machine,
    volumes: &'a Volumes,
    asked: &'a Asked,
    now: Time,
    config: &'a Config,
    server: Option<&'a Directive>,
    /// What `set` has set, and under their numbers what a regular expression has caught.
    set: Vec<(String, String)>,
    /// `last`, `break`: nothing more of what rewrites.
    ends: bool,
    /// `break`: the location stays the one it is.
    stays: bool,
}

/// The answer; a complaint for the error log, if there is one.
pub fn answer(live: &Live, m: &Machine, volumes: &Volumes, asked: &Asked, now: Time) -> (Response, Option<String>) {
    let config = live.config.as_ref();
    let server = config.server(asked.port, &asked.host);
    let mut way = Way { m, volumes, asked, now, config, server, set: Vec::new(), ends: false, stays: false };
    let (mut response, complaint) = way.go(&within_root(&asked.path), URI_CHANGES);
    if asked.said.method == "HEAD" && response.forward.is_empty() {
        response.body.clear();
    }
    (response, complaint)
}

/// The path without its query and its dots, which lead nowhere above the root.
fn within_root(path: &str) -> String {
    let path = path.split('?').next().unwrap_or("/");
    let whole = normalize("/", path);
    if path.ends_with('/') && !whole.ends_with('/') { format!("{whole}/") } else { whole }
}

impl<'a> Way<'a> {
    fn go(&mut self, path: &str, changes: u32) -> (Response, Option<String>) {
        let Some(left) = changes.checked_sub(1) else {
            let why = "rewrite or internal redirection cycle while internally redirecting".into();
            return (self.page(500, &[]), Some(why));
        };
        let block: &'a [Directive] = self.server.map_or(&[], |s| &s.block);
        let outer = [block, self.config.http.as_slice()];
        let mut path = path.to_string();
        if let Some(response) = self.rewrite(block, &mut path, &outer) {
            return (response, None);
        }
        // What a location's `rewrite` has changed is looked for anew.
        for _ in 0..URI_CHANGES {
            let location = locate(block, &path);
            let inner = location.map_or(outer.to_vec(), |l| vec![l.block.as_slice(), outer[0], outer[1]]);
            if let Some(l) = location {
                let before = path.clone();
                if l.args.len() == 2 && l.arg(0).starts_with('~') {
                    self.matches(l.arg(1), l.arg(0) == "~*", &before);
                }
                (self.ends, self.stays) = (false, false);
                if let Some(response) = self.rewrite(&l.block, &mut path, &inner) {
                    return (response, None);
                }
                if before != path && !self.stays {
                    continue;
                }
            }
            return self.content(location, &inner, &path, left);
        }
        (self.page(500, &[]), Some("rewrite or internal redirection cycle while processing".into()))
    }

    /// `set`, `rewrite` and `return`, one after the other.
    fn rewrite(&mut self, block: &[Directive], path: &mut String, inside: &[&[Directive]]) -> Option<Response> {
        for d in block {
            match d.name.as_str() {
                "set" => {
                    let value = self.expand(d.arg(1), path);
                    if value.len() > VALUE_MAX {
                        return Some(self.page(500, &[]));
                    }
                    let name = d.arg(0).trim_start_matches('$');
                    self.set.retain(|(n, _)| n != name);
                    self.set.push((name.into(), value));
                }
                "break" => (self.ends, self.stays) = (true, true),
                "return" => return self.returned(d, path, inside),
                "if" if self.holds(d, path) => {
                    if let Some(response) = self.rewrite(&d.block, path, inside) {
                        return Some(response);
                    }
                }
                "rewrite" => {
                    if !self.matches(d.arg(0), false, &path.clone()) {
                        continue;
                    }
                    let to = self.expand(d.arg(1), path);
                    if to.len() > VALUE_MAX {
                        return Some(self.page(500, &[]));
                    }
                    let code = match d.arg(2) {
                        "permanent" => 301,
                        "redirect" => 302,
                        _ if to.starts_with("http://") || to.starts_with("https://") => 302,
                        flag => {
                            *path = within_root(&to);
                            self.ends |= matches!(flag, "last" | "break");
                            self.stays |= flag == "break";
                            if self.ends {
                                break;
                            }
                            continue;
                        }
                    };
                    return Some(self.redirect(code, &to));
                }
                _ => {}
            }
            if self.ends {
                break;
            }
        }
        None
    }

    /// Whether a regular expression matches; what it caught is `$1` and so on from then on.
    fn matches(&mut self, regex: &str, ignore_case: bool, text: &str) -> bool {
        let ignore = if ignore_case { "(?i)" } else { "" };
        let Ok(regex) = regex_lite::Regex::new(&format!("{ignore}{regex}")) else { return false };
        let Some(found) = regex.captures(text) else { return false };
        self.set.retain(|(n, _)| !n.starts_with(|c: char| c.is_ascii_digit()));
        for (n, group) in found.iter().enumerate().skip(1).take(9) {
            self.set.push((n.to_string(), group.map_or("", |g| g.as_str()).to_string()));
        }
        true
    }

    /// `if ($name)`, `if ($name = text)`, `!=`, `~`, `~*` and their opposites, `-f`, `-d`, `-e`.
    fn holds(&mut self, d: &Directive, path: &str) -> bool {
        let whole = d.args.join(" ");
        let inside = whole.trim().trim_start_matches('(').trim_end_matches(')').trim();
        let mut words = inside.splitn(3, ' ');
        let (first, operator, rest) = (words.next().unwrap_or(""), words.next(), words.next().unwrap_or(""));
        let (negated, test) = first.strip_prefix('!').map_or((false, first), |t| (true, t));
        if let ("-f" | "-d" | "-e", Some(name)) = (test, operator) {
            let name = self.expand(name, path);
            let (file, dir) = (self.m.fs.read(&name, self.volumes).is_ok(), self.m.fs.is_dir(&name, self.volumes));
            let there = match test {
                "-f" => file && !dir,
                "-d" => dir,
                _ => file || dir,
            };
            return there != negated;
        }
        let value = self.expand(first, path);
        let Some(operator) = operator else { return !value.is_empty() && value != "0" };
        match operator {
            "=" => value == self.expand(rest, path),
            "!=" => value != self.expand(rest, path),
            "~" | "~*" => self.matches(rest, operator == "~*", &value),
            "!~" | "!~*" => !self.matches(rest, operator == "!~*", &value),
            _ => false,
        }
    }

    /// `return 200 "text";`, `return 404;`, `return 301 URL;`, `return URL;`
    fn returned(&self, d: &Directive, path: &str, inside: &[&[Directive]]) -> Option<Response> {
        let Ok(code) = d.arg(0).parse::<u16>() else { return Some(self.redirect(302, &self.expand(d.arg(0), path))) };
        let text = self.expand(d.arg(1), path);
        Some(match code {
            301 | 302 | 303 | 307 | 308 => self.redirect(code, &text),
            300.. if text.is_empty() => self.failed(code, inside),
            _ => self.said(code, text, &self.config.content_type(inside, path), inside, &[]),
        })
    }

    fn content(
        &mut self,
        location: Option<&'a Directive>,
        inside: &[&'a [Directive]],
        path: &str,
        left: u32,
    ) -> (Response, Option<String>) {
        if let Some(why) = self.denied(inside) {
            return (self.failed(403, inside), Some(why));
        }
        if let Some(l) = location {
            if let Some(d) = l.inside("proxy_pass").next()
                && let Some(response) = self.passed(l, d, inside, path)
            {
                return (response, None);
            }
            if l.inside("stub_status").next().is_some() {
                let n = self.m.requests + 1;
                let text = format!(
                    "Active connections: 1 \nserver accepts handled requests\n {n} {n} {n} \nReading: 0 Writing: 1 \
                     Waiting: 0 \n"
                );
                return (self.said(200, text, "text/plain", inside, &[]), None);
            }
        }
        let whole = |path: &str| self.file(location, inside, path);
        let Some(tried) = last(inside, "try_files") else {
            let file = whole(path);
            return self.served(&file, inside, path);
        };
        let (end, files) = match tried.args.split_last() {
            Some((end, files)) => (end.clone(), files.to_vec()),
            None => return self.served(&whole(path), inside, path),
        };
        for f in files {
            let name = self.expand(&f, path);
            let file = self.file(location, inside, name.trim_end_matches('/'));
            let is_dir = self.m.fs.is_dir(&file, self.volumes);
            if is_dir == f.ends_with('/') && (is_dir || self.m.fs.read(&file, self.volumes).is_ok()) {
                return self.served(&file, inside, if is_dir { path } else { &name });
            }
        }
        if let Some(code) = end.strip_prefix('=').and_then(|c| c.parse().ok()) {
            return (self.failed(code, inside), None);
        }
        if end.starts_with('@') {
            let block: &'a [Directive] = self.server.map_or(&[], |s| &s.block);
            let named = block.iter().find(|d| d.name == "location" && d.arg(0) == end);
            let Some(named) = named else {
                return (self.page(500, &[]), Some(format!("could not find named location \"{end}\"")));
            };
            let Some(left) = left.checked_sub(1) else {
                return (self.page(500, &[]), Some("rewrite or internal redirection cycle".into()));
            };
            let mut path = path.to_string();
            let inner = [named.block.as_slice(), block, self.config.http.as_slice()];
            return match self.rewrite(&named.block, &mut path, &inner) {
                Some(response) => (response, None),
                None => self.content(Some(named), &inner, &path, left),
            };
        }
        let end = self.expand(&end, path);
        self.go(end.split('?').next().unwrap_or("/"), left)
    }

    /// Where a path's file is.
    fn file(&self, location: Option<&Directive>, inside: &[&[Directive]], path: &str) -> String {
        let prefix = location.and_then(|l| l.args.last()).map_or("", String::as_str);
        let alias = location.and_then(|l| l.inside("alias").next());
        if let (Some(alias), Some(rest)) = (alias, path.strip_prefix(prefix)) {
            return normalize("/", &format!("{}/{rest}", alias.arg(0)));
        }
        let root = last(inside, "root").map_or(HTML, |d| d.arg(0));
        // Relative to where nginx is installed.
        let root = if root.starts_with('/') { root.to_string() } else { format!("/etc/nginx/{root}") };
        normalize("/", &format!("{root}{path}"))
    }

    fn served(&self, file: &str, inside: &[&[Directive]], path: &str) -> (Response, Option<String>) {
        if !matches!(self.asked.said.method.as_str(), "" | "GET" | "HEAD") {
            return (self.failed(405, inside), None);
        }
        let mut file = file.to_string();
        if self.m.fs.is_dir(&file, self.volumes) {
            if !path.ends_with('/') {
                return (self.redirect(301, &format!("http://{}{path}/", self.asked.host)), None);
            }
            let names = last(inside, "index").map_or(vec!["index.html".to_string()], |d| d.args.clone());
            let found = names.iter().map(|n| format!("{file}/{n}")).find(|f| self.m.fs.read(f, self.volumes).is_ok());
            match found {
                Some(f) => file = f,
                None => {
                    return (self.failed(403, inside), Some(format!("directory index of \"{file}/\" is forbidden")));
                }
            }
        }
        match self.m.fs.read(&file, self.volumes) {
            Ok(data) => {
                let body = String::from_utf8_lossy(&data).into_owned();
                // Files have no times of their own here: they are as old as the container.
                let started = self.m.started;
                let etag = format!("\"{:x}-{:x}\"", started.as_secs(), body.len());
                let more = [("Last-Modified", date(started)), ("ETag", etag), ("Accept-Ranges", "bytes".into())];
                (self.said(200, body, &self.config.content_type(inside, &file), inside, &more), None)
            }
            Err(FsError::Denied) => {
                (self.failed(403, inside), Some(format!("open() \"{file}\" failed (13: Permission denied)")))
            }
            Err(_) => {
                (self.failed(404, inside), Some(format!("open() \"{file}\" failed (2: No such file or directory)")))
            }
        }
    }

    /// `allow` and `deny`, the first that fits.
    fn denied(&self, inside: &[&[Directive]]) -> Option<String> {
        let block = inside.iter().find(|b| b.iter().any(|d| d.name == "allow" || d.name == "deny"))?;
        let fits = |d: &Directive| match d.arg(0) {
            "all" => true,
            network => network::contains(network, &self.asked.from),
        };
        let rule = block.iter().filter(|d| d.name == "allow" || d.name == "deny").find(|d| fits(d))?;
        (rule.name == "deny").then(|| "access forbidden by rule".into())
    }

    fn passed(&self, location: &Directive, pass: &Directive, inside: &[&[Directive]], path: &str) -> Option<Response> {
        let target = upstream::target(&self.expand(pass.arg(0), path))?;
        let prefix = location.args.last().map_or("", String::as_str);
        // With a path of its own it takes the place of the location's; of the whole, where a variable is in it.
        let path = match (&target.path, path.strip_prefix(prefix)) {
            (Some(own), _) if pass.arg(0).contains('$') => own.clone(),
            (Some(own), Some(rest)) => format!("{own}{rest}"),
            _ => path.to_string(),
        };
        let query = self.asked.path.split_once('?').map(|(_, q)| format!("?{q}")).unwrap_or_default();
        let mut said: Said = self.asked.said.clone();
        let mut header = target.address.clone();
        said.headers.retain(|(k, _)| !k.eq_ignore_ascii_case("connection"));
        said.headers.push(("Connection".into(), "close".into()));
        for d in all_last(inside, "proxy_set_header") {
            let (name, value) = (d.arg(0), self.expand(d.arg(1), &path));
            said.headers.retain(|(k, _)| !k.eq_ignore_ascii_case(name));
            if name.eq_ignore_ascii_case("host") {
                header = value;
            } else if !value.is_empty() {
                said.headers.push((name.into(), value));
            }
        }
        let to = |(host, port)| Request {
            host,
            port,
            header: header.clone(),
            path: format!("{path}{query}"),
            said: said.clone(),
            // Of whom it asks it takes any certificate.
            tls: target.tls,
            insecure: target.tls,
        };
        let forward = self.config.servers_of(&target, self.m.handed_on).into_iter().map(to).collect();
        Some(Response { forward, ..Response::new(502, "") })
    }

    fn redirect(&self, status: u16, to: &str) -> Response {
        // A path alone is on this server.
        let to = if to.starts_with('/') { format!("http://{}{to}", self.asked.host) } else { to.to_string() };
        Response { location: Some(to.clone()), ..self.page(status, &[("Location", to)]) }
    }

    /// What stands for a code: the page that `error_page` names, or nginx' own.
    fn failed(&self, status: u16, inside: &[&[Directive]]) -> Response {
        let code = status.to_string();
        let pages = all_last(inside, "error_page");
        let page = pages.iter().find(|d| d.args.iter().rev().skip(1).any(|c| *c == code));
        let own = || self.page(status, &[]);
        let Some((page, codes)) = page.and_then(|d| d.args.split_last()) else { return own() };
        let status = codes.iter().find_map(|c| c.strip_prefix('=')?.parse().ok()).unwrap_or(status);
        let block: &[Directive] = self.server.map_or(&[], |s| &s.block);
        let location = locate(block, page);
        let inner = location.map_or(inside.to_vec(), |l| vec![l.block.as_slice(), block, &self.config.http]);
        let file = self.file(location, &inner, page);
        match self.m.fs.read(&file, self.volumes) {
            Ok(data) => {
                let body = String::from_utf8_lossy(&data).into_owned();
                self.said(status, body, &self.config.content_type(inside, &file), inside, &[])
            }
            Err(_) => own(),
        }
    }

    fn page(&self, status: u16, more: &[(&str, String)]) -> Response {
        let response = gateway::page(status);
        let version = programs::nginx::version(&self.m.spec.image);
        let body = response.body.replace("<center>nginx</center>", &format!("<center>nginx/{version}</center>"));
        let headers = self.head("text/html", body.len(), more);
        Response { body, headers, ..response }
    }

    fn said(
        &self,
        status: u16,
        body: String,
        kind: &str,
        inside: &[&[Directive]],
        more: &[(&str, String)],
    ) -> Response {
        let mut headers = self.head(kind, body.len(), more);
        let usual = matches!(status, 200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308);
        for d in all_last(inside, "add_header").iter().filter(|d| usual || d.arg(2) == "always") {
            headers.push((d.arg(0).into(), self.expand(d.arg(1), "")));
        }
        Response { headers, ..Response::new(status, body) }
    }

    fn head(&self, kind: &str, length: usize, more: &[(&str, String)]) -> Vec<(String, String)> {
        let (first, rest) = match more.split_first() {
            // `Last-Modified` stands before, the others after.
            Some((first, rest)) if first.0 == "Last-Modified" => (Some(first.clone()), rest),
            _ => (None, more),
        };
        let mut all = vec![
            ("Server", format!("nginx/{}", programs::nginx::version(&self.m.spec.image))),
            ("Date", date(self.now)),
            ("Content-Type", kind.into()),
            ("Content-Length", length.to_string()),
        ];
        all.extend(first);
        all.push(("Connection", "keep-alive".into()));
        all.extend(rest.iter().cloned());
        all.into_iter().map(|(k, v)| (k.to_string(), v)).collect()
    }

    fn expand(&self, text: &str, uri: &str) -> String {
        let (m, asked, server, now) = (self.m, self.asked, self.server, self.now);
        Known { m, asked, server, uri, set: &self.set, now, status: 0, bytes: 0 }.expand(text, "")
    }
}

fn date(t: Time) -> String {
    programs::clock::format(t, "%a, %d %b %Y %H:%M:%S GMT")
}
