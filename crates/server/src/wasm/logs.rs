//! A guest's output, line by line, as the container runtime writes it to a pod's log.

use bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// The CRI's limit: longer lines are cut into pieces of this size.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// A guest that prints faster than the cluster takes lines is held back at this many.
pub const LINES_WAITING_MAX: usize = 1024;

/// `stdout` or `stderr`, and the line without its end.
pub type Line = (&'static str, String);

/// One of the two streams. Clones share the line that is being written.
#[derive(Clone)]
pub struct LogStream {
    name: &'static str,
    lines: mpsc::Sender<Line>,
    partial: Arc<Mutex<Vec<u8>>>,
}

impl LogStream {
    pub fn new(name: &'static str, lines: mpsc::Sender<Line>) -> Self {
        LogStream { name, lines, partial: Arc::default() }
    }

    fn push(&self, bytes: &[u8]) {
        let mut partial = self.partial.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for &b in bytes {
            if b != b'\n' {
                partial.push(b);
            }
            if b == b'\n' || partial.len() >= LINE_BYTES_MAX {
                self.send(&mut partial);
            }
        }
    }

    fn send(&self, partial: &mut Vec<u8>) {
        let line = String::from_utf8_lossy(partial).into_owned();
        partial.clear();
        // Never full: `check_write` grants no more bytes than lines fit. Closed means that nobody listens any more.
        let _ = self.lines.try_send((self.name, line));
    }

    /// What was printed without an end of line.
    pub fn finish(&self) {
        let mut partial = self.partial.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !partial.is_empty() {
            self.send(&mut partial);
        }
    }

    /// A message of the runtime itself.
    pub fn say(&self, message: &str) {
        self.finish();
        self.push(message.as_bytes());
        self.finish();
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(Writer(self.clone()))
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {
        // A closed channel is ready too: `check_write` then says so.
        let _ = self.lines.reserve_many(self.lines.max_capacity() / 4).await;
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        if self.lines.is_closed() {
            return Err(StreamError::Closed);
        }
        // Every byte could end a line, and both streams' partial lines need a place.
        Ok(self.lines.capacity().saturating_sub(2) / 2)
    }
}

/// The same stream for code that asks for an `AsyncWrite`.
struct Writer(LogStream);

impl tokio::io::AsyncWrite for Writer {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        buf: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        self.0.push(buf);
        std::task::Poll::Ready(Ok(buf.len()))
    }
    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_their_ends() {
        let (tx, mut rx) = mpsc::channel(16);
        let stream = LogStream::new("stdout", tx);
        stream.push(b"one\ntw");
        stream.push(b"o\n\nthree");
        stream.finish();
        let mut got = Vec::new();
        while let Ok((_, line)) = rx.try_recv() {
            got.push(line);
        }
        assert_eq!(got, ["one", "two", "", "three"]);
    }
}
