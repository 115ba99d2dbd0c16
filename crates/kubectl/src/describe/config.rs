//! ConfigMaps, Secrets, ServiceAccounts.

use super::events::{self, About};
use super::view::View;
use super::writer::put;
use super::{Describer, parts};
use crate::error::Error;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

impl Describer<'_> {
    pub async fn config_map(&self, map: View<'_>) -> Result<String, Error> {
        let events = match self.settings.show_events {
            // Here, other than elsewhere, a refusal to show events is a failure.
            true => Some(self.search(About::object("ConfigMap", map)).await?),
            false => None,
        };
        let mut w = self.writer();
        parts::head(&mut w, map);
        put!(w, 0, "\nData\n====\n");
        for (key, value) in map.map("data") {
            put!(w, 0, "{key}:\n----\n");
            put!(w, 0, "{}\n", value.text());
            put!(w, 0, "\n");
        }
        put!(w, 0, "\nBinaryData\n====\n");
        for (key, value) in map.map("binaryData") {
            put!(w, 0, "{key}: {} bytes\n", bytes(value).len());
        }
        put!(w, 0, "\n");
        events::write(&mut w, events);
        Ok(w.finish())
    }

    pub fn secret(&self, secret: View<'_>) -> Result<String, Error> {
        let mut w = self.writer();
        parts::head(&mut w, secret);
        let kind = secret.s("type");
        put!(w, 0, "\nType:\t{kind}\n");
        put!(w, 0, "\nData\n====\n");
        for (key, value) in secret.map("data") {
            let value = bytes(value);
            if key == "token" && kind == "kubernetes.io/service-account-token" {
                put!(w, 0, "{key}:\t{}\n", String::from_utf8_lossy(&value));
            } else {
                put!(w, 0, "{key}:\t{} bytes\n", value.len());
            }
        }
        Ok(w.finish())
    }

    pub async fn service_account(&self, account: View<'_>) -> Result<String, Error> {
        let events = self.events(About::object("ServiceAccount", account)).await;
        let mut w = self.writer();
        parts::head(&mut w, account);
        let secrets = account.list("imagePullSecrets");
        if secrets.is_empty() {
            put!(w, 0, "Image pull secrets:\t<none>\n");
        }
        for (i, secret) in secrets.into_iter().enumerate() {
            let title = if i == 0 { "Image pull secrets:" } else { "                   " };
            put!(w, 0, "{title}\t{}\n", secret.s("name"));
        }
        events::write(&mut w, events);
        Ok(w.finish())
    }
}

fn bytes(v: View) -> Vec<u8> {
    STANDARD.decode(v.text()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::describe::testing::described;
    use serde_json::json;

    #[test]
    fn secrets_show_sizes_and_tokens_of_accounts() {
        let mut secret = json!({
            "metadata": {"name": "s", "namespace": "d"}, "type": "Opaque",
            "data": {"token": "aGVsbG8=", "b": "YWI="},
        });
        assert_eq!(
            described("", "Secret", &secret, &[]),
            "Name:         s\nNamespace:    d\nLabels:       <none>\nAnnotations:  <none>\n\nType:  Opaque\n\nData\n====\nb:      2 bytes\ntoken:  5 bytes\n"
        );
        secret["type"] = "kubernetes.io/service-account-token".into();
        assert!(described("", "Secret", &secret, &[]).ends_with("token:  hello\n"));
    }

    #[test]
    fn a_config_map_shows_its_data_whole() {
        let map = json!({
            "metadata": {"name": "c", "namespace": "d"},
            "data": {"b": "two\nlines", "a": "1"}, "binaryData": {"x": "AAEC"},
        });
        let text = described("", "ConfigMap", &map, &[("/api/v1/namespaces/d/events", json!({"items": []}))]);
        assert_eq!(
            text,
            "Name:         c\nNamespace:    d\nLabels:       <none>\nAnnotations:  <none>\n\nData\n====\na:\n----\n1\n\nb:\n----\ntwo\nlines\n\n\nBinaryData\n====\nx: 3 bytes\n\nEvents:  <none>\n"
        );
    }
}
