//! The page's kubectl over plain HTTP: `kubectl proxy` stands between it and the server's TLS.

use crate::client::Http;
use kubectl::{Client, Config, Env, Files, Future, Request, Response, Session, Stream, Terminal};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use system_tests::{Proxy, Server};

const HELP: &str = include_str!("../../../crates/kubectl/help.txt");

/// The files that command lines name. `KUBOTTLE_FILES` names other ones, to try lines out on.
pub fn files() -> PathBuf {
    std::env::var_os("KUBOTTLE_FILES").map_or_else(own, Into::into)
}

/// The files of the lists.
pub fn own() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("kubectl/equal/files")
}

pub struct Native {
    proxy: Arc<Proxy>,
    config: Config,
    discovered: Discovered,
}

/// Discovery and OpenAPI documents by path and format: the real one keeps them on disk, too.
type Discovered = Arc<Mutex<BTreeMap<String, Response>>>;

struct Cached {
    http: Http,
    discovered: Discovered,
}

impl Client for Cached {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        let kept =
            r.method == "GET" && (matches!(r.path.as_str(), "/api" | "/apis") || r.path.starts_with("/openapi/"));
        if !kept {
            return self.http.request(r);
        }
        let key = format!("{} {:?}", r.path, r.headers);
        let lock = || self.discovered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(response) = lock().get(&key).cloned() {
            return Box::pin(async move { Ok(response) });
        }
        Box::pin(async move {
            let response = self.http.request(r).await?;
            if response.status == 200 {
                lock().insert(key, response.clone());
            }
            Ok(response)
        })
    }
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        self.http.stream(r)
    }
    fn now(&self) -> i64 {
        self.http.now()
    }
}

impl Native {
    pub fn of(s: &Server) -> Native {
        let proxy = Proxy::start(s.command(&[]));
        let view = |path: &str| s.k(&format!("config view -o jsonpath={{{path}}}"));
        let config = Config::one(
            &view(".clusters[0].cluster.server"),
            &view(".clusters[0].name"),
            &view(".users[0].name"),
            &view(".contexts[0].name"),
            &view(".contexts[0].context.namespace"),
        );
        Native { proxy: Arc::new(proxy), config, discovered: Discovered::default() }
    }

    /// With a kubeconfig that is there already.
    pub fn with(s: &Server, file: &str, text: &str) -> Native {
        let config = Config::parse(file, text).unwrap_or_else(|e| panic!("{file}: {e}"));
        Native { config, ..Native::of(s) }
    }

    /// One more, with a kubeconfig of its own.
    pub fn again(&self) -> Native {
        Native { proxy: self.proxy.clone(), config: self.config.clone(), discovered: self.discovered.clone() }
    }

    /// The exit code, standard output and standard error.
    pub fn run(&mut self, args: &[String], stdin: Option<String>) -> (i32, String, String) {
        let client = Cached { http: Http(self.proxy.address.clone()), discovered: self.discovered.clone() };
        let mut screen = Screen::default();
        let stdin = stdin.map(|f| std::fs::read_to_string(files().join(f)).unwrap_or_default());
        let mut env =
            Env { client: &client, files: &Disk, terminal: &mut screen, config: &mut self.config, stdin, help: HELP };
        let code = block_on(kubectl::run(args, &mut env));
        (code, screen.out, screen.err)
    }
}

/// Nothing here ever waits for anybody else.
fn block_on<T>(future: impl std::future::Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(v) = future.as_mut().poll(&mut cx) {
            return v;
        }
    }
}

struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(files().join(path)).ok()
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let entries = std::fs::read_dir(files().join(path)).ok()?;
        Some(entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
    }
    fn absolute(&self, path: &str) -> String {
        let mut all = files();
        for part in path.split('/').filter(|p| !matches!(*p, "" | ".")) {
            all.push(part);
        }
        all.to_string_lossy().into_owned()
    }
}

#[derive(Default)]
struct Screen {
    out: String,
    err: String,
}

impl Terminal for Screen {
    fn out(&mut self, text: &str) {
        self.out.push_str(text);
    }
    fn err(&mut self, text: &str) {
        self.err.push_str(text);
    }
    fn edit(&mut self, _: &str, _: String) -> Future<'_, Result<String, String>> {
        Box::pin(async { Err("there is no editor".into()) })
    }
    fn sleep(&self, micros: i64) -> Future<'_, ()> {
        std::thread::sleep(Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
        Box::pin(async {})
    }
    fn exec(&mut self, _: Session) -> Future<'_, Result<i32, String>> {
        Box::pin(async { Err("no sessions here".into()) })
    }
    fn forward(&mut self, _: &str, _: &str, _: &[(u16, u16)]) -> Future<'_, Result<(), String>> {
        Box::pin(async { Err("no ports here".into()) })
    }
}
