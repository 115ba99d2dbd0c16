//! Whatever is pasted, reading it ends soon and never panics.

use crate::{locate, parse};
use proptest::prelude::*;

const SEED: &str = "apiVersion: v1\nkind: Pod\nmetadata: &m\n  name: 'x'\n  labels: {app: \"w\\u00e9b\", <<: *m}\nspec:\n  containers:\n  - name: a # c\n    args: [a, \"b\", {c: d}]\n    script: |\n      echo 한글\n---\n{\"a\": [1, 2.5, true, null]}\n";

fn read(text: &str) {
    match parse(&[("f", text)]) {
        Ok(documents) => {
            for d in &documents {
                locate(d, "spec.containers[0].args[2].c");
            }
        }
        Err(problems) => {
            // To YAML, and to the editor, a lone carriage return ends a line too.
            let lines = text.replace("\r\n", "\n").split(['\n', '\r']).count() as u32;
            for p in problems {
                assert!(p.line >= 1 && p.line <= lines && p.column >= 1, "{p}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_yaml_like_text(text in "([-?:,\\[\\]{}#&*!|>'\"%@` \\t\\n\\ra0<=~한.]|- |: |---\n|&a |\\*a){0,120}") {
        read(&text);
    }

    #[test]
    fn a_manifest_with_edits(edits in prop::collection::vec((0usize..300, 0usize..6, "[-:{}\\[\\]&*#\"'\\t \\n\\ra]{0,3}"), 1..6)) {
        let mut chars: Vec<char> = SEED.chars().collect();
        for (at, cut, put) in edits {
            let at = at % (chars.len() + 1);
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, put.chars());
        }
        read(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn any_path(path in "[a-z.\\[\\]0-9?\"/]{0,40}") {
        for d in parse(&[("f", "apiVersion: v1\nkind: Pod\na: [{b: {c.d: 1}}]\n")]).unwrap_or_default() {
            locate(&d, &path);
        }
    }
}

#[test]
fn repetition_is_read_in_linear_time() {
    let size = 1 << 18;
    for unit in [
        "[", "{", "- ", "a: ", "? ", "&a ", "*a ", "!", "|\n", "'", "\"", "{a: [", "# x\n", "---\n", "- - ", "a\n",
        "  ", "\t", "<<: {}\n", "a: b\n", "%", "{}",
    ] {
        let text = unit.repeat(size / unit.len());
        read(&text);
    }
    let many: String = (0..20_000).map(|i| format!("k{i}: v\n")).collect();
    read(&many);
}
