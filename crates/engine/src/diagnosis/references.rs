//! What a pod names, and whether it is there.

use super::Case;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};
use meta::Key;
use std::collections::BTreeSet;

/// Something that the pod names and that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    /// `ConfigMap`, `Secret`, `PersistentVolumeClaim`
    pub kind: &'static str,
    pub name: String,
    /// The object is there, but these keys are not.
    pub there: bool,
    pub keys: BTreeSet<String>,
}

/// One thing that is named: kind, name, and the key when it is about one.
type Named = (&'static str, String, Option<String>);

/// Every ConfigMap and Secret that must be there.
fn named(pod: &Pod) -> Vec<Named> {
    let mut out: Vec<Named> = Vec::new();
    let Some(spec) = &pod.spec else { return out };
    let must = |optional: Option<bool>| optional != Some(true);
    for v in spec.volumes.iter().flatten() {
        let projected = v.projected.iter().flat_map(|p| p.sources.iter().flatten());
        let maps = v.config_map.iter().map(|c| (c.name.clone(), c.items.clone(), c.optional));
        let maps = maps.chain(
            projected
                .clone()
                .filter_map(|s| s.config_map.as_ref())
                .map(|c| (c.name.clone(), c.items.clone(), c.optional)),
        );
        let secrets = v.secret.iter().map(|s| (s.secret_name.clone().unwrap_or_default(), s.items.clone(), s.optional));
        let secrets = secrets
            .chain(projected.filter_map(|s| s.secret.as_ref()).map(|s| (s.name.clone(), s.items.clone(), s.optional)));
        let all = maps.map(|m| ("ConfigMap", m)).chain(secrets.map(|s| ("Secret", s)));
        for (kind, (name, items, _)) in all.filter(|(_, (_, _, optional))| must(*optional)) {
            out.push((kind, name.clone(), None));
            out.extend(items.into_iter().flatten().map(|i| (kind, name.clone(), Some(i.key))));
        }
    }
    for c in spec.init_containers.iter().flatten().chain(&spec.containers) {
        for from in c.env_from.iter().flatten() {
            let map = from.config_map_ref.as_ref().filter(|r| must(r.optional)).map(|r| ("ConfigMap", &r.name));
            let secret = from.secret_ref.as_ref().filter(|r| must(r.optional)).map(|r| ("Secret", &r.name));
            out.extend(map.into_iter().chain(secret).map(|(kind, name)| (kind, name.clone(), None)));
        }
        for source in c.env.iter().flatten().filter_map(|e| e.value_from.as_ref()) {
            let map = source.config_map_key_ref.as_ref().filter(|r| must(r.optional));
            out.extend(map.map(|r| ("ConfigMap", r.name.clone(), Some(r.key.clone()))));
            let secret = source.secret_key_ref.as_ref().filter(|r| must(r.optional));
            out.extend(secret.map(|r| ("Secret", r.name.clone(), Some(r.key.clone()))));
        }
    }
    out
}

/// The first ConfigMap or Secret that is not as the pod needs it.
pub(crate) fn missing(case: &Case) -> Option<Missing> {
    let named = named(case.pod);
    let view = case.cluster.view();
    for (kind, name, _) in &named {
        let key = Key::new(case.namespace(), name);
        let there: Option<BTreeSet<String>> = match *kind {
            "ConfigMap" => view.get::<ConfigMap>(&key).map(|m| {
                let binary = m.binary_data.iter().flatten().map(|(k, _)| k);
                m.data.iter().flatten().map(|(k, _)| k).chain(binary).cloned().collect()
            }),
            _ => view.get::<Secret>(&key).map(|s| s.data.iter().flatten().map(|(k, _)| k.clone()).collect()),
        };
        let wanted = named.iter().filter(|(k, n, _)| (k, n) == (kind, name)).filter_map(|(_, _, key)| key.clone());
        let absent = |k: &String| there.as_ref().is_none_or(|t| !t.contains(k));
        let keys: BTreeSet<String> = wanted.filter(absent).collect();
        if there.is_none() || !keys.is_empty() {
            return Some(Missing { kind, name: name.clone(), there: there.is_some(), keys });
        }
    }
    None
}

/// Names of the pod's claims.
pub(crate) fn claims(pod: &Pod) -> Vec<String> {
    let volumes = pod.spec.iter().flat_map(|s| s.volumes.iter().flatten());
    volumes.filter_map(|v| v.persistent_volume_claim.as_ref()).map(|c| c.claim_name.clone()).collect()
}

pub(crate) fn missing_claim(case: &Case) -> Option<Missing> {
    let there =
        |name: &String| case.cluster.view().get::<PersistentVolumeClaim>(&Key::new(case.namespace(), name)).is_some();
    let name = claims(case.pod).into_iter().find(|name| !there(name))?;
    Some(Missing { kind: "PersistentVolumeClaim", name, there: false, keys: BTreeSet::new() })
}
