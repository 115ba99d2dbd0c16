//! All schemas in one document, without paths, for those who have no server to ask: the page.

use api::Verb;
use api::kinds::KINDS;
use serde_json::{Value, json};

/// An OpenAPI v3 document. `x-kubottle-kinds` are the kinds that somebody may write, as the registry has them.
pub fn document() -> Vec<u8> {
    let mut builder = super::schemas::Builder::default();
    KINDS.iter().for_each(|kind| builder.add(kind));
    let kinds: Vec<Value> = KINDS
        .iter()
        .filter(|k| k.verbs.contains(&Verb::Create))
        .map(|k| {
            let api_version =
                if k.group.is_empty() { k.version.to_string() } else { format!("{}/{}", k.group, k.version) };
            json!({"apiVersion": api_version, "kind": k.kind, "schema": builder.name(k)})
        })
        .collect();
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.35.0"},
        "paths": {},
        "components": {"schemas": builder.finish()},
        "x-kubottle-kinds": kinds,
    })
    .to_string()
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_can_be_written_has_its_own_schema() {
        let document: Value = serde_json::from_slice(&document()).unwrap();
        let kinds = document["x-kubottle-kinds"].as_array().unwrap();
        assert!(kinds.len() > 40, "{}", kinds.len());
        for kind in kinds {
            let schema = &document["components"]["schemas"][kind["schema"].as_str().unwrap()];
            let gvk = &schema["x-kubernetes-group-version-kind"][0];
            assert_eq!(gvk["kind"], kind["kind"], "{kind}");
            let group = gvk["group"].as_str().unwrap();
            let version = gvk["version"].as_str().unwrap();
            let api_version = if group.is_empty() { version.into() } else { format!("{group}/{version}") };
            assert_eq!(kind["apiVersion"], api_version, "{kind}");
        }
    }
}
