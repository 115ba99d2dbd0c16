//! IPAddress objects come and go with the addresses of Services, in the transaction that writes the Service. Models what
//! `pkg/registry/core/service/ipallocator` creates and deletes right before and after.

use crate::fields::ledger::{Ledger, Noted};
use crate::fields::managed::By;
use crate::keys;
use crate::stored::Stored;
use api::kinds::ipaddress::{belongs_to, for_service, of_service};
use api::{Obj, Object, ObjectExt, Registered};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::IPAddress;
use meta::{Rng, Time};
use std::sync::Arc;
use store::{Op, Store, Txn};

/// Where Services are stored.
const SERVICES: &str = "/registry/services/specs/";

/// Adds the addresses that the Services of `txn` get, and those that they give back.
pub(crate) fn follow(txn: &mut Txn<Stored>, store: &Store<Stored>, now: Time) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for op in &txn.ops {
        let (key, new) = match op {
            Op::Put { key, value, .. } => (key, value.0.downcast::<Service>()),
            Op::Delete { key } => (key, None),
        };
        if !key.starts_with(SERVICES) {
            continue;
        }
        let old = store.get_ref(key).and_then(|e| e.value.0.downcast::<Service>());
        let had = |ip: &str| old.is_some_and(|o| of_service(o).any(|i| i == ip));
        let has = |ip: &str| new.is_some_and(|o| of_service(o).any(|i| i == ip));
        before.extend(new.into_iter().flat_map(|o| of_service(o).filter(|ip| !had(ip)).map(|ip| put(ip, o, now))));
        for ip in old.into_iter().flat_map(of_service).filter(|ip| !has(ip)) {
            let key = keys::of_parts(IPAddress::KIND_REF, "", ip);
            let address = store.get_ref(&key).and_then(|e| e.value.0.downcast::<IPAddress>());
            let own = |a| old.is_some_and(|o| belongs_to(a, said(&o.metadata.namespace), said(&o.metadata.name)));
            if address.is_some_and(own) {
                after.push(Op::Delete { key });
            }
        }
    }
    if !before.is_empty() || !after.is_empty() {
        // The Service is the last that is put: it is the answer.
        txn.ops.splice(0..0, before);
        txn.ops.extend(after);
    }
}

fn said(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

fn put(ip: &str, service: &Service, now: Time) -> Op<Stored> {
    let mut address = for_service(ip, &service.metadata);
    address.metadata.creation_timestamp = Some(now.to_k8s());
    // Drawn from the Service's: what others draw does not depend on how many addresses there are.
    let seed = said(&service.metadata.uid).bytes().chain(ip.bytes());
    let seed = seed.fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    address.metadata.uid = Some(Rng::new(seed).uuid());
    let asked: Obj = Arc::from(address.clone_object());
    let by = By { manager: "kube-apiserver".into(), subresource: "", form: None };
    let ledger = Ledger::noted(Noted { by, now, inside: true, asked: Some(asked), old: None });
    Op::Put {
        key: keys::of_parts(IPAddress::KIND_REF, "", ip),
        value: Stored::new(Box::new(address), ledger),
        lease: None,
    }
}
