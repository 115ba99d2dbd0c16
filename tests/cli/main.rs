//! `kubottle simulate` and `kubottle schedule`.

mod bad;
mod lesson;
mod schedule;
mod simulate;
mod why;
