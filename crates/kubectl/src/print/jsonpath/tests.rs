use super::{JsonPath, relaxed};
use serde_json::{Value, json};

fn store() -> Value {
    json!({
        "kind": "List",
        "items": [
            {"kind": "None", "metadata": {"name": "127.0.0.1", "labels": {"kubernetes.io/hostname": "127.0.0.1"}},
             "status": {"capacity": {"cpu": "4"}, "addresses": [{"type": "LegacyHostIP", "address": "127.0.0.1"}], "n": 3}},
            {"kind": "None", "metadata": {"name": "127.0.0.2", "labels": {"kubernetes.io/hostname": "127.0.0.2"}},
             "status": {"capacity": {"cpu": "8"}, "addresses": [
                {"type": "LegacyHostIP", "address": "127.0.0.2"}, {"type": "another", "address": "127.0.0.3"}], "n": 5}}
        ],
        "users": [{"name": "myself", "user": {}}, {"name": "e2e", "user": {"username": "admin", "password": "secret"}}],
        "empty": []
    })
}

#[test]
fn templates_say_what_upstreams_do() {
    for (template, want) in [
        ("hello", "hello"),
        ("kind is {.kind}", "kind is List"),
        ("{.items[*].metadata.name}", "127.0.0.1 127.0.0.2"),
        ("{.items[*]['metadata.name', 'status.capacity']}", r#"127.0.0.1 127.0.0.2 {"cpu":"4"} {"cpu":"8"}"#),
        ("{.items[*].status.capacity}", r#"{"cpu":"4"} {"cpu":"8"}"#),
        ("{.users[?(@.name==\"e2e\")].user.password}", "secret"),
        ("{.items[0].metadata.labels.kubernetes\\.io/hostname}", "127.0.0.1"),
        ("{.items[0].metadata.labels['kubernetes\\.io/hostname']}", "127.0.0.1"),
        (
            "{range .items[*]}{.metadata.name}, {.status.capacity}{\"\\n\"}{end}",
            "127.0.0.1, {\"cpu\":\"4\"}\n127.0.0.2, {\"cpu\":\"8\"}\n",
        ),
        (
            "{range .items[*]}{.metadata.name}{range .status.addresses[*]} {.address}{end};{end}.",
            "127.0.0.1 127.0.0.1;127.0.0.2 127.0.0.2 127.0.0.3;.",
        ),
        ("{range .empty[*]}x{end}y", "y"),
        ("{..name}", "127.0.0.1 127.0.0.2 myself e2e"),
        ("{.items[-1].status.n}", "5"),
        ("{.items[0:1].status.n}", "3"),
        ("{.items[?(@.status.n>3)].metadata.name}", "127.0.0.2"),
        ("{.items[?(@.status.addresses)].kind}", "None None"),
        ("{.nothing}", ""),
        ("{['kind', 'nothing']}", "List"),
    ] {
        let got = JsonPath::parse(template, true).and_then(|p| p.print(&store()));
        assert_eq!(got.as_deref(), Ok(want), "{template}");
    }
}

#[test]
fn slips_are_refused() {
    for (template, want) in
        [("{.kind", "unclosed action"), ("{.items[?(!@.x)]}", "unrecognized character in action: U+0021 '!'")]
    {
        assert_eq!(JsonPath::parse(template, true).err().as_deref(), Some(want), "{template}");
    }
    let stray = JsonPath::parse("{end}", true).and_then(|p| p.print(&store()));
    assert_eq!(stray.err().as_deref(), Some("not in range, nothing to end"));
    // A word that means nothing is one only to whoever meets it.
    let unknown = JsonPath::parse("{foo}", true).and_then(|p| p.print(&store()));
    assert_eq!(unknown.err().as_deref(), Some("unrecognized identifier foo"));
    let missing = JsonPath::parse("{.nothing}", false).and_then(|p| p.print(&store()));
    assert_eq!(missing.err().as_deref(), Some("nothing is not found"));
    let outside = JsonPath::parse("{.items[5].kind}", true).and_then(|p| p.print(&store()));
    assert_eq!(outside.err().as_deref(), Some("array index out of bounds: index 5, length 2"));
}

#[test]
fn paths_may_be_written_short() {
    for text in ["metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"] {
        assert_eq!(relaxed(text).as_deref(), Ok("{.metadata.name}"));
    }
    assert!(relaxed("{{.a}}").is_err());
}
