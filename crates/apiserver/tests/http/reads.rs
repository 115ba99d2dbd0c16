//! Gets, lists, watches, tables and discovery. Cases modelled on upstream's `endpoints/watch_test.go`,
//! `storage/etcd3/list_test` tables and `negotiation` tests.

use crate::world::{TABLE, World, summary};
use apiserver::http::HttpRequest;
use apiserver::watch::Watcher;
use apiserver::{Response, http};
use expect_test::{Expect, expect};
use meta::User;
use serde_json::Value;
use store::Backend;

const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn maps(w: &mut World, names: &str) {
    for n in names.split_whitespace() {
        let tier = if n.starts_with('a') { "x" } else { "y" };
        w.ok("POST", MAPS, &format!(r#"{{"metadata":{{"name":"{n}","labels":{{"tier":"{tier}"}}}}}}"#));
    }
}

#[test]
fn lists_select() {
    let mut w = World::new();
    maps(&mut w, "a1 a2 b1");
    w.ok("POST", "/api/v1/namespaces/kube-system/configmaps", r#"{"metadata":{"name":"k1"}}"#);
    let mut out = String::new();
    for path in [
        MAPS.to_string(),
        "/api/v1/configmaps".into(),
        format!("{MAPS}?labelSelector=tier%3Dx"),
        format!("{MAPS}?labelSelector=tier+in+(x,y),tier!=x"),
        format!("{MAPS}?labelSelector=tier%20in%20(x"),
        format!("{MAPS}?fieldSelector=metadata.name%3Da2"),
        "/api/v1/configmaps?fieldSelector=metadata.namespace!=default".into(),
        format!("{MAPS}?fieldSelector=data.x=1"),
        "/api/v1/nodes?fieldSelector=a".into(),
        "/api/v1/namespaces/none/configmaps".into(),
        "/api/v1/zebras".into(),
        "/apis/apps/v2/deployments".into(),
        "/zebras".into(),
        format!("{MAPS}/a1/status"),
    ] {
        out.push_str(&format!("{path}\n  {}\n", w.line("GET", &path, "").trim_end()));
    }
    expect![[r#"
        /api/v1/namespaces/default/configmaps
          200 ConfigMapList [a1 a2 b1]
        /api/v1/configmaps
          200 ConfigMapList [a1 a2 b1 k1]
        /api/v1/namespaces/default/configmaps?labelSelector=tier%3Dx
          200 ConfigMapList [a1 a2]
        /api/v1/namespaces/default/configmaps?labelSelector=tier+in+(x,y),tier!=x
          200 ConfigMapList [b1]
        /api/v1/namespaces/default/configmaps?labelSelector=tier%20in%20(x
          400 BadRequest: unable to parse requirement: found '', expected: ',' or ')'
        /api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Da2
          200 ConfigMapList [a2]
        /api/v1/configmaps?fieldSelector=metadata.namespace!=default
          200 ConfigMapList [k1]
        /api/v1/namespaces/default/configmaps?fieldSelector=data.x=1
          400 BadRequest: "data.x" is not a known field selector: only "metadata.name", "metadata.namespace"
        /api/v1/nodes?fieldSelector=a
          400 BadRequest: invalid selector: 'a'; can't understand 'a'
        /api/v1/namespaces/none/configmaps
          200 ConfigMapList []
        /api/v1/zebras
          404 NotFound: the server could not find the requested resource
        /apis/apps/v2/deployments
          404 NotFound: the server could not find the requested resource
        /zebras
          404 404 page not found
        /api/v1/namespaces/default/configmaps/a1/status
          404 NotFound: the server could not find the requested resource
    "#]]
    .assert_eq(&out);
}

#[test]
fn lists_page_at_one_revision() {
    let mut w = World::new();
    maps(&mut w, "a b c d e");
    let mut out = String::new();
    let mut token = String::new();
    loop {
        let l = w.get(&format!("{MAPS}?limit=2&continue={token}"));
        let names: Vec<&str> =
            l["items"].as_array().expect("a list").iter().map(|i| i["metadata"]["name"].as_str().unwrap()).collect();
        let m = &l["metadata"];
        out.push_str(&format!("{names:?} revision {} remaining {}\n", m["resourceVersion"], m["remainingItemCount"]));
        token = m["continue"].as_str().unwrap_or("").into();
        if token.is_empty() {
            break;
        }
        // What is deleted meanwhile is still in the later pages.
        w.line("DELETE", &format!("{MAPS}/d"), "");
    }
    let l = w.get(&format!("{MAPS}?limit=1"));
    let token = l["metadata"]["continue"].as_str().unwrap().to_string();
    w.ok("POST", MAPS, r#"{"metadata":{"name":"z"}}"#);
    w.store.compact(w.store.revision()).unwrap();
    let r = w.json("GET", &format!("{MAPS}?continue={token}"), "");
    out.push_str(&format!("{}\n", summary(&r)));
    let body: Value = serde_json::from_slice(&r.body).unwrap();
    let token = body["metadata"]["continue"].as_str().unwrap().to_string();
    out.push_str(&format!("{}\n", w.line("GET", &format!("{MAPS}?continue={token}"), "")));
    for query in ["continue=zz", "continue=abc", "continue=e30", "limit=x"] {
        out.push_str(&format!("{query}: {}\n", w.line("GET", &format!("{MAPS}?{query}"), "")));
    }
    expect![[r#"
        ["a", "b"] revision "10" remaining 3
        ["c", "d"] revision "10" remaining 1
        ["e"] revision "10" remaining null
        410 Expired: The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.
        200 ConfigMapList [b c e z]
        continue=zz: 400 BadRequest: continue key is not valid: illegal base64 data at input byte 1
        continue=abc: 400 BadRequest: continue key is not valid: invalid character 'i' looking for beginning of value
        continue=e30: 400 BadRequest: continue key is not valid: server does not recognize this encoded version ""
        limit=x: 400 BadRequest: strconv.ParseInt: parsing "x": invalid syntax
    "#]].assert_eq(&out);
}

#[test]
fn resource_versions() {
    let mut w = World::new();
    maps(&mut w, "a b");
    let then = w.store.revision();
    maps(&mut w, "c");
    w.store.compact(4).unwrap();
    let mut out = String::new();
    for query in [
        "resourceVersion=0".to_string(),
        format!("resourceVersion={then}"),
        format!("resourceVersion={then}&resourceVersionMatch=Exact"),
        format!("resourceVersion={then}&resourceVersionMatch=NotOlderThan"),
        "resourceVersion=2&resourceVersionMatch=Exact".into(),
        "resourceVersion=999".into(),
        "resourceVersion=x".into(),
        "resourceVersionMatch=Exact".into(),
        "resourceVersion=1&resourceVersionMatch=About".into(),
        "resourceVersion=0&resourceVersionMatch=Exact".into(),
        "sendInitialEvents=true".into(),
        "watch=1&resourceVersionMatch=NotOlderThan".into(),
        "watch=1&sendInitialEvents=true".into(),
    ] {
        out.push_str(&format!("{query}\n  {}\n", w.line("GET", &format!("{MAPS}?{query}"), "")));
    }
    expect![[r#"
        resourceVersion=0
          200 ConfigMapList [a b c]
        resourceVersion=7
          200 ConfigMapList [a b c]
        resourceVersion=7&resourceVersionMatch=Exact
          200 ConfigMapList [a b]
        resourceVersion=7&resourceVersionMatch=NotOlderThan
          200 ConfigMapList [a b c]
        resourceVersion=2&resourceVersionMatch=Exact
          410 Expired: The resourceVersion for the provided list is too old.
        resourceVersion=999
          504 Timeout: Timeout: Too large resource version: 999, current: 8
        resourceVersion=x
          400 BadRequest: invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax
        resourceVersionMatch=Exact
          422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided
        resourceVersion=1&resourceVersionMatch=About
          422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "About": supported values: "Exact", "NotOlderThan", ""
        resourceVersion=0&resourceVersionMatch=Exact
          422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"
        sendInitialEvents=true
          422 Invalid: ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list
        watch=1&resourceVersionMatch=NotOlderThan
          422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided
        watch=1&sendInitialEvents=true
          422 Invalid: ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan
    "#]].assert_eq(&out);
}

/// Opens a watch, makes some changes, and shows the frames.
fn watch(w: &mut World, path: &str, accept: &str, changes: &[(&str, &str, &str)], want: Expect) {
    let (answer, wants) = w.answer("GET", path, accept, "", "");
    let Response::Watch(spec) = answer.response else { panic!("{answer:?}") };
    let mut watcher = Watcher::new(*spec, wants);
    let mut bytes = watcher.initial(&w.store, w.now);
    for (m, p, b) in changes {
        let content_type = if *m == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let (a, _) = w.answer(m, p, "", content_type, b);
        for e in &a.events {
            bytes.extend(watcher.event(e, w.now).unwrap_or_default());
        }
    }
    bytes.extend(watcher.bookmark(w.store.revision(), w.now));
    let mut out = String::new();
    for line in String::from_utf8(bytes).expect("UTF-8").lines() {
        let f: Value = serde_json::from_str(line).expect("JSON");
        let o = &f["object"];
        let what = match o["kind"].as_str() {
            Some("Table") => {
                let rows: Vec<&Value> = o["rows"].as_array().expect("a list").iter().map(|r| &r["cells"][0]).collect();
                format!("columns {} rows {rows:?}", o["columnDefinitions"].as_array().expect("a list").len())
            }
            Some("Status") => format!("{} {}", o["code"], o["message"]),
            _ => o["metadata"]["name"].to_string(),
        };
        let m = &o["metadata"];
        out.push_str(&format!("{} {what} revision {} {}\n", f["type"], m["resourceVersion"], m["annotations"]));
    }
    want.assert_eq(&out);
}

#[test]
fn watches() {
    let changes: &[(&str, &str, &str)] = &[
        ("POST", MAPS, r#"{"metadata":{"name":"n","labels":{"tier":"x"}}}"#),
        ("PATCH", &format!("{MAPS}/n"), r#"{"data":{"k":"v"}}"#),
        ("PATCH", &format!("{MAPS}/n"), r#"{"metadata":{"labels":{"tier":"y"}}}"#),
        ("PATCH", &format!("{MAPS}/n"), r#"{"data":{"k":"w"}}"#),
        ("PATCH", &format!("{MAPS}/n"), r#"{"metadata":{"labels":{"tier":"x"}}}"#),
        ("DELETE", &format!("{MAPS}/n"), ""),
        ("POST", "/api/v1/namespaces/kube-system/configmaps", r#"{"metadata":{"name":"far","labels":{"tier":"x"}}}"#),
    ];
    let mut w = World::new();
    maps(&mut w, "a1 b1");
    let then = w.store.revision() - 1;
    watch(
        &mut w,
        &format!("{MAPS}?watch=1&labelSelector=tier=x"),
        "",
        changes,
        expect![[r#"
        "ADDED" "a1" revision "6" null
        "ADDED" "n" revision "8" null
        "MODIFIED" "n" revision "9" null
        "DELETED" "n" revision "10" null
        "ADDED" "n" revision "12" null
        "DELETED" "n" revision "13" null
        "BOOKMARK" null revision "14" null
    "#]],
    );
    watch(
        &mut w,
        &format!("{MAPS}?watch=1&resourceVersion={then}"),
        "",
        &[],
        expect![[r#"
        "ADDED" "b1" revision "7" null
        "ADDED" "n" revision "8" null
        "MODIFIED" "n" revision "9" null
        "MODIFIED" "n" revision "10" null
        "MODIFIED" "n" revision "11" null
        "MODIFIED" "n" revision "12" null
        "DELETED" "n" revision "13" null
        "BOOKMARK" null revision "14" null
    "#]],
    );
    watch(
        &mut w,
        &format!("{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"),
        "",
        &changes[..1],
        expect![[r#"
            "ADDED" "a1" revision "6" null
            "ADDED" "b1" revision "7" null
            "BOOKMARK" null revision "14" {"k8s.io/initial-events-end":"true"}
            "ADDED" "n" revision "15" null
            "BOOKMARK" null revision "15" null
        "#]],
    );
    watch(
        &mut w,
        &format!("{MAPS}?watch=1&fieldSelector=metadata.name=a1"),
        TABLE,
        &[],
        expect![[r#"
        "ADDED" columns 3 rows [String("a1")] revision "6" null
        "BOOKMARK" columns 0 rows [] revision "15" null
    "#]],
    );
    w.store.compact(then).unwrap();
    watch(
        &mut w,
        &format!("{MAPS}?watch=1&resourceVersion=3"),
        "",
        &[],
        expect![[r#"
        "ERROR" 410 "too old resource version: 3 (6)" revision null null
        "BOOKMARK" null revision "15" null
    "#]],
    );
}

#[test]
fn tables_and_metadata() {
    let mut w = World::new();
    maps(&mut w, "a b");
    w.advance(75);
    let mut show = |accept: &str, path: &str| {
        let r = w.http("GET", path, accept, "", "");
        format!("{}\n", String::from_utf8_lossy(&r.body))
    };
    let mut out = show(TABLE, &format!("{MAPS}?limit=1"));
    out.push_str(&show(TABLE, &format!("{MAPS}/a?includeObject=None")));
    out.push_str(&show("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", MAPS));
    out.push_str(&show("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", &format!("{MAPS}/a")));
    out.push_str(&show("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", MAPS));
    out.push_str(&show("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", &format!("{MAPS}/a")));
    out.push_str(&show("application/json;as=Table;g=meta.k8s.io;v=v1", &format!("{MAPS}?includeObject=Bad")));
    out.push_str(&show("text/html", MAPS));
    out.push_str(&show("application/json", &format!("{MAPS}?limit=1")));
    expect![[r#"
        {"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"7","continue":"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Nywic3RhcnQiOiJhXHUwMDAwIn0","remainingItemCount":1},"columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names","priority":0},{"name":"Data","type":"string","format":"","description":"Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.","priority":0},{"name":"Age","type":"string","format":"","description":"CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata","priority":0}],"rows":[{"cells":["a",0,"75s"],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","namespace":"default","uid":"3d32d603-0615-464e-8bad-4e556615b6b5","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"tier":"x"}}}}]}

        {"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"6"},"columnDefinitions":[{"name":"Name","type":"string","format":"name","description":"Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names","priority":0},{"name":"Data","type":"string","format":"","description":"Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.","priority":0},{"name":"Age","type":"string","format":"","description":"CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata","priority":0}],"rows":[{"cells":["a",0,"75s"]}]}

        {"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"7"},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","namespace":"default","uid":"3d32d603-0615-464e-8bad-4e556615b6b5","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"tier":"x"},"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:tier":{}}}}}]}},{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"b","namespace":"default","uid":"19a9eaff-1a75-4d10-bdd2-bbc79a5b1657","resourceVersion":"7","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"tier":"y"},"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:tier":{}}}}}]}}]}

        {"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","namespace":"default","uid":"3d32d603-0615-464e-8bad-4e556615b6b5","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"tier":"x"},"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:tier":{}}}}}]}}

        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)","reason":"NotAcceptable","code":406}

        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)","reason":"NotAcceptable","code":406}

        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unable to convert to Table as requested: includeObject: Invalid value: \"Bad\": must be 'Metadata', 'Object', 'None', or empty","reason":"BadRequest","code":400}

        {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"only the following media types are accepted: application/json, application/yaml","reason":"NotAcceptable","code":406}

        {"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Nywic3RhcnQiOiJhXHUwMDAwIn0","remainingItemCount":1},"items":[{"metadata":{"name":"a","namespace":"default","uid":"3d32d603-0615-464e-8bad-4e556615b6b5","resourceVersion":"6","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"tier":"x"},"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:tier":{}}}}}]}}]}

    "#]].assert_eq(&out);
}

#[test]
fn discovery_and_health() {
    let mut w = World::new();
    let mut out = String::new();
    for path in [
        "/version",
        "/api",
        "/apis/apps",
        "/healthz",
        "/readyz?verbose",
        "/readyz/ping",
        "/livez/none",
        "/livez?verbose&exclude=etcd&exclude=x",
        "/apis/zebra",
        "/api/v2",
    ] {
        let r = w.json("GET", path, "");
        out.push_str(&format!("{path} {} {}\n", r.code, String::from_utf8_lossy(&r.body).trim_end()));
    }
    for accept in [
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json",
        "application/json",
    ] {
        let r = w.http("GET", "/apis", accept, "", "");
        let v: Value = serde_json::from_slice(&r.body).unwrap();
        out.push_str(&format!("{} {}\n", r.content_type, v["kind"]));
    }
    out.push_str(&format!("{}\n", w.line("POST", "/version", "")));
    expect![[r#"
        /version 200 {
          "buildDate": "2025-12-17T00:00:00Z",
          "compiler": "rustc",
          "emulationMajor": "1",
          "emulationMinor": "35",
          "gitCommit": "",
          "gitTreeState": "clean",
          "gitVersion": "v1.35.0",
          "goVersion": "",
          "major": "1",
          "minCompatibilityMajor": "1",
          "minCompatibilityMinor": "34",
          "minor": "35",
          "platform": "kubottle"
        }
        /api 200 {"kind":"APIVersions","serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"10.96.0.1:443"}],"versions":["v1"]}
        /apis/apps 200 {"apiVersion":"v1","kind":"APIGroup","name":"apps","preferredVersion":{"groupVersion":"apps/v1","version":"v1"},"versions":[{"groupVersion":"apps/v1","version":"v1"}]}
        /healthz 200 ok
        /readyz?verbose 200 [+]ping ok
        [+]log ok
        [+]etcd ok
        [+]etcd-readiness ok
        [+]informer-sync ok
        [+]poststarthook/start-apiextensions-controllers ok
        [+]poststarthook/start-system-namespaces-controller ok
        [+]poststarthook/rbac/bootstrap-roles ok
        [+]poststarthook/scheduling/bootstrap-system-priority-classes ok
        [+]poststarthook/priority-and-fairness-config-producer ok
        [+]poststarthook/bootstrap-controller ok
        [+]poststarthook/apiservice-status-remote-available-controller ok
        [+]poststarthook/apiservice-registration-controller ok
        [+]poststarthook/kube-apiserver-autoregistration ok
        [+]autoregister-completion ok
        [+]poststarthook/apiservice-openapi-controller ok
        [+]poststarthook/apiservice-openapiv3-controller ok
        [+]shutdown ok
        readyz check passed
        /readyz/ping 200 ok
        /livez/none 404 404 page not found
        /livez?verbose&exclude=etcd&exclude=x 200 [+]ping ok
        [+]log ok
        [+]etcd excluded: ok
        [+]poststarthook/start-apiextensions-controllers ok
        [+]poststarthook/start-system-namespaces-controller ok
        [+]poststarthook/rbac/bootstrap-roles ok
        [+]poststarthook/scheduling/bootstrap-system-priority-classes ok
        [+]poststarthook/priority-and-fairness-config-producer ok
        [+]poststarthook/bootstrap-controller ok
        [+]poststarthook/apiservice-status-remote-available-controller ok
        [+]poststarthook/apiservice-registration-controller ok
        [+]poststarthook/kube-apiserver-autoregistration ok
        [+]autoregister-completion ok
        [+]poststarthook/apiservice-openapi-controller ok
        [+]poststarthook/apiservice-openapiv3-controller ok
        warn: some health checks cannot be excluded: no matches for "x"
        livez check passed
        /apis/zebra 404 404 page not found
        /api/v2 404 404 page not found
        application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList "APIGroupDiscoveryList"
        application/json "APIGroupList"
        405 MethodNotAllowed: the server does not allow this method on the requested resource
    "#]].assert_eq(&out);
    let v = w.get("/api/v1");
    let maps = v["resources"].as_array().expect("a list").iter().find(|r| r["name"] == "configmaps").unwrap();
    expect![[r#"{"kind":"ConfigMap","name":"configmaps","namespaced":true,"shortNames":["cm"],"singularName":"configmap","storageVersionHash":"qFsyl6wFWjQ=","verbs":["create","delete","deletecollection","get","list","patch","update","watch"]}"#]].assert_eq(&maps.to_string());
}

#[test]
fn logs_name_their_container() {
    let mut w = World::new();
    let two = r#"{"metadata":{"name":"two"},"spec":{"containers":[{"name":"a","image":"i"},{"name":"b","image":"i"}],"initContainers":[{"name":"z","image":"i"}]}}"#;
    w.ok("POST", PODS, two);
    w.pod("one");
    let mut out = String::new();
    for (pod, container) in [("one", ""), ("two", ""), ("two", "b"), ("two", "q"), ("none", "")] {
        let mut req = World::request(apiserver::RequestVerb::Get, "Pod", "default", pod).subresource("log");
        req.options.log.container = container.into();
        out.push_str(&format!("{}\n", crate::world::outcome(&w.handle(req))));
    }
    expect![[r#"
        200 Logs { pod: default/one, options: LogOptions { container: "c", follow: false, previous: false, timestamps: false, tail_lines: None, since_seconds: None, since_time: None, limit_bytes: None } }
        400 BadRequest: a container name must be specified for pod two, choose one of: [z a b]
        200 Logs { pod: default/two, options: LogOptions { container: "b", follow: false, previous: false, timestamps: false, tail_lines: None, since_seconds: None, since_time: None, limit_bytes: None } }
        400 BadRequest: container q is not valid for pod two
        404 NotFound: pods "none" not found
    "#]].assert_eq(&out);
}

#[test]
fn pretty_is_indented() {
    let mut w = World::new();
    let (a, wants) = w.answer("GET", "/api/v1/namespaces/none?pretty=true", "", "", "");
    let r = http::render(&a, &wants, w.now);
    expect![[r#"
        {
          "kind": "Status",
          "apiVersion": "v1",
          "metadata": {},
          "status": "Failure",
          "message": "namespaces \"none\" not found",
          "reason": "NotFound",
          "details": {
            "name": "none",
            "kind": "namespaces"
          },
          "code": 404
        }"#]]
    .assert_eq(&String::from_utf8_lossy(&r.body));
}

/// Models `isPrettyPrint`: people's programs get what people can read, unless they say otherwise.
#[test]
fn answers_come_in_the_form_that_is_asked_for() {
    let mut w = World::new();
    w.ok("POST", "/api/v1/namespaces/default/configmaps", r#"{"metadata":{"name":"a"},"data":{"b":"1","a":"x: y"}}"#);
    let mut body = |query: &str, accept: &str, user_agent: &str| {
        let http = HttpRequest {
            accept,
            user_agent,
            ..HttpRequest::bare("GET", "/api/v1/namespaces/default/configmaps/a", query, User::admin())
        };
        let http::Routed::Api(request, wants) = http::route(w.server.kinds(), http) else { panic!("not an object") };
        let answer = w.handle(*request);
        let r = http::render(&answer, &wants, w.now);
        (r.content_type, String::from_utf8_lossy(&r.body).into_owned())
    };
    let (json, plain) = body("", "application/json", "kubectl/v1.35.0");
    assert_eq!(json, "application/json");
    assert!(plain.starts_with(r#"{"kind":"ConfigMap","apiVersion":"v1","#) && plain.ends_with("}\n"), "{plain}");
    let (_, pretty) = body("", "*/*", "curl/8.5.0");
    assert!(pretty.starts_with("{\n  \"kind\": \"ConfigMap\",\n") && pretty.ends_with("\n}"), "{pretty}");
    assert!(pretty.contains("\"a\": \"x: y\","), "{pretty}");
    assert_eq!(body("pretty=false", "*/*", "curl/8.5.0").1, plain);
    assert_eq!(body("pretty=1", "application/json", "kubectl").1, pretty);
    assert_eq!(body("", "application/json;pretty=1", "kubectl").1, pretty);
    let (kind, yaml) = body("", "application/yaml", "kubectl");
    assert_eq!(kind, "application/yaml");
    assert!(yaml.starts_with("apiVersion: v1\ndata:\n  a: \"x: y\"\n  b: \"1\"\nkind: ConfigMap\n"), "{yaml}");
}

/// go-restful has routes for the methods that verbs are made of, and HEAD is none of them.
#[test]
fn resources_have_no_head() {
    let mut w = World::new();
    for path in ["/api/v1/namespaces", "/api/v1/namespaces/default", "/apis/apps/v1/deployments"] {
        let r = w.http("HEAD", path, "", "", "");
        assert_eq!(r.code, 405, "{path}");
    }
    assert_eq!(w.http("HEAD", "/healthz", "", "", "").code, 200);
}
