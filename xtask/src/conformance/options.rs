//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;

/// The command line of `cargo xtask conformance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// A directory with the tests of another Kubernetes.
    pub(super) suite: Option<PathBuf>,
    /// A regular expression that the names of tests match; all of conformance without it.
    pub(super) focus: Option<String>,
    /// Where nodes run.
    pub(super) provider: String,
    /// An archive of another node image.
    pub(super) image: Option<PathBuf>,
    /// Tests at a time.
    pub(super) parallel: usize,
    /// Time for all tests together.
    pub(super) timeout: Duration,
}

impl Options {
    /// Reads it.
    ///
    /// # Errors
    /// An option that is not known, or has no proper value.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let value = arguments.next();
            let value = value.ok_or_else(|| format!("{option} needs a value"))?;
            match option.as_str() {
                "--suite" => options.suite = Some(value.into()),
                "--focus" => options.focus = Some(value.clone()),
                "--provider" => options.provider.clone_from(value),
                "--image" => options.image = Some(value.into()),
                "--parallel" => options.parallel = number(option, value)?,
                "--timeout" => {
                    options.timeout = Duration::from_secs(60 * number(option, value)? as u64);
                }
                _ => return Err(format!("conformance has no option {option}").into()),
            }
        }
        Ok(options)
    }

    /// Whether everything that counts runs.
    pub(super) fn is_whole(&self) -> bool {
        self.focus.is_none()
    }
}

impl Default for Options {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            suite: None,
            focus: None,
            provider: "native".to_owned(),
            image: None,
            // Tests wait more than they work.
            parallel: (4 * processors).clamp(4, 25),
            timeout: Duration::from_secs(4 * 60 * 60),
        }
    }
}

fn number(option: &str, value: &str) -> Result<usize, Failure> {
    let number = value.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{option} needs a number, not {value:?}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn every_option_is_read() {
        let options = parse(
            "--suite a/b --focus DNS --provider docker --image node.tar --parallel 3 --timeout 30",
        );
        let expected = Options {
            suite: Some("a/b".into()),
            focus: Some("DNS".to_owned()),
            provider: "docker".to_owned(),
            image: Some("node.tar".into()),
            parallel: 3,
            timeout: Duration::from_secs(1800),
        };
        assert_eq!(options.unwrap(), expected);
        assert!(parse("").unwrap().is_whole());
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, said) in [
            ("--focus", "--focus needs a value"),
            ("--parallel none", "--parallel needs a number, not \"none\""),
            ("--timeout 0", "--timeout needs a number, not \"0\""),
            ("--suit x", "conformance has no option --suit"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), said);
        }
    }
}
