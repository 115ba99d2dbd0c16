//! `TYPE NAME key=value other-`: resources first, then changes. Models `GetResourcesAndPairs` and `ParsePairs`.

use crate::error::Error;

pub(crate) struct Pairs {
    pub resources: Vec<String>,
    pub words: Vec<String>,
}

/// # Errors
/// A resource that comes after a change.
pub(crate) fn split(args: &[String], what: &str) -> Result<Pairs, Error> {
    let (mut resources, mut words) = (Vec::new(), Vec::new());
    for a in args {
        let is_pair = (a.contains('=') && !a.starts_with('=')) || a.ends_with('-');
        if is_pair {
            words.push(a.clone());
        } else if words.is_empty() {
            resources.push(a.clone());
        } else {
            return Err(Error::text(format!("all resources must be specified before {what} changes: {a}")));
        }
    }
    Ok(Pairs { resources, words })
}

/// What to set, in order, and what to take away.
pub(crate) type Changes = (Vec<(String, String)>, Vec<String>);

/// # Errors
/// Words that neither set nor remove.
pub(crate) fn read(words: &[String], what: &str) -> Result<Changes, Error> {
    read_some(words, what, true)
}

fn read_some(words: &[String], what: &str, removal: bool) -> Result<Changes, Error> {
    let (mut set, mut remove, mut bad): (Vec<(String, String)>, Vec<String>, Vec<String>) =
        (Vec::new(), Vec::new(), Vec::new());
    for w in words {
        if let Some((k, v)) = w.split_once('=').filter(|(k, _)| !k.is_empty()) {
            set.push((k.into(), v.into()));
        } else if let Some(k) = w.strip_suffix('-').filter(|k| removal && !k.is_empty()) {
            remove.push(k.into());
        } else {
            bad.push(w.clone());
        }
    }
    if !bad.is_empty() {
        return Err(Error::text(format!("invalid {what} format: {}", bad.join(", "))));
    }
    Ok((set, remove))
}

pub(crate) fn parse(words: &[String], what: &str, removal: bool) -> Result<Changes, Error> {
    let (set, remove) = read_some(words, what, removal)?;
    let both: Vec<&str> = remove.iter().filter(|k| set.iter().any(|(s, _)| s == *k)).map(String::as_str).collect();
    match what {
        _ if both.is_empty() => {}
        "annotation" => {
            return Err(Error::text(format!(
                "can not both modify and remove the following annotation(s) in the same command: {}",
                both.join(", ")
            )));
        }
        "label" => return Err(Error::text("can not both modify and remove a label in the same command")),
        what => {
            return Err(Error::text(format!("can not both modify and remove the same {what} in the same command")));
        }
    }
    // Models `parseLabels`, which looks at values before the server does.
    for (k, v) in set.iter().filter(|_| what == "label") {
        if v.contains('=') {
            return Err(Error::text(format!("invalid label spec: {k}={v}")));
        }
        let wrong = meta::validate::label_value(v);
        if !wrong.is_empty() {
            return Err(Error::text(format!("invalid label value: \"{k}={v}\": {}", wrong.join(";"))));
        }
    }
    Ok((set, remove))
}
