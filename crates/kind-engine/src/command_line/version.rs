//! Versions of engines, which have no common form.

/// Three numbers of a version; what follows them is not compared, and what is missing is 0. Kubernetes' own versions
/// (`kind_config::version`) have more to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

impl Version {
    /// Reads `4.3.1`, `v4.3` or `4.3.1-dev`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let core = text.split(['-', '+', '~', ' ']).next()?;
        let mut numbers = core.split('.').map(|number| number.parse().ok());
        let major = numbers.next()??;
        let mut next = || numbers.next().flatten().unwrap_or(0);
        Some(Self(major, next(), next()))
    }
}
