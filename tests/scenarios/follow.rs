//! Follow this request: every hop of a request that a pod sends, in the words that the page and the terminal show.

use cluster::Cluster;
use protocol::words::{self, Lang};
use protocol::{Command, Follow, Reply};
use testkit::{apply, cluster, run};

fn shop() -> Cluster {
    let mut c = cluster(2);
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeName: node-1
  containers: [{name: main, image: nginx, ports: [{name: http, containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 8080, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec:
  nodeName: node-2
  containers: [{name: main, image: busybox, command: [sleep, infinity]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules: [{host: shop.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 8080}}}}]}}]
";
    apply(&mut c, text);
    run(&mut c, 60);
    c
}

/// `stage name: notes`, a line a hop, with addresses and times as they are; the first line is the outcome.
fn follow(c: &mut Cluster, url: &str, host: &str) -> String {
    let follow = Follow { namespace: "default".into(), pod: "client".into(), url: url.into(), host: host.into() };
    let Some(Reply::Journey { journey, error: None, .. }) = engine::act(c, &Command::Follow { id: 1, follow }) else {
        panic!("no journey")
    };
    let mut out = format!("{} {}\n", journey.status.map_or("-".into(), |s| s.to_string()), journey.hops.len());
    for h in &journey.hops {
        let notes: Vec<String> = h.notes.iter().map(|n| words::note(Lang::En, n)).collect();
        out.push_str(&format!("{} {}{}: {}\n", h.stage, h.name, if h.ok { "" } else { " !" }, notes.join("; ")));
    }
    out
}

fn shown(c: &mut Cluster, url: &str, host: &str) -> String {
    let text = follow(c, url, host);
    // The cluster IP is drawn.
    let ip = c.view().get::<k8s_openapi::api::core::v1::Service>(&"default/web".into());
    let ip = ip.and_then(|s| s.spec.as_ref()?.cluster_ip.clone()).unwrap_or_default();
    text.replace(&ip, "CLUSTER-IP")
}

#[test]
fn from_the_client_to_the_container_and_back() {
    let mut c = shop();
    let hops = shown(&mut c, "http://web:8080/", "");
    expect_test::expect![[r#"
        200 7
        client default/client: asks for http://web:8080/, from 10.244.1.2 on node-2
        dns 10.96.0.10: web.default.svc.cluster.local is CLUSTER-IP
        service default/web: kube-proxy's rule for CLUSTER-IP:8080 http: 1 of 1 endpoints are ready; the only one that may be taken; goes to 10.244.0.2:80, default/web
        policy default/client: Egress: no policy selects this pod, everything may pass
        policy default/web: Ingress: no policy selects this pod, everything may pass
        server default/web: nginx in container main listens at port 80, on node-1
        answer 200: HTTP 200, 288 bytes, after 0 ms; goes back on the same connection: policies are not asked again, and to the client it comes from whom it asked
    "#]].assert_eq(&hops);
    // What the trail says happened, happened: the server was busy with it.
    let deny = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed}\nspec: {podSelector: {matchLabels: {app: web}}}\n";
    apply(&mut c, deny);
    run(&mut c, 1);
    let hops = shown(&mut c, "http://web:8080/", "");
    assert!(hops.starts_with("- 5\n"), "{hops}");
    assert!(
        hops.ends_with(
            "policy default/closed !: Ingress: no rule of default/closed lets it through, the packet is dropped\n"
        ),
        "{hops}"
    );
}

#[test]
fn by_way_of_an_ingress() {
    let mut c = shop();
    let hops = shown(&mut c, "http://ingress-nginx-controller.ingress-nginx/x", "shop.example.com");
    expect_test::expect![[r#"
        404 9
        client default/client: asks for http://ingress-nginx-controller.ingress-nginx:80/x, from 10.244.1.2 on node-2; with the Host header shop.example.com
        dns 10.96.0.10: ingress-nginx-controller.ingress-nginx.default.svc.cluster.local: no such name; ingress-nginx-controller.ingress-nginx.svc.cluster.local is 10.110.53.49
        service ingress-nginx/ingress-nginx-controller: kube-proxy's rule for 10.110.53.49:80 http: 1 of 1 endpoints are ready; the only one that may be taken; goes to 172.18.0.2:80
        policy default/client: Egress: no policy selects this pod, everything may pass
        ingress ingress-nginx-controller: the web server of the ingress controller listens at port 80, on the control plane’s machine
        ingress default/shop: host shop.example.com, path / (Prefix); of Service default/web: 10.244.0.2:80, default/web; one of 1, not by way of the cluster IP
        policy default/web: Ingress: no policy selects this pod, everything may pass
        server default/web: nginx in container main listens at port 80, on node-1
        answer 404: HTTP 404, 153 bytes, after 0 ms; goes back on the same connection: policies are not asked again, and to the client it comes from whom it asked
    "#]].assert_eq(&hops);
    let hops = shown(&mut c, "http://ingress-nginx-controller.ingress-nginx/x", "");
    assert!(
        hops.starts_with("404") && hops.contains("no Ingress has a rule for host ingress-nginx-controller"),
        "{hops}"
    );
}

#[test]
fn where_it_ends_it_says_why() {
    let mut c = shop();
    let last = |c: &mut Cluster, url: &str| shown(c, url, "").lines().last().unwrap_or("").to_string();
    assert_eq!(
        last(&mut c, "http://wbe:8080"),
        "dns 10.96.0.10 !: wbe.default.svc.cluster.local: no such name; wbe.svc.cluster.local: no such name; wbe.cluster.local: no such name; wbe: no such name; nobody is called wbe"
    );
    assert!(last(&mut c, "http://web").ends_with("has no port 80: the packet leads nowhere"));
    assert!(last(&mut c, "http://nobody").ends_with("none of 0 endpoints is ready: the connection is refused"));
    assert!(last(&mut c, "http://localhost").ends_with("refused"));
    let follow =
        Follow { namespace: "default".into(), pod: "gone".into(), url: "http://web".into(), host: String::new() };
    let Some(Reply::Journey { error: Some(error), .. }) = engine::act(&mut c, &Command::Follow { id: 1, follow })
    else {
        panic!("a pod that is not there")
    };
    assert_eq!(error, "pods \"gone\" not found");
}

#[test]
fn a_sent_request_is_an_input_of_the_session() {
    use meta::{Duration, Time};
    let mut s = engine::Session::new(2, 7, Time(0)).expect("a session");
    s.cluster.advance(Duration::from_secs(20));
    let text =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: client}\nspec:\n  containers: [{name: main, image: nginx}]\n";
    let files = vec![protocol::File { name: "a.yaml".into(), text: text.into() }];
    s.act(Command::Apply { id: 1, mode: protocol::ApplyMode::Apply, files });
    s.cluster.advance(Duration::from_secs(60));
    let follow = Follow {
        namespace: "default".into(),
        pod: "client".into(),
        url: "http://localhost".into(),
        host: String::new(),
    };
    let Some(Reply::Journey { journey, .. }) = s.act(Command::Follow { id: 2, follow }) else { panic!("no journey") };
    assert_eq!(journey.status, Some(200));
    s.cluster.advance(Duration::from_secs(60));
    let again = engine::Session::load(&s.save().expect("it is small")).expect("it loads").cluster;
    assert_eq!((again.trace().hash(), again.now()), (s.cluster.trace().hash(), s.cluster.now()));
    let usage = |c: &Cluster| {
        let pod = c.view().get(&"default/client".into()).expect("the client is there");
        reconcile::usage::of_pod(c.view(), pod, c.now()).map(|s| s.usage)
    };
    assert_eq!(usage(&again), usage(&s.cluster));
}
