//! Objects as `kubectl get -o yaml` prints them.

use serde_json::Value;

pub fn to_yaml(v: &Value) -> String {
    let options = serde_saphyr::SerializerOptions {
        // kubectl never folds long lines.
        folded_wrap_chars: usize::MAX,
        ..Default::default()
    };
    let mut out = String::new();
    // Writing a JSON tree to a string cannot fail.
    let _ = serde_saphyr::to_fmt_writer_with_options(&mut out, v, options);
    out
}
