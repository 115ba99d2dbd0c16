//! Every word of the page, in Korean and English, from JSON catalogues in `i18n/`: one pair of files an area.
//! A template holds `{name}` where an argument goes. The tests hold both languages to the same keys.

pub mod describe;
pub mod explain;
pub mod refusals;

pub use protocol::words::fill;

use std::cell::OnceCell;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    Ko,
    En,
}

impl Lang {
    pub fn code(self) -> &'static str {
        match self {
            Lang::Ko => "ko",
            Lang::En => "en",
        }
    }
    /// From a browser's language tag.
    pub fn of(tag: &str) -> Lang {
        if tag.to_ascii_lowercase().starts_with("ko") { Lang::Ko } else { Lang::En }
    }
    /// As the words that page and terminal share name it.
    pub fn shared(self) -> protocol::words::Lang {
        match self {
            Lang::Ko => protocol::words::Lang::Ko,
            Lang::En => protocol::words::Lang::En,
        }
    }
    pub fn other(self) -> Lang {
        match self {
            Lang::Ko => Lang::En,
            Lang::En => Lang::Ko,
        }
    }
}

type Catalogue = BTreeMap<&'static str, &'static str>;

const EN: &[&str] = &[
    include_str!("i18n/en/ui.json"),
    include_str!("i18n/en/cloud.json"),
    include_str!("i18n/en/decision.json"),
    include_str!("i18n/en/lessons.json"),
    include_str!("i18n/en/debugger.json"),
    include_str!("i18n/en/notes.json"),
    include_str!("i18n/en/objects.json"),
    include_str!("i18n/en/page.json"),
    include_str!("i18n/en/panels.json"),
    include_str!("i18n/en/samples.json"),
    include_str!("i18n/en/time.json"),
];
const KO: &[&str] = &[
    include_str!("i18n/ko/ui.json"),
    include_str!("i18n/ko/cloud.json"),
    include_str!("i18n/ko/decision.json"),
    include_str!("i18n/ko/lessons.json"),
    include_str!("i18n/ko/debugger.json"),
    include_str!("i18n/ko/notes.json"),
    include_str!("i18n/ko/objects.json"),
    include_str!("i18n/ko/page.json"),
    include_str!("i18n/ko/panels.json"),
    include_str!("i18n/ko/samples.json"),
    include_str!("i18n/ko/time.json"),
];

fn load(files: &[&'static str]) -> Catalogue {
    let mut all = Catalogue::new();
    for file in files {
        // The files are part of the program and a test reads them: one that does not parse cannot get here.
        let texts: BTreeMap<String, String> = serde_json::from_str(file).unwrap_or_default();
        for (key, text) in texts {
            all.insert(String::leak(key), String::leak(text));
        }
    }
    all
}

thread_local! {
    static CATALOGUES: [OnceCell<Catalogue>; 2] = const { [OnceCell::new(), OnceCell::new()] };
}

/// The text of `key`, if there is one.
pub fn find(lang: Lang, key: &str) -> Option<&'static str> {
    CATALOGUES.with(|all| {
        let (cell, files) = match lang {
            Lang::Ko => (&all[0], KO),
            Lang::En => (&all[1], EN),
        };
        cell.get_or_init(|| load(files)).get(key).copied()
    })
}

/// The text of `key`, or the key itself.
pub fn text(lang: Lang, key: &'static str) -> &'static str {
    find(lang, key).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_and_places() {
        for file in EN.iter().chain(KO) {
            serde_json::from_str::<BTreeMap<String, String>>(file).unwrap();
        }
        let (en, ko) = (load(EN), load(KO));
        let keys = |c: &Catalogue| c.keys().copied().collect::<BTreeSet<_>>();
        let missing: Vec<_> = keys(&en).symmetric_difference(&keys(&ko)).copied().collect();
        assert!(missing.is_empty(), "in one language only: {missing:?}");
        for (key, text) in &en {
            assert_eq!(places(text), places(ko[key]), "{key}");
            assert!(!text.is_empty() && !ko[key].is_empty(), "{key}");
        }
    }

    fn keys_used(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                keys_used(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for call in [".t(\"", ".tf(\"", "text(lang, \""] {
                    for rest in source.split(call).skip(1) {
                        found.extend(rest.split('"').next().filter(|k| !k.is_empty()).map(str::to_string));
                    }
                }
            }
        }
    }

    #[test]
    fn every_key_that_views_ask_for_exists() {
        let mut used = BTreeSet::new();
        keys_used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        let missing: Vec<_> = used.iter().filter(|key| find(Lang::En, key).is_none()).collect();
        assert!(missing.is_empty(), "not in the catalogue: {missing:#?}");
        assert!(used.len() > 100);
    }

    #[test]
    fn arguments_go_to_their_places() {
        let text = fill("{a} of {b}, {c}", [("a", "1"), ("b", "2")]);
        assert_eq!(text, "1 of 2, {c}");
    }
}
