//! NodePorts on this machine: one listener on 127.0.0.1 for each, as long as kube-proxy's rules have it.

use super::proxy;
use crate::services::NodePort;
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
    let mut open: BTreeMap<NodePort, JoinHandle<()>> = BTreeMap::new();
    loop {
        let Ok(wanted) = handle.ask(|w| w.node_ports()).await else { return };
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

async fn listen(handle: Handle, port: NodePort) {
    let listener = match TcpListener::bind(("127.0.0.1", port.port)).await {
        Ok(listener) => listener,
        Err(e) => {
            eprintln!("kubottle: cannot listen on 127.0.0.1:{} for Service {}: {e}", port.port, port.service);
            // Stays, so that it is said once; a change of the Service tries again.
            return std::future::pending().await;
        }
    };
    loop {
        let Ok((socket, client)) = listener.accept().await else { continue };
        let (handle, port) = (handle.clone(), port.port);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let handle = handle.clone();
                async move { Ok::<_, Infallible>(proxy::from_node_port(handle, port, client.ip(), request).await) }
            });
            // A client that breaks off is no news.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
