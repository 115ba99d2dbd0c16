//! Policies of admission, tokens in Secrets, hints of endpoints, Endpoints that somebody writes, and names, with kubectl.

use crate::table;
use system_tests::Server;

/// The documentation's basic example.
const POLICY: &str = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: demo-policy.example.com
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [deployments]
  validations:
  - expression: object.spec.replicas <= 5
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: demo-binding-test.example.com
spec:
  policyName: demo-policy.example.com
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels:
        environment: test
";

#[test]
fn a_policy_refuses_what_it_is_about() {
    let Some(s) = Server::start(&[]) else { return };
    let file = s.file("policy.yaml", POLICY);
    s.kubectl(&["apply", "-f", &file]).good();
    s.k("label namespace default environment=test");
    let said = s.kubectl(&["create", "deployment", "nginx", "--image=nginx", "--replicas=6"]).bad();
    assert!(
        said.contains("ValidatingAdmissionPolicy 'demo-policy.example.com' with binding 'demo-binding-test.example.com' denied request: failed expression: object.spec.replicas <= 5"),
        "{said}"
    );
    s.k("create deployment nginx --image=nginx --replicas=2");
    s.kubectl(&["scale", "deployment", "nginx", "--replicas=9"]).good();
    let out = s.k("get validatingadmissionpolicy");
    assert_eq!(table(&out).1[0][..3], ["demo-policy.example.com", "1", "<unset>"], "{out}");
    let out = s.k("get validatingadmissionpolicybinding");
    let row = ["demo-binding-test.example.com", "demo-policy.example.com", "<unset>"];
    assert_eq!(table(&out).1[0][..3], row, "{out}");
    s.until("get validatingadmissionpolicy -o jsonpath={.items[0].status}", |o| o.contains("\"observedGeneration\":1"));
    // The documentation's example of a mistake.
    let wrong = s.file("wrong.yaml", &POLICY.replace("object.spec.replicas <= 5", "object.replicas > 1"));
    s.kubectl(&["apply", "-f", &wrong]).good();
    let of = "get validatingadmissionpolicy -o jsonpath={.items[0].status.typeChecking.expressionWarnings[0]['fieldRef','warning']}";
    let said = s.until(of, |o| !o.is_empty());
    let want = "spec.validations[0].expression apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n";
    assert_eq!(said, want);
    s.kubectl(&["apply", "-f", &file]).good();
    s.until("get validatingadmissionpolicy -o jsonpath={.items[0].status.typeChecking}", |o| o == "{}");
    assert!(s.k("explain validatingadmissionpolicy.spec.failurePolicy").contains("failurePolicy <string>"));
    assert!(s.k("describe validatingadmissionpolicy demo-policy.example.com").contains("object.spec.replicas <= 5"));
    // Warnings instead of refusals; server-side apply knows which fields are whose.
    let warn = s.file("warn.yaml", &POLICY.replace("[Deny]", "[Warn]"));
    s.kubectl(&["apply", "-f", &warn]).good();
    let run = s.kubectl(&["create", "deployment", "many", "--image=nginx", "--replicas=6"]);
    assert!(run.err.contains("Warning: Validation failed for ValidatingAdmissionPolicy"), "{run:?}");
    s.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &warn]).good();
}

const TOKEN: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata:
  name: robot-token
  annotations: {kubernetes.io/service-account.name: robot}
";

#[test]
fn a_secret_holds_a_token_of_its_account() {
    let Some(s) = Server::start(&["--sim-nodes", "0"]) else { return };
    let file = s.file("token.yaml", TOKEN);
    s.kubectl(&["apply", "-f", &file]).good();
    let out = s.until("describe secret robot-token", |o| o.contains("token:"));
    assert!(out.contains("kubernetes.io/service-account.uid:") && out.contains("ca.crt:"), "{out}");
    let token = out.lines().find_map(|l| l.strip_prefix("token:")).unwrap_or("").trim().to_string();
    // The token alone, without the certificate of the kubeconfig.
    let server = s.k("config view -o jsonpath={.clusters[0].cluster.server}");
    let flags = ["--kubeconfig=/dev/null", "--insecure-skip-tls-verify", "--server", &server, "--token", &token];
    let who = s.kubectl(&[&flags[..], &["auth", "whoami"]].concat()).good();
    assert!(who.contains("system:serviceaccount:default:robot"), "{who}");
    s.k("delete serviceaccount robot");
    s.until("get secrets -o name", |o| !o.contains("robot-token"));
    let said = s.kubectl(&[&flags[..], &["get", "pods"]].concat()).bad();
    assert!(said.contains("Unauthorized") || said.contains("logged in"), "{said}");
}

const NAMES: &str = "\
apiVersion: v1
kind: Service
metadata: {name: db}
spec:
  ports: [{name: sql, port: 5432}]
---
apiVersion: v1
kind: Endpoints
metadata: {name: db}
subsets:
- addresses: [{ip: 192.0.2.42}]
  ports: [{name: sql, port: 5432}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  trafficDistribution: PreferSameNode
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: c
    image: nginx
    ports: [{containerPort: 80, hostPort: 8080}]
---
apiVersion: v1
kind: Pod
metadata: {name: dns}
spec:
  dnsPolicy: None
  dnsConfig:
    nameservers: [192.0.2.1]
    searches: [my.dns.search.suffix]
    options: [{name: ndots, value: '2'}, {name: edns0}]
  containers: [{name: c, image: busybox, command: [sleep, infinity]}]
---
apiVersion: v1
kind: Pod
metadata: {name: tools}
spec:
  containers: [{name: c, image: nicolaka/netshoot, command: [sleep, infinity]}]
";

#[test]
fn names_and_ports_lead_where_they_should() {
    let Some(s) = Server::start(&["--sim-nodes", "2"]) else { return };
    let file = s.file("names.yaml", NAMES);
    s.kubectl(&["apply", "-f", &file]).good();
    let out = s.until("get endpointslices -l kubernetes.io/service-name=db", |o| o.contains("192.0.2.42"));
    assert!(out.contains("5432"), "{out}");
    let managed = s.k("get endpointslices -l kubernetes.io/service-name=db -o jsonpath={.items[0].metadata.labels}");
    assert!(managed.contains("endpointslicemirroring-controller.k8s.io"), "{managed}");
    s.k("wait --for=condition=Ready pod --all --timeout=60s");
    let hints = "get endpointslices -l kubernetes.io/service-name=web -o jsonpath={.items[0].endpoints[0].hints.forNodes[0].name}";
    let node = s.k("get pod web -o jsonpath={.spec.nodeName}");
    s.until(hints, |o| o == node);
    let conf = s.k("exec dns -- cat /etc/resolv.conf");
    assert_eq!(conf, "search my.dns.search.suffix\nnameserver 192.0.2.1\noptions ndots:2 edns0\n");
    let srv = s.k("exec tools -- dig +short SRV _http._tcp.web.default.svc.cluster.local");
    assert_eq!(srv, "0 100 80 web.default.svc.cluster.local.\n");
    let ip = s.k("get service web -o jsonpath={.spec.clusterIP}");
    assert_eq!(s.k("exec tools -- dig +short +search web"), format!("{ip}\n"));
    assert_eq!(s.k(&format!("exec tools -- dig +short -x {ip}")), "web.default.svc.cluster.local.\n");
    let host = s.k("get pod web -o jsonpath={.status.hostIP}");
    let page = s.k(&format!("exec tools -- curl -s http://{host}:8080/"));
    assert!(page.contains("Welcome to nginx!"), "{page}");
}
