//! `kubottle lesson`: what is written passes its own check, and what is wrong is told by line and column.

use system_tests::run;

#[test]
fn a_new_lesson_passes_and_a_broken_one_is_told_where() {
    let dir = std::env::temp_dir().join(format!("kubottle-lesson-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let file = dir.join("my-first.md");
    let name = file.to_string_lossy().into_owned();
    let Some(ran) = run(&["lesson", "new", &name]) else { return };
    ran.good();
    let checked = run(&["lesson", "check", &name]).map(|r| r.good());
    assert!(checked.is_some_and(|out| out.contains("1 steps, 1 checks")));
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let check = |from: &str, to: &str, expected: &str| {
        assert!(text.contains(from), "{from:?}");
        std::fs::write(&file, text.replace(from, to)).unwrap_or_else(|e| panic!("{e}"));
        let err = run(&["lesson", "check", &name]).map(|r| r.bad()).unwrap_or_default();
        assert!(err.contains(&format!("my-first.md:{expected}")), "no {expected:?} in\n{err}");
    };
    check("covers: [Pod]", "covers: [Pood]", "8:10: covers: \"Pood\" is not in the syllabus");
    check("kind: Pod, name", "kind: Pood, name", "27:5: there is no kind \"Pood\"");
    check("create deployment hello --image=nginx", "delete pod nobody", "24:3: step 1: wrong way 1 was refused: ");
    check("condition: Ready", "count: 0", "24:3: step 1 is done before anything is done for it");
    check(
        "name: hello, condition",
        "name: other, condition",
        "24:3: step 1: the solution does not fulfil check 1 within 2m0s",
    );
    let _ = std::fs::remove_dir_all(&dir);
}
