//! A file cut into documents, so that a mistake in one does not hide the others.
//! Models `util/yaml.YAMLReader` (lines of `---`) and the JSON decoder (objects one after another).

/// A document's text, and how many lines come before it in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    pub text: &'a str,
    pub line_offset: u32,
}

/// Cuts at lines that hold `---` and nothing else but spaces or a comment; drops what holds no content.
pub fn split(text: &str) -> Vec<Chunk<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut chunks = Vec::new();
    let (mut start, mut start_line, mut at, mut line) = (0, 0, 0, 0);
    for full in text.split_inclusive('\n') {
        if is_separator(full) {
            push(&mut chunks, &text[start..at], start_line);
            start = at + full.len();
            start_line = line + 1;
        }
        at += full.len();
        line += 1;
    }
    push(&mut chunks, &text[start..], start_line);
    chunks
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || (rest.starts_with('#'))
    })
}

fn push<'a>(chunks: &mut Vec<Chunk<'a>>, text: &'a str, line_offset: u32) {
    let has_content = text.lines().map(str::trim_start).any(|l| !(l.is_empty() || l.starts_with(['#', '%'])));
    if !has_content {
        return;
    }
    let mut rest = Chunk { text, line_offset };
    while let Some(end) = end_of_json_object(rest.text) {
        if !rest.text[end..].trim_start().starts_with('{') {
            break;
        }
        chunks.push(Chunk { text: &rest.text[..end], line_offset: rest.line_offset });
        // The lines of what was cut off stay as blank ones, the columns of its last line as spaces are lost:
        // cut at the next line where there is one.
        let gap = rest.text[end..].find('{').map_or(end, |i| end + i);
        let cut = rest.text[end..gap].rfind('\n').map_or(gap, |i| end + i + 1);
        let lines = rest.text[..cut].matches('\n').count();
        rest =
            Chunk { text: &rest.text[cut..], line_offset: rest.line_offset + u32::try_from(lines).unwrap_or(u32::MAX) };
    }
    chunks.push(rest);
}

/// Where the first `{...}` ends, when the text begins with one.
fn end_of_json_object(text: &str) -> Option<usize> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u32, &str)]) {
        let got: Vec<_> = split(text).iter().map(|c| (c.line_offset, c.text.trim())).collect();
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn cuts_at_separators_only() {
        check("a: 1\n---\nb: 2\n", &[(0, "a: 1"), (2, "b: 2")]);
        check("---\na: 1\n--- # two\r\nb: 2", &[(1, "a: 1"), (3, "b: 2")]);
        check("# only words\n---\n\n---\na: |\n  ---\n", &[(4, "a: |\n  ---")]);
        check("--- {a: 1}\n", &[(0, "--- {a: 1}")]);
        check("%YAML 1.2\n---\na: 1\n", &[(2, "a: 1")]);
        check("", &[]);
    }

    #[test]
    fn cuts_json_objects() {
        check("{\"a\":\"}{\"}\n{\"b\":2}\n", &[(0, "{\"a\":\"}{\"}"), (1, "{\"b\":2}")]);
        check("{a: 1}", &[(0, "{a: 1}")]);
        check("{a: 1\n{b: 2}", &[(0, "{a: 1\n{b: 2}")]);
    }
}
