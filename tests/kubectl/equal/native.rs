//! The page's kubectl over plain HTTP: `kubectl proxy` stands between it and the server's TLS.

use kubectl::{Client, Config, Env, Files, Future, Request, Response, Session, Stream, Terminal};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use system_tests::Server;

/// The files that command lines name.
pub fn files() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("kubectl/equal/files")
}

pub struct Native {
    proxy: Child,
    address: String,
    config: Config,
}

impl Drop for Native {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

impl Native {
    pub fn of(s: &Server) -> Native {
        let mut c = s.command(&["proxy", "--port=0", "--reject-paths=^$"]);
        let mut proxy = c.stdout(Stdio::piped()).spawn().unwrap_or_else(|e| panic!("kubectl proxy: {e}"));
        let mut line = String::new();
        let out = proxy.stdout.take().unwrap_or_else(|| panic!("no output of the proxy"));
        let _ = BufReader::new(out).read_line(&mut line);
        let address = line.trim().rsplit(' ').next().unwrap_or("").to_string();
        let view = |path: &str| s.k(&format!("config view -o jsonpath={{{path}}}"));
        let config = Config {
            server: view(".clusters[0].cluster.server"),
            cluster: view(".clusters[0].name"),
            user: view(".users[0].name"),
            context: view(".contexts[0].name"),
            namespace: view(".contexts[0].context.namespace"),
        };
        Native { proxy, address, config }
    }

    /// The exit code, standard output and standard error.
    pub fn run(&mut self, args: &[String], stdin: Option<String>) -> (i32, String, String) {
        let client = Http(self.address.clone());
        let mut screen = Screen::default();
        let stdin = stdin.map(|f| std::fs::read_to_string(files().join(f)).unwrap_or_default());
        let mut env = Env { client: &client, files: &Disk, terminal: &mut screen, config: &mut self.config, stdin };
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

struct Http(String);

impl Http {
    fn send(&self, r: &Request) -> Result<(Response, BufReader<TcpStream>, bool), String> {
        let mut s = TcpStream::connect(&self.0).map_err(|e| e.to_string())?;
        s.set_read_timeout(Some(Duration::from_secs(20))).map_err(|e| e.to_string())?;
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", r.method, r.path, self.0);
        for (k, v) in &r.headers {
            head.push_str(&format!("{k}: {v}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", r.body.len()));
        s.write_all(head.as_bytes()).and_then(|()| s.write_all(&r.body)).map_err(|e| e.to_string())?;
        let mut reader = BufReader::new(s);
        let mut line = String::new();
        reader.read_line(&mut line).map_err(|e| e.to_string())?;
        let status = line.split(' ').nth(1).and_then(|c| c.parse().ok()).unwrap_or(0);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).map_err(|e| e.to_string())?;
            let Some((k, v)) = line.trim_end().split_once(": ") else { break };
            headers.push((k.to_string(), v.to_string()));
        }
        let response = Response { status, headers, body: Vec::new() };
        let chunked = response.header("Transfer-Encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        Ok((response, reader, chunked))
    }
}

/// The next piece of a chunked body.
fn chunk(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let size = usize::from_str_radix(line.trim(), 16).ok()?;
    let mut data = vec![0; size + 2];
    reader.read_exact(&mut data).ok()?;
    data.truncate(size);
    (size > 0).then_some(data)
}

struct Pieces(BufReader<TcpStream>);

impl Stream for Pieces {
    fn next(&mut self) -> Future<'_, Option<Vec<u8>>> {
        let piece = chunk(&mut self.0);
        Box::pin(async move { piece })
    }
}

impl Client for Http {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        let answer = self.send(&r).map(|(mut response, mut reader, chunked)| {
            if chunked {
                while let Some(piece) = chunk(&mut reader) {
                    response.body.extend(piece);
                }
            } else {
                let _ = reader.read_to_end(&mut response.body);
            }
            response
        });
        Box::pin(async move { answer })
    }
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        let answer: Result<Box<dyn Stream>, Response> = match self.send(&r) {
            Ok((response, reader, _)) if response.status == 200 => Ok(Box::new(Pieces(reader))),
            Ok((mut response, mut reader, _)) => {
                let _ = reader.read_to_end(&mut response.body);
                Err(response)
            }
            Err(_) => Err(Response::default()),
        };
        Box::pin(async move { answer })
    }
    #[expect(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
    fn now(&self) -> i64 {
        let d = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(d.as_micros()).unwrap_or(i64::MAX)
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
