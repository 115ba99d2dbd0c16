//! What might mend a pod. Whether it does is not known here: each is tried ([`super::trial`]).

mod absent;
mod changes;
mod programs;

use super::{Case, Trouble};
use crate::debugger::documents;
use absent::absent;
use api::ObjectExt;
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use meta::Quantity;
use programs::{images, memory_limit, own_command, probes, unset};
use protocol::debug::Document;
use protocol::{ApiCall, ApplyMode, Command, Fault, File, Note, ObjectId};
use serde_json::{Value, json};
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
    let spec = documents::pod_spec(&id.kind);
    let edit = Edit {
        note: note.clone(),
        api_version: id.api_version.clone(),
        kind: id.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        path: format!("{}.{at}", spec.trim_start_matches('/').replace('/', ".")),
        before,
        after,
    };
    let kind = api::by_api_version(&id.api_version, &id.kind)?;
    let maker = case.cluster.object(kind, &meta::Key::new(&id.namespace, &id.name))?.to_value();
    let mut commands = match document.replace {
        true => vec![changes::unchanged(&id, &maker), delete(&id), apply(&document)],
        false => {
            let mut template =
                Pod { spec: serde_json::from_value(maker.pointer(spec)?.clone()).ok()?, ..Pod::default() };
            of(&mut template)?;
            let after = serde_json::to_value(template.spec).ok()?;
            vec![changes::patch(&id, spec, maker.pointer(spec)?, &after)]
        }
    };
    match id.kind.as_str() {
        "CronJob" => commands.extend(changes::run_again(case, &document)?),
        _ if !document.replace && !ROLLS_OUT.contains(&id.kind.as_str()) => commands.push(delete(&case.id())),
        _ => {}
    }
    Some(Idea { note, edit: Some(edit), commands, documents: vec![document] })
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
    edit(case, note, &format!("{}[{container}].{field}", list_of(case, container)), &|spec| {
        let c = find(spec, container)?;
        let (before, after) = (c[field].clone(), new(c)?);
        c[field] = after.clone();
        (before != after).then_some((before, after))
    })
}

/// The field of the pod's spec that the container is in.
fn list_of(case: &Case, container: &str) -> &'static str {
    let init = case.pod.spec.iter().flat_map(|s| s.init_containers.iter().flatten());
    if init.into_iter().any(|c| c.name == container) { "initContainers" } else { "containers" }
}

fn find<'a>(spec: &'a mut Value, container: &str) -> Option<&'a mut Value> {
    let spec = spec.as_object_mut()?;
    let lists = spec.iter_mut().filter(|(k, _)| matches!(k.as_str(), "initContainers" | "containers"));
    let mut all = lists.filter_map(|(_, v)| v.as_array_mut()).flatten();
    all.find(|c| c["name"] == container)
}
