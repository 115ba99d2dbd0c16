//! From a CustomResourceDefinition to kinds.

use super::object::CustomObject;
use super::{Column, Custom, JsonPath, Patterns, ScalePaths, custom_of, custom_of_mut};
use crate::decode;
use crate::registration::{ALL_VERBS, Cell, Kind, KindRef, Scale, Scope, Subresource};
use crate::validate::names::rule;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Kinds live as long as the program, so each is made once: by its number and its words.
fn interned(number: u16, words: String, make: impl FnOnce() -> Kind) -> KindRef {
    static ALL: OnceLock<Mutex<BTreeMap<(u16, String), KindRef>>> = OnceLock::new();
    let mut all = ALL.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    all.entry((number, words)).or_insert_with(|| Box::leak(Box::new(make())))
}

/// Words that live as long as the program, each kept once.
fn word(text: &str) -> &'static str {
    static ALL: OnceLock<Mutex<BTreeMap<String, &'static str>>> = OnceLock::new();
    let mut all = ALL.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    all.entry(text.to_string()).or_insert_with(|| Box::leak(text.to_string().into_boxed_str()))
}

fn words(list: Option<&Vec<String>>) -> &'static [&'static str] {
    let list: Vec<&'static str> = list.into_iter().flatten().map(|t| word(t)).collect();
    if list.is_empty() { &[] } else { Box::leak(list.into_boxed_slice()) }
}

/// One kind for each version, served or not.
pub(super) fn kinds(number: u16, d: &CustomResourceDefinition) -> Vec<KindRef> {
    let text = |v: &CustomResourceDefinitionVersion| {
        let names = d.status.as_ref().and_then(|s| s.accepted_names.as_ref());
        serde_json::to_string(&(&d.metadata.name, &d.spec.group, &d.spec.scope, names, v)).unwrap_or_default()
    };
    d.spec.versions.iter().map(|v| interned(number, text(v), || kind(number, d, v))).collect()
}

fn kind(number: u16, d: &CustomResourceDefinition, v: &CustomResourceDefinitionVersion) -> Kind {
    let names = d.status.as_ref().and_then(|s| s.accepted_names.as_ref()).unwrap_or(&d.spec.names);
    let sub = v.subresources.as_ref();
    let has_status = sub.is_some_and(|s| s.status.is_some());
    let path = |p: &str| JsonPath::parse(p).ok();
    let scale = sub.and_then(|s| s.scale.as_ref()).and_then(|s| {
        Some(ScalePaths {
            spec_replicas: path(&s.spec_replicas_path)?,
            status_replicas: path(&s.status_replicas_path)?,
            selector: s.label_selector_path.as_deref().and_then(path),
        })
    });
    let has_scale = scale.is_some();
    let schema = v.schema.as_ref().and_then(|s| s.open_api_v3_schema.clone()).unwrap_or_default();
    let mut patterns = Patterns::default();
    super::each_schema(&schema, &mut |s| patterns.add(s.pattern.as_deref()));
    let columns = columns(v);
    let fields = v.selectable_fields.iter().flatten();
    let custom = Custom {
        name: d.metadata.name.clone().unwrap_or_default(),
        list_kind: word(names.list_kind.as_deref().unwrap_or("")),
        served: v.served,
        storage: v.storage,
        has_status,
        rules: super::rules::Rules::of(&schema),
        schema,
        patterns,
        columns: columns.iter().map(|c| Column { path: path(&c.json_path), kind: word(&c.type_) }).collect(),
        scale,
        selectable: fields
            .filter_map(|f| Some((word(f.json_path.trim_start_matches('.')), path(&f.json_path)?)))
            .collect(),
        derived: OnceLock::new(),
    };
    let mut subresources: Vec<Subresource> = Vec::new();
    if has_scale {
        let gvk = Some(("autoscaling", "v1", "Scale"));
        subresources.push(Subresource { name: "scale", gvk, verbs: crate::kinds::STATUS_VERBS });
    }
    if has_status {
        subresources.push(Subresource { name: "status", gvk: None, verbs: crate::kinds::STATUS_VERBS });
    }
    Kind {
        id: number,
        group: word(&d.spec.group),
        version: word(&v.name),
        kind: word(&names.kind),
        plural: word(&names.plural),
        singular: word(names.singular.as_deref().unwrap_or("")),
        short_names: words(names.short_names.as_ref()),
        categories: words(names.categories.as_ref()),
        scope: if d.spec.scope == "Cluster" { Scope::Cluster } else { Scope::Namespaced },
        verbs: ALL_VERBS,
        subresources: Box::leak(subresources.into_boxed_slice()),
        columns: headers(&columns),
        sample: "",
        stored: true,
        has_generation: true,
        orphans_by_default: false,
        name_rule: rule::subdomain,
        default_grace_seconds: |_| None,
        decode: decode::decode_custom,
        default: |o| {
            if let Some(o) = custom_of_mut(o) {
                o.default();
            }
        },
        prepare_create: |o| {
            if let Some(o) = custom_of_mut(o) {
                o.prepare_create();
            }
        },
        prepare_update: |new, old| {
            if let (Some(new), Some(old)) = (custom_of_mut(new), custom_of(old)) {
                new.prepare_update(old);
            }
        },
        prepare_status: |new, old| {
            if let (Some(new), Some(old)) = (custom_of_mut(new), custom_of(old)) {
                new.prepare_status(old);
            }
        },
        merge_status: |_, _| false,
        validate_create: |o| custom_of(o).map_or_else(Vec::new, |o| o.validate(None)),
        validate_update: |new, old| custom_of(new).map_or_else(Vec::new, |o| o.validate(custom_of(old))),
        validate_status: |new, old| custom_of(new).map_or_else(Vec::new, |o| o.validate(custom_of(old))),
        warnings: |_| Vec::new(),
        cells: |o, now| custom_of(o).map_or_else(Vec::new, |o| o.cells(now)),
        fields: |o| custom_of(o).map_or_else(Vec::new, CustomObject::selectable),
        scale: has_scale.then_some(Scale {
            replicas: |o| custom_of(o).map_or(0, |o| o.replicas(|s| &s.spec_replicas)),
            set_replicas: |o, n| {
                if let Some(o) = custom_of_mut(o) {
                    o.set_replicas(n);
                }
            },
            status_replicas: |o| custom_of(o).map_or(0, |o| o.replicas(|s| &s.status_replicas)),
            selector: |o| custom_of(o).map_or_else(String::new, CustomObject::selector),
        }),
        alias: None,
        deprecated: deprecation(d, v, &names.kind),
        custom: Some(Box::leak(Box::new(custom))),
    }
}

fn deprecation(d: &CustomResourceDefinition, v: &CustomResourceDefinitionVersion, kind: &str) -> &'static str {
    if v.deprecated != Some(true) {
        return "";
    }
    match v.deprecation_warning.as_deref() {
        Some(text) => word(text),
        None => word(&format!("{}/{} {kind} is deprecated", d.spec.group, v.name)),
    }
}

/// Without any, the age is shown.
fn columns(v: &CustomResourceDefinitionVersion) -> Vec<CustomResourceColumnDefinition> {
    match v.additional_printer_columns.as_ref().filter(|c| !c.is_empty()) {
        Some(list) => list.clone(),
        None => vec![CustomResourceColumnDefinition {
            name: "Age".into(),
            type_: "date".into(),
            json_path: ".metadata.creationTimestamp".into(),
            description: Some(crate::table::AGE_DESCRIPTION.into()),
            ..Default::default()
        }],
    }
}

/// Models `tableconvertor.New`.
fn headers(columns: &[CustomResourceColumnDefinition]) -> &'static [crate::registration::Column] {
    use crate::registration::Column as Header;
    let mut all = vec![Header::NAME];
    all.extend(columns.iter().map(|c| {
        let said = c.description.clone().filter(|d| !d.is_empty());
        let path = || format!("Custom resource definition column (in JSONPath format): {}", c.json_path);
        Header {
            name: word(&c.name),
            kind: word(&c.type_),
            format: word(c.format.as_deref().unwrap_or("")),
            description: word(&said.unwrap_or_else(path)),
            priority: c.priority.unwrap_or(0),
        }
    }));
    Box::leak(all.into_boxed_slice())
}

impl CustomObject {
    fn schema(&self) -> Option<&'static JSONSchemaProps> {
        self.definition().map(|d| &d.schema)
    }

    /// Models the defaulting of `unstructuredDefaulter`, behind the nulls that count as not said.
    pub(super) fn default(&mut self) {
        if let Some(s) = self.schema() {
            super::prune::drop_nulls(&mut self.fields, s);
            super::prune::default(&mut self.fields, s);
        }
    }

    /// Only what the schema knows stays.
    pub(super) fn prune(&mut self, unknown: &mut Vec<String>) {
        if let Some(s) = self.schema() {
            super::prune::prune(&mut self.fields, s, true, "", unknown);
        }
    }

    /// The objects inside have metadata as all objects have.
    pub(super) fn coerce(&mut self, unknown: &mut Vec<String>) -> Result<(), meta::FieldError> {
        match self.schema() {
            Some(s) => super::embedded::coerce(&mut self.fields, s, &meta::Path::default(), unknown),
            None => Ok(()),
        }
    }

    fn has_status(&self) -> bool {
        self.definition().is_some_and(|d| d.has_status)
    }

    fn prepare_create(&mut self) {
        if self.has_status() {
            self.fields.remove("status");
            // Upstream's is read back from the store, with defaults.
            self.default();
        }
    }

    fn prepare_update(&mut self, old: &CustomObject) {
        if self.has_status() {
            self.keep("status", old);
        }
    }

    fn keep(&mut self, field: &str, old: &CustomObject) {
        match old.fields.get(field) {
            Some(v) => self.fields.insert(field.into(), v.clone()),
            None => self.fields.remove(field),
        };
    }

    /// Models `statusStrategy.PrepareForUpdate`: all but the status is as it was.
    fn prepare_status(&mut self, old: &CustomObject) {
        let status = self.fields.remove("status");
        self.fields.clone_from(&old.fields);
        match status {
            Some(v) => self.fields.insert("status".into(), v),
            None => self.fields.remove("status"),
        };
        let version = self.metadata.resource_version.take();
        self.metadata = old.metadata.clone();
        self.metadata.resource_version = version;
    }

    fn validate(&self, old: Option<&CustomObject>) -> Vec<meta::FieldError> {
        let Some(d) = self.definition() else { return Vec::new() };
        let mut errors = d.check(&self.fields, old.map(|o| &o.fields));
        super::embedded::validate(&self.fields, &d.schema, &meta::Path::default(), &mut errors);
        super::rules::run(d, self, old, &mut errors);
        let Some(scale) = &d.scale else { return errors };
        for path in [&scale.spec_replicas, &scale.status_replicas] {
            let Some(fields) = path.fields() else { continue };
            let Some(n) = self.at(&fields).and_then(Value::as_i64) else { continue };
            let at = fields.iter().fold(meta::Path::default(), |p, f| p.child(f));
            if n < 0 {
                errors.push(meta::FieldError::invalid(&at, n, "should be a non-negative integer"));
            } else if n > i64::from(i32::MAX) {
                let why = format!("should be less than or equal to {}", i32::MAX);
                errors.push(meta::FieldError::invalid(&at, n, why));
            }
        }
        errors
    }

    /// Models `tableconvertor.ConvertToTable`.
    fn cells(&self, now: meta::Time) -> Vec<Cell> {
        let tree = self.tree();
        let mut cells = vec![crate::table::name(&self.metadata)];
        for c in self.definition().into_iter().flat_map(|d| &d.columns) {
            let found = c.path.as_ref().map(|p| p.find(&tree)).unwrap_or_default();
            cells.push(found.first().map_or(Value::Null, |v| cell(c.kind, v, now)));
        }
        cells
    }

    fn replicas(&self, of: impl Fn(&ScalePaths) -> &JsonPath) -> i32 {
        let Some(path) = self.definition().and_then(|d| d.scale.as_ref()).and_then(|s| of(s).fields()) else {
            return 0;
        };
        self.at(&path).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok()).unwrap_or(0)
    }

    fn set_replicas(&mut self, n: i32) {
        let path = self.definition().and_then(|d| d.scale.as_ref()).and_then(|s| s.spec_replicas.fields());
        if let Some(path) = path {
            self.set(&path, n.into());
        }
    }

    fn selector(&self) -> String {
        let path = self.definition().and_then(|d| d.scale.as_ref()?.selector.as_ref()?.fields());
        path.and_then(|p| self.at(&p)).and_then(Value::as_str).unwrap_or("").into()
    }

    fn selectable(&self) -> Vec<(&'static str, String)> {
        let Some(d) = self.definition().filter(|d| !d.selectable.is_empty()) else { return Vec::new() };
        let tree = self.tree();
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), Into::into);
        d.selectable
            .iter()
            .map(|(name, path)| (*name, path.find(&tree).first().map_or_else(String::new, |v| text(v))))
            .collect()
    }
}

/// Models `cellForJSONValue`, and the printing of strings.
fn cell(kind: &str, v: &Value, now: meta::Time) -> Cell {
    match (kind, v) {
        ("string", Value::String(_)) => v.clone(),
        ("string", Value::Null) => "<nil>".into(),
        ("string", other) => other.to_string().into(),
        ("integer", Value::Number(n)) => {
            let whole = n.as_i64().or_else(|| n.as_f64().map(|f| f as i64));
            whole.map_or(Value::Null, Into::into)
        }
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => v.clone(),
        ("date", Value::String(text)) => match serde_json::from_value(Value::String(text.clone())) {
            Ok(t) => crate::table::since(Some(&t), now).into(),
            Err(_) => "<invalid>".into(),
        },
        _ => Value::Null,
    }
}
