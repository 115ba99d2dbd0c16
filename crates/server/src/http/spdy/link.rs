//! The bytes under SPDY: an upgraded connection, or the messages of a WebSocket that carries SPDY.

use super::super::streams::{Socket, goodbye};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

const PIECES: usize = 64;

/// Ends when both are dropped.
pub struct Link {
    pub incoming: mpsc::Receiver<Bytes>,
    pub outgoing: mpsc::Sender<Bytes>,
}

pub fn over_websocket(socket: Socket) -> Link {
    let (tx, incoming) = mpsc::channel(PIECES);
    let (outgoing, mut rx) = mpsc::channel::<Bytes>(PIECES);
    let (mut sink, mut stream) = socket.split();
    tokio::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            let data = match message {
                Message::Binary(data) => data,
                Message::Close(_) => return,
                _ => continue,
            };
            if tx.send(data).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(data) = rx.recv().await {
            if sink.send(Message::Binary(data)).await.is_err() {
                return;
            }
        }
        let _ = sink.send(goodbye()).await;
    });
    Link { incoming, outgoing }
}

pub fn over_connection(io: TokioIo<Upgraded>) -> Link {
    let (tx, incoming) = mpsc::channel(PIECES);
    let (outgoing, mut rx) = mpsc::channel::<Bytes>(PIECES);
    let (mut read, mut write) = tokio::io::split(io);
    tokio::spawn(async move {
        let mut buffer = vec![0; 32 << 10];
        while let Ok(n @ 1..) = read.read(&mut buffer).await {
            if tx.send(Bytes::copy_from_slice(&buffer[..n])).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(data) = rx.recv().await {
            if write.write_all(&data).await.is_err() {
                return;
            }
        }
        let _ = write.shutdown().await;
    });
    Link { incoming, outgoing }
}
