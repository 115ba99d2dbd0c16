//! YAML events into a JSON value and, beside it, the place of every field.

use crate::scalar::{self, Scalars};
use crate::split::Chunk;
use crate::syntax;
use crate::{Position, Problem};
use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use std::collections::{BTreeMap, BTreeSet};

/// JSON readers downstream stop at 128 levels.
const DEPTH_MAX: usize = 120;
/// Copies made by aliases, in values. A manifest that uses anchors well makes a few hundred.
const COPIES_MAX: usize = 100_000;

/// More than anyone reads; reading stops there.
pub const PROBLEMS_MAX: usize = 1000;

/// The places of a value and of everything in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Of the key (of the value itself where there is none).
    pub key: Position,
    pub value: Position,
    pub children: Children,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Children {
    #[default]
    None,
    Map(Places),
    List(Vec<Node>),
}

pub type Places = BTreeMap<Box<str>, Node>;

/// What was read from a chunk: mostly one document, more when it holds `--- {a: 1}` lines.
pub fn read(file: &str, chunk: Chunk<'_>, scalars: Scalars, problems: &mut Vec<Problem>) -> Vec<(Value, Node)> {
    let options = granit_parser::options! {
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
        emit_comments: false,
    };
    let parser = Parser::new_from_str_with_options(chunk.text, options);
    let mut reader = Reader { file, chunk, scalars, parser, anchors: BTreeMap::new(), copies: 0, problems };
    let mut documents = Vec::new();
    // A document with a problem is still handed back where it could be read to its end, so that what else is
    // wrong with it is found too; the caller refuses all if there was any problem.
    if let Err(problem) = reader.stream(&mut documents) {
        reader.problems.push(*problem);
    }
    documents
}

struct Reader<'a, 'p> {
    file: &'a str,
    chunk: Chunk<'a>,
    scalars: Scalars,
    parser: Parser<'a, StrInput<'a>>,
    anchors: BTreeMap<usize, Anchored>,
    copies: usize,
    problems: &'p mut Vec<Problem>,
}

struct Anchored {
    value: Value,
    node: Node,
    size: usize,
}

type Fatal = Box<Problem>;

impl<'a> Reader<'a, '_> {
    fn stream(&mut self, documents: &mut Vec<(Value, Node)>) -> Result<(), Fatal> {
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) => self.anchors.clear(),
                Event::StreamEnd => break,
                event => {
                    let (value, node, _) = self.node(event, span, 0, &mut String::new())?;
                    if !value.is_null() {
                        documents.push((value, node));
                    }
                }
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Fatal> {
        self.parser.next_event().transpose().map_err(|e| self.syntax(&e))
    }

    /// The event and the number of values read, itself included.
    fn node(
        &mut self,
        event: Event<'a>,
        span: Span,
        depth: usize,
        path: &mut String,
    ) -> Result<(Value, Node, usize), Fatal> {
        let at = self.position(&span);
        if depth > DEPTH_MAX {
            return Err(Box::new(self.problem(at, "too-deep", "exceeded max depth")));
        }
        let mut node = Node { key: at, value: at, children: Children::None };
        let (value, anchor, size) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), at, path);
                let size = 1 + text.len() / 64;
                (value, anchor, size)
            }
            Event::SequenceStart(_, anchor, _) => {
                let (items, places, size) = self.sequence(depth, path)?;
                node.children = Children::List(places);
                (Value::Array(items), anchor, size)
            }
            Event::MappingStart(_, anchor, _) => {
                let (map, places, size) = self.mapping(depth, path)?;
                node.children = Children::Map(places);
                (Value::Object(map), anchor, size)
            }
            Event::Alias(id) => {
                let Some(anchored) = self.anchors.get(&id) else {
                    let message = format!("anchor '{}' value contains itself", self.alias_name(&span));
                    return Err(Box::new(self.bare(at, "anchor", &message)));
                };
                self.copies += anchored.size;
                if self.copies > COPIES_MAX {
                    return Err(Box::new(self.bare(at, "alias-bomb", "document contains excessive aliasing")));
                }
                node.children = anchored.node.children.clone();
                return Ok((anchored.value.clone(), node, anchored.size));
            }
            _ => return Err(Box::new(self.problem(at, "syntax", "did not find expected node content"))),
        };
        if anchor > 0 {
            self.copies += size;
            if self.copies > COPIES_MAX {
                return Err(Box::new(self.bare(at, "alias-bomb", "document contains excessive aliasing")));
            }
            self.anchors.insert(anchor, Anchored { value: value.clone(), node: node.clone(), size });
        }
        Ok((value, node, size))
    }

    fn sequence(&mut self, depth: usize, path: &mut String) -> Result<(Vec<Value>, Vec<Node>, usize), Fatal> {
        let (mut items, mut places, mut size) = (Vec::new(), Vec::new(), 1);
        let base = path.len();
        while let Some((event, span)) = self.next()? {
            if event == Event::SequenceEnd {
                break;
            }
            path.push_str(&format!("[{}]", items.len()));
            let (value, node, n) = self.node(event, span, depth + 1, path)?;
            path.truncate(base);
            items.push(value);
            places.push(node);
            size += n;
        }
        Ok((items, places, size))
    }

    fn mapping(&mut self, depth: usize, path: &mut String) -> Result<(Map<String, Value>, Places, usize), Fatal> {
        let (mut map, mut places, mut size) = (Map::new(), Places::new(), 1);
        // Keys written here, as opposed to merged in: only those can be duplicates.
        let mut written = BTreeSet::new();
        let base = path.len();
        while let Some((event, span)) = self.next()? {
            if event == Event::MappingEnd {
                break;
            }
            let at = self.position(&span);
            let merge = matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
            let (key, _, n) = self.node(event, span, depth + 1, path)?;
            size += n;
            let key = if merge { None } else { self.key(key, at, path) };
            if let Some(key) = &key {
                if key.contains('.') {
                    path.push_str(&format!("[{key}]"));
                } else {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(key);
                }
            }
            let Some((event, span)) = self.next()? else { break };
            let (value, mut node, n) = self.node(event, span, depth + 1, path)?;
            size += n;
            node.key = at;
            if merge {
                self.merge(value, node, at, path, &mut map, &mut places);
            } else if let Some(key) = key {
                if !written.insert(key.clone()) {
                    self.duplicate(&key, at, path);
                }
                // The last counts where somebody reads past it.
                places.insert(key.as_str().into(), node);
                map.insert(key, value);
            }
            path.truncate(base);
        }
        Ok((map, places, size))
    }

    /// `<<: *base` or `<<: [*a, *b]`. As in kubectl's parser a merge also replaces keys written above it.
    fn merge(
        &mut self,
        value: Value,
        node: Node,
        at: Position,
        path: &str,
        map: &mut Map<String, Value>,
        places: &mut Places,
    ) {
        match (value, node.children) {
            (Value::Object(from), Children::Map(from_places)) => {
                map.extend(from);
                places.extend(from_places);
            }
            // The first of a list wins, so it is merged last.
            (Value::Array(list), Children::List(list_places)) => {
                for (value, node) in list.into_iter().zip(list_places).rev() {
                    if value.is_object() {
                        self.merge(value, node, at, path, map, places);
                    } else {
                        self.push(
                            self.bare(at, "anchor", "map merge requires map or sequence of maps as the value"),
                            path,
                        );
                    }
                }
            }
            _ => self.push(self.bare(at, "anchor", "map merge requires map or sequence of maps as the value"), path),
        }
    }

    fn duplicate(&mut self, key: &str, at: Position, path: &str) {
        let message = format!("key {} already set in map", quoted(key));
        let kubectl = format!(
            "error parsing {}: error converting YAML to JSON: yaml: unmarshal errors:\n  line {}: {message}",
            self.file, at.line
        );
        self.push(Problem::new(self.file, at, "duplicate-key", message).said(kubectl), path);
    }

    /// Keys are strings in JSON: numbers and booleans are written out. Models `sigs.k8s.io/yaml` convertToJSONableObject.
    fn key(&mut self, key: Value, at: Position, path: &str) -> Option<String> {
        match key {
            Value::String(s) => Some(s),
            Value::Bool(b) => Some(b.to_string()),
            Value::Number(n) => Some(n.to_string()),
            other => {
                let message = format!("yaml: invalid map key: {other}");
                self.push(Problem::yaml(self.file, at, "map-key", message), path);
                None
            }
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position, path: &str) -> Value {
        let core = tag.and_then(Tag::core_suffix);
        let resolved = match (tag, core) {
            (None, _) if style != ScalarStyle::Plain => return Value::String(text.into()),
            (None, _) => scalar::resolve(text, self.scalars),
            (_, Some("int" | "float" | "bool" | "null")) => scalar::resolve(text, self.scalars),
            _ => return Value::String(text.into()),
        };
        let value = match resolved {
            Ok(value) => value,
            Err(message) => {
                let kubectl = format!("error parsing {}: error converting YAML to JSON: {message}", self.file);
                self.push(Problem::new(self.file, at, "number", message).said(kubectl), path);
                return Value::Null;
            }
        };
        let fits = match core {
            Some("int" | "float") => value.is_number(),
            Some("bool") => value.is_boolean(),
            Some("null") => value.is_null(),
            _ => true,
        };
        if !fits {
            let found = match &value {
                Value::Null => "null",
                Value::Bool(_) => "bool",
                Value::Number(_) => "int",
                _ => "str",
            };
            let wanted = core.unwrap_or_default();
            let message = format!("yaml: cannot decode !!{found} `{text}` as a !!{wanted}");
            self.push(Problem::yaml(self.file, at, "tag", message), path);
        }
        value
    }

    fn push(&mut self, problem: Problem, path: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.at_path(path));
        }
    }
    /// `yaml: line 3: ...`
    fn problem(&self, at: Position, hint: &'static str, message: &str) -> Problem {
        Problem::yaml(self.file, at, hint, format!("yaml: line {}: {message}", at.line))
    }
    /// Without the line, as the parser in kubectl says what it finds after parsing.
    fn bare(&self, at: Position, hint: &'static str, message: &str) -> Problem {
        Problem::yaml(self.file, at, hint, format!("yaml: {message}"))
    }

    fn syntax(&self, error: &ScanError) -> Fatal {
        let marker = error.marker();
        let line = marker.line().saturating_sub(1);
        let lines = self.chunk.text.lines().skip(line);
        let above = line.checked_sub(1).and_then(|i| self.chunk.text.lines().nth(i)).unwrap_or("");
        let complaint = syntax::describe(error, lines.clone(), above);
        let at = self.place(marker.line() + complaint.lines_below, complaint.column.unwrap_or(marker.col()));
        if complaint.hint == "anchor" {
            let rest = lines.clone().next().unwrap_or("").chars().skip(marker.col());
            let rest = rest.skip_while(|c| *c == '*');
            let name: String = rest.take_while(|c| !c.is_whitespace() && !",[]{}".contains(*c)).collect();
            return Box::new(self.bare(at, complaint.hint, &format!("unknown anchor '{name}' referenced")));
        }
        Box::new(self.problem(at, complaint.hint, &complaint.message))
    }

    fn alias_name(&self, span: &Span) -> &str {
        span.slice(self.chunk.text).unwrap_or("").trim_start_matches('*')
    }
    fn position(&self, span: &Span) -> Position {
        self.place(span.start.line(), span.start.col())
    }
    fn place(&self, line: usize, column: usize) -> Position {
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX).saturating_add(self.chunk.line_offset).max(1),
            column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
        }
    }
}

/// As Go's `%q` for the keys people write.
fn quoted(key: &str) -> String {
    Value::from(key).to_string()
}
