use super::{gojson, tab::Tab, template::Template, yaml};
use serde_json::{Value, json};

/// Each text as goyaml writes it, seen from kubectl.
#[test]
fn scalars_are_quoted_as_goyaml_quotes_them() {
    for (text, want) in [
        ("&a", "'&a'"),
        ("@a", "'@a'"),
        ("0b11", "\"0b11\""),
        ("a\u{feff}b", "\"a\\uFEFFb\""),
        ("{a}", "'{a}'"),
        ("a{b}", "a{b}"),
        ("[a]", "'[a]'"),
        ("a\\b", "a\\b"),
        ("`a", "'`a'"),
        ("a:b", "a:b"),
        ("a: b", "'a: b'"),
        ("a:", "'a:'"),
        ("a, b", "a, b"),
        ("a\u{1}b", "\"a\\x01b\""),
        ("...", "'...'"),
        ("-a", "-a"),
        ("-", "'-'"),
        ("--- a", "'--- a'"),
        ("- a", "'- a'"),
        ("2020-01-01", "\"2020-01-01\""),
        (".", "."),
        ("\"a", "'\"a'"),
        ("2020-01-01T00:00:00Z", "\"2020-01-01T00:00:00Z\""),
        ("😀", "\"\\U0001F600\""),
        ("", "\"\""),
        ("=", "="),
        ("!a", "'!a'"),
        ("1.5", "\"1.5\""),
        (">a", "'>a'"),
        ("a #b", "'a #b'"),
        ("#b", "'#b'"),
        ("a#b", "a#b"),
        ("0x1f", "\"0x1f\""),
        (".inf", "\".inf\""),
        ("10.0.0.1", "10.0.0.1"),
        ("<<", "<<"),
        ("1", "\"1\""),
        ("0777", "\"0777\""),
        ("%a", "'%a'"),
        ("+1", "\"+1\""),
        ("?a", "?a"),
        ("? a", "'? a'"),
        ("*a", "'*a'"),
        ("1E3", "\"1E3\""),
        ("1:30", "\"1:30\""),
        (" a", "' a'"),
        ("'a", "'''a'"),
        ("a'b", "a'b"),
        ("*", "'*'"),
        ("190:20:30", "\"190:20:30\""),
        ("true", "\"true\""),
        ("a\tb", "\"a\\tb\""),
        ("~", "\"~\""),
        ("a ", "'a '"),
        ("한국어 é", "한국어 é"),
        ("1_000", "\"1_000\""),
        ("y", "\"y\""),
        ("null", "\"null\""),
        ("on", "\"on\""),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\nb", "|-\n  a\n  b"),
        ("a\n\n", "|+\n  a\n"),
        ("  a\nb", "|2-\n    a\n  b"),
        ("a  \nb", "\"a  \\nb\""),
        ("\na\nb\n", "|2\n\n  a\n  b"),
    ] {
        let got = yaml::to_yaml(&json!({"k": text}));
        assert_eq!(got, format!("k: {want}\n"), "{text:?}");
    }
}

#[test]
fn long_lines_fold_after_eighty_characters() {
    let long = "aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo pppp qqqq rrrr ssss";
    let got = yaml::to_yaml(
        &json!({"data": {"colon": format!("aaaa: {long}"), "long": long, "ctl": format!("\u{1}{long}")}}),
    );
    assert_eq!(
        got,
        "data:\n  colon: 'aaaa: aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn\n    oooo pppp qqqq \
         rrrr ssss'\n  ctl: \"\\x01aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn\n    oooo pppp \
         qqqq rrrr ssss\"\n  long: aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj kkkk llll mmmm nnnn oooo\n    pppp qqqq rrrr ssss\n"
    );
}

#[test]
fn lists_stand_where_goyaml_puts_them() {
    let v = json!({"a": [{"b": [1, 2], "c": {}}, "x", ["y", []]], "d": null, "e": true});
    assert_eq!(yaml::to_yaml(&v), "a:\n- b:\n  - 1\n  - 2\n  c: {}\n- x\n- - \"y\"\n  - []\nd: null\ne: true\n");
}

#[test]
fn json_escapes_what_go_escapes() {
    let v = json!({"a": "<b> & \u{1}\n", "c": [], "d": {}});
    assert_eq!(
        gojson::indented(&v),
        "{\n    \"a\": \"\\u003cb\\u003e \\u0026 \\u0001\\n\",\n    \"c\": [],\n    \"d\": {}\n}\n"
    );
    assert_eq!(gojson::compact(&json!({"a": [1, "x"]})), r#"{"a":[1,"x"]}"#);
}

#[test]
fn columns_are_blocks_of_lines() {
    let mut t = Tab::new();
    t.row(vec!["NAME".into(), "AGE".into()]);
    t.row(vec!["longer-name".into(), "5s".into()]);
    assert_eq!(t.flush(), "NAME          AGE\nlonger-name   5s\n");
    t.row(vec!["x".into(), "1s".into()]);
    assert_eq!(t.flush(), "x             1s\n", "widths are remembered");
}

fn go(template: &str, v: &Value) -> Result<String, String> {
    Template::parse(template, true)?.print(v).map_err(|(_, e)| e)
}

#[test]
fn go_templates_say_what_gos_do() {
    let v = json!({"kind": "List", "items": [{"metadata": {"name": "a", "n": 1}}, {"metadata": {"name": "b", "labels": {"x/y": "z"}}}]});
    for (template, want) in [
        ("{{.kind}}", "List"),
        ("{{range .items}}{{.metadata.name}}\n{{end}}", "a\nb\n"),
        ("{{range $i, $e := .items}}{{if $i}}, {{end}}{{$e.metadata.name}}{{end}}", "a, b"),
        ("{{len .items}} {{index .items 1 \"metadata\" \"labels\" \"x/y\"}}", "2 z"),
        ("{{(index .items 0).metadata.name}}", "a"),
        ("{{.nothing}}", "<no value>"),
        ("{{if eq .kind \"List\"}}yes{{else}}no{{end}}", "yes"),
        ("{{- range .items -}} {{ .metadata.name | printf \"%-3s|\" }} {{- end -}}", "a  |b  |"),
        ("{{with .nothing}}x{{else}}y{{end}}", "y"),
        ("{{$n := .kind}}{{$n}}{{range .items}}{{$n}}{{end}}", "ListListList"),
        ("{{if and .kind (not .nothing)}}{{\"YQ==\" | base64decode}}{{end}}", "a"),
        ("{{.items}}", "[map[metadata:map[n:1 name:a]] map[metadata:map[labels:map[x/y:z] name:b]]]"),
    ] {
        assert_eq!(go(template, &v).as_deref(), Ok(want), "{template}");
    }
}
