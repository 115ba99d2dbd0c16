//! A claim's spec as Go prints upstream's internal type, which has no JSON names.

use k8s_openapi::api::resource::v1::{DeviceRequest, DeviceSelector, ExactDeviceRequest, ResourceClaimSpec};
use serde::Serialize;

/// A spec as Go writes upstream's internal type into messages.
pub fn written(spec: &ResourceClaimSpec) -> impl Serialize + PartialEq + '_ {
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Spec<'a> {
        devices: Devices<'a>,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Devices<'a> {
        requests: Option<Vec<Request<'a>>>,
        constraints: Option<Vec<Constraint<'a>>>,
        config: Option<Vec<Config<'a>>>,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Request<'a> {
        name: &'a str,
        exactly: Option<Exactly<'a>>,
        first_available: Option<Vec<Sub<'a>>>,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Exactly<'a> {
        device_class_name: &'a str,
        selectors: Option<Vec<Selector<'a>>>,
        allocation_mode: &'a str,
        count: i64,
        admin_access: Option<bool>,
        tolerations: (),
        capacity: (),
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Sub<'a> {
        name: &'a str,
        device_class_name: &'a str,
        selectors: Option<Vec<Selector<'a>>>,
        allocation_mode: &'a str,
        count: i64,
        tolerations: (),
        capacity: (),
    }
    #[derive(Serialize, PartialEq)]
    struct Selector<'a> {
        #[serde(rename = "CEL")]
        cel: Option<Cel<'a>>,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Cel<'a> {
        expression: &'a str,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Constraint<'a> {
        requests: Option<&'a Vec<String>>,
        match_attribute: Option<&'a str>,
        distinct_attribute: (),
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Config<'a> {
        requests: Option<&'a Vec<String>>,
        opaque: Option<Opaque<'a>>,
    }
    #[derive(Serialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Opaque<'a> {
        driver: &'a str,
        parameters: &'a serde_json::Value,
    }
    fn selectors(list: Option<&Vec<DeviceSelector>>) -> Option<Vec<Selector<'_>>> {
        list.map(|l| {
            l.iter().map(|s| Selector { cel: s.cel.as_ref().map(|c| Cel { expression: &c.expression }) }).collect()
        })
    }
    fn exactly(e: &ExactDeviceRequest) -> Exactly<'_> {
        Exactly {
            device_class_name: &e.device_class_name,
            selectors: selectors(e.selectors.as_ref()),
            allocation_mode: e.allocation_mode.as_deref().unwrap_or_default(),
            count: e.count.unwrap_or(0),
            admin_access: e.admin_access,
            tolerations: (),
            capacity: (),
        }
    }
    fn request(r: &DeviceRequest) -> Request<'_> {
        let sub = r.first_available.as_ref().map(|l| {
            let subs = l.iter().map(|s| Sub {
                name: &s.name,
                device_class_name: &s.device_class_name,
                selectors: selectors(s.selectors.as_ref()),
                allocation_mode: s.allocation_mode.as_deref().unwrap_or_default(),
                count: s.count.unwrap_or(0),
                tolerations: (),
                capacity: (),
            });
            subs.collect()
        });
        Request { name: &r.name, exactly: r.exactly.as_ref().map(exactly), first_available: sub }
    }
    let of = spec.devices.as_ref();
    Spec {
        devices: Devices {
            requests: of.and_then(|d| d.requests.as_ref()).map(|l| l.iter().map(request).collect()),
            constraints: of.and_then(|d| d.constraints.as_ref()).map(|l| {
                let all = l.iter().map(|c| Constraint {
                    requests: c.requests.as_ref(),
                    match_attribute: c.match_attribute.as_deref(),
                    distinct_attribute: (),
                });
                all.collect()
            }),
            config: of.and_then(|d| d.config.as_ref()).map(|l| {
                let all = l.iter().map(|c| Config {
                    requests: c.requests.as_ref(),
                    opaque: c.opaque.as_ref().map(|o| Opaque { driver: &o.driver, parameters: &o.parameters.0 }),
                });
                all.collect()
            }),
        },
    }
}
