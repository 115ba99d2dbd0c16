//! Follow this request: a request that a pod really sends, with everything that it met on its way.

use crate::Cluster;
use crate::machines::kubelet_name;
use k8s_openapi::api::core::v1::Pod;
use kubelet::sim::net::{NetError, Response};
use kubelet::{Kubelet, SimRuntime};
use meta::{Duration, Key};
use network::{Balancer, Client, Hop, Net, Reached, Request, Resolver, Server, Stage, Trail};
use trace::note;

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Answered(Response),
    Failed(NetError),
    /// A host's own container is to answer; [`Journey::finish`] takes what it says.
    Guest(Server),
}

#[derive(Clone, Debug)]
pub struct Journey {
    pub hops: Vec<Hop>,
    pub outcome: Outcome,
}

impl Cluster {
    /// Sends a request from a pod.
    ///
    /// # Errors
    /// There is no such pod, or it is not in the network.
    pub fn follow_request(&mut self, from: &Key, request: &Request) -> Result<Journey, String> {
        self.release();
        let pod = self.view.get::<Pod>(from).ok_or_else(|| format!("pods {:?} not found", from.name()))?.clone();
        let ip = pod.status.as_ref().and_then(|s| s.pod_ip.clone()).unwrap_or_default();
        let spec = pod.spec.unwrap_or_default();
        let resolver = Resolver::of_pod(from.namespace(), &spec);
        let node = spec.node_name.unwrap_or_default();
        if ip.is_empty() || api::pods::is_terminal(self.view.get::<Pod>(from).ok_or("gone")?) {
            return Err(format!("pod {:?} has no address in the network", from.name()));
        }
        let aliases: Vec<(String, Vec<String>)> =
            spec.host_aliases.into_iter().flatten().map(|a| (a.ip, a.hostnames.unwrap_or_default())).collect();
        let mut trail = Trail::on();
        trail.hop(Stage::Client, "Pod", from);
        let scheme = if request.tls { "https" } else { "http" };
        trail.note(|| {
            let url = format!("{scheme}://{}:{}{}", request.host, request.port, request.path);
            note!("hop.client", ip = &ip, node = &node, url = url)
        });
        if request.header.split(':').next() != Some(request.host.as_str()) {
            trail.note(|| note!("hop.header", host = &request.header));
        }
        let hostname = spec.hostname.unwrap_or_else(|| from.name().into());
        let client = Client {
            ip: &ip,
            resolver: Some(&resolver),
            node: Some(node.as_str()).filter(|n| !n.is_empty()),
            hostname: &hostname,
            aliases: &aliases,
        };
        let reached = self.with_net_of(&node, &mut trail, |net| net.request(&client, request));
        let outcome = match reached {
            Ok(Reached::Server(server)) => self.arrive(server, &mut trail),
            Ok(Reached::Answer(response)) => {
                answered(&mut trail, &response, Duration::ZERO);
                Outcome::Answered(response)
            }
            // Whoever is followed shows no credentials.
            Ok(Reached::ApiServer) => Outcome::Failed(NetError::NotHttp),
            Err(e) => Outcome::Failed(e),
        };
        Ok(Journey { hops: trail.into_hops(), outcome })
    }

    /// With the network as the programs of a node find it.
    fn with_net_of<R>(&mut self, node: &str, trail: &mut Trail, f: impl FnOnce(&mut Net) -> R) -> R {
        let name = kubelet_name(node);
        let take = |k: &mut Kubelet| {
            let runtime = k.runtime_mut().as_any_mut().downcast_mut::<SimRuntime>()?;
            Some(std::mem::replace(&mut runtime.balancer, Balancer::new(0)))
        };
        let Some(mut balancer) = self.with_component(&name, take).flatten() else { return self.with_net(trail, f) };
        let result = f(&mut Net { view: &self.view, balancer: &mut balancer, now: self.now, trail });
        self.with_component(&name, |k: &mut Kubelet| {
            if let Some(runtime) = k.runtime_mut().as_any_mut().downcast_mut::<SimRuntime>() {
                runtime.balancer = balancer;
            }
        });
        result
    }

    fn arrive(&mut self, server: Server, trail: &mut Trail) -> Outcome {
        let node = self.node_of_pod_ip(&server.ip).unwrap_or("").to_string();
        let pod = network::policy::pod_at(&self.view, &server.ip).map(|p| api::ObjectExt::key(p as &dyn api::Object));
        match &pod {
            Some(pod) => trail.hop(Stage::Server, "Pod", pod),
            None => trail.hop(Stage::Server, "", &server.ip),
        }
        let kubelet = self.component::<Kubelet>(&kubelet_name(&node));
        let simulated = kubelet.and_then(|k| k.runtime().as_any().downcast_ref::<SimRuntime>());
        if kubelet.is_some() && simulated.is_none() {
            trail.note(|| note!("hop.guest", port = server.port, node = &node));
            return Outcome::Guest(server);
        }
        if let Some((container, program)) = simulated.and_then(|r| r.listener(&server.ip, server.port, self.now)) {
            let port = server.port;
            trail.note(|| note!("hop.listens", container = &container, program = &program, port = port, node = &node));
        }
        let answer = match self.ask_server(&server, true) {
            Ok(None) => Err(NetError::NotHttp),
            Ok(Some(served)) => Ok((served.response, served.done.since(self.now))),
            Err(e) => Err(e),
        };
        finish(&server, answer, trail)
    }
}

impl Journey {
    /// What a host's own container has answered, and after how long.
    pub fn finish(&mut self, answer: Result<(Response, Duration), NetError>) {
        let Outcome::Guest(server) = &self.outcome else { return };
        let mut trail = Trail::resume(std::mem::take(&mut self.hops));
        self.outcome = finish(server, answer, &mut trail);
        self.hops = trail.into_hops();
    }
}

fn finish(server: &Server, answer: Result<(Response, Duration), NetError>, trail: &mut Trail) -> Outcome {
    let (ip, port) = (&server.ip, server.port);
    match answer {
        Err(NetError::Refused) => trail.fail(|| note!("hop.refused", ip = ip, port = port)),
        Err(NetError::NotHttp) => trail.fail(|| note!("hop.not-http")),
        Err(NetError::NotTls) => trail.fail(|| note!("hop.not-tls")),
        Err(_) => trail.fail(|| note!("hop.unreachable", ip = ip)),
        Ok(_) => {}
    }
    match server.answer(answer, |page| (page, Duration::ZERO)) {
        Ok((response, took)) => {
            answered(trail, &response, took);
            Outcome::Answered(response)
        }
        Err(e) => Outcome::Failed(e),
    }
}

fn answered(trail: &mut Trail, response: &Response, took: Duration) {
    trail.hop(Stage::Answer, "", response.status);
    trail.note(|| note!("hop.answer", status = response.status, bytes = response.body.len(), ms = took.as_millis()));
    if let Some(location) = &response.location {
        trail.note(|| note!("hop.location", location = location));
    }
    trail.note(|| note!("hop.back"));
}
