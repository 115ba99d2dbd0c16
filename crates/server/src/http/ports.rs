//! NodePorts and load balancers on this machine: one listener on 127.0.0.1, or on the load balancer's address, for each, as
//! long as kube-proxy's rules or the cloud have it.

use super::proxy;
use crate::services::OpenPort;
use crate::world::Handle;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::collections::BTreeMap;
use std::convert::Infallible;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Keeps the listeners in step with the Services until the server ends.
pub async fn run(handle: Handle, mut changed: watch::Receiver<u64>) {
    let mut open: BTreeMap<OpenPort, JoinHandle<()>> = BTreeMap::new();
    loop {
        let Ok(wanted) = handle.ask(|w| w.open_ports()).await else { return };
        open.retain(|port, task| {
            let keep = wanted.contains(port) && !task.is_finished();
            if !keep {
                task.abort();
            }
            keep
        });
        for port in wanted {
            open.entry(port.clone()).or_insert_with(|| tokio::spawn(listen(handle.clone(), port)));
        }
        if changed.changed().await.is_err() {
            return;
        }
    }
}

async fn listen(handle: Handle, port: OpenPort) {
    let listener = match TcpListener::bind((port.ip, port.port)).await {
        Ok(listener) => listener,
        Err(e) => {
            eprintln!("kubottle: cannot listen on {}:{} for Service {}: {e}", port.ip, port.port, port.service);
            // Stays, so that it is said once; a change of the Service tries again.
            return std::future::pending().await;
        }
    };
    loop {
        let Ok((socket, client)) = listener.accept().await else { continue };
        let (handle, port) = (handle.clone(), port.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (handle, port) = (handle.clone(), port.clone());
                async move { Ok::<_, Infallible>(proxy::from_outside(handle, port, client.ip(), request).await) }
            });
            // A client that breaks off is no news.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
