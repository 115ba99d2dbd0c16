//! Which options of a program have a value, so that a value in a word of its own is not taken for an operand.

/// How a program reads its command line, as getopt is told.
struct Spec {
    programs: &'static [&'static str],
    /// Letters with a value: `-n 5`, `-n5`.
    valued: &'static str,
    /// Letters whose value can only be in the same word: `-i.bak`.
    attached: &'static str,
    /// Long names of letters.
    long: &'static [(&'static str, char)],
    /// `-5` is this option with the value 5.
    number: Option<char>,
    /// Options end at the first operand.
    first: bool,
}

const PLAIN: Spec = Spec { programs: &[], valued: "", attached: "", long: &[], number: None, first: false };

const SPECS: &[Spec] = &[
    Spec {
        programs: &["grep", "egrep", "fgrep"],
        valued: "efABCmdD",
        long: &[
            ("regexp", 'e'),
            ("file", 'f'),
            ("after-context", 'A'),
            ("before-context", 'B'),
            ("context", 'C'),
            ("max-count", 'm'),
            ("ignore-case", 'i'),
            ("invert-match", 'v'),
            ("word-regexp", 'w'),
            ("line-regexp", 'x'),
            ("count", 'c'),
            ("files-with-matches", 'l'),
            ("files-without-match", 'L'),
            ("only-matching", 'o'),
            ("quiet", 'q'),
            ("silent", 'q'),
            ("no-messages", 's'),
            ("line-number", 'n'),
            ("with-filename", 'H'),
            ("no-filename", 'h'),
            ("recursive", 'r'),
            ("dereference-recursive", 'r'),
            ("extended-regexp", 'E'),
            ("fixed-strings", 'F'),
            ("basic-regexp", 'G'),
            ("perl-regexp", 'P'),
        ],
        number: Some('C'),
        ..PLAIN
    },
    Spec { programs: &["ping", "ping6"], valued: "cWwistIpQMmTl", ..PLAIN },
    Spec {
        programs: &["sed"],
        valued: "ef",
        attached: "i",
        long: &[
            ("expression", 'e'),
            ("file", 'f'),
            ("quiet", 'n'),
            ("silent", 'n'),
            ("regexp-extended", 'E'),
            ("in-place", 'i'),
        ],
        ..PLAIN
    },
    Spec {
        programs: &["sort"],
        valued: "ktoST",
        long: &[
            ("key", 'k'),
            ("field-separator", 't'),
            ("output", 'o'),
            ("reverse", 'r'),
            ("numeric-sort", 'n'),
            ("human-numeric-sort", 'h'),
            ("unique", 'u'),
            ("ignore-case", 'f'),
            ("ignore-leading-blanks", 'b'),
            ("version-sort", 'V'),
            ("stable", 's'),
            ("check", 'c'),
            ("general-numeric-sort", 'g'),
            ("month-sort", 'M'),
        ],
        ..PLAIN
    },
    Spec {
        programs: &["head", "tail"],
        valued: "ncs",
        long: &[
            ("lines", 'n'),
            ("bytes", 'c'),
            ("quiet", 'q'),
            ("silent", 'q'),
            ("verbose", 'v'),
            ("follow", 'f'),
            ("retry", 'r'),
            ("sleep-interval", 's'),
            ("pid", 'p'),
        ],
        number: Some('n'),
        ..PLAIN
    },
    Spec {
        programs: &["cut"],
        valued: "dfcbO",
        long: &[
            ("delimiter", 'd'),
            ("fields", 'f'),
            ("characters", 'c'),
            ("bytes", 'b'),
            ("only-delimited", 's'),
            ("complement", 'C'),
            ("output-delimiter", 'O'),
        ],
        ..PLAIN
    },
    Spec {
        programs: &["uniq"],
        valued: "fsw",
        long: &[
            ("count", 'c'),
            ("repeated", 'd'),
            ("unique", 'u'),
            ("ignore-case", 'i'),
            ("skip-fields", 'f'),
            ("skip-chars", 's'),
            ("check-chars", 'w'),
        ],
        ..PLAIN
    },
    Spec {
        programs: &["wc"],
        long: &[("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm'), ("max-line-length", 'L')],
        ..PLAIN
    },
    Spec { programs: &["base64"], valued: "w", long: &[("decode", 'd'), ("wrap", 'w')], ..PLAIN },
    Spec {
        programs: &["tr"],
        long: &[("delete", 'd'), ("squeeze-repeats", 's'), ("complement", 'c'), ("truncate-set1", 't')],
        first: true,
        ..PLAIN
    },
    Spec {
        programs: &["date"],
        valued: "dDrs",
        attached: "I",
        long: &[("date", 'd'), ("reference", 'r'), ("set", 's'), ("utc", 'u'), ("iso-8601", 'I'), ("rfc-email", 'R')],
        ..PLAIN
    },
    Spec {
        programs: &["cat"],
        long: &[
            ("number", 'n'),
            ("number-nonblank", 'b'),
            ("show-all", 'A'),
            ("show-ends", 'E'),
            ("show-tabs", 'T'),
            ("show-nonprinting", 'v'),
            ("squeeze-blank", 's'),
        ],
        ..PLAIN
    },
    Spec {
        programs: &["touch"],
        valued: "dtr",
        long: &[("date", 'd'), ("reference", 'r'), ("no-create", 'c')],
        ..PLAIN
    },
    Spec { programs: &["tee"], long: &[("append", 'a')], ..PLAIN },
    Spec {
        programs: &["du"],
        valued: "d",
        long: &[
            ("max-depth", 'd'),
            ("summarize", 's'),
            ("all", 'a'),
            ("human-readable", 'h'),
            ("total", 'c'),
            ("bytes", 'b'),
            ("apparent-size", 'b'),
            ("one-file-system", 'x'),
        ],
        ..PLAIN
    },
    Spec {
        programs: &["truncate"],
        valued: "sr",
        long: &[("size", 's'), ("reference", 'r'), ("no-create", 'c')],
        ..PLAIN
    },
    Spec { programs: &["nl"], valued: "bdfhilnsvw", ..PLAIN },
    Spec { programs: &["od"], valued: "AjNtSw", long: &[("address-radix", 'A'), ("format", 't')], ..PLAIN },
    Spec { programs: &["hexdump"], valued: "nsef", ..PLAIN },
    Spec {
        programs: &["diff"],
        valued: "ULS",
        long: &[
            ("brief", 'q'),
            ("unified", 'u'),
            ("recursive", 'r'),
            ("label", 'L'),
            ("ignore-case", 'i'),
            ("report-identical-files", 's'),
        ],
        ..PLAIN
    },
    Spec { programs: &["cmp"], valued: "n", long: &[("silent", 's'), ("quiet", 's'), ("verbose", 'l')], ..PLAIN },
    Spec { programs: &["killall"], valued: "s", ..PLAIN },
    Spec { programs: &["telnet"], valued: "le", ..PLAIN },
    Spec { programs: &["traceroute"], valued: "mqwpfsitzg", ..PLAIN },
];

/// A command line, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    pub options: Vec<(char, String)>,
    pub operands: Vec<String>,
}

impl Parsed {
    pub fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(l, _)| *l == letter)
    }
    /// The last value counts.
    pub fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(l, _)| *l == letter).map(|(_, v)| v.as_str())
    }
    pub fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.options.iter().filter(move |(l, _)| *l == letter).map(|(_, v)| v.as_str())
    }
    pub fn number(&self, letter: char) -> Option<usize> {
        self.value(letter)?.parse().ok()
    }
}

/// `None`: nobody has said yet which of the program's options have values.
pub fn parse(argv: &[String]) -> Option<Parsed> {
    let name = super::base_name(argv.first()?);
    let spec = SPECS.iter().find(|s| s.programs.contains(&name))?;
    let mut parsed = Parsed::default();
    let mut args = argv.iter().skip(1);
    while let Some(a) = args.next() {
        let Some(rest) = a.strip_prefix('-').filter(|r| !r.is_empty()) else {
            parsed.operands.push(a.clone());
            if spec.first {
                break;
            }
            continue;
        };
        if rest == "-" {
            break;
        }
        if let Some(long) = rest.strip_prefix('-') {
            let (long, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_string())));
            if let Some((_, letter)) = spec.long.iter().find(|(n, _)| *n == long) {
                let value = match value {
                    None if spec.valued.contains(*letter) => args.next().cloned(),
                    v => v,
                };
                parsed.options.push((*letter, value.unwrap_or_default()));
            }
            continue;
        }
        if let Some(letter) = spec.number.filter(|_| rest.bytes().all(|b| b.is_ascii_digit())) {
            parsed.options.push((letter, rest.into()));
            continue;
        }
        for (i, letter) in rest.char_indices() {
            let tail = &rest[i + letter.len_utf8()..];
            if spec.attached.contains(letter) {
                parsed.options.push((letter, tail.into()));
                break;
            }
            if spec.valued.contains(letter) {
                let value = if tail.is_empty() { args.next().cloned().unwrap_or_default() } else { tail.into() };
                parsed.options.push((letter, value));
                break;
            }
            parsed.options.push((letter, String::new()));
        }
    }
    parsed.operands.extend(args.cloned());
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Parsed {
        parse(&line.split(' ').map(String::from).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn values_may_be_words_of_their_own() {
        let p = of("ping -c 1 -W2 host");
        assert_eq!((p.value('c'), p.value('W')), (Some("1"), Some("2")));
        assert_eq!(p.operands, ["host"]);
        let p = of("/bin/grep -qie foo --after-context 2 -- -f");
        assert!(p.has('q') && p.has('i'));
        assert_eq!((p.value('e'), p.number('A')), (Some("foo"), Some(2)));
        assert_eq!(p.operands, ["-f"]);
        assert_eq!(of("head -5 x").value('n'), Some("5"));
        assert_eq!(of("sed -i.bak p f").value('i'), Some(".bak"));
        assert_eq!(of("tr a -").operands, ["a", "-"]);
    }
}
