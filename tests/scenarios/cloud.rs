//! cloud-controller-manager over the toy cloud: nodes, routes and load balancers, and what happens when the cloud fails.

use cluster::Cluster;
use cluster::cloud::Settings;
use cluster::cloud::toy::Quotas;
use engine::actions::{NodeSize, add_sim_node};
use expect_test::expect;
use k8s_openapi::api::core::v1::{Node, Service};
use meta::{Duration, Key};
use testkit::{apply, cluster, cluster_in_cloud, events, run};

const WEB: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: LoadBalancer\n  selector: {app: web}\n  ports: [{port: 80, targetPort: 8080}]\n";

fn in_cloud(nodes: u32) -> Cluster {
    cluster_in_cloud(Settings::default(), nodes)
}

fn with_quota(load_balancers: usize) -> Settings {
    let all = Settings::default();
    Settings { quotas: Quotas { load_balancers, ..all.quotas }, ..all }
}

fn node<'a>(c: &'a Cluster, name: &str) -> Option<&'a Node> {
    c.view().get(&Key::from(name))
}

fn taints(c: &Cluster, name: &str) -> Vec<String> {
    let spec = node(c, name).and_then(|n| n.spec.as_ref());
    spec.iter().flat_map(|s| s.taints.iter().flatten()).map(|t| format!("{}:{}", t.key, t.effect)).collect()
}

fn condition(c: &Cluster, name: &str, type_: &str) -> String {
    let all = node(c, name).and_then(|n| n.status.as_ref()).into_iter().flat_map(|s| s.conditions.iter().flatten());
    let found = all.filter(|x| x.type_ == type_);
    found.map(|x| format!("{} {}", x.status, x.reason.as_deref().unwrap_or(""))).collect()
}

fn external_ip(c: &Cluster, name: &str) -> Option<String> {
    let s: &Service = c.view().get(&Key::new("default", name))?;
    s.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?.ip.clone()
}

fn finalizers(c: &Cluster, name: &str) -> Vec<String> {
    let s: Option<&Service> = c.view().get(&Key::new("default", name));
    s.and_then(|s| s.metadata.finalizers.clone()).unwrap_or_default()
}

#[test]
fn the_cloud_initializes_new_nodes() {
    let mut c = cluster_in_cloud(Settings::default(), 0);
    add_sim_node(&mut c, &NodeSize::default()).unwrap();
    // It registers tainted, without addresses, and waits.
    assert!(c.run_until(Duration::from_secs(5), |c| node(c, "node-1").is_some()));
    assert!(taints(&c, "node-1").contains(&"node.cloudprovider.kubernetes.io/uninitialized:NoSchedule".to_string()));
    assert!(node(&c, "node-1").unwrap().status.as_ref().unwrap().addresses.is_none());
    run(&mut c, 30);
    assert_eq!(taints(&c, "node-1"), Vec::<String>::new());
    let n = node(&c, "node-1").unwrap();
    let id = n.spec.as_ref().unwrap().provider_id.clone().unwrap();
    assert!(id.starts_with("toy:///toy-1a/i-"), "{id}");
    let labels = n.metadata.labels.as_ref().unwrap();
    let of = |k: &str| labels.get(k).map_or("", String::as_str);
    assert_eq!(of("node.kubernetes.io/instance-type"), "c1.large");
    assert_eq!(of("topology.kubernetes.io/zone"), "toy-1a");
    assert_eq!(of("topology.kubernetes.io/region"), "toy-1");
    assert_eq!(of("failure-domain.beta.kubernetes.io/zone"), "toy-1a");
    assert_eq!(of("toycloud.example/capacity-type"), "on-demand");
    let addresses = n.status.as_ref().unwrap().addresses.as_ref().unwrap();
    let addresses: Vec<String> = addresses.iter().map(|a| format!("{} {}", a.type_, a.address)).collect();
    assert_eq!(addresses, ["InternalIP 172.18.0.3", "ExternalIP 198.18.0.1", "Hostname node-1"]);
    assert_eq!(condition(&c, "node-1", "NetworkUnavailable"), "False RouteCreated");
    assert_eq!(c.cloud().unwrap().routes().count(), 1);
    assert!(events(&c, "node-1").contains("Synced Node synced successfully"));
    // Addresses stay when the kubelet reports again.
    run(&mut c, 400);
    assert_eq!(node(&c, "node-1").unwrap().status.as_ref().unwrap().addresses.as_ref().unwrap().len(), 3);
}

#[test]
fn without_the_manager_nodes_stay_uninitialized() {
    let mut c = cluster_in_cloud(Settings::default(), 0);
    assert!(c.set_process("cloud-controller-manager", false));
    add_sim_node(&mut c, &NodeSize::default()).unwrap();
    run(&mut c, 60);
    assert!(taints(&c, "node-1").contains(&"node.cloudprovider.kubernetes.io/uninitialized:NoSchedule".to_string()));
    assert!(c.set_process("cloud-controller-manager", true));
    run(&mut c, 30);
    assert_eq!(taints(&c, "node-1"), Vec::<String>::new());
}

#[test]
fn a_node_whose_instance_is_gone_is_deleted_with_its_route() {
    let mut c = in_cloud(3);
    assert!(c.terminate_instance("node-2"));
    // A kubelet that says nothing is missed after 50 seconds; before that nobody asks the cloud.
    run(&mut c, 30);
    assert!(node(&c, "node-2").is_some());
    run(&mut c, 60);
    assert!(node(&c, "node-2").is_none());
    let want = "DeletingNode Deleting node node-2 because it does not exist in the cloud provider";
    assert!(events(&c, "node-2").contains(want), "{}", events(&c, "node-2"));
    let routes: Vec<&str> = c.cloud().unwrap().routes().map(|r| r.target_node.as_str()).collect();
    assert_eq!(routes.len(), 2, "{routes:?}");
    assert!(!routes.contains(&"node-2"));
}

#[test]
fn a_node_that_was_shut_down_is_tainted_and_comes_back() {
    const SHUTDOWN: &str = "node.cloudprovider.kubernetes.io/shutdown:NoSchedule";
    let mut c = in_cloud(2);
    assert!(c.set_instance("node-1", false));
    run(&mut c, 90);
    assert!(taints(&c, "node-1").contains(&SHUTDOWN.to_string()), "{:?}", taints(&c, "node-1"));
    assert!(c.set_instance("node-1", true));
    run(&mut c, 60);
    assert_eq!(taints(&c, "node-1"), Vec::<String>::new());
}

#[test]
fn a_load_balancer_comes_and_goes_with_its_service() {
    let mut c = in_cloud(2);
    apply(&mut c, WEB);
    run(&mut c, 3);
    assert_eq!(external_ip(&c, "web"), None, "it is being set up");
    assert_eq!(finalizers(&c, "web"), ["service.kubernetes.io/load-balancer-cleanup"]);
    run(&mut c, 10);
    assert_eq!(external_ip(&c, "web").as_deref(), Some("203.0.113.10"));
    add_sim_node(&mut c, &NodeSize::default()).unwrap();
    run(&mut c, 30);
    let hosts =
        |c: &Cluster| -> Vec<usize> { c.cloud().unwrap().load_balancers().map(|l| l.wanted.hosts.len()).collect() };
    assert_eq!(hosts(&c), [3]);
    apply(&mut c, &WEB.replace("LoadBalancer", "NodePort"));
    run(&mut c, 10);
    assert_eq!((external_ip(&c, "web"), hosts(&c), finalizers(&c, "web")), (None, vec![], vec![]));
    expect![[r#"
        EnsuringLoadBalancer Ensuring load balancer
        EnsuredLoadBalancer Ensured load balancer
        UpdatedLoadBalancer Updated load balancer with new hosts (x2)
        Type LoadBalancer -> NodePort
        DeletingLoadBalancer Deleting load balancer
        DeletedLoadBalancer Deleted load balancer
    "#]]
    .assert_eq(&events(&c, "web"));
}

#[test]
fn a_deleted_service_leaves_no_load_balancer_even_while_the_manager_is_down() {
    let mut c = in_cloud(1);
    apply(&mut c, WEB);
    run(&mut c, 15);
    assert!(c.set_process("cloud-controller-manager", false));
    let files = [protocol::File { name: "web.yaml".into(), text: WEB.into() }];
    let gone = engine::apply::run(&mut c, protocol::ApplyMode::Delete, &files);
    assert!(gone.errors.is_empty(), "{:?}", gone.errors);
    run(&mut c, 60);
    // The finalizer keeps it.
    assert_eq!(finalizers(&c, "web").len(), 1);
    assert_eq!(c.cloud().unwrap().load_balancers().count(), 1);
    assert!(c.set_process("cloud-controller-manager", true));
    run(&mut c, 15);
    assert!(c.view().get::<Service>(&Key::new("default", "web")).is_none());
    assert_eq!(c.cloud().unwrap().load_balancers().count(), 0);
}

#[test]
fn stopped_in_the_middle_it_leaks_nothing_and_doubles_nothing() {
    let mut c = in_cloud(1);
    apply(&mut c, WEB);
    run(&mut c, 2);
    assert!(c.set_process("cloud-controller-manager", false));
    assert_eq!(c.cloud().unwrap().load_balancers().count(), 1, "the cloud has begun");
    run(&mut c, 20);
    assert_eq!(external_ip(&c, "web"), None, "nobody heard the answer");
    assert!(c.set_process("cloud-controller-manager", true));
    run(&mut c, 20);
    assert_eq!(c.cloud().unwrap().load_balancers().count(), 1);
    assert_eq!(external_ip(&c, "web").as_deref(), Some("203.0.113.10"));
}

#[test]
fn beyond_the_quota_a_service_waits_until_there_is_room() {
    let mut c = cluster_in_cloud(with_quota(1), 1);
    apply(&mut c, WEB);
    run(&mut c, 15);
    apply(&mut c, &WEB.replace("name: web", "name: more"));
    run(&mut c, 30);
    assert_eq!(external_ip(&c, "more"), None);
    let want = "SyncLoadBalancerFailed Error syncing load balancer: failed to ensure load balancer: \
                LoadBalancerLimitExceeded: the limit of 1 load balancers is reached";
    assert!(events(&c, "more").contains(want), "{}", events(&c, "more"));
    let files = [protocol::File { name: "web.yaml".into(), text: WEB.into() }];
    engine::apply::run(&mut c, protocol::ApplyMode::Delete, &files);
    run(&mut c, 120);
    assert_eq!(external_ip(&c, "more").as_deref(), Some("203.0.113.10"));
}

#[test]
fn a_zone_that_goes_down_takes_its_nodes_but_not_their_instances() {
    let mut c = in_cloud(3);
    assert!(c.set_zone("toy-1b", true) && !c.set_zone("toy-1b", true));
    run(&mut c, 120);
    assert_eq!(condition(&c, "node-2", "Ready"), "Unknown NodeStatusUnknown");
    assert!(condition(&c, "node-1", "Ready").starts_with("True"));
    // The instance is there: the node is not deleted.
    assert!(node(&c, "node-2").is_some());
    assert!(c.cloud().unwrap().instance_of("node-2").is_some());
    add_sim_node(&mut c, &NodeSize::default()).unwrap();
    add_sim_node(&mut c, &NodeSize::default()).unwrap();
    let zones: Vec<&str> = c.cloud().unwrap().instances().map(|i| i.zone.as_str()).collect();
    assert_eq!(zones.iter().filter(|z| **z == "toy-1b").count(), 1, "nothing new starts there: {zones:?}");
    assert!(!c.revive_machine("node-2"), "there is no power");
    assert!(c.set_zone("toy-1b", false));
    run(&mut c, 60);
    assert!(condition(&c, "node-2", "Ready").starts_with("True"));
}

#[test]
fn a_reclaimed_spot_instance_is_gone_and_its_pods_go_elsewhere() {
    let mut c = in_cloud(3);
    apply(&mut c, &crate::rollout::NGINX.replace("replicas: 3", "replicas: 6"));
    run(&mut c, 60);
    assert!(c.reclaim_spot("node-1").unwrap_err().contains("no spot instance"));
    c.reclaim_spot("node-3").unwrap();
    run(&mut c, 400);
    assert!(node(&c, "node-3").is_none());
    let on: Vec<String> =
        testkit::pods(&c).iter().map(|p| p.spec.as_ref().unwrap().node_name.clone().unwrap()).collect();
    assert_eq!(on.len(), 6);
    assert!(on.iter().all(|n| n == "node-1" || n == "node-2"), "{on:?}");
}

#[test]
fn a_cloud_that_fails_now_and_then_is_asked_again() {
    let settings = Settings { failures_permille: 400, ..Settings::default() };
    let mut c = cluster_in_cloud(settings, 3);
    apply(&mut c, WEB);
    run(&mut c, 300);
    assert!((1..=3).all(|n| taints(&c, &format!("node-{n}")).is_empty()));
    assert!((1..=3).all(|n| condition(&c, &format!("node-{n}"), "NetworkUnavailable") == "False RouteCreated"));
    assert!(external_ip(&c, "web").is_some());
    assert!(c.cloud().unwrap().log().any(|e| e.error.starts_with("InternalError")));
}

#[test]
fn a_cluster_may_move_into_a_cloud_and_without_one_a_load_balancer_is_pending() {
    let mut c = cluster(2);
    apply(&mut c, WEB);
    run(&mut c, 60);
    assert_eq!(external_ip(&c, "web"), None);
    assert_eq!(events(&c, "web"), "");
    assert!(!c.process_exists("cloud-controller-manager"));
    c.connect_cloud(Settings::default()).unwrap();
    assert!(c.connect_cloud(Settings::default()).is_err());
    run(&mut c, 60);
    assert_eq!(external_ip(&c, "web").as_deref(), Some("203.0.113.10"));
    let id = node(&c, "node-1").unwrap().spec.as_ref().unwrap().provider_id.clone();
    assert!(id.is_some_and(|id| id.starts_with("toy:///")));
    assert_eq!(taints(&c, "node-1"), Vec::<String>::new());
}
