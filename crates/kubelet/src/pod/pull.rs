//! Whether an image is there, for whoever needs it. Models `EnsureImageExists` of `pkg/kubelet/images`.

use super::backoff::Backoff;
use super::images::ImageRef;
use super::{SyncCx, credentials};
use crate::runtime::RuntimeCommand;
use k8s_openapi::api::core::v1::Pod;
use meta::{Duration, Time};
use reconcile::EventType::{self, Normal, Warning};
use std::sync::Arc;
use trace::note;

/// How soon after a failed pull its pod is looked at again; it is in back-off then.
pub const AGAIN: Duration = Duration::from_secs(2);

/// What is wanted, and what is known of earlier tries.
pub struct Wanted<'a> {
    pub image: &'a str,
    pub policy: &'a str,
    pub backoff: &'a Backoff,
    /// The last pull's failure, repeated while backing off.
    pub error: &'a str,
}

pub enum Found {
    /// The image's ID.
    Present(String),
    /// `until`: when back-off is over.
    Missing { reason: &'static str, message: String, until: Option<Time> },
    /// The number of the pull that is under way now.
    Pulling(u64),
}

/// Looks for the image, and begins to pull it if it must be. `tell` writes an event.
pub fn ensure(
    wanted: &Wanted,
    pod: &Pod,
    uid: &Arc<str>,
    cx: &mut SyncCx,
    tell: impl Fn(&mut SyncCx, EventType, &str, String),
) -> Found {
    let Wanted { image, policy, backoff, error } = *wanted;
    let missing = |reason, message| Found::Missing { reason, message, until: None };
    if let Err(why) = ImageRef::parse(image) {
        let why = match why.as_str() {
            "repository name must be lowercase" => {
                let path = if image.contains('/') { image.to_string() } else { format!("library/{image}") };
                let path = path.split(':').next().unwrap_or_default().to_string();
                format!("invalid reference format: repository name ({path}) must be lowercase")
            }
            _ => why,
        };
        let message =
            format!("Failed to apply default image tag {image:?}: couldn't parse image name {image:?}: {why}");
        tell(cx, Warning, "InspectFailed", message.clone());
        return missing("InvalidImageName", message);
    }
    if let Some(info) = cx.runtime.image(image).filter(|_| policy != "Always") {
        let message = format!("Container image {image:?} already present on machine and can be accessed by the pod");
        tell(cx, Normal, "Pulled", message);
        return Found::Present(info.image_id);
    }
    if policy == "Never" {
        let message = format!("Container image {image:?} is not present with pull policy of Never");
        tell(cx, Warning, "ErrImageNeverPull", message.clone());
        return missing("ErrImageNeverPull", message);
    }
    if backoff.holds(backoff.updated, cx.now) {
        let message = format!("Back-off pulling image {image:?}");
        let detail = format!("{message}: ErrImagePull: {error}");
        let over = backoff.updated + backoff.delay;
        cx.note(note!("kubelet.image-pull-back-off", image = &image, until = &over));
        tell(cx, Normal, "BackOff", message);
        return Found::Missing { reason: "ImagePullBackOff", message: detail, until: Some(over) };
    }
    tell(cx, Normal, "Pulling", format!("Pulling image {image:?}"));
    let user = credentials::of(pod, image, cx);
    let pull = cx.requests.open(uid);
    cx.runtime.command(cx.now, RuntimeCommand::PullImage { pull, image: image.into(), user });
    Found::Pulling(pull)
}

/// What the event says of a pull that came to an end.
pub fn succeeded(image: &str, size: u64, took: Duration, waited: Duration) -> String {
    let millis = |d: Duration| Duration::from_millis(d.as_millis()).go_string();
    format!(
        "Successfully pulled image {image:?} in {} ({} including waiting). Image size: {size} bytes.",
        millis(took),
        millis(waited),
    )
}
