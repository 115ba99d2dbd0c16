//! Request bodies in `application/vnd.kubernetes.protobuf`, which Go clients built on client-go 1.32 or newer send
//! for the built-in kinds (`kubectl create`, evictions), turned into the JSON that the API server reads. Answers are
//! JSON: these clients accept both.
//!
//! A message's shape is that of its OpenAPI schema; `fields.txt` adds what the schema does not have, the field
//! numbers, one type a line. `@type=2` is a Go struct embedded under a number of its own. The numbers are those of the
//! crate k8s-pb 0.9.
//!
//! Models `k8s.io/apimachinery/pkg/runtime/serializer/protobuf`.

mod wire;

use base64::Engine;
use meta::Time;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use wire::{Content, Reader};

pub const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// Every body begins with it.
const MAGIC: &[u8] = b"k8s\0";
/// Messages within messages; the deepest real one has about twenty.
const DEPTH_MAX: u32 = 64;
const META: &str = "apimachinery.pkg.apis.meta.v1.";

/// Zero is not the same as absent for these: Go has pointers there. Elsewhere Go writes zeros that nobody set.
const KEEP_ZERO: &[&str] = &[
    "activeDeadlineSeconds",
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "attachRequired",
    "automountServiceAccountToken",
    "backoffLimit",
    "backoffLimitPerIndex",
    "blockOwnerDeletion",
    "bool",
    "borrowingLimitPercent",
    "completions",
    "controller",
    "count",
    "defaultMode",
    "deletionGracePeriodSeconds",
    "enableServiceLinks",
    "expirationSeconds",
    "failedJobsHistoryLimit",
    "fsGroup",
    "gracePeriodSeconds",
    "hostUsers",
    "immutable",
    "int",
    "leaseDurationSeconds",
    "leaseTransitions",
    "lendablePercent",
    "manualSelector",
    "maxFailedIndexes",
    "mode",
    "nominalConcurrencyShares",
    "optional",
    "orphanDependents",
    "parallelism",
    "partition",
    "priority",
    "privileged",
    "progressDeadlineSeconds",
    "readOnlyRootFilesystem",
    "ready",
    "replicas",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "serving",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "stabilizationWindowSeconds",
    "started",
    "startingDeadlineSeconds",
    "storageClassName",
    "succeededCount",
    "successfulJobsHistoryLimit",
    "suspend",
    "terminating",
    "tolerationSeconds",
    "ttlSecondsAfterFinished",
];

enum Field {
    /// A property of the message itself.
    Named(&'static str),
    /// A message whose fields are properties of this one.
    Embedded(&'static str),
}

/// Field numbers by type.
fn numbers(of: &str) -> Option<&'static BTreeMap<u64, Field>> {
    static TABLE: OnceLock<BTreeMap<&'static str, BTreeMap<u64, Field>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let line = |line: &'static str| {
            let mut words = line.split(' ');
            let name = words.next().unwrap_or("");
            let fields = words.filter_map(|w| {
                let (field, number) = w.split_once('=')?;
                let field = field.strip_prefix('@').map_or(Field::Named(field), Field::Embedded);
                Some((number.parse().ok()?, field))
            });
            (name, fields.collect())
        };
        include_str!("fields.txt").lines().map(line).collect()
    });
    table.get(of)
}

/// A body as JSON.
///
/// # Errors
/// What is wrong with the bytes, or that the kind is not known.
pub fn to_json(body: &[u8]) -> Result<Value, String> {
    let unknown = body.strip_prefix(MAGIC).ok_or("provided data does not appear to be a protobuf message")?;
    let (mut type_meta, mut raw) = (&[][..], &[][..]);
    for field in Reader::new(unknown) {
        match field? {
            (1, Content::Bytes(bytes)) => type_meta = bytes,
            (2, Content::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (mut api_version, mut kind) = (String::new(), String::new());
    for field in Reader::new(type_meta) {
        match field? {
            (1, Content::Bytes(bytes)) => api_version = text(bytes)?,
            (2, Content::Bytes(bytes)) => kind = text(bytes)?,
            _ => {}
        }
    }
    let name = type_name(&api_version, &kind)
        .ok_or_else(|| format!("no kind {kind:?} is registered for version {api_version:?}"))?;
    let mut object = message(&name, raw, DEPTH_MAX)?;
    if let Some(object) = object.as_object_mut() {
        object.insert("apiVersion".into(), api_version.into());
        object.insert("kind".into(), kind.into());
    }
    Ok(object)
}

/// `api.apps.v1.Deployment`
fn type_name(api_version: &str, kind: &str) -> Option<String> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if kind == "DeleteOptions" {
        return Some(format!("{META}DeleteOptions"));
    }
    let room = match group {
        "" => "core",
        other => other.split('.').next()?,
    };
    let name = match room {
        "apiregistration" => format!("kube-aggregator.pkg.apis.{room}.{version}.{kind}"),
        _ => format!("api.{room}.{version}.{kind}"),
    };
    numbers(&name).map(|_| name)
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a string is not UTF-8".into())
}

fn message(name: &str, bytes: &[u8], depth: u32) -> Result<Value, String> {
    if depth == 0 {
        return Err("messages are nested too deeply".into());
    }
    if let Some(short) = name.rsplit('.').next()
        && let Some(special) = special(short, bytes)?
    {
        return Ok(special);
    }
    let schema = openapi::schema(&format!("io.k8s.{name}")).ok_or_else(|| format!("unknown type {name}"))?;
    let mut out = Map::new();
    fields(name, schema, bytes, &mut out, depth)?;
    Ok(Value::Object(out))
}

fn fields(name: &str, schema: &Value, bytes: &[u8], out: &mut Map<String, Value>, depth: u32) -> Result<(), String> {
    let numbers = numbers(name).ok_or_else(|| format!("unknown type {name}"))?;
    let required = |p: &str| schema["required"].as_array().is_some_and(|r| r.iter().any(|n| n == p));
    for field in Reader::new(bytes) {
        let (number, content) = field?;
        match (numbers.get(&number), content) {
            // Newer clients know fields that this server does not: upstream drops them, too.
            (None, _) => {}
            (Some(Field::Embedded(inner)), Content::Bytes(bytes)) => {
                fields(inner, schema, bytes, out, depth.checked_sub(1).ok_or("messages are nested too deeply")?)?;
            }
            (Some(Field::Embedded(_)), _) => return Err(format!("{name}: field {number} is no message")),
            (Some(Field::Named(property)), content) => {
                let shape = &schema["properties"][*property];
                if let Some(value) = value(shape, content, depth).map_err(|e| format!("{property}: {e}"))? {
                    let keep = required(property) || KEEP_ZERO.contains(property);
                    put(out, property, shape, value, keep);
                }
            }
        }
    }
    Ok(())
}

/// Repeated fields and maps come one element at a time.
fn put(out: &mut Map<String, Value>, property: &str, shape: &Value, value: Value, keep_zero: bool) {
    if shape["type"] == "array" {
        let list = out.entry(property).or_insert_with(|| json!([]));
        if let (Some(list), Value::Array(more)) = (list.as_array_mut(), value) {
            list.extend(more);
        }
    } else if shape.get("additionalProperties").is_some() {
        let map = out.entry(property).or_insert_with(|| json!({}));
        if let (Some(map), Value::Object(more)) = (map.as_object_mut(), value) {
            map.extend(more);
        }
    } else if keep_zero || !(value == "" || value == 0 || value == false) {
        out.insert(property.into(), value);
    }
}

/// The type that a schema refers to, without `io.k8s.`.
fn reference(shape: &Value) -> Option<&str> {
    let direct = shape.get("$ref").or_else(|| shape["allOf"][0].get("$ref"))?;
    direct.as_str()?.rsplit('/').next()?.strip_prefix("io.k8s.")
}

/// `None` for values that mean "not set" (a zero time).
fn value(shape: &Value, content: Content<'_>, depth: u32) -> Result<Option<Value>, String> {
    if let Some(name) = reference(shape) {
        let Content::Bytes(bytes) = content else { return Err("a message was expected".into()) };
        let inner = message(name, bytes, depth - 1)?;
        return Ok(Some(inner).filter(|v| !v.is_null()));
    }
    if shape["type"] == "array" {
        let item = &shape["items"];
        // Numbers may come packed.
        if let (Content::Bytes(bytes), true) = (&content, item["type"] == "integer") {
            let all: Result<Vec<Value>, String> = wire::packed(bytes).map(|n| n.map(signed)).collect();
            return all.map(|a| Some(Value::Array(a)));
        }
        return Ok(value(item, content, depth)?.map(|v| json!([v])));
    }
    if let Some(of) = shape.get("additionalProperties") {
        let Content::Bytes(bytes) = content else { return Err("a map entry was expected".into()) };
        let (mut key, mut entry) = (String::new(), None);
        for field in Reader::new(bytes) {
            match field? {
                (1, Content::Bytes(bytes)) => key = text(bytes)?,
                (2, content) => entry = value(of, content, depth - 1)?,
                _ => {}
            }
        }
        let entry = entry.unwrap_or_else(|| if of["type"] == "string" { json!("") } else { json!({}) });
        return Ok(Some(json!({ key: entry })));
    }
    Ok(Some(match (shape["type"].as_str(), content) {
        (Some("string"), Content::Bytes(bytes)) if shape["format"] == "byte" => {
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        (Some("string"), Content::Bytes(bytes)) => text(bytes)?.into(),
        (Some("integer"), Content::Varint(n)) => signed(n),
        (Some("boolean"), Content::Varint(n)) => (n != 0).into(),
        (kind, _) => return Err(format!("a value of another type than {} was expected", kind.unwrap_or("object"))),
    }))
}

fn signed(n: u64) -> Value {
    n.cast_signed().into()
}

/// Types that JSON writes in a form of their own.
fn special(name: &str, bytes: &[u8]) -> Result<Option<Value>, String> {
    if !["Time", "MicroTime", "Quantity", "IntOrString", "FieldsV1", "RawExtension"].contains(&name) {
        return Ok(None);
    }
    let (mut numbers, mut string) = ([0u64; 4], &[][..]);
    for field in Reader::new(bytes) {
        match field? {
            (n @ 1..=3, Content::Varint(v)) => numbers[usize::try_from(n).unwrap_or(0)] = v,
            (_, Content::Bytes(bytes)) => string = bytes,
            _ => {}
        }
    }
    Ok(Some(match name {
        "Time" | "MicroTime" if numbers[1] == 0 => Value::Null,
        "Time" => Time::from_secs(numbers[1]).rfc3339().into(),
        "MicroTime" => {
            let micros = numbers[1].saturating_mul(1_000_000).saturating_add(numbers[2] / 1000);
            serde_json::to_value(Time(micros).to_k8s_micro()).unwrap_or_default()
        }
        "IntOrString" if numbers[1] == 0 => json!(numbers[2].cast_signed()),
        "RawExtension" if string.is_empty() => Value::Null,
        "FieldsV1" | "RawExtension" => serde_json::from_slice(string).map_err(|e| e.to_string())?,
        _ => text(string)?.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }
    fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let type_meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC, &field(1, &type_meta), &field(2, raw)].concat()
    }

    #[test]
    fn what_kubectl_create_configmap_sends() {
        // metadata: name "a" and Go's zero values; data: x=y
        let metadata = [field(1, b"a"), field(2, b""), field(3, b""), vec![0x38, 0], field(8, b"")].concat();
        let entry = [field(1, b"x"), field(2, b"y")].concat();
        let raw = [field(1, &metadata), field(2, &entry)].concat();
        assert_eq!(
            to_json(&body("v1", "ConfigMap", &raw)).unwrap(),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "y"}})
        );
    }

    #[test]
    fn embedded_structs_are_flat_and_pointers_keep_their_zeros() {
        // A Deployment of no replicas whose container has a TCP probe on port "web".
        let port = [vec![0x08, 1], field(3, b"web")].concat();
        let probe = [field(1, &field(3, &field(1, &port))), vec![0x10, 0]].concat();
        let container = [field(1, b"c"), field(10, &probe)].concat();
        let template = field(2, &field(2, &container));
        let raw = field(2, &[vec![0x08, 0], field(3, &template)].concat());
        assert_eq!(
            to_json(&body("apps/v1", "Deployment", &raw)).unwrap()["spec"],
            json!({"replicas": 0, "template": {"spec": {"containers": [
                {"name": "c", "livenessProbe": {"tcpSocket": {"port": "web"}}}
            ]}}})
        );
    }

    #[test]
    fn every_kind_can_be_read_to_its_last_field() {
        let mut missing = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut open: Vec<String> = Vec::new();
        // kubectl sends definitions as JSON.
        for kind in api::kinds::KINDS.iter().filter(|k| k.group != "apiextensions.k8s.io") {
            match type_name(&kind.api_version(), kind.kind) {
                Some(name) => open.push(name),
                None => missing.push(format!("{} {}", kind.api_version(), kind.kind)),
            }
        }
        while let Some(name) = open.pop() {
            let short = name.rsplit('.').next().unwrap_or("");
            if special(short, b"").is_ok_and(|s| s.is_some()) || !seen.insert(name.clone()) {
                continue;
            }
            let known = properties(&name);
            let schema = openapi::schema(&format!("io.k8s.{name}")).unwrap();
            for (property, shape) in schema["properties"].as_object().into_iter().flatten() {
                if property != "apiVersion" && property != "kind" && !known.contains(&property.as_str()) {
                    missing.push(format!("{name}.{property}"));
                }
                let inner = [shape, &shape["items"], &shape["additionalProperties"]];
                open.extend(inner.into_iter().filter_map(reference).map(String::from));
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
    }

    /// Of a message, with those of what is embedded in it.
    fn properties(name: &str) -> Vec<&'static str> {
        let own = |f: &Field| match f {
            Field::Named(property) => vec![*property],
            Field::Embedded(inner) => properties(inner),
        };
        numbers(name).into_iter().flat_map(BTreeMap::values).flat_map(own).collect()
    }

    #[test]
    fn zeros_of_a_job_are_told_from_absence() {
        // A suspended Job of no parallelism; `completions` is not there at all.
        let raw = field(2, &[vec![0x08, 0], vec![0x38, 0], vec![0x50, 1]].concat());
        assert_eq!(
            to_json(&body("batch/v1", "Job", &raw)).unwrap()["spec"],
            json!({"parallelism": 0, "backoffLimit": 0, "suspend": true})
        );
    }

    #[test]
    fn a_revision_carries_json() {
        let raw = [field(2, &field(1, br#"{"spec":1}"#)), vec![0x18, 2]].concat();
        let revision = to_json(&body("apps/v1", "ControllerRevision", &raw)).unwrap();
        assert_eq!((&revision["data"], &revision["revision"]), (&json!({"spec": 1}), &json!(2)));
    }

    #[test]
    fn broken_bodies_are_refused() {
        for bad in [&b"{}"[..], b"k8s\0\x0a\xff", &body("v1", "Nothing", b""), &body("v1", "ConfigMap", b"\x0a\x7f")] {
            assert!(to_json(bad).is_err(), "{bad:?}");
        }
    }
}
