//! What Go says of broken JSON. Models `encoding/json`'s scanner.

/// The first mistake in the value that a text begins with: how many bytes were read with the one that is wrong, and
/// Go's words; `None` in place of the offset: the text ends too early. `Ok`: how long the value is.
pub(crate) fn scan(text: &str) -> Result<usize, (Option<usize>, String)> {
    let mut s = Scanner { bytes: text.as_bytes(), at: 0 };
    s.value()?;
    Ok(s.at)
}

/// As `YAMLOrJSONDecoder` tells it.
pub(crate) fn decoder_words(text: &str) -> Option<String> {
    match scan(text) {
        Ok(_) => None,
        Err((Some(offset), said)) => Some(format!("json: offset {offset}: {said}")),
        Err((None, _)) => Some("unexpected EOF".into()),
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

type Scan = Result<(), (Option<usize>, String)>;

impl Scanner<'_> {
    fn blank(&mut self) {
        while self.bytes.get(self.at).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }
    fn wrong(&self, context: &str) -> Scan {
        let Some(&b) = self.bytes.get(self.at) else { return Err((None, "unexpected end of JSON input".into())) };
        let shown = match b {
            b'\'' => r"'\''".to_string(),
            b'"' => "'\"'".into(),
            b'\\' => r"'\\'".into(),
            b'\n' => r"'\n'".into(),
            b'\r' => r"'\r'".into(),
            b'\t' => r"'\t'".into(),
            0..=0x1f | 0x7f => format!("'\\x{b:02x}'"),
            // Go takes a byte for a character.
            b => format!("'{}'", char::from(b)),
        };
        Err((Some(self.at + 1), format!("invalid character {shown} {context}")))
    }
    fn value(&mut self) -> Scan {
        self.blank();
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.wrong("looking for beginning of value"),
        }
    }
    fn object(&mut self) -> Scan {
        self.at += 1;
        self.blank();
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            if self.bytes.get(self.at) != Some(&b'"') {
                return self.wrong("looking for beginning of object key string");
            }
            self.string()?;
            self.blank();
            if self.bytes.get(self.at) != Some(&b':') {
                return self.wrong("after object key");
            }
            self.at += 1;
            self.value()?;
            if self.ends(b'}', "after object key:value pair")? {
                return Ok(());
            }
        }
    }
    fn array(&mut self) -> Scan {
        self.at += 1;
        self.blank();
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            if self.ends(b']', "after array element")? {
                return Ok(());
            }
        }
    }
    fn ends(&mut self, end: u8, context: &str) -> Result<bool, (Option<usize>, String)> {
        self.blank();
        match self.bytes.get(self.at) {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(b) if *b == end => {
                self.at += 1;
                Ok(true)
            }
            _ => self.wrong(context).map(|()| true),
        }
    }
    fn string(&mut self) -> Scan {
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.bytes.get(self.at) {
                        Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => {}
                        Some(b'u') => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.bytes.get(self.at).is_some_and(u8::is_ascii_hexdigit) {
                                    return self.wrong("in \\u hexadecimal character escape");
                                }
                            }
                        }
                        _ => return self.wrong("in string escape code"),
                    }
                    self.at += 1;
                }
                Some(b) if *b >= 0x20 => self.at += 1,
                _ => return self.wrong("in string literal"),
            }
        }
    }
    fn word(&mut self, word: &str) -> Scan {
        for want in word.bytes() {
            if self.bytes.get(self.at) != Some(&want) {
                return self.wrong(&format!("in literal {word} (expecting '{}')", char::from(want)));
            }
            self.at += 1;
        }
        Ok(())
    }
    fn digits(&mut self, context: &str) -> Scan {
        if !self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            return self.wrong(context);
        }
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        Ok(())
    }
    fn number(&mut self) -> Scan {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits("in numeric literal")?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::decoder_words;

    #[test]
    fn slips_are_told_in_gos_words() {
        for (text, want) in [
            (r#"{"a":1}"#, None),
            (r#"{"a":1"#, Some("unexpected EOF")),
            (r#"{"a":1,}"#, Some("json: offset 8: invalid character '}' looking for beginning of object key string")),
            (r#"{"a" 1}"#, Some("json: offset 6: invalid character '1' after object key")),
            (r#"{"a":[1 2]}"#, Some("json: offset 9: invalid character '2' after array element")),
            (r#"{"a":trux}"#, Some("json: offset 9: invalid character 'x' in literal true (expecting 'e')")),
            (r#"{"a":1.}"#, Some("json: offset 8: invalid character '}' after decimal point in numeric literal")),
            (r#"{"a":"\q"}"#, Some("json: offset 8: invalid character 'q' in string escape code")),
        ] {
            assert_eq!(decoder_words(text).as_deref(), want, "{text}");
        }
    }
}
