//! The scheduler's configuration, read and replaced while the cluster lives.

use super::{Refusal, refused};
use crate::apply::diagnostic;
use crate::yaml::to_yaml;
use cluster::Cluster;
use manifest::{Document, Limits};
use protocol::debug::Answer;
use scheduler::{Config, Scheduler};

const FILE: &str = "scheduler.yaml";

pub fn get(cluster: &Cluster) -> Answer {
    let Some(s) = cluster.component::<Scheduler>("kube-scheduler") else {
        return refused("there is no kube-scheduler");
    };
    let yaml = match cluster.scheduler_text() {
        Some(text) => text.to_string(),
        None => to_yaml(&s.config().to_document()),
    };
    Answer::Config { yaml, schedulers: s.config().profiles.iter().map(|p| p.scheduler_name.clone()).collect() }
}

/// # Errors
/// Everything that is wrong, as an answer with places.
pub fn read(yaml: &str) -> Result<(Document, Config), Refusal> {
    let refuse = |problems: Vec<manifest::Problem>| {
        let errors: Vec<_> = problems.into_iter().map(diagnostic).collect();
        let message = errors.first().map(|e| e.message.clone()).unwrap_or_default();
        Refusal { message, errors }
    };
    let mut documents = manifest::parse_values(&[(FILE, yaml)], Limits::REQUEST).map_err(refuse)?;
    let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
        return Err("one KubeSchedulerConfiguration is expected".to_string().into());
    };
    match Config::parse(&document.value) {
        Ok(config) => Ok((document, config)),
        Err(errors) => {
            let one = |e: &meta::FieldError| {
                let error = meta::ApiError::invalid("", document.kind(), "", std::slice::from_ref(e));
                manifest::refusals(&document, &error)
            };
            let problems: Vec<manifest::Problem> = errors.iter().flat_map(one).collect();
            Err(refuse(problems))
        }
    }
}

pub fn set(cluster: &mut Cluster, yaml: &str) -> Answer {
    match read(yaml) {
        Err(refusal) => refusal.into(),
        Ok((document, _)) => match cluster.configure_scheduler(&document.value, yaml) {
            Ok(()) => Answer::Done,
            Err(e) => refused(e),
        },
    }
}
