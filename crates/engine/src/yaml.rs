//! Objects as `kubectl get -o yaml` prints them.

use serde_json::Value;

pub fn to_yaml(v: &Value) -> String {
    // kubectl never folds long lines.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let mut out = String::new();
    // Writing a JSON tree to a string cannot fail.
    let _ = serde_saphyr::to_fmt_writer_with_options(&mut out, v, options);
    out
}
