//! LimitRanger, ResourceQuota and PodSecurity.

use crate::world::{World, summary};
use expect_test::expect;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";

fn pod(name: &str, resources: Value) -> String {
    json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}})
        .to_string()
}

#[test]
fn limit_ranges_fill_in_and_refuse() {
    let mut w = World::new();
    let range = json!({"metadata": {"name": "r"}, "spec": {"limits": [
        {"type": "Container", "default": {"cpu": "500m"}, "defaultRequest": {"cpu": "200m"}, "max": {"cpu": "1"},
         "min": {"cpu": "100m"}, "maxLimitRequestRatio": {"cpu": "4"}},
        {"type": "Pod", "max": {"memory": "1Gi"}},
        {"type": "PersistentVolumeClaim", "max": {"storage": "2Gi"}, "min": {"storage": "1Gi"}}]}});
    w.ok("POST", "/api/v1/namespaces/default/limitranges", &range.to_string());
    let memory = json!({"requests": {"memory": "100Mi"}, "limits": {"memory": "100Mi"}});
    let made = w.ok("POST", PODS, &pod("a", memory.clone()));
    expect![[r#"{"limits":{"cpu":"500m","memory":"100Mi"},"requests":{"cpu":"200m","memory":"100Mi"}} "LimitRanger plugin set: cpu request for container c; cpu limit for container c""#]]
        .assert_eq(&format!("{} {}", made["spec"]["containers"][0]["resources"], made["metadata"]["annotations"]["kubernetes.io/limit-ranger"]));
    let mut with = |cpu: Value| {
        let mut resources = memory.clone();
        for k in ["requests", "limits"] {
            if let Some(q) = cpu.get(k) {
                resources[k]["cpu"] = q.clone();
            }
        }
        w.line("POST", PODS, &pod("b", resources))
    };
    let got = [
        with(json!({"requests": "50m"})),
        with(json!({"limits": "2"})),
        with(json!({"requests": "100m", "limits": "1"})),
        w.line("POST", PODS, &pod("b", json!({}))),
        w.line("POST", PODS, &pod("b", json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}))),
        w.line(
            "POST",
            "/api/v1/namespaces/default/persistentvolumeclaims",
            &json!({"metadata": {"name": "big"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}})
            .to_string(),
        ),
    ];
    expect![[r#"
        403 Forbidden: pods "b" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000]
        403 Forbidden: pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2
        403 Forbidden: pods "b" is forbidden: cpu max limit to request ratio per Container is 4, but provided ratio is 10.000000
        403 Forbidden: pods "b" is forbidden: maximum memory usage per Pod is 1Gi.  No limit is specified
        403 Forbidden: pods "b" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 2Gi
        403 Forbidden: persistentvolumeclaims "big" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi"#]].assert_eq(&got.join("\n"));
}

#[test]
fn quotas_are_charged_and_not_exceeded() {
    let mut w = World::new();
    let quotas = "/api/v1/namespaces/default/resourcequotas";
    let hard = json!({"pods": "2", "requests.cpu": "1", "count/configmaps": "1", "services.nodeports": "1"});
    w.ok("POST", quotas, &json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}).to_string());
    let best = json!({"metadata": {"name": "best"}, "spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}});
    w.ok("POST", quotas, &best.to_string());
    let cpu = |q: &str| json!({"requests": {"cpu": q}});
    // Before the controller has counted nothing is known, and a quota that has no status yet limits nothing.
    assert_eq!(w.line("POST", PODS, &pod("early", cpu("100m"))), "201 Pod early");
    let status = |w: &mut World, name: &str, hard: &Value, used: &Value| {
        let body = json!({"metadata": {"name": name}, "status": {"hard": hard, "used": used}});
        w.ok("PUT", &format!("{quotas}/{name}/status"), &body.to_string());
    };
    status(
        &mut w,
        "q",
        &hard,
        &json!({"pods": "1", "requests.cpu": "100m", "count/configmaps": "0", "services.nodeports": "0"}),
    );
    status(&mut w, "best", &json!({"pods": "1"}), &json!({"pods": "0"}));
    let map = |name: &str| json!({"metadata": {"name": name}}).to_string();
    let maps = "/api/v1/namespaces/default/configmaps";
    let service = json!({"metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}});
    let got = [
        w.line("POST", PODS, &pod("silent", json!({}))),
        w.line("POST", PODS, &pod("big", cpu("1"))),
        w.line("POST", &format!("{PODS}?dryRun=All"), &pod("a", cpu("500m"))),
        w.line("POST", PODS, &pod("a", cpu("500m"))),
        w.line("POST", PODS, &pod("b", cpu("100m"))),
        w.line("POST", maps, &map("one")),
        w.line("POST", maps, &map("two")),
        w.line("POST", "/api/v1/namespaces/default/services", &service.to_string()),
    ];
    expect![[r#"
        403 Forbidden: pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: c
        403 Forbidden: pods "big" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=100m, limited: requests.cpu=1
        201 Pod a
        201 Pod a
        403 Forbidden: pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2
        201 ConfigMap one
        403 Forbidden: configmaps "two" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1
        403 Forbidden: services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1"#]].assert_eq(&got.join("\n"));
    let used = w.get(&format!("{quotas}/q"))["status"]["used"].clone();
    expect![[r#"{"count/configmaps":"1","pods":"2","requests.cpu":"600m","services.nodeports":"0"}"#]]
        .assert_eq(&used.to_string());
    let table = w.http("GET", quotas, crate::world::TABLE, "", "");
    let table: Value = serde_json::from_slice(&table.body).unwrap_or_default();
    let row = |i: usize| table["rows"][i]["cells"].to_string();
    expect![[r#"
        ["best","pods: 0/1","","0s"]
        ["q","count/configmaps: 1/1, pods: 2/2, requests.cpu: 600m/1, services.nodeports: 0/1","","0s"]"#]]
    .assert_eq(&format!("{}\n{}", row(0), row(1)));
    let bad = json!({"metadata": {"name": "bad"}, "spec": {"hard": {"chairs": "1", "pods": "-1", "secrets": "500m"},
        "scopes": ["BestEffort", "NotBestEffort"]}});
    expect![[r#"422 Invalid: ResourceQuota "bad" is invalid: [spec.hard[chairs]: Invalid value: "chairs": must be a standard resource type or fully qualified, spec.hard[chairs]: Invalid value: "chairs": must be a standard resource for quota, spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0, spec.hard[secrets]: Invalid value: "500m": must be an integer, spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource, spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes]"#]].assert_eq(&w.line("POST", quotas, &bad.to_string()));
}

fn label(w: &mut World, labels: &Value) -> String {
    let patch = json!({"metadata": {"labels": labels}});
    let r = w.json("PATCH", "/api/v1/namespaces/default", &patch.to_string());
    summary(&r)
}

/// Passes the restricted level.
fn hardened() -> Value {
    json!({"metadata": {"name": "ok"}, "spec": {
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "c", "image": "i", "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}})
}

#[test]
fn pod_security_standards() {
    let mut w = World::new();
    w.pod("web");
    let enforce = |level: &str| json!({"pod-security.kubernetes.io/enforce": level});
    let got = [
        label(&mut w, &enforce("strict")),
        label(&mut w, &json!({"pod-security.kubernetes.io/enforce-version": "1.30"})),
        label(&mut w, &enforce("restricted")),
    ];
    expect![[r#"
        422 Invalid: Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted
        422 Invalid: Namespace "default" is invalid: metadata.labels[pod-security.kubernetes.io/enforce-version]: Invalid value: "1.30": must be "latest" or "v1.x"
        200 Namespace default
          warning 299 - "existing pods in namespace \"default\" violate the new PodSecurity enforce level \"restricted:latest\""
          warning 299 - "web: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile""#]].assert_eq(&got.join("\n"));
    assert_eq!(w.line("POST", PODS, &hardened().to_string()), "201 Pod ok");
    let mut refused = |change: &dyn Fn(&mut Value)| {
        let mut pod = hardened();
        pod["metadata"]["name"] = "bad".into();
        change(&mut pod);
        w.line("POST", PODS, &pod.to_string())
    };
    let container =
        |p: &mut Value, field: &str, value: Value| p["spec"]["containers"][0]["securityContext"][field] = value;
    let got = [
        refused(&|p| p["spec"]["hostNetwork"] = true.into()),
        refused(&|p| container(p, "privileged", true.into())),
        refused(&|p| container(p, "capabilities", json!({"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SYS_ADMIN"]}))),
        refused(&|p| container(p, "capabilities", json!({"add": ["CHOWN"]}))),
        refused(&|p| container(p, "runAsNonRoot", false.into())),
        refused(&|p| container(p, "runAsUser", 0.into())),
        refused(&|p| container(p, "seccompProfile", json!({"type": "Unconfined"}))),
        refused(&|p| container(p, "seLinuxOptions", json!({"type": "spc_t", "user": "u", "role": "r"}))),
        refused(&|p| container(p, "procMount", "Unmasked".into())),
        refused(&|p| container(p, "appArmorProfile", json!({"type": "Unconfined"}))),
        refused(&|p| p["spec"]["volumes"] = json!([{"name": "v", "hostPath": {"path": "/"}}])),
        refused(&|p| p["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 8080}])),
        refused(&|p| p["spec"]["securityContext"]["sysctls"] = json!([{"name": "kernel.msgmax", "value": "1"}])),
        refused(&|p| {
            p["spec"]["containers"][0]["livenessProbe"] = json!({"httpGet": {"port": 80, "host": "example.com"}})
        }),
    ];
    expect![[r#"
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostNetwork=true)
        422 Invalid: Pod "bad" is invalid: spec.containers[0].securityContext: Invalid value: {"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"privileged":true}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities (container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add)
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": runAsUser=0 (container "c" must not set runAsUser=0)
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)
        422 Invalid: Pod "bad" is invalid: spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": restricted volume types (volume "v" uses restricted volume type "hostPath")
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": hostPort (container "c" uses hostPort 8080)
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": forbidden sysctls (kernel.msgmax)
        403 Forbidden: pods "bad" is forbidden: violates PodSecurity "restricted:latest": probe or lifecycle host (container "c" uses probe or lifecycle host "example.com")"#]].assert_eq(&got.join("\n"));
    // Of an old version an older standard; warnings instead of refusals.
    let labels = json!({"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/enforce-version": "v1.21",
                        "pod-security.kubernetes.io/warn": "restricted", "pod-security.kubernetes.io/warn-version": "v1.21"});
    label(&mut w, &labels);
    let plain = json!({"metadata": {"name": "plain"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    expect![[r#"
        201 Pod plain
          warning 299 - "would violate PodSecurity \"restricted:v1.21\": allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")""#]].assert_eq(&w.line("POST", PODS, &plain.to_string()));
}

#[test]
fn devices_are_counted_by_class_at_their_worst() {
    let mut w = World::new();
    let quotas = "/api/v1/namespaces/default/resourcequotas";
    let gold = "gold.deviceclass.resource.k8s.io/devices";
    let hard = json!({gold: "34", "count/resourceclaims.resource.k8s.io": "3"});
    let zero = json!({gold: "0", "count/resourceclaims.resource.k8s.io": "0"});
    w.ok("POST", quotas, &json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}).to_string());
    let status = json!({"metadata": {"name": "q"}, "status": {"hard": hard, "used": zero}});
    w.ok("PUT", &format!("{quotas}/q/status"), &status.to_string());
    let mut claim = |name: &str, request: Value| {
        let body = json!({"metadata": {"name": name}, "spec": {"devices": {"requests": [request]}}});
        w.line("POST", "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims", &body.to_string())
    };
    let all = json!({"name": "r", "exactly": {"deviceClassName": "gold", "allocationMode": "All"}});
    let got = [
        claim("two", json!({"name": "r", "exactly": {"deviceClassName": "gold", "count": 2}})),
        claim("others", json!({"name": "r", "exactly": {"deviceClassName": "silver", "count": 9}})),
        claim(
            "alternatives",
            json!({"name": "r", "firstAvailable": [
                {"name": "a", "deviceClassName": "gold", "allocationMode": "All"},
                {"name": "b", "deviceClassName": "gold", "count": 3}]}),
        ),
        claim("all", all),
    ];
    expect![[r#"
        201 ResourceClaim two
        201 ResourceClaim others
        201 ResourceClaim alternatives
        403 Forbidden: resourceclaims.resource.k8s.io "all" is forbidden: exceeded quota: q, requested: count/resourceclaims.resource.k8s.io=1,gold.deviceclass.resource.k8s.io/devices=32, used: count/resourceclaims.resource.k8s.io=3,gold.deviceclass.resource.k8s.io/devices=34, limited: count/resourceclaims.resource.k8s.io=3,gold.deviceclass.resource.k8s.io/devices=34"#]].assert_eq(&got.join("\n"));
}
