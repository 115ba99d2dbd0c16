//! The schemas of custom resources, for the editor: read from their definitions. Pure.

use serde_json::{Value, json};

pub const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// `[{apiVersion, kind, schema}]` of a list of definitions, the versions that are served.
pub fn of_definitions(list: &Value) -> Value {
    let all = list["items"].as_array().into_iter().flatten();
    let versions = all.flat_map(|d| {
        let (group, kind) = (&d["spec"]["group"], &d["spec"]["names"]["kind"]);
        let versions = d["spec"]["versions"].as_array().into_iter().flatten();
        versions.filter(|v| v["served"] == true).map(move |v| {
            let words = |v: &Value| v.as_str().unwrap_or_default().to_string();
            let api_version = format!("{}/{}", words(group), words(&v["name"]));
            json!({"apiVersion": api_version, "kind": kind, "schema": v["schema"]["openAPIV3Schema"]})
        })
    });
    versions.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_are_served_have_their_schema() {
        let version = |name: &str, served: bool| json!({"name": name, "served": served, "schema": {"openAPIV3Schema": {"type": "object"}}});
        let list = json!({"items": [{"spec": {
            "group": "stable.example.com",
            "names": {"kind": "CronTab"},
            "versions": [version("v1", true), version("v1beta1", false)],
        }}]});
        let wanted = json!([{"apiVersion": "stable.example.com/v1", "kind": "CronTab", "schema": {"type": "object"}}]);
        assert_eq!(of_definitions(&list), wanted);
        assert_eq!(of_definitions(&json!({"kind": "Status"})), json!([]));
    }
}
