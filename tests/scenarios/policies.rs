//! NetworkPolicy: the recipes of the documentation, as clients in the cluster feel them.

use cluster::Cluster;
use testkit::{apply, cluster, run};

/// A web server behind a Service, and clients that ask it every few seconds, by name.
fn shop() -> Cluster {
    let mut c = cluster(2);
    let server = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec:\n  containers:\n  - {name: main, image: nginx, ports: [{name: http, containerPort: 80}]}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: street, labels: {kind: public}}\n";
    apply(&mut c, server);
    run(&mut c, 5);
    for (namespace, name) in [("default", "friend"), ("default", "stranger"), ("street", "visitor")] {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}\nspec:\n  containers:\n  - name: main\n    image: busybox\n    command: [sh, -c, 'while true; do wget -q -O /dev/null -T 1 http://web.default 2>/dev/null && echo yes || echo no; sleep 2; done']\n"
        );
        apply(&mut c, &text);
    }
    run(&mut c, 60);
    c
}

/// The newest answer of each client: friend, stranger, visitor.
fn answers(c: &mut Cluster) -> String {
    run(c, 20);
    let last = |key: &str| {
        let pod = c.view().get(&key.into()).expect("the client is there");
        let log = c.log_tail(pod, "main", 2).unwrap_or_default();
        log.lines().last().unwrap_or_default().to_string()
    };
    ["default/friend", "default/stranger", "street/visitor"].map(last).join(" ")
}

fn policy(name: &str, spec: &str) -> String {
    format!("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

#[test]
fn default_deny_and_what_is_allowed_again() {
    let mut c = shop();
    assert_eq!(answers(&mut c), "yes yes yes");
    apply(&mut c, &policy("default-deny-ingress", "{podSelector: {}, policyTypes: [Ingress]}"));
    assert_eq!(answers(&mut c), "no no no");
    let friends = "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}], ports: [{port: http}]}]}";
    apply(&mut c, &policy("friends", friends));
    assert_eq!(answers(&mut c), "yes no no");
    let public = "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {matchLabels: {kind: public}}}]}]}";
    apply(&mut c, &policy("public", public));
    assert_eq!(answers(&mut c), "yes no yes");
    apply(&mut c, &policy("allow-all-ingress", "{podSelector: {}, ingress: [{}], policyTypes: [Ingress]}"));
    assert_eq!(answers(&mut c), "yes yes yes");
}

#[test]
fn without_egress_a_client_cannot_even_ask_for_the_name() {
    let mut c = shop();
    let deny = "{podSelector: {matchLabels: {app: friend}}, policyTypes: [Egress]}";
    apply(&mut c, &policy("no-way-out", deny));
    assert_eq!(answers(&mut c), "no yes yes");
    let web = "{podSelector: {matchLabels: {app: friend}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]}";
    apply(&mut c, &policy("to-web", web));
    assert_eq!(answers(&mut c), "no yes yes");
    let dns = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}";
    apply(&mut c, &policy("dns", dns));
    // The stranger may ask now, and nothing else: policies select it as well.
    assert_eq!(answers(&mut c), "yes no yes");
}
