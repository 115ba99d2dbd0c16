//! The same scenarios natively and as a wasm module under Node, to compare traces and speed.

use cluster::{Cluster, Config};
use engine::actions::{NodeSize, add_sim_node};
use k8s_openapi::api::core::v1::Pod;
use meta::{Duration, Time};
use protocol::{ApplyMode, File};
use wasm_bindgen::prelude::wasm_bindgen;

mod past;
mod perf;
pub use past::Past;
pub use perf::{Perf, perf_cases};

/// As in the page's worker.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A cluster in which `manifests` have been applied.
///
/// # Errors
/// What the API server refused, one line each.
pub fn start(manifests: &str, nodes: u32, seed: u64, recording: bool) -> Result<Cluster, String> {
    let config = Config {
        seed,
        start: Time::SIMULATION_START,
        recording,
        hashing: recording,
        keep_entries: if recording { 200_000 } else { 0 },
        keep_history: if recording { 100_000 } else { 2_000 },
        scheduler: None,
        service_account_secret: None,
        cloud: None,
        control_plane_node: false,
    };
    let mut cluster = Cluster::new(config)?;
    for _ in 0..nodes {
        add_sim_node(&mut cluster, &NodeSize::default())?;
    }
    // The nodes are Ready before anybody comes.
    cluster.advance(Duration::from_secs(20));
    let files = [File { name: "scenario.yaml".into(), text: manifests.into() }];
    let result = engine::apply::run(&mut cluster, ApplyMode::Apply, &files);
    match result.errors.first() {
        Some(e) => Err(format!("{}:{}: {}", e.line, e.column, e.message)),
        None => Ok(cluster),
    }
}

/// `hash entries revision` after `seconds` of virtual time, or `error: ...`.
#[wasm_bindgen]
pub fn trace_hash(manifests: &str, nodes: u32, seconds: u32, seed: u32) -> String {
    match start(manifests, nodes, u64::from(seed), true) {
        Ok(mut cluster) => {
            cluster.advance(Duration::from_secs(u64::from(seconds)));
            format!("{:016x} {} {}", cluster.trace().hash(), cluster.trace().last(), cluster.revision())
        }
        Err(e) => format!("error: {e}"),
    }
}

/// Proves a lesson as `kubottle lesson check` does: the trace's hash, or what is wrong, a line each.
#[wasm_bindgen]
pub fn prove_lesson(text: &str) -> String {
    proved(text, engine::lesson::prove)
}

/// The same without the other and the wrong ways.
pub fn prove_solutions(text: &str) -> String {
    proved(text, engine::lesson::prove_solutions)
}

fn proved(text: &str, prove: fn(lessons::Lesson) -> Result<engine::lesson::Report, Vec<lessons::Problem>>) -> String {
    match lessons::Lesson::read(text).and_then(prove) {
        Ok(report) => format!("{:016x}", report.hash),
        Err(problems) => problems.iter().map(|p| format!("error: {p}\n")).collect(),
    }
}

/// Applies a Deployment of `replicas` and runs until all its pods are Ready; virtual milliseconds, or a negative number
/// when they are not within an hour. The caller measures real time.
#[wasm_bindgen]
pub fn deployment_ready(replicas: u32, nodes: u32) -> f64 {
    let manifest = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: {replicas}\n  selector:\n    \
         matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      \
         containers:\n        - name: nginx\n          image: nginx:1.14.2\n          ports:\n            - containerPort: 80\n"
    );
    let Ok(mut cluster) = start(&manifest, nodes, 1, false) else { return -1.0 };
    let began = cluster.now();
    let mut turns = 0u32;
    let ready = cluster.run_until(Duration::from_secs(3600), |c| {
        turns += 1;
        // Counting all pods after every turn would measure the counting.
        turns.is_multiple_of(64) && ready_pods(c) >= replicas as usize
    });
    if ready { cluster.now().since(began).as_millis() as f64 } else { -1.0 }
}

fn ready_pods(c: &Cluster) -> usize {
    c.view()
        .list_in::<Pod>("default")
        .filter(|p| {
            let conditions = p.status.as_ref().and_then(|s| s.conditions.as_ref());
            conditions.into_iter().flatten().any(|c| c.type_ == "Ready" && c.status == "True")
        })
        .count()
}

/// A cluster of `nodes` nodes with `pods` pods waiting for a scheduler that has been off so far.
#[wasm_bindgen]
pub struct Placement {
    cluster: Cluster,
    pods: usize,
}

#[wasm_bindgen]
impl Placement {
    /// With `kubelets` the nodes are machines that start what they get; without, Node objects alone, as in upstream's
    /// `scheduler_perf`.
    ///
    /// # Panics
    /// When the cluster refuses its own objects.
    #[wasm_bindgen(constructor)]
    pub fn new(nodes: u32, pods: u32, kubelets: bool) -> Placement {
        let mut cluster = start("", if kubelets { nodes } else { 0 }, 1, false).expect("nodes start");
        cluster.set_process("kube-scheduler", false);
        if !kubelets {
            let of = |i: u32| {
                format!(
                    "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: node-{i}\nstatus:\n  capacity: {{cpu: '4', memory: \
                     32Gi, pods: '110'}}\n  allocatable: {{cpu: '4', memory: 32Gi, pods: '110'}}\n  conditions:\n  - {{type: \
                     Ready, status: 'True'}}\n"
                )
            };
            apply(&mut cluster, &(0..nodes).map(of).collect::<Vec<_>>());
        }
        // Nodes are registered, have their ranges of addresses and lose their first taints before anything is measured, as
        // in `scheduler_perf`.
        cluster.advance(Duration::from_secs(5 + u64::from(nodes) / 500));
        let of = |i: u32| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: p{i}\n  labels:\n    app: a{}\nspec:\n  containers:\n    \
                 - name: c\n      image: registry.k8s.io/pause:3.10\n      resources:\n        requests:\n          cpu: \
                 100m\n          memory: 128Mi\n",
                i % 50
            )
        };
        apply(&mut cluster, &(0..pods).map(of).collect::<Vec<_>>());
        Placement { cluster, pods: pods as usize }
    }

    /// Starts the scheduler and runs until every pod has a node; the number of pods that have one.
    pub fn run(&mut self) -> u32 {
        self.cluster.set_process("kube-scheduler", true);
        let pods = self.pods;
        let mut turns = 0u32;
        self.cluster.run_until(Duration::from_secs(600), |c| {
            turns += 1;
            turns.is_multiple_of(1024) && bound_pods(c) >= pods
        });
        bound_pods(&self.cluster) as u32
    }

    /// Lets virtual time pass.
    pub fn advance_seconds(&mut self, seconds: u32) {
        self.cluster.advance(Duration::from_secs(u64::from(seconds)));
    }
    /// Objects in the store.
    pub fn stored_keys(&self) -> u32 {
        self.cluster.store().len() as u32
    }
    /// Events of history that the store keeps.
    pub fn stored_events(&self) -> u32 {
        self.cluster.store().log_len() as u32
    }
}

/// Half a megabyte a time, as requests come.
fn apply(cluster: &mut Cluster, documents: &[String]) {
    for part in documents.chunks(2000) {
        let files = [File { name: "objects.yaml".into(), text: part.concat() }];
        let result = engine::apply::run(cluster, ApplyMode::Apply, &files);
        assert!(result.errors.is_empty(), "{:?}", result.errors.first());
    }
}

fn bound_pods(c: &Cluster) -> usize {
    c.view().list_in::<Pod>("default").filter(|p| p.spec.as_ref().is_some_and(|s| s.node_name.is_some())).count()
}
