//! PodMetrics and NodeMetrics, `metrics.k8s.io/v1beta1`: metrics-server's kinds, of which nothing is stored. Models
//! `k8s.io/metrics/pkg/apis/metrics/v1beta1` and the tables of `sigs.k8s.io/metrics-server/pkg/api`.

use super::register;
use crate::registration::{Cell, Column, KindRef, Registration, Scope, Verb};
use crate::table;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time as ApiTime};
use meta::{Quantity, Time};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

pub const GROUP: &str = "metrics.k8s.io";
pub const VERSION: &str = "v1beta1";

/// `cpu` and `memory`.
pub type UsageList = BTreeMap<String, ApiQuantity>;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerMetrics {
    pub name: String,
    pub usage: UsageList,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PodMetrics {
    pub metadata: ObjectMeta,
    pub timestamp: Option<ApiTime>,
    pub window: String,
    pub containers: Vec<ContainerMetrics>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeMetrics {
    pub metadata: ObjectMeta,
    pub timestamp: Option<ApiTime>,
    pub window: String,
    pub usage: UsageList,
}

/// What metrics-server writes: nanocores, and bytes in binary units.
pub fn usage(nanocores: u64, bytes: u64) -> UsageList {
    let memory = Quantity::from_bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
    [("cpu".into(), Quantity::from_nano(nanocores).to_api()), ("memory".into(), memory.to_api())].into()
}

macro_rules! resource {
    ($type:ident, $kind:literal, $plural:literal, $scope:ty, $field:literal, $own:ident) => {
        impl k8s_openapi::Resource for $type {
            const API_VERSION: &'static str = "metrics.k8s.io/v1beta1";
            const GROUP: &'static str = GROUP;
            const KIND: &'static str = $kind;
            const VERSION: &'static str = VERSION;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = $scope;
        }
        impl k8s_openapi::Metadata for $type {
            type Ty = ObjectMeta;
            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut s = serializer.serialize_struct($kind, 6)?;
                s.serialize_field("apiVersion", "metrics.k8s.io/v1beta1")?;
                s.serialize_field("kind", $kind)?;
                s.serialize_field("metadata", &self.metadata)?;
                s.serialize_field("timestamp", &self.timestamp)?;
                s.serialize_field("window", &self.window)?;
                s.serialize_field($field, &self.$own)?;
                s.end()
            }
        }
    };
}
resource!(PodMetrics, "PodMetrics", "pods", k8s_openapi::NamespaceResourceScope, "containers", containers);
resource!(NodeMetrics, "NodeMetrics", "nodes", k8s_openapi::ClusterResourceScope, "usage", usage);

const NAME: Column =
    Column { name: "Name", kind: "string", format: "name", description: "Name of the resource", priority: 0 };
const fn column(name: &'static str, format: &'static str) -> Column {
    Column { name, kind: "string", format, description: "", priority: 0 }
}
const COLUMNS: &[Column] =
    &[NAME, column("cpu", "quantity"), column("memory", "quantity"), column("Window", "duration")];

fn cells<'a>(metadata: &ObjectMeta, usage: impl Iterator<Item = &'a UsageList>, window: &str) -> Vec<Cell> {
    let (mut cpu, mut memory) = (Quantity::ZERO, Quantity::from_bytes(0));
    for u in usage {
        cpu += u.get("cpu").map_or(Quantity::ZERO, Quantity::of);
        memory += u.get("memory").map_or(Quantity::ZERO, Quantity::of);
    }
    vec![table::name(metadata), cpu.to_api().0.into(), memory.to_api().0.into(), window.into()]
}

pub struct Reg;
register!(Reg, PodMetrics);

impl Registration for Reg {
    type Type = PodMetrics;
    const PLURAL: &'static str = "pods";
    const SINGULAR: &'static str = "";
    const FILE: &'static str = "podmetrics";
    const VERBS: &'static [Verb] = &[Verb::Get, Verb::List];
    const STORED: bool = false;
    const COLUMNS: &'static [Column] = COLUMNS;
    const SAMPLE: &'static str = "";

    fn cells(o: &PodMetrics, _now: Time) -> Vec<Cell> {
        cells(&o.metadata, o.containers.iter().map(|c| &c.usage), &o.window)
    }
}

/// The nodes' kind.
pub mod node {
    use super::{COLUMNS, Cell, Column, NodeMetrics, Registration, Scope, Time, Verb, cells, register};

    pub struct Reg;
    register!(Reg, NodeMetrics);

    impl Registration for Reg {
        type Type = NodeMetrics;
        const PLURAL: &'static str = "nodes";
        const SINGULAR: &'static str = "";
        const FILE: &'static str = "nodemetrics";
        const SCOPE: Scope = Scope::Cluster;
        const VERBS: &'static [Verb] = &[Verb::Get, Verb::List];
        const STORED: bool = false;
        const COLUMNS: &'static [Column] = COLUMNS;
        const SAMPLE: &'static str = "";

        fn cells(o: &NodeMetrics, _now: Time) -> Vec<Cell> {
            cells(&o.metadata, std::iter::once(&o.usage), &o.window)
        }
    }
}

/// What another server answers for, behind the API server.
pub static AGGREGATED: &[KindRef] = &[&node::KIND, &KIND];
