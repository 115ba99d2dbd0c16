//! The control plane's processes, from the terminal: what the page's lamps do, for people who only have kubectl.
//!
//! `kubectl get --raw /kubottle/processes` lists them, `kubectl create --raw
//! /kubottle/processes/kube-scheduler/stop -f /dev/null` stops one, `…/start` starts it again. `kube-scheduler-2/start` starts
//! a second one, which stands by; the same goes for `kube-controller-manager`.

use super::api::{finish, refuse};
use super::body::{Body, full};
use crate::world::{Handle, World};
use http::header::CONTENT_TYPE;
use http::{Method, Response};
use meta::ApiError;
use std::collections::BTreeMap;

const ROOT: &str = "/kubottle/processes";

/// What a path below [`ROOT`] asks for.
#[derive(Debug, PartialEq)]
enum Asked<'a> {
    List,
    Set { process: &'a str, running: bool },
}

pub fn is_process(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn parse<'a>(method: &Method, path: &'a str) -> Option<Asked<'a>> {
    let rest = path.strip_prefix(ROOT)?.trim_matches('/');
    if rest.is_empty() {
        return (*method == Method::GET).then_some(Asked::List);
    }
    // A kubelet's name has a slash of its own: `kubelet/node-1`.
    let (process, verb) = rest.rsplit_once('/')?;
    let running = match verb {
        "start" => true,
        "stop" => false,
        _ => return None,
    };
    (*method == Method::POST).then_some(Asked::Set { process, running })
}

pub async fn handle(handle: Handle, method: Method, path: String) -> Response<Body> {
    let asked = handle.ask(move |w| match parse(&method, &path) {
        Some(Asked::List) => Ok(list(w)),
        Some(Asked::Set { process, running }) if w.cluster.set_process(process, running) => Ok(list(w)),
        Some(Asked::Set { process, .. }) => {
            let known: Vec<String> = states(w).into_keys().collect();
            Err(ApiError::new(404, "NotFound", format!("no process {process:?}, there are: {}", known.join(", "))))
        }
        None => Err(ApiError::new(
            404,
            "NotFound",
            format!("{method} {path}: want GET {ROOT}, or POST {ROOT}/NAME/stop or {ROOT}/NAME/start"),
        )),
    });
    match asked.await {
        Ok(Ok(text)) => finish(Response::builder().header(CONTENT_TYPE, "text/plain").body(full(text))),
        Ok(Err(e)) => refuse(&e),
        Err(e) => refuse(&ApiError::new(503, "ServiceUnavailable", e.to_string())),
    }
}

/// Processes that can be stopped, by name, with the state of their first component.
fn states(w: &World) -> BTreeMap<String, &'static str> {
    let mut all = BTreeMap::new();
    for slot in w.cluster.slots().filter(|s| cluster::Cluster::can_stop(&s.process)) {
        let state = match slot.lamp {
            cluster::Lamp::Running | cluster::Lamp::Standby if w.cluster.stands_by(&slot.process) => "standby",
            cluster::Lamp::Standby => "standby",
            cluster::Lamp::Running => "running",
            cluster::Lamp::Stopped => "stopped",
            cluster::Lamp::Crashed => "crashed",
            cluster::Lamp::Paused => "paused",
        };
        all.entry(slot.process.to_string()).or_insert(state);
    }
    all
}

fn list(w: &World) -> String {
    let all = states(w);
    let width = all.keys().map(String::len).max().unwrap_or(0);
    all.iter().map(|(name, state)| format!("{name:width$}   {state}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelets_name_has_a_slash() {
        let set = |process, running| Some(Asked::Set { process, running });
        assert_eq!(parse(&Method::GET, "/kubottle/processes"), Some(Asked::List));
        assert_eq!(parse(&Method::POST, "/kubottle/processes/kube-scheduler/stop"), set("kube-scheduler", false));
        assert_eq!(parse(&Method::POST, "/kubottle/processes/kubelet/node-1/start"), set("kubelet/node-1", true));
        assert_eq!(parse(&Method::GET, "/kubottle/processes/kube-scheduler/stop"), None);
        assert_eq!(parse(&Method::POST, "/kubottle/processes/kube-scheduler"), None);
        assert!(!is_process("/kubottle/processeses"));
    }
}
