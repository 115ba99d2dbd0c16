use crate::{Answer, May, Request, Span, judge};
use crate::{Lesson, Verdict, World, template};
use serde_json::{Value, json};

fn lesson() -> String {
    template::lesson("hello")
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let problems = Lesson::read(text).expect_err("it is wrong");
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said:?} does not begin with {expected:?}");
    }
    assert_eq!(said.len(), expected.len(), "{said:#?}");
}

#[test]
fn the_template_is_a_lesson() {
    let l = Lesson::read(&lesson()).unwrap_or_else(|p| panic!("{p:?}"));
    assert_eq!((l.id.as_str(), l.minutes, l.steps.len()), ("hello", 5, 1));
    let text = l.text();
    assert_eq!(text.ko.steps[0].title, "파드 시작하기");
    assert_eq!(text.en.steps[0].checks, ["The Pod hello is Ready"]);
    assert!(text.en.steps[0].text.contains("data-file=\"pod.yaml\">Open in the editor<"), "{}", text.en.steps[0].text);
    let predict = text.en.steps[0].predict.as_ref().expect("a question");
    assert_eq!(predict.choices.len(), 3);
    assert!(predict.choices[1].contains("kube-scheduler"));
    assert_eq!(text.ko.steps[0].hints.len(), 2);
}

#[test]
fn problems_have_a_place() {
    refused("# en\n", &["1:1: a lesson begins with its front matter"]);
    refused("---\nlesson: a\n", &["1:1: the front matter does not end"]);
    refused(
        &lesson().replace("covers: [Pod]", "covers: [pods]"),
        &["8:10: covers: \"pods\" is not in the syllabus (did you mean Pod?)"],
    );
    refused(&lesson().replace("minutes: 5", "minutes: 50"), &["6:10: minutes: 3 to 20 are expected"]);
    refused(&lesson().replace("minutes: 5", "minuts: 5"), &["6:1: front matter: unknown field"]);
    refused(&lesson().replace("- apply: pod.yaml", "- apply: pot.yaml"), &["30:12: no file \"pot.yaml\""]);
    refused(
        &lesson().replace("file:pod.yaml", "file:pot.yaml"),
        &["48:1: file:pot.yaml is not", "83:1: file:pot.yaml is not"],
    );
    refused(&lesson().replace("condition: Ready}", "where: 'status.phase =='}"), &["28:"]);
    refused(&lesson().replace("answer: 2", "answer: 4"), &["44:1: 3 choices", "79:1: 3 choices"]);
    refused(
        &lesson().replace("## 정리", "## 맺음"),
        &["73:1: ## Recap (## 정리) is missing", "73:1: 2 steps in the text, 1"],
    );
    let french = Lesson::read(&lesson().replace("# ko\n", "# fr\n")).expect_err("it is wrong");
    let said: Vec<String> = french.iter().map(ToString::to_string).collect();
    assert!(said[0].starts_with("there is no text in one of the languages"), "{said:?}");
    assert!(said[1].starts_with("73:1: a heading of the first level names a language"), "{said:?}");
}

#[test]
fn html_of_the_author_is_text() {
    let bad = lesson().replace("What there is to see", "<img src=x onerror=alert(1)> [a](javascript:alert(1)) See");
    let html = Lesson::read(&bad).unwrap_or_else(|p| panic!("{p:?}")).text().en.steps[0].text.clone();
    assert!(!html.contains("<img") && !html.contains("javascript:"), "{html}");
}

/// A cluster of two pods.
struct Pods(Vec<Value>);

impl World for Pods {
    fn kinds(&self) -> Vec<(String, String)> {
        vec![("Pod".into(), "pods".into()), ("Event".into(), "events".into())]
    }
    fn objects(&self, kind: &str) -> Vec<Value> {
        if kind == "Pod" { self.0.clone() } else { Vec::new() }
    }
    fn is_running(&self, process: &str) -> Option<bool> {
        (process == "kube-scheduler").then_some(true)
    }
    fn may(&self, may: &May) -> bool {
        may.name == "jane"
    }
    fn request(&self, _: (&str, &str), r: &Request) -> Answer {
        Answer { status: r.url.value.contains("web").then_some(200), body: "hello".into() }
    }
    fn log(&self, _: (&str, &str), _: &str) -> String {
        "started".into()
    }
    fn run(&self, _: (&str, &str), _: &str, command: &str) -> (i32, String) {
        (0, command.into())
    }
    fn fork(&self, _: &[crate::Action], _: Span) -> Result<Box<dyn World + '_>, String> {
        Ok(Box::new(Pods(Vec::new())))
    }
}

fn pods() -> Pods {
    let pod = |name: &str, ready: &str| {
        json!({"metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}})
    };
    Pods(vec![pod("web-1", "True"), pod("web-2", "False")])
}

fn verdict(check: &str) -> Verdict {
    let check = serde_saphyr::from_str(check).unwrap_or_else(|e| panic!("{check}: {e}"));
    judge(&check, &pods(), &Pods(Vec::new()))
}

#[test]
fn checks_are_judged() {
    for (check, holds) in [
        ("objects: {kind: Pod, condition: Ready}", true),
        ("objects: {kind: Pod, condition: Ready, count: 2}", false),
        ("objects: {kind: Pod, name: web-*, count: 2}", true),
        ("objects: {kind: Pod, labels: app=web, every: status.phase == 'Running'}", true),
        ("objects: {kind: Pod, where: status.podIP == ''}", false),
        ("objects: {kind: Pod, namespace: other, count: 0}", true),
        ("that: pods.size() == 2 && before.pods.size() == 0", true),
        ("event: {reason: Killing, seen: false}", true),
        ("process: {name: kube-scheduler}", true),
        ("process: {name: kube-scheduler-2}", false),
        ("user: {name: jane, verb: get, resource: pods}", true),
        ("user: {name: jim, verb: get, resource: pods, may: false}", true),
        ("request: {from: app=web, url: 'http://web'}", true),
        ("request: {from: web-1, url: 'http://other', fails: true}", true),
        ("request: {from: nobody, url: 'http://web'}", false),
        ("log: {pod: web-1, contains: start}", true),
        ("run: {pod: web-1, command: echo, contains: echo}", true),
        ("fork: {do: [], after: 5s, checks: [{objects: {kind: Pod, count: 0}}]}", true),
    ] {
        assert_eq!(verdict(check), Verdict { holds, error: None }, "{check}");
    }
    for (check, error) in [
        ("objects: {kind: Pods}", "there is no kind \"Pods\""),
        ("that: pod.size() == 2", "undeclared reference to 'pod'"),
        ("objects: {kind: Pod, where: stat.phase == ''}", "undeclared reference to 'stat'"),
        ("that: pods.size()", "the expression gives a int"),
    ] {
        let said = verdict(check).error.unwrap_or_default();
        assert!(said.starts_with(error), "{check}: {said}");
    }
}
