//! The environment files of `fileKeyRef`. Models `pkg/kubelet/util/env/env_util.go`.

/// The value of `key`; empty when the file does not have it. Values may stand in single quotes, which may hold line ends.
///
/// # Errors
/// The file is malformed before the key was found.
pub fn value(text: &str, key: &str) -> Result<String, String> {
    let bad = |line: usize| format!("invalid environment variable format at line {line}");
    let mut lines = text.lines().enumerate().map(|(i, l)| (i + 1, l));
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, rest) = line.split_once('=').ok_or_else(|| bad(number))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(bad(number));
        }
        let mut value = rest.trim().to_string();
        if let Some(open) = rest.trim_start().strip_prefix('\'') {
            value = open.to_string();
            while !value.contains('\'') {
                let (_, more) = lines.next().ok_or("unexpected end of file: unclosed quote")?;
                value = format!("{value}\n{more}");
            }
            value.truncate(value.find('\'').unwrap_or(value.len()));
        } else {
            while let Some(start) = value.strip_suffix('\\') {
                let start = start.trim_end().to_string();
                let (number, more) = lines.next().ok_or("unexpected end of file: unfinished line continuation")?;
                let more = more.trim();
                if more.is_empty() || more.starts_with('#') {
                    return Err(bad(number));
                }
                value = format!("{start} {more}");
            }
        }
        if name == key {
            return Ok(value);
        }
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_are_found_quoted_or_plain() {
        let text = "# settings\n\n  DB='an address'\nEND = point  \nLONG=a \\\n  b\nTWO='x\ny'\n";
        for (key, want) in [("DB", "an address"), ("END", "point"), ("LONG", "a b"), ("TWO", "x\ny"), ("NOPE", "")] {
            assert_eq!(value(text, key), Ok(want.to_string()), "{key}");
        }
    }

    #[test]
    fn malformed_lines_are_refused() {
        assert_eq!(value("nonsense\nA=1", "A"), Err("invalid environment variable format at line 1".into()));
        assert_eq!(value("A=1 \\\n\nB=2", "B"), Err("invalid environment variable format at line 2".into()));
        assert_eq!(value("=1", "A"), Err("invalid environment variable format at line 1".into()));
    }
}
