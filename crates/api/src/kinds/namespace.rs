//! Namespace. Models `pkg/registry/core/namespace/strategy.go`.

use super::register;
use crate::registration::{Cell, Column, Registration, Scope, Subresource, Verb};
use crate::table;
use crate::validate::meta::validate_finalizer_name;
use crate::validate::names::{NameRule, rule};
use crate::validate::text;
use k8s_openapi::api::core::v1::{Namespace, NamespaceStatus};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Namespace);

const NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Registration for Reg {
    type Type = Namespace;
    const PLURAL: &'static str = "namespaces";
    const SINGULAR: &'static str = "namespace";
    const SHORT_NAMES: &'static [&'static str] = &["ns"];
    const SCOPE: Scope = Scope::Cluster;
    const VERBS: &'static [Verb] =
        &[Verb::Create, Verb::Delete, Verb::Get, Verb::List, Verb::Patch, Verb::Update, Verb::Watch];
    const SUBRESOURCES: &'static [Subresource] = &[
        Subresource { name: "finalize", gvk: None, verbs: &[Verb::Update] },
        Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS },
    ];
    const NAME_RULE: NameRule = rule::label;
    const COLUMNS: &'static [Column] =
        &[Column::NAME, Column::new("Status", "string", 0).describe("The status of the namespace"), Column::AGE];
    const SAMPLE: &'static str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: development\n";

    fn default(o: &mut Namespace) {
        name_label(o);
        let status = o.status.get_or_insert_default();
        if text(&status.phase).is_empty() {
            status.phase = Some("Active".into());
        }
    }

    fn prepare_create(o: &mut Namespace) {
        o.status = Some(NamespaceStatus { phase: Some("Active".into()), ..Default::default() });
        let finalizers = o.spec.get_or_insert_default().finalizers.get_or_insert_default();
        if !finalizers.iter().any(|f| f == "kubernetes") {
            finalizers.push("kubernetes".into());
        }
        // Also for a name that was generated after defaulting. Models `Canonicalize`.
        name_label(o);
    }
    fn prepare_update(new: &mut Namespace, old: &Namespace) {
        new.spec = old.spec.clone();
        new.status = old.status.clone();
    }
    fn prepare_status(new: &mut Namespace, old: &Namespace) {
        new.spec = old.spec.clone();
    }

    fn validate_create(o: &Namespace) -> Vec<FieldError> {
        let path = Path::new("spec").child("finalizers");
        let list = o.spec.iter().flat_map(|s| s.finalizers.iter().flatten());
        list.flat_map(|f| validate_finalizer_name(&path, f)).collect()
    }

    fn validate_update(new: &Namespace, _old: &Namespace) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn validate_status(new: &Namespace, _old: &Namespace) -> Vec<FieldError> {
        let phase = new.status.as_ref().map_or("", |s| text(&s.phase));
        let (want, why) = if new.metadata.deletion_timestamp.is_none() {
            ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
        } else {
            ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty")
        };
        if phase == want {
            return Vec::new();
        }
        vec![FieldError::invalid(&Path::new("status").child("Phase"), phase, why)]
    }

    fn cells(o: &Namespace, now: Time) -> Vec<Cell> {
        let phase = o.status.as_ref().map_or("", |s| text(&s.phase));
        vec![table::name(&o.metadata), phase.into(), table::age(&o.metadata, now)]
    }

    fn fields(o: &Namespace) -> Vec<(&'static str, String)> {
        let phase = o.status.as_ref().map_or("", |s| text(&s.phase));
        vec![("status.phase", phase.into()), ("name", text(&o.metadata.name).into())]
    }
}

fn name_label(o: &mut Namespace) {
    if let Some(name) = o.metadata.name.clone().filter(|n| !n.is_empty()) {
        o.metadata.labels.get_or_insert_default().insert(NAME_LABEL.into(), name);
    }
}
