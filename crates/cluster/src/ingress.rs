//! What ingress-nginx's manifest for kind makes: a namespace, an account, a class, and a Service in front of the controller,
//! which runs on the control plane's machine.

use api::Object;
use k8s_openapi::api::core::v1::{Namespace, Service, ServiceAccount, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::api::networking::v1::{IngressClass, IngressClassSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use network::gateway::{CONTROLLER, PROCESS};
use network::policy::CONTROL_PLANE_ADDRESS;
use std::collections::BTreeMap;

const NAME: &str = "ingress-nginx";
/// Names and numbers of the web server's ports.
const PORTS: [(&str, i32); 2] = [("http", 80), ("https", 443)];

fn labels(component: bool) -> BTreeMap<String, String> {
    let all = [("app.kubernetes.io/instance", NAME), ("app.kubernetes.io/name", NAME)];
    let component = component.then_some(("app.kubernetes.io/component", "controller"));
    all.into_iter().chain(component).map(|(k, v)| (k.into(), v.into())).collect()
}

fn named(name: &str, component: bool) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), labels: Some(labels(component)), ..ObjectMeta::default() }
}

pub fn namespace() -> Box<dyn Object> {
    Box::new(Namespace { metadata: named(NAME, false), ..Namespace::default() })
}

/// Objects of the namespace, and the class.
pub fn objects() -> Vec<Box<dyn Object>> {
    let of_namespace = |name: &str| ObjectMeta { namespace: Some(NAME.into()), ..named(name, true) };
    let account = ServiceAccount {
        metadata: of_namespace(NAME),
        automount_service_account_token: Some(true),
        ..ServiceAccount::default()
    };
    let port = |(name, number): (&str, i32)| ServicePort {
        app_protocol: Some(name.into()),
        name: Some(name.into()),
        port: number,
        protocol: Some("TCP".into()),
        target_port: Some(IntOrString::String(name.into())),
        ..ServicePort::default()
    };
    // Without a selector: the controller is no pod.
    let service = Service {
        metadata: of_namespace(PROCESS),
        spec: Some(ServiceSpec {
            type_: Some("NodePort".into()),
            ports: Some(PORTS.map(port).to_vec()),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    let mut metadata = of_namespace(PROCESS);
    metadata.labels.get_or_insert_default().insert("kubernetes.io/service-name".into(), PROCESS.into());
    let endpoint = Endpoint {
        addresses: vec![CONTROL_PLANE_ADDRESS.into()],
        conditions: Some(EndpointConditions { ready: Some(true), ..EndpointConditions::default() }),
        ..Endpoint::default()
    };
    let port = |(name, number): (&str, i32)| EndpointPort {
        app_protocol: Some(name.into()),
        name: Some(name.into()),
        port: Some(number),
        protocol: Some("TCP".into()),
    };
    let slice = EndpointSlice {
        metadata,
        address_type: "IPv4".into(),
        endpoints: vec![endpoint],
        ports: Some(PORTS.map(port).to_vec()),
    };
    let class = IngressClass {
        metadata: named("nginx", true),
        spec: Some(IngressClassSpec { controller: Some(CONTROLLER.into()), parameters: None }),
    };
    vec![Box::new(account), Box::new(service), Box::new(slice), Box::new(class)]
}
