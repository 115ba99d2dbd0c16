//! What a request could be that is followed from an object's panel.

use super::Model;
use protocol::{Detail, Journey, ObjectId, Panel};
use std::rc::Rc;

/// Pods that are offered as clients.
const CLIENTS_MAX: usize = 200;
const CONTROLLER: &str = "http://ingress-nginx-controller.ingress-nginx/";

/// A journey, or why there is none; and the object beside which it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    pub from: ObjectId,
    pub journey: Result<Rc<Journey>, String>,
}

/// `namespace/name` of pods in the network.
pub fn clients(model: &Model) -> Vec<String> {
    let all = model.pods.values().filter(|p| !p.ip.is_empty());
    all.take(CLIENTS_MAX).map(|p| format!("{}/{}", p.namespace, p.name)).collect()
}

/// Client, URL and Host header to begin with; `None`: nothing is asked of such an object.
pub fn suggest(model: &Model, detail: &Detail) -> Option<(String, String, String)> {
    let id = &detail.id;
    let somebody = || {
        let all = clients(model);
        let near = all.iter().find(|c| c.starts_with(&format!("{}/", id.namespace)));
        near.or(all.first()).cloned().unwrap_or_default()
    };
    match id.kind.as_str() {
        "Pod" => Some((format!("{}/{}", id.namespace, id.name), String::new(), String::new())),
        "Service" => {
            let port = match &detail.panel {
                Some(Panel::Endpoints(e)) => e.routes.iter().find_map(|r| r.from.rsplit_once(':')).map(|(_, p)| p),
                _ => None,
            };
            let port = port.filter(|p| *p != "80").map(|p| format!(":{p}")).unwrap_or_default();
            Some((somebody(), format!("http://{}.{}{port}/", id.name, id.namespace), String::new()))
        }
        "Ingress" => {
            let hosts = detail.columns.iter().find(|(name, _)| name == "Hosts").map_or("", |(_, v)| v.as_str());
            let host = hosts.split([',', ' ']).next().filter(|h| *h != "*").unwrap_or("");
            Some((somebody(), CONTROLLER.into(), host.replace("*.", "any.")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::panel::{EndpointsPanel, RouteRow};
    use protocol::{PodView, Update};

    fn pod(namespace: &str, name: &str, ip: &str) -> PodView {
        PodView { namespace: namespace.into(), name: name.into(), ip: ip.into(), ..PodView::default() }
    }

    fn detail(kind: &str, name: &str) -> Detail {
        let id = ObjectId { kind: kind.into(), namespace: "shop".into(), name: name.into(), ..ObjectId::default() };
        Detail { id, ..Detail::default() }
    }

    #[test]
    fn a_request_is_suggested_that_makes_sense() {
        let mut m = Model::default();
        let pods = vec![pod("blog", "a", "10.0.0.1"), pod("shop", "b", ""), pod("shop", "c", "10.0.0.2")];
        m.apply(Update { pods, ..Update::default() });
        assert_eq!(clients(&m), ["blog/a", "shop/c"]);
        let of = |d: &Detail| suggest(&m, d).unwrap();
        assert_eq!(of(&detail("Pod", "c")), ("shop/c".into(), String::new(), String::new()));
        let mut service = detail("Service", "web");
        assert_eq!(of(&service).1, "http://web.shop/");
        let route = RouteRow { via: "ClusterIP".into(), from: "10.96.0.1:8080".into(), to: "80/TCP".into() };
        service.panel = Some(Panel::Endpoints(EndpointsPanel { routes: vec![route], ..EndpointsPanel::default() }));
        assert_eq!(of(&service), ("shop/c".into(), "http://web.shop:8080/".into(), String::new()));
        let mut ingress = detail("Ingress", "all");
        ingress.columns = vec![("Hosts".into(), "*.foo.com,bar.com".into())];
        assert_eq!(of(&ingress).2, "any.foo.com");
        assert_eq!(suggest(&m, &detail("ConfigMap", "x")), None);
    }
}
