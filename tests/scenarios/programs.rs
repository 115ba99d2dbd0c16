//! What simulated programs do beyond their own container: a node's disk, Secrets that others wait for, a component's metrics.

use cluster::control_plane::NODE;
use k8s_openapi::api::core::v1::Secret;
use meta::Key;
use testkit::{apply, cluster, cluster_with_control_plane, exec, run};

/// The pod that `kubectl debug node/node-1` makes.
const DEBUGGER: &str = "
apiVersion: v1
kind: Pod
metadata: {name: node-debugger}
spec:
  nodeName: node-1
  hostNetwork: true
  hostPID: true
  containers:
  - name: debugger
    image: busybox
    command: [sleep, infinity]
    volumeMounts: [{name: host-root, mountPath: /host}]
  volumes: [{name: host-root, hostPath: {path: /}}]
";

#[test]
fn a_nodes_disk_is_seen_below_host_and_entered() {
    let mut c = cluster(1);
    apply(&mut c, DEBUGGER);
    run(&mut c, 30);
    let root = "bin boot dev etc home kind lib lib64 media mnt opt proc root run sbin srv sys tmp usr var";
    assert_eq!(exec(&mut c, "node-debugger", "echo $(ls /host)"), format!("{root}\n"));
    assert_eq!(exec(&mut c, "node-debugger", "chroot /host ls / | tr '\\n' ' '").trim(), root);
    assert_eq!(exec(&mut c, "node-debugger", "chroot /host cat /etc/hostname"), "node-1\n");
    let said = exec(&mut c, "node-debugger", "chroot /host sh -c 'cd /etc/kubernetes && pwd && ls; cd ..; pwd'");
    assert_eq!(said, "/etc/kubernetes\nkubelet.conf\nmanifests\npki\n/etc\n");
    let said = exec(
        &mut c,
        "node-debugger",
        "chroot /host sh -c 'echo x > /tmp/a'; cat /host/tmp/a; rm /host/etc/timezone; ls /host/etc/timezone",
    );
    assert!(said.starts_with("x\n") && said.contains("No such file or directory"), "{said}");
    let said = exec(&mut c, "node-debugger", "chroot /nowhere ls");
    assert_eq!(said, "chroot: can't change root directory to '/nowhere': No such file or directory\n");
}

const METALLB: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: controller}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: controller}
rules: [{apiGroups: [''], resources: [secrets], verbs: [create, get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: controller}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: controller}
subjects: [{kind: ServiceAccount, name: controller, namespace: default}]
---
apiVersion: v1
kind: Pod
metadata: {name: controller}
spec:
  serviceAccountName: controller
  containers:
  - name: controller
    image: quay.io/metallb/controller:v0.14.9
    env: [{name: METALLB_ML_SECRET_NAME, value: memberlist}]
---
apiVersion: v1
kind: Pod
metadata: {name: speaker}
spec:
  containers:
  - name: speaker
    image: quay.io/metallb/speaker:v0.14.9
    volumeMounts: [{name: memberlist, mountPath: /etc/ml_secret_key}]
  volumes: [{name: memberlist, secret: {secretName: memberlist}}]
";

#[test]
fn metallbs_controller_makes_what_its_speakers_wait_for() {
    let mut c = cluster(1);
    apply(&mut c, METALLB);
    run(&mut c, 200);
    let secret = c.view().get::<Secret>(&Key::new("default", "memberlist")).expect("a Secret");
    assert!(secret.data.as_ref().is_some_and(|d| d.contains_key("secretkey")));
    let pods = testkit::table(&c, "pods");
    assert!(pods.lines().all(|l| l.contains("1/1  Running")), "{pods}");
}

#[test]
fn a_control_planes_programs_tell_their_metrics_to_those_who_may() {
    let mut c = cluster_with_control_plane(1);
    let rbac = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: monitor}\nrules: [{nonResourceURLs: \
                [/metrics], verbs: [get]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: \
                {name: monitor}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: monitor}\nsubjects: \
                [{kind: ServiceAccount, name: default, namespace: default}]\n";
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: monitor}}\nspec:\n  nodeName: {NODE}\n  hostNetwork: true\n  containers: \
         [{{name: c, image: curlimages/curl, command: [sleep, infinity]}}]\n"
    );
    run(&mut c, 60);
    apply(&mut c, rbac);
    apply(&mut c, &pod);
    run(&mut c, 60);
    assert_eq!(exec(&mut c, "monitor", "curl -sk https://localhost:10259/healthz"), "ok\n");
    let said = exec(&mut c, "monitor", "curl -sk https://localhost:10259/metrics");
    assert!(said.contains("User \\\"system:anonymous\\\" cannot get path \\\"/metrics\\\""), "{said}");
    let token = "-H \"Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)\"";
    let said = exec(&mut c, "monitor", &format!("curl -sk {token} https://localhost:10259/metrics"));
    for line in
        ["scheduler_pending_pods{queue=\"active\"} 0", "leader_election_master_status{name=\"kube-scheduler\"} 1"]
    {
        assert!(said.contains(line), "{line}: {said}");
    }
    let said = exec(&mut c, "monitor", &format!("curl -sk {token} https://localhost:10257/metrics"));
    assert!(said.contains("workqueue_depth{name=\"deployment-controller\"} 0"), "{said}");
}
