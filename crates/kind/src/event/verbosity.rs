//! What each level of `-v` shows.

/// The levels of `-v`. Each shows what it says and everything of the levels below it; `docs/logging.md` is this
/// table for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verbosity {
    /// What everybody is told: phases, results and hints.
    Normal,
    /// Images that are found or pulled, how long steps took, what the log has to warn of, and what led to an error.
    Steps,
    /// The kubeadm configuration of every node, what is sent of images, and the begin of every step. From here on
    /// a line says when it was written, and for which node and step.
    Documents,
    /// Everything that kubeadm printed.
    Output,
    /// Calls of the engine's program and HTTP requests, with what came of them.
    Calls,
    /// Manifests as they are applied.
    Manifests,
    /// Everything else that there is to tell.
    Everything,
}

impl Verbosity {
    /// All of them, the lowest first.
    pub const ALL: [Self; 7] = [
        Self::Normal,
        Self::Steps,
        Self::Documents,
        Self::Output,
        Self::Calls,
        Self::Manifests,
        Self::Everything,
    ];

    /// The number after `-v`.
    pub fn level(self) -> i32 {
        self as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_numbered_in_their_order() {
        let levels = Verbosity::ALL.map(Verbosity::level);
        assert_eq!(levels, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn every_level_has_a_row_for_users() {
        let page = include_str!("../../../../docs/logging.md");
        let rows = page
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(' ').next());
        let rows: Vec<i32> = rows.filter_map(|level| level.parse().ok()).collect();
        assert_eq!(rows, Verbosity::ALL.map(Verbosity::level));
    }
}
