//! The keyboard: which key asks for what, and when a key belongs to a field instead.

use crate::ui::{Action, Overlay, TerminalAction};
use crate::views::past::order;
use protocol::TimeOrder;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Every key there is, for the sheet: where it counts (a text's name), the keys, and what they do (a text's name).
pub const SHEET: &[(&str, &[(&str, &str)])] = &[
    (
        "keys.anywhere",
        &[
            ("Ctrl K  /", "palette.title"),
            ("Ctrl Z", "undo.about"),
            ("Ctrl ⇧ Z", "redo.about"),
            ("?", "help.title"),
            ("Esc", "back"),
        ],
    ),
    (
        "keys.time",
        &[
            ("Space", "help.run"),
            ("→", "transport.step"),
            ("⇧ →", "transport.step-decision"),
            ("←", "past.back"),
            ("⇧ ←", "past.decision-back"),
            ("N", "past.now.about"),
            ("B", "mark.add"),
        ],
    ),
    ("keys.views", &[("P", "presenter.title"), ("S", "spotlight.about"), ("← →  ↑ ↓", "keys.resize")]),
    (
        "keys.writing",
        &[
            ("Ctrl ⏎", "help.apply"),
            ("⇧ Alt F", "editor.format.about"),
            ("Ctrl Space  Tab", "keys.complete"),
            ("Ctrl `", "help.terminal"),
        ],
    ),
    ("keys.decision", &[("← →", "help.phases"), ("↑ ↓", "help.steps"), ("Home  End", "keys.walk-ends")]),
    (
        "keys.lists",
        &[
            ("↑ ↓  PgUp PgDn  Home End", "keys.list-move"),
            ("⏎  Space", "keys.list-open"),
            ("Ctrl Home  End", "keys.first-cell"),
        ],
    ),
];

fn target(event: &KeyboardEvent) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// A field that takes text.
fn typing(element: &Element) -> bool {
    element.closest("input:not([type=range]), textarea, select, [contenteditable=true]").is_ok_and(|e| e.is_some())
}

/// A terminal has a use for every key.
fn in_terminal(element: &Element) -> bool {
    element.closest(".terminal").is_ok_and(|e| e.is_some())
}

/// Something that has its own use for space and arrows.
fn operable(element: &Element) -> bool {
    let own = "button, a, summary, input[type=range], [role=application], [role=slider], [role=grid], [role=tablist], [role=menu], [role=listbox]";
    element.closest(own).is_ok_and(|e| e.is_some())
}

/// Within something that is before everything else.
fn in_dialog(element: &Element) -> bool {
    element.closest("[aria-modal=true]").is_ok_and(|e| e.is_some())
}

/// The letter that is written on the key, small, whatever script is being typed: with Hangul it says something else, and within
/// an input method nothing at all.
fn letter(key: &str, code: &str) -> String {
    let latin = key.is_ascii() && key != "Process";
    match code.strip_prefix("Key").filter(|_| !latin) {
        Some(letter) => letter.to_ascii_lowercase(),
        None if key.len() == 1 => key.to_ascii_lowercase(),
        None => key.to_string(),
    }
}

/// What the key asks for; the caller prevents the browser's own meaning then.
pub fn action(event: &KeyboardEvent) -> Option<Action> {
    let key = letter(&event.key(), &event.code());
    let command = event.ctrl_key() || event.meta_key();
    if command && key == "k" && !target(event).as_ref().is_some_and(in_terminal) {
        return Some(Action::Overlay(Some(Overlay::Palette)));
    }
    if event.ctrl_key() && event.code() == "Backquote" {
        return Some(Action::Terminal(TerminalAction::Focus));
    }
    let element = target(event);
    let busy = element.as_ref().is_some_and(|e| typing(e) || in_terminal(e));
    let in_dialog = element.as_ref().is_some_and(in_dialog);
    if command && key == "z" && !busy && !in_dialog {
        return Some(if event.shift_key() { Action::Redo } else { Action::Undo });
    }
    let typing = element.as_ref().is_some_and(typing);
    if key == "Escape" {
        return (!typing).then_some(Action::Escape);
    }
    if typing || command || event.alt_key() {
        return None;
    }
    let operable = element.as_ref().is_some_and(operable);
    match key.as_str() {
        " " if !operable => Some(Action::ToggleRun),
        "ArrowRight" if event.shift_key() => Some(Action::StepDecision),
        "ArrowLeft" if event.shift_key() => Some(order(TimeOrder::DecisionBack)),
        "ArrowLeft" if !operable => Some(order(TimeOrder::Back)),
        "n" | "s" | "p" | "b" if in_dialog => None,
        "n" => Some(order(TimeOrder::Now)),
        "s" => Some(Action::Spotlight),
        "p" => Some(Action::Presenter),
        "b" => Some(order(TimeOrder::Mark { name: String::new() })),
        "ArrowRight" if !operable => Some(Action::Step),
        "?" => Some(Action::Overlay(Some(Overlay::Help))),
        "/" => Some(Action::Overlay(Some(Overlay::Palette))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::letter;

    #[test]
    fn a_key_is_the_same_with_every_script() {
        for (key, code, is) in [
            ("p", "KeyP", "p"),
            ("P", "KeyP", "p"),
            ("ㅔ", "KeyP", "p"),
            ("ㄴ", "KeyS", "s"),
            ("Process", "KeyB", "b"),
            // Another layout of Latin letters: what is written on the key counts.
            ("n", "KeyL", "n"),
            ("?", "Slash", "?"),
            (" ", "Space", " "),
            ("ArrowLeft", "ArrowLeft", "ArrowLeft"),
            ("Escape", "Escape", "Escape"),
        ] {
            assert_eq!(letter(key, code), is, "{key} {code}");
        }
    }
}
