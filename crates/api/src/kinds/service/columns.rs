//! The service table. Models `printService` and `getServiceExternalIP`, printed wide as the server always does.

use crate::registration::{Cell, Column};
use crate::table::{self, NONE};
use crate::validate::text;
use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use meta::Time;
use std::collections::BTreeSet;

pub const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::new("Type", "string", 0).describe(
        "type determines how the Service is exposed. Defaults to ClusterIP. Valid options are ExternalName, ClusterIP, \
         NodePort, and LoadBalancer. \"ClusterIP\" allocates a cluster-internal IP address for load-balancing to \
         endpoints. Endpoints are determined by the selector or if that is not specified, by manual construction of an \
         Endpoints object or EndpointSlice objects. If clusterIP is \"None\", no virtual IP is allocated and the \
         endpoints are published as a set of endpoints rather than a virtual IP. \"NodePort\" builds on ClusterIP and \
         allocates a port on every node which routes to the same endpoints as the clusterIP. \"LoadBalancer\" builds on \
         NodePort and creates an external load-balancer (if supported in the current cloud) which routes to the same \
         endpoints as the clusterIP. \"ExternalName\" aliases this service to the specified externalName. Several other \
         fields do not apply to ExternalName services. More info: \
         https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types",
    ),
    Column::new("Cluster-IP", "string", 0).describe(
        "clusterIP is the IP address of the service and is usually assigned randomly. More info: \
         https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies",
    ),
    Column::new("External-IP", "string", 0).describe(
        "externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this \
         service. These IPs are not managed by Kubernetes.",
    ),
    Column::new("Port(s)", "string", 0).describe(
        "The list of ports that are exposed by this service. More info: \
         https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies",
    ),
    Column::AGE,
    Column::new("Selector", "string", 1).describe(
        "Route service traffic to pods with label keys and values matching this selector. More info: \
         https://kubernetes.io/docs/concepts/services-networking/service/",
    ),
];

pub fn cells(o: &Service, now: Time) -> Vec<Cell> {
    let none = ServiceSpec::default();
    let s = o.spec.as_ref().unwrap_or(&none);
    vec![
        table::name(&o.metadata),
        text(&s.type_).into(),
        table::or_none(text(&s.cluster_ip)),
        external_ip(o, s).into(),
        table::or_none(&ports(s)),
        table::age(&o.metadata, now),
        table::labels(s.selector.as_ref()),
    ]
}

fn external_ip(o: &Service, s: &ServiceSpec) -> String {
    let mut given = s.external_ips.clone().unwrap_or_default();
    let shown = |list: Vec<String>, empty: &str| if list.is_empty() { empty.into() } else { list.join(",") };
    match text(&s.type_) {
        "ClusterIP" | "NodePort" => shown(given, NONE),
        "LoadBalancer" => {
            let ingress = o.status.iter().filter_map(|s| s.load_balancer.as_ref()?.ingress.as_ref()).flatten();
            let found: BTreeSet<String> = ingress
                .map(|i| if text(&i.ip).is_empty() { text(&i.hostname) } else { text(&i.ip) })
                .filter(|a| !a.is_empty())
                .map(String::from)
                .collect();
            let mut all: Vec<String> = found.into_iter().collect();
            all.append(&mut given);
            shown(all, "<pending>")
        }
        "ExternalName" => text(&s.external_name).into(),
        _ => "<unknown>".into(),
    }
}

fn ports(s: &ServiceSpec) -> String {
    let one = |p: &k8s_openapi::api::core::v1::ServicePort| match p.node_port.filter(|n| *n > 0) {
        Some(n) => format!("{}:{n}/{}", p.port, text(&p.protocol)),
        None => format!("{}/{}", p.port, text(&p.protocol)),
    };
    s.ports.iter().flatten().map(one).collect::<Vec<_>>().join(",")
}
