//! What calls of the libraries' functions cost. Models `k8s.io/apiserver/pkg/cel/library/cost.go` and cel-go's `ext/{lists,sets}.go`.

use super::Type;
use super::cost::{Call, Coster, Given, LIST_COST, PATTERN_FACTOR, Span, TEXT_FACTOR};
use super::expand::Part;
use crate::parse::Expr;

/// Two checks of an authorizer are as much as an expression may cost.
const CHECK_COST: u64 = 350_000;
/// The longest regular expression of a named format.
const FORMAT_PATTERN: f64 = 128.0;
/// The longest name of a format.
const FORMAT_NAME: u64 = 64;
/// Of an address: IPv4 and IPv6, in bytes.
const ADDRESS: Span = Span { min: 4, max: 16 };

/// `None`: cel-go's own estimate counts.
pub(super) fn of(c: &Coster, name: &str, id: &str, target: Option<&Given>, args: &[Given]) -> Option<Call> {
    let size = |g: &Given| g.size.or_else(|| c.declared(&g.way)).unwrap_or(Span::UNKNOWN);
    let read = |g: &Given| size(g).scaled(TEXT_FACTOR);
    let just = |cost: Span| Some(Call { cost, size: None });
    let sized = |cost: Span, size: Span| Some(Call { cost, size: Some(size) });
    if let Some(call) = of_list(&size, id, target, args) {
        return Some(call);
    }
    match (name, target, args) {
        ("check", ..) => just(Span::fixed(CHECK_COST)),
        (
            "serviceAccount" | "path" | "group" | "resource" | "subresource" | "namespace" | "name" | "allowed"
            | "reason" | "error" | "errored",
            ..,
        ) => just(Span::fixed(1)),
        ("fieldSelector" | "labelSelector", _, [selector]) => {
            let requirements = size(selector).scaled(0.5).scaled(50.0);
            just(Span::fixed(LIST_COST).plus(read(selector)).plus(requirements))
        }
        ("isSorted" | "sum" | "max" | "min" | "indexOf" | "lastIndexOf", Some(of), _) => match item(c, of) {
            Some((t, item)) => {
                let texts = matches!(t, Type::Text | Type::Bytes);
                let each = if texts { Span::fixed(1).plus(item.scaled(TEXT_FACTOR)) } else { Span::fixed(1) };
                just(size(of).times(each))
            }
            None => just(read(of)),
        },
        ("url", _, [of]) => sized(read(of), size(of)),
        ("lowerAscii" | "upperAscii" | "substring" | "trim", Some(of), _) => sized(read(of), size(of)),
        ("replace", Some(of), [from, to, ..]) => {
            sized(size(of).scaled(2.0 * TEXT_FACTOR), replaced(size(of), size(from), size(to)))
        }
        ("split", Some(of), args) => {
            let most = match args {
                [_, limit, ..] => match &limit.tree.part {
                    Part::Literal(Expr::Int(n)) => *n as u64,
                    _ => size(of).max,
                },
                _ => size(of).max,
            };
            sized(size(of).scaled(2.0 * TEXT_FACTOR), Span::new(0, most))
        }
        ("join", Some(of), args) => {
            let count = size(of);
            let mut sum = item(c, of).map_or(Span::fixed(0), |(_, item)| count.times(item));
            if let [separator, ..] = args {
                let between = Span::new(count.min.saturating_sub(1), count.max.saturating_sub(1));
                sum = sum.plus(size(separator).times(between));
            }
            sized(sum.scaled(TEXT_FACTOR), sum)
        }
        ("find" | "findAll", Some(of), [pattern, ..]) => {
            let text = size(of).plus(Span::fixed(1)).scaled(TEXT_FACTOR);
            sized(text.times(size(pattern).scaled(PATTERN_FACTOR)), Span::new(0, size(of).max))
        }
        ("ip", ..) if id == "cidr_ip" => just(Span::fixed(1)),
        ("cidr" | "isIP" | "isCIDR" | "ip" | "quantity" | "isQuantity" | "semver" | "isSemver", _, [of, ..]) => {
            just(read(of))
        }
        ("ip.isCanonical", _, [of, ..]) => just(size(of).scaled(2.0 * TEXT_FACTOR)),
        ("containsIP", _, [of, ..]) => {
            let compared = ADDRESS.plus(ADDRESS).scaled(TEXT_FACTOR);
            let parsed = if id == "cidr_contains_ip_string" { read(of) } else { Span::fixed(0) };
            just(compared.plus(parsed))
        }
        ("containsCIDR", _, [of, ..]) => {
            let compared = ADDRESS.plus(ADDRESS).scaled(TEXT_FACTOR);
            let masked = ADDRESS.scaled(TEXT_FACTOR).plus(Span::fixed(1));
            let parsed = if id == "cidr_contains_cidr_string" { read(of) } else { Span::fixed(0) };
            just(compared.plus(masked).plus(parsed))
        }
        ("validate", _, [of, ..]) => just(read(of).scaled(FORMAT_PATTERN * PATTERN_FACTOR)),
        (
            "masked"
            | "prefixLength"
            | "family"
            | "isUnspecified"
            | "isLoopback"
            | "isLinkLocalMulticast"
            | "isLinkLocalUnicast"
            | "isGlobalUnicast"
            | "format.named"
            | "sign"
            | "asInteger"
            | "isInteger"
            | "asApproximateFloat"
            | "isGreaterThan"
            | "isLessThan"
            | "compareTo"
            | "add"
            | "sub"
            | "major"
            | "minor"
            | "patch"
            | "getScheme"
            | "getHostname"
            | "getHost"
            | "getPort"
            | "getEscapedPath"
            | "getQuery",
            ..,
        ) => just(Span::fixed(1)),
        ("_==_", _, [a, b]) if a.t == b.t => match a.t {
            Type::Opaque(_) => just(Span::fixed(1)),
            Type::Named("kubernetes.NamedFormat") => just(Span::new(1, FORMAT_NAME).scaled(TEXT_FACTOR)),
            Type::Named("kubernetes.URL") => {
                // Upstream looks at the right side alone.
                just(Span::new(1, b.size.map_or(1, |s| s.max)).scaled(TEXT_FACTOR))
            }
            Type::Named(_) => just(Span::fixed(1)),
            _ => None,
        },
        _ => None,
    }
}

/// What the elements of a list are, and how large.
fn item<'a>(c: &Coster, list: &Given<'a>) -> Option<(&'a Type, Span)> {
    let t = match list.t {
        Type::List(of) | Type::Optional(of) => &**of,
        Type::Map(of) => &of.0,
        _ => return None,
    };
    let mut way = list.way.clone();
    if !way.is_empty() {
        way.push("@items".into());
    }
    Some((t, c.declared(&way).unwrap_or(Span::UNKNOWN)))
}

/// How long a text is in which parts were replaced.
fn replaced(text: Span, from: Span, to: Span) -> Span {
    let (mut count, mut kept) = (Span::fixed(0), Span::fixed(0));
    if from.min == 0 {
        // Nothing is replaced between all characters.
        (count.max, kept.max) = (text.max.saturating_add(1), text.max);
    } else if to.max <= from.min {
        kept.max = text.max;
    } else {
        count.max = (text.max as f64 / from.min as f64).ceil() as u64;
    }
    if from.max == 0 {
        (count.min, kept.min) = (text.min.saturating_add(1), text.min);
    } else if from.max <= to.min {
        kept.min = text.min;
    } else {
        count.min = (text.min as f64 / from.max as f64).ceil() as u64;
    }
    count.times(to).plus(kept)
}

fn of_list(size: &impl Fn(&Given) -> Span, id: &str, target: Option<&Given>, args: &[Given]) -> Option<Call> {
    let number = |g: &Given, otherwise: u64| match &g.tree.part {
        Part::Literal(Expr::Int(n)) => u64::try_from(*n).unwrap_or(0),
        _ => otherwise,
    };
    let made = |factor: f64, size: Span| {
        let cost = size.scaled(factor).plus(Span::fixed(1)).plus(Span::fixed(LIST_COST));
        Some(Call { cost, size: Some(size) })
    };
    let sorted = |list: &Given| {
        let texts = id.starts_with("list_string_") || id.starts_with("list_bytes_");
        let size = size(list);
        made(if texts { 2.0 + TEXT_FACTOR } else { 2.0 }, size.times(size))
    };
    let compared = |a: &Given, b: &Given, factor: f64| {
        let cost = size(a).times(size(b)).scaled(factor).plus(Span::fixed(1));
        Some(Call { cost, size: None })
    };
    match (id, target, args) {
        ("list_sets_contains_list" | "list_sets_intersects_list", _, [a, b]) => compared(a, b, 1.0),
        ("list_sets_equivalent_list", _, [a, b]) => compared(a, b, 2.0),
        ("list_slice", Some(of), [from, to]) => {
            made(1.0, Span::fixed(number(to, size(of).max).wrapping_sub(number(from, 0))))
        }
        ("list_flatten", Some(of), []) => made(1.0, size(of)),
        ("list_flatten_int", Some(of), [depth]) => made(number(depth, u64::MAX) as f64, size(of)),
        ("lists_range", None, [n]) => made(1.0, Span::fixed(number(n, u64::MAX))),
        ("list_reverse", Some(of), []) => made(1.0, size(of)),
        ("list_distinct", Some(of), []) => made(2.0, size(of).times(size(of))),
        (id, Some(of), []) if id.starts_with("list_") && id.ends_with("_sort") => sorted(of),
        (id, Some(_), [keys]) if id.ends_with("_sortByAssociatedKeys") => sorted(keys),
        _ => None,
    }
}
