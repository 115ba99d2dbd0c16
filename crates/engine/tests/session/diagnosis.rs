//! Why a pod does not do its work, and what mends it: broken on purpose, seen as the inspector sees it.

use crate::common::{apply, session};
use engine::{Session, Shown, Viewer};
use meta::Duration;
use protocol::debug::{Answer, Debug};
use protocol::{Command, Diagnosis, Fault, ObjectId, Remedy, Reply, Subscription};

/// A pod `p` with one container `c`.
fn pod(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: p}}}}\nspec:\n{spec}")
}

/// The only pod in the namespace `default`.
fn name(s: &Session) -> String {
    let mut all = s.cluster.view().list_in::<k8s_openapi::api::core::v1::Pod>("default");
    all.next().and_then(|p| p.metadata.name.clone()).expect("a pod")
}

fn diagnosis(s: &Session) -> Option<Diagnosis> {
    let (api_version, kind) = ("v1".into(), "Pod".into());
    let object = Some(ObjectId { api_version, kind, namespace: "default".into(), name: name(s) });
    let mut viewer = Viewer::new(Subscription::default());
    viewer.subscribe(Subscription { object, ..Subscription::default() });
    let (cluster, debugger) = (&s.cluster, &s.debugger);
    let shown = Shown { cluster, debugger, running: true, speed: 1, time: None, rewinds: s.rewinds() };
    viewer.update(shown).and_then(|u| u.detail).and_then(|d| d.diagnosis)
}

fn remedies(s: &mut Session) -> Vec<Remedy> {
    let debug = Debug::Remedies { namespace: "default".into(), name: name(s) };
    let before = (s.cluster.trace().hash(), s.cluster.now(), s.cluster.revision());
    let answer = match s.act(Command::Debug { id: 9, debug }) {
        Some(Reply::Debug { answer: Answer::Remedies { remedies }, .. }) => remedies,
        other => panic!("{other:?}"),
    };
    assert_eq!((s.cluster.trace().hash(), s.cluster.now(), s.cluster.revision()), before, "only copies were touched");
    answer
}

/// What is wrong, and which remedies help and which do not, in the order in which they were tried. The first that helps is
/// carried out, and helps.
fn check(s: &mut Session, wait: u64, wrong: &str, helps: &[&str], does_not: &[&str]) {
    s.cluster.advance(Duration::from_secs(wait));
    let d = diagnosis(s).unwrap_or_else(|| panic!("{wrong}: nothing is wrong"));
    assert_eq!(d.note.code, wrong, "{d:?}");
    assert!(d.remedies && !d.evidence.is_empty(), "{d:?}");
    let tried = remedies(s);
    let codes = |works: bool| {
        let some = tried.iter().filter(|r| r.works.is_some() == works);
        some.map(|r| r.note.code.to_string()).collect::<Vec<_>>()
    };
    assert_eq!((codes(true), codes(false)), (list(helps), list(does_not)), "{wrong}: {tried:#?}");
    assert!(tried.iter().all(|r| r.works.is_some() || r.still.is_some()), "{tried:#?}");
    let first = tried.into_iter().find(|r| r.works.is_some()).expect("one helps");
    assert_eq!(carry_out(s, first), None);
    s.cluster.advance(Duration::from_secs(200));
    let after = diagnosis(s);
    assert_eq!(after, None, "{wrong}");
}

/// As the page does it; why it was refused.
fn carry_out(s: &mut Session, remedy: Remedy) -> Option<String> {
    match s.act(Command::Together { id: 1, commands: remedy.commands }) {
        Some(Reply::Done { error, .. }) => error,
        other => panic!("{other:?}"),
    }
}

fn list(codes: &[&str]) -> Vec<String> {
    codes.iter().map(ToString::to_string).collect()
}

#[test]
fn an_image_that_is_written_wrong() {
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: 'ngnix:1.25'}]\n"));
    check(&mut s, 60, "diagnosis.no-image", &["remedy.image"], &[]);
}

#[test]
fn a_tag_that_is_not_there_in_a_deployment() {
    let mut s = session(2);
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: 'nginx:9.99'}]}\n";
    apply(&mut s, text);
    check(&mut s, 60, "diagnosis.no-tag", &["remedy.image", "remedy.image"], &[]);
}

#[test]
fn a_config_map_that_is_not_there() {
    let mut s = session(2);
    let env = "{name: A, valueFrom: {configMapKeyRef: {name: setings, key: color}}}";
    apply(&mut s, &pod(&format!("  containers: [{{name: c, image: nginx, env: [{env}]}}]\n")));
    apply(&mut s, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: blue}\n");
    check(&mut s, 30, "diagnosis.no-object", &["remedy.use-other", "remedy.create"], &[]);
}

#[test]
fn a_key_that_a_secret_lacks() {
    let mut s = session(2);
    let env = "{name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}";
    apply(&mut s, "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {user: me}\n");
    apply(&mut s, &pod(&format!("  containers: [{{name: c, image: nginx, env: [{env}]}}]\n")));
    check(&mut s, 30, "diagnosis.no-key", &["remedy.add-keys"], &[]);
}

#[test]
fn a_volume_of_a_secret_that_is_not_there() {
    let mut s = session(2);
    let spec = "  containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /v}]}]\n  volumes: [{name: v, secret: {secretName: tls}}]\n";
    apply(&mut s, &pod(spec));
    check(&mut s, 30, "diagnosis.no-object", &["remedy.create"], &[]);
}

#[test]
fn a_program_that_the_image_does_not_have() {
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: nginx, command: [ngnix]}]\n"));
    check(&mut s, 60, "diagnosis.command", &["remedy.own-command"], &[]);
}

#[test]
fn a_variable_that_the_program_asks_for() {
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: 'mysql:8.0'}]\n"));
    s.cluster.advance(Duration::from_secs(60));
    let d = diagnosis(&s).expect("something is wrong");
    assert_eq!(d.note.code, "diagnosis.crash-saying", "{d:?}");
    let tried = remedies(&mut s);
    assert!(tried.iter().any(|r| r.note.code == "remedy.env" && r.works.is_some()), "{tried:#?}");
}

#[test]
fn a_program_that_ends_well() {
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: busybox, command: [echo, hello]}]\n"));
    check(&mut s, 60, "diagnosis.done", &["remedy.once", "remedy.stay"], &[]);
}

#[test]
fn too_little_memory() {
    let mut s = session(2);
    let stress = "image: polinux/stress, command: [stress], args: [--vm, '1', --vm-bytes, 150M, --vm-hang, '1']";
    let limits = "resources: {limits: {memory: 100Mi}}";
    apply(&mut s, &pod(&format!("  containers: [{{name: c, {stress}, {limits}}}]\n")));
    check(&mut s, 60, "diagnosis.memory", &["remedy.memory", "remedy.memory", "remedy.memory"], &[]);
}

#[test]
fn a_probe_of_another_port() {
    let mut s = session(2);
    let probe = "readinessProbe: {httpGet: {path: /, port: 8081}, periodSeconds: 5}";
    apply(&mut s, &pod(&format!("  containers: [{{name: c, image: nginx, {probe}}}]\n")));
    let helps = ["remedy.probe-port", "remedy.probe-path", "remedy.no-probe"];
    check(&mut s, 40, "diagnosis.readiness", &helps, &[]);
}

#[test]
fn a_liveness_probe_of_a_page_that_is_not_there() {
    let mut s = session(2);
    let probe = "livenessProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 3}";
    apply(&mut s, &pod(&format!("  containers: [{{name: c, image: nginx, {probe}}}]\n")));
    s.cluster.advance(Duration::from_secs(20));
    let killed = |s: &Session| diagnosis(s).is_some_and(|d| d.note.code == "diagnosis.liveness");
    for _ in 0..100 {
        if killed(&s) {
            break;
        }
        s.cluster.advance(Duration::from_secs(2));
    }
    // To come later only puts it off.
    check(&mut s, 0, "diagnosis.liveness", &["remedy.probe-path", "remedy.no-probe"], &["remedy.probe-later"]);
}

#[test]
fn an_image_that_runs_as_root() {
    let mut s = session(2);
    let spec = "  securityContext: {runAsNonRoot: true}\n  containers: [{name: c, image: busybox, command: [sleep, infinity]}]\n";
    apply(&mut s, &pod(spec));
    check(&mut s, 30, "diagnosis.root", &["remedy.run-as-user", "remedy.allow-root"], &[]);
}

#[test]
fn no_scheduler_and_a_machine_without_power() {
    let mut s = session(2);
    s.act(Command::SetProcess { id: 1, process: "kube-scheduler".into(), running: false });
    apply(&mut s, &pod("  containers: [{name: c, image: nginx}]\n"));
    check(&mut s, 20, "diagnosis.no-scheduler", &["remedy.start-process"], &[]);
    let node = s.cluster.view().list_in::<k8s_openapi::api::core::v1::Pod>("default").next();
    let node = node.and_then(|p| p.spec.as_ref()?.node_name.clone()).expect("a node");
    s.act(Command::KillNode { id: 1, node });
    check(&mut s, 60, "diagnosis.machine-off", &["remedy.power-on"], &[]);
}

#[test]
fn an_image_that_no_registry_gives_any_more() {
    let mut s = session(2);
    s.act(Command::Fault { id: 1, fault: Fault::BlockImage { image: "nginx:1.25".into(), on: true } });
    apply(&mut s, &pod("  containers: [{name: c, image: 'nginx:1.25'}]\n"));
    check(&mut s, 30, "diagnosis.no-tag", &["remedy.unblock-image"], &[]);
}

#[test]
fn gates_finalizers_and_a_claim() {
    let mut s = session(2);
    let gated = "  schedulingGates: [{name: example.com/wait}]\n  containers: [{name: c, image: nginx}]\n";
    apply(&mut s, &pod(gated));
    check(&mut s, 20, "diagnosis.gated", &["remedy.ungate"], &[]);

    let mut s = session(2);
    let claim =
        "  containers: [{name: c, image: nginx}]\n  volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]\n";
    apply(&mut s, &pod(claim));
    check(&mut s, 20, "diagnosis.no-claim", &["remedy.create"], &[]);
}

#[test]
fn a_pod_that_works_or_has_done_its_work_has_no_diagnosis() {
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: nginx}]\n"));
    assert!(diagnosis(&s).is_some_and(|d| d.underway));
    s.cluster.advance(Duration::from_secs(30));
    assert_eq!(diagnosis(&s), None);
}

#[test]
fn a_pod_that_fits_nowhere_is_the_schedulers_matter() {
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: nginx, resources: {requests: {cpu: '100'}}}]\n"));
    s.cluster.advance(Duration::from_secs(20));
    let d = diagnosis(&s).expect("it is pending");
    assert!(d.placement && !d.remedies);
    assert_eq!(d.note.code, "diagnosis.unschedulable");
    assert_eq!(d.note.args[1].1, "Insufficient cpu");
}

/// A Deployment `web` of an image that is written wrong, and the remedy that was found for it.
fn broken_web(s: &mut Session) -> Remedy {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: c, image: 'ngnix:1.25'}]}\n";
    apply(s, text);
    s.cluster.advance(Duration::from_secs(60));
    remedies(s).into_iter().find(|r| r.works.is_some()).expect("one helps")
}

fn web(s: &Session) -> k8s_openapi::api::apps::v1::DeploymentSpec {
    let web = s.cluster.view().get::<k8s_openapi::api::apps::v1::Deployment>(&meta::Key::new("default", "web"));
    web.and_then(|d| d.spec.clone()).expect("a Deployment")
}

fn change_web(s: &mut Session, patch: &str) {
    let call = protocol::ApiCall {
        id: 0,
        method: "PATCH".into(),
        path: "/apis/apps/v1/namespaces/default/deployments/web".into(),
        accept: "application/json".into(),
        content_type: "application/strategic-merge-patch+json".into(),
        body: patch.into(),
    };
    let reply = s.act(Command::Api(call));
    assert!(matches!(&reply, Some(Reply::Api(r)) if r.code == 200), "{reply:?}");
}

#[test]
fn what_was_done_meanwhile_stays_when_a_remedy_is_carried_out() {
    let mut s = session(2);
    let remedy = broken_web(&mut s);
    change_web(&mut s, r#"{"metadata": {"labels": {"team": "a"}}, "spec": {"replicas": 3}}"#);
    change_web(&mut s, r#"{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 5}}}}"#);
    assert_eq!(carry_out(&mut s, remedy), None);
    let (spec, pod) = (web(&s), web(&s).template.spec.expect("a pod's"));
    assert_eq!((spec.replicas, pod.termination_grace_period_seconds), (Some(3), Some(5)));
    assert_eq!(pod.containers[0].image.as_deref(), Some("nginx:1.25"));
}

#[test]
fn a_remedy_for_what_has_changed_is_refused_and_changes_nothing() {
    let mut s = session(2);
    let remedy = broken_web(&mut s);
    change_web(&mut s, r#"{"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "httpd:2.4"}]}}}}"#);
    let before = (s.cluster.trace().hash(), s.cluster.revision());
    assert!(carry_out(&mut s, remedy).is_some());
    assert_eq!((s.cluster.trace().hash(), s.cluster.revision()), before);
    // A pod is not deleted when what it was to be replaced with is refused.
    let mut s = session(2);
    apply(&mut s, &pod("  containers: [{name: c, image: 'ngnix:1.25'}]\n"));
    s.cluster.advance(Duration::from_secs(60));
    let remedy = remedies(&mut s).remove(0);
    apply(&mut s, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none}\nspec: {hard: {pods: 0}}\n");
    s.cluster.advance(Duration::from_secs(5));
    assert!(carry_out(&mut s, remedy).is_some());
    assert_eq!(name(&s), "p");
}

#[test]
fn the_job_of_a_cron_job_stays_its_own_and_the_next_ones_are_mended_too() {
    let mut s = session(2);
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: tick}\nspec:\n  schedule: '* * * * *'\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n      template:\n        spec: {restartPolicy: Never, containers: [{name: c, image: 'bussybox:1.36', command: [echo, hello]}]}\n";
    apply(&mut s, text);
    s.cluster.advance(Duration::from_secs(100));
    let tried = remedies(&mut s);
    let remedy = tried.iter().find(|r| r.works.is_some()).unwrap_or_else(|| panic!("{tried:#?}")).clone();
    assert_eq!(remedy.edit.as_ref().map(|e| e.kind.as_str()), Some("CronJob"));
    assert_eq!(carry_out(&mut s, remedy), None);
    s.cluster.advance(Duration::from_secs(300));
    let jobs = s.cluster.view().list::<k8s_openapi::api::batch::v1::Job>();
    let done = jobs.map(|j| {
        assert!(j.metadata.owner_references.iter().flatten().any(|r| r.name == "tick"), "{j:?}");
        j.status.as_ref().and_then(|s| s.succeeded) == Some(1)
    });
    assert_eq!(done.collect::<Vec<_>>(), vec![true; 3]);
}

#[test]
fn what_was_mended_since_is_not_what_is_wrong() {
    // The volume is there by now, and the image is on its way.
    let mut s = session(2);
    let spec = "  containers: [{name: c, image: nginx, volumeMounts: [{name: v, mountPath: /v}]}]\n  volumes: [{name: v, secret: {secretName: tls}}]\n";
    apply(&mut s, &pod(spec));
    s.cluster.advance(Duration::from_secs(30));
    assert_eq!(diagnosis(&s).expect("something is wrong").note.code, "diagnosis.no-object");
    apply(&mut s, "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\nstringData: {a: b}\n");
    let pulls = |s: &Session| {
        let mut events = s.cluster.view().list_in::<k8s_openapi::api::core::v1::Event>("default");
        events.any(|e| e.reason.as_deref() == Some("Pulling"))
    };
    for _ in 0..2000 {
        if pulls(&s) {
            break;
        }
        s.cluster.advance(Duration::from_millis(100));
    }
    s.cluster.advance(Duration::from_millis(100));
    assert!(pulls(&s));
    assert_eq!(diagnosis(&s).map(|d| d.note.code.to_string()).as_deref(), Some("diagnosis.starting"));

    // The first run was killed for its probe; those since end by themselves.
    let mut s = session(2);
    let script = "if [ -f /d/ran ]; then exit 1; fi; touch /d/ran; sleep 1000";
    let probe = "{exec: {command: ['false']}, periodSeconds: 2, failureThreshold: 1}";
    let spec = format!(
        "  terminationGracePeriodSeconds: 1\n  containers:\n  - name: c\n    image: busybox\n    command: [sh, -c, '{script}']\n    livenessProbe: {probe}\n    volumeMounts: [{{name: d, mountPath: /d}}]\n  volumes: [{{name: d, emptyDir: {{}}}}]\n"
    );
    apply(&mut s, &pod(&spec));
    s.cluster.advance(Duration::from_secs(90));
    assert_eq!(diagnosis(&s).expect("something is wrong").note.code, "diagnosis.crash");
}
