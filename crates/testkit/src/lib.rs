//! For whole-cluster tests: a cluster in a few words, and invariants that hold after every step.

pub mod invariants;

use apiserver::{Connect, ConnectTarget, StreamOptions};
use cluster::{Cluster, Config};
use engine::actions::{NodeSize, add_sim_node};
use k8s_openapi::api::core::v1::{Event, Pod};
use meta::{Duration, Time};
use protocol::{ApplyMode, ApplyResult, File};

/// A cluster with `nodes` Ready simulated nodes of the usual size.
///
/// # Panics
/// When it cannot be built, which a test should not survive.
pub fn cluster(nodes: u32) -> Cluster {
    cluster_of(Config::default(), nodes)
}

/// The same, in a cloud.
///
/// # Panics
/// As [`cluster`].
pub fn cluster_in_cloud(settings: cluster::cloud::Settings, nodes: u32) -> Cluster {
    cluster_of(Config { cloud: Some(settings), ..Config::default() }, nodes)
}

/// The same, with the control plane on a node of its own.
///
/// # Panics
/// As [`cluster`].
pub fn cluster_with_control_plane(nodes: u32) -> Cluster {
    cluster_of(Config { control_plane_node: true, ..Config::default() }, nodes)
}

fn cluster_of(config: Config, nodes: u32) -> Cluster {
    let mut c = Cluster::new(config).expect("the default configuration is sound");
    for _ in 0..nodes {
        add_sim_node(&mut c, &NodeSize::default()).expect("the default size is sound");
    }
    run(&mut c, 20);
    c
}

pub fn try_apply(c: &mut Cluster, mode: ApplyMode, yaml: &str) -> ApplyResult {
    engine::apply::run(c, mode, &[File { name: "test.yaml".into(), text: yaml.into() }])
}

/// Applies YAML and gives the lines kubectl would print.
///
/// # Panics
/// When anything is refused.
pub fn apply(c: &mut Cluster, yaml: &str) -> Vec<String> {
    let r = try_apply(c, ApplyMode::Apply, yaml);
    assert!(r.errors.is_empty(), "refused: {:#?}", r.errors);
    r.objects.into_iter().map(|o| o.line).collect()
}

/// Runs `seconds` of virtual time, checking every invariant after every step.
///
/// # Panics
/// When an invariant does not hold.
pub fn run(c: &mut Cluster, seconds: u64) {
    let end = c.now() + Duration::from_secs(seconds);
    let mut watch = invariants::Watch::new(c);
    while let Some(turn) = c.step(end) {
        if let Err(e) = watch.check(c) {
            panic!("after {} took {:?} at {}: {e}", turn.actor, turn.item, c.now());
        }
    }
    c.advance_to(end);
    assert_eq!(c.take_crashes(), Vec::new(), "no component may panic");
}

/// What a line for the shell prints in the first container of a pod of the namespace `default`: its output, then its errors.
///
/// # Panics
/// When there is no such pod, or it does not run.
pub fn exec(c: &mut Cluster, pod: &str, line: &str) -> String {
    let key = meta::Key::new("default", pod);
    let object = c.view().get::<Pod>(&key).expect("a pod").clone();
    let spec = object.spec.unwrap_or_default();
    let target = ConnectTarget {
        connect: Connect::Exec,
        pod_uid: object.metadata.uid.unwrap_or_default(),
        node: spec.node_name.unwrap_or_default(),
        container: spec.containers.first().map(|c| c.name.clone()).unwrap_or_default(),
        options: StreamOptions { command: ["sh", "-c", line].map(String::from).to_vec(), ..StreamOptions::default() },
        pod: key,
    };
    let session = c.open_session(&target).expect("the pod runs");
    let mut all = String::new();
    for _ in 0..20 {
        run(c, 1);
        let Some(out) = c.session_output(&session) else { break };
        all.push_str(&String::from_utf8_lossy(&out.stdout));
        all.push_str(&String::from_utf8_lossy(&out.stderr));
        if out.end.is_some() {
            break;
        }
    }
    all
}

/// What the first container of a pod of the namespace `default` has written.
///
/// # Panics
/// When there is no such pod.
pub fn logs(c: &mut Cluster, pod: &str) -> String {
    let key = meta::Key::new("default", pod);
    let object = c.view().get::<Pod>(&key).expect("a pod").clone();
    let spec = object.spec.unwrap_or_default();
    let log = c.pod_log(&cluster::http::LogRequest {
        pod_uid: object.metadata.uid.unwrap_or_default(),
        node: spec.node_name.unwrap_or_default(),
        options: apiserver::LogOptions {
            container: spec.containers.first().map(|c| c.name.clone()).unwrap_or_default(),
            ..apiserver::LogOptions::default()
        },
        pod: key,
    });
    String::from_utf8_lossy(&log.expect("a log")).into_owned()
}

/// A PriorityClass; `more` are further fields in flow style, each after a comma.
pub fn class(name: &str, value: i32, more: &str) -> String {
    format!(
        "{{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {{name: {name}}}, value: {value}{more}}}\n---\n"
    )
}

/// A pod of a priority class (empty: none named) labelled with its own name as `app`. Its one container asks for `cpu`
/// and has further fields in flow style, each after a comma; `spec` are further lines of the pod's spec.
pub fn classed_pod(name: &str, class: &str, cpu: &str, container: &str, spec: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!("  priorityClassName: {class}\n") };
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec:\n{class}{spec}  \
         containers:\n  - {{name: main, resources: {{requests: {{cpu: {cpu}}}}}{container}}}\n"
    )
}

/// The table `kubectl get` prints, without ages: one row a line, cells separated by two spaces.
pub fn table(c: &Cluster, plural: &str) -> String {
    let kind = api::KINDS.iter().find(|k| k.plural == plural).expect("a registered kind");
    let mut out = String::new();
    for o in c.view().list_obj(kind) {
        let cells = (kind.cells)(&**o, c.now());
        let shown: Vec<String> = kind
            .columns
            .iter()
            .zip(&cells)
            .filter(|(col, _)| col.priority == 0 && !matches!(col.name, "Age" | "Last Seen"))
            .map(|(_, v)| engine::rows::text(v))
            .collect();
        out.push_str(&shown.join("  "));
        out.push('\n');
    }
    out
}

/// `REASON message (xN)` of every event about the named object, oldest first.
pub fn events(c: &Cluster, name: &str) -> String {
    let mut list: Vec<&Event> =
        c.view().list::<Event>().filter(|e| e.involved_object.name.as_deref() == Some(name)).collect();
    let first = |e: &Event| {
        let legacy = e.first_timestamp.as_ref().map(Time::from_k8s);
        // Whole seconds, as the others have.
        let new = e.event_time.as_ref().map(|t| Time(Time::from_k8s_micro(t).0 / 1_000_000 * 1_000_000));
        legacy.or(new).unwrap_or(Time(0))
    };
    list.sort_by_key(|e| (first(e), e.metadata.resource_version.as_ref().and_then(|r| r.parse::<u64>().ok())));
    let line = |e: &&Event| {
        let (reason, message) = (e.reason.as_deref().unwrap_or(""), e.message.as_deref().unwrap_or(""));
        match e.series.as_ref().and_then(|s| s.count).or(e.count) {
            Some(n) if n > 1 => format!("{reason} {message} (x{n})\n"),
            _ => format!("{reason} {message}\n"),
        }
    };
    list.iter().map(line).collect()
}

pub fn pods(c: &Cluster) -> Vec<Pod> {
    c.view().list_in::<Pod>("default").cloned().collect()
}
