//! The one way tests call the registry: YAML in, text out.

use crate::decode::Source;
use crate::kinds;
use crate::object::Object;
use crate::validate::meta::validate_own_finalizers;
use crate::validate::{validate_meta, validate_meta_update};
use meta::{Path, Time};

/// 2026-01-01T00:10:00Z.
pub fn now() -> Time {
    Time::SIMULATION_START + meta::Duration::from_secs(600)
}

pub fn json(yaml: &str) -> Vec<u8> {
    let value: serde_json::Value = serde_saphyr::from_str(yaml).expect("YAML");
    serde_json::to_vec(&value).expect("JSON")
}

/// Decoded only.
pub fn object(yaml: &str) -> Box<dyn Object> {
    let json = json(yaml);
    let head: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    let text = |k: &str| head[k].as_str().unwrap_or("").to_string();
    let kind = kinds::by_api_version(&text("apiVersion"), &text("kind")).expect("a registered kind");
    (kind.decode)(kind, Source::Json(&json)).expect("decodes").object
}

/// As a create makes it, in the namespace `default`, up to validation.
pub fn created(yaml: &str) -> Box<dyn Object> {
    let mut o = object(yaml);
    let kind = o.kind();
    if kind.namespaced() {
        o.meta_mut().namespace.get_or_insert_with(|| "default".into());
    }
    // The server has given it a UID by then, which is what a Job's selector is made of.
    if kind.kind == "Job" {
        o.meta_mut().uid.get_or_insert_with(|| "0000".into());
    }
    (kind.default)(&mut *o);
    (kind.prepare_create)(&mut *o);
    o
}

/// What creating refuses, one error a line.
pub fn create_errors(yaml: &str) -> String {
    let o = created(yaml);
    let kind = o.kind();
    let mut errors = match kind.stored {
        true => validate_meta(o.meta(), kind.scope, kind.name_rule, &Path::new("metadata")),
        false => Vec::new(),
    };
    errors.extend(validate_own_finalizers(kind, o.meta(), &Path::new("metadata")));
    errors.extend((kind.validate_create)(&*o));
    lines(&errors)
}

/// What replacing `old` by `new` refuses.
pub fn update_errors(old: &str, new: &str) -> String {
    let (old, mut new) = (created(old), created(new));
    let kind = new.kind();
    new.meta_mut().resource_version = Some("1".into());
    (kind.prepare_update)(&mut *new, &*old);
    let mut errors = validate_meta_update(new.meta(), old.meta(), &Path::new("metadata"));
    errors.extend(validate_own_finalizers(kind, new.meta(), &Path::new("metadata")));
    errors.extend((kind.validate_update)(&*new, &*old));
    lines(&errors)
}

/// As it is stored once somebody has written its status.
fn reported(yaml: &str) -> Box<dyn Object> {
    let mut o = object(yaml);
    (o.kind().default)(&mut *o);
    o
}

/// What writing the status of `new` to `old` refuses.
pub fn status_errors(old: &str, new: &str) -> String {
    let (old, mut new) = (reported(old), reported(new));
    let kind = new.kind();
    new.meta_mut().resource_version = Some("1".into());
    (kind.prepare_status)(&mut *new, &*old);
    let mut errors = validate_meta_update(new.meta(), old.meta(), &Path::new("metadata"));
    errors.extend((kind.validate_status)(&*new, &*old));
    lines(&errors)
}

pub fn warnings(yaml: &str) -> String {
    let o = created(yaml);
    (o.kind().warnings)(&*o).into_iter().map(|w| w + "\n").collect()
}

fn lines(errors: &[meta::FieldError]) -> String {
    errors.iter().map(|e| format!("{e}\n")).collect()
}

/// `COLUMN=cell`, space-separated.
pub fn row(yaml: &str) -> String {
    let mut o = object(yaml);
    (o.kind().default)(&mut *o);
    let cells = (o.kind().cells)(&*o, now());
    let pairs = o.kind().columns.iter().zip(cells);
    pairs.map(|(c, cell)| format!("{}={cell}", c.name)).collect::<Vec<_>>().join(" ")
}
