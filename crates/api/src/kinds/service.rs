//! Service. Models `pkg/registry/core/service/strategy.go` and `SetDefaults_Service`. Allocating cluster IPs,
//! IP families and node ports is the API server's.

mod columns;
mod normalize;
mod validation;
mod warnings;

pub use normalize::{needs_cluster_ip, needs_health_check, needs_node_port, normalize_cluster_ips, patch_allocated};

use super::pod::defaults::set;
use super::register;
use crate::registration::{Cell, Column, Registration, Subresource};
use crate::validate::names::{NameRule, rule};
use crate::validate::text;
use k8s_openapi::api::core::v1::{ClientIPConfig, Service, ServiceSpec, ServiceStatus, SessionAffinityConfig};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use meta::{FieldError, Time};

pub struct Reg;
register!(Reg, Service);

/// Three hours.
const CLIENT_IP_SECONDS: i32 = 10800;

impl Registration for Reg {
    type Type = Service;
    const PLURAL: &'static str = "services";
    const SINGULAR: &'static str = "service";
    const SHORT_NAMES: &'static [&'static str] = &["svc"];
    const CATEGORIES: &'static [&'static str] = &["all"];
    const SUBRESOURCES: &'static [Subresource] = &[
        Subresource { name: "proxy", gvk: Some(("", "v1", "ServiceProxyOptions")), verbs: super::PROXY_VERBS },
        Subresource { name: "status", gvk: None, verbs: super::STATUS_VERBS },
    ];
    const NAME_RULE: NameRule = rule::label_1035;
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    const SAMPLE: &'static str = "\
apiVersion: v1
kind: Service
metadata:
  name: my-service
spec:
  selector:
    app: nginx
  ports:
  - protocol: TCP
    port: 80
    targetPort: 80
";

    fn default(o: &mut Service) {
        let spec = o.spec.get_or_insert_default();
        session_affinity(spec);
        set(&mut spec.type_, "ClusterIP");
        for p in spec.ports.iter_mut().flatten() {
            set(&mut p.protocol, "TCP");
            let unset = match &p.target_port {
                None | Some(IntOrString::Int(0)) => true,
                Some(IntOrString::String(s)) => s.is_empty(),
                Some(IntOrString::Int(_)) => false,
            };
            if unset {
                p.target_port = Some(IntOrString::Int(p.port));
            }
        }
        if normalize::externally_accessible(spec) {
            set(&mut spec.external_traffic_policy, "Cluster");
        }
        if needs_cluster_ip(spec) {
            spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".into());
        }
        if text(&spec.type_) == "LoadBalancer" {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
            let ingress = o.status.iter_mut().filter_map(|s| s.load_balancer.as_mut()?.ingress.as_mut()).flatten();
            for i in ingress.filter(|i| !text(&i.ip).is_empty()) {
                i.ip_mode.get_or_insert_with(|| "VIP".into());
            }
        }
    }

    fn prepare_create(o: &mut Service) {
        o.status = Some(ServiceStatus { load_balancer: Some(Default::default()), ..Default::default() });
        normalize_cluster_ips(None, o);
    }
    fn prepare_update(new: &mut Service, old: &Service) {
        new.status = old.status.clone();
        normalize_cluster_ips(Some(old), new);
        patch_allocated(old, new);
        normalize::drop_type_dependent(old, new);
    }
    fn prepare_status(new: &mut Service, old: &Service) {
        new.spec = old.spec.clone();
    }

    fn validate_create(o: &Service) -> Vec<FieldError> {
        validation::validate(o)
    }
    fn validate_update(new: &Service, old: &Service) -> Vec<FieldError> {
        validation::validate_update(new, old)
    }
    fn validate_status(new: &Service, _old: &Service) -> Vec<FieldError> {
        validation::validate_status(new)
    }

    fn warnings(o: &Service) -> Vec<String> {
        warnings::of(o)
    }

    fn cells(o: &Service, now: Time) -> Vec<Cell> {
        columns::cells(o, now)
    }

    fn fields(o: &Service) -> Vec<(&'static str, String)> {
        let of = |f: fn(&ServiceSpec) -> &str| o.spec.as_ref().map_or("", f).to_string();
        vec![("spec.clusterIP", of(|s| text(&s.cluster_ip))), ("spec.type", of(|s| text(&s.type_)))]
    }
}

fn session_affinity(spec: &mut ServiceSpec) {
    set(&mut spec.session_affinity, "None");
    match text(&spec.session_affinity) {
        "None" => spec.session_affinity_config = None,
        "ClientIP" => {
            let has = |c: &SessionAffinityConfig| c.client_ip.as_ref().is_some_and(|c| c.timeout_seconds.is_some());
            if !spec.session_affinity_config.as_ref().is_some_and(has) {
                let client_ip = Some(ClientIPConfig { timeout_seconds: Some(CLIENT_IP_SECONDS) });
                spec.session_affinity_config = Some(SessionAffinityConfig { client_ip });
            }
        }
        _ => {}
    }
}
