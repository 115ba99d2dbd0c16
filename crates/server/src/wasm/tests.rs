//! The guests under `guests/`, run for real.

use super::cgroup::Limits;
use super::container::{Container, Exit, Spec};
use super::engine::{Engine, Program};
use super::host::{BoxFuture, Caller, Network};
use http_body_util::{BodyExt, Full};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// Builds the guests once and gives one's bytes.
pub fn guest(name: &str) -> Vec<u8> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        let guests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("guests");
        // target/debug/deps/kubottle-… is this program.
        let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("guests");
        let status = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--target-dir"])
            .arg(&target)
            .current_dir(&guests)
            .status()
            .unwrap();
        assert!(status.success(), "the guests do not build; is the target there? rustup target add wasm32-wasip2");
        target.join("wasm32-wasip2/release")
    });
    std::fs::read(dir.join(format!("{name}.wasm"))).unwrap()
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new().unwrap())
}

fn program(name: &str) -> Program {
    static PROGRAMS: OnceLock<[Program; 2]> = OnceLock::new();
    let all = PROGRAMS.get_or_init(|| ["hello", "http-hello"].map(|n| engine().program(&guest(n)).unwrap()));
    all[usize::from(name != "hello")].clone()
}

/// A cluster with one Service, `peer`, that answers with the path it was asked for.
struct OneService;
impl Network for OneService {
    fn send(
        &self,
        caller: &Caller,
        request: http::Request<WasiBody>,
    ) -> BoxFuture<Result<http::Response<WasiBody>, HttpError>> {
        let host = request.uri().host().unwrap_or("").to_string();
        let text = format!("{host} asked by {}", caller.namespace);
        Box::pin(async move {
            // A client writes its body, even an empty one, before it reads the answer.
            request.into_body().collect().await?;
            if host != "peer" {
                return Err(HttpError::DestinationNotFound);
            }
            Ok(http::Response::new(Full::from(text).map_err(|e| match e {}).boxed_unsync()))
        })
    }
}

fn start(name: &str, args: &[&str], limits: Limits) -> (Arc<Container>, Outcome) {
    let mut argv = vec![name.to_string()];
    argv.extend(args.iter().map(|a| (*a).to_string()));
    let env = vec![("GREETING_NAME".into(), "bottle".into())];
    let caller = Caller { namespace: "default".into(), ..Caller::default() };
    let spec = Spec { caller, args: argv, env, limits };
    let (container, lines, exit) = Container::start(engine(), program(name), spec, Arc::new(OneService));
    (container, Outcome { lines, exit })
}

struct Outcome {
    lines: tokio::sync::mpsc::Receiver<super::logs::Line>,
    exit: tokio::sync::oneshot::Receiver<Exit>,
}

impl Outcome {
    async fn wait(mut self) -> (String, Exit) {
        let exit = self.exit.await.unwrap();
        let mut text = String::new();
        while let Ok((stream, line)) = self.lines.try_recv() {
            text.push_str(&format!("{stream}: {line}\n"));
        }
        (text, exit)
    }
}

async fn run(args: &[&str], limits: Limits) -> (String, Exit) {
    let (_container, outcome) = start("hello", args, limits);
    outcome.wait().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_arguments_environment_output_and_an_exit_code() {
    let (log, exit) = run(&[], Limits::default()).await;
    assert_eq!((log.as_str(), exit), ("stdout: hello, bottle\n", Exit { code: 0, reason: "Completed" }));
    let (_, exit) = run(&["exit", "7"], Limits::default()).await;
    assert_eq!(exit.code, 7);
    let (log, exit) = run(&["dance"], Limits::default()).await;
    assert_eq!(log, "stdout: hello, bottle\nstderr: hello: what is \"dance\"?\n");
    assert_eq!(exit, Exit { code: 2, reason: "Error" });
    let (log, exit) = run(&["panic"], Limits::default()).await;
    assert!(log.contains("as told"), "{log}");
    assert_eq!(exit.code, 134);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_limit_binds() {
    let limits = Limits { memory_bytes: Some(32 << 20), cpu_milli: None };
    let (log, exit) = run(&["allocate", "8"], limits).await;
    assert!(log.contains("allocated 8 MiB"), "{log}");
    assert_eq!(exit.code, 0);
    let (_, exit) = run(&["allocate", "64"], limits).await;
    assert_eq!(exit, Exit { code: 137, reason: "OOMKilled" });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cpu_limit_binds() {
    program("hello");
    let began = Instant::now();
    let limits = Limits { cpu_milli: Some(200), memory_bytes: None };
    let (container, outcome) = start("hello", &["spin", "3"], limits);
    let (_, exit) = outcome.wait().await;
    assert_eq!(exit.code, 0);
    let share = container.usage().0.as_secs_f64() / began.elapsed().as_secs_f64();
    assert!(share < 0.26, "200m was asked for, {share:.2} of a CPU was used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_guest_and_a_sleeping_guest_can_be_stopped() {
    program("hello");
    for args in [["spin", "60"], ["sleep", "60"]] {
        let began = Instant::now();
        let (container, outcome) = start("hello", &args, Limits::default());
        tokio::time::sleep(Duration::from_millis(100)).await;
        container.stop();
        let (_, exit) = outcome.wait().await;
        assert_eq!(exit.code, 143);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

async fn get(container: &Container, path: &str) -> anyhow::Result<(u16, String)> {
    let body = Full::from(String::new()).map_err(|e| match e {}).boxed_unsync();
    let request = http::Request::get(format!("http://pod{path}")).body(body)?;
    let response = container.handle(request).await?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.map_err(|e| anyhow::anyhow!("{e:?}"))?.to_bytes();
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_component_serves_until_it_is_stopped() {
    let (container, outcome) = start("http-hello", &[], Limits::default());
    assert_eq!(get(&container, "/").await.unwrap(), (200, "hello, bottle\n".into()));
    assert_eq!(get(&container, "/nowhere").await.unwrap().0, 404);
    assert_eq!(get(&container, "/ask/peer").await.unwrap(), (200, "peer asked by default".into()));
    container.stop();
    let (log, exit) = outcome.wait().await;
    assert_eq!(log, "stdout: GET /\nstdout: GET /nowhere\nstdout: GET /ask/peer\n");
    assert_eq!(exit.code, 143);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_component_out_of_memory_is_killed() {
    let limits = Limits { memory_bytes: Some(64 << 20), cpu_milli: None };
    let (container, outcome) = start("http-hello", &[], limits);
    assert!(get(&container, "/allocate").await.is_err());
    assert_eq!(outcome.wait().await.1, Exit { code: 137, reason: "OOMKilled" });
}

#[test]
fn files_that_are_no_programs_are_refused() {
    let refused = |bytes: &[u8]| engine().program(bytes).err().unwrap().to_string();
    assert!(refused(b"hello").contains("not a WebAssembly file"));
    assert!(refused(b"\0asm\x01\0\0\0").contains("core WebAssembly module"));
    assert!(refused(b"\0asm\x0d\0\x01\0").contains("exports neither"));
}
