//! The only way out: requests to an API server, and what time it is there.

use crate::error::{Error, Status};
use serde_json::Value;

pub type Future<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + 'a>>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub method: &'static str,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Request {
        Request { method: "GET", path: path.into(), ..Request::default() }
    }
    pub fn new(method: &'static str, path: impl Into<String>) -> Request {
        Request { method, path: path.into(), ..Request::default() }
    }
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }
    #[must_use]
    pub fn json(mut self, body: &Value) -> Request {
        self.body = body.to_string().into_bytes();
        self.header("Content-Type", "application/json")
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// An answer that comes in pieces: a watch, followed logs.
pub trait Stream {
    /// `None`: it has ended.
    fn next(&mut self) -> Future<'_, Option<Vec<u8>>>;
}

pub trait Client {
    /// `Err`: there is no connection.
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>>;
    /// `Err`: the server refused.
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>>;
    /// Microseconds since 1970, for ages: virtual time.
    fn now(&self) -> i64;
}

/// Sends `r`; whatever is no success is an error.
///
/// # Errors
/// No connection, or the server's refusal.
pub async fn send(client: &dyn Client, r: Request) -> Result<Response, Error> {
    let response = client.request(r).await.map_err(Error::Connection)?;
    match response.status {
        200..=299 => Ok(response),
        _ => Err(refusal(&response)),
    }
}

/// What the server said when it did not do it. Models `rest.Request.transformResponse`.
pub fn refusal(response: &Response) -> Error {
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    match body {
        Some(v) if v["kind"] == "Status" => Error::Status(Box::new(Status(v))),
        _ => Error::Status(Box::new(Status::unstructured(response))),
    }
}

/// The object, list or table at a path.
///
/// # Errors
/// As [`send`]; and an answer that is no JSON.
pub async fn get_json(client: &dyn Client, path: &str) -> Result<Value, Error> {
    send_json(client, Request::get(path).header("Accept", "application/json")).await
}

/// [`send`], with the answer read.
///
/// # Errors
/// As [`get_json`].
pub async fn send_json(client: &dyn Client, r: Request) -> Result<Value, Error> {
    parse(&send(client, r).await?.body)
}

pub(crate) fn parse(body: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|e| Error::text(format!("the server's answer is no JSON: {e}")))
}

/// Everything of a query but letters, digits and `-_.~`, as Go's `url.QueryEscape`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(b as char),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

/// `?a=b&c=d`, or nothing.
pub fn query(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", escape(v))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}
