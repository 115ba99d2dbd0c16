//! From an Ingress to the web server's locations, and from a backend to its endpoints. Models ingress-nginx's
//! `internal/ingress/controller/{controller,endpointslices}.go` and `ingressclass`.

use crate::dns;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::{Ingress, IngressBackend, IngressClass};
use meta::Key;
use reconcile::View;
use reconcile::gateway::{ANY_HOST, Found, Loaded, Location, PathType, Rank, Upstream};
use std::sync::Arc;

/// `spec.controller` of the classes that are this controller's.
pub const CONTROLLER: &str = "k8s.io/ingress-nginx";
/// What the annotation of the time before classes has to say.
const CLASS: &str = "nginx";
const ANNOTATION: &str = "nginx.ingress.kubernetes.io";

/// Whether the controller cares: by the old annotation, by its class, or, as kind runs it, because nobody is named.
pub fn is_mine(view: &View, ingress: &Ingress) -> bool {
    if let Some(class) =
        ingress.metadata.annotations.as_ref().and_then(|a| a.get(api::kinds::ingress::CLASS_ANNOTATION))
    {
        return class == CLASS;
    }
    let Some(name) = ingress.spec.as_ref().and_then(|s| s.ingress_class_name.as_deref()) else { return true };
    let class = view.get::<IngressClass>(&Key::from(name));
    class.and_then(|c| c.spec.as_ref()?.controller.as_deref()) == Some(CONTROLLER)
}

fn annotation<'a>(ingress: &'a Ingress, name: &str) -> Option<&'a str> {
    let all = ingress.metadata.annotations.as_ref()?;
    all.get(&format!("{ANNOTATION}/{name}")).map(String::as_str).filter(|v| !v.is_empty())
}

pub fn load(key: &Key, ingress: &Ingress) -> Loaded {
    let mut out = Loaded::default();
    let Some(spec) = &ingress.spec else { return out };
    for t in spec.tls.iter().flatten() {
        let Some(secret) = t.secret_name.as_deref().filter(|s| !s.is_empty()) else { continue };
        let secret = Key::new(key.namespace(), secret);
        for host in t.hosts.iter().flatten() {
            out.certificates.push((host.to_ascii_lowercase().into(), secret.clone()));
        }
    }
    let has_tls = |host: &str| spec.tls.iter().flatten().any(|t| t.hosts.iter().flatten().any(|h| h == host));
    let says = |name: &str| annotation(ingress, name);
    let rewrite = says("rewrite-target").map(String::from);
    let regex = rewrite.is_some() || says("use-regex") == Some("true");
    let created = ingress.metadata.creation_timestamp.as_ref().map_or(0, |t| t.0.as_second());
    let mut add = |host: &str, path: &str, path_type: PathType, backend: &IngressBackend| {
        let host: Arc<str> = host.to_ascii_lowercase().into();
        let shortness = if path_type == PathType::Default { usize::MAX } else { usize::MAX - 1 - path.len() };
        let inexact = path_type != PathType::Exact;
        let index = out.locations.len();
        let rank = Rank { shortness, inexact, created, ingress: key.clone(), index };
        let redirect = says("force-ssl-redirect") == Some("true")
            || (has_tls(&host) && says("ssl-redirect").is_none_or(|v| v != "false"));
        let location = Location {
            ingress: key.clone(),
            path: path.into(),
            path_type,
            regex: regex && path_type != PathType::Default,
            rewrite: rewrite.clone().filter(|_| path_type != PathType::Default),
            secure: says("backend-protocol")
                .is_some_and(|p| matches!(p.to_ascii_uppercase().as_str(), "HTTPS" | "GRPCS")),
            redirect,
            upstream: upstream(key.namespace(), backend),
        };
        out.locations.push((host, rank, location));
    };
    for rule in spec.rules.iter().flatten() {
        let host = rule.host.as_deref().unwrap_or(ANY_HOST);
        for p in rule.http.iter().flat_map(|h| &h.paths) {
            let path = p.path.as_deref().filter(|p| !p.is_empty()).unwrap_or("/");
            let path_type = match p.path_type.as_str() {
                "Exact" => PathType::Exact,
                "Prefix" => PathType::Prefix,
                _ => PathType::ImplementationSpecific,
            };
            add(host, path, path_type, &p.backend);
        }
        if let Some(backend) = &spec.default_backend {
            add(host, "", PathType::Default, backend);
        }
    }
    if let (Some(backend), None) = (&spec.default_backend, spec.rules.iter().flatten().next()) {
        add(ANY_HOST, "", PathType::Default, backend);
    }
    out
}

fn upstream(namespace: &str, backend: &IngressBackend) -> Option<Upstream> {
    let service = backend.service.as_ref()?;
    let port = service.port.clone().unwrap_or_default();
    let port = port.name.filter(|n| !n.is_empty()).or(port.number.map(|n| n.to_string())).unwrap_or_default();
    Some(Upstream { service: Key::new(namespace, &service.name), port })
}

/// What stands behind a backend: the web server goes to endpoints, not to cluster IPs.
pub fn find(view: &View, upstream: &Upstream) -> Found {
    let Some(spec) = view.get::<Service>(&upstream.service).and_then(|s| s.spec.as_ref()) else {
        return Found::NoService;
    };
    let wanted = |p: &&k8s_openapi::api::core::v1::ServicePort| {
        p.port.to_string() == upstream.port || p.name.as_deref() == Some(upstream.port.as_str())
    };
    let Some(port) = spec.ports.iter().flatten().find(wanted) else { return Found::NoPort };
    let name = port.name.as_deref().unwrap_or("");
    let mut all = Vec::new();
    for slice in dns::slices(view, &upstream.service) {
        let target = slice.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or("") == name);
        let Some(number) = target.and_then(|p| u16::try_from(p.port?).ok()) else { continue };
        for e in slice.endpoints.iter().filter(|e| dns::is_ready(e)) {
            let pod = e.target_ref.as_ref().and_then(|t| t.name.as_deref()).unwrap_or("");
            let pod = if pod.is_empty() { String::new() } else { format!("{}/{pod}", upstream.service.namespace()) };
            all.extend(e.addresses.first().map(|ip| (ip.clone(), number, pod)));
        }
    }
    all.sort();
    all.dedup();
    Found::Endpoints(all)
}
