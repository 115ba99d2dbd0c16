//! Any moment of a session is shown as it was, and looking at it changes nothing.

use cluster::Cluster;
use engine::session::{Player, Target};
use engine::{Session, faults};
use meta::{Duration, Rng, Time};
use protocol::{ApplyMode, Command, File};

const SECOND: Duration = Duration::from_secs(1);

fn apply(text: String) -> Command {
    Command::Apply { id: 1, mode: ApplyMode::Apply, files: vec![File { name: "a.yaml".into(), text }] }
}

fn deployment(image: &str, replicas: u32) -> Command {
    apply(format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: web}}}}\n  \
         template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      containers: [{{name: c, image: {image}, resources: {{requests: {{cpu: 10m}}}}}}]\n"
    ))
}

/// All there is to know of a cluster's state: the store to the last byte, the trace to the last entry, the clock.
fn print(c: &Cluster) -> (String, u64, u64, Time) {
    (format!("{:?}", c.store().snapshot()), c.trace().hash(), c.trace().last(), c.now())
}

/// Lets so much time pass, turn by turn; what the cluster was like after each goes into `seen`.
fn pass(s: &mut Session, time: Duration, seen: &mut Vec<(u64, (String, u64, u64, Time))>, rng: &mut Rng) {
    let end = s.cluster.now() + time;
    while s.cluster.step(end).is_some() {
        // A checkpoint about every forty turns.
        s.rest(Duration(1300));
        if rng.below(60) == 0 {
            seen.push((s.cluster.turns(), print(&s.cluster)));
        }
    }
    s.cluster.set_clock(end);
}

#[test]
fn any_moment_is_as_it_was_with_faults_and_in_the_middle_of_a_rollout() {
    let mut s = Session::new(3, 11, Time::SIMULATION_START).expect("a session begins");
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    pass(&mut s, SECOND, &mut seen, &mut rng);
    s.act(deployment("nginx:1.27", 6));
    pass(&mut s, Duration::from_millis(2300), &mut seen, &mut rng);
    // In the middle of the rollout the next one begins, and things go wrong.
    s.act(deployment("nginx:1.28", 9));
    for _ in 0..12 {
        if let Some(fault) = faults::random(&s.cluster, &mut rng) {
            s.act(fault);
        }
        pass(&mut s, Duration::from_millis(5700), &mut seen, &mut rng);
    }
    let (saved, present) = (s.save(), print(&s.cluster));
    assert!(seen.len() > 40, "{}", seen.len());
    for _ in 0..40 {
        let (turns, was) = &seen[rng.below(seen.len() as u32) as usize];
        let mut there = s.at(Target::Turn(*turns)).expect("a moment");
        // Inputs that came after the turn are had by now: the moment before them is what was seen.
        if print(&there.cluster) != *was {
            there = s.at(Target::Entry(was.2)).expect("a moment");
        }
        assert_eq!((there.turns(), print(&there.cluster)), (*turns, was.clone()));
    }
    // From a moment on everything happens as it did.
    let mut there = s.at(Target::Turn(seen[3].0)).expect("a moment");
    let record = s.record();
    while there.step(&record) {}
    assert_eq!(print(&there.cluster), present);
    assert_eq!((s.save(), print(&s.cluster)), (saved.clone(), present.clone()), "looking changes nothing");
    // A loaded session has the same past.
    let again = Session::load(&saved.expect("small")).expect("a session");
    let (turns, was) = &seen[seen.len() / 2];
    let moment = |p: Option<Player>| p.map(|p| print(&p.cluster));
    assert_eq!(moment(again.at(Target::Entry(was.2))), moment(s.at(Target::Entry(was.2))));
    assert_eq!(again.at(Target::Turn(*turns)).map(|p| p.turns()), Some(*turns));
}

#[test]
fn a_time_is_found_between_turns() {
    let mut s = Session::new(1, 3, Time(0)).expect("a session begins");
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    pass(&mut s, SECOND, &mut seen, &mut rng);
    s.act(deployment("nginx", 2));
    pass(&mut s, Duration::from_secs(9), &mut seen, &mut rng);
    let at = |t: u64| s.at(Target::Time(Time(t))).expect("a moment").cluster;
    assert_eq!(at(999_999).view().list::<k8s_openapi::api::apps::v1::Deployment>().count(), 0);
    assert_eq!(at(1_000_000).view().list::<k8s_openapi::api::apps::v1::Deployment>().count(), 1);
    assert_eq!(at(4_200_001).now(), Time(4_200_001));
    assert_eq!(at(u64::MAX).now(), s.cluster.now());
    assert_eq!(print(&at(u64::MAX)), print(&s.cluster));
}
