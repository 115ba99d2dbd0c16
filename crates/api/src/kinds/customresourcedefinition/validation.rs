//! Models `apis/apiextensions/validation/validation.go` as it is for `apiextensions.k8s.io/v1`.

use super::{conversion, schema};
use crate::custom::{JsonPath, is_true};
use crate::validate::names::{dns1035_label, dns1123_subdomain};
use crate::validate::{immutable, invalid_json, text};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition as Definition, CustomResourceDefinitionNames as Names,
    CustomResourceDefinitionSpec as Spec, CustomResourceDefinitionVersion as Version,
};
use meta::{FieldError, Path};

const APPROVED: &str = "api-approved.kubernetes.io";

type Errors = Vec<FieldError>;

pub(super) fn create(o: &Definition) -> Errors {
    let mut errors = Vec::new();
    let name = text(&o.metadata.name);
    if name != format!("{}.{}", o.spec.names.plural, o.spec.group) {
        let why = "must be spec.names.plural+\".\"+spec.group";
        errors.push(FieldError::invalid(&Path::new("metadata").child("name"), name, why));
    }
    spec(&o.spec, None, &mut errors);
    approval(o, &mut errors);
    errors
}

pub(super) fn update(new: &Definition, old: &Definition) -> Errors {
    let mut errors = Vec::new();
    spec(&new.spec, Some(&old.spec), &mut errors);
    let path = Path::new("spec");
    if is_true(old, "Established") {
        immutable(&path.child("scope"), &new.spec.scope, &old.spec.scope, &mut errors);
        let at = path.child("names").child("kind");
        immutable(&at, &new.spec.names.kind, &old.spec.names.kind, &mut errors);
    }
    immutable(&path.child("group"), &new.spec.group, &old.spec.group, &mut errors);
    let at = path.child("names").child("plural");
    immutable(&at, &new.spec.names.plural, &old.spec.names.plural, &mut errors);
    let stored = new.status.as_ref().and_then(|s| s.stored_versions.as_ref());
    let at = Path::new("status").child("storedVersions");
    for (i, v) in stored.into_iter().flatten().enumerate() {
        if !new.spec.versions.iter().any(|known| known.name == *v) {
            let why = format!(
                "missing from spec.versions; {v} was previously a storage version, and must remain in spec.versions until a \
                 storage migration ensures no data remains persisted in {v} and removes {v} from status.storedVersions"
            );
            errors.push(FieldError::invalid(&at.index(i), v.as_str(), why));
        }
    }
    errors
}

/// Groups of the Kubernetes community need its word.
fn approval(o: &Definition, errors: &mut Errors) {
    let group = &o.spec.group;
    let protected = |domain: &str| group == domain || group.ends_with(&format!(".{domain}"));
    if !protected("k8s.io") && !protected("kubernetes.io") {
        return;
    }
    let at = Path::new("metadata").child("annotations").key(APPROVED);
    match o.metadata.annotations.as_ref().and_then(|a| a.get(APPROVED)).map(String::as_str) {
        None | Some("") => {
            let why = format!(
                "protected groups must have approval annotation {APPROVED:?}, see https://github.com/kubernetes/enhancements/pull/1111"
            );
            errors.push(FieldError::required(&at, why));
        }
        Some(v) if v.starts_with("unapproved") => {}
        Some(v) if v.split_once("://").is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/')) => {}
        Some(v) => {
            let why = format!(
                "protected groups must have approval annotation {APPROVED:?} with either a URL or a reason starting with \
                 \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111"
            );
            errors.push(FieldError::invalid(&at, v, why));
        }
    }
}

fn label(path: &Path, value: &str, errors: &mut Errors) {
    let wrong = dns1035_label(value);
    if !wrong.is_empty() {
        errors.push(FieldError::invalid(path, value, wrong.join(",")));
    }
}

fn spec(s: &Spec, old: Option<&Spec>, errors: &mut Errors) {
    let path = Path::new("spec");
    let group = path.child("group");
    let wrong = dns1123_subdomain(&s.group);
    if s.group.is_empty() {
        errors.push(FieldError::required(&group, ""));
    } else if !wrong.is_empty() {
        errors.push(FieldError::invalid(&group, s.group.as_str(), wrong.join(",")));
    } else if !s.group.contains('.') {
        errors.push(FieldError::invalid(&group, s.group.as_str(), "should be a domain with at least one dot"));
    }
    match s.scope.as_str() {
        "" => errors.push(FieldError::required(&path.child("scope"), "")),
        "Cluster" | "Namespaced" => {}
        other => errors.push(FieldError::not_supported(&path.child("scope"), other, &["Cluster", "Namespaced"])),
    }
    if s.preserve_unknown_fields == Some(true) {
        let why =
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        errors.push(FieldError::invalid(&path.child("preserveUnknownFields"), true, why));
    }
    let versions = path.child("versions");
    for (i, v) in s.versions.iter().enumerate() {
        let before = old.and_then(|o| o.versions.iter().find(|b| b.name == v.name));
        let is_same = before.is_some_and(|b| b.schema == v.schema);
        version(v, !is_same, &versions.index(i), errors);
    }
    let mut names: Vec<&str> = s.versions.iter().map(|v| v.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != s.versions.len() {
        errors.push(invalid_json(&versions, &s.versions, "must contain unique version names"));
    }
    if s.versions.iter().filter(|v| v.storage).count() != 1 {
        errors.push(invalid_json(&versions, &s.versions, "must have exactly one version marked as storage version"));
    }
    let at = path.child("names");
    for (field, value) in [
        ("plural", s.names.plural.as_str()),
        ("singular", text(&s.names.singular)),
        ("kind", &s.names.kind),
        ("listKind", text(&s.names.list_kind)),
    ] {
        if value.is_empty() {
            errors.push(FieldError::required(&at.child(field), ""));
        }
    }
    self::names(&s.names, &at, errors);
    let at = path.child("conversion");
    if let Some(c) = &s.conversion {
        conversion::validate(c, &at, errors);
    }
}

fn version(v: &Version, is_new: bool, path: &Path, errors: &mut Errors) {
    if let Some(text) = v.deprecation_warning.as_deref() {
        let at = path.child("deprecationWarning");
        if v.deprecated != Some(true) {
            errors.push(FieldError::invalid(&at, text, "can only be set for deprecated versions"));
        }
        if text.is_empty() {
            errors.push(FieldError::invalid(&at, text, "must not be an empty string"));
        } else if text.len() > 256 {
            errors.push(FieldError::invalid(&at, text, "must be <= 256 characters long"));
        }
    }
    label(&path.child("name"), &v.name, errors);
    let at = path.child("schema").child("openAPIV3Schema");
    match v.schema.as_ref().and_then(|s| s.open_api_v3_schema.as_ref()) {
        None => errors.push(FieldError::required(&at, "schemas are required")),
        Some(s) => schema::validate(s, &at, is_new, errors),
    }
    let scale = v.subresources.as_ref().and_then(|s| s.scale.as_ref());
    let at = path.child("subresources").child("scale");
    if let Some(s) = scale {
        for (field, value, root) in [
            ("specReplicasPath", s.spec_replicas_path.as_str(), "spec"),
            ("statusReplicasPath", s.status_replicas_path.as_str(), "status"),
        ] {
            replicas_path(&at.child(field), value, &[root], errors);
        }
        if let Some(p) = s.label_selector_path.as_deref().filter(|p| !p.is_empty()) {
            replicas_path(&at.child("labelSelectorPath"), p, &["spec", "status"], errors);
        }
    }
    let mut names = Vec::new();
    for (i, c) in v.additional_printer_columns.iter().flatten().enumerate() {
        let at = path.child("additionalPrinterColumns").index(i);
        if c.name.is_empty() {
            errors.push(FieldError::required(&at.child("name"), ""));
        }
        names.push(&c.name);
        match c.type_.as_str() {
            "" => errors
                .push(FieldError::required(&at.child("type"), "must be one of boolean,date,integer,number,string")),
            "boolean" | "date" | "integer" | "number" | "string" => {}
            other => errors.push(FieldError::invalid(
                &at.child("type"),
                other,
                "must be one of boolean,date,integer,number,string",
            )),
        }
        let formats = ["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];
        if let Some(f) = c.format.as_deref().filter(|f| !f.is_empty() && !formats.contains(f)) {
            let mut sorted = formats;
            sorted.sort_unstable();
            errors.push(FieldError::invalid(&at.child("format"), f, format!("must be one of {}", sorted.join(","))));
        }
        if c.json_path.is_empty() {
            errors.push(FieldError::required(&at.child("jsonPath"), ""));
        } else if let Err(why) = path_error(&c.json_path) {
            errors.push(FieldError::invalid(&at.child("jsonPath"), c.json_path.as_str(), why));
        }
    }
    for (i, f) in v.selectable_fields.iter().flatten().enumerate() {
        let at = path.child("selectableFields").index(i).child("jsonPath");
        if f.json_path.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else if JsonPath::parse(&f.json_path).ok().is_none_or(|p| p.fields().is_none()) {
            errors.push(FieldError::invalid(&at, f.json_path.as_str(), "must be a simple json path with leading ."));
        }
    }
}

fn path_error(p: &str) -> Result<(), String> {
    if !p.starts_with('.') && !p.starts_with('$') && !p.starts_with('[') {
        return Err("must be a simple json path starting with .".into());
    }
    JsonPath::parse(p).map(drop).map_err(|e| format!("is an invalid json path: {e}"))
}

fn replicas_path(at: &Path, p: &str, roots: &[&str], errors: &mut Errors) {
    if p.is_empty() {
        errors.push(FieldError::required(at, ""));
        return;
    }
    let parsed = JsonPath::parse(p).ok().filter(|_| p.starts_with('.') && !p.contains('['));
    let fields = parsed.as_ref().and_then(JsonPath::fields);
    let fits = fields.is_some_and(|f| f.len() > 1 && roots.contains(&f[0]));
    if !fits {
        let list: Vec<String> = roots.iter().map(|r| format!(".{r}")).collect();
        let why = format!("should be a json path under {}", list.join(" or "));
        errors.push(FieldError::invalid(at, p, why));
    }
}

fn names(n: &Names, path: &Path, errors: &mut Errors) {
    for (field, value) in [("plural", n.plural.as_str()), ("singular", text(&n.singular))] {
        if !value.is_empty() {
            label(&path.child(field), value, errors);
        }
    }
    for (field, value) in [("kind", n.kind.as_str()), ("listKind", text(&n.list_kind))] {
        let wrong = dns1035_label(&value.to_lowercase());
        if !value.is_empty() && !wrong.is_empty() {
            let why = format!("may have mixed case, but should otherwise match: {}", wrong.join(","));
            errors.push(FieldError::invalid(&path.child(field), value, why));
        }
    }
    for (i, s) in n.short_names.iter().flatten().enumerate() {
        label(&path.child("shortNames").index(i), s, errors);
    }
    if !n.kind.is_empty() && n.list_kind.as_ref() == Some(&n.kind) {
        let why = "kind and listKind may not be the same";
        errors.push(FieldError::invalid(&path.child("listKind"), n.kind.as_str(), why));
    }
    for (i, s) in n.categories.iter().flatten().enumerate() {
        label(&path.child("categories").index(i), s, errors);
    }
}
