//! volume-expand-controller: no volume that grows is left that this controller could grow itself, so it says who is waited
//! for. Models `pkg/controller/volume/expand`.

use crate::persistent_volume::{claim_ref, volume_name};
use api::Registered;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use meta::{Key, Quantity, User};
use reconcile::{Change, Controller, Cx, EventType, Intent, Outcome, Watch};

#[derive(Clone, Default)]
pub struct Expand;

fn requested(claim: &PersistentVolumeClaim) -> Quantity {
    let requests = claim.spec.as_ref().and_then(|s| s.resources.as_ref()?.requests.as_ref());
    requests.and_then(|r| r.get("storage")).map(Quantity::of).unwrap_or_default()
}

fn capacity(claim: &PersistentVolumeClaim) -> Quantity {
    let capacity = claim.status.as_ref().and_then(|s| s.capacity.as_ref()?.get("storage"));
    capacity.map(Quantity::of).unwrap_or_default()
}

fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound")
}

/// Those that wait when the process starts, and those that begin to.
fn changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let of =
        |o: &Option<api::Obj>| o.as_ref().and_then(|o| o.as_any().downcast_ref::<PersistentVolumeClaim>()).cloned();
    let (Some(new), old) = (of(&change.new), of(&change.old)) else { return };
    let grows = old.is_none_or(|old| requested(&new) > requested(&old) || capacity(&new) > capacity(&old));
    if is_bound(&new) && grows {
        keys.push(change.key.clone());
    }
}

impl Controller for Expand {
    const NAME: &'static str = "persistentvolume-expander-controller";
    const EVENT_SOURCE: &'static str = "volume_expand";

    fn user() -> User {
        User::controller("expand-controller")
    }

    fn watches() -> Vec<Watch> {
        vec![
            Watch { kind: PersistentVolumeClaim::KIND_REF, keys: changed },
            Watch { kind: PersistentVolume::KIND_REF, keys: |_, _, _| {} },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(claim) = cx.view.get::<PersistentVolumeClaim>(key) else { return out };
        let Some(volume) = cx.view.get::<PersistentVolume>(&Key::from(volume_name(claim))) else { return out };
        let mutual = claim_ref(volume).is_some_and(|r| r.uid == claim.metadata.uid);
        if mutual && is_bound(claim) && requested(claim) > capacity(claim) {
            let message = "waiting for an external controller to expand this PVC";
            out.push(Intent::event(claim, EventType::Normal, "ExternalExpanding", message));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Expand;
    use crate::testing::{World, merged};
    use serde_json::{Value, json};

    fn claim(wants: &str, over: Value) -> Value {
        let base = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "namespace": "default", "uid": "u"},
            "spec": {"volumeName": "pv", "resources": {"requests": {"storage": wants}}},
            "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}});
        merged(base, over)
    }

    #[test]
    fn who_grows_is_told_who_is_waited_for() {
        let volume = |uid: &str| {
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"},
                   "spec": {"claimRef": {"uid": uid, "name": "data", "namespace": "default"}}})
        };
        let mut w = World::<Expand>::new([volume("u"), claim("1Gi", json!({}))]);
        assert_eq!(w.run("default/data"), "");
        assert_eq!(format!("{:?}", w.put(claim("2Gi", json!({})))), "[default/data]");
        let told = "event Normal ExternalExpanding data: waiting for an external controller to expand this PVC\n";
        assert_eq!(w.run("default/data"), told);
        assert!(w.put(claim("2Gi", json!({"metadata": {"labels": {"a": "b"}}}))).is_empty());
        w.put(volume("other"));
        assert_eq!(w.run("default/data"), "");
    }
}
