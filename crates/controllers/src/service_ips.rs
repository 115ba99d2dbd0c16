//! Of kube-apiserver: every address of a Service is an IPAddress, also after somebody has deleted or changed that. Models
//! `pkg/registry/core/service/ipallocator/controller/repairip.go`.

use crate::definitions::{PROCESS, user};
use api::Registered;
use api::kinds::ipaddress::{belongs_to, for_service, is_managed, of_service};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::IPAddress;
use meta::{Duration, Key, Time, User};
use reconcile::{Controller, Cx, EventType, Intent, Outcome, Tolerate, Watch};

/// So long the Service of an address may still be on its way.
const GRACE: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
pub struct ServiceIps;

fn family(ip: &str) -> &'static str {
    if ip.contains(':') { "IPv6" } else { "IPv4" }
}

fn create(ip: &str, service: &Service) -> Intent {
    Intent::create(for_service(ip, &service.metadata)).tolerate(Tolerate::AlreadyExists)
}

/// Models `syncIPAddress` for an address that the API server made and that no Service has.
fn stray(cx: &Cx, address: &IPAddress, out: &mut Outcome) {
    let ip = address.metadata.name.as_deref().unwrap_or_default();
    let Some(parent) = address.spec.as_ref().map(|s| &s.parent_ref) else { return };
    let namespace = parent.namespace.as_deref().unwrap_or_default();
    let (reason, why) = if !belongs_to(address, namespace, &parent.name) {
        let group = parent.group.as_deref().unwrap_or_default();
        let shown = format!(
            "&ParentReference{{Group:{group},Resource:{},Namespace:{namespace},Name:{},}}",
            parent.resource, parent.name
        );
        let why =
            format!("IPAddress {ip} appears to have been modified, not referencing a Service {shown}: cleaning up");
        ("IPAddressNotAllocated", why)
    } else if cx.view.get::<Service>(&Key::new(namespace, &parent.name)).is_none() {
        let made = address.metadata.creation_timestamp.as_ref().map_or(cx.now, Time::from_k8s);
        if cx.now < made + GRACE {
            out.requeue((made + GRACE).since(cx.now));
            return;
        }
        let name = &parent.name;
        let why = format!("IPAddress: {ip} for Service {namespace}/{name} appears to have leaked: cleaning up");
        ("IPAddressNotAllocated", why)
    } else {
        let name = &parent.name;
        let why = format!("IPAddress: {ip} for Service {namespace}/{name} has a wrong reference; cleaning up");
        ("IPAddressWrongReference", why)
    };
    out.push(Intent::event(address, EventType::Warning, reason, why));
    out.push(Intent::delete(address).tolerate(Tolerate::NotFound));
}

impl Controller for ServiceIps {
    const NAME: &'static str = "ipallocator-repair-controller";
    const PROCESS: &'static str = PROCESS;

    fn user() -> User {
        user()
    }
    /// Services need no watch: their addresses are written with them.
    fn watches() -> Vec<Watch> {
        vec![crate::owner::watch_self(IPAddress::KIND_REF)]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let ip = key.name();
        let Some(address) = cx.view.get::<IPAddress>(key) else {
            if let Some(service) = cx.view.service_with_ip(ip) {
                let why = format!("Cluster IP [{}]: {ip} is not allocated; repairing", family(ip));
                out.push(Intent::event(service, EventType::Warning, "ClusterIPNotAllocated", why));
                out.push(create(ip, service));
            }
            return out;
        };
        let parent = address.spec.as_ref().map(|s| &s.parent_ref);
        let parent = parent.and_then(|p| cx.view.get::<Service>(&Key::new(p.namespace.as_deref()?, &p.name)));
        let named = parent.filter(|s| of_service(s).any(|i| i == ip)).filter(|s| {
            let m = &s.metadata;
            belongs_to(address, m.namespace.as_deref().unwrap_or_default(), m.name.as_deref().unwrap_or_default())
        });
        match named {
            Some(_) if is_managed(address) => {}
            Some(service) => {
                out.push(Intent::delete(address).tolerate(Tolerate::NotFound));
                out.push(create(ip, service));
            }
            None => match cx.view.service_with_ip(ip) {
                Some(service) => {
                    let m = &service.metadata;
                    let (namespace, name) = (m.namespace.as_deref().unwrap_or(""), m.name.as_deref().unwrap_or(""));
                    let why = format!(
                        "the ClusterIP [{}]: {ip} for Service {namespace}/{name} has a wrong reference; repairing",
                        family(ip)
                    );
                    out.push(Intent::event(service, EventType::Warning, "ClusterIPNotAllocated", why));
                    out.push(Intent::delete(address).tolerate(Tolerate::NotFound));
                    out.push(create(ip, service));
                }
                None if is_managed(address) => stray(cx, address, &mut out),
                None => {}
            },
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceIps;
    use crate::testing::{World, at, rfc3339};
    use expect_test::expect;
    use serde_json::{Value, json};

    fn service(ips: &[&str]) -> Value {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "default" },
            "spec": { "clusterIPs": ips } })
    }
    fn address(resource: &str, labels: Value) -> Value {
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IPAddress",
            "metadata": { "name": "10.96.0.9", "labels": labels, "creationTimestamp": rfc3339(0) },
            "spec": { "parentRef": { "resource": resource, "namespace": "default", "name": "web" } } })
    }

    #[test]
    fn what_somebody_took_away_comes_back() {
        let managed = json!({ "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" });
        let mut w = World::<ServiceIps>::new([service(&["10.96.0.9"]), address("services", managed.clone())]);
        assert_eq!(w.run("10.96.0.9"), "");
        w.delete("networking.k8s.io/v1", "IPAddress", "10.96.0.9");
        expect![[r#"
            event Warning ClusterIPNotAllocated web: Cluster IP [IPv4]: 10.96.0.9 is not allocated; repairing
            create {"apiVersion":"networking.k8s.io/v1","kind":"IPAddress","metadata":{"labels":{"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"},"name":"10.96.0.9"},"spec":{"parentRef":{"name":"web","namespace":"default","resource":"services"}}}
        "#]].assert_eq(&w.run("10.96.0.9"));
        w.put(address("gateways", managed.clone()));
        expect![[r#"
            event Warning ClusterIPNotAllocated web: the ClusterIP [IPv4]: 10.96.0.9 for Service default/web has a wrong reference; repairing
            delete ipaddresses 10.96.0.9 grace=None propagation=Some(Background)
            create {"apiVersion":"networking.k8s.io/v1","kind":"IPAddress","metadata":{"labels":{"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"},"name":"10.96.0.9"},"spec":{"parentRef":{"name":"web","namespace":"default","resource":"services"}}}
        "#]].assert_eq(&w.run("10.96.0.9"));
        w.put(address("services", json!({})));
        expect![[r#"
            delete ipaddresses 10.96.0.9 grace=None propagation=Some(Background)
            create {"apiVersion":"networking.k8s.io/v1","kind":"IPAddress","metadata":{"labels":{"ipaddress.kubernetes.io/ip-family":"IPv4","ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"},"name":"10.96.0.9"},"spec":{"parentRef":{"name":"web","namespace":"default","resource":"services"}}}
        "#]].assert_eq(&w.run("10.96.0.9"));
        // Nobody has it.
        w.delete("v1", "Service", "default/web");
        assert_eq!(w.run("10.96.0.9"), "");
        w.put(address("services", managed));
        expect![[r#"
            requeue after 1m0s
        "#]]
        .assert_eq(&w.run("10.96.0.9"));
        w.now = at(60);
        expect![[r#"
            event Warning IPAddressNotAllocated 10.96.0.9: IPAddress: 10.96.0.9 for Service default/web appears to have leaked: cleaning up
            delete ipaddresses 10.96.0.9 grace=None propagation=Some(Background)
        "#]].assert_eq(&w.run("10.96.0.9"));
        w.put(service(&["10.96.0.8"]));
        expect![[r#"
            event Warning IPAddressWrongReference 10.96.0.9: IPAddress: 10.96.0.9 for Service default/web has a wrong reference; cleaning up
            delete ipaddresses 10.96.0.9 grace=None propagation=Some(Background)
        "#]].assert_eq(&w.run("10.96.0.9"));
    }
}
