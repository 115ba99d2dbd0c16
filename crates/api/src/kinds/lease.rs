//! Lease. Models `pkg/registry/coordination/lease` and `pkg/apis/coordination/validation`.

use super::register;
use crate::registration::{Cell, Column, Registration};
use crate::table;
use crate::validate::{nonnegative, text};
use k8s_openapi::api::coordination::v1::Lease;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, Lease);

impl Registration for Reg {
    type Type = Lease;
    const PLURAL: &'static str = "leases";
    const SINGULAR: &'static str = "lease";
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Holder", "string", 0).describe(
            "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is \
             used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.",
        ),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: my-leader
spec:
  holderIdentity: me
  leaseDurationSeconds: 15
";

    // The CoordinatedLeaderElection feature is off.
    fn prepare_create(o: &mut Lease) {
        if let Some(s) = &mut o.spec {
            (s.strategy, s.preferred_holder) = (None, None);
        }
    }
    fn prepare_update(new: &mut Lease, _old: &Lease) {
        Self::prepare_create(new);
    }

    /// Models `ValidateLeaseSpec`.
    fn validate_create(o: &Lease) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let Some(s) = &o.spec else { return errors };
        let path = Path::new("spec");
        if let Some(d) = s.lease_duration_seconds.filter(|d| *d <= 0) {
            errors.push(FieldError::invalid(&path.child("leaseDurationSeconds"), d, "must be greater than 0"));
        }
        if let Some(t) = s.lease_transitions {
            nonnegative(&path.child("leaseTransitions"), t.into(), &mut errors);
        }
        errors
    }

    fn validate_update(new: &Lease, _old: &Lease) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &Lease, now: Time) -> Vec<Cell> {
        let holder = o.spec.as_ref().map_or("", |s| text(&s.holder_identity));
        vec![table::name(&o.metadata), holder.into(), table::age(&o.metadata, now)]
    }
}
