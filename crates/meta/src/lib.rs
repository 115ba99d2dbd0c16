//! What every room shares: names, time, quantities, selectors, refusals and identities.
//! No I/O, no clock, no ambient randomness: everything here is a function of its arguments.

pub mod errors;
pub mod field;
pub mod go;
pub mod key;
pub mod labels;
pub mod lines;
pub mod names;
pub mod quantity;
pub mod reserve;
pub mod rng;
mod selector_text;
pub mod strategic;
pub mod time;
pub mod user;
pub mod validate;

pub use errors::ApiError;
pub use field::{FieldError, FieldErrorType, Path};
pub use k8s_openapi;
pub use key::Key;
pub use quantity::Quantity;
pub use reserve::Reserve;
pub use rng::Rng;
pub use time::{Duration, Time};
pub use user::User;
