//! What a pod calls itself. Models `GeneratePodHostNameAndDomain` and `GetNodenameForKernel` of
//! `pkg/kubelet/kubelet_pods.go` and `pkg/kubelet/util`.

use k8s_openapi::api::core::v1::PodSpec;
use meta::Key;

/// The kernel's limit for a label of a name.
const MAX: usize = 63;

pub struct Names {
    pub hostname: String,
    /// Empty without a subdomain.
    pub fqdn: String,
}

pub fn of(key: &Key, spec: &PodSpec) -> Names {
    if let Some(name) = &spec.hostname_override {
        return Names { hostname: name.clone(), fqdn: String::new() };
    }
    let name = spec.hostname.as_deref().filter(|h| !h.is_empty()).unwrap_or(key.name());
    let cut: String = name.chars().take(MAX).collect();
    let hostname = cut.trim_end_matches(['-', '.']).to_string();
    let fqdn = match spec.subdomain.as_deref() {
        None | Some("") => String::new(),
        _ if spec.host_network == Some(true) => String::new(),
        Some(sub) => format!("{hostname}.{sub}.{}.svc.{}", key.namespace(), network::dns::DOMAIN),
    };
    let shown = if spec.set_hostname_as_fqdn == Some(true) && !fqdn.is_empty() { &fqdn } else { &hostname };
    Names { hostname: shown.clone(), fqdn }
}
