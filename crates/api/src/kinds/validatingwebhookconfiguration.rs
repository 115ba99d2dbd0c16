//! ValidatingWebhookConfiguration: programs that are asked whether something may be written. Models
//! `pkg/registry/admissionregistration/validatingwebhookconfiguration`.

use super::{register, webhooks};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, ValidatingWebhookConfiguration};
use meta::{FieldError, Time};

pub struct Reg;
register!(Reg, ValidatingWebhookConfiguration);

impl Registration for Reg {
    type Type = ValidatingWebhookConfiguration;
    const PLURAL: &'static str = "validatingwebhookconfigurations";
    const SINGULAR: &'static str = "validatingwebhookconfiguration";
    const CATEGORIES: &'static [&'static str] = &["api-extensions"];
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Webhooks", "integer", 0)
            .describe("Webhooks indicates the number of webhooks registered in this configuration"),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: ask-first
webhooks:
- name: pods.ask-first.example.com
  admissionReviewVersions: [v1]
  clientConfig:
    service:
      namespace: default
      name: ask-first
      path: /pods
  failurePolicy: Ignore
  rules:
  - apiGroups: ['']
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
  sideEffects: None
";

    fn default(o: &mut ValidatingWebhookConfiguration) {
        for w in o.webhooks.iter_mut().flatten() {
            webhooks::defaults!(w);
        }
    }
    fn validate_create(o: &ValidatingWebhookConfiguration) -> Vec<FieldError> {
        webhooks::validate(&hooks(o), webhooks::Strict::CREATE)
    }
    fn validate_update(new: &ValidatingWebhookConfiguration, old: &ValidatingWebhookConfiguration) -> Vec<FieldError> {
        let (new, old) = (hooks(new), hooks(old));
        webhooks::validate(&new, webhooks::Strict::update(&new, &old))
    }

    fn cells(o: &ValidatingWebhookConfiguration, now: Time) -> Vec<Cell> {
        let count = o.webhooks.as_ref().map_or(0, Vec::len);
        vec![table::name(&o.metadata), count.into(), table::age(&o.metadata, now)]
    }
}

/// All webhooks of a configuration, in their order.
#[must_use]
pub fn hooks(o: &ValidatingWebhookConfiguration) -> Vec<MutatingWebhook> {
    o.webhooks.iter().flatten().map(webhooks::as_mutating).collect()
}
