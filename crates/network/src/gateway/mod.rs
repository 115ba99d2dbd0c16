//! The ingress controller: what it makes of Ingresses (`load`), the process that does it (`controller`), and how its web
//! server treats a request. Models ingress-nginx.

mod controller;
mod load;

pub use controller::{IngressController, PROCESS, Told};
pub use load::CONTROLLER;

use crate::hop::Stage;
use crate::net::{Net, NetError, Request, Response, Said};
use reconcile::gateway::{ANY_HOST, Found, Location, PathType};
use regex_lite::Regex;
use trace::note;

/// Where a request goes on to, or what the web server answers itself.
pub enum Passed {
    To { ip: String, port: u16, path: String, secure: bool, said: Said },
    Answer(Response),
}

/// A page of nginx.
pub fn page(status: u16) -> Response {
    let title = match status {
        301 => "301 Moved Permanently",
        302 => "302 Found",
        303 => "303 See Other",
        307 => "307 Temporary Redirect",
        308 => "308 Permanent Redirect",
        401 => "401 Authorization Required",
        405 => "405 Not Allowed",
        500 => "500 Internal Server Error",
        400 => "400 Bad Request",
        403 => "403 Forbidden",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        _ => "404 Not Found",
    };
    let extra = match status {
        400 => "<center>The plain HTTP request was sent to HTTPS port</center>\r\n",
        _ => "",
    };
    // Models `ngx_http_error_497_page`.
    let head = if status == 400 { "400 The plain HTTP request was sent to HTTPS port" } else { title };
    let body = format!(
        "<html>\r\n<head><title>{head}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n{extra}\
         <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Response::new(status, body)
}

/// The headers that a request has behind the web server. Models `rootfs/etc/nginx/template/nginx.tmpl` (`proxy_set_header`).
fn forwarded(request: &Request, tls: bool, from: &str) -> Said {
    let mut said = request.said.clone();
    let (scheme, port) = if tls { ("https", "443") } else { ("http", "80") };
    for (name, value) in [
        ("X-Real-IP", from),
        ("X-Forwarded-For", from),
        ("X-Forwarded-Host", request.header.as_str()),
        ("X-Forwarded-Port", port),
        ("X-Forwarded-Proto", scheme),
        ("X-Forwarded-Scheme", scheme),
        ("X-Scheme", scheme),
    ] {
        said.headers.retain(|(k, _)| !k.eq_ignore_ascii_case(name));
        said.headers.push((name.into(), value.into()));
    }
    said.headers.retain(|(k, _)| !k.eq_ignore_ascii_case("connection"));
    said
}

/// A connection to the web server is there; `tls`: to its port for TLS; `from`: the address that it sees.
///
/// # Errors
/// Client and server do not come to speak HTTP.
pub(crate) fn pass(net: &mut Net, tls: bool, from: &str, request: &Request) -> Result<Passed, NetError> {
    let authority = request.header.to_ascii_lowercase();
    let host = authority.rsplit_once(':').map_or(authority.as_str(), |(h, _)| h);
    let path = request.path.split('?').next().unwrap_or("/");
    match (tls, request.tls) {
        (true, false) => {
            net.trail.fail(|| note!("hop.ingress-plain"));
            return Ok(Passed::Answer(page(400)));
        }
        (false, true) => {
            net.trail.fail(|| note!("hop.not-tls"));
            return Err(NetError::NotTls);
        }
        (true, true) => {
            match net.view.gateway.certificate(host) {
                Some(secret) => net.trail.note(|| note!("hop.ingress-certificate", secret = secret)),
                None => net.trail.note(|| note!("hop.ingress-fake-certificate")),
            }
            if !request.insecure {
                net.trail.fail(|| note!("hop.untrusted"));
                return Err(NetError::Untrusted);
            }
        }
        (false, false) => {}
    }
    let Some((location, path_now)) = locate(net, host, path) else {
        net.trail.fail(|| note!("hop.ingress-nothing", host = host, path = path));
        return Ok(Passed::Answer(page(404)));
    };
    let gateway = &net.view.gateway;
    if location.redirect && !tls {
        net.trail.note(|| note!("hop.ingress-redirect", host = host));
        let location = Some(format!("https://{host}{}", request.path));
        return Ok(Passed::Answer(Response { location, ..page(308) }));
    }
    let found = location.upstream.as_ref().and_then(|u| Some((u, gateway.found(u)?)));
    let Some((upstream, Found::Endpoints(endpoints))) = found else {
        let service = location.upstream.as_ref().map_or("", |u| u.service.as_str());
        let port = location.upstream.as_ref().map_or("", |u| u.port.as_str());
        match found {
            Some((_, Found::NoPort)) => {
                net.trail.fail(|| note!("hop.ingress-no-port", service = service, port = port));
            }
            _ => net.trail.fail(|| note!("hop.ingress-no-service", service = service)),
        }
        return Ok(Passed::Answer(page(503)));
    };
    if endpoints.is_empty() {
        net.trail.fail(|| note!("hop.ingress-no-endpoints", service = &upstream.service));
        return Ok(Passed::Answer(page(503)));
    }
    let (ip, port, pod) = &endpoints[net.balancer.any(endpoints.len())];
    let of = endpoints.len();
    net.trail
        .note(|| note!("hop.ingress-endpoint", service = &upstream.service, ip = ip, port = port, pod = pod, of = of));
    let query = request.path.split_once('?').map(|(_, q)| format!("?{q}")).unwrap_or_default();
    let said = forwarded(request, tls, from);
    let secure = location.secure;
    Ok(Passed::To { ip: ip.clone(), port: *port, path: format!("{path_now}{query}"), secure, said })
}

/// The rule for a request, and its path as the backend gets it.
fn locate<'a>(net: &mut Net<'a>, host: &str, path: &str) -> Option<(&'a Location, String)> {
    let (server, locations) = net.view.gateway.server(host)?;
    // One regular expression makes all paths of the host such.
    let regex = locations.values().any(|l| l.regex);
    let (location, rewritten) = locations.values().find_map(|l| Some((l, matches(l, path, regex)?)))?;
    net.trail.hop(Stage::Ingress, "Ingress", &location.ingress);
    net.trail.note(|| {
        let written = if server == ANY_HOST { "*" } else { server };
        match location.path_type {
            PathType::Default => note!("hop.ingress-default", host = written),
            kind => note!("hop.ingress-rule", host = written, path = &location.path, kind = kind.as_str()),
        }
    });
    if rewritten != path {
        net.trail.note(|| note!("hop.ingress-rewrite", path = &rewritten));
    }
    Some((location, rewritten))
}

/// The path that the backend gets, when the location is the request's.
fn matches(l: &Location, path: &str, regex: bool) -> Option<String> {
    let rewrite = |captures: Option<&regex_lite::Captures>| match &l.rewrite {
        Some(target) => {
            let mut out = target.clone();
            for n in (1..10).rev() {
                let text = captures.and_then(|c| c.get(n)).map_or("", |m| m.as_str());
                out = out.replace(&format!("${n}"), text);
            }
            out
        }
        None => path.into(),
    };
    let fits = match l.path_type {
        PathType::Default => true,
        PathType::Exact if !l.regex => path == l.path,
        _ if regex => {
            let found = Regex::new(&format!("^(?i:{})", l.path)).ok()?;
            return found.captures(path).map(|c| rewrite(Some(&c)));
        }
        PathType::Exact => path == l.path,
        PathType::Prefix => {
            let prefix = l.path.trim_end_matches('/');
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        PathType::ImplementationSpecific => path.starts_with(&l.path),
    };
    fits.then(|| rewrite(None))
}

#[cfg(test)]
mod tests {
    use super::load;
    use crate::balance::Balancer;
    use crate::hop::Trail;
    use crate::net::{Client, Net, NetError, Reached, Request};
    use crate::testing::{codes, put, service, slice, world};
    use k8s_openapi::api::networking::v1::Ingress;
    use meta::{Key, Time};
    use reconcile::View;
    use reconcile::gateway::Upstream;
    use serde_json::{Value, json};

    /// The web server knows this Ingress.
    fn ingress(view: &mut View, name: &str, annotations: Value, spec: Value) {
        let metadata = json!({ "name": name, "namespace": "shop", "annotations": annotations });
        put(
            view,
            json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec }),
        );
        let key = Key::new("shop", name);
        let loaded = load::load(&key, view.get::<Ingress>(&key).unwrap());
        let upstreams: Vec<Upstream> = loaded.upstreams().cloned().collect();
        view.gateway.set(&key, Some(loaded));
        for u in upstreams {
            let found = load::find(view, &u);
            view.gateway.set_found(&u, found);
        }
        view.gateway.listening = true;
    }

    fn backend(service: &str, port: &Value) -> Value {
        let port = if port.is_string() { json!({ "name": port }) } else { json!({ "number": port }) };
        json!({ "service": { "name": service, "port": port } })
    }

    fn paths(all: &[(&str, &str, &str)]) -> Value {
        let one = |(path, kind, service): &(&str, &str, &str)| json!({ "path": path, "pathType": kind, "backend": backend(service, &json!(80)) });
        json!({ "paths": all.iter().map(one).collect::<Vec<_>>() })
    }

    /// `one`, `two` and `three`, each with a pod whose address ends as its name says.
    fn shops() -> View {
        let mut v = world();
        for (i, name) in ["one", "two", "three"].iter().enumerate() {
            let ports = json!([{ "name": "http", "port": 80, "protocol": "TCP" }]);
            service(&mut v, name, json!({ "clusterIP": format!("10.96.1.{i}"), "ports": ports }));
            slice(&mut v, name, "http", 8080, &[(&format!("10.244.5.{}", i + 1), &format!("{name}-0"))]);
        }
        v
    }

    fn ask(view: &View, url: &str) -> (Result<Reached, NetError>, String) {
        let (scheme, rest) = url.split_once("://").unwrap();
        let tls = scheme == "https";
        let (host, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
        let request = Request {
            tls,
            insecure: true,
            host: "172.18.0.2".into(),
            port: if tls { 443 } else { 80 },
            header: host.into(),
            path: path.into(),
            ..Request::default()
        };
        let (mut balancer, mut trail) = (Balancer::new(1), Trail::on());
        let mut net = Net { view, balancer: &mut balancer, now: Time(0), trail: &mut trail };
        let client = Client { ip: "10.244.1.1", ..Client::default() };
        (net.request(&client, &request), codes(&trail.into_hops()))
    }

    /// `one /path`, or the status.
    fn goes(view: &View, url: &str) -> String {
        match ask(view, url).0 {
            Ok(Reached::Server(s)) => {
                let name = match s.ip.rsplit('.').next() {
                    Some("1") => "one",
                    Some("2") => "two",
                    Some("3") => "three",
                    _ => s.ip.as_str(),
                };
                format!("{name} {}", s.path)
            }
            Ok(Reached::Answer(r)) => r.status.to_string(),
            Ok(Reached::ApiServer) => "kube-apiserver".into(),
            Err(e) => format!("{e:?}"),
        }
    }

    /// The examples of the documentation's page on Ingress.
    #[test]
    fn paths_match_as_the_documentation_says() {
        for (kind, path, asked, fits) in [
            ("Prefix", "/", "/any/thing?at=all", true),
            ("Exact", "/foo", "/foo", true),
            ("Exact", "/foo", "/bar", false),
            ("Exact", "/foo", "/foo/", false),
            ("Exact", "/foo/", "/foo", false),
            ("Prefix", "/foo", "/foo", true),
            ("Prefix", "/foo", "/foo/", true),
            ("Prefix", "/foo/", "/foo", true),
            ("Prefix", "/foo/", "/foo/", true),
            ("Prefix", "/aaa/bb", "/aaa/bbb", false),
            ("Prefix", "/aaa/bbb", "/aaa/bbb", true),
            ("Prefix", "/aaa/bbb/", "/aaa/bbb", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbb/", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", false),
            ("ImplementationSpecific", "/aaa", "/aaab", true),
        ] {
            let mut v = shops();
            ingress(&mut v, "a", json!({}), json!({ "rules": [{ "http": paths(&[(path, kind, "one")]) }] }));
            let expected = if fits { format!("one {asked}") } else { "404".into() };
            assert_eq!(goes(&v, &format!("http://h{asked}")), expected, "{kind} {path} {asked}");
        }
    }

    #[test]
    fn the_longest_path_wins_and_an_exact_one_of_the_same_length() {
        let mut v = shops();
        let all = [("/", "Prefix", "one"), ("/aaa", "Prefix", "two"), ("/aaa", "Exact", "three")];
        ingress(&mut v, "a", json!({}), json!({ "rules": [{ "host": "foo.com", "http": paths(&all) }] }));
        for (asked, to) in [("/aaa/ccc", "two"), ("/aaa", "three"), ("/ccc", "one")] {
            assert_eq!(goes(&v, &format!("http://foo.com{asked}")), format!("{to} {asked}"));
        }
        assert_eq!(goes(&v, "http://FOO.com:8080/x"), "one /x", "neither case nor port matter");
        assert_eq!(goes(&v, "http://bar.com/"), "404");
    }

    #[test]
    fn hosts_wildcards_and_default_backends() {
        let mut v = shops();
        let rules = json!([{ "host": "*.foo.com", "http": paths(&[("/w", "Prefix", "one")]) }]);
        ingress(&mut v, "a", json!({}), json!({ "rules": rules, "defaultBackend": backend("two", &json!("http")) }));
        assert_eq!(goes(&v, "http://bar.foo.com/w"), "one /w");
        assert_eq!(goes(&v, "http://bar.foo.com/else"), "two /else");
        assert_eq!(goes(&v, "http://foo.com/w"), "404");
        assert_eq!(goes(&v, "http://baz.bar.foo.com/w"), "404");
        ingress(&mut v, "all", json!({}), json!({ "defaultBackend": backend("three", &json!(80)) }));
        assert_eq!(goes(&v, "http://foo.com/w"), "three /w");
        let hops = ask(&v, "http://foo.com/w").1;
        assert!(hops.ends_with("ingress shop/all: ingress-default ingress-endpoint"), "{hops}");
    }

    #[test]
    fn what_is_not_there_is_503() {
        let mut v = shops();
        let all = [("/gone", "Prefix", "gone"), ("/empty", "Prefix", "empty")];
        let mut http = paths(&all);
        http["paths"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "path": "/port", "pathType": "Prefix", "backend": backend("one", &json!("https")) }));
        ingress(&mut v, "a", json!({}), json!({ "rules": [{ "http": http }] }));
        for (path, why) in
            [("gone", "ingress-no-service"), ("empty", "ingress-no-endpoints"), ("port", "ingress-no-port")]
        {
            let url = format!("http://h/{path}");
            assert_eq!(goes(&v, &url), "503");
            let hops = ask(&v, &url).1;
            assert!(hops.ends_with(&format!("{why} !")), "{hops}");
        }
        v.gateway.listening = false;
        assert_eq!(goes(&v, "http://h/gone"), "Refused");
    }

    #[test]
    fn tls_has_a_certificate_and_whoever_comes_without_is_sent_there() {
        let mut v = shops();
        let rules = json!([{ "host": "a.com", "http": paths(&[("/", "Prefix", "one")]) },
                           { "host": "b.com", "http": paths(&[("/", "Prefix", "two")]) }]);
        let tls = json!([{ "hosts": ["a.com"], "secretName": "cert" }]);
        let spec = json!({ "rules": rules, "tls": tls });
        ingress(&mut v, "a", json!({}), spec.clone());
        assert_eq!(goes(&v, "https://a.com/x"), "one /x");
        assert!(ask(&v, "https://a.com/x").1.contains("ingress-certificate"));
        assert!(ask(&v, "https://b.com/x").1.contains("ingress-fake-certificate"));
        let Ok(Reached::Answer(r)) = ask(&v, "http://a.com/x?y=1").0 else { panic!() };
        assert_eq!((r.status, r.location.as_deref()), (308, Some("https://a.com/x?y=1")));
        assert_eq!(goes(&v, "http://b.com/x"), "two /x");
        ingress(&mut v, "a", json!({ "nginx.ingress.kubernetes.io/ssl-redirect": "false" }), spec);
        assert_eq!(goes(&v, "http://a.com/x"), "one /x");
    }

    #[test]
    fn paths_are_rewritten() {
        let mut v = shops();
        let root = json!({ "nginx.ingress.kubernetes.io/rewrite-target": "/" });
        let all = [("/testpath", "Prefix", "one")];
        ingress(&mut v, "a", root, json!({ "rules": [{ "host": "a.com", "http": paths(&all) }] }));
        assert_eq!(goes(&v, "http://a.com/testpath/x?q=1"), "one /?q=1");
        let second = json!({ "nginx.ingress.kubernetes.io/rewrite-target": "/$2" });
        let all = [("/something(/|$)(.*)", "ImplementationSpecific", "two")];
        ingress(&mut v, "b", second, json!({ "rules": [{ "host": "b.com", "http": paths(&all) }] }));
        for (asked, path) in [("/something", "/"), ("/something/", "/"), ("/something/new", "/new")] {
            assert_eq!(goes(&v, &format!("http://b.com{asked}")), format!("two {path}"));
        }
        assert_eq!(goes(&v, "http://b.com/some"), "404");
    }

    #[test]
    fn policies_are_asked_for_the_controllers_own_connection() {
        let mut v = shops();
        put(
            &mut v,
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "one-0", "namespace": "shop" },
            "spec": { "containers": [{ "name": "c", "image": "x" }] }, "status": { "podIP": "10.244.5.1" } }),
        );
        ingress(&mut v, "a", json!({}), json!({ "rules": [{ "http": paths(&[("/", "Prefix", "one")]) }] }));
        put(
            &mut v,
            json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": { "name": "closed", "namespace": "shop" },
            "spec": { "podSelector": {}, "policyTypes": ["Ingress"] } }),
        );
        assert_eq!(goes(&v, "http://h/"), "504");
    }
}
