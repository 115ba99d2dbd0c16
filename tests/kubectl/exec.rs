//! exec, attach, cp and port-forward.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use system_tests::Server;

/// `kubectl ARGS` with this as its input: what it printed, its errors, and its exit code.
fn with_input(s: &Server, args: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut command = s.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("kubectl: {e}"));
    let mut stdin = child.stdin.take().unwrap_or_else(|| panic!("no input"));
    stdin.write_all(input.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    drop(stdin);
    let out = child.wait_with_output().unwrap_or_else(|e| panic!("{e}"));
    let text = |b: Vec<u8>| String::from_utf8_lossy(&b).into_owned();
    (text(out.stdout), text(out.stderr), out.status.code())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server() -> Option<Server> {
    let s = Server::start(&["--speed", "10"])?;
    s.apply("pod.yaml");
    s.k("wait --for=condition=Ready pod/nginx --timeout=60s");
    Some(s)
}

#[test]
fn commands_run_in_containers() {
    let Some(s) = server() else { return };
    assert_eq!(s.k("exec nginx -- echo hello"), "hello\n");
    assert_eq!(s.k("exec nginx -- hostname"), "nginx\n");
    let (out, err, code) = with_input(&s, &["exec", "nginx", "--", "sh", "-c", "echo a; echo b >&2; exit 3"], "");
    assert_eq!((out.as_str(), code), ("a\n", Some(3)));
    assert_eq!(err, "b\ncommand terminated with exit code 3\n");
    let (out, _, code) = with_input(&s, &["exec", "-i", "nginx", "--", "sh"], "x=1\necho got $x\nexit 5\n");
    assert_eq!((out.as_str(), code), ("got 1\n", Some(5)));
    let (out, _, code) = with_input(&s, &["exec", "-i", "nginx", "--", "wc", "-l"], "1\n2\n3\n");
    assert_eq!((out.trim(), code), ("3", Some(0)));
    let missing = s.kubectl(&["exec", "nginx", "--", "nope"]).bad();
    let words = "Internal error occurred: error executing command in container: failed to exec in container: failed to \
                 start exec \"";
    assert!(missing.starts_with(&format!("error: Internal error occurred: {words}")), "{missing}");
    assert!(missing.contains("exec: \"nope\": executable file not found in $PATH: unknown"), "{missing}");
    let wrong = s.kubectl(&["exec", "nginx", "-c", "other", "--", "ls"]).bad();
    assert!(wrong.contains("container other is not valid for pod nginx"), "{wrong}");
    // kubectl before 1.31, and clients without WebSockets.
    let mut old = s.command(&["exec", "-i", "nginx", "--", "sh", "-c", "cat; exit 6"]);
    old.env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false");
    old.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut old = old.spawn().unwrap_or_else(|e| panic!("{e}"));
    old.stdin.take().map(|mut i| i.write_all(b"over SPDY\n"));
    let out = old.wait_with_output().unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(String::from_utf8_lossy(&out.stdout), "over SPDY\n", "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.status.code(), Some(6));
}

#[test]
fn files_are_copied_both_ways() {
    let Some(s) = server() else { return };
    let dir = s.kubeconfig().parent().map(std::path::Path::to_path_buf).unwrap_or_default();
    std::fs::write(dir.join("here.txt"), "from outside\n").unwrap_or_else(|e| panic!("{e}"));
    let path = |n: &str| dir.join(n).to_string_lossy().into_owned();
    s.kubectl(&["cp", &path("here.txt"), "nginx:/tmp/there.txt"]).good();
    assert_eq!(s.k("exec nginx -- cat /tmp/there.txt"), "from outside\n");
    s.k("exec nginx -- sh -c mkdir;true");
    s.kubectl(&["exec", "nginx", "--", "sh", "-c", "mkdir /data && echo inside > /data/x"]).good();
    s.kubectl(&["cp", "nginx:/data", &path("data")]).good();
    let copied = std::fs::read_to_string(dir.join("data/x"));
    assert_eq!(copied.unwrap_or_default(), "inside\n");
}

#[test]
fn a_client_attaches() {
    let Some(s) = server() else { return };
    let args =
        ["run", "shell", "-i", "--rm", "--image=busybox:1.36", "--restart=Never", "--", "sh", "-c", "read x; echo $x"];
    let (out, err, code) = with_input(&s, &args, "typed\n");
    assert!(out.contains("typed\n") && out.contains("pod \"shell\" deleted"), "{out}\n{err}");
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn ports_are_forwarded() {
    let Some(s) = server() else { return };
    let get = |port: &str| {
        let mut socket = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap_or_else(|e| panic!("{e}"));
        let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        socket.write_all(request).unwrap_or_else(|e| panic!("{e}"));
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer);
        answer
    };
    for websockets in ["true", "false"] {
        let mut command = s.command(&["port-forward", "pod/nginx", ":80"]);
        command.env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = Running(command.spawn().unwrap_or_else(|e| panic!("{e}")));
        let mut line = String::new();
        let out = child.0.stdout.take().unwrap_or_else(|| panic!("no output"));
        let mut out = std::io::BufReader::new(out);
        std::io::BufRead::read_line(&mut out, &mut line).unwrap_or_else(|e| panic!("{e}"));
        // Forwarding from 127.0.0.1:34567 -> 80
        let port = line.split("127.0.0.1:").nth(1).and_then(|l| l.split(' ').next()).unwrap_or_default().to_string();
        for _ in 0..3 {
            let answer = get(&port);
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{line}{answer}");
            assert!(answer.contains("Welcome to nginx!"), "{answer}");
        }
    }
    let proxied = s.k("get --raw /api/v1/namespaces/default/pods/nginx:80/proxy/");
    assert!(proxied.contains("Welcome to nginx!"), "{proxied}");

    s.k("run echo --image=registry.k8s.io/e2e-test-images/agnhost:2.47 --port=8080 -- netexec --http-port=8080");
    s.k("wait --for=condition=Ready pod/echo --timeout=60s");
    assert_eq!(s.k("get --raw /api/v1/namespaces/default/pods/echo:8080/proxy/echo?msg=hi"), "hi");
    s.k("run said --image=hashicorp/http-echo:1.0 --env=ECHO_TEXT=two");
    s.k("wait --for=condition=Ready pod/said --timeout=60s");
    assert_eq!(s.k("get --raw /api/v1/namespaces/default/pods/said:5678/proxy/"), "two\n");
}

#[test]
fn a_debugger_joins_a_pod() {
    let Some(s) = server() else { return };
    let (out, err, code) = with_input(
        &s,
        &["debug", "nginx", "-i", "--image=busybox:1.36", "-c", "look", "--", "sh", "-c", "read x; echo $x"],
        "hi\n",
    );
    assert!(out.contains("hi\n"), "{out}\n{err}");
    assert_eq!(code, Some(0), "{err}");
    let described = s.k("describe pod nginx");
    assert!(described.contains("Ephemeral Containers:\n  look:"), "{described}");
    assert_eq!(s.k("get pod nginx -o jsonpath={.status.phase}"), "Running");
}
