//! Static pods: a kubelet runs them because a file of its node says so, and shows each of them to the API by a mirror
//! pod. Models `pkg/kubelet/config/common.go` and `pkg/kubelet/pod/mirror_client.go`.

use crate::runtime::ManifestFiles;
use api::references::{self, HASH, MIRROR, SEEN, SOURCE};
use api::validate::meta::validate_meta;
use api::{Object, Registered};
use k8s_openapi::api::core::v1::{Node, Pod, PodStatus, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use meta::{Path, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The pods of a node's manifest directory, by their files.
pub type Manifests = BTreeMap<String, Arc<Pod>>;

/// `staticPodPath`
pub const DIRECTORY: &str = "/etc/kubernetes/manifests";

/// What the files say. Hidden ones, and those that are no pods, are none of the kubelet's business. Models
/// `extractFromDir` of `pkg/kubelet/config/file.go`.
pub fn parse(files: &ManifestFiles) -> Manifests {
    let pod = |(path, data): (&String, &Arc<Vec<u8>>)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with('.') {
            return None;
        }
        let value = manifest::body(std::str::from_utf8(data).ok()?).ok()?.value;
        let is_pod = value["kind"] == "Pod" && value["apiVersion"] == "v1";
        let pod = is_pod.then(|| serde_json::from_value::<Pod>(value).ok()).flatten()?;
        Some((path.clone(), Arc::new(pod)))
    };
    files.iter().filter_map(pod).collect()
}

/// The pod that a kubelet runs for what a file has: under the node's name, with the defaults of any pod.
///
/// # Errors
/// The kubelet's words for why it ignores the file.
pub fn read(manifest: &Pod, file: &str, node: &str) -> Result<Pod, String> {
    let mut pod = manifest.clone();
    let Some(name) = pod.metadata.name.take().filter(|n| !n.is_empty()) else {
        return Err("invalid pod: name is needed for the pod".into());
    };
    let kind = Pod::KIND_REF;
    (kind.default)(&mut pod);
    let uid = match pod.metadata.uid.take().filter(|u| !u.is_empty()) {
        Some(uid) => uid,
        None => hash(&(&pod as &dyn Object).to_value().to_string(), &name, file, node),
    };
    let metadata = &mut pod.metadata;
    metadata.name = Some(format!("{name}-{}", node.to_lowercase()));
    if metadata.namespace.as_deref().is_none_or(str::is_empty) {
        metadata.namespace = Some("default".into());
    }
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(HASH.into(), uid.clone());
    annotations.insert(SOURCE.into(), "file".into());
    metadata.uid = Some(uid);
    let spec = pod.spec.get_or_insert_default();
    spec.node_name = Some(node.into());
    let stays = Toleration { operator: Some("Exists".into()), effect: Some("NoExecute".into()), ..Default::default() };
    let tolerations = spec.tolerations.get_or_insert_default();
    if !tolerations.contains(&stays) {
        tolerations.push(stays);
    }
    pod.status = Some(PodStatus { phase: Some("Pending".into()), ..Default::default() });
    let mut errors = validate_meta(&pod.metadata, kind.scope, kind.name_rule, &Path::new("metadata"));
    errors.extend((kind.validate_create)(&pod));
    if !errors.is_empty() {
        let list: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return Err(format!("invalid pod: [{}]", list.join(" ")));
    }
    match references::first(&pod) {
        Some(what) => Err(format!("static pods may not reference {what}")),
        None => Ok(pod),
    }
}

/// FNV-1a of 128 bits, as upstream's; what goes in is this API server's text of the pod, not Go's.
fn hash(pod: &str, name: &str, file: &str, node: &str) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let text = format!("{pod}{name}host:{node}file:{file}");
    let mix = |h: u128, b: u8| (h ^ u128::from(b)).wrapping_mul(PRIME);
    format!("{:032x}", text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, mix))
}

/// When the kubelet first saw the file, as Go's `RFC3339Nano` writes it.
pub fn seen(pod: &mut Pod, now: Time) {
    let fraction = format!("{:06}", now.as_micros() % 1_000_000);
    let text = match fraction.trim_end_matches('0') {
        "" => now.rfc3339(),
        digits => now.rfc3339().replace('Z', &format!(".{digits}Z")),
    };
    pod.metadata.annotations.get_or_insert_default().insert(SEEN.into(), text);
}

fn annotation<'a>(pod: &'a Pod, name: &str) -> Option<&'a String> {
    pod.metadata.annotations.as_ref()?.get(name)
}

/// Models `IsMirrorPodOf`, for pods of the same name.
pub fn is_mirror_of(mirror: &Pod, pod: &Pod) -> bool {
    annotation(mirror, MIRROR).is_some() && annotation(mirror, MIRROR) == annotation(pod, HASH)
}

/// What shows the pod to the API: it belongs to the node.
pub fn mirror(pod: &Pod, node: &Node) -> Pod {
    let mut mirror = pod.clone();
    let hash = annotation(pod, HASH).cloned().unwrap_or_default();
    mirror.metadata.annotations.get_or_insert_default().insert(MIRROR.into(), hash);
    mirror.metadata.uid = None;
    mirror.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: node.metadata.name.clone().unwrap_or_default(),
        uid: node.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }]);
    mirror.status = None;
    mirror
}
