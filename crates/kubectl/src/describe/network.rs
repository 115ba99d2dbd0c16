//! Ingresses, their classes, network policies, addresses.

use super::events::{self, About};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, services, show};
use crate::client::get_json;
use crate::error::Error;
use std::collections::BTreeSet;

impl Describer<'_> {
    pub async fn ingress(&self, ingress: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("Ingress", ingress)).await;
        let namespace = ingress.namespace();
        let default = match ingress.at("spec.defaultBackend").opt() {
            Some(backend) => self.backend(namespace, backend).await,
            None => "<default>".into(),
        };
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", ingress.name());
        parts::labels(&mut w, "Labels", ingress.at("metadata.labels"));
        put!(w, 0, "Namespace:\t{namespace}\n");
        put!(w, 0, "Address:\t{}\n", addresses(ingress));
        let class = ingress.at("spec.ingressClassName").opt().map_or("<none>", View::text);
        put!(w, 0, "Ingress Class:\t{class}\n");
        put!(w, 0, "Default backend:\t{default}\n");
        tls(&mut w, ingress.list("spec.tls"));
        put!(w, 0, "Rules:\n  Host\tPath\tBackends\n");
        put!(w, 1, "----\t----\t--------\n");
        let rules: Vec<View> = ingress.list("spec.rules").into_iter().filter(|r| r.has("http")).collect();
        for rule in &rules {
            put!(w, 1, "{}\t\n", show::text_or(rule.s("host"), "*"));
            for path in rule.list("http.paths") {
                let backend = self.backend(namespace, path.at("backend")).await;
                put!(w, 2, "\t{} \t{backend}\n", path.s("path"));
            }
        }
        if rules.is_empty() {
            put!(w, 1, "*\t*\t{default}\n");
        }
        parts::annotations(&mut w, "Annotations", ingress.at("metadata.annotations"));
        events::write(&mut w, events);
        Ok(w.finish())
    }

    /// Where requests go: a Service and the addresses behind it, or another object. Models `describeBackendV1`.
    async fn backend(&self, namespace: &str, backend: View<'_>) -> String {
        if let Some(service) = backend.at("service").opt() {
            let (name, port) = (service.s("name"), service.at("port"));
            let number = port.i("number");
            let shown = if number == 0 { port.s("name").to_string() } else { number.to_string() };
            return match self.behind(namespace, name, port).await {
                Ok(addresses) => format!("{name}:{shown} ({addresses})"),
                Err(e) => format!("{name}:{shown} (<error: {}>)", e.go()),
            };
        }
        match backend.at("resource").opt() {
            Some(r) => {
                let group = r.at("apiGroup").opt().map_or("<none>", View::text);
                format!("APIGroup: {group}, Kind: {}, Name: {}", r.s("kind"), r.s("name"))
            }
            None => String::new(),
        }
    }

    async fn behind(&self, namespace: &str, name: &str, port: View<'_>) -> Result<String, Error> {
        let slices = self.slices(namespace, name).await?;
        let service = get_json(self.client, &format!("/api/v1/namespaces/{namespace}/services/{name}")).await?;
        let (number, wanted) = (port.i("number"), port.s("name"));
        let is_it = |p: &View| (number != 0 && number == p.i("port")) || (!wanted.is_empty() && wanted == p.s("name"));
        let ports = View::new(&service).list("spec.ports");
        let port_name = ports.iter().rfind(|p| is_it(p)).map_or("", |p| p.s("name"));
        Ok(services::addresses(&slices, port_name))
    }

    pub async fn ingress_class(&self, class: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("IngressClass", class)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", class.name());
        parts::metadata(&mut w, class);
        put!(w, 0, "Controller:\t{}\n", class.s("spec.controller"));
        if let Some(parameters) = class.at("spec.parameters").opt() {
            put!(w, 0, "Parameters:\n");
            if parameters.has("apiGroup") {
                put!(w, 1, "APIGroup:\t{}\n", parameters.s("apiGroup"));
            }
            put!(w, 1, "Kind:\t{}\n", parameters.s("kind"));
            put!(w, 1, "Name:\t{}\n", parameters.s("name"));
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn service_cidr(&self, cidr: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("ServiceCIDR", cidr)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", cidr.name());
        parts::metadata(&mut w, cidr);
        put!(w, 0, "CIDRs:\t{}\n", cidr.strings("spec.cidrs").join(", "));
        let conditions = cidr.list("status.conditions");
        if !conditions.is_empty() {
            put!(w, 0, "Status:\n");
            parts::dated_conditions(&mut w, conditions);
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn ip_address(&self, ip: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("IPAddress", ip)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", ip.name());
        parts::metadata(&mut w, ip);
        if let Some(parent) = ip.at("spec.parentRef").opt() {
            put!(w, 0, "Parent Reference:\n");
            for (title, field) in
                [("Group", "group"), ("Resource", "resource"), ("Namespace", "namespace"), ("Name", "name")]
            {
                put!(w, 1, "{title}:\t{}\n", parent.s(field));
            }
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub fn network_policy(&self, policy: View<'_>) -> Result<String, Error> {
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", policy.name());
        put!(w, 0, "Namespace:\t{}\n", policy.namespace());
        put!(w, 0, "Created on:\t{}\n", show::plain_time(policy.at("metadata.creationTimestamp")));
        parts::metadata(&mut w, policy);
        put!(w, 0, "Spec:\n");
        put!(w, 1, "PodSelector: ");
        let selector = policy.at("spec.podSelector");
        if selector.at("matchLabels").is_empty() && selector.at("matchExpressions").is_empty() {
            put!(w, 2, "<none> (Allowing the specific traffic to all pods in this namespace)\n");
        } else {
            put!(w, 2, "{}\n", parts::selector_or_none(selector));
        }
        let types = policy.strings("spec.policyTypes");
        for direction in [INGRESS, EGRESS] {
            let low = direction.title.to_lowercase();
            if types.contains(&direction.title) {
                put!(w, 1, "Allowing {low} traffic:\n");
                rules(&mut w, policy.at("spec").list(&low), &direction);
            } else {
                put!(w, 1, "Not affecting {low} traffic\n");
            }
        }
        put!(w, 1, "Policy Types: {}\n", show::text_or(&types.join(", "), "<none>"));
        Ok(w.finish())
    }
}

struct Direction {
    title: &'static str,
    /// The field with the other side, and what it is called.
    peers: &'static str,
    peer: &'static str,
    anybody: &'static str,
}
const INGRESS: Direction =
    Direction { title: "Ingress", peers: "from", peer: "From", anybody: "(traffic not restricted by source)" };
const EGRESS: Direction =
    Direction { title: "Egress", peers: "to", peer: "To", anybody: "(traffic not restricted by destination)" };

/// Models `printNetworkPolicySpecIngressFrom` and `…EgressTo`.
fn rules(w: &mut Writer, rules: Vec<View>, direction: &Direction) {
    const INDENT: &str = "    ";
    if rules.is_empty() {
        let low = direction.title.to_lowercase();
        put!(w, 0, "{INDENT}<none> (Selected pods are isolated for {low} connectivity)\n");
    }
    for (i, rule) in rules.iter().enumerate() {
        let ports = rule.list("ports");
        if ports.is_empty() {
            put!(w, 0, "{INDENT}To Port: <any> (traffic allowed to all ports)\n");
        }
        for p in ports {
            let protocol = show::text_or(p.s("protocol"), "TCP");
            let port = p.at("port").int_or_string();
            match p.at("endPort").opt() {
                None => put!(w, 0, "{INDENT}To Port: {port}/{protocol}\n"),
                Some(end) => put!(w, 0, "{INDENT}To Port Range: {port}-{}/{protocol}\n", end.int()),
            }
        }
        let peers = rule.list(direction.peers);
        if peers.is_empty() {
            put!(w, 0, "{INDENT}{}: <any> {}\n", direction.peer, direction.anybody);
        }
        for peer in peers {
            put!(w, 0, "{INDENT}{}:\n", direction.peer);
            let (namespaces, pods) = (peer.at("namespaceSelector"), peer.at("podSelector"));
            if namespaces.is_set() {
                put!(w, 1, "{INDENT}NamespaceSelector: {}\n", parts::selector_or_none(namespaces));
            }
            if pods.is_set() {
                put!(w, 1, "{INDENT}PodSelector: {}\n", parts::selector_or_none(pods));
            }
            if let Some(block) = peer.at("ipBlock").opt().filter(|_| !namespaces.is_set() && !pods.is_set()) {
                put!(w, 1, "{INDENT}IPBlock:\n");
                put!(w, 2, "{INDENT}CIDR: {}\n", block.s("cidr"));
                put!(w, 2, "{INDENT}Except: {}\n", block.strings("except").join(", "));
            }
        }
        if i + 1 != rules.len() {
            put!(w, 0, "{INDENT}----------\n");
        }
    }
}

fn tls(w: &mut Writer, tls: Vec<View>) {
    if tls.is_empty() {
        return;
    }
    put!(w, 0, "TLS:\n");
    for t in tls {
        let hosts = t.strings("hosts").join(",");
        match t.s("secretName") {
            "" => put!(w, 1, "SNI routes {hosts}\n"),
            secret => put!(w, 1, "{secret} terminates {hosts}\n"),
        }
    }
}

/// Each address once, in order. Models `ingressLoadBalancerStatusStringerV1`.
fn addresses(ingress: View) -> String {
    let balanced = ingress.list("status.loadBalancer.ingress");
    let all: BTreeSet<&str> = balanced
        .iter()
        .map(|i| if i.s("ip").is_empty() { i.s("hostname") } else { i.s("ip") })
        .filter(|a| !a.is_empty())
        .collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}
