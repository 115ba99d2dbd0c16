//! Ingresses, their classes, network policies, Endpoints, autoscalers and the newer form of Events.

use crate::table;
use system_tests::Server;

const NETWORK: &str = "\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx
  annotations:
    ingressclass.kubernetes.io/is-default-class: 'true'
spec:
  controller: k8s.io/ingress-nginx
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny
spec:
  podSelector:
    matchLabels: {app: web}
";

#[test]
fn ingresses_and_policies() {
    let Some(s) = Server::start(&[]) else { return };
    let file = s.file("network.yaml", NETWORK);
    s.kubectl(&["apply", "-f", &file]).good();
    let out = s.k("get ingress shop --no-headers");
    assert_eq!(table(&format!("{out}{out}")).0[..4], ["shop", "nginx", "shop.example.com", "80"], "{out}");
    assert!(s.k("get ingressclass").contains("k8s.io/ingress-nginx"));
    let out = s.k("get netpol");
    assert_eq!(table(&out).1[0][..2], ["deny", "app=web"], "{out}");
    let out = s.k("describe ingress shop");
    assert!(out.contains("Ingress Class:    nginx") && out.contains("shop.example.com"), "{out}");
    assert!(s.k("describe netpol deny").contains("Allowing ingress traffic:\n    <none>"));
    let out = s.k("get endpoints kubernetes");
    assert_eq!(table(&out).1[0][1], "172.18.0.2:6443", "{out}");
    assert!(s.k("explain ingress.spec.rules.http.paths.pathType").contains("pathType <string>"));
}

#[test]
fn autoscalers_in_two_versions() {
    let Some(s) = Server::start(&[]) else { return };
    s.k("create deployment web --image=nginx");
    s.k("autoscale deployment web --min=2 --max=4 --cpu-percent=50");
    let out = s.k("get hpa web");
    assert_eq!(table(&out).1[0][..5], ["web", "Deployment/web", "cpu: <unknown>/50%", "2", "4"], "{out}");
    let version = |name: &str| s.k(&format!("get {name} web -o jsonpath={{.apiVersion}}"));
    assert_eq!(version("horizontalpodautoscalers.v1.autoscaling"), "autoscaling/v1");
    assert_eq!(version("horizontalpodautoscalers.v2.autoscaling"), "autoscaling/v2");
    let percent = "get horizontalpodautoscalers.v1.autoscaling web -o jsonpath={.spec.targetCPUUtilizationPercentage}";
    assert_eq!(s.k(percent), "50");
    s.until("get deployment web -o jsonpath={.spec.replicas}", |t| t == "2");
    s.until("get events.v1.events.k8s.io -o jsonpath={.items[*].reason}", |t| t.contains("SuccessfulRescale"));
}
