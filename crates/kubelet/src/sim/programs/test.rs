//! `test` and `[`.

use super::Io;
use crate::sim::fs::{Fs, Volumes, normalize};

pub fn program(io: &mut Io) -> i32 {
    let name = io.argv[0].clone();
    let mut args: Vec<String> = io.argv[1..].to_vec();
    if name.ends_with('[') && args.pop().as_deref() != Some("]") {
        io.complain("sh: missing ]");
        return 2;
    }
    match evaluate(&args, &io.cwd, &io.m.fs, io.world.volumes) {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(why) => {
            io.complain(format!("sh: {why}"));
            2
        }
    }
}

/// # Errors
/// What cannot be read.
pub fn evaluate(args: &[String], cwd: &str, fs: &Fs, volumes: &Volumes) -> Result<bool, String> {
    let mut t = Test { args, at: 0, nested: 0, cwd, fs, volumes };
    if args.is_empty() {
        return Ok(false);
    }
    let v = t.or()?;
    if t.at < args.len() {
        return Err(format!("{}: unexpected operator", args[t.at]));
    }
    Ok(v)
}

struct Test<'a> {
    args: &'a [String],
    at: usize,
    /// In how many brackets and negations it is.
    nested: usize,
    cwd: &'a str,
    fs: &'a Fs,
    volumes: &'a Volumes,
}

impl Test<'_> {
    fn peek(&self, ahead: usize) -> Option<&str> {
        self.args.get(self.at + ahead).map(String::as_str)
    }
    fn or(&mut self) -> Result<bool, String> {
        let mut v = self.and()?;
        while self.peek(0) == Some("-o") {
            self.at += 1;
            v |= self.and()?;
        }
        Ok(v)
    }
    fn and(&mut self) -> Result<bool, String> {
        let mut v = self.not()?;
        while self.peek(0) == Some("-a") {
            self.at += 1;
            v &= self.not()?;
        }
        Ok(v)
    }
    /// Nobody writes more of them within each other.
    const NESTED_MAX: usize = 100;

    fn not(&mut self) -> Result<bool, String> {
        self.nested += 1;
        if self.nested > Self::NESTED_MAX {
            return Err("too many arguments".into());
        }
        let value = self.negated();
        self.nested -= 1;
        value
    }
    fn negated(&mut self) -> Result<bool, String> {
        if self.peek(0) == Some("!") && self.peek(1).is_some() {
            self.at += 1;
            return Ok(!self.not()?);
        }
        if self.peek(0) == Some("(") && self.args[self.at..].iter().any(|a| a == ")") {
            self.at += 1;
            let v = self.or()?;
            if self.peek(0) != Some(")") {
                return Err("closing paren expected".into());
            }
            self.at += 1;
            return Ok(v);
        }
        self.primary()
    }
    /// Which of two files was changed later; one that is missing was never.
    fn newer(&self, left: &str, op: &str, right: &str) -> Option<bool> {
        let at = |name: &str| self.fs.changed_at(&normalize(self.cwd, name), self.volumes);
        match op {
            "-nt" => Some(at(left) > at(right)),
            "-ot" => Some(at(left) < at(right)),
            _ => None,
        }
    }
    fn primary(&mut self) -> Result<bool, String> {
        let Some(first) = self.peek(0).map(str::to_string) else { return Err("argument expected".into()) };
        if let (Some(op), Some(right)) = (self.peek(1).map(str::to_string), self.peek(2).map(str::to_string))
            && let Some(v) = binary(&first, &op, &right)?.or_else(|| self.newer(&first, &op, &right))
        {
            self.at += 3;
            return Ok(v);
        }
        if let (true, Some(operand)) = (first.len() == 2 && first.starts_with('-'), self.peek(1).map(str::to_string)) {
            let path = normalize(self.cwd, &operand);
            let exists = self.fs.exists(&path, self.volumes);
            let dir = self.fs.is_dir(&path, self.volumes);
            let v = match first.as_str() {
                "-n" => Some(!operand.is_empty()),
                "-z" => Some(operand.is_empty()),
                "-w" => Some(exists && self.fs.may_write(&path, self.volumes)),
                "-r" => Some(exists && self.fs.may_read(&path, self.volumes)),
                "-L" | "-h" => Some(self.fs.link_at(&path, self.volumes).is_some()),
                "-e" | "-x" => Some(exists),
                "-f" => Some(exists && !dir),
                "-d" => Some(dir),
                "-s" => Some(self.fs.len(&path, self.volumes).is_some_and(|n| n > 0)),
                "-t" | "-S" | "-p" => Some(false),
                _ => None,
            };
            if let Some(v) = v {
                self.at += 2;
                return Ok(v);
            }
        }
        self.at += 1;
        Ok(!first.is_empty())
    }
}

fn binary(left: &str, op: &str, right: &str) -> Result<Option<bool>, String> {
    let number = |s: &str| s.trim().parse::<i64>().map_err(|_| format!("{s}: bad number"));
    Ok(Some(match op {
        "=" | "==" => left == right,
        "!=" => left != right,
        "<" => left < right,
        ">" => left > right,
        "-eq" => number(left)? == number(right)?,
        "-ne" => number(left)? != number(right)?,
        "-lt" => number(left)? < number(right)?,
        "-le" => number(left)? <= number(right)?,
        "-gt" => number(left)? > number(right)?,
        "-ge" => number(left)? >= number(right)?,
        _ => return Ok(None),
    }))
}
