//! Port forwarding: two SPDY streams for each connection, its bytes and its errors. Models
//! `kubelet/pkg/cri/streaming/portforward/httpstream.go`.

use super::super::forward::{self, Piece};
use super::frames::Frame;
use super::link::Link;
use super::{Connection, get};
use crate::world::Handle;
use apiserver::ConnectTarget;
use bytes::Bytes;
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Pieces on their way to the client.
const PIECES: usize = 64;

pub async fn forward(handle: Handle, target: ConnectTarget, link: Link) {
    let Ok(mut c) = Connection::new(link) else { return };
    let (out, mut pieces) = mpsc::channel::<(u32, Piece)>(PIECES);
    // The error stream of each request, and the way into each connection by its data stream.
    let mut errors: BTreeMap<String, u32> = BTreeMap::new();
    let mut open: BTreeMap<u32, mpsc::Sender<Bytes>> = BTreeMap::new();
    loop {
        tokio::select! {
            piece = pieces.recv() => {
                let Some((stream, piece)) = piece else { return };
                if c.data(stream, &piece.data, piece.last).await.is_none() {
                    return;
                }
            }
            bytes = c.link.incoming.recv() => {
                let Some(frames) = c.take(bytes).await else { return };
                for f in frames {
                    match f {
                        Frame::Open { stream, headers, .. } => {
                            let request = get(&headers, "requestid").to_string();
                            if get(&headers, "streamtype") == "error" {
                                errors.insert(request, stream);
                                continue;
                            }
                            let port = get(&headers, "port").parse().unwrap_or(0);
                            let error = errors.remove(&request).unwrap_or(stream);
                            let (into, from_client) = mpsc::channel(PIECES);
                            open.insert(stream, into);
                            let ends = forward::Ends { data: stream, error, out: out.clone() };
                            tokio::spawn(forward::run(handle.clone(), target.clone(), port, from_client, ends));
                        }
                        Frame::Data { stream, data, fin } => {
                            if let (Some(into), false) = (open.get(&stream), data.is_empty()) {
                                // Who has closed its end does not listen any more.
                                let _ = into.send(data.into()).await;
                            }
                            if fin {
                                open.remove(&stream);
                            }
                        }
                        Frame::Reset { stream } => {
                            open.remove(&stream);
                        }
                        Frame::Ping(_) | Frame::GoAway => {}
                    }
                }
            }
        }
    }
}
