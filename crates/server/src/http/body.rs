//! Response bodies.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Errors end the connection, as they do upstream.
pub type Body = UnsyncBoxBody<Bytes, anyhow::Error>;

pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|e: Infallible| match e {}).boxed_unsync()
}

/// `first`, then what comes until the sender is gone or `deadline` is reached.
pub fn stream(first: Bytes, frames: mpsc::Receiver<Bytes>, deadline: Option<Instant>) -> Body {
    let first = Some(first).filter(|b| !b.is_empty());
    let steps = futures_util::stream::unfold((first, frames), move |(first, mut frames)| async move {
        if let Some(first) = first {
            return Some((Ok(Frame::data(first)), (None, frames)));
        }
        let next = match deadline {
            Some(at) => tokio::select! {
                next = frames.recv() => next,
                () = sleep_until(at) => None,
            },
            None => frames.recv().await,
        };
        next.map(|bytes| (Ok(Frame::data(bytes)), (None, frames)))
    });
    StreamBody::new(steps).boxed_unsync()
}
