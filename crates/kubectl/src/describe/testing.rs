//! A client with canned answers.

use super::{Settings, describe};
use crate::client::{Client, Future, Request, Response, Stream};
use crate::mapping::Mapping;
use serde_json::{Value, json};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Answers by path, without the query; whatever else is not found.
struct Canned<'a>(&'a [(&'a str, Value)]);

impl Client for Canned<'_> {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        let path = r.path.split('?').next().unwrap_or("").to_string();
        let found = self.0.iter().find(|(p, _)| *p == path);
        let status = if found.is_some() { 200 } else { 404 };
        let missing = json!({"kind": "Status", "reason": "NotFound", "message": format!("{path} is not there")});
        let body = found.map_or(missing, |(_, v)| v.clone()).to_string().into_bytes();
        Box::pin(std::future::ready(Ok(Response { status, headers: Vec::new(), body })))
    }
    fn stream(&self, _: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        Box::pin(std::future::ready(Err(Response::default())))
    }
    fn now(&self) -> i64 {
        // 2026-01-01T00:00:00Z
        1_767_225_600_000_000
    }
}

/// The description of an object, with what the server answers to requests.
pub fn described(group: &str, kind: &str, object: &Value, answers: &[(&str, Value)]) -> String {
    let mapping = Mapping { group: group.into(), version: "v1".into(), kind: kind.into(), ..Mapping::default() };
    let (client, settings) = (Canned(answers), Settings::default());
    let mut future = pin!(describe(&client, &mapping, object, &settings));
    // Everything is answered at once.
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(text) => text.expect("it is described"),
        Poll::Pending => panic!("a canned answer was waited for"),
    }
}
