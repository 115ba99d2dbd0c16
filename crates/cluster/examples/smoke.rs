use cluster::*;
use meta::*;
use apiserver::*;
fn main() {
    let mut c = Cluster::new(Config::default()).unwrap();
    c.advance(Duration::from_secs(1));
    let y = serde_json::json!({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default"},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"nginx","image":"nginx"}]}}}});
    let n = serde_json::json!({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"},"status":{"capacity":{"cpu":"4","memory":"8Gi","pods":"110"},"allocatable":{"cpu":"4","memory":"8Gi","pods":"110"},"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}]}});
    for v in [n, y] {
        let (g,vv) = v["apiVersion"].as_str().unwrap().split_once('/').unwrap_or(("", "v1"));
        let kind = api::by_gvk(g, vv, v["kind"].as_str().unwrap()).unwrap();
        let ns = if kind.namespaced() {"default"} else {""};
        let a = c.request(Request::new(User::admin(), RequestVerb::Create, kind, ns, "").body(Body::Json(v)));
        println!("{} {:?}", a.code, a.response);
    }
    c.advance(Duration::from_secs(8));
    for e in c.trace().since(0) {
        println!("{} {} <-{} {} {}", e.seq, e.time, e.cause, e.actor, serde_json::to_string(&e.what).unwrap().chars().take(260).collect::<String>());
    }
    println!("{:?}", c.take_crashes());
}
