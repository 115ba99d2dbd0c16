//! nginx' configuration language: words, `;`, blocks.

/// What is nested deeper would be more than the stack takes when it is let go.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directive {
    pub name: String,
    pub args: Vec<String>,
    pub block: Vec<Directive>,
    pub line: usize,
}

impl Directive {
    pub fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", String::as_str)
    }

    pub fn inside<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Directive> {
        self.block.iter().filter(move |d| d.name == name)
    }
}

/// # Errors
/// nginx's words.
pub fn parse(file: &str, text: &str) -> Result<Vec<Directive>, String> {
    // The blocks that are open; the outermost is the file.
    let mut stack = vec![Directive::default()];
    let mut words: Vec<String> = Vec::new();
    let mut line: usize = 1;
    let mut c = text.chars().peekable();
    while let Some(x) = c.next() {
        match x {
            '\n' => line += 1,
            '#' => while c.next_if(|c| *c != '\n').is_some() {},
            x if x.is_whitespace() => {}
            ';' => {
                let Some((name, args)) = words.split_first() else {
                    return Err(format!("unexpected \";\" in {file}:{line}"));
                };
                let d = Directive { name: name.clone(), args: args.to_vec(), block: Vec::new(), line };
                if let Some(outer) = stack.last_mut() {
                    outer.block.push(d);
                }
                words.clear();
            }
            '{' => {
                let Some((name, args)) = words.split_first() else {
                    return Err(format!("unexpected \"{{\" in {file}:{line}"));
                };
                if stack.len() > DEPTH_MAX {
                    return Err(format!("too many nested blocks in {file}:{line}"));
                }
                stack.push(Directive { name: name.clone(), args: args.to_vec(), block: Vec::new(), line });
                words.clear();
            }
            '}' => {
                let done = if stack.len() > 1 && words.is_empty() { stack.pop() } else { None };
                let (Some(done), Some(outer)) = (done, stack.last_mut()) else {
                    return Err(format!("unexpected \"}}\" in {file}:{line}"));
                };
                outer.block.push(done);
            }
            quote @ ('"' | '\'') => {
                let mut word = String::new();
                while let Some(x) = c.next() {
                    match x {
                        '\\' => match c.next() {
                            Some('n') => word.push('\n'),
                            Some('t') => word.push('\t'),
                            Some(other) => word.push(other),
                            None => {}
                        },
                        x if x == quote => break,
                        x => {
                            line += usize::from(x == '\n');
                            word.push(x);
                        }
                    }
                }
                words.push(word);
            }
            first => {
                let mut word = String::from(first);
                while let Some(x) = c.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '{' | '}')) {
                    word.push(x);
                    // `${variable}` belongs to the word.
                    if x == '$' && c.next_if_eq(&'{').is_some() {
                        word.push('{');
                        word.extend(std::iter::from_fn(|| c.next_if(|c| *c != '}')));
                        word.extend(c.next_if_eq(&'}'));
                    }
                }
                words.push(word);
            }
        }
    }
    if stack.len() > 1 {
        return Err(format!("unexpected end of file, expecting \"}}\" in {file}:{line}"));
    }
    Ok(stack.pop().map(|file| file.block).unwrap_or_default())
}
