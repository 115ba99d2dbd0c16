//! What a trace entry looks like on the diagram: dots that travel along links. Everything passes the API server.

use super::Model;
use protocol::{Entry, What};

/// A box of the diagram that links end at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    You,
    ApiServer,
    Etcd,
    Scheduler,
    ControllerManager,
    /// Any other process of the control plane.
    Process(String),
    Node(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Something was written: a solid dot.
    Write,
    /// A component saw something, or read: a hollow dot.
    Watch,
    /// A refusal: red.
    Refusal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub seq: u64,
    pub from: Port,
    pub to: Port,
    pub sign: Sign,
    /// How many hops of the same entry come before this one.
    pub after: u32,
}

/// The box a lane belongs to.
pub fn port(model: &Model, actor: &str) -> Option<Port> {
    let process = model.components.get(actor).map_or(actor, |c| c.process.as_str());
    if let Some((_, node)) = process.split_once('/') {
        return Some(Port::Node(node.into()));
    }
    match process {
        "kube-scheduler" => Some(Port::Scheduler),
        "kube-controller-manager" => Some(Port::ControllerManager),
        "kube-apiserver" => Some(Port::ApiServer),
        "you" | "kubectl" => Some(Port::You),
        _ if model.components.contains_key(actor) => Some(Port::Process(process.into())),
        _ if process.ends_with("-controller") => Some(Port::ControllerManager),
        _ => None,
    }
}

pub fn hops(model: &Model, entry: &Entry) -> Vec<Hop> {
    let Some(at) = port(model, &entry.actor) else { return Vec::new() };
    let hop =
        |from: &Port, to: &Port, sign, after| Hop { seq: entry.seq, from: from.clone(), to: to.clone(), sign, after };
    match &entry.what {
        What::Request { code, revision, .. } => {
            let api = Port::ApiServer;
            let refused = *code >= 400;
            let sign = match (refused, *revision > 0) {
                (true, _) => Sign::Refusal,
                (false, true) => Sign::Write,
                (false, false) => Sign::Watch,
            };
            let mut hops = Vec::new();
            if at != api {
                hops.push(hop(&at, &api, sign, 0));
            }
            if sign == Sign::Write {
                hops.push(hop(&api, &Port::Etcd, sign, 1));
            }
            hops
        }
        What::Step { .. } if at != Port::ApiServer => vec![hop(&Port::ApiServer, &at, Sign::Watch, 0)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{ComponentView, Update};

    fn model() -> Model {
        let mut m = Model::default();
        let c = |name: &str, process: &str| ComponentView {
            name: name.into(),
            process: process.into(),
            ..ComponentView::default()
        };
        let components = vec![
            c("deployment-controller", "kube-controller-manager"),
            c("kubelet/n1", "kubelet/n1"),
            c("local-path-provisioner", "local-path-provisioner"),
        ];
        m.apply(Update { components, ..Update::default() });
        m
    }
    fn entry(actor: &str, code: u16, revision: u64) -> Entry {
        let json = format!(
            r#"{{"seq":7,"time":0,"cause":0,"actor":"{actor}","what":"request","verb":"create","resource":"pods",
            "key":"default/a","code":{code},"revision":{revision}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_write_goes_on_to_etcd() {
        let hops = hops(&model(), &entry("deployment-controller", 201, 9));
        assert_eq!(hops.len(), 2);
        assert_eq!(
            (&hops[0].from, &hops[0].to, hops[0].sign),
            (&Port::ControllerManager, &Port::ApiServer, Sign::Write)
        );
        assert_eq!((&hops[1].to, hops[1].after), (&Port::Etcd, 1));
    }

    #[test]
    fn every_process_has_a_box() {
        let m = model();
        assert_eq!(port(&m, "local-path-provisioner"), Some(Port::Process("local-path-provisioner".into())));
        assert_eq!(m.other_processes(), ["local-path-provisioner"]);
        assert_eq!(port(&m, "nobody"), None);
    }

    #[test]
    fn a_refusal_stops_at_the_api_server() {
        let hops = hops(&model(), &entry("kubelet/n1", 409, 0));
        assert_eq!(hops.len(), 1);
        assert_eq!((&hops[0].from, hops[0].sign), (&Port::Node("n1".into()), Sign::Refusal));
    }
}
