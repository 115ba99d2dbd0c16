//! Who may approve and sign which requests for certificates, and what none may ask for. Models
//! `plugin/pkg/admission/certificates/{approval, signing, subjectrestriction}` and `pkg/certauthorization`.

use super::forbidden;
use crate::authz::Attributes;
use crate::request::Request;
use crate::server::Cx;
use api::kinds::certificatesigningrequest::{CLIENT, certificate};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use meta::{ApiError, User};

/// CertificateSubjectRestriction: nobody becomes an administrator by asking.
pub(super) fn check_subject(csr: &CertificateSigningRequest) -> Result<(), ApiError> {
    if csr.spec.signer_name != CLIENT {
        return Ok(());
    }
    let request =
        pki::Request::parse(&csr.spec.request.0).map_err(|e| forbidden(csr, &format!("failed to parse CSR: {e}")))?;
    if request.organizations.iter().any(|o| o == "system:masters") {
        let why = format!("use of {CLIENT} signer with system:masters group is not allowed");
        return Err(forbidden(csr, &why));
    }
    Ok(())
}

/// CertificateApproval.
pub(super) fn check_approval(cx: &Cx<'_>, req: &Request, old: &CertificateSigningRequest) -> Result<(), ApiError> {
    let signer = &old.spec.signer_name;
    if may(cx, &req.user, "approve", signer) {
        return Ok(());
    }
    Err(forbidden(old, &format!("user not permitted to approve requests with signerName {signer:?}")))
}

/// CertificateSigning.
pub(super) fn check_signing(
    cx: &Cx<'_>,
    req: &Request,
    new: &CertificateSigningRequest,
    old: &CertificateSigningRequest,
) -> Result<(), ApiError> {
    let conditions =
        |o: &CertificateSigningRequest| o.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    let same = certificate(new) == certificate(old) && conditions(new) == conditions(old);
    let signer = &old.spec.signer_name;
    if same || may(cx, &req.user, "sign", signer) {
        return Ok(());
    }
    Err(forbidden(old, &format!("user not permitted to sign requests with signerName {signer:?}")))
}

/// Models `IsAuthorizedForSignerName`: by its name, or by its domain.
fn may(cx: &Cx<'_>, user: &User, verb: &str, signer: &str) -> bool {
    let allowed = |name: &str| {
        let a = Attributes {
            user,
            verb,
            group: "certificates.k8s.io",
            resource: "signers",
            subresource: "",
            namespace: "",
            name,
            field_selector: "",
            path: None,
        };
        cx.server.authz().authorize(cx.store, &a).allowed
    };
    allowed(signer) || allowed(&format!("{}/*", signer.split('/').next().unwrap_or("")))
}
