//! How the channels of a pod's streams are put into the messages of a WebSocket. Models
//! `apiserver/pkg/util/wsstream/conn.go`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_tungstenite::tungstenite::Message;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// The channel's number as a byte, then the data.
    Binary,
    /// The channel's number as a digit, then the data in base64.
    Base64,
}

impl Wire {
    /// What a protocol says; none at all is the oldest binary one.
    pub fn of(protocol: &str) -> Wire {
        if protocol.contains("base64") { Wire::Base64 } else { Wire::Binary }
    }

    pub fn message(self, channel: u32, data: &[u8]) -> Message {
        let channel = u8::try_from(channel).unwrap_or(u8::MAX);
        match self {
            Wire::Binary => Message::Binary([&[channel], data].concat().into()),
            Wire::Base64 => {
                let digit = char::from(b'0'.saturating_add(channel));
                Message::Text(format!("{digit}{}", STANDARD.encode(data)).into())
            }
        }
    }

    /// The channel's number and what came on it, for a message that has both.
    pub fn read(self, message: &Message) -> Option<(u8, Vec<u8>)> {
        let all: &[u8] = match message {
            Message::Binary(data) => data,
            Message::Text(text) => text.as_bytes(),
            _ => return None,
        };
        let (channel, data) = all.split_first()?;
        match self {
            Wire::Binary => Some((*channel, data.to_vec())),
            Wire::Base64 => Some((channel.checked_sub(b'0')?, STANDARD.decode(data).ok()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_travel_as_bytes_or_as_text() {
        assert_eq!(Wire::of("").message(1, b"hi"), Message::Binary(b"\x01hi".to_vec().into()));
        assert_eq!(Wire::of("v4.base64.channel.k8s.io").message(1, b"hi"), Message::Text("1aGk=".into()));
        for wire in [Wire::Binary, Wire::Base64] {
            assert_eq!(wire.read(&wire.message(3, b"data")), Some((3, b"data".to_vec())));
        }
        assert_eq!(Wire::Base64.read(&Message::Text("1?".into())), None);
        assert_eq!(Wire::Binary.read(&Message::Ping(Default::default())), None);
    }
}
