//! What passes between the parts of the cluster beside the API: after a component's turn its rules go into the nodes' kernels,
//! what its containers have used becomes known, and what they want of other nodes is answered there.

use crate::Cluster;
use crate::http::HttpOutcome;
use crate::machines::{Power, kubelet_name};
use apiserver::http::{HttpRequest, Wants};
use apiserver::{Body, Request, RequestVerb};
use apiserver::{Credentials, Impersonate};
use k8s_openapi::api::core::v1::Pod;
use kubelet::Kubelet;
use kubelet::SimRuntime;
use kubelet::sim::net::{Answer, ApiRequest, Call, NetError, Response, Served, Server};
use meta::{Duration, Key, Time, User};
use network::gateway::{self, Told};
use network::{Client, IngressController, KubeProxy, Net, Reached, Resolver, Trail};
use std::sync::Arc;

/// A server that asks a server that asks a server: more is a circle.
pub(crate) const HANDED_ON_MAX: u32 = 8;

fn served(code: u16, body: &[u8], now: Time) -> Served {
    let response = Response::new(code, String::from_utf8_lossy(body));
    Served { response, work: Duration::ZERO, done: now }
}

impl Cluster {
    /// After slot `i`'s component has done anything.
    pub(crate) fn exchange(&mut self, i: usize) {
        let component = self.slots[i].component.as_any_mut();
        if let Some(proxy) = component.downcast_mut::<KubeProxy>() {
            for (service, rules) in proxy.take_made() {
                self.view.services.set(&service, rules);
            }
        } else if let Some(controller) = component.downcast_mut::<IngressController>() {
            for told in controller.take_told() {
                match told {
                    Told::Ingress(key, loaded) => self.view.gateway.set(&key, loaded),
                    Told::Upstream(upstream, found) => self.view.gateway.set_found(&upstream, found),
                }
            }
        } else if component.is::<Kubelet>() {
            self.publish_usage(i);
            self.carry_calls(i);
            self.carry_late(i);
            self.carry_writes(i);
            self.follow_containers(i);
        }
    }

    fn kubelet_mut(&mut self, slot: usize) -> Option<&mut Kubelet> {
        self.slots[slot].component.as_any_mut().downcast_mut()
    }

    fn publish_usage(&mut self, slot: usize) {
        let Some(kubelet) = self.kubelet_mut(slot) else { return };
        let usage = kubelet.runtime_mut().take_usage();
        if usage.is_empty() {
            return;
        }
        let node: Arc<str> = kubelet.config().name.as_str().into();
        for (id, meter) in usage {
            self.view.usage.set(&node, &id.pod_uid, &id.container, meter);
        }
    }

    /// Connections between nodes need neither their kubelets nor the API server, but power on both.
    fn carry_calls(&mut self, slot: usize) {
        let Some(kubelet) = self.kubelet_mut(slot) else { return };
        let calls = kubelet.runtime_mut().take_calls();
        let from = kubelet.config().name.clone();
        for call in calls {
            let answer = match &call.api {
                Some(api) => self.ask_api_server(api),
                None if call.talk.is_some() => match self.talk(&from, &call) {
                    Some(answer) => answer,
                    None => continue,
                },
                None => self.ask_server(&call.server, call.http),
            };
            let now = self.now;
            if let Some(kubelet) = self.kubelet_mut(slot) {
                kubelet.runtime_mut().answered(now, &call, answer);
            }
        }
    }

    /// A process of node `from` talks to a pod. `None`: it is answered later.
    fn talk(&mut self, from: &str, call: &Call) -> Option<Answer> {
        let node = self.node_of_pod_ip(&call.server.ip).map(str::to_string);
        let Some(node) = node.filter(|n| self.is_on(n)) else { return Some(Err(NetError::Unreachable)) };
        let now = self.now;
        let answer =
            self.with_component(&kubelet_name(&node), |k: &mut Kubelet| k.runtime_mut().talked(now, from, call));
        answer.unwrap_or(Some(Err(NetError::Unreachable)))
    }

    /// Whether a machine has power: its containers are there as long as it has, whatever became of its kubelet and of its
    /// way to the API server.
    fn is_on(&self, node: &str) -> bool {
        self.machine(node).is_some_and(|m| m.power == Power::On)
    }

    /// Who waited for an answer from this node's containers gets it.
    fn carry_late(&mut self, slot: usize) {
        let now = self.now;
        let Some(kubelet) = self.kubelet_mut(slot) else { return };
        for (node, call, answer) in kubelet.runtime_mut().take_late() {
            if self.is_on(&node) {
                let hear = |k: &mut Kubelet| k.runtime_mut().answered(now, &call, answer);
                self.with_component(&kubelet_name(&node), hear);
            }
        }
    }

    /// What programs write, as the service accounts of their pods. A pod that is gone says nothing more.
    fn carry_writes(&mut self, slot: usize) {
        let Some(kubelet) = self.kubelet_mut(slot) else { return };
        for w in kubelet.runtime_mut().take_writes() {
            let pod = self.view.get::<Pod>(&Key::new(&w.pod_namespace, &w.pod));
            let Some(account) = pod.and_then(|p| p.spec.as_ref()?.service_account_name.clone()) else { continue };
            let user = User::service_account(&w.pod_namespace, &account);
            let lane: Arc<str> = user.name.as_str().into();
            let verb = if w.update { RequestVerb::Update } else { RequestVerb::Create };
            let name = if w.update { w.name.as_str() } else { "" };
            let mut req = Request::new(user, verb, w.kind, &w.namespace, name);
            req.body = Body::Json(w.body);
            self.send(lane, 0, req);
        }
    }

    /// The API server answers a program, by the credentials that it shows.
    fn ask_api_server(&mut self, asked: &ApiRequest) -> Answer {
        let said = Some(asked.said.header("Authorization")).filter(|h| !h.is_empty());
        let user = self.identify(&Credentials { authorization: said.map(str::to_string), ..Credentials::default() });
        let user = user.and_then(|user| self.api.impersonate(&self.store, user, &impersonated(&asked.said.headers)));
        let method = if asked.said.method.is_empty() { "GET" } else { &asked.said.method };
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let response = match user {
            Err(e) => apiserver::http::render(&apiserver::Answer::refusal(e), &Wants::default(), self.now),
            Ok(user) => {
                let lane: Arc<str> = user.name.as_str().into();
                let request = HttpRequest {
                    method,
                    path,
                    query,
                    accept: asked.said.header("Accept"),
                    content_type: asked.said.header("Content-Type"),
                    user_agent: asked.user_agent,
                    user,
                    body: asked.said.body.clone().into_bytes(),
                };
                match self.http_of(&lane, request, None) {
                    HttpOutcome::Response(r) => r,
                    // Programs read an answer to its end, so a watch ends with what there is.
                    HttpOutcome::Watch { initial, .. } => {
                        return Ok(Some(served(200, &initial, self.now)));
                    }
                    HttpOutcome::Logs(log) => match self.pod_log(&log) {
                        Ok(text) => return Ok(Some(served(200, &text, self.now))),
                        Err(e) => apiserver::http::render(&apiserver::Answer::refusal(e), &Wants::default(), self.now),
                    },
                    HttpOutcome::Proxy(_) | HttpOutcome::Passed(_) | HttpOutcome::Connect(_) => {
                        return Err(NetError::NotHttp);
                    }
                }
            }
        };
        let mut answer = served(response.code, &response.body, self.now);
        let warnings = response.warnings.into_iter().map(|w| ("Warning", w));
        let all =
            [("Cache-Control", response.cache_control.to_string()), ("Content-Type", response.content_type.into())];
        answer.response.headers = all.into_iter().chain(warnings).map(|(k, v)| (k.to_string(), v)).collect();
        Ok(Some(answer))
    }

    /// Whoever listens at a pod's port answers now.
    pub(crate) fn ask_server(&mut self, server: &Server, http: bool) -> Answer {
        let node = self.node_of_pod_ip(&server.ip).map(kubelet_name);
        let to = node.and_then(|name| self.by_name.get(name.as_str()).copied()).ok_or(NetError::Unreachable)?;
        let now = self.now;
        if http && let Some(response) = self.ask_component(server) {
            return Ok(Some(Served { response, work: Duration::ZERO, done: now }));
        }
        let kubelet = self.kubelet_mut(to).ok_or(NetError::Unreachable)?;
        let answer = kubelet.runtime_mut().called(now, server, http);
        self.publish_usage(to);
        match answer {
            Ok(Some(s)) if !s.response.forward.is_empty() => {
                Ok(Some(Served { response: self.forwarded(server, s.response, HANDED_ON_MAX), ..s }))
            }
            answer => answer,
        }
    }

    /// What a server gets from those that it asks for its client, one after the other until one is there. Models
    /// nginx' `proxy_next_upstream`.
    pub(crate) fn forwarded(&mut self, server: &Server, response: Response, hops: u32) -> Response {
        if response.forward.is_empty() {
            return response;
        }
        let mut answer = Err(NetError::Refused);
        for request in &response.forward {
            answer = self.forwarded_to(server, request, hops);
            if answer.is_ok() {
                break;
            }
        }
        let answer = answer.unwrap_or_else(|e| {
            let status = if e == NetError::Unreachable { 504 } else { 502 };
            Response { headers: response.headers, ..gateway::page(status) }
        });
        let now = self.now;
        let node = self.node_of_pod_ip(&server.ip).map(kubelet_name);
        let slot = node.and_then(|name| self.by_name.get(name.as_str()).copied());
        if let Some(runtime) = slot.and_then(|slot| self.simulated_mut(slot)) {
            runtime.handed_on(server, (answer.status, answer.body.len()), now);
        }
        answer
    }

    fn forwarded_to(&mut self, server: &Server, request: &network::Request, hops: u32) -> Result<Response, NetError> {
        let view = self.view.clone();
        let pod = view.pods_with_ip(&server.ip).find(|p| !api::pods::is_terminal(p));
        let spec = pod.and_then(|p| p.spec.as_ref());
        let node = spec.and_then(|s| s.node_name.clone()).unwrap_or_default();
        let slot = self.by_name.get(kubelet_name(&node).as_str()).copied();
        let (Some(pod), Some(spec), Some(slot), 1..) = (pod, spec, slot, hops) else { return Err(NetError::Refused) };
        let resolver = Resolver::of_pod(pod.metadata.namespace.as_deref().unwrap_or(""), spec);
        let now = self.now;
        let runtime = self.simulated_mut(slot).ok_or(NetError::Refused)?;
        let name = pod.metadata.name.as_deref().unwrap_or("");
        let client =
            Client { ip: &server.ip, resolver: Some(&resolver), node: Some(&node), hostname: name, aliases: &[] };
        let mut net = Net { view: &view, balancer: &mut runtime.balancer, now, trail: &mut Trail::off() };
        match net.request(&client, request)? {
            Reached::Server(next) => {
                let response = self.ask_server_once(&next)?;
                Ok(self.forwarded(&next, response, hops - 1))
            }
            Reached::Answer(response) => Ok(response),
            Reached::ApiServer => Err(NetError::NotHttp),
        }
    }

    fn simulated_mut(&mut self, slot: usize) -> Option<&mut SimRuntime> {
        self.kubelet_mut(slot).and_then(|k| k.runtime_mut().as_any_mut().downcast_mut::<SimRuntime>())
    }

    fn ask_server_once(&mut self, server: &Server) -> Result<Response, NetError> {
        let node = self.node_of_pod_ip(&server.ip).map(kubelet_name);
        let to = node.and_then(|name| self.by_name.get(name.as_str()).copied()).ok_or(NetError::Unreachable)?;
        let now = self.now;
        let kubelet = self.kubelet_mut(to).ok_or(NetError::Unreachable)?;
        let answer = kubelet.runtime_mut().called(now, server, true);
        self.publish_usage(to);
        server.answer(answer.map(|s| s.map(|s| s.response)), Some)?.ok_or(NetError::NotHttp)
    }
}

/// Whom a request is to be made as.
fn impersonated(headers: &[(String, String)]) -> Impersonate {
    let all = |name: &str| {
        let named = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        named.map(|(_, v)| v.clone()).collect::<Vec<_>>()
    };
    let one = |name: &str| all(name).pop().unwrap_or_default();
    Impersonate {
        user: one("Impersonate-User"),
        groups: all("Impersonate-Group"),
        uid: one("Impersonate-Uid"),
        ..Impersonate::default()
    }
}
