//! The parser's complaints in the words of the YAML parser inside kubectl, with a hint code each.

use serde_saphyr::granit_parser::{ErrorKind as K, ScanError};

/// What is wrong on a line: the message (without `yaml: line N: `), the hint code, and the line it is about.
pub struct Complaint {
    pub message: String,
    pub hint: &'static str,
    /// Lines below the one the parser stopped at: a tab may only be noticed from the line before.
    pub lines_below: usize,
    /// Where on the line, when that is known better than the parser knew.
    pub column: Option<usize>,
}

/// `lines` begin with the one the parser stopped at; `above` is the one before it.
pub fn describe<'a>(error: &ScanError, lines: impl Iterator<Item = &'a str>, above: &str) -> Complaint {
    let is_blank = |l: &str| l.trim().is_empty();
    for (i, line) in lines.take(3).enumerate() {
        let indent = line.chars().take_while(|c| c.is_whitespace());
        if !is_blank(line)
            && let Some(column) = indent.clone().position(|c| c == '\t')
        {
            let message = if i == 0 {
                "found character that cannot start any token"
            } else {
                "found a tab character that violates indentation"
            };
            return Complaint { message: message.into(), hint: "tabs", lines_below: i, column: Some(column) };
        }
        if i > 0 && !is_blank(line) {
            break;
        }
    }
    let (message, hint) = match (error.kind(), left_open(above)) {
        (K::MappingValueNotAllowed | K::ExpectedNodeContent, Some('{')) => {
            ("did not find expected ',' or '}'", "bracket")
        }
        (K::MappingValueNotAllowed | K::ExpectedNodeContent, Some(_)) => {
            ("did not find expected ',' or ']'", "bracket")
        }
        (kind, _) => in_kubectls_words(kind),
    };
    let message = if message.is_empty() { error.kind().to_string() } else { message.into() };
    Complaint { message, hint, lines_below: 0, column: None }
}

/// The innermost bracket that a line opens and does not close: the likely cause of trouble on the next line.
fn left_open(line: &str) -> Option<char> {
    let (mut open, mut quote) = (Vec::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => break,
            (None, '[' | '{') => open.push(c),
            (None, ']' | '}') => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// An empty message where kubectl's parser has no such complaint.
fn in_kubectls_words(kind: &K) -> (&'static str, &'static str) {
    match kind {
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabAtBlockScalarStart => {
            ("found a tab character that violates indentation", "tabs")
        }
        K::TabInPlainScalar => ("found character that cannot start any token", "tabs"),
        K::UnexpectedCharacter { .. } => ("found character that cannot start any token", "quote"),
        K::MappingValueNotAllowed | K::InvalidMappingValueWhitespace | K::InvalidColonPlacement => {
            ("mapping values are not allowed in this context", "colon")
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey | K::UnexpectedEndOfPlainScalar => {
            ("could not find expected ':'", "colon")
        }
        K::ExpectedBlockMappingKey | K::InvalidIndentation | K::MappingKeyNotAllowed => {
            ("did not find expected key", "indent")
        }
        K::BlockSequenceEntryNotAllowed => ("block sequence entries are not allowed in this context", "indent"),
        K::ExpectedBlockSequenceEntry => ("did not find expected '-' indicator", "indent"),
        K::ExpectedFlowMappingSeparator | K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping => {
            ("did not find expected ',' or '}'", "bracket")
        }
        K::ExpectedFlowSequenceSeparator | K::UnexpectedEofFlowSequence => {
            ("did not find expected ',' or ']'", "bracket")
        }
        K::UnclosedFlowCollection { open: '{' } => ("did not find expected ',' or '}'", "bracket"),
        K::UnclosedFlowCollection { .. } => ("did not find expected ',' or ']'", "bracket"),
        K::MisplacedFlowCollectionEnd | K::MismatchedFlowCollectionEnd { .. } => {
            ("did not find expected node content", "bracket")
        }
        K::ExpectedNodeContent => ("did not find expected node content", "syntax"),
        K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar => ("found unexpected end of stream", "quote"),
        K::UnknownQuotedScalarEscape => ("found unknown escape character", "quote"),
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            ("did not find expected key", "quote")
        }
        K::RecursionLimitExceeded => ("exceeded max depth", "too-deep"),
        K::UnknownAnchor => ("unknown anchor referenced", "anchor"),
        K::UndeclaredTagHandle => ("found undefined tag handle", "tag"),
        _ => ("", "syntax"),
    }
}
