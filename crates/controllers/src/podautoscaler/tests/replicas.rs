//! What metrics ask for, with the cases of upstream's `replica_calculator_test.go`: pods of two containers that request a
//! core each.

use crate::podautoscaler::replicas::{Metrics, PodMetric, Scene, Tolerances};
use crate::testing::{at, merged, pod, rfc3339};
use k8s_openapi::api::core::v1::Pod;
use meta::Duration;
use serde_json::json;

const NOW: u64 = 10_000;
const DEFAULT: Tolerances = Tolerances { down: 0.1, up: 0.1 };

struct Case {
    current: i32,
    /// By pod, then container; a pod beyond the list has no metrics.
    levels: Vec<Vec<i64>>,
    /// A letter for each pod: `R`eady, `U`nready, new and `r`eady, new and `u`nready, `P`ending, `F`ailed, `D`eleted.
    pods: &'static str,
    container: &'static str,
    tolerances: Tolerances,
    requests: &'static str,
}

fn case(current: i32, pods: &'static str, levels: &[i64]) -> Case {
    let levels = levels.iter().map(|l| vec![*l, *l]).collect();
    Case { current, levels, pods, container: "", tolerances: DEFAULT, requests: "1" }
}

impl Case {
    /// Of the second container alone; the first has other values.
    fn second(mut self) -> Self {
        self.container = "c2";
        self.levels.iter_mut().for_each(|l| l[0] = 1000);
        self
    }
    fn up_tolerance(mut self, up: f64) -> Self {
        self.tolerances.up = up;
        self
    }
    fn requests(mut self, requests: &'static str) -> Self {
        self.requests = requests;
        self
    }

    fn pods(&self) -> Vec<Pod> {
        let one = |(i, letter): (usize, char)| {
            let since = rfc3339(if letter.is_lowercase() { NOW } else { NOW - 180 });
            let ready = matches!(letter, 'R' | 'r');
            let phase = match letter {
                'P' => "Pending",
                'F' => "Failed",
                _ => "Running",
            };
            let container = |name: &str| match self.requests {
                "" => json!({"name": name}),
                r => json!({"name": name, "resources": {"requests": {"cpu": r, "memory": r}}}),
            };
            let mut value = merged(
                pod(&format!("p{i}"), None, json!({})),
                json!({
                    "spec": {"containers": [container("c1"), container("c2")]},
                    "status": {"phase": phase, "startTime": since, "conditions": [
                        {"type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": since}]},
                }),
            );
            if letter == 'D' {
                value["metadata"]["deletionTimestamp"] = json!(rfc3339(NOW));
            }
            serde_json::from_value(value).expect("a pod")
        };
        self.pods.chars().enumerate().map(one).collect()
    }

    fn metrics(&self) -> Metrics {
        let of = |levels: &[i64]| if self.container.is_empty() { levels.iter().sum() } else { levels[1] };
        let one = |(i, levels): (usize, &Vec<i64>)| {
            let metric = PodMetric { timestamp: at(NOW), window: Duration::from_secs(60), value: of(levels) };
            (format!("p{i}"), metric)
        };
        self.levels.iter().enumerate().map(one).collect()
    }

    fn with<R>(&self, resource: &str, f: impl FnOnce(&Scene, Metrics) -> R) -> R {
        let pods = self.pods();
        let pods: Vec<&Pod> = pods.iter().collect();
        let (current, container, tolerances) = (self.current, self.container, self.tolerances);
        let scene = Scene { now: at(NOW), current, resource, container, tolerances, pods: &pods };
        f(&scene, self.metrics())
    }

    /// Replicas, percent, average.
    fn percent(&self, target: i32) -> Result<(i32, i32, i64), String> {
        let proposal = self.with("cpu", |scene, metrics| scene.for_utilization(metrics, target))?;
        Ok((proposal.replicas, proposal.utilization, proposal.value))
    }
    fn value(&self, target: i64) -> (i32, i64) {
        let proposal = self.with("", |scene, metrics| scene.for_value(metrics, target)).expect("a proposal");
        (proposal.replicas, proposal.value)
    }
}

#[test]
fn growing() {
    let levels = &[300, 500, 700];
    assert_eq!(case(3, "RRR", levels).percent(30), Ok((5, 50, 1000)));
    assert_eq!(case(3, "RRR", levels).second().percent(30), Ok((5, 50, 500)));
    for pods in ["URR", "rRR"] {
        assert_eq!(case(3, pods, levels).percent(30), Ok((4, 60, 1200)), "what is not ready counts as idle: {pods}");
        assert_eq!(case(3, pods, levels).second().percent(30), Ok((4, 60, 600)), "{pods}");
    }
    for pods in ["RUU", "Ruu"] {
        assert_eq!(case(3, pods, &[400, 500, 700]).percent(30), Ok((3, 40, 800)), "{pods}");
    }
    for pods in ["RRFF", "RRDD"] {
        assert_eq!(case(2, pods, &[500, 700]).percent(30), Ok((4, 60, 1200)), "{pods}");
        assert_eq!(case(2, pods, &[500, 700]).second().percent(30), Ok((4, 60, 600)), "{pods}");
    }
}

#[test]
fn shrinking() {
    let levels = &[100, 300, 500, 250, 250];
    assert_eq!(case(5, "RRRRR", levels).percent(50), Ok((3, 28, 560)));
    assert_eq!(case(5, "RRRRR", levels).second().percent(50), Ok((3, 28, 280)));
    for pods in ["RRRUU", "RRRrr"] {
        assert_eq!(case(5, pods, levels).percent(50), Ok((2, 30, 600)), "{pods}");
        assert_eq!(case(5, pods, levels).second().percent(50), Ok((2, 30, 300)), "{pods}");
    }
    assert_eq!(case(5, "RPPPP", &[100]).percent(50), Ok((1, 10, 200)));
    for pods in ["RRRRRFF", "RRRRRDD"] {
        assert_eq!(case(5, pods, levels).percent(50), Ok((3, 28, 560)), "{pods}");
    }
}

#[test]
fn a_small_difference_changes_nothing() {
    let levels = &[900, 1000, 1100];
    assert_eq!(case(3, "RRR", levels).requests("0.9").percent(100), Ok((4, 111, 2000)));
    assert_eq!(case(3, "RRR", levels).percent(100), Ok((3, 100, 2000)));
    assert_eq!(case(3, "RRR", levels).percent(94), Ok((3, 100, 2000)), "six percent above");
    assert_eq!(case(3, "RRR", levels).up_tolerance(0.01).percent(94), Ok((4, 100, 2000)));
}

#[test]
fn what_is_missing_speaks_against_the_change() {
    assert_eq!(case(4, "RRRR", &[400, 95]).percent(100), Ok((3, 24, 495)), "as if the others took all they may");
    assert_eq!(case(3, "RRR", &[500]).percent(20), Ok((3, 50, 1000)), "as if the others took nothing");
    assert_eq!(case(2, "RR", &[1000]).percent(20), Ok((5, 100, 2000)));
    assert_eq!(case(3, "RRU", &[1000, 1500]).percent(100), Ok((3, 125, 2500)), "growing would turn into shrinking");
}

#[test]
fn values() {
    let of = |levels: &[i64]| levels.iter().map(|l| l / 2).collect::<Vec<_>>();
    let case = |current, pods, levels: &[i64]| case(current, pods, &of(levels));
    assert_eq!(case(3, "RRR", &[20000, 10000, 30000]).value(15000), (4, 20000));
    assert_eq!(case(3, "RRu", &[50000, 10000, 30000]).value(15000), (6, 30000), "readiness is for processor time");
    assert_eq!(case(3, "uRu", &[50000, 15000, 30000]).value(15000), (7, 31666));
    assert_eq!(case(5, "RRRRR", &[12000; 5]).value(20000), (3, 12000));
    assert_eq!(case(3, "RRR", &[20000, 21000, 21000]).value(20000), (3, 20666));
    assert_eq!(case(3, "RRR", &[20000, 21000, 21000]).up_tolerance(0.01).value(20000), (4, 20666));
    assert_eq!(case(5, "RRRRR", &[20000, 19000, 21000]).value(20000), (5, 20000));
    assert_eq!(case(2, "RRR", &[10000, 10000]).value(17000), (2, 10000), "one pod more while it is being replaced");
}

#[test]
fn what_stands_in_the_way() {
    let why = |c: Case| c.percent(50).expect_err("a reason");
    assert_eq!(why(case(1, "", &[])), "no pods returned by selector while calculating replica count");
    assert_eq!(why(case(1, "R", &[])), "did not receive metrics for targeted pods (pods might be unready)");
    assert_eq!(why(case(1, "u", &[500])), "did not receive metrics for targeted pods (pods might be unready)");
    assert_eq!(why(case(1, "R", &[500]).requests("")), "missing request for cpu in container c1 of Pod p0");
    let mut third = case(1, "R", &[500]);
    third.container = "c3";
    assert_eq!(why(third), "container c3 not found in Pod p0");
}
