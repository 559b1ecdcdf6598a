//! Flags and positional arguments of the command that was found.

use super::matches::Value;
use super::value::{parse_value, quote_value};
use crate::args::{Flag, Matches, UsageError};

/// Reads `arguments` (the command's own words taken out) with the flags the command knows.
pub(crate) fn parse_arguments(flags: &[Flag], arguments: &[String]) -> Result<Matches, UsageError> {
    let mut parser = Parser {
        flags,
        rest: arguments.iter(),
        matches: Matches::default(),
    };
    while let Some(argument) = parser.rest.next() {
        if argument == "--" {
            let positionals = parser.rest.by_ref().cloned();
            parser.matches.positionals.extend(positionals);
        } else if let Some(long) = argument.strip_prefix("--") {
            parser.parse_long(long)?;
        } else if let Some(group) = argument.strip_prefix('-').filter(|group| !group.is_empty()) {
            parser.parse_short_group(group)?;
        } else {
            parser.matches.positionals.push(argument.clone());
        }
    }
    Ok(parser.matches)
}

struct Parser<'a> {
    flags: &'a [Flag],
    rest: std::slice::Iter<'a, String>,
    matches: Matches,
}

impl<'a> Parser<'a> {
    /// `--name`, `--name=value` or `--name value`.
    fn parse_long(&mut self, text: &'a str) -> Result<(), UsageError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(UsageError(format!("bad flag syntax: --{text}")));
        }
        let flag = self.flags.iter().find(|flag| flag.name == name);
        let flag = *flag.ok_or_else(|| UsageError(format!("unknown flag: --{name}")))?;
        let value = match value {
            Some(value) => value,
            None if flag.stands_alone() => "true",
            None => self
                .rest
                .next()
                .ok_or_else(|| UsageError(format!("flag needs an argument: --{name}")))?,
        };
        self.set_flag(&flag, value)
    }

    /// `-q`, `-v1`, `-v=1`, `-v 1`, and switches in one group.
    fn parse_short_group(&mut self, group: &'a str) -> Result<(), UsageError> {
        let mut group = group;
        while let Some(letter) = group.chars().next() {
            let after = &group[letter.len_utf8()..];
            let flag = self.flags.iter().find(|flag| flag.short == Some(letter));
            let flag = *flag.ok_or_else(|| {
                UsageError(format!("unknown shorthand flag: '{letter}' in -{group}"))
            })?;
            if let Some(value) = after.strip_prefix('=').filter(|value| !value.is_empty()) {
                return self.set_flag(&flag, value);
            }
            if flag.stands_alone() {
                self.set_flag(&flag, "true")?;
                group = after;
                continue;
            }
            if !after.is_empty() {
                return self.set_flag(&flag, after);
            }
            let value = self.rest.next().ok_or_else(|| {
                UsageError(format!("flag needs an argument: '{letter}' in -{group}"))
            })?;
            return self.set_flag(&flag, value);
        }
        Ok(())
    }

    fn set_flag(&mut self, flag: &Flag, text: &str) -> Result<(), UsageError> {
        let value = parse_value(flag.kind, text).map_err(|reason| {
            let (text, name) = (quote_value(text), flag.display());
            UsageError(format!(
                "invalid argument {text} for \"{name}\" flag: {reason}"
            ))
        })?;
        match (self.matches.values.get_mut(flag.name), value) {
            (Some(Value::Strings(all)), Value::Strings(more)) => all.extend(more),
            (_, value) => {
                self.matches.values.insert(flag.name, value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Kind;

    const FLAGS: &[Flag] = &[
        Flag::switch("quiet", "").short('q'),
        Flag::new("verbosity", Kind::Int32, "").short('v'),
        Flag::text("config", ""),
        Flag::text("name", "").short('n'),
        Flag::switch("retain", ""),
        Flag::new("wait", Kind::Duration, ""),
        Flag::new("nodes", Kind::Strings, ""),
    ];

    fn read(line: &str) -> Result<Matches, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse_arguments(FLAGS, &arguments).map_err(|error| error.0)
    }

    #[test]
    fn every_spelling_of_a_value_is_taken() {
        for line in [
            "--name x",
            "--name=x",
            "-n x",
            "-nx",
            "-n=x",
            "--name y -n x",
        ] {
            assert_eq!(read(line).unwrap().text_flag("name"), Some("x"), "{line}");
        }
        let matches = read("-qv1").unwrap();
        assert!(matches.switch("quiet"));
        assert_eq!(matches.number("verbosity"), Some(1));
        assert_eq!(read("--name=").unwrap().text_flag("name"), Some(""));
    }

    #[test]
    fn flags_and_positionals_interleave_until_two_dashes() {
        let matches = read("a --retain b - -- --name -q").unwrap();
        assert_eq!(matches.positionals, ["a", "b", "-", "--name", "-q"]);
        assert!(matches.switch("retain") && matches.text_flag("name").is_none());
    }

    #[test]
    fn switches_take_a_value_only_after_an_equals_sign() {
        assert!(!read("--retain=F").unwrap().switch("retain"));
        let matches = read("--retain false").unwrap();
        assert!(matches.switch("retain"));
        assert_eq!(matches.positionals, ["false"]);
    }

    #[test]
    fn lists_accumulate() {
        let matches = read("--nodes a,b --nodes=c").unwrap();
        assert_eq!(matches.list_flag("nodes"), ["a", "b", "c"]);
    }

    #[test]
    fn errors_have_kinds_words() {
        for (line, message) in [
            ("--bogus", "unknown flag: --bogus"),
            ("--bogus=1", "unknown flag: --bogus"),
            ("-x", "unknown shorthand flag: 'x' in -x"),
            ("-qx", "unknown shorthand flag: 'x' in -x"),
            ("-v", "flag needs an argument: 'v' in -v"),
            ("--config", "flag needs an argument: --config"),
            (
                "-v abc",
                "invalid argument \"abc\" for \"-v, --verbosity\" flag: strconv.ParseInt: parsing \"abc\": invalid syntax",
            ),
            (
                "--wait 30",
                "invalid argument \"30\" for \"--wait\" flag: time: missing unit in duration \"30\"",
            ),
            (
                "--wait=abc",
                "invalid argument \"abc\" for \"--wait\" flag: time: invalid duration \"abc\"",
            ),
            (
                "--retain=maybe",
                "invalid argument \"maybe\" for \"--retain\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
            ),
            ("--=x", "bad flag syntax: --=x"),
        ] {
            assert_eq!(read(line).unwrap_err(), message);
        }
    }
}
