//! ServiceCIDR: what addresses Services may have. Models `pkg/registry/networking/servicecidr` and `ValidateServiceCIDR`.

use super::{STATUS_VERBS, register};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::{immutable, net};
use k8s_openapi::api::networking::v1::ServiceCIDR;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, ServiceCIDR);

impl Registration for Reg {
    type Type = ServiceCIDR;
    const PLURAL: &'static str = "servicecidrs";
    const SINGULAR: &'static str = "servicecidr";
    const SCOPE: Scope = Scope::Cluster;
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("CIDRs", "string", 0).describe("The IP blocks of which Services get their addresses."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata:
  name: more
spec:
  cidrs:
  - 10.112.0.0/16
";

    fn prepare_create(o: &mut ServiceCIDR) {
        o.status = None;
    }
    fn prepare_update(new: &mut ServiceCIDR, old: &ServiceCIDR) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut ServiceCIDR, old: &ServiceCIDR) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &ServiceCIDR) -> Vec<FieldError> {
        let at = Path::new("spec").child("cidrs");
        let list = cidrs(o);
        if list.is_empty() {
            return vec![FieldError::required(&at, "at least one CIDR required")];
        }
        if list.len() > 2 {
            let value = serde_json::to_value(list).unwrap_or_default();
            return vec![FieldError::invalid(&at, value, "may only hold up to 2 values")];
        }
        let mut errors = Vec::new();
        let v6: Vec<bool> = list.iter().map(|c| c.contains(':')).collect();
        if v6 == [true, true] || v6 == [false, false] {
            let value = serde_json::to_value(list).unwrap_or_default();
            errors.push(FieldError::invalid(
                &at,
                value,
                "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64",
            ));
        }
        errors.extend(list.iter().enumerate().flat_map(|(i, c)| net::cidr(&at.index(i), c)));
        errors
    }

    fn validate_update(new: &ServiceCIDR, old: &ServiceCIDR) -> Vec<FieldError> {
        let mut errors = Vec::new();
        immutable(&Path::new("spec").child("cidrs"), &cidrs(new), &cidrs(old), &mut errors);
        errors
    }

    fn cells(o: &ServiceCIDR, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), cidrs(o).join(",").into(), table::age(&o.metadata, now)]
    }
}

fn cidrs(o: &ServiceCIDR) -> &[String] {
    o.spec.as_ref().and_then(|s| s.cidrs.as_deref()).unwrap_or_default()
}
