//! What cluster DNS knows, and how a pod's resolver asks for it. Models the kubernetes plugin of CoreDNS, as kubeadm sets it
//! up (`pods insecure`, names in other domains forwarded to the machine's own name server).

use crate::hop::Trail;
use crate::resolver::Resolver;
use k8s_openapi::api::core::v1::{Namespace, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use meta::Key;
use reconcile::View;
use std::net::Ipv4Addr;
use trace::note;

pub const DOMAIN: &str = "cluster.local";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Names that stand for other names that stand for other names.
const ALIASES_MAX: usize = 8;
/// The only site beyond the cluster, which the documentation's init container fetches.
pub const OUTSIDE: (&str, &str) = ("info.cern.ch", "188.184.67.127");

/// The slices of a Service.
pub fn slices<'a>(view: &'a View, service: &Key) -> impl Iterator<Item = &'a EndpointSlice> {
    let name = service.name().to_string();
    view.list_in::<EndpointSlice>(service.namespace())
        .filter(move |s| s.metadata.labels.as_ref().and_then(|l| l.get(SERVICE_NAME)) == Some(&name))
}

/// Unknown counts as ready.
pub fn is_ready(e: &Endpoint) -> bool {
    e.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true)
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    A,
    Srv,
    Ptr,
    Cname,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    A(String),
    Cname(String),
    /// Port and host.
    Srv(u16, String),
    Ptr(String),
}

/// One line of an answer. Names are full, without the last dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    pub data: Data,
}

/// Addresses of a host name; none when nobody has it. Without a resolver the name is a full one.
pub fn resolve(view: &View, resolver: Option<&Resolver>, host: &str, trail: &mut Trail) -> Vec<String> {
    let names = resolver.map_or_else(|| vec![host.trim_end_matches('.').to_string()], |r| r.names(host));
    for name in names {
        let records = query(view, &name, Type::A).unwrap_or_default();
        if records.is_empty() {
            trail.note(|| note!("hop.dns-nothing", name = name));
            continue;
        }
        let mut addresses = Vec::new();
        for r in records {
            match r.data {
                Data::Cname(target) => trail.note(|| note!("hop.dns-alias", name = r.name, target = target)),
                Data::A(ip) => addresses.push((r.name, ip)),
                _ => {}
            }
        }
        if let Some((found, _)) = addresses.first().cloned() {
            let all: Vec<String> = addresses.into_iter().map(|(_, ip)| ip).collect();
            trail.note(|| note!("hop.dns-found", name = found, addresses = all.join(", ")));
            return all;
        }
        return Vec::new();
    }
    Vec::new()
}

/// The records of a full name; empty: it has some, of other types. `None`: there is no such name. Aliases are followed.
pub fn query(view: &View, name: &str, wanted: Type) -> Option<Vec<Record>> {
    let mut name = name.trim_end_matches('.').to_ascii_lowercase();
    let mut answer = Vec::new();
    for _ in 0..ALIASES_MAX {
        let Some(mut found) = records(view, &name, wanted) else { break };
        let alias = found.iter().find_map(|r| match &r.data {
            Data::Cname(target) if wanted != Type::Cname => Some(target.clone()),
            _ => None,
        });
        answer.append(&mut found);
        match alias {
            Some(target) => name = target,
            None => return Some(answer),
        }
    }
    (!answer.is_empty()).then_some(answer)
}

fn records(view: &View, name: &str, wanted: Type) -> Option<Vec<Record>> {
    let record = |data| Record { name: name.into(), data };
    let only = |of: Type, data: Data| if wanted == of { vec![record(data)] } else { Vec::new() };
    if name == OUTSIDE.0 {
        return Some(only(Type::A, Data::A(OUTSIDE.1.into())));
    }
    if let Some(reverse) = name.strip_suffix(".in-addr.arpa") {
        let ip = reverse.rsplit('.').collect::<Vec<_>>().join(".");
        let hosts = hosts_at(view, &ip);
        let all = hosts.into_iter().flat_map(|h| only(Type::Ptr, Data::Ptr(h))).collect::<Vec<_>>();
        return (!all.is_empty()).then_some(all);
    }
    let rest = name.strip_suffix(DOMAIN)?.strip_suffix('.')?;
    if let Some(pod) = rest.strip_suffix(".pod") {
        // Whoever asks for a pod by its address is told that address.
        let (dashed, namespace) = pod.split_once('.')?;
        let ip: Ipv4Addr = dashed.replace('-', ".").parse().ok()?;
        view.get::<Namespace>(&Key::from(namespace))?;
        return Some(only(Type::A, Data::A(ip.to_string())));
    }
    let parts: Vec<&str> = rest.strip_suffix(".svc")?.split('.').collect();
    let (port, host, service, namespace) = match parts.as_slice() {
        [service, namespace] => (None, "", *service, *namespace),
        [host, service, namespace] => (None, *host, *service, *namespace),
        [port, protocol, service, namespace] => {
            (Some((port.strip_prefix('_')?, protocol.strip_prefix('_')?)), "", *service, *namespace)
        }
        _ => return None,
    };
    let key = Key::new(namespace, service);
    let spec = view.get::<Service>(&key)?.spec.as_ref()?;
    if spec.type_.as_deref() == Some("ExternalName") {
        let target = spec.external_name.as_deref()?.trim_end_matches('.').to_string();
        return (host.is_empty() && port.is_none()).then(|| vec![record(Data::Cname(target))]);
    }
    let headless = spec.cluster_ip.as_deref() == Some("None");
    let own = format!("{service}.{namespace}.svc.{DOMAIN}");
    if !headless && host.is_empty() {
        let ip = spec.cluster_ip.as_deref().filter(|ip| !ip.is_empty())?;
        let ports = spec.ports.as_deref().unwrap_or_default();
        let same = |p: &&ServicePort| is_port(port, p.name.as_deref(), p.protocol.as_deref());
        let ports: Vec<&ServicePort> = ports.iter().filter(same).collect();
        if ports.is_empty() && port.is_some() {
            return None;
        }
        return Some(match wanted {
            Type::A => vec![record(Data::A(ip.into()))],
            Type::Srv => ports.iter().map(|p| record(Data::Srv(number(p.port), own.clone()))).collect(),
            _ => Vec::new(),
        });
    }
    let publish = spec.publish_not_ready_addresses == Some(true);
    let mut found: Vec<(String, String, Vec<u16>)> = Vec::new();
    for slice in slices(view, &key) {
        let same = |p: &&EndpointPort| is_port(port, p.name.as_deref(), p.protocol.as_deref());
        let ports: Vec<u16> = slice.ports.iter().flatten().filter(same).filter_map(|p| p.port).map(number).collect();
        for e in slice.endpoints.iter().filter(|e| publish || is_ready(e)) {
            let Some(ip) = e.addresses.first() else { continue };
            let label = label(e, ip);
            if (host.is_empty() || host == label) && (port.is_none() || !ports.is_empty()) {
                found.push((ip.clone(), format!("{label}.{own}"), ports.clone()));
            }
        }
    }
    if found.is_empty() {
        return None;
    }
    found.sort();
    found.dedup();
    Some(match wanted {
        Type::A => found.into_iter().map(|(ip, ..)| record(Data::A(ip))).collect(),
        Type::Srv => {
            let one = |(_, target, ports): (String, String, Vec<u16>)| {
                ports.into_iter().map(|p| record(Data::Srv(p, target.clone()))).collect::<Vec<_>>()
            };
            found.into_iter().flat_map(one).collect()
        }
        _ => Vec::new(),
    })
}

fn number(port: i32) -> u16 {
    u16::try_from(port).unwrap_or(0)
}

/// Whether a port is the one that is asked for, by name and protocol; all are when none is.
fn is_port(wanted: Option<(&str, &str)>, name: Option<&str>, protocol: Option<&str>) -> bool {
    wanted.is_none_or(|(n, p)| name == Some(n) && protocol.unwrap_or("TCP").eq_ignore_ascii_case(p))
}

/// What stands before a Service's name for one of its endpoints. Models `endpointHostname`.
fn label(e: &Endpoint, ip: &str) -> String {
    e.hostname.clone().filter(|h| !h.is_empty()).unwrap_or_else(|| ip.replace('.', "-"))
}

/// The names of an address: of the Service that has it, else of endpoints with names of their own. Models
/// `serviceRecordForIP`.
pub fn hosts_at(view: &View, ip: &str) -> Vec<String> {
    let full = |key: &Key| format!("{}.{}.svc.{DOMAIN}", key.name(), key.namespace());
    let of = |s: &&Service| s.spec.as_ref().and_then(|s| s.cluster_ip.as_deref()) == Some(ip);
    if let Some(s) = view.list::<Service>().find(of) {
        let text = |s: &Option<String>| s.clone().unwrap_or_default();
        return vec![full(&Key::new(&text(&s.metadata.namespace), &text(&s.metadata.name)))];
    }
    let mut hosts = Vec::new();
    for slice in view.list::<EndpointSlice>() {
        let service = slice.metadata.labels.as_ref().and_then(|l| l.get(SERVICE_NAME));
        let (Some(service), Some(namespace)) = (service, slice.metadata.namespace.as_deref()) else { continue };
        let here = slice.endpoints.iter().filter(|e| e.addresses.iter().any(|a| a == ip));
        for name in here.filter_map(|e| e.hostname.as_deref()).filter(|h| !h.is_empty()) {
            hosts.push(format!("{name}.{}", full(&Key::new(namespace, service))));
        }
    }
    hosts.sort();
    hosts.dedup();
    hosts
}

#[cfg(test)]
mod tests {
    use super::{Data, Type, query, resolve};
    use crate::hop::{Stage, Trail};
    use crate::resolver::Resolver;
    use crate::testing::world;

    #[test]
    fn names_are_completed_by_the_search_path() {
        let view = world();
        for (namespace, host, address) in [
            ("shop", "web", Some("10.96.0.7")),
            ("blog", "web", None),
            ("blog", "web.shop", Some("10.96.0.7")),
            ("blog", "web.shop.svc", Some("10.96.0.7")),
            ("blog", "web.shop.svc.cluster.local", Some("10.96.0.7")),
            ("blog", "web.shop.svc.cluster.local.", Some("10.96.0.7")),
            ("", "web.shop.svc.cluster.local", Some("10.96.0.7")),
            ("", "web.shop", None),
            ("shop", "web.", None),
            ("shop", "db", Some("10.244.0.2")),
            ("shop", "db-0.db", Some("10.244.0.2")),
            ("shop", "db-1.db", None),
            ("shop", "shop-front", Some("10.96.0.7")),
            ("shop", "info.cern.ch", Some("188.184.67.127")),
            ("shop", "www.example.com", None),
        ] {
            let resolver = Some(Resolver::of_cluster(namespace)).filter(|_| !namespace.is_empty());
            let found = resolve(&view, resolver.as_ref(), host, &mut Trail::off());
            assert_eq!(found.first().map(String::as_str), address, "{host} from {namespace:?}");
        }
    }

    #[test]
    fn every_question_is_noted() {
        let mut trail = Trail::on();
        trail.hop(Stage::Dns, "", "10.96.0.10");
        resolve(&world(), Some(&Resolver::of_cluster("blog")), "web.shop", &mut trail);
        let hops = trail.into_hops();
        let notes: Vec<String> = hops[0]
            .notes
            .iter()
            .map(|n| format!("{} {}", n.code.trim_start_matches("hop.dns-"), n.args[0].1))
            .collect();
        assert_eq!(notes, ["nothing web.shop.blog.svc.cluster.local", "found web.shop.svc.cluster.local"]);
    }

    #[test]
    fn records_are_those_that_real_clusters_serve() {
        let view = world();
        let ask = |name: &str, wanted: Type| {
            let shown = |d: Data| match d {
                Data::A(ip) => ip,
                Data::Cname(to) => format!("= {to}"),
                Data::Srv(port, host) => format!("{port} {host}"),
                Data::Ptr(host) => host,
            };
            let found = query(&view, name, wanted)?;
            Some(found.into_iter().map(|r| shown(r.data)).collect::<Vec<_>>().join("; "))
        };
        for (name, wanted, answer) in [
            ("_http._tcp.web.shop.svc.cluster.local.", Type::Srv, Some("80 web.shop.svc.cluster.local")),
            ("_http._udp.web.shop.svc.cluster.local", Type::Srv, None),
            ("web.shop.svc.cluster.local", Type::Srv, Some("80 web.shop.svc.cluster.local")),
            ("db.shop.svc.cluster.local", Type::Srv, Some("5432 db-0.db.shop.svc.cluster.local")),
            ("db-0.db.shop.svc.cluster.local", Type::A, Some("10.244.0.2")),
            ("web-0.web.shop.svc.cluster.local", Type::A, Some("10.244.0.1")),
            ("7.0.96.10.in-addr.arpa", Type::Ptr, Some("web.shop.svc.cluster.local")),
            ("2.0.244.10.in-addr.arpa", Type::Ptr, Some("db-0.db.shop.svc.cluster.local")),
            ("9.9.9.9.in-addr.arpa", Type::Ptr, None),
            ("web.shop.svc.cluster.local", Type::Ptr, Some("")),
            ("shop-front.shop.svc.cluster.local", Type::A, Some("= web.shop.svc.cluster.local; 10.96.0.7")),
            ("shop-front.shop.svc.cluster.local", Type::Cname, Some("= web.shop.svc.cluster.local")),
            ("nobody.shop.svc.cluster.local", Type::A, None),
            ("10-244-0-2.nowhere.pod.cluster.local", Type::A, None),
        ] {
            assert_eq!(ask(name, wanted).as_deref(), answer, "{name} {wanted:?}");
        }
    }
}
