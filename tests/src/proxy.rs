//! The server as `kubectl proxy` shows it: plain HTTP, for a client that has no certificates.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

pub struct Proxy {
    child: Child,
    /// Host and port.
    pub address: String,
}

impl Proxy {
    /// `command` is kubectl with its kubeconfig.
    pub fn start(mut command: Command) -> Proxy {
        // Everything may be asked for, exec too.
        let command =
            command.args(["proxy", "--port=0", "--reject-paths=^$"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start kubectl proxy: {e}"));
        let out = child.stdout.take().unwrap_or_else(|| panic!("no output from kubectl proxy"));
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        assert!(read.is_ok(), "kubectl proxy says nothing");
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_string();
        Proxy { child, address }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
