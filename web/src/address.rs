//! What the page's address asks for: `?embed` a calm page for another page's frame, `?lesson=ID` a lesson, `#state=…` a state
//! (`crate::views::share`), `?lang=ko|en` and `?theme=light|dark` how an embedded page looks.

use crate::i18n::Lang;
use crate::ui::Theme;
use wasm_bindgen::JsValue;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub embed: bool,
    pub lesson: Option<String>,
    pub lang: Option<Lang>,
    pub theme: Option<Theme>,
}

fn parts(search: &str) -> impl Iterator<Item = (&str, &str)> {
    search.trim_start_matches('?').split('&').map(|part| part.split_once('=').unwrap_or((part, "")))
}

fn parse(search: &str) -> Address {
    let mut a = Address::default();
    for (name, value) in parts(search) {
        match (name, value) {
            ("embed", _) => a.embed = true,
            ("lesson", id) if !id.is_empty() => a.lesson = Some(id.into()),
            ("lang", "ko") => a.lang = Some(Lang::Ko),
            ("lang", "en") => a.lang = Some(Lang::En),
            ("theme", "light") => a.theme = Some(Theme::Light),
            ("theme", "dark") => a.theme = Some(Theme::Dark),
            _ => {}
        }
    }
    a
}

/// The search without what was asked for by these names.
fn without(search: &str, names: &[&str]) -> String {
    let kept: Vec<&str> = search
        .trim_start_matches('?')
        .split('&')
        .filter(|part| !part.is_empty() && !names.contains(&part.split('=').next().unwrap_or_default()))
        .collect();
    if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
}

fn search() -> String {
    gloo::utils::window().location().search().unwrap_or_default()
}

pub fn read() -> Address {
    parse(&search())
}

/// The page's own address, without what follows it.
pub fn base() -> String {
    let href = gloo::utils::window().location().href().unwrap_or_default();
    href.split(['?', '#']).next().unwrap_or_default().to_string()
}

/// Where the same is shown with everything around it.
pub fn in_full() -> String {
    let hash = gloo::utils::window().location().hash().unwrap_or_default();
    format!("{}{}{hash}", base(), without(&search(), &["embed", "theme"]))
}

/// Once a lesson has begun, a reload goes on with it.
pub fn forget_lesson() {
    let window = gloo::utils::window();
    let hash = window.location().hash().unwrap_or_default();
    let path = window.location().pathname().unwrap_or_default() + &without(&search(), &["lesson"]) + &hash;
    let _ = window.history().and_then(|h| h.replace_state_with_url(&JsValue::NULL, "", Some(&path)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_shown() {
        let a = parse("?embed&lesson=first-pod&lang=ko&theme=dark");
        assert_eq!(
            (a.embed, a.lesson.as_deref(), a.lang, a.theme),
            (true, Some("first-pod"), Some(Lang::Ko), Some(Theme::Dark))
        );
        assert_eq!(parse("?server"), Address::default());
        assert_eq!(without("?embed&lesson=first-pod&theme=dark", &["embed", "theme"]), "?lesson=first-pod");
        assert_eq!(without("?embed", &["embed"]), "");
    }
}
