//! A request of a claim, or one of the alternatives it lists, and which devices it selects.

use super::{DeviceId, Devices};
use cel::Value;
use k8s_openapi::api::resource::v1::{Device, DeviceClass, DeviceRequest, DeviceSelector, ResourceClaim};

pub struct Request<'a> {
    /// `request`, or `request/subrequest`.
    pub full_name: String,
    /// Its own name alone.
    pub name: &'a str,
    pub class: &'a DeviceClass,
    pub all: bool,
    pub count: usize,
    pub admin: bool,
    selectors: &'a [DeviceSelector],
}

/// `namespace/name`.
pub fn shown(claim: &ResourceClaim) -> String {
    let m = &claim.metadata;
    format!("{}/{}", m.namespace.as_deref().unwrap_or("default"), m.name.as_deref().unwrap_or_default())
}

/// The alternatives of a request, the request itself being the only one of an exact request. Models
/// `validateDeviceRequest`.
///
/// # Errors
/// What upstream says of a request that cannot be worked on.
pub fn alternatives<'a>(
    devices: &'a Devices,
    claim: &ResourceClaim,
    request: &'a DeviceRequest,
) -> Result<Vec<Request<'a>>, String> {
    let one = |full_name: String, name: &'a str, class: &str, selectors: Option<&'a Vec<DeviceSelector>>| {
        let at = format!("claim {}, request {name}", shown(claim));
        let selectors = selectors.map(Vec::as_slice).unwrap_or_default();
        if let Some(i) = selectors.iter().position(|s| s.cel.is_none()) {
            return Err(format!("{at}, selector #{i}: CEL expression empty (unsupported selector type?)"));
        }
        if class.is_empty() {
            return Err(format!("{at}: missing device class name (unsupported request type?)"));
        }
        let found = devices.class(class).ok_or_else(|| {
            let missing = format!("deviceclass.resource.k8s.io {class:?} not found");
            format!("{at}: could not retrieve device class {class}: {missing}")
        })?;
        Ok(Request { full_name, name, class: found, all: false, count: 1, admin: false, selectors })
    };
    let mode = |r: &mut Request, mode: Option<&str>, count: Option<i64>| {
        match mode.unwrap_or_default() {
            "" | "ExactCount" => r.count = count.filter(|c| *c > 0).map_or(1, |c| c as usize),
            "All" => r.all = true,
            other => {
                return Err(format!("claim {}, request {}: unsupported count mode {other}", shown(claim), r.name));
            }
        }
        Ok(())
    };
    if let Some(exactly) = &request.exactly {
        let class = &exactly.device_class_name;
        let mut r = one(request.name.clone(), &request.name, class, exactly.selectors.as_ref())?;
        mode(&mut r, exactly.allocation_mode.as_deref(), exactly.count)?;
        r.admin = exactly.admin_access == Some(true);
        return Ok(vec![r]);
    }
    let subs = request.first_available.iter().flatten().map(|sub| {
        let full = format!("{}/{}", request.name, sub.name);
        let mut r = one(full, &sub.name, &sub.device_class_name, sub.selectors.as_ref())?;
        mode(&mut r, sub.allocation_mode.as_deref(), sub.count)?;
        Ok(r)
    });
    subs.collect()
}

/// Whether the selectors of the class and of the request choose the device. Models `isSelectable`.
///
/// # Errors
/// An expression that cannot be read or evaluated.
pub fn selects(r: &Request, claim: &ResourceClaim, device: &Device, id: &DeviceId) -> Result<bool, String> {
    // Binding conditions are behind a gate that is off.
    if device.binding_conditions.as_ref().is_some_and(|c| !c.is_empty()) {
        return Ok(false);
    }
    let class = r.class.metadata.name.as_deref().unwrap_or_default();
    let of_class = r.class.spec.selectors.as_deref().unwrap_or_default();
    let value = value(device, &id.0)?;
    for (who, selectors) in [(format!("class {class}"), of_class), (format!("claim {}", shown(claim)), r.selectors)] {
        for (i, selector) in selectors.iter().enumerate() {
            let text = selector.cel.as_ref().map(|c| c.expression.as_str()).unwrap_or_default();
            let compiled = cel::parse(text)
                .map_err(|e| format!("{who}: selector #{i}: CEL compile error: compilation failed: {e}"))?;
            match cel::evaluate(&compiled, &[("device", value.clone())]) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Ok(false),
                Ok(other) => {
                    let kind = other.kind();
                    let why = format!("must evaluate to bool or the unknown type, not {kind}");
                    return Err(format!("{who}: selector #{i}: CEL compile error: {why}"));
                }
                Err(e) => return Err(format!("{who}: selector #{i}: CEL runtime error: {e}")),
            }
        }
    }
    Ok(true)
}

/// What expressions know as `device`: attributes and capacity by domain and name.
fn value(device: &Device, driver: &str) -> Result<Value, String> {
    type Domains = std::collections::BTreeMap<String, Vec<(String, Value)>>;
    fn put(domains: &mut Domains, driver: &str, name: &str, value: Value) {
        let (domain, own) = name.split_once('/').unwrap_or((driver, name));
        domains.entry(domain.into()).or_default().push((own.into(), value));
    }
    let (mut attributes, mut capacity) = (Domains::new(), Domains::new());
    for (name, a) in device.attributes.iter().flatten() {
        let value = match (a.int, a.bool, &a.string, &a.version) {
            (Some(n), ..) => Value::Int(n),
            (_, Some(b), ..) => Value::Bool(b),
            (_, _, Some(s), _) => Value::text(s),
            (.., Some(v)) => {
                Value::version(v).ok_or_else(|| format!("attribute {name}: parse semantic version: {v:?}"))?
            }
            _ => return Err(format!("attribute {name}: unsupported attribute value")),
        };
        put(&mut attributes, driver, name, value);
    }
    for (name, c) in device.capacity.iter().flatten() {
        put(&mut capacity, driver, name, Value::Quantity(meta::Quantity::of(&c.value)));
    }
    let domains = |d: Domains| {
        Value::Domains(
            d.into_iter().map(|(k, v)| (k, Value::map(v))).collect::<std::collections::BTreeMap<_, _>>().into(),
        )
    };
    Ok(Value::map([
        ("driver".into(), Value::text(driver)),
        ("attributes".into(), domains(attributes)),
        ("capacity".into(), domains(capacity)),
    ]))
}
