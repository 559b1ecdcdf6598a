//! The text format of Prometheus.

use std::fmt::Write;

use super::histogram::Snapshot;

/// Label names with their values.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// A page that grows.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    name: String,
}

impl Page {
    /// Begins a family of series.
    pub(super) fn begin_family(&mut self, name: &str, kind: &str, help: &str) {
        name.clone_into(&mut self.name);
        // Writing into a text does not fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    pub(super) fn add_value(&mut self, labels: Labels<'_>, value: f64) {
        self.write_line("", labels, None, &value.to_string());
    }

    pub(super) fn add_count(&mut self, labels: Labels<'_>, count: u64) {
        self.write_line("", labels, None, &count.to_string());
    }

    /// Adds a count that is not zero.
    pub(super) fn count_if_any(&mut self, labels: Labels<'_>, count: u64) {
        if count > 0 {
            self.add_count(labels, count);
        }
    }

    /// Adds a histogram that has seen something.
    pub(super) fn add_histogram(&mut self, labels: Labels<'_>, histogram: &Snapshot) {
        if histogram.total == 0 {
            return;
        }
        for (bound, count) in &histogram.buckets {
            self.write_line(
                "_bucket",
                labels,
                Some(&bound.to_string()),
                &count.to_string(),
            );
        }
        let total = histogram.total.to_string();
        self.write_line("_bucket", labels, Some("+Inf"), &total);
        self.write_line("_sum", labels, None, &histogram.sum.to_string());
        self.write_line("_count", labels, None, &total);
    }

    fn write_line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: &str) {
        let bound = bound.map(|bound| ("le", bound));
        let labels = labels.iter().copied().chain(bound);
        let labels: Vec<String> = labels
            .map(|(name, value)| format!("{name}=\"{}\"", escape_label(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.name);
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn escape_label(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_page() {
        let mut page = Page::default();
        page.begin_family("a_total", "counter", "All.");
        page.add_count(&[("zone", "a\"b\\")], 3);
        page.count_if_any(&[], 0);
        page.begin_family("b_seconds", "histogram", "Times.");
        let buckets = vec![(0.001, 1), (2.0, 2)];
        page.add_histogram(
            &[("x", "y")],
            &Snapshot {
                buckets,
                total: 3,
                sum: 7.5,
            },
        );
        let expected = "# HELP a_total All.\n# TYPE a_total counter\na_total{zone=\"a\\\"b\\\\\"} 3\n\
            # HELP b_seconds Times.\n# TYPE b_seconds histogram\n\
            b_seconds_bucket{x=\"y\",le=\"0.001\"} 1\nb_seconds_bucket{x=\"y\",le=\"2\"} 2\n\
            b_seconds_bucket{x=\"y\",le=\"+Inf\"} 3\nb_seconds_sum{x=\"y\"} 7.5\nb_seconds_count{x=\"y\"} 3\n";
        assert_eq!(page.into_text(), expected);
    }
}
