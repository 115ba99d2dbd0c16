//! `kubectl kustomize` and `-k`: a directory's kustomization as objects. Models `sigs.k8s.io/kustomize/api/internal/target`
//! without plugins, Helm charts, variables, replacements and addresses, which are refused.

mod generate;
mod hash;
mod images;
mod labels;
mod names;
mod order;
mod patches;
mod places;
mod references;
#[cfg(test)]
mod tests;

pub(crate) use hash::of_object as hash;

use crate::cx::Cx;
use crate::env::Files;
use crate::error::Error;
use crate::print::yaml::to_yaml;
use manifest::Limits;
use serde_json::{Map, Value};

const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Fields of a kustomization that are carried out.
const KNOWN: &[&str] = &[
    "apiVersion",
    "buildMetadata",
    "commonAnnotations",
    "commonLabels",
    "components",
    "configMapGenerator",
    "generatorOptions",
    "images",
    "kind",
    "labels",
    "metadata",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replicas",
    "resources",
    "secretGenerator",
    "sortOptions",
    "bases",
];
/// Fields that upstream carries out and this does not.
const REFUSED: &[&str] = &[
    "configurations",
    "crds",
    "generators",
    "helmCharts",
    "helmChartInflationGenerator",
    "helmGlobals",
    "openapi",
    "replacements",
    "transformers",
    "validators",
    "vars",
];

/// An object on its way.
#[derive(Clone, Debug)]
struct Resource {
    object: Value,
    /// The names it had, with their namespaces, before it got the one it has.
    former: Vec<(String, String)>,
    /// Whether a hash of what is in it ends its name.
    hashed: bool,
}

impl Resource {
    fn new(object: Value) -> Resource {
        Resource { object, former: Vec::new(), hashed: false }
    }
    fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }
    fn kind(&self) -> &str {
        self.text("/kind")
    }
    fn name(&self) -> &str {
        self.text("/metadata/name")
    }
    fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }
    /// Group and version.
    fn group(&self) -> (&str, &str) {
        let v = self.text("/apiVersion");
        v.split_once('/').unwrap_or(("", v))
    }
    fn was_called(&self, name: &str) -> bool {
        self.name() == name || self.former.iter().any(|(n, _)| n == name)
    }
    fn rename(&mut self, name: String) {
        self.former.push((self.name().to_string(), self.namespace().to_string()));
        self.object["metadata"]["name"] = name.into();
    }
}

fn text(message: impl Into<String>) -> Error {
    Error::text(message)
}

/// Carries out a directory's kustomization: its objects in order.
///
/// # Errors
/// Upstream's words where it has them.
pub(crate) fn build(files: &dyn Files, dir: &str) -> Result<Vec<Value>, Error> {
    if files.list(dir).is_none() {
        let why = format!("evalsymlink failure on '{dir}' : lstat {}: no such file or directory", files.absolute(dir));
        return Err(text(format!("must build at directory: not a valid directory: {why}")));
    }
    let mut resources = target(files, dir, Vec::new())?.0;
    for r in &mut resources {
        if r.hashed {
            let name = format!("{}-{}", r.name(), hash::of_object(&r.object, ""));
            r.rename(name);
        }
    }
    references::update(&mut resources);
    order::legacy(&mut resources);
    Ok(resources.into_iter().map(|r| r.object).collect())
}

pub(crate) fn run(cx: &mut Cx<'_, '_>) -> Result<(), Error> {
    let dir = match cx.args.as_slice() {
        [] => ".".to_string(),
        [dir] => dir.clone(),
        _ => return Err(text("specify one path to kustomization.yaml")),
    };
    if !cx.flags.string("output").is_empty() || cx.flags.bool("enable-helm") {
        return Err(text("kustomize's flags are not in this terminal: it prints, without Helm"));
    }
    let objects = build(cx.env.files, &dir)?;
    let documents: Vec<String> = objects.iter().map(to_yaml).collect();
    cx.out(&documents.join("---\n"));
    Ok(())
}

/// The path of `name` seen from a directory.
fn join(dir: &str, name: &str) -> String {
    if name.starts_with('/') {
        return name.into();
    }
    let mut parts: Vec<&str> = Vec::new();
    let whole = format!("{dir}/{name}");
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if whole.starts_with('/') { "/" } else { "" };
    let path = format!("{root}{}", parts.join("/"));
    if path.is_empty() { ".".into() } else { path }
}

fn read(files: &dyn Files, path: &str) -> Result<Vec<Value>, Error> {
    let source = files.read(path).unwrap_or_default();
    parse(path, &source)
}

fn parse(path: &str, source: &str) -> Result<Vec<Value>, Error> {
    let documents = manifest::parse_values(&[(path, source)], Limits::REQUEST)
        .map_err(|p| text(p.into_iter().next().map_or(String::new(), |p| p.kubectl)))?;
    Ok(documents.into_iter().map(|d| d.value).collect())
}

/// A kustomization with the resources that were there before, for a component. Whether it is one comes with it.
fn target(files: &dyn Files, dir: &str, before: Vec<Resource>) -> Result<(Vec<Resource>, bool), Error> {
    let found: Vec<String> = NAMES.iter().map(|n| join(dir, n)).filter(|p| files.read(p).is_some()).collect();
    let path = match found.as_slice() {
        [path] => path,
        [] => {
            let at = files.absolute(dir);
            return Err(text(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{at}'"
            )));
        }
        _ => return Err(text(format!("Found multiple kustomization files under: {}\n", files.absolute(dir)))),
    };
    let source = files.read(path).unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or(path);
    if source.trim().is_empty() {
        return Err(text(format!("{name} is empty")));
    }
    let Some(Value::Object(k)) = parse(path, &source)?.into_iter().next() else {
        return Err(text(format!("{name} is empty")));
    };
    if let Some(field) = k.keys().find(|f| REFUSED.contains(&f.as_str())) {
        return Err(text(format!("kustomize's {field} is not in this terminal yet")));
    }
    if let Some(field) = k.keys().find(|f| !KNOWN.contains(&f.as_str())) {
        return Err(text(format!("invalid Kustomization: json: unknown field {field:?}")));
    }
    let component = k.get("kind").and_then(Value::as_str) == Some("Component");
    let mut all = before;
    for path in strings(&k, "resources").chain(strings(&k, "bases")) {
        all.extend(resource(files, dir, path)?);
    }
    for path in strings(&k, "components") {
        let at = join(dir, path);
        if files.list(&at).is_none() {
            return Err(text(format!("accumulating components: accumulateDirectory: \"not a valid directory: {at}\"")));
        }
        let (done, is_one) = target(files, &at, std::mem::take(&mut all))?;
        if !is_one {
            return Err(text(format!(
                "accumulating components: expected kind 'Component' for path '{path}' but got 'Kustomization'"
            )));
        }
        all = done;
    }
    duplicates(&all)?;
    generate::run(files, dir, &k, &mut all)?;
    patches::merges(files, dir, &k, &mut all)?;
    names::namespace(&k, &mut all);
    names::affixes(&k, &mut all);
    labels::run(&k, &mut all);
    patches::json(files, dir, &k, &mut all)?;
    images::replicas(&k, &mut all)?;
    images::run(&k, &mut all);
    references::update(&mut all);
    Ok((all, component))
}

fn strings<'k>(k: &'k Map<String, Value>, field: &str) -> impl Iterator<Item = &'k str> {
    k.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn list<'k>(k: &'k Map<String, Value>, field: &str) -> impl Iterator<Item = &'k Value> {
    k.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn resource(files: &dyn Files, dir: &str, path: &str) -> Result<Vec<Resource>, Error> {
    if path.contains("://") || path.starts_with("github.com/") || path.starts_with("git@") {
        return Err(text(format!("accumulating resources: {path}: addresses are not in this terminal yet")));
    }
    let at = join(dir, path);
    if files.list(&at).is_some() {
        let done = target(files, &at, Vec::new());
        return done.map(|(all, _)| all).map_err(|e| {
            let absolute = files.absolute(&at);
            text(format!(
                "accumulating resources: accumulation err='accumulating resources from '{path}': read {absolute}: is a \
                 directory': recursed accumulation of path '{absolute}': {}",
                e.go()
            ))
        });
    }
    if files.read(&at).is_none() {
        let absolute = files.absolute(&at);
        let why = format!("evalsymlink failure on '{absolute}' : lstat {absolute}: no such file or directory");
        return Err(text(format!(
            "accumulating resources: accumulation err='accumulating resources from '{path}': {why}': must build at \
             directory: not a valid directory: {why}"
        )));
    }
    Ok(read(files, &at)?.into_iter().map(Resource::new).collect())
}

/// `Deployment.v1.apps/web.prod`. Models `ResId.String`.
fn id(object: &Value) -> String {
    let r = Resource::new(object.clone());
    let (group, version) = r.group();
    let or = |s: &str, other: &str| if s.is_empty() { other.to_string() } else { s.to_string() };
    format!(
        "{}.{}.{}/{}.{}",
        or(r.kind(), "[noKind]"),
        or(version, "[noVer]"),
        or(group, "[noGrp]"),
        or(r.name(), "[noName]"),
        or(r.namespace(), "[noNs]")
    )
}

fn duplicates(all: &[Resource]) -> Result<(), Error> {
    for (i, r) in all.iter().enumerate() {
        let same = |o: &Resource| {
            (o.kind(), o.group(), o.name(), o.namespace()) == (r.kind(), r.group(), r.name(), r.namespace())
        };
        if all[..i].iter().any(same) {
            return Err(text(format!(
                "accumulating resources: may not add resource with an already registered id: {}",
                id(&r.object)
            )));
        }
    }
    Ok(())
}
