//! What must be known of a command line before it is parsed, however broken the rest is: an error of
//! the parser is told, or not told, in the way that was asked for.

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
    let switches = group.split(['n', 'o', 'v', '=']).next().unwrap_or("");
    switches.contains('q')
}

/// Scans for `-o json` and its other spellings; the last one counts.
pub(crate) fn wants_json(arguments: &[String]) -> bool {
    let mut json = false;
    let mut rest = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = rest.next() {
        let value = match argument.as_str() {
            "-o" | "--output" => rest.next().map(String::as_str),
            long if long.starts_with("--") => long.strip_prefix("--output="),
            short => short
                .strip_prefix("-o")
                .map(|value| value.strip_prefix('=').unwrap_or(value)),
        };
        json = value.map_or(json, |value| value == "json");
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn json_is_seen_anywhere() {
        for (line, expected) in [
            ("-o json", true),
            ("-ojson get clusters", true),
            ("get clusters --bogus -o=json", true),
            ("--output json", true),
            ("--output=json", true),
            ("-o json -o text", false),
            ("-o yaml", false),
            ("--outputs=json", false),
            ("-- -o json", false),
            ("", false),
        ] {
            assert_eq!(wants_json(&words(line)), expected, "{line}");
        }
    }

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
            assert_eq!(is_quiet(&words(line)), expected, "{line}");
        }
    }
}
