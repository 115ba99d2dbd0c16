//! What a server's discovery says of one group and version. Models `ConvertGroupVersionIntoToDiscovery`.

use serde_json::{Map, Value, json};

/// Its resources, of a document in the aggregated form or of an `APIResourceList`; `None`: the server does not have it.
pub fn resources(document: &Value, group: &str, version: &str) -> Option<Value> {
    if document["kind"] == "APIResourceList" {
        return Some(converted(document["resources"].as_array()?, group, version));
    }
    let named = |g: &&Value| g["metadata"]["name"].as_str().unwrap_or("") == group;
    let found = document["items"].as_array()?.iter().find(named)?;
    let found = found["versions"].as_array()?.iter().find(|v| v["version"] == version)?;
    let mut resources = found.get("resources").cloned().unwrap_or_else(|| json!([]));
    for resource in resources.as_array_mut().into_iter().flatten() {
        known_kind(resource);
        resource.get_mut("subresources").and_then(Value::as_array_mut).into_iter().flatten().for_each(known_kind);
    }
    Some(resources)
}

/// Some clients need a kind.
fn known_kind(resource: &mut Value) {
    if let Some(r) = resource.as_object_mut()
        && r.get("responseKind").is_none_or(Value::is_null)
    {
        r.insert("responseKind".into(), json!({"group": "", "version": "", "kind": ""}));
    }
}

fn converted(list: &[Value], group: &str, version: &str) -> Value {
    let mut resources: Vec<Value> = Vec::new();
    // Parents before their subresources, whose parents may be missing.
    let (whole, parts): (Vec<&Value>, Vec<&Value>) =
        list.iter().partition(|r| !r["name"].as_str().unwrap_or("").contains('/'));
    let kind = |r: &Value| {
        let or = |name: &str, other: &str| match r[name].as_str().unwrap_or("") {
            "" => other.to_string(),
            own => own.to_string(),
        };
        json!({"group": or("group", group), "version": or("version", version), "kind": r["kind"]})
    };
    let scope = |r: &Value| if r["namespaced"] == true { "Namespaced" } else { "Cluster" };
    for r in whole {
        let mut made = Map::new();
        made.insert("resource".into(), r["name"].clone());
        made.insert("responseKind".into(), kind(r));
        made.insert("scope".into(), scope(r).into());
        made.insert("singularResource".into(), r["singularName"].as_str().unwrap_or("").into());
        made.insert("verbs".into(), r["verbs"].clone());
        for name in ["shortNames", "categories"] {
            if r[name].as_array().is_some_and(|a| !a.is_empty()) {
                made.insert(name.into(), r[name].clone());
            }
        }
        resources.push(made.into());
    }
    for r in parts {
        let Some((parent, name)) = r["name"].as_str().and_then(|n| n.split_once('/')) else { continue };
        let at = resources.iter().position(|p| p["resource"] == parent).unwrap_or_else(|| {
            resources.push(json!({"resource": parent, "scope": scope(r), "singularResource": "", "verbs": [],
                                  "responseKind": {"group": "", "version": "", "kind": ""}}));
            resources.len() - 1
        });
        if resources[at]["subresources"].is_null() {
            resources[at]["subresources"] = json!([]);
        }
        let made = json!({"subresource": name, "responseKind": kind(r), "verbs": r["verbs"]});
        resources[at]["subresources"].as_array_mut().into_iter().for_each(|s| s.push(made.clone()));
    }
    resources.into()
}

#[cfg(test)]
mod tests {
    use super::resources;
    use serde_json::json;

    #[test]
    fn both_forms_of_discovery_come_to_the_same() {
        let flunders = json!([{"resource": "flunders", "scope": "Namespaced", "singularResource": "flunder",
            "responseKind": {"group": "wardle.io", "version": "v1", "kind": "Flunder"}, "verbs": ["get", "list"],
            "shortNames": ["fl"], "subresources": [{"subresource": "status", "verbs": ["get"],
                "responseKind": {"group": "wardle.io", "version": "v1", "kind": "Flunder"}}]}]);
        let new = json!({"kind": "APIGroupDiscoveryList", "items": [
            {"metadata": {"name": "other"}, "versions": []},
            {"metadata": {"name": "wardle.io"}, "versions": [{"version": "v1", "resources": flunders, "freshness": "Current"}]}]});
        let old = json!({"kind": "APIResourceList", "groupVersion": "wardle.io/v1", "resources": [
            {"name": "flunders/status", "namespaced": true, "kind": "Flunder", "verbs": ["get"], "singularName": ""},
            {"name": "flunders", "namespaced": true, "kind": "Flunder", "verbs": ["get", "list"],
             "singularName": "flunder", "shortNames": ["fl"]}]});
        assert_eq!(resources(&new, "wardle.io", "v1"), Some(flunders.clone()));
        assert_eq!(resources(&old, "wardle.io", "v1"), Some(flunders));
        assert_eq!(resources(&new, "wardle.io", "v2"), None);
    }
}
