//! CustomResourceDefinition. Models `apiextensions-apiserver/pkg/{registry/customresourcedefinition, apis/apiextensions}`.

pub mod conversion;
mod programs;
mod rules;
mod schema;
mod structural;
mod types;
mod validation;

use super::{STATUS_VERBS, register};
use crate::custom;
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use cel::Declared;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceConversion, CustomResourceDefinition, CustomResourceDefinitionCondition, JSONSchemaProps,
};
use meta::{FieldError, Time};
use std::rc::Rc;

pub struct Reg;
register!(Reg, CustomResourceDefinition);

/// Keeps a definition until its objects are gone.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// The type in programs of the objects that a schema is of; `None`: programs do not see them.
pub(crate) fn declared(schema: &JSONSchemaProps) -> Option<Rc<Declared>> {
    types::declared(schema, true)
}

impl Registration for Reg {
    type Type = CustomResourceDefinition;
    const PLURAL: &'static str = "customresourcedefinitions";
    const SINGULAR: &'static str = "customresourcedefinition";
    const SHORT_NAMES: &'static [&'static str] = &["crd", "crds"];
    const CATEGORIES: &'static [&'static str] = &["api-extensions"];
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::new("Created At", "date", 0).describe(table::AGE_DESCRIPTION)];
    const SAMPLE: &'static str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names:
    plural: crontabs
    singular: crontab
    kind: CronTab
    shortNames:
    - ct
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              cronSpec:
                type: string
              image:
                type: string
              replicas:
                type: integer
";

    /// Models `SetDefaults_CustomResourceDefinitionSpec`.
    fn default(o: &mut CustomResourceDefinition) {
        let names = &mut o.spec.names;
        if names.singular.as_deref().unwrap_or("").is_empty() {
            names.singular = Some(names.kind.to_lowercase());
        }
        if names.list_kind.as_deref().unwrap_or("").is_empty() && !names.kind.is_empty() {
            names.list_kind = Some(format!("{}List", names.kind));
        }
        let conversion = || CustomResourceConversion { strategy: "None".into(), webhook: None };
        o.spec.conversion.get_or_insert_with(conversion);
        if o.spec.preserve_unknown_fields == Some(false) {
            o.spec.preserve_unknown_fields = None;
        }
    }

    fn prepare_create(o: &mut CustomResourceDefinition) {
        o.status = None;
        store_version(o);
    }
    fn prepare_update(new: &mut CustomResourceDefinition, old: &CustomResourceDefinition) {
        new.status.clone_from(&old.status);
        store_version(new);
    }
    fn prepare_status(new: &mut CustomResourceDefinition, old: &CustomResourceDefinition) {
        new.spec = old.spec.clone();
        let version = new.metadata.resource_version.take();
        new.metadata = old.metadata.clone();
        new.metadata.resource_version = version;
    }

    fn validate_create(o: &CustomResourceDefinition) -> Vec<FieldError> {
        validation::create(o)
    }
    fn validate_update(new: &CustomResourceDefinition, old: &CustomResourceDefinition) -> Vec<FieldError> {
        validation::update(new, old)
    }

    /// Models `WarningsOnCreate`: formats of strings that nobody checks.
    fn warnings(o: &CustomResourceDefinition) -> Vec<String> {
        let mut warnings = Vec::new();
        for schema in o.spec.versions.iter().filter_map(|v| v.schema.as_ref()?.open_api_v3_schema.as_ref()) {
            custom::each_schema(schema, &mut |s| {
                let format = s.format.as_deref().filter(|f| !f.is_empty() && s.type_.as_deref() == Some("string"));
                let Some(format) = format.filter(|f| !custom::is_known_format(f)) else { return };
                let warning = format!("unrecognized format {format:?}");
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
            });
        }
        warnings
    }

    fn cells(o: &CustomResourceDefinition, _: Time) -> Vec<Cell> {
        let created = o.metadata.creation_timestamp.as_ref().map(|t| Time::from_k8s(t).rfc3339());
        vec![table::name(&o.metadata), created.map_or(Cell::Null, Into::into)]
    }
}

/// The version that is stored is among the stored ones.
fn store_version(o: &mut CustomResourceDefinition) {
    let Some(version) = o.spec.versions.iter().find(|v| v.storage).map(|v| v.name.clone()) else { return };
    let stored = o.status.get_or_insert_default().stored_versions.get_or_insert_default();
    if !stored.contains(&version) {
        stored.push(version);
    }
}

/// Models `SetCRDCondition`.
pub fn set_condition(
    o: &mut CustomResourceDefinition,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: Time,
) {
    let list = o.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut new = CustomResourceDefinitionCondition {
        type_: kind.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_transition_time: Some(now.to_k8s()),
        observed_generation: None,
    };
    match list.iter_mut().find(|c| c.type_ == kind) {
        None => list.push(new),
        Some(old) => {
            if old.status == new.status {
                new.last_transition_time.clone_from(&old.last_transition_time);
            }
            *old = new;
        }
    }
}
