//! What the command line says.

use std::path::PathBuf;

use crate::Failure;

/// The command line of `cargo xtask faults`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Where nodes run.
    pub(super) provider: String,
    /// An archive of another node image.
    pub(super) image: Option<PathBuf>,
    /// The faults that are provoked, with commas between; all without it.
    pub(super) only: Option<String>,
    /// What is said is written down instead of compared.
    pub(super) update: bool,
    /// Creations are killed instead, so many of them.
    pub(super) rounds: Option<usize>,
    /// The same seed gives the same moments.
    pub(super) seed: Option<u64>,
}

impl Options {
    /// Reads it.
    ///
    /// # Errors
    /// An option that is not known, or has no value.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self {
            provider: "native".to_owned(),
            ..Self::default()
        };
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            if option == "--update" {
                options.update = true;
                continue;
            }
            let value = arguments.next();
            let value = value.ok_or_else(|| format!("{option} needs a value"))?;
            match option.as_str() {
                "--provider" => options.provider.clone_from(value),
                "--image" => options.image = Some(value.into()),
                "--rounds" => options.rounds = Some(number(option, value)?),
                "--seed" => options.seed = Some(number(option, value)?),
                "--only" => options.only = Some(value.clone()),
                _ => return Err(format!("faults has no option {option}").into()),
            }
        }
        Ok(options)
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, Failure> {
    let number = value.parse().ok();
    Ok(number.ok_or_else(|| format!("{option} needs a number"))?)
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
        let options = parse("--provider docker --update --image node.tar --only a").unwrap();
        let expected = Options {
            provider: "docker".to_owned(),
            image: Some("node.tar".into()),
            only: Some("a".to_owned()),
            update: true,
            ..Options::default()
        };
        assert_eq!(options, expected);
        let options = parse("--rounds 200 --seed 7").unwrap();
        assert_eq!((options.rounds, options.seed), (Some(200), Some(7)));
        assert!(parse("--rounds many").is_err());
        assert_eq!(parse("").unwrap().provider, "native");
        assert!(parse("--only").is_err());
        assert!(parse("--sometimes yes").is_err());
    }
}
