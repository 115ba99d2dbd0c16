//! What makes pods and keeps them.

use super::events::{self, About};
use super::sort::sort;
use super::view::View;
use super::writer::put;
use super::{Describer, parts, pods, show, storage};
use crate::error::Error;
use serde_json::Value;

impl Describer<'_> {
    pub async fn replication_controller(&self, rc: View<'_>) -> Result<String, Error> {
        let selector = parts::label_set(rc.at("spec.selector"));
        let asked = if selector == "<none>" { "" } else { &selector };
        let phases = self.phases(rc, asked).await?;
        let events = self.events(About::object("ReplicationController", rc)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", rc.name());
        put!(w, 0, "Namespace:\t{}\n", rc.namespace());
        put!(w, 0, "Selector:\t{selector}\n");
        parts::metadata(&mut w, rc);
        put!(w, 0, "Replicas:\t{} current / {} desired\n", rc.i("status.replicas"), rc.i("spec.replicas"));
        put!(w, 0, "Pods Status:\t{phases}\n");
        pods::template(&mut w, rc.at("spec.template"));
        parts::workload_conditions(&mut w, rc);
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn replica_set(&self, rs: View<'_>) -> Result<String, Error> {
        let phases = self.phases(rs, &parts::selector(rs.at("spec.selector"))).await;
        let events = self.events(About::object("ReplicaSet", rs)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", rs.name());
        put!(w, 0, "Namespace:\t{}\n", rs.namespace());
        put!(w, 0, "Selector:\t{}\n", parts::selector_or_none(rs.at("spec.selector")));
        parts::metadata(&mut w, rs);
        parts::controlled_by(&mut w, rs);
        put!(w, 0, "Replicas:\t{} current / {} desired\n", rs.i("status.replicas"), rs.i("spec.replicas"));
        put!(w, 0, "Pods Status:\t");
        match phases {
            Ok(phases) => put!(w, 0, "{phases}\n"),
            Err(e) => put!(w, 0, "error in fetching pods: {}\n", e.go()),
        }
        pods::template(&mut w, rs.at("spec.template"));
        parts::workload_conditions(&mut w, rs);
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn deployment(&self, d: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("Deployment", d)).await;
        let selector = parts::selector(d.at("spec.selector"));
        let path = format!("/apis/apps/v1/namespaces/{}/replicasets", d.namespace());
        let sets = self.list(&path, &[("labelSelector", &selector)]).await.unwrap_or_default();
        let (old, new) = replica_sets(d, &sets);
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", d.name());
        put!(w, 0, "Namespace:\t{}\n", d.namespace());
        put!(w, 0, "CreationTimestamp:\t{}\n", show::time(d.at("metadata.creationTimestamp")));
        parts::metadata(&mut w, d);
        put!(w, 0, "Selector:\t{selector}\n");
        put!(
            w,
            0,
            "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable\n",
            d.i("spec.replicas"),
            d.i("status.updatedReplicas"),
            d.i("status.replicas"),
            d.i("status.availableReplicas"),
            d.i("status.unavailableReplicas")
        );
        put!(w, 0, "StrategyType:\t{}\n", d.s("spec.strategy.type"));
        put!(w, 0, "MinReadySeconds:\t{}\n", d.i("spec.minReadySeconds"));
        if let Some(rolling) = d.at("spec.strategy.rollingUpdate").opt() {
            let (down, up) = (rolling.at("maxUnavailable").int_or_string(), rolling.at("maxSurge").int_or_string());
            put!(w, 0, "RollingUpdateStrategy:\t{down} max unavailable, {up} max surge\n");
        }
        pods::template(&mut w, d.at("spec.template"));
        parts::workload_conditions(&mut w, d);
        if !old.is_empty() || new.is_some() {
            put!(w, 0, "OldReplicaSets:\t{}\n", created(&old));
            put!(w, 0, "NewReplicaSet:\t{}\n", created(new.as_slice()));
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn stateful_set(&self, set: View<'_>) -> Result<String, Error> {
        let selector = parts::selector(set.at("spec.selector"));
        let phases = self.phases(set, &selector).await?;
        let events = self.events(About::object("StatefulSet", set)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", set.name());
        put!(w, 0, "Namespace:\t{}\n", set.namespace());
        put!(w, 0, "CreationTimestamp:\t{}\n", show::time(set.at("metadata.creationTimestamp")));
        put!(w, 0, "Selector:\t{selector}\n");
        parts::metadata(&mut w, set);
        put!(w, 0, "Replicas:\t{} desired | {} total\n", set.i("spec.replicas"), set.i("status.replicas"));
        put!(w, 0, "Update Strategy:\t{}\n", set.s("spec.updateStrategy.type"));
        if let Some(partition) = set.at("spec.updateStrategy.rollingUpdate.partition").opt() {
            put!(w, 1, "Partition:\t{}\n", partition.int());
            if let Some(most) = set.at("spec.updateStrategy.rollingUpdate.maxUnavailable").opt() {
                put!(w, 1, "MaxUnavailable:\t{}\n", most.int_or_string());
            }
        }
        put!(w, 0, "Pods Status:\t{phases}\n");
        pods::template(&mut w, set.at("spec.template"));
        storage::claim_templates(&mut w, set.list("spec.volumeClaimTemplates"));
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub async fn daemon_set(&self, set: View<'_>) -> Result<String, Error> {
        let selector = parts::selector(set.at("spec.selector"));
        let phases = self.phases(set, &selector).await?;
        let events = self.events(About::object("DaemonSet", set)).await;
        let mut w = self.writer();
        put!(w, 0, "Name:\t{}\n", set.name());
        put!(w, 0, "Namespace:\t{}\n", set.namespace());
        put!(w, 0, "Selector:\t{selector}\n");
        put!(w, 0, "Node-Selector:\t{}\n", parts::label_set(set.at("spec.template.spec.nodeSelector")));
        parts::metadata(&mut w, set);
        for (title, field) in [
            ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
            ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
            ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
            ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
            ("Number of Nodes Misscheduled", "numberMisscheduled"),
        ] {
            put!(w, 0, "{title}: {}\n", set.at("status").i(field));
        }
        put!(w, 0, "Pods Status:\t{phases}\n");
        pods::template(&mut w, set.at("spec.template"));
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

/// The sets that a Deployment owns: old ones, and the one of its present template. Models `GetAllReplicaSets`.
fn replica_sets<'a>(d: View, sets: &'a [Value]) -> (Vec<View<'a>>, Option<View<'a>>) {
    let mut owned: Vec<View> = sets
        .iter()
        .map(View::new)
        .filter(|rs| rs.controller().is_some_and(|owner| owner.s("uid") == d.uid()))
        .collect();
    let age = |rs: &View<'a>| (show::micros(rs.at("metadata.creationTimestamp")), rs.name());
    sort(&mut owned, |a, b| age(a) < age(b));
    let wanted = without_hash(d.at("spec.template"));
    let new = owned.iter().find(|rs| without_hash(rs.at("spec.template")) == wanted).copied();
    let old = owned.into_iter().filter(|rs| new.is_none_or(|n| n.uid() != rs.uid())).collect();
    (old, new)
}

/// A template without the label that tells the sets of a Deployment apart.
fn without_hash(template: View) -> Value {
    let mut template = template.value().cloned().unwrap_or_default();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
        if labels.is_empty()
            && let Some(metadata) = template["metadata"].as_object_mut()
        {
            metadata.remove("labels");
        }
    }
    template
}

/// Models `printReplicaSetsByLabels`.
fn created(sets: &[View]) -> String {
    let shown =
        |rs: &View| format!("{} ({}/{} replicas created)", rs.name(), rs.i("status.replicas"), rs.i("spec.replicas"));
    let texts: Vec<String> = sets.iter().map(shown).collect();
    if texts.is_empty() { "<none>".into() } else { texts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_new_set_has_the_same_template() {
        let template = |image: &str, hash: Option<&str>| {
            let mut t = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"image": image}]}});
            if let Some(hash) = hash {
                t["metadata"]["labels"]["pod-template-hash"] = hash.into();
            }
            t
        };
        let rs = |name: &str, image: &str, owner: &str, created: &str| {
            json!({
                "metadata": {"name": name, "uid": name, "creationTimestamp": created,
                    "ownerReferences": [{"uid": owner, "controller": true}]},
                "spec": {"replicas": 1, "template": template(image, Some(name))}, "status": {"replicas": 2},
            })
        };
        let d = json!({"metadata": {"uid": "d"}, "spec": {"template": template("two", None)}});
        let sets = [
            rs("c", "two", "d", "2026-01-01T00:00:02Z"),
            rs("b", "one", "d", "2026-01-01T00:00:01Z"),
            rs("a", "zero", "d", "2026-01-01T00:00:01Z"),
            rs("x", "two", "other", "2026-01-01T00:00:00Z"),
        ];
        let (old, new) = replica_sets(View::new(&d), &sets);
        assert_eq!(new.map(View::name), Some("c"));
        assert_eq!(created(&old), "a (2/1 replicas created), b (2/1 replicas created)");
        assert_eq!(created(&[]), "<none>");
    }
}
