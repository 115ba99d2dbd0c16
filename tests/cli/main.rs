//! `kubottle simulate` and `kubottle schedule`.

mod bad;
mod schedule;
mod simulate;
mod why;
