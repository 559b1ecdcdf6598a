//! `cache`: for how long answers of others are kept.

use std::time::Duration;

use hickory_proto::rr::Name;
use kind_node::corefile::Directive;

use super::arguments::{self, DirectiveError, Lines, invalid_directive, not_supported};
use super::zones::Zones;

/// Answers of each kind that are kept, where nothing is said.
const CAPACITY: usize = 9984;

/// The most that are kept, whatever is said: a ConfigMap must not take the pod's memory.
const LARGEST: usize = 20_000;

/// The longest time for answers, and for those that there is nothing.
const MAX_TTL: Duration = Duration::from_secs(3600);
const MAX_DENIAL_TTL: Duration = Duration::from_secs(1800);

/// The longest time for failures that may be said (RFC 2308).
const MAX_SERVFAIL_TTL: Duration = Duration::from_secs(300);

/// The shortest time, where nothing is said. CoreDNS then keeps answers for five seconds that are good for less;
/// what is fresh is never wrong.
const MIN_TTL: Duration = Duration::ZERO;

/// The directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CacheSettings {
    zones: Zones,
    /// For answers with records.
    pub(crate) success: Keeping,
    /// For answers that a name or a type does not exist.
    pub(crate) denial: Keeping,
    /// For how long it is kept that a server failed.
    pub(crate) servfail: Duration,
    /// Answers keep the times to live that they had at first.
    pub(crate) keep_ttl: bool,
}

/// How answers of one kind are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// How many.
    pub(crate) capacity: usize,
    /// At most for that long.
    pub(crate) longest: Duration,
    /// At least for that long, whatever the records say.
    pub(crate) shortest: Duration,
    /// Zones for which none are kept.
    disabled: Zones,
}

impl Keeping {
    fn new(longest: Duration) -> Self {
        Self {
            capacity: CAPACITY,
            longest,
            shortest: MIN_TTL,
            disabled: Zones::default(),
        }
    }

    /// Tells whether answers for a name are kept.
    pub(crate) fn keeps(&self, name: &Name) -> bool {
        self.disabled.matching(name).is_none()
    }
}

impl CacheSettings {
    /// Reads `cache [TTL] [ZONES…] { … }`.
    pub(crate) fn read_directive(
        directive: &Directive,
        around: &Zones,
        lines: &mut Lines<'_>,
    ) -> Result<Self, DirectiveError> {
        let seconds = directive.arguments.first();
        let seconds = seconds.and_then(|text| text.parse::<u32>().ok());
        let zones = directive.arguments.get(usize::from(seconds.is_some())..);
        let mut settings = Self {
            zones: arguments::parse_zones(zones.unwrap_or_default(), around)?,
            success: Keeping::new(MAX_TTL),
            denial: Keeping::new(MAX_DENIAL_TTL),
            // Five seconds in CoreDNS; who asks again at once knows sooner that a failure is over.
            servfail: Duration::ZERO,
            keep_ttl: false,
        };
        if let Some(seconds) = seconds {
            if seconds == 0 {
                return invalid_directive("needs a time of one second or more");
            }
            let longest = Duration::from_secs(seconds.into());
            settings.success.longest = longest;
            settings.denial.longest = longest;
        }
        lines.read_each(directive, |line| settings.read_line(line));
        Ok(settings)
    }

    fn read_line(&mut self, line: &Directive) -> Result<(), DirectiveError> {
        match line.name.as_str() {
            "success" => read_keeping(line, &mut self.success)?,
            "denial" => read_keeping(line, &mut self.denial)?,
            "disable" => {
                let Some((kind, zones)) = line.arguments.split_first() else {
                    return invalid_directive("needs success or denial");
                };
                let everything = Zones::new(vec![Name::root()]);
                let zones = arguments::parse_zones(zones, &everything)?;
                match kind.as_str() {
                    "success" => self.success.disabled = zones,
                    "denial" => self.denial.disabled = zones,
                    _ => return invalid_directive("needs success or denial"),
                }
            }
            "keepttl" => self.keep_ttl = true,
            "servfail" => {
                self.servfail = arguments::parse_duration(arguments::one_argument(line)?)?;
                if self.servfail > MAX_SERVFAIL_TTL {
                    return invalid_directive("must be at most 5m");
                }
            }
            // What is not fetched ahead is fetched when asked for.
            "prefetch" if !line.arguments.is_empty() => {}
            "serve_stale" | "serve_stale_policy" => {
                return not_supported("answers are not given any more when their time is over");
            }
            _ => return invalid_directive("unknown property"),
        }
        Ok(())
    }

    /// Tells whether answers for a name are looked up.
    pub(crate) fn covers(&self, name: &Name) -> bool {
        self.zones.matching(name).is_some()
    }

    /// The zones in words, as metrics name them.
    pub(crate) fn zones_label(&self) -> String {
        let zones: Vec<String> = self.zones.iter().map(Name::to_ascii).collect();
        zones.join(",")
    }
}

/// Reads `CAPACITY [TTL] [MINTTL]`.
fn read_keeping(line: &Directive, keeping: &mut Keeping) -> Result<(), DirectiveError> {
    let (capacity, times) = match line.arguments.as_slice() {
        [capacity, times @ ..] if times.len() <= 2 => (capacity, times),
        _ => return invalid_directive("takes a capacity and up to two times"),
    };
    keeping.capacity = arguments::parse_number::<usize>(capacity)?.min(LARGEST);
    if let Some(text) = times.first() {
        keeping.longest = parse_seconds(text)?;
        if keeping.longest.is_zero() {
            return invalid_directive("needs a time of one second or more");
        }
    }
    if let Some(text) = times.get(1) {
        keeping.shortest = parse_seconds(text)?;
    }
    Ok(())
}

/// A time in seconds; no record has a longer one than fits.
fn parse_seconds(text: &str) -> Result<Duration, DirectiveError> {
    let seconds: u64 = arguments::parse_number(text)?;
    Ok(Duration::from_secs(seconds.min(u32::MAX.into())))
}
