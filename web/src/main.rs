//! Kubottle's page: functions of the model that an engine keeps up to date.

mod address;
mod app;
mod bridge;
mod ctx;
mod files;
mod format;
mod i18n;
mod keys;
mod lessons;
mod library;
mod model;
mod offline;
mod persist;
mod samples;
mod screens;
mod ui;
mod views;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
