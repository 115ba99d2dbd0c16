//! How long a slice of work may take. Asking the clock costs about what a cheap turn of the cluster does, and a dear turn
//! may fill the slice alone: the questions come about a millisecond apart, whatever turns cost.

use crate::shell::now_ms;
use web_sys::DedicatedWorkerGlobalScope;

const SLICE_MS: f64 = 11.0;
const APART_MS: (f64, f64) = (0.4, 1.5);
const TURNS_MAX: u32 = 64;

pub struct Budget<'a> {
    scope: &'a DedicatedWorkerGlobalScope,
    end: f64,
    asked: f64,
    /// Turns between two questions, and how many are left until the next.
    every: u32,
    left: u32,
}

impl<'a> Budget<'a> {
    pub fn new(scope: &'a DedicatedWorkerGlobalScope) -> Self {
        let now = now_ms(scope);
        Budget { scope, end: now + SLICE_MS, asked: now, every: 4, left: 4 }
    }

    /// Asked after every turn.
    pub fn is_spent(&mut self) -> bool {
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        let now = now_ms(self.scope);
        let took = now - self.asked;
        self.asked = now;
        if took < APART_MS.0 {
            self.every = (self.every * 2).min(TURNS_MAX);
        } else if took > APART_MS.1 {
            self.every = (self.every / 2).max(1);
        }
        self.left = self.every;
        now > self.end
    }
}
