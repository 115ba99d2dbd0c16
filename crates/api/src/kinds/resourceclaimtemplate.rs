//! ResourceClaimTemplate: the claim that every pod gets one of its own of. Models
//! `pkg/registry/resource/resourceclaimtemplate` and `ValidateResourceClaimTemplate`.

use super::{devices, register};
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::meta::validate_annotations;
use crate::validate::{IMMUTABLE, json_text, validate_labels};
use k8s_openapi::api::resource::v1::{ResourceClaimTemplate, ResourceClaimTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ResourceClaimTemplate);

impl Registration for Reg {
    type Type = ResourceClaimTemplate;
    const PLURAL: &'static str = "resourceclaimtemplates";
    const SINGULAR: &'static str = "resourceclaimtemplate";
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "\
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata:
  name: one-gpu
spec:
  spec:
    devices:
      requests:
      - name: gpu
        exactly:
          deviceClassName: gpu.example.com
";

    fn default(o: &mut ResourceClaimTemplate) {
        devices::default(&mut o.spec.spec);
    }
    fn prepare_create(o: &mut ResourceClaimTemplate) {
        devices::drop_disabled(&mut o.spec.spec);
    }
    fn prepare_update(new: &mut ResourceClaimTemplate, _old: &ResourceClaimTemplate) {
        devices::drop_disabled(&mut new.spec.spec);
    }

    fn validate_create(o: &ResourceClaimTemplate) -> Vec<FieldError> {
        let path = Path::new("spec");
        let mut errors = template_meta(&o.spec, &path.child("metadata"));
        errors.extend(devices::validate(&o.spec.spec, &path.child("spec")));
        errors
    }
    fn validate_update(new: &ResourceClaimTemplate, old: &ResourceClaimTemplate) -> Vec<FieldError> {
        if new.spec == old.spec {
            return Vec::new();
        }
        let mut error = FieldError::invalid(&Path::new("spec"), "", IMMUTABLE);
        error.value = written(&new.spec);
        vec![error]
    }

    fn cells(o: &ResourceClaimTemplate, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}

/// Models `ValidateTemplateObjectMeta`.
fn template_meta(spec: &ResourceClaimTemplateSpec, path: &Path) -> Vec<FieldError> {
    let Some(m) = &spec.metadata else { return Vec::new() };
    let mut errors = validate_annotations(&path.child("annotations"), m.annotations.as_ref());
    errors.extend(validate_labels(&path.child("labels"), m.labels.as_ref()));
    let allowed = ObjectMeta { annotations: m.annotations.clone(), labels: m.labels.clone(), ..Default::default() };
    if allowed != *m {
        errors.push(FieldError::forbidden(path, "cannot set fields other than labels and annotations"));
    }
    errors
}

/// As Go prints it: the embedded metadata has JSON names, the rest has none.
fn written(spec: &ResourceClaimTemplateSpec) -> String {
    // Metadata's fields are those of the template itself, because it is embedded.
    let meta = spec.metadata.as_ref().map(json_text).unwrap_or_default();
    let meta = meta.trim_start_matches('{').trim_end_matches('}');
    let comma = if meta.is_empty() { "" } else { "," };
    format!("{{{meta}{comma}\"Spec\":{}}}", json_text(&devices::written(&spec.spec)))
}
