//! SPDY/3.1: how kubectl before 1.31 opens streams, and how port-forward does to this day, inside a WebSocket.

mod exec;
mod frames;
pub mod link;
mod ports;

pub use exec::exec;
pub use ports::forward;

use frames::{Decoder, Encoder, Frame};
use link::Link;

/// A connection whose streams the other side opens.
struct Connection {
    link: Link,
    decoder: Decoder,
    encoder: Encoder,
}

impl Connection {
    fn new(link: Link) -> anyhow::Result<Self> {
        Ok(Connection { link, decoder: Decoder::default(), encoder: Encoder::new()? })
    }

    /// What the bytes say; pings and openings are answered. `None`: it is over.
    async fn take(&mut self, bytes: Option<bytes::Bytes>) -> Option<Vec<Frame>> {
        let frames = self.decoder.feed(&bytes?).ok()?;
        for f in &frames {
            let answer = match f {
                Frame::Ping(id) => self.encoder.ping(*id),
                Frame::Open { stream, .. } => self.encoder.reply(*stream).ok()?,
                Frame::GoAway => return None,
                _ => continue,
            };
            self.send(answer).await?;
        }
        Some(frames)
    }

    async fn send(&self, bytes: Vec<u8>) -> Option<()> {
        self.link.outgoing.send(bytes.into()).await.ok()
    }

    async fn data(&self, stream: u32, data: &[u8], fin: bool) -> Option<()> {
        self.send(self.encoder.data(stream, data, fin)).await
    }
}

/// A header's value.
fn get<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
}
