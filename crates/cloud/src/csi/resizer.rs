//! external-resizer: disks grow when claims do. Models `pkg/controller` of kubernetes-csi/external-resizer, with
//! RecoverVolumeExpansionFailure.

use super::{DRIVER, GIB, gib, rpc, source};
use crate::provider::{Answer, Call, Reply};
use crate::runner::{Controller, Plan, Seen};
use api::{KindRef, Registered};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use meta::{Duration, Key, Quantity};
use reconcile::{Change, Cx, EventType, Intent};
use serde_json::{Value, json};

const IN_PROGRESS: &str = "ControllerResizeInProgress";
const NODE_PENDING: &str = "NodeResizePending";

#[derive(Clone, Default)]
pub struct Resizer;

fn requested(claim: &PersistentVolumeClaim) -> Option<Quantity> {
    let requests = claim.spec.as_ref().and_then(|s| s.resources.as_ref()?.requests.as_ref());
    requests.and_then(|r| r.get("storage")).map(Quantity::of)
}

fn capacity(claim: &PersistentVolumeClaim) -> Option<Quantity> {
    claim.status.as_ref()?.capacity.as_ref()?.get("storage").map(Quantity::of)
}

fn step(claim: &PersistentVolumeClaim) -> &str {
    let statuses = claim.status.as_ref().and_then(|s| s.allocated_resource_statuses.as_ref());
    statuses.and_then(|s| s.get("storage")).map_or("", String::as_str)
}

/// The claim's disk, when the claim wants more than it has and nobody is to do the rest on a node.
fn grows<'a>(cx: &Cx<'a>, claim: &PersistentVolumeClaim) -> Option<&'a PersistentVolume> {
    if requested(claim)? <= capacity(claim)? {
        return None;
    }
    let name = claim.spec.as_ref()?.volume_name.as_deref().filter(|n| !n.is_empty())?;
    let volume: &PersistentVolume = cx.view.get(&Key::from(name))?;
    source(volume)?;
    let spec = volume.spec.as_ref()?;
    let ours = spec.claim_ref.as_ref().is_some_and(|r| r.uid == claim.metadata.uid);
    let has = spec.capacity.as_ref()?.get("storage").map(Quantity::of)?;
    let left = requested(claim)? > has || step(claim) != NODE_PENDING;
    (ours && left).then_some(volume)
}

fn conditions(claim: &PersistentVolumeClaim, cx: &Cx, set: Option<(&str, &str)>) -> Value {
    let kept = claim.status.iter().flat_map(|s| s.conditions.iter().flatten());
    let mut list: Vec<Value> = kept
        .filter(|c| !matches!(c.type_.as_str(), "Resizing" | "FileSystemResizePending"))
        .map(|c| json!(c))
        .collect();
    if let Some((type_, message)) = set {
        let mut c = json!({ "type": type_, "status": "True", "lastTransitionTime": cx.now.rfc3339() });
        if !message.is_empty() {
            c["message"] = message.into();
        }
        list.push(c);
    }
    if list.is_empty() { Value::Null } else { list.into() }
}

fn status(key: &Key, status: Value) -> Intent {
    Intent::patch(PersistentVolumeClaim::KIND_REF, key.clone(), "status", json!({ "status": status }))
}

impl Controller for Resizer {
    fn name(&self) -> &'static str {
        "csi-resizer"
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
        "external-resizer disk.csi.toycloud.example"
    }
    fn kinds(&self) -> Vec<KindRef> {
        vec![PersistentVolumeClaim::KIND_REF, PersistentVolume::KIND_REF]
    }
    fn initial(&self) -> Vec<Key> {
        Vec::new()
    }
    /// `--retry-interval-start` and `--retry-interval-max`
    fn back_off(&self) -> (Duration, Duration) {
        (Duration::from_secs(1), Duration::from_secs(300))
    }

    fn observe(&mut self, cx: &Cx, change: &Change) -> Seen {
        let claim = change.new.as_ref().and_then(|o| o.as_any().downcast_ref::<PersistentVolumeClaim>());
        let concerns = claim.is_some_and(|c| grows(cx, c).is_some());
        Seen { keys: concerns.then(|| change.key.clone()).into_iter().collect(), ..Seen::default() }
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Plan {
        let mut plan = Plan::default();
        let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key) else { return plan };
        let (Some(volume), Some(size)) = (grows(cx, claim), requested(claim)) else { return plan };
        let Some(disk) = source(volume) else { return plan };
        if step(claim) != IN_PROGRESS {
            plan.intents.push(status(
                key,
                json!({
                    "conditions": conditions(claim, cx, Some(("Resizing", ""))),
                    "allocatedResources": { "storage": size.to_api() },
                    "allocatedResourceStatuses": { "storage": IN_PROGRESS },
                }),
            ));
        }
        let name = volume.metadata.name.as_deref().unwrap_or("");
        let message = format!("External resizer is resizing volume {name}");
        plan.intents.push(Intent::event(claim, EventType::Normal, "Resizing", message));
        plan.calls.push(Call::ResizeDisk { id: disk.volume_handle.clone(), gib: gib(size.value()) });
        plan
    }

    fn answered(&mut self, cx: &Cx, key: &Key, answers: Vec<Reply>, _took: Duration) -> Plan {
        let mut plan = Plan::default();
        let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key) else { return plan };
        let Some(volume) = claim.spec.as_ref().and_then(|s| s.volume_name.clone()) else { return plan };
        match answers.into_iter().next() {
            Some(Ok(Answer::Disk(disk))) => {
                let size = Quantity::from_bytes(i64::try_from(disk.gib).unwrap_or(0) * GIB).to_api();
                let capacity = json!({ "spec": { "capacity": { "storage": size } } });
                let pv = Key::from(volume.as_str());
                plan.intents.push(Intent::patch(PersistentVolume::KIND_REF, pv, "", capacity));
                let block = claim.spec.as_ref().is_some_and(|s| s.volume_mode.as_deref() == Some("Block"));
                if block {
                    plan.intents.push(status(
                        key,
                        json!({
                            "capacity": { "storage": size },
                            "conditions": conditions(claim, cx, None),
                            "allocatedResourceStatuses": null,
                        }),
                    ));
                    let message = "Resize volume succeeded";
                    plan.intents.push(Intent::event(claim, EventType::Normal, "VolumeResizeSuccessful", message));
                } else {
                    let why = "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
                    plan.intents.push(status(
                        key,
                        json!({
                            "conditions": conditions(claim, cx, Some(("FileSystemResizePending", why))),
                            "allocatedResourceStatuses": { "storage": NODE_PENDING },
                        }),
                    ));
                    let message = "Require file system resize of volume on node";
                    plan.intents.push(Intent::event(claim, EventType::Normal, "FileSystemResizeRequired", message));
                }
            }
            Some(Err(e)) => {
                let why = rpc("Internal", &format!("Could not resize volume: {e}"));
                let message = format!("resize volume {volume:?} by resizer {DRIVER:?} failed: {why}");
                plan.intents.push(Intent::event(claim, EventType::Warning, "VolumeResizeFailed", message));
                plan.failed = true;
            }
            _ => plan.failed = true,
        }
        plan
    }

    fn fresh(&self) -> Box<dyn Controller> {
        Box::new(Resizer)
    }
    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}
