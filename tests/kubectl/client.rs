//! The crate's client for tests: HTTP/1.1 that waits for each answer, through `kubectl proxy`.

use kubectl::{Client, Future, Request, Response, Stream};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Host and port.
pub struct Http(pub String);

impl Http {
    fn send(&self, r: &Request) -> Result<(Response, BufReader<TcpStream>, bool), String> {
        let mut s = TcpStream::connect(&self.0).map_err(|e| e.to_string())?;
        s.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
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

/// What is silent for so long has ended.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(20);
const LOOKS_MAX: u32 = 1000;

struct Pieces(BufReader<TcpStream>);

impl Stream for Pieces {
    /// Whoever waits may do something else every [`LOOK`].
    fn next(&mut self) -> Future<'_, Option<Vec<u8>>> {
        let mut looks = 0;
        Box::pin(std::future::poll_fn(move |_| {
            let _ = self.0.get_ref().set_read_timeout(Some(LOOK));
            let came = self.0.fill_buf().map(|_| ());
            looks += 1;
            if looks < LOOKS_MAX && came.is_err_and(|e| e.kind() == ErrorKind::WouldBlock) {
                return Poll::Pending;
            }
            let _ = self.0.get_ref().set_read_timeout(Some(PATIENCE));
            Poll::Ready(chunk(&mut self.0))
        }))
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
