//! `kubottle schedule`: what-if scheduling.

use super::extenders::HttpCaller;
use super::why::{self, Question};
use super::{borrowed, decode, print, problems, read_files, strict_error};
use anyhow::{Context, anyhow};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::{Metadata, Resource};
use manifest::{Document, Limits, Problem};
use protocol::preemption_words;
use protocol::words::Lang;
use scheduler::{Caller, Config, World, whatif_calling};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trace::Cycle;

#[derive(clap::Args)]
pub struct Args {
    /// YAML or JSON files or directories with nodes, pods and whatever else there is; - is standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Draws among nodes of equal score depend on it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(short = 'o', long = "output", value_enum, default_value = "table")]
    output: Output,
    /// Explain one pod's decision, and what would make it fit: NAME or NAMESPACE/NAME
    #[arg(long, value_name = "POD")]
    why: Option<String>,
    /// With --why: what every filter says of this node
    #[arg(long, value_name = "NODE", requires = "why")]
    node: Option<String>,
    /// The language of explanations; LC_ALL, LC_MESSAGES or LANG when not given
    #[arg(long, value_enum)]
    lang: Option<Language>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Language {
    Ko,
    En,
}

/// As programs of the terminal choose: the first variable that is set counts.
fn language(given: Option<Language>) -> Lang {
    match given {
        Some(Language::Ko) => Lang::Ko,
        Some(Language::En) => Lang::En,
        None => {
            let set = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
            Lang::of(&["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default())
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Output {
    Table,
    Json,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let files = read_files(&args.files)?;
    let world = world(&files).map_err(|p| problems(&p))?;
    let config = config(args.config)?;
    let (mut printed, mut first) = (Ok(()), true);
    let caller: Option<Arc<dyn Caller>> =
        if config.extenders.is_empty() { None } else { Some(Arc::new(HttpCaller::new()?)) };
    let lang = language(args.lang);
    if let Some(pod) = args.why {
        let (node, json) = (args.node, matches!(args.output, Output::Json));
        return why::run(&Question { pod, node, lang, json }, world, &config, args.seed, caller);
    }
    whatif_calling(world, &config, args.seed, caller, |cycle| {
        printed = one(&cycle, args.output, lang, first);
        first = false;
        printed.is_ok()
    })
    .map_err(|e| anyhow!(e))?;
    printed?;
    match args.output {
        Output::Table => Ok(()),
        Output::Json if first => print("{\n  \"decisions\": []\n}\n"),
        Output::Json => print("\n  ]\n}\n"),
    }
}

/// Prints one decision. They are not collected: with thousands of nodes each is large.
fn one(cycle: &Cycle, output: Output, lang: Lang, first: bool) -> anyhow::Result<()> {
    let text = match output {
        Output::Table => {
            let mut text = if first { String::new() } else { "\n".to_string() };
            text.push_str(&scheduler::table(std::slice::from_ref(cycle)));
            for line in preemption_words::lines(lang, cycle) {
                text.push_str(&format!("  {line}\n"));
            }
            text
        }
        Output::Json => {
            let before = if first { "{\n  \"decisions\": [\n    " } else { ",\n    " };
            // A line break inside a string is escaped, so these are the layout's.
            format!("{before}{}", serde_json::to_string_pretty(cycle)?.replace('\n', "\n    "))
        }
    };
    print(&text)
}

/// What a scheduler looks at; kinds it does not read are left alone.
fn world(files: &[(String, String)]) -> Result<World, Vec<Problem>> {
    let documents = manifest::parse_values(&borrowed(files), Limits::DUMP)?;
    let (mut world, mut wrong) = (World::default(), Vec::new());
    for d in &documents {
        if let Err(mut problems) = add(&mut world, d) {
            wrong.append(&mut problems);
        }
    }
    if wrong.is_empty() { Ok(world) } else { Err(wrong) }
}

fn add(world: &mut World, d: &Document) -> Result<(), Vec<Problem>> {
    match (d.api_version(), d.kind()) {
        ("v1", "Node") => world.nodes.extend(registered(d)?),
        ("v1", "Pod") => world.pods.extend(registered(d)?),
        ("v1", "Service") => world.services.extend(registered(d)?),
        ("v1", "Namespace") => world.namespaces.extend(registered(d)?),
        ("apps/v1", "ReplicaSet") => world.replica_sets.extend(registered(d)?),
        ("apps/v1", "StatefulSet") => world.stateful_sets.push(typed(d)?),
        ("v1", "ReplicationController") => world.replication_controllers.push(typed(d)?),
        ("v1", "PersistentVolume") => world.persistent_volumes.push(typed(d)?),
        ("v1", "PersistentVolumeClaim") => world.persistent_volume_claims.push(typed(d)?),
        ("policy/v1", "PodDisruptionBudget") => world.pod_disruption_budgets.push(typed(d)?),
        ("scheduling.k8s.io/v1", "PriorityClass") => world.priority_classes.push(typed(d)?),
        ("storage.k8s.io/v1", "StorageClass") => world.storage_classes.push(typed(d)?),
        ("storage.k8s.io/v1", "CSINode") => world.csi_nodes.push(typed(d)?),
        ("storage.k8s.io/v1", "CSIDriver") => world.csi_drivers.push(typed(d)?),
        ("storage.k8s.io/v1", "CSIStorageCapacity") => world.csi_storage_capacities.push(typed(d)?),
        ("storage.k8s.io/v1", "VolumeAttachment") => world.volume_attachments.push(typed(d)?),
        ("resource.k8s.io/v1", "ResourceClaim") => world.resource_claims.push(typed(d)?),
        ("resource.k8s.io/v1", "DeviceClass") => world.device_classes.push(typed(d)?),
        ("resource.k8s.io/v1", "ResourceSlice") => world.resource_slices.push(typed(d)?),
        _ => {}
    }
    Ok(())
}

/// A kind that the API server has, with its defaults.
fn registered<T: 'static>(d: &Document) -> Result<Option<T>, Vec<Problem>> {
    let object = decode(d)?.map(|o| o.into_any());
    Ok(object.and_then(|o| o.downcast::<T>().ok()).map(|o| *o))
}

/// A kind that only the scheduler reads.
fn typed<T: Resource + Metadata<Ty = ObjectMeta> + DeserializeOwned>(d: &Document) -> Result<T, Vec<Problem>> {
    const CLUSTER_WIDE: &[&str] = &[
        "PersistentVolume",
        "PriorityClass",
        "StorageClass",
        "CSINode",
        "CSIDriver",
        "VolumeAttachment",
        "DeviceClass",
        "ResourceSlice",
    ];
    let refused = |e: &meta::ApiError| manifest::refusals(d, e);
    let (mut object, strict) = api::decode::unregistered::<T>(d.value.clone()).map_err(|e| refused(&e))?;
    if !strict.is_empty() {
        return Err(refused(&strict_error(&strict)));
    }
    if !CLUSTER_WIDE.contains(&d.kind()) && object.metadata().namespace.as_ref().is_none_or(String::is_empty) {
        object.metadata_mut().namespace = Some("default".into());
    }
    Ok(object)
}

fn config(path: Option<PathBuf>) -> anyhow::Result<Config> {
    path.map_or_else(|| Ok(Config::default()), |path| Ok(read_config(&path, Config::parse_lenient)?.2))
}

/// A KubeSchedulerConfiguration that is sound, and its text.
pub fn config_document(path: &Path) -> anyhow::Result<(serde_json::Value, String)> {
    let (document, text, _) = read_config(path, Config::parse)?;
    Ok((document, text))
}

fn read_config(
    path: &Path,
    parse: fn(&serde_json::Value) -> Result<Config, Vec<meta::FieldError>>,
) -> anyhow::Result<(serde_json::Value, String, Config)> {
    let files = read_files(&[path.to_path_buf()])?;
    let documents = manifest::parse_values(&borrowed(&files), Limits::REQUEST).map_err(|p| problems(&p))?;
    let [document] = documents.as_slice() else {
        return Err(anyhow!(
            "{}: one KubeSchedulerConfiguration is expected, {} documents found",
            path.display(),
            documents.len()
        ));
    };
    let refused = |errors: Vec<meta::FieldError>| {
        let one = |e: &meta::FieldError| {
            manifest::refusals(document, &meta::ApiError::invalid("", document.kind(), "", std::slice::from_ref(e)))
        };
        problems(&errors.iter().flat_map(one).collect::<Vec<Problem>>())
    };
    let config = parse(&document.value).map_err(refused).context("the scheduler's configuration is refused")?;
    let text = files.into_iter().map(|(_, text)| text).collect();
    Ok((document.value.clone(), text, config))
}
