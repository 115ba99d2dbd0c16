//! Any moment of a session is shown as it was, and looking at it changes nothing.

use cluster::Cluster;
use engine::session::{Player, Target};
use engine::{Session, Transport, faults};
use k8s_openapi::api::core::v1::Pod;
use meta::{Duration, Rng, Time};
use protocol::{ApplyMode, Command, File, Reply, TimeOrder, Until};

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
type Print = (String, u64, u64, Time);

fn print(c: &Cluster) -> Print {
    let store = c.store().snapshot();
    let entries = store.entries.iter().map(|(key, e)| {
        // What is worked out of an entry when somebody asks, and then remembered, is no part of it.
        let (value, lease) = (e.value.0.to_value(), e.lease);
        format!("{key} {} {} {} {lease:?} {value}\n", e.create_revision, e.mod_revision, e.version)
    });
    let text = entries.collect::<String>() + &format!("{} {:?} {}", store.revision, store.leases, store.next_lease);
    (text, c.trace().hash(), c.trace().last(), c.now())
}

/// Lets so much time pass, turn by turn; what the cluster was like after each goes into `seen`.
fn pass(s: &mut Session, time: Duration, seen: &mut Vec<(u64, Print)>, rng: &mut Rng) {
    let end = s.cluster.now() + time;
    while s.cluster.step(end).is_some() {
        // A checkpoint about every forty turns.
        s.rest(Duration(1300));
        if rng.below(15) == 0 {
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
    assert!(seen.len() > 20, "{}", seen.len());
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

fn order(s: &mut Session, t: &mut Transport, order: TimeOrder) {
    s.order(t, &order).expect("it can be done");
    let mut slices = 0;
    while s.time_view().seeking {
        s.tick(t, Duration::ZERO, |_| true);
        slices += 1;
        assert!(slices < 100_000);
    }
}

/// A session with a Deployment of three pods, all of them Ready.
fn three() -> (Session, Transport) {
    let mut s = Session::new(2, 11, Time::SIMULATION_START).expect("a session begins");
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    pass(&mut s, Duration(SECOND.0 * 5), &mut seen, &mut rng);
    s.act(deployment("nginx", 3));
    pass(&mut s, Duration(SECOND.0 * 20), &mut seen, &mut rng);
    let running = Transport { running: true, ..Transport::default() };
    (s, running)
}

#[test]
fn decisions_are_stepped_back_and_forth_and_the_present_is_untouched() {
    let (mut s, mut t) = three();
    let present = print(&s.cluster);
    let bound = |s: &Session| {
        s.shown().0.view().list::<Pod>().filter(|p| p.spec.as_ref().is_some_and(|s| s.node_name.is_some())).count()
    };
    let mut seen = Vec::new();
    for n in [3, 2, 1, 0] {
        order(&mut s, &mut t, TimeOrder::DecisionBack);
        assert_eq!((bound(&s), s.is_past(), t.running), (n, true, false));
        seen.push(print(s.shown().0));
    }
    assert_eq!(s.time_view().past.map(|p| (p.decision, p.decisions)), Some((0, 3)));
    // Nothing can be changed there.
    assert!(matches!(s.act(deployment("nginx", 9)), Some(Reply::Apply { result, .. }) if !result.errors.is_empty()));
    for n in [1, 2, 3] {
        s.step_past(&mut t, true);
        order(&mut s, &mut t, TimeOrder::Unmark { mark: 0 });
        assert_eq!((bound(&s), print(s.shown().0)), (n, seen[3 - n].clone()));
    }
    // It plays as it was until it is the present again, which goes on as before.
    t.running = true;
    while s.is_past() {
        s.tick(&mut t, SECOND, |_| false);
    }
    assert_eq!((print(&s.cluster), t.running), (present, true));
    order(&mut s, &mut t, TimeOrder::Back);
    assert_eq!(s.shown().0.turns() + 1, s.cluster.turns());
    order(&mut s, &mut t, TimeOrder::Now);
    assert!(!s.is_past() && t.running);
}

#[test]
fn a_branch_has_its_own_inputs_and_both_are_saved() {
    let (mut s, mut t) = three();
    let first = print(&s.cluster);
    order(&mut s, &mut t, TimeOrder::Mark { name: "end".into() });
    order(&mut s, &mut t, TimeOrder::DecisionBack);
    order(&mut s, &mut t, TimeOrder::Mark { name: "decided".into() });
    let there = s.shown().0.now();
    order(&mut s, &mut t, TimeOrder::Branch { name: "more".into() });
    assert_eq!((s.is_past(), s.cluster.now(), t.running), (false, there, false));
    s.act(deployment("nginx", 5));
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    pass(&mut s, Duration(SECOND.0 * 20), &mut seen, &mut rng);
    assert_eq!(s.cluster.view().list::<Pod>().count(), 5);
    let Reply::Compared { comparison, error: None, .. } = s.compare(1, 0) else { panic!("no comparison") };
    let replicas = comparison.objects.iter().flat_map(|o| &o.fields).find(|f| f.0 == "spec.replicas").cloned();
    assert_eq!(replicas, Some(("spec.replicas".into(), "5".into(), "3".into())));
    let only_here = comparison.objects.iter().filter(|o| o.what == "here" && o.id.kind == "Pod").count();
    assert_eq!((only_here, comparison.decisions.len()), (2, 2), "{:?}", comparison.decisions);
    assert!(comparison.decisions.iter().all(|d| d.here.is_some() && d.there.is_none()));
    assert_eq!(comparison.fork, there.as_micros());
    let second = print(&s.cluster);
    // Both come back from a saved session, and a mark is where its branch is.
    let mut again = Session::load(&s.save().expect("small")).expect("a session");
    for s in [&mut s, &mut again] {
        assert_eq!(print(&s.cluster), second);
        let names = |s: &Session| s.time_view().marks.into_iter().map(|m| m.name).collect::<Vec<_>>();
        assert_eq!(names(s), ["decided"]);
        order(s, &mut t, TimeOrder::Switch { branch: 0 });
        assert_eq!(print(&s.cluster), first);
        assert_eq!(names(s), ["decided", "end"]);
        assert_eq!((s.decisions(), s.time_view().inputs.len()), (3, 1));
        let views: Vec<(u32, bool)> = s.time_view().branches.iter().map(|b| (b.id, b.current)).collect();
        assert_eq!((views.len(), views[0]), (2, (0, true)));
        let id = views[1].0;
        order(s, &mut t, TimeOrder::Switch { branch: id });
        assert_eq!(print(&s.cluster), second);
        order(s, &mut t, TimeOrder::DropBranch { branch: 0 });
        assert_eq!(s.time_view().branches.len(), 1);
    }
    let packed = engine::session::pack(&s.save().expect("small"));
    assert!(packed.len() < 1500, "{}", packed.len());
    assert_eq!(print(&Session::load(&packed).expect("a session").cluster), second);
}

#[test]
fn what_was_done_last_is_taken_back_and_done_again() {
    let (mut s, mut t) = three();
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    let before = print(&s.cluster);
    assert_eq!(undo(&s), Some("apply a.yaml".into()));
    s.act(deployment("nginx", 5));
    pass(&mut s, Duration(SECOND.0 * 20), &mut seen, &mut rng);
    let five = print(&s.cluster);
    order(&mut s, &mut t, TimeOrder::Undo);
    assert_eq!((print(&s.cluster), t.running, s.time_view().inputs.len()), (before.clone(), true, 1));
    assert!(s.time_view().redo);
    order(&mut s, &mut t, TimeOrder::Redo);
    assert_eq!((print(&s.cluster), t.running, s.time_view().redo), (five, true, false));
    // Once something else is done, it is no longer offered; the branch stays.
    order(&mut s, &mut t, TimeOrder::Undo);
    s.act(Command::SetProcess { id: 0, process: "kube-scheduler".into(), running: false });
    assert_eq!((s.time_view().redo, undo(&s)), (false, Some("stop kube-scheduler".into())));
    assert!(s.order(&mut t, &TimeOrder::Redo).is_err());
    order(&mut s, &mut t, TimeOrder::Undo);
    assert_eq!((print(&s.cluster), s.time_view().inputs.len()), (before, 1));
    order(&mut s, &mut t, TimeOrder::Undo);
    assert_eq!(s.cluster.view().list::<Pod>().count(), 0);
    assert!(s.order(&mut t, &TimeOrder::Undo).is_err() && s.time_view().undo.is_none());
    // Any number of times: the oldest of what was left makes room.
    for _ in 0..20 {
        s.act(deployment("nginx", 1));
        order(&mut s, &mut t, TimeOrder::Undo);
    }
    assert!(s.time_view().branches.len() <= 6, "{}", s.time_view().branches.len());
    let again = Session::load(&s.save().expect("small")).expect("a session");
    assert_eq!(print(&again.cluster), print(&s.cluster));
}

/// What would be taken back, in words.
fn undo(s: &Session) -> Option<String> {
    s.time_view().undo.map(|d| d.what)
}

fn cordon(node: u32) -> Command {
    Command::Cordon { id: 0, node: format!("node-{node}"), on: true }
}

fn cordoned(s: &Session) -> Vec<bool> {
    let nodes = s.cluster.view().list::<k8s_openapi::api::core::v1::Node>();
    nodes.map(|n| n.spec.as_ref().and_then(|s| s.unschedulable).unwrap_or_default()).collect()
}

#[test]
fn while_time_stands_still_each_deed_is_taken_back_by_itself() {
    let (mut s, mut t) = three();
    s.act(cordon(1));
    s.act(cordon(2));
    // One line of a terminal, and a look that is none.
    let deed = s.new_deed();
    s.act_in(deed, "", deployment("nginx", 1));
    s.act_in(deed, "", Command::Fault { id: 0, fault: protocol::Fault::CutLink { node: "node-1".into(), on: true } });
    let follow = protocol::Follow { url: "http://web".into(), ..Default::default() };
    s.act(Command::As {
        identity: protocol::Identity { user: "jane".into(), groups: Vec::new() },
        command: Box::new(Command::Follow { id: 0, follow }),
    });
    let view = s.time_view().undo.expect("it can be taken back");
    assert_eq!((view.number, view.what.as_str(), view.more), (deed, "cut node-1", 1));
    // A deed that something else came into does not go on.
    assert!(s.goes_on(deed) && !s.goes_on(deed - 1));
    order(&mut s, &mut t, TimeOrder::Undo);
    assert_eq!((cordoned(&s), s.cluster.is_cut("node-1")), (vec![true, true], false));
    order(&mut s, &mut t, TimeOrder::Undo);
    assert_eq!((cordoned(&s), undo(&s)), (vec![true, false], Some("cordon node-1".into())));
}

#[test]
fn what_was_given_is_not_taken_back_with_what_was_done_at_the_same_moment() {
    let (mut s, mut t) = three();
    s.begin_deeds();
    assert_eq!(undo(&s), None);
    s.act(cordon(1));
    order(&mut s, &mut t, TimeOrder::Undo);
    assert_eq!((cordoned(&s), undo(&s)), (vec![false; 2], None));
    assert!(s.cluster.view().list::<Pod>().count() > 0);
}

#[test]
fn any_number_of_deeds_is_taken_back_and_done_again_one_by_one() {
    let (mut s, mut t) = three();
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    let mut befores = Vec::new();
    for n in 0..6 {
        befores.push(print(&s.cluster));
        s.act(deployment("nginx", n % 3));
        pass(&mut s, SECOND, &mut seen, &mut rng);
    }
    let all = print(&s.cluster);
    for before in befores.iter().rev() {
        order(&mut s, &mut t, TimeOrder::Undo);
        assert_eq!(&print(&s.cluster), before);
        // The branch that was left and the present one: nothing more is needed.
        assert_eq!(s.time_view().branches.len(), 2);
    }
    // The session comes back with what can be done again.
    s = Session::load(&s.save().expect("small")).expect("a session");
    for before in &befores[1..] {
        order(&mut s, &mut t, TimeOrder::Redo);
        assert_eq!(&print(&s.cluster), before);
    }
    order(&mut s, &mut t, TimeOrder::Redo);
    assert_eq!((print(&s.cluster), s.time_view().redo, s.time_view().branches.len()), (all.clone(), false, 1));
    // What is done instead again and again does not push out the branch that has the most.
    for _ in 0..6 {
        order(&mut s, &mut t, TimeOrder::Undo);
    }
    for _ in 0..5 {
        s.act(cordon(1));
        order(&mut s, &mut t, TimeOrder::Undo);
    }
    assert!(s.time_view().branches.len() <= 6);
    order(&mut s, &mut t, TimeOrder::Switch { branch: 0 });
    assert_eq!(print(&s.cluster), all);
    // Once somebody has gone back to a branch, and on to another, it stays.
    let other = s.time_view().branches.iter().find(|b| !b.current).map(|b| b.id).expect("another branch");
    order(&mut s, &mut t, TimeOrder::Switch { branch: other });
    for _ in 0..5 {
        s.act(cordon(2));
        order(&mut s, &mut t, TimeOrder::Undo);
    }
    assert!(s.time_view().branches.iter().any(|b| b.id == 0));
}

fn current(s: &Session) -> u32 {
    s.time_view().branches.iter().find(|b| b.current).map(|b| b.id).expect("there is a present")
}

fn marked(s: &Session) -> Vec<String> {
    s.time_view().marks.iter().map(|m| m.name.clone()).collect()
}

#[test]
fn no_bookmark_is_lost_between_two_undos_or_before_a_redo() {
    let (mut s, mut t) = three();
    let (mut seen, mut rng) = (Vec::new(), Rng::new(5));
    let mark = |name: &str| TimeOrder::Mark { name: name.into() };
    for n in 1..3 {
        s.act(cordon(n));
        pass(&mut s, SECOND, &mut seen, &mut rng);
    }
    order(&mut s, &mut t, TimeOrder::Undo);
    pass(&mut s, SECOND, &mut seen, &mut rng);
    order(&mut s, &mut t, mark("one"));
    let one = current(&s);
    order(&mut s, &mut t, TimeOrder::Undo);
    pass(&mut s, SECOND, &mut seen, &mut rng);
    order(&mut s, &mut t, mark("two"));
    let two = current(&s);
    // What was done is done again, though the branches in between stay.
    order(&mut s, &mut t, TimeOrder::Redo);
    order(&mut s, &mut t, TimeOrder::Redo);
    assert_eq!((cordoned(&s), s.time_view().redo), (vec![true; 2], false));
    // Nor does one that was left make room for others.
    let mut left = vec![(one, "one"), (two, "two")];
    for name in ["a", "b", "c", "d", "e"] {
        s.act(deployment("nginx", 1));
        pass(&mut s, SECOND, &mut seen, &mut rng);
        order(&mut s, &mut t, mark(name));
        left.push((current(&s), name));
        order(&mut s, &mut t, TimeOrder::Undo);
    }
    s = Session::load(&s.save().expect("small")).expect("a session");
    for (branch, name) in left {
        order(&mut s, &mut t, TimeOrder::Switch { branch });
        assert_eq!(marked(&s), [name]);
    }
}

#[test]
fn what_takes_no_room_is_not_refused_for_want_of_it() {
    let (mut s, mut t) = three();
    for n in 1..3 {
        s.act(cordon(n));
    }
    // As many branches as there may be, but for the one of the first undo.
    for n in 0..10 {
        order(&mut s, &mut t, TimeOrder::Branch { name: format!("b{n}") });
    }
    for _ in 0..2 {
        order(&mut s, &mut t, TimeOrder::Undo);
    }
    assert_eq!(cordoned(&s), [false; 2]);
    // With a name of its own the branch stays, and there is no room for another: nothing is done then.
    let here = current(&s);
    order(&mut s, &mut t, TimeOrder::RenameBranch { branch: here, name: "mine".into() });
    assert!(s.order(&mut t, &TimeOrder::Redo).is_err());
    assert_eq!((cordoned(&s), s.time_view().redo), (vec![false; 2], true));
}

#[test]
fn a_cluster_runs_until_something_is_so() {
    let mut s = Session::new(2, 11, Time::SIMULATION_START).expect("a session begins");
    let mut t = Transport { running: false, ..Transport::default() };
    s.act(deployment("nginx", 3));
    let wait = |s: &mut Session, t: &mut Transport, until: Until| {
        s.order(t, &TimeOrder::RunUntil { until }).expect("it is waited for");
        loop {
            assert!(t.running);
            if let Some(Reply::Until { met, .. }) = s.tick(t, Duration::ZERO, |_| true) {
                assert!(!t.running && s.time_view().until.is_none());
                return met;
            }
        }
    };
    let namespace = || "default".to_string();
    assert!(wait(&mut s, &mut t, Until::Event { reason: "Scheduled".into() }));
    let ready = |s: &Session| s.cluster.view().list::<Pod>().filter(|p| api::pods::is_ready(p)).count();
    assert_eq!(ready(&s), 0);
    let name = s.cluster.view().list::<Pod>().next().and_then(|p| p.metadata.name.clone()).expect("a pod");
    assert!(wait(&mut s, &mut t, Until::PodReady { namespace: namespace(), name }));
    assert!(ready(&s) >= 1);
    assert!(wait(&mut s, &mut t, Until::Rollout { namespace: namespace(), name: "web".into() }));
    assert_eq!(ready(&s), 3);
    let at = s.cluster.now() + Duration(SECOND.0 * 7);
    assert!(wait(&mut s, &mut t, Until::Time { at: at.as_micros() }));
    assert_eq!(s.cluster.now(), at);
    assert!(wait(&mut s, &mut t, Until::Idle));
    assert!(!wait(&mut s, &mut t, Until::PodReady { namespace: namespace(), name: "no-such".into() }));
}
