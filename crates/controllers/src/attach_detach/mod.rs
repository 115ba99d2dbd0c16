//! attachdetach-controller: volumes are attached to the nodes whose pods use them, and to no others. Models
//! `pkg/controller/volume/attachdetach` with the CSI plugin's attacher (`pkg/volume/csi/csi_attacher.go`).
//!
//! One item is a node. What is attached, or on its way, is what VolumeAttachments there are.

mod attach;
mod detach;
mod events;
#[cfg(test)]
mod tests;
mod wanted;

use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::{CSIDriver, VolumeAttachment};
use meta::{Duration, Key, Time};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use wanted::Volume;

/// `--attach-detach-reconcile-max-wait-unmount-duration`
const FORCE_DETACH: Duration = Duration::from_secs(360);
/// Attachments are told by their names: items that are no nodes.
const ATTACHMENT: &str = "attachment";

#[derive(Clone, Default)]
pub struct AttachDetach {
    /// By node, then by PersistentVolume.
    attachments: BTreeMap<String, BTreeMap<String, Attachment>>,
    /// By PersistentVolume, the nodes.
    nodes: BTreeMap<String, BTreeSet<String>>,
    /// Nodes that wait for a volume that is attached elsewhere, by PersistentVolume.
    waiting: BTreeMap<String, BTreeSet<String>>,
}

/// What is remembered of one VolumeAttachment.
#[derive(Clone)]
struct Attachment {
    name: Key,
    driver: String,
    handle: String,
    /// Since when nobody on the node wants it.
    unwanted: Option<Time>,
    /// The node said so when it was seen last.
    mounted: bool,
    /// Since when it is being attached.
    began: Option<Time>,
    /// How often that failed, and when it may be told of again.
    failures: u32,
    tell_at: Time,
}

impl Attachment {
    /// As node statuses name the volume.
    fn unique(&self) -> String {
        unique_name(&self.driver, &self.handle)
    }
}

fn unique_name(driver: &str, handle: &str) -> String {
    format!("kubernetes.io/csi/{driver}^{handle}")
}

/// Models `getAttachmentName`.
fn attachment_name(v: &Volume, node: &str) -> String {
    let mut name = String::from("csi-");
    for byte in Sha256::digest(format!("{}{}{node}", v.handle, v.driver)) {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// Nodes that use volumes, when what matters of them changes.
fn node_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let part = |o: &Option<api::Obj>| {
        let node = o.as_ref().and_then(|o| o.downcast::<Node>())?;
        let status = node.status.as_ref();
        let names: Vec<String> =
            status.into_iter().flat_map(|s| s.volumes_attached.iter().flatten()).map(|v| v.name.clone()).collect();
        let used = status.and_then(|s| s.volumes_in_use.clone()).unwrap_or_default();
        Some((names, used, detach::is_ready(node), detach::is_out_of_service(node)))
    };
    let (old, new) = (part(&change.old), part(&change.new));
    let idle = |p: &Option<(Vec<String>, Vec<String>, bool, bool)>| {
        p.as_ref().is_none_or(|(names, used, ..)| names.is_empty() && used.is_empty())
    };
    if old != new && !(idle(&old) && idle(&new)) {
        keys.push(change.key.clone());
    }
}

fn pod_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(pod) = change.object().and_then(|o| o.downcast::<Pod>()) else { return };
    let node = crate::pods::node_name(pod);
    if !node.is_empty() && wanted::of_pod(cx.view, pod).next().is_some() {
        keys.push(Key::from(node));
    }
}

/// A claim that got its volume after its pods got their nodes.
fn claim_changed(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let claim = |o: &Option<api::Obj>| o.as_ref().and_then(|o| o.downcast::<PersistentVolumeClaim>()).cloned();
    let (Some(new), old) = (claim(&change.new), claim(&change.old)) else { return };
    let bound = crate::persistent_volume::volume_name(&new);
    if old.is_some_and(|o| crate::persistent_volume::volume_name(&o) == bound)
        || wanted::volume(cx.view, bound).is_none()
    {
        return;
    }
    for pod in cx.view.list_in::<Pod>(change.key.namespace()) {
        let node = crate::pods::node_name(pod);
        if !node.is_empty() && crate::persistent_volume::claims_used_by(pod).any(|c| c == change.key.name()) {
            keys.push(Key::from(node));
        }
    }
}

fn attachment_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let Some(a) = change.object().and_then(|o| o.downcast::<VolumeAttachment>()) else { return };
    keys.push(Key::new(ATTACHMENT, change.key.name()));
    keys.push(Key::from(a.spec.node_name.as_str()));
}

impl Controller for AttachDetach {
    const NAME: &'static str = "persistentvolume-attach-detach-controller";
    const EVENT_SOURCE: &'static str = "attachdetach-controller";

    fn user() -> meta::User {
        meta::User::controller("attachdetach-controller")
    }

    fn watches() -> Vec<Watch> {
        // Attachments first: what is attached is known before anything is decided.
        vec![
            Watch { kind: VolumeAttachment::KIND_REF, keys: attachment_changed },
            Watch { kind: Node::KIND_REF, keys: node_changed },
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: PersistentVolumeClaim::KIND_REF, keys: claim_changed },
            Watch { kind: PersistentVolume::KIND_REF, keys: |_, _, _| {} },
            Watch { kind: CSIDriver::KIND_REF, keys: |_, _, _| {} },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        if key.namespace() == ATTACHMENT {
            if let Some(a) = cx.view.get::<VolumeAttachment>(&Key::from(key.name())) {
                self.learn(cx, a);
            }
            return out;
        }
        let node = key.name();
        self.forget_gone(cx, node, &mut out);
        let object = cx.view.get::<Node>(key);
        let wanted = match object {
            Some(n) if wanted::is_managed(n) => wanted::on_node(cx.view, node),
            _ => BTreeMap::new(),
        };
        let mut attached: BTreeMap<String, String> = BTreeMap::new();
        self.detach(cx, node, object, &wanted, &mut attached, &mut out);
        self.attach(cx, node, object, &wanted, &mut attached, &mut out);
        if let Some(object) = object {
            report(object, attached, &mut out);
        }
        out
    }
}

impl AttachDetach {
    /// Takes in an attachment that this controller's last run made, or somebody else.
    fn learn(&mut self, cx: &Cx, a: &VolumeAttachment) {
        let volume = a.spec.source.persistent_volume_name.as_deref().unwrap_or("");
        let node = a.spec.node_name.as_str();
        let inline = a.spec.source.inline_volume_spec.as_ref().and_then(|s| s.csi.as_ref());
        // The same disk, whatever the pod called it.
        let known = inline.and_then(|c| {
            let pods = cx.view.pods_on_node(node);
            pods.flat_map(|p| wanted::of_pod(cx.view, p)).find(|v| v.driver == c.driver && v.handle == c.volume_handle)
        });
        let Some(v) = known.or_else(|| wanted::volume(cx.view, volume)) else { return };
        self.remember(cx, node, &v, a.metadata.name.as_deref().unwrap_or(""));
    }

    fn remember(&mut self, cx: &Cx, node: &str, v: &Volume, name: &str) {
        let of_node = self.attachments.entry(node.into()).or_default();
        of_node.entry(v.name.clone()).or_insert_with(|| Attachment {
            name: Key::from(name),
            driver: v.driver.clone(),
            handle: v.handle.clone(),
            unwanted: None,
            mounted: false,
            began: Some(cx.now),
            failures: 0,
            tell_at: cx.now,
        });
        self.nodes.entry(v.name.clone()).or_default().insert(node.into());
    }

    /// Attachments that are gone (or never came to be); who waits for their volumes has a look.
    fn forget_gone(&mut self, cx: &Cx, node: &str, out: &mut Outcome) {
        let Some(of_node) = self.attachments.get_mut(node) else { return };
        let exists = |a: &Attachment| cx.view.get::<VolumeAttachment>(&a.name).is_some();
        let gone: Vec<String> = of_node.iter().filter(|(_, a)| !exists(a)).map(|(v, _)| v.clone()).collect();
        for volume in &gone {
            of_node.remove(volume);
            if let Some(nodes) = self.nodes.get_mut(volume) {
                nodes.remove(node);
                if nodes.is_empty() {
                    self.nodes.remove(volume);
                }
            }
            let waiting = self.waiting.remove(volume).into_iter().flatten();
            out.enqueue.extend(waiting.map(|n| Key::from(n.as_str())));
        }
        if of_node.is_empty() {
            self.attachments.remove(node);
        }
    }
}

/// Tells the node what is attached to it. Models `nodeStatusUpdater`.
fn report(node: &Node, attached: BTreeMap<String, String>, out: &mut Outcome) {
    let said = node.status.iter().flat_map(|s| s.volumes_attached.iter().flatten());
    if said.map(|v| (&v.name, &v.device_path)).eq(attached.iter()) {
        return;
    }
    let list: Vec<_> = attached.iter().map(|(name, device)| json!({ "name": name, "devicePath": device })).collect();
    let list = (!list.is_empty()).then_some(list);
    let patch = json!({ "status": { "volumesAttached": list } });
    let key = Key::from(node.metadata.name.as_deref().unwrap_or(""));
    // Before anything is detached.
    out.intents.insert(0, Intent::patch(Node::KIND_REF, key, "status", patch));
}
