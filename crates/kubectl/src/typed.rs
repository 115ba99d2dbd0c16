//! Objects as Go's types take them: unknown fields are dropped, wrong types refused in the words of `encoding/json`. The
//! types are read off the server's OpenAPI v3 documents, so a string that has a type of its own in Go is told as a string.

use crate::cx::Cx;
use crate::error::Error;
use serde_json::{Value, json};

/// # Errors
/// A kind that nobody knows, or the first field that has another type.
pub(crate) async fn decoded(cx: &mut Cx<'_, '_>, object: Value) -> Result<Value, Error> {
    let text = |f: &str| object[f].as_str().unwrap_or("").to_string();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let discovery = cx.discovery().await?;
    let Some(m) = discovery.kind(&api_version, &kind) else {
        return Err(Error::Text(format!(
            "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/scheme/scheme.go:28\""
        )));
    };
    let (group, version) = (m.group.clone(), m.version.clone());
    let path = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
    // A server without these documents (a lesson's check) is the only judge of types.
    let Ok(index) = cx.get("/openapi/v3".into()).await else { return Ok(object) };
    let Some(url) = index["paths"][&path]["serverRelativeURL"].as_str() else { return Ok(object) };
    let Ok(document) = cx.get(url.to_string()).await else { return Ok(object) };
    let schemas = document["components"]["schemas"].as_object();
    let found = schemas.into_iter().flatten().find(|(_, s)| {
        s["x-kubernetes-group-version-kind"].as_array().is_some_and(|l| {
            l.iter()
                .any(|k| k["group"] == group.as_str() && k["version"] == version.as_str() && k["kind"] == kind.as_str())
        })
    });
    let Some((name, _)) = found else { return Ok(object) };
    let types = Types(&document);
    let reference = serde_json::json!({"$ref": format!("#/components/schemas/{name}")});
    types.read(object, &reference, "", &mut Vec::new()).map_err(Error::Text)
}

struct Types<'d>(&'d Value);

impl Types<'_> {
    /// The schema itself and the name of its type, `v1.PodSpec`; empty where it has none.
    fn resolve<'s>(&'s self, schema: &'s Value) -> (&'s Value, String) {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        let Some(reference) = reference else { return (schema, String::new()) };
        let found = reference.strip_prefix('#').and_then(|p| self.0.pointer(p)).unwrap_or(schema);
        let mut parts = reference.rsplit('/').next().unwrap_or("").rsplit('.');
        let (kind, version) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        (found, format!("{version}.{kind}"))
    }

    /// As Go writes the type.
    fn called(&self, schema: &Value) -> String {
        let (s, name) = self.resolve(schema);
        if !name.is_empty() {
            return name;
        }
        match s["type"].as_str() {
            Some("array") => format!("[]{}", self.called(&s["items"])),
            Some("object") if s["additionalProperties"].is_object() => {
                format!("map[string]{}", self.called(&s["additionalProperties"]))
            }
            Some("boolean") => "bool".into(),
            Some("integer") => s["format"].as_str().unwrap_or("int64").into(),
            Some("number") => "float64".into(),
            _ => "string".into(),
        }
    }

    /// `within` is the struct that has the field, `path` the names that lead to it.
    fn read(&self, value: Value, schema: &Value, within: &str, path: &mut Vec<String>) -> Result<Value, String> {
        let (s, name) = self.resolve(schema);
        let wrong = |what: &str, path: &[String]| {
            let of = self.called(schema);
            Err(format!("json: cannot unmarshal {what} into Go struct field {within}.{} of type {of}", path.join(".")))
        };
        if value.is_null() {
            return Ok(value);
        }
        let what = meta::go::json_kind(&value);
        match (s["type"].as_str(), value) {
            (Some("object"), Value::Object(map)) => {
                if let Some(fields) = s["properties"].as_object() {
                    let own = name.rsplit('.').next().unwrap_or("").to_string();
                    let mut out = serde_json::Map::new();
                    for (key, value) in map {
                        let Some(field) = fields.get(&key) else { continue };
                        path.push(key.clone());
                        out.insert(key, self.read(value, field, &own, path)?);
                        path.pop();
                    }
                    return Ok(out.into());
                }
                if !s["additionalProperties"].is_object() {
                    return Ok(map.into());
                }
                let read = |(key, value)| Ok((key, self.read(value, &s["additionalProperties"], within, path)?));
                Ok(Value::Object(map.into_iter().map(read).collect::<Result<_, String>>()?))
            }
            (Some("array"), Value::Array(list)) => {
                let read = |value| self.read(value, &s["items"], within, path);
                Ok(Value::Array(list.into_iter().map(read).collect::<Result<_, String>>()?))
            }
            (Some("integer"), Value::Number(n)) if n.is_f64() => wrong(&format!("number {n}"), path),
            (_, value) if name.ends_with(".Quantity") => quantity(&value).map(Value::from),
            // Types with readers of their own take what they like.
            (_, value) if !name.is_empty() && !s["properties"].is_object() => Ok(value),
            (Some("object" | "array"), _) => wrong(what, path),
            (Some("string"), value) if !value.is_string() => wrong(what, path),
            (Some("boolean"), value) if !value.is_boolean() => wrong(what, path),
            (Some("integer" | "number"), value) if !value.is_number() => wrong(what, path),
            (_, value) => Ok(value),
        }
    }
}

/// What Go's types of workloads always write, in an object that comes from a file: structs that are empty, numbers of
/// statuses, amounts in their own form.
pub(crate) fn filled(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap_or("").to_string();
    let Some(map) = object.as_object_mut() else { return };
    let zeros: &[&str] = match kind.as_str() {
        "StatefulSet" => &["availableReplicas", "replicas"],
        "ReplicaSet" | "ReplicationController" => &["replicas"],
        "DaemonSet" => &["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"],
        "Deployment" | "Job" | "CronJob" | "Pod" => &[],
        "Service" => {
            let status = map.entry("status").or_insert_with(|| json!({}));
            if let Some(status) = status.as_object_mut() {
                status.entry("loadBalancer").or_insert_with(|| json!({}));
            }
            return;
        }
        _ => return,
    };
    if let Some(status) = map.entry("status").or_insert_with(|| json!({})).as_object_mut() {
        for field in zeros {
            status.entry(*field).or_insert_with(|| 0.into());
        }
    }
    let strategy = match kind.as_str() {
        "Deployment" => Some("strategy"),
        "StatefulSet" | "DaemonSet" => Some("updateStrategy"),
        _ => None,
    };
    let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) else { return };
    spec.extend(strategy.filter(|f| !spec.contains_key(*f)).map(|f| (f.to_string(), json!({}))));
    for claim in spec.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(claim) = claim.as_object_mut() {
            claim.entry("status").or_insert_with(|| json!({}));
            resources(claim.get_mut("spec"));
        }
    }
    if let Some(job) = spec.get_mut("jobTemplate").and_then(Value::as_object_mut) {
        job.entry("metadata").or_insert_with(|| json!({}));
    }
    let template = match kind.as_str() {
        "CronJob" => object.pointer_mut("/spec/jobTemplate/spec/template"),
        _ => object.pointer_mut("/spec/template"),
    };
    if let Some(template) = template.and_then(Value::as_object_mut) {
        template.entry("metadata").or_insert_with(|| json!({}));
    }
    let Some(pods) = crate::polymorphic::pod_spec(object) else { return };
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        let list = object.pointer_mut(&format!("{pods}/{field}")).and_then(Value::as_array_mut);
        list.into_iter().flatten().for_each(|c| resources(Some(c)));
    }
}

fn resources(within: Option<&mut Value>) {
    let Some(within) = within.and_then(Value::as_object_mut) else { return };
    let resources = within.entry("resources").or_insert_with(|| json!({}));
    for field in ["limits", "requests"] {
        for v in resources.get_mut(field).and_then(Value::as_object_mut).into_iter().flat_map(|m| m.values_mut()) {
            if let Ok(text) = quantity(v) {
                *v = text.into();
            }
        }
    }
}

/// An amount as Go writes it.
fn quantity(value: &Value) -> Result<String, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), String::from);
    meta::Quantity::parse(&text).map(|q| q.to_string()).map_err(|_| {
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_always_writes_is_there() {
        let mut o = json!({
            "kind": "StatefulSet",
            "spec": {
                "template": {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "0.5"}}}]}},
                "volumeClaimTemplates": [{"spec": {}}],
            },
        });
        filled(&mut o);
        assert_eq!(
            o,
            json!({
                "kind": "StatefulSet",
                "spec": {
                    "template": {
                        "metadata": {},
                        "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}]},
                    },
                    "updateStrategy": {},
                    "volumeClaimTemplates": [{"spec": {"resources": {}}, "status": {}}],
                },
                "status": {"availableReplicas": 0, "replicas": 0},
            })
        );
    }
}
