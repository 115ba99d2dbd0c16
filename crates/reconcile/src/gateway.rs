//! What an ingress controller has told its web server: servers by host, locations in the order in which they are tried, and
//! the endpoints behind them. It stays as it is while the controller stands still.

use imbl::{OrdMap, OrdSet};
use meta::Key;
use std::sync::Arc;

/// The host of rules that name none.
pub const ANY_HOST: &str = "";

/// A Service and the port's name or number, as an Ingress writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Upstream {
    pub service: Key,
    pub port: String,
}

/// What stands behind an [`Upstream`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    NoService,
    /// The Service has no such port.
    NoPort,
    /// Ready endpoints: address, port, pod.
    Endpoints(Vec<(String, u16, String)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathType {
    Exact,
    Prefix,
    ImplementationSpecific,
    /// The location of last resort of a host.
    Default,
}

impl PathType {
    pub fn as_str(self) -> &'static str {
        match self {
            PathType::Exact => "Exact",
            PathType::Prefix => "Prefix",
            PathType::ImplementationSpecific => "ImplementationSpecific",
            PathType::Default => "default",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Whose rule it is.
    pub ingress: Key,
    pub path: String,
    pub path_type: PathType,
    /// `path` is a regular expression.
    pub regex: bool,
    /// What the path becomes.
    pub rewrite: Option<String>,
    /// `backend-protocol: HTTPS`: the backend is asked with TLS.
    pub secure: bool,
    /// Whoever comes without TLS is sent to the same place with TLS.
    pub redirect: bool,
    /// `None`: a backend that is no Service.
    pub upstream: Option<Upstream>,
}

/// The order in which the locations of a host are tried: the longest path first, exact ones before others, then the oldest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Bytes of the path, counted down.
    pub shortness: usize,
    pub inexact: bool,
    /// Seconds since the epoch.
    pub created: i64,
    pub ingress: Key,
    pub index: usize,
}

/// All of one Ingress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Host, place and location.
    pub locations: Vec<(Arc<str>, Rank, Location)>,
    /// Host and the Secret with its certificate.
    pub certificates: Vec<(Arc<str>, Key)>,
}

impl Loaded {
    pub fn upstreams(&self) -> impl Iterator<Item = &Upstream> {
        self.locations.iter().filter_map(|(_, _, l)| l.upstream.as_ref())
    }
}

/// Cloning is a few pointers.
#[derive(Clone, Debug, Default)]
pub struct Gateway {
    /// Whether anybody listens.
    pub listening: bool,
    loaded: OrdMap<Key, Arc<Loaded>>,
    servers: OrdMap<Arc<str>, OrdMap<Rank, Location>>,
    certificates: OrdMap<Arc<str>, OrdMap<Key, Key>>,
    upstreams: OrdMap<Upstream, Arc<Found>>,
    /// Which Ingresses refer to an upstream.
    users: OrdMap<Upstream, OrdSet<Key>>,
}

impl Gateway {
    pub fn of(&self, ingress: &Key) -> Option<&Arc<Loaded>> {
        self.loaded.get(ingress)
    }

    /// Replaces what one Ingress says; `None`: nothing any more.
    pub fn set(&mut self, ingress: &Key, loaded: Option<Loaded>) {
        if let Some(old) = self.loaded.remove(ingress) {
            for (host, rank, _) in &old.locations {
                if let Some(server) = self.servers.get_mut(host) {
                    server.remove(rank);
                    if server.is_empty() {
                        self.servers.remove(host);
                    }
                }
            }
            for (host, _) in &old.certificates {
                if let Some(all) = self.certificates.get_mut(host) {
                    all.remove(ingress);
                    if all.is_empty() {
                        self.certificates.remove(host);
                    }
                }
            }
            for upstream in old.upstreams() {
                if let Some(users) = self.users.get_mut(upstream) {
                    users.remove(ingress);
                    if users.is_empty() {
                        self.users.remove(upstream);
                        self.upstreams.remove(upstream);
                    }
                }
            }
        }
        let Some(new) = loaded else { return };
        for (host, rank, location) in &new.locations {
            self.servers.entry(host.clone()).or_default().insert(rank.clone(), location.clone());
        }
        for (host, secret) in &new.certificates {
            self.certificates.entry(host.clone()).or_default().insert(ingress.clone(), secret.clone());
        }
        for upstream in new.upstreams() {
            self.users.entry(upstream.clone()).or_default().insert(ingress.clone());
        }
        self.loaded.insert(ingress.clone(), Arc::new(new));
    }

    /// What stands behind an upstream that some Ingress refers to.
    pub fn found(&self, upstream: &Upstream) -> Option<&Found> {
        self.upstreams.get(upstream).map(|f| &**f)
    }
    pub fn set_found(&mut self, upstream: &Upstream, found: Found) {
        if self.users.contains_key(upstream) {
            self.upstreams.insert(upstream.clone(), Arc::new(found));
        }
    }
    /// The upstreams of a Service that Ingresses refer to.
    pub fn upstreams_of<'a>(&'a self, service: &Key) -> impl Iterator<Item = &'a Upstream> {
        let first = Upstream { service: service.clone(), port: String::new() };
        let service = service.clone();
        self.users.range(first..).map(|(u, _)| u).take_while(move |u| u.service == service)
    }

    /// The server for a host: its own, that of a wildcard, or that of everybody else.
    pub fn server(&self, host: &str) -> Option<(&str, &OrdMap<Rank, Location>)> {
        self.best(&self.servers, host)
            .or_else(|| self.servers.get_key_value(ANY_HOST).map(|(h, server)| (&**h, server)))
    }
    /// The Secret with the certificate for a host; `None`: the controller's own one is shown.
    pub fn certificate(&self, host: &str) -> Option<&Key> {
        self.best(&self.certificates, host)?.1.values().next()
    }

    fn best<'a, T>(&self, all: &'a OrdMap<Arc<str>, T>, host: &str) -> Option<(&'a str, &'a T)> {
        if let Some((h, found)) = all.get_key_value(host).filter(|_| !host.is_empty()) {
            return Some((h, found));
        }
        // `*` stands for exactly one label.
        let (first, rest) = host.split_once('.')?;
        let (h, found) = all.get_key_value(format!("*.{rest}").as_str()).filter(|_| !first.is_empty())?;
        Some((h, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(name: &str, hosts: &[(&str, &str)]) -> Loaded {
        let ingress = Key::new("default", name);
        let upstream = Upstream { service: Key::new("default", name), port: "80".into() };
        let location = |(index, (host, path)): (usize, &(&str, &str))| {
            let shortness = usize::MAX - path.len();
            let rank = Rank { shortness, inexact: true, created: 0, ingress: ingress.clone(), index };
            let location = Location {
                ingress: ingress.clone(),
                path: (*path).into(),
                path_type: PathType::Prefix,
                regex: false,
                rewrite: None,
                secure: false,
                redirect: false,
                upstream: Some(upstream.clone()),
            };
            (Arc::from(*host), rank, location)
        };
        let certificates = vec![(Arc::from(hosts[0].0), Key::new("default", "cert"))];
        Loaded { locations: hosts.iter().enumerate().map(location).collect(), certificates }
    }

    #[test]
    fn hosts_are_matched_exactly_then_by_one_label_then_at_all() {
        let mut g = Gateway::default();
        let of = |g: &Gateway, host: &str| g.server(host).map(|(h, _)| h.to_string());
        assert_eq!(of(&g, "a.b"), None);
        let key = |name: &str| Key::new("default", name);
        g.set(&key("a"), Some(loaded("a", &[("*.foo.com", "/"), ("bar.foo.com", "/")])));
        assert_eq!(of(&g, "bar.foo.com").as_deref(), Some("bar.foo.com"));
        assert_eq!(of(&g, "baz.foo.com").as_deref(), Some("*.foo.com"));
        assert_eq!(of(&g, "a.baz.foo.com"), None, "one label, not two");
        assert_eq!(of(&g, "foo.com"), None);
        assert_eq!((g.certificate("x.foo.com").is_some(), g.certificate("bar.foo.com").is_some()), (true, true));
        g.set(&key("b"), Some(loaded("b", &[("", "/")])));
        assert_eq!(of(&g, "foo.com").as_deref(), Some(""));
        g.set(&key("a"), None);
        assert_eq!(of(&g, "bar.foo.com").as_deref(), Some(""));
        assert!(g.certificate("bar.foo.com").is_none());
    }

    #[test]
    fn longer_paths_come_first_and_upstreams_last_as_long_as_their_rules() {
        let (mut g, key) = (Gateway::default(), Key::new("default", "a"));
        g.set(&key, Some(loaded("a", &[("h", "/"), ("h", "/foo/bar"), ("h", "/foo")])));
        let paths: Vec<&str> = g.server("h").unwrap().1.values().map(|l| l.path.as_str()).collect();
        assert_eq!(paths, ["/foo/bar", "/foo", "/"]);
        let upstream = g.upstreams_of(&key).next().unwrap().clone();
        g.set_found(&upstream, Found::NoService);
        assert_eq!(g.found(&upstream), Some(&Found::NoService));
        g.set(&key, None);
        assert!(g.found(&upstream).is_none() && g.upstreams_of(&key).next().is_none() && g.server("h").is_none());
        g.set_found(&upstream, Found::NoPort);
        assert!(g.found(&upstream).is_none(), "nobody refers to it");
    }
}
