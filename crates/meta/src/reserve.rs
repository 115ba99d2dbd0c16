//! Memory ahead of need. An allocator in wasm grows the memory by the little that it is short of, and every growth makes a
//! browser collect its garbage: filling a cluster took half its time. Natively nothing has to be done.

/// Pages of 64 KiB: 16 MiB, and 256 MiB.
#[cfg(target_family = "wasm")]
const PAGES: std::ops::RangeInclusive<usize> = 256..=4096;

/// Remembers how large the memory was when it was last made larger.
#[derive(Clone, Debug, Default)]
pub struct Reserve {
    #[cfg(target_family = "wasm")]
    pages: usize,
}

impl Reserve {
    /// Cheap; to be called often. When the memory has grown since the last time, what was reserved is used up: a quarter of
    /// the memory is asked for and given back to the allocator, which keeps it. Where there is no more, nothing happens.
    pub fn top_up(&mut self) {
        #[cfg(target_family = "wasm")]
        {
            let pages = core::arch::wasm32::memory_size::<0>();
            if pages > self.pages {
                let mut more: Vec<u8> = Vec::new();
                let _ = more.try_reserve_exact((pages / 4).clamp(*PAGES.start(), *PAGES.end()) << 16);
                drop(std::hint::black_box(more));
                self.pages = core::arch::wasm32::memory_size::<0>();
            }
        }
    }
}
