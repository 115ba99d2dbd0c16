//! CertificateSigningRequest. Models `pkg/registry/certificates/certificates` and its table.

mod validation;

use super::{STATUS_VERBS, register};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::names::NameRule;
use k8s_openapi::api::certificates::v1::{
    CertificateSigningRequest, CertificateSigningRequestCondition, CertificateSigningRequestStatus,
};
use meta::{Duration, FieldError, Time, User};
use validation::Allowed;

pub struct Reg;
register!(Reg, CertificateSigningRequest);

pub const APPROVED: &str = "Approved";
pub const DENIED: &str = "Denied";
pub const FAILED: &str = "Failed";
/// Signers that the control plane itself is.
pub const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
pub const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
pub const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
pub const LEGACY: &str = "kubernetes.io/legacy-unknown";

impl Registration for Reg {
    type Type = CertificateSigningRequest;
    const PLURAL: &'static str = "certificatesigningrequests";
    const SINGULAR: &'static str = "certificatesigningrequest";
    const SHORT_NAMES: &'static [&'static str] = &["csr"];
    const SCOPE: Scope = Scope::Cluster;
    const SUBRESOURCES: &'static [Subresource] = &[
        Subresource { name: "approval", gvk: None, verbs: STATUS_VERBS },
        Subresource { name: "status", gvk: None, verbs: STATUS_VERBS },
    ];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::AGE,
        Column::new("SignerName", "string", 0).describe("Whose signature is asked for."),
        Column::new("Requestor", "string", 0).describe("The PEM-encoded request for the certificate."),
        Column::new("RequestedDuration", "string", 0).describe("How long the certificate is wanted for."),
        Column::new("Condition", "string", 0).describe("What has become of the request."),
    ];
    const SAMPLE: &'static str = "\
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: jane
spec:
  request: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIZ01JR0dBZ0VBTUNReERUQUxCZ05WQkFNTUJHcGhibVV4RXpBUkJnTlZCQW9NQ21SbGRtVnNiM0JsY25NdwpXVEFUQmdjcWhrak9QUUlCQmdncWhrak9QUU1CQndOQ0FBUjBIWklBSUxRUlIzYzllZXg0OTBZMFVoMHZKcFpsCnVRK1FkM2pyL0JYNUVENGZxd3o0SEFCTysrelhvYk9QZXdKRC83SFA1VDVaUUtRUUUyZHNKeXdtb0FBd0NnWUkKS29aSXpqMEVBd0lEU1FBd1JnSWhBUFJWVWRmVGN0dThvWVMzL3JpNEFOd2N3OUhsYXNYQVRrZjRsNEZzRVdTbQpBaUVBcEsrV2FsWEFMZUZQZjlvS3Z4Z3NNeWo5blNCR1hSeUNHcUJsYXA1V1BBRT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==
  signerName: kubernetes.io/kube-apiserver-client
  expirationSeconds: 86400
  usages:
  - client auth
";
    /// Nobody minds what requests are called.
    const NAME_RULE: NameRule = |_, _| Vec::new();

    /// Who asks is said afterwards, by [`identify`].
    fn prepare_create(o: &mut CertificateSigningRequest) {
        let s = &mut o.spec;
        (s.username, s.uid, s.groups, s.extra) = (None, None, None, None);
        o.status = Some(CertificateSigningRequestStatus::default());
    }
    fn prepare_update(new: &mut CertificateSigningRequest, old: &CertificateSigningRequest) {
        new.spec = old.spec.clone();
        new.status.clone_from(&old.status);
    }
    /// The approver's conditions are not the signer's to change: where it says as many they stay as they were, and where
    /// it does not, the difference is refused.
    fn prepare_status(new: &mut CertificateSigningRequest, old: &CertificateSigningRequest) {
        new.spec = old.spec.clone();
        for of in [APPROVED, DENIED] {
            let before: Vec<_> = found(old, of).cloned().collect();
            if found(new, of).count() == before.len() {
                let conditions = new.status.iter_mut().flat_map(|s| &mut s.conditions).flatten();
                conditions.filter(|c| c.type_ == of).zip(before).for_each(|(c, b)| *c = b);
            }
        }
    }

    fn validate_create(o: &CertificateSigningRequest) -> Vec<FieldError> {
        validation::check(o, None)
    }
    fn validate_update(new: &CertificateSigningRequest, old: &CertificateSigningRequest) -> Vec<FieldError> {
        validation::check_update(new, old, Allowed::Nothing)
    }
    fn validate_status(new: &CertificateSigningRequest, old: &CertificateSigningRequest) -> Vec<FieldError> {
        validation::check_update(new, old, Allowed::Certificate)
    }

    fn cells(o: &CertificateSigningRequest, now: Time) -> Vec<Cell> {
        let seconds = o.spec.expiration_seconds.and_then(|s| u64::try_from(s).ok());
        let duration = seconds.map_or_else(|| table::NONE.into(), |s| Duration::from_secs(s).human());
        vec![
            table::name(&o.metadata),
            table::age(&o.metadata, now),
            table::or_none(&o.spec.signer_name),
            o.spec.username.clone().unwrap_or_default().into(),
            duration.into(),
            condition(o).into(),
        ]
    }

    fn fields(o: &CertificateSigningRequest) -> Vec<(&'static str, String)> {
        vec![("spec.signerName", o.spec.signer_name.clone())]
    }
}

/// Its conditions of one type.
pub fn found<'a>(
    o: &'a CertificateSigningRequest,
    of: &'a str,
) -> impl Iterator<Item = &'a CertificateSigningRequestCondition> {
    o.status.iter().flat_map(|s| &s.conditions).flatten().filter(move |c| c.type_ == of)
}

/// Whether it has got its certificate.
pub fn certificate(o: &CertificateSigningRequest) -> Option<&[u8]> {
    o.status.as_ref()?.certificate.as_ref().map(|c| c.0.as_slice()).filter(|c| !c.is_empty())
}

/// Models `extractCSRStatus`.
fn condition(o: &CertificateSigningRequest) -> String {
    let has = |of| found(o, of).next().is_some();
    let mut text = match (has(DENIED), has(APPROVED)) {
        (true, _) => "Denied",
        (_, true) => "Approved",
        _ => "Pending",
    }
    .to_string();
    if has(FAILED) {
        text.push_str(",Failed");
    }
    if certificate(o).is_some() {
        text.push_str(",Issued");
    }
    text
}

/// Says who asks: nobody can ask in another's name.
pub fn identify(o: &mut CertificateSigningRequest, user: &User) {
    o.spec.username = Some(user.name.clone());
    o.spec.uid = Some(user.uid.clone()).filter(|u| !u.is_empty());
    o.spec.groups = Some(user.groups.clone()).filter(|g| !g.is_empty());
    o.spec.extra = Some(user.extra.clone()).filter(|e| !e.is_empty());
}

/// Keeps all but the conditions. Models `csrApprovalStrategy.PrepareForUpdate`.
pub fn keep_all_but_conditions(new: &mut CertificateSigningRequest, old: &CertificateSigningRequest) {
    new.spec = old.spec.clone();
    let conditions = new.status.take().and_then(|s| s.conditions);
    new.status.clone_from(&old.status);
    new.status.get_or_insert_default().conditions = conditions;
}

/// What `/approval` may say.
pub fn validate_approval(new: &CertificateSigningRequest, old: &CertificateSigningRequest) -> Vec<FieldError> {
    validation::check_update(new, old, Allowed::Conditions)
}

/// Models `populateConditionTimestamps`.
pub fn stamp_conditions(new: &mut CertificateSigningRequest, old: &CertificateSigningRequest, now: Time) {
    for c in new.status.iter_mut().flat_map(|s| &mut s.conditions).flatten() {
        c.last_update_time.get_or_insert_with(|| now.to_k8s());
        if c.last_transition_time.is_none() {
            let same = found(old, &c.type_).find(|o| o.status == c.status).and_then(|o| o.last_transition_time.clone());
            c.last_transition_time = Some(same.unwrap_or_else(|| now.to_k8s()));
        }
    }
}
