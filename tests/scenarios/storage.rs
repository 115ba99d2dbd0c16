//! Claims, volumes and the pods that use them.

use expect_test::expect;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use testkit::{apply, cluster, events, run, table};

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
";

fn pod(name: &str, command: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  containers:\n  - name: \
         main\n    image: busybox\n    command: [sh, -c, {command:?}]\n    volumeMounts: [{{name: v, mountPath: \
         /data}}]\n  volumes: [{{name: v, persistentVolumeClaim: {{claimName: data}}}}]\n"
    )
}

/// Without the volumes' generated names.
fn named(c: &cluster::Cluster, text: &str) -> String {
    let mut text = text.to_string();
    for v in c.view().list::<PersistentVolumeClaim>() {
        text = text.replace(v.metadata.uid.as_deref().unwrap_or("?"), "UID");
    }
    text
}

#[test]
fn a_claim_waits_for_its_pod_and_keeps_its_content() {
    let mut c = cluster(3);
    expect![[r#"
        standard (default)  rancher.io/local-path  Delete  WaitForFirstConsumer  false
    "#]]
    .assert_eq(&table(&c, "storageclasses"));
    apply(&mut c, CLAIM);
    run(&mut c, 20);
    expect![[r#"
        data  Pending        standard  <unset>
    "#]]
    .assert_eq(&table(&c, "persistentvolumeclaims"));
    apply(&mut c, &pod("writer", "echo kept > /data/file"));
    run(&mut c, 30);
    expect![[r#"
        data  Bound  pvc-UID  1Gi  RWO  standard  <unset>
    "#]]
    .assert_eq(&named(&c, &table(&c, "persistentvolumeclaims")));
    expect![[r#"
        pvc-UID  1Gi  RWO  Delete  Bound  default/data  standard  <unset>  
    "#]]
    .assert_eq(&named(&c, &table(&c, "persistentvolumes")));
    expect![[r#"
        WaitForFirstConsumer waiting for first consumer to be created before binding (x2)
        Provisioning External provisioner is provisioning volume for claim "default/data"
        ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered. (x2)
        ProvisioningSucceeded Successfully provisioned volume pvc-UID
    "#]].assert_eq(&named(&c, &events(&c, "data")));
    expect![[r#"
        Scheduled Successfully assigned default/writer to node-2
        Pulling Pulling image "busybox"
        Pulled Successfully pulled image "busybox" in 508ms (508ms including waiting). Image size: 2107180 bytes.
        Created Container created
        Started Container started
    "#]]
    .assert_eq(&named(&c, &events(&c, "writer")));
    // The volume is on one node, and so is every pod that uses it.
    apply(&mut c, &pod("reader", "cat /data/file"));
    run(&mut c, 30);
    let reader = c.view().get::<Pod>(&"default/reader".into()).cloned().expect("it was made");
    assert_eq!(c.log_tail(&reader, "main", 10).as_deref(), Some("kept\n"));
    let node = |name: &str| {
        let pod = c.view().get::<Pod>(&format!("default/{name}").as_str().into());
        pod.and_then(|p| p.spec.as_ref()?.node_name.clone())
    };
    assert_eq!(node("reader"), node("writer"));
    // A claim in use goes with its last pod, its volume with the claim.
    let delete = |c: &mut cluster::Cluster, kind: api::KindRef, name: &str| {
        let key = format!("default/{name}").as_str().into();
        let request = cluster::requests::delete(meta::User::admin(), kind, &key, Default::default());
        c.request(request).into_result().expect("it is there");
    };
    delete(&mut c, &api::kinds::persistentvolumeclaim::KIND, "data");
    run(&mut c, 5);
    expect![[r#"
        data  Terminating  pvc-UID  1Gi  RWO  standard  <unset>
    "#]]
    .assert_eq(&named(&c, &table(&c, "persistentvolumeclaims")));
    delete(&mut c, &api::kinds::pod::KIND, "writer");
    delete(&mut c, &api::kinds::pod::KIND, "reader");
    run(&mut c, 60);
    assert_eq!(table(&c, "persistentvolumeclaims"), "");
    assert_eq!(table(&c, "persistentvolumes"), "");
}

#[test]
fn a_volume_made_by_hand_is_bound_and_kept() {
    let mut c = cluster(1);
    apply(
        &mut c,
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}\nspec:\n  storageClassName: manual\n  capacity: \
         {storage: 10Gi}\n  accessModes: [ReadWriteOnce]\n  hostPath: {path: /mnt/data}\n",
    );
    apply(&mut c, &CLAIM.replace("spec:", "spec:\n  storageClassName: manual"));
    run(&mut c, 5);
    expect![[r#"
        data  Bound  disk  10Gi  RWO  manual  <unset>
    "#]]
    .assert_eq(&table(&c, "persistentvolumeclaims"));
    expect![[r#"
        disk  10Gi  RWO  Retain  Bound  default/data  manual  <unset>  
    "#]]
    .assert_eq(&table(&c, "persistentvolumes"));
    let key = "default/data".into();
    let kind = &api::kinds::persistentvolumeclaim::KIND;
    let request = cluster::requests::delete(meta::User::admin(), kind, &key, Default::default());
    c.request(request).into_result().expect("it is there");
    run(&mut c, 20);
    expect![[r#"
        disk  10Gi  RWO  Retain  Released  default/data  manual  <unset>  
    "#]]
    .assert_eq(&table(&c, "persistentvolumes"));
}

/// Nobody makes the volume, and no volume is there: then one is, on one of three nodes.
#[test]
fn a_local_volume_takes_its_pod_to_its_node() {
    let mut c = cluster(3);
    apply(
        &mut c,
        "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: local}\nprovisioner: \
         kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer\n",
    );
    apply(&mut c, &CLAIM.replace("spec:", "spec:\n  storageClassName: local"));
    apply(&mut c, &pod("app", "sleep 600"));
    run(&mut c, 30);
    expect![[r#"
        FailedScheduling 0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
    "#]].assert_eq(&events(&c, "app"));
    apply(
        &mut c,
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: ssd}\nspec:\n  storageClassName: local\n  capacity: \
         {storage: 10Gi}\n  accessModes: [ReadWriteOnce]\n  local: {path: /mnt/ssd}\n  nodeAffinity:\n    required:\n      \
         nodeSelectorTerms:\n      - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-2]}]\n",
    );
    run(&mut c, 60);
    let app = c.view().get::<Pod>(&"default/app".into()).and_then(|p| p.spec.as_ref()?.node_name.clone());
    assert_eq!(app.as_deref(), Some("node-2"));
    let ssd = c.view().get::<PersistentVolume>(&"ssd".into()).and_then(|v| v.status.as_ref()?.phase.clone());
    assert_eq!(ssd.as_deref(), Some("Bound"));
    expect![[r#"
        app  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        WaitForPodScheduled waiting for pod app to be scheduled (x2)
    "#]]
    .assert_eq(&events(&c, "data"));
}

/// While the provisioner is away the pod waits; the node that was chosen for it stays chosen.
#[test]
fn a_stopped_provisioner_is_waited_for() {
    let mut c = cluster(2);
    assert!(c.set_process("local-path-provisioner", false));
    apply(&mut c, CLAIM);
    apply(&mut c, &pod("app", "sleep 600"));
    run(&mut c, 40);
    expect![[r#"
        app  0/1  Pending  0
    "#]]
    .assert_eq(&table(&c, "pods"));
    expect![[r#"
        ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'rancher.io/local-path' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered. (x4)
    "#]].assert_eq(&events(&c, "data"));
    assert!(c.set_process("local-path-provisioner", true));
    run(&mut c, 30);
    expect![[r#"
        app  1/1  Running  0
    "#]]
    .assert_eq(&table(&c, "pods"));
}

/// A volume of a pod's own goes with the pod, and a namespace takes its claims along.
#[test]
fn ephemeral_volumes_and_namespaces_leave_nothing_behind() {
    let mut c = cluster(1);
    let scratch = "apiVersion: v1\nkind: Pod\nmetadata: {name: scratch}\nspec:\n  containers: [{name: main, image: \
                   nginx}]\n  volumes:\n  - name: tmp\n    ephemeral: {volumeClaimTemplate: {spec: {accessModes: \
                   [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}\n";
    apply(&mut c, scratch);
    let team = scratch.replace("{name: scratch}", "{name: scratch, namespace: team}");
    apply(&mut c, "{apiVersion: v1, kind: Namespace, metadata: {name: team}}");
    run(&mut c, 5);
    apply(&mut c, &team);
    run(&mut c, 30);
    assert_eq!(table(&c, "persistentvolumeclaims").matches("scratch-tmp  Bound").count(), 2);
    for (kind, key) in [(&api::kinds::pod::KIND, "default/scratch"), (&api::kinds::namespace::KIND, "team")] {
        let request = cluster::requests::delete(meta::User::admin(), kind, &key.into(), Default::default());
        c.request(request).into_result().expect("it is there");
    }
    run(&mut c, 90);
    assert_eq!(table(&c, "pods"), "");
    assert_eq!(table(&c, "persistentvolumeclaims"), "");
    assert_eq!(table(&c, "persistentvolumes"), "");
    assert!(!table(&c, "namespaces").contains("team"));
}
