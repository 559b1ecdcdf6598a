//! The table that a run leaves in `docs/conformance`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use super::junit::Outcomes;
use crate::Failure;
use crate::shell::root;

/// What is known of a run beside how its tests ended.
#[derive(Debug)]
pub(super) struct Run<'a> {
    /// Of Kubernetes, for example `v1.20.2`.
    pub(super) version: &'a str,
    /// For example `v1.20`.
    pub(super) minor_version: &'a str,
    pub(super) engine: &'a str,
    pub(super) parallel: usize,
    /// Of all tests together.
    pub(super) elapsed: Duration,
}

/// Why tests fail that may.
#[derive(Debug, Default)]
pub(super) struct Explanations(BTreeMap<String, String>);

impl Explanations {
    /// Reads `docs/conformance/explained.md` for one minor version.
    pub(super) fn read(minor_version: &str) -> Result<Self, Failure> {
        let path = root().join("docs/conformance/explained.md");
        Ok(Self::parse(&fs::read_to_string(path)?, minor_version))
    }

    /// Rows of a table: the minor version, the test's name in backticks, and why.
    fn parse(text: &str, minor_version: &str) -> Self {
        let rows = text.lines().filter_map(|line| {
            let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
            let mut cells = cells.splitn(3, " | ").map(str::trim);
            let (version, name, reason) = (cells.next()?, cells.next()?, cells.next()?);
            let name = name.strip_prefix('`')?.strip_suffix('`')?;
            (version == minor_version).then(|| (name.to_owned(), reason.to_owned()))
        });
        Self(rows.collect())
    }

    /// The failures that nothing explains.
    pub(super) fn unexplained<'a>(&self, outcomes: &'a Outcomes) -> Vec<&'a str> {
        let failures = outcomes.failures().map(|(name, _)| name);
        failures
            .filter(|name| !self.0.contains_key(*name))
            .collect()
    }
}

/// The table, with the failures below it.
pub(super) fn render(run: &Run<'_>, outcomes: &Outcomes, known: &Explanations) -> String {
    let again: Vec<_> = outcomes
        .0
        .iter()
        .filter(|(_, outcome)| outcome.again)
        .collect();
    let failed = outcomes.failures().count();
    let mut text = format!(
        "# Conformance tests of Kubernetes {version}\n\n\
         Written by `cargo xtask conformance`: one control plane and two workers, {parallel} tests at a time, then those \
         that must run by themselves.\n\n\
         | Kubernetes | engine | host | date | passed | failed | seconds |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n\
         | {version} | {engine} | {host} | {date} | {passed} | {failed} | {seconds} |\n",
        version = run.version,
        parallel = run.parallel,
        engine = run.engine,
        host = host(),
        date = date(),
        passed = outcomes.0.len() - failed,
        seconds = run.elapsed.as_secs(),
    );
    if !again.is_empty() {
        text += "\nFailed beside others and passed when they ran again by themselves:\n\n";
        for (name, _) in again {
            let _ = writeln!(text, "- `{name}`");
        }
    }
    if failed > 0 {
        text += "\nFailed:\n\n";
        for (name, failure) in outcomes.failures() {
            let reason = known
                .0
                .get(name)
                .map_or_else(|| summary(failure), Clone::clone);
            let _ = writeln!(text, "- `{name}`: {reason}");
        }
    }
    text
}

/// The words of a failure that is not explained, on one line.
fn summary(failure: &str) -> String {
    let words: Vec<_> = failure.split_whitespace().collect();
    let line: String = words.join(" ").chars().take(300).collect();
    format!("not explained; {line}")
}

/// The machine, as far as it matters for the figures.
fn host() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel: Vec<_> = kernel.trim().splitn(3, ['.', '-']).take(2).collect();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.split_whitespace().nth(1);
    let kilobytes: u64 = memory.and_then(|memory| memory.parse().ok()).unwrap_or(0);
    let unified = fs::exists("/sys/fs/cgroup/cgroup.controllers").unwrap_or(false);
    let cgroup = if unified { "v2" } else { "v1" };
    format!(
        "Linux {}, cgroup {cgroup}, {processors} processors, {} GiB",
        kernel.join("."),
        (kilobytes + (1 << 19)) >> 20
    )
}

/// Today, in UTC.
fn date() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    civil(now.unwrap_or_default().as_secs() / 86_400)
}

/// The date of a day since 1970, found by walking over the years.
fn civil(mut days: u64) -> String {
    let leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::super::junit::Outcome;
    use super::*;

    fn outcomes() -> Outcomes {
        let outcome = |failure: Option<&str>, again| Outcome {
            seconds: 1.0,
            failure: failure.map(str::to_owned),
            again,
        };
        let rows = [
            ("a", outcome(None, false)),
            ("b", outcome(Some("known"), false)),
            ("c", outcome(Some("x.go:1\nnot\n  ready"), false)),
            ("d", outcome(None, true)),
        ];
        Outcomes(
            rows.map(|(name, outcome)| (name.to_owned(), outcome))
                .into(),
        )
    }

    const EXPLAINED: &str = "| version | test | why |\n| --- | --- | --- |\n\
        | v1.20 | `b` | needs a | and more |\n| v1.36 | `c` | other |\n";

    #[test]
    fn failures_are_explained_version_by_version() {
        let known = Explanations::parse(EXPLAINED, "v1.20");
        assert_eq!(known.unexplained(&outcomes()), ["c"]);
        let known = Explanations::parse(EXPLAINED, "v1.36");
        assert_eq!(known.unexplained(&outcomes()), ["b"]);
    }

    #[test]
    fn the_table_counts_and_names() {
        let run = Run {
            version: "v1.20.2",
            minor_version: "v1.20",
            engine: "native",
            parallel: 8,
            elapsed: Duration::from_secs(1234),
        };
        let text = render(&run, &outcomes(), &Explanations::parse(EXPLAINED, "v1.20"));
        assert!(text.contains(" | 2 | 2 | 1234 |\n"), "{text}");
        assert!(text.contains("- `b`: needs a | and more\n"), "{text}");
        assert!(
            text.contains("- `c`: not explained; x.go:1 not ready\n"),
            "{text}"
        );
        assert!(text.contains("by themselves:\n\n- `d`\n"), "{text}");
    }

    #[test]
    fn days_become_dates() {
        for (days, date) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_453, "2025-12-31"),
            (20_454, "2026-01-01"),
        ] {
            assert_eq!(civil(days), date);
        }
    }
}
