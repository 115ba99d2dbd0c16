//! Where `proxy_pass` leads: an address, or an `upstream` with servers that take turns.

use super::{Config, Directive};

/// What stands after `proxy_pass`.
pub struct Target {
    pub host: String,
    pub port: u16,
    /// Host and port as they are written.
    pub address: String,
    pub path: Option<String>,
    pub tls: bool,
}

pub fn address_of(text: &str, usual: u16) -> (String, u16) {
    let (host, port) = text.split_once(':').unwrap_or((text, ""));
    (host.into(), port.parse().unwrap_or(usual))
}

pub fn target(url: &str) -> Option<Target> {
    let tls = url.starts_with("https://");
    let rest = url.strip_prefix(if tls { "https://" } else { "http://" })?;
    let (address, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(format!("/{p}"))));
    let (host, port) = address_of(address, if tls { 443 } else { 80 });
    Some(Target { host, port, address: address.into(), path, tls })
}

impl Config {
    /// The servers that a request may go to, the one whose turn it is first. Those marked `backup` come last, those marked
    /// `down` never. Models the order of `ngx_http_upstream_round_robin.c`.
    pub(super) fn servers_of(&self, target: &Target, turn: u64) -> Vec<(String, u16)> {
        let Some(u) = self.upstreams.iter().find(|u| u.arg(0) == target.host) else {
            return vec![(target.host.clone(), target.port)];
        };
        let has = |d: &Directive, what: &str| d.args.iter().any(|a| a == what);
        let (backups, usual): (Vec<_>, Vec<_>) =
            u.inside("server").filter(|d| !has(d, "down")).partition(|d| has(d, "backup"));
        let weights: Vec<i64> = usual
            .iter()
            .map(|d| d.args.iter().find_map(|a| a.strip_prefix("weight=")?.parse().ok()).unwrap_or(1).clamp(1, 1000))
            .collect();
        let first = turn_of(&weights, turn);
        let rest = (0..usual.len()).map(|i| (first + i) % usual.len().max(1));
        let ordered = rest.filter_map(|i| usual.get(i)).chain(&backups);
        ordered.map(|d| address_of(d.arg(0), 80)).collect()
    }
}

const TURNS_MAX: u64 = 1000;

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Smooth weighted round robin: whoever has gathered most goes, and pays what all have gathered.
fn turn_of(weights: &[i64], turn: u64) -> usize {
    // A round is as long as the weights need it, and no longer than somebody waits for.
    let gcd = weights.iter().fold(0, |a, b| gcd(a, *b)).max(1);
    let weights: Vec<i64> = weights.iter().map(|w| w / gcd).collect();
    let total: i64 = weights.iter().sum();
    let Ok(round) = u64::try_from(total) else { return 0 };
    if round == 0 {
        return 0;
    }
    let mut current = vec![0; weights.len()];
    let mut chosen = 0;
    for _ in 0..=turn % round.min(TURNS_MAX) {
        for (c, w) in current.iter_mut().zip(&weights) {
            *c += w;
        }
        // The first of equals.
        chosen = (0..weights.len()).rev().max_by_key(|i| current[*i]).unwrap_or(0);
        current[chosen] -= total;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::turn_of;

    #[test]
    fn weights_are_spread_as_nginx_spreads_them() {
        let turns = |w: &[i64], n: u64| (0..n).map(|t| turn_of(w, t)).collect::<Vec<_>>();
        // The example of the commit that brought it: { 5, 1, 1 } gives a a b a c a a.
        assert_eq!(turns(&[5, 1, 1], 8), [0, 0, 1, 0, 2, 0, 0, 0]);
        assert_eq!(turns(&[1, 1], 4), [0, 1, 0, 1]);
        assert_eq!(turns(&[], 2), [0, 0]);
    }
}
