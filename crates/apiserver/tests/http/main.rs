//! The API server as its clients meet it. One program: each would link the whole server.

mod access;
mod admission;
mod apply;
mod conversion;
mod custom;
mod deletes;
mod forms;
mod limits;
mod merge;
mod node_restriction;
mod policies;
mod reads;
mod refused;
mod robust;
mod services;
mod strategic;
mod subresources;
mod webhooks;
mod webhooks_called;
mod world;
mod writes;
