//! `-o custom-columns`. Models `kubectl/pkg/cmd/get/customcolumn.go`.

use super::jsonpath::{JsonPath, go_value, relaxed};
use super::object::is_list;
use super::table::columns;
use serde_json::Value;

pub(crate) struct Custom {
    headers: Vec<String>,
    /// As written: what is wrong with one is said when the first object is printed.
    paths: Vec<String>,
    no_headers: bool,
    printed: bool,
}

impl Custom {
    pub fn of(spec: &str, no_headers: bool) -> Result<Custom, String> {
        let (mut headers, mut paths) = (Vec::new(), Vec::new());
        for part in spec.split(',') {
            let Some((header, path)) = part.split_once(':') else {
                return Err(format!("unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"));
            };
            headers.push(header.to_string());
            paths.push(relaxed(path)?);
        }
        Ok(Custom { headers, paths, no_headers, printed: false })
    }

    /// Two lines: headers, then paths.
    pub fn of_file(text: &str) -> Result<Custom, String> {
        const EXPECTED: &str =
            "Expected format is one line of space separated headers, one line of space separated column specs.";
        let mut lines = text.lines();
        let headers = lines.next().ok_or_else(|| format!("invalid template, missing header line. {EXPECTED}"))?;
        let specs = lines.next().ok_or_else(|| format!("invalid template, missing spec line. {EXPECTED}"))?;
        let headers: Vec<String> = headers.split_whitespace().map(String::from).collect();
        let specs: Vec<&str> = specs.split_whitespace().collect();
        if headers.len() != specs.len() {
            return Err(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                specs.len()
            ));
        }
        let paths: Result<Vec<String>, String> = specs.iter().map(|s| relaxed(s)).collect();
        Ok(Custom { headers, paths: paths?, no_headers: false, printed: false })
    }

    /// # Errors
    /// With what was printed before.
    pub fn print(&mut self, v: &Value) -> Result<String, (String, String)> {
        let mut rows = Vec::new();
        if !self.no_headers && !self.printed {
            rows.push(self.headers.clone());
        }
        self.printed = true;
        let items = match v["items"].as_array() {
            Some(items) if is_list(v) => items.as_slice(),
            _ => std::slice::from_ref(v),
        };
        let paths: Result<Vec<JsonPath>, String> = self.paths.iter().map(|p| JsonPath::parse(p, true)).collect();
        let done = paths.and_then(|paths| {
            for item in items {
                rows.push(Custom::row(&paths, item)?);
            }
            Ok(())
        });
        let text = columns(rows);
        match done {
            Ok(()) => Ok(text),
            Err(e) => Err((text, e)),
        }
    }

    fn row(paths: &[JsonPath], v: &Value) -> Result<Vec<String>, String> {
        let mut cells = Vec::new();
        for path in paths {
            let results = path.find(v)?;
            let mut texts: Vec<String> = Vec::new();
            if results.first().is_none_or(Vec::is_empty) {
                texts.push("<none>".into());
            }
            texts.extend(results.iter().flatten().map(|r| go_value(r).replace('\u{1b}', "^[")));
            cells.push(texts.join(","));
        }
        Ok(cells)
    }
}
