//! HTTP extenders of the live scheduler: a program of ours that filters, and binds through the API server itself.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use system_tests::Server;

/// Requests one after the other, each on a connection of its own; what was asked for is kept.
fn serve(answer: impl Fn(&str, &Value) -> Value + Send + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (path, question) = read(&stream);
            kept.lock().expect("no panic").push(path.clone());
            let body = answer(&path, &question).to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            let _ = write!(&stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (port, asked)
}

fn read(stream: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut path, mut length) = (String::new(), String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
        let lower = line.to_ascii_lowercase();
        if let Some(n) = lower.strip_prefix("content-length:") {
            length = n.trim().parse().unwrap_or(0);
        }
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap_or_default().to_string();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    (path, serde_json::from_slice(&body).expect("JSON"))
}

#[test]
fn an_extender_filters_and_binds() {
    let config: Arc<OnceLock<PathBuf>> = Arc::default();
    let kubeconfig = config.clone();
    let (port, asked) = serve(move |path, question| match path {
        "/filter" => json!({"NodeNames": ["node-2"], "FailedNodes": {"node-1": "taken", "node-3": "taken"}}),
        _ => {
            // As an extender does: it posts the binding, while the scheduler waits for its answer.
            let (ns, pod) = (question["PodNamespace"].as_str(), question["PodName"].as_str());
            let (ns, pod) = (ns.unwrap_or_default(), pod.unwrap_or_default());
            let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod, "namespace": ns},
                "target": {"apiVersion": "v1", "kind": "Node", "name": question["Node"]}});
            let file = std::env::temp_dir().join(format!("kubottle-binding-{}", std::process::id()));
            std::fs::write(&file, binding.to_string()).expect("a file");
            let mut kubectl = Command::new("kubectl");
            kubectl.arg("--kubeconfig").arg(kubeconfig.get().expect("the server is up"));
            let path = format!("/api/v1/namespaces/{ns}/pods/{pod}/binding");
            let done = kubectl.args(["create", "--raw", &path, "-f"]).arg(&file).output().expect("kubectl");
            json!({"Error": String::from_utf8_lossy(&done.stderr)})
        }
    });
    let file = std::env::temp_dir().join(format!("kubottle-extenders-{}.yaml", std::process::id()));
    let text = format!(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nextenders:\n- urlPrefix: http://127.0.0.1:{port}\n  filterVerb: filter\n  bindVerb: bind\n  nodeCacheCapable: true\n"
    );
    std::fs::write(&file, text).expect("a file");
    let path = file.to_string_lossy().into_owned();
    let Some(s) = Server::start(&["--speed", "10", "--scheduler-config", &path]) else { return };
    config.set(s.kubeconfig()).expect("once");
    s.k("run one --image=nginx");
    s.k("wait --for=condition=Ready pod/one --timeout=60s");
    assert_eq!(s.k("get pod one -o jsonpath={.spec.nodeName}"), "node-2");
    assert_eq!(*asked.lock().expect("no panic"), ["/filter", "/bind"]);
    let message = "get events --field-selector reason=Scheduled -o jsonpath={.items[0].message}";
    assert_eq!(s.k(message), "Successfully assigned default/one to node-2");
    let _ = std::fs::remove_file(file);
}
