//! Of several schedulers or controller managers one works; another takes over when its lease has run out.

use crate::rollout::NGINX;
use cluster::{Cluster, Lamp};
use engine::{act, faults};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use meta::{Duration, Key, Time};
use protocol::Reply;
use testkit::{apply, cluster, events, pods, run};

fn say(c: &mut Cluster, words: &str) {
    let reply = act(c, &faults::command(words).expect("it is understood"));
    assert_eq!(reply, Some(Reply::Done { id: 0, error: None }), "{words}");
}

fn lease(c: &Cluster, name: &str) -> LeaseSpec {
    c.view().get::<Lease>(&Key::new("kube-system", name)).and_then(|l| l.spec.clone()).expect("the lease is there")
}
fn holder(c: &Cluster, name: &str) -> String {
    lease(c, name).holder_identity.unwrap_or_default()
}
/// Renewed so many seconds ago.
fn age(c: &Cluster, name: &str) -> u64 {
    let renewed = lease(c, name).renew_time.as_ref().map(Time::from_k8s_micro).expect("a time");
    c.now().since(renewed).as_secs()
}
fn bound(c: &Cluster) -> usize {
    let node = |p: &k8s_openapi::api::core::v1::Pod| p.spec.as_ref().and_then(|s| s.node_name.clone());
    pods(c).iter().filter(|p| node(p).is_some()).count()
}
/// Seconds until it is so, a minute at most.
fn seconds_until(c: &mut Cluster, done: impl FnMut(&Cluster) -> bool) -> u64 {
    let start = c.now();
    assert!(c.run_until(Duration::from_secs(60), done), "not within a minute");
    c.now().since(start).as_secs()
}

#[test]
fn the_first_leads_from_the_beginning_and_renews_every_two_seconds() {
    let mut c = cluster(1);
    for (name, source) in
        [("kube-scheduler", "default-scheduler"), ("kube-controller-manager", "kube-controller-manager")]
    {
        let first = lease(&c, name);
        let holder = first.holder_identity.clone().unwrap_or_default();
        assert!(holder.starts_with("control-plane_") && holder.len() == "control-plane_".len() + 36, "{holder}");
        assert_eq!((first.lease_duration_seconds, first.lease_transitions), (Some(15), Some(0)));
        assert_eq!(events(&c, name), format!("LeaderElection {holder} became leader\n"));
        let told = c.view().list::<k8s_openapi::api::core::v1::Event>();
        let mut told = told.filter(|e| e.involved_object.name.as_deref() == Some(name));
        let e = told.next().expect("an event");
        assert_eq!(e.source.as_ref().and_then(|s| s.component.as_deref()), Some(source));
        assert_eq!(e.involved_object.api_version.as_deref(), Some("coordination.k8s.io/v1"));
        assert!(age(&c, name) <= 2);
    }
    let before = lease(&c, "kube-scheduler");
    run(&mut c, 100);
    let after = lease(&c, "kube-scheduler");
    assert!(age(&c, "kube-scheduler") <= 2);
    assert_eq!(LeaseSpec { renew_time: None, ..after }, LeaseSpec { renew_time: None, ..before });
    assert!(c.run_until_idle(Duration::from_secs(120)), "renewals are no unrest");
}

#[test]
fn a_second_scheduler_takes_over_when_the_leases_time_is_over() {
    let mut c = cluster(2);
    let first = holder(&c, "kube-scheduler");
    say(&mut c, "start kube-scheduler-2");
    run(&mut c, 30);
    assert!(c.stands_by("kube-scheduler-2") && !c.stands_by("kube-scheduler"));
    assert_eq!(holder(&c, "kube-scheduler"), first);
    say(&mut c, "crash kube-scheduler");
    apply(&mut c, NGINX);
    let took = seconds_until(&mut c, |c| bound(c) == 3);
    assert!((13..=20).contains(&took), "handed over after {took} s");
    let second = holder(&c, "kube-scheduler");
    assert!(second.starts_with("control-plane-2_"), "{second}");
    assert_eq!(lease(&c, "kube-scheduler").lease_transitions, Some(1));
    assert!(events(&c, "kube-scheduler").ends_with(&format!("LeaderElection {second} became leader\n")));
    // The first one is back meanwhile, and waits now.
    run(&mut c, 30);
    assert!(c.stands_by("kube-scheduler") && !c.stands_by("kube-scheduler-2"));
    assert_eq!(c.lamp("kube-scheduler"), Some(Lamp::Running));
    assert_eq!(holder(&c, "kube-scheduler"), second);
}

#[test]
fn a_scheduler_that_is_stopped_gives_its_lease_back_and_a_controller_manager_does_not() {
    let mut c = cluster(2);
    say(&mut c, "start kube-scheduler-2");
    say(&mut c, "start kube-controller-manager-2");
    run(&mut c, 10);
    say(&mut c, "stop kube-scheduler");
    assert_eq!(
        (holder(&c, "kube-scheduler").as_str(), lease(&c, "kube-scheduler").lease_duration_seconds),
        ("", Some(1))
    );
    let took = seconds_until(&mut c, |c| !c.stands_by("kube-scheduler-2"));
    assert!(took <= 5, "{took} s");
    say(&mut c, "stop kube-controller-manager");
    assert!(holder(&c, "kube-controller-manager").starts_with("control-plane_"));
    let took = seconds_until(&mut c, |c| !c.stands_by("kube-controller-manager-2"));
    assert!((11..=20).contains(&took), "{took} s");
    apply(&mut c, NGINX);
    run(&mut c, 60);
    assert_eq!(bound(&c), 3);
    // Two are enough to name: of programs that do not elect, and of others, there is one.
    for words in ["start kube-proxy-2", "start kube-scheduler-1", "start kube-scheduler-x", "start kube-schedulerx"] {
        let command = faults::command(words).expect("it is understood");
        assert!(matches!(act(&mut c, &command), Some(Reply::Done { error: Some(_), .. })), "{words}");
    }
}

#[test]
fn who_comes_back_waits_for_the_lease_it_had_under_its_old_name() {
    let mut c = cluster(2);
    let first = holder(&c, "kube-controller-manager");
    say(&mut c, "crash kube-controller-manager");
    apply(&mut c, NGINX);
    let back = seconds_until(&mut c, |c| c.lamp("deployment-controller") == Some(Lamp::Standby));
    assert_eq!((back, pods(&c).len()), (10, 0));
    let led = seconds_until(&mut c, |c| c.lamp("deployment-controller") == Some(Lamp::Running));
    assert!((4..=20).contains(&led), "{led} s");
    assert_ne!(holder(&c, "kube-controller-manager"), first);
    run(&mut c, 60);
    assert_eq!(bound(&c), 3);
}

#[test]
fn a_leader_that_stood_still_too_long_ends_and_begins_anew() {
    let mut c = cluster(2);
    say(&mut c, "start kube-scheduler-2");
    run(&mut c, 10);
    say(&mut c, "pause kube-scheduler");
    seconds_until(&mut c, |c| !c.stands_by("kube-scheduler-2"));
    say(&mut c, "resume kube-scheduler");
    apply(&mut c, NGINX);
    run(&mut c, 5);
    assert_eq!(bound(&c), 3, "the other one works");
    run(&mut c, 10);
    assert!(events(&c, "kube-scheduler").contains(" stopped leading"), "{}", events(&c, "kube-scheduler"));
    run(&mut c, 20);
    assert!(c.stands_by("kube-scheduler") && !c.stands_by("kube-scheduler-2"));
}

#[test]
fn a_lease_that_somebody_else_writes_over_is_lost() {
    let mut c = cluster(2);
    let patch = serde_json::json!({"spec": {"holderIdentity": "thief"}});
    let (key, kind) = (Key::new("kube-system", "kube-scheduler"), &api::kinds::lease::KIND);
    let merge = apiserver::PatchType::Merge;
    c.request(cluster::requests::patch(meta::User::admin(), kind, &key, "", merge, patch));
    run(&mut c, 15);
    assert_eq!((c.lamp("kube-scheduler"), holder(&c, "kube-scheduler").as_str()), (Some(Lamp::Crashed), "thief"));
    run(&mut c, 40);
    assert!(holder(&c, "kube-scheduler").starts_with("control-plane_"));
    assert_eq!(c.lamp("kube-scheduler"), Some(Lamp::Running));
}
