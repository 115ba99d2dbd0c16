//! The scheduling debugger through a session, as a page uses it.

use crate::common::{apply, session};
use engine::{Errands, Session, Shown, Viewer};
use meta::{Duration, Time};
use protocol::debug::{Answer, Breakpoint, Change, Debug, Move, Point, RowsQuery};
use protocol::{Command, CycleView, Reply, Subscription, Update};
use serde_json::json;
use trace::cycle::Verdict;

fn pod(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec:\n  containers:\n  - name: c\n    image: nginx\n    resources: {{requests: {{cpu: 500m, memory: 64Mi}}}}\n{spec}"
    )
}

fn ask(s: &mut Session, debug: Debug) -> Answer {
    match s.act(Command::Debug { id: 9, debug }) {
        Some(Reply::Debug { id: 9, answer }) => answer,
        other => panic!("{other:?}"),
    }
}

fn done(s: &mut Session, debug: Debug) {
    assert_eq!(ask(s, debug), Answer::Done);
}

/// What a page with compact cycles is told.
fn look(s: &mut Session, v: &mut Viewer) -> Update {
    s.debugger.sync(&mut s.cluster);
    let (cluster, debugger, time, rewinds) = (&s.cluster, &s.debugger, None, s.rewinds());
    v.update(Shown { cluster, debugger, running: true, speed: 1000, time, rewinds }).unwrap_or_default()
}

fn compact() -> Viewer {
    Viewer::new(Subscription { compact: true, follow_cycles: true, ..Default::default() })
}

fn node_of(s: &Session, name: &str) -> String {
    let key = meta::Key::new("default", name);
    let p = s.cluster.view().get::<k8s_openapi::api::core::v1::Pod>(&key);
    p.and_then(|p| p.spec.as_ref()?.node_name.clone()).unwrap_or_default()
}

#[test]
fn a_held_cycle_has_not_happened_and_leaves_no_trace_of_having_been_held() {
    let mut plain = session(3);
    let mut held = session(3);
    done(
        &mut held,
        Debug::Breakpoints { breakpoints: vec![Breakpoint { point: Some(Point::Score), ..Default::default() }] },
    );
    for s in [&mut plain, &mut held] {
        apply(s, &pod("a", ""));
        s.cluster.advance(Duration::from_secs(2));
    }
    assert_eq!(node_of(&held, "a"), "");
    let (at, now) = (held.cluster.trace().last(), held.cluster.now());
    held.cluster.advance(Duration::from_secs(60));
    assert_eq!((held.cluster.trace().last(), held.cluster.now()), (at, now), "time stands still");
    let mut v = compact();
    let u = look(&mut held, &mut v);
    let stand = u.debugger.unwrap().held.unwrap();
    assert_eq!((stand.at.point, stand.breakpoint), (Point::Score, Some(0)));
    assert_eq!(u.queues.unwrap().in_flight.len(), 1, "the pod is in flight");
    let view = u.cycle_view.unwrap();
    assert!(view.node.is_empty() && view.rows.iter().all(|r| r.total.is_none()), "the winner is not known yet");
    assert!(view.rows.iter().all(|r| r.filters.iter().all(|f| *f == Some(Verdict::Pass))));
    assert_eq!(view.rows.iter().flat_map(|r| &r.scores).filter(|s| s.0.is_some()).count(), 1);
    done(&mut held, Debug::Move { to: Move::Finish });
    done(&mut held, Debug::Breakpoints { breakpoints: Vec::new() });
    for s in [&mut plain, &mut held] {
        s.cluster.advance_to(Time::from_secs(60));
    }
    assert_eq!(node_of(&held, "a"), node_of(&plain, "a"));
    assert_eq!(held.cluster.trace().hash(), plain.cluster.trace().hash());
}

#[test]
fn the_cursor_walks_calls_nodes_and_points_to_the_end() {
    let mut s = session(3);
    done(&mut s, Debug::Hold { pod: "default/a".into(), quiz: false, off: false });
    apply(&mut s, &pod("a", ""));
    s.cluster.advance(Duration::from_secs(2));
    let mut seen = Vec::new();
    for _ in 0..100 {
        s.debugger.sync(&mut s.cluster);
        let Some(h) = s.debugger.view().held else { break };
        seen.push(h.at.point);
        done(&mut s, Debug::Move { to: Move::NextPoint });
    }
    use Point::*;
    assert_eq!(
        seen,
        [PreEnqueue, QueueSort, PreFilter, Filter, PreScore, Score, NormalizeScore, Reserve, PreBind, Bind]
    );
    s.cluster.advance(Duration::from_secs(1));
    assert_ne!(node_of(&s, "a"), "");
    // Node by node within Filter.
    done(&mut s, Debug::Breakpoints { breakpoints: vec![Breakpoint { point: Some(Filter), ..Default::default() }] });
    apply(&mut s, &pod("b", ""));
    s.cluster.advance(Duration::from_secs(2));
    s.debugger.sync(&mut s.cluster);
    let mut nodes = Vec::new();
    while let Some(h) = s.debugger.view().held.filter(|h| h.at.point == Filter) {
        nodes.push(h.at.node);
        done(&mut s, Debug::Move { to: Move::NextNode });
    }
    nodes.sort();
    assert_eq!(nodes, ["node-1", "node-2", "node-3"]);
    assert_eq!(ask(&mut s, Debug::Move { to: Move::Finish }), Answer::Done);
    assert!(matches!(ask(&mut s, Debug::Move { to: Move::NextCall }), Answer::Refused { .. }));
}

#[test]
fn breakpoints_stop_only_where_they_say() {
    let mut s = session(2);
    let fails = Breakpoint {
        plugin: "NodeResourcesFit".into(),
        node: "node-2".into(),
        when_fails: true,
        labels: "app=big".into(),
        ..Default::default()
    };
    done(&mut s, Debug::Breakpoints { breakpoints: vec![fails] });
    apply(&mut s, &pod("small", ""));
    s.cluster.advance(Duration::from_secs(5));
    assert_ne!(node_of(&s, "small"), "", "nothing to stop at");
    apply(&mut s, &pod("big", "").replace("500m", "64"));
    s.cluster.advance(Duration::from_secs(5));
    s.debugger.sync(&mut s.cluster);
    let h = s.debugger.view().held.expect("held");
    assert_eq!((h.at.node.as_str(), h.at.plugin.as_str()), ("node-2", "NodeResourcesFit"));
    assert_eq!(h.at.reasons, ["Insufficient cpu"]);
    s.debugger.go_on(&mut s.cluster);
    assert!(s.debugger.view().held.is_none());
    let bad = Breakpoint { labels: "app in (".into(), ..Default::default() };
    assert!(matches!(ask(&mut s, Debug::Breakpoints { breakpoints: vec![bad] }), Answer::Refused { .. }));
}

#[test]
fn a_saved_session_comes_back_to_the_same_call_and_inputs_end_a_held_cycle() {
    let mut s = session(3);
    done(
        &mut s,
        Debug::Breakpoints { breakpoints: vec![Breakpoint { point: Some(Point::Filter), ..Default::default() }] },
    );
    apply(&mut s, &pod("a", ""));
    s.cluster.advance(Duration::from_secs(2));
    s.debugger.sync(&mut s.cluster);
    done(&mut s, Debug::Move { to: Move::NextNode });
    let before = s.debugger.view();
    assert!(before.held.as_ref().is_some_and(|h| h.cursor > 0));
    let mut again = Session::load(&s.save().unwrap()).unwrap();
    let held = |s: &Session| s.debugger.view().held.map(|h| (h.seq, h.cursor, h.at));
    assert_eq!(held(&again), held(&s));
    assert_eq!(again.debugger.view().breakpoints, before.breakpoints);
    // An input lets the cycle end first, in the session and in its replay.
    for s in [&mut s, &mut again] {
        apply(s, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
        assert_ne!(node_of(s, "a"), "");
        done(s, Debug::Breakpoints { breakpoints: Vec::new() });
        s.cluster.advance(Duration::from_secs(30));
    }
    assert_eq!(again.cluster.trace().hash(), s.cluster.trace().hash());
    let replayed = Session::load(&s.save().unwrap()).unwrap();
    assert_eq!(replayed.cluster.trace().hash(), s.cluster.trace().hash());
}

#[test]
fn the_learner_decides_before_the_scheduler_tells() {
    let mut s = session(3);
    apply(&mut s, &pod("other", ""));
    s.cluster.advance(Duration::from_secs(5));
    let taken = node_of(&s, "other");
    done(&mut s, Debug::Hold { pod: String::new(), quiz: true, off: false });
    apply(&mut s, &pod("a", ""));
    s.cluster.advance(Duration::from_secs(2));
    let mut v = compact();
    let u = look(&mut s, &mut v);
    assert!(u.debugger.as_ref().unwrap().held.as_ref().unwrap().hidden);
    let told = serde_json::to_value(&u).unwrap();
    let view = &told["cycleView"];
    assert_eq!((view["node"].as_str(), view["message"].as_str()), (Some(""), Some("")));
    assert!(
        view["rows"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r["total"].is_null() && r["filters"].as_array().unwrap().iter().all(|f| f.is_null()))
    );
    assert!(!u.cycles.iter().any(|c| c.name == "a"));
    let seq = u.debugger.unwrap().held.unwrap().seq;
    let peek =
        Debug::Cell { cycle: seq, node: "node-1".into(), plugin: "NodeResourcesFit".into(), point: Point::Filter };
    assert!(matches!(ask(&mut s, peek), Answer::Refused { .. }));
    assert!(matches!(ask(&mut s, Debug::Move { to: Move::NextCall }), Answer::Refused { .. }));
    let Answer::Verdict(j) = ask(&mut s, Debug::Pick { node: taken.clone() }) else { panic!() };
    assert!(!j.right && j.winner != taken && !j.winner.is_empty());
    assert!(j.picked_total < j.winner_total);
    done(&mut s, Debug::Move { to: Move::Finish });
    assert_eq!(node_of(&s, "a"), j.winner);
}

fn bound_name(s: &Session) -> String {
    let mut pods = s.cluster.view().list::<k8s_openapi::api::core::v1::Pod>();
    pods.find_map(|p| p.metadata.name.clone()).expect("a pod")
}

#[test]
fn why_not_here_and_what_would_make_it_fit_with_the_controllers_document() {
    let mut s = session(2);
    apply(
        &mut s,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      nodeSelector: {disk: ssd}\n      containers: [{name: c, image: nginx}]\n",
    );
    s.cluster.advance(Duration::from_secs(5));
    let name =
        s.cluster.view().list::<k8s_openapi::api::core::v1::Pod>().find_map(|p| p.metadata.name.clone()).unwrap();
    let Answer::WhyNot { why } =
        ask(&mut s, Debug::WhyNot { namespace: "default".into(), name: name.clone(), node: "node-1".into(), cycle: 0 })
    else {
        panic!()
    };
    let refused: Vec<&str> =
        why.cells.iter().filter(|c| c.verdict != Verdict::Pass).map(|c| c.plugin.as_str()).collect();
    assert_eq!(refused, ["NodeAffinity"]);
    assert!(why.cells.iter().any(|c| c.inputs.notes.iter().any(|n| n.code == "cell.selector-absent")));
    let Answer::Fixes(f) = ask(&mut s, Debug::Fixes { namespace: "default".into(), name: name.clone() }) else {
        panic!()
    };
    let drop = f.fixes.iter().find(|f| f.fix.edits[0].note.code == "fix.selector-drop").expect("a fix");
    let document = &drop.documents[0];
    assert_eq!((document.object.kind.as_str(), document.replace), ("Deployment", false));
    assert!(!document.yaml.contains("disk"), "{}", document.yaml);
    // The edit that was proved does what it promised, through the API server.
    apply(&mut s, &document.yaml);
    s.cluster.advance(Duration::from_secs(10));
    let on: Vec<String> = s
        .cluster
        .view()
        .list::<k8s_openapi::api::core::v1::Pod>()
        .filter_map(|p| p.spec.as_ref()?.node_name.clone())
        .collect();
    assert_eq!(on.len(), 1, "{on:?}");
    // Of a bound pod one may ask too.
    let bound = Debug::WhyNot { namespace: "default".into(), name: bound_name(&s), node: "node-2".into(), cycle: 0 };
    let Answer::WhyNot { why } = ask(&mut s, bound) else { panic!() };
    assert!(why.fits && why.goes_to == on[0], "{why:?}");
    let label = f.fixes.iter().find(|f| f.fix.edits[0].note.code == "fix.label").expect("a fix of the node");
    assert_eq!(label.documents[0].object.kind, "Node");
}

#[test]
fn a_search_for_fixes_in_slices_finds_the_same() {
    let mut s = session(40);
    apply(&mut s, &pod("a", "  nodeSelector: {disk: ssd}\n").replace("500m", "6"));
    s.cluster.advance(Duration::from_secs(5));
    let debug = Debug::Fixes { namespace: "default".into(), name: "a".into() };
    let Answer::Fixes(whole) = ask(&mut s, debug.clone()) else { panic!() };
    assert!(!whole.fixes.is_empty());
    let mut errands = Errands::default();
    let command = Command::Debug { id: 9, debug };
    assert_eq!(errands.take(&mut s.cluster, &mut s.debugger, &command), Some(Vec::new()));
    let mut slices = 0;
    let reply = loop {
        slices += 1;
        // Time passes meanwhile.
        s.cluster.advance(Duration::from_millis(20));
        if let Some(reply) = errands.run(&s.cluster, || true) {
            break reply;
        }
    };
    assert!(slices > whole.tried, "{slices} slices for {} edits", whole.tried);
    assert_eq!(reply, Reply::Debug { id: 9, answer: Answer::Fixes(whole) });
    assert!(errands.run(&s.cluster, || false).is_none());
    let other = Command::Debug { id: 1, debug: Debug::Config };
    assert_eq!(errands.take(&mut s.cluster, &mut s.debugger, &other), None, "only what takes long is taken");
}

#[test]
fn every_attempt_is_kept_with_what_changed_and_who_brought_it_back() {
    let mut s = session(1);
    apply(&mut s, &pod("a", "").replace("500m", "6"));
    s.cluster.advance(Duration::from_secs(20));
    s.act(Command::AddNode { id: 1, cpu: "8".into(), memory: "8Gi".into(), pods: "110".into() });
    s.cluster.advance(Duration::from_secs(40));
    let Answer::History(h) = ask(&mut s, Debug::History { namespace: "default".into(), name: "a".into() }) else {
        panic!()
    };
    assert!(h.attempts.len() >= 2, "{h:?}");
    let (first, last) = (&h.attempts[0], &h.attempts[h.attempts.len() - 1]);
    let hints: Vec<&str> = h.attempts.iter().map(|a| a.hint.as_str()).collect();
    // A new node has room, and then loses the taint it is born with.
    assert_eq!(hints, ["", "NodeResourcesFit", "TaintToleration"]);
    assert_eq!((first.attempt, first.node.as_str(), first.event.as_str()), (1, "", ""));
    assert!(first.message.contains("Insufficient cpu"));
    assert_eq!((last.node.as_str(), last.event.as_str()), ("node-2", "NodeUpdateNodeTaint"));
    let changed: Vec<&str> = h.attempts.iter().flat_map(|a| &a.changes).map(|c| c.name.as_str()).collect();
    assert!(changed.contains(&"node-2"), "{changed:?}");
}

#[test]
fn what_if_shows_both_decisions_and_changes_nothing() {
    let mut s = session(3);
    apply(&mut s, &pod("a", "").replace("500m", "6"));
    s.cluster.advance(Duration::from_secs(5));
    let hash = s.cluster.trace().hash();
    let what_if =
        |changes: Vec<Change>| Debug::WhatIf { namespace: "default".into(), name: "a".into(), cycle: 0, changes };
    let patch = json!({"status": {"allocatable": {"cpu": "8"}}});
    let Answer::WhatIf(w) = ask(&mut s, what_if(vec![Change::Node { node: "node-2".into(), patch }])) else { panic!() };
    assert_eq!((w.before.node.as_str(), w.after.node.as_str()), ("", "node-2"));
    assert_eq!((w.differences.nodes, w.differences.changed), (3, 1));
    let more = Debug::Differences { before: w.before.seq, after: w.after.seq, group: Some(1), offset: 1, limit: 5 };
    let Answer::Differences(more) = ask(&mut s, more) else { panic!() };
    assert_eq!((more.of, more.lines.len(), more.lines[0].node.as_str()), (2, 1, "node-3"));
    let Answer::Rows { of, rows, .. } =
        ask(&mut s, Debug::Rows(RowsQuery { cycle: w.after.seq, limit: 2, ..Default::default() }))
    else {
        panic!()
    };
    assert_eq!((of, rows.len()), (3, 2));
    let cell = Debug::Cell {
        cycle: w.after.seq,
        node: "node-2".into(),
        plugin: "NodeResourcesFit".into(),
        point: Point::Filter,
    };
    let Answer::Cell { cell } = ask(&mut s, cell) else { panic!() };
    assert!(cell.inputs.amounts.iter().any(|a| a.resource == "cpu" && a.allocatable == 8000 && a.request == 6000));
    let bad = ask(&mut s, what_if(vec![Change::Weight { plugin: "NodeName".into(), weight: 3 }]));
    assert!(matches!(bad, Answer::Refused { message, .. } if message.starts_with("changes[0]: ")));
    assert_eq!(s.cluster.trace().hash(), hash);
}

#[test]
fn the_configuration_is_replaced_whole_or_refused_with_places_and_replayed() {
    let mut s = session(2);
    let Answer::Config { yaml, schedulers } = ask(&mut s, Debug::Config) else { panic!() };
    assert_eq!(schedulers, ["default-scheduler"]);
    let again = yaml.replace("schedulerName: default-scheduler", "schedulerName: other");
    let bad = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: x\n  percentageOfNodesToScore: 101\n";
    let Answer::Refused { errors, .. } = ask(&mut s, Debug::SetConfig { yaml: bad.into() }) else { panic!() };
    assert_eq!((errors[0].path.as_str(), errors[0].line), ("profiles[0].percentageOfNodesToScore", 5));
    done(&mut s, Debug::SetConfig { yaml: again });
    apply(&mut s, &pod("a", ""));
    apply(&mut s, &pod("b", "  schedulerName: other\n"));
    s.cluster.advance(Duration::from_secs(10));
    assert_eq!(node_of(&s, "a"), "", "nobody schedules for the old name any more");
    assert_ne!(node_of(&s, "b"), "");
    let events = s.cluster.view().list::<k8s_openapi::api::core::v1::Event>();
    let scheduled: Vec<&str> = events
        .filter(|e| e.reason.as_deref() == Some("Scheduled"))
        .filter_map(|e| e.reporting_component.as_deref())
        .collect();
    assert_eq!(scheduled, ["other"], "every profile speaks in its own name");
    let replayed = Session::load(&s.save().unwrap()).unwrap();
    assert_eq!(replayed.cluster.trace().hash(), s.cluster.trace().hash());
}

#[test]
fn thousands_of_nodes_are_groups_and_a_first_page() {
    use trace::Cycle;
    use trace::cycle::{FilterRecord, NodeRecord, ScoreRecord};
    let score = |n: i64| ScoreRecord { plugin: "ImageLocality".into(), raw: n, normalized: n, weight: 1, weighted: n };
    let node = |i: usize| NodeRecord {
        name: format!("node-{i}"),
        filters: vec![FilterRecord {
            plugin: "NodeResourcesFit".into(),
            verdict: if i.is_multiple_of(2) { Verdict::Pass } else { Verdict::Unschedulable },
            reasons: if i.is_multiple_of(2) { Vec::new() } else { vec!["Insufficient cpu".into()] },
        }]
        .into(),
        scores: if i.is_multiple_of(2) { vec![score(i as i64 % 100)] } else { Vec::new() }.into(),
        total: i.is_multiple_of(2).then_some(i as i64 % 100),
    };
    let cycle = Cycle { nodes: (0..5000).map(node).collect(), node: Some("node-98".into()), ..Cycle::default() };
    let view: CycleView = engine::debugger::cycle_view(1, 0, &cycle, engine::debugger::Mask::Whole);
    let counts: Vec<(usize, Verdict)> = view.groups.iter().map(|g| (g.count, g.verdict)).collect();
    assert_eq!(counts, [(2500, Verdict::Pass), (2500, Verdict::Unschedulable)]);
    assert_eq!(view.rows_total, 5000);
    assert!(view.rows.len() <= 70 && view.rows.iter().any(|r| r.node == "node-98" && r.total == Some(98)));
    assert!(serde_json::to_string(&view).unwrap().len() < 20_000);
}

/// An extender that keeps to node-2, and counts how often it is asked.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicUsize);

impl scheduler::Caller for Counting {
    fn post(&self, _: &scheduler::extender::Config, _: &str, _: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok((200, json!({"NodeNames": ["node-2"]}).to_string().into_bytes()))
    }
}

#[test]
fn a_held_cycle_asks_an_extender_once() {
    let mut s = session(3);
    let extender = std::sync::Arc::new(Counting::default());
    let asked = || extender.0.load(std::sync::atomic::Ordering::Relaxed);
    let caller = extender.clone();
    s.cluster.with_component("kube-scheduler", |k: &mut scheduler::Scheduler| k.reach_extenders(caller));
    let yaml = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nextenders:\n- urlPrefix: http://x\n  filterVerb: filter\n  nodeCacheCapable: true\n";
    done(&mut s, Debug::SetConfig { yaml: yaml.into() });
    done(&mut s, Debug::Hold { pod: String::new(), quiz: false, off: false });
    apply(&mut s, &pod("a", ""));
    s.cluster.advance(Duration::from_secs(10));
    s.debugger.sync(&mut s.cluster);
    assert!(s.debugger.view().held.is_some_and(|h| h.calls > 0));
    assert_eq!(asked(), 1);
    done(&mut s, Debug::Move { to: Move::Finish });
    s.cluster.advance(Duration::from_secs(10));
    assert_eq!((node_of(&s, "a").as_str(), asked()), ("node-2", 1));
    // A breakpoint that never stops costs no second question either.
    let breakpoint = Breakpoint { pod: "nobody".into(), ..Default::default() };
    done(&mut s, Debug::Breakpoints { breakpoints: vec![breakpoint] });
    apply(&mut s, &pod("b", ""));
    s.cluster.advance(Duration::from_secs(10));
    assert_eq!((node_of(&s, "b").as_str(), asked()), ("node-2", 2));
}
