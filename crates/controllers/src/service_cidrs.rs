//! service-cidr-controller: ranges of Services' addresses are ready, and stay as long as addresses need them. Models
//! `pkg/controller/servicecidrs`.

use crate::owner::watch_self;
use api::Registered;
use api::kinds::ipaddress::is_managed;
use k8s_openapi::api::networking::v1::{IPAddress, ServiceCIDR};
use meta::{Duration, Key, User};
use reconcile::{Change, Controller, Cx, Intent, Outcome, Tolerate, View, Watch};
use serde_json::json;
use std::net::IpAddr;

const FINALIZER: &str = "networking.k8s.io/service-cidr-finalizer";
/// `deletionGracePeriod`: so long allocators may take to hear of a deletion.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
pub struct ServiceCidrs;

/// A range: its first address, as a number with that many bits, and how many of these are the same in all of it.
fn parse(cidr: &str) -> Option<(IpAddr, u32)> {
    let (base, bits) = cidr.split_once('/')?;
    Some((base.parse().ok()?, bits.parse().ok()?))
}

fn number(ip: IpAddr) -> (u128, u32) {
    match ip {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

fn contains(cidr: &str, ip: IpAddr) -> bool {
    let Some((base, bits)) = parse(cidr) else { return false };
    let ((base, all), (ip, of)) = (number(base), number(ip));
    let rest = all.saturating_sub(bits);
    all == of && (rest >= 128 || base >> rest == ip >> rest)
}

fn ranges(o: &ServiceCIDR) -> impl Iterator<Item = &str> {
    o.spec.iter().flat_map(|s| s.cidrs.iter().flatten()).map(String::as_str)
}

/// The other objects that have the address in a range.
fn others<'a>(view: &'a View, me: &'a ServiceCIDR, ip: IpAddr, bits: u32) -> impl Iterator<Item = &'a ServiceCIDR> {
    let wide = move |c: &str| contains(c, ip) && parse(c).is_some_and(|(_, b)| b <= bits);
    let all = view.list::<ServiceCIDR>().filter(|o| o.metadata.name != me.metadata.name);
    all.filter(move |o| ranges(o).any(wide))
}

/// Models `canDeleteCIDR`.
fn can_go(view: &View, me: &ServiceCIDR) -> bool {
    let covered = |c: &str| parse(c).is_some_and(|(ip, bits)| others(view, me, ip, bits).next().is_some());
    if ranges(me).all(covered) {
        return true;
    }
    let managed = |ip: &&IPAddress| is_managed(ip);
    let mut addresses =
        view.list::<IPAddress>().filter(managed).filter_map(|ip| ip.metadata.name.as_ref()?.parse().ok());
    !addresses.any(|ip: IpAddr| ranges(me).any(|c| contains(c, ip)) && others(view, me, ip, u32::MAX).next().is_none())
}

/// Those that wait to go have another look.
fn something_went(cx: &Cx, change: &Change, keys: &mut Vec<Key>) {
    if change.kind == IPAddress::KIND_REF && change.new.is_some() {
        return;
    }
    let waits = |o: &&ServiceCIDR| o.metadata.deletion_timestamp.is_some();
    for name in cx.view.list::<ServiceCIDR>().filter(waits).filter_map(|o| o.metadata.name.as_deref()) {
        if name != change.key.name() {
            keys.push(Key::from(name));
        }
    }
}

fn condition(o: &ServiceCIDR, cx: &Cx, key: &Key, status: &str, reason: &str, message: &str) -> Option<Intent> {
    let all = o.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    let old = all.iter().find(|c| c.type_ == "Ready");
    if old.is_some_and(|c| c.status == status && c.reason == reason && c.message == message) {
        return None;
    }
    let new = json!({
        "type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": cx.now.to_k8s(),
    });
    let body = json!({ "status": { "conditions": [new] } });
    Some(Intent::patch(ServiceCIDR::KIND_REF, key.clone(), "status", body).tolerate(Tolerate::NotFound))
}

impl Controller for ServiceCidrs {
    const NAME: &'static str = "service-cidr-controller";

    fn user() -> User {
        User::controller("service-cidrs-controller")
    }
    fn watches() -> Vec<Watch> {
        vec![
            watch_self(ServiceCIDR::KIND_REF),
            Watch { kind: ServiceCIDR::KIND_REF, keys: something_went },
            Watch { kind: IPAddress::KIND_REF, keys: something_went },
        ]
    }

    fn reconcile(&mut self, cx: &Cx, key: &Key) -> Outcome {
        let mut out = Outcome::done();
        let Some(o) = cx.view.get::<ServiceCIDR>(key) else { return out };
        let finalizers = o.metadata.finalizers.as_deref().unwrap_or_default();
        let guarded = finalizers.iter().any(|f| f == FINALIZER);
        let set = |list: Vec<&str>| {
            let list = if list.is_empty() { json!(null) } else { json!(list) };
            let body = json!({ "metadata": { "finalizers": list } });
            Intent::patch(ServiceCIDR::KIND_REF, key.clone(), "", body).tolerate(Tolerate::NotFound)
        };
        let Some(deleted) = &o.metadata.deletion_timestamp else {
            if !guarded {
                out.push(set(finalizers.iter().map(String::as_str).chain([FINALIZER]).collect()));
            }
            out.intents.extend(condition(o, cx, key, "True", "", "Kubernetes Service CIDR is ready"));
            return out;
        };
        if !can_go(cx.view, o) {
            let why = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new \
                       ServiceCIDR";
            out.intents.extend(condition(o, cx, key, "False", "Terminating", why));
            return out;
        }
        let end = meta::Time::from_k8s(deleted) + GRACE;
        if cx.now < end {
            out.requeue(end.since(cx.now));
        } else if guarded {
            out.push(set(finalizers.iter().map(String::as_str).filter(|f| *f != FINALIZER).collect()));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceCidrs;
    use crate::testing::{World, rfc3339};
    use expect_test::expect;
    use serde_json::{Value, json};

    fn cidr(name: &str, range: &str, metadata: Value) -> Value {
        let o = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": { "name": name },
            "spec": { "cidrs": [range] } });
        crate::testing::merged(o, json!({ "metadata": metadata }))
    }

    #[test]
    fn a_range_is_ready_and_goes_when_nobody_needs_it() {
        let mut w = World::<ServiceCidrs>::new([cidr("more", "10.112.0.0/16", json!({}))]);
        expect![[r#"
            patch servicecidrs more  {"metadata":{"finalizers":["networking.k8s.io/service-cidr-finalizer"]}}
            patch servicecidrs more status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"Kubernetes Service CIDR is ready","reason":"","status":"True","type":"Ready"}]}}
        "#]].assert_eq(&w.run("more"));
        w.put(json!({ "apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": { "name": "10.112.3.4",
            "labels": { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } },
            "spec": { "parentRef": { "resource": "services", "namespace": "default", "name": "web" } } }));
        let going =
            json!({ "deletionTimestamp": rfc3339(0), "finalizers": ["networking.k8s.io/service-cidr-finalizer"] });
        w.put(cidr("more", "10.112.0.0/16", going.clone()));
        expect![[r#"
            patch servicecidrs more status {"status":{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR","reason":"Terminating","status":"False","type":"Ready"}]}}
        "#]].assert_eq(&w.run("more"));
        w.put(cidr("wider", "10.112.0.0/12", json!({})));
        assert_eq!(w.run("more"), "requeue after 10s\n");
        w.now = crate::testing::at(10);
        expect![[r#"
            patch servicecidrs more  {"metadata":{"finalizers":null}}
        "#]]
        .assert_eq(&w.run("more"));
    }
}
