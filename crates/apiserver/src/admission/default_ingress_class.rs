//! An Ingress that names no class gets the default one. Models `plugin/pkg/admission/network/defaultingressclass`.

use crate::keys;
use crate::server::Cx;
use api::kinds::ingress::CLASS_ANNOTATION;
use api::kinds::ingressclass;
use api::{ObjectExt, Registered};
use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use meta::Time;

pub(super) fn admit(cx: &Cx<'_>, ingress: &mut Ingress) {
    let named = ingress.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(CLASS_ANNOTATION));
    if named || ingress.spec.as_ref().is_some_and(|s| s.ingress_class_name.is_some()) {
        return;
    }
    let prefix = keys::prefix(IngressClass::KIND_REF, "");
    let end = keys::range_end(&prefix);
    let all = cx.store.iter_range(&prefix, &end);
    let classes = all.filter_map(|(_, e)| e.value.0.downcast::<IngressClass>());
    let defaults = classes.filter(|c| ingressclass::is_default(&c.metadata));
    // The newest, then the first by name.
    let created = |c: &IngressClass| c.metadata.creation_timestamp.as_ref().map(Time::from_k8s);
    let class = defaults.min_by(|a, b| created(b).cmp(&created(a)).then_with(|| a.metadata.name.cmp(&b.metadata.name)));
    if let Some(name) = class.and_then(|c| c.metadata.name.clone()) {
        ingress.spec.get_or_insert_default().ingress_class_name = Some(name);
    }
}
