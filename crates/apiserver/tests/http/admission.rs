//! Admission plugins. Cases modelled on upstream's tests under `plugin/pkg/admission`.

use crate::world::{World, summary};
use expect_test::expect;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn create(w: &mut World, metadata: Value, spec: Value) -> (String, Value) {
    let mut spec = spec;
    spec["containers"] = json!([{ "name": "c", "image": "nginx" }]);
    let r = w.json("POST", PODS, &json!({ "metadata": metadata, "spec": spec }).to_string());
    (summary(&r), serde_json::from_slice(&r.body).expect("JSON"))
}

#[test]
fn service_accounts() {
    let mut w = World::new();
    let (_, pod) = create(&mut w, json!({ "name": "a" }), json!({}));
    let s = &pod["spec"];
    let mut out = format!(
        "{} {}\n{}\n{}\n",
        s["serviceAccountName"], s["serviceAccount"], s["containers"][0]["volumeMounts"], s["volumes"]
    );
    for (metadata, spec) in [
        (json!({ "name": "b" }), json!({ "serviceAccountName": "ghost" })),
        (json!({ "generateName": "web-" }), json!({ "serviceAccountName": "ghost" })),
    ] {
        out.push_str(&format!("{}\n", create(&mut w, metadata, spec).0));
    }
    let (_, pod) = create(&mut w, json!({ "name": "c" }), json!({ "automountServiceAccountToken": false }));
    out.push_str(&format!("{}\n", pod["spec"]["volumes"]));
    let account =
        r#"{"metadata":{"name":"pull"},"imagePullSecrets":[{"name":"key"}],"automountServiceAccountToken":false}"#;
    w.ok("POST", "/api/v1/namespaces/default/serviceaccounts", account);
    let (_, pod) = create(&mut w, json!({ "name": "d" }), json!({ "serviceAccountName": "pull" }));
    out.push_str(&format!("{} {}\n", pod["spec"]["imagePullSecrets"], pod["spec"]["volumes"]));
    expect![[r#"
        "default" "default"
        [{"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-bjnsd","readOnly":true}]
        [{"name":"kube-api-access-bjnsd","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}},{"downwardAPI":{"items":[{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"},"path":"namespace"}]}}]}}]
        403 Forbidden: pods "b" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found
        403 Forbidden: pods "web-" is forbidden: error looking up service account default/ghost: serviceaccount "ghost" not found
        null
        [{"name":"key"}] null
    "#]].assert_eq(&out);
}

const CLASSES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";

#[test]
fn a_default_service_account_that_is_about_to_be_made_counts_as_made() {
    let mut w = World::new();
    w.ok("POST", "/api/v1/namespaces", r#"{"metadata":{"name":"young"}}"#);
    let pod = r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}"#;
    let ghost =
        r#"{"metadata":{"name":"g"},"spec":{"serviceAccountName":"ghost","containers":[{"name":"c","image":"i"}]}}"#;
    let mut out = String::new();
    for come in [false, true] {
        w.accounts_come = come;
        for body in [pod, ghost] {
            let (answer, _) = w.answer("POST", "/api/v1/namespaces/young/pods", "", "application/json", body);
            out.push_str(&format!("{come} {}\n", answer.code));
        }
    }
    expect![[r#"
        false 403
        false 403
        true 201
        true 403
    "#]]
    .assert_eq(&out);
}

#[test]
fn priorities() {
    let mut w = World::new();
    let mut out = String::new();
    for class in api::kinds::priorityclass::system() {
        w.ok("POST", CLASSES, &String::from_utf8_lossy(&api::Object::to_json(&class)));
    }
    for (i, spec) in [
        json!({}),
        json!({ "priorityClassName": "system-node-critical" }),
        json!({ "priorityClassName": "gold" }),
        json!({ "priority": 5 }),
        json!({ "priority": 0, "preemptionPolicy": "Never" }),
    ]
    .into_iter()
    .enumerate()
    {
        let (line, pod) = create(&mut w, json!({ "name": format!("p{i}") }), spec);
        out.push_str(&format!("{line} {} {}\n", pod["spec"]["priority"], pod["spec"]["preemptionPolicy"]));
    }
    expect![[r#"
        201 Pod p0 0 "PreemptLowerPriority"
        201 Pod p1 2000001000 "PreemptLowerPriority"
        403 Forbidden: pods "p2" is forbidden: no PriorityClass with name gold was found null null
        403 Forbidden: pods "p3" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name null null
        403 Forbidden: pods "p4" is forbidden: the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name null null
    "#]].assert_eq(&out);
}

#[test]
fn priority_classes() {
    let mut w = World::new();
    let class = |name: &str, more: &str| format!(r#"{{"metadata":{{"name":"{name}"}},{more}}}"#);
    let mut out = String::new();
    for body in [
        class("bronze", r#""value":100,"globalDefault":true,"preemptionPolicy":"Never""#),
        class("silver", r#""value":200,"globalDefault":true"#),
        class("system-mine", r#""value":1"#),
        class("system-node-critical", r#""value":1"#),
        class("mega", r#""value":1000000001"#),
        class("system-node-critical", r#""value":2000001000"#),
    ] {
        let answer = w.json("POST", CLASSES, &body);
        out.push_str(&format!("{}\n", summary(&answer)));
    }
    let bronze = format!("{CLASSES}/bronze");
    let answer = w.json("PUT", &bronze, &class("bronze", r#""value":101,"globalDefault":true"#));
    out.push_str(&format!("{}\n", summary(&answer)));
    let answer = w.json("DELETE", &format!("{CLASSES}/system-node-critical"), "");
    out.push_str(&format!("{}\n", summary(&answer)));
    let (_, pod) = create(&mut w, json!({ "name": "a" }), json!({}));
    let spec = &pod["spec"];
    out.push_str(&format!("{} {} {}\n", spec["priorityClassName"], spec["priority"], spec["preemptionPolicy"]));
    expect![[r#"
        201 PriorityClass bronze
        403 Forbidden: priorityclasses.scheduling.k8s.io "silver" is forbidden: PriorityClass bronze is already marked as default. Only one default can exist
        422 Invalid: PriorityClass.scheduling.k8s.io "system-mine" is invalid: metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class
        422 Invalid: PriorityClass.scheduling.k8s.io "system-node-critical" is invalid: metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000
        422 Invalid: PriorityClass.scheduling.k8s.io "mega" is invalid: value: Forbidden: maximum allowed value of a user defined priority is 1000000000
        201 PriorityClass system-node-critical
        422 Invalid: PriorityClass.scheduling.k8s.io "bronze" is invalid: [value: Forbidden: may not be changed in an update., preemptionPolicy: Invalid value: "PreemptLowerPriority": field is immutable]
        403 Forbidden: priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted
        "bronze" 100 "Never"
    "#]].assert_eq(&out);
}

#[test]
fn claims_and_volumes() {
    let mut w = World::new();
    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    let claim = |name: &str, spec: &str| {
        let size = r#""resources":{"requests":{"storage":"1Gi"}}"#;
        format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{{"accessModes":["ReadWriteOnce"],{size}{spec}}}}}"#)
    };
    let mut out = String::new();
    let mut add = |w: &mut World, name: &str, spec: &str| {
        let c = w.ok("POST", claims, &claim(name, spec));
        let (m, s) = (&c["metadata"], &c["spec"]);
        out.push_str(&format!("{name} {} {} {}\n", s["storageClassName"], m["finalizers"], c["status"]));
    };
    add(&mut w, "none", "");
    for (name, default, expand) in [("slow", "true", "false"), ("fast", "false", "true")] {
        let annotations = format!(r#"{{"storageclass.kubernetes.io/is-default-class":"{default}"}}"#);
        let body = format!(
            r#"{{"metadata":{{"name":"{name}","annotations":{annotations}}},"provisioner":"x.y/z","allowVolumeExpansion":{expand}}}"#
        );
        w.ok("POST", "/apis/storage.k8s.io/v1/storageclasses", &body);
    }
    add(&mut w, "default", "");
    add(&mut w, "empty", r#","storageClassName":"""#);
    add(&mut w, "fast", r#","storageClassName":"fast""#);
    let grow = r#"{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}"#;
    out.push_str(&format!("{}\n", w.line("PATCH", &format!("{claims}/fast"), grow)));
    for name in ["fast", "default"] {
        w.ok("PATCH", &format!("{claims}/{name}/status"), r#"{"status":{"phase":"Bound"}}"#);
        out.push_str(&format!("{}\n", w.line("PATCH", &format!("{claims}/{name}"), grow)));
    }
    expect![[r#"
        none null ["kubernetes.io/pvc-protection"] {"phase":"Pending"}
        default "slow" ["kubernetes.io/pvc-protection"] {"phase":"Pending"}
        empty "" ["kubernetes.io/pvc-protection"] {"phase":"Pending"}
        fast "fast" ["kubernetes.io/pvc-protection"] {"phase":"Pending"}
        403 Forbidden: persistentvolumeclaims "fast" is forbidden: Only bound persistent volume claims can be expanded
        200 PersistentVolumeClaim fast
        403 Forbidden: persistentvolumeclaims "default" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize
    "#]].assert_eq(&out);
}

#[test]
fn tolerations_and_taints() {
    let mut w = World::new();
    let (_, pod) = create(&mut w, json!({ "name": "a" }), json!({}));
    let mut out = format!("{}\n", pod["spec"]["tolerations"]);
    let own = json!({ "tolerations": [{ "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5 }] });
    let (_, pod) = create(&mut w, json!({ "name": "b" }), own);
    let seconds: Vec<&Value> =
        pod["spec"]["tolerations"].as_array().expect("JSON").iter().map(|t| &t["tolerationSeconds"]).collect();
    out.push_str(&format!("{seconds:?}\n"));
    let (_, pod) = create(&mut w, json!({ "name": "c" }), json!({ "tolerations": [{ "operator": "Exists" }] }));
    out.push_str(&format!("{}\n", pod["spec"]["tolerations"]));
    let node = w.ok("POST", "/api/v1/nodes", r#"{"metadata":{"name":"n1"}}"#);
    out.push_str(&format!("{}\n", node["spec"]["taints"]));
    expect![[r#"
        [{"effect":"NoExecute","key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":300},{"effect":"NoExecute","key":"node.kubernetes.io/unreachable","operator":"Exists","tolerationSeconds":300}]
        [Number(5), Number(300)]
        [{"operator":"Exists"}]
        [{"effect":"NoSchedule","key":"node.kubernetes.io/not-ready"}]
    "#]].assert_eq(&out);
}
