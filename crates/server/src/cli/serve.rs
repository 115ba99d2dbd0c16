//! `kubottle serve`

use super::extenders::HttpCaller;
use super::manifests::StaticPods;
use super::print;
use crate::http::{page, ports, proxy::ClusterNetwork};
use crate::wasm::node::{RUNTIME_CLASS, Shared, WasmNode};
use crate::wasm::{Engine, Images};
use crate::webhooks::{Guests, Webhooks};
use crate::world::{Extenders, Handle, Messengers, World};
use crate::{http, kubeconfig, machines, tls};
use anyhow::{Context, anyhow};
use cluster::cloud::Settings;
use cluster::{Cluster, Config};
use engine::NodeSize;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use k8s_openapi::api::core::v1::Taint;
use kubelet::runtime::ExternalRuntime;
use kubelet::{NodeConfig, SimRuntime};
use meta::Time;
use scheduler::{Caller, Scheduler};
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// The label and taint by which wasm nodes are told apart.
const ARCH: &str = "wasm32";
const PAGE_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// A client that connects and says nothing.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Requests under way are given this long when the server stops.
const GOODBYE: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub struct Args {
    /// Where kubectl connects to; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:6443", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Simulated nodes
    #[arg(long, default_value_t = 3, value_name = "N")]
    sim_nodes: u32,
    /// What a simulated node has: cpu=4,memory=8Gi,pods=110
    #[arg(long, default_value = "cpu=4,memory=8Gi,pods=110", value_name = "SIZE", value_parser = node_size)]
    sim_node: NodeSize,
    /// Nodes that run WASI 0.2 components (runtimeClassName: wasmtime)
    #[arg(long, default_value_t = 1, value_name = "N")]
    wasm_nodes: u32,
    /// In a toy cloud: instances, zones, routes and load balancers, and a cloud-controller-manager
    #[arg(long)]
    cloud: bool,
    /// The control plane is a node of its own: its programs, and CoreDNS, are pods in kube-system
    #[arg(long)]
    control_plane_node: bool,
    /// CoreDNS as two pods in kube-system, when there are simulated nodes for them; without, names resolve all the same
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    coredns: bool,
    /// Static pods of a node: its kubelet runs what the files of a directory say (staticPodPath); node-1 when no node is
    /// named
    #[arg(long = "pod-manifest-path", value_name = "[NODE=]DIR")]
    manifests: Vec<StaticPods>,
    /// Where to write the kubeconfig [default: kubottle.kubeconfig in the state directory]
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// How many times faster than real the simulated nodes work
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    speed: u32,
    /// The page's files [default: page or dist beside the program]
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// Where the page is served, on this machine only [default: 127.0.0.1:8080, or any free port]
    #[arg(long = "http", value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A KubeSchedulerConfiguration for kube-scheduler; its extenders are called
    #[arg(long, value_name = "FILE")]
    scheduler_config: Option<PathBuf>,
    /// A KubeletConfiguration for the simulated nodes: its thresholds for evictions count
    #[arg(long, value_name = "FILE")]
    kubelet_config: Option<PathBuf>,
}

/// `cpu=8,memory=16Gi,pods=110`; what is left out stays as usual.
fn node_size(text: &str) -> Result<NodeSize, String> {
    let mut size = NodeSize::default();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        match part.split_once('=') {
            Some(("cpu", v)) => size.cpu = v.into(),
            Some(("memory", v)) => size.memory = v.into(),
            Some(("pods", v)) => size.pods = v.into(),
            _ => return Err(format!("{part:?}: expected cpu=…, memory=… or pods=…")),
        }
    }
    size.capacity()?;
    Ok(size)
}

pub fn run(args: Args, state: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("server").build()?;
    // Guests have threads of their own: however busy they are, the API server answers.
    let guests = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("guests").build()?;
    let result = runtime.block_on(serve(args, state, guests.handle().clone()));
    guests.shutdown_background();
    runtime.shutdown_timeout(GOODBYE);
    result
}

async fn serve(args: Args, state: &Path, guests: tokio::runtime::Handle) -> anyhow::Result<()> {
    let busy = |a: SocketAddr| move || format!("cannot listen on {a} (another server may be running; see --listen)");
    let listener = TcpListener::bind(args.listen).await.with_context(busy(args.listen))?;
    let address = listener.local_addr()?;
    let pages = page_listener(args.http).await?;
    let page_address = pages.local_addr()?;
    let dir = page_dir(args.page.clone())?;

    let (identity, proxy_ca) = tls::front_proxy()?;
    let cluster = new_cluster(&args, &proxy_ca)?;
    let (certificates, credentials) = tls::generate(address.ip(), cluster.authority())?;
    let running = Guests::default();
    let webhooks = Webhooks { tokio: guests, guests: running, identity: Some(Arc::new(identity)) };
    let (handle, services) = start_cluster(cluster, &args, state, webhooks).await?;
    let host = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let server = format!("https://{}", SocketAddr::new(host, address.port()));
    let config = args.kubeconfig.unwrap_or_else(|| state.join("kubottle.kubeconfig"));
    kubeconfig::write(&config, &server, &credentials)?;

    let (stop, stopped) = watch::channel(false);
    tokio::spawn(ports::run(handle.clone(), services));
    let shows_page = dir.is_some();
    let router = page::router(handle.clone(), dir);
    let mut page_stopped = stopped.clone();
    let page_end = async move { drop(page_stopped.wait_for(|s| *s).await) };
    tokio::spawn(async move { axum::serve(pages, router).with_graceful_shutdown(page_end).await });
    let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(certificates), handle, stopped));

    let config = std::path::absolute(&config).unwrap_or(config);
    let page = if shows_page { format!(", page http://{page_address}/") } else { String::new() };
    print(&format!("kubottle is ready: {server}, kubeconfig {}{page}\n", config.display()))?;
    wait_for_end().await?;
    stop.send_replace(true);
    // Watches end with their connections; whoever is in the middle of a request gets its answer.
    let _ = tokio::time::timeout(GOODBYE, accepting).await;
    Ok(())
}

/// Ctrl-C, or SIGTERM.
async fn wait_for_end() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            r = tokio::signal::ctrl_c() => r?,
            _ = terminate.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c().await?)
}

async fn page_listener(asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    match asked {
        Some(a) if !a.ip().is_loopback() => {
            Err(anyhow!("--http {a}: the page has no passwords, so it is served on this machine only: use 127.0.0.1"))
        }
        Some(a) => TcpListener::bind(a).await.with_context(|| format!("cannot listen on {a} (see --http)")),
        None => match TcpListener::bind(PAGE_ADDRESS).await {
            Ok(listener) => Ok(listener),
            // Nobody asked for this very port.
            Err(_) => Ok(TcpListener::bind((PAGE_ADDRESS.ip(), 0)).await?),
        },
    }
}

/// `--page`, or `page` or `dist` beside the program or one or two directories above it (`target/release/kubottle`).
fn page_dir(asked: Option<PathBuf>) -> anyhow::Result<Option<PathBuf>> {
    if let Some(dir) = asked {
        let index = dir.join("index.html");
        return match index.exists() {
            true => Ok(Some(dir)),
            false => Err(anyhow!("--page {}: there is no index.html in it", dir.display())),
        };
    }
    let program = std::env::current_exe().unwrap_or_default();
    let around = program.ancestors().skip(1).take(3).flat_map(|d| [d.join("page"), d.join("dist")]);
    let beside = around.chain(program.ancestors().nth(3).map(|d| d.join("dist")));
    Ok(beside.into_iter().find(|d| d.join("index.html").exists()))
}

fn new_cluster(args: &Args, proxy_ca: &str) -> anyhow::Result<Cluster> {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?;
    let start = Time(u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX));
    let service_account_secret = Some(tls::secret()?);
    // Every address of 127.0.0.0/8 is this machine's own: its load balancers can be reached on it.
    let load_balancer_ip = Ipv4Addr::new(127, 0, 113, 10);
    let settings = Settings { seed: args.seed, load_balancer_ip, ..Settings::default() };
    let cloud = args.cloud.then_some(settings);
    let control_plane_node = args.control_plane_node;
    let config =
        Config { seed: args.seed, start, service_account_secret, cloud, control_plane_node, ..Config::default() };
    let mut cluster = Cluster::new(config).map_err(|e| anyhow!(e))?;
    let ca = cluster.authority().pem();
    cluster.publish_ca(&ca, proxy_ca);
    Ok(cluster)
}

async fn start_cluster(
    mut cluster: Cluster,
    args: &Args,
    state: &Path,
    webhooks: Webhooks,
) -> anyhow::Result<(Handle, watch::Receiver<u64>)> {
    let caller: Arc<dyn Caller> = Arc::new(HttpCaller::new()?);
    cluster.with_component("kube-scheduler", |s: &mut Scheduler| s.reach_extenders(caller.clone()));
    if let Some(path) = &args.scheduler_config {
        let (document, text) = super::schedule::config_document(path)?;
        cluster.configure_scheduler(&document, &text).map_err(|e| anyhow!("{}: {e}", path.display()))?;
    }
    let eviction = args.kubelet_config.as_deref().map(super::kubelet_config::read).transpose()?.unwrap_or_default();
    for n in 1..=args.sim_nodes {
        let seed = cluster.fork_seed();
        let config = machines::config(&cluster.next_node_name(), n, &args.sim_node, seed).map_err(|e| anyhow!(e))?;
        let config = NodeConfig { speed: args.speed, eviction: eviction.clone(), ..config };
        cluster.add_machine(config, Box::new(SimRuntime::new(seed, args.speed))).map_err(|e| anyhow!(e))?;
    }
    if args.coredns && args.sim_nodes > 0 {
        cluster.install_coredns();
    }
    let names: Vec<String> = (1..=args.wasm_nodes).map(|n| format!("wasm-{n}")).collect();
    for (n, name) in (args.sim_nodes + 1..).zip(&names) {
        let config = wasm_machine(name, n, cluster.fork_seed()).map_err(|e| anyhow!(e))?;
        let runtime = ExternalRuntime::new("wasmtime", "48.0.8");
        cluster.add_machine(config, Box::new(runtime)).map_err(|e| anyhow!(e))?;
    }
    for dir in &args.manifests {
        dir.give(&mut cluster)?;
    }
    let (guests, running) = (webhooks.tokio.clone(), webhooks.guests.clone());
    cluster.call_webhooks(Arc::new(webhooks.clone()));
    cluster.hand_out_questions();
    let (handle, services) = World::start(cluster)?;
    for dir in &args.manifests {
        tokio::spawn(dir.clone().watch(handle.clone()));
    }
    let extenders = Extenders { caller, handle: handle.clone() };
    let messengers = Messengers { webhooks, handle: handle.clone() };
    handle.ask(move |w| (w.extenders, w.webhooks) = (Some(extenders), Some(messengers))).await?;
    if !names.is_empty() {
        let shared = Shared {
            engine: Engine::new()?,
            images: Images::new(state),
            network: Arc::new(ClusterNetwork(handle.clone())),
            handle: handle.clone(),
            tokio: guests,
            programs: Arc::default(),
            running,
        };
        let nodes = names.into_iter().map(|n| (n.clone(), WasmNode::new(&n, shared.clone()))).collect();
        handle.ask(move |w| w.wasm = nodes).await?;
    }
    Ok((handle, services))
}

/// A wasm node offers this machine's CPUs and, as far as it can be known, a usual node's memory.
fn wasm_machine(name: &str, n: u32, seed: u64) -> Result<NodeConfig, String> {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let size = NodeSize { cpu: cpus.to_string(), ..NodeSize::default() };
    let mut config = machines::config(name, n, &size, seed)?;
    config.arch = ARCH.into();
    config.labels.insert("kubottle.dev/runtime".into(), RUNTIME_CLASS.into());
    // Ordinary images have no wasm32 variant: their pods must not come here.
    config.taints = vec![Taint {
        key: "kubernetes.io/arch".into(),
        value: Some(ARCH.into()),
        effect: "NoSchedule".into(),
        ..Default::default()
    }];
    Ok(config)
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, handle: Handle, mut stopped: watch::Receiver<bool>) {
    let connections = hyper_util::server::graceful::GracefulShutdown::new();
    loop {
        let socket = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => socket,
                // Out of file descriptors, most likely: wait for some to be closed.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            // The first change is the end, and so is a sender that is gone.
            _ = stopped.changed() => break,
        };
        let (tls, handle, watcher) = (tls.clone(), handle.clone(), connections.watcher());
        tokio::spawn(async move {
            // A client that breaks off is no news.
            let _ = connection(socket, tls, handle, watcher).await;
        });
    }
    drop(listener);
    connections.shutdown().await;
}

async fn connection(
    socket: TcpStream,
    tls: TlsAcceptor,
    handle: Handle,
    watcher: hyper_util::server::graceful::Watcher,
) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    let stream = tokio::time::timeout(HANDSHAKE_MAX, tls.accept(socket)).await??;
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let user = certificates.first().and_then(http::auth::from_certificate);
    let service = service_fn(move |request| {
        let (handle, user) = (handle.clone(), user.clone());
        async move { Ok::<_, Infallible>(http::api::handle(handle, user, request).await) }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(30));
    let serving = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
    watcher.watch(serving).await.map_err(|e| anyhow!(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_checked() {
        assert_eq!(node_size("").unwrap(), NodeSize::default());
        let big = node_size("cpu=8,memory=16Gi").unwrap();
        assert_eq!((big.cpu.as_str(), big.memory.as_str(), big.pods.as_str()), ("8", "16Gi", "110"));
        assert!(node_size("disk=3").unwrap_err().contains("expected cpu="));
        assert!(node_size("cpu=lots").is_err());
    }
}
