//! The server's Tables. Models `cli-runtime/pkg/printers/tableprinter.go`.

use super::jsonpath::go_value;
use super::tab::Tab;
use serde_json::{Value, json};

#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub no_headers: bool,
    pub wide: bool,
    pub with_namespace: bool,
    pub show_labels: bool,
    pub label_columns: Vec<String>,
    /// `pod`, `deployment.apps`: put before names.
    pub kind: Option<String>,
}

/// Prints one table after the other; headers come when the columns change.
#[derive(Debug)]
pub(crate) struct TablePrinter {
    options: Options,
    last_columns: Vec<Value>,
    printed_headers: bool,
    /// What was printed without a table.
    last_plain: bool,
    now: i64,
}

impl TablePrinter {
    pub fn new(options: Options, now: i64) -> TablePrinter {
        TablePrinter { options, last_columns: Vec::new(), printed_headers: false, last_plain: false, now }
    }

    /// A Table, or any object where the server made none; `event` of a watch.
    pub fn print(&mut self, object: &Value, event: Option<&str>, tab: &mut Tab) {
        if object["kind"] == "Table" {
            self.table(object, event, tab);
        } else {
            self.plain(object, event, tab);
        }
    }

    fn table(&mut self, table: &Value, event: Option<&str>, tab: &mut Tab) {
        let mut columns = table["columnDefinitions"].as_array().cloned().unwrap_or_default();
        let rows = table["rows"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut no_headers = self.options.no_headers;
        if self.printed_headers && (columns.is_empty() || columns == self.last_columns) {
            no_headers = true;
        }
        if columns.is_empty() {
            columns.clone_from(&self.last_columns);
        } else if columns != self.last_columns {
            self.last_columns.clone_from(&columns);
            self.printed_headers = false;
        }
        if !rows.is_empty() {
            self.printed_headers = true;
        }
        let o = &self.options;
        let shown: Vec<usize> =
            (0..columns.len()).filter(|i| o.wide || columns[*i]["priority"].as_i64().unwrap_or(0) == 0).collect();
        let name_column =
            o.kind.as_ref().and_then(|_| columns.iter().position(|c| c["format"] == "name" && c["type"] == "string"));
        if !no_headers && !rows.is_empty() {
            let mut head: Vec<String> = Vec::new();
            head.extend(event.map(|_| "EVENT".to_string()));
            if o.with_namespace {
                head.push("NAMESPACE".into());
            }
            head.extend(shown.iter().map(|i| columns[*i]["name"].as_str().unwrap_or("").to_uppercase()));
            head.extend(o.label_columns.iter().map(|l| l.rsplit('/').next().unwrap_or(l).to_uppercase()));
            if o.show_labels {
                head.push("LABELS".into());
            }
            tab.row(head);
        }
        for row in rows {
            let cells = row["cells"].as_array().map(Vec::as_slice).unwrap_or_default();
            let meta = &row["object"]["metadata"];
            let mut line: Vec<String> = Vec::new();
            line.extend(event.map(event_type));
            if o.with_namespace {
                line.push(meta["namespace"].as_str().unwrap_or("").into());
            }
            for i in &shown {
                let Some(cell) = cells.get(*i) else { break };
                let text = if cell.is_null() { String::new() } else { one_line(&go_value(cell)) };
                match (&o.kind, name_column) {
                    (Some(kind), Some(n)) if n == *i => line.push(format!("{kind}/{text}")),
                    _ => line.push(text),
                }
            }
            line.extend(label_cells(meta, o));
            tab.row(line);
        }
    }

    /// Models `defaultHandlerEntry` and `statusHandlerEntry`.
    fn plain(&mut self, object: &Value, event: Option<&str>, tab: &mut Tab) {
        let o = &self.options;
        let items: Vec<&Value> = match object["items"].as_array() {
            Some(list) => list.iter().collect(),
            None => vec![object],
        };
        if !self.last_plain && !o.no_headers {
            let mut head: Vec<String> = Vec::new();
            head.extend(event.map(|_| "EVENT".to_string()));
            if o.with_namespace {
                head.push("NAMESPACE".into());
            }
            head.extend(["NAME".to_string(), "AGE".into()]);
            head.extend(o.label_columns.iter().map(|l| l.rsplit('/').next().unwrap_or(l).to_uppercase()));
            if o.show_labels {
                head.push("LABELS".into());
            }
            tab.row(head);
        }
        for item in items {
            let meta = &item["metadata"];
            let mut line: Vec<String> = Vec::new();
            line.extend(event.map(event_type));
            if o.with_namespace {
                line.push(meta["namespace"].as_str().unwrap_or("").into());
            }
            let name = meta["name"].as_str().unwrap_or("");
            line.push(o.kind.as_ref().map_or_else(|| name.to_string(), |k| format!("{k}/{name}")));
            line.push(crate::time::since(meta["creationTimestamp"].as_str().unwrap_or(""), self.now));
            line.extend(label_cells(meta, o));
            tab.row(line);
        }
        self.last_plain = true;
    }
}

fn label_cells(meta: &Value, o: &Options) -> Vec<String> {
    let labels = meta["labels"].as_object();
    let mut out: Vec<String> = o
        .label_columns
        .iter()
        .map(|l| labels.and_then(|m| m.get(l)).and_then(Value::as_str).unwrap_or("").to_string())
        .collect();
    if o.show_labels {
        let pairs: Vec<String> =
            labels.into_iter().flatten().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
        out.push(if pairs.is_empty() { "<none>".into() } else { pairs.join(",") });
    }
    out
}

fn event_type(t: &str) -> String {
    format!("{t:<8}")
}

/// What comes after the first line's end is left out.
fn one_line(text: &str) -> String {
    let escaped = |t: &str| t.replace('\u{1b}', "^[");
    match text.find(['\n', '\r', '\u{c}']) {
        Some(i) => format!("{}...", escaped(&text[..i])),
        None => escaped(text),
    }
}

/// A table of the client's own making.
pub(crate) fn columns(rows: Vec<Vec<String>>) -> String {
    let mut tab = Tab::new();
    rows.into_iter().for_each(|r| tab.row(r));
    tab.flush()
}

/// A table sorted by a field of its rows' objects. Models `TableSorter`.
pub(crate) fn sort(table: &mut Value, field: &str) -> Result<(), String> {
    if table["rows"].as_array().is_none_or(|r| r.len() < 2) {
        return Ok(());
    }
    let Value::Array(rows) = table["rows"].take() else { return Ok(()) };
    let rows = super::sort::sort_by(rows, field, |r| &r["object"])?;
    table["rows"] = json!(rows);
    Ok(())
}

/// Columns as `tabbedString` makes them: no column is narrower than its text asks for.
pub(crate) fn narrow(rows: Vec<Vec<String>>) -> String {
    let mut tab = Tab::with(0, 2);
    rows.into_iter().for_each(|r| tab.row(r));
    tab.flush()
}
