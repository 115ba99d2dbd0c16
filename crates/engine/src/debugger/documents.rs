//! Fixes as documents for the editor. The pod of a controller is edited where its controller makes it.

use crate::rows::object_id;
use crate::yaml::to_yaml;
use api::ObjectExt;
use cluster::Cluster;
use k8s_openapi::api::core::v1::{Node, Pod, PodTemplateSpec};
use meta::Key;
use protocol::ObjectId;
use protocol::debug::Document;
use scheduler::fixes::{Draft, Op, new_class};
use serde_json::{Value, json};

/// An object as one would have written it: nothing that the server filled in for itself.
fn written(mut v: Value) -> Value {
    if let Some(o) = v.as_object_mut() {
        o.remove("status");
    }
    if let Some(m) = v.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "managedFields",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "selfLink",
            "ownerReferences",
            "deletionTimestamp",
            "generateName",
        ] {
            m.remove(field);
        }
        if let Some(a) = m.get_mut("annotations").and_then(Value::as_object_mut) {
            a.retain(|k, _| {
                k != "kubectl.kubernetes.io/last-applied-configuration" && k != "deployment.kubernetes.io/revision"
            });
            if a.is_empty() {
                m.remove("annotations");
            }
        }
    }
    v
}

pub fn of(cluster: &Cluster, pod: &Pod, ops: &[Op]) -> Vec<Document> {
    let mut documents = Vec::new();
    for op in ops {
        if let Op::Priority { class, value, new: true } = op {
            let v = serde_json::to_value(new_class(class, *value)).unwrap_or_default();
            documents.push(document("scheduling.k8s.io/v1", "PriorityClass", "", class, v, false));
        }
    }
    let (on_nodes, on_pod): (Vec<&Op>, Vec<&Op>) = ops
        .iter()
        .partition(|o| matches!(o, Op::Uncordon(_) | Op::Untaint { .. } | Op::Label { .. } | Op::AddNode { .. }));
    if !on_pod.is_empty() {
        let change = |pod: &mut Pod| {
            let mut draft = Draft { pod: std::mem::take(pod), ..Draft::default() };
            // An edit of something that the template does not have (an injected field) cannot be made there.
            let done = on_pod.iter().all(|op| op.apply(&mut draft).is_some());
            *pod = draft.pod;
            done.then_some(())
        };
        let in_place = on_pod.iter().all(|o| matches!(o, Op::Ungate | Op::Tolerate(_)));
        documents.extend(template(cluster, pod, &change).or_else(|| bare(pod, in_place, &change)));
    }
    // One document for all the edits of a node; a new node is a machine, not a document.
    let mut draft = Draft { pod: pod.clone(), ..Draft::default() };
    for op in on_nodes.into_iter().filter(|o| !matches!(o, Op::AddNode { .. })) {
        let _ = op.apply(&mut draft);
    }
    documents.extend(draft.nodes.into_values().map(|n| node(&n)));
    documents
}

fn document(api_version: &str, kind: &str, namespace: &str, name: &str, mut v: Value, replace: bool) -> Document {
    v["apiVersion"] = api_version.into();
    v["kind"] = kind.into();
    let object =
        ObjectId { api_version: api_version.into(), kind: kind.into(), namespace: namespace.into(), name: name.into() };
    Document { object, yaml: to_yaml(&v), replace }
}

/// A node's labels and what keeps pods away. What was taken away is stated as such: leaving it out would leave it.
fn node(n: &Node) -> Document {
    let name = n.metadata.name.clone().unwrap_or_default();
    let spec = n.spec.clone().unwrap_or_default();
    let v = json!({
        "metadata": {"name": name, "labels": n.metadata.labels},
        "spec": {"unschedulable": spec.unschedulable.unwrap_or(false), "taints": spec.taints.unwrap_or_default()},
    });
    document("v1", "Node", "", &name, v, false)
}

/// A change of a pod, or of the pod that a controller's template describes; `None`: it cannot be made there.
type Change<'a> = &'a dyn Fn(&mut Pod) -> Option<()>;

/// The document in which a change of the pod is made: that of its controller, if it has one.
pub fn edited(cluster: &Cluster, pod: &Pod, change: Change) -> Option<Document> {
    match (pod as &dyn api::Object).controller_ref() {
        Some(_) => template(cluster, pod, change),
        None => bare(pod, false, change),
    }
}

/// The pod itself. Most of a pod's spec cannot be changed in place.
fn bare(pod: &Pod, in_place: bool, change: Change) -> Option<Document> {
    let mut edited = pod.clone();
    change(&mut edited)?;
    let m = &pod.metadata;
    let (namespace, name) = (m.namespace.clone().unwrap_or_default(), m.name.clone().unwrap_or_default());
    if let Some(spec) = edited.spec.as_mut().filter(|_| !in_place) {
        // Admission sets it anew from the class, and the scheduler chooses anew.
        (spec.priority, spec.node_name) = (None, None);
    }
    Some(document("v1", "Pod", &namespace, &name, written(serde_json::to_value(&edited).ok()?), !in_place))
}

/// Where objects of the kind have the spec of a pod, as a JSON pointer.
pub fn pod_spec(kind: &str) -> &'static str {
    match kind {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    }
}

/// The topmost controller with a pod template, with the change in the template.
fn template(cluster: &Cluster, pod: &Pod, change: Change) -> Option<Document> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let mut owner = None;
    let mut at = (pod as &dyn api::Object).controller_ref().cloned();
    while let Some(r) = at.take() {
        let kind = api::by_api_version(&r.api_version, &r.kind)?;
        let o = cluster.object(kind, &Key::new(&namespace, &r.name))?;
        at = o.controller_ref().cloned();
        owner = Some(o);
    }
    let owner = owner?;
    let mut v = written(owner.to_value());
    let id = object_id(&*owner);
    let at = pod_spec(&id.kind);
    let template = v.pointer(at.strip_suffix("/spec")?)?;
    let template: PodTemplateSpec = serde_json::from_value(template.clone()).ok()?;
    let metadata = template.metadata.unwrap_or_default();
    let mut edited = Pod { metadata, spec: template.spec, status: None };
    change(&mut edited)?;
    if let Some(spec) = edited.spec.as_mut() {
        spec.priority = None;
    }
    *v.pointer_mut(at)? = serde_json::to_value(edited.spec).ok()?;
    // A job's template cannot be changed, and what the API server wrote into it belongs to the old one.
    let replace = id.kind == "Job";
    if replace {
        forget_controller_uid(&mut v);
    }
    Some(document(&id.api_version, &id.kind, &id.namespace, &id.name, v, replace))
}

fn forget_controller_uid(job: &mut Value) {
    const MARKS: [&str; 4] =
        ["controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"];
    if let Some(spec) = job.get_mut("spec").and_then(Value::as_object_mut)
        && spec.get("manualSelector") != Some(&Value::Bool(true))
    {
        spec.remove("selector");
    }
    for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
        if let Some(labels) = job.pointer_mut(labels).and_then(Value::as_object_mut) {
            labels.retain(|k, _| !MARKS.contains(&k.as_str()));
        }
    }
}
