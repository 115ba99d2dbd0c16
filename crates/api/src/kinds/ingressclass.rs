//! IngressClass. Models `pkg/registry/networking/ingressclass` and `pkg/apis/networking/validation`.

use super::ingress::group_kind_name;
use super::register;
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use crate::validate::names::{self, rule};
use crate::validate::{each, immutable, text};
use k8s_openapi::api::networking::v1::{IngressClass, IngressClassParametersReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, IngressClass);

const CONTROLLER_MAX: usize = 250;
const SCOPES: &[&str] = &["Cluster", "Namespace"];

/// Whether Ingresses without a class get this one.
pub fn is_default(meta: &ObjectMeta) -> bool {
    let annotation = meta.annotations.as_ref().and_then(|a| a.get("ingressclass.kubernetes.io/is-default-class"));
    annotation.is_some_and(|v| v == "true")
}

impl Registration for Reg {
    type Type = IngressClass;
    const PLURAL: &'static str = "ingressclasses";
    const SINGULAR: &'static str = "ingressclass";
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Controller", "string", 0).describe("Controller that is responsible for handling this class"),
        Column::new("Parameters", "string", 0).describe("A reference to a resource with additional parameters"),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: external-lb
spec:
  controller: example.com/ingress-controller
";

    /// Models `SetDefaults_IngressClass`.
    fn default(o: &mut IngressClass) {
        if let Some(p) = o.spec.as_mut().and_then(|s| s.parameters.as_mut()) {
            p.scope.get_or_insert_with(|| "Cluster".into());
        }
    }

    fn validate_create(o: &IngressClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let path = Path::new("spec");
        let spec = o.spec.clone().unwrap_or_default();
        let (at, controller) = (path.child("controller"), text(&spec.controller));
        if controller.is_empty() {
            errors.push(FieldError::required(&at, ""));
        } else {
            if controller.len() > CONTROLLER_MAX {
                errors.push(FieldError::too_long(&at, CONTROLLER_MAX));
            }
            errors.extend(names::domain_prefixed_path(&at, controller));
        }
        if let Some(p) = &spec.parameters {
            parameters(p, &path.child("parameters"), &mut errors);
        }
        errors
    }
    fn validate_update(new: &IngressClass, old: &IngressClass) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let controller =
            |o: &IngressClass| o.spec.as_ref().map(|s| text(&s.controller).to_string()).unwrap_or_default();
        immutable(&Path::new("spec").child("controller"), &controller(new), &controller(old), &mut errors);
        errors.extend(Self::validate_create(new));
        errors
    }

    fn cells(o: &IngressClass, now: Time) -> Vec<Cell> {
        let spec = o.spec.clone().unwrap_or_default();
        let parameters = spec.parameters.map_or_else(
            || table::NONE.into(),
            |p| {
                let group = p.api_group.map(|g| format!(".{g}")).unwrap_or_default();
                format!("{}{group}/{}", p.kind, p.name)
            },
        );
        vec![table::name(&o.metadata), text(&spec.controller).into(), parameters.into(), table::age(&o.metadata, now)]
    }
}

/// Models `validateIngressClassParametersReference`.
fn parameters(p: &IngressClassParametersReference, path: &Path, errors: &mut Vec<FieldError>) {
    group_kind_name(p.api_group.as_deref(), &p.kind, &p.name, path, errors);
    let at = path.child("namespace");
    match (p.scope.as_deref(), &p.namespace) {
        (None, _) => errors.push(FieldError::required(&path.child("scope"), "")),
        (Some("Namespace"), None) => {
            errors.push(FieldError::required(&at, "`parameters.scope` is set to 'Namespace'"));
        }
        (Some("Namespace"), Some(n)) => errors.extend(each(&at, n, rule::label(n, false))),
        (Some("Cluster"), Some(_)) => {
            errors.push(FieldError::forbidden(&at, "`parameters.scope` is set to 'Cluster'"));
        }
        (Some("Cluster"), None) => {}
        (Some(s), _) => errors.push(FieldError::not_supported(&path.child("scope"), s, SCOPES)),
    }
}
