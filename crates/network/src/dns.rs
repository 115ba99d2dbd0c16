//! Cluster DNS as a pod's resolver asks it: with the search path of `/etc/resolv.conf` and `ndots:5`. Models the
//! kubernetes plugin of CoreDNS.

use crate::hop::Trail;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use meta::Key;
use reconcile::View;
use trace::note;

const DOMAIN: &str = "cluster.local";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// A name with fewer dots is completed first and asked for as it is last.
const NDOTS: usize = 5;
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

enum Record {
    Addresses(Vec<String>),
    Alias(String),
}

/// Addresses of a host name as seen from `namespace` (empty: from outside of all); none when nobody has it.
pub fn resolve(view: &View, namespace: &str, host: &str, trail: &mut Trail) -> Vec<String> {
    let mut host = host.to_string();
    for _ in 0..ALIASES_MAX {
        match look_up(view, namespace, &host, trail) {
            Some(Record::Addresses(found)) => return found,
            // An alias is a full name.
            Some(Record::Alias(target)) => host = format!("{}.", target.trim_end_matches('.')),
            None => break,
        }
    }
    Vec::new()
}

fn look_up(view: &View, namespace: &str, host: &str, trail: &mut Trail) -> Option<Record> {
    let bare = host.trim_end_matches('.');
    let mut names = vec![bare.to_string()];
    if !host.ends_with('.') && !namespace.is_empty() {
        let search = [format!("{namespace}.svc.{DOMAIN}"), format!("svc.{DOMAIN}"), DOMAIN.into()];
        let completed = search.iter().map(|s| format!("{bare}.{s}"));
        let at = if bare.matches('.').count() < NDOTS { 0 } else { 1 };
        names.splice(at..at, completed);
    }
    for name in names {
        match record(view, &name) {
            Some(found) => {
                match &found {
                    Record::Addresses(all) => {
                        trail.note(|| note!("hop.dns-found", name = name, addresses = all.join(", ")));
                    }
                    Record::Alias(target) => trail.note(|| note!("hop.dns-alias", name = name, target = target)),
                }
                return Some(found);
            }
            None => trail.note(|| note!("hop.dns-nothing", name = name)),
        }
    }
    None
}

fn record(view: &View, name: &str) -> Option<Record> {
    if name == OUTSIDE.0 {
        return Some(Record::Addresses(vec![OUTSIDE.1.into()]));
    }
    let rest = name.strip_suffix(DOMAIN)?.strip_suffix(".svc.")?;
    match rest.split('.').collect::<Vec<_>>().as_slice() {
        [service, namespace] => of_service(view, "", &Key::new(namespace, service)),
        [hostname, service, namespace] => of_service(view, hostname, &Key::new(namespace, service)),
        _ => None,
    }
}

/// `NAME.NAMESPACE.svc`, or the pod `HOSTNAME.NAME.NAMESPACE.svc` behind it.
fn of_service(view: &View, hostname: &str, key: &Key) -> Option<Record> {
    let spec = view.get::<Service>(key)?.spec.as_ref()?;
    if spec.type_.as_deref() == Some("ExternalName") {
        return spec.external_name.clone().filter(|_| hostname.is_empty()).map(Record::Alias);
    }
    let addresses = match spec.cluster_ip.as_deref() {
        Some(ip) if !matches!(ip, "" | "None") && hostname.is_empty() => vec![ip.to_string()],
        Some("None") => {
            let publish = spec.publish_not_ready_addresses == Some(true);
            let wanted = |e: &&Endpoint| {
                (publish || is_ready(e)) && (hostname.is_empty() || e.hostname.as_deref() == Some(hostname))
            };
            let found = slices(view, key).flat_map(|s| &s.endpoints).filter(wanted);
            let mut all: Vec<String> = found.flat_map(|e| e.addresses.first().cloned()).collect();
            all.sort();
            all.dedup();
            all
        }
        _ => Vec::new(),
    };
    (!addresses.is_empty()).then_some(Record::Addresses(addresses))
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::hop::{Stage, Trail};
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
            let found = resolve(&view, namespace, host, &mut Trail::off());
            assert_eq!(found.first().map(String::as_str), address, "{host} from {namespace:?}");
        }
    }

    #[test]
    fn every_question_is_noted() {
        let mut trail = Trail::on();
        trail.hop(Stage::Dns, "", "10.96.0.10");
        resolve(&world(), "blog", "web.shop", &mut trail);
        let hops = trail.into_hops();
        let notes: Vec<String> = hops[0]
            .notes
            .iter()
            .map(|n| format!("{} {}", n.code.trim_start_matches("hop.dns-"), n.args[0].1))
            .collect();
        assert_eq!(notes, ["nothing web.shop.blog.svc.cluster.local", "found web.shop.svc.cluster.local"]);
    }
}
