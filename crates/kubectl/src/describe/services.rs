//! Services and their endpoints.

use super::events::{self, About};
use super::view::View;
use super::writer::{Writer, put};
use super::{Describer, parts, show};
use crate::error::Error;
use serde_json::Value;

impl Describer<'_> {
    pub async fn service(&self, service: View<'_>) -> Result<String, Error> {
        let slices = self.slices(service.namespace(), service.name()).await.unwrap_or_default();
        let events = self.events(About::object("Service", service)).await;
        let mut w = self.writer();
        write(&mut w, service, &slices);
        events::write(&mut w, events);
        Ok(w.finish())
    }

    /// The slices of a Service. Upstream asks for all of them at once.
    pub async fn slices(&self, namespace: &str, service: &str) -> Result<Vec<Value>, Error> {
        let path = format!("/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices");
        let selector = format!("kubernetes.io/service-name={service}");
        self.list(&path, &[("labelSelector", &selector)]).await
    }

    pub async fn endpoints(&self, endpoints: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("Endpoints", endpoints)).await;
        let mut w = self.writer();
        parts::head(&mut w, endpoints);
        put!(w, 0, "Subsets:\n");
        for subset in endpoints.list("subsets") {
            for (title, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
                let ips: Vec<&str> = subset.list(field).into_iter().map(|a| a.s("ip")).collect();
                put!(w, 1, "{title}:\t{}\n", show::text_or(&ips.join(","), "<none>"));
            }
            let ports = subset.list("ports");
            if !ports.is_empty() {
                put!(w, 1, "Ports:\n");
                put!(w, 2, "Name\tPort\tProtocol\n");
                put!(w, 2, "----\t----\t--------\n");
                for p in ports {
                    let name = show::text_or(p.s("name"), "<unset>");
                    put!(w, 2, "{name}\t{}\t{}\n", p.i("port"), p.s("protocol"));
                }
            }
            put!(w, 0, "\n");
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn endpoint_slice(&self, slice: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("EndpointSlice", slice)).await;
        let mut w = self.writer();
        parts::head(&mut w, slice);
        put!(w, 0, "AddressType:\t{}\n", slice.s("addressType"));
        let ports = slice.list("ports");
        if ports.is_empty() {
            put!(w, 0, "Ports: <unset>\n");
        } else {
            put!(w, 0, "Ports:\n");
            put!(w, 1, "Name\tPort\tProtocol\n");
            put!(w, 1, "----\t----\t--------\n");
            for p in ports {
                let name = show::text_or(p.s("name"), "<unset>");
                let number = p.at("port").opt().map_or("<unset>".into(), |n| n.int().to_string());
                put!(w, 1, "{name}\t{number}\t{}\n", p.s("protocol"));
            }
        }
        let endpoints = slice.list("endpoints");
        if endpoints.is_empty() {
            put!(w, 0, "Endpoints: <none>\n");
        } else {
            put!(w, 0, "Endpoints:\n");
            for e in endpoints {
                endpoint(&mut w, e);
            }
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

fn endpoint(w: &mut Writer, e: View) {
    let addresses = e.strings("addresses").join(", ");
    put!(w, 1, "- Addresses:\t{}\n", show::text_or(&addresses, "<none>"));
    put!(w, 2, "Conditions:\n");
    let ready = if e.has("conditions.ready") { e.b("conditions.ready").to_string() } else { "<unset>".into() };
    put!(w, 3, "Ready:\t{ready}\n");
    let unset = |field: &str| e.at(field).opt().map_or("<unset>", View::text);
    put!(w, 2, "Hostname:\t{}\n", unset("hostname"));
    if let Some(target) = e.at("targetRef").opt() {
        put!(w, 2, "TargetRef:\t{}/{}\n", target.s("kind"), target.s("name"));
    }
    put!(w, 2, "NodeName:\t{}\n", unset("nodeName"));
    put!(w, 2, "Zone:\t{}\n", unset("zone"));
}

fn write(w: &mut Writer, service: View, slices: &[Value]) {
    let spec = service.at("spec");
    parts::head(w, service);
    put!(w, 0, "Selector:\t{}\n", parts::label_set(spec.at("selector")));
    put!(w, 0, "Type:\t{}\n", spec.s("type"));
    if spec.has("ipFamilyPolicy") {
        put!(w, 0, "IP Family Policy:\t{}\n", spec.s("ipFamilyPolicy"));
    }
    let or_none = |field: &str| match spec.strings(field).as_slice() {
        [] => "<none>".to_string(),
        all => all.join(","),
    };
    put!(w, 0, "IP Families:\t{}\n", or_none("ipFamilies"));
    put!(w, 0, "IP:\t{}\n", spec.s("clusterIP"));
    put!(w, 0, "IPs:\t{}\n", or_none("clusterIPs"));
    if !spec.list("externalIPs").is_empty() {
        put!(w, 0, "External IPs:\t{}\n", or_none("externalIPs"));
    }
    for (title, field) in [("Desired LoadBalancer IP", "loadBalancerIP"), ("External Name", "externalName")] {
        if !spec.s(field).is_empty() {
            put!(w, 0, "{title}:\t{}\n", spec.s(field));
        }
    }
    let balanced = service.list("status.loadBalancer.ingress");
    if !balanced.is_empty() {
        put!(w, 0, "LoadBalancer Ingress:\t{}\n", ingress(&balanced));
    }
    for p in spec.list("ports") {
        let name = show::text_or(p.s("name"), "<unset>");
        let protocol = p.s("protocol");
        put!(w, 0, "Port:\t{name}\t{}/{protocol}\n", p.i("port"));
        let target = p.at("targetPort").opt().map_or("0".into(), View::int_or_string);
        put!(w, 0, "TargetPort:\t{target}/{protocol}\n");
        if p.i("nodePort") != 0 {
            put!(w, 0, "NodePort:\t{name}\t{}/{protocol}\n", p.i("nodePort"));
        }
        put!(w, 0, "Endpoints:\t{}\n", addresses(slices, p.s("name")));
    }
    traffic(w, spec);
}

fn traffic(w: &mut Writer, spec: View) {
    put!(w, 0, "Session Affinity:\t{}\n", spec.s("sessionAffinity"));
    for (title, field) in
        [("External Traffic Policy", "externalTrafficPolicy"), ("Internal Traffic Policy", "internalTrafficPolicy")]
    {
        if !spec.s(field).is_empty() {
            put!(w, 0, "{title}:\t{}\n", spec.s(field));
        }
    }
    if spec.i("healthCheckNodePort") != 0 {
        put!(w, 0, "HealthCheck NodePort:\t{}\n", spec.i("healthCheckNodePort"));
    }
    let ranges = spec.strings("loadBalancerSourceRanges");
    if !ranges.is_empty() {
        put!(w, 0, "LoadBalancer Source Ranges:\t{}\n", ranges.join(","));
    }
    if spec.has("trafficDistribution") {
        put!(w, 0, "Traffic Distribution:\t{}\n", spec.s("trafficDistribution"));
    }
}

/// Models `buildIngressString`.
fn ingress(balanced: &[View]) -> String {
    let shown = |i: &View| match i.s("ip") {
        "" => i.s("hostname").to_string(),
        ip => i.at("ipMode").opt().map_or(ip.to_string(), |mode| format!("{ip} ({})", mode.text())),
    };
    balanced.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Three of the addresses that are ready for the port of a name, and how many more. Models `formatEndpointSlices`.
pub fn addresses(slices: &[Value], port: &str) -> String {
    if slices.is_empty() {
        return "<none>".into();
    }
    let mut shown: Vec<String> = Vec::new();
    let (mut more, mut count) = (false, 0);
    for slice in slices.iter().map(View::new) {
        let ports = slice.list("ports");
        // A headless Service may have none.
        let numbers: Vec<Option<i64>> = if ports.is_empty() {
            vec![None]
        } else {
            ports.iter().filter(|p| p.s("name") == port).map(|p| Some(p.i("port"))).collect()
        };
        for number in numbers {
            for e in slice.list("endpoints") {
                // As upstream: an endpoint that is not ready is enough to say that there are more.
                more |= shown.len() == 3;
                if e.has("conditions.ready") && !e.b("conditions.ready") {
                    continue;
                }
                let address = e.strings("addresses").first().copied().unwrap_or("");
                if !more {
                    shown.push(match number {
                        Some(n) => show::host_port(address, &n.to_string()),
                        None => address.to_string(),
                    });
                }
                count += 1;
            }
        }
    }
    let text = shown.join(",");
    if more { format!("{text} + {} more...", count - 3) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn slice(addresses: &[(&str, bool)], ports: Value) -> Value {
        let endpoints: Vec<Value> =
            addresses.iter().map(|(a, ready)| json!({"addresses": [a], "conditions": {"ready": ready}})).collect();
        json!({"endpoints": endpoints, "ports": ports})
    }

    #[test]
    fn three_addresses_and_how_many_more() {
        let ports = json!([{"name": "http", "port": 80}, {"name": "other", "port": 9}]);
        let all = [("10.0.0.1", true), ("10.0.0.2", false), ("10.0.0.3", true), ("fd00::4", true), ("10.0.0.5", true)];
        let one = |n: usize| [slice(&all[..n], ports.clone())];
        assert_eq!(addresses(&one(4), "http"), "10.0.0.1:80,10.0.0.3:80,[fd00::4]:80");
        assert_eq!(addresses(&one(5), "http"), "10.0.0.1:80,10.0.0.3:80,[fd00::4]:80 + 1 more...");
        assert_eq!(addresses(&one(1), "none"), "");
        assert_eq!(addresses(&[], "http"), "<none>");
        assert_eq!(addresses(&[slice(&all[..1], json!([]))], ""), "10.0.0.1");
    }

    #[test]
    fn addresses_of_a_load_balancer() {
        let list = json!([{"ip": "1.2.3.4", "ipMode": "VIP"}, {"ip": "5.6.7.8"}, {"hostname": "lb.example.com"}]);
        assert_eq!(ingress(&View::new(&list).items()), "1.2.3.4 (VIP), 5.6.7.8, lb.example.com");
    }
}
