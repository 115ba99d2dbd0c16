//! DaemonSets as the Kubernetes docs tell of them.

use engine::actions::{NodeSize, add_sim_node};
use expect_test::expect;
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeSet;
use testkit::{apply, cluster, events, pods, run, table};

const FLUENTD: &str = include_str!("../manifests/daemonset.yaml");

fn daemons(c: &cluster::Cluster) -> Vec<&Pod> {
    c.view()
        .list_in::<Pod>("kube-system")
        .filter(|p| p.metadata.generate_name.as_deref() == Some("fluentd-elasticsearch-"))
        .collect()
}

fn nodes(c: &cluster::Cluster) -> BTreeSet<String> {
    daemons(c).into_iter().filter_map(|p| p.spec.as_ref()?.node_name.clone()).collect()
}

#[test]
fn a_pod_on_every_node_also_on_new_ones() {
    let mut c = cluster(3);
    apply(&mut c, FLUENTD);
    run(&mut c, 60);
    expect![[r#"
        fluentd-elasticsearch  3  3  3  3  3  <none>
    "#]]
    .assert_eq(&table(&c, "daemonsets"));
    assert_eq!(nodes(&c).len(), 3);
    add_sim_node(&mut c, &NodeSize::default()).expect("a node");
    run(&mut c, 60);
    assert_eq!((nodes(&c).len(), daemons(&c).len()), (4, 4));
    let told = events(&c, "fluentd-elasticsearch");
    assert_eq!(told.matches("SuccessfulCreate Created pod: fluentd-elasticsearch-").count(), 4, "{told}");
    assert!(pods(&c).is_empty());
}

#[test]
fn an_update_goes_node_by_node() {
    let mut c = cluster(3);
    apply(&mut c, FLUENTD);
    run(&mut c, 60);
    apply(&mut c, &FLUENTD.replace("fluentd:v5.0.1", "fluentd:v5.0.2"));
    let mut fewest = 3;
    for _ in 0..120 {
        run(&mut c, 1);
        let ready = daemons(&c)
            .into_iter()
            .filter(|p| api::pods::is_ready(p) && p.metadata.deletion_timestamp.is_none())
            .count();
        fewest = fewest.min(ready);
    }
    assert_eq!(fewest, 2, "one at a time");
    let images: BTreeSet<_> = daemons(&c).iter().filter_map(|p| p.spec.as_ref()?.containers[0].image.clone()).collect();
    assert!(images.len() == 1 && images.iter().all(|i| i.ends_with("v5.0.2")), "{images:?}");
    let mut revisions: Vec<i64> = c.view().list::<ControllerRevision>().map(|r| r.revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [1, 2]);
}
