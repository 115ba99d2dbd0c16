//! A container's environment. Models `makeEnvironmentVariables` of `pkg/kubelet/kubelet_pods.go` and
//! `k8s.io/kubernetes/third_party/forked/golang/expansion`.

use super::resources;
use super::{SyncCx, env_file};
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, EnvVarSource, ObjectFieldSelector, Pod, ResourceFieldSelector, Secret, Service,
};
use meta::{Key, Quantity};
use std::collections::BTreeMap;

type Env = Vec<(String, String)>;

fn set(env: &mut Env, name: &str, value: String) {
    match env.iter_mut().find(|(n, _)| n == name) {
        Some(e) => e.1 = value,
        None => env.push((name.into(), value)),
    }
}

/// # Errors
/// What is missing, as the `CreateContainerConfigError` message and the Failed event say it.
pub fn resolve(pod: &Pod, container: &Container, pod_ip: &str, cx: &SyncCx) -> Result<Env, String> {
    let ns = pod.metadata.namespace.as_deref().unwrap_or("");
    let mut env = Env::new();
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or("");
        if let Some(r) = &from.config_map_ref {
            match cx.view.get::<ConfigMap>(&Key::new(ns, &r.name)) {
                Some(cm) => {
                    for (k, v) in cm.data.iter().flatten() {
                        set(&mut env, &format!("{prefix}{k}"), v.clone());
                    }
                }
                None if r.optional == Some(true) => {}
                None => return Err(format!("configmap {:?} not found", r.name)),
            }
        }
        if let Some(r) = &from.secret_ref {
            match cx.view.get::<Secret>(&Key::new(ns, &r.name)) {
                Some(s) => {
                    for (k, v) in s.data.iter().flatten() {
                        set(&mut env, &format!("{prefix}{k}"), String::from_utf8_lossy(&v.0).into_owned());
                    }
                }
                None if r.optional == Some(true) => {}
                None => return Err(format!("secret {:?} not found", r.name)),
            }
        }
    }
    let links = pod.spec.as_ref().and_then(|s| s.enable_service_links).unwrap_or(true);
    let services = service_variables(ns, links, cx);
    for var in container.env.iter().flatten() {
        let value = match (&var.value, &var.value_from) {
            (Some(v), _) if !v.is_empty() => expand(v, &[&env, &services]),
            (_, Some(source)) => match value_from(pod, container, source, pod_ip, ns, cx)? {
                Some(v) => v,
                None => continue,
            },
            _ => String::new(),
        };
        set(&mut env, &var.name, value);
    }
    // Service variables never override what the pod says itself.
    for (name, value) in services {
        if !env.iter().any(|(n, _)| *n == name) {
            env.push((name, value));
        }
    }
    Ok(env)
}

fn value_from(
    pod: &Pod,
    container: &Container,
    source: &EnvVarSource,
    pod_ip: &str,
    ns: &str,
    cx: &SyncCx,
) -> Result<Option<String>, String> {
    if let Some(f) = &source.field_ref {
        return field(pod, f, pod_ip, cx).map(Some);
    }
    if let Some(r) = &source.resource_field_ref {
        return resource(pod, container, r, cx).map(Some);
    }
    if let Some(r) = &source.config_map_key_ref {
        let optional = r.optional == Some(true);
        let Some(cm) = cx.view.get::<ConfigMap>(&Key::new(ns, &r.name)) else {
            return if optional { Ok(None) } else { Err(format!("configmap {:?} not found", r.name)) };
        };
        return match cm.data.as_ref().and_then(|d| d.get(&r.key)) {
            Some(v) => Ok(Some(v.clone())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {} in ConfigMap {ns}/{}", r.key, r.name)),
        };
    }
    if let Some(r) = &source.secret_key_ref {
        let optional = r.optional == Some(true);
        let Some(s) = cx.view.get::<Secret>(&Key::new(ns, &r.name)) else {
            return if optional { Ok(None) } else { Err(format!("secret {:?} not found", r.name)) };
        };
        return match s.data.as_ref().and_then(|d| d.get(&r.key)) {
            Some(v) => Ok(Some(String::from_utf8_lossy(&v.0).into_owned())),
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {} in Secret {ns}/{}", r.key, r.name)),
        };
    }
    if let Some(f) = &source.file_key_ref {
        let uid = pod.metadata.uid.as_deref().unwrap_or("");
        let mut volumes = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten());
        if !volumes.any(|v| v.name == f.volume_name) {
            return Err(format!("cannot find the volume {:?} referenced by FileKeyRef", f.volume_name));
        }
        let text = cx.runtime.volume_file(uid, &f.volume_name, &f.path);
        let text = text.and_then(|t| String::from_utf8(t).ok()).ok_or("couldn't parse env file")?;
        let value = env_file::value(&text, &f.key).map_err(|_| "couldn't parse env file")?;
        return match (value.is_empty(), f.optional == Some(true)) {
            (false, _) => Ok(Some(value)),
            (true, true) => Ok(None),
            (true, false) => {
                let volume = format!("/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/{}", f.volume_name);
                let path = f.path.trim_start_matches('/');
                Err(format!("environment variable key {:?} not found in file \"{volume}/{path}\"", f.key))
            }
        };
    }
    Ok(Some(String::new()))
}

/// The downward API's fields. Models `fieldpath.ExtractFieldPathAsString` and `podFieldSelectorRuntimeValue`.
pub fn field(pod: &Pod, f: &ObjectFieldSelector, pod_ip: &str, cx: &SyncCx) -> Result<String, String> {
    let m = &pod.metadata;
    let spec = pod.spec.as_ref();
    let map = |m: &Option<BTreeMap<String, String>>| {
        let lines: Vec<String> = m.iter().flatten().map(|(k, v)| format!("{k}={v:?}")).collect();
        lines.join("\n")
    };
    let subscript = |prefix: &str| f.field_path.strip_prefix(prefix)?.strip_suffix("']").map(str::to_string);
    let one =
        |m: &Option<BTreeMap<String, String>>, k: &str| m.as_ref().and_then(|m| m.get(k)).cloned().unwrap_or_default();
    Ok(match f.field_path.as_str() {
        "metadata.name" => m.name.clone().unwrap_or_default(),
        "metadata.namespace" => m.namespace.clone().unwrap_or_default(),
        "metadata.uid" => m.uid.clone().unwrap_or_default(),
        "metadata.labels" => map(&m.labels),
        "metadata.annotations" => map(&m.annotations),
        "spec.nodeName" => cx.config.name.clone(),
        "spec.serviceAccountName" => spec.and_then(|s| s.service_account_name.clone()).unwrap_or_default(),
        "status.podIP" | "status.podIPs" => pod_ip.to_string(),
        "status.hostIP" | "status.hostIPs" => cx.config.internal_ip.clone(),
        path => {
            if let Some(k) = subscript("metadata.labels['") {
                one(&m.labels, &k)
            } else if let Some(k) = subscript("metadata.annotations['") {
                one(&m.annotations, &k)
            } else {
                return Err(format!("unsupported fieldPath: {path}"));
            }
        }
    })
}

/// Models `resource.ExtractContainerResourceValue`: a missing limit is the node's allocatable.
pub fn resource(pod: &Pod, own: &Container, r: &ResourceFieldSelector, cx: &SyncCx) -> Result<String, String> {
    let spec = pod.spec.as_ref();
    let named = r.container_name.as_deref().filter(|n| !n.is_empty() && *n != own.name);
    let container = match named {
        None => own,
        Some(n) => spec
            .and_then(|s| s.containers.iter().chain(s.init_containers.iter().flatten()).find(|c| c.name == n))
            .ok_or_else(|| format!("container {n} not found"))?,
    };
    let (list, name) = r.resource.split_once('.').unwrap_or(("", ""));
    let allocatable = crate::node::allocatable(cx.config);
    let value = match list {
        "limits" => resources::limits(container)
            .get(name)
            .copied()
            .or_else(|| allocatable.get(name).map(Quantity::of))
            .unwrap_or_default(),
        "requests" => resources::requests(container).get(name).copied().unwrap_or_default(),
        _ => return Err(format!("unsupported container resource : {}", r.resource)),
    };
    let divisor = r.divisor.as_ref().map(Quantity::of).filter(|d| !d.is_zero()).unwrap_or(Quantity::from_value(1));
    let (v, d) = match name {
        "cpu" => (value.milli_value(), divisor.milli_value()),
        _ => (value.value(), divisor.value()),
    };
    Ok((v / d.max(1) + i64::from(v % d.max(1) != 0)).to_string())
}

/// `$(NAME)` is replaced when one of the lists knows `NAME`, the first that does; `$$(NAME)` is the text itself.
pub fn expand(text: &str, known: &[&[(String, String)]]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find('$') {
        out.push_str(&rest[..i]);
        let after = &rest[i + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|t| t.split_once(')')) {
            match known.iter().copied().flatten().find(|(n, _)| n == name) {
                Some((_, v)) => out.push_str(v),
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Models `pkg/kubelet/envvars`: the namespace's Services when links are on, the API server's always.
fn service_variables(ns: &str, links: bool, cx: &SyncCx) -> Env {
    let mut out = Env::new();
    let mut list: Vec<&Service> = Vec::new();
    if links {
        list.extend(cx.view.list_in::<Service>(ns));
    }
    if ns != "default" || !links {
        list.extend(cx.view.get::<Service>(&Key::new("default", "kubernetes")));
    }
    for s in list {
        let Some(spec) = &s.spec else { continue };
        let Some(ip) = spec.cluster_ip.as_deref().filter(|ip| !ip.is_empty() && *ip != "None") else { continue };
        let name = s.metadata.name.as_deref().unwrap_or("").to_uppercase().replace('-', "_");
        let ports = spec.ports.as_deref().unwrap_or_default();
        let Some(first) = ports.first() else { continue };
        out.push((format!("{name}_SERVICE_HOST"), ip.into()));
        out.push((format!("{name}_SERVICE_PORT"), first.port.to_string()));
        for p in ports {
            if let Some(n) = p.name.as_deref().filter(|n| !n.is_empty()) {
                let n = n.to_uppercase().replace('-', "_");
                out.push((format!("{name}_SERVICE_PORT_{n}"), p.port.to_string()));
            }
        }
        let protocol = |p: Option<&str>| p.unwrap_or("TCP").to_lowercase();
        out.push((format!("{name}_PORT"), format!("{}://{ip}:{}", protocol(first.protocol.as_deref()), first.port)));
        for p in ports {
            let proto = protocol(p.protocol.as_deref());
            let prefix = format!("{name}_PORT_{}_{}", p.port, proto.to_uppercase());
            out.push((prefix.clone(), format!("{proto}://{ip}:{}", p.port)));
            out.push((format!("{prefix}_PROTO"), proto));
            out.push((format!("{prefix}_PORT"), p.port.to_string()));
            out.push((format!("{prefix}_ADDR"), ip.into()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_as_the_api_documents() {
        let env = vec![("A".to_string(), "1".to_string()), ("B".to_string(), "$(A)".to_string())];
        let services = vec![("A".to_string(), "2".to_string()), ("S".to_string(), "svc".to_string())];
        for (text, want) in [
            ("$(A)-$(B)", "1-$(A)"),
            ("$$(A)", "$(A)"),
            ("$(NO)", "$(NO)"),
            ("$A $", "$A $"),
            ("$(A", "$(A"),
            ("$$$(A)", "$1"),
            ("$(A) $(S)", "1 svc"),
        ] {
            assert_eq!(expand(text, &[&env, &services]), want, "{text}");
        }
    }
}
