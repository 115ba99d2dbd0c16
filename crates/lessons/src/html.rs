//! Markdown to HTML that a page may show whoever wrote it: no HTML of the author's, no links but to the web.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use std::collections::BTreeMap;

pub const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH);
/// A link to a manifest of the lesson: `[web.yaml](file:web.yaml)`.
const FILE: &str = "file:";

/// The text as HTML. Links to files of the lesson become the file with a button that asks the page to open it
/// (`data-file`); `open` is the button's label.
pub fn render(text: &str, files: &BTreeMap<String, String>, open: &str) -> String {
    let events: Vec<Event<'_>> = Parser::new_ext(text, OPTIONS).collect();
    let mut out: Vec<Event<'_>> = Vec::with_capacity(events.len());
    let mut at = 0;
    while at < events.len() {
        if let Some((name, length)) = file_paragraph(&events[at..]) {
            out.push(Event::Html(figure(name, files.get(name).map_or("", String::as_str), open).into()));
            at += length;
            continue;
        }
        out.push(safe(events[at].clone()));
        at += 1;
    }
    let mut html = String::new();
    html::push_html(&mut html, out.into_iter());
    html
}

/// Names of files that a text links to, and where in it.
pub fn linked_files(text: &str) -> Vec<(String, usize)> {
    let of = |(e, range): (Event<'_>, std::ops::Range<usize>)| match e {
        Event::Start(Tag::Link { dest_url, .. }) => Some((dest_url.strip_prefix(FILE)?.to_string(), range.start)),
        _ => None,
    };
    Parser::new_ext(text, OPTIONS).into_offset_iter().filter_map(of).collect()
}

/// A paragraph that is nothing but a link to a file: its name, and how many events it is.
fn file_paragraph<'a>(events: &'a [Event<'_>]) -> Option<(&'a str, usize)> {
    let (Event::Start(Tag::Paragraph), Event::Start(Tag::Link { dest_url, .. })) = (events.first()?, events.get(1)?)
    else {
        return None;
    };
    let name = dest_url.strip_prefix(FILE)?;
    let end = events.iter().position(|e| matches!(e, Event::End(TagEnd::Paragraph)))?;
    matches!(events.get(end - 1)?, Event::End(TagEnd::Link)).then_some((name, end + 1))
}

fn figure(name: &str, text: &str, open: &str) -> String {
    let [name, text, open] = [name, text.trim_end(), open].map(escape);
    format!(
        "<figure class=\"lesson-file\"><figcaption><code>{name}</code><button data-file=\"{name}\">{open}</button></figcaption>\
         <pre><code>{text}</code></pre></figure>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn safe(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { dest_url, title, .. }) => Event::Html(anchor(&dest_url, &title).into()),
        Event::End(TagEnd::Link) => Event::Html(CowStr::Borrowed("</a>")),
        // Pictures would have to be fetched from somewhere; their descriptions stay.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => Event::Text(CowStr::Borrowed("")),
        other => other,
    }
}

fn anchor(url: &str, title: &str) -> String {
    let web = ["https://", "http://"].iter().any(|s| url.to_ascii_lowercase().starts_with(s));
    if web {
        format!("<a href=\"{}\" title=\"{}\" target=\"_blank\" rel=\"noopener\">", escape(url), escape(title))
    } else {
        "<a>".into()
    }
}
