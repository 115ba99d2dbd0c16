//! Lines for kubectl in a lesson's solutions. Everything answers at once, so that nothing here ever waits for anybody: what
//! follows and watches is not for solutions.

use super::Doer;
use kubectl::{Client, Config, Env, Files, Future, Request, Response, Session, Stream, Terminal};
use lessons::Lesson;
use meta::Duration;
use protocol::{ApiCall, Command, Identity, Reply};
use std::cell::RefCell;

/// Runs `kubectl LINE`.
///
/// # Errors
/// What it said when it did not end well.
pub fn run(doer: &mut dyn Doer, lesson: &Lesson, line: &str, user: Option<&Identity>) -> Result<(), String> {
    let args = words(line).ok_or_else(|| format!("a quote is left open in {line:?}"))?;
    let doer = RefCell::new(doer);
    let client = Calls { doer: &doer, user };
    let mut screen = Screen { said: String::new(), doer: &doer };
    let name = "kubottle".to_string();
    let mut config = Config::one("https://172.18.0.2:6443", &name, "kubernetes-admin", &name, "");
    let mut env = Env {
        client: &client,
        files: &Manifests(lesson),
        terminal: &mut screen,
        config: &mut config,
        stdin: None,
        help: "",
    };
    let code =
        at_once(kubectl::run(&args, &mut env)).ok_or_else(|| format!("kubectl {line}: it waits for something"))?;
    if code == 0 { Ok(()) } else { Err(format!("kubectl {line}: {}", screen.said.trim())) }
}

/// The words of a line, as a shell without variables splits it.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut all, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => all.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    quote.is_none().then_some(all)
}

/// How often a future may say that it is not ready: none here ever is not, but for one that would wait for ever.
const POLLS_MAX: usize = 1000;

fn at_once<T>(future: impl std::future::Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    (0..POLLS_MAX).find_map(|_| match future.as_mut().poll(&mut cx) {
        std::task::Poll::Ready(v) => Some(v),
        std::task::Poll::Pending => None,
    })
}

struct Calls<'a, 'd> {
    doer: &'a RefCell<&'d mut dyn Doer>,
    user: Option<&'a Identity>,
}

impl Client for Calls<'_, '_> {
    fn request(&self, r: Request) -> Future<'_, Result<Response, String>> {
        let header = |name: &str| {
            r.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone()).unwrap_or_default()
        };
        let call = Command::Api(ApiCall {
            id: 0,
            method: r.method.into(),
            path: r.path.clone(),
            accept: header("Accept"),
            content_type: header("Content-Type"),
            body: String::from_utf8_lossy(&r.body).into_owned(),
        });
        let call = match self.user {
            Some(identity) => Command::As { identity: identity.clone(), command: Box::new(call) },
            None => call,
        };
        let answer = match self.doer.borrow_mut().act(call) {
            Some(Reply::Api(a)) => Ok(Response {
                status: a.code,
                headers: vec![("Content-Type".into(), a.content_type)],
                body: a.body.into_bytes(),
            }),
            Some(Reply::Refused { message }) => Err(message),
            other => Err(format!("{other:?}")),
        };
        Box::pin(async { answer })
    }
    fn stream(&self, _: Request) -> Future<'_, Result<Box<dyn Stream>, Response>> {
        let body = b"a lesson's solution cannot watch: use wait".to_vec();
        Box::pin(async { Err(Response { status: 501, headers: Vec::new(), body }) })
    }
    fn now(&self) -> i64 {
        i64::try_from(self.doer.borrow_mut().cluster().now().0).unwrap_or(i64::MAX)
    }
}

struct Manifests<'a>(&'a Lesson);

impl Files for Manifests<'_> {
    fn read(&self, path: &str) -> Option<String> {
        self.0.files.get(path.trim_start_matches("./")).cloned()
    }
    fn list(&self, _: &str) -> Option<Vec<String>> {
        None
    }
}

struct Screen<'a, 'd> {
    said: String,
    doer: &'a RefCell<&'d mut dyn Doer>,
}

impl Terminal for Screen<'_, '_> {
    fn out(&mut self, _: &str) {}
    fn err(&mut self, text: &str) {
        self.said.push_str(text);
    }
    fn edit(&mut self, _: &str, _: String) -> Future<'_, Result<String, String>> {
        Box::pin(async { Err("a lesson's solution has no editor: use patch or apply".into()) })
    }
    fn sleep(&self, micros: i64) -> Future<'_, ()> {
        let span = Duration(u64::try_from(micros).unwrap_or(0));
        self.doer.borrow_mut().cluster().advance(span);
        Box::pin(async {})
    }
    fn exec(&mut self, _: Session) -> Future<'_, Result<i32, String>> {
        Box::pin(async { Err("a lesson's solution has no terminal in a container".into()) })
    }
    fn forward(&mut self, _: &str, _: &str, _: &[(u16, u16)]) -> Future<'_, Result<(), String>> {
        Box::pin(async { Err("a lesson's solution forwards no ports".into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn lines_are_split_as_a_shell_does() {
        let split = |line: &str| words(line).map(|w| w.join("|"));
        assert_eq!(split("get pods  -l 'app=web, x' \"\"").as_deref(), Some("get|pods|-l|app=web, x|"));
        assert_eq!(split("a 'b"), None);
    }
}
