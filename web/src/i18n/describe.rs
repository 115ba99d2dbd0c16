//! Trace entries and notes as sentences.

use super::{Lang, fill, find};
use protocol::{Entry, Note, What};

/// `note.<code>` with its arguments. Notes about decisions are in the catalogue that the terminal shares; a code that
/// neither knows is shown with its arguments as they are.
pub fn note(lang: Lang, note: &Note) -> String {
    let args = note.args.iter().map(|(name, value)| (name.as_ref(), value.as_str()));
    match find(lang, &format!("note.{}", note.code)) {
        Some(template) => fill(template, args),
        None => protocol::words::note(lang.shared(), note),
    }
}

fn say(lang: Lang, key: &str, args: &[(&str, &str)]) -> String {
    fill(find(lang, key).unwrap_or_default(), args.iter().copied())
}

/// One line for one entry, without its actor and time.
pub fn entry(lang: Lang, entry: &Entry) -> String {
    match &entry.what {
        What::Action { action, target } => match find(lang, &format!("action.{action}")) {
            Some(template) => fill(template, [("target", target.as_str())]),
            None => format!("{action} {target}"),
        },
        What::Request { verb, resource, key, subresource, code, message, .. } => {
            let resource =
                if subresource.is_empty() { resource.to_string() } else { format!("{resource}/{subresource}") };
            let code = code.to_string();
            let args = [
                ("verb", verb.as_ref()),
                ("resource", &resource),
                ("key", key.as_str()),
                ("code", &code),
                ("message", message),
            ];
            say(lang, if message.is_empty() { "entry.request" } else { "entry.refused" }, &args)
        }
        What::Step { item, notes } => {
            let took = say(lang, "entry.step", &[("item", item)]);
            let notes: Vec<String> = notes.iter().map(|n| note(lang, n)).collect();
            if notes.is_empty() { took } else { format!("{took}: {}", notes.join("; ")) }
        }
        What::Cycle { cycle } => {
            let cycle = cycle.outcome();
            let pod = format!("{}/{}", cycle.pod.namespace, cycle.pod.name);
            match &cycle.node {
                Some(node) => say(lang, "entry.cycle.bound", &[("pod", &pod), ("node", node)]),
                None => say(lang, "entry.cycle.failed", &[("pod", &pod), ("message", &cycle.message)]),
            }
        }
        What::Process { process, state } => {
            let state = find(lang, &format!("process.{state}")).unwrap_or(state);
            say(lang, "entry.process", &[("process", process), ("state", state)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_note_is_a_sentence_and_an_unknown_one_keeps_its_arguments() {
        let known =
            Note::new("replicaset.scale-up").with("from", 1).with("to", 3).with("create", 2).with("name", "web");
        assert!(super::note(Lang::En, &known).contains('3'));
        assert_ne!(super::note(Lang::Ko, &known), super::note(Lang::En, &known));
        let unknown = Note::new("no.such-code").with("a", 1);
        assert_eq!(super::note(Lang::En, &unknown), "no.such-code a=1");
    }
}
