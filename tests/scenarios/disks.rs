//! Disks of the toy cloud: made, attached, moved and given back.

use cluster::Cluster;
use cluster::cloud::Settings;
use cluster::cloud::toy::Quotas;
use expect_test::expect;
use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::{CSINode, VolumeAttachment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions;
use meta::{Duration, Key};
use testkit::{apply, cluster_in_cloud, events, run, table};

const CLAIM: &str = "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  storageClassName: toycloud-disk
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1500Mi}}
";

fn pod(name: &str, node: &str, command: &str) -> String {
    let selector = if node.is_empty() {
        String::new()
    } else {
        format!(
            "  affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{matchFields: [{{key: metadata.name, operator: In, values: [{node}]}}]}}]}}}}}}\n"
        )
    };
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n{selector}  terminationGracePeriodSeconds: 1\n  containers:\n  - name: \
         main\n    image: busybox\n    command: [sh, -c, {command:?}]\n    volumeMounts: [{{name: v, mountPath: \
         /data}}]\n  volumes: [{{name: v, persistentVolumeClaim: {{claimName: data}}}}]\n"
    )
}

/// Without generated names.
fn named(c: &Cluster, text: &str) -> String {
    let mut text = text.to_string();
    for v in c.view().list::<PersistentVolumeClaim>() {
        text = text.replace(v.metadata.uid.as_deref().unwrap_or("?"), "UID");
    }
    for v in c.view().list::<PersistentVolume>() {
        let csi = v.spec.as_ref().and_then(|s| s.csi.as_ref());
        text = text.replace(csi.map_or("?", |c| c.volume_handle.as_str()), "DISK");
    }
    for a in c.view().list::<VolumeAttachment>() {
        text = text.replace(a.metadata.name.as_deref().unwrap_or("?"), "ATTACHMENT");
    }
    text
}

fn delete(c: &mut Cluster, plural: &str, key: &str) {
    let kind = api::KINDS.iter().find(|k| k.plural == plural).expect("a registered kind");
    let request = cluster::requests::delete(meta::User::admin(), kind, &key.into(), Default::default());
    c.request(request).into_result().expect("it is there");
}

fn force_delete(c: &mut Cluster, pod: &str) {
    let options = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
    let request = cluster::requests::delete(meta::User::admin(), &api::kinds::pod::KIND, &pod.into(), options);
    c.request(request).into_result().expect("it is there");
}

fn phase(c: &Cluster, name: &str) -> String {
    let pod: Option<&Pod> = c.view().get(&Key::new("default", name));
    pod.and_then(|p| p.status.as_ref()?.phase.clone()).unwrap_or_default()
}

fn node_of(c: &Cluster, name: &str) -> String {
    let pod: Option<&Pod> = c.view().get(&Key::new("default", name));
    pod.and_then(|p| p.spec.as_ref()?.node_name.clone()).unwrap_or_default()
}

fn in_cloud(nodes: u32) -> Cluster {
    let mut c = cluster_in_cloud(Settings::default(), nodes);
    run(&mut c, 20);
    c
}

#[test]
fn a_disk_is_made_in_the_zone_of_its_pod_and_attached() {
    let mut c = in_cloud(3);
    apply(&mut c, CLAIM);
    apply(&mut c, &pod("a", "", "echo kept > /data/file; sleep 9999"));
    run(&mut c, 60);
    assert_eq!(phase(&c, "a"), "Running", "{}", events(&c, "a"));
    expect![[r#"
        Scheduled Successfully assigned default/a to node-2
        SuccessfulAttachVolume AttachVolume.Attach succeeded for volume "pvc-UID" 
        Pulling Pulling image "busybox"
        Pulled Successfully pulled image "busybox" in 508ms (508ms including waiting). Image size: 2107180 bytes.
        Created Container created
        Started Container started
    "#]]
    .assert_eq(&named(&c, &events(&c, "a")));
    expect![[r#"
        ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'disk.csi.toycloud.example' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered. (x2)
        Provisioning External provisioner is provisioning volume for claim "default/data"
        ProvisioningSucceeded Successfully provisioned volume pvc-UID
    "#]].assert_eq(&named(&c, &events(&c, "data")));
    expect![[r#"
        pvc-UID  2Gi  RWO  Delete  Bound  default/data  toycloud-disk  <unset>  
    "#]]
    .assert_eq(&named(&c, &table(&c, "persistentvolumes")));
    expect![[r#"
        ATTACHMENT  disk.csi.toycloud.example  pvc-UID  node-2  true
    "#]]
    .assert_eq(&named(&c, &table(&c, "volumeattachments")));
    let node: &Node = c.view().get(&Key::from(node_of(&c, "a").as_str())).unwrap();
    let status = node.status.as_ref().unwrap();
    assert_eq!(
        named(&c, &format!("{:?}", status.volumes_in_use)),
        r#"Some(["kubernetes.io/csi/disk.csi.toycloud.example^DISK"])"#
    );
    assert_eq!(status.volumes_attached.as_ref().unwrap()[0].name, status.volumes_in_use.as_ref().unwrap()[0]);
    let csi: &CSINode = c.view().get(&Key::from("node-1")).unwrap();
    assert_eq!(csi.spec.drivers[0].allocatable.as_ref().unwrap().count, Some(16));
    // The disk goes with the claim.
    delete(&mut c, "pods", "default/a");
    run(&mut c, 30);
    assert_eq!(table(&c, "volumeattachments"), "");
    let node: &Node = c.view().get(&Key::from("node-2")).unwrap();
    let status = node.status.as_ref().unwrap();
    assert_eq!((&status.volumes_attached, &status.volumes_in_use), (&None, &None));
    assert_eq!(c.cloud().unwrap().disks().count(), 1);
    delete(&mut c, "persistentvolumeclaims", "default/data");
    run(&mut c, 60);
    assert_eq!(table(&c, "persistentvolumes"), "");
    assert_eq!(c.cloud().unwrap().disks().count(), 0);
}

#[test]
fn content_moves_with_the_disk() {
    let mut c = in_cloud(6);
    apply(&mut c, CLAIM);
    apply(&mut c, &pod("a", "node-2", "echo kept > /data/file; sleep 9999"));
    run(&mut c, 60);
    assert_eq!(phase(&c, "a"), "Running", "{}", events(&c, "a"));
    // node-5 is of the same zone.
    apply(&mut c, &pod("b", "node-5", "cat /data/file; sleep 9999"));
    run(&mut c, 60);
    let want = "Multi-Attach error for volume \"pvc-UID\" Volume is already used by pod(s) a";
    assert!(named(&c, &events(&c, "b")).contains(want), "{}", events(&c, "b"));
    delete(&mut c, "pods", "default/a");
    run(&mut c, 60);
    assert_eq!(phase(&c, "b"), "Running", "{}", events(&c, "b"));
    let b = c.view().get::<Pod>(&"default/b".into()).cloned().unwrap();
    assert_eq!(c.log_tail(&b, "main", 10).as_deref(), Some("kept\n"));
    // Nowhere else.
    apply(&mut c, &pod("c", "node-1", "true"));
    run(&mut c, 30);
    assert!(events(&c, "c").contains("1 node(s) had volume node affinity conflict"), "{}", events(&c, "c"));
}

#[test]
fn a_dead_nodes_disk_is_free_after_six_minutes_or_when_somebody_vouches() {
    for out_of_service in [false, true] {
        let mut c = in_cloud(6);
        apply(&mut c, CLAIM);
        apply(&mut c, &pod("a", "node-2", "echo kept > /data/file; sleep 9999"));
        run(&mut c, 60);
        assert_eq!(phase(&c, "a"), "Running", "{}", events(&c, "a"));
        assert!(c.kill_machine("node-2"));
        run(&mut c, 60);
        apply(&mut c, &pod("b", "node-5", "cat /data/file; sleep 9999"));
        if out_of_service {
            let taint = "apiVersion: v1\nkind: Node\nmetadata: {name: node-2}\nspec:\n  taints: [{key: node.kubernetes.io/out-of-service, value: nodeshutdown, effect: NoExecute}]\n";
            apply(&mut c, taint);
            run(&mut c, 120);
        } else {
            // The pod is evicted after five minutes, but nobody says that it has ended.
            run(&mut c, 400);
            assert_eq!(phase(&c, "b"), "Pending");
            force_delete(&mut c, "default/a");
            run(&mut c, 300);
            assert_eq!(phase(&c, "b"), "Pending");
            run(&mut c, 120);
        }
        assert_eq!(phase(&c, "b"), "Running", "{}", events(&c, "b"));
        let b = c.view().get::<Pod>(&"default/b".into()).cloned().unwrap();
        assert_eq!(c.log_tail(&b, "main", 10).as_deref(), Some("kept\n"));
    }
}

#[test]
fn a_full_quota_is_told_and_the_scheduler_asked_again() {
    let all = Settings::default();
    let mut c = cluster_in_cloud(Settings { quotas: Quotas { disks: 0, ..all.quotas }, ..all }, 3);
    run(&mut c, 20);
    apply(&mut c, CLAIM);
    apply(&mut c, &pod("a", "", "sleep 9999"));
    run(&mut c, 20);
    let want = "ProvisioningFailed failed to provision volume with StorageClass \"toycloud-disk\": rpc error: code = \
                ResourceExhausted desc = Could not create volume \"pvc-UID\": DiskLimitExceeded: the limit of 0 disks is reached";
    assert!(named(&c, &events(&c, "data")).contains(want), "{}", events(&c, "data"));
    c.set_quotas(Quotas { disks: 5, ..Settings::default().quotas });
    assert!(c.run_until(Duration::from_secs(400), |c| phase(c, "a") == "Running"), "{}", events(&c, "data"));
}

#[test]
fn a_claim_grows_and_so_do_its_disk_and_its_file_system() {
    let mut c = in_cloud(3);
    apply(&mut c, CLAIM);
    let grown = CLAIM.replace("1500Mi", "5Gi");
    let refused = |c: &mut Cluster, yaml: &str| {
        let r = testkit::try_apply(c, protocol::ApplyMode::Apply, yaml);
        r.errors.first().map(|e| e.message.clone()).unwrap_or_default()
    };
    assert!(refused(&mut c, &grown).contains("Only bound persistent volume claims can be expanded"));
    apply(&mut c, &pod("a", "", "sleep 9999"));
    run(&mut c, 60);
    apply(&mut c, &grown);
    run(&mut c, 30);
    expect![[r#"
        data  Bound  pvc-UID  5Gi  RWO  toycloud-disk  <unset>
    "#]]
    .assert_eq(&named(&c, &table(&c, "persistentvolumeclaims")));
    assert_eq!(c.cloud().unwrap().disks().next().unwrap().gib, 5);
    let events = named(&c, &events(&c, "data"));
    let after = events.split_once("ProvisioningSucceeded").unwrap().1.split_once('\n').unwrap().1;
    expect![[r#"
        ExternalExpanding waiting for an external controller to expand this PVC
        Resizing External resizer is resizing volume pvc-UID
        FileSystemResizeRequired Require file system resize of volume on node
        FileSystemResizeSuccessful MountVolume.NodeExpandVolume succeeded for volume "pvc-UID" node-2
    "#]]
    .assert_eq(after);
    let claim: &PersistentVolumeClaim = c.view().get(&"default/data".into()).unwrap();
    let status = claim.status.as_ref().unwrap();
    assert_eq!((&status.conditions, &status.allocated_resource_statuses), (&None, &None));
    assert_eq!(status.allocated_resources.as_ref().unwrap()["storage"].0, "5Gi");
    // It never shrinks.
    let less = refused(&mut c, &CLAIM.replace("1500Mi", "1Gi"));
    assert!(less.contains("field can not be less than status.capacity"), "{less}");
}

#[test]
fn without_a_pod_the_file_system_waits() {
    let mut c = in_cloud(3);
    apply(&mut c, CLAIM);
    apply(&mut c, &pod("a", "", "sleep 9999"));
    run(&mut c, 60);
    delete(&mut c, "pods", "default/a");
    run(&mut c, 30);
    apply(&mut c, &CLAIM.replace("1500Mi", "3Gi"));
    run(&mut c, 30);
    let claim: &PersistentVolumeClaim = c.view().get(&"default/data".into()).unwrap();
    let status = claim.status.as_ref().unwrap();
    let pending = &status.conditions.as_ref().unwrap()[0];
    assert_eq!(pending.type_, "FileSystemResizePending");
    assert_eq!(status.allocated_resource_statuses.as_ref().unwrap()["storage"], "NodeResizePending");
    assert_eq!(status.capacity.as_ref().unwrap()["storage"].0, "2Gi");
    apply(&mut c, &pod("b", "", "sleep 9999"));
    run(&mut c, 60);
    let claim: &PersistentVolumeClaim = c.view().get(&"default/data".into()).unwrap();
    let status = claim.status.as_ref().unwrap();
    assert_eq!((&status.conditions, status.capacity.as_ref().unwrap()["storage"].0.as_str()), (&None, "3Gi"));
}

#[test]
fn a_class_that_forbids_it() {
    let mut c = in_cloud(1);
    apply(&mut c, &CLAIM.replace("toycloud-disk", "standard"));
    apply(&mut c, &pod("a", "", "sleep 9999"));
    run(&mut c, 60);
    let r = testkit::try_apply(
        &mut c,
        protocol::ApplyMode::Apply,
        &CLAIM.replace("toycloud-disk", "standard").replace("1500Mi", "2Gi"),
    );
    let why = "persistentvolumeclaims \"data\" is forbidden: only dynamically provisioned pvc can be resized and the \
               storageclass that provisions the pvc must support resize";
    assert!(r.errors[0].message.contains(why), "{:?}", r.errors);
}
