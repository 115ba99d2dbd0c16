//! What nginx writes of a request: a line in its access log, and what it complains of in its error log.

use super::parse::Directive;
use super::variables::Request;
use super::{all_last, last, locate};
use crate::sim::fs::{Volumes, normalize};
use crate::sim::machine::{Kind, Machine, Output, Proc};
use crate::sim::net::Server as Asked;
use crate::sim::programs::{self, Running};
use meta::Time;

/// The format that needs no `log_format`.
const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
     \"$http_referer\" \"$http_user_agent\"";
/// Nobody reads what has gathered so far.
const PIPE_MAX: usize = 64 << 10;
/// In the images these lead to the container's log.
const LOGS: [&str; 4] = ["/var/log/nginx/access.log", "/var/log/nginx/error.log", "/dev/stdout", "/dev/stderr"];

/// Notes a request that was answered.
pub fn note(
    m: &mut Machine,
    volumes: &mut Volumes,
    asked: &Asked,
    (status, bytes): (u16, usize),
    complaint: Option<&str>,
    now: Time,
) {
    let Some(live) = m.nginx.as_ref() else { return };
    let (config, number) = (live.config.clone(), m.requests);
    let server = config.server(asked.port, &asked.host);
    let path = asked.path.split('?').next().unwrap_or("/");
    let block: &[Directive] = server.map_or(&[], |s| &s.block);
    let outer = [block, config.http.as_slice()];
    let inside = locate(block, path).map_or(outer.to_vec(), |l| vec![l.block.as_slice(), outer[0], outer[1]]);
    let mut lines = Vec::new();
    {
        let known = Request { m, asked, server, uri: path, set: &[], now, status, bytes };
        if let Some(why) = complaint {
            let to = last(&inside, "error_log").map_or(LOGS[1], |d| d.arg(0)).to_string();
            let stamp = programs::clock::format(now, "%Y/%m/%d %H:%M:%S");
            let pid = worker(m);
            let of = known
                .expand("client: $remote_addr, server: $server_name, request: \"$request\", host: \"$http_host\"", "");
            lines.push((to, format!("{stamp} [error] {pid}#{pid}: *{number} {why}, {of}\n")));
        }
        let logs = all_last(&inside, "access_log");
        let usual = [Directive { args: vec![LOGS[0].into()], ..Directive::default() }];
        let logs = if logs.is_empty() { usual.iter().collect() } else { logs };
        for d in logs.into_iter().filter(|d| d.arg(0) != "off") {
            let named = |f: &&Directive| f.name == "log_format" && f.arg(0) == d.arg(1);
            let format = config.http.iter().find(named).map_or(COMBINED.to_string(), |f| {
                f.args.iter().skip(1).filter(|a| !a.starts_with("escape=")).map(String::as_str).collect()
            });
            lines.push((d.arg(0).to_string(), format!("{}\n", known.expand(&format, "-"))));
        }
    }
    let (out, err) = master(m);
    for (to, line) in lines {
        let to = match to.as_str() {
            "stderr" | "/proc/self/fd/2" => LOGS[3].to_string(),
            "/proc/self/fd/1" => LOGS[2].to_string(),
            file => normalize("/etc/nginx", file),
        };
        // A volume there hides the image's links.
        let hidden = m.fs.mounts.iter().any(|v| to.starts_with(&format!("{}/", v.path)) && v.path != "/dev");
        // A full disk or pipe: the line is lost, as with a real one.
        match if to.ends_with("error.log") || to.ends_with("stderr") { &err } else { &out } {
            _ if hidden || !LOGS.contains(&to.as_str()) => _ = m.fs.write(&to, line.as_bytes(), true, volumes),
            Output::Log => m.print_request(now, line.as_bytes()),
            Output::File(path) => _ = m.fs.write(path, line.as_bytes(), true, volumes),
            Output::Pipe(n) => {
                let pipe = m.pipes.get_mut(n).filter(|p| p.len() < PIPE_MAX);
                pipe.into_iter().for_each(|p| p.extend_from_slice(line.as_bytes()));
            }
            Output::Null => {}
        }
    }
}

/// Where the master writes.
fn master(m: &Machine) -> (Output, Output) {
    let serves = |p: &&Proc| matches!(&p.kind, Kind::Program(Running::Serving { server, .. }) if super::is(server));
    let p = m.procs.values().find(serves);
    p.map_or((Output::Log, Output::Log), |p| (p.fds.stdout.clone(), p.fds.stderr.clone()))
}

/// The first worker's number.
fn worker(m: &Machine) -> u32 {
    m.procs.iter().find(|(_, p)| matches!(p.kind, Kind::Program(Running::Worker))).map_or(1, |(id, _)| *id)
}
