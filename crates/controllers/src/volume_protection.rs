//! persistentvolumeclaim-protection-controller and persistentvolume-protection-controller: what a pod or a claim uses
//! does not go before them. Models `pkg/controller/volume/{pvcprotection, pvprotection}`.

use crate::owner::watch_self;
use crate::persistent_volume::claims_used_by;
use crate::pods;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use meta::{Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Watch};

const CLAIM_FINALIZER: &str = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER: &str = "kubernetes.io/pv-protection";

#[derive(Clone, Default)]
pub struct ClaimProtection;

#[derive(Clone, Default)]
pub struct VolumeProtection;

/// A pod that went or got a node concerns its claims.
fn pod_changed(_: &Cx, change: &Change, keys: &mut Vec<Key>) {
    let namespace = change.key.namespace();
    for pod in [&change.old, &change.new].into_iter().flatten().filter_map(|o| o.downcast::<Pod>()) {
        for name in claims_used_by(pod) {
            let key = Key::new(namespace, &name);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
}

/// Adds the finalizer to what lives, and takes it from what is being deleted and not used.
fn guard(o: &dyn Object, finalizer: &str, in_use: impl FnOnce() -> bool) -> Outcome {
    let mut out = Outcome::done();
    let has = o.meta().finalizers.iter().flatten().any(|f| f == finalizer);
    let mut new = o.clone_object();
    let finalizers = new.meta_mut().finalizers.get_or_insert_default();
    match (o.is_terminating(), has) {
        (true, true) if !in_use() => finalizers.retain(|f| f != finalizer),
        (false, false) => finalizers.push(finalizer.into()),
        _ => return out,
    }
    out.push(Intent::update_object(new).tolerate(reconcile::Tolerate::NotFound));
    out
}

impl Controller for ClaimProtection {
    const NAME: &'static str = "persistentvolumeclaim-protection-controller";

    fn user() -> User {
        User::controller("pvc-protection-controller")
    }
    fn watches() -> Vec<Watch> {
        vec![watch_self(PersistentVolumeClaim::KIND_REF), Watch { kind: Pod::KIND_REF, keys: pod_changed }]
    }
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let Some(claim) = cx.view.get_obj(PersistentVolumeClaim::KIND_REF, key) else { return Outcome::done() };
        // A kubelet starts no pod with a claim that is being deleted, so only pods with a node count.
        let uses = |p: &Pod| !pods::node_name(p).is_empty() && claims_used_by(p).any(|name| name == key.name());
        guard(&**claim, CLAIM_FINALIZER, || cx.view.list_in::<Pod>(key.namespace()).any(uses))
    }
}

impl Controller for VolumeProtection {
    const NAME: &'static str = "persistentvolume-protection-controller";

    fn user() -> User {
        User::controller("pv-protection-controller")
    }
    fn watches() -> Vec<Watch> {
        vec![watch_self(PersistentVolume::KIND_REF)]
    }
    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let Some(volume) = cx.view.get_obj(PersistentVolume::KIND_REF, key) else { return Outcome::done() };
        let status = volume.downcast::<PersistentVolume>().and_then(|v| v.status.as_ref());
        let bound = status.and_then(|s| s.phase.as_deref()) == Some("Bound");
        guard(&**volume, VOLUME_FINALIZER, || bound)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimProtection, VolumeProtection};
    use crate::testing::{World, merged, pod, rfc3339};
    use expect_test::expect;
    use serde_json::{Value, json};

    fn claim(over: Value) -> Value {
        let base = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {
            "name": "data", "namespace": "default", "uid": "u", "finalizers": ["kubernetes.io/pvc-protection"]}});
        merged(base, over)
    }

    #[test]
    fn a_claim_goes_with_its_last_pod() {
        let gone = json!({"metadata": {"deletionTimestamp": rfc3339(0)}});
        let user = json!({"spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}});
        let mut w = World::<ClaimProtection>::new([claim(gone)]);
        assert_eq!(format!("{:?}", w.put(pod("a", None, user))), "[default/data]");
        assert_eq!(w.run("default/data"), "");
        assert_eq!(format!("{:?}", w.delete("v1", "Pod", "default/a")), "[default/data]");
        expect![[r#"
            update persistentvolumeclaims default/data {"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":[],"name":"data","namespace":"default","uid":"u"}}
        "#]]
        .assert_eq(&w.run("default/data"));
        w.put(claim(json!({"metadata": {"finalizers": []}})));
        expect![[r#"
            update persistentvolumeclaims default/data {"metadata":{"finalizers":["kubernetes.io/pvc-protection"],"name":"data","namespace":"default","uid":"u"}}
        "#]].assert_eq(&w.run("default/data"));
    }

    #[test]
    fn a_bound_volume_stays() {
        let volume = |phase: &str| {
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "status": {"phase": phase}, "metadata": {
                "name": "v", "uid": "u", "finalizers": ["other", "kubernetes.io/pv-protection"],
                "deletionTimestamp": rfc3339(0)}})
        };
        let mut w = World::<VolumeProtection>::new([volume("Bound")]);
        assert_eq!(w.run("v"), "");
        w.put(volume("Released"));
        expect![[r#"
            update persistentvolumes v {"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["other"],"name":"v","uid":"u"}}
        "#]]
        .assert_eq(&w.run("v"));
    }
}
