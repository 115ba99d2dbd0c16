//! `generators`, `transformers` and `validators`: upstream's own ones with a configuration each. Models kustomize's plugin
//! loader and `kustomize/api/internal/builtins`. What would run a program is refused, as kubectl refuses it.

use super::config::{Place, places};
use super::loader::Root;
use super::names::{End, Namespace, Subjects};
use super::resource::Resource;
use super::target::Gathered;
use super::{documents, generate, images, labels, names, patches, replacements, strings, target, text, valueadd};
use crate::error::Error;
use serde_json::{Map, Value, json};

/// What a transformer does.
pub(super) type Step<'r> = Box<dyn Fn(&mut Vec<Resource>) -> Result<(), Error> + 'r>;
/// What a generator makes, and the entry it makes it of.
pub(super) type Made<'r> = Box<dyn Fn() -> Result<(Value, Resource), Error> + 'r>;

/// The configurations that a field of a kustomization names or holds. Models `configureExternalGenerators`.
pub(super) fn resources(
    root: &Root<'_>,
    k: &Map<String, Value>,
    field: &str,
    warnings: &mut Vec<String>,
) -> Result<Vec<Resource>, Error> {
    let mut g = Gathered::default();
    let mut paths = Vec::new();
    for entry in strings(k, field) {
        match documents(entry) {
            Ok(found) => {
                for object in found {
                    let origin = format!("path: {}\n", root.way_to(target::NAMES[0]));
                    super::resource::append(&mut g.all, Resource { origin, ..Resource::new(object) })?;
                }
            }
            // It is no configuration, then it is the path of one.
            Err(_) => paths.push(entry),
        }
    }
    for path in paths {
        target::resource(root, path, &mut g, warnings)?;
    }
    // These are read another way, by which case counts.
    for r in g.all.iter_mut().filter(|r| !matches!(r.kind(), "PrefixTransformer" | "SuffixTransformer")) {
        let read = canonical(&r.object);
        r.written = Some(std::mem::replace(&mut r.object, read));
    }
    Ok(g.all)
}

fn is_builtin(r: &Resource) -> bool {
    r.object["apiVersion"] == "builtin"
}

fn external(r: &Resource) -> Error {
    text(format!("external plugins disabled; unable to load external plugin '{}'", r.kind()))
}

fn fails(r: &Resource, why: &str) -> Error {
    text(format!("plugin {} fails configuration: {why}", r.id()))
}

const GENERATORS: [&str; 4] =
    ["ConfigMapGenerator", "HelmChartInflationGenerator", "IAMPolicyGenerator", "SecretGenerator"];
const TRANSFORMERS: [&str; 14] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Models `LoadGenerators`.
pub(super) fn generators<'r>(root: &'r Root<'_>, all: &'r [Resource]) -> Result<Vec<Made<'r>>, Error> {
    let failed = |e: Error| text(format!("failed to load generator: {}", e.go()));
    all.iter().map(|r| generator(root, r).map_err(failed)).collect()
}

fn generator<'r>(root: &'r Root<'_>, r: &'r Resource) -> Result<Made<'r>, Error> {
    if !is_builtin(r) {
        return Err(external(r));
    }
    let kind = r.kind();
    match kind {
        "ConfigMapGenerator" | "SecretGenerator" => {
            let mut entry = r.object.clone();
            for field in ["name", "namespace"] {
                if entry[field].as_str().is_none_or(str::is_empty) {
                    entry[field] = r.object["metadata"][field].clone();
                }
            }
            let of = kind.trim_end_matches("Generator");
            let origin = origin(root, r);
            Ok(Box::new(move || {
                let made = generate::one(root, of, &entry, &Value::Null)?;
                Ok((entry.clone(), Resource { origin: origin.clone(), ..made }))
            }))
        }
        "IAMPolicyGenerator" => {
            let origin = origin(root, r);
            Ok(Box::new(move || Ok((Value::Null, Resource { origin: origin.clone(), ..account(&r.object)? }))))
        }
        "HelmChartInflationGenerator" => Err(fails(r, "must specify --enable-helm")),
        _ if TRANSFORMERS.contains(&kind) => Err(text(format!("plugin {} not a generator", r.id()))),
        _ => Err(unknown(r)),
    }
}

fn unknown(r: &Resource) -> Error {
    text(format!("unable to load builtin {}.builtin.[noGrp]", r.kind()))
}

/// Models `filters/iampolicygenerator`.
fn account(config: &Value) -> Result<Resource, Error> {
    let field = |pointer: &str| config.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    if field("/cloud") != "gke" {
        return Err(text(format!("cloud provider {} not supported yet", field("/cloud"))));
    }
    let email =
        format!("{}@{}.iam.gserviceaccount.com", field("/serviceAccount/name"), field("/serviceAccount/projectId"));
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "annotations": {"iam.gke.io/gcp-service-account": email},
            "name": field("/kubernetesService/name"),
        },
    });
    let namespace = field("/kubernetesService/namespace");
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = namespace.into();
    }
    Ok(Resource::new(object))
}

/// Models `LoadTransformers`.
pub(super) fn transformers<'r>(root: &'r Root<'_>, all: &'r [Resource]) -> Result<Vec<Step<'r>>, Error> {
    all.iter().map(|r| transformer(root, r)).collect()
}

/// Pairs of texts: what is a number or a truth value becomes one.
fn texts(v: &Value) -> Map<String, Value> {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), String::from);
    v.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), text(v).into())).collect()
}

/// A configuration with the names of its fields as they are written here: Go reads them in any case.
fn canonical(v: &Value) -> Value {
    const KNOWN: [&str; 32] = [
        "path",
        "patch",
        "target",
        "options",
        "paths",
        "patches",
        "jsonOp",
        "imageTag",
        "name",
        "newName",
        "newTag",
        "digest",
        "tagSuffix",
        "fieldSpecs",
        "group",
        "version",
        "kind",
        "create",
        "replica",
        "count",
        "replacements",
        "labels",
        "annotations",
        "unsetOnly",
        "setRoleBindingSubjects",
        "namespace",
        "value",
        "targets",
        "targetFilePath",
        "selector",
        "fieldPath",
        "filePathPosition",
    ];
    match v {
        Value::Object(map) => {
            let field = |(name, v): (&String, &Value)| {
                let known = KNOWN.iter().find(|k| k.eq_ignore_ascii_case(name)).filter(|k| !map.contains_key(**k));
                let free = ["labels", "annotations"].iter().any(|f| f.eq_ignore_ascii_case(name));
                (known.map_or_else(|| name.clone(), |k| (*k).into()), if free { v.clone() } else { canonical(v) })
            };
            Value::Object(map.iter().map(field).collect())
        }
        Value::Array(list) => list.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

fn transformer<'r>(root: &'r Root<'_>, r: &'r Resource) -> Result<Step<'r>, Error> {
    if !is_builtin(r) {
        return Err(external(r));
    }
    let config = &r.object;
    let specs = places(&config["fieldSpecs"]);
    let field = |f: &str| config[f].as_str().unwrap_or("");
    let wrong = |why: String| fails(r, &why);
    Ok(match r.kind() {
        kind @ ("AnnotationsTransformer" | "LabelTransformer") => {
            let pairs = texts(&config[if kind == "LabelTransformer" { "labels" } else { "annotations" }]);
            Box::new(move |all| labels::configured(&pairs, &specs, all))
        }
        "HashTransformer" => Box::new(|all| {
            super::hash_names(all);
            Ok(())
        }),
        "ImageTagTransformer" => Box::new(move |all| {
            images::image(&config["imageTag"], &specs.iter().map(Place::spec).collect::<Vec<_>>(), all)
        }),
        "NamespaceTransformer" => namespace(config, specs).map_err(wrong)?,
        "PatchJson6902Transformer" => {
            let operations = patches::load_operations(root, config).map_err(wrong)?;
            Box::new(move |all| patches::operate(&operations, &config["target"], all))
        }
        "PatchStrategicMergeTransformer" => {
            let paths: Vec<&str> = config["paths"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let merges = patches::load_merges(root, &paths, field("patches")).map_err(wrong)?;
            Box::new(move |all| patches::merge_all(&merges, all))
        }
        "PatchTransformer" => {
            let patch = patches::load(root, config, r.written.as_ref().unwrap_or(config)).map_err(wrong)?;
            Box::new(move |all| patch.apply(all))
        }
        kind @ ("PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer") => {
            if config.get("fieldSpecs").is_none_or(Value::is_null) {
                return Err(wrong("fieldSpecs is not expected to be nil".into()));
            }
            Box::new(move |all| {
                if kind != "SuffixTransformer" {
                    names::affixed(field("prefix"), End::Prefix, &specs, all)?;
                }
                if kind != "PrefixTransformer" {
                    names::affixed(field("suffix"), End::Suffix, &specs, all)?;
                }
                Ok(())
            })
        }
        "ReplacementTransformer" => Box::new(move |all| {
            let k: Map<String, Value> = [("replacements".into(), config["replacements"].clone())].into_iter().collect();
            replacements::run(root, &k, all)
        }),
        "ReplicaCountTransformer" => Box::new(move |all| images::replica(&config["replica"], &specs, all)),
        "ValueAddTransformer" => valueadd::load(root, config).map_err(wrong)?,
        kind if GENERATORS.contains(&kind) => return Err(text(format!("plugin {} not a transformer", r.id()))),
        _ => return Err(unknown(r)),
    })
}

fn namespace(config: &Value, places: Vec<Place>) -> Result<Step<'_>, String> {
    let name = config["metadata"]["namespace"].as_str().unwrap_or("");
    let subjects = match config["setRoleBindingSubjects"].as_str().unwrap_or("") {
        "" | "defaultOnly" => Subjects::Default,
        "allServiceAccounts" => Subjects::Accounts,
        "none" => Subjects::None,
        other => {
            return Err(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \
                 \"allServiceAccounts\""
            ));
        }
    };
    let namespace = Namespace { name, unset_only: config["unsetOnly"] == true, subjects, places };
    Ok(Box::new(move |all| if name.is_empty() { Ok(()) } else { namespace.apply(all) }))
}

/// Where what a generator made comes from.
fn origin(root: &Root<'_>, r: &Resource) -> String {
    note(root, r).trim_start_matches("- ").replace("\n  ", "\n")
}

/// What is noted of a transformer where the kustomization wants that. Models `AddTransformerAnnotation`.
pub(super) fn note(root: &Root<'_>, r: &Resource) -> String {
    let file = r.origin.strip_prefix("path: ").map_or_else(|| root.way_to(target::NAMES[0]), |p| p.trim_end().into());
    let (id, name) = (r.id(), r.name());
    let mut note = format!("- configuredIn: {file}\n  configuredBy:\n    apiVersion: builtin\n    kind: {}\n", id.kind);
    if !name.is_empty() {
        note.push_str(&format!("    name: {name}\n"));
    }
    if !id.namespace.is_empty() {
        note.push_str(&format!("    namespace: {}\n", id.namespace));
    }
    note
}

/// A validator may change nothing but a label that says who it was. Models `runValidators` and `ErrorIfNotEqualSets`.
pub(super) fn validate(step: &Step<'_>, all: &mut Vec<Resource>) -> Result<(), Error> {
    const BY: &str = "validated-by";
    let before = all.clone();
    step(all)?;
    let unequal = |why: String| Err(text(format!("validator shouldn't modify the resource map: {why}")));
    if before.len() != all.len() {
        return unequal(format!("lists have different number of entries: {} {}", before.len(), all.len()));
    }
    for (a, b) in before.iter().zip(all.iter()) {
        let mut b = b.clone();
        if let Some(labels) = b.object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut)
            && labels.remove(BY).is_some()
            && labels.is_empty()
        {
            b.metadata().remove("labels");
        }
        let (a, b) = (a.noted(), b.noted());
        if a != b {
            // Upstream prints where its nodes are in memory.
            let node = "&resource.Resource{RNode:yaml.RNode{fieldPath:[]string(nil), \
                        value:(*yaml.Node)(0xc000000000), ShouldKeep:false, Match:[]string(nil)}, \
                        refVarNames:[]string(nil)}";
            let (a, b) = (crate::print::gojson::compact(&a), crate::print::gojson::compact(&b));
            return unequal(format!("nodes unequal: \n -- {a},\n -- {b}\n\n--\n{node}\n------\n{node}\n"));
        }
    }
    Ok(())
}
