//! PriorityLevelConfiguration: how many requests of a level are served at once, and what becomes of the others. Models
//! `pkg/registry/flowcontrol/prioritylevelconfiguration` and `pkg/apis/flowcontrol/validation`.

use super::{STATUS_VERBS, flowcontrol, register};
use crate::registration::{Cell, Column, Registration, Scope, Subresource};
use crate::table;
use crate::validate::{invalid_json, text};
use k8s_openapi::api::flowcontrol::v1::{
    LimitedPriorityLevelConfiguration, PriorityLevelConfiguration, QueuingConfiguration,
};
use meta::{FieldError, Path, Time};

pub struct Reg;
register!(Reg, PriorityLevelConfiguration);

const SHARES: i32 = 30;
const HAND_SIZE: i32 = 8;
const QUEUES: i32 = 64;
const QUEUE_LENGTH: i32 = 50;
const QUEUES_MAX: i32 = 10_000_000;
/// `maxHashBits`: dealing hands takes so many bits of a flow's hash.
const HASH_BITS: u32 = 60;

impl Registration for Reg {
    type Type = PriorityLevelConfiguration;
    const PLURAL: &'static str = "prioritylevelconfigurations";
    const SINGULAR: &'static str = "prioritylevelconfiguration";
    const SCOPE: Scope = Scope::Cluster;
    const HAS_GENERATION: bool = true;
    const SUBRESOURCES: &'static [Subresource] = &[Subresource { name: "status", gvk: None, verbs: STATUS_VERBS }];
    const COLUMNS: &'static [Column] = &[
        Column::NAME,
        Column::new("Type", "string", 0).describe("Whether requests of the level are limited."),
        Column::new("NominalConcurrencyShares", "string", 0)
            .describe("The level's part of the requests that are served at once."),
        Column::new("Queues", "string", 0).describe("How many queues the level has."),
        Column::new("HandSize", "string", 0).describe("Of how many queues the shortest is taken."),
        Column::new("QueueLengthLimit", "string", 0).describe("How many requests may wait in a queue."),
        Column::AGE,
    ];
    const SAMPLE: &'static str = "\
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
metadata:
  name: reports
spec:
  type: Limited
  limited:
    nominalConcurrencyShares: 10
    limitResponse:
      type: Queue
      queuing:
        queues: 16
        handSize: 4
        queueLengthLimit: 50
";

    fn default(o: &mut PriorityLevelConfiguration) {
        let s = o.spec.get_or_insert_default();
        if let Some(exempt) = &mut s.exempt {
            exempt.nominal_concurrency_shares.get_or_insert(0);
            exempt.lendable_percent.get_or_insert(0);
        }
        let Some(limited) = &mut s.limited else { return };
        limited.nominal_concurrency_shares.get_or_insert(SHARES);
        limited.lendable_percent.get_or_insert(0);
        if let Some(q) = limited.limit_response.as_mut().and_then(|r| r.queuing.as_mut()) {
            let fill = |n: &mut Option<i32>, to: i32| *n = n.filter(|n| *n != 0).or(Some(to));
            fill(&mut q.hand_size, HAND_SIZE);
            fill(&mut q.queues, QUEUES);
            fill(&mut q.queue_length_limit, QUEUE_LENGTH);
        }
    }
    fn prepare_create(o: &mut PriorityLevelConfiguration) {
        o.status = None;
    }
    fn prepare_update(new: &mut PriorityLevelConfiguration, old: &PriorityLevelConfiguration) {
        new.status.clone_from(&old.status);
    }
    fn prepare_status(new: &mut PriorityLevelConfiguration, old: &PriorityLevelConfiguration) {
        new.spec.clone_from(&old.spec);
    }

    fn validate_create(o: &PriorityLevelConfiguration) -> Vec<FieldError> {
        check(o)
    }
    fn validate_update(new: &PriorityLevelConfiguration, _: &PriorityLevelConfiguration) -> Vec<FieldError> {
        check(new)
    }

    fn cells(o: &PriorityLevelConfiguration, now: Time) -> Vec<Cell> {
        let s = o.spec.clone().unwrap_or_default();
        let number = |n: Option<i32>| n.map_or_else(|| Cell::from(table::NONE), Cell::from);
        let shares = s.limited.as_ref().and_then(|l| l.nominal_concurrency_shares);
        let queuing = s.limited.and_then(|l| l.limit_response?.queuing).unwrap_or_default();
        vec![
            table::name(&o.metadata),
            s.type_.into(),
            number(shares),
            number(queuing.queues),
            number(queuing.hand_size),
            number(queuing.queue_length_limit),
            table::age(&o.metadata, now),
        ]
    }
}

fn check(o: &PriorityLevelConfiguration) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let name = text(&o.metadata.name);
    let s = o.spec.clone().unwrap_or_default();
    let spec = Path::new("spec");
    if (name == "exempt") != (s.type_ == "Exempt") {
        let why = "type must be 'Exempt' if and only if name is 'exempt'";
        errors.push(FieldError::invalid(&spec.child("type"), s.type_.as_str(), why));
    }
    let at = spec.child("limited");
    match (s.type_.as_str(), &s.limited) {
        ("Exempt", Some(_)) => errors.push(FieldError::forbidden(&at, "must be nil if the type is not Limited")),
        ("Exempt", None) => {}
        ("Limited", None) => errors.push(FieldError::required(&at, "must not be empty when type is Limited")),
        ("Limited", Some(l)) => {
            if s.exempt.is_some() {
                errors.push(FieldError::forbidden(&spec.child("exempt"), "must be nil if the type is Limited"));
            }
            check_limited(l, &at, &mut errors);
        }
        (other, _) => {
            errors.push(FieldError::not_supported(&spec.child("type"), other, &["Exempt", "Limited"]));
        }
    }
    // Of the one that is exempt the shares may be changed.
    let fixed = flowcontrol::mandatory_level(name).filter(|f| match name {
        "exempt" => f.spec.as_ref().is_some_and(|f| f.type_ != s.type_ || s.limited.is_some()),
        _ => f.spec.as_ref() != Some(&s),
    });
    if fixed.is_some() {
        let why = if name == "exempt" {
            "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value".to_string()
        } else {
            format!("spec of '{name}' must equal the fixed value")
        };
        errors.push(invalid_json(&spec, &s, &why));
    }
    errors
}

fn check_limited(l: &LimitedPriorityLevelConfiguration, at: &Path, errors: &mut Vec<FieldError>) {
    if let Some(n) = l.nominal_concurrency_shares.filter(|n| *n < 0) {
        errors.push(FieldError::invalid(&at.child("nominalConcurrencyShares"), n, "must be a non-negative integer"));
    }
    let response = l.limit_response.clone().unwrap_or_default();
    let at_response = at.child("limitResponse");
    match (response.type_.as_str(), &response.queuing) {
        ("Reject", Some(_)) => {
            let why = "must be nil if limited.limitResponse.type is not Limited";
            errors.push(FieldError::forbidden(&at_response.child("queuing"), why));
        }
        ("Reject", None) => {}
        ("Queue", None) => {
            let why = "must not be empty if limited.limitResponse.type is Limited";
            errors.push(FieldError::required(&at_response.child("queuing"), why));
        }
        ("Queue", Some(q)) => check_queuing(q, &at_response.child("queuing"), errors),
        (other, _) => errors.push(FieldError::not_supported(&at_response.child("type"), other, &["Queue", "Reject"])),
    }
    if let Some(n) = l.lendable_percent.filter(|n| !(0..=100).contains(n)) {
        let why = "must be between 0 and 100, inclusive";
        errors.push(FieldError::invalid(&at.child("lendablePercent"), n, why));
    }
    if let Some(n) = l.borrowing_limit_percent.filter(|n| *n < 0) {
        let why = "if specified, must be a non-negative integer";
        errors.push(FieldError::invalid(&at.child("borrowingLimitPercent"), n, why));
    }
}

fn check_queuing(q: &QueuingConfiguration, at: &Path, errors: &mut Vec<FieldError>) {
    let (queues, hand) = (q.queues.unwrap_or(0), q.hand_size.unwrap_or(0));
    let length = q.queue_length_limit.unwrap_or(0);
    if length <= 0 {
        errors.push(FieldError::invalid(&at.child("queueLengthLimit"), length, "must be positive"));
    }
    if queues <= 0 {
        errors.push(FieldError::invalid(&at.child("queues"), queues, "must be positive"));
    } else if queues > QUEUES_MAX {
        let why = format!("must not be greater than {QUEUES_MAX}");
        errors.push(FieldError::invalid(&at.child("queues"), queues, why));
    }
    let at = at.child("handSize");
    if hand <= 0 {
        errors.push(FieldError::invalid(&at, hand, "must be positive"));
    } else if hand > queues {
        let why = format!("should not be greater than queues ({queues})");
        errors.push(FieldError::invalid(&at, hand, why));
    } else {
        // Models `shufflesharding.RequiredEntropyBits`.
        let hands = (queues - hand + 1..=queues).try_fold(1u64, |n, q| n.checked_mul(u64::try_from(q).ok()?));
        if hands.is_none_or(|n| n > 1 << HASH_BITS) {
            let why = format!(
                "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {HASH_BITS}"
            );
            errors.push(FieldError::invalid(&at, hand, why));
        }
    }
}
