//! `-o custom-columns`. Models `kubectl/pkg/cmd/get/customcolumn.go`.

use super::jsonpath::{JsonPath, go_value, relaxed};
use super::object::is_list;
use super::table::columns;
use serde_json::Value;

pub(crate) struct Custom {
    headers: Vec<String>,
    paths: Vec<JsonPath>,
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
            paths.push(JsonPath::parse(&relaxed(path)?, true)?);
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
        let paths: Result<Vec<JsonPath>, String> =
            specs.iter().map(|s| relaxed(s).and_then(|p| JsonPath::parse(&p, true))).collect();
        Ok(Custom { headers, paths: paths?, no_headers: false, printed: false })
    }

    pub fn print(&mut self, v: &Value) -> Result<String, String> {
        let mut rows = Vec::new();
        if !self.no_headers && !self.printed {
            rows.push(self.headers.clone());
        }
        self.printed = true;
        match v["items"].as_array() {
            Some(items) if is_list(v) => {
                for item in items {
                    rows.push(self.row(item)?);
                }
            }
            _ => rows.push(self.row(v)?),
        }
        Ok(columns(rows))
    }

    fn row(&self, v: &Value) -> Result<Vec<String>, String> {
        let mut cells = Vec::new();
        for path in &self.paths {
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
