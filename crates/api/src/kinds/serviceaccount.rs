//! ServiceAccount. Models `pkg/registry/core/serviceaccount`.

use super::register;
use crate::registration::{Cell, Column, Registration, Subresource, Verb};
use crate::table;
use k8s_openapi::api::core::v1::{ObjectReference, ServiceAccount};
use meta::Time;

pub struct Reg;
register!(Reg, ServiceAccount);

impl Registration for Reg {
    type Type = ServiceAccount;
    const PLURAL: &'static str = "serviceaccounts";
    const SINGULAR: &'static str = "serviceaccount";
    const SHORT_NAMES: &'static [&'static str] = &["sa"];
    const SUBRESOURCES: &'static [Subresource] = &[Subresource {
        name: "token",
        gvk: Some(("authentication.k8s.io", "v1", "TokenRequest")),
        verbs: &[Verb::Create],
    }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Secrets", "string", 0).describe(
            "Secrets is a list of the secrets in the same namespace that pods running using this ServiceAccount are \
             allowed to use. Pods are only limited to this list if this service account has a \
             \"kubernetes.io/enforce-mountable-secrets\" annotation set to \"true\". The \
             \"kubernetes.io/enforce-mountable-secrets\" annotation is deprecated since v1.32. Prefer separate \
             namespaces to isolate access to mounted secrets. This field should not be used to find auto-generated \
             service account token secrets for use outside of pods. Instead, tokens can be requested directly using the \
             TokenRequest API, or service account token secrets can be manually created. More info: \
             https://kubernetes.io/docs/concepts/configuration/secret",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: build-robot\n";

    fn prepare_create(o: &mut ServiceAccount) {
        // Of a reference only the name counts.
        for s in o.secrets.iter_mut().flatten() {
            *s = ObjectReference { name: s.name.take(), ..ObjectReference::default() };
        }
    }
    fn prepare_update(new: &mut ServiceAccount, _old: &ServiceAccount) {
        Self::prepare_create(new);
    }

    /// Models `pkg/registry/core/serviceaccount.warnIfHasEnforceMountableSecretsAnnotation`.
    fn warnings(o: &ServiceAccount) -> Vec<String> {
        let key = "kubernetes.io/enforce-mountable-secrets";
        if !o.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(key)) {
            return Vec::new();
        }
        vec![format!(
            "metadata.annotations[{key}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted \
             secrets"
        )]
    }

    fn cells(o: &ServiceAccount, now: Time) -> Vec<Cell> {
        let n = o.secrets.as_ref().map_or(0, Vec::len);
        vec![table::name(&o.metadata), n.into(), table::age(&o.metadata, now)]
    }
}
