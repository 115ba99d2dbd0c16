//! Which processes a container's processes see.

use k8s_openapi::api::core::v1::Pod;
use meta::Key;
use testkit::{apply, cluster, exec, run};

const SHARED: &str = "
apiVersion: v1
kind: Pod
metadata: {name: nginx}
spec:
  shareProcessNamespace: true
  containers:
  - name: shell
    image: busybox:1.28
    command: [sleep, '3600']
    securityContext: {capabilities: {add: [SYS_PTRACE]}}
    stdin: true
    tty: true
  - name: nginx
    image: nginx:1.14.2
";

fn restarts(c: &cluster::Cluster, pod: &str, container: &str) -> (i32, Option<i32>) {
    let pod = c.view().get::<Pod>(&Key::new("default", pod)).unwrap();
    let all =
        pod.status.iter().flat_map(|s| s.container_statuses.iter().chain(&s.ephemeral_container_statuses)).flatten();
    let status = all.clone().find(|s| s.name == container).unwrap();
    let last = status.last_state.clone().unwrap_or_default().terminated.or(status
        .state
        .clone()
        .unwrap_or_default()
        .terminated);
    (status.restart_count, last.map(|t| t.exit_code))
}

#[test]
fn containers_of_a_pod_see_and_signal_each_others_processes() {
    let mut c = cluster(1);
    apply(&mut c, SHARED);
    run(&mut c, 40);
    let pids = |said: &str, of: &str| -> Vec<String> {
        let lines = said.lines().filter(|l| l.contains(of));
        lines.map(|l| l.split_whitespace().next().unwrap_or_default().to_string()).collect()
    };
    let ps = exec(&mut c, "nginx", "ps ax");
    assert_eq!(ps.lines().next(), Some("PID   USER     TIME  COMMAND"), "{ps}");
    assert!(ps.contains("    1 65535     0:00 /pause\n"), "{ps}");
    assert!(ps.contains(" root      0:00 nginx: master process nginx -g daemon off;\n"), "{ps}");
    assert!(ps.contains(" root      0:00 sleep 3600\n") && ps.contains(" root      0:00 ps ax\n"), "{ps}");
    assert!(ps.contains(" 101       0:00 nginx: worker process\n"), "{ps}");
    let (master, workers) = (pids(&ps, "master")[0].clone(), pids(&ps, "worker"));
    // A reload: the master stays, its workers are new ones.
    exec(&mut c, "nginx", &format!("kill -HUP {master}"));
    run(&mut c, 1);
    let ps = exec(&mut c, "nginx", "ps ax");
    assert_eq!(pids(&ps, "master"), [master.clone()]);
    assert!(!pids(&ps, "worker").is_empty() && pids(&ps, "worker") != workers, "{ps}");
    let said = exec(
        &mut c,
        "nginx",
        &format!("head -n 2 /proc/{master}/root/etc/nginx/nginx.conf; ls /proc/{master}/root/usr/share/nginx/html"),
    );
    assert!(said.contains("nginx;") && said.contains("index.html"), "{said}");
    assert_eq!(exec(&mut c, "nginx", "kill 4711"), "sh: can't kill pid 4711: No such process\n");
    // A container's first process is not the namespace's: it has no protection.
    let sleeper = pids(&ps, "sleep 3600")[0].clone();
    exec(&mut c, "nginx", &format!("kill -9 {master}"));
    run(&mut c, 30);
    assert_eq!(restarts(&c, "nginx", "nginx"), (1, Some(137)));
    exec(&mut c, "nginx", &format!("kill {sleeper}"));
    run(&mut c, 30);
    assert_eq!(restarts(&c, "nginx", "shell"), (1, Some(143)));
}

#[test]
fn the_last_command_of_a_script_takes_the_shells_place() {
    let mut c = cluster(1);
    for (name, script) in
        [("one", "sleep 3600"), ("list", "echo a; sleep 3600"), ("trapped", "trap 'exit 3' TERM; sleep 3600")]
    {
        let pod = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{name: c, image: busybox, command: \
             [sh, -c, \"{script}\"]}}]}}}}"
        );
        apply(&mut c, &pod);
    }
    run(&mut c, 40);
    let ps = |c: &mut _, pod: &str| exec(c, pod, "ps").lines().skip(1).map(|l| l[21..].to_string()).collect::<Vec<_>>();
    assert_eq!(ps(&mut c, "one"), ["sleep 3600", "ps"]);
    assert_eq!(ps(&mut c, "list"), ["sleep 3600", "ps"]);
    assert_eq!(ps(&mut c, "trapped"), ["sh -c trap 'exit 3' TERM; sleep 3600", "sleep 3600", "ps"]);
}
