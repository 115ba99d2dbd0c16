//! One view a file.

pub mod control_plane;
pub mod decision;
pub mod dock;
pub mod editor;
pub mod flow;
pub mod flow_paths;
pub mod heatmap;
pub mod history;
pub mod icon;
pub mod inputs;
pub mod inspector;
pub mod inspector_tabs;
pub mod lanes;
pub mod menu;
pub mod node_card;
pub mod overlay;
pub mod palette;
pub mod pending;
pub mod queues;
pub mod shell;
pub mod sign;
pub mod stage;
pub mod tiles;
pub mod timeline;
pub mod topbar;
pub mod yaml;
