//! What kubectl may use of the terminal.

use super::bench::HOME;
use super::desk::Order;
use super::run::Shell;
use super::sink::Sink;
use kubectl::{Captured, Files, Future, Session, Terminal};
use kubelet::sim::fs::normalize;
use protocol::{File, Forwarded, Waits};
use std::cell::RefCell;

pub struct Screen {
    pub shell: Shell,
    pub out: Sink,
    pub err: Sink,
    /// What is piped into a container.
    pub stdin: Option<Vec<u8>>,
}

enum Came {
    Out(Vec<u8>),
    Err(Vec<u8>),
    End(Result<i32, String>),
}

impl Terminal for Screen {
    fn out(&mut self, text: &str) {
        self.out.write(&self.shell, text.as_bytes());
    }

    fn err(&mut self, text: &str) {
        self.err.write(&self.shell, text.as_bytes());
    }

    fn edit(&mut self, name: &str, text: String) -> Future<'_, Result<String, String>> {
        let file = name.to_string();
        Box::pin(async move { self.shell.edit(&file, Some(text)).await.ok_or_else(|| "Edit cancelled".into()) })
    }

    fn sleep(&self, micros: i64) -> Future<'_, ()> {
        Box::pin(self.shell.desk.sleep(micros))
    }

    fn exec(&mut self, session: Session) -> Future<'_, Result<i32, String>> {
        Box::pin(async move {
            let desk = self.shell.desk.clone();
            let (stdin, tty) = (session.stdin, session.tty);
            let (id, opened) = desk.open(session).await?;
            match self.stdin.take() {
                Some(data) if stdin => desk.with(|d| {
                    d.orders.push_back(Order::Data(id.clone(), data));
                    d.orders.push_back(Order::End(id.clone()));
                }),
                _ if stdin && tty => desk.with(|d| d.waits = Waits::Keys),
                _ if stdin => desk.with(|d| d.waits = Waits::Line { prompt: String::new() }),
                _ => {}
            }
            let number = opened.number;
            loop {
                let came = desk
                    .until(|d| {
                        if !d.keys.is_empty() {
                            let keys = std::mem::take(&mut d.keys);
                            d.orders.push_back(Order::Keys(id.clone(), keys));
                        }
                        while let Some(line) = d.entered.pop_front() {
                            d.orders.push_back(match line {
                                Some(line) => Order::Keys(id.clone(), line + "\n"),
                                None => Order::End(id.clone()),
                            });
                        }
                        let inflow = d.inflows.get_mut(&number)?;
                        if let Some(piece) = inflow.pieces.pop_front() {
                            return Some(Came::Out(piece));
                        }
                        if let Some(piece) = inflow.errors.pop_front() {
                            return Some(Came::Err(piece));
                        }
                        inflow.end.clone().map(Came::End)
                    })
                    .await;
                match came {
                    Came::Out(data) => self.out.write(&self.shell, &data),
                    Came::Err(data) => self.err.write(&self.shell, &data),
                    Came::End(end) => {
                        desk.with(|d| d.waits = Waits::Command);
                        return end;
                    }
                }
            }
        })
    }

    fn line(&mut self) -> Future<'_, Option<String>> {
        let desk = self.shell.desk.clone();
        Box::pin(async move {
            desk.with(|d| d.waits = Waits::Line { prompt: String::new() });
            let line = desk.until(|d| d.entered.pop_front()).await;
            desk.with(|d| d.waits = Waits::Command);
            line
        })
    }

    fn fetch(&mut self, url: &str) -> Future<'_, Result<String, String>> {
        let (desk, url) = (self.shell.desk.clone(), url.to_string());
        Box::pin(async move {
            desk.with(|d| {
                d.fetched = None;
                d.waits = Waits::Address { url };
            });
            let found = desk.until(|d| d.fetched.take()).await;
            desk.with(|d| d.waits = Waits::Command);
            found
        })
    }

    fn capture(&mut self, session: Session, input: Option<Vec<u8>>) -> Future<'_, Captured> {
        let ((out, all), (err, errors)) = (Sink::buffer(), Sink::buffer());
        let mut other = Screen { shell: self.shell.clone(), out, err, stdin: input };
        Box::pin(async move {
            let code = other.exec(session).await?;
            let data = |b: &RefCell<Vec<u8>>| b.borrow().clone();
            Ok((code, data(&all), data(&errors)))
        })
    }

    fn forward(&mut self, namespace: &str, pod: &str, ports: &[(u16, u16)]) -> Future<'_, Result<(), String>> {
        let forwarded = Forwarded { namespace: namespace.into(), pod: pod.into(), ports: ports.to_vec() };
        let shell = self.shell.clone();
        Box::pin(async move {
            shell.desk.with(|d| d.forwarded = Some(forwarded.clone()));
            let _open = Forwarding::new(&shell, &forwarded);
            std::future::pending().await
        })
    }
}

/// Ports that lead to a pod as long as this lives.
struct Forwarding {
    shell: Shell,
    ports: Vec<u16>,
}

impl Forwarding {
    fn new(shell: &Shell, f: &Forwarded) -> Forwarding {
        let mut all = shell.forwards.borrow_mut();
        for (local, remote) in &f.ports {
            all.insert(*local, format!("/api/v1/namespaces/{}/pods/{}:{remote}/proxy", f.namespace, f.pod));
        }
        Forwarding { shell: shell.clone(), ports: f.ports.iter().map(|(local, _)| *local).collect() }
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        let mut all = self.shell.forwards.borrow_mut();
        self.ports.iter().for_each(|p| drop(all.remove(p)));
    }
}

/// The files of the learner's machine.
pub struct Home(pub Shell);

impl Files for Home {
    fn read(&self, path: &str) -> Option<String> {
        let cwd = self.0.state.borrow().cwd.clone();
        self.0.bench.borrow().read(&cwd, path).map(|d| String::from_utf8_lossy(&d).into_owned())
    }
    fn read_bytes(&self, path: &str) -> Option<Vec<u8>> {
        let cwd = self.0.state.borrow().cwd.clone();
        self.0.bench.borrow().read(&cwd, path)
    }
    fn list(&self, path: &str) -> Option<Vec<String>> {
        let cwd = self.0.state.borrow().cwd.clone();
        self.0.bench.borrow().list(&cwd, path)
    }
    fn write(&self, path: &str, text: &str) -> Result<(), String> {
        self.write_bytes(path, text.as_bytes())
    }
    fn write_bytes(&self, path: &str, data: &[u8]) -> Result<(), String> {
        let cwd = self.0.state.borrow().cwd.clone();
        let mut bench = self.0.bench.borrow_mut();
        bench.make_room(&cwd, path);
        bench.write(&cwd, path, data, false)
    }
    fn make_dir(&self, path: &str) -> Result<(), String> {
        let cwd = self.0.state.borrow().cwd.clone();
        self.0.bench.borrow_mut().make_room(&cwd, &format!("{path}/"));
        Ok(())
    }
    fn absolute(&self, path: &str) -> String {
        normalize(&self.0.state.borrow().cwd, path)
    }
}

impl Shell {
    /// Has a file edited, `text` if there is one: what the text is then, or `None` when it was left.
    pub async fn edit(&self, file: &str, text: Option<String>) -> Option<String> {
        if let Some(text) = text {
            self.bench.borrow_mut().put(file, &text);
            self.desk.with(|d| d.written.push(File { name: file.into(), text }));
        }
        self.desk.with(|d| {
            d.entered.clear();
            d.waits = Waits::Editor { file: file.into() };
        });
        let entered = self.desk.until(|d| d.entered.pop_front()).await;
        self.desk.with(|d| d.waits = Waits::Command);
        entered?;
        self.bench.borrow().read(HOME, file).map(|d| String::from_utf8_lossy(&d).into_owned())
    }
}
