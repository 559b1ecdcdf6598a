//! Whether `--quiet` stands anywhere on a command line, however broken the rest is.

use super::value::parse_bool;

/// Scans for `-q` or `--quiet` before anything is parsed, so that parser errors can be silent too.
pub(crate) fn is_quiet(arguments: &[String]) -> bool {
    let mut quiet = false;
    for argument in arguments {
        if argument == "--" {
            break;
        }
        if argument == "--quiet" {
            quiet = true;
        } else if let Some(value) = argument.strip_prefix("--quiet=") {
            quiet = parse_bool(value).unwrap_or(quiet);
        } else if !argument.starts_with("--") && argument.starts_with('-') {
            quiet |= group_is_quiet(&argument[1..]);
        }
    }
    quiet
}

/// Whether a group of letters holds `q` before a letter that takes the rest as its value.
fn group_is_quiet(group: &str) -> bool {
    let switches = group.split(['n', 'v', '=']).next().unwrap_or("");
    switches.contains('q')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_seen_anywhere() {
        for (line, expected) in [
            ("-q", true),
            ("--quiet", true),
            ("create cluster --quiet --bogus", true),
            ("--help -q", true),
            ("-hq", true),
            ("-h --quiet", true),
            ("-qv1", true),
            ("--quiet=false", false),
            ("", false),
            ("--loud", false),
            ("-nq", false),
            ("-- -q", false),
        ] {
            let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert_eq!(is_quiet(&arguments), expected, "{line}");
        }
    }
}
