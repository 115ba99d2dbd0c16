//! Which changes of Services and nodes concern load balancers. Models `needsUpdate` and `shouldSyncUpdatedNode`.

use super::{EXCLUDE_LABEL, wants};
use crate::runner::Remark;
use k8s_openapi::api::core::v1::{Node, Service, ServiceSpec};
use reconcile::Change;
use reconcile::intent::reference;

/// A list as Go prints it.
fn go(list: Option<&Vec<String>>) -> String {
    format!("[{}]", list.map(|l| l.join(" ")).unwrap_or_default())
}

pub fn needs_update(old: &Service, new: &Service, remarks: &mut Vec<Remark>) -> bool {
    if !wants(old) && !wants(new) {
        return false;
    }
    let mut remark = |reason: &'static str, message: String| {
        remarks.push(Remark { regarding: reference(new), reason, message, warning: false });
        true
    };
    let none = ServiceSpec::default();
    let (a, b) = (old.spec.as_ref().unwrap_or(&none), new.spec.as_ref().unwrap_or(&none));
    let text = |s: &Option<String>| s.clone().unwrap_or_default();
    let (source_ranges, ips) = (
        |s: &ServiceSpec| go(s.load_balancer_source_ranges.as_ref()),
        |s: &ServiceSpec| s.external_ips.clone().unwrap_or_default(),
    );
    if wants(old) != wants(new) {
        return remark("Type", format!("{} -> {}", text(&a.type_), text(&b.type_)));
    }
    if a.load_balancer_source_ranges != b.load_balancer_source_ranges {
        return remark("LoadBalancerSourceRanges", format!("{} -> {}", source_ranges(a), source_ranges(b)));
    }
    if a.ports != b.ports
        || a.session_affinity != b.session_affinity
        || a.session_affinity_config != b.session_affinity_config
    {
        return true;
    }
    if a.load_balancer_ip != b.load_balancer_ip {
        return remark("LoadbalancerIP", format!("{} -> {}", text(&a.load_balancer_ip), text(&b.load_balancer_ip)));
    }
    let (before, after) = (ips(a), ips(b));
    if before.len() != after.len() {
        return remark("ExternalIP", format!("Count: {} -> {}", before.len(), after.len()));
    }
    if let Some((_, added)) = before.iter().zip(&after).find(|(x, y)| x != y) {
        return remark("ExternalIP", format!("Added: {added}"));
    }
    if old.metadata.annotations != new.metadata.annotations {
        return true;
    }
    if old.metadata.uid != new.metadata.uid {
        return remark("UID", format!("{} -> {}", text(&old.metadata.uid), text(&new.metadata.uid)));
    }
    if a.external_traffic_policy != b.external_traffic_policy {
        let message = format!("{} -> {}", text(&a.external_traffic_policy), text(&b.external_traffic_policy));
        return remark("ExternalTrafficPolicy", message);
    }
    let (was, is) = (a.health_check_node_port.unwrap_or(0), b.health_check_node_port.unwrap_or(0));
    was != is && remark("HealthCheckNodePort", format!("{was} -> {is}"))
}

/// A node that came, went, or changed in what load balancers look at.
pub fn hosts_change(change: &Change) -> bool {
    fn node(o: &Option<api::Obj>) -> Option<&Node> {
        o.as_ref()?.as_any().downcast_ref()
    }
    let (Some(old), Some(new)) = (node(&change.old), node(&change.new)) else { return true };
    let exclude = |n: &Node| n.metadata.labels.as_ref().and_then(|l| l.get(EXCLUDE_LABEL)).cloned();
    let id = |n: &Node| n.spec.as_ref().and_then(|s| s.provider_id.clone());
    exclude(old) != exclude(new) || id(old) != id(new)
}

#[cfg(test)]
mod tests {
    use super::{hosts_change, needs_update};
    use k8s_openapi::api::core::v1::{Node, Service};
    use reconcile::Change;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn service(over: &[(&str, Value)]) -> Service {
        let mut v = json!({ "metadata": { "name": "s", "uid": "123" }, "spec": { "type": "LoadBalancer",
            "ports": [{ "port": 80, "protocol": "TCP" }], "externalTrafficPolicy": "Cluster" } });
        for (at, value) in over {
            *v.pointer_mut(at).unwrap_or_else(|| panic!("{at} is not there")) = value.clone();
        }
        serde_json::from_value(v).unwrap()
    }

    /// Cases of upstream's `TestNeedsUpdate`: the field, before and after, and the event if there is one.
    #[test]
    fn what_a_load_balancer_follows() {
        let spec = |extra: Value| {
            let mut all = json!({ "type": "LoadBalancer", "ports": [{ "port": 80, "protocol": "TCP" }] });
            for (k, v) in extra.as_object().unwrap() {
                all[k] = v.clone();
            }
            all
        };
        let cases = [
            (json!({}), json!({}), false, ""),
            (json!({ "type": "ClusterIP" }), json!({ "type": "NodePort" }), false, ""),
            (json!({ "type": "NodePort" }), json!({}), true, "Type NodePort -> LoadBalancer"),
            (json!({}), json!({ "type": "ClusterIP" }), true, "Type LoadBalancer -> ClusterIP"),
            (
                json!({ "loadBalancerSourceRanges": ["1.0.0.0/8"] }),
                json!({ "loadBalancerSourceRanges": ["1.0.0.0/8", "2.0.0.0/8"] }),
                true,
                "LoadBalancerSourceRanges [1.0.0.0/8] -> [1.0.0.0/8 2.0.0.0/8]",
            ),
            (json!({}), json!({ "ports": [{ "port": 81, "protocol": "TCP" }] }), true, ""),
            (json!({}), json!({ "ports": [{ "port": 80, "protocol": "TCP", "targetPort": 20 }] }), true, ""),
            (json!({}), json!({ "ports": [{ "port": 80, "protocol": "TCP", "appProtocol": "http" }] }), true, ""),
            (json!({ "sessionAffinity": "None" }), json!({ "sessionAffinity": "ClientIP" }), true, ""),
            (
                json!({ "loadBalancerIP": "5.6.7.8" }),
                json!({ "loadBalancerIP": "1.2.3.4" }),
                true,
                "LoadbalancerIP 5.6.7.8 -> 1.2.3.4",
            ),
            (json!({}), json!({ "externalIPs": ["1.2.3.4"] }), true, "ExternalIP Count: 0 -> 1"),
            (
                json!({ "externalIPs": ["1.1.1.1"] }),
                json!({ "externalIPs": ["2.2.2.2"] }),
                true,
                "ExternalIP Added: 2.2.2.2",
            ),
            (
                json!({ "externalTrafficPolicy": "Cluster" }),
                json!({ "externalTrafficPolicy": "Local" }),
                true,
                "ExternalTrafficPolicy Cluster -> Local",
            ),
            (
                json!({ "healthCheckNodePort": 1 }),
                json!({ "healthCheckNodePort": 2 }),
                true,
                "HealthCheckNodePort 1 -> 2",
            ),
            // Another controller's, then and now.
            (
                json!({ "loadBalancerClass": "x" }),
                json!({ "loadBalancerClass": "x", "externalIPs": ["1.2.3.4"] }),
                false,
                "",
            ),
        ];
        for (old, new, expected, event) in cases {
            let (a, b) = (service(&[("/spec", spec(old.clone()))]), service(&[("/spec", spec(new.clone()))]));
            let mut remarks = Vec::new();
            assert_eq!(needs_update(&a, &b, &mut remarks), expected, "{old} -> {new}");
            let said: Vec<String> = remarks.iter().map(|r| format!("{} {}", r.reason, r.message)).collect();
            assert_eq!(said.join("; "), event, "{old} -> {new}");
        }
        let (a, b) = (
            service(&[]),
            service(&[("/metadata", json!({ "name": "s", "uid": "123", "annotations": { "k": "v" } }))]),
        );
        assert!(needs_update(&a, &b, &mut Vec::new()), "annotations tell clouds what to do");
        let mut remarks = Vec::new();
        assert!(needs_update(&a, &service(&[("/metadata/uid", json!("456"))]), &mut remarks));
        assert_eq!((remarks[0].reason, remarks[0].message.as_str()), ("UID", "123 -> 456"));
    }

    /// Cases of `TestShouldSyncUpdatedNode`.
    #[test]
    fn which_nodes_are_hosts() {
        let node = |labels: Value, id: &str, ready: &str| -> Option<api::Obj> {
            let status = json!({ "conditions": [{ "type": "Ready", "status": ready }] });
            let v = json!({ "metadata": { "name": "n", "labels": labels }, "spec": { "providerID": id }, "status": status });
            Some(Arc::new(serde_json::from_value::<Node>(v).unwrap()))
        };
        let changes = |old, new| {
            hosts_change(&Change { kind: &api::kinds::node::KIND, key: "n".into(), old, new, revision: 1, cause: 0 })
        };
        let plain = || node(json!({}), "toy:///a/1", "True");
        assert!(changes(None, plain()) && changes(plain(), None));
        assert!(!changes(plain(), node(json!({ "color": "blue" }), "toy:///a/1", "True")));
        assert!(!changes(plain(), node(json!({}), "toy:///a/1", "False")), "health checks see that");
        assert!(changes(plain(), node(json!({}), "toy:///a/2", "True")));
        let excluded = json!({ "node.kubernetes.io/exclude-from-external-load-balancers": "" });
        assert!(changes(plain(), node(excluded, "toy:///a/1", "True")));
    }
}
