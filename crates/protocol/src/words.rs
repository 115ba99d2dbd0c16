//! Notes about decisions (`cell.*`, `fix.*`) and the command line's own words, in Korean and English, for the page and
//! the terminal alike. A template holds `{name}` where an argument goes.

use crate::particle;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use trace::Note;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    Ko,
    En,
}

impl Lang {
    /// From a tag like `ko_KR.UTF-8` or `en-US`.
    pub fn of(tag: &str) -> Lang {
        if tag.to_ascii_lowercase().starts_with("ko") { Lang::Ko } else { Lang::En }
    }
}

type Catalogue = BTreeMap<String, String>;

fn catalogue(lang: Lang) -> &'static Catalogue {
    static KO: OnceLock<Catalogue> = OnceLock::new();
    static EN: OnceLock<Catalogue> = OnceLock::new();
    // The files are part of the program, and a test reads them.
    match lang {
        Lang::Ko => KO.get_or_init(|| serde_json::from_str(include_str!("../words/ko.json")).unwrap_or_default()),
        Lang::En => EN.get_or_init(|| serde_json::from_str(include_str!("../words/en.json")).unwrap_or_default()),
    }
}

/// The template of a code, when there is one.
pub fn find(lang: Lang, code: &str) -> Option<&'static str> {
    catalogue(lang).get(code).map(String::as_str)
}

/// A note as a sentence. One that the catalogue does not know is shown with its arguments as they are.
pub fn note(lang: Lang, note: &Note) -> String {
    let args = || note.args.iter().map(|(n, v)| (n.as_ref(), v.as_str()));
    match find(lang, &note.code) {
        Some(template) => fill(template, args().collect::<Vec<_>>()),
        None => {
            let args: Vec<String> = args().map(|(n, v)| format!("{n}={v}")).collect();
            format!("{} {}", note.code, args.join(" ")).trim_end().into()
        }
    }
}

/// A code with arguments as a sentence.
pub fn say(lang: Lang, code: &str, args: &[(&str, &str)]) -> String {
    fill(find(lang, code).unwrap_or(code), args.iter().copied())
}

/// Puts arguments in their places; an unknown place stays as it is written. Of a pair of Korean particles after an argument
/// the one that is right is left.
pub fn fill<'a>(template: &str, args: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        rest = after;
        match args.clone().into_iter().find(|(n, _)| *n == name) {
            Some((_, value)) => {
                out.push_str(value);
                if let Some((particle, after)) = particle::choose(value, rest) {
                    out.push_str(particle);
                    rest = after;
                }
            }
            None => {
                out.push('{');
                out.push_str(name);
                out.push('}');
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn both_languages_have_the_same_codes_and_places() {
        let (en, ko) = (catalogue(Lang::En), catalogue(Lang::Ko));
        assert!(en.len() > 50);
        assert_eq!(en.keys().collect::<Vec<_>>(), ko.keys().collect::<Vec<_>>());
        for (code, text) in en {
            assert_eq!(places(text), places(&ko[code]), "{code}");
        }
    }

    #[test]
    fn arguments_go_to_their_places_once() {
        let n = Note::new("cell.node-name").with("node", "{node}");
        assert_eq!(note(Lang::En, &n), "the pod names its node: {node}");
        let there = |node: &str| note(Lang::Ko, &Note::new("diagnosis.node-gone").with("node", node));
        assert_eq!(there("node-1"), "파드가 있던 노드 node-1이 없어졌습니다");
        assert_eq!(there("gpu"), "파드가 있던 노드 gpu이(가) 없어졌습니다");
        assert_eq!(note(Lang::En, &Note::new("no.such").with("a", 1)), "no.such a=1");
    }
}
