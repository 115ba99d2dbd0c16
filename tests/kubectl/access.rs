//! Who may do what, as people ask it: `auth can-i`, `whoami`, `--as`, tokens, quotas.

use system_tests::Server;

/// `https://127.0.0.1:PORT`
fn url(s: &Server) -> String {
    let word = s.line.split_whitespace().find(|w| w.starts_with("https://")).unwrap_or_default();
    word.trim_end_matches(',').to_string()
}

fn reader(s: &Server) {
    s.k("create serviceaccount robot");
    s.k("create role pod-reader --verb=get,list,watch --resource=pods");
    s.k("create rolebinding read-pods --role=pod-reader --user=jane --serviceaccount=default:robot");
}

#[test]
fn can_i_and_whoami() {
    let Some(s) = Server::start(&["--sim-nodes", "0", "--wasm-nodes", "0"]) else { return };
    reader(&s);
    assert_eq!(s.k("auth can-i * *").trim(), "yes");
    assert_eq!(s.k("auth can-i list pods --as jane").trim(), "yes");
    let no = s.kubectl(&["auth", "can-i", "delete", "pods", "--as", "jane"]);
    assert!(!no.ok && no.out.trim() == "no", "{} {}", no.out, no.err);
    assert_eq!(s.k("auth can-i list pods --as system:serviceaccount:default:robot").trim(), "yes");
    let list = s.k("auth can-i --list --as jane");
    let row = |name: &str| list.lines().find(|l| l.starts_with(name)).unwrap_or_default().to_string();
    assert!(row("pods ").contains("[get list watch]"), "{list}");
    assert!(row("selfsubjectreviews.authentication.k8s.io").contains("[create]"), "{list}");
    assert!(list.contains("[/healthz]"), "{list}");
    let me = s.k("auth whoami");
    assert!(me.contains("kubernetes-admin") && me.contains("[system:masters system:authenticated]"), "{me}");
    let jane = s.k("auth whoami --as jane --as-group developers");
    assert!(jane.contains("jane") && jane.contains("[developers system:authenticated]"), "{jane}");

    // kubectl reads such kinds against the schema itself: nothing can be patched there.
    let review = r#"{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"jane",
        "resourceAttributes":{"verb":"list","resource":"pods","namespace":"default"}}}"#;
    let file = s.file("review.json", review);
    let allowed = s.kubectl(&["create", "-f", &file, "-o", "jsonpath={.status.allowed}"]).good();
    assert_eq!(allowed, "true");

    let refused = s.kubectl(&["get", "nodes", "--as", "jane"]).bad();
    let want = "Error from server (Forbidden): nodes is forbidden: User \"jane\" cannot list resource \"nodes\" in API group \"\" at the cluster scope";
    assert!(refused.contains(want), "{}", refused);
    s.k("get pods --as jane");
    let wide = s.k("get rolebinding read-pods -o wide");
    assert!(wide.contains("Role/pod-reader") && wide.contains("jane") && wide.contains("default/robot"), "{wide}");
    let described = s.k("describe role pod-reader");
    assert!(described.contains("pods       []                 []              [get list watch]"), "{described}");
    let clusterroles = s.k("get clusterroles");
    assert!(clusterroles.contains("system:kube-scheduler") && clusterroles.contains("CREATED AT"), "{clusterroles}");
}

#[test]
fn a_token_lets_its_account_in() {
    let Some(s) = Server::start(&["--sim-nodes", "0", "--wasm-nodes", "0"]) else { return };
    reader(&s);
    let token = s.k("create token robot --duration=10m");
    assert_eq!(token.trim().split('.').count(), 3);
    // Without the kubeconfig's certificate, which would come first.
    let flags =
        ["--token", token.trim(), "--kubeconfig", "/dev/null", "--server", &url(&s), "--insecure-skip-tls-verify"];
    let with = |args: &[&str]| s.kubectl(&[args, &flags].concat());
    let me = with(&["auth", "whoami"]);
    assert!(me.out.contains("system:serviceaccount:default:robot"), "{} {}", me.out, me.err);
    assert!(with(&["get", "pods"]).ok);
    let refused = with(&["get", "secrets"]).bad();
    assert!(
        refused.contains("User \"system:serviceaccount:default:robot\" cannot list resource \"secrets\""),
        "{}",
        refused
    );
    let wrong =
        ["--token", "nonsense", "--kubeconfig", "/dev/null", "--server", &url(&s), "--insecure-skip-tls-verify"];
    let unknown = s.kubectl(&[&["get", "pods"][..], &wrong].concat()).bad();
    assert!(unknown.contains("You must be logged in to the server (Unauthorized)"), "{}", unknown);
}

#[test]
fn limits_quotas_and_pod_security() {
    let Some(s) = Server::start(&["--sim-nodes", "0", "--wasm-nodes", "0"]) else { return };
    s.k("create namespace small");
    s.k("create quota q -n small --hard=pods=1,requests.cpu=1");
    s.until("get quota q -n small", |o| o.contains("pods: 0/1, requests.cpu: 0/1"));
    let silent = s.kubectl(&["run", "a", "--image=nginx", "-n", "small"]).bad();
    assert!(
        silent.contains("pods \"a\" is forbidden: failed quota: q: must specify requests.cpu for: a"),
        "{}",
        silent
    );
    s.apply("limitrange.yaml");
    let pod = s.k("run a --image=nginx -n small -o jsonpath={.spec.containers[0].resources}");
    assert!(pod.contains(r#""cpu":"500m""#), "{pod}");
    assert!(s.k("get quota q -n small").contains("pods: 1/1, requests.cpu: 500m/1"));
    let over = s.kubectl(&["run", "b", "--image=nginx", "-n", "small"]).bad();
    assert!(over.contains("exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"), "{}", over);
    s.k("delete pod a -n small");
    s.until("get quota q -n small", |o| o.contains("pods: 0/1"));

    s.k("create namespace safe");
    s.k("label namespace safe pod-security.kubernetes.io/enforce=restricted");
    let refused = s.kubectl(&["run", "a", "--image=nginx", "-n", "safe"]).bad();
    let want = "pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"a\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";
    assert!(refused.contains(want), "{}", refused);
    let warned = s.kubectl(&["create", "deployment", "web", "--image=nginx", "-n", "safe"]);
    assert!(
        warned.ok && warned.err.contains("Warning: would violate PodSecurity \"restricted:latest\""),
        "{}",
        warned.err
    );
}
