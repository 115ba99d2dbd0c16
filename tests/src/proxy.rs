//! The server as `kubectl proxy` shows it: plain HTTP, for a client that has no certificates.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

pub struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    /// `command` is kubectl with its kubeconfig.
    pub fn start(mut command: Command) -> Proxy {
        let child = command.args(["proxy", "--port=0"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|e| panic!("cannot start kubectl proxy: {e}"));
        let out = child.stdout.take().unwrap_or_else(|| panic!("no output from kubectl proxy"));
        let mut line = String::new();
        let read = BufReader::new(out).read_line(&mut line);
        assert!(read.is_ok(), "kubectl proxy says nothing");
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_string();
        Proxy { child, address }
    }

    /// The status and the body of an answer.
    ///
    /// # Errors
    /// There is no connection.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let mut stream = TcpStream::connect(&self.address)?;
        // Version 1.0: the answer comes in one piece and ends with the connection.
        let mut head =
            format!("{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\n", self.address, body.len());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let split = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(answer.len());
        let status = String::from_utf8_lossy(&answer[..split]);
        let status = status.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Ok((status, answer.get(split + 4..).unwrap_or_default().to_vec()))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
