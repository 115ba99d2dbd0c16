//! A number for what a cycle's table is made of, the same on every machine. As JSON the table would cost more to hash than
//! the cycle cost to take.

const FACTOR: u64 = 0x517c_c1b7_2722_0a95;

#[derive(Clone, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    /// Not zero, which a zero would leave as it is.
    fn default() -> Self {
        Digest(FACTOR)
    }
}

fn mix(hash: u64, n: u64) -> u64 {
    (hash.rotate_left(5) ^ n).wrapping_mul(FACTOR)
}

impl Digest {
    pub fn word(&mut self, n: u64) {
        self.0 = mix(self.0, n);
    }
    pub fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        for part in text.as_bytes().chunks(8) {
            self.word(part.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)));
        }
    }
    /// A column of numbers. Four at a time, because each word has to wait for the one before it.
    pub fn numbers(&mut self, numbers: &[i64]) {
        self.word(numbers.len() as u64);
        let mut lanes = [1u64, 2, 3, 4];
        let (fours, rest) = numbers.as_chunks::<4>();
        for four in fours {
            for (lane, n) in lanes.iter_mut().zip(four) {
                *lane = mix(*lane, *n as u64);
            }
        }
        lanes.into_iter().for_each(|lane| self.word(lane));
        rest.iter().for_each(|n| self.word(*n as u64));
    }
    pub fn value(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_number_and_its_place_count() {
        let of = |columns: &[&[i64]]| {
            let mut digest = Digest::default();
            columns.iter().for_each(|c| digest.numbers(c));
            digest.value()
        };
        let column: Vec<i64> = (0..11).collect();
        let mut seen = BTreeSet::from([of(&[&column]), of(&[]), of(&[&[]]), of(&[&column[..5], &column[5..]])]);
        for i in 0..column.len() {
            let mut other = column.clone();
            other[i] += 1;
            seen.insert(of(&[&other]));
            let mut other = column.clone();
            other.swap(i, (i + 4) % 11);
            seen.insert(of(&[&other]));
        }
        assert_eq!(seen.len(), 4 + 2 * column.len());
    }

    #[test]
    fn texts_are_told_from_each_other() {
        let of = |texts: &[&str]| {
            let mut digest = Digest::default();
            texts.iter().for_each(|t| digest.text(t));
            digest.value()
        };
        let all = [of(&[]), of(&[""]), of(&["a"]), of(&["a\0"]), of(&["ab"]), of(&["a", "b"]), of(&["ninechars"])];
        assert_eq!(BTreeSet::from(all).len(), all.len());
    }
}
