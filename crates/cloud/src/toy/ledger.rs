//! What was asked of the cloud, and what it costs.

use crate::provider::CloudError;
use meta::Time;
use std::collections::{BTreeMap, VecDeque};

const KEPT: usize = 300;
const HOUR_SECONDS: u128 = 3600;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts from 1.
    pub number: u64,
    pub time: Time,
    pub caller: String,
    pub call: &'static str,
    pub target: String,
    /// Empty when it was done.
    pub error: String,
    /// Equal calls in a row are one entry.
    pub times: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    log: VecDeque<LogEntry>,
    pub calls: u64,
    /// Of what is over: micro-dollars times microseconds an hour, so that nothing is rounded away.
    spent: u128,
    /// Price and since when, of what runs.
    running: BTreeMap<String, (u64, Time)>,
}

impl Ledger {
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.iter()
    }

    pub fn note(&mut self, now: Time, caller: &str, call: &'static str, target: &str, error: Option<&CloudError>) {
        self.calls += 1;
        let error = error.map(|e| e.message.clone()).unwrap_or_default();
        if let Some(last) = self.log.back_mut()
            && (last.caller.as_str(), last.call, last.target.as_str(), &last.error) == (caller, call, target, &error)
        {
            (last.time, last.number, last.times) = (now, self.calls, last.times + 1);
            return;
        }
        let entry = LogEntry {
            number: self.calls,
            time: now,
            caller: caller.into(),
            call,
            target: target.into(),
            error,
            times: 1,
        };
        self.log.push_back(entry);
        if self.log.len() > KEPT {
            self.log.pop_front();
        }
    }

    pub fn begin(&mut self, now: Time, what: &str, price_micros: u64) {
        self.end(now, what);
        self.running.insert(what.into(), (price_micros, now));
    }

    pub fn end(&mut self, now: Time, what: &str) {
        if let Some((price, since)) = self.running.remove(what) {
            self.spent += u128::from(price) * u128::from(now.since(since).as_micros());
        }
    }

    pub fn cost_micros(&self, now: Time) -> u64 {
        let running: u128 = self
            .running
            .values()
            .map(|(price, since)| u128::from(*price) * u128::from(now.since(*since).as_micros()))
            .sum();
        u64::try_from((self.spent + running) / (HOUR_SECONDS * 1_000_000)).unwrap_or(u64::MAX)
    }

    pub fn rate(&self) -> u64 {
        self.running.values().map(|(price, _)| price).sum()
    }
}
