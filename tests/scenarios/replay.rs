//! The same inputs give the same trace, and a saved session comes back exactly.

use crate::rollout::NGINX;
use engine::Session;
use meta::{Duration, Time};
use protocol::{ApplyMode, Command, File};

#[test]
fn the_same_inputs_give_the_same_trace() {
    let hash = || parity::trace_hash(NGINX, 3, 120, 7);
    let first = hash();
    assert!(!first.starts_with("error"), "{first}");
    assert_eq!(first, hash());
    assert_ne!(first, parity::trace_hash(NGINX, 3, 120, 8), "another seed, another history");
}

#[test]
fn a_session_is_replayed_to_the_last_entry() {
    let mut s = Session::new(3, 5, Time::SIMULATION_START).expect("a session starts");
    s.cluster.advance(Duration::from_secs(5));
    let files = vec![File { name: "a.yaml".into(), text: NGINX.into() }];
    s.act(Command::Apply { id: 1, mode: ApplyMode::Apply, files });
    // In the middle of the rollout.
    for _ in 0..25 {
        s.cluster.step(Time(u64::MAX));
    }
    s.act(Command::SetProcess { id: 2, process: "kube-scheduler".into(), running: false });
    s.cluster.advance(Duration::from_millis(1234));
    s.act(Command::AddNode { id: 3, cpu: "2".into(), memory: "4Gi".into(), pods: "20".into() });
    s.cluster.advance(Duration::from_secs(3));
    let again = Session::load(&s.save().expect("small enough")).expect("a session loads");
    assert_eq!(again.cluster.trace().hash(), s.cluster.trace().hash());
    assert_eq!(again.cluster.now(), s.cluster.now());
    assert_eq!(again.save(), s.save());
}

#[test]
fn a_broken_session_is_refused() {
    assert!(Session::load("{}").is_err());
    assert!(Session::load("not json").is_err());
}
