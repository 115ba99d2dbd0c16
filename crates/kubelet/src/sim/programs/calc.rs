//! `expr`, and pi to many digits.

use super::Io;

/// Two operands and an operator, as scripts use it.
pub fn expr(io: &mut Io) -> i32 {
    let args: Vec<String> = io.argv[1..].to_vec();
    let result = match args.as_slice() {
        [a] => Ok(a.clone()),
        [a, op, b] => {
            let (x, y) = (a.parse::<i64>(), b.parse::<i64>());
            match (op.as_str(), x, y) {
                ("+", Ok(x), Ok(y)) => Ok(x.saturating_add(y).to_string()),
                ("-", Ok(x), Ok(y)) => Ok(x.saturating_sub(y).to_string()),
                ("*", Ok(x), Ok(y)) => Ok(x.saturating_mul(y).to_string()),
                ("/" | "%", Ok(_), Ok(0)) => Err("expr: division by zero"),
                ("/", Ok(x), Ok(y)) => Ok(x.wrapping_div(y).to_string()),
                ("%", Ok(x), Ok(y)) => Ok(x.wrapping_rem(y).to_string()),
                ("=", ..) => Ok(i64::from(a == b).to_string()),
                ("!=", ..) => Ok(i64::from(a != b).to_string()),
                ("<", Ok(x), Ok(y)) => Ok(i64::from(x < y).to_string()),
                (">", Ok(x), Ok(y)) => Ok(i64::from(x > y).to_string()),
                ("<=", Ok(x), Ok(y)) => Ok(i64::from(x <= y).to_string()),
                (">=", Ok(x), Ok(y)) => Ok(i64::from(x >= y).to_string()),
                _ => Err("expr: non-integer argument"),
            }
        }
        _ => Err("expr: syntax error"),
    };
    match result {
        Ok(v) => {
            let zero = v.is_empty() || v == "0";
            io.line(v);
            i32::from(zero)
        }
        Err(why) => {
            io.complain(why);
            2
        }
    }
}

/// Pi with `digits` significant digits, rounded, as Perl's `bpi` gives it: Machin's formula in integers of base
/// 10^9.
pub fn pi(digits: usize) -> String {
    const BASE: u64 = 1_000_000_000;
    let digits = digits.clamp(1, 10_000);
    let limbs = digits / 9 + 4;
    // Fixed point: limb 0 is the whole part.
    let divide = |a: &mut [u64], by: u64| {
        let mut rest = 0;
        for limb in a.iter_mut() {
            let n = rest * BASE + *limb;
            *limb = n / by;
            rest = n % by;
        }
    };
    let add = |a: &mut [u64], b: &[u64], negative: bool| {
        let mut carry = 0i64;
        for i in (0..a.len()).rev() {
            let b = i64::try_from(b[i]).unwrap_or(0);
            let mut v = i64::try_from(a[i]).unwrap_or(0) + if negative { -b } else { b } + carry;
            carry = 0;
            if v < 0 {
                v += 1_000_000_000;
                carry = -1;
            } else if v >= 1_000_000_000 {
                v -= 1_000_000_000;
                carry = 1;
            }
            a[i] = u64::try_from(v).unwrap_or(0);
        }
    };
    let mut total = vec![0u64; limbs];
    // 16 arctan(1/5) - 4 arctan(1/239)
    for (factor, x, minus) in [(16u64, 5u64, false), (4, 239, true)] {
        let mut power = vec![0u64; limbs];
        power[0] = factor;
        divide(&mut power, x);
        let mut k = 1u64;
        let mut negative = minus;
        while power.iter().any(|l| *l != 0) {
            let mut term = power.clone();
            divide(&mut term, k);
            add(&mut total, &term, negative);
            divide(&mut power, x * x);
            k += 2;
            negative = !negative;
        }
    }
    let mut text: Vec<u8> = total[0].to_string().into_bytes();
    text.extend(total[1..].iter().flat_map(|l| format!("{l:09}").into_bytes()));
    // Rounded at the last digit asked for.
    let up = text.get(digits).is_some_and(|d| *d >= b'5');
    text.truncate(digits);
    if up {
        for d in text.iter_mut().rev() {
            if *d == b'9' {
                *d = b'0';
            } else {
                *d += 1;
                break;
            }
        }
    }
    let text = String::from_utf8(text).unwrap_or_default();
    if digits == 1 { text } else { format!("{}.{}", &text[..1], &text[1..]) }
}

#[cfg(test)]
mod tests {
    use super::pi;

    #[test]
    fn pi_is_rounded_at_the_last_digit() {
        assert_eq!(pi(5), "3.1416");
        assert_eq!(pi(50), "3.1415926535897932384626433832795028841971693993751");
        let long = pi(2000);
        assert_eq!(long.len(), 2001);
        assert!(long.starts_with("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"));
    }
}
