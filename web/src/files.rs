//! The editor's files. Pure.

use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// The text is shared, not copied: it may be megabytes, and every key pressed makes another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tab {
    pub name: String,
    pub text: Rc<str>,
}

/// At least one file, one of them shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    pub tabs: Vec<Tab>,
    pub shown: usize,
}

impl Default for Files {
    fn default() -> Self {
        Files { tabs: vec![Tab { name: "app.yaml".into(), text: "".into() }], shown: 0 }
    }
}

impl Files {
    /// Makes what was stored sound again: some file, and a shown one that exists.
    pub fn repaired(mut self) -> Files {
        if self.tabs.is_empty() {
            return Files::default();
        }
        self.shown = self.shown.min(self.tabs.len() - 1);
        self
    }
    pub fn current(&self) -> &Tab {
        &self.tabs[self.shown]
    }
    pub fn set_text(&mut self, text: Rc<str>) {
        self.tabs[self.shown].text = text;
    }
    pub fn select(&mut self, index: usize) {
        if index < self.tabs.len() {
            self.shown = index;
        }
    }
    /// Opens a file of that text; one that is open with the same text is shown, an empty one is used.
    pub fn open(&mut self, name: &str, text: &str) {
        if let Some(same) = self.tabs.iter().position(|t| &*t.text == text && !text.is_empty()) {
            self.shown = same;
            return;
        }
        let name = self.free_name(name);
        let tab = Tab { name, text: text.into() };
        if self.current().text.trim().is_empty() && !text.is_empty() {
            let shown = self.shown;
            self.tabs[shown] = tab;
        } else {
            self.tabs.push(tab);
            self.shown = self.tabs.len() - 1;
        }
    }
    /// A file's new text, in its tab or one of its own; shown when asked for.
    pub fn put(&mut self, name: &str, text: &Rc<str>, show: bool) {
        let at = self.tabs.iter().position(|t| t.name == name);
        match at {
            Some(i) => self.tabs[i].text = text.clone(),
            None => self.tabs.push(Tab { name: name.into(), text: text.clone() }),
        }
        if show {
            self.shown = at.unwrap_or(self.tabs.len() - 1);
        }
    }
    pub fn close(&mut self, index: usize) {
        if index >= self.tabs.len() {
            return;
        }
        self.tabs.remove(index);
        if self.tabs.is_empty() {
            *self = Files::default();
        } else if self.shown > index || self.shown == self.tabs.len() {
            self.shown -= 1;
        }
    }
    pub fn rename(&mut self, index: usize, name: &str) {
        let name = name.trim();
        if name.is_empty() || self.tabs.iter().enumerate().any(|(i, t)| i != index && t.name == name) {
            return;
        }
        if let Some(tab) = self.tabs.get_mut(index) {
            tab.name = name.into();
        }
    }
    fn free_name(&self, name: &str) -> String {
        let taken = |n: &str| self.tabs.iter().any(|t| t.name == n);
        if !taken(name) {
            return name.into();
        }
        let stem = name.strip_suffix(".yaml").unwrap_or(name);
        (2..).map(|i| format!("{stem}-{i}.yaml")).find(|n| !taken(n)).unwrap_or_else(|| name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &Files) -> Vec<&str> {
        files.tabs.iter().map(|t| t.name.as_str()).collect()
    }

    #[test]
    fn an_empty_file_is_reused_and_names_stay_unique() {
        let mut f = Files::default();
        f.open("web.yaml", "a: 1");
        f.open("web.yaml", "a: 2");
        assert_eq!(names(&f), ["web.yaml", "web-2.yaml"]);
        f.open("other.yaml", "a: 1");
        assert_eq!((f.tabs.len(), f.shown), (2, 0));
    }

    #[test]
    fn there_is_always_a_file_to_show() {
        let mut f = Files::default();
        f.open("web.yaml", "a: 1");
        f.open("b.yaml", "b: 1");
        f.close(1);
        assert_eq!(f.current().name, "web.yaml");
        f.close(0);
        assert_eq!((names(&f), f.shown), (vec!["app.yaml"], 0));
        assert_eq!(Files { tabs: Vec::new(), shown: 7 }.repaired(), Files::default());
    }
}
