//! What of the session is kept, and what is on its way there.

use protocol::TimeView;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub struct Saving {
    /// The store's revision when the page last looked.
    revision: u64,
    /// Something is not kept, and not on its way either.
    dirty: bool,
    /// Commands that ask for the session, until it is kept.
    under_way: BTreeSet<u64>,
}

impl Saving {
    /// Another session begins, of which nothing is kept.
    pub fn forget(&mut self) {
        *self = Saving::default();
    }

    /// What an update brought; the answer is whether it is something to keep. Of the past nothing is new. While the clock
    /// stands still bookmarks, branches and what changes no object come without another revision.
    pub fn seen(&mut self, revision: u64, before: &TimeView, now: &TimeView) -> bool {
        let is_another = now.past.is_none() && revision != self.revision;
        if is_another {
            self.revision = revision;
        }
        let kept = |t: &TimeView| (t.marks.clone(), t.branches.clone(), t.undo.clone(), t.redo);
        let is_new = is_another || kept(before) != kept(now) || before.inputs != now.inputs;
        self.dirty |= is_new;
        is_new
    }

    /// Whether a save is due; then it is under way as this command.
    pub fn begin(&mut self, command: u64) -> bool {
        let due = std::mem::take(&mut self.dirty);
        if due {
            self.under_way.insert(command);
        }
        due
    }

    /// A save has ended, well or not.
    pub fn end(&mut self, command: u64, well: bool) {
        if self.under_way.remove(&command) {
            self.dirty |= !well;
        }
    }

    pub fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Mark, PastView};

    fn at(past: bool, marks: usize) -> TimeView {
        let past = past.then(PastView::default);
        TimeView { past, marks: vec![Mark::default(); marks], ..TimeView::default() }
    }

    #[test]
    fn a_bookmark_is_kept_while_the_clock_stands_still() {
        let mut s = Saving::default();
        assert!(s.seen(7, &at(false, 0), &at(false, 0)) && s.begin(1));
        s.end(1, true);
        assert!(!s.seen(7, &at(false, 0), &at(false, 0)) && !s.begin(2));
        assert!(s.seen(7, &at(false, 0), &at(false, 1)) && s.begin(3));
        // Of the past another revision is nothing new, a bookmark is.
        assert!(!s.seen(3, &at(false, 1), &at(true, 1)));
        assert!(s.seen(3, &at(true, 1), &at(true, 2)));
    }

    #[test]
    fn a_save_ends_by_itself_and_one_that_fails_is_due_again() {
        let mut s = Saving::default();
        assert!(s.seen(1, &at(false, 0), &at(false, 0)) && s.begin(1));
        assert!(s.seen(2, &at(false, 0), &at(false, 0)) && s.begin(2));
        s.end(1, true);
        assert!(s.is_under_way());
        s.end(2, false);
        assert!(!s.is_under_way() && s.begin(3));
        // What was under way in the session before says nothing of this one.
        s.forget();
        s.end(3, false);
        assert!(!s.begin(4));
    }
}
