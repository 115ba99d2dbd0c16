//! What events and logs say, and what they say when there is nothing to say.

use system_tests::Server;

#[test]
fn many_similar_events_are_combined_and_stay_in_order() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.k("create deployment web --image=nginx --replicas=12");
    s.k("rollout status deployment/web --timeout=60s");
    let rs = s.k("describe rs -l app=web");
    let lines: Vec<&str> = rs.lines().filter(|l| l.contains("SuccessfulCreate")).collect();
    assert_eq!(lines.len(), 10, "{rs}");
    assert!(
        lines[9].contains("(x3 over ") && lines[9].contains("(combined from similar events): Created pod: "),
        "{rs}"
    );
    let pods = s.k("get pods -o name");
    let pod = s.k(&format!("describe {}", pods.lines().next().unwrap_or_default()));
    let at = |reason: &str| pod.find(&format!("Normal  {reason}")).unwrap_or_else(|| panic!("no {reason} in\n{pod}"));
    let order = ["Scheduled", "Pull", "Created", "Started"].map(at);
    assert!(order.is_sorted(), "{pod}");
    // The scheduler writes by events.k8s.io.
    let fields = "get events --field-selector reason=Scheduled -o jsonpath={.items[0].action}{.items[0].source}";
    assert_eq!(s.k(fields), "Binding{}");
}

#[test]
fn logs_of_what_has_not_started() {
    let Some(s) = Server::start(&["--speed", "10"]) else { return };
    s.apply("pod-too-big.yaml");
    s.until("get pod too-big", |o| o.contains("Pending"));
    assert_eq!(s.k("logs too-big"), "");

    s.k("run typo --image=ngnix");
    s.until("get pod typo", |o| o.contains("ImagePullBackOff"));
    let why = "container \"typo\" in pod \"typo\" is waiting to start: trying and failing to pull image";
    assert_eq!(s.kubectl(&["logs", "typo"]).bad(), format!("Error from server (BadRequest): {why}\n"));
    s.k("run ok --image=nginx");
    s.k("wait --for=condition=Ready pod/ok --timeout=60s");
    let none = "previous terminated container \"ok\" in pod \"ok\" not found";
    assert_eq!(s.kubectl(&["logs", "-p", "ok"]).bad(), format!("Error from server (BadRequest): {none}\n"));
}

#[test]
fn a_volume_that_is_missing_is_tried_again_and_found() {
    let Some(s) = Server::start(&[]) else { return };
    let volumes = r#"--overrides={"spec":{"containers":[{"name":"waits","image":"nginx","volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v","configMap":{"name":"later","items":[{"key":"a","path":"b"}]}}]}}"#;
    s.kubectl(&["run", "waits", "--image=nginx", volumes]).good();
    let missing = "MountVolume.SetUp failed for volume \"v\" : configmap \"later\" not found";
    // Half a second, a second, two.
    s.until("describe pod waits", |o| o.contains(missing) && o.contains("(x3 over "));
    s.k("create configmap later --from-literal=other=1");
    s.until("describe pod waits", |o| o.contains("configmap references non-existent config key: a"));
    s.kubectl(&["patch", "configmap", "later", "-p", r#"{"data":{"a":"1"}}"#]).good();
    s.k("wait --for=condition=Ready pod/waits --timeout=60s");
}

/// The tutorial "Updating configuration via a ConfigMap", and labels through the downward API.
#[test]
fn running_pods_see_new_files() {
    let Some(s) = Server::start(&["--speed", "20"]) else { return };
    s.apply("configmap-update.yaml");
    s.k("wait --for=condition=Ready pod/sees-it --timeout=60s");
    s.until("logs sees-it", |o| o.contains("My preferred sport is football"));
    s.kubectl(&["patch", "configmap", "sport", "-p", r#"{"data":{"sport":"cricket"}}"#]).good();
    s.until("logs sees-it --tail=3", |o| o.contains("My preferred sport is cricket"));
    assert_eq!(s.k("get pod sees-it -o jsonpath={.status.containerStatuses[0].restartCount}"), "0");
}
