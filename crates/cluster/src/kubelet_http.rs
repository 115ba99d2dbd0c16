//! `nodes/NAME/proxy`: what a kubelet's own HTTP server answers. Models `pkg/kubelet/server/server.go` behind
//! `pkg/registry/core/node/strategy.go` (`ResourceLocation`). The API server authorizes the path as `nodes/proxy` and asks the
//! kubelet as itself, so nothing finer is asked for here.

mod cadvisor;
mod stats;

use crate::Cluster;
use crate::http::LogRequest;
use crate::machines::kubelet_name;
use api::Registered;
use apiserver::http::{HttpResponse, NO_CACHE, Wants, query_pairs};
use apiserver::{Answer, LogOptions, ProxyTarget, Response};
use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec};
use kubelet::Kubelet;
use kubelet::sim::net::Server;
use meta::{ApiError, Key};
use network::policy::CONTROL_PLANE_ADDRESS;
use serde_json::json;
use std::sync::Arc;

const KUBELET_PORT: &str = "10250";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// `healthz.InstallHandler` of the kubelet's server, in its order.
const CHECKS: [&str; 3] = ["ping", "log", "syncloop"];

fn answer(code: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> HttpResponse {
    HttpResponse { code, content_type, cache_control: NO_CACHE, warnings: Vec::new(), body: body.into() }
}

/// Models `http.Error`.
fn error(code: u16, text: &str) -> HttpResponse {
    answer(code, TEXT, format!("{text}\n"))
}

/// What the proxy says when nobody answers. Models `apimachinery/pkg/util/proxy.Transport`.
fn unreached(why: &str) -> ApiError {
    ApiError::new(503, "ServiceUnavailable", format!("error trying to reach service: {why}"))
}

fn internal_ip(node: &Node) -> Option<&str> {
    let all = node.status.as_ref()?.addresses.as_deref()?;
    all.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.as_str())
}

impl Cluster {
    /// What is behind a node's proxy path: its kubelet, or who listens at the port that is named.
    pub(crate) fn node_proxy(&mut self, target: &ProxyTarget, method: &str, query: &str) -> HttpResponse {
        self.ask_node(target, method, query).unwrap_or_else(|e| self.rendered(&Answer::refusal(e)))
    }

    fn rendered(&self, answer: &Answer) -> HttpResponse {
        apiserver::http::render(answer, &Wants::default(), self.now)
    }

    fn ask_node(&mut self, target: &ProxyTarget, method: &str, query: &str) -> Result<HttpResponse, ApiError> {
        let name = target.key.name();
        let node = self.view.get::<Node>(&target.key).ok_or_else(|| ApiError::not_found("", "nodes", name))?;
        let no_address = || ApiError::new(500, "", "no preferred addresses found; known addresses: []");
        let ip = internal_ip(node).ok_or_else(no_address)?.to_string();
        if matches!(target.port.as_str(), "" | KUBELET_PORT) {
            if self.machine(name).is_none() {
                // Somebody has written the Node: there is no such machine.
                return Err(unreached(&format!("dial tcp {ip}:{KUBELET_PORT}: connect: no route to host")));
            }
            if let Some(why) = self.unreachable(name) {
                return Err(unreached(&why));
            }
            return Ok(self.kubelet_answer(name, &target.path, method, query));
        }
        let unknown = |_| unreached(&format!("dial tcp: lookup tcp/{}: unknown port", target.port));
        let port: u16 = target.port.parse().map_err(unknown)?;
        let path = if query.is_empty() { target.path.clone() } else { format!("{}?{query}", target.path) };
        let refused = |_| unreached(&format!("dial tcp {ip}:{port}: connect: connection refused"));
        let asked = Server { ip: ip.clone(), port, path, from: CONTROL_PLANE_ADDRESS.into(), ..Server::default() };
        let served = self.pod_http(name, &asked).map_err(refused)?;
        Ok(answer(served.status, TEXT, served.body))
    }

    fn kubelet_answer(&self, node: &str, path: &str, method: &str, query: &str) -> HttpResponse {
        let query = query_pairs(query);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let reads = matches!(method, "GET" | "HEAD");
        match parts.as_slice() {
            ["logs", ..] => error(405, "logs endpoint is disabled."),
            _ if !reads => error(405, "405: Method Not Allowed"),
            ["healthz", check @ ..] => healthz(check, &query),
            ["configz"] => self.configz(node),
            ["pods"] => self.pods_of_kubelet(node),
            ["runningpods"] => self.running_pods(node),
            ["stats", "summary"] => {
                let short = query.iter().any(|(k, v)| k == "only_cpu_and_memory" && v == "true");
                answer(200, JSON, format!("{:#}", self.stats_summary(node, short)))
            }
            ["metrics"] => answer(200, crate::telemetry::CONTENT_TYPE, self.kubelet_metrics(node)),
            ["metrics", "cadvisor"] => answer(200, crate::telemetry::CONTENT_TYPE, self.cadvisor_metrics(node)),
            ["metrics", "resource"] => answer(200, crate::telemetry::CONTENT_TYPE, self.resource_metrics(node)),
            ["containerLogs", namespace, pod, container] => {
                self.container_logs(node, &Key::new(namespace, pod), container, &query)
            }
            _ => error(404, "404 page not found"),
        }
    }

    fn configz(&self, node: &str) -> HttpResponse {
        let Some(kubelet) = self.component::<Kubelet>(&kubelet_name(node)) else {
            return error(404, "404 page not found");
        };
        let mut fields = kubelet.configuration();
        fields.insert("clusterDomain".into(), network::dns::DOMAIN.into());
        fields.insert("clusterDNS".into(), json!([network::policy::DNS_ADDRESS]));
        answer(200, JSON, json!({ "kubeletconfig": fields }).to_string())
    }

    /// Static pods as their files say them, not as the mirrors that the API server has.
    fn pods_of_kubelet(&self, node: &str) -> HttpResponse {
        let own = |p: &Pod| {
            let mut p = p.clone();
            let mirror = p.metadata.annotations.as_mut().and_then(|a| a.remove(api::references::MIRROR));
            if let Some(uid) = mirror {
                p.metadata.uid = Some(uid);
                p.metadata.owner_references = None;
            }
            p
        };
        self.pod_list(self.view.pods_on_node(node).map(own))
    }

    /// What the container runtime tells of running pods: names, identity, and the containers that run.
    fn running_pods(&self, node: &str) -> HttpResponse {
        let short = |p: &Pod| {
            let counted = self.view.usage.counted_pod(node, api::references::uid_on_node(p), self.now);
            let spec = p.spec.as_ref()?;
            let runs = |c: &&Container| counted.iter().any(|(name, _)| **name == c.name);
            let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
            let bare =
                |c: &Container| Container { name: c.name.clone(), image: c.image.clone(), ..Container::default() };
            let containers: Vec<Container> = all.filter(runs).map(bare).collect();
            let mut pod = Pod { spec: Some(PodSpec { containers, ..PodSpec::default() }), ..Pod::default() };
            pod.metadata.name.clone_from(&p.metadata.name);
            pod.metadata.namespace.clone_from(&p.metadata.namespace);
            pod.metadata.uid = Some(api::references::uid_on_node(p).into());
            (!counted.is_empty()).then_some(pod)
        };
        self.pod_list(self.view.pods_on_node(node).filter_map(short))
    }

    fn pod_list(&self, pods: impl Iterator<Item = Pod>) -> HttpResponse {
        let items = pods.map(|p| Arc::new(p) as api::Obj).collect();
        let (resource_version, continue_token, remaining) = (0, String::new(), None);
        self.rendered(&Answer::new(
            200,
            Response::List { kind: Pod::KIND_REF, items, resource_version, continue_token, remaining },
        ))
    }

    /// Models `getContainerLogs`.
    fn container_logs(&self, node: &str, pod: &Key, container: &str, query: &[(String, String)]) -> HttpResponse {
        let param = |name: &str| query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
        let found = self.view.get::<Pod>(pod);
        let Some(p) = found.filter(|p| p.spec.as_ref().is_some_and(|s| s.node_name.as_deref() == Some(node))) else {
            return answer(404, TEXT, format!("pod {:?} does not exist\n", pod.name()));
        };
        let spec = p.spec.iter();
        let mut all = spec.flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
        if !all.any(|c| c.name == container) {
            return answer(404, TEXT, format!("container {container:?} not found in pod {:?}\n", pod.name()));
        }
        let options = LogOptions {
            container: container.into(),
            previous: param("previous") == Some("true"),
            timestamps: param("timestamps") == Some("true"),
            tail_lines: param("tailLines").and_then(|v| v.parse().ok()),
            since_seconds: param("sinceSeconds").and_then(|v| v.parse().ok()),
            limit_bytes: param("limitBytes").and_then(|v| v.parse().ok()),
            ..LogOptions::default()
        };
        let pod_uid = api::references::uid_on_node(p).into();
        match self.pod_log(&LogRequest { pod: pod.clone(), pod_uid, node: node.into(), options }) {
            Ok(log) => answer(200, "text/plain", log),
            Err(e) => error(e.code(), e.message()),
        }
    }
}

/// Models `healthz.InstallHandler`; a kubelet that is asked at all is well.
fn healthz(check: &[&str], query: &[(String, String)]) -> HttpResponse {
    match check {
        [] if query.iter().any(|(k, _)| k == "verbose") => {
            let lines: String = CHECKS.iter().map(|c| format!("[+]{c} ok\n")).collect();
            answer(200, TEXT, format!("{lines}healthz check passed\n"))
        }
        [] => answer(200, TEXT, "ok"),
        [one] if CHECKS.contains(one) => answer(200, TEXT, "ok"),
        _ => error(404, "404 page not found"),
    }
}
