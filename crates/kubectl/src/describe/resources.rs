//! What pods ask for. Models `k8s.io/kubectl/pkg/util/resource` and `…/util/qos`.

use super::view::View;
use meta::Quantity;
use std::collections::BTreeMap;

pub type Quantities<'a> = BTreeMap<&'a str, Quantity>;

/// Models `PodRequestsAndLimits`.
pub fn of_pod(pod: View<'_>) -> (Quantities<'_>, Quantities<'_>) {
    (requests(pod), limits(pod))
}

/// Adds up what `of` says of containers and of whether they stay; init containers run one after the other beside the
/// sidecars that are up by then.
fn summed<'a>(pod: View<'a>, of: impl Fn(View<'a>, bool) -> Quantities<'a>) -> Quantities<'a> {
    let mut sum = Quantities::new();
    for c in pod.list("spec.containers") {
        add(&mut sum, &of(c, true));
    }
    let (mut sidecars, mut init) = (Quantities::new(), Quantities::new());
    for c in pod.list("spec.initContainers") {
        let is_sidecar = c.s("restartPolicy") == "Always";
        let mut own = of(c, is_sidecar);
        if is_sidecar {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            own = sidecars.clone();
        } else {
            add(&mut own, &sidecars);
        }
        most(&mut init, &own);
    }
    most(&mut sum, &init);
    sum
}

fn requests(pod: View<'_>) -> Quantities<'_> {
    let infeasible = pod
        .list("status.conditions")
        .into_iter()
        .find(|c| c.s("type") == "PodResizePending")
        .is_some_and(|c| c.s("reason") == "Infeasible");
    let mut statuses = pod.list("status.containerStatuses");
    statuses.extend(pod.list("status.initContainerStatuses"));
    let mut sum = summed(pod, |c, stays| {
        let asked = c.quantities("resources.requests");
        let status = statuses.iter().rfind(|s| s.s("name") == c.s("name"));
        let Some(status) = status.filter(|s| stays && s.has("resources")) else { return asked };
        let mut most_of_all = if infeasible { Quantities::new() } else { asked };
        most(&mut most_of_all, &status.quantities("resources.requests"));
        most(&mut most_of_all, &status.quantities("allocatedResources"));
        most_of_all
    });
    add(&mut sum, &pod.quantities("spec.overhead"));
    sum
}

fn limits(pod: View<'_>) -> Quantities<'_> {
    let mut sum = summed(pod, |c, _| c.quantities("resources.limits"));
    for (name, overhead) in pod.quantities("spec.overhead") {
        if let Some(limit) = sum.get_mut(name).filter(|l| !l.is_zero()) {
            *limit += overhead;
        }
    }
    sum
}

pub fn add<'a>(sum: &mut Quantities<'a>, more: &Quantities<'a>) {
    for (name, quantity) in more {
        match sum.get_mut(name) {
            Some(have) => *have += *quantity,
            None => _ = sum.insert(name, *quantity),
        }
    }
}

fn most<'a>(have: &mut Quantities<'a>, other: &Quantities<'a>) {
    for (name, quantity) in other {
        match have.get_mut(name) {
            Some(h) if *quantity > *h => *h = *quantity,
            Some(_) => {}
            None => _ = have.insert(name, *quantity),
        }
    }
}

/// Models `GetPodQOS`.
pub fn qos(pod: View<'_>) -> &str {
    match pod.s("status.qosClass") {
        "" => computed_qos(pod),
        class => class,
    }
}

fn computed_qos(pod: View) -> &'static str {
    let parts = match pod.at("spec.resources").opt() {
        Some(resources) => vec![resources],
        None => {
            let mut containers = pod.list("spec.containers");
            containers.extend(pod.list("spec.initContainers"));
            containers.into_iter().map(|c| c.at("resources")).collect()
        }
    };
    let counted = |r: View<'_>, field: &str| -> BTreeMap<String, Quantity> {
        let counts = |name: &str, q: &Quantity| (name == "cpu" || name == "memory") && *q > Quantity::ZERO;
        r.quantities(field).into_iter().filter(|(n, q)| counts(n, q)).map(|(n, q)| (n.into(), q)).collect()
    };
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut guaranteed = true;
    for r in parts {
        let (asked, limited) = (counted(r, "requests"), counted(r, "limits"));
        guaranteed &= limited.len() == 2;
        for (sum, more) in [(&mut requests, asked), (&mut limits, limited)] {
            for (name, quantity) in more {
                *sum.entry(name).or_insert(Quantity::ZERO) += quantity;
            }
        }
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if guaranteed && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Models `ExtractContainerResourceValue`: the value in the divisor's units, rounded up.
pub fn container_value(field: View, container: View) -> Option<String> {
    let divisor = Some(field.at("divisor").quantity()).filter(|d| !d.is_zero()).unwrap_or(Quantity::from_value(1));
    let (list, name) = field.s("resource").split_once('.')?;
    if !matches!(list, "limits" | "requests") || !is_standard(name) {
        return None;
    }
    let have = container.at("resources").at(list).key(name).quantity();
    let (have, divisor) = match name {
        "cpu" => (have.milli_value(), divisor.milli_value()),
        _ => (have.value(), divisor.value()),
    };
    Some(super::show::whole((have as f64 / divisor as f64).ceil()).to_string())
}

pub fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}
/// Models `IsStandardContainerResourceName`.
pub fn is_standard(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || is_huge_page(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn shown(q: &Quantities) -> Vec<String> {
        q.iter().map(|(n, q)| format!("{n}={q}")).collect()
    }

    #[test]
    fn init_containers_count_when_they_ask_for_more() {
        let pod = json!({"spec": {
            "overhead": {"cpu": "10m", "memory": "1Mi"},
            "containers": [
                {"name": "a", "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}},
                {"name": "b", "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}},
            ],
            "initContainers": [
                {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
                {"name": "i", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}}},
            ],
        }});
        let (requests, limits) = of_pod(View::new(&pod));
        assert_eq!(shown(&requests), ["cpu=1060m", "memory=1025Mi"]);
        assert_eq!(shown(&limits), ["cpu=210m", "memory=2049Mi"]);
    }

    #[test]
    fn a_resize_counts_as_far_as_it_may_happen() {
        let pod = |reason: &str| {
            json!({
                "spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "4"}}}]},
                "status": {
                    "conditions": [{"type": "PodResizePending", "reason": reason}],
                    "containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "2"},
                        "resources": {"requests": {"cpu": "1"}}}],
                },
            })
        };
        let (deferred, infeasible) = (pod("Deferred"), pod("Infeasible"));
        assert_eq!(shown(&requests(View::new(&deferred))), ["cpu=4"]);
        assert_eq!(shown(&requests(View::new(&infeasible))), ["cpu=2"]);
    }

    #[test]
    fn classes_of_service() {
        let full = json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1024Mi"}});
        let class = |resources: &[&Value]| {
            let containers: Vec<Value> = resources.iter().map(|r| json!({"resources": r})).collect();
            computed_qos(View::new(&json!({"spec": {"containers": containers}})))
        };
        assert_eq!(class(&[&full, &full]), "Guaranteed");
        assert_eq!(class(&[&full, &json!({})]), "Burstable");
        assert_eq!(class(&[&json!({"requests": {"cpu": "0"}})]), "BestEffort");
        assert_eq!(class(&[&json!({"limits": {"cpu": "1"}})]), "Burstable");
        let told = json!({"status": {"qosClass": "Guaranteed"}});
        assert_eq!(qos(View::new(&told)), "Guaranteed");
    }

    #[test]
    fn values_are_rounded_up_in_units_of_the_divisor() {
        let c = json!({"resources": {"limits": {"cpu": "1500m", "memory": "64Mi", "hugepages-2Mi": "4Mi"}}});
        let value = |resource: &str, divisor: &str| {
            container_value(View::new(&json!({"resource": resource, "divisor": divisor})), View::new(&c))
        };
        assert_eq!(value("limits.cpu", "0").as_deref(), Some("2"));
        assert_eq!(value("limits.cpu", "1m").as_deref(), Some("1500"));
        assert_eq!(value("limits.memory", "1Mi").as_deref(), Some("64"));
        assert_eq!(value("limits.hugepages-2Mi", "0").as_deref(), Some("4194304"));
        assert_eq!(value("requests.memory", "0").as_deref(), Some("0"));
        assert_eq!(value("requests.example.com/gpu", "0"), None);
    }
}
