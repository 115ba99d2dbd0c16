//! `kubottle simulate`: a whole cluster, headless, in virtual time.

use super::faults::{self, Script};
use super::manifests::StaticPods;
use super::{borrowed, decode, no_objects, print, problems, read_files};
use crate::machines;
use anyhow::{Context, anyhow};
use api::{KINDS, ObjectExt};
use cluster::cloud::Settings;
use cluster::{Cluster, Config};
use engine::NodeSize;
use k8s_openapi::api::core::v1::{Event, Node};
use kubelet::{NodeConfig, SimRuntime};
use manifest::Document;
use meta::{Duration, Time};
use protocol::{ApplyMode, Command, Reply};
use std::path::PathBuf;

/// A cluster that never comes to rest (a crash loop) is stopped after this much virtual time.
const IDLE_MAX: Duration = Duration::from_secs(3600);
/// What kubelets need to register, before the files are applied.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
pub struct Args {
    /// YAML or JSON files or directories; - is standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// How much virtual time to let pass: idle, or a duration such as 90s, 5m, 1h30m
    #[arg(long, default_value = "idle", value_parser = until)]
    until: Until,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simulated nodes, when the files hold no Node
    #[arg(long, default_value_t = 3, value_name = "N")]
    nodes: u32,
    /// In a toy cloud: instances, zones, routes and load balancers, and a cloud-controller-manager
    #[arg(long)]
    cloud: bool,
    /// The control plane is a node of its own: its programs, and CoreDNS, are pods in kube-system
    #[arg(long)]
    control_plane_node: bool,
    /// Static pods of a node: its kubelet runs what the files of a directory say (staticPodPath); node-1 when no node is
    /// named
    #[arg(long = "pod-manifest-path", value_name = "[NODE=]DIR")]
    manifests: Vec<StaticPods>,
    /// A script of what goes wrong, a line each: 30s cut node-1, or 1m random 20 in 10m; - is standard input
    #[arg(long, value_name = "FILE", long_help = faults::HELP)]
    faults: Vec<PathBuf>,
    #[arg(short = 'o', long = "output", value_enum, default_value = "yaml")]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Until {
    Idle,
    After(Duration),
}

impl Until {
    fn end(self, now: Time) -> Option<Time> {
        match self {
            Until::Idle => None,
            Until::After(span) => Some(now + span),
        }
    }
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Output {
    /// Every object, as kubectl get -o yaml prints a List
    Yaml,
    Json,
    /// The Events, oldest first
    Events,
    /// The trace, one JSON entry a line
    Trace,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let files = read_files(&args.files)?;
    let documents = manifest::parse(&borrowed(&files)).map_err(|p| problems(&p))?;
    if documents.is_empty() {
        return Err(no_objects(&files));
    }
    let script = Script::parse(&read_files(&args.faults)?, args.seed)?;
    let trace = args.output == Output::Trace;
    let keep_entries = if trace { usize::MAX } else { 0 };
    // Nobody watches and nobody looks back.
    let keep_history = 2_000;
    let config = Config {
        seed: args.seed,
        recording: trace,
        hashing: false,
        keep_entries,
        keep_history,
        control_plane_node: args.control_plane_node,
        cloud: args.cloud.then(|| Settings { seed: args.seed, ..Settings::default() }),
        ..Config::default()
    };
    let mut cluster = Cluster::new(config).map_err(|e| anyhow!(e))?;
    switch_on(&mut cluster, &documents, args.nodes)?;
    for dir in &args.manifests {
        dir.give(&mut cluster)?;
    }
    cluster.advance(SETTLE);
    apply(&mut cluster, files)?;
    let end = args.until.end(cluster.now());
    script.run(&mut cluster, end)?;
    match end {
        Some(end) => cluster.advance_to(end),
        None => {
            if !cluster.run_until_idle(IDLE_MAX) {
                eprintln!("kubottle: not at rest after {}; this is how it stands", IDLE_MAX.go_string());
            }
        }
    }
    for (process, message) in cluster.take_crashes() {
        eprintln!("kubottle: {process} crashed and was restarted: {message}");
    }
    output(&cluster, args.output)
}

/// A machine for every Node of the files, or so many of the usual size.
fn switch_on(cluster: &mut Cluster, documents: &[Document], count: u32) -> anyhow::Result<()> {
    let nodes: Vec<&Document> = documents.iter().filter(|d| d.kind() == "Node").collect();
    for (n, d) in (1..).zip(&nodes) {
        let Some(object) = decode(d).map_err(|p| problems(&p))? else { continue };
        let Ok(node) = object.into_any().downcast::<Node>() else { continue };
        let config = machine(n, cluster.fork_seed(), &node).with_context(|| format!("{}:{}", d.file, d.line))?;
        let runtime = SimRuntime::new(config.seed, config.speed);
        cluster.add_machine(config, Box::new(runtime)).map_err(|e| anyhow!("{}:{}: {e}", d.file, d.line))?;
    }
    if nodes.is_empty() {
        for _ in 0..count {
            engine::actions::add_sim_node(cluster, &NodeSize::default()).map_err(|e| anyhow!(e))?;
        }
    }
    Ok(())
}

/// The machine that a Node object describes.
fn machine(n: u32, seed: u64, node: &Node) -> anyhow::Result<NodeConfig> {
    let name = node.metadata.name.as_deref().unwrap_or("");
    let usual = NodeSize::default();
    let status = node.status.clone().unwrap_or_default();
    let lists = [status.capacity, status.allocatable];
    let of = |resource: &str, usual: &str| {
        let found = lists.iter().flatten().find_map(|l| l.get(resource));
        found.map_or_else(|| usual.to_string(), |q| q.0.clone())
    };
    let size =
        NodeSize { cpu: of("cpu", &usual.cpu), memory: of("memory", &usual.memory), pods: of("pods", &usual.pods) };
    let mut config = machines::config(name, n, &size, seed).map_err(|e| anyhow!(e))?;
    // The others come when the files are applied.
    let may_say = |(label, _): &(String, String)| !apiserver::admission::node_restriction::is_forbidden(label);
    config.labels.extend(node.metadata.labels.clone().unwrap_or_default().into_iter().filter(may_say));
    Ok(config)
}

/// Applies everything, or says what is wrong and where.
fn apply(cluster: &mut Cluster, files: Vec<(String, String)>) -> anyhow::Result<()> {
    let files = files.into_iter().map(|(name, text)| protocol::File { name, text }).collect();
    let reply = engine::act(cluster, &Command::Apply { id: 0, mode: ApplyMode::Apply, files });
    let Some(Reply::Apply { result, .. }) = reply else { return Err(anyhow!("the files were not applied")) };
    for w in result.warnings {
        eprintln!("Warning: {}", w.message);
    }
    if result.errors.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> =
        result.errors.iter().map(|e| format!("{}:{}:{}: {}", e.file, e.line, e.column, e.message)).collect();
    Err(anyhow!("{}", lines.join("\n")))
}

fn output(cluster: &Cluster, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Trace => {
            let mut text = String::new();
            for entry in cluster.trace().since(0) {
                text.push_str(&serde_json::to_string(entry)?);
                text.push('\n');
            }
            print(&text)
        }
        Output::Events => print(&events(cluster)),
        Output::Json => print(&format!("{}\n", serde_json::to_string_pretty(&list(cluster))?)),
        Output::Yaml => print(&engine::yaml::to_yaml(&list(cluster))),
    }
}

fn list(cluster: &Cluster) -> serde_json::Value {
    let mut items = Vec::new();
    for kind in KINDS {
        items.extend(cluster.view().list_obj(kind).map(|o| o.to_value()));
    }
    serde_json::json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items})
}

/// As `kubectl events --all-namespaces`, with the time since the start instead of an age.
fn events(cluster: &Cluster) -> String {
    let start = cluster.start_time();
    let mut found: Vec<(Time, &Event)> = cluster
        .view()
        .list::<Event>()
        .map(|e| {
            let legacy = e.last_timestamp.as_ref().or(e.first_timestamp.as_ref()).map(Time::from_k8s);
            let observed = e.series.as_ref().and_then(|s| s.last_observed_time.as_ref());
            let at = observed.or(e.event_time.as_ref()).map(Time::from_k8s_micro).or(legacy);
            (at.or(e.metadata.creation_timestamp.as_ref().map(Time::from_k8s)).unwrap_or(start), e)
        })
        .collect();
    // Equal times stay in the order in which they were written.
    let revision = |e: &Event| e.metadata.resource_version.as_ref().and_then(|r| r.parse::<u64>().ok());
    found.sort_by_key(|(at, e)| (*at, revision(e)));
    let mut rows = vec![["TIME", "NAMESPACE", "TYPE", "REASON", "OBJECT", "MESSAGE"].map(String::from)];
    for (at, e) in found {
        let about = &e.involved_object;
        let object = format!("{}/{}", about.kind.as_deref().unwrap_or(""), about.name.as_deref().unwrap_or(""));
        let count = e.series.as_ref().and_then(|s| s.count).or(e.count);
        let count = count.filter(|n| *n > 1).map(|n| format!(" (x{n})")).unwrap_or_default();
        rows.push([
            at.since(start).go_string(),
            (e as &dyn api::Object).namespace().into(),
            e.type_.clone().unwrap_or_default(),
            e.reason.clone().unwrap_or_default(),
            object.to_lowercase(),
            format!("{}{count}", e.message.clone().unwrap_or_default().trim()),
        ]);
    }
    super::image::columns(&rows)
}

fn until(text: &str) -> Result<Until, String> {
    if text == "idle" {
        return Ok(Until::Idle);
    }
    duration(text).map(Until::After).ok_or_else(|| "say idle, or a duration such as 90s, 5m or 1h30m".into())
}

/// Go's duration syntax, whole numbers: `1h30m`, `90s`, `500ms`.
pub fn duration(text: &str) -> Option<Duration> {
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let micros = match &rest[..unit_end] {
            "h" => 3_600_000_000,
            "m" => 60_000_000,
            "s" => 1_000_000,
            "ms" => 1_000,
            _ => return None,
        };
        rest = &rest[unit_end..];
        total = total.checked_add(number.checked_mul(micros)?)?;
    }
    (!text.is_empty()).then_some(Duration(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, seconds) in [("90s", Some(90)), ("5m", Some(300)), ("1h30m", Some(5400)), ("5", None), ("", None)] {
            assert_eq!(duration(text), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(until("idle"), Ok(Until::Idle));
        assert!(until("soon").is_err());
    }
}
