//! Cases modelled on `binder_test.go`, `provision_test.go` and `delete_test.go`.

use super::PersistentVolumeBinder;
use crate::testing::{World, merged, pod};
use expect_test::expect;
use serde_json::{Value, json};

fn volume(name: &str, over: Value) -> Value {
    let base = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "uid": format!("uid-{name}")},
        "spec": {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
                 "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/mnt"}},
        "status": {"phase": "Available"}});
    merged(base, over)
}

fn claim(over: Value) -> Value {
    let base = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default", "uid": "uid-data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
                 "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Pending"}});
    merged(base, over)
}

fn class(name: &str, provisioner: &str, mode: &str) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
           "provisioner": provisioner, "volumeBindingMode": mode})
}

fn world(objects: impl IntoIterator<Item = Value>) -> World<PersistentVolumeBinder> {
    World::new(objects)
}

fn storage(size: &str) -> Value {
    json!({"spec": {"capacity": {"storage": size}}})
}

#[test]
fn the_smallest_volume_of_the_class_is_bound() {
    let mut w = world([
        volume("large", storage("10Gi")),
        volume("other-class", merged(storage("1Gi"), json!({"spec": {"storageClassName": "fast"}}))),
        volume("small", storage("512Mi")),
        volume(
            "taken",
            merged(storage("1Gi"), json!({"spec": {"claimRef": {"namespace": "x", "name": "y", "uid": "z"}}})),
        ),
        volume("fits", storage("2Gi")),
        // Less storage, but more than it is asked for: looked at last.
        volume(
            "more-modes",
            merged(storage("1Gi"), json!({"spec": {"accessModes": ["ReadWriteOnce", "ReadOnlyMany"]}})),
        ),
        claim(json!({})),
    ]);
    expect![[r##"
        # volume.bound claim=default/data volume=fits
        update persistentvolumes fits {"metadata":{"annotations":{"pv.kubernetes.io/bound-by-controller":"yes"},"name":"fits","uid":"uid-fits"},"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"2Gi"},"claimRef":{"apiVersion":"v1","kind":"PersistentVolumeClaim","name":"data","namespace":"default","uid":"uid-data"},"hostPath":{"path":"/mnt"},"persistentVolumeReclaimPolicy":"Retain","storageClassName":"manual"}}
        update-status persistentvolumes fits {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Bound"}
        update persistentvolumeclaims default/data {"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes"},"name":"data","namespace":"default","uid":"uid-data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"manual","volumeName":"fits"}}
        update-status persistentvolumeclaims default/data {"accessModes":["ReadWriteOnce"],"capacity":{"storage":"2Gi"},"phase":"Bound"}
        requeue after 15s
    "##]].assert_eq(&w.run("default/data"));
}

#[test]
fn half_a_binding_is_finished() {
    let reference = json!({"spec": {"claimRef": {"namespace": "default", "name": "data", "uid": "uid-data"}}});
    let bound = merged(reference, json!({"status": {"phase": "Bound"}}));
    let mut w = world([volume("v", bound), claim(json!({"spec": {"volumeName": "v"}}))]);
    expect![[r##"
        # volume.bound claim=default/data volume=v
        update persistentvolumeclaims default/data {"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes"},"name":"data","namespace":"default","uid":"uid-data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"manual","volumeName":"v"}}
        update-status persistentvolumeclaims default/data {"accessModes":["ReadWriteOnce"],"capacity":{"storage":"5Gi"},"phase":"Bound"}
        requeue after 15s
    "##]].assert_eq(&w.run("default/data"));
    // The user's own reservation, without a UID.
    let reserved = json!({"spec": {"claimRef": {"namespace": "default", "name": "data"}}});
    let mut w = world([volume("v", reserved), claim(json!({}))]);
    expect![[r#""#]].assert_eq(&w.run("v"));
    expect![[r##"
        # volume.bound claim=default/data volume=v
        update persistentvolumes v {"metadata":{"name":"v","uid":"uid-v"},"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"5Gi"},"claimRef":{"apiVersion":"v1","kind":"PersistentVolumeClaim","name":"data","namespace":"default","uid":"uid-data"},"hostPath":{"path":"/mnt"},"persistentVolumeReclaimPolicy":"Retain","storageClassName":"manual"}}
        update-status persistentvolumes v {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Bound"}
        update persistentvolumeclaims default/data {"metadata":{"annotations":{"pv.kubernetes.io/bind-completed":"yes","pv.kubernetes.io/bound-by-controller":"yes"},"name":"data","namespace":"default","uid":"uid-data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"manual","volumeName":"v"}}
        update-status persistentvolumeclaims default/data {"accessModes":["ReadWriteOnce"],"capacity":{"storage":"5Gi"},"phase":"Bound"}
        requeue after 15s
    "##]].assert_eq(&w.run("default/data"));
}

#[test]
fn a_named_volume_has_to_fit() {
    let named = |over: Value| claim(merged(json!({"spec": {"volumeName": "v"}}), over));
    let mut w =
        world([volume("v", json!({})), named(json!({"spec": {"resources": {"requests": {"storage": "8Gi"}}}}))]);
    expect![[r#"
        event Warning VolumeMismatch data: Cannot bind to requested volume "v": requested PV is too small
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    w.put(volume("v", json!({"spec": {"claimRef": {"namespace": "x", "name": "y", "uid": "z"}}})));
    expect![[r#"
        event Warning FailedBinding data: volume "v" already bound to a different claim.
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    w.put(named(
        json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, "status": {"phase": "Bound"}}),
    ));
    expect![[r#"
        update-status persistentvolumeclaims default/data {"pv.kubernetes.io/bind-completed":"yes"} {"phase":"Lost"}
        event Warning ClaimMisbound data: Two claims are bound to the same volume, this one is bound incorrectly
    "#]]
    .assert_eq(&w.run("default/data"));
    w.delete("v1", "PersistentVolume", "v");
    expect![[r#"
        update-status persistentvolumeclaims default/data {"pv.kubernetes.io/bind-completed":"yes"} {"phase":"Lost"}
        event Warning ClaimLost data: Bound claim has lost its PersistentVolume. Data on the volume is lost!
    "#]]
    .assert_eq(&w.run("default/data"));
}

#[test]
fn a_claim_waits_for_its_first_pod_and_then_for_its_provisioner() {
    let standard = json!({"spec": {"storageClassName": "standard"}});
    let mut w = world([class("standard", "rancher.io/local-path", "WaitForFirstConsumer"), claim(standard.clone())]);
    expect![[r#"
        event Normal WaitForFirstConsumer data: waiting for first consumer to be created before binding
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    let user =
        json!({"spec": {"nodeName": null, "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]}});
    w.put(pod("web", None, user));
    expect![[r#"
        event Normal WaitForPodScheduled data: waiting for pod web to be scheduled
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    let placed = json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "n1"}}});
    w.put(claim(merged(standard, placed)));
    expect![[r#"
        update persistentvolumeclaims default/data {"metadata":{"annotations":{"volume.beta.kubernetes.io/storage-provisioner":"rancher.io/local-path","volume.kubernetes.io/selected-node":"n1","volume.kubernetes.io/storage-provisioner":"rancher.io/local-path"},"name":"data","namespace":"default","uid":"uid-data"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}},"storageClassName":"standard"}}
        event Normal ExternalProvisioning data: Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.
        requeue after 15s
    "#]].assert_eq(&w.run("default/data"));
}

#[test]
fn nobody_makes_the_volume() {
    let mut w = world([claim(json!({"spec": {"storageClassName": ""}}))]);
    expect![[r#"
        event Normal FailedBinding data: no persistent volumes available for this claim and no storage class is set
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    w.put(claim(json!({})));
    expect![[r#"
        event Warning ProvisioningFailed data: storageclass.storage.k8s.io "manual" not found
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    w.put(class("manual", "kubernetes.io/no-provisioner", "Immediate"));
    expect![[r#"
        event Warning ProvisioningFailed data: no volume plugin matched name: kubernetes.io/no-provisioner
        requeue after 15s
    "#]]
    .assert_eq(&w.run("default/data"));
    // What used to be part of Kubernetes is a CSI driver now, and waited for.
    w.put(class("manual", "kubernetes.io/aws-ebs", "Immediate"));
    let text = w.run("default/data");
    assert!(text.contains("by the external provisioner 'ebs.csi.aws.com' or manually"), "{text}");
    assert!(text.contains(r#""volume.kubernetes.io/storage-provisioner":"ebs.csi.aws.com""#), "{text}");
}

#[test]
fn a_released_volume_goes_as_its_policy_says() {
    let of_gone = |policy: &str, over: Value| {
        let base = json!({"spec": {"persistentVolumeReclaimPolicy": policy,
            "claimRef": {"namespace": "default", "name": "data", "uid": "gone"}}, "status": {"phase": "Bound"}});
        volume("v", merged(base, over))
    };
    let mut w = world([of_gone("Retain", json!({}))]);
    expect![[r#"
        update-status persistentvolumes v {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Released"}
    "#]]
    .assert_eq(&w.run("v"));
    w.put(of_gone("Delete", json!({})));
    expect![[r#"
        update-status persistentvolumes v {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Released"}
        update-status persistentvolumes v {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","message":"host_path deleter only supports /tmp/.+ but received provided /mnt","phase":"Failed"}
        event Warning VolumeFailedDelete v: host_path deleter only supports /tmp/.+ but received provided /mnt
    "#]].assert_eq(&w.run("v"));
    w.put(of_gone("Delete", json!({"metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "x"}}})));
    expect![[r#"
        update-status persistentvolumes v {"pv.kubernetes.io/provisioned-by":"x"} {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Released"}
    "#]].assert_eq(&w.run("v"));
    // A claim of the same name made anew is another claim.
    w.put(claim(json!({})));
    w.put(of_gone("Recycle", json!({"metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}}})));
    expect![[r#"
        update-status persistentvolumes v {"pv.kubernetes.io/bound-by-controller":"yes"} {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Released"}
        event Normal VolumeRecycled v: Volume recycled
        update persistentvolumes v {"metadata":{"annotations":{},"name":"v","uid":"uid-v"},"spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"5Gi"},"hostPath":{"path":"/mnt"},"persistentVolumeReclaimPolicy":"Recycle","storageClassName":"manual"}}
        update-status persistentvolumes v {"pv.kubernetes.io/bound-by-controller":"yes"} {"lastPhaseTransitionTime":"2026-01-01T00:00:00Z","phase":"Available"}
    "#]].assert_eq(&w.run("v"));
}
