//! How a pod asks for names: what its `/etc/resolv.conf` says. Models `pkg/kubelet/network/dns` (`GetPodDNS`).

use crate::dns::DOMAIN;
use crate::policy::DNS_ADDRESS;
use k8s_openapi::api::core::v1::{PodDNSConfig, PodSpec};

/// The name server of the machines themselves, which knows the world outside and nothing of the cluster.
pub const NODE_DNS: &str = "172.18.0.1";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    pub servers: Vec<String>,
    pub search: Vec<String>,
    /// `ndots:5`
    pub options: Vec<String>,
}

impl Resolver {
    /// `dnsPolicy: ClusterFirst`
    pub fn of_cluster(namespace: &str) -> Self {
        Resolver {
            servers: vec![DNS_ADDRESS.into()],
            search: vec![format!("{namespace}.svc.{DOMAIN}"), format!("svc.{DOMAIN}"), DOMAIN.into()],
            options: vec!["ndots:5".into()],
        }
    }

    /// `dnsPolicy: Default`
    pub fn of_node() -> Self {
        Resolver { servers: vec![NODE_DNS.into()], search: Vec::new(), options: vec!["ndots:0".into()] }
    }

    pub fn of_pod(namespace: &str, spec: &PodSpec) -> Self {
        let host = spec.host_network == Some(true);
        let mut resolver = match spec.dns_policy.as_deref().unwrap_or("ClusterFirst") {
            "None" => Resolver::default(),
            "Default" => Resolver::of_node(),
            "ClusterFirst" if host => Resolver::of_node(),
            _ => Resolver::of_cluster(namespace),
        };
        if let Some(more) = &spec.dns_config {
            resolver.append(more);
        }
        resolver
    }

    /// Models `appendDNSConfig`.
    fn append(&mut self, more: &PodDNSConfig) {
        let add = |list: &mut Vec<String>, more: &Option<Vec<String>>| {
            for m in more.iter().flatten() {
                if !list.contains(m) {
                    list.push(m.clone());
                }
            }
        };
        add(&mut self.servers, &more.nameservers);
        add(&mut self.search, &more.searches);
        for o in more.options.iter().flatten() {
            let name = o.name.as_deref().unwrap_or("");
            let option = match o.value.as_deref().filter(|v| !v.is_empty()) {
                Some(value) => format!("{name}:{value}"),
                None => name.into(),
            };
            match self.options.iter_mut().find(|have| have.split(':').next() == Some(name)) {
                Some(have) => *have = option,
                None => self.options.push(option),
            }
        }
    }

    /// A name with fewer dots is completed before it is asked for as it is.
    pub fn ndots(&self) -> usize {
        let option = self.options.iter().find_map(|o| o.strip_prefix("ndots:")?.parse().ok());
        option.unwrap_or(1)
    }

    /// The names that are asked for instead of a host's, in order.
    pub fn names(&self, host: &str) -> Vec<String> {
        let bare = host.trim_end_matches('.');
        let mut names = vec![bare.to_string()];
        if !host.ends_with('.') {
            let at = usize::from(bare.matches('.').count() >= self.ndots());
            names.splice(at..at, self.search.iter().map(|s| format!("{bare}.{s}")));
        }
        names
    }

    /// The text of `/etc/resolv.conf`.
    pub fn file(&self) -> String {
        let mut text = String::new();
        if !self.search.is_empty() {
            text.push_str(&format!("search {}\n", self.search.join(" ")));
        }
        for s in &self.servers {
            text.push_str(&format!("nameserver {s}\n"));
        }
        if !self.options.is_empty() {
            text.push_str(&format!("options {}\n", self.options.join(" ")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Resolver;
    use serde_json::json;

    fn of(spec: serde_json::Value) -> String {
        let mut whole = json!({"containers": []});
        whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        Resolver::of_pod("shop", &serde_json::from_value(whole).unwrap()).file()
    }

    #[test]
    fn pods_are_told_by_their_policy() {
        let cluster =
            "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n";
        assert_eq!(of(json!({})), cluster);
        assert_eq!(of(json!({"hostNetwork": true, "dnsPolicy": "ClusterFirstWithHostNet"})), cluster);
        assert_eq!(
            of(json!({"hostNetwork": true, "dnsPolicy": "ClusterFirst"})),
            "nameserver 172.18.0.1\noptions ndots:0\n"
        );
        assert_eq!(of(json!({"dnsPolicy": "Default"})), "nameserver 172.18.0.1\noptions ndots:0\n");
        // The documentation's custom-dns.yaml.
        let config = json!({"nameservers": ["192.0.2.1"], "searches": ["ns1.svc.cluster-domain.example", "my.dns.search.suffix"],
                            "options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]});
        assert_eq!(
            of(json!({"dnsPolicy": "None", "dnsConfig": config})),
            "search ns1.svc.cluster-domain.example my.dns.search.suffix\nnameserver 192.0.2.1\noptions ndots:2 edns0\n"
        );
        let text =
            of(json!({"dnsConfig": {"options": [{"name": "ndots", "value": "1"}], "searches": ["svc.cluster.local"]}}));
        assert_eq!(text, cluster.replace("ndots:5", "ndots:1"));
    }

    #[test]
    fn names_with_enough_dots_are_asked_for_as_they_are_first() {
        let r = Resolver::of_cluster("shop");
        assert_eq!(r.names("web")[0], "web.shop.svc.cluster.local");
        assert_eq!(r.names("web").last().map(String::as_str), Some("web"));
        assert_eq!(r.names("a.b.c.d.e.f")[0], "a.b.c.d.e.f");
        assert_eq!(r.names("web."), ["web"]);
    }
}
