//! `kubottle schedule`: what-if scheduling.

use super::{borrowed, decode, print, problems, read_files};
use anyhow::{Context, anyhow};
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use manifest::{Limits, Problem};
use scheduler::{Config, World, whatif};
use std::path::PathBuf;

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
    let cycles = whatif(world, &config, args.seed).map_err(|e| anyhow!(e))?;
    match args.output {
        Output::Table => print(&scheduler::table(&cycles)),
        Output::Json => {
            let text = serde_json::to_string_pretty(&serde_json::json!({ "decisions": cycles }))?;
            print(&format!("{text}\n"))
        }
    }
}

/// What a scheduler looks at; kinds it does not know are left alone.
fn world(files: &[(String, String)]) -> Result<World, Vec<Problem>> {
    let documents = manifest::parse_values(&borrowed(files), Limits::DUMP)?;
    let (mut world, mut wrong) = (World::default(), Vec::new());
    for d in &documents {
        if (d.api_version(), d.kind()) == ("policy/v1", "PodDisruptionBudget") {
            match serde_json::from_value::<PodDisruptionBudget>(d.value.clone()) {
                Ok(mut budget) => {
                    budget.metadata.namespace.get_or_insert_with(|| "default".into());
                    world.pod_disruption_budgets.push(budget);
                }
                Err(e) => wrong.extend(manifest::refusals(d, &meta::ApiError::bad_request(e.to_string()))),
            }
            continue;
        }
        if d.api_version() != "v1" || !["Node", "Pod"].contains(&d.kind()) {
            continue;
        }
        let object = match decode(d) {
            Ok(Some(object)) => object.into_any(),
            Ok(None) => continue,
            Err(p) => {
                wrong.extend(p);
                continue;
            }
        };
        match object.downcast::<Node>() {
            Ok(node) => world.nodes.push(*node),
            Err(other) => world.pods.extend(other.downcast::<Pod>().map(|p| *p)),
        }
    }
    if wrong.is_empty() { Ok(world) } else { Err(wrong) }
}

fn config(path: Option<PathBuf>) -> anyhow::Result<Config> {
    let Some(path) = path else { return Ok(Config::default()) };
    let files = read_files(std::slice::from_ref(&path))?;
    let documents = manifest::parse_values(&borrowed(&files), Limits::REQUEST).map_err(|p| problems(&p))?;
    let [document] = documents.as_slice() else {
        return Err(anyhow!(
            "{}: one KubeSchedulerConfiguration is expected, {} documents found",
            path.display(),
            documents.len()
        ));
    };
    Config::parse(&document.value)
        .map_err(|errors| {
            let found: Vec<Problem> = errors
                .iter()
                .flat_map(|e| {
                    manifest::refusals(
                        document,
                        &meta::ApiError::invalid("", document.kind(), "", std::slice::from_ref(e)),
                    )
                })
                .collect();
            problems(&found)
        })
        .context("the scheduler's configuration is refused")
}
