//! RuntimeClass. Models `pkg/registry/node/runtimeclass` and `pkg/apis/node/validation`.

use super::pod::resources;
use super::pod::scheduling::tolerations as validate_tolerations;
use super::pod::warnings::deprecated_node_label;
use super::register;
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::names::rule;
use crate::validate::{each, immutable, validate_labels};
use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use k8s_openapi::api::node::v1::{RuntimeClass, Scheduling};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};
use std::collections::BTreeMap;

pub struct Reg;
register!(Reg, RuntimeClass);

/// The class that every cluster has from the start: WebAssembly components, on nodes that run nothing else.
pub fn wasmtime() -> RuntimeClass {
    let (key, value) = ("kubernetes.io/arch", "wasm32");
    let toleration = Toleration {
        key: Some(key.into()),
        operator: Some("Equal".into()),
        value: Some(value.into()),
        effect: Some("NoSchedule".into()),
        ..Default::default()
    };
    RuntimeClass {
        metadata: ObjectMeta { name: Some("wasmtime".into()), ..Default::default() },
        handler: "wasmtime".into(),
        scheduling: Some(Scheduling {
            node_selector: Some(BTreeMap::from([(key.into(), value.into())])),
            tolerations: Some(vec![toleration]),
        }),
        overhead: None,
    }
}

impl Registration for Reg {
    type Type = RuntimeClass;
    const PLURAL: &'static str = "runtimeclasses";
    const SINGULAR: &'static str = "runtimeclass";
    const SCOPE: Scope = Scope::Cluster;
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::new("Handler", "string", 0), Column::AGE];
    const SAMPLE: &'static str =
        "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata:\n  name: gvisor\nhandler: runsc\n";

    fn quantities(o: &mut RuntimeClass, f: &mut dyn FnMut(&mut ApiQuantity)) {
        let fixed = o.overhead.iter_mut().flat_map(|h| h.pod_fixed.iter_mut());
        fixed.flat_map(|m| m.values_mut()).for_each(f);
    }

    fn validate_create(o: &RuntimeClass) -> Vec<FieldError> {
        let handler = rule::label(&o.handler, false);
        let mut errors: Vec<FieldError> = each(&Path::new("handler"), &o.handler, handler).collect();
        if let Some(overhead) = &o.overhead {
            let limits = ResourceRequirements { limits: overhead.pod_fixed.clone(), ..Default::default() };
            resources::validate(&limits, &[], &Path::new("overhead"), &mut errors);
        }
        if let Some(s) = &o.scheduling {
            let path = Path::new("scheduling");
            errors.extend(validate_labels(&path.child("nodeSelector"), s.node_selector.as_ref()));
            let tolerations = s.tolerations.as_deref().unwrap_or_default();
            let at = path.child("tolerations");
            validate_tolerations(tolerations, &at, &mut errors);
            for (i, t) in tolerations.iter().enumerate() {
                let same = |o: &&Toleration| {
                    (&o.key, &o.operator, &o.value, &o.effect) == (&t.key, &t.operator, &t.value, &t.effect)
                };
                if tolerations[..i].iter().any(|o| same(&o)) {
                    errors.push(FieldError::duplicate(&at.index(i), serde_json::json!(t)));
                }
            }
        }
        errors
    }
    fn validate_update(new: &RuntimeClass, old: &RuntimeClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        immutable(&Path::new("handler"), &new.handler, &old.handler, &mut errors);
        errors
    }

    /// Models `GetWarningsForRuntimeClass`.
    fn warnings(o: &RuntimeClass) -> Vec<String> {
        let selector = o.scheduling.iter().flat_map(|s| s.node_selector.iter().flatten());
        let at = Path::new("scheduling").child("nodeSelector");
        selector.filter_map(|(k, _)| Some(format!("{}: {}", at.key(k), deprecated_node_label(k)?))).collect()
    }

    fn cells(o: &RuntimeClass, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), o.handler.as_str().into(), table::age(&o.metadata, now)]
    }
}
