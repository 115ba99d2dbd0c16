//! CustomResourceDefinitions over HTTP: what the server serves, refuses and stores.

use crate::world::{TABLE, World, summary};
use serde_json::{Value, json};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const OBJECTS: &str = "/apis/stable.example.com/v1/namespaces/default/crontabs";

fn version(name: &str, storage: bool) -> Value {
    json!({
        "name": name, "served": true, "storage": storage,
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "cronSpec": {"type": "string", "default": "5 0 * * *"},
                "replicas": {"type": "integer", "minimum": 1},
                "steps": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                          "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "run": {"type": "string"}}}},
            }},
            "status": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
        }}},
    })
}

fn definition(versions: &[Value]) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {"group": "stable.example.com", "scope": "Namespaced",
                 "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"]}, "versions": versions},
    })
}

/// A world in which the definition has been established, as the controllers do it.
fn established(versions: &[Value]) -> World {
    let mut w = World::new();
    w.ok("POST", DEFINITIONS, &definition(versions).to_string());
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let mut d = w.get(&path);
    d["status"]["acceptedNames"] = d["spec"]["names"].clone();
    d["status"]["conditions"] = json!([
        {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found", "lastTransitionTime": null},
        {"type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted", "lastTransitionTime": null}]);
    w.ok("PUT", &format!("{path}/status"), &d.to_string());
    w
}

fn object(spec: Value) -> String {
    json!({"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "a"}, "spec": spec})
        .to_string()
}

#[test]
fn a_kind_is_served_once_it_is_established() {
    let mut w = World::new();
    let made = w.ok("POST", DEFINITIONS, &definition(&[version("v1", true)]).to_string());
    assert_eq!(made["spec"]["names"]["singular"], "crontab");
    assert_eq!(made["spec"]["names"]["listKind"], "CronTabList");
    assert_eq!(made["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
    assert!(w.line("GET", OBJECTS, "").starts_with("404 NotFound"));

    let mut w = established(&[version("v1", true)]);
    let resources = w.get("/apis/stable.example.com/v1");
    let names: Vec<&str> =
        resources["resources"].as_array().expect("a list").iter().filter_map(|r| r["name"].as_str()).collect();
    assert_eq!(names, ["crontabs", "crontabs/scale", "crontabs/status"]);
    assert_eq!(w.line("GET", OBJECTS, ""), "200 CronTabList []");
    let made = w.ok("POST", OBJECTS, &object(json!({"replicas": 2})));
    assert_eq!(
        (&made["spec"], &made["metadata"]["generation"]),
        (&json!({"cronSpec": "5 0 * * *", "replicas": 2}), &json!(1))
    );
    let list = w.get(OBJECTS);
    assert_eq!((&list["kind"], &list["items"][0]["kind"]), (&json!("CronTabList"), &json!("CronTab")));
    let t: Value = serde_json::from_slice(&w.http("GET", OBJECTS, TABLE, "", "").body).expect("JSON");
    assert_eq!(t["rows"][0]["cells"], json!(["a", "0s"]));
}

#[test]
fn writes_follow_the_schema_and_the_subresources() {
    let mut w = established(&[version("v1", true)]);
    assert_eq!(
        w.line("POST", OBJECTS, &object(json!({"replicas": 0}))),
        "422 Invalid: CronTab.stable.example.com \"a\" is invalid: spec.replicas: Invalid value: 0: spec.replicas in body should \
         be greater than or equal to 1"
    );
    assert_eq!(
        w.line("POST", &format!("{OBJECTS}?fieldValidation=Strict"), &object(json!({"odd": 1}))),
        "400 BadRequest: CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown field \"spec.odd\""
    );
    w.ok("POST", OBJECTS, &object(json!({"replicas": 2, "odd": 1})));
    let one = format!("{OBJECTS}/a");
    let status = w.ok("PATCH", &format!("{one}/status"), r#"{"spec":{"replicas":9},"status":{"replicas":2}}"#);
    assert_eq!(
        (&status["spec"]["replicas"], &status["status"]["replicas"], &status["metadata"]["generation"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let main = w.ok("PATCH", &one, r#"{"spec":{"replicas":3},"status":{"replicas":7}}"#);
    assert_eq!(
        (&main["spec"]["replicas"], &main["status"]["replicas"], &main["metadata"]["generation"]),
        (&json!(3), &json!(2), &json!(2))
    );
    let scale = w.ok("PATCH", &format!("{one}/scale"), r#"{"spec":{"replicas":5}}"#);
    assert_eq!(
        (&scale["kind"], &scale["spec"]["replicas"], &scale["status"]["replicas"]),
        (&json!("Scale"), &json!(5), &json!(2))
    );
    let r = w.http("PATCH", &one, "application/json", "application/strategic-merge-patch+json", "{}");
    assert!(summary(&r).starts_with("415 UnsupportedMediaType"), "{}", summary(&r));
}

#[test]
fn an_apply_merges_lists_by_their_keys() {
    let mut w = established(&[version("v1", true)]);
    let mut apply = |who: &str, steps: Value| {
        let body = object(json!({"steps": steps}));
        let path = format!("{OBJECTS}/a?fieldManager={who}");
        let r = w.http("PATCH", &path, "application/json", "application/apply-patch+yaml", &body);
        (r.code, serde_json::from_slice::<Value>(&r.body).expect("JSON"))
    };
    assert_eq!(apply("one", json!([{"name": "build", "run": "make"}])).0, 201);
    let (code, both) = apply("two", json!([{"name": "test", "run": "make test"}]));
    assert_eq!((code, both["spec"]["steps"].as_array().map(Vec::len)), (200, Some(2)), "{both}");
    let (code, conflict) = apply("two", json!([{"name": "build", "run": "ninja"}]));
    assert_eq!(code, 409);
    let said = conflict["message"].as_str().unwrap_or("");
    assert!(said.contains("conflict with \"one\": .spec.steps[name=\"build\"].run"), "{said}");
}

#[test]
fn versions_show_the_same_objects() {
    let mut w = established(&[version("v1", true), version("v1beta1", false)]);
    w.ok("POST", OBJECTS, &object(json!({"replicas": 2})));
    let other = w.get("/apis/stable.example.com/v1beta1/namespaces/default/crontabs/a");
    assert_eq!((&other["apiVersion"], &other["spec"]["replicas"]), (&json!("stable.example.com/v1beta1"), &json!(2)));
    let group = w.get("/apis/stable.example.com");
    assert_eq!(group["preferredVersion"]["version"], "v1");
}

#[test]
fn a_versions_own_paths_count_for_its_scale_and_its_selectors() {
    let mut beta = version("v1beta1", false);
    let spec = &mut beta["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    spec["count"] = json!({"type": "integer"});
    beta["subresources"]["scale"]["specReplicasPath"] = ".spec.count".into();
    beta["selectableFields"] = json!([{"jsonPath": ".spec.count"}]);
    let mut v1 = version("v1", true);
    v1["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["count"] = json!({"type": "integer"});
    v1["selectableFields"] = json!([{"jsonPath": ".spec.replicas"}]);
    let mut w = established(&[v1, beta]);
    w.ok("POST", OBJECTS, &object(json!({"replicas": 2, "count": 7})));
    let older = OBJECTS.replace("/v1/", "/v1beta1/");
    assert_eq!(w.get(&format!("{OBJECTS}/a/scale"))["spec"]["replicas"], 2);
    let mut scale = w.get(&format!("{older}/a/scale"));
    assert_eq!(scale["spec"]["replicas"], 7);
    scale["spec"]["replicas"] = 8.into();
    assert_eq!(w.ok("PUT", &format!("{older}/a/scale"), &scale.to_string())["spec"]["replicas"], 8);
    let now = w.get(&format!("{OBJECTS}/a"));
    assert_eq!((&now["spec"]["replicas"], &now["spec"]["count"]), (&json!(2), &json!(8)));
    let found = |w: &mut World, path: &str| w.get(path)["items"].as_array().map_or(0, Vec::len);
    // It is stored in the other version now.
    assert_eq!(found(&mut w, &format!("{OBJECTS}?fieldSelector=spec.replicas%3D2")), 1);
    assert_eq!(found(&mut w, &format!("{older}?fieldSelector=spec.count%3D8")), 1);
    assert_eq!(found(&mut w, &format!("{older}?fieldSelector=spec.count%3D2")), 0);
}

#[test]
fn definitions_that_are_not_structural_are_refused() {
    let mut w = World::new();
    let mut v = version("v1", true);
    v["schema"]["openAPIV3Schema"]["properties"]["spec"] = json!({"properties": {
        "a": {"type": "strin"}, "b": {"type": "array"}, "c": {"type": "string", "pattern": "("},
        "e": {"type": "object", "x-kubernetes-validations": [{"rule": "other == 1"}]}}});
    let mut d = definition(&[v, version("v1", true)]);
    d["metadata"]["name"] = "wrong".into();
    d["spec"]["scope"] = "Everywhere".into();
    let said = w.line("POST", DEFINITIONS, &d.to_string());
    let at = "spec.versions[0].schema.openAPIV3Schema.properties[spec]";
    for want in [
        "metadata.name: Invalid value: \"wrong\": must be spec.names.plural+\".\"+spec.group".to_string(),
        "spec.scope: Unsupported value: \"Everywhere\": supported values: \"Cluster\", \"Namespaced\"".into(),
        format!("{at}.type: Required value: must not be empty for specified object fields"),
        format!("{at}.properties[a].type: Unsupported value: \"strin\": supported values: \"array\", \"boolean\""),
        format!("{at}.properties[b].items: Required value: must be specified"),
        format!("{at}.properties[c].pattern: Invalid value: \"(\": must be a valid regular expression"),
        "must contain unique version names".into(),
        "must have exactly one version marked as storage version".into(),
    ] {
        assert!(said.contains(&want), "{want}\n{said}");
    }
}

#[test]
fn what_alternatives_of_the_root_speak_of_is_specified() {
    let mut w = World::new();
    let mut v = version("v1", true);
    v["schema"]["openAPIV3Schema"]["anyOf"] =
        json!([{"properties": {"z": {"minLength": 1}, "spec": {"required": ["replicas"]}}}]);
    let at = "spec.versions[0].schema.openAPIV3Schema";
    assert_eq!(
        w.line("POST", DEFINITIONS, &definition(&[v]).to_string()),
        format!(
            "422 Invalid: CustomResourceDefinition.apiextensions.k8s.io \"crontabs.stable.example.com\" is invalid: \
             {at}.properties[z]: Required value: because it is defined in {at}.anyOf[0].properties[z]"
        )
    );
}

#[test]
fn custom_objects_are_selected_by_the_fields_that_their_definition_names() {
    let mut v = version("v1", true);
    v["selectableFields"] = json!([{"jsonPath": ".spec.cronSpec"}]);
    let mut w = established(&[v]);
    w.ok("POST", OBJECTS, &object(json!({"cronSpec": "x"})));
    let mut list = |selector: &str| w.line("GET", &format!("{OBJECTS}?fieldSelector={selector}"), "");
    assert_eq!(list("spec.cronSpec=x"), "200 CronTabList [a]");
    assert_eq!(list("spec.cronSpec=y"), "200 CronTabList []");
    assert_eq!(list("spec.replicas=1"), "400 BadRequest: field label not supported: spec.replicas");
}

/// What the API server says of the property `a`, below its path.
fn of_a_property(schema: Value) -> Vec<String> {
    let mut w = World::new();
    let mut v = version("v1", true);
    v["schema"]["openAPIV3Schema"]["properties"]["a"] = schema;
    let answer = w.json("POST", DEFINITIONS, &definition(&[v]).to_string());
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let causes = body["details"]["causes"].as_array().cloned().unwrap_or_default();
    let text = |v: &Value| v.as_str().unwrap_or("").to_string();
    let at = "spec.versions[0].schema.openAPIV3Schema.properties[a]";
    causes
        .iter()
        .map(|c| format!("{}: {}", text(&c["field"]).replace(at, "a"), text(&c["message"]).replace(at, "a")))
        .collect()
}

#[test]
fn alternatives_only_restrict() {
    let none: [&str; 0] = [];
    let either = json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]});
    assert_eq!(of_a_property(either), none);
    assert_eq!(of_a_property(json!({"type": "integer", "x-kubernetes-int-or-string": true})), none);
    assert_eq!(
        of_a_property(
            json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]})
        ),
        [
            "a.anyOf[0].type: Forbidden: must be empty to be structural",
            "a.anyOf[1].type: Forbidden: must be empty to be structural"
        ]
    );
    assert_eq!(
        of_a_property(json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true})),
        [
            "a.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true"
        ]
    );
    assert_eq!(
        of_a_property(json!({"type": "object", "anyOf": [{"properties": {"z": {"minLength": 1}, "metadata": {}}}]})),
        ["a.anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context",]
    );
    assert_eq!(
        of_a_property(json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}})),
        [
            "a.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set"
        ]
    );
    let embedded = json!({"x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
    assert_eq!(
        of_a_property(embedded),
        ["a.type: Required value: must be object if x-kubernetes-embedded-resource is true"]
    );
    let said = of_a_property(json!({"type": "integer", "default": "x"}));
    assert!(said.concat().starts_with("a.default: Invalid value: \"string\""), "{said:?}");
}

#[test]
fn a_definition_that_goes_takes_no_more_objects() {
    let mut w = established(&[version("v1", true)]);
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    w.ok("DELETE", &path, "");
    let d = w.get(&path);
    assert_eq!(d["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    assert_eq!(d["status"]["conditions"][2]["reason"], "InstanceDeletionPending");
    assert_eq!(
        w.line("POST", OBJECTS, &object(json!({}))),
        "405 MethodNotAllowed: create not allowed while custom resource definition is terminating"
    );
    w.ok("PATCH", &format!("{path}/status"), r#"{"status":{"observedGeneration":1}}"#);
    w.ok("PATCH", &path, r#"{"metadata":{"finalizers":null}}"#);
    assert!(w.line("GET", OBJECTS, "").starts_with("404 NotFound"));
}

#[test]
fn what_a_webhook_has_to_convert_is_told() {
    let mut w = established(&[version("v1", true), version("v1beta1", false)]);
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let webhook = json!({"clientConfig": {"service": {"namespace": "x", "name": "converter", "path": "/convert"}},
                         "conversionReviewVersions": ["v1"]});
    for (conversion, why) in [
        (
            json!({"strategy": "Webhook"}),
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        ),
        (
            json!({"strategy": "None", "webhook": webhook}),
            "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook",
        ),
        (
            json!({"strategy": "Webhook", "webhook": {"clientConfig": {}, "conversionReviewVersions": ["v7"]}}),
            "spec.conversion.conversionReviewVersions: Invalid value: [\"v7\"]: must include at least one of v1, v1beta1",
        ),
    ] {
        let mut d = w.get(&path);
        d["spec"]["conversion"] = conversion;
        let said = w.line("PUT", &path, &d.to_string());
        assert!(said.contains(why), "{said}");
    }
    let mut d = w.get(&path);
    d["spec"]["conversion"] = json!({"strategy": "Webhook", "webhook": webhook});
    w.ok("PUT", &path, &d.to_string());
    w.ok("POST", OBJECTS, &object(json!({"replicas": 2})));
    assert_eq!(w.get(&format!("{OBJECTS}/a"))["spec"]["replicas"], 2);
    let said = w.line("GET", &OBJECTS.replace("v1/", "v1beta1/"), "");
    assert_eq!(
        said,
        "500 : conversion webhook for stable.example.com/v1, Kind=CronTab failed: \
         Post \"https://converter.x.svc:443/convert?timeout=30s\": service \"converter\" not found"
    );
}

#[test]
fn a_group_of_a_server_that_is_away_is_listed_and_not_served() {
    let mut w = World::new();
    let services = "/apis/apiregistration.k8s.io/v1/apiservices";
    let spec = json!({"group": "wardle.example.com", "version": "v1alpha1", "groupPriorityMinimum": 1000, "versionPriority": 15,
                      "insecureSkipTLSVerify": true, "service": {"namespace": "wardle", "name": "api"}});
    let service = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                         "metadata": {"name": "v1alpha1.wardle.example.com"}, "spec": spec});
    w.ok("POST", services, &service.to_string());
    let group = w.get("/apis/wardle.example.com");
    assert_eq!(group["preferredVersion"]["groupVersion"], "wardle.example.com/v1alpha1");
    for path in ["/apis/wardle.example.com/v1alpha1", "/apis/wardle.example.com/v1alpha1/flunders"] {
        let r = w.http("GET", path, "", "", "");
        assert_eq!((r.code, r.body), (503, b"service unavailable\n".to_vec()));
    }
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let all: Value = serde_json::from_slice(&w.http("GET", "/apis", accept, "", "").body).unwrap();
    let found =
        all["items"].as_array().unwrap().iter().find(|g| g["metadata"]["name"] == "wardle.example.com").unwrap();
    assert_eq!(found["versions"], json!([{"version": "v1alpha1", "freshness": "Stale"}]));
    w.ok("DELETE", &format!("{services}/v1alpha1.wardle.example.com"), "");
    assert!(w.line("GET", "/apis/wardle.example.com/v1alpha1", "").starts_with("404"));
}

#[test]
fn a_status_that_nobody_wrote_has_its_defaults() {
    let mut v1 = version("v1", true);
    let status =
        json!({"type": "object", "default": {"phase": "Unknown"}, "properties": {"phase": {"type": "string"}}});
    v1["schema"]["openAPIV3Schema"]["properties"]["status"] = status;
    v1["subresources"] = json!({"status": {}});
    let mut w = established(&[v1]);
    let mut given: Value = serde_json::from_str(&object(json!({}))).expect("JSON");
    given["status"] = json!({"phase": "Mine"});
    let made = w.ok("POST", OBJECTS, &given.to_string());
    assert_eq!(made["status"], json!({"phase": "Unknown"}), "what is not the client's to say is dropped before");
    assert_eq!(w.get(&format!("{OBJECTS}/a"))["status"], json!({"phase": "Unknown"}));
    let mut again = w.get(&format!("{OBJECTS}/a"));
    again.as_object_mut().expect("a map").remove("status");
    let written = w.ok("PUT", &format!("{OBJECTS}/a/status"), &again.to_string());
    assert_eq!(written["status"], json!({"phase": "Unknown"}));
}

#[test]
fn objects_say_themselves_what_they_are() {
    let mut w = established(&[version("v1", true)]);
    let mut said = String::new();
    let mut send = |method: &str, path: &str, body: Value| {
        said.push_str(&w.line(method, path, &body.to_string()));
        said.push('\n');
    };
    let one =
        |api_version: &str, kind: &str| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}});
    send("POST", OBJECTS, json!({"apiVersion": "stable.example.com/v1", "metadata": {"name": "a"}}));
    send("POST", OBJECTS, json!({"kind": "CronTab", "metadata": {"name": "a"}}));
    send("POST", OBJECTS, one("stable.example.com/v2", "CronTab"));
    send("POST", OBJECTS, one("other.example.com/v1", "Other"));
    send("POST", OBJECTS, one("stable.example.com/v1", "Bar"));
    send("POST", OBJECTS, one("stable.example.com/v1", "CronTab"));
    let path = format!("{OBJECTS}/a");
    send("PUT", &path, one("stable.example.com/v3", "CronTab"));
    send("PUT", &path, one("stable.example.com/v1", "Bar"));
    send("PATCH", &path, json!({"kind": "Bar", "apiVersion": "stable.example.com/v3"}));
    expect_test::expect![[r#"
        400 BadRequest: CronTab in version "v1" cannot be handled as a CronTab: Object 'Kind' is missing in '{"apiVersion":"stable.example.com/v1","metadata":{"name":"a"}}'
        400 BadRequest: the API version in the data () does not match the expected API version (stable.example.com/v1)
        400 BadRequest: the API version in the data (stable.example.com/v2) does not match the expected API version (stable.example.com/v1)
        400 BadRequest: the API version in the data (other.example.com/v1) does not match the expected API version (stable.example.com/v1)
        422 Invalid: Bar.stable.example.com "a" is invalid: kind: Invalid value: "Bar": must be CronTab
        201 CronTab a
        400 BadRequest: the API version in the data (stable.example.com/v3) does not match the expected API version (stable.example.com/v1)
        422 Invalid: Bar.stable.example.com "a" is invalid: kind: Invalid value: "Bar": must be CronTab
        422 Invalid: Bar.stable.example.com "a" is invalid: [kind: Invalid value: "Bar": must be CronTab, apiVersion: Invalid value: "stable.example.com/v3": must be stable.example.com/v1]
    "#]]
    .assert_eq(&said);
}
