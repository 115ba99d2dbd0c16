//! external-attacher: does what VolumeAttachments ask for. Models `pkg/controller/csi_handler.go` of
//! kubernetes-csi/external-attacher.

use super::{DRIVER, annotation, rpc, source};
use crate::provider::{Answer, Call, Reply};
use crate::runner::{Controller, Plan, Seen};
use api::{KindRef, Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::api::storage::v1::{CSINode, VolumeAttachment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{Duration, Key};
use reconcile::{Change, Cx, Intent, Tolerate};
use serde_json::json;

/// Keeps attachments and volumes until the disk is detached.
const FINALIZER: &str = "external-attacher/disk-csi-toycloud-example";
/// The machine, as the driver names it: the node may be gone when it is needed.
const NODE_ID: &str = "csi.alpha.kubernetes.io/node-id";

#[derive(Clone, Default)]
pub struct Attacher;

fn has_finalizer(meta: &ObjectMeta) -> bool {
    meta.finalizers.iter().flatten().any(|f| f == FINALIZER)
}

/// Adds the finalizer or takes it away. The version is a precondition: a list is replaced as a whole.
fn set_finalizer(o: &dyn Object, on: bool, annotation: Option<(&str, &str)>) -> Intent {
    let mut finalizers: Vec<String> =
        o.meta().finalizers.iter().flatten().filter(|f| *f != FINALIZER).cloned().collect();
    if on {
        finalizers.push(FINALIZER.into());
    }
    let finalizers = if finalizers.is_empty() { serde_json::Value::Null } else { json!(finalizers) };
    let mut metadata = json!({ "finalizers": finalizers, "resourceVersion": o.meta().resource_version });
    if let Some((k, v)) = annotation {
        metadata["annotations"] = json!({ k: v });
    }
    Intent::patch(o.kind(), o.key(), "", json!({ "metadata": metadata }))
}

fn volume_of<'a>(cx: &Cx<'a>, a: &VolumeAttachment) -> Option<&'a PersistentVolume> {
    cx.view.get(&Key::from(a.spec.source.persistent_volume_name.as_deref()?))
}

/// The disk and the machine that an attachment is about.
///
/// # Errors
/// What is not there.
fn call(cx: &Cx, a: &VolumeAttachment) -> Result<(String, String), String> {
    let name = a.spec.source.persistent_volume_name.as_deref().unwrap_or("");
    let Some(volume) = volume_of(cx, a) else { return Err(format!("persistentvolume {name:?} not found")) };
    let Some(disk) = source(volume) else {
        return Err(format!("persistentvolume {name:?} is no volume of driver {DRIVER}"));
    };
    let known = annotation(&a.metadata, NODE_ID);
    let node = &a.spec.node_name;
    let drivers = cx.view.get::<CSINode>(&Key::from(node.as_str())).map(|n| &n.spec.drivers);
    let registered = drivers.into_iter().flatten().find(|d| d.name == DRIVER).map(|d| d.node_id.as_str());
    match registered.or(Some(known).filter(|k| !k.is_empty())) {
        Some(machine) => Ok((disk.volume_handle.clone(), machine.into())),
        None if drivers.is_none() => Err(format!("csinode.storage.k8s.io {node:?} not found")),
        None => Err(format!("CSINode {node} does not contain driver {DRIVER}")),
    }
}

fn failed(cx: &Cx, key: &Key, field: &str, message: &str) -> Intent {
    let error = json!({ "time": cx.now.rfc3339(), "message": message });
    let status = json!({ "status": { "attached": false, field: error } });
    Intent::patch(VolumeAttachment::KIND_REF, key.clone(), "status", status).tolerate(Tolerate::NotFound)
}

impl Controller for Attacher {
    fn name(&self) -> &'static str {
        "csi-attacher"
    }
    fn process(&self) -> &'static str {
        super::PROCESS
    }
    fn workers(&self) -> usize {
        10
    }
    fn account(&self) -> &'static str {
        super::ACCOUNT
    }
    fn event_source(&self) -> &'static str {
        "csi-attacher"
    }
    fn kinds(&self) -> Vec<KindRef> {
        vec![VolumeAttachment::KIND_REF, PersistentVolume::KIND_REF, CSINode::KIND_REF]
    }
    fn initial(&self) -> Vec<Key> {
        Vec::new()
    }
    /// `--retry-interval-start` and `--retry-interval-max`
    fn back_off(&self) -> (Duration, Duration) {
        (Duration::from_secs(1), Duration::from_secs(300))
    }

    fn observe(&mut self, _cx: &Cx, change: &Change) -> Seen {
        let Some(new) = &change.new else {
            let gone = change.old.as_ref().and_then(|o| o.downcast::<VolumeAttachment>());
            let volume = gone.and_then(|a| a.spec.source.persistent_volume_name.as_deref());
            return Seen { keys: volume.map(Key::from).into_iter().collect(), ..Seen::default() };
        };
        let concerns = if let Some(a) = new.downcast::<VolumeAttachment>() {
            a.spec.attacher == DRIVER
        } else {
            // A volume that is on its way out gives up the finalizer when nothing is attached.
            new.is_terminating() && has_finalizer(new.meta())
        };
        Seen { keys: concerns.then(|| change.key.clone()).into_iter().collect(), ..Seen::default() }
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Plan {
        let mut plan = Plan::default();
        if let Some(volume) = cx.view.get::<PersistentVolume>(key) {
            let name = volume.metadata.name.as_deref();
            let attached =
                cx.view.list::<VolumeAttachment>().any(|a| a.spec.source.persistent_volume_name.as_deref() == name);
            if (volume as &dyn Object).is_terminating() && has_finalizer(&volume.metadata) && !attached {
                plan.intents.push(set_finalizer(volume, false, None).tolerate(Tolerate::NotFound));
            }
        }
        let Some(a) = cx.view.get::<VolumeAttachment>(key) else { return plan };
        let attached = a.status.as_ref().is_some_and(|s| s.attached);
        let leaves = a.metadata.deletion_timestamp.is_some();
        if if leaves { !has_finalizer(&a.metadata) } else { attached } {
            return plan;
        }
        match call(cx, a) {
            Ok((id, instance)) if leaves => plan.calls.push(Call::DetachDisk { id, instance }),
            Ok((id, instance)) => {
                if !has_finalizer(&a.metadata) {
                    plan.intents.push(set_finalizer(a, true, Some((NODE_ID, &instance))));
                }
                if let Some(volume) = volume_of(cx, a).filter(|v| !has_finalizer(&v.metadata)) {
                    plan.intents.push(set_finalizer(volume, true, None));
                }
                plan.calls.push(Call::AttachDisk { id, instance });
            }
            Err(why) => {
                let field = if leaves { "detachError" } else { "attachError" };
                plan.intents.push(failed(cx, key, field, &why));
                plan.failed = true;
            }
        }
        plan
    }

    fn answered(&mut self, cx: &Cx, key: &Key, answers: Vec<Reply>, _took: Duration) -> Plan {
        let mut plan = Plan::default();
        let Some(a) = cx.view.get::<VolumeAttachment>(key) else { return plan };
        let leaves = a.metadata.deletion_timestamp.is_some();
        match answers.into_iter().next() {
            Some(Ok(Answer::Attached(device))) => {
                let metadata = json!({ "devicePath": device });
                let status =
                    json!({ "status": { "attached": true, "attachmentMetadata": metadata, "attachError": null } });
                plan.intents.push(Intent::patch(VolumeAttachment::KIND_REF, key.clone(), "status", status));
                if leaves {
                    plan.enqueue.push(key.clone());
                }
            }
            Some(Ok(_)) => plan.intents.push(set_finalizer(a, false, None).tolerate(Tolerate::NotFound)),
            Some(Err(e)) => {
                let volume = volume_of(cx, a).and_then(source).map_or("", |s| s.volume_handle.as_str());
                let (what, field) = if leaves { ("detach", "detachError") } else { ("attach", "attachError") };
                let machine = annotation(&a.metadata, NODE_ID);
                let preposition = if leaves { "from" } else { "to" };
                let text = format!("Could not {what} volume {volume:?} {preposition} node {machine:?}: {e}");
                let code =
                    if e.message.starts_with("AttachmentLimitExceeded") { "ResourceExhausted" } else { "Internal" };
                plan.intents.push(failed(cx, key, field, &rpc(code, &text)));
                plan.failed = true;
            }
            None => plan.failed = true,
        }
        plan
    }

    fn fresh(&self) -> Box<dyn Controller> {
        Box::new(Attacher)
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
