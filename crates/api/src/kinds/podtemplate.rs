//! PodTemplate: a template kept for itself. Models `pkg/registry/core/podtemplate` and `ValidatePodTemplate`.

use super::{pod, register, workload};
use crate::registration::{Cell, Column, Registration};
use crate::table;
use k8s_openapi::api::core::v1::PodTemplate;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, PodTemplate);

impl Registration for Reg {
    type Type = PodTemplate;
    const PLURAL: &'static str = "podtemplates";
    const SINGULAR: &'static str = "podtemplate";
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column { priority: 0, ..workload::CONTAINERS },
        Column { priority: 0, ..workload::IMAGES },
        Column::new("Pod Labels", "string", 0).describe("The labels for the pod template."),
    ];
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: PodTemplate
metadata:
  name: web
template:
  metadata:
    labels:
      app: web
  spec:
    containers:
    - name: nginx
      image: nginx:1.25
";

    fn quantities(o: &mut PodTemplate, f: &mut dyn FnMut(&mut Quantity)) {
        if let Some(spec) = o.template.as_mut().and_then(|t| t.spec.as_mut()) {
            pod::visit_quantities(spec, f);
        }
    }

    fn default(o: &mut PodTemplate) {
        pod::defaults::pod_spec(o.template.get_or_insert_default().spec.get_or_insert_default());
    }

    fn validate_create(o: &PodTemplate) -> Vec<FieldError> {
        let none = Default::default();
        pod::validate_pod_template(o.template.as_ref().unwrap_or(&none), &Path::new("template"))
    }
    fn validate_update(new: &PodTemplate, _old: &PodTemplate) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn warnings(o: &PodTemplate) -> Vec<String> {
        workload::template_warnings(&Path::new("template"), o.template.as_ref())
    }

    fn cells(o: &PodTemplate, _now: Time) -> Vec<Cell> {
        let [names, images] = table::containers(workload::template_containers(o.template.as_ref()));
        let labels = o.template.as_ref().and_then(|t| t.metadata.as_ref()?.labels.as_ref());
        vec![table::name(&o.metadata), names, images, table::labels(labels)]
    }
}
