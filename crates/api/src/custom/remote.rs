//! Groups and versions that other servers answer for, by their APIServices.

use crate::kinds::apiservice::is_available;
use crate::kinds::podmetrics::AGGREGATED;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceSpec, ServiceReference};
use serde_json::Value;
use std::sync::Arc;

/// One of them, and what its server has said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    /// The APIService's.
    pub name: String,
    pub group: String,
    pub version: String,
    pub service: ServiceReference,
    /// Any certificate will do.
    pub insecure: bool,
    /// Whose certificates will do, PEM; empty: those that the host trusts.
    pub ca_bundle: Vec<u8>,
    /// Its server can be reached.
    pub available: bool,
    pub said: Said,
}

/// What a server says that it has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// `APIVersionDiscovery.resources`; `None`: it has not been read.
    pub resources: Option<Arc<Value>>,
    /// Changes with its OpenAPI v3 document; empty: it has none.
    pub openapi_hash: String,
}

impl Remote {
    /// `None`: the API server itself answers for it. The metrics of pods and nodes are there without asking anybody.
    pub(super) fn of(service: &APIService) -> Option<Remote> {
        let APIServiceSpec { group, version, service: at, insecure_skip_tls_verify, ca_bundle, .. } =
            service.spec.clone()?;
        let (group, version) = (group.unwrap_or_default(), version.unwrap_or_default());
        if AGGREGATED.iter().any(|k| k.group == group) {
            return None;
        }
        Some(Remote {
            name: service.metadata.name.clone().unwrap_or_default(),
            group,
            version,
            service: at?,
            insecure: insecure_skip_tls_verify == Some(true),
            ca_bundle: ca_bundle.map(|b| b.0).unwrap_or_default(),
            available: is_available(service),
            said: Said::default(),
        })
    }

    /// `apis/GROUP/VERSION`
    pub fn root(&self) -> String {
        match self.group.as_str() {
            "" => format!("api/{}", self.version),
            group => format!("apis/{group}/{}", self.version),
        }
    }

    pub fn port(&self) -> u16 {
        self.service.port.map_or(443, |p| u16::try_from(p).unwrap_or(0))
    }
}
