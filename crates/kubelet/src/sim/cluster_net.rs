//! The cluster's network as the containers of a node find it: names by cluster DNS, Services by the rules
//! that kube-proxy left on the node, pods of other nodes by the programs their images bring. Models `coredns`'s kubernetes
//! plugin and what kube-proxy's rules do.

use super::catalogue::{self, Server};
use super::fs::Volumes;
use super::machine::{Machine, World};
use super::net::{NetError, Network, Response, Served};
use super::policy;
use super::server;
use crate::pod::images::ImageRef;
use crate::runtime::{ContainerId, ContainerSpec, Identity};
use k8s_openapi::api::core::v1::{Container, Pod, Service};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use meta::{Duration, Key, Quantity, Time};
use reconcile::View;
use std::collections::BTreeMap;
use std::sync::Arc;

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const DOMAIN: &str = "cluster.local";

/// The only site beyond the cluster, which the documentation's init container fetches.
const OUTSIDE: (&str, &str) = ("info.cern.ch", "188.184.67.127");
const OUTSIDE_PAGE: &str = "<html><head></head><body><header>\n<title>http://info.cern.ch</title>\n</header>\n\n\
     <h1>http://info.cern.ch - home of the first website</h1>\n</body></html>\n";

pub struct ClusterNet<'a> {
    view: &'a View,
    now: Time,
}

impl<'a> ClusterNet<'a> {
    pub fn new(view: &'a View, now: Time) -> Self {
        ClusterNet { view, now }
    }

    fn slices<'s>(&'s self, service: &'s Key) -> impl Iterator<Item = &'s EndpointSlice> {
        Self::slices_of(self.view, service)
    }

    fn slices_of<'s>(view: &'s View, service: &'s Key) -> impl Iterator<Item = &'s EndpointSlice> {
        let name = service.name().to_string();
        view.list_in::<EndpointSlice>(service.namespace())
            .filter(move |s| s.metadata.labels.as_ref().and_then(|l| l.get(SERVICE_NAME)) == Some(&name))
    }

    /// The addresses of `NAME.NAMESPACE.svc`, or of the pod `HOSTNAME.NAME.NAMESPACE.svc` behind it.
    fn service_addresses(&self, hostname: &str, key: &Key) -> Vec<String> {
        let Some(spec) = self.view.get::<Service>(key).and_then(|s| s.spec.as_ref()) else { return Vec::new() };
        match spec.cluster_ip.as_deref() {
            Some(ip) if !matches!(ip, "" | "None") && hostname.is_empty() => vec![ip.to_string()],
            Some("None") => {
                let publish = spec.publish_not_ready_addresses == Some(true);
                let wanted = |e: &&Endpoint| {
                    (publish || is_ready(e)) && (hostname.is_empty() || e.hostname.as_deref() == Some(hostname))
                };
                let found = self.slices(key).flat_map(|s| &s.endpoints).filter(wanted);
                let mut all: Vec<String> = found.flat_map(|e| e.addresses.first().cloned()).collect();
                all.sort();
                all.dedup();
                all
            }
            _ => Vec::new(),
        }
    }

    /// The container of another node's pod that listens, as it would have started.
    fn remote(&self, ip: &str, port: u16) -> Result<(&Pod, Machine, &'static Server, Vec<String>), NetError> {
        let runs = |p: &&Pod| p.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"));
        let pod = self.view.pods_with_ip(ip).find(runs).ok_or(NetError::Unreachable)?;
        for c in pod.spec.iter().flat_map(|s| &s.containers) {
            let Some(m) = self.replica(pod, c, ip) else { continue };
            let found = m.listeners().find(|(p, ..)| *p == port).map(|(_, s, argv, _)| (s, argv.to_vec()));
            if let Some((server, argv)) = found {
                return Ok((pod, m, server, argv));
            }
        }
        Err(NetError::Refused)
    }

    fn replica(&self, pod: &Pod, c: &Container, ip: &str) -> Option<Machine> {
        let image = catalogue::find(&ImageRef::parse(c.image.as_deref()?).ok()?).ok()?;
        let name = pod.metadata.name.clone().unwrap_or_default();
        let limit = c.resources.as_ref().and_then(|r| r.limits.as_ref()?.get("cpu"));
        let env = c.env.iter().flatten().filter_map(|e| Some((e.name.clone(), e.value.clone()?)));
        let spec = ContainerSpec {
            id: ContainerId { pod_uid: ip.into(), container: c.name.as_str().into(), attempt: 0 },
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            hostname: pod.spec.as_ref().and_then(|s| s.hostname.clone()).unwrap_or_else(|| name.clone()),
            pod: name,
            node: String::new(),
            image: c.image.clone().unwrap_or_default(),
            command: c.command.clone().unwrap_or_default(),
            args: c.args.clone().unwrap_or_default(),
            env: env.collect(),
            working_dir: c.working_dir.clone().unwrap_or_default(),
            mounts: Vec::new(),
            cpu_limit_milli: limit.map(|q| Quantity::of(q).milli_value()),
            memory_limit_bytes: None,
            pod_ip: ip.into(),
            host_aliases: Vec::new(),
            ports: Vec::new(),
            termination_message_path: String::new(),
            runtime_class: String::new(),
            stdin: false,
            stdin_once: false,
            tty: false,
            identity: Identity::default(),
            read_only_root: false,
        };
        let mut m = Machine::new(Arc::new(spec), image, 0, self.now);
        m.boot(self.now).ok()?;
        let (mut volumes, peers) = (Volumes::new(), BTreeMap::new());
        m.run(self.now, &mut World { volumes: &mut volumes, peers: &peers, network: None, speed: 1, sent: Vec::new() });
        Some(m)
    }

    /// The API server is behind its Service, and no pod.
    fn is_api_server(&self, ip: &str) -> bool {
        let key = Key::new("default", "kubernetes");
        let mut all = self.slices(&key).flat_map(|s| &s.endpoints);
        all.any(|e| e.addresses.iter().any(|a| a == ip))
    }
}

/// An address of the Service that its clients outside use: from inside, it leads to the endpoints at once.
fn is_external(s: &Service, ip: &str) -> bool {
    let balancer = s.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    let mut balanced = balancer.into_iter().flat_map(|l| l.ingress.iter().flatten());
    let mut others = s.spec.iter().flat_map(|s| s.external_ips.iter().flatten());
    balanced.any(|i| i.ip.as_deref() == Some(ip)) || others.any(|e| e == ip)
}

/// Unknown counts as ready.
fn is_ready(e: &Endpoint) -> bool {
    e.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true)
}

impl Network for ClusterNet<'_> {
    fn resolve(&self, namespace: &str, host: &str) -> Vec<String> {
        let host = host.trim_end_matches('.');
        if host == OUTSIDE.0 {
            return vec![OUTSIDE.1.into()];
        }
        // What the search domains of /etc/resolv.conf complete, in their order.
        let tries = [format!("{namespace}.svc.{DOMAIN}"), format!("svc.{DOMAIN}"), DOMAIN.into(), String::new()];
        for suffix in tries {
            let full = if suffix.is_empty() { host.to_string() } else { format!("{host}.{suffix}") };
            let Some(rest) = full.strip_suffix(&format!(".svc.{DOMAIN}")) else { continue };
            let found = match rest.split('.').collect::<Vec<_>>().as_slice() {
                [service, ns] => self.service_addresses("", &Key::new(ns, service)),
                [hostname, service, ns] => self.service_addresses(hostname, &Key::new(ns, service)),
                _ => continue,
            };
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    fn route(&self, ip: &str, port: u16) -> Option<Result<(String, u16), NetError>> {
        let is_it =
            |s: &&Service| s.spec.as_ref().is_some_and(|s| s.cluster_ip.as_deref() == Some(ip)) || is_external(s, ip);
        let rules = self.view.network();
        let service = rules.list::<Service>().find(is_it)?;
        let ports = service.spec.as_ref().and_then(|s| s.ports.as_deref()).unwrap_or_default();
        let Some(p) = ports.iter().find(|p| p.port == i32::from(port)) else { return Some(Err(NetError::Unreachable)) };
        let name = p.name.as_deref().unwrap_or("");
        let m = &service.metadata;
        let key = Key::new(m.namespace.as_deref().unwrap_or(""), m.name.as_deref().unwrap_or(""));
        let mut ready = Vec::new();
        for s in Self::slices_of(rules, &key) {
            let target = s.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or("") == name);
            let Some(target) = target.and_then(|p| u16::try_from(p.port?).ok()) else { continue };
            let addresses = s.endpoints.iter().filter(|e| is_ready(e)).filter_map(|e| e.addresses.first());
            ready.extend(addresses.map(|a| (a.clone(), target)));
        }
        ready.sort();
        // A Service without endpoints refuses; any ready one may be taken.
        let turn = usize::try_from(self.now.as_micros() / 1000).unwrap_or(0);
        Some(if ready.is_empty() { Err(NetError::Refused) } else { Ok(ready.swap_remove(turn % ready.len())) })
    }

    fn allows(&self, from: &str, to: &str, port: u16) -> bool {
        policy::allows(self.view, from, to, port, "TCP")
    }

    fn allows_names(&self, from: &str) -> bool {
        policy::allows_dns(self.view, from)
    }

    fn http(&self, ip: &str, port: u16, _method: &str, path: &str) -> Result<Served, NetError> {
        if (ip, port) == (OUTSIDE.1, 80) {
            let response = Response { status: 200, body: OUTSIDE_PAGE.into() };
            return Ok(Served { response, work: Duration::ZERO, done: self.now, node: None });
        }
        if self.is_api_server(ip) {
            return Err(NetError::NotHttp);
        }
        let (pod, m, server, argv) = self.remote(ip, port)?;
        let response = server::respond(&m, server, &argv, self.now, &Volumes::new(), port, path, self.now)?;
        let (work, limit) = (server.work(), m.spec.cpu_limit_milli);
        let node = pod.spec.as_ref().and_then(|s| s.node_name.as_deref()).unwrap_or("");
        let uid = pod.metadata.uid.as_deref().unwrap_or("");
        let meter = self.view.usage.meter(node, uid, &m.spec.id.container);
        let done = meter.map_or(self.now + work, |meter| meter.done_at(self.now, work, limit));
        Ok(Served { response, work, done, node: Some(node.into()) })
    }

    fn connect(&self, ip: &str, port: u16) -> Result<(), NetError> {
        if (ip, port) == (OUTSIDE.1, 80) || self.is_api_server(ip) {
            return Ok(());
        }
        self.remote(ip, port).map(|_| ())
    }
}
