//! The table of contents: what a page knows of lessons that it has not loaded.

use crate::lesson::Lesson;
use crate::syllabus::{SYLLABUS, Topic};
use serde_json::{Value, json};

/// JSON, one lesson a line so that differences can be read. The lessons come with the names of their files, in order; a file's
/// name begins with the number of its chapter and its number in that.
pub fn index<'a>(lessons: impl IntoIterator<Item = (&'a str, &'a Lesson)>) -> String {
    let lines: Vec<String> = lessons.into_iter().map(|(file, l)| format!("    {}", entry(file, l))).collect();
    let syllabus: Vec<String> = SYLLABUS.iter().map(|(topic, names)| format!("    {}", group(*topic, names))).collect();
    format!("{{\n  \"syllabus\": [\n{}\n  ],\n  \"lessons\": [\n{}\n  ]\n}}\n", syllabus.join(",\n"), lines.join(",\n"))
}

fn group(topic: Topic, names: &[&str]) -> Value {
    let topic = match topic {
        Topic::Resource => "resource",
        Topic::Component => "component",
        Topic::Factor => "factor",
    };
    json!({"topic": topic, "names": names})
}

fn entry(file: &str, l: &Lesson) -> Value {
    let chapter: u32 = file.chars().next().and_then(|c| c.to_digit(10)).unwrap_or(0);
    json!({
        "id": l.id,
        "file": file,
        "chapter": chapter,
        "en": l.title.en,
        "ko": l.title.ko,
        "minutes": l.minutes,
        "level": l.challenge.as_ref().map(|c| c.level),
        "question": l.challenge.as_ref().map(|c| c.question.clone()),
        "covers": l.covers,
    })
}
