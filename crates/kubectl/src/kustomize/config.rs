//! Places of names, labels and the like besides upstream's own: `configurations` and `crds`. Models kustomize's
//! `builtinconfig.TransformerConfig` and `accumulator.LoadConfigFromCRDs`.

use super::loader::Root;
use super::places::Spec;
use super::{parse, strings, text};
use crate::error::Error;
use meta::go::json_kind;
use serde_json::{Map, Value};

/// A field of a kind of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub path: String,
    pub create: bool,
}

impl Place {
    pub fn spec(&self) -> Spec<'_> {
        Spec { group: &self.group, version: &self.version, kind: &self.kind, path: &self.path, create: self.create }
    }

    fn is_same(&self, other: &Place) -> bool {
        (&self.group, &self.version, &self.kind, &self.path) == (&other.group, &other.version, &other.kind, &other.path)
    }
}

/// What a configuration may have places of; `what` is how errors call it.
const FIELDS: [(&str, &str); 10] = [
    ("namePrefix", "NamePrefix"),
    ("nameSuffix", "NameSuffix"),
    ("namespace", "NameSpace"),
    ("commonLabels", "CommonLabels"),
    ("templateLabels", "TemplateLabels"),
    ("labels", "Labels"),
    ("commonAnnotations", "CommonAnnotations"),
    ("varReference", "VarReference"),
    ("images", "Images"),
    ("replicas", "Replicas"),
];

#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    /// In the order of [`FIELDS`].
    places: [Vec<Place>; FIELDS.len()],
    /// Kinds that are named (their paths are empty), and where.
    pub references: Vec<(Place, Vec<Place>)>,
}

impl Config {
    /// The places of a field of configurations.
    pub fn of(&self, field: &str) -> &[Place] {
        FIELDS.iter().position(|(f, _)| *f == field).map_or(&[], |i| &self.places[i])
    }

    /// Whether a place of upstream's own is gone: one of the same path that is more particular takes its place, as the
    /// lists are merged in the order of their kinds. Models `FsSlice.MergeOne`.
    pub fn shadows(&self, field: &str, default: &Place) -> bool {
        const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
        let is_part = |of: &str, is: &str| of.is_empty() || of == is;
        self.of(field).iter().any(|p| {
            p.path == default.path
                && !p.is_same(default)
                && is_part(&default.group, &p.group)
                && is_part(&default.version, &p.version)
                && is_part(&default.kind, &p.kind)
                && (default.kind == p.kind || !LAST.contains(&p.kind.as_str()))
        })
    }

    /// One more place, whatever there is.
    pub fn put(&mut self, field: &str, place: Place) {
        if let Some(i) = FIELDS.iter().position(|(f, _)| *f == field) {
            self.places[i].push(place);
        }
    }

    fn add(&mut self, field: &str, place: Place) -> Result<(), Error> {
        let Some(i) = FIELDS.iter().position(|(f, _)| *f == field) else { return Ok(()) };
        let own = super::labels::default_creates(field, &place);
        let before = self.places[i].iter().find(|p| p.is_same(&place)).map(|p| p.create).or(own);
        if before.is_some_and(|create| create != place.create) {
            return Err(text(format!("failed to merge {} fieldSpec: conflicting fieldspecs", FIELDS[i].1)));
        }
        if before.is_none() {
            self.places[i].push(place);
        }
        Ok(())
    }

    pub fn merge(&mut self, other: Config) -> Result<(), Error> {
        for ((field, _), places) in FIELDS.iter().zip(other.places) {
            places.into_iter().try_for_each(|p| self.add(field, p))?;
        }
        for (target, places) in other.references {
            match self.references.iter_mut().find(|(t, _)| *t == target) {
                Some((_, known)) => known.extend(places),
                None => self.references.push((target, places)),
            }
        }
        Ok(())
    }
}

/// What a kustomization's own configurations and definitions add.
pub(super) fn load(root: &Root<'_>, k: &Map<String, Value>) -> Result<Config, Error> {
    let mut config = Config::default();
    for path in strings(k, "configurations") {
        let source = root.load(path)?;
        let value = parse(&source).map_err(text)?.into_iter().next().unwrap_or_default();
        config.merge(configuration(&value)?)?;
    }
    let crds: Vec<&str> = strings(k, "crds").collect();
    let loading = |why: String| text(format!("loading CRDs [{}]: {why}", crds.join(" ")));
    for path in &crds {
        let source = root.load(path).map_err(|e| loading(e.go()))?;
        let value = parse(&source).map_err(&loading)?.into_iter().next().unwrap_or_default();
        let types = definitions(&value)
            .map_err(|why| loading(format!("unable to parse open API definition from '{path}': {why}")))?;
        for name in types.keys() {
            if ["kind", "apiVersion", "metadata"].iter().all(|f| types[name].get(*f).is_some()) {
                let kind = name.rsplit('.').next().unwrap_or("");
                let mut way = Vec::new();
                annotated(&types, name, kind, &mut way, &mut config)?;
            }
        }
    }
    Ok(config)
}

fn configuration(v: &Value) -> Result<Config, Error> {
    let wrong = |why: String| text(format!("error unmarshaling JSON: while decoding JSON: json: {why}"));
    let mut config = Config::default();
    for (field, list) in v.as_object().into_iter().flatten().filter(|(_, l)| !l.is_null()) {
        let known = FIELDS.iter().any(|(f, _)| f == field) || field == "nameReference";
        if !known {
            return Err(wrong(format!("unknown field {field:?}")));
        }
        let Some(items) = list.as_array() else {
            let of = if field == "nameReference" { "builtinconfig.nbrSlice" } else { "types.FsSlice" };
            let what = json_kind(list);
            let said = format!("cannot unmarshal {what} into Go struct field TransformerConfig.{field} of type {of}");
            return Err(wrong(said));
        };
        for item in items {
            if field != "nameReference" {
                config.add(field, place(item, &[]).map_err(wrong)?)?;
                continue;
            }
            let target = place(item, &["fieldSpecs"]).map_err(wrong)?;
            let places = item["fieldSpecs"].as_array().into_iter().flatten();
            let places = places.map(|p| place(p, &[])).collect::<Result<_, _>>().map_err(wrong)?;
            config.references.push((target, places));
        }
    }
    Ok(config)
}

/// `fieldSpecs` of a transformer's configuration; what is unknown in it is not looked at.
pub(super) fn places(v: &Value) -> Vec<Place> {
    let one = |v: &Value| {
        let part = |f: &str| v[f].as_str().unwrap_or("").to_string();
        let (group, version, kind, path) = (part("group"), part("version"), part("kind"), part("path"));
        Place { group, version, kind, path, create: v["create"] == true }
    };
    v.as_array().into_iter().flatten().map(one).collect()
}

fn place(v: &Value, besides: &[&str]) -> Result<Place, String> {
    const KNOWN: [&str; 5] = ["group", "version", "kind", "path", "create"];
    if let Some(field) = v
        .as_object()
        .into_iter()
        .flatten()
        .map(|(f, _)| f.as_str())
        .find(|f| !KNOWN.contains(f) && !besides.contains(f))
    {
        return Err(format!("unknown field {field:?}"));
    }
    let part = |f: &str| v[f].as_str().unwrap_or("").to_string();
    Ok(Place {
        group: part("group"),
        version: part("version"),
        kind: part("kind"),
        path: part("path"),
        create: v["create"] == true,
    })
}

/// Properties by the names of types, as Go's generator of OpenAPI definitions has them.
fn definitions(v: &Value) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    for (name, d) in v.as_object().into_iter().flatten() {
        let Some(d) = d.as_object() else {
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type \
                 accumulator.OpenAPIDefinition",
                json_kind(d)
            ));
        };
        let schema = d.iter().find(|(k, _)| k.eq_ignore_ascii_case("schema")).map(|(_, s)| s);
        out.insert(name.clone(), schema.map(|s| s["properties"].clone()).unwrap_or_default());
    }
    Ok(out)
}

/// What a type's fields say of themselves by extensions. Models `loadCrdIntoConfig`.
fn annotated(
    types: &Map<String, Value>,
    name: &str,
    kind: &str,
    way: &mut Vec<String>,
    config: &mut Config,
) -> Result<(), Error> {
    // A type within itself has no end.
    const DEPTH_MAX: usize = 20;
    for (field, property) in types.get(name).and_then(Value::as_object).into_iter().flatten() {
        way.push(field.clone());
        let place = |more: &str| Place { kind: kind.into(), path: way.join("/") + more, ..Place::default() };
        for (extension, of) in [
            ("x-kubernetes-annotation", "commonAnnotations"),
            ("x-kubernetes-label-selector", "commonLabels"),
            ("x-kubernetes-identity", "namePrefix"),
        ] {
            if property[extension].is_string() {
                config.add(of, place(""))?;
            }
        }
        let part = |what: &str| property[format!("x-kubernetes-object-ref-{what}")].as_str();
        if let (Some(version), Some(of)) = (part("api-version"), part("kind")) {
            let target = Place { version: version.into(), kind: of.into(), ..Place::default() };
            let key = part("name-key").unwrap_or("name");
            config.references.push((target, vec![place(&format!("/{key}"))]));
        }
        if let Some(next) = property["$ref"].as_str().filter(|_| way.len() < DEPTH_MAX) {
            annotated(types, next, kind, way, config)?;
        }
        way.pop();
    }
    Ok(())
}
