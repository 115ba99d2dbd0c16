//! Broken JSON in the words of Go's `encoding/json`.

use serde::de::DeserializeOwned;

const KEY: &str = "looking for beginning of object key string";
const VALUE: &str = "looking for beginning of value";

/// What Go says about `bytes`, which serde_json could not read for this reason.
pub fn words(bytes: &[u8], e: &serde_json::Error) -> String {
    if e.is_eof() {
        return "unexpected end of JSON input".into();
    }
    let said = e.to_string();
    let line = bytes.split(|b| *b == b'\n').nth(e.line().saturating_sub(1)).unwrap_or_default();
    let rest = line.get(e.column().saturating_sub(1)..).unwrap_or_default();
    let Some(found) = String::from_utf8_lossy(rest).chars().next() else { return said };
    let places = [
        ("key must be a string", KEY),
        ("trailing comma", if found == '}' { KEY } else { VALUE }),
        ("expected `:`", "after object key"),
        ("expected `,` or `}`", "after object key:value pair"),
        ("expected `,` or `]`", "after array element"),
        ("trailing characters", "after top-level value"),
        ("expected value", VALUE),
    ];
    match places.iter().find(|(ours, _)| said.starts_with(ours)) {
        Some((_, place)) => format!("invalid character '{found}' {place}"),
        None => said,
    }
}

/// The same when anything may be wrong with what was read as a `T`: its syntax, or its types.
pub fn why<T: DeserializeOwned>(bytes: &[u8], e: &serde_json::Error) -> String {
    if e.is_data() {
        return super::plain::<T>(bytes).err().unwrap_or_else(|| e.to_string());
    }
    words(bytes, e)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn the_words_of_go() {
        let of = |text: &str| {
            let e = serde_json::from_slice::<serde_json::Value>(text.as_bytes()).expect_err("it is broken");
            words(text.as_bytes(), &e)
        };
        assert_eq!(of("{]"), "invalid character ']' looking for beginning of object key string");
        assert_eq!(of("{\"a\":1,}"), "invalid character '}' looking for beginning of object key string");
        assert_eq!(of("{\"a\" 1}"), "invalid character '1' after object key");
        assert_eq!(of("{\"a\":1 \"b\"}"), "invalid character '\"' after object key:value pair");
        assert_eq!(of("[1 2]"), "invalid character '2' after array element");
        assert_eq!(of("{}\n x"), "invalid character 'x' after top-level value");
        assert_eq!(of("{\"a\":}"), "invalid character '}' looking for beginning of value");
        assert_eq!(of("{\"a\":"), "unexpected end of JSON input");
    }
}
