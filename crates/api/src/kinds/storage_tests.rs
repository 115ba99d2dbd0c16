//! What the storage kinds and the disruption budget refuse. Cases modelled on upstream's `validation_test.go` files.

use crate::testing::{create_errors, row, update_errors};
use expect_test::{Expect, expect};

fn errors(yaml: &str, want: &Expect) {
    want.assert_eq(&create_errors(yaml));
}

fn claim(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: a}}, spec: {{{spec}}}}}")
}

fn volume(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: a}}, spec: {{{spec}}}}}")
}

#[test]
fn claims() {
    errors(
        &claim(""),
        &expect![[r#"
        spec.accessModes: Required value: at least 1 access mode is required
        spec.resources[storage]: Required value
    "#]],
    );
    errors(
        &claim(
            "accessModes: [ReadWriteOncePod, ReadWriteOnce, Mine], resources: {requests: {storage: '0'}}, \
             storageClassName: 'a b', volumeMode: Tape, dataSource: {kind: Pod, name: ''}",
        ),
        &expect![[r#"
            spec.accessModes: Unsupported value: "Mine": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"
            spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes
            spec.resources[storage]: Invalid value: "0": must be greater than zero
            spec.storageClassName: Invalid value: "a b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"
        "#]],
    );
    let old = claim("accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, storageClassName: slow");
    // The volume is written once; a class cannot be changed.
    let named = old.replace("storageClassName", "volumeName: v, storageClassName");
    expect![[r#""#]].assert_eq(&update_errors(&old, &named));
    expect![[r#"
        spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims
        @@ -7,7 +7,6 @@
               "Storage": "1Gi"
             }
           },
        -  "StorageClassName": "slow",
        -  "VolumeMode": "Filesystem",
        -  "VolumeName": "v"
        +  "StorageClassName": "fast",
        +  "VolumeMode": "Filesystem"
         }

    "#]].assert_eq(&update_errors(&named, &old.replace("slow", "fast")));
}

#[test]
fn volumes() {
    errors(
        &volume(""),
        &expect![[r#"
        spec.accessModes: Required value
        spec.capacity: Required value
        spec: Required value: must specify a volume type
    "#]],
    );
    errors(
        &volume(
            "capacity: {storage: -1Gi, cpu: 1}, accessModes: [ReadWriteOnce], local: {path: ../up}, hostPath: {path: ''}, \
             persistentVolumeReclaimPolicy: Keep, nodeAffinity: {}",
        ),
        &expect![[r#"
            spec.capacity: Unsupported value: {"cpu":"1","storage":"-1Gi"}: supported values: "storage"
            spec.capacity[storage]: Invalid value: "-1Gi": must be greater than zero
            spec.persistentVolumeReclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Recycle", "Retain"
            spec.nodeAffinity.required: Required value: must specify required node constraints
            spec.local: Forbidden: may not specify more than 1 volume type
            spec.hostPath.path: Required value
            spec.local.path: Invalid value: "../up": must not contain '..'
        "#]],
    );
    errors(
        &volume("capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], local: {path: /mnt}"),
        &expect![[r#"
            metadata.annotations: Required value: Local volume requires node affinity
        "#]],
    );
    let old = volume("capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /a}");
    expect![[r#"
        spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation
        @@ -1,6 +1,6 @@
         {
           "HostPath": {
        -    "Path": "/a",
        +    "Path": "/b",
             "Type": ""
           }
         }

    "#]]
    .assert_eq(&update_errors(&old, &old.replace("/a}", "/b}")));
}

#[test]
fn classes_and_drivers() {
    errors(
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}, provisioner: '', reclaimPolicy: \
         Recycle, volumeBindingMode: Later, parameters: {'': x}, allowedTopologies: [{matchLabelExpressions: [{key: z, \
         values: []}, {key: z, values: [a, a]}]}]}",
        &expect![[r#"
            provisioner: Required value
            parameters: Invalid value: "": field must not be empty.
            reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"
            volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"
            allowedTopologies[0].matchLabelExpressions[0].values: Required value
            allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "a"
            allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "z"
        "#]],
    );
    let old = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}, provisioner: x.y/z, parameters: \
               {a: b}}";
    let new = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a}, provisioner: z, reclaimPolicy: \
               Retain, volumeBindingMode: WaitForFirstConsumer}";
    expect![[r#"
        parameters: Forbidden: updates to parameters are forbidden.
        provisioner: Forbidden: updates to provisioner are forbidden.
        reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.
        volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable
    "#]]
    .assert_eq(&update_errors(old, new));
    errors(
        "{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: a}, spec: {drivers: [{name: d, nodeID: '', \
         topologyKeys: [z, z], allocatable: {count: -1}}, {name: d, nodeID: n1}]}}",
        &expect![[r#"
            spec.drivers[0].nodeID: Required value
            spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0
            spec.drivers[0].topologyKeys: Duplicate value: "z"
            spec.drivers[1].name: Duplicate value: "d"
        "#]],
    );
    errors(
        "{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {name: a}, spec: {attacher: '', nodeName: n1, \
         source: {}}}",
        &expect![[r#"
            spec.attacher: Required value
            spec.attacher: Invalid value: "": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')
            spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName
        "#]],
    );
}

#[test]
fn budgets() {
    errors(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {minAvailable: 120%, \
         maxUnavailable: -1, selector: {matchLabels: {'a b': c}}, unhealthyPodEvictionPolicy: Sometimes}}",
        &expect![[r#"
            spec: Invalid value: {"MinAvailable":"120%","Selector":{"matchLabels":{"a b":"c"}},"MaxUnavailable":-1,"UnhealthyPodEvictionPolicy":"Sometimes"}: minAvailable and maxUnavailable cannot be both set
            spec.minAvailable: Invalid value: "120%": must not be greater than 100%
            spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0
            spec.selector.matchLabels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')
            spec.unhealthyPodEvictionPolicy: Unsupported value: "Sometimes": supported values: "AlwaysAllow", "IfHealthyBudget"
        "#]],
    );
}

#[test]
fn rows() {
    expect![[r#"Name="a (default)" Provisioner="x" ReclaimPolicy="Delete" VolumeBindingMode="Immediate" AllowVolumeExpansion=false Age="<unknown>""#]].assert_eq(&row(
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: a, annotations: \
         {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: x}",
    ));
    expect![[r#"Name="a" AttachRequired=true PodInfoOnMount=false StorageCapacity=false TokenRequests="x" RequiresRepublish=false Modes="Persistent" Age="<unknown>""#]].assert_eq(&row(
        "{apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: a}, spec: {tokenRequests: [{audience: x}]}}",
    ));
    expect![[r#"Name="a" Capacity="1Gi" Access Modes="RWO,ROX" Reclaim Policy="Retain" Status="Terminating" Claim="x/c" StorageClass="" VolumeAttributesClass="<unset>" Reason="" Age="<unknown>" VolumeMode="Filesystem""#]].assert_eq(&row(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: \
         {capacity: {storage: 1Gi}, accessModes: [ReadOnlyMany, ReadWriteOnce], claimRef: {namespace: x, name: c}, \
         hostPath: {path: /a}}}",
    ));
}
