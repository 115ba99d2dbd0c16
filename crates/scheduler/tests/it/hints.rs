//! Which events may help a pod that a volume plugin refused: cases of upstream's `TestIsSchedulableAfter…` tables.

use crate::shorthand;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use k8s_openapi::serde::de::DeserializeOwned;
use scheduler::framework::{ClusterEvent, Framework, Hint, PodInfo, Was};
use serde_json::{Value, json};
use std::sync::Arc;

fn typed<T: DeserializeOwned>(v: &Value) -> Option<T> {
    if v.is_null() { None } else { Some(serde_json::from_value(v.clone()).expect("an object")) }
}

/// Whether `plugin` wants the pod back after an object of the kind went from `old` to `new`.
fn queued(plugin: &str, pod: Value, kind: &str, old: Value, new: Value) -> bool {
    let framework = Framework::new(&scheduler::config::Profile::default()).expect("a framework");
    let pod = serde_json::from_value(shorthand::pod(&pod)).expect("a pod");
    let pod = PodInfo::new(Arc::new(pod));
    macro_rules! ask {
        ($variant:ident, $type:ty) => {{
            let (old, new): (Option<$type>, Option<$type>) = (typed(&old), typed(&new));
            let event = ClusterEvent::$variant(Was { old: old.as_ref(), new: new.as_ref() });
            framework.hint(plugin, &pod, &event) == Hint::Queue
        }};
    }
    match kind {
        "claim" => ask!(Claim, PersistentVolumeClaim),
        "volume" => ask!(Volume, PersistentVolume),
        "class" => ask!(Class, StorageClass),
        "csi-node" => ask!(CsiNode, CSINode),
        "driver" => ask!(CsiDriver, CSIDriver),
        "capacity" => ask!(Capacity, CSIStorageCapacity),
        "attachment" => ask!(Attachment, VolumeAttachment),
        other => panic!("no such kind: {other}"),
    }
}

fn with(volumes: Value) -> Value {
    json!({"is": "ns1/p", "spec": {"volumes": volumes}})
}
fn with_claim(name: &str) -> Value {
    with(json!([{"name": "v", "persistentVolumeClaim": {"claimName": name}}]))
}
fn claim(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name}})
}
fn none() -> Value {
    Value::Null
}

#[test]
fn claims() {
    let ephemeral = || with(json!([{"name": "own", "ephemeral": {}}]));
    let bound = json!({"metadata": {"namespace": "ns1", "name": "a"}, "spec": {"volumeName": "v"}});
    for plugin in ["NodeVolumeLimits", "VolumeZone", "VolumeRestrictions", "VolumeBinding"] {
        let added = |pod: Value, c: Value| queued(plugin, pod, "claim", none(), c);
        assert!(added(with_claim("a"), claim("ns1", "a")), "{plugin}");
        assert!(!added(with_claim("b"), claim("ns1", "a")), "{plugin}: another claim");
        assert!(!added(with_claim("a"), claim("ns2", "a")), "{plugin}: another namespace");
        assert!(!added(with(json!([])), claim("ns1", "a")), "{plugin}: no claims");
        let own = matches!(plugin, "NodeVolumeLimits" | "VolumeBinding");
        assert_eq!(added(ephemeral(), claim("ns1", "p-own")), own, "{plugin}: made for the pod");
        let changed = queued(plugin, with_claim("a"), "claim", claim("ns1", "a"), bound.clone());
        assert_eq!(changed, plugin == "VolumeBinding", "{plugin}: an update");
        assert!(!queued(plugin, with_claim("a"), "claim", claim("ns1", "a"), none()), "{plugin}: gone");
    }
}

#[test]
fn volumes() {
    let labelled = |labels: Value| json!({"metadata": {"name": "v", "labels": labels}});
    let zone = |z: &str| labelled(json!({"topology.kubernetes.io/zone": z}));
    let changed = |plugin: &str, old: Value, new: Value| queued(plugin, with_claim("a"), "volume", old, new);
    assert!(changed("VolumeZone", none(), zone("a")));
    assert!(changed("VolumeZone", zone("a"), zone("b")));
    assert!(changed("VolumeZone", zone("a"), labelled(json!({}))));
    assert!(!changed("VolumeZone", zone("a"), zone("a")));
    let other = labelled(json!({"topology.kubernetes.io/zone": "a", "other": "x"}));
    assert!(!changed("VolumeZone", zone("a"), other));
    assert!(changed("VolumeBinding", zone("a"), zone("a")), "any change may help to bind");
    assert!(!changed("VolumeBinding", zone("a"), none()));
    assert!(!changed("NodeVolumeLimits", none(), zone("a")));
}

#[test]
fn classes() {
    let class = |mode: Value, topologies: Value| json!({"metadata": {"name": "c"}, "provisioner": "x", "volumeBindingMode": mode, "allowedTopologies": topologies});
    let changed = |plugin: &str, old: Value, new: Value| queued(plugin, with_claim("a"), "class", old, new);
    let waits = || class(json!("WaitForFirstConsumer"), none());
    assert!(changed("VolumeZone", none(), waits()));
    assert!(!changed("VolumeZone", none(), class(json!("Immediate"), none())));
    assert!(!changed("VolumeZone", none(), class(none(), none())));
    assert!(changed("VolumeBinding", none(), class(none(), none())));
    assert!(!changed("VolumeBinding", waits(), waits()));
    let zones = json!([{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}]);
    assert!(changed("VolumeBinding", waits(), class(json!("WaitForFirstConsumer"), zones)));
}

#[test]
fn csi_nodes() {
    let limit = |n: Value| json!({"metadata": {"name": "n"}, "spec": {"drivers": [{"name": "d", "nodeID": "n", "allocatable": n}]}});
    let changed = |plugin: &str, old: Value, new: Value| queued(plugin, with_claim("a"), "csi-node", old, new);
    assert!(changed("NodeVolumeLimits", none(), limit(json!({"count": 1}))));
    assert!(changed("NodeVolumeLimits", limit(json!({"count": 1})), limit(json!({"count": 2}))));
    assert!(changed("NodeVolumeLimits", limit(json!({})), limit(json!({"count": 1}))), "there was none");
    assert!(!changed("NodeVolumeLimits", limit(json!({"count": 1})), limit(json!({}))), "the limit is gone");
    assert!(!changed("NodeVolumeLimits", limit(json!({"count": 2})), limit(json!({"count": 1}))));
    assert!(!changed("NodeVolumeLimits", limit(json!({"count": 2})), limit(json!({"count": 2}))));
    let migrated = |plugins: &str| {
        json!({"metadata": {"name": "n", "annotations": {"storage.alpha.kubernetes.io/migrated-plugins": plugins}},
            "spec": {"drivers": []}})
    };
    assert!(changed("VolumeBinding", none(), migrated("a")));
    assert!(changed("VolumeBinding", migrated("a"), migrated("a,b")));
    assert!(!changed("VolumeBinding", migrated("a"), migrated("a")));
}

#[test]
fn drivers_capacities_and_attachments() {
    let driver = |counts: Value| json!({"metadata": {"name": "d"}, "spec": {"storageCapacity": counts}});
    let inline = |name: &str| with(json!([{"name": "v", "csi": {"driver": name}}]));
    let stopped = |pod: Value, old: Value, new: Value| queued("VolumeBinding", pod, "driver", driver(old), driver(new));
    assert!(stopped(inline("d"), json!(true), json!(false)));
    assert!(stopped(inline("d"), json!(true), none()));
    assert!(!stopped(inline("d"), json!(false), json!(true)));
    assert!(!stopped(inline("other"), json!(true), json!(false)));

    let capacity = |now: Value, most: Value| json!({"metadata": {"namespace": "x", "name": "c"}, "storageClassName": "s", "capacity": now, "maximumVolumeSize": most});
    let changed = |old: Value, new: Value| queued("VolumeBinding", with_claim("a"), "capacity", old, new);
    assert!(changed(none(), capacity(none(), none())));
    assert!(changed(capacity(json!("1Gi"), none()), capacity(json!("2Gi"), none())));
    assert!(!changed(capacity(json!("2Gi"), none()), capacity(json!("1Gi"), none())));
    assert!(!changed(capacity(json!("1Gi"), json!("1Gi")), capacity(json!("2Gi"), json!("1Gi"))));
    assert!(changed(capacity(none(), none()), capacity(json!("1Gi"), none())));

    let attachment = |attacher: &str| json!({"metadata": {"name": "x"}, "spec": {"attacher": attacher, "nodeName": "n", "source": {"persistentVolumeName": "v"}}});
    let gone = |pod: Value, attacher: &str| queued("NodeVolumeLimits", pod, "attachment", attachment(attacher), none());
    let ebs = || json!({"name": "e", "awsElasticBlockStore": {"volumeID": "x"}});
    assert!(gone(with_claim("a"), "any.example.com"));
    assert!(gone(with(json!([ebs()])), "ebs.csi.aws.com"));
    assert!(!gone(with(json!([{"name": "g", "gcePersistentDisk": {"pdName": "x"}}])), "ebs.csi.aws.com"));
    assert!(!gone(with(json!([])), "ebs.csi.aws.com"));
    assert!(!queued("NodeVolumeLimits", with_claim("a"), "attachment", none(), attachment("x")), "a new one");
}
