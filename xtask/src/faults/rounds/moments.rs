//! When a creation is killed, and how much of it: the same for the same seed.

use std::fmt;
use std::time::Duration;

/// No creation is let alone for longer.
const SPAN: Duration = Duration::from_secs(16);

/// What is killed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victims {
    /// The command: what it has started ends by itself, or goes on.
    Command,
    /// The command with all processes below it, as when a session or a host's memory ends.
    Tree,
}

/// When, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) after: Duration,
    pub(super) victims: Victims,
}

/// An endless row of moments.
pub(super) struct Moments(u64);

impl Moments {
    /// The row of a seed.
    pub(super) fn of_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A number that looks like chance (splitmix64).
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Iterator for Moments {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        // Most of what could be left is made early: half of the moments are in the first quarter.
        let part = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        let millis = (SPAN.as_millis() as f64 * part * part) as u64;
        let victims = if self.draw() & 1 == 0 {
            Victims::Command
        } else {
            Victims::Tree
        };
        Some(Moment {
            after: Duration::from_millis(millis),
            victims,
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let victims = match self.victims {
            Victims::Command => "kind",
            Victims::Tree => "kind and all below it",
        };
        write!(f, "{victims} killed after {} ms", self.after.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_moments() {
        let of = |seed| Moments::of_seed(seed).take(100).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let moments = of(7);
        let early = moments.iter().filter(|it| it.after < SPAN / 4).count();
        assert!((30..70).contains(&early), "{early}");
        assert!(moments.iter().all(|moment| moment.after < SPAN));
        let trees = moments.iter().filter(|it| it.victims == Victims::Tree);
        assert!((30..70).contains(&trees.count()));
        let first = moments[0].to_string();
        assert!(first.contains(" killed after "), "{first}");
    }
}
