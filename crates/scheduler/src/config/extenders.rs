//! `extenders` of a KubeSchedulerConfiguration. Models `validateExtenders` and `buildExtenders`.

use super::reader::{At, Reader};
use super::{Profile, duration};
use crate::extender::{Config, Tls};
use crate::framework::resource::is_extended_name;
use api::validate::names;
use meta::{Duration, FieldError};
use std::collections::BTreeSet;

/// Upstream's `DefaultExtenderTimeout`.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn extenders(r: &mut Reader, at: &At) -> Vec<Config> {
    let items = r.list(at);
    let list: Vec<Config> = items.iter().map(|item| extender(r, item)).collect();
    let mut seen = BTreeSet::new();
    for (e, at) in list.iter().zip(&items) {
        if !e.prioritize_verb.is_empty() && e.weight <= 0 {
            let path = at.1.child("weight");
            r.errors.push(FieldError::invalid(&path, e.weight, "must have a positive weight applied to it"));
        }
        for (j, (name, _)) in e.managed_resources.iter().enumerate() {
            let path = at.1.child("managedResources").index(j).child("name");
            let wrong = names::qualified_name(name);
            if wrong.is_empty() && !is_extended_name(name) {
                let why = "is an invalid extended resource name";
                r.errors.push(FieldError::invalid(&path, name.clone(), why));
            }
            r.errors.extend(wrong.into_iter().map(|why| FieldError::invalid(&path, name.clone(), why)));
            if !seen.insert(name.clone()) {
                let why = "duplicate extender managed resource name";
                r.errors.push(FieldError::invalid(&path, name.clone(), why));
            }
        }
    }
    let binders = list.iter().filter(|e| !e.bind_verb.is_empty()).count();
    if binders > 1 {
        let found = format!("found {binders} extenders implementing bind");
        r.errors.push(FieldError::invalid(&at.1, found, "only one extender can implement bind"));
    }
    list
}

fn extender(r: &mut Reader, at: &At) -> Config {
    r.known(
        at,
        &[
            "urlPrefix",
            "filterVerb",
            "preemptVerb",
            "prioritizeVerb",
            "weight",
            "bindVerb",
            "enableHTTPS",
            "tlsConfig",
            "httpTimeout",
            "nodeCacheCapable",
            "managedResources",
            "ignorable",
        ],
    );
    let timeout = at.get("httpTimeout");
    let mut text = |name: &str| r.text(&at.get(name)).unwrap_or_default();
    let mut e = Config {
        url_prefix: text("urlPrefix"),
        filter_verb: text("filterVerb"),
        preempt_verb: text("preemptVerb"),
        prioritize_verb: text("prioritizeVerb"),
        bind_verb: text("bindVerb"),
        ..Config::default()
    };
    e.weight = r.int(&at.get("weight")).unwrap_or(0);
    e.enable_https = r.flag(&at.get("enableHTTPS")).unwrap_or(false);
    e.node_cache_capable = r.flag(&at.get("nodeCacheCapable")).unwrap_or(false);
    e.ignorable = r.flag(&at.get("ignorable")).unwrap_or(false);
    e.http_timeout = duration::read(r, &timeout).filter(|d| *d != Duration::ZERO).unwrap_or(TIMEOUT);
    for item in r.list(&at.get("managedResources")) {
        r.known(&item, &["name", "ignoredByScheduler"]);
        let name = r.text(&item.get("name")).unwrap_or_default();
        e.managed_resources.push((name, r.flag(&item.get("ignoredByScheduler")).unwrap_or(false)));
    }
    let tls = at.get("tlsConfig");
    e.tls = tls.present().then(|| read_tls(r, &tls));
    e
}

fn read_tls(r: &mut Reader, at: &At) -> Tls {
    r.known(at, &["insecure", "serverName", "certFile", "keyFile", "caFile", "certData", "keyData", "caData"]);
    let mut text = |name: &str| r.text(&at.get(name)).unwrap_or_default();
    let mut tls = Tls {
        server_name: text("serverName"),
        cert_file: text("certFile"),
        key_file: text("keyFile"),
        ca_file: text("caFile"),
        ..Tls::default()
    };
    let mut data = |name: &str| {
        let at = at.get(name);
        let bytes: Option<k8s_openapi::ByteString> = at.0.and_then(|v| serde_json::from_value(v.clone()).ok());
        if bytes.is_none() && at.present() {
            r.fail(&at, "base64 text");
        }
        bytes.unwrap_or_default().0
    };
    (tls.cert_data, tls.key_data, tls.ca_data) = (data("certData"), data("keyData"), data("caData"));
    tls.insecure = r.flag(&at.get("insecure")).unwrap_or(false);
    tls
}

/// Resources that extenders look after alone are none of NodeResourcesFit's business.
pub(super) fn leave_resources(extenders: &[Config], profiles: &mut [Profile]) {
    let left = extenders.iter().flat_map(|e| &e.managed_resources).filter(|(_, ignored)| *ignored);
    let names: Vec<String> = left.map(|(name, _)| name.clone()).collect();
    if !names.is_empty() {
        for p in profiles {
            p.args.node_resources_fit.ignored_resources = names.clone();
        }
    }
}
