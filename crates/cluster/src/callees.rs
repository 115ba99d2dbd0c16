//! Who answers the API server's webhooks: the pods behind the Services that configurations name.

use crate::Cluster;
use api::KindRef;
use api::kinds::customresourcedefinition::conversion;
use apiserver::{Callees, Caller, Target};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kubelet::sim::catalogue::servers::answers_reviews;
use meta::Key;
use reconcile::services::{Endpoint, Spot};
use std::sync::Arc;

/// Ports at which a certificate is shown, though not one that the API server trusts.
const TLS: &[u16] = &[443, 8443, 6443, 9443];

impl Cluster {
    /// From now on webhooks are really called where there is somebody. What they answer is no input of a session.
    pub fn call_webhooks(&mut self, caller: Arc<dyn Caller>) {
        self.webhook_caller = Some(caller);
    }

    /// Whether a request about the kind can meet a webhook that is really called.
    pub(crate) fn has_webhooks(&self, kind: KindRef) -> bool {
        self.webhook_caller.is_some()
            && (self.admitting(Some(kind)).next().is_some() || !self.converting(Some(kind)).is_empty())
    }

    /// Of the webhooks that may be about a kind, or of all. Empty as long as nobody has configured one.
    pub(crate) fn callees(&self, about: Option<KindRef>) -> Callees {
        let converting = self.converting(about);
        let mut found = Callees { caller: self.webhook_caller.clone(), ..Callees::default() };
        for to in self.admitting(about).chain(&converting).filter_map(|c| c.service.as_ref()) {
            let service = self.view.get::<Service>(&Key::new(&to.namespace, &to.name));
            let ip = service.and_then(|s| s.spec.as_ref()?.cluster_ip.as_deref()).unwrap_or("");
            let port = u16::try_from(to.port.unwrap_or(443)).unwrap_or(0);
            let address = format!("{ip}:{port}");
            if ip.is_empty() || found.simulated.contains_key(&address) || found.real.contains_key(&address) {
                continue;
            }
            let targets = if found.caller.is_some() { self.beyond(ip, port) } else { Vec::new() };
            if targets.is_empty() {
                let answer = self.callee(ip, port);
                found.simulated.insert(address, answer);
            } else {
                found.real.insert(address, targets);
            }
        }
        found
    }

    /// The admission webhooks that may be about a kind.
    fn admitting(&self, about: Option<KindRef>) -> impl Iterator<Item = &WebhookClientConfig> {
        let is_it = move |named: &String| {
            let of = named.split('/').next().unwrap_or("");
            about.is_none_or(|kind| of == "*" || of == kind.plural)
        };
        let about = move |rules: &Option<Vec<RuleWithOperations>>| {
            rules.iter().flatten().any(|r| r.resources.iter().flatten().any(is_it))
        };
        let checked = self.view.list::<ValidatingWebhookConfiguration>().flat_map(|c| c.webhooks.iter().flatten());
        let checked = checked.filter(move |h| about(&h.rules)).map(|h| &h.client_config);
        let changed = self.view.list::<MutatingWebhookConfiguration>().flat_map(|c| c.webhooks.iter().flatten());
        checked.chain(changed.filter(move |h| about(&h.rules)).map(|h| &h.client_config))
    }

    /// The webhook that converts objects of a kind, or all of them.
    fn converting(&self, about: Option<KindRef>) -> Vec<WebhookClientConfig> {
        let client = |d: &CustomResourceDefinition| {
            let conversion = d.spec.conversion.as_ref().filter(|c| c.strategy == "Webhook")?;
            Some(conversion::client(conversion.webhook.as_ref()?.client_config.as_ref()?))
        };
        match about {
            None => self.view.list::<CustomResourceDefinition>().filter_map(client).collect(),
            Some(kind) => {
                let definition = kind.custom.and_then(|c| self.view.get(&Key::new("", &c.name)));
                definition.and_then(client).into_iter().collect()
            }
        }
    }

    /// Where a Service's address leads to beyond what is simulated: to pods that really run, and out of the cluster.
    pub(crate) fn beyond(&self, ip: &str, port: u16) -> Vec<Target> {
        let ends = self.view.services.find(ip, port).map(|r| r.usable(Spot::default()).0).unwrap_or_default();
        let target = |end: &Endpoint| match self.node_of_pod_ip(&end.ip) {
            None => Some(Target::Host(end.ip.to_string(), end.port)),
            Some(node) if self.machines.get(node).is_some_and(crate::machines::Machine::is_external) => {
                Some(Target::Guest(end.ip.to_string(), end.port))
            }
            Some(_) => None,
        };
        ends.into_iter().filter_map(target).collect()
    }

    /// How a Service's address takes a webhook's request: as the first endpoint does that has a good answer, else as the first.
    fn callee(&self, ip: &str, port: u16) -> Result<(), String> {
        let dial = |why: &str| Err(format!("dial tcp {ip}:{port}: connect: {why}"));
        let ends = self.view.services.find(ip, port).map(|r| r.usable(Spot::default()).0).unwrap_or_default();
        let answer = |end: &Endpoint| match self.listener(&end.node, &end.ip, end.port) {
            None => dial("connection refused"),
            Some((_, program)) if answers_reviews(&program, end.port) => Ok(()),
            Some(_) if TLS.contains(&end.port) => {
                Err("tls: failed to verify certificate: x509: certificate signed by unknown authority".into())
            }
            Some(_) => Err("http: server gave HTTP response to HTTPS client".into()),
        };
        let mut first = None;
        for end in ends {
            match answer(end) {
                Ok(()) => return Ok(()),
                Err(why) => first = first.or(Some(why)),
            }
        }
        first.map_or_else(|| dial("connection refused"), Err)
    }
}
