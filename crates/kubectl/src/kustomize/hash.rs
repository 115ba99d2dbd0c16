//! The hash at the end of a generated name. Models `kustomize/api/internal/hash`.

use crate::print::gojson;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Ten characters that tell the contents of a ConfigMap or Secret, and the name that `kubectl create` adds to them.
pub(crate) fn of_object(o: &Value, name: &str) -> String {
    let data = o.get("data").cloned().unwrap_or_else(|| json!(""));
    let mut of = json!({"data": data, "kind": o["kind"], "name": name});
    if o["kind"] == "Secret" {
        of["type"] = o.get("type").cloned().unwrap_or_else(|| json!(""));
        if let Some(text) = o.get("stringData") {
            of["stringData"] = text.clone();
        }
    } else if let Some(binary) = o.get("binaryData") {
        of["binaryData"] = binary.clone();
    }
    let digest = Sha256::digest(gojson::compact(&of));
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    // Without vowels, and what looks like them.
    let harmless = |c| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        c => c,
    };
    hex.chars().take(10).map(harmless).collect()
}
