//! `--as`, `--as-group` and `--as-uid`: requests in somebody else's name. Models `rest.ImpersonationConfig`.

use crate::client::{Client, Future, Request, Response, Stream};
use crate::flags::Flags;

pub(crate) struct Acting<'a> {
    client: &'a dyn Client,
    headers: Vec<(String, String)>,
}

impl<'a> Acting<'a> {
    /// `None` when nobody is named.
    pub fn of(flags: &Flags, client: &'a dyn Client) -> Option<Acting<'a>> {
        let mut headers = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                headers.push((name.to_string(), value.to_string()));
            }
        };
        add("Impersonate-User", flags.string("as"));
        flags.list("as-group").iter().for_each(|g| add("Impersonate-Group", g));
        add("Impersonate-Uid", flags.string("as-uid"));
        (!headers.is_empty()).then_some(Acting { client, headers })
    }

    fn signed(&self, mut r: Request) -> Request {
        r.headers.extend(self.headers.iter().cloned());
        r
    }
}

impl Client for Acting<'_> {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        self.client.request(self.signed(r))
    }
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        self.client.stream(self.signed(r))
    }
    fn now(&self) -> i64 {
        self.client.now()
    }
}
