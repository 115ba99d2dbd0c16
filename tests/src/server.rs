//! A server on a free port, with a kubeconfig of its own, ended when it goes out of scope.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What a program printed and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Ran {
        let output = command.stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        Ran {
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
    /// Standard output of a success; a failure fails the test with everything printed.
    #[track_caller]
    pub fn good(self) -> String {
        assert!(self.ok, "it failed:\n{}\n{}", self.out, self.err);
        self.out
    }
    /// Standard error of a failure.
    #[track_caller]
    pub fn bad(self) -> String {
        assert!(!self.ok, "it should have failed:\n{}\n{}", self.out, self.err);
        self.err
    }
}

pub struct Server {
    child: Child,
    dir: PathBuf,
    /// The line printed when ready.
    pub line: String,
}

impl Server {
    /// `None`, having said why, where kubectl or the binary is missing.
    pub fn start(args: &[&str]) -> Option<Server> {
        if !crate::kubectl_is_here() {
            return None;
        }
        let bin = crate::kubottle()?;
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("kubottle-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        let mut command = Command::new(bin);
        command.args(["serve", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--state"]).arg(&dir);
        command.arg("--kubeconfig").arg(dir.join("config")).args(args).current_dir(&dir).env("HOME", &dir);
        // Pods that no test asks for.
        if !args.contains(&"--coredns") {
            command.args(["--coredns", "false"]);
        }
        if !args.contains(&"--wasm-nodes") {
            command.args(["--wasm-nodes", "0"]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("cannot start the server: {e}"));
        let mut line = String::new();
        let out = child.stdout.take().map(BufReader::new);
        let mut out = out.unwrap_or_else(|| panic!("no output from the server"));
        let read = out.read_line(&mut line);
        // Whatever else it says is read, so that it never waits for us.
        std::thread::spawn(move || out.lines().for_each(drop));
        let server = Server { child, dir, line };
        assert!(read.is_ok_and(|n| n > 0), "the server ended before it was ready");
        assert!(server.dir.join("config").exists(), "no kubeconfig was written; the server said {:?}", server.line);
        Some(server)
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("config")
    }

    /// A directory of its own, where kubectl keeps what it has discovered.
    pub fn home(&self) -> &std::path::Path {
        &self.dir
    }

    /// `kubottle ARGS` with this server's state directory.
    pub fn kubottle(&self, args: &[&str]) -> Ran {
        let bin = crate::kubottle().unwrap_or_default();
        Ran::of(Command::new(bin).args(args).arg("--state").arg(&self.dir))
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new("kubectl");
        // It ends before its garbage is worth collecting.
        c.env("GOGC", "off");
        c.arg("--kubeconfig").arg(self.kubeconfig()).args(args).env("HOME", &self.dir);
        c
    }

    /// `kubectl ARGS`.
    pub fn kubectl(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// `kubectl WORDS`, split at spaces, which must succeed.
    #[track_caller]
    pub fn k(&self, words: &str) -> String {
        self.kubectl(&words.split(' ').collect::<Vec<_>>()).good()
    }

    /// `kubectl apply -f tests/manifests/NAME`.
    #[track_caller]
    pub fn apply(&self, name: &str) -> String {
        self.kubectl(&["apply", "-f", &crate::manifest(name)]).good()
    }

    /// Writes a file of its own for the test; its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.join(name);
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path.to_string_lossy().into_owned()
    }

    /// Runs `kubectl WORDS` until `is_it` likes what it prints; fails after a minute.
    #[track_caller]
    pub fn until(&self, words: &str, is_it: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let ran = self.kubectl(&words.split(' ').collect::<Vec<_>>());
            if ran.ok && is_it(&ran.out) {
                return ran.out;
            }
            if begun.elapsed() > Duration::from_secs(60) {
                panic!("a minute has passed; kubectl {words}:\n{}\n{}", ran.out, ran.err);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
