//! Who brings a metrics-server of their own has the API as long as its Service leads somewhere.

use apiserver::http::HttpRequest;
use cluster::{Cluster, HttpOutcome};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use meta::User;
use testkit::{apply, cluster, run};

const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {selector: {k8s-app: metrics-server}, ports: [{name: https, port: 443, targetPort: https}]}
";

/// As the manifest has it, as far as it matters here.
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: metrics-server, namespace: kube-system, labels: {k8s-app: metrics-server}}
spec:
  containers:
  - name: metrics-server
    image: registry.k8s.io/metrics-server/metrics-server:v0.8.0
    ports: [{name: https, containerPort: 10250}]
";

/// The condition's words, and the code of a question.
fn state(c: &mut Cluster) -> String {
    let o = c.view().get::<APIService>(&meta::Key::new("", "v1beta1.metrics.k8s.io")).expect("it is there");
    let conditions = o.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    let reason = conditions.first().and_then(|c| c.reason.clone()).unwrap_or_default();
    let request = HttpRequest::bare("GET", "/apis/metrics.k8s.io/v1beta1/nodes", "", User::admin());
    let HttpOutcome::Response(r) = c.http(request) else { panic!("no answer") };
    format!("{reason} {}", r.code)
}

#[test]
fn the_api_follows_its_service() {
    let mut c = cluster(1);
    run(&mut c, 30);
    assert_eq!(state(&mut c), "Passed 200");
    apply(&mut c, SERVICE);
    run(&mut c, 30);
    assert_eq!(state(&mut c), "MissingEndpoints 503");
    // The process makes no difference now.
    c.set_process("metrics-server", false);
    c.set_process("metrics-server", true);
    run(&mut c, 5);
    assert_eq!(state(&mut c), "MissingEndpoints 503");
    apply(&mut c, POD);
    run(&mut c, 60);
    assert_eq!(state(&mut c), "Passed 200");
    let delete = apiserver::Request::new(
        User::admin(),
        apiserver::RequestVerb::Delete,
        api::by_gvk("", "v1", "Pod").expect("a kind"),
        "kube-system",
        "metrics-server",
    );
    c.request(delete);
    run(&mut c, 60);
    assert_eq!(state(&mut c), "MissingEndpoints 503");
    let delete = apiserver::Request::new(
        User::admin(),
        apiserver::RequestVerb::Delete,
        api::by_gvk("", "v1", "Service").expect("a kind"),
        "kube-system",
        "metrics-server",
    );
    c.request(delete);
    run(&mut c, 60);
    assert_eq!(state(&mut c), "Passed 200");
}
