//! The definitions of `/openapi/v2` as protobuf, the one form in which `kubectl explain` without v3 takes them. The numbers are
//! those of gnostic's `OpenAPIv2.proto`.

use serde_json::{Map, Value};

/// A message as it is written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut n: usize) {
        while n >= 0x80 {
            self.0.push(u8::try_from(n & 0x7f).unwrap_or(0) | 0x80);
            n >>= 7;
        }
        self.0.push(u8::try_from(n).unwrap_or(0));
    }
    fn bytes(&mut self, field: usize, content: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(content.len());
        self.0.extend_from_slice(content);
    }
    fn text(&mut self, field: usize, v: &Value) {
        if let Some(text) = v.as_str().filter(|t| !t.is_empty()) {
            self.bytes(field, text.as_bytes());
        }
    }
    fn message(&mut self, field: usize, m: &Message) {
        self.bytes(field, &m.0);
    }
    /// `Any`: its YAML, of which JSON is a part.
    fn any(&mut self, field: usize, v: &Value) {
        let mut any = Message::default();
        any.bytes(2, v.to_string().as_bytes());
        self.message(field, &any);
    }
    fn named(&mut self, field: usize, name: &str, write: impl FnOnce(&mut Message)) {
        let mut m = Message::default();
        m.bytes(1, name.as_bytes());
        write(&mut m);
        self.message(field, &m);
    }
}

/// `Definitions` and `Properties` are the same: named schemas.
fn schemas(all: &Map<String, Value>) -> Message {
    let mut m = Message::default();
    for (name, s) in all {
        m.named(1, name, |m| m.message(2, &schema(s)));
    }
    m
}

fn schema(s: &Value) -> Message {
    let mut m = Message::default();
    m.text(1, &s["$ref"]);
    m.text(2, &s["format"]);
    m.text(4, &s["description"]);
    if let Some(default) = s.get("default") {
        m.any(5, default);
    }
    for name in s["required"].as_array().into_iter().flatten() {
        m.text(19, name);
    }
    if let Some(of) = s.get("additionalProperties").filter(|of| of.is_object()) {
        let mut item = Message::default();
        item.message(1, &schema(of));
        m.message(21, &item);
    }
    if s["type"].is_string() {
        let mut item = Message::default();
        item.text(1, &s["type"]);
        m.message(22, &item);
    }
    if let Some(of) = s.get("items").filter(|of| of.is_object()) {
        let mut item = Message::default();
        item.message(1, &schema(of));
        m.message(23, &item);
    }
    if let Some(properties) = s["properties"].as_object() {
        m.message(25, &schemas(properties));
    }
    for (name, v) in s.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("x-")) {
        m.named(31, name, |m| m.any(2, v));
    }
    m
}

/// The document without its paths, which v3 has.
pub fn encode(document: &Value) -> Vec<u8> {
    let mut m = Message::default();
    m.text(1, &document["swagger"]);
    let mut info = Message::default();
    info.text(1, &document["info"]["title"]);
    info.text(2, &document["info"]["version"]);
    m.message(2, &info);
    if let Some(definitions) = document["definitions"].as_object() {
        m.message(9, &schemas(definitions));
    }
    m.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_lengths() {
        let s = json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/definitions/b"}}});
        let bytes = encode(&json!({"swagger": "2.0", "info": {}, "definitions": {"c": s}}));
        let want: Vec<u8> = [
            &b"\x0a\x032.0\x12\x00\x4a\x31\x0a\x2f\x0a\x01c\x12\x2a"[..],
            b"\x9a\x01\x01a\xb2\x01\x08\x0a\x06object\xca\x01\x18\x0a\x16\x0a\x01a\x12\x11\x0a\x0f#/definitions/b",
        ]
        .concat();
        assert_eq!(bytes, want);
    }
}
