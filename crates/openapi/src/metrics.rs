//! The document of `metrics.k8s.io`, whose types k8s-openapi does not have. In the words of `k8s.io/metrics`.

use super::{Document, finish, paths, schemas};
use api::Kind;
use api::kinds::podmetrics::{AGGREGATED, GROUP, VERSION};
use serde_json::{Map, Value, json};

const PACKAGE: &str = "io.k8s.metrics.pkg.apis.metrics";
const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";
const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// Its path below `/openapi/v3`.
pub fn root() -> String {
    super::root(GROUP, VERSION)
}

pub fn document() -> Document {
    let (mut builder, mut paths) = (schemas::Builder::default(), Map::new());
    let mut added = Map::new();
    for kind in AGGREGATED {
        builder.common(kind);
        let name = name(kind.kind);
        paths::add(&mut paths, kind, &name);
        added.insert(format!("{name}List"), schemas::list(kind, &name));
        added.insert(name, schema(kind));
    }
    added.insert(name("ContainerMetrics"), container());
    let mut components = builder.finish();
    let quantity = json!({"description": "Quantity is a fixed-point representation of a number.", "oneOf": [{"type": "string"}, {"type": "number"}]});
    components.insert(QUANTITY.into(), quantity);
    components.insert(format!("{META}.Time"), json!({"type": "string", "format": "date-time"}));
    components.insert(format!("{META}.Duration"), json!({"type": "string"}));
    components.extend(added);
    finish(paths, components)
}

fn name(kind: &str) -> String {
    format!("{PACKAGE}.{VERSION}.{kind}")
}

fn reference(name: &str) -> Value {
    json!([{"$ref": format!("#/components/schemas/{name}")}])
}

fn usage() -> Value {
    json!({
        "type": "object",
        "description": "The memory usage is the memory working set.",
        "additionalProperties": {"allOf": reference(QUANTITY)}
    })
}

fn container() -> Value {
    json!({
        "type": "object",
        "description": "ContainerMetrics sets resource usage metrics of a container.",
        "required": ["name", "usage"],
        "properties": {
            "name": {"type": "string", "default": "", "description": "Container name corresponding to the one from pod.spec.containers."},
            "usage": usage()
        }
    })
}

fn schema(kind: &Kind) -> Value {
    let (of, own, field) = match kind.kind {
        "PodMetrics" => {
            let items = json!({"allOf": reference(&name("ContainerMetrics")), "default": {}});
            let about = "Metrics for all containers are collected within the same time window.";
            ("pod", json!({"type": "array", "description": about, "items": items}), "containers")
        }
        _ => ("node", usage(), "usage"),
    };
    let words = schemas::list(kind, "");
    let window = "The following fields define time interval from which metrics were collected from the interval \
                  [Timestamp-Window, Timestamp].";
    json!({
        "type": "object",
        "description": format!("{} sets resource usage metrics of a {of}.", kind.kind),
        "required": ["timestamp", "window", field],
        "properties": {
            "apiVersion": words["properties"]["apiVersion"],
            "kind": words["properties"]["kind"],
            "metadata": {"allOf": reference(&format!("{META}.ObjectMeta")), "default": {}},
            "timestamp": {"allOf": reference(&format!("{META}.Time")), "description": window},
            "window": {"allOf": reference(&format!("{META}.Duration"))},
            field: own
        },
        "x-kubernetes-group-version-kind": [{"group": GROUP, "kind": kind.kind, "version": VERSION}]
    })
}
