//! The terminals' side of the root: what they say to the engine, and what comes of it beside their screens.

use super::{App, Asked, Msg};
use crate::i18n::find;
use crate::samples::SAMPLES;
use crate::ui::{Action, BottomTab, Dock, Pane, TerminalAction};
use gloo::timers::callback::Timeout;
use protocol::{Command, File, Shell, ShellOutput};
use std::rc::Rc;
use yew::Context;

impl App {
    pub(super) fn terminal(&mut self, action: TerminalAction) {
        match action {
            TerminalAction::New => {
                let number = self.ui.terminals.last().map_or(1, |n| n + 1);
                self.ui.terminals.push(number);
                self.show_terminal(number);
            }
            TerminalAction::Show(number) => self.show_terminal(number),
            TerminalAction::Close(number) => {
                self.ui.terminals.retain(|n| *n != number);
                self.order(Command::Shell(Shell::Close { number }), Asked::Other);
                if let Some(last) = self.ui.terminals.last().copied() {
                    self.show_terminal(last);
                }
            }
            TerminalAction::Focus => {
                let inside = gloo::utils::document()
                    .active_element()
                    .is_some_and(|e| e.closest(".terminal").is_ok_and(|t| t.is_some()));
                if inside {
                    let stage = gloo::utils::document().query_selector("[data-testid=terminal-new]").ok().flatten();
                    let stage = stage.and_then(|e| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(e).ok());
                    let _ = stage.map(|e| e.focus());
                    return;
                }
                self.ui.prefs.set_open(Dock::Bottom, true);
                self.dress();
                self.bottom(BottomTab::Terminal);
            }
            TerminalAction::ScreenReader(on) => {
                self.ui.prefs.screen_reader = on;
                self.keep_prefs();
            }
        }
    }

    /// What the bottom dock shows.
    pub(super) fn bottom(&mut self, tab: BottomTab) {
        self.ui.bottom = tab;
        match tab {
            BottomTab::Timeline => self.ui.pane = Pane::Timeline,
            BottomTab::Terminal if self.ui.terminals.is_empty() => self.terminal(TerminalAction::New),
            BottomTab::Terminal => self.show_terminal(self.ui.terminal),
        }
    }

    fn show_terminal(&mut self, number: u64) {
        (self.ui.terminal, self.ui.bottom, self.ui.pane) = (number, BottomTab::Terminal, Pane::Terminal);
        // It takes the focus once it is in sight.
        let screens = self.screens.clone();
        Timeout::new(0, move || screens.focus(number)).forget();
    }

    pub(super) fn shell(&mut self, mut shell: Shell) {
        match &mut shell {
            Shell::Library { .. } => {
                // One for all terminals.
                if self.library.is_none() {
                    self.library = Some((Rc::new(shell), false));
                }
                self.send_library();
                return;
            }
            Shell::Line { acting, .. } | Shell::Complete { acting, .. } => {
                acting.clone_from(&self.ui.acting);
                self.send_files();
                self.send_library();
            }
            _ => {}
        }
        self.order(Command::Shell(shell), Asked::Other);
    }

    fn send_library(&mut self) {
        if let Some((library, sent @ false)) = &mut self.library {
            *sent = true;
            let library = Shell::clone(library);
            self.order(Command::Shell(library), Asked::Other);
        }
    }

    /// The shells see the editor's files and the samples.
    fn send_files(&mut self) {
        let mut changed = Vec::new();
        if self.sent.is_empty() {
            changed.extend(SAMPLES.iter().map(|s| File { name: format!("samples/{}", s.file), text: s.yaml.into() }));
        }
        for tab in &self.ui.files.tabs {
            if self.sent.get(&tab.name).is_none_or(|t| !Rc::ptr_eq(t, &tab.text)) {
                self.sent.insert(tab.name.clone(), tab.text.clone());
                changed.push(File { name: tab.name.clone(), text: tab.text.to_string() });
            }
        }
        if !changed.is_empty() {
            self.order(Command::Shell(Shell::Files { changed }), Asked::Other);
        }
    }

    pub(super) fn shell_said(&mut self, ctx: &Context<Self>, output: &ShellOutput) {
        let edits = matches!(output.waits, Some(protocol::Waits::Editor { .. }));
        for file in &output.written {
            let text: Rc<str> = file.text.as_str().into();
            Rc::make_mut(&mut self.ui.files).put(&file.name, &text, edits);
            self.sent.insert(file.name.clone(), text);
            self.keep_files_soon(ctx);
        }
        if edits {
            self.ui.prefs.set_open(Dock::Left, true);
            self.dress();
        }
        if let Some(protocol::Waits::Address { url }) = &output.waits {
            self.fetch(ctx, output.number, url);
        }
        self.screens.take(output);
    }

    /// What a command in a terminal reads at an address: samples, and what comes from where the page came from. The page
    /// asks nobody else.
    fn fetch(&mut self, ctx: &Context<Self>, number: u64, url: &str) {
        let location = gloo::utils::window().location();
        let base = location.href().unwrap_or_default();
        let origin = location.origin().unwrap_or_default();
        let link = ctx.link().clone();
        let asked = url.to_string();
        let say = move |found: Result<String, String>| {
            let url = asked.clone();
            let (text, error) = found.map_or_else(|why| (String::new(), Some(why)), |text| (text, None));
            link.send_message(Msg::Act(Box::new(Action::Shell(Shell::Fetched { number, url, text, error }))));
        };
        if let Some(sample) = SAMPLES.iter().find(|s| beside(&base, &format!("samples/{}", s.file)) == url) {
            return say(Ok(sample.yaml.into()));
        }
        if !is_of(&origin, url) {
            let words = find(self.ui.lang, "terminal.address").unwrap_or_default();
            return say(Err(words.into()));
        }
        let address = url.to_string();
        crate::library::get(url, move |found| say(found.map_err(|why| reported(&address, &why))));
    }

    /// The engine is another one.
    pub(super) fn restart_shells(&mut self) {
        self.sent.clear();
        if let Some((_, sent)) = &mut self.library {
            *sent = false;
        }
        self.screens.restart(find(self.ui.lang, "terminal.restart").unwrap_or_default());
    }
}

/// An address beside the page's own.
fn beside(page: &str, name: &str) -> String {
    let page = page.split(['?', '#']).next().unwrap_or("");
    format!("{}/{name}", page.rsplit_once('/').map_or(page, |(dir, _)| dir))
}

/// Whether an address is of an origin. A page that is a file has none.
fn is_of(origin: &str, url: &str) -> bool {
    origin != "null"
        && url.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// Why there is no text, as kubectl says it of a status.
fn reported(url: &str, why: &str) -> String {
    let status = why.rsplit_once(&format!("{url}: ")).map(|(_, status)| status.trim());
    match status.and_then(|s| s.split(' ').next().filter(|c| c.parse::<u16>().is_ok()).map(|code| (s, code))) {
        Some((status, code)) => format!("server reported {status}, status code={code}"),
        None => why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_where_the_page_came_from_is_asked_for() {
        let origin = "https://k.example:8443";
        for (url, want) in [
            ("https://k.example:8443/samples/job.yaml", true),
            ("https://k.example:8443", true),
            ("https://k.example:84430/x", false),
            ("https://k.example:8443@evil.example/x", false),
            ("http://k.example:8443/x", false),
            ("https://raw.example/x.yaml", false),
        ] {
            assert_eq!(is_of(origin, url), want, "{url}");
        }
        assert!(!is_of("null", "null/x"));
    }

    #[test]
    fn samples_are_beside_the_page() {
        for page in ["https://a.b/k/", "https://a.b/k/index.html", "https://a.b/k/?lang=ko#state=/x"] {
            assert_eq!(beside(page, "samples/job.yaml"), "https://a.b/k/samples/job.yaml", "{page}");
        }
    }

    #[test]
    fn a_status_is_told_as_kubectl_tells_it() {
        let url = "https://a.b/x.yaml";
        let said = reported(url, "Error: https://a.b/x.yaml: 404 Not Found");
        assert_eq!(said, "server reported 404 Not Found, status code=404");
        assert_eq!(reported(url, "Failed to fetch"), "Failed to fetch");
    }
}
