//! A wrong type in the words of Go's JSON decoder: `json: cannot unmarshal string into Go struct field
//! DeploymentSpec.spec.replicas of type int32`. Models `encoding/json.UnmarshalTypeError`.

use super::node::Node;

/// `target` is the Rust type that was wanted, `error` what serde says, `place` the innermost Go struct and the fields
/// from the top down to the value.
pub fn text(target: &str, error: &str, place: Option<(&str, &str)>) -> String {
    let go = go_type(target);
    if go == "resource.Quantity" {
        return meta::quantity::ParseQuantityError.to_string();
    }
    let value = go_value(error, &go);
    if go == "intstr.IntOrString" {
        return format!("json: cannot unmarshal {value} into Go value of type int32");
    }
    match place {
        Some((name, fields)) => {
            format!("json: cannot unmarshal {value} into Go struct field {name}.{fields} of type {go}")
        }
        None => format!("json: cannot unmarshal {value} into Go value of type {go}"),
    }
}

/// Whether a refusal of this newtype quotes what was written.
pub fn keeps_text(newtype: &str) -> bool {
    matches!(newtype, "Time" | "MicroTime")
}

/// Models `metav1.Time.UnmarshalJSON` and `time.Parse`.
pub fn time(newtype: &str, node: &Node<'_>) -> String {
    let layout = if newtype == "Time" { "2006-01-02T15:04:05Z07:00" } else { "2006-01-02T15:04:05.000000Z07:00" };
    let kind = match node {
        Node::String(text) => {
            return format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\"");
        }
        Node::Null => "null",
        Node::Bool(_) => "bool",
        Node::Unsigned(_) | Node::Signed(_) | Node::Float(_) => "number",
        Node::Array(_) => "array",
        Node::Object(_) => "object",
    };
    format!("json: cannot unmarshal {kind} into Go value of type string")
}

/// Why Go's `base64.StdEncoding` cannot read this; `None` when it can.
pub fn base64(text: &[u8]) -> Option<String> {
    base64_error(text).map(|at| format!("illegal base64 data at input byte {at}"))
}

/// Models `CorruptInputError` as `decodeQuantum` makes it.
fn base64_error(text: &[u8]) -> Option<usize> {
    let symbol = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    let mut bytes = text.iter().copied().enumerate().filter(|(_, b)| !matches!(b, b'\r' | b'\n'));
    let mut in_quantum = 0;
    loop {
        match bytes.next() {
            None if in_quantum == 0 => return None,
            None => return Some(text.len() - in_quantum),
            Some((_, b)) if symbol(b) => in_quantum = (in_quantum + 1) % 4,
            Some((_, b'=')) if in_quantum == 2 => {
                return match bytes.next() {
                    None => Some(text.len()),
                    Some((_, b'=')) => bytes.next().map(|(at, _)| at),
                    Some((at, _)) => Some(at),
                };
            }
            Some((_, b'=')) if in_quantum == 3 => return bytes.next().map(|(at, _)| at),
            Some((at, _)) => return Some(at),
        }
    }
}

/// What Go calls the JSON value that serde describes.
fn go_value(error: &str, go: &str) -> String {
    let rest =
        error.split_once("invalid type: ").or_else(|| error.split_once("invalid value: ")).map_or(error, |p| p.1);
    let literal = rest.split('`').nth(1);
    match rest.split([' ', ',']).next().unwrap_or("") {
        "string" | "character" => "string".into(),
        "boolean" => "bool".into(),
        "map" => "object".into(),
        "sequence" => "array".into(),
        "null" | "unit" => "null".into(),
        // Go names the number when the number, not its being one, is what does not fit.
        "integer" | "floating" | "number" => match literal {
            Some(l) if go.starts_with("int") => format!("number {l}"),
            _ => "number".into(),
        },
        _ => "string".into(),
    }
}

/// `alloc::vec::Vec<k8s_openapi::…::Container>` is `[]v1.Container`.
fn go_type(rust: &str) -> String {
    if let Some((outer, inner)) = rust.strip_suffix('>').and_then(|r| r.split_once('<')) {
        return match outer.rsplit("::").next().unwrap_or("") {
            "Vec" => format!("[]{}", go_type(inner)),
            "BTreeMap" => {
                let (k, v) = inner.split_once(", ").unwrap_or(("", inner));
                format!("map[{}]{}", go_type(k), go_type(v))
            }
            _ => go_type(inner),
        };
    }
    let name = rust.rsplit("::").next().unwrap_or(rust);
    match name {
        "String" | "str" => "string".into(),
        "i32" => "int32".into(),
        "i64" => "int64".into(),
        "f64" => "float64".into(),
        "bool" => "bool".into(),
        "ByteString" => "[]uint8".into(),
        "Quantity" => "resource.Quantity".into(),
        "IntOrString" => "intstr.IntOrString".into(),
        _ => format!("v1.{name}"),
    }
}
