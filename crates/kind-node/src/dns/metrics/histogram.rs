//! Observations counted by size.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bounds of times in seconds.
pub(super) const TIMES: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024,
    2.048, 4.096, 8.192,
];

/// Bounds of sizes in bytes.
pub(super) const SIZES: [f64; 14] = [
    0.0, 100.0, 200.0, 300.0, 400.0, 511.0, 1023.0, 2047.0, 4095.0, 8291.0, 16_000.0, 32_000.0,
    48_000.0, 64_000.0,
];

/// Observations by size.
#[derive(Debug)]
pub(super) struct Histogram<const BOUNDS: usize> {
    bounds: [f64; BOUNDS],
    /// Those up to each bound and above the one before.
    counts: [AtomicU64; BOUNDS],
    total: AtomicU64,
    /// The bits of a floating-point number.
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshot {
    /// Each bound with the number of observations up to it.
    pub(super) buckets: Vec<(f64, u64)>,
    /// The number of all observations.
    pub(super) total: u64,
    /// Their sum.
    pub(super) sum: f64,
}

impl<const BOUNDS: usize> Histogram<BOUNDS> {
    /// An empty one.
    pub(super) fn new(bounds: [f64; BOUNDS]) -> Self {
        Self {
            bounds,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            total: AtomicU64::new(0),
            sum: AtomicU64::new(0.0_f64.to_bits()),
        }
    }

    /// Counts a value.
    pub(super) fn observe(&self, value: f64) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound);
        if let Some(counter) = bucket.and_then(|bucket| self.counts.get(bucket)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // Never refuses.
        let _ = self
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut up_to = 0;
        let buckets = self
            .bounds
            .iter()
            .zip(&self.counts)
            .map(|(bound, counter)| {
                up_to += counter.load(Ordering::Relaxed);
                (*bound, up_to)
            });
        Snapshot {
            buckets: buckets.collect(),
            total: self.total.load(Ordering::Relaxed),
            sum: f64::from_bits(self.sum.load(Ordering::Relaxed)),
        }
    }
}

/// A size as a value.
pub(super) fn size_in_bytes(size: usize) -> f64 {
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_each_bound() {
        let histogram = Histogram::new([1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 9.0] {
            histogram.observe(value);
        }
        let expected = Snapshot {
            buckets: vec![(1.0, 2), (2.0, 3)],
            total: 4,
            sum: 12.0,
        };
        assert_eq!(histogram.snapshot(), expected);
    }
}
