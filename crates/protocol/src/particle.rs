//! Korean particles: which of two follows a word depends on the sound it ends with.

/// As texts write both: which follows a final consonant, and which a vowel.
const PAIRS: [(&str, &str, &str); 6] = [
    ("이(가)", "이", "가"),
    ("을(를)", "을", "를"),
    ("은(는)", "은", "는"),
    ("와(과)", "과", "와"),
    ("과(와)", "과", "와"),
    ("(으)로", "으로", "로"),
];

/// What a word ends with when it is read out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Vowel,
    /// Counts as a vowel before `로`.
    L,
    Consonant,
}

/// `None`: it depends on the word, as with Latin letters.
fn end(word: &str) -> Option<End> {
    const HANGUL: std::ops::RangeInclusive<char> = '가'..='힣';
    let last = word.chars().next_back()?;
    match last {
        // 영 일 이 삼 사 오 육 칠 팔 구
        '2' | '4' | '5' | '9' => Some(End::Vowel),
        '1' | '7' | '8' => Some(End::L),
        '0' | '3' | '6' => Some(End::Consonant),
        c if HANGUL.contains(&c) => Some(match (c as u32 - *HANGUL.start() as u32) % 28 {
            0 => End::Vowel,
            8 => End::L,
            _ => End::Consonant,
        }),
        _ => None,
    }
}

/// When a text goes on with a pair after a word: the particle that is right, and the text after the pair.
pub fn choose<'t>(word: &str, text: &'t str) -> Option<(&'static str, &'t str)> {
    let end = end(word)?;
    PAIRS.iter().find_map(|(pair, consonant, vowel)| {
        let rest = text.strip_prefix(pair)?;
        let is_vowel = end == End::Vowel || (end == End::L && *vowel == "로");
        Some((if is_vowel { *vowel } else { *consonant }, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_particle_is_that_of_the_sound() {
        for (word, text, is) in [
            ("node-1", "이(가) 없음", Some(("이", " 없음"))),
            ("node-2", "이(가)", Some(("가", ""))),
            ("3", "을(를)", Some(("을", ""))),
            ("8080", "(으)로 감", Some(("으로", " 감"))),
            ("1", "(으)로", Some(("로", ""))),
            ("파드", "와(과)", Some(("와", ""))),
            ("볼륨", "은(는)", Some(("은", ""))),
            ("교실", "(으)로", Some(("로", ""))),
            // How Latin letters are read nobody knows.
            ("nginx", "이(가)", None),
            ("node-1", " 없음", None),
            ("", "이(가)", None),
        ] {
            assert_eq!(choose(word, text), is, "{word}{text}");
        }
    }
}
