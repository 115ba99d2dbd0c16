//! Rancher's local path provisioner, as kind runs it, and minikube's: directories of a node as volumes. Models
//! `sigs.k8s.io/sig-storage-lib-external-provisioner/controller` with the two provisioners' own `Provision` and
//! `Delete`.

use crate::owner::{key_of, watch_self};
use crate::persistent_volume::{PROVISIONED_BY, PROVISIONER, SELECTED_NODE, annotation, claim_class, volume_name};
use api::Registered;
use api::kinds::storageclass::WAIT_FOR_FIRST_CONSUMER;
use k8s_openapi::api::core::v1::{
    HostPathVolumeSource, Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeSpec, VolumeNodeAffinity,
};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key, Time, User};
use reconcile::{Controller, Cx, EventType, Intent, Outcome, Tolerate, Watch};
use std::collections::BTreeMap;

/// Makes a directory on the node that the scheduler chose; needs one.
const LOCAL_PATH: &str = "rancher.io/local-path";
/// Makes a directory on whatever node the pod comes to.
const MINIKUBE: &str = "k8s.io/minikube-hostpath";
/// What the helper pod takes that makes or removes a directory.
const WORK: Duration = Duration::from_secs(2);

#[derive(Clone, Default)]
pub struct LocalPath {
    /// Work that has begun, until when.
    busy: BTreeMap<Key, Time>,
}

impl Controller for LocalPath {
    const NAME: &'static str = "local-path-provisioner";
    const PROCESS: &'static str = "local-path-provisioner";
    const EVENT_SOURCE: &'static str = LOCAL_PATH;

    fn user() -> User {
        let namespace = "system:serviceaccounts:local-path-storage";
        let account = "system:serviceaccount:local-path-storage:local-path-provisioner-service-account";
        User::new(account, &["system:serviceaccounts", namespace, "system:authenticated"])
    }

    fn watches() -> Vec<Watch> {
        vec![
            watch_self(PersistentVolumeClaim::KIND_REF),
            watch_self(PersistentVolume::KIND_REF),
            Watch { kind: StorageClass::KIND_REF, keys: |_, _, _| {} },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        if key.namespace().is_empty() {
            if let Some(volume) = cx.view.get::<PersistentVolume>(key).filter(|v| should_delete(v)) {
                if self.is_done(cx, key, &mut out) {
                    out.push(Intent::delete(volume));
                }
                return out;
            }
        } else if let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key)
            && let Some(class) = class_to_provision(cx, claim)
        {
            self.provision(cx, claim, class, &mut out);
            return out;
        }
        self.busy.remove(key);
        out
    }
}

/// Models `shouldDelete`.
fn should_delete(volume: &PersistentVolume) -> bool {
    let policy = volume.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref());
    volume.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Released")
        && policy == Some("Delete")
        && volume.metadata.deletion_timestamp.is_none()
        && matches!(annotation(&volume.metadata, PROVISIONED_BY), Some(LOCAL_PATH | MINIKUBE))
}

/// Models `shouldProvision`: the claim's class, when this is the one to make its volume.
fn class_to_provision<'a>(cx: &Cx<'a>, claim: &PersistentVolumeClaim) -> Option<&'a StorageClass> {
    if !volume_name(claim).is_empty() || claim.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let provisioner = annotation(&claim.metadata, PROVISIONER).filter(|p| matches!(*p, LOCAL_PATH | MINIKUBE))?;
    let class = cx.view.get::<StorageClass>(&Key::from(claim_class(claim)))?;
    let waits = class.volume_binding_mode.as_deref() == Some(WAIT_FOR_FIRST_CONSUMER);
    let placed = annotation(&claim.metadata, SELECTED_NODE).is_some_and(|n| !n.is_empty());
    (class.provisioner == provisioner && (placed || !waits)).then_some(class)
}

impl LocalPath {
    /// Begins the work on `key`, or says that it is over.
    fn is_done(&mut self, cx: &Cx, key: &Key, out: &mut Outcome) -> bool {
        let until = *self.busy.entry(key.clone()).or_insert(cx.now + WORK);
        if until > cx.now {
            out.requeue(until.since(cx.now));
            return false;
        }
        self.busy.remove(key);
        true
    }

    fn provision(&mut self, cx: &Cx, claim: &PersistentVolumeClaim, class: &StorageClass, out: &mut Outcome) {
        let key = key_of(&claim.metadata);
        if !self.busy.contains_key(&key) {
            let message = format!("External provisioner is provisioning volume for claim \"{key}\"");
            out.push(Intent::event(claim, EventType::Normal, "Provisioning", message));
        }
        if !self.is_done(cx, &key, out) {
            return;
        }
        let volume = match volume_for(cx, claim, class) {
            Ok(volume) => volume,
            Err(why) => {
                let class = class.metadata.name.as_deref().unwrap_or("");
                let message = format!("failed to provision volume with StorageClass {class:?}: {why}");
                out.push(Intent::event(claim, EventType::Warning, "ProvisioningFailed", message));
                // Upstream backs off from 15 seconds on.
                self.busy.insert(key, cx.now + Duration::from_secs(15));
                out.requeue(Duration::from_secs(15));
                return;
            }
        };
        let message = format!("Successfully provisioned volume {}", volume.metadata.name.as_deref().unwrap_or(""));
        let create = Intent::create(volume).tolerate(Tolerate::AlreadyExists);
        out.push(create.on_success(claim, "ProvisioningSucceeded", message));
    }
}

/// # Errors
/// In the provisioner's words.
fn volume_for(cx: &Cx, claim: &PersistentVolumeClaim, class: &StorageClass) -> Result<PersistentVolume, String> {
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    let (namespace, claim_name) = (text(&claim.metadata.namespace), text(&claim.metadata.name));
    let name = format!("pvc-{}", text(&claim.metadata.uid));
    let spec = claim.spec.clone().unwrap_or_default();
    let modes = spec.access_modes.unwrap_or_default();
    let mut annotations = BTreeMap::from([(PROVISIONED_BY.to_string(), class.provisioner.clone())]);
    let (path, kind, node_affinity) = if class.provisioner == LOCAL_PATH {
        let selected = annotation(&claim.metadata, SELECTED_NODE).unwrap_or("");
        if selected.is_empty() {
            return Err("configuration error, no node was specified".into());
        }
        if let Some(m) = modes.iter().find(|m| !matches!(m.as_str(), "ReadWriteOnce" | "ReadWriteOncePod")) {
            return Err(format!(
                "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes, not {m}"
            ));
        }
        let Some(node) = cx.view.get::<Node>(&Key::from(selected)) else {
            return Err(format!("nodes {selected:?} not found"));
        };
        let hostname = node.metadata.labels.as_ref().and_then(|l| l.get("kubernetes.io/hostname"));
        annotations.insert("local.path.provisioner/selected-node".into(), selected.into());
        let path = format!("/var/local-path-provisioner/{name}_{namespace}_{claim_name}");
        (path, "DirectoryOrCreate", Some(on_node(hostname.map_or(selected, |h| h.as_str()))))
    } else {
        (format!("/tmp/hostpath-provisioner/{namespace}/{claim_name}"), "", None)
    };
    let storage = spec.resources.and_then(|r| r.requests).and_then(|mut r| r.remove_entry("storage"));
    Ok(PersistentVolume {
        metadata: ObjectMeta { name: Some(name), annotations: Some(annotations), ..Default::default() },
        spec: Some(PersistentVolumeSpec {
            access_modes: Some(modes),
            capacity: Some(storage.into_iter().collect()),
            claim_ref: Some(reconcile::intent::reference(claim)),
            host_path: Some(HostPathVolumeSource { path, type_: Some(kind.into()) }),
            mount_options: class.mount_options.clone(),
            node_affinity,
            persistent_volume_reclaim_policy: class.reclaim_policy.clone(),
            storage_class_name: class.metadata.name.clone(),
            volume_mode: spec.volume_mode,
            ..Default::default()
        }),
        status: None,
    })
}

fn on_node(hostname: &str) -> VolumeNodeAffinity {
    let requirement = NodeSelectorRequirement {
        key: "kubernetes.io/hostname".into(),
        operator: "In".into(),
        values: Some(vec![hostname.into()]),
    };
    let term = NodeSelectorTerm { match_expressions: Some(vec![requirement]), match_fields: None };
    VolumeNodeAffinity { required: Some(NodeSelector { node_selector_terms: vec![term] }) }
}

#[cfg(test)]
mod tests {
    use super::LocalPath;
    use crate::testing::{World, at};
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn a_directory_on_the_chosen_node_and_gone_with_its_claim() {
        let mut w = World::<LocalPath>::new([
            json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "standard"},
                   "provisioner": "rancher.io/local-path", "reclaimPolicy": "Delete",
                   "volumeBindingMode": "WaitForFirstConsumer"}),
            json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "host1"}}}),
        ]);
        let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default", "uid": "u1", "annotations": {
                "volume.kubernetes.io/storage-provisioner": "rancher.io/local-path"}},
            "spec": {"storageClassName": "standard", "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
                     "resources": {"requests": {"storage": "1Gi"}}}});
        w.put(claim.clone());
        assert_eq!(w.run("default/data"), "");
        claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = "n1".into();
        w.put(claim.clone());
        expect![[r#"
            event Normal Provisioning data: External provisioner is provisioning volume for claim "default/data"
            requeue after 2s
        "#]]
        .assert_eq(&w.run("default/data"));
        w.now = at(2);
        expect![[r#"
            create {"apiVersion":"v1","kind":"PersistentVolume","metadata":{"annotations":{"local.path.provisioner/selected-node":"n1","pv.kubernetes.io/provisioned-by":"rancher.io/local-path"},"name":"pvc-u1"},"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Gi"},"claimRef":{"apiVersion":"v1","kind":"PersistentVolumeClaim","name":"data","namespace":"default","uid":"u1"},"hostPath":{"path":"/var/local-path-provisioner/pvc-u1_default_data","type":"DirectoryOrCreate"},"nodeAffinity":{"required":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["host1"]}]}]}},"persistentVolumeReclaimPolicy":"Delete","storageClassName":"standard","volumeMode":"Filesystem"}}
              on success: ProvisioningSucceeded: Successfully provisioned volume pvc-u1
        "#]].assert_eq(&w.run("default/data"));
        claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = "n2".into();
        w.put(claim);
        w.run("default/data");
        w.now = at(4);
        expect![[r#"
            event Warning ProvisioningFailed data: failed to provision volume with StorageClass "standard": nodes "n2" not found
            requeue after 15s
        "#]].assert_eq(&w.run("default/data"));
        w.put(json!({"apiVersion": "v1", "kind": "PersistentVolume", "status": {"phase": "Released"},
            "metadata": {"name": "pvc-u1", "annotations": {"pv.kubernetes.io/provisioned-by": "rancher.io/local-path"}},
            "spec": {"persistentVolumeReclaimPolicy": "Delete"}}));
        assert_eq!(w.run("pvc-u1"), "requeue after 2s\n");
        w.now = at(6);
        expect![[r#"
            delete persistentvolumes pvc-u1 grace=None propagation=Some(Background)
        "#]]
        .assert_eq(&w.run("pvc-u1"));
    }
}
