//! What nginx writes of a request: a line in its access log, and what it complains of in its error log.

use super::parse::Directive;
use super::variables::Request;
use super::{all_last, last, locate};
use crate::sim::fs::Volumes;
use crate::sim::machine::Machine;
use crate::sim::net::Server as Asked;
use crate::sim::programs;
use meta::Time;

/// The format that needs no `log_format`.
const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
     \"$http_referer\" \"$http_user_agent\"";
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
                f.args[1..].iter().filter(|a| !a.starts_with("escape=")).map(String::as_str).collect()
            });
            lines.push((d.arg(0).to_string(), format!("{}\n", known.expand(&format, "-"))));
        }
    }
    for (to, line) in lines {
        if LOGS.contains(&to.as_str()) {
            m.print(now, line.as_bytes());
        } else {
            // A full disk: the line is lost, as with a real one.
            let _ = m.fs.write(&to, line.as_bytes(), true, volumes);
        }
    }
}

/// The first worker's number.
fn worker(m: &Machine) -> u32 {
    use crate::sim::machine::Kind;
    use programs::Running;
    m.procs.iter().find(|(_, p)| matches!(p.kind, Kind::Program(Running::Worker))).map_or(1, |(id, _)| *id)
}
