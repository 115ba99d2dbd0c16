//! One forwarded connection: the client's bytes are HTTP for a port of a pod. Models
//! `kubelet/pkg/cri/streaming/portforward`.

use super::proxy;
use super::streams::{Socket, goodbye};
use super::wire::Wire;
use crate::world::Handle;
use apiserver::ConnectTarget;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

const BUFFER: usize = 64 << 10;
const PIECES: usize = 64;

/// Bytes for one of the client's streams.
pub struct Piece {
    pub data: Bytes,
    pub last: bool,
}

/// Where a connection's bytes and errors go.
pub struct Ends {
    pub data: u32,
    pub error: u32,
    pub out: mpsc::Sender<(u32, Piece)>,
}

/// Carries one connection until either side has closed it.
pub async fn run(handle: Handle, target: ConnectTarget, port: u16, mut from_client: mpsc::Receiver<Bytes>, ends: Ends) {
    let mut error = String::new();
    let pod = target.clone();
    match handle.ask(move |w| w.forward_backend(&pod, port)).await {
        Err(e) => error = e.to_string(),
        Ok(Err(e)) => {
            let sandbox = &target.pod_uid;
            error = format!(
                "error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network \
                 namespace \"/var/run/netns/{sandbox}\": failed to connect to localhost:{port} inside namespace \
                 {sandbox:?}, IPv4: dial tcp4 127.0.0.1:{port}: connect: {e} IPv6 dial tcp6: address localhost: no \
                 suitable address found "
            );
        }
        Ok(Ok(backend)) => {
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            let service = service_fn(move |request| proxy::to_backend(handle.clone(), backend.clone(), request));
            tokio::spawn(async move {
                // A client that breaks off is no news.
                let _ = hyper::server::conn::http1::Builder::new()
                    .half_close(true)
                    .serve_connection(TokioIo::new(theirs), service)
                    .await;
            });
            let (mut read, mut write) = tokio::io::split(ours);
            let inward = async {
                while let Some(data) = from_client.recv().await {
                    if write.write_all(&data).await.is_err() {
                        return;
                    }
                }
                let _ = write.shutdown().await;
            };
            let outward = async {
                let mut buffer = vec![0; BUFFER];
                while let Ok(n @ 1..) = read.read(&mut buffer).await {
                    let piece = Piece { data: Bytes::copy_from_slice(&buffer[..n]), last: false };
                    if ends.out.send((ends.data, piece)).await.is_err() {
                        return;
                    }
                }
            };
            // The server's end is the end; the client may close its own half before.
            tokio::pin!(inward);
            tokio::pin!(outward);
            tokio::select! {
                () = &mut outward => {}
                () = &mut inward => outward.await,
            }
        }
    }
    let last = |data: Bytes| Piece { data, last: true };
    let _ = ends.out.send((ends.error, last(error.into()))).await;
    let _ = ends.out.send((ends.data, last(Bytes::new()))).await;
}

/// The ports of the request, two channels each: bytes and errors, each beginning with the port's number.
pub async fn channels(handle: Handle, target: ConnectTarget, socket: Socket, wire: Wire) {
    let (mut sink, mut stream) = socket.split();
    let (out, mut pieces) = mpsc::channel::<(u32, Piece)>(PIECES);
    let mut open = BTreeMap::new();
    for (data, port) in (0u32..).step_by(2).zip(target.options.ports.clone()) {
        let (into, from_client) = mpsc::channel::<Bytes>(PIECES);
        open.insert(data, into);
        for channel in [data, data + 1] {
            if sink.send(wire.message(channel, &port.to_le_bytes())).await.is_err() {
                return;
            }
        }
        let ends = Ends { data, error: data + 1, out: out.clone() };
        tokio::spawn(run(handle.clone(), target.clone(), port, from_client, ends));
    }
    drop(out);
    loop {
        tokio::select! {
            piece = pieces.recv() => match piece {
                // All connections have ended.
                None => break,
                Some((_, piece)) if piece.data.is_empty() => {}
                Some((channel, piece)) => {
                    if sink.send(wire.message(channel, &piece.data)).await.is_err() {
                        return;
                    }
                }
            },
            received = stream.next() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(message)) => {
                    let Some((channel, data)) = wire.read(&message) else { continue };
                    if let (Some(into), false) = (open.get(&u32::from(channel)), data.is_empty()) {
                        let _ = into.send(data.into()).await;
                    }
                }
            },
        }
    }
    let _ = sink.send(goodbye()).await;
}
