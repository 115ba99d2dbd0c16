//! From the parsed script to a flat list of operations, so that a shell can stop anywhere and go on later.

use brush_parser::ast::{
    AndOr, AndOrList, AssignmentName, AssignmentValue, BinaryPredicate, Command, CommandPrefixOrSuffixItem,
    CompoundCommand, CompoundList, ExtendedTestExpr, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
    Program, SeparatorOperator, SimpleCommand, UnaryPredicate, Word,
};
use brush_parser::word::{Parameter, ParameterExpr, ParameterTestType, SpecialParameter, TildeExpr, WordPiece};
use brush_parser::{ParseError, Parser, ParserOptions};
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Code {
    pub ops: Vec<Op>,
}

#[derive(Debug)]
pub enum Op {
    Simple(Arc<Simple>),
    Jump(usize),
    JumpIfFail(usize),
    JumpIfOk(usize),
    Not,
    /// `break` goes to the first, `continue` to the second.
    LoopEnter(usize, usize),
    LoopExit,
    /// `None`: the positional parameters.
    ForStart(Option<Words>),
    ForNext(String, usize),
    CaseStart(Words),
    /// Goes on when a pattern matches, to the position otherwise.
    CaseTest(Words, usize),
    CaseEnd,
    Redirect(Vec<Redirection>, Vec<Arc<Code>>),
    Unredirect,
    Pipeline(Vec<Arc<Code>>),
    Background(Arc<Code>),
    Subshell(Arc<Code>),
    Function(String, Arc<Code>),
    Arithmetic(Text),
    /// `[[ ... ]]`
    Condition(Condition, Vec<Arc<Code>>),
    Ok,
}

/// What is between `[[` and `]]`.
#[derive(Debug)]
pub enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    One(UnaryPredicate, Text),
    Two(BinaryPredicate, Text, Text),
}

/// Words with the command substitutions in them, in order.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub words: Vec<Text>,
    pub substitutions: Vec<Arc<Code>>,
}

pub type Text = Vec<Piece>;

#[derive(Clone, Debug)]
pub enum Piece {
    /// Unquoted: split into fields when it comes from an expansion, and may be a pattern.
    Plain(String),
    Quoted(String),
    Double(Text),
    Parameter(Box<ParameterUse>),
    /// The command substitution with this number.
    Command(usize),
    Arithmetic(Text),
    Home,
}

#[derive(Clone, Debug)]
pub enum Name {
    Variable(String),
    /// `${list[2]}`
    Element(String, Text),
    /// `${list[@]}`, and `${list[*]}` when true.
    Elements(String, bool),
    /// `${!list[@]}`
    Indices(String),
    Positional(usize),
    /// `$@`, and `$*` when true.
    All(bool),
    Count,
    Status,
    Flags,
    Pid,
    LastBackground,
    Shell,
}

#[derive(Clone, Debug)]
pub struct ParameterUse {
    pub name: Name,
    pub op: ParameterOp,
}

#[derive(Clone, Debug)]
pub enum ParameterOp {
    Value,
    Length,
    /// The boolean: an empty value counts as unset.
    Default(bool, Text),
    Assign(bool, Text),
    Error(bool, Text),
    Alternative(bool, Text),
    /// Longest?
    RemovePrefix(bool, Text),
    RemoveSuffix(bool, Text),
    Substring(Text, Option<Text>),
    Replace {
        pattern: Text,
        with: Text,
        all: bool,
    },
}

#[derive(Debug)]
pub struct Assignment {
    pub name: String,
    pub index: Option<Text>,
    pub append: bool,
    pub value: Assigned,
}

#[derive(Debug)]
pub enum Assigned {
    Scalar(Text),
    /// `(a b [7]=c)`
    List(Vec<(Option<Text>, Text)>),
}

#[derive(Debug, Default)]
pub struct Simple {
    pub assignments: Vec<Assignment>,
    pub words: Vec<Text>,
    pub redirections: Vec<Redirection>,
    pub substitutions: Vec<Arc<Code>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectionKind {
    Read,
    Write,
    Append,
    /// `>&2`, `2>&1`
    Duplicate,
    /// A here-document or a here-string: the text itself.
    Here,
    /// `&>`, and `&>>` when true.
    Both(bool),
}

#[derive(Clone, Debug)]
pub struct Redirection {
    pub fd: i32,
    pub kind: RedirectionKind,
    pub target: Text,
}

fn options() -> ParserOptions {
    ParserOptions::default()
}

fn parse(script: &str) -> Result<Program, ParseError> {
    Parser::new(script.as_bytes(), &options()).parse_program()
}

fn flatten(program: &Program) -> Result<Arc<Code>, String> {
    let mut c = Compiler::default();
    for list in &program.complete_commands {
        c.list(list)?;
    }
    Ok(Arc::new(Code { ops: c.ops }))
}

/// # Errors
/// The parser's words.
pub fn compile(script: &str) -> Result<Arc<Code>, String> {
    flatten(&parse(script).map_err(|e| e.to_string())?)
}

/// The same for a script that may have more lines; `None`: it must.
pub fn compile_part(script: &str) -> Option<Result<Arc<Code>, String>> {
    match parse(script) {
        Ok(program) => Some(flatten(&program)),
        Err(ParseError::ParsingAtEndOfInput) => None,
        Err(ParseError::Tokenizing { inner, .. }) if inner.is_incomplete() => None,
        Err(e) => Some(Err(e.to_string())),
    }
}

#[derive(Default)]
struct Compiler {
    ops: Vec<Op>,
}

fn part(f: impl FnOnce(&mut Compiler) -> Result<(), String>) -> Result<Arc<Code>, String> {
    let mut c = Compiler::default();
    f(&mut c)?;
    Ok(Arc::new(Code { ops: c.ops }))
}

impl Compiler {
    fn list(&mut self, list: &CompoundList) -> Result<(), String> {
        for item in &list.0 {
            if matches!(item.1, SeparatorOperator::Async) {
                let code = part(|c| c.and_or(&item.0))?;
                self.ops.push(Op::Background(code));
            } else {
                self.and_or(&item.0)?;
            }
        }
        Ok(())
    }

    fn and_or(&mut self, list: &AndOrList) -> Result<(), String> {
        self.pipeline(&list.first)?;
        for more in &list.additional {
            let at = self.ops.len();
            self.ops.push(Op::Ok);
            let pipeline = match more {
                AndOr::And(p) | AndOr::Or(p) => p,
            };
            self.pipeline(pipeline)?;
            let end = self.ops.len();
            self.ops[at] = if matches!(more, AndOr::And(_)) { Op::JumpIfFail(end) } else { Op::JumpIfOk(end) };
        }
        Ok(())
    }

    fn pipeline(&mut self, p: &Pipeline) -> Result<(), String> {
        match p.seq.as_slice() {
            [one] => self.command(one)?,
            many => {
                let parts: Result<Vec<_>, String> = many.iter().map(|cmd| part(|c| c.command(cmd))).collect();
                self.ops.push(Op::Pipeline(parts?));
            }
        }
        if p.bang {
            self.ops.push(Op::Not);
        }
        Ok(())
    }

    fn command(&mut self, command: &Command) -> Result<(), String> {
        match command {
            Command::Simple(s) => self.simple(s),
            Command::Compound(c, redirects) => {
                let list = redirects.as_ref().map(|r| r.0.as_slice()).unwrap_or_default();
                if list.is_empty() {
                    return self.compound(c);
                }
                let mut substitutions = Vec::new();
                let made: Result<Vec<_>, String> = list.iter().map(|r| redirection(r, &mut substitutions)).collect();
                self.ops.push(Op::Redirect(made?.into_iter().flatten().collect(), substitutions));
                self.compound(c)?;
                self.ops.push(Op::Unredirect);
                Ok(())
            }
            Command::Function(f) => {
                let body = part(|c| c.compound(&f.body.0))?;
                self.ops.push(Op::Function(f.fname.value.clone(), body));
                Ok(())
            }
            Command::ExtendedTest(test, _) => {
                let mut substitutions = Vec::new();
                let condition = condition(&test.expr, &mut substitutions)?;
                self.ops.push(Op::Condition(condition, substitutions));
                Ok(())
            }
        }
    }

    fn compound(&mut self, c: &CompoundCommand) -> Result<(), String> {
        match c {
            CompoundCommand::BraceGroup(g) => self.list(&g.list),
            CompoundCommand::Subshell(s) => {
                let code = part(|c| c.list(&s.list))?;
                self.ops.push(Op::Subshell(code));
                Ok(())
            }
            CompoundCommand::Arithmetic(a) => {
                self.ops.push(Op::Arithmetic(double_quoted(&a.expr.value, &mut Vec::new())?));
                Ok(())
            }
            CompoundCommand::IfClause(i) => {
                let mut ends = Vec::new();
                self.list(&i.condition)?;
                let mut skip = self.placeholder();
                self.list(&i.then)?;
                ends.push(self.placeholder());
                self.ops[skip] = Op::JumpIfFail(self.ops.len());
                for e in i.elses.iter().flatten() {
                    match &e.condition {
                        Some(condition) => {
                            self.list(condition)?;
                            skip = self.placeholder();
                            self.list(&e.body)?;
                            ends.push(self.placeholder());
                            self.ops[skip] = Op::JumpIfFail(self.ops.len());
                        }
                        None => {
                            self.list(&e.body)?;
                            ends.push(self.placeholder());
                        }
                    }
                }
                // No branch was taken: success.
                self.ops.push(Op::Ok);
                let end = self.ops.len();
                for e in ends {
                    self.ops[e] = Op::Jump(end);
                }
                Ok(())
            }
            CompoundCommand::WhileClause(w) => self.repeat(&w.0, &w.1.list, false),
            CompoundCommand::UntilClause(w) => self.repeat(&w.0, &w.1.list, true),
            CompoundCommand::ForClause(f) => {
                let words = match &f.values {
                    Some(v) => Some(words(v)?),
                    None => None,
                };
                self.ops.push(Op::ForStart(words));
                let enter = self.placeholder();
                let top = self.ops.len();
                self.ops.push(Op::Ok);
                self.list(&f.body.list)?;
                self.ops.push(Op::Jump(top));
                let end = self.ops.len();
                self.ops[top] = Op::ForNext(f.variable_name.clone(), end);
                self.ops[enter] = Op::LoopEnter(end, top);
                self.ops.push(Op::LoopExit);
                Ok(())
            }
            CompoundCommand::ArithmeticForClause(f) => {
                let expr = |e: &Option<brush_parser::ast::UnexpandedArithmeticExpr>| match e {
                    Some(e) => double_quoted(&e.value, &mut Vec::new()).map(Some),
                    None => Ok(None),
                };
                if let Some(e) = expr(&f.initializer)? {
                    self.ops.push(Op::Arithmetic(e));
                }
                let enter = self.placeholder();
                let top = self.ops.len();
                let test = match expr(&f.condition)? {
                    Some(e) => {
                        self.ops.push(Op::Arithmetic(e));
                        Some(self.placeholder())
                    }
                    None => None,
                };
                self.list(&f.body.list)?;
                let next = self.ops.len();
                if let Some(e) = expr(&f.updater)? {
                    self.ops.push(Op::Arithmetic(e));
                }
                self.ops.push(Op::Jump(top));
                let end = self.ops.len();
                if let Some(t) = test {
                    self.ops[t] = Op::JumpIfFail(end);
                }
                self.ops[enter] = Op::LoopEnter(end, next);
                self.ops.push(Op::LoopExit);
                self.ops.push(Op::Ok);
                Ok(())
            }
            CompoundCommand::CaseClause(c) => {
                self.ops.push(Op::CaseStart(words(std::slice::from_ref(&c.value))?));
                let mut ends = Vec::new();
                for item in &c.cases {
                    let test = self.placeholder();
                    if let Some(body) = &item.cmd {
                        self.list(body)?;
                    } else {
                        self.ops.push(Op::Ok);
                    }
                    ends.push(self.placeholder());
                    self.ops[test] = Op::CaseTest(words(&item.patterns)?, self.ops.len());
                }
                self.ops.push(Op::Ok);
                let end = self.ops.len();
                for e in ends {
                    self.ops[e] = Op::Jump(end);
                }
                self.ops.push(Op::CaseEnd);
                Ok(())
            }
            CompoundCommand::Coprocess(_) => Err("coprocesses are not simulated".into()),
        }
    }

    fn placeholder(&mut self) -> usize {
        self.ops.push(Op::Ok);
        self.ops.len() - 1
    }

    fn repeat(&mut self, condition: &CompoundList, body: &CompoundList, until: bool) -> Result<(), String> {
        let enter = self.placeholder();
        let top = self.ops.len();
        self.list(condition)?;
        let test = self.placeholder();
        self.list(body)?;
        self.ops.push(Op::Jump(top));
        let end = self.ops.len();
        self.ops[test] = if until { Op::JumpIfOk(end) } else { Op::JumpIfFail(end) };
        self.ops[enter] = Op::LoopEnter(end, top);
        self.ops.push(Op::LoopExit);
        self.ops.push(Op::Ok);
        Ok(())
    }

    fn simple(&mut self, s: &SimpleCommand) -> Result<(), String> {
        let mut out = Simple::default();
        let prefix = s.prefix.iter().flat_map(|p| &p.0).map(|i| (i, true));
        let suffix = s.suffix.iter().flat_map(|p| &p.0).map(|i| (i, false));
        let mut named = false;
        for (item, before) in prefix.chain(suffix) {
            if !before && !named {
                named = true;
                if let Some(name) = &s.word_or_name {
                    out.words.push(text(&name.value, &mut out.substitutions)?);
                }
            }
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(r) => {
                    let made = redirection(r, &mut out.substitutions)?;
                    out.redirections.extend(made);
                }
                CommandPrefixOrSuffixItem::Word(w) => out.words.push(text(&w.value, &mut out.substitutions)?),
                CommandPrefixOrSuffixItem::AssignmentWord(a, w) => {
                    if !before {
                        out.words.push(text(&w.value, &mut out.substitutions)?);
                        continue;
                    }
                    let (name, index) = match &a.name {
                        AssignmentName::VariableName(name) => (name.clone(), None),
                        AssignmentName::ArrayElementName(name, index) => {
                            (name.clone(), Some(text(index, &mut out.substitutions)?))
                        }
                    };
                    let value = match &a.value {
                        AssignmentValue::Scalar(value) => Assigned::Scalar(text(&value.value, &mut out.substitutions)?),
                        AssignmentValue::Array(list) => {
                            let mut items = Vec::new();
                            for (index, value) in list {
                                let index = match index {
                                    Some(i) => Some(text(&i.value, &mut out.substitutions)?),
                                    None => None,
                                };
                                items.push((index, text(&value.value, &mut out.substitutions)?));
                            }
                            Assigned::List(items)
                        }
                    };
                    out.assignments.push(Assignment { name, index, append: a.append, value });
                }
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    return Err("process substitution is not simulated".into());
                }
            }
        }
        if !named && let Some(name) = &s.word_or_name {
            out.words.push(text(&name.value, &mut out.substitutions)?);
        }
        self.ops.push(Op::Simple(Arc::new(out)));
        Ok(())
    }
}

fn condition(e: &ExtendedTestExpr, subs: &mut Vec<Arc<Code>>) -> Result<Condition, String> {
    let mut inner = |e: &ExtendedTestExpr| condition(e, subs).map(Box::new);
    Ok(match e {
        ExtendedTestExpr::And(a, b) => Condition::And(inner(a)?, inner(b)?),
        ExtendedTestExpr::Or(a, b) => Condition::Or(inner(a)?, inner(b)?),
        ExtendedTestExpr::Not(a) => Condition::Not(inner(a)?),
        ExtendedTestExpr::Parenthesized(a) => return condition(a, subs),
        ExtendedTestExpr::UnaryTest(p, w) => Condition::One(p.clone(), text(&w.value, subs)?),
        ExtendedTestExpr::BinaryTest(p, a, b) => {
            Condition::Two(p.clone(), text(&a.value, subs)?, text(&b.value, subs)?)
        }
    })
}

fn words(list: &[Word]) -> Result<Words, String> {
    let mut out = Words::default();
    for w in list {
        let t = text(&w.value, &mut out.substitutions)?;
        out.words.push(t);
    }
    Ok(out)
}

fn redirection(r: &IoRedirect, subs: &mut Vec<Arc<Code>>) -> Result<Vec<Redirection>, String> {
    let one = |fd: i32, kind, target| Ok(vec![Redirection { fd, kind, target }]);
    match r {
        IoRedirect::File(fd, kind, target) => {
            use IoFileRedirectKind as K;
            let (default, kind) = match kind {
                K::Read => (0, RedirectionKind::Read),
                K::Write | K::Clobber | K::ReadAndWrite => (1, RedirectionKind::Write),
                K::Append => (1, RedirectionKind::Append),
                K::DuplicateInput => (0, RedirectionKind::Duplicate),
                K::DuplicateOutput => (1, RedirectionKind::Duplicate),
            };
            let target = match target {
                IoFileRedirectTarget::Filename(w) | IoFileRedirectTarget::Duplicate(w) => text(&w.value, subs)?,
                IoFileRedirectTarget::Fd(n) => vec![Piece::Quoted(n.to_string())],
                IoFileRedirectTarget::ProcessSubstitution(..) => {
                    return Err("process substitution is not simulated".into());
                }
            };
            one(fd.unwrap_or(default), kind, target)
        }
        IoRedirect::HereDocument(fd, doc) => {
            let body = if doc.requires_expansion {
                pieces(brush_parser::word::parse_heredoc(&doc.doc.value, &options()).map_err(|e| e.to_string())?, subs)?
            } else {
                vec![Piece::Quoted(doc.doc.value.clone())]
            };
            one(fd.unwrap_or(0), RedirectionKind::Here, body)
        }
        IoRedirect::HereString(fd, w) => {
            let mut body = text(&w.value, subs)?;
            body.push(Piece::Quoted("\n".into()));
            one(fd.unwrap_or(0), RedirectionKind::Here, body)
        }
        IoRedirect::OutputAndError(w, append) => one(1, RedirectionKind::Both(*append), text(&w.value, subs)?),
    }
}

fn text(word: &str, subs: &mut Vec<Arc<Code>>) -> Result<Text, String> {
    pieces(brush_parser::word::parse(word, &options()).map_err(|e| e.to_string())?, subs)
}

fn double_quoted(word: &str, subs: &mut Vec<Arc<Code>>) -> Result<Text, String> {
    pieces(brush_parser::word::parse_heredoc(word, &options()).map_err(|e| e.to_string())?, subs)
}

fn pieces(list: Vec<brush_parser::word::WordPieceWithSource>, subs: &mut Vec<Arc<Code>>) -> Result<Text, String> {
    list.into_iter().map(|p| piece(p.piece, subs)).collect()
}

fn piece(p: WordPiece, subs: &mut Vec<Arc<Code>>) -> Result<Piece, String> {
    Ok(match p {
        WordPiece::Text(t) => Piece::Plain(t),
        WordPiece::SingleQuotedText(t) => Piece::Quoted(t),
        WordPiece::AnsiCQuotedText(t) => Piece::Quoted(crate::sim::programs::printf(&t.replace('%', "%%"), &[])),
        WordPiece::EscapeSequence(t) => match t.strip_prefix('\\').unwrap_or(&t) {
            "\n" => Piece::Quoted(String::new()),
            c => Piece::Quoted(c.into()),
        },
        WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
            Piece::Double(pieces(inner, subs)?)
        }
        WordPiece::TildeExpansion(TildeExpr::Home) => Piece::Home,
        WordPiece::TildeExpansion(_) => Piece::Plain("~".into()),
        WordPiece::CommandSubstitution(script) | WordPiece::BackquotedCommandSubstitution(script) => {
            // `$(<file)` is what the file says.
            let script = match script.trim().strip_prefix('<').filter(|rest| !rest.starts_with(['<', '(', '&'])) {
                Some(file) => format!("cat {file}"),
                None => script,
            };
            subs.push(compile(&script)?);
            Piece::Command(subs.len() - 1)
        }
        WordPiece::ArithmeticExpression(e) => Piece::Arithmetic(double_quoted(&e.value, subs)?),
        WordPiece::ParameterExpansion(e) => Piece::Parameter(Box::new(parameter(e, subs)?)),
    })
}

fn name(p: &Parameter, subs: &mut Vec<Arc<Code>>) -> Result<Name, String> {
    Ok(match p {
        Parameter::NamedWithIndex { name, index } => Name::Element(name.clone(), text(index, subs)?),
        Parameter::NamedWithAllIndices { name, concatenate } => Name::Elements(name.clone(), *concatenate),
        Parameter::Positional(n) => Name::Positional(*n as usize),
        Parameter::Named(n) => Name::Variable(n.clone()),
        Parameter::Special(s) => match s {
            SpecialParameter::AllPositionalParameters { concatenate } => Name::All(*concatenate),
            SpecialParameter::PositionalParameterCount => Name::Count,
            SpecialParameter::LastExitStatus => Name::Status,
            SpecialParameter::CurrentOptionFlags => Name::Flags,
            SpecialParameter::ProcessId => Name::Pid,
            SpecialParameter::LastBackgroundProcessId => Name::LastBackground,
            SpecialParameter::ShellName => Name::Shell,
        },
    })
}

fn parameter(e: ParameterExpr, subs: &mut Vec<Arc<Code>>) -> Result<ParameterUse, String> {
    let null = |t: ParameterTestType| matches!(t, ParameterTestType::UnsetOrNull);
    let mut word = |w: Option<String>| match w {
        Some(w) => text(&w, subs),
        None => Ok(Vec::new()),
    };
    let (p, op) = match e {
        ParameterExpr::Parameter { parameter, .. } => (parameter, ParameterOp::Value),
        ParameterExpr::ParameterLength { parameter, .. } => (parameter, ParameterOp::Length),
        ParameterExpr::UseDefaultValues { parameter, test_type, default_value, .. } => {
            (parameter, ParameterOp::Default(null(test_type), word(default_value)?))
        }
        ParameterExpr::AssignDefaultValues { parameter, test_type, default_value, .. } => {
            (parameter, ParameterOp::Assign(null(test_type), word(default_value)?))
        }
        ParameterExpr::IndicateErrorIfNullOrUnset { parameter, test_type, error_message, .. } => {
            (parameter, ParameterOp::Error(null(test_type), word(error_message)?))
        }
        ParameterExpr::UseAlternativeValue { parameter, test_type, alternative_value, .. } => {
            (parameter, ParameterOp::Alternative(null(test_type), word(alternative_value)?))
        }
        ParameterExpr::RemoveSmallestSuffixPattern { parameter, pattern, .. } => {
            (parameter, ParameterOp::RemoveSuffix(false, word(pattern)?))
        }
        ParameterExpr::RemoveLargestSuffixPattern { parameter, pattern, .. } => {
            (parameter, ParameterOp::RemoveSuffix(true, word(pattern)?))
        }
        ParameterExpr::RemoveSmallestPrefixPattern { parameter, pattern, .. } => {
            (parameter, ParameterOp::RemovePrefix(false, word(pattern)?))
        }
        ParameterExpr::RemoveLargestPrefixPattern { parameter, pattern, .. } => {
            (parameter, ParameterOp::RemovePrefix(true, word(pattern)?))
        }
        ParameterExpr::Substring { parameter, offset, length, .. } => {
            let length = match length {
                Some(l) => Some(word(Some(l.value))?),
                None => None,
            };
            (parameter, ParameterOp::Substring(word(Some(offset.value))?, length))
        }
        ParameterExpr::ReplaceSubstring { parameter, pattern, replacement, match_kind, .. } => {
            let all = matches!(match_kind, brush_parser::word::SubstringMatchKind::Anywhere);
            (parameter, ParameterOp::Replace { pattern: word(Some(pattern))?, with: word(replacement)?, all })
        }
        ParameterExpr::MemberKeys { variable_name, .. } => {
            return Ok(ParameterUse { name: Name::Indices(variable_name), op: ParameterOp::Value });
        }
        _ => return Err("this parameter expansion is not simulated".into()),
    };
    Ok(ParameterUse { name: name(&p, subs)?, op })
}
