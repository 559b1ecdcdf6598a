//! Room on the node's disk. Volumes are directories and share it: what a claim asks for is not set aside, and
//! a claim that asks for more than there is works until the disk is full, as it does with the original
//! provisioner. It is told so.

use std::path::Path;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use rustix::fs::statvfs;

/// What a mebibyte is.
const MEBIBYTE: u64 = 1 << 20;
/// The units of quantities, in mebibytes.
const UNITS: [(&str, f64); 14] = [
    ("Ki", 1.0 / 1024.0),
    ("Mi", 1.0),
    ("Gi", 1024.0),
    ("Ti", 1_048_576.0),
    ("Pi", 1_073_741_824.0),
    ("Ei", 1_099_511_627_776.0),
    ("m", 1e-3 / 1_048_576.0),
    ("", 1.0 / 1_048_576.0),
    ("k", 1e3 / 1_048_576.0),
    ("M", 1e6 / 1_048_576.0),
    ("G", 1e9 / 1_048_576.0),
    ("T", 1e12 / 1_048_576.0),
    ("P", 1e15 / 1_048_576.0),
    ("E", 1e18 / 1_048_576.0),
];

/// Room on the disk of a directory, in mebibytes; `None` if it cannot be asked.
pub(super) fn free_mebibytes(directory: &Path) -> Option<u32> {
    let disk = statvfs(directory).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) / MEBIBYTE;
    Some(u32::try_from(free).unwrap_or(u32::MAX))
}

/// Tells whether a volume of that size is larger than what is free, in mebibytes.
pub(super) fn is_short(size: &Quantity, free: u32) -> bool {
    parse_mebibytes(&size.0).is_some_and(|size| size > f64::from(free))
}

/// An amount in mebibytes, as people read it.
pub(super) fn shown_size(mebibytes: u32) -> String {
    match mebibytes / 1024 {
        0 => format!("{mebibytes}Mi"),
        gibibytes => format!("{gibibytes}Gi"),
    }
}

fn parse_mebibytes(quantity: &str) -> Option<f64> {
    // `1e3` is a number by itself, `1E` is one with a unit.
    if let Ok(bytes) = quantity.parse::<f64>() {
        return Some(bytes * UNITS[7].1);
    }
    let units = UNITS.iter().filter(|(unit, _)| !unit.is_empty());
    let mut read = units.filter_map(|(unit, worth)| {
        let number = quantity.strip_suffix(unit)?.parse::<f64>().ok()?;
        Some(number * worth)
    });
    read.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_quantity_is_read() {
        for (quantity, expected) in [
            ("1Mi", 1.0),
            ("1.5Gi", 1536.0),
            ("512Ki", 0.5),
            ("1048576", 1.0),
            ("1048576000m", 1.0),
            ("1048576e3", 1000.0),
            ("1E", 1e18 / 1_048_576.0),
            ("2048k", 2048e3 / 1_048_576.0),
        ] {
            let read = parse_mebibytes(quantity).unwrap();
            assert!(
                (read - expected).abs() <= expected * 1e-9,
                "{quantity}: {read}"
            );
        }
        for quantity in ["", "Gi", "1Xi", "one"] {
            assert_eq!(parse_mebibytes(quantity), None, "{quantity}");
        }
    }

    #[test]
    fn a_volume_is_compared_with_what_is_free() {
        let size = |text: &str| Quantity(text.into());
        assert!(!is_short(&size("10Gi"), 10_240));
        assert!(is_short(&size("10241Mi"), 10_240));
        assert!(!is_short(&size("unknown"), 0));
        assert_eq!(
            (shown_size(1023), shown_size(1024 * 7 + 1)),
            ("1023Mi".into(), "7Gi".into())
        );
    }

    #[test]
    fn a_disk_tells_its_room() {
        assert!(free_mebibytes(Path::new("/")).is_some());
        assert_eq!(free_mebibytes(Path::new("/no/such/directory")), None);
    }
}
