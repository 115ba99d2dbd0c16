//! Another user of the kubeconfig, `--as`, `--as-group` and `--as-uid`: requests in somebody else's name. Models `rest.ImpersonationConfig`.

use crate::client::{Client, Future, Request, Response, Stream};
use crate::flags::Flags;
use crate::kubeconfig::Config;

pub(crate) struct Acting<'a> {
    client: &'a dyn Client,
    headers: Vec<(String, String)>,
    /// Why nothing is sent.
    refused: Option<String>,
}

impl<'a> Acting<'a> {
    /// `None` for the client's own user.
    pub fn of(flags: &Flags, config: &Config, client: &'a dyn Client) -> Option<Acting<'a>> {
        let (mut headers, refused) = match config.identity(flags) {
            Ok(headers) => (headers, None),
            Err(e) => (Vec::new(), Some(e.said().trim_end().to_string())),
        };
        // One line is somebody once.
        if !flags.string("as").is_empty() {
            headers.clear();
        }
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                headers.push((name.to_string(), value.to_string()));
            }
        };
        add("Impersonate-User", flags.string("as"));
        flags.list("as-group").iter().for_each(|g| add("Impersonate-Group", g));
        add("Impersonate-Uid", flags.string("as-uid"));
        (!headers.is_empty() || refused.is_some()).then_some(Acting { client, headers, refused })
    }

    fn signed(&self, mut r: Request) -> Request {
        r.headers.extend(self.headers.iter().cloned());
        r
    }
}

impl Client for Acting<'_> {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        match self.refused.clone() {
            Some(why) => Box::pin(async move { Err(why) }),
            None => self.client.request(self.signed(r)),
        }
    }
    fn stream(&self, r: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        match &self.refused {
            Some(why) => {
                let body = why.clone().into_bytes();
                Box::pin(async move { Err(Response { status: 503, headers: Vec::new(), body }) })
            }
            None => self.client.stream(self.signed(r)),
        }
    }
    fn now(&self) -> i64 {
        self.client.now()
    }
}
