//! Manifests whose outcome is what their programs compute: bash, awk, Python, clients of databases, a demo of services
//! that speak gRPC.

use system_tests::Server;

fn serve() -> Option<Server> {
    Server::start(&["--sim-nodes", "2", "--speed", "10"])
}

#[test]
fn indexed_jobs_reverse_their_words() {
    let Some(s) = serve() else { return };
    let job = s.file(
        "indexed.yaml",
        r#"
apiVersion: batch/v1
kind: Job
metadata: {name: words}
spec:
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      initContainers:
      - name: input
        image: docker.io/library/bash
        command: [bash, -c, "items=(foo bar baz)\necho ${items[$JOB_COMPLETION_INDEX]} > /input/data.txt"]
        volumeMounts: [{mountPath: /input, name: input}]
      containers:
      - name: worker
        image: docker.io/library/busybox
        command: [rev, /input/data.txt]
        volumeMounts: [{mountPath: /input, name: input}]
      volumes: [{name: input, emptyDir: {}}]
"#,
    );
    s.k(&format!("apply -f {job}"));
    s.k("wait --for=condition=Complete job/words --timeout=60s");
    for (index, word) in ["oof", "rab", "zab"].iter().enumerate() {
        let selector = format!("logs -l batch.kubernetes.io/job-completion-index={index} -c worker");
        assert_eq!(s.k(&selector).trim(), *word);
    }
}

#[test]
fn python_decides_which_indexes_fail() {
    let Some(s) = serve() else { return };
    let job = s.file(
        "python.yaml",
        r#"
apiVersion: batch/v1
kind: Job
metadata: {name: odd}
spec:
  completions: 4
  parallelism: 4
  completionMode: Indexed
  backoffLimitPerIndex: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: python
        command:
        - python3
        - -c
        - |
          import os, sys, time
          index = int(os.environ["JOB_COMPLETION_INDEX"])
          if index % 2 == 0:
            sys.exit(1)
          time.sleep(2)
          print(f"index {index} is odd")
"#,
    );
    s.k(&format!("apply -f {job}"));
    s.k("wait --for=condition=Failed job/odd --timeout=60s");
    let status = s.k("get job odd -o jsonpath={.status.failedIndexes}/{.status.completedIndexes}");
    assert_eq!(status, "0,2/1,3");
    assert_eq!(s.k("logs -l batch.kubernetes.io/job-completion-index=3").trim(), "index 3 is odd");
}

#[test]
fn a_front_end_waits_for_a_service_that_speaks_grpc() {
    let Some(s) = serve() else { return };
    let demo = s.file(
        "demo.yaml",
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
      - name: server
        image: us-central1-docker.pkg.dev/google-samples/microservices-demo/cartservice:v0.10.3
        ports: [{containerPort: 7070}]
        readinessProbe: {grpc: {port: 7070}}
        resources: {limits: {memory: 128Mi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: frontend}
spec:
  selector: {matchLabels: {app: frontend}}
  template:
    metadata: {labels: {app: frontend}}
    spec:
      containers:
      - name: server
        image: us-central1-docker.pkg.dev/google-samples/microservices-demo/frontend:v0.10.3
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /_healthz, port: 8080}}
---
apiVersion: v1
kind: Service
metadata: {name: frontend}
spec: {selector: {app: frontend}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: load}
spec:
  restartPolicy: Never
  initContainers:
  - name: check
    image: busybox:latest
    command:
    - sh
    - -exc
    - |
      for i in $(seq 1 60); do
        CODE=$(wget --server-response http://frontend:80 2>&1 | awk '/^  HTTP/{print $2}')
        if [ "$CODE" = 200 ]; then
          exit 0
        fi
        sleep 2
      done
      exit 1
  containers:
  - name: main
    image: busybox
    command: [sh, -c, "echo up"]
"#,
    );
    s.k(&format!("apply -f {demo}"));
    s.k("rollout status deployment/cart --timeout=60s");
    s.k("rollout status deployment/frontend --timeout=60s");
    s.k("wait --for=jsonpath={.status.phase}=Succeeded pod/load --timeout=60s");
    assert_eq!(s.k("logs load -c main").trim(), "up");
}

#[test]
fn variables_come_from_a_file_that_an_init_container_wrote() {
    let Some(s) = serve() else { return };
    let pod = s.file(
        "envfile.yaml",
        r#"
apiVersion: v1
kind: Pod
metadata: {name: envfile}
spec:
  restartPolicy: Never
  initContainers:
  - name: setup
    image: busybox
    command: [sh, -c, "echo \"ADDRESS='db:5432'\" > /data/config.env"]
    volumeMounts: [{name: config, mountPath: /data}]
  containers:
  - name: main
    image: busybox
    command: [sh, -c, "echo $ADDRESS"]
    env:
    - name: ADDRESS
      valueFrom: {fileKeyRef: {path: config.env, volumeName: config, key: ADDRESS}}
  volumes: [{name: config, emptyDir: {}}]
"#,
    );
    s.k(&format!("apply -f {pod}"));
    s.k("wait --for=jsonpath={.status.phase}=Succeeded pod/envfile --timeout=60s");
    assert_eq!(s.k("logs envfile -c main").trim(), "db:5432");
}

#[test]
fn a_refusals_text_is_gos() {
    let Some(s) = serve() else { return };
    s.k("create service clusterip mock --tcp=80:80");
    let text = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"mock"},"spec":{"ports":[{"port":80}]}}"#;
    let file = s.file("mock.json", text);
    let args = ["create", "--raw", "/api/v1/namespaces/default/services", "-v=8", "-f", &file];
    let said = s.kubectl(&args).bad();
    let body = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"services \"mock\" already exists","reason":"AlreadyExists","details":{"name":"mock","kind":"services"},"code":409}"#;
    assert!(said.contains(body), "{said}");
}

/// The server of a hundred tutorials: netcat in a loop, with an answer written by hand.
#[test]
fn netcat_answers_with_what_it_is_given() {
    let Some(s) = serve() else { return };
    let said = r#"while true; do printf 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello\n' | nc -l -p 8080; done"#;
    s.kubectl(&["run", "web", "--image=busybox:1.36", "--", "sh", "-c", said]).good();
    s.k("wait --for=condition=Ready pod/web --timeout=60s");
    for _ in 0..2 {
        s.until("get --raw /api/v1/namespaces/default/pods/web:8080/proxy/", |t| t == "Hello\n");
    }
    assert_eq!(s.k("get pod web -o jsonpath={.status.containerStatuses[0].restartCount}"), "0");
}
