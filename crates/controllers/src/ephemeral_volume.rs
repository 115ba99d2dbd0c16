//! ephemeral-volume-controller: claims that come and go with a pod. Models `pkg/controller/volume/ephemeral`.

use crate::owner::controller_reference;
use api::object::controller_of;
use api::{ObjectExt, Registered};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use meta::Key;
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Watch};

#[derive(Clone, Default)]
pub struct EphemeralVolume;

fn pod_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let pod = change.new.as_ref().and_then(|o| o.downcast::<Pod>());
    let any =
        pod.is_some_and(|p| p.spec.iter().flat_map(|s| s.volumes.iter().flatten()).any(|v| v.ephemeral.is_some()));
    if any && change.old.is_none() {
        keys.push(change.key.clone());
    }
}

/// A claim that was deleted under its pod is made again.
fn claim_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.new.is_none()
        && let Some(owner) = change.old.as_ref().and_then(|o| o.controller_ref()).filter(|r| r.kind == "Pod")
    {
        keys.push(Key::new(change.key.namespace(), &owner.name));
    }
}

impl Controller for EphemeralVolume {
    const NAME: &'static str = "ephemeral-volume-controller";
    const EVENT_SOURCE: &'static str = "ephemeral_volume";

    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: Pod::KIND_REF, keys: pod_changed },
            Watch { kind: PersistentVolumeClaim::KIND_REF, keys: claim_changed },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(pod) = cx.view.get::<Pod>(key).filter(|p| p.metadata.deletion_timestamp.is_none()) else { return out };
        for v in pod.spec.iter().flat_map(|s| s.volumes.iter().flatten()) {
            let Some(template) = v.ephemeral.as_ref().and_then(|e| e.volume_claim_template.as_ref()) else { continue };
            let name = format!("{}-{}", key.name(), v.name);
            if let Some(claim) = cx.view.get::<PersistentVolumeClaim>(&Key::new(key.namespace(), &name)) {
                if controller_of(&claim.metadata).map(|r| &r.uid) != pod.metadata.uid.as_ref() {
                    let (ns, pod_name) = (key.namespace(), key.name());
                    let why = format!(
                        "ephemeral volume {name}: PVC {ns}/{name} was not created for pod {ns}/{pod_name} (pod is not owner)"
                    );
                    out.push(Intent::event(pod, EventType::Warning, "ConflictingPVC", why));
                }
                continue;
            }
            let mut metadata = template.metadata.clone().unwrap_or_default();
            metadata.name = Some(name);
            metadata.namespace = Some(key.namespace().into());
            metadata.owner_references = Some(vec![controller_reference(pod)]);
            let claim = PersistentVolumeClaim { metadata, spec: Some(template.spec.clone()), status: None };
            let failed = "{error}";
            out.push(Intent::create(claim).on_failure(pod, "FailedCreate", failed));
        }
        out
    }
}
