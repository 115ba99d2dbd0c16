//! StatefulSets as the Kubernetes docs tell of them.

use cluster::Cluster;
use expect_test::expect;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use testkit::{apply, cluster, events, pods, run, table};

const WEB: &str = include_str!("../manifests/statefulset.yaml");

/// Name, image, host name and claim of each pod.
fn identities(c: &Cluster) -> String {
    let line = |p: &Pod| {
        let spec = p.spec.clone().unwrap_or_default();
        let volumes = spec.volumes.unwrap_or_default();
        let claim = volumes.iter().find_map(|v| v.persistent_volume_claim.as_ref()).map(|c| c.claim_name.as_str());
        let image = spec.containers[0].image.clone().unwrap_or_default();
        let (name, host) = (p.metadata.name.as_deref().unwrap_or(""), spec.hostname.unwrap_or_default());
        format!("{name} {image} {host}.{} {}\n", spec.subdomain.unwrap_or_default(), claim.unwrap_or("-"))
    };
    pods(c).iter().map(line).collect()
}

#[test]
fn pods_come_in_order_each_with_its_name_and_volume() {
    let mut c = cluster(3);
    apply(&mut c, WEB);
    run(&mut c, 90);
    expect![[r#"
        web  2/2
    "#]]
    .assert_eq(&table(&c, "statefulsets"));
    expect![[r#"
        web-0 registry.k8s.io/nginx-slim:0.24 web-0.nginx www-web-0
        web-1 registry.k8s.io/nginx-slim:0.24 web-1.nginx www-web-1
    "#]]
    .assert_eq(&identities(&c));
    expect![[r#"
        SuccessfulCreate create Claim www-web-0 Pod web-0 in StatefulSet web success
        SuccessfulCreate create Pod web-0 in StatefulSet web successful
        SuccessfulCreate create Claim www-web-1 Pod web-1 in StatefulSet web success
        SuccessfulCreate create Pod web-1 in StatefulSet web successful
    "#]]
    .assert_eq(&events(&c, "web"));
}

#[test]
fn a_deleted_pod_comes_back_with_its_name_and_its_volume() {
    let mut c = cluster(3);
    apply(&mut c, WEB);
    run(&mut c, 90);
    let volume = |c: &Cluster| {
        let of = |p: &PersistentVolumeClaim| p.spec.as_ref().and_then(|s| s.volume_name.clone());
        c.view().list::<PersistentVolumeClaim>().map(of).collect::<Vec<_>>()
    };
    let (before, uids) = (volume(&c), pods(&c).iter().map(|p| p.metadata.uid.clone()).collect::<Vec<_>>());
    assert!(before.iter().all(Option::is_some), "{before:?}");
    let key = "default/web-0".into();
    let request = cluster::requests::delete(meta::User::admin(), &api::kinds::pod::KIND, &key, Default::default());
    c.request(request).into_result().expect("it is there");
    run(&mut c, 90);
    let after: Vec<_> = pods(&c).iter().map(|p| p.metadata.uid.clone()).collect();
    assert_eq!(after.len(), 2);
    assert!(after[0] != uids[0] && after[1] == uids[1], "web-0 is another pod, web-1 the same");
    assert_eq!(volume(&c), before);
}

#[test]
fn an_update_goes_from_the_top_to_the_partition_and_leaves_a_history() {
    let mut c = cluster(3);
    let web = WEB.replace("replicas: 2", "replicas: 3");
    apply(&mut c, &web);
    run(&mut c, 120);
    let new = web
        .replace("nginx-slim:0.24", "nginx-slim:0.21")
        .replace("  replicas: 3", "  updateStrategy: {rollingUpdate: {partition: 2}}\n  replicas: 3");
    apply(&mut c, &new);
    run(&mut c, 120);
    expect![[r#"
        web-0 registry.k8s.io/nginx-slim:0.24 web-0.nginx www-web-0
        web-1 registry.k8s.io/nginx-slim:0.24 web-1.nginx www-web-1
        web-2 registry.k8s.io/nginx-slim:0.21 web-2.nginx www-web-2
    "#]]
    .assert_eq(&identities(&c));
    apply(&mut c, &new.replace("partition: 2", "partition: 0"));
    run(&mut c, 120);
    expect![[r#"
        web-0 registry.k8s.io/nginx-slim:0.21 web-0.nginx www-web-0
        web-1 registry.k8s.io/nginx-slim:0.21 web-1.nginx www-web-1
        web-2 registry.k8s.io/nginx-slim:0.21 web-2.nginx www-web-2
    "#]]
    .assert_eq(&identities(&c));
    let revisions: Vec<i64> = c.view().list::<ControllerRevision>().map(|r| r.revision).collect();
    assert_eq!(revisions.len(), 2);
    // The first template again: its revision is the newest once more.
    apply(&mut c, &web);
    run(&mut c, 120);
    let mut revisions: Vec<i64> = c.view().list::<ControllerRevision>().map(|r| r.revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [2, 3]);
}

#[test]
fn scaling_down_keeps_or_deletes_claims_as_the_policy_says() {
    for (policy, left) in [("Retain", 2), ("Delete", 1)] {
        let mut c = cluster(3);
        let web = WEB.replace(
            "  replicas: 2",
            &format!("  persistentVolumeClaimRetentionPolicy: {{whenScaled: {policy}}}\n  replicas: 2"),
        );
        apply(&mut c, &web);
        run(&mut c, 90);
        apply(&mut c, &web.replace("replicas: 2", "replicas: 1"));
        run(&mut c, 120);
        assert_eq!(pods(&c).len(), 1, "{policy}");
        assert_eq!(c.view().list::<PersistentVolumeClaim>().count(), left, "{policy}");
    }
}

#[test]
fn pods_find_each_other_by_name() {
    let mut c = cluster(3);
    apply(&mut c, WEB);
    run(&mut c, 90);
    let probe = "apiVersion: v1\nkind: Pod\nmetadata: {name: probe}\nspec:\n  restartPolicy: Never\n  containers:\n  - \
                 {name: c, image: busybox, command: [nc, -z, web-1.nginx.default.svc.cluster.local, \"80\"]}\n";
    apply(&mut c, probe);
    run(&mut c, 60);
    let phase =
        pods(&c).into_iter().find(|p| p.metadata.name.as_deref() == Some("probe")).and_then(|p| p.status?.phase);
    assert_eq!(phase.as_deref(), Some("Succeeded"));
}
