//! Two texts compared line by line.

/// Beyond this product of the two lengths they are not compared, for time and memory.
const PRODUCT_MAX: usize = 1_000_000;

/// Which lines of each text are in no longest common subsequence. Between the lines that both begin and end with, texts that
/// are long and different are told as replaced.
pub fn changes<T: PartialEq>(a: &[T], b: &[T]) -> (Vec<bool>, Vec<bool>) {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (x, y) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let (mut gone, mut new) = (vec![false; a.len()], vec![false; b.len()]);
    if x.len().saturating_mul(y.len()) > PRODUCT_MAX {
        gone[head..head + x.len()].fill(true);
        new[head..head + y.len()].fill(true);
        return (gone, new);
    }
    let width = y.len() + 1;
    let mut length = vec![0u32; (x.len() + 1) * width];
    for i in (0..x.len()).rev() {
        for j in (0..y.len()).rev() {
            length[i * width + j] = if x[i] == y[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < x.len() || j < y.len() {
        if i < x.len() && j < y.len() && x[i] == y[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == y.len() || (i < x.len() && length[(i + 1) * width + j] >= length[i * width + j + 1]) {
            gone[head + i] = true;
            i += 1;
        } else {
            new[head + j] = true;
            j += 1;
        }
    }
    (gone, new)
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn what_is_in_both_is_kept() {
        let (gone, new) = changes(&[1, 2, 3, 4, 5], &[1, 3, 9, 4, 5, 6]);
        assert_eq!(gone, [false, true, false, false, false]);
        assert_eq!(new, [false, false, true, false, false, true]);
    }

    #[test]
    fn long_texts_that_differ_are_replaced_between_their_ends() {
        let text =
            |odd: u32| -> Vec<u32> { [7].into_iter().chain((0..2000).map(|n| 2 * n + odd)).chain([8]).collect() };
        let (gone, new) = changes(&text(0), &text(1));
        assert_eq!((gone.iter().filter(|g| **g).count(), new.iter().filter(|n| **n).count()), (2000, 2000));
        assert!(!gone[0] && !new[2001]);
    }
}
