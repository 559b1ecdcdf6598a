//! How much of its host a node may use.

use serde::{Deserialize, Serialize};

use crate::error::FieldError;

/// Engines and the kernel take no less: a thousandth of a second in every tenth.
const LEAST_MILLICPUS: u64 = 10;
/// No machine has more, and engines and the kernel count no further than a little more.
const MOST_MILLICPUS: u64 = 10_000_000;
/// With less a node does not boot.
const LEAST_MEMORY: u64 = 256 << 20;
const MOST_MEMORY: u64 = 1 << 50;

/// How much of its host a node may use. Since `v1beta1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resources {
    /// CPUs, for example `1.5`; empty for all of the host's.
    pub cpus: String,
    /// Memory as a Kubernetes quantity, for example `2Gi`; empty for all of the host's. The node does not swap then.
    pub memory: String,
}

/// What [`Resources`] say, as numbers; `None` is all that the host has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimits {
    /// Thousandths of a CPU.
    pub millicpus: Option<u64>,
    /// Bytes of memory.
    pub memory_bytes: Option<u64>,
}

impl Resources {
    /// The limits of a checked configuration.
    pub fn limits(&self) -> ResourceLimits {
        let Self { cpus, memory } = self;
        ResourceLimits {
            millicpus: parse_millicpus(cpus),
            memory_bytes: parse_bytes(memory),
        }
    }

    /// What is wrong with the resources at `path`.
    pub(crate) fn problems(&self, path: &str) -> Vec<FieldError> {
        let Self { cpus, memory } = self;
        let cpus_fit = parse_millicpus(cpus)
            .is_some_and(|millis| (LEAST_MILLICPUS..=MOST_MILLICPUS).contains(&millis));
        let memory_fits =
            parse_bytes(memory).is_some_and(|bytes| (LEAST_MEMORY..=MOST_MEMORY).contains(&bytes));
        let fields = [
            (
                "cpus",
                cpus,
                cpus_fit,
                "is not a number of CPUs",
                "write a number such as 1.5, from 0.01 to 10000; a thousandth is the finest step",
            ),
            (
                "memory",
                memory,
                memory_fits,
                "is not a quantity of memory for a node",
                "write a Kubernetes quantity such as 2Gi, from 256Mi to 1Pi; `m` is a thousandth of a byte",
            ),
        ];
        let wrong = fields
            .into_iter()
            .filter(|(_, text, fits, ..)| !text.is_empty() && !fits);
        wrong
            .map(|(field, text, _, problem, hint)| {
                let message = format!("invalid resources.{field}: {text:?} {problem}");
                FieldError::new(format!("{path}.{field}"), message).hint(Some(hint))
            })
            .collect()
    }
}

impl ResourceLimits {
    /// The CPUs as a decimal number, for example `1.5`.
    pub fn cpus(&self) -> Option<String> {
        self.millicpus.map(|millis| {
            let text = format!("{}.{:03}", millis / 1000, millis % 1000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        })
    }
}

/// Thousandths of a decimal number; `None` if the text is none or is finer than that.
fn parse_millicpus(text: &str) -> Option<u64> {
    let (digits, decimals) = parse_decimal(text)?;
    let scale = 10_u128.checked_pow(3_u32.checked_sub(decimals)?)?;
    digits.checked_mul(scale)?.try_into().ok()
}

/// Bytes of a quantity as Kubernetes writes it, rounded up.
fn parse_bytes(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let (digits, decimals) = parse_decimal(number)?;
    let (factor, divisor) = parse_suffix(suffix)?;
    let divisor = divisor.checked_mul(10_u128.checked_pow(decimals)?)?;
    let bytes = digits.checked_mul(factor)?.div_ceil(divisor);
    bytes.try_into().ok()
}

/// What a number with this suffix is multiplied with and divided by.
fn parse_suffix(suffix: &str) -> Option<(u128, u128)> {
    let decimal = ["", "k", "M", "G", "T", "P", "E"];
    let binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let place = |words: &[&str]| words.iter().position(|word| *word == suffix);
    let power = |base: u128, place: usize| base.checked_pow(u32::try_from(place).ok()?);
    if suffix == "m" {
        return Some((1, 1000));
    }
    if let Some(place) = place(&decimal) {
        return Some((power(1000, place)?, 1));
    }
    if let Some(place) = place(&binary) {
        return Some((power(1024, place)?, 1));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((10_u128.checked_pow(exponent)?, 1))
}

/// All digits of a decimal number as one, and how many of them stand behind the point.
fn parse_decimal(text: &str) -> Option<(u128, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let number = if digits.is_empty() {
        0
    } else {
        digits.parse().ok()?
    };
    Some((number, u32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_counted_in_thousandths() {
        for (text, millis) in [
            ("1.5", Some(1500)),
            ("2", Some(2000)),
            ("2.0000", Some(2000)),
            (".25", Some(250)),
            ("0.0001", None),
            ("1500m", None),
            ("-1", None),
            ("1.2.3", None),
            ("all", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(parse_millicpus(text), millis, "{text}");
        }
        let cpus = |millis| {
            let limits = ResourceLimits {
                millicpus: Some(millis),
                memory_bytes: None,
            };
            limits.cpus().unwrap()
        };
        assert_eq!([1500, 2000, 10].map(cpus), ["1.5", "2", "0.01"]);
    }

    #[test]
    fn memory_is_a_quantity_of_kubernetes() {
        for (text, bytes) in [
            ("2Gi", Some(2 << 30)),
            ("1.5Gi", Some(3 << 29)),
            ("512Mi", Some(512 << 20)),
            ("2G", Some(2_000_000_000)),
            ("2e9", Some(2_000_000_000)),
            ("1E", Some(1_000_000_000_000_000_000)),
            ("1073741824", Some(1 << 30)),
            ("1500m", Some(2)),
            ("2GB", None),
            ("2 Gi", None),
            ("-1Gi", None),
            ("99999999999Ei", None),
            ("1e99", None),
            ("Gi", None),
            ("", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_names_the_field_and_what_to_write() {
        let resources = |cpus: &str, memory: &str| Resources {
            cpus: cpus.to_owned(),
            memory: memory.to_owned(),
        };
        for (cpus, memory) in [
            ("", ""),
            ("1.5", "2Gi"),
            ("0.01", "256Mi"),
            ("10000", "1Pi"),
        ] {
            assert_eq!(resources(cpus, memory).problems("nodes[0].resources"), []);
        }
        let too_much = resources("10001", "1025Ti");
        assert_eq!(too_much.problems("nodes[0].resources").len(), 2);
        let [cpus, memory] = &resources("0", "2").problems("nodes[0].resources")[..] else {
            panic!("both are wrong");
        };
        assert_eq!(cpus.path, "nodes[0].resources.cpus");
        assert_eq!(
            cpus.message,
            "invalid resources.cpus: \"0\" is not a number of CPUs"
        );
        assert!(memory.hint.as_ref().unwrap().contains("2Gi"));
    }
}
