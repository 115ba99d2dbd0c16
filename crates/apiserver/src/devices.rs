//! Who may look at devices that others use: only claims in namespaces that say so. Models `AuthorizedForAdmin` of
//! `pkg/registry/resource/util.go`, which looks when a claim or a template is made.

use crate::server::Cx;
use api::{Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::resource::v1::{ResourceClaim, ResourceClaimTemplate};
use meta::{FieldError, Path};

/// The namespace's label.
const ADMIN: &str = "resource.kubernetes.io/admin-access";

pub(crate) fn check_admin_access(cx: &Cx<'_>, namespace: &str, o: &dyn Object) -> Option<FieldError> {
    let claim = o.downcast::<ResourceClaim>().map(|c| &c.spec);
    let spec = claim.or_else(|| o.downcast::<ResourceClaimTemplate>().map(|t| &t.spec.spec))?;
    let requests = spec.devices.as_ref()?.requests.as_ref()?;
    let wanted = |r: &k8s_openapi::api::resource::v1::DeviceRequest| {
        r.exactly.as_ref().is_some_and(|e| e.admin_access == Some(true))
    };
    let at = requests.iter().position(wanted)?;
    let of = cx.object(Namespace::KIND_REF, "", namespace);
    let labels = of.and_then(|e| e.value.0.meta().labels.as_ref());
    if labels.and_then(|l| l.get(ADMIN)).is_some_and(|v| v == "true") {
        return None;
    }
    let path = Path::new("spec").child("devices").child("requests").index(at).child("adminAccess");
    let why = format!("admin access to devices requires the `{ADMIN}: true` label on the containing namespace");
    Some(FieldError::forbidden(&path, why))
}
