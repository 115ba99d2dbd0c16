//! DeviceClass: what devices of a class are. Models `pkg/registry/resource/deviceclass` and `ValidateDeviceClass`.

use super::{devices, register};
use crate::registration::{Cell, Column, Registration, Scope};
use crate::table;
use k8s_openapi::api::resource::v1::DeviceClass;
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, DeviceClass);

impl Registration for Reg {
    type Type = DeviceClass;
    const PLURAL: &'static str = "deviceclasses";
    const SINGULAR: &'static str = "deviceclass";
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const COLUMNS: &'static [Column] = &[Column::NAME, Column::AGE];
    const SAMPLE: &'static str = "\
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata:
  name: gpu.example.com
spec:
  selectors:
  - cel:
      expression: device.driver == 'gpu.example.com'
";

    fn prepare_create(o: &mut DeviceClass) {
        // DRAExtendedResource is off.
        o.spec.extended_resource_name = None;
    }
    fn prepare_update(new: &mut DeviceClass, _old: &DeviceClass) {
        Self::prepare_create(new);
    }

    fn validate_create(o: &DeviceClass) -> Vec<FieldError> {
        let (mut errors, path) = (Vec::new(), Path::new("spec"));
        devices::selectors(o.spec.selectors.as_ref(), &path.child("selectors"), &mut errors);
        let at = path.child("config");
        devices::list(o.spec.config.as_ref(), devices::LIST_MAX, &at, &mut errors, |c, at, errors| {
            devices::configuration(c.opaque.as_ref(), at, errors);
        });
        errors
    }
    fn validate_update(new: &DeviceClass, _old: &DeviceClass) -> Vec<FieldError> {
        Self::validate_create(new)
    }

    fn cells(o: &DeviceClass, now: Time) -> Vec<Cell> {
        vec![table::name(&o.metadata), table::age(&o.metadata, now)]
    }
}
