//! awk's grammar.

#[derive(Debug)]
pub struct Rule {
    pub pattern: Pattern,
    pub action: Vec<Statement>,
}

#[derive(Debug)]
pub enum Pattern {
    Always,
    /// `BEGIN`, `END`
    At(&'static str),
    When(Expr),
}

#[derive(Clone, Debug)]
pub enum Statement {
    Print(Vec<Expr>),
    Printf(Vec<Expr>),
    Do(Expr),
    If(Expr, Vec<Statement>, Vec<Statement>),
    While(Expr, Vec<Statement>),
    For(Option<Expr>, Option<Expr>, Option<Expr>, Vec<Statement>),
    /// `for (k in array)`
    Each(String, String, Vec<Statement>),
    Next,
    Exit(Option<Expr>),
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub enum Expr {
    Number(f64),
    Text(String),
    /// A regular expression on its own is matched against the record.
    Regex(String),
    Variable(String),
    Field(Box<Expr>),
    Element(String, Box<Expr>),
    In(Box<Expr>, String),
    Assign(&'static str, Box<Expr>, Box<Expr>),
    /// Before or after? By how much?
    Step(bool, f64, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Minus(Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name right before a parenthesis.
    Function(String),
    Op(&'static str),
    End,
}

const OPERATORS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "!~", "++", "--", "+=", "-=", "*=", "/=", "%=", "{", "}", "(", ")", "[", "]",
    ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "~", "?", ":", "=", "$",
];

fn tokens(source: &str) -> Result<Vec<Token>, String> {
    let c: Vec<char> = source.chars().collect();
    let mut out: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < c.len() {
        let x = c[at];
        // A slash begins a regular expression where no value can end.
        let value_ends = matches!(
            out.last(),
            Some(Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Op(")" | "]" | "$" | "++" | "--"))
        );
        if x == '\n' {
            out.push(Token::Op(";"));
            at += 1;
        } else if x.is_whitespace() {
            at += 1;
        } else if x == '#' {
            at += c[at..].iter().take_while(|c| **c != '\n').count();
        } else if x == '"' || (x == '/' && !value_ends) {
            let mut text = String::new();
            at += 1;
            loop {
                match c.get(at) {
                    None => return Err(format!("unterminated {}", if x == '"' { "string" } else { "regexp" })),
                    Some(q) if *q == x => break,
                    Some('\\') => {
                        at += 1;
                        match (c.get(at), x) {
                            (Some('n'), '"') => text.push('\n'),
                            (Some('t'), '"') => text.push('\t'),
                            (Some('/'), _) => text.push('/'),
                            (Some(e @ ('"' | '\\')), '"') => text.push(*e),
                            (Some(e), _) => text.extend(['\\', *e]),
                            (None, _) => {}
                        }
                    }
                    Some(o) => text.push(*o),
                }
                at += 1;
            }
            at += 1;
            out.push(if x == '"' { Token::Text(text) } else { Token::Regex(text) });
        } else if x.is_ascii_digit() || (x == '.' && c.get(at + 1).is_some_and(char::is_ascii_digit)) {
            let len = c[at..].iter().take_while(|c| c.is_ascii_digit() || **c == '.').count();
            let text: String = c[at..at + len].iter().collect();
            out.push(Token::Number(text.parse().map_err(|_| format!("{text}: not a number"))?));
            at += len;
        } else if x.is_alphabetic() || x == '_' {
            let len = c[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            let name: String = c[at..at + len].iter().collect();
            at += len;
            let calls = c.get(at) == Some(&'(') && !KEYWORDS.contains(&name.as_str());
            out.push(if calls { Token::Function(name) } else { Token::Name(name) });
        } else {
            let starts = |o: &&&str| o.chars().enumerate().all(|(i, x)| c.get(at + i) == Some(&x));
            let op = OPERATORS.iter().find(starts).ok_or_else(|| format!("syntax error at or near {x}"))?;
            out.push(Token::Op(op));
            at += op.len();
        }
    }
    out.push(Token::End);
    Ok(out)
}

const KEYWORDS: &[&str] = &["if", "while", "for", "print", "printf", "exit", "in", "else", "next"];

/// # Errors
/// What is wrong, or what is not simulated.
pub fn parse(source: &str) -> Result<Vec<Rule>, String> {
    let mut p = Parser { tokens: tokens(source)?, at: 0, in_print: false };
    let mut rules = Vec::new();
    loop {
        while p.eat(";") {}
        if *p.peek() == Token::End {
            return Ok(rules);
        }
        let pattern = match p.peek().clone() {
            Token::Op("{") => Pattern::Always,
            Token::Name(n) if n == "BEGIN" || n == "END" => {
                p.at += 1;
                Pattern::At(if n == "BEGIN" { "BEGIN" } else { "END" })
            }
            Token::Name(n) if n == "function" => return Err("functions are not simulated".into()),
            _ => Pattern::When(p.expression()?),
        };
        let action = if p.eat("{") { p.statements()? } else { vec![Statement::Print(Vec::new())] };
        rules.push(Rule { pattern, action });
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    /// Between `print` and its end a `>` would redirect.
    in_print: bool,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }
    fn eat(&mut self, op: &str) -> bool {
        let hit = matches!(self.peek(), Token::Op(o) if *o == op);
        self.at += usize::from(hit);
        hit
    }
    fn expect(&mut self, op: &str) -> Result<(), String> {
        if self.eat(op) { Ok(()) } else { Err(format!("syntax error: expected {op}")) }
    }
    fn word(&mut self, word: &str) -> bool {
        let hit = matches!(self.peek(), Token::Name(n) if n == word);
        self.at += usize::from(hit);
        hit
    }

    /// Up to the closing brace.
    fn statements(&mut self) -> Result<Vec<Statement>, String> {
        let mut out = Vec::new();
        loop {
            while self.eat(";") {}
            if self.eat("}") {
                return Ok(out);
            }
            if *self.peek() == Token::End {
                return Err("syntax error: unexpected end of program".into());
            }
            out.push(self.statement()?);
        }
    }

    fn block(&mut self) -> Result<Vec<Statement>, String> {
        while self.eat(";") {}
        if self.eat("{") { self.statements() } else { Ok(vec![self.statement()?]) }
    }

    fn list(&mut self) -> Result<Vec<Expr>, String> {
        let mut out = Vec::new();
        if matches!(self.peek(), Token::End | Token::Op(";" | "}")) {
            return Ok(out);
        }
        self.in_print = true;
        loop {
            out.push(self.expression()?);
            if !self.eat(",") {
                break;
            }
        }
        self.in_print = false;
        if matches!(self.peek(), Token::Op(">")) {
            return Err("output to files is not simulated".into());
        }
        Ok(out)
    }

    fn statement(&mut self) -> Result<Statement, String> {
        if self.word("print") {
            return Ok(Statement::Print(self.list()?));
        }
        if self.word("printf") {
            return Ok(Statement::Printf(self.list()?));
        }
        if self.word("next") {
            return Ok(Statement::Next);
        }
        if self.word("break") {
            return Ok(Statement::Break);
        }
        if self.word("continue") {
            return Ok(Statement::Continue);
        }
        if self.word("exit") {
            let bare = matches!(self.peek(), Token::End | Token::Op(";" | "}"));
            return Ok(Statement::Exit(if bare { None } else { Some(self.expression()?) }));
        }
        if self.word("if") {
            self.expect("(")?;
            let test = self.expression()?;
            self.expect(")")?;
            let then = self.block()?;
            let mark = self.at;
            while self.eat(";") {}
            if self.word("else") {
                return Ok(Statement::If(test, then, self.block()?));
            }
            self.at = mark;
            return Ok(Statement::If(test, then, Vec::new()));
        }
        if self.word("while") {
            self.expect("(")?;
            let test = self.expression()?;
            self.expect(")")?;
            return Ok(Statement::While(test, self.block()?));
        }
        if self.word("for") {
            return self.repeat();
        }
        Ok(Statement::Do(self.expression()?))
    }

    fn repeat(&mut self) -> Result<Statement, String> {
        self.expect("(")?;
        if let [Token::Name(k), Token::Name(word), Token::Name(array), Token::Op(")"), ..] = &self.tokens[self.at..]
            && word == "in"
        {
            let (k, array) = (k.clone(), array.clone());
            self.at += 4;
            return Ok(Statement::Each(k, array, self.block()?));
        }
        let mut parts = Vec::new();
        for end in [";", ";", ")"] {
            if self.eat(end) {
                parts.push(None);
            } else {
                parts.push(Some(self.expression()?));
                self.expect(end)?;
            }
        }
        let mut parts = parts.into_iter();
        let mut part = || parts.next().flatten();
        let (first, test, step) = (part(), part(), part());
        Ok(Statement::For(first, test, step, self.block()?))
    }

    fn expression(&mut self) -> Result<Expr, String> {
        let left = self.or()?;
        if self.eat("?") {
            let then = self.expression()?;
            self.expect(":")?;
            return Ok(Expr::If(Box::new(left), Box::new(then), Box::new(self.expression()?)));
        }
        let Some(op) = ["=", "+=", "-=", "*=", "/=", "%="].into_iter().find(|o| self.eat(o)) else { return Ok(left) };
        if !matches!(left, Expr::Variable(_) | Expr::Field(_) | Expr::Element(..)) {
            return Err("syntax error: cannot assign to this".into());
        }
        Ok(Expr::Assign(op, Box::new(left), Box::new(self.expression()?)))
    }
    fn or(&mut self) -> Result<Expr, String> {
        let mut e = self.and()?;
        while self.eat("||") {
            e = Expr::Binary("||", Box::new(e), Box::new(self.and()?));
        }
        Ok(e)
    }
    fn and(&mut self) -> Result<Expr, String> {
        let mut e = self.comparison()?;
        while self.eat("&&") {
            e = Expr::Binary("&&", Box::new(e), Box::new(self.comparison()?));
        }
        Ok(e)
    }
    fn comparison(&mut self) -> Result<Expr, String> {
        let e = self.concatenation()?;
        if self.word("in") {
            let Token::Name(array) = self.peek().clone() else { return Err("syntax error after in".into()) };
            self.at += 1;
            return Ok(Expr::In(Box::new(e), array));
        }
        let redirects = self.in_print;
        let ops = ["==", "!=", "<=", ">=", "<", ">", "!~", "~"].into_iter().filter(|o| !(redirects && *o == ">"));
        match ops.into_iter().find(|o| self.eat(o)) {
            Some(op) => Ok(Expr::Binary(op, Box::new(e), Box::new(self.concatenation()?))),
            None => Ok(e),
        }
    }
    fn concatenation(&mut self) -> Result<Expr, String> {
        let mut e = self.sum()?;
        while let Token::Number(_) | Token::Text(_) | Token::Function(_) | Token::Name(_) | Token::Op("$" | "(") =
            self.peek()
        {
            if matches!(self.peek(), Token::Name(n) if KEYWORDS.contains(&n.as_str())) {
                break;
            }
            e = Expr::Binary("", Box::new(e), Box::new(self.sum()?));
        }
        Ok(e)
    }
    fn sum(&mut self) -> Result<Expr, String> {
        let mut e = self.product()?;
        while let Some(op) = ["+", "-"].into_iter().find(|o| self.eat(o)) {
            e = Expr::Binary(op, Box::new(e), Box::new(self.product()?));
        }
        Ok(e)
    }
    fn product(&mut self) -> Result<Expr, String> {
        let mut e = self.unary()?;
        while let Some(op) = ["*", "/", "%", "^"].into_iter().find(|o| self.eat(o)) {
            e = Expr::Binary(op, Box::new(e), Box::new(self.unary()?));
        }
        Ok(e)
    }
    fn unary(&mut self) -> Result<Expr, String> {
        if self.eat("!") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.eat("-") {
            return Ok(Expr::Minus(Box::new(self.unary()?)));
        }
        if self.eat("++") {
            return Ok(Expr::Step(true, 1.0, Box::new(self.unary()?)));
        }
        if self.eat("--") {
            return Ok(Expr::Step(true, -1.0, Box::new(self.unary()?)));
        }
        let e = self.primary()?;
        if self.eat("++") {
            return Ok(Expr::Step(false, 1.0, Box::new(e)));
        }
        if self.eat("--") {
            return Ok(Expr::Step(false, -1.0, Box::new(e)));
        }
        Ok(e)
    }
    fn primary(&mut self) -> Result<Expr, String> {
        let t = self.peek().clone();
        self.at += 1;
        Ok(match t {
            Token::Number(n) => Expr::Number(n),
            Token::Text(s) => Expr::Text(s),
            Token::Regex(r) => Expr::Regex(r),
            Token::Op("$") => Expr::Field(Box::new(self.primary()?)),
            Token::Op("(") => {
                let printing = std::mem::replace(&mut self.in_print, false);
                let e = self.expression()?;
                self.expect(")")?;
                self.in_print = printing;
                e
            }
            Token::Name(n) if self.eat("[") => {
                let index = self.expression()?;
                self.expect("]")?;
                Expr::Element(n, Box::new(index))
            }
            Token::Name(n) if n == "length" => Expr::Call(n, Vec::new()),
            Token::Name(n) => Expr::Variable(n),
            Token::Function(name) => {
                self.expect("(")?;
                let mut args = Vec::new();
                while !self.eat(")") {
                    args.push(self.expression()?);
                    if !self.eat(",") {
                        self.expect(")")?;
                        break;
                    }
                }
                Expr::Call(name, args)
            }
            Token::Op(o) => return Err(format!("syntax error at or near {o}")),
            Token::End => return Err("syntax error: unexpected end of program".into()),
        })
    }
}
