//! A directory's kustomization, step by step. Models `kustomize/api/internal/target`.

use super::config::{self, Config};
use super::loader::Root;
use super::plugins::{self, Step};
use super::resource::{Resource, append};
use super::{
    documents, fields, generate, images, labels, list, names, parse, patches, replacements, strings, text, trouble,
    vars,
};
use crate::error::Error;
use serde_json::{Map, Value};

pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The schema that kustomize has built in.
const SCHEMA: &str = "v1.21.2";
/// Old fields, and what is said of them.
const DEPRECATED: &[(&str, &str)] = &[
    ("bases", "'bases' is deprecated. Please use 'resources' instead. "),
    ("commonLabels", "'commonLabels' is deprecated. Please use 'labels' instead. "),
    ("imageTags", "'imageTags' is deprecated. Please use 'images' instead. "),
    ("patchesJson6902", "'patchesJson6902' is deprecated. Please use 'patches' instead. "),
    ("patchesStrategicMerge", "'patchesStrategicMerge' is deprecated. Please use 'patches' instead. "),
    ("vars", "'vars' is deprecated. Please use 'replacements' instead. [EXPERIMENTAL] "),
];

/// What comes together: objects, variables, and warnings.
#[derive(Default)]
pub(super) struct Gathered {
    pub all: Vec<Resource>,
    pub vars: Vec<Value>,
    pub config: Config,
}

/// A directory's kustomization, read and checked. Models `Load`.
pub(super) fn load(root: &Root<'_>, warnings: &mut Vec<String>) -> Result<Map<String, Value>, Error> {
    let found: Vec<String> = NAMES.iter().filter_map(|n| root.load(n).ok()).collect();
    let source = match found.as_slice() {
        [source] => source,
        [] => {
            return Err(text(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                root.path
            )));
        }
        _ => return Err(text(format!("Found multiple kustomization files under: {}\n", root.path))),
    };
    let invalid = |why: String| {
        // Whatever is no map is refused by the reader of manifests already, in other words.
        text(format!(
            "invalid Kustomization: {}",
            why.replace("type unstructured.detector", "type types.Kustomization")
        ))
    };
    let first = match parse(source) {
        // Of a field that stands there twice, the last counts.
        Err(why) if why.contains("already set in map") => manifest::body(source).map(|b| b.value),
        read => read.map(|all| all.into_iter().next().unwrap_or_default()),
    };
    let first = first.map_err(invalid)?;
    let k = fields::checked(first).map_err(invalid)?;
    for (_, what) in DEPRECATED.iter().filter(|(f, _)| k.contains_key(*f)) {
        warnings.push(format!("# Warning: {what}Run 'kustomize edit fix' to update your Kustomization automatically."));
    }
    if k.iter().all(|(field, value)| matches!(field.as_str(), "apiVersion" | "kind") || value == "") {
        return Err(text("kustomization.yaml is empty"));
    }
    let kind = kind(&k);
    let version = if kind == "Component" { "v1alpha1" } else { "v1beta1" };
    let wanted = format!("kustomize.config.k8s.io/{version}");
    let mut wrong = Vec::new();
    if !matches!(kind, "Kustomization" | "Component") {
        wrong.push("kind should be Kustomization or Component".to_string());
    }
    if k.get("apiVersion").is_some_and(|v| *v != "" && *v != wanted) {
        wrong.push(format!("apiVersion for {kind} should be {wanted}"));
    }
    if !wrong.is_empty() {
        let path = &root.path;
        return Err(text(format!("Failed to read kustomization file under {path}:\n{}", wrong.join("\n"))));
    }
    openapi(&k)?;
    Ok(k)
}

/// Lists are merged by the schema that is built in: another one is refused. Models `SetSchema`.
fn openapi(k: &Map<String, Value>) -> Result<(), Error> {
    let field = |f: &str| k.get("openapi").and_then(|o| o[f].as_str());
    if field("path").is_some() {
        return Err(text("kustomize's openapi.path is not in this terminal yet"));
    }
    match field("version") {
        None | Some("" | SCHEMA) => Ok(()),
        Some(_) => Err(text("the specified OpenAPI version is not built in")),
    }
}

fn kind(k: &Map<String, Value>) -> &str {
    k.get("kind").and_then(Value::as_str).filter(|k| !k.is_empty()).unwrap_or("Kustomization")
}

fn wrapped(prefix: &str, e: &Error) -> Error {
    text(format!("{prefix}: {}", e.go()))
}

/// Carries a kustomization out on top of what there is, which is nothing but for a component. Models
/// `accumulateTarget`.
pub(super) fn accumulate(
    root: &Root<'_>,
    k: &Map<String, Value>,
    mut g: Gathered,
    warnings: &mut Vec<String>,
) -> Result<Gathered, Error> {
    for path in strings(k, "resources").chain(strings(k, "bases")) {
        resource(root, path, &mut g, warnings).map_err(|e| wrapped("accumulating resources", &e))?;
    }
    g.config.merge(config::load(root, k)?)?;
    helm(k)?;
    generate::run(root, k, &mut g.all)?;
    let loading = |e: Error| wrapped("loading generator plugins", &e);
    let configured = plugins::resources(root, k, "generators", warnings).map_err(loading)?;
    for made in plugins::generators(root, &configured).map_err(loading)? {
        let (entry, made) = made()?;
        generate::take(&entry, made, &mut g.all).map_err(generate::merging)?;
    }
    for path in strings(k, "components") {
        g = component(root, path, g, warnings).map_err(|e| wrapped("accumulating components", &e))?;
    }
    patches::merges(root, k, &mut g.all)?;
    names::namespace(k, &g.config, &mut g.all)?;
    names::affixes(k, &g.config, &mut g.all)?;
    labels::run(k, &g.config, &mut g.all)?;
    patches::json(root, k, &mut g.all)?;
    images::replicas(k, &g.config, &mut g.all)?;
    images::run(k, &g.config, &mut g.all)?;
    replacements::run(root, k, &mut g.all)?;
    noted(root, k, &mut g.all);
    let configured = plugins::resources(root, k, "transformers", warnings)?;
    let steps: Vec<Step> = plugins::transformers(root, &configured)?;
    for (step, r) in steps.iter().zip(&configured) {
        step(&mut g.all)?;
        g.all.retain(|r| r.object.as_object().is_some_and(|o| !o.is_empty()));
        let note = plugins::note(root, r);
        g.all.iter_mut().for_each(|r| r.transformed.push(note.clone()));
    }
    let validators = plugins::resources(root, k, "validators", warnings)?;
    for step in plugins::transformers(root, &validators)? {
        plugins::validate(&step, &mut g.all)?;
    }
    vars::gather(k, &mut g)?;
    Ok(g)
}

/// Charts are carried out by a program of their own, which is not run.
fn helm(k: &Map<String, Value>) -> Result<(), Error> {
    let refuse = |config: &Value| trouble("HelmChartInflationGenerator", config, "must specify --enable-helm");
    if let Some(chart) = list(k, "helmCharts").next() {
        let mut config = k.get("helmGlobals").and_then(Value::as_object).cloned().unwrap_or_default();
        config.extend(chart.as_object().cloned().unwrap_or_default());
        return Err(refuse(&config.into()));
    }
    // The older field has other names of its fields.
    if let Some(chart) = list(k, "helmChartInflationGenerator").next() {
        let mut config = chart.as_object().cloned().unwrap_or_default();
        for (old, new) in
            [("chartName", "name"), ("chartVersion", "version"), ("chartRepoUrl", "repo"), ("values", "valuesFile")]
        {
            if let Some(v) = config.remove(old) {
                config.insert(new.into(), v);
            }
        }
        return Err(refuse(&config.into()));
    }
    Ok(())
}

/// Which transformers went over the objects, each as often as it was configured. Models `AddTransformerAnnotation`.
fn noted(root: &Root<'_>, k: &Map<String, Value>, all: &mut [Resource]) {
    let count = |f: &str| k.get(f).and_then(Value::as_array).map_or(0, Vec::len);
    let set = |f: &str| {
        usize::from(k.get(f).is_some_and(|v| !matches!(v, Value::Null) && *v != "" && *v != Value::Object(Map::new())))
    };
    let some = |n: usize| usize::from(n > 0);
    // Labels of both sorts come together, those of the older field last, whether there are any or not.
    let labels = count("labels") + some(count("labels") + set("commonLabels"));
    let file = root.way_to("kustomization.yaml");
    for (kind, times) in [
        ("PatchStrategicMerge", some(count("patchesStrategicMerge"))),
        ("Patch", count("patches")),
        ("Namespace", set("namespace")),
        ("Prefix", set("namePrefix")),
        ("Suffix", set("nameSuffix")),
        ("Label", labels),
        ("Annotations", set("commonAnnotations")),
        ("PatchJson6902", count("patchesJson6902")),
        ("ReplicaCount", count("replicas")),
        ("ImageTag", count("images")),
        ("Replacement", some(count("replacements"))),
    ] {
        let note =
            format!("- configuredIn: {file}\n  configuredBy:\n    apiVersion: builtin\n    kind: {kind}Transformer\n");
        for r in all.iter_mut() {
            r.transformed.extend(std::iter::repeat_n(note.clone(), times));
        }
    }
}

/// A file of objects, or a directory. Models `accumulateResources`.
pub(super) fn resource(root: &Root<'_>, path: &str, g: &mut Gathered, warnings: &mut Vec<String>) -> Result<(), Error> {
    let no_file = match file(root, path, &mut g.all) {
        Ok(()) => return Ok(()),
        Err(e) => e.go(),
    };
    let accumulation = |e: &Error| wrapped(&format!("accumulation err='{no_file}'"), e);
    let below = match root.enter(path) {
        Ok(below) => below,
        // It is a file then.
        Err(_) if no_file.contains("MalformedYAMLError") => return Err(text(no_file)),
        Err(e) => return Err(accumulation(&e)),
    };
    let done = directory(&below, false, Gathered::default(), warnings).map_err(|e| accumulation(&e))?;
    merge(&below, g, done).map_err(|e| accumulation(&e))
}

fn file(root: &Root<'_>, path: &str, all: &mut Vec<Resource>) -> Result<(), Error> {
    let loading = |why: &str| text(format!("accumulating resources from '{path}': {why}"));
    let source = root.load(path).map_err(|e| loading(&e.go()))?;
    let found = documents(&source).map_err(|why| {
        let of_file = if why.starts_with("MalformedYAMLError") { format!(" in File: {path}") } else { String::new() };
        loading(&format!("{why}{of_file}"))
    })?;
    let mut own = Vec::new();
    for object in found {
        let origin = format!("path: {}\n", root.way_to(path));
        append(&mut own, Resource { origin, ..Resource::new(object) }).map_err(|e| loading(&e.go()))?;
    }
    for r in own {
        append(all, r).map_err(|e| wrapped(&format!("merging resources from '{path}'"), &e))?;
    }
    Ok(())
}

fn component(root: &Root<'_>, path: &str, mut g: Gathered, warnings: &mut Vec<String>) -> Result<Gathered, Error> {
    let below = root.enter(path).map_err(|e| text(format!("loader.New {:?}", e.go())))?;
    let vars = std::mem::take(&mut g.vars);
    let mut done =
        directory(&below, true, g, warnings).map_err(|e| text(format!("accumulateDirectory: {:?}", e.go())))?;
    done.vars.splice(0..0, vars);
    Ok(done)
}

/// Models `accumulateDirectory`.
fn directory(
    root: &Root<'_>,
    is_component: bool,
    before: Gathered,
    warnings: &mut Vec<String>,
) -> Result<Gathered, Error> {
    let path = &root.path;
    let k = load(root, warnings).map_err(|e| wrapped(&format!("couldn't make target for path '{path}'"), &e))?;
    match (is_component, kind(&k)) {
        (true, kind) if kind != "Component" => {
            return Err(text(format!("expected kind 'Component' for path '{path}' but got '{kind}'")));
        }
        (false, "Component") => return Err(text(format!("expected kind != 'Component' for path '{path}'"))),
        _ => {}
    }
    accumulate(root, &k, before, warnings).map_err(|e| wrapped(&format!("recursed accumulation of path '{path}'"), &e))
}

fn merge(root: &Root<'_>, g: &mut Gathered, done: Gathered) -> Result<(), Error> {
    let prefix = format!("recursed merging from path '{}'", root.path);
    for r in done.all {
        append(&mut g.all, r).map_err(|e| wrapped(&prefix, &e))?;
    }
    g.config.merge(done.config).map_err(|e| wrapped(&prefix, &e))?;
    for v in done.vars {
        vars::add(&mut g.vars, v).map_err(|e| wrapped(&prefix, &e))?;
    }
    Ok(())
}
