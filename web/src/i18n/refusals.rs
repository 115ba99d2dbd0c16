//! What the engine refuses, in the page's language. The engine says it in English; the catalogue's English texts under
//! `refusal.` are these sentences, with places for what differs. What is not among them is Kubernetes' own and stays.

use super::{EN, Lang, fill, find, load};
use std::cell::OnceCell;

thread_local! {
    static SENTENCES: OnceCell<Vec<(&'static str, &'static str)>> = const { OnceCell::new() };
}

/// What stands in a template's places, by their names; `None` when the text is not made of it.
fn places<'t>(template: &'static str, text: &'t str) -> Option<Vec<(&'static str, &'t str)>> {
    let mut parts = template.split('{');
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let (name, after) = part.split_once('}')?;
        let end = if after.is_empty() { rest.len() } else { rest.find(after)? };
        found.push((name, &rest[..end]));
        rest = &rest[end + after.len()..];
    }
    rest.is_empty().then_some(found)
}

pub fn told(lang: Lang, message: &str) -> String {
    if lang == Lang::En {
        return message.to_string();
    }
    let told = SENTENCES.with(|s| {
        let all = s.get_or_init(|| load(EN).into_iter().filter(|(key, _)| key.starts_with("refusal.")).collect());
        all.iter().find_map(|(key, template)| Some(fill(find(lang, key)?, places(template, message)?)))
    });
    told.unwrap_or_else(|| message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_korean_and_kubernetes_words_stay() {
        assert_eq!(
            told(Lang::Ko, "there are 12 branches already"),
            "분기가 이미 12개 있습니다. 쓰지 않는 분기를 먼저 지우세요"
        );
        assert_eq!(told(Lang::En, "there are 12 branches already"), "there are 12 branches already");
        let own = "Operation cannot be fulfilled on pods \"a\"";
        assert_eq!(told(Lang::Ko, own), own);
        assert_eq!(
            told(Lang::Ko, "\"ftp://a\": only http and https can be followed"),
            "\"ftp://a\": http와 https만 따라갈 수 있습니다"
        );
    }
}
