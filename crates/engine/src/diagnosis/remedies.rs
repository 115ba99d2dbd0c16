//! What might mend a pod. Whether it does is not known here: each is tried ([`super::trial`]).

use super::references::Missing;
use super::{Case, Trouble};
use crate::debugger::documents;
use crate::yaml::to_yaml;
use api::ObjectExt;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, PodSpec, Secret};
use kubelet::sim::catalogue;
use meta::Quantity;
use protocol::debug::Document;
use protocol::{ApiCall, ApplyMode, Command, Fault, File, Note, ObjectId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use trace::explain::Edit;
use trace::note;

/// Something to be tried.
#[derive(Clone, Debug)]
pub(crate) struct Idea {
    pub note: Note,
    pub edit: Option<Edit>,
    pub commands: Vec<Command>,
    pub documents: Vec<Document>,
}

impl Idea {
    fn of(note: Note, commands: Vec<Command>) -> Idea {
        Idea { note, edit: None, commands, documents: Vec::new() }
    }
}

/// Programs often listen here; whether the pod's does is asked of the pod.
const USUAL_PORTS: [u16; 14] = [80, 8080, 3000, 5000, 8000, 443, 8443, 9090, 8888, 5432, 3306, 6379, 27017, 9376];
/// Names that are tried in the place of one that is wrong.
const NEAR_MAX: usize = 3;

pub(crate) fn ideas(case: &Case, trouble: &Trouble) -> Vec<Idea> {
    let some = |list: Vec<Option<Idea>>| list.into_iter().flatten().collect();
    match trouble {
        Trouble::Other | Trouble::Placement => Vec::new(),
        Trouble::Gated => {
            let ops = json!([{"op": "remove", "path": "/spec/schedulingGates"}]);
            vec![Idea::of(note!("remedy.ungate"), vec![patch(case, "application/json-patch+json", &ops)])]
        }
        Trouble::Process(process) => {
            let command = Command::SetProcess { id: 0, process: process.clone(), running: true };
            vec![Idea::of(note!("remedy.start-process", process = process), vec![command])]
        }
        Trouble::Machine(node) => vec![power_on(node)],
        Trouble::Link(node) => vec![join(node)],
        Trouble::Image { container, image } => images(case, container, image),
        Trouble::Missing(missing) => absent(case, missing),
        Trouble::Root { container } => some(vec![
            in_container(case, note!("remedy.run-as-user", uid = 1000), container, "securityContext", |c| {
                let mut after = c["securityContext"].as_object().cloned().unwrap_or_default();
                after.insert("runAsUser".into(), json!(1000));
                Some(Value::Object(after))
            }),
            in_container(case, note!("remedy.allow-root"), container, "securityContext", |c| {
                let mut after = c["securityContext"].as_object().cloned().unwrap_or_default();
                after.insert("runAsNonRoot".into(), json!(false));
                Some(Value::Object(after))
            }),
        ]),
        Trouble::Command { container } => some(vec![own_command(case, container)]),
        Trouble::Memory { container } => {
            let more = |times: i64| {
                let note = |limit: &str| note!("remedy.memory", limit = limit);
                let limit = memory_limit(case, container)?;
                let limit = Quantity::parse(&limit).ok()?.value().checked_mul(times)?;
                let limit = binary(limit);
                in_container(case, note(&limit), container, "resources", |c| {
                    let mut after = c["resources"].clone();
                    *after.pointer_mut("/limits/memory")? = limit.clone().into();
                    Some(after)
                })
            };
            some(vec![more(2), more(4), more(16)])
        }
        Trouble::Crash { container } => {
            let mut all: Vec<Idea> = unset(case, container)
                .into_iter()
                .filter_map(|name| {
                    in_container(case, note!("remedy.env", name = &name), container, "env", |c| {
                        let mut env = c["env"].as_array().cloned().unwrap_or_default();
                        env.push(json!({"name": name, "value": "example"}));
                        Some(Value::Array(env))
                    })
                })
                .collect();
            all.extend(own_command(case, container));
            all
        }
        Trouble::Done { container } => {
            let once = in_spec(case, note!("remedy.once"), "restartPolicy", |_| Some("OnFailure".into()));
            let stay =
                in_container(case, note!("remedy.stay"), container, "command", |_| Some(json!(["sleep", "infinity"])));
            some(vec![once.filter(|_| is_bare(case)), stay])
        }
        Trouble::Probe { container, probe } => probes(case, container, probe),
        Trouble::Finalizers => {
            let body = json!({"metadata": {"finalizers": null}});
            vec![Idea::of(note!("remedy.finalizers"), vec![patch(case, "application/merge-patch+json", &body)])]
        }
        Trouble::Stranded => {
            let mut all = Vec::new();
            match case.cluster.machine(case.node()) {
                Some(m) if m.power == cluster::Power::Off => all.push(power_on(case.node())),
                Some(_) if case.cluster.is_cut(case.node()) => all.push(join(case.node())),
                _ => {}
            }
            all.push(Idea::of(note!("remedy.force"), vec![delete(&case.id())]));
            all
        }
    }
}

fn power_on(node: &str) -> Idea {
    Idea::of(note!("remedy.power-on", node = node), vec![Command::ReviveNode { id: 0, node: node.into() }])
}

fn join(node: &str) -> Idea {
    let fault = Fault::CutLink { node: node.into(), on: false };
    Idea::of(note!("remedy.join", node = node), vec![Command::Fault { id: 0, fault }])
}

fn is_bare(case: &Case) -> bool {
    (case.pod as &dyn api::Object).controller_ref().is_none()
}

/// A quantity as one writes it.
fn binary(bytes: i64) -> String {
    match bytes {
        n if n % (1 << 30) == 0 => format!("{}Gi", n >> 30),
        n if n % (1 << 20) == 0 => format!("{}Mi", n >> 20),
        n => n.to_string(),
    }
}

fn path(id: &ObjectId, with_name: bool) -> String {
    let plural = api::by_api_version(&id.api_version, &id.kind).map_or("", |k| k.plural);
    let root = if id.api_version.contains('/') { "apis" } else { "api" };
    let namespace = if id.namespace.is_empty() { String::new() } else { format!("/namespaces/{}", id.namespace) };
    let name = if with_name { format!("/{}", id.name) } else { String::new() };
    format!("/{root}/{}{namespace}/{plural}{name}", id.api_version)
}

fn call(method: &str, path: String, content_type: &str, body: String) -> Command {
    let (method, content_type, accept) = (method.into(), content_type.into(), "application/json".into());
    Command::Api(ApiCall { id: 0, method, path, accept, content_type, body })
}

fn patch(case: &Case, content_type: &str, body: &Value) -> Command {
    call("PATCH", path(&case.id(), true), content_type, body.to_string())
}

/// At once: a pod that is to be made anew is not waited for. Models `kubectl replace --force`.
fn delete(id: &ObjectId) -> Command {
    let query = "?gracePeriodSeconds=0&propagationPolicy=Background";
    call("DELETE", path(id, true) + query, "application/json", String::new())
}

fn apply(document: &Document) -> Command {
    let files = vec![File { name: format!("{}.yaml", document.object.name), text: document.yaml.clone() }];
    Command::Apply { id: 0, mode: ApplyMode::Apply, files }
}

/// Objects that pods of a changed template come from by themselves; of others the old pod has to go first.
const ROLLS_OUT: [&str; 2] = ["Deployment", "DaemonSet"];

/// A change of one field of the pod's spec, where the pod is made. `path` is dotted, with containers by their names.
fn edit(case: &Case, note: Note, at: &str, change: &dyn Fn(&mut Value) -> Option<(Value, Value)>) -> Option<Idea> {
    if case.pod.metadata.annotations.iter().flatten().any(|(k, _)| k == "kubernetes.io/config.mirror") {
        // It is a file on its node.
        return None;
    }
    let of = |pod: &mut Pod| {
        let mut spec = serde_json::to_value(pod.spec.as_ref()?).ok()?;
        let values = change(&mut spec)?;
        pod.spec = Some(serde_json::from_value::<PodSpec>(spec).ok()?);
        Some(values)
    };
    let (before, after) = of(&mut case.pod.clone())?;
    let document = documents::edited(case.cluster, case.pod, &|pod| of(pod).map(drop))?;
    let id = document.object.clone();
    let prefix = if id.kind == "Pod" { "spec" } else { "spec.template.spec" };
    let edit = Edit {
        note: note.clone(),
        api_version: id.api_version.clone(),
        kind: id.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        path: format!("{prefix}.{at}"),
        before,
        after,
    };
    let commands = match document.replace {
        true => vec![delete(&id), apply(&document)],
        false => {
            let mut all = vec![put(case, &document)?];
            if !ROLLS_OUT.contains(&id.kind.as_str()) {
                all.push(delete(&case.id()));
            }
            all
        }
    };
    Some(Idea { note, edit: Some(edit), commands, documents: vec![document] })
}

/// The owner as it is, with the document's template: what applying would leave of an old field goes as well. Models
/// `kubectl edit`.
fn put(case: &Case, document: &Document) -> Option<Command> {
    let id = &document.object;
    let kind = api::by_api_version(&id.api_version, &id.kind)?;
    let mut v = case.cluster.object(kind, &meta::Key::new(&id.namespace, &id.name))?.to_value();
    let edited: Value = serde_saphyr::from_str(&document.yaml).ok()?;
    v["spec"]["template"]["spec"] = edited["spec"]["template"]["spec"].clone();
    v["metadata"].as_object_mut()?.remove("resourceVersion");
    (v["apiVersion"], v["kind"]) = (id.api_version.clone().into(), id.kind.clone().into());
    Some(call("PUT", path(id, true), "application/json", v.to_string()))
}

fn in_spec(case: &Case, note: Note, field: &str, new: impl Fn(&Value) -> Option<Value>) -> Option<Idea> {
    edit(case, note, field, &|spec| {
        let (before, after) = (spec[field].clone(), new(spec)?);
        spec[field] = after.clone();
        (before != after).then_some((before, after))
    })
}

/// A change of one field of a container; null takes it away.
fn in_container(
    case: &Case,
    note: Note,
    container: &str,
    field: &str,
    new: impl Fn(&Value) -> Option<Value>,
) -> Option<Idea> {
    edit(case, note, &format!("containers[{container}].{field}"), &|spec| {
        let c = find(spec, container)?;
        let (before, after) = (c[field].clone(), new(c)?);
        c[field] = after.clone();
        (before != after).then_some((before, after))
    })
}

fn find<'a>(spec: &'a mut Value, container: &str) -> Option<&'a mut Value> {
    let spec = spec.as_object_mut()?;
    let lists = spec.iter_mut().filter(|(k, _)| matches!(k.as_str(), "initContainers" | "containers"));
    let mut all = lists.filter_map(|(_, v)| v.as_array_mut()).flatten();
    all.find(|c| c["name"] == container)
}

/// What the image runs by itself.
fn own_command(case: &Case, container: &str) -> Option<Idea> {
    edit(case, note!("remedy.own-command"), &format!("containers[{container}].command"), &|spec| {
        let c = find(spec, container)?;
        let before = c["command"].clone();
        let args = c.as_object_mut()?.remove("args");
        c.as_object_mut()?.remove("command");
        (!before.is_null() || args.is_some()).then_some((before, Value::Null))
    })
}

fn memory_limit(case: &Case, container: &str) -> Option<String> {
    let spec = case.pod.spec.as_ref()?;
    let c = spec.init_containers.iter().flatten().chain(&spec.containers).find(|c| c.name == container)?;
    Some(c.resources.as_ref()?.limits.as_ref()?.get("memory")?.0.clone())
}

fn images(case: &Case, container: &str, image: &str) -> Vec<Idea> {
    let mut all = Vec::new();
    let is_it = |b: &&String| catalogue::blocked(&BTreeSet::from([(*b).clone()]), image).is_some();
    let blocked = case.cluster.blocked_images().filter(is_it);
    all.extend(blocked.map(|b| {
        let fault = Fault::BlockImage { image: b.clone(), on: false };
        Idea::of(note!("remedy.unblock-image", image = b), vec![Command::Fault { id: 0, fault }])
    }));
    all.extend(in_container(case, note!("remedy.pull"), container, "imagePullPolicy", |c| {
        (c["imagePullPolicy"] == "Never").then(|| "IfNotPresent".into())
    }));
    let near = catalogue::near(image, NEAR_MAX);
    all.extend(near.iter().filter_map(|near| {
        in_container(case, note!("remedy.image", image = near), container, "image", |_| Some(near.as_str().into()))
    }));
    let secrets = case.cluster.view().list_in::<Secret>(case.namespace());
    let secrets = secrets.filter(|s| s.type_.as_deref().is_some_and(|t| t.starts_with("kubernetes.io/dockerc")));
    let names = secrets.filter_map(|s| s.metadata.name.clone()).take(NEAR_MAX);
    all.extend(names.filter_map(|name| {
        in_spec(case, note!("remedy.pull-secret", secret = &name), "imagePullSecrets", |spec| {
            let mut list = spec["imagePullSecrets"].as_array().cloned().unwrap_or_default();
            let new = json!({"name": name});
            (!list.contains(&new)).then(|| {
                list.push(new);
                Value::Array(list)
            })
        })
    }));
    all
}

/// Another name that is there, or the thing itself.
fn absent(case: &Case, missing: &Missing) -> Vec<Idea> {
    let mut all = Vec::new();
    let Missing { kind, name, there, keys } = missing;
    if !there {
        for other in near(&names_of(case, kind), name) {
            let note = note!("remedy.use-other", kind = kind, name = &other);
            all.extend(edit(case, note, reference_path(kind), &|spec| {
                rename(spec, kind, name, &other).then(|| (name.as_str().into(), other.as_str().into()))
            }));
        }
        let document = new_object(case, missing);
        let note = note!("remedy.create", kind = kind, name = name);
        all.push(Idea { note, edit: None, commands: vec![apply(&document)], documents: vec![document] });
        return all;
    }
    let field = if *kind == "ConfigMap" { "data" } else { "stringData" };
    let data: serde_json::Map<String, Value> = keys.iter().map(|k| (k.clone(), "example".into())).collect();
    let id = ObjectId {
        api_version: "v1".into(),
        kind: (*kind).into(),
        namespace: case.namespace().into(),
        name: name.clone(),
    };
    let list = keys.iter().cloned().collect::<Vec<_>>().join(", ");
    let body = json!({ field: data }).to_string();
    let note = note!("remedy.add-keys", kind = kind, name = name, keys = list);
    all.push(Idea::of(note, vec![call("PATCH", path(&id, true), "application/merge-patch+json", body)]));
    all
}

/// Where a pod names such a thing, as far as a path can say.
fn reference_path(kind: &str) -> &'static str {
    match kind {
        "ConfigMap" => "containers[].env, volumes[].configMap",
        "Secret" => "containers[].env, volumes[].secret",
        _ => "volumes[].persistentVolumeClaim.claimName",
    }
}

fn names_of(case: &Case, kind: &str) -> Vec<String> {
    let (view, ns) = (case.cluster.view(), case.namespace());
    let name = |m: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| m.name.clone();
    match kind {
        "ConfigMap" => view.list_in::<ConfigMap>(ns).filter_map(|o| name(&o.metadata)).collect(),
        "Secret" => view.list_in::<Secret>(ns).filter_map(|o| name(&o.metadata)).collect(),
        _ => view.list_in::<PersistentVolumeClaim>(ns).filter_map(|o| name(&o.metadata)).collect(),
    }
}

/// Those that may be meant: nearest first.
fn near(names: &[String], wanted: &str) -> Vec<String> {
    let far = (wanted.len() / 3).clamp(1, 4);
    let mut near: Vec<(usize, &String)> = names.iter().map(|n| (catalogue::distance(n, wanted), n)).collect();
    near.retain(|(d, _)| (1..=far).contains(d));
    near.sort();
    near.into_iter().take(NEAR_MAX).map(|(_, n)| n.clone()).collect()
}

/// Wherever the spec names `old`, it names `new`; whether it does anywhere.
fn rename(v: &mut Value, kind: &str, old: &str, new: &str) -> bool {
    let (holders, fields): (&[&str], &[&str]) = match kind {
        "ConfigMap" => (&["configMapRef", "configMapKeyRef", "configMap"], &["name"]),
        "Secret" => (&["secretRef", "secretKeyRef", "secret"], &["name", "secretName"]),
        _ => (&["persistentVolumeClaim"], &["claimName"]),
    };
    match v {
        // All of them, not up to the first.
        Value::Array(items) => {
            items.iter_mut().filter_map(|item| rename(item, kind, old, new).then_some(())).count() > 0
        }
        Value::Object(map) => map.iter_mut().fold(false, |done, (key, value)| {
            let mut here = false;
            if holders.contains(&key.as_str()) {
                for field in fields {
                    if let Some(name) = value.get_mut(*field).filter(|n| *n == old) {
                        *name = new.into();
                        here = true;
                    }
                }
            }
            rename(value, kind, old, new) || here || done
        }),
        _ => false,
    }
}

fn new_object(case: &Case, missing: &Missing) -> Document {
    let Missing { kind, name, keys, .. } = missing;
    let data: serde_json::Map<String, Value> = keys.iter().map(|k| (k.clone(), "example".into())).collect();
    let meta = json!({"name": name, "namespace": case.namespace()});
    let v = match *kind {
        "ConfigMap" => json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "data": data}),
        "Secret" => json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "stringData": data}),
        _ => json!({"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    };
    let object = ObjectId {
        api_version: "v1".into(),
        kind: (*kind).into(),
        namespace: case.namespace().into(),
        name: name.clone(),
    };
    Document { object, yaml: to_yaml(&v), replace: false }
}

/// Names like those of environment variables that the log's end speaks of and the container does not have.
fn unset(case: &Case, container: &str) -> Vec<String> {
    const NAMES_MAX: usize = 3;
    let Some(log) = case.cluster.log_tail(case.pod, container, 20) else { return Vec::new() };
    let spec = case.pod.spec.as_ref();
    let of = spec.iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers));
    let set: BTreeSet<&str> =
        of.filter(|c| c.name == container).flat_map(|c| c.env.iter().flatten()).map(|e| e.name.as_str()).collect();
    let mut found = Vec::new();
    for word in log.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let named = word.len() > 3 && word.contains('_') && word.starts_with(|c: char| c.is_ascii_uppercase());
        let is_name = named && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if is_name && !set.contains(word) && !found.iter().any(|f| f == word) && found.len() < NAMES_MAX {
            found.push(word.to_string());
        }
    }
    found
}

fn probes(case: &Case, container: &str, probe: &str) -> Vec<Idea> {
    let field = format!("{probe}Probe");
    let spec = case.pod.spec.as_ref();
    let of = spec.iter().flat_map(|s| &s.containers).find(|c| c.name == container);
    let declared = of.iter().flat_map(|c| c.ports.iter().flatten());
    let declared: Vec<u16> = declared.filter_map(|p| u16::try_from(p.container_port).ok()).collect();
    let ip = case.pod.status.as_ref().and_then(|s| s.pod_ip.as_deref()).unwrap_or("");
    let listens = |port: &u16| case.cluster.pod_listens(case.node(), ip, *port);
    let mut ports: Vec<u16> = declared.iter().chain(&USUAL_PORTS).copied().filter(listens).collect();
    // Between two runs nothing listens: then what is declared or probed is all that is known.
    if ports.is_empty() {
        let probed = of.and_then(|c| serde_json::to_value(c).ok());
        let probed = probed.and_then(|c| c[&field]["httpGet"]["port"].as_u64());
        ports = declared.into_iter().chain(probed.and_then(|p| u16::try_from(p).ok())).collect();
    }
    let mut seen = BTreeSet::new();
    ports.retain(|p| seen.insert(*p));
    let mut all = Vec::new();
    for port in ports.into_iter().take(NEAR_MAX) {
        all.extend(in_container(case, note!("remedy.probe-port", port = port), container, &field, |c| {
            let mut after = c[&field].clone();
            let way = ["httpGet", "tcpSocket", "grpc"].into_iter().find(|w| !after[*w].is_null())?;
            after[way]["port"] = port.into();
            Some(after)
        }));
        all.extend(in_container(case, note!("remedy.probe-path", port = port), container, &field, |c| {
            let mut after = c[&field].clone();
            let get = after.get_mut("httpGet").filter(|g| !g.is_null())?;
            (get["port"], get["path"]) = (port.into(), "/".into());
            Some(after)
        }));
    }
    all.extend(in_container(case, note!("remedy.probe-patience", times = 60), container, &field, |c| {
        let mut after = c[&field].clone();
        after["failureThreshold"] = 60.into();
        (probe == "startup").then_some(after)
    }));
    all.extend(in_container(case, note!("remedy.probe-later", seconds = 30), container, &field, |c| {
        let mut after = c[&field].clone();
        match probe {
            "liveness" => after["initialDelaySeconds"] = 30.into(),
            _ => return None,
        }
        Some(after)
    }));
    all.extend(in_container(case, note!("remedy.no-probe", probe = probe), container, &field, |c| {
        (!c[&field].is_null()).then_some(Value::Null)
    }));
    all
}
