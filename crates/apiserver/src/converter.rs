//! What a strategic merge patch makes of an object is no JSON any more when it becomes typed: a value of the wrong type is
//! refused in the words of `fromUnstructured` of `apimachinery/pkg/runtime/converter.go`.

/// A refusal of Go's JSON decoder in the converter's words. What reads itself from JSON (quantities, times, ports by
/// number or name) keeps the decoder's.
pub fn words(json: &str) -> String {
    said(json).unwrap_or_else(|| json.into())
}

fn said(json: &str) -> Option<String> {
    if let Some(at) = json.strip_prefix("illegal base64 data") {
        return Some(format!("error decoding from json: illegal base64 data{at}"));
    }
    let (found, rest) = json.strip_prefix("json: cannot unmarshal ")?.split_once(" into Go ")?;
    if rest == "value of type int32" {
        return None;
    }
    let (_, wanted) = rest.rsplit_once(" of type ")?;
    let found = match found {
        "object" => "map",
        "array" => "slice",
        "number" => "int64",
        f if f.starts_with("number ") => match f.contains(['.', 'e', 'E']) {
            true => "float64",
            // Too large: Go converts that without a word, here it is refused.
            false => return None,
        },
        f => f,
    };
    Some(match wanted {
        w if w.starts_with("map[") => format!("cannot restore map from {found}"),
        w if w.starts_with("[]") => format!("cannot restore slice from {found}"),
        w if w.starts_with("v1.") => format!("cannot restore struct from: {found}"),
        "string" if found == "int64" => "cannot convert int64 to string".into(),
        w if found == "float64" && w.starts_with("int") => format!("cannot convert float64 to {w}"),
        w => format!("unrecognized type: {w}"),
    })
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn wrong_types_are_told_by_what_cannot_be_restored() {
        let of = |found: &str, wanted: &str| {
            words(&format!("json: cannot unmarshal {found} into Go struct field Pod.spec.x of type {wanted}"))
        };
        assert_eq!(of("string", "map[string]string"), "cannot restore map from string");
        assert_eq!(of("string", "int32"), "unrecognized type: int32");
        assert_eq!(of("string", "v1.DeploymentSpec"), "cannot restore struct from: string");
        assert_eq!(of("object", "[]v1.Container"), "cannot restore slice from map");
        assert_eq!(of("array", "string"), "unrecognized type: string");
        assert_eq!(of("number", "string"), "cannot convert int64 to string");
        assert_eq!(of("number", "bool"), "unrecognized type: bool");
        assert_eq!(of("number 1.5", "int32"), "cannot convert float64 to int32");
        let port = "json: cannot unmarshal bool into Go value of type int32";
        assert_eq!(words(port), port);
    }
}
