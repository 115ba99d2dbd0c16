use super::parse;

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|w| !w.is_empty()).map(String::from).collect()
}

#[test]
fn flags_are_read_as_pflag_does() {
    let p = parse(&words("get -Aowide pods --selector=a=b -l c=d --watch=false -- x -y")).unwrap();
    assert_eq!(p.command.path, "get");
    assert!(p.flags.bool("all-namespaces") && !p.flags.bool("watch"));
    assert_eq!((p.flags.string("output"), p.flags.string("selector")), ("wide", "c=d"));
    assert_eq!((p.args, p.dash), (words("pods x -y"), Some(1)));
}

#[test]
fn commands_are_found_behind_flags_and_by_alias() {
    let p = parse(&words("-n kube-system create deploy web --image=a,b --image c")).unwrap();
    assert_eq!(p.command.path, "create deployment");
    assert_eq!((p.flags.string("namespace"), p.flags.list("image")), ("kube-system", words("a b c")));
    assert_eq!(p.args, words("web"));
}

#[test]
fn a_value_may_be_left_out_where_upstream_has_one() {
    let p = parse(&words("apply --dry-run -f x.yaml")).unwrap();
    assert_eq!((p.flags.string("dry-run"), p.flags.list("filename")), ("unchanged", words("x.yaml")));
}

#[test]
fn slips_are_refused_in_pflags_words() {
    for (line, want) in [
        ("get pods --foo", "unknown flag: --foo\nSee 'kubectl get --help' for usage."),
        ("get -Z", "unknown shorthand flag: 'Z' in -Z\nSee 'kubectl get --help' for usage."),
        ("get -n", "flag needs an argument: 'n' in -n\nSee 'kubectl get --help' for usage."),
        ("get --output", "flag needs an argument: --output\nSee 'kubectl get --help' for usage."),
        (
            "get -A=x pods",
            "invalid argument \"x\" for \"-A, --all-namespaces\" flag: strconv.ParseBool: parsing \"x\": invalid syntax\n\
             See 'kubectl get --help' for usage.",
        ),
        ("gett pods", "unknown command \"gett\" for \"kubectl\"\n\nDid you mean this?\n\tset\n\tget\n\n"),
    ] {
        assert_eq!(parse(&words(line)).err().as_deref(), Some(want), "{line}");
    }
}

#[test]
fn durations_are_gos() {
    use super::parse::go_duration;
    assert_eq!(go_duration("1h2m3.5s"), Some(3_723_500_000));
    assert_eq!((go_duration("0"), go_duration("5"), go_duration("x")), (Some(0), None, None));
}
